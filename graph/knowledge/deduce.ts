// Owns deriving for one question: hypothetical rules and facts beside the base's own, in a database of their own, inside a budget.
// Refuses to know the standing closure's upkeep. Nothing here is written.

import { entity } from '../terms.ts';
import type { Statement, Term, Triple } from '../terms.ts';
import { Database, signed } from '../reason/database.ts';
import type { SignedRelation, Slot } from '../reason/database.ts';
import { Evaluator, runSliced } from '../reason/evaluate.ts';
import type { RunResult } from '../reason/evaluate.ts';
import { Program } from '../reason/program.ts';
import type { ProofLimits } from '../reason/explain.ts';
import { isComparison } from '../reason/print.ts';
import type { Declarations } from '../reason/properties.ts';
import { stratify } from '../reason/strata.ts';
import type { Atom, Budget, BudgetLimit, Proof, Rule, RuleTerm } from '../reason/types.ts';
import { loadRelations, neededRelations } from './closure.ts';
import type { FactReader } from './facts.ts';
import type { AbsenceOracle } from './grounds.ts';
import { decisiveRelations, DatabaseWorld, groundIn, Prover } from './world.ts';
import type { Grounded, Held } from './world.ts';
import type { DeduceAnswer, DeduceResult } from './types.ts';
import { inForce } from './validity.ts';

export interface Hypothesis {
  /** Standing rules of the base. */
  readonly standing: readonly Rule[];
  /** Rules of this call. */
  readonly rules: readonly Rule[];
  readonly facts: readonly Statement[];
  readonly declarations: Declarations;
  /** Do the standing rules derive this triple already? Used when there is no goal. */
  readonly derivedAlready: (triple: Triple) => boolean;
}
export interface DeduceContext {
  readonly reader: FactReader;
  readonly proofs: ProofLimits;
  readonly now: number;
  readonly keep: (proof: Proof) => string;
}

/** Rules that may contribute to any of these relations. */
export function relevantRules(rules: readonly Rule[], wanted: Iterable<SignedRelation>): Rule[] {
  const byHead = new Map<SignedRelation, Rule[]>();
  for (const rule of rules)
    for (const head of rule.heads) {
      const key = signed(head.relation, head.negated);
      const list = byHead.get(key);
      if (list) list.push(rule);
      else byHead.set(key, [rule]);
    }
  const relevant = new Set<Rule>();
  const seen = new Set(wanted);
  for (const key of seen)
    for (const rule of byHead.get(key) ?? []) {
      if (relevant.has(rule)) continue;
      relevant.add(rule);
      for (const item of rule.body) if (!isComparison(item)) seen.add(signed(item.relation, item.negated));
    }
  return rules.filter((rule) => relevant.has(rule));
}

/** The term, when it is no variable. */
export const fixed = (term: RuleTerm): Term | undefined => (term.kind === 'variable' ? undefined : term);
/** Values of the goal's variables in a triple that matches it. */
export function goalBindings(goal: Atom, triple: Triple): Record<string, Term> {
  const bindings: Record<string, Term> = {};
  if (goal.subject.kind === 'variable') bindings[goal.subject.name] = entity(triple.subject);
  if (goal.object.kind === 'variable') bindings[goal.object.name] = triple.object;
  return bindings;
}
/** The goal as a triple, when it has no variables. */
export function groundGoal(goal: Atom): Triple | undefined {
  const { subject, object, relation, negated } = goal;
  return subject.kind === 'entity' && object.kind !== 'variable' ? { subject: subject.id, relation, object, ...(negated ? { negated } : {}) } : undefined;
}
/** One variable in both places. */
export const sameVariable = (goal: Atom): boolean =>
  goal.subject.kind === 'variable' && goal.object.kind === 'variable' && goal.subject.name === goal.object.name;

