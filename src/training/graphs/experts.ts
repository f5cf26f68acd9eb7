// Owns a feed-forward part of many experts in training (DeepSeekMoE; Dai et al. 2024): rows sorted by expert, so that each expert is one product, and back.
// Refuses to know what an expert computes. Nothing is added to the loss for balance between experts.

import { bestExperts, orderByExpert } from '../../model/experts.ts';
import type { ExpertsConfig } from '../../model/experts.ts';
import { DataType } from '../../model/onnx.ts';
import { concat, reorder, split } from './layout.ts';
import type { LossBuilder } from './loss-builder.ts';
import { add, scale, sigmoid, softmax } from './pointwise.ts';
import type { Tape } from './tape.ts';

/**
 * Rows h [N, width] through the shared experts and those that the router chooses, by the same choice as the inference graph. The choice itself has no gradient, and so no bias by which loads are
 * balanced; the chosen shares have one.
 * Rows are put in order as in the inference graph (src/model/experts.ts), which leaves out idle experts by branches; here each is a product, of no rows perhaps, since branches have no gradient.
 */
export function routed(
  builder: LossBuilder,
  h: string,
  name: string,
  width: number,
  config: ExpertsConfig,
  expert: (h: string, name: string, size: number) => string,
): string {
  const { tape } = builder;
  const g = tape.graph;
  const { count, perToken, size, shared, normalised } = config;
  const products = builder.linear(h, `${name}.gate.weight`);
  const all = config.gate === 'sigmoid' ? sigmoid(tape, products) : softmax(tape, products);
  const { places } = bestExperts(g, all, config.balanced ? `${name}.gate.e_score_correction_bias` : undefined, config);
  const chosen = pick(tape, all, places);
  const shares = normalised ? summingToOne(tape, chosen) : chosen;
  const ways = g.op('Reshape', [places, g.ints([-1])]);
  const { order, inverse } = orderByExpert(g, ways);
  const numbers = g.ints(Array.from({ length: count }, (_, e) => e));
  const goesTo = g.op('Equal', [g.op('Unsqueeze', [numbers, g.ints([1])]), g.op('Unsqueeze', [ways, g.ints([0])])]);
  const sizes = g.op('ReduceSum', [g.op('Cast', [goesTo], { to: { int: DataType.int64 } }), g.ints([1])], { keepdims: { int: 0 } });

  const sent = reorder(tape, h, { order: g.op('Div', [order, g.ints([perToken])]), inverse, copies: perToken, width });
  const given = split(tape, sent, sizes, count, 0).map((rows, e) => expert(rows, `${name}.experts.${e}`, size));
  const back = reorder(
    tape,
    concat(tape, given, () => sizes, 0),
    { order: inverse, inverse: order, copies: 1, width },
  );
  const sum = scale(tape, weighedSum(tape, back, shares, perToken, width), config.scale);
  return shared > 0 ? add(tape, sum, expert(h, `${name}.shared_experts`, shared)) : sum;
}

/** Of each row of x [N, D] the numbers at `places` int64 [N, count], each at most once: [N, count]. */
function pick(tape: Tape, x: string, places: string): string {
  const g = tape.graph;
  return tape.record(g.op('GatherElements', [x, places], { axis: { int: 1 } }), [x], (dy) =>
    tape.contribute(x, () => g.op('ScatterElements', [tape.zerosLike(x), places, dy], { axis: { int: 1 } })),
  );
}
/** y = x / sum(x) over the last axis: dx = (dy - sum(dy y)) / sum(x). */
function summingToOne(tape: Tape, x: string): string {
  const g = tape.graph;
  const over = (value: string): string => g.op('ReduceSum', [value, g.ints([-1])], { keepdims: { int: 1 } });
  const sum = over(x);
  const y = g.op('Div', [x, sum]);
  return tape.record(y, [x], (dy) => tape.contribute(x, () => g.op('Div', [g.op('Sub', [dy, over(g.op('Mul', [dy, y]))]), sum])));
}
/** Of rows x [N * count, width] the sum over each `count`, weighed by shares [N, count]: [N, width]. */
function weighedSum(tape: Tape, x: string, shares: string, count: number, width: number): string {
  const g = tape.graph;
  const apart = g.op('Reshape', [x, g.ints([-1, count, width])]);
  const column = g.op('Unsqueeze', [shares, g.ints([2])]);
  return tape.record(g.op('ReduceSum', [g.op('Mul', [apart, column]), g.ints([1])], { keepdims: { int: 0 } }), [x, shares], (dy) => {
    const wide = g.op('Unsqueeze', [dy, g.ints([1])]);
    tape.contribute(x, () => g.op('Reshape', [g.op('Mul', [wide, column]), g.ints([-1, width])]));
    tape.contribute(shares, () => g.op('ReduceSum', [g.op('Mul', [wide, apart]), g.ints([-1])], { keepdims: { int: 0 } }));
  });
}
