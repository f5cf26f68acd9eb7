// Owns dropout in loss graphs: which numbers are dropped for a seed, how evenly, and that gradients are those of what was kept.
// Refuses to know optimizers.

import * as ort from 'onnxruntime-node';
import t from 'tap';
import { Dropout } from '../../../src/training/graphs/dropout.ts';
import { llamaLoss } from '../../../src/training/graphs/llama-loss.ts';
import { Tape } from '../../../src/training/graphs/tape.ts';
import { randomWeights, SMALL } from '../../model/llama-reference.ts';
import { openLoss, packed } from './losses.ts';

/** lowbias32 (Wellons 2018). */
function hash(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
/** Is the number at `row`, `column` of a site kept? */
function isKept(seed: number, site: number, row: number, column: number, rate: number): boolean {
  const own = hash((seed ^ Math.imul(site + 1, 0x9e3779b1)) >>> 0);
  const mixed = Math.imul(hash((row + own) >>> 0) ^ hash((column ^ own) >>> 0), 0x7feb352d);
  return mixed >= Math.floor(rate * 2 ** 32) - 2 ** 31;
}
/** What is left of rows of ones, at each of two sites. */
async function kept(rate: number, seed: bigint, rows: number, width: number): Promise<Float32Array[]> {
  const tape = new Tape();
  const g = tape.graph;
  const x = tape.variable(g.input('x', 'float', ['N', width]));
  const dropout = new Dropout(tape, rate);
  for (const name of ['first', 'second']) g.output(g.op('Identity', [dropout.dropped(x, width)], {}, { outputs: [name] }), 'float', ['N', width]);
  const session = await ort.InferenceSession.create(g.finish('dropout'), { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  try {
    const results = await session.run({
      x: new ort.Tensor('float32', new Float32Array(rows * width).fill(1), [rows, width]),
      dropout_seed: new ort.Tensor('int64', BigInt64Array.of(seed), [1]),
    });
    return ['first', 'second'].map((name) => (results[name].data as Float32Array).slice());
  } finally {
    await session.release();
  }
}

t.test('what is dropped is a function of seed, site, row and column, and what is kept is divided by the rate of keeping', async (t) => {
  for (const [rate, seed] of [
    [0.25, 7n],
    [0.1, 4_294_967_295n],
    [0.9, 0n],
  ] as const) {
    const given = await kept(rate, seed, 37, 20);
    for (const [site, values] of given.entries()) {
      const right = Float32Array.from(values, (_, i) => (isKept(Number(seed), site, Math.floor(i / 20), i % 20, rate) ? 1 / (1 - rate) : 0));
      t.same(values, right, `rate ${rate}, site ${site}`);
    }
    t.same(await kept(rate, seed, 37, 20), given, 'again the same');
  }
});

t.test('a negative seed drops nothing', async (t) => {
  for (const values of await kept(0.5, -1n, 9, 4)) t.ok(values.every((value) => value === 1));
});

t.test('numbers are dropped at the rate that is asked for, evenly over rows and columns, and independently of seeds, sites and neighbours', async (t) => {
  const [rows, width, rate] = [600, 500, 0.3];
  const [first, second] = await kept(rate, 1n, rows, width);
  const [other] = await kept(rate, 2n, rows, width);
  const dropped = (values: Float32Array): Uint8Array => Uint8Array.from(values, (value) => (value === 0 ? 1 : 0));
  const [a, b, c] = [first, second, other].map(dropped);
  /** How many standard deviations a count of independent choices is away. */
  const off = (count: number, of: number, chance: number): number => Math.abs(count - of * chance) / Math.sqrt(of * chance * (1 - chance));
  const total = (values: Uint8Array): number => values.reduce((sum, value) => sum + value, 0);
  t.ok(off(total(a), a.length, rate) < 4, 'all');
  const rowSums = Array.from({ length: rows }, (_, r) => off(total(a.subarray(r * width, (r + 1) * width)), width, rate));
  const columnSums = Array.from({ length: width }, (_, k) =>
    off(
      Array.from({ length: rows }, (_, r) => a[r * width + k]).reduce((x, y) => x + y, 0),
      rows,
      rate,
    ),
  );
  for (const [label, sums] of [
    ['rows', rowSums],
    ['columns', columnSums],
  ] as const) {
    t.ok(Math.max(...sums) < 5, `no one of the ${label} stands out: ${Math.max(...sums).toFixed(1)} deviations`);
    const mean = sums.reduce((sum, value) => sum + value ** 2, 0) / sums.length;
    t.ok(mean > 0.75 && mean < 1.25, `the ${label} vary as choices do: ${mean.toFixed(2)}`);
  }
  const together = (x: Uint8Array, y: Uint8Array): number =>
    off(
      x.reduce((sum, value, i) => sum + value * y[i], 0),
      x.length,
      rate ** 2,
    );
  t.ok(together(a, b) < 4, 'another site');
  t.ok(together(a, c) < 4, 'another seed');
  t.ok(together(a.subarray(width), a.subarray(0, -width)) < 4, 'the row before');
  t.ok(together(a.subarray(1), a.subarray(0, -1)) < 4, 'the column before');
  // Of four at the corners of a rectangle a hash of a row and a column alone would know the last one from the other three.
  let odd = 0;
  for (let r = 0; r + 1 < rows; r += 2)
    for (let k = 0; k + 1 < width; k += 2) odd += a[r * width + k] ^ a[r * width + k + 1] ^ a[(r + 1) * width + k] ^ a[(r + 1) * width + k + 1];
  t.ok(off(odd, (rows / 2) * (width / 2), (1 - (1 - 2 * rate) ** 4) / 2) < 4, 'corners');
});

t.test('a loss graph with dropout repeats for a seed, differs for another, and has the plain loss without', async (t) => {
  const weights = randomWeights(SMALL, 8);
  const { batch } = packed(2, SMALL.vocabularySize);
  const graph = llamaLoss(SMALL, { method: { kind: 'full' }, dropout: 0.2 });
  t.equal(graph.dropout, true);
  const dropping = await openLoss(t, graph);
  const plain = await openLoss(t, llamaLoss(SMALL, { method: { kind: 'full' }, dropout: 0 }));
  const [one, again, two] = [await dropping.compute(weights, batch, 5), await dropping.compute(weights, batch, 5), await dropping.compute(weights, batch, 6)];
  t.same(one, again);
  t.not(one.loss, two.loss);
  const [undropped, right] = [await dropping.evaluate(weights, batch), await plain.evaluate(weights, batch)];
  t.ok(Math.abs(undropped / right - 1) < 1e-6, `${undropped} for ${right}`);
  t.not(one.loss, right);
});

t.test('with dropout the gradient is the slope of the loss for the same seed', async (t) => {
  const weights = randomWeights(SMALL, 8);
  const { batch } = packed(2, SMALL.vocabularySize);
  const { compute } = await openLoss(t, llamaLoss(SMALL, { method: { kind: 'full' }, dropout: 0.2 }));
  const { gradients } = await compute(weights, batch, 5);
  for (const [name, gradient] of gradients) {
    const values = weights.get(name) ?? new Float32Array(0);
    // Along the gradient itself, so that the difference stands out of float32.
    const size = Math.hypot(...gradient);
    const [up, down] = [2e-3, -2e-3].map((step) => values.map((value, i) => value + (step * gradient[i]) / size));
    const change = (await compute(new Map([...weights, [name, up]]), batch, 5)).loss - (await compute(new Map([...weights, [name, down]]), batch, 5)).loss;
    t.ok(Math.abs(change / (4e-3 * size) - 1) < 5e-3, `${name}: ${(change / 4e-3).toFixed(5)} for ${size.toFixed(5)}`);
  }
});

t.test('rates that drop nothing or all are refused', (t) => {
  t.throws(() => new Dropout(new Tape(), 1), /dropout must lie between 0 and 1, got 1/);
  t.end();
});
