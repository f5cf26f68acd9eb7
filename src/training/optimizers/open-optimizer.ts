// Owns the choice of an optimizer by specification.
// Refuses to know how any of them works.

import type { OptimizerSpec } from '../spec.ts';
import { AdamW } from './adamw.ts';
import { Muon } from './muon.ts';
import type { Optimizer, Parameter } from './optimizer.ts';

export async function openOptimizer(spec: OptimizerSpec, parameters: readonly Parameter[], threads: number): Promise<Optimizer> {
  if (spec.kind === 'muon') return Muon.open(parameters, { momentum: spec.momentum, weightDecay: spec.weight_decay, adamRate: spec.adam_rate, threads });
  return new AdamW(parameters, { beta1: spec.beta1, beta2: spec.beta2, epsilon: spec.epsilon, weightDecay: spec.weight_decay });
}
