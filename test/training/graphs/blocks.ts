// Owns the equations of every operator that has a differentiation rule, written out in float64 beside the call that puts it into a graph.
// Refuses to know how they are compared, and models.

import { attention, products, rotary } from '../../../src/training/graphs/attention.ts';
import { concat, delay, lookUp, reorder, repeat, reshape, rows, split } from '../../../src/training/graphs/layout.ts';
import { product } from '../../../src/training/graphs/linear.ts';
import { crossEntropy } from '../../../src/training/graphs/losses.ts';
import { layerNorm, plainNorm, rmsNorm } from '../../../src/training/graphs/norms.ts';
import { add, capped, gate, gelu, multiply, scale, scaleChannels, shift, sigmoid, silu, softmax, squaredRelu } from '../../../src/training/graphs/pointwise.ts';
import type { Tape } from '../../../src/training/graphs/tape.ts';

export type Values = Readonly<Record<string, Float64Array>>;
export interface Block {
  readonly label: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly graph: (tape: Tape) => string;
  readonly right: (inputs: Values) => ArrayLike<number>;
}
const pointwise = (x: Float64Array, f: (value: number) => number): Float64Array => x.map(f);
/** Rows of x, each of `width` numbers, made into others. */
export const byRow = (x: Float64Array, width: number, f: (row: Float64Array) => ArrayLike<number>): number[] =>
  Array.from({ length: x.length / width }, (_, i) => Array.from(f(x.slice(i * width, (i + 1) * width)))).flat();
export const rowOf = (x: Float64Array, row: number, width: number): number[] => Array.from(x.slice(row * width, (row + 1) * width));
export const shares = (row: ArrayLike<number>): number[] => {
  const powers = Array.from(row, Math.exp);
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
};
/** x [n, inner] times w [out, inner]. */
const times = (x: Float64Array, w: Float64Array, inner: number): number[] =>
  byRow(x, inner, (row) => byRow(w, inner, (column) => [row.reduce((sum, value, i) => sum + value * column[i], 0)]));
/** By Simpson's rule. */
const erf = (x: number): number => {
  const [n, h] = [400, x / 400];
  let sum = 0;
  for (let i = 0; i <= n; i++) sum += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return (2 / Math.sqrt(Math.PI)) * (h / 3) * sum;
};
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const normOf = (row: Float64Array, centred: boolean): Float64Array => {
  const mean = centred ? row.reduce((a, b) => a + b) / row.length : 0;
  const inverse = 1 / Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length + 1e-5);
  return row.map((value) => (value - mean) * inverse);
};

const [T, B] = [4, 2];
const POSITIONS = [0, 0, 1, 1, 2, 0, 3, 1];
/** Angles with the factor that some scalings multiply them by. */
const ANGLES = (pairs: number): { cos: Float32Array; sin: Float32Array } => {
  const angle = (i: number): number => Math.floor(i / pairs) / 3 ** (i % pairs);
  return {
    cos: Float32Array.from({ length: 8 * pairs }, (_, i) => 1.2 * Math.cos(angle(i))),
    sin: Float32Array.from({ length: 8 * pairs }, (_, i) => 1.2 * Math.sin(angle(i))),
  };
};
const turned = (x: Float64Array, heads: number, size: number, rotated: number, pairs: 'halves' | 'neighbours'): Float64Array => {
  const { cos, sin } = ANGLES(rotated / 2);
  return x.map((value, at) => {
    const [row, within] = [Math.floor(at / (heads * size)), at % size];
    if (within >= rotated) return value;
    const half = rotated / 2;
    const [which, isFirst, other] =
      pairs === 'halves'
        ? [within % half, within < half, within < half ? at + half : at - half]
        : [Math.floor(within / 2), within % 2 === 0, within % 2 === 0 ? at + 1 : at - 1];
    const place = POSITIONS[row] * half + which;
    return value * cos[place] + (isFirst ? -1 : 1) * x[other] * sin[place];
  });
};
const attended = (
  { q, k, v }: Values,
  heads: number,
  keyValueHeads: number,
  size: number,
  factor: number,
  cap: number | undefined,
  sees: (t: number, s: number) => boolean,
): number[] =>
  Array.from({ length: T * B * heads * size }, (_, at) => {
    const [t, b, head, i] = [Math.floor(at / (B * heads * size)), Math.floor(at / (heads * size)) % B, Math.floor(at / size) % heads, at % size];
    const key = (s: number, j: number): number => (s * B + b) * keyValueHeads * size + Math.floor((head * keyValueHeads) / heads) * size + j;
    const seen = Array.from({ length: T }, (_, s) => s).filter((s) => sees(t, s));
    const scores = seen
      .map((s) => Array.from({ length: size }, (_, j) => q[at - i + j] * k[key(s, j)]).reduce((a, c) => a + c) * factor)
      .map((score) => (cap === undefined ? score : cap * Math.tanh(score / cap)));
    return shares(scores).reduce((sum, share, n) => sum + share * v[key(seen[n], i)], 0);
  });
