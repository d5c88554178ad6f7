// Options of k6 Cloud that are not Unicode, or nested deeply, beside a block for this output.
import { Counter } from 'k6/metrics';

const half = '\ud800'; // half of a surrogate pair
const deep = JSON.parse('['.repeat(500) + ']'.repeat(500));
const counter = new Counter('a_counter');

export const options = {
  ext: {
    loadimpact: {
      note: half,
      deep,
      [half]: 1,
      apm: [
        { provider: 'datadog', apiKey: half, deep },
        { provider: 'prometheus', remoteWriteURL: __ENV.URL, metrics: ['a_counter'] },
      ],
    },
  },
  cloud: { note: half, deep },
};

export default function () {
  counter.add(7);
}
