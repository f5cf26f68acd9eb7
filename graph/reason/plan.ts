// Owns how one rule becomes numbers: registers for variables, and the order in which its conditions are met.
// Refuses to know when a plan runs and what happens to what it finds.

import type { Database, Slot } from './database.ts';
import { signed } from './database.ts';
import { isComparison } from './print.ts';
import type { Atom, Comparison, Rule, RuleTerm } from './types.ts';

/** A register (0 and above) or `~id` of a constant term. */
export type Operand = number;

export interface AtomItem {
  readonly kind: 'atom';
  readonly slot: Slot;
  readonly subject: Operand;
  readonly object: Operand;
  readonly absent: boolean;
}
export interface CompareItem {
  readonly kind: 'compare';
  readonly operator: Comparison['operator'];
  readonly left: Operand;
  readonly right: Operand;
}
/** One head of one rule. A rule of several heads becomes as many clauses with one number. */
export interface Clause {
  /** Number of the rule in its program. */
  readonly rule: number;
  readonly confidence: number;
  readonly head: { readonly slot: Slot; readonly subject: Operand; readonly object: Operand };
  /** The head's subject could be a literal, which derives nothing. */
  readonly checkSubject: boolean;
  readonly body: readonly (AtomItem | CompareItem)[];
  /** Variable of each register. */
  readonly variables: readonly string[];
}

export const SUBJECT = 0;
export const OBJECT = 1;
export const PROBE = 2;
export const ALL = 3;
export const ABSENT = 4;
export const COMPARE = 5;
/** How one condition is met, given what is bound before it. */
export interface Step {
  /** SUBJECT: walk the rows of a subject; OBJECT: of an object; PROBE: look the pair up; ALL: every row; ABSENT: the pair must not be there; COMPARE. */
  readonly op: number;
  /** Place of the condition in the rule's body. */
  readonly position: number;
  readonly slot: Slot | undefined;
  /** Subject or left side: an operand that is bound, or the register to fill. */
  readonly subject: Operand;
  readonly object: Operand;
  readonly operator: Comparison['operator'];
  /** ALL only: subject and object are one variable. */
  readonly same: boolean;
}

/** Conditions of a rule as numbers, and the operand of any of its terms. Constants are interned, slots created. */
export function compileBody(
  rule: Pick<Rule, 'body'>,
  database: Database,
): { readonly body: readonly (AtomItem | CompareItem)[]; readonly variables: readonly string[]; readonly operand: (term: RuleTerm) => Operand } {
  const variables: string[] = [];
  const operand = (term: RuleTerm): Operand => {
    if (term.kind !== 'variable') return ~database.terms.intern(term);
    const register = variables.indexOf(term.name);
    return register < 0 ? variables.push(term.name) - 1 : register;
  };
  const body = rule.body.map((item): AtomItem | CompareItem =>
    isComparison(item)
      ? { kind: 'compare', operator: item.operator, left: operand(item.left), right: operand(item.right) }
      : { kind: 'atom', slot: slotOf(item, database), subject: operand(item.subject), object: operand(item.object), absent: item.absent === true },
  );
  return { body, variables, operand };
}
const slotOf = (atom: Atom, database: Database): Slot => database.slot(signed(atom.relation, atom.negated));

/** Compiles the heads of a rule. */
export function compileRule(rule: Rule, number: number, database: Database): Clause[] {
  const { body, variables, operand } = compileBody(rule, database);
  const entities = new Set<string>();
  for (const item of rule.body) if (!isComparison(item) && !item.absent && item.subject.kind === 'variable') entities.add(item.subject.name);
  return rule.heads.map((head) => ({
    rule: number,
    confidence: rule.confidence ?? 1,
    head: { slot: slotOf(head, database), subject: operand(head.subject), object: operand(head.object) },
    checkSubject: head.subject.kind === 'variable' && !entities.has(head.subject.name),
    body,
    variables,
  }));
}

/** Rows that meeting a condition first would touch, by the size of its table; relations that rules derive count as large. */
function cost(item: AtomItem, bound: ReadonlySet<number>, derived: ReadonlySet<Slot>): number {
  const size = Math.max(item.slot.table.count, derived.has(item.slot) ? 1_000_000 : 0);
  const subject = item.subject < 0 || bound.has(item.subject);
  const object = item.object < 0 || bound.has(item.object);
  if (subject && object) return 0;
  // Relations lead from a subject to few objects more often than back.
  if (subject) return Math.sqrt(size);
  if (object) return Math.sqrt(size) * 1.5;
  return size + 1;
}

/** Place of the condition that is best met first when all rows of all conditions are new; -1 when there is none to walk. */
export function bestLead(clause: Clause, derived: ReadonlySet<Slot>): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  const none = new Set<number>();
  clause.body.forEach((item, i) => {
    if (item.kind !== 'atom' || item.absent) return;
    const touched = cost(item, none, derived);
    if (touched < least) [best, least] = [i, touched];
  });
  return best;
}

/** Order in which to meet the conditions of a body other than `lead` (-1: none), when the registers in `given` are bound. Greedy: filters as soon as they can be decided, then least cost. */
export function orderBody(clause: Pick<Clause, 'body'>, lead: number, given: Iterable<number>, derived: ReadonlySet<Slot>): Step[] {
  const bound = new Set(given);
  const bind = (operand: Operand): void => {
    if (operand >= 0) bound.add(operand);
  };
  const isBound = (operand: Operand): boolean => operand < 0 || bound.has(operand);
  const left = new Set(clause.body.keys());
  if (lead >= 0) {
    const item = clause.body[lead] as AtomItem;
    bind(item.subject);
    bind(item.object);
    left.delete(lead);
  }
  const steps: Step[] = [];
  while (left.size > 0) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const i of left) {
      const item = clause.body[i];
      let touched: number;
      if (item.kind === 'compare') touched = isBound(item.left) && isBound(item.right) ? -2 : Number.POSITIVE_INFINITY;
      else if (item.absent) touched = isBound(item.subject) && isBound(item.object) ? -1 : Number.POSITIVE_INFINITY;
      else touched = cost(item, bound, derived);
      if (touched < least) [best, least] = [i, touched];
    }
    const item = clause.body[best];
    left.delete(best);
    if (item.kind === 'compare') {
      steps.push({ op: COMPARE, position: best, slot: undefined, subject: item.left, object: item.right, operator: item.operator, same: false });
      continue;
    }
    const { slot, subject, object } = item;
    const op = item.absent ? ABSENT : isBound(subject) ? (isBound(object) ? PROBE : SUBJECT) : isBound(object) ? OBJECT : ALL;
    steps.push({ op, position: best, slot, subject, object, operator: '=', same: op === ALL && subject === object });
    bind(subject);
    bind(object);
  }
  return steps;
}
