// A steady load for the duration of the soak test, without thresholds, for which k6 would keep every value of a trend.
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
