// Owns derived facts as they are read: with the time in which their proof holds and when the last of its facts was recorded; now, and at another time.
// Refuses to know stored facts and cursors.

import { entity } from '../../terms.ts';
import type { BaseName, Triple, TriplePattern } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import type { Database, Row, SignedRelation, Slot } from '../../reason/tables/database.ts';
import type { Atom, Budget, Proof, RuleTerm } from '../../reason/types.ts';
import { tellingsBelow, validityOf } from '../worlds/answers.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { bareTriple, derivedFact } from '../facts/facts.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import { KnowledgeError } from '../common/types.ts';
import type { KnownFact } from '../common/types.ts';
import type { BaseView } from '../worlds/view.ts';
import { Prover } from '../worlds/world.ts';

/** When the last of the proof's facts was recorded. */
function recordedOf(proof: Proof): string | undefined {
  let last: string | undefined;
  for (const telling of tellingsBelow(proof)) if (telling.kind === 'fact' && (last === undefined || telling.fact.recordedAt > last)) last = telling.fact.recordedAt;
  return last;
}

/** Reads derived rows of one database. Make one for each reading. */
export class DerivedFacts {
  readonly #base: BaseName;
  readonly #readAt: string;
  readonly #prover: Prover;
  /** `readAt`: when facts were recorded that rest on none, or whose proof is larger than the limits allow. */
  constructor({ base, readAt }: Pick<BaseView, 'base' | 'readAt'>, prover: Prover) {
    this.#base = base;
    this.#readAt = readAt;
    this.#prover = prover;
  }
  async read(at: Row): Promise<KnownFact> {
    const { triple, confidence, proof } = await this.#prover.hold(at);
    const fact = derivedFact(this.#base, bareTriple(triple), confidence, (proof && recordedOf(proof)) ?? this.#readAt);
    return proof ? { ...fact, ...validityOf(proof) } : fact;
  }
}

/** Derived rows that match a pattern, in the order of their tables; those behind `after`, where it is given. */
export function* derivedRows(
  database: Database,
  pattern: TriplePattern,
  minConfidence: number,
  after?: { readonly slot: string; readonly row: number },
): Generator<Row> {
  const subject = pattern.subject === undefined ? undefined : entity(pattern.subject);
  let passed = after === undefined;
  for (const slot of slotsOf(database, pattern)) {
    const last = slot.key === after?.slot ? after.row : -1;
    passed ||= slot.key === after?.slot;
    if (!passed) continue;
    for (const row of database.rows(slot.key, subject, pattern.object))
      if (row > last && slot.table.rules[row] >= 0 && slot.table.confidence(row) >= minConfidence) yield { slot, row };
  }
}
function* slotsOf(database: Database, { relation, negated }: TriplePattern): Generator<Slot> {
  if (relation !== undefined) {
    const slot = database.get(signed(relation, negated));
    if (slot && slot.table.derived > 0) yield slot;
    return;
  }
  for (const slot of database.slots()) if (slot.key.startsWith(negated ? '-' : '+') && slot.table.derived > 0) yield slot;
}

/** One page of what follows at another time, which is derived for it. Throws KnowledgeError `too_large` when that takes more than the budget. */
export async function derivedAt(
  state: BaseView,
  hypothesis: Hypothesis,
  pattern: TriplePattern,
  { offset, limit, minConfidence }: { readonly offset: number; readonly limit: number; readonly minConfidence: number },
  budget: Budget,
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<{ readonly facts: readonly KnownFact[]; readonly more: boolean }> {
  const { program, run, tellings } = await derive(hypothesis, wantedBy(pattern), budget, context.reader, context.now, signal);
  if (!run.complete)
    throw new KnowledgeError(
      'too_large',
      `what follows at that time reached the limit ${run.limit}; give a relation, a subject or an object, or leave derived facts out`,
    );
  const reading = new DerivedFacts(state, new Prover(program, context.reader, context.proofs, tellings));
  const facts: KnownFact[] = [];
  let passed = 0;
  for (const at of derivedRows(program.database, pattern, minConfidence)) {
    signal?.throwIfAborted();
    if (passed++ < offset) continue;
    if (facts.length >= limit) return { facts, more: true };
    facts.push(await reading.read(at));
  }
  return { facts, more: false };
}
function wantedBy({ subject, relation, object, negated }: TriplePattern): { readonly goals?: readonly Atom[]; readonly relations?: Iterable<SignedRelation> } {
  if (relation === undefined) return {};
  if (subject === undefined && object === undefined) return { relations: [signed(relation, negated)] };
  const free = (name: string): RuleTerm => ({ kind: 'variable', name });
  const goal: Atom = { relation, subject: subject === undefined ? free('s') : entity(subject), object: object ?? free('o'), ...(negated ? { negated } : {}) };
  return { goals: [goal] };
}

/** A derived fact that was given out before, if it still follows. */
export async function derivedNow({ database }: { readonly database: Database }, triple: Triple, reading: DerivedFacts): Promise<KnownFact | undefined> {
  const at = database.find(triple);
  return at && at.slot.table.rules[at.row] >= 0 ? reading.read(at) : undefined;
}
