// A steady load for as long as the soak lasts. No thresholds: k6 keeps every value of a trend for those.
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

const served = new Trend('soak_served', true);
const marked = new Counter('soak_marked');

export const options = {
  scenarios: {
    soak: {
      executor: 'constant-arrival-rate',
      rate: 200,
      timeUnit: '1s',
      duration: __ENV.DURATION,
      preAllocatedVUs: 20,
      maxVUs: 100,
    },
  },
};

export default function () {
  served.add(http.get(`${__ENV.TARGET_URL}/products`).timings.duration);
  marked.add(1);
}
