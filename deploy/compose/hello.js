// Two minutes of load on the Prometheus of compose.yaml itself, to have some metrics:
//
//   docker compose run --rm k6
import http from 'k6/http';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const target = __ENV.TARGET_URL || 'http://prometheus:9090';
const seriesOfAnswer = new Trend('series_of_answer');

export const options = {
  scenarios: {
    readers: {
      executor: 'ramping-arrival-rate',
      startRate: 5,
      timeUnit: '1s',
      preAllocatedVUs: 20,
      stages: [
        { target: 40, duration: __ENV.DURATION || '1m' },
        { target: 5, duration: __ENV.DURATION || '1m' },
      ],
    },
  },
  thresholds: {
    http_req_duration: ['p(95)<500'],
    checks: ['rate>0.9'],
  },
};

export default function () {
  const ready = http.get(`${target}/-/ready`, { tags: { name: 'ready' } });
  check(ready, { 'is ready': (answer) => answer.status === 200 });
  const up = http.get(`${target}/api/v1/query?query=k6_vus`, { tags: { name: 'query' } });
  seriesOfAnswer.add(up.json('data.result.#'));
  if (__ITER % 20 === 0) {
    http.get(`${target}/missing`, { tags: { name: 'missing' } });
  }
}
