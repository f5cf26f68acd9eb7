// Owns what an optimizer is, and the norm of gradients.
// Refuses to know which optimizers there are, graphs, data and schedules.

import type { TrainedParameter } from '../loss-graph.ts';

/** A trained parameter with its values, which updates change in place. */
export interface Parameter extends TrainedParameter {
  readonly values: Float32Array;
}
export interface Optimizer {
  /** Updates made so far. */
  step: number;
  /** What it remembers from one update to the next, always in the same order: with `step`, all that a checkpoint needs. */
  readonly state: readonly Float32Array[];
  /** One update with `scale` times the gradients, which come in the order of the parameters. */
  update(gradients: readonly Float32Array[], rate: number, scale: number): void | Promise<void>;
  close(): Promise<void>;
}

/** Euclidean norm over all gradients together. Four sums at a time do not wait for each other. */
export function gradientNorm(gradients: readonly Float32Array[]): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (const gradient of gradients) {
    const whole = gradient.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      a += gradient[i] * gradient[i];
      b += gradient[i + 1] * gradient[i + 1];
      c += gradient[i + 2] * gradient[i + 2];
      d += gradient[i + 3] * gradient[i + 3];
    }
    for (let i = whole; i < gradient.length; i++) a += gradient[i] * gradient[i];
  }
  return Math.sqrt(a + b + c + d);
}
