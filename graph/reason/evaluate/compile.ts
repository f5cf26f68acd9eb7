// Owns how rules become numbers: registers for variables, ids for constants, slots for relations.
// Refuses to know in which order conditions are met.

import type { Term } from '../../terms.ts';
import { groupOf, innerVariables, isAggregate, isAtom, outerVariables } from '../language/body.ts';
import type { Database } from '../tables/database.ts';
import type { AggregateItem, AtomItem, BodyStep, Clause, Computed, InnerItem, Operand, Side } from './plan.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../types.ts';
import { callBuiltin, holds, isTerm } from '../language/values.ts';

/** Conditions of a rule as numbers. Constants are interned, slots created. */
export function compileBody(
  rule: Pick<Rule, 'body'> & Partial<Pick<Rule, 'heads'>>,
  database: Database,
): { readonly body: readonly BodyStep[]; readonly variables: readonly string[] } {
  const frame = new Frame(database);
  const body = compileItems(rule, frame, database);
  return { body, variables: frame.variables };
}
function compileItems(rule: Pick<Rule, 'body'> & Partial<Pick<Rule, 'heads'>>, frame: Frame, database: Database): BodyStep[] {
  // Most rules are atoms alone, and there may be very many.
  if (rule.body.every(isAtom)) return rule.body.map((item) => frame.atom(item));
  const outer = rule.body.some(isAggregate) ? outerVariables({ heads: rule.heads ?? [], body: rule.body }) : NONE;
  const bound = boundByAtoms(rule.body);
  return rule.body.map((item) => (isAtom(item) || item.kind === 'compare' ? frame.item(item, bound) : compileAggregate(item, frame, outer, database)));
}

const NONE: ReadonlySet<string> = new Set();
/** Registers for the variables of one body. */
class Frame {
  readonly #database: Database;
  /** The first of them that count are this body's. */
  #names: readonly string[];
  #count = 0;
  /** `like`: variables of another body, whose list is shared as far as they are the same. */
  constructor(database: Database, like: readonly string[] = []) {
    this.#database = database;
    this.#names = like;
  }
  get variables(): readonly string[] {
    return this.#count === this.#names.length ? this.#names : (this.#names = this.#names.slice(0, this.#count));
  }
  operand(term: RuleTerm): Operand {
    if (term.kind !== 'variable') return ~this.#database.terms.intern(term);
    for (let register = 0; register < this.#count; register++) if (this.#names[register] === term.name) return register;
    if (this.#names[this.#count] !== term.name) this.#names = [...this.#names.slice(0, this.#count), term.name];
    return this.#count++;
  }
  atom({ relation, subject, object, negated, absent }: Atom): AtomItem {
    const slot = this.#database.slotOf(relation, negated);
    return { kind: 'atom', slot, subject: this.operand(subject), object: this.operand(object), absent: absent === true };
  }
  item(item: Atom | Comparison, bound: ReadonlySet<string>): InnerItem {
    if (isAtom(item)) return this.atom(item);
    const { operator, left, right } = item;
    const open = (side: Expression): boolean => side.kind === 'variable' && !bound.has(side.name);
    if (isTerm(left) && isTerm(right) && operator !== 'in' && operator !== 'not in' && !open(left) && !open(right))
      return { kind: 'compare', operator, left: this.operand(left), right: this.operand(right) };
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
  const of = item.of.map((term) => inner.operand(term));
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
/** Compiles the heads of a rule. `like`: a clause whose list of variables can be shared when it is the same. */
export function compileRule(rule: Rule, number: number, database: Database, like?: Clause): Clause[] {
  const frame = new Frame(database, like?.variables);
  const body = compileItems(rule, frame, database);
  const { variables } = frame;
  return rule.heads.map(({ relation, negated, subject, object }) => ({
    rule: number,
    confidence: rule.confidence ?? 1,
    head: { slot: database.slotOf(relation, negated), subject: frame.operand(subject), object: frame.operand(object) },
    checkSubject: subject.kind === 'variable' && !isSubject(subject.name, rule.body),
    body,
    variables,
  }));
}
/** Is it the subject of an atom, and so no literal? */
function isSubject(name: string, body: readonly BodyItem[]): boolean {
  for (const item of body) if (isAtom(item) && !item.absent && item.subject.kind === 'variable' && item.subject.name === name) return true;
  return false;
}
