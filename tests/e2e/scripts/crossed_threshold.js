// The shop with a threshold that failing orders cross.
import shop, { options as shopOptions } from '../../../examples/http.js';

export const options = { ...shopOptions, thresholds: { http_req_failed: ['rate==0'] } };
export default shop;
