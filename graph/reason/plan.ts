// Owns how one rule becomes numbers: registers for variables, and the order in which its conditions are met.
// Refuses to know when a plan runs and what happens to what it finds.

import type { Term } from '../terms.ts';
import { isAggregate, isAtom, outerVariables, groupOf, innerVariables } from './body.ts';
import type { Database, Slot } from './database.ts';
import { signed } from './database.ts';
import type { PlainOperator } from './interner.ts';
import type { Aggregate, AggregateFunction, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from './types.ts';
import { callBuiltin, holds, isTerm } from './values.ts';

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

/** Conditions of a rule as numbers, and the operand of any of its terms. Constants are interned, slots created. */
export function compileBody(
  rule: Pick<Rule, 'body'> & Partial<Pick<Rule, 'heads'>>,
  database: Database,
): { readonly body: readonly BodyStep[]; readonly variables: readonly string[]; readonly operand: (term: RuleTerm) => Operand } {
  const frame = new Frame(database);
  const outer = rule.body.some(isAggregate) ? outerVariables({ heads: rule.heads ?? [], body: rule.body }) : NONE;
  const bound = boundByAtoms(rule.body);
  const body = rule.body.map((item): BodyStep =>
    isAtom(item) || item.kind === 'compare' ? frame.item(item, bound) : compileAggregate(item, frame, outer, database),
  );
  return { body, variables: frame.variables, operand: frame.operand };
}

const NONE: ReadonlySet<string> = new Set();
/** Registers for the variables of one body. */
class Frame {
  readonly variables: string[] = [];
  readonly #database: Database;
  constructor(database: Database) {
    this.#database = database;
  }
  readonly operand = (term: RuleTerm): Operand => {
    if (term.kind !== 'variable') return ~this.#database.terms.intern(term);
    const register = this.variables.indexOf(term.name);
    return register < 0 ? this.variables.push(term.name) - 1 : register;
  };
  item(item: Atom | Comparison, bound: ReadonlySet<string>): InnerItem {
    const { operand } = this;
    if (isAtom(item))
      return { kind: 'atom', slot: slotOf(item, this.#database), subject: operand(item.subject), object: operand(item.object), absent: item.absent === true };
    const { operator, left, right } = item;
    const open = (side: Expression): boolean => side.kind === 'variable' && !bound.has(side.name);
    if (isTerm(left) && isTerm(right) && operator !== 'in' && operator !== 'not in' && !open(left) && !open(right))
      return { kind: 'compare', operator, left: operand(left), right: operand(right) };
    const lookup = (registers: Int32Array) => (name: string) => this.#database.terms.term(registers[this.variables.indexOf(name)]);
    const sides = [this.#side(left), this.#side(right)] as const;
    return { kind: 'test', assigns: operator === '=', left: sides[0], right: sides[1], holds: (registers) => holds(item, lookup(registers)) };
  }
  #side(expression: Expression): Side {
    const reads = new Set<number>();
    const compile = (part: Expression): Computed => {
      if (part.kind === 'list') return () => undefined;
      if (part.kind === 'call') {
        const values = part.arguments.map(compile);
        return (registers) => {
          const found: Term[] = [];
          for (const value of values) {
            const term = value(registers);
            if (term === undefined) return undefined;
            found.push(term);
          }
          return callBuiltin(part.function, found);
        };
      }
      if (part.kind !== 'variable') return () => part;
      const register = this.operand(part);
      reads.add(register);
      const { terms } = this.#database;
      return (registers) => terms.term(registers[register]);
    };
    const compute = compile(expression);
    return { reads: [...reads], register: expression.kind === 'variable' ? this.operand(expression) : -1, compute };
  }
}
const boundByAtoms = (body: readonly BodyItem[]): Set<string> =>
  new Set(
    body.flatMap((item) => (isAtom(item) && !item.absent ? [item.subject, item.object].flatMap((term) => (term.kind === 'variable' ? [term.name] : [])) : [])),
  );

function compileAggregate(item: Aggregate, frame: Frame, outer: ReadonlySet<string>, database: Database): AggregateItem {
  const inner = new Frame(database);
  const group = groupOf(item, outer);
  for (const name of group) inner.operand({ kind: 'variable', name });
  const bound = boundByAtoms(item.body);
  for (const name of group) bound.add(name);
  const body = item.body.map((each) => inner.item(each, bound));
  const of = item.of.map(inner.operand);
  const own = [...innerVariables(item)].filter((name) => !outer.has(name));
  // Counted are different values; for the others, every way to bind the named variables has its value.
  const taken = (name: string): boolean => item.of.some((term) => term.kind === 'variable' && term.name === name);
  const keys = own.filter((name) => taken(name) || (item.function !== 'count' && !name.startsWith('_')));
  return {
    kind: 'aggregate',
    function: item.function,
    result: frame.operand(item.result),
    group: group.map((name) => frame.operand({ kind: 'variable', name })),
    body,
    variables: inner.variables,
    of,
    distinct: keys.length === own.length ? undefined : keys.map((name) => inner.variables.indexOf(name)),
  };
}
const slotOf = (atom: Atom, database: Database): Slot => database.slot(signed(atom.relation, atom.negated));

/** Compiles the heads of a rule. */
export function compileRule(rule: Rule, number: number, database: Database): Clause[] {
  const { body, variables, operand } = compileBody(rule, database);
  const entities = new Set<string>();
  for (const item of rule.body) if (isAtom(item) && !item.absent && item.subject.kind === 'variable') entities.add(item.subject.name);
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
export function orderBody(clause: { readonly body: readonly BodyStep[] }, lead: number, given: Iterable<number>, derived: ReadonlySet<Slot>): Step[] {
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
