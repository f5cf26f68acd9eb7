// Owns what a compiled rule is, and the order in which its conditions are met, by what the tables hold.
// Refuses to know how rules are compiled, when a plan runs and what happens to what it finds.

import type { Term } from '../../terms.ts';
import type { Slot } from '../tables/database.ts';
import type { PlainOperator } from '../tables/interner.ts';
import { spreads } from '../tables/statistics.ts';
import type { AggregateFunction } from '../types.ts';

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
  readonly operator: PlainOperator;
  readonly left: Operand;
  readonly right: Operand;
}
/** Value of an expression, when its registers are filled. */
export type Computed = (registers: Int32Array) => Term | undefined;
export interface Side {
  /** Registers that it reads. */
  readonly reads: readonly number[];
  /** It is this register alone; -1 when it is not. */
  readonly register: number;
  readonly compute: Computed;
}
/** A comparison with functions in it, or one that gives a variable its value. */
export interface TestItem {
  readonly kind: 'test';
  readonly assigns: boolean;
  readonly left: Side;
  readonly right: Side;
  readonly holds: (registers: Int32Array) => boolean;
}
/** An aggregate: a body of its own with registers of its own, the first of which take the group's values. */
export interface AggregateItem {
  readonly kind: 'aggregate';
  readonly function: AggregateFunction;
  readonly result: Operand;
  /** Registers of the rule that hold the group. */
  readonly group: readonly number[];
  readonly body: readonly InnerItem[];
  /** Variables of the inner registers; the group's come first. */
  readonly variables: readonly string[];
  readonly of: readonly Operand[];
  /** Inner registers by which ways to meet the body are told apart; undefined when every way counts. */
  readonly distinct: readonly number[] | undefined;
}
export type InnerItem = AtomItem | CompareItem | TestItem;
export type BodyStep = InnerItem | AggregateItem;
/** One head of one rule. A rule of several heads becomes as many clauses with one number. */
export interface Clause {
  /** Number of the rule in its program. */
  readonly rule: number;
  readonly confidence: number;
  readonly head: { readonly slot: Slot; readonly subject: Operand; readonly object: Operand };
  /** The head's subject could be a literal, which derives nothing. */
  readonly checkSubject: boolean;
  readonly body: readonly BodyStep[];
  /** Variable of each register. */
  readonly variables: readonly string[];
}

export const SUBJECT = 0;
export const OBJECT = 1;
export const PROBE = 2;
export const ALL = 3;
export const ABSENT = 4;
export const COMPARE = 5;
export const TEST = 6;
export const ASSIGN = 7;
export const AGGREGATE = 8;
/** How one condition is met, given what is bound before it. */
export interface Step {
  /** SUBJECT: walk the rows of a subject; OBJECT: of an object; PROBE: look the pair up; ALL: every row; ABSENT: the pair must not be there; COMPARE: two terms; TEST: a comparison with functions; ASSIGN: `compute` fills the register `subject`; AGGREGATE: fills or tests the operand `subject`. */
  readonly op: number;
  /** Place of the condition in the rule's body. */
  readonly position: number;
  readonly slot: Slot | undefined;
  /** Subject or left side: an operand that is bound, or the register to fill. */
  readonly subject: Operand;
  readonly object: Operand;
  readonly operator: PlainOperator;
  /** ALL only: subject and object are one variable. */
  readonly same: boolean;
  readonly test?: TestItem;
  readonly compute?: Computed;
  readonly aggregate?: AggregateItem;
}

/** Rows of a relation that rules derive, as long as nothing is known of them. */
const UNKNOWN = 1_000;
/** How much a relation that rules derive may grow behind a value that is bound. */
const GROWTH = 4;
/** Rows that meeting a condition would touch, by the rows that its table has now. Relations that rules derive will have more. */
function cost({ slot, subject: s, object: o }: AtomItem, bound: ReadonlySet<number>, derived: ReadonlySet<Slot>): number {
  const subject = s < 0 || bound.has(s);
  const object = o < 0 || bound.has(o);
  if (subject && object) return 0;
  const { table } = slot;
  const grows = derived.has(slot);
  if (!subject && !object) return (grows ? Math.max(table.count, 1_000_000) : table.count) + 1;
  if (table.count === 0) return grows ? UNKNOWN : 0;
  const { subjects, objects } = spreads(table);
  const [spread, operand] = subject ? [subjects, s] : [objects, o];
  // A class that rules derive may come to hold most things, however few are told; what is bound by another condition is one of many.
  if (operand < 0) return grows ? Math.max(spread.of(~operand), spread.average, UNKNOWN) : spread.of(~operand);
  return grows ? spread.average * GROWTH : spread.average;
}

/** Place of the condition that is best met first when all rows of all conditions are new; -1 when there is none to walk. */
export function bestLead(clause: Clause, derived: ReadonlySet<Slot>): number {
  if (clause.body.length === 1) return clause.body[0].kind === 'atom' && !clause.body[0].absent ? 0 : -1;
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
export function orderBody(clause: { readonly body: readonly BodyStep[] }, lead: number, given: Iterable<number>, derived: ReadonlySet<Slot>): Step[] {
  if (lead === 0 && clause.body.length === 1) return [];
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
      if (item.kind === 'compare') touched = isBound(item.left) && isBound(item.right) ? -3 : Number.POSITIVE_INFINITY;
      else if (item.kind === 'test') touched = target(item, bound) === undefined ? Number.POSITIVE_INFINITY : -2;
      // Each group is computed once, but that may take long.
      else if (item.kind === 'aggregate') touched = item.group.every((register) => bound.has(register)) ? 0.5 : Number.POSITIVE_INFINITY;
      else if (item.absent) touched = isBound(item.subject) && isBound(item.object) ? -1 : Number.POSITIVE_INFINITY;
      else touched = cost(item, bound, derived);
      if (touched < least) [best, least] = [i, touched];
    }
    if (best < 0) throw new TypeError('a condition waits for a value that nothing gives');
    const item = clause.body[best];
    left.delete(best);
    const plain = { position: best, slot: undefined, operator: '=' as const, same: false };
    if (item.kind === 'compare') {
      steps.push({ ...plain, op: COMPARE, subject: item.left, object: item.right, operator: item.operator });
      continue;
    }
    if (item.kind === 'test') {
      const side = target(item, bound);
      if (side === TESTED || side === undefined) steps.push({ ...plain, op: TEST, subject: 0, object: 0, test: item });
      else {
        steps.push({ ...plain, op: ASSIGN, subject: side.register, object: 0, compute: (side === item.left ? item.right : item.left).compute });
        bind(side.register);
      }
      continue;
    }
    if (item.kind === 'aggregate') {
      steps.push({ ...plain, op: AGGREGATE, subject: item.result, object: isBound(item.result) ? 1 : 0, aggregate: item });
      bind(item.result);
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

const TESTED = 'tested';
/** The side that a comparison gives its value; TESTED when both sides have one; undefined when it must wait. */
function target(item: TestItem, bound: ReadonlySet<number>): Side | typeof TESTED | undefined {
  const known = (side: Side): boolean => side.reads.every((register) => bound.has(register));
  if (known(item.left) && known(item.right)) return TESTED;
  if (!item.assigns) return undefined;
  if (item.left.register >= 0 && known(item.right)) return item.left;
  if (item.right.register >= 0 && known(item.left)) return item.right;
  return undefined;
}
