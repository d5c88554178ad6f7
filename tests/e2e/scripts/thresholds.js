// The shop with passed and crossed thresholds, one of them on a submetric.
import shop, { options as shopOptions } from '../../../examples/http.js';

export const options = {
  ...shopOptions,
  thresholds: {
    http_reqs: ['count>3', 'count<3'],
    http_req_failed: ['rate==0'],
    'http_req_duration{group:::buy}': [{ threshold: 'p(95)<60000', abortOnFail: true }],
  },
};
export default shop;
