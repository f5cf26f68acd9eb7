// Owns the operators of a contrastive loss with their gradients: means over texts, rows of length 1, the loss itself.
// Refuses to know what the rows were computed from, and data.

import { DataType } from '../../model/onnx.ts';
import { split } from './layout.ts';
import { product } from './linear.ts';
import { crossEntropy } from './losses.ts';
import { plainNorm } from './norms.ts';
import { scale } from './pointwise.ts';
import type { Tape } from './tape.ts';

/** Far below the square of any row that is compared. */
const LEAST_SQUARE = 1e-12;

/**
 * Row n of the result is the sum of `weights` times those rows of x [M, D] whose `owners` is n: [count, D]. `owners` int64 [M], `weights` float [M], `count` int64 [1]. With P the matrix of weights,
 * y = P x and dx = Pᵀ dy.
 */
export function pooledRows(tape: Tape, x: string, owners: string, weights: string, count: string): string {
  const g = tape.graph;
  const all = g.op('Range', [g.ints(0), g.op('Squeeze', [count]), g.ints(1)]);
  const own = g.op('Equal', [g.op('Unsqueeze', [all, g.ints([1])]), g.op('Unsqueeze', [owners, g.ints([0])])]);
  const matrix = g.op('Mul', [g.op('Cast', [own], { to: { int: DataType.float } }), g.op('Unsqueeze', [weights, g.ints([0])])]);
  return tape.record(g.op('MatMul', [matrix, x]), [x], (dy) => tape.contribute(x, () => g.op('Gemm', [matrix, dy], { transA: { int: 1 } })));
}

/** Rows of x [N, D] brought to length 1: what is left of a norm by the root mean square, over sqrt(D). `ones`: a constant vector [D]. */
export function unitRows(tape: Tape, x: string, ones: string, width: number): string {
  return scale(tape, plainNorm(tape, x, ones, LEAST_SQUARE), 1 / Math.sqrt(width));
}

export interface Contrast {
  /** int64 [1]: pairs N. */
  readonly pairs: string;
  /** Documents of each question that do not answer it, beside those of the other questions. */
  readonly negatives: number;
  readonly temperature: number;
  /** What the loss counts in a sum of several. */
  readonly share: number;
}
/**
 * Symmetric InfoNCE (van den Oord et al. 2018, eq. 4; both ways as Radford et al. 2021, fig. 3) of rows of length 1 [(2 + negatives) N, D]: N questions, their N documents, and what answers none of them.
 * With s = q dᵀ / temperature: half of the mean over questions of -log softmax(s)[own document], and half of that over documents of -log softmax(sᵀ)[own question]; negatives have no question.
 */
export function contrast(tape: Tape, rows: string, { pairs, negatives, temperature, share }: Contrast, lossName: string): string {
  const g = tape.graph;
  const list = (...parts: string[]): string => g.op('Concat', parts, { axis: { int: 0 } });
  const rest = negatives === 0 ? pairs : g.op('Mul', [pairs, g.ints([1 + negatives])]);
  const [questions, all] = split(tape, rows, list(pairs, rest), 2, 0);
  const documents = negatives === 0 ? all : split(tape, all, list(pairs, g.op('Sub', [rest, pairs])), 2, 0)[0];
  const targets = g.op('Range', [g.ints(0), g.op('Squeeze', [pairs]), g.ints(1)]);
  const each = g.op('Div', [g.scalar(share / 2), g.op('Cast', [pairs], { to: { int: DataType.float } })]);
  const weights = g.op('Expand', [each, pairs]);
  const oneWay = (from: string, to: string, name: string): string =>
    crossEntropy(tape, product(tape, from, to, { turned: true, scale: 1 / temperature }), targets, weights, name);
  return g.op('Add', [oneWay(questions, all, g.fresh('to_documents')), oneWay(documents, questions, g.fresh('to_questions'))], {}, { outputs: [lossName] });
}

/** The mean of `contrast` over the first numbers of rows x [.., width], for each of `dimensions` (Kusupati et al. 2022, eq. 1). */
export function nestedContrast(
  tape: Tape,
  x: string,
  width: number,
  dimensions: readonly number[],
  options: Omit<Contrast, 'share'>,
  lossName: string,
): string {
  const g = tape.graph;
  const losses = dimensions.map((size) => {
    const first = size === width ? x : split(tape, x, g.ints([size, width - size]), 2, 1)[0];
    const ones = g.weight(g.fresh('ones'), new Float32Array(size).fill(1), [size]);
    return contrast(tape, unitRows(tape, first, ones, size), { ...options, share: 1 / dimensions.length }, g.fresh('contrast'));
  });
  g.op('Sum', losses, {}, { outputs: [lossName] });
  return lossName;
}
