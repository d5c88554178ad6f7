// GET requests at full speed for DURATION; the output remote-write sends to two destinations, each with separate views.
import http from 'k6/http';

const url = __ENV.RECEIVER_URL;

export const options = {
  vus: 20,
  duration: __ENV.DURATION,
  ext: {
    loadimpact: {
      apm: url
        ? [
            { provider: 'prometheus', remoteWriteURL: url, resampleRate: 1 },
            {
              provider: 'prometheus',
              remoteWriteURL: url,
              includeDefaultMetrics: false,
              metrics: [{ sourceMetric: 'http_req_duration{status=~"2.."}', keepTags: ['name', 'method'] }, 'http_reqs'],
            },
          ]
        : [],
    },
  },
};

export default function () {
  http.get(__ENV.TARGET_URL);
}
