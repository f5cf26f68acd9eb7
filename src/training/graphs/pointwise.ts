// Owns operators that work number by number, and their gradients: sums, products, activations, caps.
// Refuses to know what the numbers are.

import { MS } from '../../model/decoder-parts.ts';
import type { Tape } from './tape.ts';

/** a + b of one shape. */
export function add(tape: Tape, a: string, b: string): string {
  return tape.record(tape.graph.op('Add', [a, b]), [a, b], (dy) => {
    tape.contribute(a, () => dy);
    tape.contribute(b, () => dy);
  });
}
/** a times b of one shape. */
export function multiply(tape: Tape, a: string, b: string): string {
  const g = tape.graph;
  return tape.record(g.op('Mul', [a, b]), [a, b], (dy) => {
    tape.contribute(a, () => g.op('Mul', [dy, b]));
    tape.contribute(b, () => g.op('Mul', [dy, a]));
  });
}
/** x times a value that broadcasts over it and has no gradient, such as a mask of zeros and ones. */
export function gate(tape: Tape, x: string, constant: string): string {
  const g = tape.graph;
  return tape.record(g.op('Mul', [x, constant]), [x], (dy) => tape.contribute(x, () => g.op('Mul', [dy, constant])));
}
export const scale = (tape: Tape, x: string, factor: number): string => (factor === 1 ? x : gate(tape, x, tape.graph.scalar(factor)));
/** x plus a constant. */
export function shift(tape: Tape, x: string, constant: number): string {
  return tape.record(tape.graph.op('Add', [x, tape.graph.scalar(constant)]), [x], (dy) => tape.contribute(x, () => dy));
}
/** Rows x [N, D] times a vector [D]. */
export function scaleChannels(tape: Tape, x: string, vector: string): string {
  const g = tape.graph;
  return tape.record(g.op('Mul', [x, vector]), [x, vector], (dy) => {
    tape.contribute(x, () => g.op('Mul', [dy, vector]));
    tape.contribute(vector, () => g.op('ReduceSum', [g.op('Mul', [dy, x]), g.ints([0])], { keepdims: { int: 0 } }));
  });
}
/** Sum of values of one shape that have no gradient, each times `factor` and its weight in a vector. */
export function weighedSum(tape: Tape, values: readonly string[], vector: string, factor: number): string {
  const g = tape.graph;
  const each = values.map((value, i) => g.op('Mul', [value, g.op('Mul', [g.op('Gather', [vector, g.ints(i)], { axis: { int: 0 } }), g.scalar(factor)])]));
  return tape.record(each.length === 1 ? each[0] : g.op('Sum', each), [vector], (dy) =>
    tape.contribute(vector, () => {
      const scaled = g.op('Mul', [dy, g.scalar(factor)]);
      return g.op('Concat', values.map((value) => g.op('Reshape', [g.op('ReduceSum', [g.op('Mul', [scaled, value])], { keepdims: { int: 0 } }), g.ints([1])])), { axis: { int: 0 } });
    }),
  );
}
/** relu(x)^2 (So et al. 2021). */
export function squaredRelu(tape: Tape, x: string): string {
  const g = tape.graph;
  const positive = g.op('Relu', [x]);
  return tape.record(g.op('Mul', [positive, positive]), [x], (dy) => tape.contribute(x, () => g.op('Mul', [dy, g.op('Add', [positive, positive])])));
}
/** x s(alpha x) with s the logistic function: SiLU for alpha 1 (Elfwing et al. 2018), QuickGELU for 1.702. With y the result, dx = dy s (1 + alpha (x - y)). */
export function silu(tape: Tape, x: string, alpha = 1): string {
  const g = tape.graph;
  const y = g.op('QuickGelu', [x], { alpha }, MS);
  const scaled = (value: string): string => (alpha === 1 ? value : g.op('Mul', [value, g.scalar(alpha)]));
  return tape.record(y, [x], (dy) =>
    tape.contribute(x, () => {
      const logistic = g.op('Sigmoid', [scaled(x)]);
      return g.op('Mul', [g.op('Mul', [dy, logistic]), g.op('Add', [scaled(g.op('Sub', [x, y])), g.scalar(1)])]);
    }),
  );
}
/** x P(x) with P the normal distribution, whole or by its approximation with tanh (Hendrycks and Gimpel 2016). */
export function gelu(tape: Tape, x: string, approximate: 'none' | 'tanh'): string {
  const g = tape.graph;
  const times = (value: string, factor: number): string => g.op('Mul', [value, g.scalar(factor)]);
  const square = (value: string): string => g.op('Mul', [value, value]);
  const halfAbove = (value: string): string => g.op('Add', [times(value, 0.5), g.scalar(0.5)]);
  const slope = (): string => {
    if (approximate === 'none') {
      // P(x) + x p(x), with p the density.
      const density = times(g.op('Exp', [times(square(x), -0.5)]), 1 / Math.sqrt(2 * Math.PI));
      return g.op('Add', [halfAbove(g.op('Erf', [times(x, Math.SQRT1_2)])), g.op('Mul', [x, density])]);
    }
    // With t = tanh(u), u = c (x + a x^3): (1 + t) / 2 + x (1 - t^2) u' / 2.
    const [c, a] = [Math.sqrt(2 / Math.PI), 0.044715];
    const squared = square(x);
    const inner = g.op('Mul', [x, g.op('Add', [times(squared, c * a), g.scalar(c)])]);
    const t = g.op('Tanh', [inner]);
    const rise = g.op('Add', [times(squared, 1.5 * c * a), g.scalar(0.5 * c)]);
    return g.op('Add', [halfAbove(t), g.op('Mul', [g.op('Mul', [x, rise]), g.op('Sub', [g.scalar(1), square(t)])])]);
  };
  return tape.record(g.op('Gelu', [x], { approximate }), [x], (dy) => tape.contribute(x, () => g.op('Mul', [dy, slope()])));
}
/** cap tanh(x / cap) (Gemma 2). With y the result, dx = dy (1 - (y / cap)^2). */
export function capped(tape: Tape, x: string, cap: number): string {
  const g = tape.graph;
  const t = g.op('Tanh', [g.op('Mul', [x, g.scalar(1 / cap)])]);
  return tape.record(g.op('Mul', [t, g.scalar(cap)]), [x], (dy) =>
    tape.contribute(x, () => g.op('Mul', [dy, g.op('Sub', [g.scalar(1), g.op('Mul', [t, t])])])),
  );
}
/** Gradient of softmax along the last axis: p (dp - sum(dp p)) for shares p. */
export function softmaxGradient(tape: Tape, p: string, dp: string): string {
  const g = tape.graph;
  const inner = g.op('Mul', [dp, p]);
  return g.op('Sub', [inner, g.op('Mul', [p, g.op('ReduceSum', [inner, g.ints([-1])], { keepdims: { int: 1 } })])]);
}
/** 1 / (1 + exp(-x)). */
export function sigmoid(tape: Tape, x: string): string {
  const g = tape.graph;
  const y = g.op('Sigmoid', [x]);
  return tape.record(y, [x], (dy) => tape.contribute(x, () => g.op('Mul', [dy, g.op('Mul', [y, g.op('Sub', [g.scalar(1), y])])])));
}
/** Shares of the last axis. */
export function softmax(tape: Tape, x: string): string {
  const p = tape.graph.op('Softmax', [x], { axis: { int: -1 } });
  return tape.record(p, [x], (dp) => tape.contribute(x, () => softmaxGradient(tape, p, dp)));
}
