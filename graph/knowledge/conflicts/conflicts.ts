// Owns what is made of contradictions in one base: which sides the declared policies let stand, and the list that people read.
// Refuses to know how contradictions are found and where policies are stored.

import { tripleKey } from '../../terms.ts';
import type { Fact, Triple, TriplePattern } from '../../terms.ts';
import type { Budget, BudgetLimit, Proof, Rule } from '../../reason/types.ts';
import { tellingsBelow } from '../worlds/answers.ts';
import { find, worldOf } from './clashes.ts';
import type { ConflictKind, Found } from './clashes.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { bareTriple } from '../facts/facts.ts';
import type { FactReader } from '../facts/facts.ts';
import { atomOf } from '../worlds/goals.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import { byStrength, policyFor } from '../bases/policies.ts';
import type { ConflictPolicy } from '../bases/policies.ts';
import { Turns } from '../common/turns.ts';
import type { BaseView } from '../worlds/view.ts';

export interface ConflictSide {
  readonly triple: Triple;
  readonly confidence: number;
  /** Absent when the proof is larger than the limits allow. */
  readonly proofId?: string;
  /** Does it stand, by the policies, when answers are read? */
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

/** Stored facts that do not stand by the policies of a base. */
export interface Overruled {
  readonly removed: readonly TriplePattern[];
  /** Deciding reached this limit: of what does not stand, some may be missing. */
  readonly limit?: BudgetLimit;
}

/** Triples of stored facts at the leaves of a proof, each with the fact of it that is the strongest by the policy: others may tell it, too. */
async function leaves(proof: Proof | undefined, policy: ConflictPolicy, reader: FactReader): Promise<Map<string, Fact>> {
  const order = byStrength(policy);
  const facts = new Map<string, Fact>();
  if (proof)
    for (const telling of tellingsBelow(proof))
      if (telling.kind === 'fact') facts.set(tripleKey(telling.fact), policy.policy === 'confident' ? telling.fact : ((await reader.all(telling.fact)).toSorted(order).at(0) ?? telling.fact));
  return facts;
}

/** A contradiction as its policy decides it: the facts that go, and all those that it rests on but for these. */
interface Decision {
  readonly goes: ReadonlyMap<string, Fact>;
  readonly rests: ReadonlySet<string>;
  /** Facts that what stands rests on. */
  readonly stands: ReadonlySet<string>;
}
/**
 * A side is as strong as the weakest stored fact of its proof; that fact goes when the side falls. All sides but the strongest fall; of a constraint, whose sides hold together, the
 * weakest alone. A side without such a fact of its own stands.
 */
async function decide({ kind, sides }: Found, policy: ConflictPolicy, reader: FactReader): Promise<Decision> {
  const order = byStrength(policy);
  const strengths: { readonly side: number; readonly facts: ReadonlyMap<string, Fact>; readonly weakest: Fact | undefined }[] = [];
  for (const [side, { proof }] of sides.entries()) {
    const facts = await leaves(proof, policy, reader);
    strengths.push({ side, facts, weakest: [...facts.values()].toSorted(order).at(-1) });
  }
  // Nothing is stronger than what rests on no stored fact.
  const ranked = strengths.toSorted(
    (a, b) => (a.weakest && b.weakest ? order(a.weakest, b.weakest) : Number(a.weakest !== undefined) - Number(b.weakest !== undefined)) || a.side - b.side,
  );
  const together = kind === 'constraint';
  const kept = new Set(together ? [] : ranked[0].facts.keys());
  const goes = new Map<string, Fact>();
  for (const { facts } of together ? ranked.slice(-1) : ranked.slice(1)) {
    const weakest = [...facts].filter(([key]) => !kept.has(key)).toSorted(([, a], [, b]) => order(a, b)).at(-1);
    if (weakest) goes.set(...weakest);
  }
  const rests = new Set(strengths.flatMap(({ facts }) => [...facts.keys()]).filter((key) => !goes.has(key)));
  return { goes, rests, stands: together ? rests : kept };
}
/**
 * Adds what goes by these decisions. What goes by one decides no other: those whose winners may fall themselves wait for the others, and are void when any fact of theirs is gone.
 * Those that rest on few facts come first, since what goes by them may make others void. Where they wait for each other, the first of them is decided.
 */
async function settle(decisions: readonly Decision[], removed: Map<string, Triple>): Promise<void> {
  const turns = new Turns();
  const isVoid = ({ goes, rests }: Decision): boolean => [...goes.keys(), ...rests].some((key) => removed.has(key));
  let open = decisions.filter(({ goes }) => goes.size > 0).toSorted((a, b) => a.goes.size + a.rests.size - b.goes.size - b.rests.size);
  while (open.length > 0) {
    await turns.give();
    const losing = new Set(open.flatMap(({ goes }) => [...goes.keys()]));
    const sure = open.filter(({ stands }) => stands.isDisjointFrom(losing));
    for (const each of sure.length > 0 ? sure : open.slice(0, 1)) if (!isVoid(each)) for (const [key, fact] of each.goes) removed.set(key, bareTriple(fact));
    open = open.filter((each) => !isVoid(each));
  }
}

/** Contradictions decided in one go. */
const DECIDED = 10_000;
/**
 * Stored triples that do not stand, by the policies of the base, when answers are read. Facts go until no contradiction is left that a policy decides; whatever followed from them
 * alone goes with them. The same base always gives the same result, up to the budget's time. Throws the signal's reason.
 */
export async function overruled(hypothesis: Hypothesis, state: BaseView, budget: Budget, context: DeduceContext, signal?: AbortSignal): Promise<Overruled> {
  const removed = new Map<string, Triple>();
  const until = performance.now() + budget.ms;
  const wanted = (relations: Found['relations']): boolean => policyFor(state.policies, relations).policy !== 'keep';
  let limit: BudgetLimit | undefined;
  for (let before = -1; removed.size > before && limit === undefined; ) {
    before = removed.size;
    const supposed: Hypothesis = { ...hypothesis, removed: [...hypothesis.removed, ...removed.values()] };
    const world = await worldOf(supposed, state, { ...budget, ms: Math.max(0, until - performance.now()) }, context, signal);
    limit = world.limit;
    const decisions: Decision[] = [];
    for (let [offset, open] = [0, true]; open; offset += DECIDED) {
      const { found, more, late } = await find(world, supposed, { offset, most: DECIDED, until, wanted }, signal);
      for (const each of found) decisions.push(await decide(each, policyFor(state.policies, each.relations), context.reader));
      if (late) limit ??= 'ms';
      open = more && !late;
    }
    await settle(decisions, removed);
  }
  return { removed: [...removed.values()], ...(limit === undefined ? {} : { limit }) };
}

/** Contradictions in the base, with the proofs of their sides. `fallen`: what does not stand by its policies. Throws the signal's reason. */
export async function contradictions(
  hypothesis: Hypothesis,
  { removed: fallen, limit: undecided }: Overruled,
  state: BaseView,
  { offset, limit, budget }: { readonly offset: number; readonly limit: number; readonly budget: Budget },
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<ContradictionPage> {
  const until = performance.now() + budget.ms;
  const left = (): Budget => ({ ...budget, ms: Math.max(0, until - performance.now()) });
  const world = await worldOf(hypothesis, state, budget, context, signal);
  const { found, more, late } = await find(world, hypothesis, { offset, most: limit, until }, signal);
  const asked = found.flatMap(({ sides }) => sides.map(({ triple }) => triple));
  const resolved =
    fallen.length > 0 && asked.length > 0
      ? await derive({ ...hypothesis, removed: [...hypothesis.removed, ...fallen] }, { goals: asked.map(atomOf) }, left(), context.reader, context.now, signal)
      : undefined;
  const reached = late ? 'ms' : (world.limit ?? undecided ?? resolved?.run.limit);
  return {
    contradictions: found.map(({ kind, rule, relations, sides }): Contradiction => ({
      kind,
      ...(rule ? { rule } : {}),
      sides: sides.map(({ triple, confidence, proof }): ConflictSide => ({
        triple: bareTriple(triple),
        confidence,
        ...(proof ? { proofId: context.keep(proof) } : {}),
        stands: !resolved || resolved.program.database.find(triple) !== undefined,
      })),
      policy: policyFor(state.policies, relations).policy,
    })),
    complete: reached === undefined,
    ...(reached === undefined ? {} : { limit: reached }),
    more,
  };
}
