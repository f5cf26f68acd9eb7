// Owns reading Notation3 rules, `{ ?x :parent ?y } => { ?y :child ?x } .`, and the facts among them.
// Refuses what has no counterpart here: nested formulas, lists as values in rules, predicates that are variables.

import { itemVariables } from '../language/body.ts';
import { RuleError } from '../errors.ts';
import { EMPTY_LIST, FIRST, REST } from '../rulesets/owl/schema.ts';
import type { ReadRules } from '../language/parse.ts';
import { shortHash } from '../language/print.ts';
import type { NameStyle } from './rdf-names.ts';
import { RdfReader } from './rdf-reader.ts';
import type { RdfTerm } from './rdf-reader.ts';
import type { RdfToken } from './rdf-tokens.ts';
import { placeOf } from './source-tokens.ts';
import { called, chained, compared } from './token-reader.ts';
import type { PlacedItem } from './token-reader.ts';
import type { Atom } from '../types.ts';

const SWAP = 'http://www.w3.org/2000/10/swap/';
const TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type';
const SAME = 'http://www.w3.org/2002/07/owl#sameAs';
const COMPARISONS: ReadonlyMap<string, '=' | '!=' | '<' | '<=' | '>' | '>='> = new Map([
  ['math#greaterThan', '>'],
  ['math#lessThan', '<'],
  ['math#notLessThan', '>='],
  ['math#notGreaterThan', '<='],
  ['math#equalTo', '='],
  ['math#notEqualTo', '!='],
  ['log#equalTo', '='],
  ['log#notEqualTo', '!='],
  ['string#greaterThan', '>'],
  ['string#lessThan', '<'],
]);
const TESTS: ReadonlyMap<string, string> = new Map([
  ['string#contains', 'contains'],
  ['string#startsWith', 'starts_with'],
  ['string#endsWith', 'ends_with'],
  ['string#matches', 'matches'],
]);
/** Built-ins whose subject is a list of values. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['math#sum', '+'],
  ['math#difference', '-'],
  ['math#product', '*'],
  ['math#quotient', '/'],
  ['math#remainder', 'mod'],
  ['math#exponentiation', 'power'],
  ['string#concatenation', 'concat'],
]);
/** Built-ins whose subject is one value. */
const UNARY: ReadonlyMap<string, string> = new Map([
  ['math#absoluteValue', 'abs'],
  ['math#rounded', 'round'],
  ['math#negation', '-'],
  ['string#length', 'length'],
  ['string#lowerCase', 'lower'],
  ['string#upperCase', 'upper'],
]);

