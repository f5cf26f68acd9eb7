// Owns norms over the last axis and their gradients.
// Refuses to know where in a model they stand.

import type { Tape } from './tape.ts';

/** x / rms(x) * gain for rows x [N, D] (Zhang and Sennrich 2019). With n = x / rms(x), r = 1 / rms(x), h = dy gain: dx = r (h - n mean(h n)), dgain = sum of dy n over rows. */
export function rmsNorm(tape: Tape, x: string, gain: string, epsilon: number): string {
  return normed(tape, x, gain, undefined, epsilon);
}
/** (x - mean) / deviation * gain + bias for rows x [N, D] (Ba et al. 2016). The gradient is that of RMSNorm less the mean of h. */
export function layerNorm(tape: Tape, x: string, gain: string, bias: string, epsilon: number): string {
  return normed(tape, x, gain, bias, epsilon);
}
/** x / rms(x) without a gain; `ones` is a constant vector of ones. */
export function plainNorm(tape: Tape, x: string, ones: string, epsilon: number): string {
  const g = tape.graph;
  const [y, inverse] = [g.fresh('norm'), g.fresh('norm_inverse')];
  g.op('SimplifiedLayerNormalization', [x, ones], { axis: { int: -1 }, epsilon }, { outputs: [y, inverse] });
  return tape.record(y, [x], (dy) =>
    tape.contribute(x, () => {
      const mean = g.op('ReduceMean', [g.op('Mul', [dy, y]), g.ints([-1])], { keepdims: { int: 1 } });
      return g.op('Mul', [g.op('Sub', [dy, g.op('Mul', [y, mean])]), inverse]);
    }),
  );
}

function normed(tape: Tape, x: string, gain: string, bias: string | undefined, epsilon: number): string {
  const g = tape.graph;
  const [y, middle, inverse] = [g.fresh('norm'), g.fresh('norm_mean'), g.fresh('norm_inverse')];
  const mean = (value: string): string => g.op('ReduceMean', [value, g.ints([-1])], { keepdims: { int: 1 } });
  const overRows = (value: string): string => g.op('ReduceSum', [value, g.ints([0])], { keepdims: { int: 0 } });
  const attributes = { axis: { int: -1 }, epsilon };
  if (bias === undefined) g.op('SimplifiedLayerNormalization', [x, gain], attributes, { outputs: [y, inverse] });
  else g.op('LayerNormalization', [x, gain, bias], attributes, { outputs: [y, middle, inverse] });
  return tape.record(y, bias === undefined ? [x, gain] : [x, gain, bias], (dy) => {
    const n = g.op('Mul', [bias === undefined ? x : g.op('Sub', [x, middle]), inverse]);
    tape.contribute(x, () => {
      const h = g.op('Mul', [dy, gain]);
      const along = g.op('Sub', [h, g.op('Mul', [n, mean(g.op('Mul', [h, n]))])]);
      return g.op('Mul', [bias === undefined ? along : g.op('Sub', [along, mean(h)]), inverse]);
    });
    tape.contribute(gain, () => overRows(g.op('Mul', [dy, n])));
    if (bias !== undefined) tape.contribute(bias, () => overRows(dy));
  });
}
