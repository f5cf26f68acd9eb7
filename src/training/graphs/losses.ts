// Owns losses: they give the first gradients, those of their own inputs.
// Refuses to know how what they compare was computed.

import { DataType } from '../../model/onnx.ts';
import type { Tape } from './tape.ts';

/** Sum over rows of the weights [M] of those whose greatest score [M, V] is that of the target: of logits or of probabilities, no matter. It has no gradient. */
export function accuracy(tape: Tape, scores: string, targets: string, weights: string, name: string): string {
  const g = tape.graph;
  const hits = g.op('Equal', [g.op('ArgMax', [scores], { axis: { int: -1 }, keepdims: { int: 0 } }), targets]);
  return g.op('ReduceSum', [g.op('Mul', [g.op('Cast', [hits], { to: { int: DataType.float } }), weights])], { keepdims: { int: 0 } }, { outputs: [name] });
}

/** Sum over rows of weight * -log softmax(logits)[target]; logits [M, V], targets int64 [M], weights [M]. dlogits = weight (softmax - one at the target), without a matrix of ones. */
export function crossEntropy(tape: Tape, logits: string, targets: string, weights: string, lossName: string): string {
  const g = tape.graph;
  const column = g.op('Unsqueeze', [targets, g.ints([1])]);
  const weightColumn = g.op('Unsqueeze', [weights, g.ints([1])]);
  const logarithms = g.op('LogSoftmax', [logits], { axis: { int: -1 } });
  const ofTargets = g.op('GatherElements', [logarithms, column], { axis: { int: 1 } });
  g.op('Neg', [g.op('ReduceSum', [g.op('Mul', [ofTargets, weightColumn])], { keepdims: { int: 0 } })], {}, { outputs: [lossName] });
  tape.contribute(logits, () =>
    g.op('ScatterElements', [g.op('Mul', [g.op('Exp', [logarithms]), weightColumn]), column, g.op('Neg', [weightColumn])], {
      axis: { int: 1 },
      reduction: 'add',
    }),
  );
  return lossName;
}

/**
 * Sum over rows of weight * -log P[target], where P = share of the sentinel * softmax(logits) + what positions give to their tokens (Merity et al. 2017, eq. 4 to 6).
 * logits [M, V], scores [M, T] with `mask` [M, T] to be added, sentinel [M, 1], `candidates` int64 [M, T]: the tokens of the positions; targets int64 [M], weights [M].
 * Returns P [M, V], for what is said of it besides. With u the target's probability by each part, the gradient of part k's score is share[k] (1 - u[k] / P).
 */
export function pointerCrossEntropy(
  tape: Tape,
  parts: Readonly<Record<'logits' | 'scores' | 'mask' | 'sentinel' | 'candidates' | 'targets' | 'weights', string>>,
  least: number,
  lossName: string,
): string {
  const { logits, scores, mask, sentinel, candidates, targets, weights } = parts;
  const g = tape.graph;
  const column = g.op('Unsqueeze', [targets, g.ints([1])]);
  const weightColumn = g.op('Unsqueeze', [weights, g.ints([1])]);
  const beside = (left: string, right: string): string => g.op('Concat', [left, right], { axis: { int: 1 } });
  const left = (x: string): string => g.op('Slice', [x, g.ints([0]), g.ints([-1]), g.ints([1])]);
  const right = (x: string): string => g.op('Slice', [x, g.ints([-1]), g.ints([2 ** 31]), g.ints([1])]);
  const shares = g.op('Softmax', [beside(g.op('Add', [scores, mask]), sentinel)], { axis: { int: -1 } });
  const byVocabulary = g.op('Softmax', [logits], { axis: { int: -1 } });
  const target = g.op('GatherElements', [byVocabulary, column], { axis: { int: 1 } });
  const each = beside(g.op('Cast', [g.op('Equal', [candidates, column])], { to: { int: DataType.float } }), target);
  const total = g.op('Add', [g.op('ReduceSum', [g.op('Mul', [shares, each]), g.ints([1])], { keepdims: { int: 1 } }), g.scalar(least)]);
  g.op('Neg', [g.op('ReduceSum', [g.op('Mul', [g.op('Log', [total]), weightColumn])], { keepdims: { int: 0 } })], {}, { outputs: [lossName] });
  const ofScores = g.op('Mul', [g.op('Mul', [shares, weightColumn]), g.op('Sub', [g.scalar(1), g.op('Div', [each, total])])]);
  tape.contribute(scores, () => left(ofScores));
  tape.contribute(sentinel, () => right(ofScores));
  tape.contribute(logits, () => {
    const blame = g.op('Mul', [weightColumn, g.op('Div', [g.op('Mul', [right(shares), target]), total])]);
    return g.op('ScatterElements', [g.op('Mul', [byVocabulary, blame]), column, g.op('Neg', [blame])], { axis: { int: 1 }, reduction: 'add' });
  });
  // What positions give goes to their tokens.
  return g.op('ScatterElements', [g.op('Mul', [byVocabulary, right(shares)]), candidates, left(shares)], { axis: { int: 1 }, reduction: 'add' });
}
