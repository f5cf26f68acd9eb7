// Owns the equations of the operators of a contrastive loss, written out in float64 beside the call that puts them into a graph.
// Refuses to know how they are compared, and models.

import { contrast, nestedContrast, pooledRows, unitRows } from '../../../src/training/graphs/contrastive.ts';
import { byRow, rowOf, shares } from './blocks.ts';
import type { Block } from './blocks.ts';

const unit = (row: Float64Array): Float64Array => row.map((value) => value / Math.hypot(...row));
/** Symmetric InfoNCE over rows x of `width` numbers: so many questions, their documents, and documents of nobody. */
export function contrasted(x: Float64Array, width: number, pairs: number, temperature: number): number {
  const all = x.length / width;
  const score = (a: number, b: number): number => rowOf(x, a, width).reduce((sum, value, i) => sum + value * x[b * width + i], 0) / temperature;
  const log = (from: number, others: readonly number[], right: number): number => -Math.log(shares(others.map((other) => score(from, other)))[right]);
  const [questions, documents] = [Array.from({ length: pairs }, (_, i) => i), Array.from({ length: all - pairs }, (_, i) => pairs + i)];
  return questions.reduce((sum, i) => sum + (log(i, documents, i) + log(pairs + i, questions, i)) / (2 * pairs), 0);
}

const x = [5, 6];
export const CONTRAST_BLOCKS: readonly Block[] = [
  {
    label: 'weighted sums of rows by what they are of',
    inputs: { x },
    graph: (tape) =>
      pooledRows(tape, 'x', tape.graph.ints([1, 0, 1, 3, 1]), tape.graph.weight('weights', Float32Array.of(0.5, 1, 0.25, 2, 0.25), [5]), tape.graph.ints([4])),
    right: ({ x }) =>
      [
        [[1, 1]],
        [
          [0, 0.5],
          [2, 0.25],
          [4, 0.25],
        ],
        [],
        [[3, 2]],
      ].flatMap((parts) => Array.from({ length: 6 }, (_, i) => parts.reduce((sum, [row, weight]) => sum + weight * x[row * 6 + i], 0))),
  },
  {
    label: 'rows of length 1',
    inputs: { x },
    graph: (tape) => unitRows(tape, 'x', tape.graph.weight('ones', new Float32Array(6).fill(1), [6]), 6),
    right: ({ x }) => byRow(x, 6, unit),
  },
  {
    label: 'contrast of pairs',
    inputs: { x: [6, 4] },
    graph: (tape) => contrast(tape, 'x', { pairs: tape.graph.ints([3]), negatives: 0, temperature: 0.7, share: 1 }, 'loss'),
    right: ({ x }) => [contrasted(x, 4, 3, 0.7)],
  },
  {
    label: 'contrast of pairs with two negatives each, by nested vectors',
    inputs: { x: [8, 5] },
    graph: (tape) => nestedContrast(tape, 'x', 5, [2, 5], { pairs: tape.graph.ints([2]), negatives: 2, temperature: 0.3 }, 'loss'),
    right: ({ x }) => [[2, 5].reduce((sum, size) => sum + contrasted(Float64Array.from(byRow(x, 5, (row) => unit(row.slice(0, size)))), size, 2, 0.3) / 2, 0)],
  },
];
