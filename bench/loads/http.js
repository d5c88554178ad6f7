// One GET after the other, as fast as they go, for DURATION: what a run against a fast service looks like. Few series.
import http from 'k6/http';

export const options = { vus: 20, duration: __ENV.DURATION };

export default function () {
  http.get(__ENV.TARGET_URL);
}
