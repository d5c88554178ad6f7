import { check } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const c = new Counter('my_c'), g = new Gauge('my_g'), r = new Rate('my_r'), t = new Trend('my_t', true);
export const options = { scenarios: { a: { executor: 'constant-arrival-rate', rate: 100, timeUnit: '1s', duration: '8s', preAllocatedVUs: 5 } } };
export default function () { c.add(2); g.add(__ITER); r.add(__ITER % 3 == 0); t.add(Math.random()*100); check(1, {ok: (v) => v === 1}); }
