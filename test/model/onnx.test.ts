// Owns ONNX files as written and read back: half precision, damaged files.
// Refuses to know what graphs compute.

import t from 'tap';
import { GraphBuilder, toFloat16 } from '../../src/model/onnx.ts';
import { fromFloat16, readWeights } from '../../src/model/onnx-weights.ts';

t.test('every half-precision number survives the way there and back', (t) => {
  let wrong = 0;
  for (let bits = 0; bits < 65_536; bits++) {
    const value = fromFloat16(bits);
    const back = toFloat16(Float32Array.of(value))[0];
    if (Number.isNaN(value) ? (back & 0x7c00) !== 0x7c00 || (back & 0x3ff) === 0 : back !== bits) wrong++;
  }
  t.equal(wrong, 0);
  t.end();
});

t.test('single precision is rounded to the nearest half, to even between two', (t) => {
  for (const [value, nearest] of [[1 + 2 ** -11, 1], [1 + 3 * 2 ** -11, 1 + 2 ** -9], [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10], [65_519, 65_504], [65_520, Infinity], [-1e30, -Infinity], [2 ** -25, 0], [2 ** -25 + 2 ** -40, 2 ** -24], [-0, -0], [2.2, 2.19921875]])
    t.equal(fromFloat16(toFloat16(Float32Array.of(value))[0]), nearest, String(value));
  t.end();
});

t.test('weights come back by name with shape and values, and a damaged file is refused', (t) => {
  const g = new GraphBuilder();
  g.weight('whole', Float32Array.of(1, -2.5, 3e-20), [3]);
  g.weight('half', Float32Array.of(0.5, -1.25, 1024, 0), [2, 2], 'float16');
  g.ints([1, 2, 3]);
  const file = g.finish('test');
  const weights = readWeights(file);
  t.same([...weights.keys()], ['whole', 'half'], 'integers are left out');
  t.same(weights.get('whole'), { shape: [3], values: Float32Array.of(1, -2.5, 3e-20) });
  t.same(weights.get('half'), { shape: [2, 2], values: Float32Array.of(0.5, -1.25, 1024, 0) });
  t.throws(() => readWeights(file.subarray(0, file.length - 40)), RangeError);
  t.throws(() => readWeights(Buffer.from('not an ONNX file at all')), RangeError);
  t.end();
});
