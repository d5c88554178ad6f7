// SAMPLES samples of one trend whose values spread evenly over nine decades, from a microsecond to a quarter of an hour.
import { Trend } from 'k6/metrics';

import { options, samplesPerIteration } from './samples.js';

export { options };

const trend = new Trend('bench_spread', true);
const values = Array.from({ length: samplesPerIteration }, (_, i) => 10 ** (((i * 7919) % samplesPerIteration) / samplesPerIteration * 9 - 3));

export default function () {
  for (let i = 0; i < samplesPerIteration; i++) {
    trend.add(values[i]);
  }
}
