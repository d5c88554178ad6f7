// Tags that receivers limit: URLs of 3 KB and more, LABELS labels on a series, and values of all kinds.
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';

const many = new Counter('many');
const values = new Counter('values');
const long = new Counter('long');
const share = new Rate('share');
const time = new Trend('time', true);

export const options = { vus: 1, duration: __ENV.DURATION };

// With the metric's name and the tag of the scenario there are two more labels.
const tags = {};
for (let i = 2; i < Number(__ENV.LABELS); i++) tags[`tag_${i}`] = `value ${i}`;

const unlucky = [
  'NaN', '+Inf', '0', ' ', ' padded ', 'null', 'undefined', '__name__', '{}', '{a="b"}', '"', '\\', '\\n', '$1', '%s', '<b>', "'; drop",
  'two\nlines', '\t', '\u0000', '\u007f', '\u200b', '\ufeff', '\ud800', '🚀', 'سلام', 'e\u0301', '東京', 'x'.repeat(2047),
];

export default function () {
  const url = `${__ENV.TARGET_URL}/search?q=${'x'.repeat(3000)}`;
  group('a group, "quoted"', () => {
    check(http.get(`${url}&id=${__ITER}`), { 'status is 200, {really}': (r) => r.status === 200 });
  });
  unlucky.forEach((value) => values.add(1, { value }));
  // 2048 is not a multiple of 3 bytes.
  for (const value of ['x', '東', '🚀']) long.add(1, { long: value.repeat(2049) });
  many.add(1, tags);
  share.add(true, { long: '東'.repeat(1000) });
  time.add(12, { long: '東'.repeat(1000) });
  sleep(0.2);
}
