// Owns walking along tokens, what a name or term at a token is, and saying what was expected where.
// Refuses to know expressions, conditions and clauses.

import { entity, literal, parseEntityId, parseNumber, parseRelationName, TermError } from '../../terms.ts';
import type { EntityTerm, Literal, LiteralType, RelationName } from '../../terms.ts';
import { anyOf, RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { COLON, DOT, END, MINUS, NAME, NUMBER, QUOTED, signOf, SLASH, STAR, TYPED, VARIABLE } from './lexer.ts';
import type { Tokens } from './lexer.ts';
import type { RuleTerm } from '../types.ts';
import { BUILTINS, isCall, TESTS } from './values.ts';

const TERM = 'a variable, a name or a literal';
/** Bare, these are no names of entities. */
const WORDS: ReadonlySet<string> = new Set(['not', 'true', 'false', '_']);
const TYPES: readonly string[] = ['string', 'number', 'date', 'boolean'] satisfies LiteralType[];

export class Cursor {
  readonly tokens: Tokens;
  #at = 0;
  /** Where the clause being read began. */
  #start = 0;
  #anonymous = 0;
  /** Variables of the clause, once somebody asks. */
  #variables: Set<string> | undefined;
  #made: Set<string> | undefined;
  // By symbol: what it is does not depend on where it stands, once it was right.
  readonly #terms: (RuleTerm | undefined)[];
  readonly #relations: (RelationName | undefined)[];
  readonly #entities: (EntityTerm | undefined)[];
  readonly #named: (true | undefined)[];
  readonly #plain: (EntityTerm | undefined)[];
  /** Numbers of terms with which it calls no function: 1, 2 or both bits. */
  readonly #relational: Uint8Array;

  constructor(tokens: Tokens) {
    this.tokens = tokens;
    this.#terms = Array.from({ length: tokens.symbolCount });
    this.#relations = [...this.#terms] as undefined[];
    this.#entities = [...this.#terms] as undefined[];
    this.#named = [...this.#terms] as undefined[];
    this.#plain = [...this.#terms] as undefined[];
    this.#relational = new Uint8Array(tokens.symbolCount);
  }

  /** Number of the token here. */
  get at(): number {
    return this.#at;
  }
  /** First token of the clause. */
  get first(): number {
    return this.#start;
  }
  code(ahead = 0): number {
    return this.tokens.codes[this.#at + ahead];
  }
  atEnd(): boolean {
    return this.code() === END;
  }
  place(token = this.#at): Place {
    return this.tokens.place(token);
  }
  /** Goes on behind this token, and returns it. */
  next(): number {
    return this.code() === END ? this.#at : this.#at++;
  }
  is(sign: number, ahead = 0): boolean {
    return this.code(ahead) === sign;
  }
  isWord(word: string, ahead = 0): boolean {
    return this.tokens.isWord(this.#at + ahead, word);
  }
  isName(ahead = 0): boolean {
    const code = this.code(ahead);
    return code === NAME || code === QUOTED;
  }
  accept(sign: number): boolean {
    if (this.code() !== sign) return false;
    this.#at++;
    return true;
  }
  begin(): void {
    this.#start = this.#at;
    this.#anonymous = 0;
    this.#variables = this.#made = undefined;
  }
  /** Goes on by so many tokens. */
  skip(tokens: number): void {
    this.#at += tokens;
  }
  /** Goes behind the "." that ends the clause in which a mistake was found. */
  recover(): void {
    if (this.#at > this.#start && this.code(-1) === DOT) return;
    while (!this.atEnd())
      if (this.accept(DOT)) return;
      else this.#at++;
  }

  expected(...expected: string[]): RuleError {
    const code = this.code();
    const raw = this.tokens.raw(this.#at);
    const found = code === END ? 'the text ends' : `found ${code === QUOTED ? raw : `"${code === VARIABLE ? '?' : raw}"`}`;
    let hint = '';
    if (code === MINUS && this.#at > 0 && this.code(-1) === NAME) hint = '; a name with spaces or other signs is written in quotes';
    if (code === COLON) hint = '; write ":-" between head and body; a name with ":" is written in quotes';
    if (this.isForeignComment()) hint = '; comments begin with "%"';
    return this.wrong('syntax', `expected ${anyOf(expected)} but ${found}${hint}`, this.#at, expected);
  }
  /** Does what begins a comment in other languages, `//` or `/*`, stand this far ahead? */
  isForeignComment(ahead = 0): boolean {
    return this.code(ahead) === SLASH && (this.is(SLASH, ahead + 1) || this.is(STAR, ahead + 1));
  }
  wrong(code: RuleError['code'], reason: string, token = this.#at, expected: readonly string[] = []): RuleError {
    return new RuleError(code, reason, { ...this.place(token), expected, rule: this.source() });
  }
  expect(sign: number, ...others: string[]): void {
    if (this.code() === sign) this.#at++;
    else throw this.expected(`"${signOf(sign)}"`, ...others);
  }
  /** The beginning of the clause, for naming it in an error. */
  source(): string {
    const raws: string[] = [];
    for (let i = this.#start; i <= this.#at && raws.length < 40; i++) {
      raws.push(this.tokens.raw(i));
      if (this.tokens.codes[i] === END) break;
    }
    return raws.join(' ').slice(0, 200);
  }

  /** A variable that the clause does not name: `?_1`, `?_2`, .. */
  anonymous(): { readonly kind: 'variable'; readonly name: string } {
    if (!this.#variables) {
      this.#variables = new Set();
      const { codes } = this.tokens;
      for (let i = this.#start; codes[i] !== END && codes[i] !== DOT; i++) if (codes[i] === VARIABLE) this.#variables.add(this.tokens.content(i));
    }
    do this.#anonymous++;
    while (this.#variables.has(`_${this.#anonymous}`));
    const name = `_${this.#anonymous}`;
    (this.#made ??= new Set()).add(name);
    return { kind: 'variable', name };
  }
  /** Was this name made by `anonymous` in this clause? */
  isAnonymous(name: string): boolean {
    return this.#made !== undefined && this.#made.has(name);
  }

  /** `strings`: quoted text that names no entity may stand here, as it is going to be a string. */
  term(strings = false): RuleTerm {
    const { codes, symbols } = this.tokens;
    const at = this.#at;
    if (codes[at] !== QUOTED || codes[at + 1] !== TYPED) {
      const known = this.#terms[symbols[at]];
      if (known !== undefined) {
        this.#at++;
        return known;
      }
    }
    switch (codes[at]) {
      case VARIABLE:
        this.#at++;
        return (this.#terms[symbols[at]] = { kind: 'variable', name: this.tokens.content(at) });
      case NUMBER:
        this.#at++;
        return (this.#terms[symbols[at]] = this.number(at, this.tokens.raw(at)));
      case NAME: {
        const name = this.tokens.content(at);
        if (name === '_' || name === 'not')
          throw this.wrong(
            'syntax',
            name === '_'
              ? '_ has no meaning here; in a condition p(?x, _) it stands for anything; write a variable such as ?x, or "_" for the entity'
              : 'not is not a name; in quotes, "not", it is',
            at,
            [TERM],
          );
        this.#at++;
        return (this.#terms[symbols[at]] = name === 'true' || name === 'false' ? literal(name === 'true') : this.entity(at));
      }
      case QUOTED: {
        this.#at++;
        if (this.accept(TYPED)) return this.#typed(at);
        const text = this.tokens.content(at);
        // An entity is refused only where it stays one.
        if (strings && (text.trim() === '' || text.length > 1024)) return this.literal(at, text, 'string');
        return (this.#terms[symbols[at]] = this.entity(at));
      }
      default:
        throw this.expected(TERM);
    }
  }
  #typed(at: number): RuleTerm {
    const type = this.code() === NAME ? this.tokens.content(this.#at) : '';
    if (type === 'entity') {
      this.#at++;
      return this.entity(at);
    }
    if (!TYPES.includes(type)) throw this.expected('string', 'number', 'date', 'boolean');
    this.#at++;
    const text = this.tokens.content(at);
    if (type === 'number') return this.number(at, text.trim() === '' ? 'NaN' : text.trim());
    if (type === 'boolean') return this.literal(at, text === 'true' ? true : text === 'false' ? false : text, type);
    return this.literal(at, text, type as LiteralType);
  }
  /** Is the term that began at this token quoted text without a type? */
  isPlainText(token: number): boolean {
    return this.tokens.codes[token] === QUOTED && this.tokens.codes[token + 1] !== TYPED;
  }
  /** A term as it stands in the text. */
  rawTerm(token: number): string {
    const { tokens } = this;
    return tokens.codes[token] === QUOTED && tokens.codes[token + 1] === TYPED ? `${tokens.raw(token)}^^${tokens.raw(token + 2)}` : tokens.raw(token);
  }
  /** The entity of this name. */
  entity(token: number): EntityTerm {
    const symbol = this.tokens.symbols[token];
    return (this.#entities[symbol] ??= entity(this.convert(token, () => parseEntityId(this.tokens.content(token)))));
  }
  /** The entity of a name or quoted text that can mean nothing else wherever it stands; undefined for others, and for what is no name of an entity. */
  plainEntity(token: number): EntityTerm | undefined {
    const symbol = this.tokens.symbols[token];
    return this.#plain[symbol] ?? this.#makePlain(token, symbol);
  }
  #makePlain(token: number, symbol: number): EntityTerm | undefined {
    const name = this.tokens.content(token);
    if (BUILTINS.has(name) || TESTS.has(name) || (this.tokens.codes[token] === NAME && WORDS.has(name))) return undefined;
    try {
      return (this.#plain[symbol] = this.entity(token));
    } catch (error) {
      if (error instanceof RuleError) return undefined;
      throw error;
    }
  }
  /** Was this name found to begin an atom? */
  isRelation(token: number): boolean {
    return this.#named[this.tokens.symbols[token]] === true;
  }
  /** Refuses a name that begins no atom: a word of the language, or a built-in test that is not in quotes. */
  checkRelation(token: number): void {
    const { codes, symbols } = this.tokens;
    if (codes[token] !== NAME || this.#named[symbols[token]]) return;
    const name = this.tokens.content(token);
    if (name === 'not' || name === '_')
      throw this.wrong('syntax', `${name} is not a name; in quotes, ${JSON.stringify(name)}, it is`, token, ['a relation name']);
    if (TESTS.has(name))
      throw this.wrong('syntax', `${name} is a built-in test; in quotes, ${JSON.stringify(name)}, it is the relation of that name`, token, [
        JSON.stringify(name),
      ]);
    this.#named[symbols[token]] = true;
  }
  /** Refuses a built-in function in the place of a condition with so many terms: by mistake it would be a relation of which there is nothing. */
  refuseCall(token: number, terms: 1 | 2): void {
    const { codes, symbols } = this.tokens;
    if (codes[token] !== NAME || (this.#relational[symbols[token]] & terms) !== 0) return;
    const name = this.tokens.content(token);
    if (!isCall(name, terms)) {
      this.#relational[symbols[token]] |= terms;
      return;
    }
    const gives = BUILTINS.get(name)?.gives;
    const right = gives === 'boolean' ? `${name}(..) = true` : `?v = ${name}(..)`;
    const quoted = JSON.stringify(name);
    throw this.wrong(
      'syntax',
      `${name} is a built-in function that gives a ${gives}, not a condition; write ${right}, or in quotes, ${quoted}, for the relation of that name`,
      token,
      [right, quoted],
    );
  }
  /** The relation of this name. */
  relation(token: number): RelationName {
    const symbol = this.tokens.symbols[token];
    return (this.#relations[symbol] ??= this.convert(token, () => parseRelationName(this.tokens.content(token))));
  }
  number(token: number, text: string): Literal {
    return this.convert(token, () => literal(parseNumber(text), 'number'));
  }
  literal(token: number, value: string | number | boolean, type: LiteralType): Literal {
    return this.convert(token, () => literal(value, type));
  }
  convert<T>(token: number, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof TermError) throw this.wrong('invalid_term', error.message, token);
      throw error;
    }
  }
}
