// Owns the rules as the search reads them: numbers for terms and variables, and what assuming facts can change.
// Refuses to know how rules are searched and evaluated.

import type { Term } from '../terms.ts';
import { groupOf, isAggregate, isAtom, itemVariables, outerVariables, sidesOf, variablesOf } from '../reason/language/body.ts';
import { Database, signed } from '../reason/tables/database.ts';
import type { Slot } from '../reason/tables/database.ts';
import { aggregateValue, aggregating } from '../reason/evaluate/join.ts';
import { compileBody } from '../reason/evaluate/compile.ts';
import { pauses } from '../reason/evaluate/run.ts';
import type { AggregateItem, AtomItem, InnerItem, Operand } from '../reason/evaluate/plan.ts';
import { STORED } from '../reason/tables/table.ts';
import type { Comparison, Expression, Rule, RuleTerm } from '../reason/types.ts';
import { evaluate, holds } from '../reason/language/values.ts';
import type { Assumables } from './assumable.ts';

export interface FilterItem {
  readonly kind: 'filter';
  readonly comparison: Comparison;
  /** Registers of all its variables. */
  readonly needs: readonly number[];
  /** Readings as an assignment: the register that gets the value, what gives it, and the registers that needs. */
  readonly assigns: readonly { readonly register: number; readonly from: Expression; readonly needs: readonly number[] }[];
}
/** A value computed from all ways to meet a body of its own. */
export interface GroupItem {
  readonly kind: 'group';
  readonly aggregate: AggregateItem;
  /** Registers whose values the body is given. */
  readonly given: readonly number[];
  readonly result: Operand;
  /** The body; its first registers take what is given. */
  readonly body: Clause;
  /** Registers of the body by which ways to meet it are told apart. */
  readonly distinct: readonly number[];
  /** What is counted or added up. */
  readonly of: readonly Operand[];
  /** Assumptions can change what the body meets. */
  affected: boolean;
}
export type Item = AtomItem | FilterItem | GroupItem;
/** A body, with the head that it gives unless it is what is asked. */
export interface Clause {
  readonly variables: readonly string[];
  readonly items: readonly Item[];
  readonly head?: { readonly slot: Slot; readonly subject: Operand; readonly object: Operand };
}

