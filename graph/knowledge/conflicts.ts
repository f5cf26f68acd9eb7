// Owns contradictions in one base: finding them, and what the declared policies make of them when answers are read.
// Refuses to know how proofs are found and where policies are stored.

import { tripleKey } from '../terms.ts';
import type { Fact, RelationName, Triple, TriplePattern } from '../terms.ts';
import { atomsOf } from '../reason/language/body.ts';
import { signed, unsigned } from '../reason/tables/database.ts';
import type { Row, SignedRelation } from '../reason/tables/database.ts';
import type { Program } from '../reason/evaluate/program.ts';
import { disjointWith } from '../reason/rulesets/properties.ts';
import { refutationRule } from '../reason/rulesets/refutation.ts';
import type { Budget, BudgetLimit, Proof, Rule } from '../reason/types.ts';
import { tellingsBelow } from './answers.ts';
import type { DeduceContext } from './context.ts';
import { bareTriple } from './facts.ts';
import type { FactReader } from './facts.ts';
import { derive } from './hypothesis.ts';
import type { Hypothesis } from './hypothesis.ts';
import { byStrength, decides, policyFor } from './policies.ts';
import type { ConflictPolicy } from './policies.ts';
import type { BaseView } from './view.ts';
import { Prover } from './world.ts';
import type { Held } from './world.ts';

/**
 * - `functional`: a subject has several objects of a functional relation.
 * - `disjoint`: two relations hold that exclude each other.
 * - `negation`: a triple holds that is known to be false.
 * - `constraint`: the body of a rule without head is met.
 */
export type ConflictKind = 'functional' | 'disjoint' | 'negation' | 'constraint';
export interface ConflictSide {
  readonly triple: Triple;
  readonly confidence: number;
  /** Absent when the proof is larger than the limits allow. */
  readonly proofId?: string;
  /** Does it stand, by the policy, when answers are read? */
  readonly stands: boolean;
}
export interface Contradiction {
  readonly kind: ConflictKind;
  /** Of a constraint. */
  readonly rule?: Rule;
  readonly sides: readonly ConflictSide[];
  readonly policy: ConflictPolicy['policy'];
}
export interface ContradictionPage {
  readonly contradictions: readonly Contradiction[];
  readonly complete: boolean;
  readonly limit?: BudgetLimit;
  /** There are more than were asked for. */
  readonly more: boolean;
}

