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

/** Euclidean norm over all gradients together. */
export function gradientNorm(gradients: readonly Float32Array[]): number {
  let square = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) square += gradient[i] * gradient[i];
  return Math.sqrt(square);
}
