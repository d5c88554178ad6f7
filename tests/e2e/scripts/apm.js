// The example of k6 Cloud's documentation with real URLs, and a second block. Runs unchanged in k6 Cloud.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter, Gauge, Rate } from 'k6/metrics';

const target = __ENV.TARGET_URL;
const myRate = new Rate('my_rate');
const myGauge = new Gauge('my_gauge');
const unlisted = new Counter('unlisted');

export const options = {
  duration: '7s',
  vus: 2,
  tags: { testid: 'abc' },
  ext: {
    loadimpact: {
      apm: [
        {
          provider: 'prometheus',
          remoteWriteURL: __ENV.FIRST_URL,
          // optional parameters
          credentials: {
            token: 'the token',
          },
          includeDefaultMetrics: true,
          metrics: ['http_req_sending', 'my_rate', 'my_gauge'], //...other options,
          includeTestRunId: true,
          resampleRate: 3,
        },
        {
          provider: 'prometheus',
          remote_write_url: __ENV.SECOND_URL,
          credentials: { username: 'me', password: 'a:secret' },
          include_default_metrics: false,
          metrics: [
            'my_rate',
            {
              sourceMetric: 'http_req_duration{method="GET",status=~"[23].."}',
              targetMetric: 'reading_time',
              keepTags: ['method'],
            },
            { source_metric: 'http_reqs', target_metric: 'answers', keep_tags: ['status'] },
            'never_comes',
          ],
          resample_rate: 1,
        },
        { provider: 'datadog', apiKey: 'not for us' },
      ],
    },
  },
};

export default function () {
  http.get(`${target}/`);
  const order = http.post(`${target}/orders`, '{}');
  myRate.add(order.status === 201);
  myGauge.add(__ITER);
  unlisted.add(1);
  sleep(0.1);
}
