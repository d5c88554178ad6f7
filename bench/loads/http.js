// GET requests at full speed for DURATION, like a run against a fast service. Few series.
import http from 'k6/http';

export const options = { vus: 20, duration: __ENV.DURATION };

export default function () {
  http.get(__ENV.TARGET_URL);
}
