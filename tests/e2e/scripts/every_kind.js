// Every kind of k6 metric: built-in and custom ones, plain numbers, times and data, with tags, groups, checks,
// thresholds on submetrics and two scenarios. Writes the data of handleSummary() to the file SUMMARY.
import http from 'k6/http';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const target = __ENV.TARGET_URL;

const counted = new Counter('counted');
const countedTime = new Counter('counted_time', true);
const level = new Gauge('level');
const delay = new Gauge('delay', true);
const accepted = new Rate('accepted');
const value = new Trend('value');
const wait = new Trend('wait', true);
const spread = new Trend('spread', true); // evenly over three decades, so that adjacent values are close
const balance = new Trend('balance'); // positive and negative values

const duration = __ENV.DURATION || '4s';

export const options = {
  scenarios: {
    visit: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration, preAllocatedVUs: 10, exec: 'visit' },
    // One VU, so that the latest value of a gauge is deterministic.
    watch: { executor: 'constant-vus', vus: 1, duration, exec: 'watch' },
  },
  thresholds: {
    'http_reqs{status:500}': ['count>=0'],
    'http_reqs{scenario:visit,method:POST}': ['count>=0'],
    'http_req_duration{scenario:visit}': ['p(95)<5000'],
    'http_req_duration{scenario:watch}': ['p(95)<5000'],
    'http_req_duration{group:::browse}': ['p(95)<5000'],
    'http_req_failed{method:POST}': ['rate>=0'],
    'checks{check:order is accepted}': ['rate>=0'],
    'value{size:large}': ['p(95)>=0'],
    'counted{size:large}': ['count>=0'],
    'accepted{size:small}': ['rate>=0'],
    'level{kind:sawtooth}': ['value>=0'],
  },
};

export function visit() {
  const size = __ITER % 3 === 0 ? 'large' : 'small';
  group('browse', () => {
    check(http.get(`${target}/search?q=${__ITER % 5}`), { 'results are there': (r) => r.status === 200 });
  });
  group('buy', () => {
    const order = http.post(`${target}/orders`, '{}', { tags: { size } });
    accepted.add(check(order, { 'order is accepted': (r) => r.status === 201 }), { size });
    counted.add(1 + (__ITER % 4), { size });
    countedTime.add(0.1 * __ITER, { size });
    value.add(19.75 * (1 + (__ITER % 7)), { size });
  });
  wait.add(0.3 + ((__VU * 31 + __ITER * 7919) % 1000) * 0.9);
}

export function watch() {
  for (let step = 0; step < 20; step++) {
    level.add((__ITER * 20 + step) % 13, { kind: 'sawtooth' });
    delay.add(((__ITER * 7 + step) % 17) * 0.25);
    spread.add(Math.pow(10, ((__ITER * 20 + step) * 7919 % 3000) / 1000));
    balance.add(((__ITER * 20 + step) * 7919 % 2001) - 1000);
  }
  http.get(`${target}/`);
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data) };
}
