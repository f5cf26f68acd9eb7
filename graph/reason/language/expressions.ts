// Owns reading values: terms, lists and calls of built-in functions, by precedence.
// Refuses to know conditions and clauses.

import { literal } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import { Cursor } from './cursor.ts';
import { anyOf, RuleError } from '../errors.ts';
import {
  CLOSE,
  CLOSE_LIST,
  COMMA,
  EQUAL,
  GREATER,
  GREATER_EQUAL,
  LESS,
  LESS_EQUAL,
  MINUS,
  NAME,
  NUMBER,
  OPEN,
  OPEN_LIST,
  PLUS,
  signOf,
  SLASH,
  STAR,
  UNEQUAL,
} from './lexer.ts';
import type { Call, Comparison, Expression } from '../types.ts';
import { BUILTINS, INFIX, nearNames } from './values.ts';

/** Signs of comparisons by their codes. */
const OPERATORS: ReadonlyMap<number, Exclude<Comparison['operator'], 'in' | 'not in'>> = new Map([
  [EQUAL, '='],
  [UNEQUAL, '!='],
  [LESS, '<'],
  [LESS_EQUAL, '<='],
  [GREATER, '>'],
  [GREATER_EQUAL, '>='],
]);
const isArithmetic = (code: number): boolean => code === PLUS || code === MINUS || code === STAR || code === SLASH;
/** Nesting of brackets at most. */
const NESTING = 50;
/** Calls in one clause at most. */
const CALLS = 500;

export interface ReadTerm<T extends Expression = Expression> {
  readonly value: T;
  /** Token at which it begins. */
  readonly at: number;
  /** It was written in quotes, without a type and brackets. */
  readonly quoted: boolean;
}

export class ExpressionReader extends Cursor {
  #nesting = 0;
  #calls = 0;

  override begin(): void {
    super.begin();
    this.#nesting = 0;
    this.#calls = 0;
  }

  /** `=`, `<`, `in`, `not in`, ..; undefined when there is none here. */
  operator(): Comparison['operator'] | undefined {
    const { at } = this;
    const sign = OPERATORS.get(this.code());
    if (sign !== undefined) {
      this.next();
      const second = OPERATORS.get(this.code());
      // `==`, `=<`, `<>`
      if (second !== undefined) throw this.wrong('syntax', `"${sign}${second}" is no comparison here; there are = != < <= > >=`, at, [...OPERATORS.values()]);
      return sign;
    }
    const words = this.isWord('in') ? 1 : this.isWord('not') && this.isWord('in', 1) ? 2 : 0;
    if (words === 0 || !this.is(OPEN_LIST, words)) return undefined;
    for (let i = 0; i < words; i++) this.next();
    return words === 1 ? 'in' : 'not in';
  }
  /** Does a comparison or an operator between values stand this far ahead? */
  isInfix(ahead: number): boolean {
    const code = this.code(ahead);
    if (code === NUMBER) return this.tokens.raw(this.at + ahead).startsWith('-');
    if (code === NAME) return this.isWord('in', ahead) || this.isWord('not', ahead);
    return OPERATORS.has(code) || (isArithmetic(code) && !this.isForeignComment(ahead));
  }
  /** `["a", "b"]`; with `strings`, quoted text is a string. */
  list(strings: boolean): ReadTerm {
    const { at } = this;
    const items: Term[] = [];
    this.expect(OPEN_LIST);
    if (!this.is(CLOSE_LIST))
      do {
        const { at: token } = this;
        const value = this.term();
        if (value.kind === 'variable')
          throw new RuleError('syntax', `?${value.name} stands in a list; a list holds names and literals`, { ...this.place(token), rule: this.source() });
        items.push(strings && this.isPlainText(token) ? this.convert(token, () => literal(this.tokens.content(token), 'string')) : value);
      } while (this.accept(COMMA));
    this.expect(CLOSE_LIST, '","');
    return { value: { kind: 'list', items }, at, quoted: false };
  }

  /** A term, or a call of built-in functions, by precedence. */
  expression(call = false, least = 0): ReadTerm {
    const { at } = this;
    if (++this.#nesting > NESTING) throw this.wrong('too_large', `brackets are nested deeper than ${NESTING}`);
    let left = this.#factor(call);
    for (;;) {
      const code = this.code();
      const sign = this.at;
      // `?x -3` is read as a variable and a number.
      const glued = code === NUMBER && this.tokens.raw(sign).startsWith('-');
      if (!glued && (!isArithmetic(code) || this.isForeignComment())) break;
      const name = glued ? '-' : signOf(code);
      const strength = INFIX.get(name) as number;
      if (strength <= least) break;
      if (!glued) this.next();
      let right = glued ? this.#glued() : this.expression(call, strength);
      // The number behind the sign takes its own multiplications first.
      if (glued) while (this.is(STAR) || this.is(SLASH)) right = this.#infix(this.tokens.raw(this.next()), right, this.expression(call, 2), sign);
      left = this.#infix(name, left, right, at);
    }
    this.#nesting--;
    return left;
  }
  #glued(): ReadTerm {
    const at = this.next();
    return { value: this.number(at, this.tokens.raw(at).slice(1)), at, quoted: false };
  }
  #counted(token: number): void {
    if (++this.#calls > CALLS) throw this.wrong('too_large', `the rule has more than ${CALLS} calls`, token);
  }
  #infix(name: string, left: ReadTerm, right: ReadTerm, at: number): ReadTerm {
    this.#counted(at);
    return { value: { kind: 'call', function: name, arguments: [left.value, right.value] }, at, quoted: false };
  }
  #factor(call: boolean): ReadTerm {
    const { at } = this;
    if (this.accept(OPEN)) {
      const { value } = this.expression(call);
      this.expect(CLOSE);
      return { value, at, quoted: false };
    }
    if (this.accept(MINUS)) {
      this.#counted(at);
      const { value } = this.#factor(call);
      return { value: { kind: 'call', function: '-', arguments: [value] }, at, quoted: false };
    }
    if (this.is(NAME) && this.is(OPEN, 1)) return { value: this.call(), at, quoted: false };
    const value = this.term(true);
    if (!this.isPlainText(at)) return { value, at, quoted: false };
    return call ? { value: this.literal(at, this.tokens.content(at), 'string'), at, quoted: false } : { value, at, quoted: true };
  }
  /** `concat(?x, " ", ?y)`: inside the brackets, quoted text is a string. */
  call(): Call {
    const name = this.next();
    this.#counted(name);
    const text = this.tokens.content(name);
    if (!BUILTINS.has(text)) {
      const near = nearNames(text, BUILTINS.keys());
      const names = [...BUILTINS.keys()].filter((known) => /^[a-z]/u.test(known));
      throw this.wrong(
        'unknown_builtin',
        `${text} is no built-in function; ${near.length > 0 ? `did you mean ${anyOf(near)}?` : `there are ${names.join(', ')}`}`,
        name,
        near.length > 0 ? near : names,
      );
    }
    this.expect(OPEN);
    const values: Expression[] = [];
    if (!this.is(CLOSE))
      do values.push(this.expression(true).value);
      while (this.accept(COMMA));
    this.expect(CLOSE, '","');
    return { kind: 'call', function: text, arguments: values };
  }
}
