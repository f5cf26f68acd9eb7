// Owns what a goal asks for: its values and variables, the rows and triples that match it.
// Refuses to know how answers are derived.

import { entity, sameTerm } from '../../terms.ts';
import type { Term, Triple, TriplePattern } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import type { Database, Row } from '../../reason/tables/database.ts';
import type { Atom, RuleTerm } from '../../reason/types.ts';

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
/** The goal that asks for one triple. */
export const atomOf = ({ subject, relation, object, negated }: Triple): Atom => ({ relation, subject: entity(subject), object, ...(negated ? { negated } : {}) });
/** Facts that may match the goal. */
export const patternOf = ({ subject, relation, object, negated }: Atom): TriplePattern => ({
  relation,
  ...(subject.kind === 'entity' ? { subject: subject.id } : {}),
  ...(object.kind === 'variable' ? {} : { object }),
  ...(negated ? { negated } : {}),
});
/** The goal wants subject and object to be one. */
export const sameVariable = (goal: Atom): boolean =>
  goal.subject.kind === 'variable' && goal.object.kind === 'variable' && goal.subject.name === goal.object.name;
/** Rows that match a goal. */
export function* goalRows(goal: Atom, database: Database): Generator<Row> {
  const slot = database.get(signed(goal.relation, goal.negated));
  if (slot) for (const row of database.rows(slot.key, fixed(goal.subject), fixed(goal.object), sameVariable(goal))) yield { slot, row };
}
/** Does a triple match the goal? */
export const answersGoal = (goal: Atom, triple: Triple): boolean =>
  goal.relation === triple.relation &&
  (goal.negated ?? false) === (triple.negated ?? false) &&
  (goal.subject.kind !== 'entity' || goal.subject.id === triple.subject) &&
  (goal.object.kind === 'variable' || sameTerm(goal.object, triple.object)) &&
  (!sameVariable(goal) || sameTerm(entity(triple.subject), triple.object));
