// Owns the difference that supposed changes would make: what would follow newly, no longer, or with another confidence.
// Refuses to know how anything is derived. Nothing here is written.

import type { Triple } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import type { Database, Row, SignedRelation } from '../../reason/tables/database.ts';
import { atomsOf } from '../../reason/language/body.ts';
import type { Answer, FactoredAnswers } from '../../reason/proofs/factored.ts';
import { decisiveGoals } from '../../reason/rulesets/refutation.ts';
import type { Atom, Budget, Outcome, Rule } from '../../reason/types.ts';
import type { BaseState } from '../bases/base.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { answersGoal, groundGoal } from '../worlds/goals.ts';
import { groundIn } from '../worlds/ground.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Derived, Hypothesis, Wanted } from '../worlds/hypothesis.ts';
import { Tellings } from '../facts/tellings.ts';
import { Turns } from '../common/turns.ts';
import { KnowledgeError } from '../common/types.ts';
import type { Consequence, WhatIfResult } from '../common/types.ts';
import { DatabaseWorld, Prover } from '../worlds/world.ts';

/** Signed relations that may change when these do. */
function affected(changed: Iterable<SignedRelation>, rules: readonly Rule[]): Set<SignedRelation> {
  const dependents = new Map<SignedRelation, Set<SignedRelation>>();
  for (const { heads, body } of rules)
    for (const { atom } of atomsOf(body)) {
      const key = signed(atom.relation, atom.negated);
      let list = dependents.get(key);
      if (!list) dependents.set(key, (list = new Set()));
      for (const head of heads) list.add(signed(head.relation, head.negated));
    }
  const found = new Set(changed);
  for (const key of found) for (const head of dependents.get(key) ?? []) found.add(head);
  return found;
}

/** Where a triple holds: in a row, or in one yet to be written. */
type Place = Row | Answer;
interface Difference {
  readonly change: Consequence['change'];
  /** In the world it holds in; when altered, in the supposed one. */
  readonly at: Place;
  readonly before?: number;
}
/** How a triple holds. */
interface Standing {
  readonly told: boolean;
  readonly confidence: number;
}
/** What is compared of one world. */
interface Side {
  readonly database: Database;
  readonly answers?: FactoredAnswers;
  /** All that follows is known. */
  readonly complete: boolean;
}
const inRow = ({ slot: { table }, row }: Row): Standing => ({ told: table.rules[row] < 0, confidence: table.confidence(row) });
const standingIn = ({ database, answers }: Side, triple: Triple): Standing | undefined => {
  const at = database.find(triple);
  return at ? inRow(at) : answers?.has(triple) ? { told: false, confidence: 1 } : undefined;
};
const isRow = (at: Place): at is Row => 'slot' in at;
const tripleAt = ({ database }: Side, at: Place): Triple => (isRow(at) ? database.triple(at.slot, at.row) : at.triple);
const isTold = (side: Side, at: Place): boolean => (isRow(at) ? inRow(at) : standingIn(side, at.triple))?.told ?? false;
/** Answers are made where all is certain. */
const confidenceAt = (at: Place): number => (isRow(at) ? inRow(at).confidence : 1);
/** What holds in the world of a relation, or of the goal. */
function* holding({ database, answers }: Side, key: SignedRelation): Generator<Place> {
  if (answers) yield* answers;
  const slot = answers ? undefined : database.get(key);
  if (slot) for (let row = 0; row < slot.table.count; row++) yield { slot, row };
}
/**
 * Differences in what is derived: by relation, in the order of the supposed world's rows, then of those that are gone. What is missing from a world that is not complete may hold
 * there all the same, and surer than it seems: nothing is concluded from that. Lets other work in between.
 */
async function differences(before: Side, after: Side, keys: Iterable<SignedRelation>, goal: Atom | undefined, signal?: AbortSignal): Promise<Difference[]> {
  const found: Difference[] = [];
  const turns = new Turns();
  let looked = 0;
  const isPause = (): boolean => (looked++ & 0x3ff) === 0;
  for (const key of keys) {
    for (const at of holding(after, key)) {
      if (isPause()) await turns.give(signal);
      const triple = tripleAt(after, at);
      if (goal && !answersGoal(goal, triple)) continue;
      const was = standingIn(before, triple);
      const told = isTold(after, at);
      if (!was) {
        if (before.complete && !told) found.push({ change: 'gained', at });
      } else if (before.complete && after.complete && !(told && was.told) && was.confidence !== confidenceAt(at)) found.push({ change: 'altered', at, before: was.confidence });
    }
    if (after.complete)
      for (const at of holding(before, key)) {
        if (isPause()) await turns.give(signal);
        const triple = tripleAt(before, at);
        if (!isTold(before, at) && (!goal || answersGoal(goal, triple)) && !standingIn(after, triple)) found.push({ change: 'lost', at });
      }
  }
  return found;
}

