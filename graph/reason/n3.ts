// Owns reading Notation3 rules, `{ ?x :parent ?y } => { ?y :child ?x } .`, and the facts among them.
// Refuses what has no counterpart here: nested formulas, lists as values, predicates that are variables.

import { RuleError } from './errors.ts';
import type { ReadRules } from './parse.ts';
import type { NameStyle } from './rdf-names.ts';
import { called, chained, compared, placeOf, RdfReader } from './rdf-reader.ts';
import type { PlacedItem, RdfTerm, RdfToken } from './rdf-reader.ts';
import type { Atom, BodyItem } from './types.ts';

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
    if (!this.is('{')) {
      const facts: PlacedItem<BodyItem>[] = [];
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
    this.add(undefined, this.#heads(heads, token), body, token);
  }
  #heads(items: readonly PlacedItem<BodyItem>[], token: RdfToken): PlacedItem<Atom>[] {
    return items.map(({ item, places }) => {
      if ('kind' in item) throw this.wrong('syntax', 'a built-in cannot be concluded; it stands before "=>" only', token);
      return { item, places };
    });
  }

  #formula(): PlacedItem<BodyItem>[] {
    const items: PlacedItem<BodyItem>[] = [];
    this.expect('{');
    while (!this.is('}')) {
      this.#triples(items);
      if (!this.accept('.') && !this.is('}')) throw this.expected('"."', '"}"');
    }
    this.next();
    return items;
  }
  /** One subject with its predicates and objects. */
  #triples(items: PlacedItem<BodyItem>[]): void {
    const subject = this.#term();
    do {
      if (this.is('.') || this.is('}')) return;
      const predicate = this.#verb();
      do items.push(this.#item(subject, predicate, this.#term()));
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
  #term(): RdfTerm {
    const { token } = this;
    if (this.is('{')) throw this.wrong('syntax', 'a formula inside a formula has no counterpart here');
    if (this.is('[')) throw this.wrong('syntax', 'write a variable such as ?x instead of [..]');
    if (!this.accept('(')) return this.term();
    const list: RdfTerm[] = [];
    while (!this.is(')')) {
      if (this.is('(')) throw this.wrong('syntax', 'a list inside a list has no counterpart here');
      list.push(this.#term());
    }
    this.next();
    return { value: { kind: 'list', items: [] }, list, token };
  }
  #item(subject: RdfTerm, predicate: RdfTerm, object: RdfTerm): PlacedItem<BodyItem> {
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
