// SAMPLES samples of one trend whose values spread evenly over nine decades, from a microsecond to a quarter of an hour.
import { Trend } from 'k6/metrics';

const samplesPerIteration = 10000;

const trend = new Trend('bench_spread', true);
const values = Array.from({ length: samplesPerIteration }, (_, i) => 10 ** (((i * 7919) % samplesPerIteration) / samplesPerIteration * 9 - 3));

export const options = {
  scenarios: {
    load: {
      executor: 'shared-iterations',
      vus: 1,
      iterations: Number(__ENV.SAMPLES) / samplesPerIteration,
      maxDuration: '30m',
    },
  },
};

export default function () {
  for (let i = 0; i < samplesPerIteration; i++) {
    trend.add(values[i]);
  }
}
