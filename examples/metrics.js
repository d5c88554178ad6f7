// Every type of metric, and its series:
//
//   k6 run --out remote-write=http://localhost:9090/api/v1/write examples/metrics.js
//
// Needs no server: it simulates a hundred visits to a drinks machine, in about ten seconds.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

// k6_drinks_sold_total: the sum so far
const drinksSold = new Counter('drinks_sold');
// k6_drinks_left: the latest value; k6_drinks_left_lowest and _highest: the extremes of a window
const drinksLeft = new Gauge('drinks_left');
// k6_paid_by_card_rate: the share in a window; k6_paid_by_card_total{condition="nonzero"} and {condition="zero"}: counts so far
const paidByCard = new Rate('paid_by_card');
// k6_price_avg, _min, _med, _max, _p90, _p95, _p99 of a window; k6_price_count and _sum so far
const price = new Trend('price');
// The same in seconds: `true` says that the script's values are milliseconds
const waitingTime = new Trend('waiting_time', true);

export const options = { vus: 10, iterations: 100 };

export default function () {
  const visit = exec.scenario.iterationInTest; // 0 to 99
  const drinks = 1 + (visit % 3);
  const milliseconds = 200 + 15 * visit;

  sleep(milliseconds / 1000);

  // Tags become labels.
  drinksSold.add(drinks, { drink: visit % 2 === 0 ? 'coffee' : 'tea' });
  drinksLeft.add(1000 - visit);
  paidByCard.add(visit % 4 !== 0);
  price.add(1.5 * drinks);
  waitingTime.add(milliseconds);
}
