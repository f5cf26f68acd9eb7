// Owns cutting rule text into tokens: columns of codes, places and symbols, since there are texts with very many rules.
// Refuses to know what the tokens mean together.

import { RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { hashed, Symbols } from './symbols.ts';

/** Code of the token behind the last. A sign of one character has the character's own code. */
export const END = 0;
export const NAME = 1;
export const QUOTED = 2;
export const VARIABLE = 3;
export const NUMBER = 4;
export const ANNOTATION = 5;
export const OPEN = 40;
export const CLOSE = 41;
export const STAR = 42;
export const PLUS = 43;
export const COMMA = 44;
export const MINUS = 45;
export const DOT = 46;
export const SLASH = 47;
export const COLON = 58;
export const LESS = 60;
export const EQUAL = 61;
export const GREATER = 62;
export const OPEN_LIST = 91;
export const CLOSE_LIST = 93;
export const OPEN_BRACE = 123;
export const CLOSE_BRACE = 125;
/** `:-` */
export const IF = 128;
/** `^^` */
export const TYPED = 129;
export const UNEQUAL = 130;
export const LESS_EQUAL = 131;
export const GREATER_EQUAL = 132;
const DOUBLED = [':-', '^^', '!=', '<=', '>='];
/** The sign of a code of `is`, as it is written. */
export const signOf = (code: number): string => (code >= IF ? DOUBLED[code - IF] : String.fromCharCode(code));

/** Characters of one rule text at most. */
export const RULE_TEXT_LIMIT = 16 * 1024 * 1024;

const SPACE = /[\s\uFEFF]+/uy;
const WORD = /[\p{L}_][\p{L}\p{M}\p{N}_]*/uy;
const ANNOTATED = /@[A-Za-z_]+/uy;
const NUMERAL = /-?\d+(\.\d+)?([eE][+-]?\d+)?/uy;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', r: '\r', t: '\t' };
const HEX = /^[0-9a-fA-F]{4}/;

/** What people type by habit, and what the language has instead. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^#/u, 'comments begin with "%"'],
  [/^（|^）|^，|^。|^？|^－|^：/u, 'write the half-width sign: ( ) , . ? - :'],
  [/^[“”„«»]/u, 'names are quoted with straight quotes: "..."'],
  [/^'/u, 'names are quoted with double quotes: "..."'],
  [/^\?/u, 'a variable is "?" and a name that begins with a letter, such as ?x'],
  [/^[!\\]/u, 'write "not p(..)" for what cannot be derived, "!=" for unequal'],
  [/^;/u, 'write one rule for each alternative'],
  [/^&|^\|/u, 'write "," between conditions, one rule for each alternative'],
];

// What a character below 128 begins.
const BLANK = 1;
const LETTER = 2;
const DIGIT = 3;
const SIGN = 4;
const BEGINS = new Uint8Array(128);
for (const sign of '\t\n\v\f\r ') BEGINS[sign.charCodeAt(0)] = BLANK;
for (let code = 65; code <= 90; code++) BEGINS[code] = BEGINS[code + 32] = LETTER;
BEGINS[95] = LETTER;
for (let code = 48; code <= 57; code++) BEGINS[code] = DIGIT;
for (const sign of '(),.<>=+*/:{}[]-') BEGINS[sign.charCodeAt(0)] = SIGN;

const DIGIT_0 = 48;

/** Tokens of one text, numbered from 0; the last one has the code END. Equal names, variables and numbers have equal symbols. */
export class Tokens {
  readonly text: string;
  /** Its UTF-16 units. */
  readonly units: Uint16Array<ArrayBuffer>;
  /** By token. Behind END stand more of it. */
  codes: Uint8Array<ArrayBuffer>;
  /** By token: the number of its raw text; -1 for signs. */
  symbols: Int32Array<ArrayBuffer>;
  #starts: Int32Array<ArrayBuffer>;
  #count = 0;
  readonly #pieces: Symbols;
  #lines: number[] | undefined;
  /** The place that was asked for last: those of one line are asked for in order. */
  #lastOffset = 0;
  #lastColumn = 1;

  /** Throws RuleError at the first character that begins no token. */
  constructor(text: string) {
    this.text = text;
    this.#pieces = new Symbols(text);
    this.units = this.#pieces.units;
    const room = (text.length >>> 1) + 16;
    this.codes = new Uint8Array(room);
    this.symbols = new Int32Array(room);
    this.#starts = new Int32Array(room);
    for (let at = 0; at < text.length;) at = this.#token(at);
    this.#push(END, text.length, text.length);
  }

  /** Number of different names, variables and numbers. */
  get symbolCount(): number {
    return this.#pieces.count;
  }
  /** Is the token this bare name? */
  isWord(token: number, word: string): boolean {
    return this.codes[token] === NAME && this.#pieces.is(this.symbols[token], word);
  }
  /** As it stands in the source. */
  raw(token: number): string {
    const code = this.codes[token];
    return code === END ? '' : code <= ANNOTATION ? this.#pieces.string(this.symbols[token]) : signOf(code);
  }
  /** Name, unescaped content, variable without `?`, annotation without `@`, or the sign itself. */
  content(token: number): string {
    const symbol = this.symbols[token];
    switch (this.codes[token]) {
      case NAME:
        return this.#pieces.string(symbol).normalize('NFC');
      case VARIABLE:
        return this.#pieces.string(symbol, 1).normalize('NFC');
      case ANNOTATION:
        return this.#pieces.string(symbol, 1);
      case QUOTED:
        return unescaped(this.#pieces.string(symbol, 1, 1));
      default:
        return this.raw(token);
    }
  }
  /** Line and column from 1, columns in code points. */
  place(token: number): Place {
    return this.#placeAt(this.#starts[token]);
  }

  #placeAt(offset: number): Place {
    if (!this.#lines) {
      this.#lines = [0];
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) this.#lines.push(at + 1);
    }
    const lines = this.#lines;
    let [low, high] = [0, lines.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (lines[middle] <= offset) low = middle;
      else high = middle;
    }
    const known = this.#lastOffset >= lines[low] && this.#lastOffset <= offset;
    let column = known ? this.#lastColumn : 1;
    for (let i = known ? this.#lastOffset : lines[low]; i < offset; i++) if ((this.text.charCodeAt(i) & 0xfc00) !== 0xdc00) column++;
    [this.#lastOffset, this.#lastColumn] = [offset, column];
    return { line: low + 1, column };
  }

  /** Reads the token, or passes what lies between tokens, and returns where it ends. A function of its own, since a loop is compiled later than what it calls. */
  #token(at: number): number {
    const { text, units } = this;
    const code = units[at];
    const begins = code < 128 ? BEGINS[code] : 0;
    if (begins === BLANK) return at + 1;
    if (begins === LETTER) return this.#name(NAME, at, at + 1, code);
    if (begins === DIGIT) return this.#matched(NUMBER, NUMERAL, at);
    if (begins === SIGN) return this.#sign(code, at);
    if (code === 34) return this.#quoted(at);
    if (code === 63) {
      const behind = units[at + 1];
      if (behind < 128 ? BEGINS[behind] !== LETTER : matchEnd(WORD, text, at + 1) < 0) throw this.#meaningless(at);
      return this.#name(VARIABLE, at, at + 1, 63);
    }
    if (code === 37) {
      const end = text.indexOf('\n', at);
      return end < 0 ? text.length : end;
    }
    if (code === 64 && matchEnd(ANNOTATED, text, at) > 0) return this.#matched(ANNOTATION, ANNOTATED, at);
    if ((code === 94 || code === 33) && units[at + 1] === (code === 94 ? 94 : EQUAL)) {
      this.#push(code === 94 ? TYPED : UNEQUAL, at, at + 2);
      return at + 2;
    }
    const space = matchEnd(SPACE, text, at);
    if (space > 0) return space;
    if (matchEnd(WORD, text, at) > 0) return this.#name(NAME, at, at, 0);
    throw this.#meaningless(at);
  }
  /** A name or variable whose rest begins at `from`; returns where it ends. */
  #name(code: number, at: number, from: number, first: number): number {
    const { text, units } = this;
    let hash = first;
    let end = from;
    for (; end < units.length; end++) {
      const sign = units[end];
      if (sign >= 128) {
        end = matchEnd(WORD, text, code === VARIABLE ? at + 1 : at);
        return this.#matchedTo(code, at, end);
      }
      const kind = BEGINS[sign];
      if (kind !== LETTER && kind !== DIGIT) break;
      hash = hashed(hash, sign);
    }
    this.#push(code, at, end, hash);
    return end;
  }
  #matched(code: number, pattern: RegExp, at: number): number {
    return this.#matchedTo(code, at, matchEnd(pattern, this.text, at));
  }
  #matchedTo(code: number, at: number, end: number): number {
    const { units } = this;
    let hash = units[at];
    for (let i = at + 1; i < end; i++) hash = hashed(hash, units[i]);
    this.#push(code, at, end, hash);
    return end;
  }
  #sign(code: number, at: number): number {
    const behind = this.units[at + 1];
    if (code === MINUS && behind >= DIGIT_0 && behind < DIGIT_0 + 10) return this.#matched(NUMBER, NUMERAL, at);
    const doubled =
      code === COLON && behind === MINUS ? IF : code === LESS && behind === EQUAL ? LESS_EQUAL : code === GREATER && behind === EQUAL ? GREATER_EQUAL : code;
    const end = at + (doubled === code ? 1 : 2);
    this.#push(doubled, at, end);
    return end;
  }
  #quoted(at: number): number {
    const { text, units } = this;
    let hash = 34;
    for (let i = at + 1; i < units.length; i++) {
      const sign = units[i];
      hash = hashed(hash, sign);
      if (sign === 34) {
        this.#push(QUOTED, at, i + 1, hash);
        return i + 1;
      }
      if (sign === 10) break;
      if (sign !== 92) continue;
      const escape = text[++i] ?? '';
      hash = hashed(hash, units[i] ?? 0);
      if (ESCAPES[escape] !== undefined || (escape === 'u' && HEX.test(text.slice(i + 1, i + 5)))) continue;
      throw new RuleError('syntax', `unknown escape ${JSON.stringify('\\' + escape)} in quotes; use \\" \\\\ \\n \\r \\t or \\uXXXX`, {
        ...this.#placeAt(i - 1),
        expected: ['\\"', '\\\\', '\\n', '\\r', '\\t', '\\uXXXX'],
      });
    }
    throw new RuleError('syntax', 'the quoted name that begins here has no closing quote on its line; expected "\\""', {
      ...this.#placeAt(at),
      expected: ['"'],
    });
  }
  #meaningless(at: number): RuleError {
    const rest = this.text.slice(at, at + 8);
    const hint = HINTS.find(([pattern]) => pattern.test(rest))?.[1] ?? 'a name with other signs than letters, digits and "_" is written in quotes';
    const found = String.fromCodePoint(this.text.codePointAt(at) as number);
    return new RuleError('syntax', `found ${JSON.stringify(found)}, which has no meaning here; ${hint}`, { ...this.#placeAt(at), expected: [hint] });
  }

  #push(code: number, start: number, end: number, hash = 0): void {
    const token = this.#count++;
    // Behind END two more tokens can be looked at.
    if (token + 4 > this.codes.length) this.#grow();
    this.codes[token] = code;
    this.#starts[token] = start;
    this.symbols[token] = code > END && code <= ANNOTATION ? this.#pieces.of(start, end, hash) : -1;
  }
  #grow(): void {
    const length = this.codes.length * 2;
    const codes = new Uint8Array(length);
    codes.set(this.codes);
    this.codes = codes;
    this.symbols = grown(this.symbols, length);
    this.#starts = grown(this.#starts, length);
  }
}

const grown = (column: Int32Array, length: number): Int32Array<ArrayBuffer> => {
  const next = new Int32Array(length);
  next.set(column);
  return next;
};
/** Where the match that begins here ends; -1 when there is none. */
function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
/** What quotes hold, whose escapes are right. */
function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gsu, (_, hex: string | undefined, sign: string) =>
        hex === undefined ? ESCAPES[sign] : String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : text;
}

/** Cuts `text` into tokens; the last one has the code END. Throws RuleError at the first character that begins no token. */
export function tokenize(text: string, limit = RULE_TEXT_LIMIT): Tokens {
  if (text.length > limit)
    throw new RuleError('too_large', `the text has ${text.length} characters; at most ${limit} are allowed in one call`, { line: 1, column: 1 });
  return new Tokens(text);
}
