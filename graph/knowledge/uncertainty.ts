// Owns confidences other than the best proof's: noisy-or, possibility, exact probability, for answers that were derived.
// Refuses to know how answers are found and how functions of facts are counted.

import { atomsOf } from '../reason/body.ts';
import { signed } from '../reason/database.ts';
import type { Row, SignedRelation } from '../reason/database.ts';
import { runSliced } from '../reason/evaluate.ts';
import { Lineage, LINEAGE_LIMITS, LineageTooLarge, relaxed } from '../reason/lineage.ts';
import type { Program } from '../reason/program.ts';
import type { Atom, Budget, Rule } from '../reason/types.ts';
import { tripleKey } from '../terms.ts';
import { goalBindings, goalRows } from './deduce.ts';
import type { DeduceContext } from './deduce.ts';
import { derive, relevantRules } from './hypothesis.ts';
import type { Hypothesis } from './hypothesis.ts';
import { KnowledgeError } from './types.ts';
import type { DeduceAnswer } from './types.ts';

async function sized<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LineageTooLarge)) throw error;
    throw new KnowledgeError('too_large', `${error.message}; ask for fewer answers, a narrower goal, or the semantics "best"`, { cause: error });
  }
}

/** Confidences of rows of one derivation, in order. Throws KnowledgeError `too_large`. */
export const weigh = (program: Program, rows: readonly Row[], semantics: 'noisy_or' | 'possibility', budget: Budget, signal?: AbortSignal): Promise<number[]> =>
  sized(async () => {
    const lineage = await runSliced(Lineage.of(program, rows, { ...LINEAGE_LIMITS, ms: budget.ms }), signal);
    return runSliced(semantics === 'noisy_or' ? lineage.noisyOr(rows) : lineage.possibilities(rows), signal);
  });

/** The answers with their exact probabilities, and those that hold only in worlds where some fact is missing. Throws KnowledgeError `too_large`. */
export const probabilities = (
  goal: Atom,
  hypothesis: Hypothesis,
  answers: readonly DeduceAnswer[],
  budget: Budget,
  { reader, now }: DeduceContext,
  signal?: AbortSignal,
): Promise<DeduceAnswer[]> =>
  sized(async () => {
    const all = [...hypothesis.standing, ...hypothesis.rules];
    const rules = new Map(relevantRules(all, [signed(goal.relation, goal.negated)]).map((rule) => [rule.id, rule]));
    const relations = new Set<SignedRelation>([signed(goal.relation, goal.negated)]);
    for (const { heads, body } of rules.values()) {
      for (const head of heads) relations.add(signed(head.relation, head.negated));
      for (const { atom } of atomsOf(body)) relations.add(signed(atom.relation, atom.negated));
    }
    const loose: Hypothesis = { ...hypothesis, standing: relaxed([...rules.values()]), rules: [] };
    const { program, run } = await derive(loose, { relations }, budget, reader, now, signal);
    if (!run.complete) throw new LineageTooLarge(`what may hold in some world reached the limit ${run.limit}`);
    const rows: Row[] = [];
    for (const at of goalRows(goal, program.database)) {
      if (rows.length >= budget.answers) throw new LineageTooLarge(`there are more than ${budget.answers} possible answers`);
      rows.push(at);
    }
    const original = program.rules.map(({ id }) => rules.get(id) as Rule);
    const lineage = await runSliced(Lineage.of(program, rows, { ...LINEAGE_LIMITS, ms: budget.ms }, original), signal);
    const found = await runSliced(lineage.probabilities(rows), signal);
    const byTriple = new Map(answers.map((answer) => [tripleKey(answer.triple), answer]));
    return rows.flatMap(({ slot, row }, i): DeduceAnswer[] => {
      if (found[i] === 0) return [];
      const triple = program.database.triple(slot, row);
      const known = byTriple.get(tripleKey(triple));
      return [known ? { ...known, confidence: found[i] } : { bindings: goalBindings(goal, triple), triple, confidence: found[i] }];
    });
  });
