// Tags of the whole test, metrics of times, and system tags that k6 has as metadata.
import { Counter, Gauge } from 'k6/metrics';

const age = new Gauge('token_age', true);
const waited = new Counter('waited', true);

export const options = {
  tags: { team: 'checkout' },
  systemTags: ['scenario', 'vu', 'iter'],
  iterations: 1,
};

export default function () {
  age.add(1500);
  waited.add(2500);
}
