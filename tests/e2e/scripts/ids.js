// REQUESTS requests to ENDPOINTS URLs.
import http from 'k6/http';

export const options = { scenarios: { all: { executor: 'shared-iterations', iterations: Number(__ENV.REQUESTS), vus: 5 } } };

export default function () {
  http.get(`${__ENV.TARGET_URL}/items/${(__VU * 1000 + __ITER) % Number(__ENV.ENDPOINTS)}`);
}
