// Owns what an answer looks like: its confidence, its proof, the time in which that holds.
// Refuses to know how answers are found.

import type { Term, Triple } from '../../terms.ts';
import { instant } from '../../reason/tables/interner.ts';
import type { Budget, BudgetLimit, Proof } from '../../reason/types.ts';
import type { Grounded } from './ground.ts';
import type { Telling } from '../facts/tellings.ts';
import type { DeduceAnswer, DeduceResult, Semantics } from '../common/types.ts';
import type { Held } from './world.ts';

export interface Reading {
  readonly budget: Budget;
  readonly semantics: Semantics;
  /** Proofs of each answer at most. */
  readonly proofs: number;
}

/** Facts at the leaves of a proof, stored and supposed. */
export function* tellingsBelow(proof: Proof): Generator<Telling> {
  const seen = new Set([proof]);
  for (const node of seen)
    if (node.kind === 'fact' || node.kind === 'given') yield node;
    else if (node.kind === 'rule') for (const premise of node.premises) seen.add(premise);
    else if (node.kind === 'aggregate') {
      for (const { premises } of node.members) for (const premise of premises) seen.add(premise);
      for (const other of node.others ?? []) seen.add(other);
    }
}
/** World time in which all facts of a proof are in force: the intersection of their intervals. What `not` rests on sets no end to it. */
export function validityOf(proof: Proof): { readonly validFrom?: string; readonly validTo?: string } {
  let [from, to]: [string | undefined, string | undefined] = [undefined, undefined];
  for (const telling of tellingsBelow(proof)) {
    const { validFrom, validTo } = telling.kind === 'fact' ? telling.fact : telling;
    if (validFrom !== undefined && (from === undefined || instant(validFrom) > instant(from))) from = validFrom;
    if (validTo !== undefined && (to === undefined || instant(validTo) < instant(to))) to = validTo;
  }
  return { ...(from === undefined ? {} : { validFrom: from }), ...(to === undefined ? {} : { validTo: to }) };
}

export function toAnswer(held: Held, bindings: Readonly<Record<string, Term>>, keep: (proof: Proof) => string): DeduceAnswer {
  const { triple, confidence, proof } = held;
  return { bindings, triple, confidence, ...(proof ? { proofId: keep(proof), ...validityOf(proof) } : {}) };
}
/** The result for a goal without variables. What is decided is complete, whatever limit was reached. */
export function groundedResult(
  { outcome, held }: Grounded,
  asked: Triple,
  limit: BudgetLimit | undefined,
  keep: (proof: Proof) => string,
): Omit<DeduceResult, 'statistics'> {
  const complete = limit === undefined || outcome !== 'not_entailed';
  const answers = outcome === 'entailed' && held ? [toAnswer({ ...held, triple: asked }, {}, keep)] : [];
  const refutation = outcome === 'refuted' && held ? { refutation: { confidence: held.confidence, ...(held.proof ? { proofId: keep(held.proof) } : {}) } } : {};
  return { outcome, answers, ...refutation, complete, ...(complete ? {} : { limit }) };
}