const shapes = (tape: Tape) => ({
  shape: (...sizes: readonly number[]) => tape.graph.ints([T, B, ...sizes]),
  batched: (...sizes: readonly number[]) => tape.graph.ints([B, ...sizes]),
});
const maskOf = (tape: Tape, sees: (t: number, s: number) => boolean): string =>
  tape.graph.weight(
    'mask',
    Float32Array.from({ length: B * T * T }, (_, i) => (sees(Math.floor(i / T) % T, i % T) ? 0 : -1e9)),
    [B, 1, T, T],
  );
const attentionBlock = (label: string, heads: number, keyValueHeads: number, cap?: number, window = T): Block => {
  const sees = (t: number, s: number): boolean => s <= t && t - s < window;
  return {
    label,
    inputs: { q: [T * B, heads * 4], k: [T * B, keyValueHeads * 4], v: [T * B, keyValueHeads * 4] },
    graph: (tape) => attention(tape, 'q', 'k', 'v', { heads, keyValueHeads, headSize: 4, scale: 0.7, cap, mask: maskOf(tape, sees), ...shapes(tape) }),
    right: (inputs) => attended(inputs, heads, keyValueHeads, 4, 0.7, cap, sees),
  };
};
const rotaryBlock = (label: string, rotated: number, pairs: 'halves' | 'neighbours'): Block => ({
  label,
  inputs: { x: [T * B, 12] },
  graph: (tape) => {
    const g = tape.graph;
    const { cos, sin } = ANGLES(rotated / 2);
    const table = (name: string, values: Float32Array): string => g.weight(name, values, [8, rotated / 2]);
    return rotary(tape, 'x', {
      positions: g.op('Unsqueeze', [g.ints(POSITIONS), g.ints([1])]),
      cos: table('cos', cos),
      sin: table('sin', sin),
      negativeSin: table(
        'negative',
        sin.map((value) => -value),
      ),
      heads: 2,
      headSize: 6,
      rotated,
      pairs,
    });
  },
  right: ({ x }) => turned(x, 2, 6, rotated, pairs),
});
const x = [5, 6];
export const BLOCKS: readonly Block[] = [
  {
    label: 'product with a matrix [in, out]',
    inputs: { x, w: [6, 3] },
    graph: (tape) => product(tape, 'x', 'w', { turned: false }),
    right: ({ x, w }) =>
      times(
        x,
        Float64Array.from({ length: 18 }, (_, i) => w[(i % 6) * 3 + Math.floor(i / 6)]),
        6,
      ),
  },
  {
    label: 'product with a matrix [out, in]',
    inputs: { x, w: [3, 6] },
    graph: (tape) => product(tape, 'x', 'w', { turned: true }),
    right: ({ x, w }) => times(x, w, 6),
  },
  {
    label: 'product with a bias',
    inputs: { x, w: [3, 6], b: [3] },
    graph: (tape) => product(tape, 'x', 'w', { turned: true, plus: { value: 'b', kind: 'bias' } }),
    right: ({ x, w, b }) => times(x, w, 6).map((value, i) => value + b[i % 3]),
  },
  {
    label: 'scaled product onto rows',
    inputs: { x, w: [3, 6], y: [5, 3] },
    graph: (tape) => product(tape, 'x', 'w', { turned: true, scale: 0.3, plus: { value: 'y', kind: 'rows' } }),
    right: ({ x, w, y }) => times(x, w, 6).map((value, i) => 0.3 * value + y[i]),
  },
  { label: 'sum', inputs: { x, y: x }, graph: (tape) => add(tape, 'x', 'y'), right: ({ x, y }) => x.map((value, i) => value + y[i]) },
  { label: 'sum of a value with itself', inputs: { x }, graph: (tape) => add(tape, 'x', 'x'), right: ({ x }) => pointwise(x, (value) => 2 * value) },
  { label: 'product number by number', inputs: { x, y: x }, graph: (tape) => multiply(tape, 'x', 'y'), right: ({ x, y }) => x.map((value, i) => value * y[i]) },
  {
    label: 'gate',
    inputs: { x },
    graph: (tape) => gate(tape, 'x', tape.graph.weight('m', Float32Array.of(1, 0, 0, 2, 1), [5, 1])),
    right: ({ x }) => x.map((value, i) => value * [1, 0, 0, 2, 1][Math.floor(i / 6)]),
  },
  {
    label: 'shift and scale',
    inputs: { x },
    graph: (tape) => scale(tape, shift(tape, 'x', 2), -1.5),
    right: ({ x }) => pointwise(x, (value) => -1.5 * (value + 2)),
  },
  {
    label: 'channels scaled',
    inputs: { x, v: [6] },
    graph: (tape) => scaleChannels(tape, 'x', 'v'),
    right: ({ x, v }) => x.map((value, i) => value * v[i % 6]),
  },
  { label: 'squared ReLU', inputs: { x }, graph: (tape) => squaredRelu(tape, 'x'), right: ({ x }) => pointwise(x, (value) => Math.max(0, value) ** 2) },
  { label: 'SiLU', inputs: { x }, graph: (tape) => silu(tape, 'x'), right: ({ x }) => pointwise(x, (value) => value * logistic(value)) },
  { label: 'QuickGELU', inputs: { x }, graph: (tape) => silu(tape, 'x', 1.702), right: ({ x }) => pointwise(x, (value) => value * logistic(1.702 * value)) },
  {
    label: 'GELU, exact',
    inputs: { x },
    graph: (tape) => gelu(tape, 'x', 'none'),
    right: ({ x }) => pointwise(x, (value) => 0.5 * value * (1 + erf(value / Math.SQRT2))),
  },
  {
    label: 'GELU by tanh',
    inputs: { x },
    graph: (tape) => gelu(tape, 'x', 'tanh'),
    right: ({ x }) => pointwise(x, (value) => 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)))),
  },
  {
    label: 'SwiGLU',
    inputs: { x, y: x },
    graph: (tape) => multiply(tape, silu(tape, 'x'), 'y'),
    right: ({ x, y }) => x.map((value, i) => value * logistic(value) * y[i]),
  },
  { label: 'cap', inputs: { x }, graph: (tape) => capped(tape, 'x', 0.8), right: ({ x }) => pointwise(x, (value) => 0.8 * Math.tanh(value / 0.8)) },
  { label: 'sigmoid', inputs: { x }, graph: (tape) => sigmoid(tape, 'x'), right: ({ x }) => pointwise(x, logistic) },
  { label: 'softmax', inputs: { x }, graph: (tape) => softmax(tape, 'x'), right: ({ x }) => byRow(x, 6, shares) },
  {
    label: 'RMSNorm',
    inputs: { x, gain: [6] },
    graph: (tape) => rmsNorm(tape, 'x', 'gain', 1e-5),
    right: ({ x, gain }) => byRow(x, 6, (row) => normOf(row, false).map((value, i) => value * gain[i])),
  },
  {
    label: 'RMSNorm without a gain',
    inputs: { x },
    graph: (tape) => plainNorm(tape, 'x', tape.graph.weight('ones', new Float32Array(6).fill(1), [6]), 1e-5),
    right: ({ x }) => byRow(x, 6, (row) => normOf(row, false)),
  },
  {
    label: 'LayerNorm',
    inputs: { x, gain: [6], bias: [6] },
    graph: (tape) => layerNorm(tape, 'x', 'gain', 'bias', 1e-5),
    right: ({ x, gain, bias }) => byRow(x, 6, (row) => normOf(row, true).map((value, i) => value * gain[i] + bias[i])),
  },
  {
    label: 'norm of each head',
    inputs: { x, gain: [3] },
    graph: (tape) => {
      const g = tape.graph;
      return reshape(tape, rmsNorm(tape, reshape(tape, 'x', g.ints([-1, 3]), g.ints([-1, 6])), 'gain', 1e-5), g.ints([-1, 6]), g.ints([-1, 3]));
    },
    right: ({ x, gain }) => byRow(x, 3, (row) => normOf(row, false).map((value, i) => value * gain[i])),
  },
  rotaryBlock('rotary positions, angles multiplied', 6, 'halves'),
  rotaryBlock('rotary positions of a part of each head', 4, 'halves'),
  rotaryBlock('rotary positions of neighbours', 6, 'neighbours'),
  attentionBlock('attention', 2, 2),
  attentionBlock('attention with shared keys', 4, 2),
  attentionBlock('attention with one head of keys', 3, 1),
  attentionBlock('attention with capped scores in a window', 4, 2, 0.9, 2),
  attentionBlock('attention with capped scores, every head with keys of its own', 2, 2, 0.9),
  {
    label: 'products of rows with those of their sequence',
    inputs: { q: [T * B, 3], k: [T * B, 3] },
    graph: (tape) => products(tape, 'q', 'k', 3, 0.4, shapes(tape).shape),
    right: ({ q, k }) =>
      Array.from({ length: B * T * T }, (_, i) => {
        const [b, t, s] = [Math.floor(i / T / T), Math.floor(i / T) % T, i % T];
        return [0, 1, 2].reduce((sum, j) => sum + 0.4 * q[(t * B + b) * 3 + j] * k[(s * B + b) * 3 + j], 0);
      }),
  },
  {
    label: 'cut and put together the other way round',
    inputs: { x },
    graph: (tape) => {
      const g = tape.graph;
      const [a, b] = split(tape, 'x', g.ints([2, 4]), 2, 1);
      return concat(tape, [b, a], () => g.ints([4, 2]), 1);
    },
    right: ({ x }) => byRow(x, 6, (row) => [...row.slice(2), ...row.slice(0, 2)]),
  },
  { label: 'cut, and only one part used', inputs: { x }, graph: (tape) => split(tape, 'x', tape.graph.ints([1, 4]), 2, 0)[1], right: ({ x }) => x.slice(6) },
  {
    label: 'one step later',
    inputs: { x: [T * B, 3] },
    graph: (tape) => {
      const g = tape.graph;
      return delay(tape, 'x', g.weight('zeros', new Float32Array(B * 3), [B, 3]), { batch: g.ints([B]), kept: g.ints([(T - 1) * B]), all: g.ints([T * B]) });
    },
    right: ({ x }) => [...new Float64Array(B * 3), ...x.slice(0, -B * 3)],
  },
  {
    label: 'some rows',
    inputs: { x },
    graph: (tape) => rows(tape, 'x', tape.graph.ints([4, 0, 3])),
    right: ({ x }) => [4, 0, 3].flatMap((row) => rowOf(x, row, 6)),
  },
  {
    label: 'rows of a table, one of them twice',
    inputs: { x },
    graph: (tape) => lookUp(tape, 'x', tape.graph.ints([2, 0, 2]), 6),
    right: ({ x }) => [2, 0, 2].flatMap((row) => rowOf(x, row, 6)),
  },
  {
    label: 'rows thrice side by side',
    inputs: { x },
    graph: (tape) => repeat(tape, 'x', 3, 6),
    right: ({ x }) => byRow(x, 6, (row) => [...row, ...row, ...row]),
  },
  {
    label: 'rows in another order, twice each',
    inputs: { x: [2, 3] },
    graph: (tape) => reorder(tape, 'x', { order: tape.graph.ints([1, 0, 0, 1]), inverse: tape.graph.ints([1, 2, 0, 3]), copies: 2, width: 3 }),
    right: ({ x }) => [1, 0, 0, 1].flatMap((row) => rowOf(x, row, 3)),
  },
  {
    label: 'cross-entropy',
    inputs: { x },
    graph: (tape) =>
      crossEntropy(tape, 'x', tape.graph.ints([3, 0, 5, 3, 1]), tape.graph.weight('weights', Float32Array.of(0.5, 0.1, 0.2, 0, 0.2), [5]), 'loss'),
    right: ({ x }) => [[3, 0, 5, 3, 1].reduce((sum, target, i) => sum - [0.5, 0.1, 0.2, 0, 0.2][i] * Math.log(shares(x.slice(i * 6, i * 6 + 6))[target]), 0)],
  },
];
