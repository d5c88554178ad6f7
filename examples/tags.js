// Many tags, and three methods to keep the number of series low:
//
//   K6_PROMETHEUS_RW_DROP_TAGS=session k6 run --out remote-write=http://localhost:9090/api/v1/write examples/tags.js
//
// Each value of a tag is a separate series, for every metric that has the tag. TARGET_URL is the system under test.
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';

const target = __ENV.TARGET_URL || 'http://127.0.0.1:8080';

export const options = {
  vus: 5,
  duration: __ENV.DURATION || '10s',
  tags: { testid: 'tags' }, // on every series: identifies this run
};

export default function () {
  const id = exec.scenario.iterationInTest;

  // 1. A thousand URLs, but one name: k6 writes the pattern into the tags `name` and `url`.
  http.get(http.url`${target}/search?q=${id}`);

  // 2. A tag that other outputs of k6 need: the option dropTags removes it here, and its series are added up.
  http.get(`${target}/products`, { tags: { session: `session-${id}`, team: 'shop' } });

  // 3. Metadata never becomes a label at all.
  exec.vu.metrics.metadata.order = `order-${id}`;
  http.post(`${target}/orders`, '{}');
  delete exec.vu.metrics.metadata.order;

  sleep(0.1);
}
