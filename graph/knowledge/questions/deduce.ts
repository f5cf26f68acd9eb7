// Owns reading answers to one question from what was derived for it: bindings, confidences by the semantics asked for, proofs, the time in which they hold.
// Refuses to know how anything is derived. Nothing here is written.

import type { Term } from '../../terms.ts';
import type { Row } from '../../reason/tables/database.ts';
import type { Atom, Budget } from '../../reason/types.ts';
import { toAnswer, validityOf } from '../worlds/answers.ts';
import type { Reading } from '../worlds/answers.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { deduceGround } from './deduce-ground.ts';
import { goalBindings, goalRows, groundGoal } from '../worlds/goals.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis, Wanted } from '../worlds/hypothesis.ts';
import { Turns } from '../common/turns.ts';
import type { DeduceAnswer, DeduceResult } from '../common/types.ts';
import { probabilities, weigh } from './uncertainty.ts';
import { Prover } from '../worlds/world.ts';
import type { Held } from '../worlds/world.ts';

/** Derives what the goal needs (all, without goal) from the base with the hypotheses, and reads the answers. Throws RuleError, KnowledgeError `too_large`, and the signal's reason. */
export async function deduceHypothetically(
  goal: Atom | undefined,
  hypothesis: Hypothesis,
  reading: Reading,
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<DeduceResult> {
  const asked = goal && groundGoal(goal);
  if (asked) return deduceGround(asked, hypothesis, reading, context, signal);
  const began = performance.now();
  const { budget, semantics } = reading;
  const allDerivations = semantics !== 'best' || reading.proofs > 1;
  const wanted: Wanted = goal ? { goals: [goal], allDerivations, oneByOne: true } : {};
  const { program, run, goalDirected, derived, answers: readable, tellings } = await derive(hypothesis, wanted, budget, context.reader, context.now, signal);
  const { database, rules } = program;
  const prover = new Prover(program, context.reader, context.proofs, tellings, { until: began + budget.ms, settled: run.complete });
  const turns = new Turns();
  const left = (): Budget => ({ ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  const finish = async (result: Omit<DeduceResult, 'statistics'>, rows: readonly Row[]): Promise<DeduceResult> => {
    const answers = [...result.answers];
    if (semantics !== 'best' && rows.length > 0 && semantics !== 'exact') {
      const confidences = await weigh({ program, tellings }, rows, semantics, left(), signal);
      confidences.forEach((confidence, i) => (answers[i] = { ...answers[i], confidence }));
    }
    if (reading.proofs > 1)
      for (let i = 0; i < rows.length; i++) {
        signal?.throwIfAborted();
        await turns.give();
        if (left().ms === 0) {
          result = { ...result, complete: false, limit: 'ms' };
          break;
        }
        const { proofs, late } = await prover.alternatives(rows[i], reading.proofs, left(), signal);
        if (late) result = { ...result, complete: false, limit: result.limit ?? 'ms' };
        if (proofs.length > 0) answers[i] = { ...answers[i], ...validityOf(proofs[0]), proofId: context.keep(proofs[0]), proofIds: proofs.map(context.keep) };
      }
    const weighed = semantics === 'exact' && goal ? await probabilities(goal, hypothesis, answers, left(), context, signal) : answers;
    const outcome = semantics === 'exact' && weighed.length > 0 ? 'entailed' : result.outcome;
    const statistics = { derived, rounds: run.rounds, ms: performance.now() - began, ...(goalDirected ? { goalDirected } : {}) };
    return { ...result, outcome, answers: weighed, statistics };
  };

  const answers: DeduceAnswer[] = [];
  const rows: Row[] = [];
  let complete = run.complete;
  let limit = run.limit;
  const add = async (held: () => Promise<Held>, bindings: Record<string, Term>): Promise<boolean> => {
    signal?.throwIfAborted();
    await turns.give();
    const reached = answers.length >= budget.answers ? 'answers' : performance.now() - began > budget.ms ? 'ms' : undefined;
    if (reached) {
      [complete, limit] = [false, reached];
      return false;
    }
    answers.push(toAnswer(await held(), bindings, context.keep));
    if (prover.late) [complete, limit] = [false, limit ?? 'ms'];
    return true;
  };
  const addRow = async (at: Row, bindings: Record<string, Term>): Promise<boolean> => {
    const added = await add(() => prover.hold(at), bindings);
    if (added) rows.push(at);
    return added;
  };
  if (goal && readable) {
    for (const answer of readable) if (!(await add(() => prover.follow(answer), goalBindings(goal, answer.triple)))) break;
  } else if (goal) {
    for (const at of goalRows(goal, database)) if (!(await addRow(at, goalBindings(goal, database.triple(at.slot, at.row))))) break;
  } else {
    const given = new Set(hypothesis.rules.map(({ id }) => id));
    const everything = given.size === 0 && hypothesis.facts.length === 0;
    listing: for (const slot of program.derived)
      for (let row = 0; row < slot.table.count; row++) {
        if (slot.table.rules[row] < 0) continue;
        const byGiven = given.has(rules[slot.table.rules[row]].id);
        if (!everything && !byGiven && hypothesis.derivedAlready(database.triple(slot, row))) continue;
        if (!(await addRow({ slot, row }, {}))) break listing;
      }
  }
  return finish({ outcome: answers.length > 0 ? 'entailed' : 'not_entailed', answers, complete, ...(complete ? {} : { limit }) }, rows);
}
