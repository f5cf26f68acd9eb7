// Owns what the built-in predicates of N3 (math:, string:, log:, time:, list:) are here: comparisons, calls of functions, conditions on lists.
// Refuses to know how rules are read, and formulas as values.

import { literal } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import { FIRST, REST } from '../rulesets/owl/schema.ts';
import { LIST_MEMBER, RdfReader } from './rdf-reader.ts';
import type { RdfTerm } from './rdf-reader.ts';
import { placeOf } from './source-tokens.ts';
import { called, chained, compared, isPlainText } from './token-reader.ts';
import type { PlacedItem } from './token-reader.ts';
import type { Expression } from '../types.ts';

/** Where the built-ins are. */
export const SWAP = 'http://www.w3.org/2000/10/swap/';
type Sign = '=' | '!=' | '<' | '<=' | '>' | '>=';
const COMPARISONS: ReadonlyMap<string, Sign> = new Map([
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
  ['string#notLessThan', '>='],
  ['string#notGreaterThan', '<='],
]);
/** Comparisons of texts in small letters. */
const IGNORING_CASE: ReadonlyMap<string, Sign> = new Map([
  ['string#equalIgnoringCase', '='],
  ['string#notEqualIgnoringCase', '!='],
]);
const TESTS: ReadonlyMap<string, readonly [name: string, holds: boolean]> = new Map([
  ['string#contains', ['contains', true]],
  ['string#containsIgnoringCase', ['contains', true]],
  ['string#startsWith', ['starts_with', true]],
  ['string#endsWith', ['ends_with', true]],
  ['string#matches', ['matches', true]],
  ['string#notMatches', ['matches', false]],
]);
/** Built-ins whose subject is a list of values: what they are called, and how many values they take; without a most, two at a time. */
const FUNCTIONS: ReadonlyMap<string, readonly [name: string, most: number | undefined]> = new Map([
  ['math#sum', ['+', undefined]],
  ['math#difference', ['-', 2]],
  ['math#product', ['*', undefined]],
  ['math#quotient', ['/', 2]],
  ['math#integerQuotient', ['floor', 2]],
  ['math#remainder', ['mod', 2]],
  ['math#exponentiation', ['power', 2]],
  ['math#max', ['max', undefined]],
  ['math#min', ['min', undefined]],
  ['string#concatenation', ['concat', undefined]],
  ['string#replace', ['replace', 3]],
]);
/** What is added to or multiplied with a list of one value or none. */
const NEUTRAL: ReadonlyMap<string, number> = new Map([
  ['+', 0],
  ['*', 1],
]);
/** Values that a function takes at most. */
const VALUES = 16;
/** Built-ins whose subject is one value. */
const UNARY: ReadonlyMap<string, string> = new Map([
  ['math#absoluteValue', 'abs'],
  ['math#rounded', 'round'],
  ['math#floor', 'floor'],
  ['math#ceiling', 'ceil'],
  ['math#negation', '-'],
  ['string#length', 'length'],
  ['string#lowerCase', 'lower'],
  ['string#upperCase', 'upper'],
  ['time#year', 'year'],
  ['time#month', 'month'],
  ['time#day', 'day'],
]);
const LISTS: ReadonlyMap<string, string> = new Map([
  ['list#first', FIRST],
  ['list#rest', REST],
  ['list#member', LIST_MEMBER],
  ['list#in', LIST_MEMBER],
]);
/** What an N3 reader itself makes of formulas. */
export const OF_FORMULAS = ['log#includes', 'log#notIncludes', 'log#collectAllIn', 'log#forAllIn'] as const;
/** What is taken of a list that log:collectAllIn makes. */
export const OF_COLLECTED: ReadonlyMap<string, 'count' | 'sum' | 'min' | 'max'> = new Map([
  ['list#length', 'count'],
  ['math#memberCount', 'count'],
  ['math#sum', 'sum'],
  ['math#min', 'min'],
  ['math#max', 'max'],
]);

/** The name of a built-in, such as `math#sum`; undefined where the predicate is none. */
export const builtinOf = ({ iri }: RdfTerm): string | undefined => (iri?.startsWith(SWAP) ? iri.slice(SWAP.length) : undefined);

export abstract class N3BuiltinReader extends RdfReader {
  /** What a list says of its nodes goes into `items`. */
  protected abstract node(term: RdfTerm, items: PlacedItem[]): RdfTerm;

