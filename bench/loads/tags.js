// SAMPLES samples of one counter that cycle through TAG_SETS tag sets, like a run with an id in its tags.
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';

const samplesPerIteration = 10000;
const tagSets = Number(__ENV.TAG_SETS);

const counter = new Counter('bench_tagged');

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
  const first = exec.scenario.iterationInTest * samplesPerIteration;
  for (let i = 0; i < samplesPerIteration; i++) {
    counter.add(1, { id: String((first + i) % tagSets) });
  }
}
