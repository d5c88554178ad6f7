// 100 samples of ten custom metrics, RATE times per second for DURATION.
import { Counter, Trend } from 'k6/metrics';

const samplesPerIteration = 100;

const metrics = [];
for (let i = 1; i <= 5; i++) {
  metrics.push(new Counter(`bench_counter_${i}`), new Trend(`bench_trend_${i}`, true));
}

export const options = {
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE),
      timeUnit: '1s',
      duration: __ENV.DURATION,
      preAllocatedVUs: 20,
    },
  },
};

export default function () {
  for (let i = 0; i < samplesPerIteration / metrics.length; i++) {
    for (let m = 0; m < metrics.length; m++) {
      metrics[m].add(1 + ((i * 7919) % 1000));
    }
  }
}
