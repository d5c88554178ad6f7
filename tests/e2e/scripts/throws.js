// One iteration of the shop in a setup() that throws.
import shop, { options } from '../../../examples/http.js';

export { options };
export function setup() {
  shop();
  throw new Error('on purpose');
}
export default shop;
