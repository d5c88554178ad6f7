// A few requests and a custom metric of each type, with tags of each kind, for two seconds.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const metrics = [new Counter('a_counter'), new Gauge('a_gauge'), new Rate('a_rate'), new Trend('a_trend'), new Trend('a_time', true)];

export const options = { vus: 1, duration: __ENV.DURATION || '2s', tags: { testid: 'abc' } };

export default function () {
  check(http.get(`${__ENV.TARGET_URL}/`), { 'is there': (r) => r.status === 200 });
  metrics.forEach((metric) => metric.add(1, { kind: 'own', empty: '' }));
  sleep(0.1);
}
