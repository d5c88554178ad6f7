// One iteration and one custom metric.
import { Counter } from 'k6/metrics';

const counter = new Counter('a_counter');

export default function () {
  counter.add(7, { kind: 'own' });
}
