// The shop with a threshold that failing orders cross and that aborts the test.
import shop, { options as shopOptions } from '../../../examples/http.js';

export const options = {
  ...shopOptions,
  thresholds: { http_req_failed: [{ threshold: 'rate==0', abortOnFail: true }] },
};
export default shop;
