// The `apm` block of k6 Cloud's Prometheus integration, in a local run. The block has all settings; --out enables the output:
//
//   k6 run --out remote-write examples/apm.js
//
// REMOTE_WRITE_URL is the receiver, TOKEN its bearer token, TARGET_URL the system under test.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter, Gauge, Rate } from 'k6/metrics';

const target = __ENV.TARGET_URL || 'http://127.0.0.1:8080';

const myRate = new Rate('my_rate');
const myGauge = new Gauge('my_gauge');
const unlisted = new Counter('unlisted'); // not in `metrics`, so it is not sent

export const options = {
  vus: 2,
  duration: __ENV.DURATION || '10s',
  ext: {
    loadimpact: {
      apm: [
        {
          provider: 'prometheus',
          remoteWriteURL: __ENV.REMOTE_WRITE_URL || 'http://localhost:9090/api/v1/write',
          // optional parameters
          credentials: {
            token: __ENV.TOKEN || 'no secret',
          },
          includeDefaultMetrics: true, // data_sent, data_received, http_req_duration, http_reqs, iterations, vus
          metrics: [
            'my_rate',
            'my_gauge',
            // The later form: which series, under which name, with which tags.
            { sourceMetric: 'http_reqs{method="POST"}', targetMetric: 'orders_by_status', keepTags: ['status'] },
          ],
          includeTestRunId: true,
          resampleRate: 1,
        },
      ],
    },
  },
};

export default function () {
  http.get(`${target}/products`);
  const order = http.post(`${target}/orders`, '{}');
  myRate.add(order.status === 201);
  myGauge.add(order.timings.duration);
  unlisted.add(1);
  sleep(0.1);
}
