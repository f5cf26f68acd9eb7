// Owns why a goal does not follow in one base: its outcome, and the nearest instances of rules with proofs of what holds in them.
// Refuses to know how instances are found.

import { signed } from '../../reason/tables/database.ts';
import { runSliced } from '../../reason/evaluate/evaluate.ts';
import { decisiveGoals } from '../../reason/rulesets/refutation.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Outcome, Rule } from '../../reason/types.ts';
import { whyNot } from '../../reason/proofs/whynot.ts';
import type { Condition, WhyNot, WhyNotLimits } from '../../reason/proofs/whynot.ts';
import type { Budget, BudgetLimit } from '../../reason/types.ts';
import type { Statement, Term, TriplePattern } from '../../terms.ts';
import { matches } from '../facts/assumptions.ts';
import type { BaseState } from '../bases/base.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { goalRows, groundGoal } from '../worlds/goals.ts';
import { groundIn } from '../worlds/ground.ts';
import type { Grounded } from '../worlds/ground.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import { StandingWorld } from '../worlds/standing.ts';
import { Turns } from '../common/turns.ts';
import { DatabaseWorld, Prover } from '../worlds/world.ts';

export interface WhyNotRequest {
  /** One atom, as text or built. */
  readonly goal: string | Atom;
  /** Hypotheses, as of a deduction. */
  readonly rules?: unknown;
  readonly facts?: readonly Statement[];
  readonly removed?: readonly TriplePattern[];
  /** How far missing premises are looked into. Default 3. */
  readonly depth?: number;
  /** Attempts shown for one goal. Default 10. */
  readonly attempts?: number;
  readonly budget: Budget;
  readonly signal?: AbortSignal;
}
/** A fact that is stored and does not hold all the same: its time is over or has not begun, or a conflict policy lets another one stand. */
export type StoredInVain = 'not_in_force' | 'overruled';
/** One condition of an instance of a rule, with the values it has there. */
export type WhyNotCondition =
  /** `proofId`: of a fact whose proof is not larger than the limits allow. */
  | { readonly kind: 'holds'; readonly item: BodyItem; readonly confidence?: number; readonly proofId?: string }
  | { readonly kind: 'missing'; readonly item: Atom; readonly stored?: StoredInVain; readonly why?: WhyNotReasons }
  | { readonly kind: 'blocked'; readonly item: Atom | Aggregate; readonly confidence: number; readonly proofId?: string }
  | { readonly kind: 'fails'; readonly item: Comparison | Aggregate; readonly left?: Term; readonly right?: Term }
  | { readonly kind: 'open'; readonly item: BodyItem };
export interface WhyNotAttempt {
  readonly rule: Rule;
  readonly bindings: Readonly<Record<string, Term>>;
  readonly conditions: readonly WhyNotCondition[];
  /** Conditions that do not hold. */
  readonly lacking: number;
}
export interface WhyNotReasons {
  readonly goal: Atom;
  readonly stored?: StoredInVain;
  /** Nearest first; none when no rule could conclude the goal. */
  readonly attempts: readonly WhyNotAttempt[];
  /** There are more attempts, or nearer ones may not have been found within the limits. */
  readonly truncated: boolean;
}
export interface WhyNotResult {
  /** Entailed: there is nothing to explain but its proof. Refuted: `proofId` is of the negation, and `reasons` tell what would be needed to derive the goal itself. */
  readonly outcome: Outcome;
  readonly proofId?: string;
  /** Absent when the goal is entailed. */
  readonly reasons?: WhyNotReasons;
  readonly complete: boolean;
  readonly limit?: BudgetLimit;
}

const STEPS = 50_000;
const TOTAL_STEPS = 1_000_000;
const INSTANCES = 3;

