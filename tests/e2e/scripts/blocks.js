// Ten requests per second, with the apm blocks of BLOCKS (JSON).
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  duration: __ENV.DURATION,
  ext: { loadimpact: { apm: JSON.parse(__ENV.BLOCKS || '[]') } },
};

export default function () {
  http.get(`${__ENV.TARGET_URL}/`);
  sleep(0.1);
}
