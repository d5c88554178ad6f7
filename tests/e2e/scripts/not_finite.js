// Values that are not finite, of a gauge and of a trend.
import { Gauge, Trend } from 'k6/metrics';

const gauge = new Gauge('a_gauge');
const trend = new Trend('a_trend');

export default function () {
  gauge.add(Infinity);
  trend.add(1);
  trend.add(Infinity, { kind: 'own' });
}