/** Explains why the goal does not follow. Throws RuleError, and the signal's reason. */
export async function explainAbsence(
  goal: Atom,
  hypothesis: Hypothesis,
  state: BaseState,
  { depth = 3, attempts = 10, removed = [], budget, signal }: WhyNotRequest,
  context: DeduceContext,
): Promise<WhyNotResult> {
  const { closure } = state;
  const until = performance.now() + budget.ms;
  const asked = groundGoal(goal);
  const supposes = hypothesis.rules.length + hypothesis.facts.length + hypothesis.removed.length > 0;
  const standing = !supposes && closure.partial === undefined;
  const relations = [goal, ...(asked ? decisiveGoals(asked, hypothesis) : [])].map(({ relation, negated }) => signed(relation, negated));
  const derived = standing ? undefined : await derive(hypothesis, { relations, open: [goal] }, budget, context.reader, context.now, signal);
  const program = derived?.program ?? closure.program;
  const limit = derived?.run.limit;
  const proving = { until, settled: limit === undefined };
  const prover = new Prover(program, context.reader, context.proofs, derived?.tellings, proving);
  const world = derived ? new DatabaseWorld(program, prover, hypothesis, derived.run.complete) : new StandingWorld(state, context.proofs, proving);

  let grounded: Grounded = { outcome: 'not_entailed' };
  if (asked) grounded = await groundIn(world, asked);
  else if (world instanceof StandingWorld) {
    for await (const held of world.matching(goal, signal)) {
      grounded = { outcome: 'entailed', held };
      break;
    }
  } else for (const at of goalRows(goal, program.database)) {
    grounded = { outcome: 'entailed', held: await prover.hold(at) };
    break;
  }
  const { outcome, held } = grounded;
  const decided = { outcome, ...(held?.proof ? { proofId: context.keep(held.proof) } : {}), complete: limit === undefined, ...(limit === undefined ? {} : { limit }) };
  if (outcome === 'entailed') return decided;

  const limits: WhyNotLimits = { depth, attempts, instances: INSTANCES, steps: STEPS, total: TOTAL_STEPS, until };
  const turns = new Turns();
  const storedOf = async (item: Atom): Promise<{ readonly stored?: StoredInVain }> => {
    const triple = groundGoal(item);
    if (!triple) return {};
    const without = (patterns: readonly TriplePattern[]): boolean => patterns.some((pattern) => matches(pattern, triple));
    if (without(removed)) return {};
    if (without(hypothesis.removed)) return { stored: 'overruled' };
    return (await context.reader.isOutOfForce(triple, signal)) ? { stored: 'not_in_force' } : {};
  };
  const condition = async (found: Condition): Promise<WhyNotCondition> => {
    signal?.throwIfAborted();
    await turns.give();
    switch (found.kind) {
      case 'holds':
      case 'blocked': {
        if (!found.at) return { kind: 'holds', item: found.item };
        const { confidence, proof } = await prover.hold(found.at);
        return { kind: found.kind, item: found.item as Atom | Aggregate, confidence, ...(proof ? { proofId: context.keep(proof) } : {}) };
      }
      case 'missing':
        return { kind: 'missing', item: found.item, ...(await storedOf(found.item)), ...(found.why ? { why: await reasons(found.why) } : {}) };
      case 'fails':
      case 'open':
        return found;
      default:
        throw new TypeError(found satisfies never);
    }
  };
  const reasons = async ({ goal: about, attempts: tried, truncated }: WhyNot): Promise<WhyNotReasons> => {
    const list: WhyNotAttempt[] = [];
    for (const { rule, bindings, conditions, lacking } of tried) {
      const shown: WhyNotCondition[] = [];
      for (const each of conditions) shown.push(await condition(each));
      list.push({ rule, bindings, conditions: shown, lacking });
    }
    return { goal: about, ...(await storedOf(about)), attempts: list, truncated };
  };
  const found = await runSliced(whyNot(program, goal, limits), signal);
  const late = limit === undefined && performance.now() > until;
  return { ...decided, ...(late ? { complete: false, limit: 'ms' } : {}), reasons: await reasons(found) };
}
