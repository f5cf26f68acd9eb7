// Owns Soufflé's values: constants, variables, arithmetic, functions and aggregates, as they stand.
// Refuses to know clauses, and what values mean here.

import { parseNumber } from '../../terms.ts';
import type { Formula } from './alternatives.ts';
import { NESTING } from '../language/kinds.ts';
import type { SourceToken } from './source-tokens.ts';
import { TokenReader } from './token-reader.ts';

export type CompareSign = '=' | '!=' | '<' | '<=' | '>' | '>=';
export const COMPARE_SIGNS: readonly CompareSign[] = ['=', '!=', '<=', '<', '>=', '>'];
export type AggregateWord = 'count' | 'sum' | 'min' | 'max' | 'mean';
const AGGREGATE_WORDS: ReadonlySet<string> = new Set<AggregateWord>(['count', 'sum', 'min', 'max', 'mean']);
/** Functions with what they are called here and how many values they take. */
const FUNCTIONS: ReadonlyMap<string, readonly [name: string, least: number, most: number]> = new Map([
  ['cat', ['concat', 2, 16]],
  ['strlen', ['length', 1, 1]],
  ['substr', ['substring', 3, 3]],
  ['to_number', ['number', 1, 1]],
  ['to_string', ['string', 1, 1]],
  ['to_float', ['number', 1, 1]],
  ['min', ['min', 2, 16]],
  ['max', ['max', 2, 16]],
]);
/** What there is in Soufflé and not here. */
const UNKNOWN_FUNCTIONS: ReadonlySet<string> = new Set(['ord', 'range', 'band', 'bor', 'bxor', 'bnot', 'bshl', 'bshr', 'bshru', 'land', 'lor', 'lxor', 'lnot', 'autoinc', 'to_unsigned', 'itof', 'ftoi', 'itou', 'utoi', 'ftou', 'utof']);

export type Argument =
  | { readonly kind: 'variable'; readonly name: string; readonly token: SourceToken }
  | { readonly kind: 'any'; readonly token: SourceToken }
  | { readonly kind: 'constant'; readonly value: string | number; readonly token: SourceToken }
  | { readonly kind: 'call'; readonly function: string; readonly arguments: readonly Argument[]; readonly token: SourceToken }
  | { readonly kind: 'aggregate'; readonly function: AggregateWord; readonly of?: Argument; readonly body: Formula<Literal>; readonly token: SourceToken };
export type Literal =
  | { readonly kind: 'atom'; readonly relation: string; readonly arguments: readonly Argument[]; readonly denied: boolean; readonly token: SourceToken }
  /** `contains` and `match`: the text that is looked at comes second. */
  | { readonly kind: 'test'; readonly function: 'contains' | 'matches'; readonly arguments: readonly [Argument, Argument]; readonly denied: boolean; readonly token: SourceToken }
  | { readonly kind: 'compare'; readonly operator: CompareSign; readonly left: Argument; readonly right: Argument; readonly token: SourceToken };
export type SouffleAtom = Literal & { readonly kind: 'atom' };

export abstract class SouffleValues extends TokenReader {
  /** Conditions, up to what ends them. */
  protected abstract formula(): Formula<Literal>;
  protected abstract atom(denied: boolean): SouffleAtom;

  /** Does a function begin here? */
  protected isFunction(): boolean {
    const { text } = this.token;
    return FUNCTIONS.has(text) || UNKNOWN_FUNCTIONS.has(text) || text === 'as';
  }
  /** A name, perhaps with points in it. */
  protected word(what: string): string {
    if (this.token.kind !== 'word') throw this.expected(what);
    let { text } = this.next();
    while (this.is('.') && this.ahead(1).kind === 'word') {
      this.next();
      text += `.${this.next().text}`;
    }
    return text;
  }
  /** Values in brackets. */
  protected arguments(): Argument[] {
    this.expect('(');
    const values: Argument[] = [];
    while (!this.is(')')) {
      values.push(this.inside(() => this.sum()));
      if (!this.accept(',') && !this.is(')')) throw this.expected('","', '")"');
    }
    this.next();
    return values;
  }

