// Several scenarios at once: every series has the label `scenario`, and the `tags` of its scenario:
//
//   k6 run --out remote-write=http://localhost:9090/api/v1/write examples/scenarios.js
//
// Then, for each of them: sum by (scenario) (rate(k6_http_reqs_total[10s]))
//
// TARGET_URL is the system under test, STEP the seconds of each step of the load.
import http from 'k6/http';
import { check, sleep } from 'k6';

const target = __ENV.TARGET_URL || 'http://127.0.0.1:8080';
const step = Number(__ENV.STEP || 10);

export const options = {
  scenarios: {
    browse: {
      executor: 'ramping-vus',
      exec: 'browse',
      startVUs: 1,
      stages: [
        { target: 30, duration: `${2 * step}s` },
        { target: 30, duration: `${2 * step}s` },
        { target: 5, duration: `${2 * step}s` },
      ],
    },
    buy: {
      executor: 'ramping-vus',
      exec: 'buy',
      startVUs: 1,
      stages: [
        { target: 12, duration: `${3 * step}s` },
        { target: 1, duration: `${3 * step}s` },
      ],
      tags: { team: 'checkout' },
    },
    sale: {
      executor: 'constant-arrival-rate',
      exec: 'buy',
      startTime: `${2 * step}s`,
      rate: 40,
      timeUnit: '1s',
      duration: `${2 * step}s`,
      preAllocatedVUs: 40,
    },
  },
  thresholds: {
    'http_req_duration{scenario:browse}': ['p(95)<500'],
    'checks{scenario:buy}': ['rate>0.5'],
  },
};

// A tag `name` makes one series of many URLs.
const named = (name) => ({ tags: { name } });

export function browse() {
  http.get(`${target}/`, named('/'));
  for (let page = 1; page <= 2; page++) http.get(`${target}/products?page=${page}`, named('/products'));
  if (__ITER % 2 === 0) http.get(`${target}/search?q=${__ITER}`, named('/search'));
  sleep(0.5 + Math.random());
}

export function buy() {
  const order = http.post(`${target}/orders`, '{}', named('/orders'));
  if (check(order, { 'order is accepted': (r) => r.status === 201 })) {
    const payment = http.post(`${target}/payments`, '{}', named('/payments'));
    check(payment, { 'payment is accepted': (r) => r.status === 200 });
  }
  sleep(0.4 * Math.random());
}
