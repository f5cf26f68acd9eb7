// Owns finding contradictions in one world: between rows, by what is declared and what is known to be false, and broken constraints.
// Refuses to know how proofs are found, and policies.

import type { RelationName, Triple } from '../../terms.ts';
import { atomsOf } from '../../reason/language/body.ts';
import { signed, unsigned } from '../../reason/tables/database.ts';
import type { Row, SignedRelation } from '../../reason/tables/database.ts';
import type { Program } from '../../reason/evaluate/program.ts';
import { disjointWith } from '../../reason/rulesets/properties.ts';
import { refutationRule } from '../../reason/rulesets/refutation.ts';
import type { Budget, BudgetLimit, Proof, Rule } from '../../reason/types.ts';
import type { DeduceContext } from '../worlds/context.ts';
import type { FactReader } from '../facts/facts.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import type { BaseView } from '../worlds/view.ts';
import { Prover } from '../worlds/world.ts';
import type { Held } from '../worlds/world.ts';

/**
 * - `functional`: a subject has several objects of a functional relation.
 * - `disjoint`: two relations hold that exclude each other.
 * - `negation`: a triple holds that is known to be false.
 * - `constraint`: the body of a rule without head is met.
 */
export type ConflictKind = 'functional' | 'disjoint' | 'negation' | 'constraint';
/** A contradiction with what its sides rest on. */
export interface Found {
  readonly kind: ConflictKind;
  readonly rule?: Rule;
  readonly relations: readonly RelationName[];
  readonly sides: readonly { readonly triple: Triple; readonly confidence: number; readonly proof?: Proof }[];
}
export interface World {
  readonly program: Program;
  readonly prover: Prover;
  readonly limit?: BudgetLimit;
}

/** Relations that have to be looked at. */
async function involved(hypothesis: Hypothesis, reader: FactReader, signal?: AbortSignal): Promise<Set<SignedRelation>> {
  const keys = new Set<SignedRelation>();
  for (const { name, functional } of hypothesis.declarations.values()) {
    const others = disjointWith(name, hypothesis.declarations);
    if (functional || others.length > 0) for (const each of [name, ...others]) keys.add(signed(each, false));
  }
  const both = (relation: RelationName): void => void keys.add(signed(relation, false)).add(signed(relation, true));
  for (const fact of hypothesis.facts) if (fact.negated) both(fact.relation);
  await reader.each({ negated: true }, ({ relation }) => both(relation), signal);
  for (const rule of [...hypothesis.standing, ...hypothesis.rules]) {
    for (const head of rule.heads) if (head.negated) both(head.relation);
    if (rule.heads.length === 0) for (const { atom } of atomsOf(rule.body)) keys.add(signed(atom.relation, atom.negated));
  }
  return keys;
}
export async function worldOf(hypothesis: Hypothesis, state: BaseView, budget: Budget, context: DeduceContext, signal?: AbortSignal): Promise<World> {
  const until = performance.now() + budget.ms;
  const relations = await involved(hypothesis, context.reader, signal);
  const { closure } = state;
  const supposes = hypothesis.removed.length + hypothesis.facts.length + hypothesis.rules.length > 0 || context.reader !== state.reader;
  const standing = !supposes && closure.partial === undefined && relations.isSubsetOf(closure.needed);
  if (standing) return { program: closure.program, prover: new Prover(closure.program, context.reader, context.proofs, undefined, { until }) };
  const { program, run, tellings } = await derive(hypothesis, { relations }, budget, context.reader, context.now, signal);
  return { program, prover: new Prover(program, context.reader, context.proofs, tellings, { until, settled: run.complete }), ...(run.limit === undefined ? {} : { limit: run.limit }) };
}

