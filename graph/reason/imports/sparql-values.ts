// Owns reading SPARQL's expressions, as they stand in RDFox's FILTER(..) and BIND(..): values, and tests joined by && and ||.
// Refuses to know rules, and functions that have no counterpart here.

import { literal } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import type { Formula } from './alternatives.ts';
import { NESTING } from '../language/kinds.ts';
import { XSD } from './rdf-names.ts';
import { RdfReader } from './rdf-reader.ts';
import type { RdfTerm } from './rdf-reader.ts';
import { placeOf } from './source-tokens.ts';
import type { SourceToken } from './source-tokens.ts';
import { called, compared, isPlainText } from './token-reader.ts';
import type { PlacedItem, SourceTerm } from './token-reader.ts';
import type { Comparison, TermList } from '../types.ts';

/** What must hold for a test to be met, and for its denial. */
interface Test {
  readonly yes: Formula<PlacedItem>;
  readonly no: Formula<PlacedItem>;
}
type Read = SourceTerm | Test;
const isTest = (read: Read): read is Test => 'yes' in read;

const OPPOSITE = { '=': '!=', '!=': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' } as const;
type Operator = keyof typeof OPPOSITE;
/** SPARQL's functions that are called otherwise here, or the same. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...['abs', 'ceil', 'floor', 'round', 'sqrt', 'year', 'month', 'day', 'contains', 'concat'].map((name) => [name, name] as const),
  ['strlen', 'length'],
  ['lcase', 'lower'],
  ['ucase', 'upper'],
  ['strstarts', 'starts_with'],
  ['strends', 'ends_with'],
  ['regex', 'matches'],
  ['str', 'string'],
  ['pow', 'power'],
  ['minfn', 'min'],
  ['maxfn', 'max'],
  ['substr', 'substring'],
  ['replace', 'replace'],
]);
const ARITY: Readonly<Record<string, readonly [number, number]>> = {
  contains: [2, 2],
  starts_with: [2, 2],
  ends_with: [2, 2],
  matches: [2, 2],
  power: [2, 2],
  substring: [2, 3],
  replace: [3, 3],
  concat: [2, 16],
  min: [2, 16],
  max: [2, 16],
};
const TESTS: ReadonlySet<string> = new Set(['contains', 'starts_with', 'ends_with', 'matches']);
const KINDS: ReadonlyMap<string, readonly ['=' | '!=', string]> = new Map([
  ['isiri', ['=', 'entity']],
  ['isliteral', ['!=', 'entity']],
  ['isnumeric', ['=', 'number']],
]);
const CASTS: readonly (readonly [RegExp, string])[] = [
  [/^(integer|int|long|short|byte|decimal|double|float)$/u, 'number'],
  [/^string$/u, 'string'],
  [/^(date|dateTime)$/u, 'date'],
];

export abstract class SparqlValueReader extends RdfReader {
  /** A test, as conditions that meet it. */
  test(): Formula<PlacedItem> {
    const { token } = this;
    return this.#tested(this.#or(), token).yes;
  }
  /** A value. */
  value(): SourceTerm {
    const { token } = this;
    return this.#valued(this.#or(), token);
  }
  #tested(read: Read, token: SourceToken): Test {
    if (isTest(read)) return read;
    throw this.wrong('syntax', 'a value stands where a test belongs; compare it (= != < <= > >=)', token, ['a comparison']);
  }
  #valued(read: Read, token: SourceToken): SourceTerm {
    if (!isTest(read)) return read;
    throw this.wrong('syntax', 'a test stands where a value belongs; what is true or false has no value here', token, ['a value']);
  }

  #or(): Read {
    return this.#joined('||', () => this.#joined('&&', () => this.#relation()));
  }
  #joined(sign: '||' | '&&', part: () => Read): Read {
    const { token } = this;
    const first = part();
    if (!this.is(sign)) return first;
    const tests = [this.#tested(first, token)];
    while (this.accept(sign)) {
      const at = this.token;
      tests.push(this.#tested(part(), at));
    }
    const [yes, no] = [tests.map((test) => test.yes), tests.map((test) => test.no)];
    return sign === '||' ? { yes: { any: yes }, no: { all: no } } : { yes: { all: yes }, no: { any: no } };
  }
  #relation(): Read {
    const { token } = this;
    const left = this.#sum();
    const operator = (Object.keys(OPPOSITE) as Operator[]).find((sign) => this.is(sign));
    if (operator) {
      this.next();
      const at = this.token;
      const [a, b] = [this.#valued(left, token), this.#valued(this.#sum(), at)];
      return { yes: { one: compared(operator, a, b) }, no: { one: compared(OPPOSITE[operator], a, b) } };
    }
    const denied = this.#isWord('not') && this.#isWord('in', 1);
    if (!denied && !this.#isWord('in')) return left;
    if (denied) this.next();
    this.next();
    const list = this.#list();
    const within = (not: boolean): Formula<PlacedItem> => {
      const item: Comparison = { kind: 'compare', operator: not ? 'not in' : 'in', left: this.#valued(left, token).value, right: list };
      return { one: { item, places: [placeOf(token), placeOf(token)] } };
    };
    return { yes: within(denied), no: within(!denied) };
  }
  #list(): TermList {
    this.expect('(');
    const items: Term[] = [];
    do {
      const { value, token } = this.signedTerm();
      if (value.kind === 'call' || value.kind === 'list' || value.kind === 'variable')
        throw this.wrong('syntax', `${token.raw} stands in a list behind IN; names and literals do`, token, ['a name', 'a literal']);
      items.push(value);
    } while (this.accept(','));
    this.expect(')', '","');
    return { kind: 'list', items };
  }
  #sum(): Read {
    return this.#computed(['+', '-'], () => this.#computed(['*', '/'], () => this.#unary()));
  }
  #computed(signs: readonly string[], part: () => Read): Read {
    const { token } = this;
    let left = part();
    let count = 0;
    for (let sign = signs.find((each) => this.is(each)); sign !== undefined; sign = signs.find((each) => this.is(each))) {
      if (++count > NESTING) throw this.wrong('too_large', `more than ${NESTING} values are computed at once; compute a part of it into a variable`);
      this.next();
      const at = this.token;
      left = call(sign, [this.#valued(left, token), this.#valued(part(), at)], token);
    }
    return left;
  }
  #unary(): Read {
    const { token } = this;
    if (this.accept('!')) {
      const { yes, no } = this.#tested(this.inside(() => this.#unary()), token);
      return { yes: no, no: yes };
    }
    this.accept('+');
    if (!this.accept('-')) return this.#primary();
    const { value } = this.#valued(this.inside(() => this.#unary()), token);
    return value.kind === 'literal' && value.type === 'number' ? { value: literal(-value.value), token } : call('-', [{ value, token }], token);
  }
  #primary(): Read {
    const { token } = this;
    if (this.accept('(')) {
      const inner = this.inside(() => this.#or());
      this.expect(')');
      return inner;
    }
    if (this.is('(', 1) && (token.kind === 'word' || token.kind === 'prefixed' || token.kind === 'iri')) return this.#call();
    return this.term();
  }
  #call(): Read {
    const token = this.next();
    const name = token.text.toLowerCase();
    this.expect('(');
    const values: SourceTerm[] = [];
    while (!this.is(')')) {
      values.push(this.inside(() => this.value()));
      if (!this.accept(',') && !this.is(')')) throw this.expected('","', '")"');
    }
    this.next();
    const takes = ([least, most]: readonly [number, number]): void => {
      if (values.length < least || values.length > most)
        throw this.wrong('arity', `${token.raw} takes ${least === most ? least : `${least} to ${most}`} ${most === 1 ? 'value' : 'values'}, not ${values.length}`, token);
    };
    if (token.kind !== 'word') {
      const iri = this.expand(token);
      const cast = iri.startsWith(XSD) ? CASTS.find(([pattern]) => pattern.test(iri.slice(XSD.length))) : undefined;
      if (!cast) throw this.wrong('unknown_builtin', `${token.raw}(..) is no function known here; of the casts there are those to numbers, xsd:string, xsd:date`, token);
      takes([1, 1]);
      return call(cast[1], values, token);
    }
    if (name === 'sameterm') {
      takes([2, 2]);
      return { yes: { one: compared('=', values[0], values[1]) }, no: { one: compared('!=', values[0], values[1]) } };
    }
    const kind = KINDS.get(name);
    if (kind) {
      takes([1, 1]);
      const [operator, wanted] = kind;
      const type = call('type', values, token);
      const text = { value: literal(wanted, 'string'), token };
      return { yes: { one: compared(operator, type, text) }, no: { one: compared(OPPOSITE[operator], type, text) } };
    }
    const known = FUNCTIONS.get(name);
    if (known === undefined)
      throw this.wrong(
        'unknown_builtin',
        `${token.text} is no function known here; there are ${[...FUNCTIONS.keys(), ...KINDS.keys(), 'sameTerm'].map((each) => each.toUpperCase()).join(', ')}`,
        token,
      );
    takes(ARITY[known] ?? [1, 1]);
    if (known === 'substring') values[1] = this.#fromZero(values[1]);
    if (known === 'replace' && !isPlainText(values[1].value))
      throw this.wrong('syntax', 'REPLACE(..) is read for a text without signs of regular expressions only, such as REPLACE(?x, "a", "b")', values[1].token);
    if (!TESTS.has(known)) return call(known, values, token);
    const answer = (wanted: boolean): Formula<PlacedItem> => ({ one: called(known, values, { value: literal(wanted), token }, token) });
    return { yes: answer(true), no: answer(false) };
  }
  /** SPARQL counts the characters of a text from 1. */
  #fromZero({ value, token }: SourceTerm): SourceTerm {
    if (value.kind === 'literal' && value.type === 'number') return { value: literal(value.value - 1), token };
    return call('-', [{ value, token }, { value: literal(1), token }], token);
  }
  #isWord(word: string, ahead = 0): boolean {
    const token = this.ahead(ahead);
    return token.kind === 'word' && token.text.toLowerCase() === word;
  }
  /** A term; a number may have a sign. */
  signedTerm(): RdfTerm {
    const { token } = this;
    if (!this.accept('-')) return this.term();
    const { value } = this.term();
    if (value.kind !== 'literal' || value.type !== 'number') throw this.wrong('syntax', 'behind "-" stands a number here; compute a value with BIND(.. AS ?x)', token);
    return { value: literal(-value.value), token };
  }
  /** A variable, an IRI, a literal; a bare word is a name. */
  override term(): RdfTerm {
    const { token } = this;
    if (token.kind === 'word' && token.text !== 'true' && token.text !== 'false') return this.named(this.next());
    return super.term();
  }
}
const call = (name: string, values: readonly SourceTerm[], token: SourceToken): SourceTerm => ({
  value: { kind: 'call', function: name, arguments: values.map(({ value }) => value) },
  token,
});