export interface Supposition {
  /** The base as it is. */
  readonly actual: Hypothesis;
  readonly supposed: Hypothesis;
  readonly goal: Atom | undefined;
  readonly cursor: string | undefined;
}
/** How the base and the supposed one are read. */
export interface Contexts {
  readonly before: DeduceContext;
  readonly after: DeduceContext;
}
/** Compares the base with the supposed one. A cursor is good for one version of the base and the same supposition. Throws RuleError, and the signal's reason. */
export async function whatIf(
  { actual, supposed, goal, cursor }: Supposition,
  state: BaseState,
  budget: Budget,
  contexts: Contexts,
  signal?: AbortSignal,
): Promise<WhatIfResult> {
  const began = performance.now();
  const offset = place(cursor, state.version);
  const asked = goal && groundGoal(goal);
  // By the conflict policies, other facts may fall when some come or go, and those that had fallen may stand again.
  const gone = [actual, supposed].map((world) => new Map(world.removed.map((pattern) => [JSON.stringify(pattern), pattern])));
  const removed = gone.flatMap((patterns, i) =>
    [...patterns].flatMap(([key, { relation, negated }]) => (gone[1 - i].has(key) ? [] : [relation === undefined ? undefined : signed(relation, negated)])),
  );
  const changed = new Set<SignedRelation>(removed.filter((key) => key !== undefined));
  for (const { relation, negated } of supposed.facts) changed.add(signed(relation, negated));
  const then = new Map(actual.standing.map((rule) => [rule.id, rule]));
  const now = new Map([...supposed.standing, ...supposed.rules].map((rule) => [rule.id, rule]));
  // What conditions mean by what is declared may come and go with supposed rules.
  for (const rule of [...then.values(), ...now.values()])
    if (then.has(rule.id) !== now.has(rule.id)) for (const head of rule.heads) changed.add(signed(head.relation, head.negated));
  const rules = [...new Map([...then, ...now]).values()];
  // Only what rules conclude can follow.
  const heads = new Set(rules.flatMap((rule) => rule.heads.map((head) => signed(head.relation, head.negated))));
  const keys = (removed.includes(undefined) ? heads : affected(changed, rules)).intersection(heads);

  // What decides about a triple may differ: constraints of rule sets come and go with the schema.
  const wanted = (world: Hypothesis): Wanted => (asked ? { goals: decisiveGoals(asked, world) } : goal ? { goals: [goal], oneByOne: true } : { relations: keys });
  const left = (): Budget => ({ ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  const { closure } = state;
  const known = goal === undefined && closure.partial === undefined && actual.removed.length === 0 && keys.isSubsetOf(closure.needed);
  const before: Derived = known
    ? {
        program: closure.program,
        run: { complete: true, rounds: 0 },
        goalDirected: false,
        derived: 0,
        tellings: new Tellings(contexts.before.reader, contexts.before.now),
      }
    : await derive(actual, wanted(actual), left(), contexts.before.reader, contexts.before.now, signal);
  const after = await derive(supposed, wanted(supposed), left(), contexts.after.reader, contexts.after.now, signal);
  const worlds = [
    { ...before, hypothesis: actual, context: contexts.before },
    { ...after, hypothesis: supposed, context: contexts.after },
  ].map(({ context, ...derived }) => ({ ...derived, prover: new Prover(derived.program, context.reader, context.proofs, derived.tellings, { until: began + budget.ms, settled: derived.run.complete }) }));
  const [actually, supposedly] = worlds;
  const [one, other] = worlds.map(({ program: { database }, answers, run: { complete } }): Side => ({ database, complete, ...(answers ? { answers } : {}) }));
  const found = await differences(one, other, goal ? [signed(goal.relation, goal.negated)] : keys, goal, signal);

  const consequences: Consequence[] = [];
  const turns = new Turns();
  for (const { change, at, before: was } of found.slice(offset, offset + budget.answers)) {
    await turns.give(signal);
    const { prover } = change === 'lost' ? actually : supposedly;
    const { triple, confidence, proof } = await (isRow(at) ? prover.hold(at) : prover.follow(at));
    consequences.push({ change, triple, confidence, ...(was === undefined ? {} : { before: was }), ...(proof ? { proofId: contexts.after.keep(proof) } : {}) });
  }
  const outcomes: Outcome[] = [];
  if (asked)
    for (const { program, prover, hypothesis, run } of worlds) outcomes.push((await groundIn(new DatabaseWorld(program, prover, hypothesis, run.complete), asked)).outcome);
  const limit = before.run.limit ?? after.run.limit ?? (worlds.some(({ prover }) => prover.late) ? 'ms' : undefined);
  const count = (change: Consequence['change']): number => found.filter((each) => each.change === change).length;
  return {
    ...(asked ? { outcome: { before: outcomes[0], after: outcomes[1] } } : {}),
    consequences,
    counts: { gained: count('gained'), lost: count('lost'), altered: count('altered') },
    complete: limit === undefined,
    ...(limit === undefined ? {} : { limit }),
    ...(offset + budget.answers < found.length ? { cursor: `${state.version}.${offset + budget.answers}` } : {}),
    statistics: { derived: after.derived + before.derived, ms: performance.now() - began },
  };
}
function place(cursor: string | undefined, version: number): number {
  if (cursor === undefined) return 0;
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor);
  if (!match || Number(match[1]) !== version)
    throw new KnowledgeError(
      'invalid_request',
      `the cursor ${JSON.stringify(cursor.slice(0, 40))} is none of this version of the knowledge base; ask again from the beginning`,
    );
  return Number(match[2]);
}
