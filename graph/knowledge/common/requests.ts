// Owns what a request to the knowledge graph must keep to before any base is read.
// Refuses to know bases and answers.

import type { Fact, Statement, TriplePattern } from '../../terms.ts';
import { TermError } from '../../terms.ts';
import { inField } from '../../reason/errors.ts';
import { timeOf } from '../../reason/tables/interner.ts';
import { parseGoal } from '../../reason/language/parse.ts';
import type { Atom, Budget } from '../../reason/types.ts';
import { KnowledgeError } from './types.ts';

/** Throws TermError for a confidence or a validity that cannot be. */
export function checkStatement({ confidence, validFrom, validTo }: Statement | Fact): void {
  if (confidence !== undefined && !(confidence > 0 && confidence <= 1))
    throw new TermError('invalid_confidence', `confidence ${confidence} is out of range; it must be above 0 and at most 1`);
  const [from, to] = [validFrom, validTo].map((time) => (time === undefined ? undefined : timeOf(time)));
  if (from !== undefined && to !== undefined && !(from < to))
    throw new TermError('invalid_time', `a fact cannot be true from ${validFrom} until ${validTo}; the end must be later`);
}
export function checkSupposed(facts: readonly Statement[], removed: readonly TriplePattern[], validAt: string | undefined): void {
  for (const fact of facts) checkStatement(fact);
  for (const { subject, relation, object } of removed)
    if (subject === undefined && relation === undefined && object === undefined)
      throw new KnowledgeError('invalid_request', 'a pattern of facts to think away is empty; give a subject, relation or object');
  if (validAt !== undefined) timeOf(validAt);
}
/** The goal as an atom. Throws RuleError for text that is none, KnowledgeError for one that cannot be asked. */
export function goalOf(goal: string | Atom | undefined): Atom | undefined {
  const atom = typeof goal === 'string' ? inField('goal', () => parseGoal(goal)) : goal;
  if (atom) checkGoal(atom);
  return atom;
}
export function checkBudget(budget: Budget): void {
  for (const key of ['answers', 'facts', 'ms', 'depth'] as const)
    if (!(budget[key] > 0))
      throw new KnowledgeError('invalid_request', `the limit ${key} is ${budget[key]}; give a number above 0`, { field: `limits.${key}` });
}
function checkGoal(goal: Atom): void {
  if (goal.absent) throw new KnowledgeError('invalid_request', 'a goal cannot be "not p(..)"; ask for p(..) and look at the outcome', { field: 'goal' });
  if (goal.subject.kind === 'literal')
    throw new KnowledgeError('invalid_request', 'the subject of a goal is a variable or an entity, never a literal', { field: 'goal' });
}
