// Owns the facts of a schema, looked up by relation, and the lists among them; and that rules rest on those that are not certain.
// Refuses to know what they mean and which rules they become.

import { entity, termKey, tripleKey } from '../../../terms.ts';
import type { RelationName, Statement, Term, Triple } from '../../../terms.ts';
import { isAtom } from '../../language/body.ts';
import { IS_A, makeRule } from '../../language/print.ts';
import type { Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../../types.ts';

/** An RDF list is a chain of nodes, each with its first member and the list of the others; it ends in EMPTY_LIST. */
export const FIRST = 'first of list';
export const REST = 'rest of list';
export const EMPTY_LIST = 'empty list';
/** Lists with more members are not read. */
const MEMBERS = 10_000;

/** A fact that rule sets read, as it was told, or derived by rules. */
export interface SchemaFact extends Triple, Pick<Statement, 'confidence' | 'validFrom' | 'validTo'> {
  readonly derived?: boolean;
}
/** May it be less than certain, or not hold at all times? What rests on it has to rest on it in proofs. */
export const isDoubtful = ({ confidence = 1, validFrom, validTo, derived }: SchemaFact): boolean =>
  confidence < 1 || validFrom !== undefined || validTo !== undefined || derived === true;

/** Facts that a rule rests on besides its body, at most: as many as a list of 64 parts has, with what it is said of. */
const CONDITIONS = 130;

/** Members that a schema names together. */
export interface Listed {
  readonly subject: string;
  readonly members: readonly Term[];
  /** The facts that say so; of one member, by its place, those that make it one. What says it of the subject comes first. */
  readonly from: (member?: number) => Iterable<Triple>;
}

export class Schema {
  /** Facts by relation, and by class for what is said to be a symmetric property and the like. */
  readonly #by = new Map<string, Triple[]>();
  readonly #first = new Map<string, Triple>();
  readonly #rest = new Map<string, { readonly node: string; readonly fact: Triple }>();
  /** What is doubtful and nobody says for certain. */
  readonly #doubtful: ReadonlySet<string>;

  constructor(facts: readonly SchemaFact[]) {
    const doubtful = new Set(facts.filter(isDoubtful).map(tripleKey));
    if (doubtful.size > 0) for (const fact of facts) if (!isDoubtful(fact)) doubtful.delete(tripleKey(fact));
    this.#doubtful = doubtful;
    for (const fact of facts) {
      const key = fact.relation === IS_A && fact.object.kind === 'entity' ? fact.object.id : fact.relation;
      const list = this.#by.get(key);
      if (list) list.push(fact);
      else this.#by.set(key, [fact]);
    }
    for (const fact of this.facts(FIRST)) if (!this.#first.has(fact.subject)) this.#first.set(fact.subject, fact);
    for (const [subject, node, fact] of this.pairs(REST)) if (!this.#rest.has(subject)) this.#rest.set(subject, { node, fact });
  }

  /** What a rule that was written from these facts rests on besides its body: those that are doubtful, each once. */
  conditions(from: Iterable<Triple>, body: readonly BodyItem[]): Atom[] {
    if (this.#doubtful.size === 0) return [];
    const known = new Set(body.flatMap((item) => (isAtom(item) ? [atomKey(item)] : [])));
    const conditions: Atom[] = [];
    for (const fact of from) {
      const condition: Atom = { relation: fact.relation, subject: entity(fact.subject), object: fact.object };
      const key = atomKey(condition);
      if (!this.#doubtful.has(tripleKey(fact)) || known.has(key)) continue;
      known.add(key);
      if (conditions.push(condition) >= CONDITIONS) break;
    }
    return conditions;
  }

  facts(relation: string): readonly Triple[] {
    return this.#by.get(relation) ?? [];
  }
  /** Pairs of names that are related, with the fact that says so. */
  *pairs(relation: string): Generator<readonly [string, string, Triple]> {
    for (const fact of this.facts(relation)) if (fact.object.kind === 'entity') yield [fact.subject, fact.object.id, fact];
  }
  /** The facts of a relation by the name that they are about. */
  grouped(relation: string): ReadonlyMap<string, readonly Triple[]> {
    return Map.groupBy(this.facts(relation), ({ subject }) => subject);
  }
  /** The lists that a relation leads to. Objects that are no lists are, where `loose`, together one list of their subject; else they are passed over. Empty and broken lists are none. */
  lists(relation: string, loose: boolean): Listed[] {
    const found: Listed[] = [];
    const together = new Map<string, Triple[]>();
    for (const fact of this.facts(relation)) {
      const { subject, object } = fact;
      if (object.kind === 'entity' && (object.id === EMPTY_LIST || this.#first.has(object.id) || this.#rest.has(object.id))) {
        const links = this.#links(object.id);
        if (links && links.first.length > 0) found.push({ subject, members: links.first.map((each) => each.object), from: (member) => saying(fact, links, member) });
      } else if (loose) {
        const group = together.get(subject);
        if (group) group.push(fact);
        else together.set(subject, [fact]);
      }
    }
    for (const [subject, facts] of together)
      found.push({ subject, members: facts.map(({ object }) => object), from: (member) => (member === undefined ? facts : [facts[member]]) });
    return found;
  }
  #links(list: string): Links | undefined {
    const links: { readonly first: Triple[]; readonly rest: Triple[] } = { first: [], rest: [] };
    const seen = new Set<string>();
    for (let node = list; node !== EMPTY_LIST;) {
      const [first, rest] = [this.#first.get(node), this.#rest.get(node)];
      if (first === undefined || rest === undefined || seen.has(node) || links.first.length >= MEMBERS) return undefined;
      seen.add(node);
      links.first.push(first);
      links.rest.push(rest.fact);
      node = rest.node;
    }
    return links;
  }
}
/** What the nodes of a list say, in order. */
interface Links {
  readonly first: readonly Triple[];
  readonly rest: readonly Triple[];
}
function* saying(fact: Triple, { first, rest }: Links, member: number | undefined): Generator<Triple> {
  yield fact;
  yield* member === undefined ? first : [first[member]];
  for (let i = 0; i < (member ?? rest.length); i++) yield rest[i];
}
const atomKey = ({ relation, subject, object }: Atom): string =>
  [relation, ...[subject, object].map((term) => (term.kind === 'variable' ? `?${term.name}` : termKey(term)))].join('\u0000');
/** Members that are names. */
export const namesOf = (members: readonly Term[]): string[] => members.flatMap((term) => (term.kind === 'entity' ? [term.id] : []));

/** Rules as they are written out for a schema, each once. */
export class RuleWriter {
  readonly rules = new Map<string, Rule>();
  readonly #schema: Schema;
  constructor(schema: Schema) {
    this.#schema = schema;
  }
  /** `from`: facts of the schema that the rule says in other words. */
  add(name: string, heads: readonly Atom[], body: readonly BodyItem[], from: Iterable<Triple>): void {
    const conditions = this.#schema.conditions(from, body);
    const rule = makeRule({ name: name.length <= 200 ? name : `${name.slice(0, 199)}…`, heads, body: conditions.length === 0 ? body : [...body, ...conditions] });
    this.rules.set(rule.id, rule);
  }
}
export const variable = (name: string): RuleTerm => ({ kind: 'variable', name });
export const memberOf = (subject: RuleTerm, name: Term): Atom => ({ relation: IS_A as RelationName, subject, object: name });
export const relates = (relation: string, subject: RuleTerm, object: RuleTerm): Atom => ({ relation: relation as RelationName, subject, object });
export const compare = (left: Expression, operator: Comparison['operator'], right: Expression): Comparison => ({ kind: 'compare', operator, left, right });
/** `"a", "b", "c"`, for names of rules. */
export const quotedList = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