  protected builtin(name: string, subject: RdfTerm, predicate: RdfTerm, object: RdfTerm, items: PlacedItem[]): PlacedItem {
    const { token } = predicate;
    const comparison = COMPARISONS.get(name);
    if (comparison) return compared(comparison, this.#value(subject), this.#value(object));
    const folded = IGNORING_CASE.get(name);
    if (folded) return compared(folded, lower(this.#value(subject)), lower(this.#value(object)));
    const test = TESTS.get(name);
    if (test) {
      const [calls, holds] = test;
      const values = [this.#value(subject), this.#value(object)].map((value) => (name.endsWith('IgnoringCase') ? lower(value) : value));
      return called(calls, values, holds ? undefined : { value: literal(false), token }, token);
    }
    const unary = UNARY.get(name);
    if (unary) return called(unary, [this.#value(subject)], this.#value(object), token);
    const list = LISTS.get(name);
    if (list !== undefined) return this.#ofList(name, list, subject, predicate, object, items);
    const of = FUNCTIONS.get(name);
    if (name === 'log#outputString') throw this.wrong('unknown_builtin', `${token.raw} writes when rules run; a rule here says what holds`, token);
    if (!of) {
      const known = [COMPARISONS, IGNORING_CASE, TESTS, FUNCTIONS, UNARY, LISTS].flatMap((table) => [...table.keys()]);
      throw this.wrong('unknown_builtin', `${token.raw} is no built-in known here; there are ${[...known, ...OF_FORMULAS].map((key) => key.replace('#', ':')).join(', ')}`, token);
    }
    const [calls, most] = of;
    const values = subject.list?.map((value) => this.#value(value)) ?? [];
    const neutral = NEUTRAL.get(calls);
    if (subject.list && neutral !== undefined) while (values.length < 2) values.push({ value: literal(neutral), token: subject.token });
    const least = calls === 'replace' ? 3 : 2;
    if (values.length < least || values.length > (most ?? values.length))
      throw this.wrong('arity', `${token.raw} takes a list of ${most === least ? least : `${least} values or more`}${most === least ? ' values' : most === undefined ? '' : ` (${most} at most)`}, such as ${calls === 'replace' ? '(?x "a" "b")' : '(?x ?y)'}`, subject.token);
    if (calls === 'floor') return compared('=', { value: call('floor', chained('/', values).value), token: values[0].token }, this.#value(object));
    if (['concat', 'max', 'min'].includes(calls)) return called(calls, together(calls, values), this.#value(object), token);
    if (most === undefined || most === 2) return compared('=', chained(calls, values), this.#value(object));
    if (calls === 'replace' && !isPlainText(values[1].value))
      throw this.wrong('syntax', `${token.raw} is read for a text without signs of regular expressions only, such as (?x "a" "b")`, values[1].token);
    return called(calls, values, this.#value(object), token);
  }
  /** A term that is no list and no formula. */
  #value(term: RdfTerm): RdfTerm {
    if (term.formula) throw this.wrong('syntax', 'a formula inside a formula has no counterpart here', term.token);
    if (term.list) throw this.wrong('syntax', 'a list has no counterpart as a value here', term.token);
    return term;
  }
  #ofList(name: string, relation: string, subject: RdfTerm, predicate: RdfTerm, object: RdfTerm, items: PlacedItem[]): PlacedItem {
    const [list, member] = name === 'list#in' ? [object, subject] : [subject, object];
    if (relation !== LIST_MEMBER) return this.triple(this.node(list, items), this.named(predicate.token, relation), this.node(member, items));
    if (!list.list) return this.member(list, this.node(member, items), predicate.token);
    const values = list.list.map(({ value, token }): Term => {
      if (value.kind === 'variable' || value.kind === 'call' || value.kind === 'list')
        throw this.wrong('syntax', `${token.raw} stands in a list of which a member is sought; names and literals do`, token, ['a name', 'a literal']);
      return value;
    });
    return {
      item: { kind: 'compare', operator: 'in', left: this.#value(member).value, right: { kind: 'list', items: values } },
      places: [placeOf(member.token), placeOf(list.token)],
    };
  }
}
/** As many values as a function takes: the first of more are taken together before the others. */
function together(name: string, values: readonly RdfTerm[]): readonly RdfTerm[] {
  let all = values;
  while (all.length > VALUES) all = [{ value: call(name, ...all.slice(0, VALUES).map(({ value }) => value)), token: all[0].token }, ...all.slice(VALUES)];
  return all;
}
const call = (name: string, ...values: Expression[]): Expression => ({ kind: 'call', function: name, arguments: values });
const lower = ({ value, token }: RdfTerm): RdfTerm => ({ value: call('lower', value), token });