interface Found {
  readonly kind: ConflictKind;
  readonly rule?: Rule;
  readonly relations: readonly RelationName[];
  readonly sides: readonly { readonly triple: Triple; readonly confidence: number; readonly proof?: Proof }[];
}
interface World {
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
async function worldOf(hypothesis: Hypothesis, state: BaseView, budget: Budget, context: DeduceContext, signal?: AbortSignal): Promise<World> {
  const relations = await involved(hypothesis, context.reader, signal);
  const { closure } = state;
  const supposes = hypothesis.removed.length + hypothesis.facts.length + hypothesis.rules.length > 0 || context.reader !== state.reader;
  const standing = !supposes && closure.partial === undefined && relations.isSubsetOf(closure.needed);
  if (standing) return { program: closure.program, prover: new Prover(closure.program, context.reader, context.proofs) };
  const { program, run, tellings } = await derive(hypothesis, { relations }, budget, context.reader, context.now, signal);
  return { program, prover: new Prover(program, context.reader, context.proofs, tellings), ...(run.limit === undefined ? {} : { limit: run.limit }) };
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
/** Contradictions from `offset` on, at most `most`. */
async function find(
  { program, prover }: World,
  hypothesis: Hypothesis,
  offset: number,
  most: number,
  until: number,
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
    if (seen++ < offset) continue;
    if (found.length >= most) return { found, more: true, late: false };
    const sides = await heldOf(prover, rows);
    found.push({ kind, relations: [...new Set(sides.map(({ triple }) => triple.relation))], sides });
  }
  for (const rule of [...hypothesis.standing, ...hypothesis.rules].filter(({ heads }) => heads.length === 0).toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
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
  return { found, more: false, late: false };
}

/** Stored facts at the leaves of a proof. */
function leaves(proof: Proof | undefined): Fact[] {
  const facts = new Map<string, Fact>();
  if (proof) for (const telling of tellingsBelow(proof)) if (telling.kind === 'fact') facts.set(telling.fact.id, telling.fact);
  return [...facts.values()];
}
/**
 * Which sides fall by the policy, and the stored facts that have to go for it. A side is as strong as the weakest stored fact of its proof; that fact goes when the side falls.
 * All sides but the strongest fall; of a constraint, whose sides hold together, the weakest alone. A side without such a fact of its own stands.
 */
function decide({ kind, sides }: Found, policy: ConflictPolicy): { readonly fallen: ReadonlySet<number>; readonly facts: readonly Fact[] } {
  const fallen = new Set<number>();
  const facts: Fact[] = [];
  if (policy.policy === 'keep') return { fallen, facts };
  const order = byStrength(policy);
  const strengths = sides.map(({ proof }, side) => ({ side, weakest: leaves(proof).toSorted(order).at(-1) }));
  // Nothing is stronger than what rests on no stored fact.
  const ranked = strengths.toSorted(
    (a, b) => (a.weakest && b.weakest ? order(a.weakest, b.weakest) : Number(a.weakest !== undefined) - Number(b.weakest !== undefined)) || a.side - b.side,
  );
  const kept = new Set(kind === 'constraint' ? [] : leaves(sides[ranked[0].side].proof).map(({ id }) => id));
  for (const { side } of kind === 'constraint' ? ranked.slice(-1) : ranked.slice(1)) {
    const weakest = leaves(sides[side].proof)
      .filter(({ id }) => !kept.has(id))
      .toSorted(order)
      .at(-1);
    if (!weakest) continue;
    fallen.add(side);
    facts.push(weakest);
  }
  return { fallen, facts };
}

/** Contradictions in the base, with the proofs of their sides. Throws the signal's reason. */
export async function contradictions(
  hypothesis: Hypothesis,
  state: BaseView,
  { offset, limit, budget }: { readonly offset: number; readonly limit: number; readonly budget: Budget },
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<ContradictionPage> {
  const until = performance.now() + budget.ms;
  const world = await worldOf(hypothesis, state, budget, context, signal);
  const { found, more, late } = await find(world, hypothesis, offset, limit, until, signal);
  const reached = late ? 'ms' : world.limit;
  return {
    contradictions: found.map((each): Contradiction => {
      const policy = policyFor(state.policies, each.relations);
      const { fallen } = decide(each, policy);
      const sides = each.sides.map(({ triple, confidence, proof }, i): ConflictSide => ({
        triple: bareTriple(triple),
        confidence,
        ...(proof ? { proofId: context.keep(proof) } : {}),
        stands: !fallen.has(i),
      }));
      return { kind: each.kind, ...(each.rule ? { rule: each.rule } : {}), sides, policy: policy.policy };
    }),
    complete: reached === undefined,
    ...(reached === undefined ? {} : { limit: reached }),
    more,
  };
}

const ROUNDS = 16;
/** Contradictions decided in one round. */
const DECIDED = 10_000;
/**
 * Stored triples that do not stand, by the policies of the base, when answers are read. Facts go until no contradiction is left that a policy decides; whatever followed from them
 * alone goes with them. The same base always gives the same result, up to the budget's time.
 */
export async function overruled(hypothesis: Hypothesis, state: BaseView, budget: Budget, context: DeduceContext): Promise<readonly TriplePattern[]> {
  const removed = new Map<string, Triple>();
  if (!decides(state.policies)) return [];
  const until = performance.now() + budget.ms;
  for (let round = 0; round < ROUNDS && performance.now() < until; round++) {
    const supposed: Hypothesis = { ...hypothesis, removed: [...hypothesis.removed, ...removed.values()] };
    const world = await worldOf(supposed, state, budget, context);
    const before = removed.size;
    for (const each of (await find(world, supposed, 0, DECIDED, until)).found)
      for (const fact of decide(each, policyFor(state.policies, each.relations)).facts) removed.set(tripleKey(fact), bareTriple(fact));
    if (removed.size === before) break;
  }
  return [...removed.values()];
}