  /** A value. */
  protected sum(): Argument {
    return this.#computed(['+', '-'], () => this.#computed(['*', '/', '%'], () => this.#power()));
  }
  #computed(signs: readonly string[], part: () => Argument): Argument {
    let left = part();
    let count = 0;
    for (let sign = signs.find((each) => this.is(each)); sign !== undefined; sign = signs.find((each) => this.is(each))) {
      if (++count > NESTING) throw this.wrong('too_large', `more than ${NESTING} values are computed at once; compute a part of it by a relation of its own`);
      const token = this.next();
      left = { kind: 'call', function: sign, arguments: [left, part()], token };
    }
    return left;
  }
  #power(): Argument {
    const base = this.#value();
    if (!this.is('^')) return base;
    const token = this.next();
    return { kind: 'call', function: '^', arguments: [base, this.inside(() => this.#power())], token };
  }
  #value(): Argument {
    const { token } = this;
    if (token.kind === 'text' || token.kind === 'number') {
      this.next();
      return { kind: 'constant', value: token.kind === 'text' ? token.text : this.convert(token, () => parseNumber(token.text.replace('u', ''))), token };
    }
    if (this.accept('(')) {
      const inner = this.inside(() => this.sum());
      this.expect(')');
      return inner;
    }
    if (this.accept('-')) {
      const value = this.inside(() => this.#value());
      return value.kind === 'constant' && typeof value.value === 'number' ? { ...value, value: -value.value, token } : { kind: 'call', function: '-', arguments: [value], token };
    }
    for (const [sign, what] of [
      ['[', 'records'],
      ['$', 'algebraic data types and counters'],
      ['@', "functions of one's own"],
    ])
      if (this.is(sign)) throw this.wrong('syntax', `${what} have no counterpart here`);
    if (token.kind !== 'word') throw this.expected('a variable', 'a number', 'a text in quotes');
    if (token.text === 'nil') throw this.wrong('syntax', 'records have no counterpart here, and nil is one');
    if (AGGREGATE_WORDS.has(token.text) && !this.is('(', 1) && (this.is(':', 1) || this.ahead(1).kind === 'word' || this.ahead(1).kind === 'number')) return this.#aggregate();
    this.next();
    if (token.text === '_') return { kind: 'any', token };
    if (!this.is('(')) return { kind: 'variable', name: token.text.replaceAll('?', ''), token };
    return this.#call(token);
  }
  #call(token: SourceToken): Argument {
    if (token.text === 'as') {
      this.expect('(');
      const value = this.inside(() => this.sum());
      this.expect(',');
      this.word('a type');
      this.expect(')');
      return value;
    }
    const known = FUNCTIONS.get(token.text);
    if (!known) throw this.wrong('unknown_builtin', `${token.text} is no function known here; there are ${[...FUNCTIONS.keys()].join(', ')}`, token, [...FUNCTIONS.keys()]);
    const values = this.arguments();
    const [name, least, most] = known;
    if (values.length < least || values.length > most)
      throw this.wrong('arity', `${token.text} takes ${least === most ? least : `${least} to ${most}`} ${most === 1 ? 'value' : 'values'}, not ${values.length}`, token);
    return { kind: 'call', function: name, arguments: values, token };
  }
  /** `count : { .. }`, `sum x : { .. }`, `max x : p(x)`. */
  #aggregate(): Argument {
    const token = this.next();
    const word = token.text as AggregateWord;
    const of = this.is(':') ? undefined : this.inside(() => this.sum());
    if ((word === 'count') !== (of === undefined))
      throw this.wrong('syntax', word === 'count' ? 'count : { .. } names no value' : `${word} needs the value to take, such as ${word} x : { price(_, x) }`, token);
    this.expect(':');
    let body: Formula<Literal>;
    if (this.accept('{')) {
      body = this.inside(() => this.formula());
      this.expect('}', '","');
    } else body = { one: this.atom(this.accept('!')) };
    return { kind: 'aggregate', function: word, ...(of ? { of } : {}), body, token };
  }
}
