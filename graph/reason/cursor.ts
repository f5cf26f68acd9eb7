// Owns walking along tokens and saying what was expected where; reading terms and expressions.
// Refuses to know clauses and atoms.

import { entity, literal, parseEntityId, TermError } from '../terms.ts';
import type { Literal, LiteralType, Term } from '../terms.ts';
import { anyOf, RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import type { Token } from './lexer.ts';
import type { Comparison, Expression, RuleTerm } from './types.ts';
import { BUILTINS, INFIX, nearNames } from './values.ts';

const OPERATORS = ['=', '!=', '<', '<=', '>', '>='] as const;
type SignOperator = (typeof OPERATORS)[number];
const isOperator = (text: string): text is SignOperator => (OPERATORS as readonly string[]).includes(text);
const TERM = 'a variable, a name or a literal';
/** Nesting of brackets at most. */
const NESTING = 50;
/** Calls in one clause at most. */
const CALLS = 500;

export interface ReadTerm<T extends Expression = Expression> {
  readonly value: T;
  readonly place: Place;
  readonly raw: string;
  /** It was written in quotes, without a type. */
  readonly quoted?: Token;
}

export class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Where the clause being read began. */
  #start = 0;
  #nesting = 0;
  #calls = 0;
  #anonymous = 0;
  #named = new Set<string>();
  #made = new Set<string>();

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#at];
  }
  /** First token of the clause. */
  get first(): Token {
    return this.#tokens[this.#start];
  }
  ahead(count: number): Token {
    return this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)];
  }
  atEnd(): boolean {
    return this.token.kind === 'end';
  }
  place(token = this.token): Place {
    return { line: token.line, column: token.column };
  }
  next(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.#at++;
    return token;
  }
  is(sign: string, ahead = 0): boolean {
    const token = this.ahead(ahead);
    return token.kind === 'sign' && token.text === sign;
  }
  isWord(word: string, ahead = 0): boolean {
    const token = this.ahead(ahead);
    return token.kind === 'name' && token.text === word;
  }
  isName(ahead = 0): boolean {
    const { kind } = this.ahead(ahead);
    return kind === 'name' || kind === 'quoted';
  }
  accept(sign: string): boolean {
    if (!this.is(sign)) return false;
    this.#at++;
    return true;
  }
  begin(): void {
    this.#start = this.#at;
    this.#anonymous = 0;
    this.#named = new Set();
    this.#made = new Set();
    this.#nesting = 0;
    this.#calls = 0;
  }
  /** Goes behind the "." that ends the clause in which a mistake was found. */
  recover(): void {
    const before = this.#tokens[this.#at - 1];
    if (this.#at > this.#start && before.kind === 'sign' && before.text === '.') return;
    while (!this.atEnd())
      if (this.accept('.')) return;
      else this.#at++;
  }

  expected(...expected: string[]): RuleError {
    const { token } = this;
    const found = token.kind === 'end' ? 'the text ends' : `found ${token.kind === 'quoted' ? token.raw : `"${token.kind === 'variable' ? '?' : token.raw}"`}`;
    const before = this.#tokens[this.#at - 1];
    let hint = '';
    if (token.kind === 'sign' && token.text === '-' && before?.kind === 'name') hint = '; a name with spaces or other signs is written in quotes';
    if (token.kind === 'sign' && token.text === ':') hint = '; write ":-" between head and body; a name with ":" is written in quotes';
    if (token.kind === 'sign' && token.text === '/' && this.is('/', 1)) hint = '; comments begin with "%"';
    return this.wrong('syntax', `expected ${anyOf(expected)} but ${found}${hint}`, token, expected);
  }
  wrong(code: RuleError['code'], reason: string, token = this.token, expected: readonly string[] = []): RuleError {
    return new RuleError(code, reason, { ...this.place(token), expected, rule: this.source() });
  }
  expect(sign: string, ...others: string[]): void {
    if (!this.accept(sign)) throw this.expected(`"${sign}"`, ...others);
  }
  /** The beginning of the clause, for naming it in an error. */
  source(): string {
    return this.#tokens
      .slice(this.#start, Math.min(this.#at + 1, this.#start + 40))
      .map(({ raw }) => raw)
      .join(' ')
      .slice(0, 200);
  }

  /** A variable that the clause does not name: `?_1`, `?_2`, .. */
  anonymous(): { readonly kind: 'variable'; readonly name: string } {
    if (this.#named.size === 0) {
      this.#named.add('');
      for (let i = this.#start; i < this.#tokens.length; i++) {
        const { kind, text } = this.#tokens[i];
        if (kind === 'sign' && text === '.') break;
        if (kind === 'variable') this.#named.add(text);
      }
    }
    do this.#anonymous++;
    while (this.#named.has(`_${this.#anonymous}`));
    const name = `_${this.#anonymous}`;
    this.#made.add(name);
    return { kind: 'variable', name };
  }
  /** Was this name made by `anonymous` in this clause? */
  isAnonymous(name: string): boolean {
    return this.#made.has(name);
  }

  /** `=`, `<`, `in`, `not in`, ..; undefined when there is none here. */
  operator(): Comparison['operator'] | undefined {
    const { token } = this;
    if (token.kind === 'sign' && isOperator(token.text)) {
      this.#at++;
      return token.text;
    }
    const words = this.isWord('in') ? 1 : this.isWord('not') && this.isWord('in', 1) ? 2 : 0;
    if (words === 0 || !this.is('[', words)) return undefined;
    this.#at += words;
    return words === 1 ? 'in' : 'not in';
  }
  /** `["a", "b"]`; with `strings`, quoted text is a string. */
  list(strings: boolean): ReadTerm {
    const { token } = this;
    const items: Term[] = [];
    this.expect('[');
    if (!this.is(']'))
      do {
        const { value, quoted, place } = this.term();
        if (value.kind === 'variable')
          throw new RuleError('syntax', `?${value.name} stands in a list; a list holds names and literals`, { ...place, rule: this.source() });
        items.push(strings && quoted ? this.convert(quoted, () => literal(quoted.text, 'string')) : value);
      } while (this.accept(','));
    this.expect(']', '","');
    return { value: { kind: 'list', items }, place: this.place(token), raw: '[..]' };
  }

  /** A term, or a call of built-in functions, by precedence. */
  expression(call = false, least = 0): ReadTerm {
    const { token } = this;
    if (++this.#nesting > NESTING) throw this.wrong('too_large', `brackets are nested deeper than ${NESTING}`);
    let left = this.#factor(call);
    for (;;) {
      const sign = this.token;
      // `?x -3` is read as a variable and a number.
      const glued = sign.kind === 'number' && sign.raw.startsWith('-');
      const name = glued ? '-' : sign.kind === 'sign' ? sign.text : '';
      const strength = INFIX.get(name);
      if (strength === undefined || strength <= least) break;
      if (!glued) this.#at++;
      let right = glued ? this.#glued(sign) : this.expression(call, strength);
      // The number behind the sign takes its own multiplications first.
      if (glued) while (this.is('*') || this.is('/')) right = this.#infix(this.next().text, right, this.expression(call, 2), sign);
      left = this.#infix(name, left, right, token);
    }
    this.#nesting--;
    return left;
  }
  #glued(token: Token): ReadTerm {
    this.#at++;
    return { value: this.#literal(token, Number(token.text.slice(1)), 'number'), place: this.place(token), raw: token.raw };
  }
  #counted(token: Token): void {
    if (++this.#calls > CALLS) throw this.wrong('too_large', `the rule has more than ${CALLS} calls`, token);
  }
  #infix(name: string, left: ReadTerm, right: ReadTerm, token: Token): ReadTerm {
    this.#counted(token);
    return { value: { kind: 'call', function: name, arguments: [left.value, right.value] }, place: this.place(token), raw: name };
  }
  #factor(call: boolean): ReadTerm {
    const { token } = this;
    if (this.accept('(')) {
      const inner = this.expression(call);
      this.expect(')');
      return { value: inner.value, place: this.place(token), raw: inner.raw };
    }
    if (this.accept('-')) {
      this.#counted(token);
      const inner = this.#factor(call);
      return { value: { kind: 'call', function: '-', arguments: [inner.value] }, place: this.place(token), raw: '-' };
    }
    if (token.kind === 'name' && this.is('(', 1)) return this.call();
    const read = this.term();
    if (!call || !read.quoted) return read;
    return { value: this.#literal(read.quoted, read.quoted.text, 'string'), place: read.place, raw: read.raw };
  }
  /** `concat(?x, " ", ?y)`: inside the brackets, quoted text is a string. */
  call(): ReadTerm {
    const name = this.next();
    this.#counted(name);
    const builtin = BUILTINS.get(name.text);
    if (!builtin) {
      const near = nearNames(name.text, BUILTINS.keys());
      const names = [...BUILTINS.keys()].filter((known) => /^[a-z]/u.test(known));
      throw this.wrong(
        'unknown_builtin',
        `${name.text} is no built-in function; ${near.length > 0 ? `did you mean ${anyOf(near)}?` : `there are ${names.join(', ')}`}`,
        name,
        near.length > 0 ? near : names,
      );
    }
    this.expect('(');
    const values: Expression[] = [];
    if (!this.is(')'))
      do values.push(this.expression(true).value);
      while (this.accept(','));
    this.expect(')', '","');
    return { value: { kind: 'call', function: name.text, arguments: values }, place: this.place(name), raw: `${name.text}(..)` };
  }

  term(): ReadTerm<RuleTerm> {
    const { token } = this;
    const at = { place: this.place(token), raw: token.raw };
    switch (token.kind) {
      case 'variable':
        this.#at++;
        return { value: { kind: 'variable', name: token.text }, ...at };
      case 'number':
        this.#at++;
        return { value: this.#literal(token, Number(token.text), 'number'), ...at };
      case 'name':
        if (token.text === '_' || token.text === 'not')
          throw this.wrong(
            'syntax',
            token.text === '_'
              ? '_ has no meaning here; in a condition p(?x, _) it stands for anything; write a variable such as ?x, or "_" for the entity'
              : 'not is not a name; in quotes, "not", it is',
            token,
            [TERM],
          );
        this.#at++;
        if (token.text === 'true' || token.text === 'false') return { value: literal(token.text === 'true'), ...at };
        return { value: entity(this.convert(token, () => parseEntityId(token.text))), ...at };
      case 'quoted': {
        this.#at++;
        if (!this.accept('^^')) {
          // An entity is refused only where it stays one.
          const value = token.text.trim() === '' || token.text.length > 1024 ? undefined : entity(this.convert(token, () => parseEntityId(token.text)));
          return { value: value ?? this.#blank(token), ...at, quoted: token };
        }
        const type = this.token;
        if (type.kind === 'name' && type.text === 'entity') {
          this.#at++;
          return { value: entity(this.convert(token, () => parseEntityId(token.text))), ...at };
        }
        if (type.kind !== 'name' || !['string', 'number', 'date', 'boolean'].includes(type.text)) throw this.expected('string', 'number', 'date', 'boolean');
        this.#at++;
        return { value: this.#typed(token, type.text as LiteralType), place: at.place, raw: `${token.raw}^^${type.raw}` };
      }
      default:
        throw this.expected(TERM);
    }
  }
  /** Quoted text that names no entity may still be a string inside a call. */
  #blank(token: Token): Term {
    if (this.#nesting === 0) this.convert(token, () => parseEntityId(token.text));
    return this.#literal(token, token.text, 'string');
  }

  #typed(token: Token, type: LiteralType): Literal {
    if (type === 'number') return this.#literal(token, token.text.trim() === '' ? Number.NaN : Number(token.text), type);
    if (type === 'boolean') return this.#literal(token, token.text === 'true' ? true : token.text === 'false' ? false : token.text, type);
    return this.#literal(token, token.text, type);
  }
  #literal(token: Token, value: string | number | boolean, type: LiteralType): Literal {
    return this.convert(token, () => literal(value, type));
  }
  convert<T>(token: Token, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof TermError) throw this.wrong('invalid_term', error.message, token);
      throw error;
    }
  }
}