/** Reads as much of an N3 text as is right, and says what is wrong with the rest. */
export function readN3(text: string, names: NameStyle = 'local'): ReadRules {
  try {
    return new N3Reader(text, names).read();
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}

class N3Reader extends RdfReader {
  /** What tells nameless nodes of this text from those of others. */
  readonly #mark: string;
  #nodes = 0;
  #formulas = false;

  constructor(text: string, names: NameStyle) {
    super(text, names);
    this.#mark = shortHash(text).slice(0, 8);
  }
  protected override recover(): void {
    if (this.before === '.') return;
    for (let depth = 0; !this.atEnd(); this.next()) {
      if (this.is('{')) depth++;
      if (this.is('}')) depth--;
      if (this.is('.') && depth <= 0) {
        this.next();
        return;
      }
    }
  }

  protected override statement(): void {
    if (this.directive()) return;
    const { token } = this;
    this.#formulas = false;
    if (!this.is('{')) {
      const facts: PlacedItem[] = [];
      this.#triples(facts);
      this.expect('.', '";"', '","');
      for (const fact of facts) this.add(undefined, this.#heads([fact], token), [], token);
      return;
    }
    const first = this.#formula();
    const backwards = this.is('<=');
    if (!this.accept('=>') && !this.accept('<=')) throw this.expected('"=>"', '"<="');
    const constraint = this.token.kind === 'word' && this.token.text === 'false';
    if (constraint) this.next();
    const second = constraint ? [] : this.#formula();
    this.expect('.');
    const [body, heads] = backwards ? [second, first] : [first, second];
    this.#nothingNew(heads, body, token);
    this.add(undefined, this.#heads(heads, token), body, token);
  }
  /** A nameless node that only a conclusion has would be a new thing each time. */
  #nothingNew(heads: readonly PlacedItem[], body: readonly PlacedItem[], token: RdfToken): void {
    const met = new Set(body.flatMap(({ item }) => [...itemVariables(item)]));
    const fresh = heads.flatMap(({ item }) => [...itemVariables(item)]).find((name) => name.startsWith('_') && !met.has(name));
    if (fresh !== undefined)
      throw this.wrong('unsafe', `_:${fresh.slice(1)} stands in the conclusion only: it would be a new thing each time, and rules make none; name what is meant, or let a condition find it`, token);
  }
  #heads(items: readonly PlacedItem[], token: RdfToken): PlacedItem<Atom>[] {
    return items.map(({ item, places }) => {
      if ('kind' in item) throw this.wrong('syntax', 'a built-in cannot be concluded; it stands before "=>" only', token);
      return { item, places };
    });
  }

  #formula(): PlacedItem[] {
    const items: PlacedItem[] = [];
    this.expect('{');
    this.#formulas = true;
    while (!this.is('}')) {
      this.#triples(items);
      if (!this.accept('.') && !this.is('}')) throw this.expected('"."', '"}"');
    }
    this.next();
    return items;
  }
  /** One subject with its predicates and objects. */
  #triples(items: PlacedItem[]): void {
    this.#about(this.#term(items), items);
  }
  /** What is said of a subject. */
  #about(subject: RdfTerm, items: PlacedItem[]): void {
    do {
      if (this.is('.') || this.is('}') || this.is(']')) return;
      const predicate = this.#verb();
      do items.push(this.#item(subject, predicate, this.#term(items)));
      while (this.accept(','));
    } while (this.accept(';'));
  }
  #verb(): RdfTerm {
    const { token } = this;
    const iri = token.kind === 'word' && token.text === 'a' ? TYPE : token.kind === 'sign' && token.text === '=' ? SAME : undefined;
    if (iri === undefined) return this.term();
    this.next();
    // Both are names of the vocabulary and need no prefix.
    return { value: { kind: 'entity', id: (iri === TYPE ? 'is a' : 'same as') as never }, iri, token };
  }
  /** A term; what nameless nodes among facts hold goes into `items`. */
  #term(items: PlacedItem[]): RdfTerm {
    const { token } = this;
    if (this.is('{')) throw this.wrong('syntax', 'a formula inside a formula has no counterpart here');
    if (token.kind === 'blank' && !this.#formulas) {
      this.next();
      return this.#node(token, token.text);
    }
    if (this.is('[') && this.#formulas) throw this.wrong('syntax', 'write a variable such as ?x instead of [..]');
    if (this.accept('[')) {
      const node = this.#node(token);
      this.#about(node, items);
      this.expect(']', '";"', '","');
      return node;
    }
    if (!this.accept('(')) return this.term();
    const list: RdfTerm[] = [];
    while (!this.is(')')) {
      if (this.is('(') && this.#formulas) throw this.wrong('syntax', 'a list inside a list has no counterpart here');
      list.push(this.#term(items));
    }
    this.next();
    return this.#formulas ? { value: { kind: 'list', items: [] }, list, token } : this.#list(list, items, token);
  }
  /** A node that has no name, or one in this text alone. */
  #node(token: RdfToken, name = `#${++this.#nodes}`): RdfTerm {
    return this.named(token, `_:${name}-${this.#mark}`);
  }
  /** A list among facts: nodes with their first member and the rest. */
  #list(members: readonly RdfTerm[], items: PlacedItem[], token: RdfToken): RdfTerm {
    let rest = this.named(token, EMPTY_LIST);
    for (const member of members.toReversed()) {
      const node = this.#node(token);
      items.push(this.triple(node, this.named(token, FIRST), member), this.triple(node, this.named(token, REST), rest));
      rest = node;
    }
    return rest;
  }
  #item(subject: RdfTerm, predicate: RdfTerm, object: RdfTerm): PlacedItem {
    const name = predicate.iri?.startsWith(SWAP) ? predicate.iri.slice(SWAP.length) : undefined;
    if (name === undefined) return this.triple(subject, predicate, object);
    const comparison = COMPARISONS.get(name);
    if (comparison) return compared(comparison, subject, object);
    const test = TESTS.get(name);
    if (test) return called(test, [subject, object], undefined, predicate.token);
    const unary = UNARY.get(name);
    if (unary) return called(unary, [subject], object, predicate.token);
    const of = FUNCTIONS.get(name);
    if (!of)
      throw this.wrong(
        'unknown_builtin',
        `${predicate.token.raw} is no built-in known here; there are ${[...COMPARISONS, ...TESTS, ...FUNCTIONS, ...UNARY].map(([key]) => key.replace('#', ':')).join(', ')}`,
        predicate.token,
      );
    const values = subject.list;
    if (!values || values.length < 2) throw this.wrong('arity', `${predicate.token.raw} takes a list of two values or more, such as (?x ?y)`, subject.token);
    if (of === 'concat') return called(of, values, object, predicate.token);
    return {
      item: { kind: 'compare', operator: '=', left: chained(of, values).value, right: object.value },
      places: [placeOf(subject.token), placeOf(object.token)],
    };
  }
}
