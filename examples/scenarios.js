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
      executor: 'ramping-arrival-rate',
      exec: 'browse',
      startRate: 5,
      timeUnit: '1s',
      preAllocatedVUs: 20,
      stages: [
        { target: 60, duration: `${2 * step}s` },
        { target: 60, duration: `${2 * step}s` },
        { target: 10, duration: `${2 * step}s` },
      ],
    },
    buy: {
      executor: 'ramping-vus',
      exec: 'buy',
      startVUs: 1,
      stages: [
        { target: 4, duration: `${3 * step}s` },
        { target: 1, duration: `${3 * step}s` },
      ],
      tags: { team: 'checkout' },
    },
    sale: {
      executor: 'constant-arrival-rate',
      exec: 'browse',
      startTime: `${2 * step}s`,
      rate: 30,
      timeUnit: '1s',
      duration: `${2 * step}s`,
      preAllocatedVUs: 10,
    },
  },
  thresholds: {
    'http_req_duration{scenario:browse}': ['p(95)<500'],
    'checks{scenario:buy}': ['rate>0.8'],
  },
};

export function browse() {
  http.get(http.url`${target}/search?q=${__ITER}`);
}

export function buy() {
  check(http.post(`${target}/orders`, '{}'), { 'order is accepted': (r) => r.status === 201 });
  sleep(0.1);
}
