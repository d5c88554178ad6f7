// Requests to a short URL and to one of 3000 bytes.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const pairs = new Counter('pairs');

export const options = { vus: 1, duration: __ENV.DURATION };

export default function () {
  http.get(`${__ENV.TARGET_URL}/`);
  http.get(`${__ENV.TARGET_URL}/search?q=${'x'.repeat(3000)}`);
  pairs.add(1);
  sleep(0.2);
}
