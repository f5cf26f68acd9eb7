// Owns losses: they give the first gradients, those of their own inputs.
// Refuses to know how what they compare was computed.

import type { Tape } from './tape.ts';

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
 * logits [M, V], scores [M, T] with `mask` [M, T] to be added, sentinel [M, 1], `matches` [M, T]: 1 where the position's token is the target, else 0; targets int64 [M], weights [M].
 * With u the target's probability by each part, the gradient of part k's score is share[k] (1 - u[k] / P).
 */
export function pointerCrossEntropy(
  tape: Tape,
  parts: Readonly<Record<'logits' | 'scores' | 'mask' | 'sentinel' | 'matches' | 'targets' | 'weights', string>>,
  least: number,
  lossName: string,
): string {
  const { logits, scores, mask, sentinel, matches, targets, weights } = parts;
  const g = tape.graph;
  const column = g.op('Unsqueeze', [targets, g.ints([1])]);
  const weightColumn = g.op('Unsqueeze', [weights, g.ints([1])]);
  const beside = (left: string, right: string): string => g.op('Concat', [left, right], { axis: { int: 1 } });
  const left = (x: string): string => g.op('Slice', [x, g.ints([0]), g.ints([-1]), g.ints([1])]);
  const right = (x: string): string => g.op('Slice', [x, g.ints([-1]), g.ints([2 ** 31]), g.ints([1])]);
  const shares = g.op('Softmax', [beside(g.op('Add', [scores, mask]), sentinel)], { axis: { int: -1 } });
  const byVocabulary = g.op('Softmax', [logits], { axis: { int: -1 } });
  const target = g.op('GatherElements', [byVocabulary, column], { axis: { int: 1 } });
  const each = beside(matches, target);
  const total = g.op('Add', [g.op('ReduceSum', [g.op('Mul', [shares, each]), g.ints([1])], { keepdims: { int: 1 } }), g.scalar(least)]);
  g.op('Neg', [g.op('ReduceSum', [g.op('Mul', [g.op('Log', [total]), weightColumn])], { keepdims: { int: 0 } })], {}, { outputs: [lossName] });
  const ofScores = g.op('Mul', [g.op('Mul', [shares, weightColumn]), g.op('Sub', [g.scalar(1), g.op('Div', [each, total])])]);
  tape.contribute(scores, () => left(ofScores));
  tape.contribute(sentinel, () => right(ofScores));
  tape.contribute(logits, () => {
    const blame = g.op('Mul', [weightColumn, g.op('Div', [g.op('Mul', [right(shares), target]), total])]);
    return g.op('ScatterElements', [g.op('Mul', [byVocabulary, blame]), column, g.op('Neg', [blame])], { axis: { int: 1 }, reduction: 'add' });
  });
  return lossName;
}
