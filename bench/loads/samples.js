// What the loads of SAMPLES samples share: one VU at full speed, and many samples in an iteration, so that k6 itself costs little.
export const samplesPerIteration = 10000;

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
