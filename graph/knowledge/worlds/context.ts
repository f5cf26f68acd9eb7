// Owns what every question to a base is answered with: its facts at a time, limits of proofs, where proofs are kept.
// Refuses to know what is asked.

import type { GraphStore } from '../../store.ts';
import type { ProofLimits } from '../../reason/proofs/explain.ts';
import { instant } from '../../reason/tables/interner.ts';
import type { Proof } from '../../reason/types.ts';
import { FactReader } from '../facts/facts.ts';
import type { ProofStore } from './proofs.ts';
import type { States } from '../bases/states.ts';
import type { KnowledgeLimits } from '../common/types.ts';
import { ValidityWatch } from '../facts/validity.ts';
import type { BaseView } from './view.ts';

/** What the rooms of one knowledge graph have in common. */
export interface Shared {
  readonly store: GraphStore;
  readonly limits: KnowledgeLimits;
  readonly now: () => number;
  readonly states: States;
  readonly proofs: ProofStore;
}
export interface DeduceContext {
  readonly reader: FactReader;
  readonly proofs: ProofLimits;
  readonly now: number;
  readonly keep: (proof: Proof) => string;
}

export const proofLimits = ({ proofNodes, proofHeight }: KnowledgeLimits): ProofLimits => ({ nodes: proofNodes, height: proofHeight });

/** `validAt`: world time, ISO 8601; now when absent. */
export function contextOf({ store, limits, now, proofs }: Shared, state: BaseView, validAt?: string): DeduceContext {
  const keep = (proof: Proof): string => proofs.keep(state.base, proof);
  const common = { proofs: proofLimits(limits), keep };
  if (validAt === undefined) return { ...common, reader: state.reader, now: now() };
  const at = instant(validAt);
  // What begins or ends by the clock is none of a reading of another time.
  return { ...common, reader: new FactReader(store, state.base, new ValidityWatch(), () => at), now: at };
}