/** Ground atoms by number. */
export class Atoms {
  readonly #slots = new Map<Slot, number>();
  readonly #ids = new Map<string, number>();
  readonly #atoms: { readonly slot: Slot; readonly subject: number; readonly object: number }[] = [];
  id(slot: Slot, subject: number, object: number): number {
    let number = this.#slots.get(slot);
    if (number === undefined) this.#slots.set(slot, (number = this.#slots.size));
    const key = `${number},${subject},${object}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      this.#ids.set(key, (id = this.#atoms.length));
      this.#atoms.push({ slot, subject, object });
    }
    return id;
  }
  get(id: number): { readonly slot: Slot; readonly subject: number; readonly object: number } {
    return this.#atoms[id];
  }
}

export class Model {
  readonly database: Database;
  readonly assumables: Assumables;
  readonly atoms = new Atoms();
  /** Relations that assumptions can change. What others hold is final. */
  readonly affected = new Set<Slot>();
  /** Affected relations from which assumptions can take something away: a `not` is on the way. */
  readonly #shifting = new Set<Slot>();
  readonly #clauses = new Map<Slot, Clause[]>();

  constructor(rules: readonly Rule[], database: Database, assumables: Assumables) {
    this.database = database;
    this.assumables = assumables;
    const clauses: { readonly head: Slot; readonly clause: Clause }[] = [];
    for (const rule of rules)
      for (const clause of this.#compile(rule)) {
        const { slot } = clause.head as NonNullable<Clause['head']>;
        clauses.push({ head: slot, clause });
        const list = this.#clauses.get(slot);
        if (list) list.push(clause);
        else this.#clauses.set(slot, [clause]);
      }
    for (const slot of assumables.slots()) this.affected.add(slot);
    spread(this.affected, clauses, (clause) => atomsIn(clause).some(({ slot }) => this.affected.has(slot)));
    for (const { clause } of clauses)
      for (const item of clause.items) if (item.kind === 'group') item.affected = atomsIn(item.body).some(({ slot }) => this.affected.has(slot));
    spread(this.#shifting, clauses, (clause) =>
      clause.items.some((item) =>
        item.kind === 'group' ? item.affected : item.kind === 'atom' && (this.#shifting.has(item.slot) || (item.absent && this.affected.has(item.slot))),
      ),
    );
  }
  /** What is asked, as a clause without head. */
  question(body: Rule['body']): Clause {
    return this.#body({ heads: [], body }).clause;
  }
  clauses(slot: Slot): readonly Clause[] {
    return this.#clauses.get(slot) ?? [];
  }
  /** Does it hold before anything is assumed, and whatever is assumed? */
  certain(slot: Slot, subject: number, object: number): boolean {
    const row = slot.table.find(subject, object);
    return row >= 0 && this.lasting(slot, row);
  }
  /** Does this row stay, whatever is assumed? */
  lasting(slot: Slot, row: number): boolean {
    return slot.table.rules[row] < 0 || !this.#shifting.has(slot);
  }

  #compile(rule: Rule): Clause[] {
    const { clause, operand } = this.#body(rule);
    return rule.heads.map((head) => ({
      ...clause,
      head: { slot: this.database.slot(signed(head.relation, head.negated)), subject: operand(head.subject), object: operand(head.object) },
    }));
  }
  #body(rule: Pick<Rule, 'heads' | 'body'>, first: readonly string[] = []): { readonly clause: Clause; readonly operand: (term: RuleTerm) => Operand } {
    const outer = outerVariables(rule);
    const variables = [...new Set([...first, ...outer])];
    const operand = (term: RuleTerm): Operand => (term.kind === 'variable' ? variables.indexOf(term.name) : ~this.database.terms.intern(term));
    const registers = (names: Iterable<string>): number[] => [...new Set(names)].map((name) => variables.indexOf(name));
    const items = rule.body.map((item, i): Item => {
      if (isAtom(item))
        return {
          kind: 'atom',
          slot: this.database.slot(signed(item.relation, item.negated)),
          subject: operand(item.subject),
          object: operand(item.object),
          absent: item.absent === true,
        };
      if (isAggregate(item)) {
        // Which values count is decided in one place, for all who count.
        const aggregate = compileBody(rule, this.database).body[i] as AggregateItem;
        const given = groupOf(item, outer);
        const inner = this.#body({ heads: [], body: item.body }, given);
        const own = inner.clause.variables.slice(given.length);
        const names = aggregate.distinct?.map((register) => aggregate.variables[register]) ?? own;
        return {
          kind: 'group',
          aggregate,
          given: registers(given),
          result: operand(item.result),
          body: inner.clause,
          distinct: names.map((name) => inner.clause.variables.indexOf(name)),
          of: item.of.map(inner.operand),
          affected: false,
        };
      }
      const assigns = sidesOf(item).flatMap(([side, from]) =>
        side.kind === 'variable' ? [{ register: variables.indexOf(side.name), from, needs: registers(variablesOf(from)) }] : [],
      );
      return { kind: 'filter', comparison: item, needs: registers(itemVariables(item)), assigns };
    });
    return { clause: { variables, items }, operand };
  }

  /** Value of an aggregate that assumptions do not change, or -1. Yields now and then. */
  *aggregating({ aggregate, given }: GroupItem, registers: Int32Array): Generator<void, number> {
    const group = given.map((register) => registers[register]);
    const value = yield* aggregating(this.database, aggregate, group, pauses());
    return value === undefined ? -1 : this.database.terms.intern(value);
  }
  /** Value of an aggregate over these, or -1: one for each member that is told apart. */
  combine({ aggregate }: GroupItem, values: readonly number[]): number {
    // A relation of its own, from a member's number to its value, is what it is computed over.
    const scratch = new Database();
    const slot = scratch.slot('+member');
    values.forEach((value, i) => slot.table.insert(i, scratch.terms.intern(this.database.terms.term(value)), STORED, 0, 1));
    const body: readonly InnerItem[] = [{ kind: 'atom', slot, subject: 0, object: 1, absent: false }];
    const over: AggregateItem = { ...aggregate, group: [], body, variables: ['member', 'value'], of: [1], distinct: undefined };
    const value = aggregateValue(scratch, over, []);
    return value === undefined ? -1 : this.database.terms.intern(value);
  }

  /** Is the comparison met? Every register it needs is bound. */
  meets({ variables }: Clause, { comparison }: FilterItem, registers: Int32Array): boolean {
    return holds(comparison, this.#lookup(variables, registers));
  }
  /** Value of an expression, or -1. */
  value({ variables }: Clause, from: Expression, registers: Int32Array): number {
    const term = evaluate(from, this.#lookup(variables, registers));
    return term === undefined ? -1 : this.database.terms.intern(term);
  }
  #lookup(variables: readonly string[], registers: Int32Array): (name: string) => Term | undefined {
    return (name) => {
      const value = registers[variables.indexOf(name)];
      return value < 0 ? undefined : this.database.terms.term(value);
    };
  }
}

/** Atoms of a clause, those of its aggregates among them. */
const atomsIn = ({ items }: Clause): AtomItem[] => items.flatMap((item) => (item.kind === 'atom' ? [item] : item.kind === 'group' ? atomsIn(item.body) : []));
/** Adds heads to the set until each clause that meets the condition has its head in it. */
function spread(set: Set<Slot>, clauses: readonly { readonly head: Slot; readonly clause: Clause }[], condition: (clause: Clause) => boolean): void {
  for (let before = -1; before !== set.size;) {
    before = set.size;
    for (const { head, clause } of clauses) if (!set.has(head) && condition(clause)) set.add(head);
  }
}
