// SAMPLES samples of ten custom metrics at the full speed of one VU: k6 does little else than pass samples to the output.
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

import { options, samplesPerIteration } from './samples.js';

export { options };

const counters = [new Counter('bench_counter_1'), new Counter('bench_counter_2'), new Counter('bench_counter_3')];
const gauges = [new Gauge('bench_gauge_1')];
const rates = [new Rate('bench_rate_1'), new Rate('bench_rate_2')];
const trends = [
  new Trend('bench_trend_1', true),
  new Trend('bench_trend_2', true),
  new Trend('bench_trend_3', true),
  new Trend('bench_trend_4'),
];
const metrics = [...counters, ...gauges, ...rates, ...trends];

export default function () {
  for (let i = 0; i < samplesPerIteration / metrics.length; i++) {
    // Spread over three decades, like durations of requests.
    const value = 1 + ((i * 7919) % 1000);
    for (let m = 0; m < metrics.length; m++) {
      metrics[m].add(value);
    }
  }
}
