// SAMPLES samples of one counter that cycle through TAG_SETS tag sets, like a run with an id in its tags.
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';

import { options, samplesPerIteration } from './samples.js';

export { options };

const tagSets = Number(__ENV.TAG_SETS);

const counter = new Counter('bench_tagged');

export default function () {
  const first = exec.scenario.iterationInTest * samplesPerIteration;
  for (let i = 0; i < samplesPerIteration; i++) {
    counter.add(1, { id: String((first + i) % tagSets) });
  }
}
