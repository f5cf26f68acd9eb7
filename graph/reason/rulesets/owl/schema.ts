// Owns the facts of a schema, looked up by relation, and the lists among them.
// Refuses to know what they mean and which rules they become.

import type { RelationName, Term, Triple } from '../../../terms.ts';
import { IS_A, makeRule } from '../../language/print.ts';
import type { Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../../types.ts';

/** An RDF list is a chain of nodes, each with its first member and the list of the others; it ends in EMPTY_LIST. */
export const FIRST = 'first of list';
export const REST = 'rest of list';
export const EMPTY_LIST = 'empty list';
/** Lists with more members are not read. */
const MEMBERS = 10_000;

/** Members that a schema names together, with the fact that says so. */
export interface Listed {
  readonly subject: string;
  readonly members: readonly Term[];
  /** `relation(subject, list)`, or for members given one by one the first of those facts. */
  readonly by: Triple;
}

export class Schema {
  /** Facts by relation, and by class for what is said to be a symmetric property and the like. */
  readonly #by = new Map<string, Triple[]>();
  readonly #first = new Map<string, Term>();
  readonly #rest = new Map<string, string>();

  constructor(facts: Iterable<Triple>) {
    for (const fact of facts) {
      const key = fact.relation === IS_A && fact.object.kind === 'entity' ? fact.object.id : fact.relation;
      const list = this.#by.get(key);
      if (list) list.push(fact);
      else this.#by.set(key, [fact]);
    }
    for (const { subject, object } of this.facts(FIRST)) if (!this.#first.has(subject)) this.#first.set(subject, object);
    for (const [subject, object] of this.pairs(REST)) if (!this.#rest.has(subject)) this.#rest.set(subject, object);
  }

  facts(relation: string): readonly Triple[] {
    return this.#by.get(relation) ?? [];
  }
  /** Names that are said to be of a class. */
  instances(name: string): string[] {
    return this.facts(name).map(({ subject }) => subject);
  }
  /** Pairs of names that are related. */
  *pairs(relation: string): Generator<readonly [string, string]> {
    for (const { subject, object } of this.facts(relation)) if (object.kind === 'entity') yield [subject, object.id];
  }
  /** Values that a name has. */
  values(name: string, relation: string): Term[] {
    return this.facts(relation).flatMap(({ subject, object }) => (subject === name ? [object] : []));
  }
  /** What a relation leads to, by name. */
  grouped(relation: string): Map<string, Term[]> {
    const groups = new Map<string, Term[]>();
    for (const { subject, object } of this.facts(relation)) {
      const group = groups.get(subject);
      if (group) group.push(object);
      else groups.set(subject, [object]);
    }
    return groups;
  }
  /** The lists that a relation leads to. Objects that are no lists are, where `loose`, together one list of their subject; else they are passed over. Empty and broken lists are none. */
  lists(relation: string, loose: boolean): Listed[] {
    const found: Listed[] = [];
    const together = new Map<string, { readonly members: Term[]; readonly by: Triple }>();
    for (const fact of this.facts(relation)) {
      const { subject, object } = fact;
      if (object.kind === 'entity' && (object.id === EMPTY_LIST || this.#first.has(object.id) || this.#rest.has(object.id))) {
        const members = this.#members(object.id);
        if (members && members.length > 0) found.push({ subject, members, by: fact });
      } else if (loose) {
        const group = together.get(subject);
        if (group) group.members.push(object);
        else together.set(subject, { members: [object], by: fact });
      }
    }
    for (const [subject, group] of together) found.push({ subject, ...group });
    return found;
  }
  #members(list: string): Term[] | undefined {
    const members: Term[] = [];
    const seen = new Set<string>();
    for (let node = list; node !== EMPTY_LIST;) {
      const [first, rest] = [this.#first.get(node), this.#rest.get(node)];
      if (first === undefined || rest === undefined || seen.has(node) || members.length >= MEMBERS) return undefined;
      seen.add(node);
      members.push(first);
      node = rest;
    }
    return members;
  }
}
/** Members that are names. */
export const namesOf = (members: readonly Term[]): string[] => members.flatMap((term) => (term.kind === 'entity' ? [term.id] : []));

/** Rules as they are written out, each once. */
export class RuleWriter {
  readonly rules = new Map<string, Rule>();
  add(name: string, heads: readonly Atom[], body: readonly BodyItem[]): void {
    const rule = makeRule({ name: name.length <= 200 ? name : `${name.slice(0, 199)}…`, heads, body });
    this.rules.set(rule.id, rule);
  }
}
export const variable = (name: string): RuleTerm => ({ kind: 'variable', name });
export const memberOf = (subject: RuleTerm, name: Term): Atom => ({ relation: IS_A as RelationName, subject, object: name });
export const relates = (relation: string, subject: RuleTerm, object: RuleTerm): Atom => ({ relation: relation as RelationName, subject, object });
export const compare = (left: Expression, operator: Comparison['operator'], right: Expression): Comparison => ({ kind: 'compare', operator, left, right });
/** `"a", "b", "c"`, for names of rules. */
export const quotedList = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
