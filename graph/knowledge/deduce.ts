// Owns reading answers to one question from what was derived for it: bindings, confidences by the semantics asked for, proofs, the time in which they hold.
// Refuses to know how anything is derived. Nothing here is written.

import { entity, sameTerm } from '../terms.ts';
import type { Term, Triple } from '../terms.ts';
import { signed } from '../reason/database.ts';
import type { Database, Row } from '../reason/database.ts';
import type { ProofLimits } from '../reason/explain.ts';
import { instant } from '../reason/interner.ts';
import type { Atom, Budget, BudgetLimit, Proof, RuleTerm } from '../reason/types.ts';
import type { FactReader } from './facts.ts';
import { decisiveGoals, derive } from './hypothesis.ts';
import type { Hypothesis, Wanted } from './hypothesis.ts';
import type { DeduceAnswer, DeduceResult, Semantics } from './types.ts';
import { probabilities, weigh } from './uncertainty.ts';
import { DatabaseWorld, groundIn, Prover } from './world.ts';
import type { Grounded, Held } from './world.ts';

export interface DeduceContext {
  readonly reader: FactReader;
  readonly proofs: ProofLimits;
  readonly now: number;
  readonly keep: (proof: Proof) => string;
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
/** The goal wants subject and object to be one. */
export const sameVariable = (goal: Atom): boolean =>
  goal.subject.kind === 'variable' && goal.object.kind === 'variable' && goal.subject.name === goal.object.name;
/** Rows that match a goal. */
export function* goalRows(goal: Atom, database: Database): Generator<Row> {
  const slot = database.get(signed(goal.relation, goal.negated));
  if (slot) for (const row of database.rows(slot.key, fixed(goal.subject), fixed(goal.object), sameVariable(goal))) yield { slot, row };
}

/** World time in which all facts of a proof are in force: the intersection of their intervals. */
export function validityOf(proof: Proof): { readonly validFrom?: string; readonly validTo?: string } {
  let [from, to]: [string | undefined, string | undefined] = [undefined, undefined];
  const seen = new Set<Proof>();
  const open = [proof];
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.kind === 'rule') open.push(...node.premises);
    else if (node.kind === 'aggregate') for (const { premises } of node.members) open.push(...premises);
    else if (node.kind === 'fact') {
      const { validFrom, validTo } = node.fact;
      if (validFrom !== undefined && (from === undefined || instant(validFrom) > instant(from))) from = validFrom;
      if (validTo !== undefined && (to === undefined || instant(validTo) < instant(to))) to = validTo;
    }
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

export interface Reading {
  readonly budget: Budget;
  readonly semantics: Semantics;
  /** Proofs of each answer at most. */
  readonly proofs: number;
}
/** Derives what the goal needs (all, without goal) from the base with the hypotheses, and reads the answers. Throws RuleError, KnowledgeError `too_large`, and the signal's reason. */
export async function deduceHypothetically(
  goal: Atom | undefined,
  hypothesis: Hypothesis,
  reading: Reading,
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<DeduceResult> {
  const began = performance.now();
  const { declarations } = hypothesis;
  const { budget, semantics } = reading;
  const asked = goal && groundGoal(goal);
  const allDerivations = semantics !== 'best' || reading.proofs > 1;
  const wanted: Wanted = asked ? { goals: decisiveGoals(asked, declarations), allDerivations } : goal ? { goals: [goal], allDerivations, oneByOne: true } : {};
  const { program, run, goalDirected, derived, answers: readable } = await derive(hypothesis, wanted, budget, context.reader, context.now, signal);
  const { database, rules } = program;
  const prover = new Prover(program, context.reader, context.proofs);
  const left = (): Budget => ({ ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  const finish = async (result: Omit<DeduceResult, 'statistics'>, rows: readonly Row[]): Promise<DeduceResult> => {
    const answers = [...result.answers];
    if (semantics !== 'best' && rows.length > 0 && semantics !== 'exact') {
      const confidences = await weigh(program, rows, semantics, left(), signal);
      confidences.forEach((confidence, i) => (answers[i] = { ...answers[i], confidence }));
    }
    if (reading.proofs > 1)
      for (let i = 0; i < rows.length; i++) {
        const proofs = await prover.alternatives(rows[i], reading.proofs, left(), signal);
        if (proofs.length > 0) answers[i] = { ...answers[i], ...validityOf(proofs[0]), proofId: context.keep(proofs[0]), proofIds: proofs.map(context.keep) };
      }
    const weighed = semantics === 'exact' && goal ? await probabilities(goal, hypothesis, answers, left(), context, signal) : answers;
    const outcome = semantics === 'exact' && weighed.length > 0 ? 'entailed' : result.outcome;
    const statistics = { derived, rounds: run.rounds, ms: performance.now() - began, ...(goalDirected ? { goalDirected } : {}) };
    return { ...result, outcome, answers: weighed, statistics };
  };

  if (asked) {
    const grounded = await groundIn(new DatabaseWorld(program, prover, declarations, run.complete), asked);
    const at = grounded.outcome === 'entailed' ? database.find(asked) : undefined;
    return finish(groundedResult(grounded, asked, run.limit, context.keep), at ? [at] : []);
  }

  const answers: DeduceAnswer[] = [];
  const rows: Row[] = [];
  let complete = run.complete;
  let limit = run.limit;
  const add = async (at: Row, bindings: Record<string, Term>): Promise<boolean> => {
    signal?.throwIfAborted();
    const reached = answers.length >= budget.answers ? 'answers' : performance.now() - began > budget.ms ? 'ms' : undefined;
    if (reached) {
      [complete, limit] = [false, reached];
      return false;
    }
    answers.push(toAnswer(await prover.hold(at), bindings, context.keep));
    rows.push(at);
    return true;
  };
  if (goal) {
    for (const at of readable ?? goalRows(goal, database)) if (!(await add(at, goalBindings(goal, database.triple(at.slot, at.row))))) break;
  } else {
    const given = new Set(hypothesis.rules.map(({ id }) => id));
    const everything = given.size === 0 && hypothesis.facts.length === 0;
    listing: for (const slot of program.derived)
      for (let row = 0; row < slot.table.count; row++) {
        if (slot.table.rules[row] < 0) continue;
        const byGiven = given.has(rules[slot.table.rules[row]].id);
        if (!everything && !byGiven && hypothesis.derivedAlready(database.triple(slot, row))) continue;
        if (!(await add({ slot, row }, {}))) break listing;
      }
  }
  return finish({ outcome: answers.length > 0 ? 'entailed' : 'not_entailed', answers, complete, ...(complete ? {} : { limit }) }, rows);
}

/** Does a triple match the goal? */
export const answersGoal = (goal: Atom, triple: Triple): boolean =>
  goal.relation === triple.relation &&
  (goal.negated ?? false) === (triple.negated ?? false) &&
  (goal.subject.kind !== 'entity' || goal.subject.id === triple.subject) &&
  (goal.object.kind === 'variable' || sameTerm(goal.object, triple.object)) &&
  (!sameVariable(goal) || sameTerm(entity(triple.subject), triple.object));
