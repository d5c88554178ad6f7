// Series whose labels do not compress, so that a request is larger than the kernel's buffers of a connection.
import { Counter } from 'k6/metrics';

const counter = new Counter('large');

export const options = { iterations: 1, vus: 1 };

export default function () {
  for (let i = 0; i < 8000; i++) {
    let text = '';
    while (text.length < 1000) {
      text += Math.random().toString(36).slice(2);
    }
    counter.add(1, { text });
  }
}
