// Tags with invalid label names, values in all scripts, and a value of 64 KiB, each on a separate counter.
import { Counter } from 'k6/metrics';

const odd = new Counter('odd');
const plain = new Counter('plain');
const long = new Counter('long');

export default function () {
  odd.add(1, {
    'größe': 'ärmel',
    '日本': '東京',
    'мир': 'да',
    'سلام': 'عليكم',
    'with space': 'a "quoted" \\ value\nof two lines',
    'a-b': 'first',
    'a.b': 'second',
    '9lives': 'cat',
    '__name__': 'not the name',
    '__own': 'x',
    le: '0.5',
    emoji: '🚀',
    empty: '',
  });
  long.add(2, { long: 'x'.repeat(64 * 1024) });
  plain.add(3);
}
