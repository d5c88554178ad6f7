// A scenario that ends after a second, and a longer one. Both have a metric of times.
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';

const took = new Trend('took', true);
const scenario = (duration) => ({ executor: 'constant-vus', vus: 1, duration });

export const options = { scenarios: { short: scenario('1s'), long: scenario(__ENV.DURATION) } };

export default function () {
  took.add(100);
  sleep(0.2);
}
