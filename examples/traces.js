// From a slow request to its trace: each request has a trace id, in its header `traceparent` (W3C Trace Context) and in the
// metadata of its samples, from which the output makes exemplars:
//
//   k6 run --out remote-write=http://localhost:9090/api/v1/write examples/traces.js
//
// TARGET_URL is the system under test, DURATION the length of the test. docs/traces.md goes on to Grafana.
import http from 'k6/http';
import exec from 'k6/execution';
import { check, sleep } from 'k6';

const target = __ENV.TARGET_URL || 'http://127.0.0.1:8080';

export const options = { vus: 5, duration: __ENV.DURATION || '10s' };

export default function () {
  traced((params) => http.get(`${target}/reports`, params));
  traced((params) => {
    const order = http.post(`${target}/orders`, '{}', params);
    check(order, { 'order is accepted': (r) => r.status === 201 }); // a failed check has the trace id of its request
  });
  sleep(0.05);
}

// Calls `request` with the parameters of a new trace. All samples have its id until `request` returns.
function traced(request) {
  const traceId = randomHex(16);
  exec.vu.metrics.metadata.trace_id = traceId;
  try {
    return request({ headers: { traceparent: `00-${traceId}-${randomHex(8)}-01` } });
  } finally {
    delete exec.vu.metrics.metadata.trace_id;
  }
}

function randomHex(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
