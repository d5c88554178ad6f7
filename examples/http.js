// A shop under a steady load:
//
//   k6 run --out remote-write=http://localhost:9090/api/v1/write examples/http.js
//
// TARGET_URL is the shop, RATE the number of customers per second, DURATION the length of the test. `make demo` starts a
// shop and a receiver.
import http from 'k6/http';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const target = __ENV.TARGET_URL || 'http://127.0.0.1:8080';

const itemsOrdered = new Counter('items_ordered');
const catalogueSize = new Gauge('catalogue_size');
const ordersAccepted = new Rate('orders_accepted');
const orderValue = new Trend('order_value');
const shoppingTime = new Trend('shopping_time', true);

export const options = {
  scenarios: {
    shop: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 40),
      timeUnit: '1s',
      duration: __ENV.DURATION || '12s',
      preAllocatedVUs: 10,
      maxVUs: 50,
    },
  },
  thresholds: {
    http_req_duration: ['p(95)<500'],
    orders_accepted: ['rate>0.8'],
    checks: ['rate>0.9'],
  },
};

export default function () {
  const started = Date.now();

  group('browse', () => {
    check(http.get(`${target}/`), { 'front page is there': (r) => r.status === 200 });

    const products = http.get(`${target}/products`);
    check(products, { 'products are listed': (r) => r.status === 200 });
    catalogueSize.add(products.json().length);

    http.get(`${target}/search?q=lamp`);
  });

  group('buy', () => {
    const items = 1 + (__ITER % 3);
    const order = http.post(`${target}/orders`, JSON.stringify({ items }), {
      headers: { 'Content-Type': 'application/json' },
    });
    const accepted = check(order, { 'order is accepted': (r) => r.status === 201 });
    ordersAccepted.add(accepted);
    if (accepted) {
      itemsOrdered.add(items);
      orderValue.add(items * 19.75);
    }
  });

  shoppingTime.add(Date.now() - started);
}
