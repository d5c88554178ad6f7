// SAMPLES samples that cycle through TAG_SETS tag sets, like a run with an id in its tags: of a counter, and with TREND every
// other one of a trend.
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';

import { options, samplesPerIteration } from './samples.js';

export { options };

const tagSets = Number(__ENV.TAG_SETS);

const metrics = [new Counter('bench_tagged')];
if (__ENV.TREND) {
  metrics.push(new Trend('bench_tagged_trend', true));
}
const perIteration = samplesPerIteration / metrics.length;

export default function () {
  const first = exec.scenario.iterationInTest * perIteration;
  for (let i = 0; i < perIteration; i++) {
    const tags = { id: String((first + i) % tagSets) };
    for (let m = 0; m < metrics.length; m++) {
      metrics[m].add(1 + ((i * 7919) % 1000), tags);
    }
  }
}
