// A counter with SERIES series, each of which counts the iterations, and another counter.
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const many = new Counter('many');
const other = new Counter('other');

export const options = { vus: 1, duration: __ENV.DURATION };

export default function () {
  for (let i = 0; i < Number(__ENV.SERIES); i++) {
    many.add(1, { number: String(i) });
  }
  other.add(1);
  sleep(0.2);
}