export function toAnswer(held: Held, bindings: Readonly<Record<string, Term>>, keep: (proof: Proof) => string): DeduceAnswer {
  const { triple, confidence, proof } = held;
  return { bindings, triple, confidence, ...(proof ? { proofId: keep(proof) } : {}) };
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

interface Derived {
  readonly program: Program;
  readonly run: RunResult;
}
/** Derives, with the hypotheses, what contributes to the wanted relations (to all, when absent). Throws RuleError, and the signal's reason. */
async function derive(
  hypothesis: Hypothesis,
  wanted: readonly SignedRelation[] | undefined,
  budget: Budget,
  reader: FactReader,
  now: number,
  signal?: AbortSignal,
): Promise<Derived> {
  const began = performance.now();
  const all = [...new Map([...hypothesis.standing, ...hypothesis.rules].map((rule) => [rule.id, rule])).values()];
  const rules = wanted ? relevantRules(all, wanted) : all;
  // A circle in rules that do not matter here is one all the same.
  stratify(all);
  const needed = neededRelations(rules);
  for (const key of wanted ?? []) needed.add(key);
  const database = new Database();
  await loadRelations(database, reader, needed, signal);
  for (const fact of hypothesis.facts) if (inForce(fact, now)) database.tell(fact, fact.confidence ?? 1, true);
  const program = new Program(rules, database);
  const evaluator = new Evaluator(program, { ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  return { program, run: await runSliced(evaluator.derive(), signal) };
}

/** What is absent from the base with the hypotheses, for the relations named. Nothing is known to be absent when the budget did not suffice. */
export async function hypotheticalAbsence(
  hypothesis: Hypothesis,
  relations: ReadonlySet<SignedRelation>,
  budget: Budget,
  reader: FactReader,
  now: number,
): Promise<AbsenceOracle> {
  const { program, run } = await derive(hypothesis, [...relations], budget, reader, now);
  return { absent: (triple) => run.complete && relations.has(signed(triple.relation, triple.negated)) && program.database.find(triple) === undefined };
}

/** Derives what the goal needs (all, without goal) from the base with the hypotheses, and reads the answers. Throws RuleError, and the signal's reason. */
export async function deduceHypothetically(
  goal: Atom | undefined,
  hypothesis: Hypothesis,
  budget: Budget,
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<DeduceResult> {
  const began = performance.now();
  const { declarations } = hypothesis;
  const asked = goal && groundGoal(goal);
  const wanted: SignedRelation[] | undefined = asked
    ? decisiveRelations(asked.relation, declarations).flatMap((name) => [signed(name, false), signed(name, true)])
    : goal && [signed(goal.relation, goal.negated)];
  const { program, run } = await derive(hypothesis, wanted, budget, context.reader, context.now, signal);
  const { database, rules } = program;
  const prover = new Prover(program, context.reader, context.proofs);
  const statistics = (): DeduceResult['statistics'] => ({ derived: database.derived, rounds: run.rounds, ms: performance.now() - began });

  if (asked) {
    return {
      ...groundedResult(await groundIn(new DatabaseWorld(program, prover, declarations, run.complete), asked), asked, run.limit, context.keep),
      statistics: statistics(),
    };
  }

  const answers: DeduceAnswer[] = [];
  let complete = run.complete;
  let limit = run.limit;
  const add = async (slot: Slot, row: number, bindings: Record<string, Term>): Promise<boolean> => {
    const reached = answers.length >= budget.answers ? 'answers' : performance.now() - began > budget.ms ? 'ms' : undefined;
    if (reached) {
      [complete, limit] = [false, reached];
      return false;
    }
    answers.push(toAnswer(await prover.hold({ slot, row }), bindings, context.keep));
    return true;
  };
  if (goal) {
    const slot = database.slot(signed(goal.relation, goal.negated));
    for (const row of database.rows(slot.key, fixed(goal.subject), fixed(goal.object), sameVariable(goal))) {
      signal?.throwIfAborted();
      if (!(await add(slot, row, goalBindings(goal, database.triple(slot, row))))) break;
    }
  } else {
    const given = new Set(hypothesis.rules.map(({ id }) => id));
    const everything = given.size === 0 && hypothesis.facts.length === 0;
    listing: for (const slot of program.derived)
      for (let row = 0; row < slot.table.count; row++) {
        if (slot.table.rules[row] < 0) continue;
        signal?.throwIfAborted();
        const byGiven = given.has(rules[slot.table.rules[row]].id);
        if (!everything && !byGiven && hypothesis.derivedAlready(database.triple(slot, row))) continue;
        if (!(await add(slot, row, {}))) break listing;
      }
  }
  return { outcome: answers.length > 0 ? 'entailed' : 'not_entailed', answers, complete, ...(complete ? {} : { limit }), statistics: statistics() };
}
