// A plain counter, and one with a tag of VALUE_BYTES, a tag whose name has NAME_BYTES, and LABELS labels.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const plain = new Counter('plain');
const odd = new Counter('odd');
const spread = new Trend('spread');

export const options = { vus: 1, duration: __ENV.DURATION };

const tags = {};
if (__ENV.VALUE_BYTES) tags.long = 'x'.repeat(Number(__ENV.VALUE_BYTES));
if (__ENV.NAME_BYTES) tags['n'.repeat(Number(__ENV.NAME_BYTES))] = 'a';
// With the metric's name and the tag of the scenario there are two more labels.
for (let i = 2; i < Number(__ENV.LABELS || 0); i++) tags[`tag_${i}`] = `value ${i}`;

export default function () {
  http.get(`${__ENV.TARGET_URL}/`);
  plain.add(1);
  odd.add(1, tags);
  for (let i = 0; i < 20; i++) spread.add(2 ** i);
  sleep(0.2);
}