type Clash = { readonly kind: Exclude<ConflictKind, 'constraint'>; readonly rows: readonly Row[] };
const SLICE_MS = 10;
/** Rows that contradict each other, by what is declared. The order is that of names and rows. Yields undefined now and then, for other work. */
function* clashes({ database, rules }: Program, hypothesis: Hypothesis): Generator<Clash | undefined> {
  const { declarations } = hypothesis;
  // A relation may be known by the declaration of another alone.
  const names = [...new Set([...declarations.values()].flatMap(({ name, disjointWith: others = [] }) => [name, ...others]))].toSorted();
  for (const name of names) {
    const slot = database.get(signed(name, false));
    if (!slot || !declarations.get(name)?.functional) continue;
    const bySubject = new Map<number, number[]>();
    for (let row = 0; row < slot.table.count; row++) {
      if ((row & 0xfff) === 0) yield undefined;
      const rows = bySubject.get(slot.table.subjects[row]);
      if (rows) rows.push(row);
      else bySubject.set(slot.table.subjects[row], [row]);
    }
    for (const rows of bySubject.values()) if (rows.length > 1) yield { kind: 'functional', rows: rows.map((row) => ({ slot, row })) };
  }
  for (const name of names)
    for (const other of disjointWith(name, declarations).toSorted()) {
      const [slot, against] = [database.get(signed(name, false)), database.get(signed(other, false))];
      // Each pair once; declared on either side, or on both.
      if (!slot || !against || other < name) continue;
      for (let row = 0; row < slot.table.count; row++) {
        if ((row & 0xfff) === 0) yield undefined;
        const at = against.table.find(slot.table.subjects[row], slot.table.objects[row]);
        if (at >= 0)
          yield {
            kind: 'disjoint',
            rows: [
              { slot, row },
              { slot: against, row: at },
            ],
          };
      }
    }
  for (const slot of [...database.slots()].toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const { relation, negated } = unsigned(slot.key);
    const against = negated ? database.get(signed(relation, false)) : undefined;
    if (!against) continue;
    for (let row = 0; row < slot.table.count; row++) {
      if ((row & 0xfff) === 0) yield undefined;
      const at = against.table.find(slot.table.subjects[row], slot.table.objects[row]);
      // What is known to be false by what is declared is a contradiction of another kind.
      const by = slot.table.rules[row];
      if (at >= 0 && !(by >= 0 && refutationRule(rules[by], hypothesis)))
        yield {
          kind: 'negation',
          rows: [
            { slot: against, row: at },
            { slot, row },
          ],
        };
    }
  }
}

/** What the rows say, one after the other: a prover reads what proofs have in common once, and has it for the next. */
async function heldOf(prover: Prover, rows: readonly Row[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const row of rows) held.push(await prover.hold(row));
  return held;
}
interface Part {
  readonly offset: number;
  readonly most: number;
  /** By performance.now(). */
  readonly until: number;
  /** By the relations of a contradiction; none of a constraint. Default: all. */
  readonly wanted?: (relations: readonly RelationName[]) => boolean;
}
/** Contradictions from `offset` on, at most `most`, of those between relations that are wanted. */
export async function find(
  { program, prover }: World,
  hypothesis: Hypothesis,
  { offset, most, until, wanted = () => true }: Part,
  signal?: AbortSignal,
): Promise<{ found: Found[]; more: boolean; late: boolean }> {
  const found: Found[] = [];
  let seen = 0;
  let pause = performance.now() + SLICE_MS;
  for (const clash of clashes(program, hypothesis)) {
    if (performance.now() > pause) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      pause = performance.now() + SLICE_MS;
    }
    signal?.throwIfAborted();
    if (performance.now() > until) return { found, more: true, late: true };
    if (!clash) continue;
    const { kind, rows } = clash;
    const relations = [...new Set(rows.map(({ slot }) => unsigned(slot.key).relation))];
    if (!wanted(relations)) continue;
    if (seen++ < offset) continue;
    if (found.length >= most) return { found, more: true, late: false };
    found.push({ kind, relations, sides: await heldOf(prover, rows) });
  }
  const constraints = wanted([]) ? [...hypothesis.standing, ...hypothesis.rules].filter(({ heads }) => heads.length === 0) : [];
  for (const rule of constraints.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (performance.now() > until) return { found, more: true, late: true };
    const skip = Math.max(0, offset - seen);
    const { ways, late } = await prover.meet(rule, skip + most - found.length + 1, until, signal);
    seen += Math.min(skip, ways.length);
    for (const { rows } of ways.slice(skip)) {
      signal?.throwIfAborted();
      if (found.length >= most) return { found, more: true, late: false };
      seen++;
      const sides = await heldOf(
        prover,
        rows.filter((row) => row !== undefined),
      );
      found.push({ kind: 'constraint', rule, relations: [], sides });
    }
    if (late) return { found, more: true, late: true };
  }
  return { found, more: false, late: prover.late };
}
