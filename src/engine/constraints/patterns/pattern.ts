// Owns reading regular expressions: what of JavaScript's syntax (with the flag `u`) a text can be generated from; and Python's names of groups, ends of texts, and flags in front.
// Refuses to know how they are recognised, and how the characters are written.

import { complement, LAST_POINT, normalise } from '../grammar/expression.ts';
import type { Range } from '../grammar/expression.ts';
import { invalid } from '../grammar/network.ts';
import { withOtherCases } from './letter-cases.ts';
import { charactersOf } from './unicode-properties.ts';

const MOST_CHARACTERS = 16 * 1024;
/** Each has to be looked up among all characters. */
const MOST_PROPERTIES = 64;
/** Of all classes in brackets. */
const MOST_RANGES = 200_000;
const DIGITS: readonly Range[] = [[48, 57]];
const WORD: readonly Range[] = [[48, 57], [65, 90], [95, 95], [97, 122]];
const SPACE: readonly Range[] = [[9, 13], [32, 32], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]];
const LINE_ENDS: readonly Range[] = [[10, 10], [13, 13], [0x2028, 0x2029]];
export const ANY: readonly Range[] = [[0, LAST_POINT]];

export type Pattern =
  /** One character out of ranges; those that are written alike are one list. */
  | { readonly kind: 'character'; readonly ranges: readonly Range[] }
  | { readonly kind: 'sequence'; readonly items: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly items: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly item: Pattern; readonly least: number; readonly most: number }
  | Look;
/** Reads nothing: what follows here begins with `body`, or with `back` what stands before ends with it; or, negated, it does not. */
export interface Look {
  readonly kind: 'look';
  readonly back: boolean;
  readonly negated: boolean;
  readonly body: Pattern;
}

const character = (ranges: readonly Range[]): Pattern => ({ kind: 'character', ranges });
const sequence = (...items: readonly Pattern[]): Pattern => (items.length === 1 ? items[0] : { kind: 'sequence', items });
const choice = (...items: readonly Pattern[]): Pattern => (items.length === 1 ? items[0] : { kind: 'choice', items });
const look = (back: boolean, negated: boolean, body: Pattern): Look => ({ kind: 'look', back, negated, body });
/** `^` and `$`: no character stands before, or follows. */
export const START = look(true, true, character(ANY));
export const END = look(false, true, character(ANY));
/** `\b`: of the characters on both sides one is of a word; `\B`: both or none. */
function boundary(negated: boolean): Pattern {
  const side = (back: boolean, not: boolean): Look => look(back, not, character(WORD));
  return choice(...[true, false].map((before) => sequence(side(true, !before), side(false, before !== negated))));
}

/** Throws EngineError `constraint_invalid` with the place and what is not supported there. */
export function parsePattern(pattern: string): Pattern {
  if (pattern.length > MOST_CHARACTERS) throw invalid(`the pattern has ${pattern.length} characters; at most ${MOST_CHARACTERS} are read`);
  return new Parser(pattern).whole();
}
/** One that texts match which match all of these. Throws EngineError `constraint_invalid` for one that is no pattern by itself. */
export function patternOfAll(patterns: readonly string[]): string {
  for (const each of patterns) parsePattern(each);
  return patterns.map((each) => `^(?=[^]*(?:${each}))`).join('');
}

/** Letters of either case are the same; a full stop is any character. */
interface Flags {
  readonly i: boolean;
  readonly s: boolean;
}

class Parser {
  readonly #pattern: string;
  /** By their text. */
  readonly #classes = new Map<string, Pattern>();
  readonly #properties = new Set<string>();
  #ranges = 0;
  #at = 0;
  #depth = 0;
  #flags: Flags = { i: false, s: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): Pattern {
    const flags = /^\(\?([is]+)\)/.exec(this.#pattern);
    if (flags) {
      this.#at = flags[0].length;
      this.#flags = { i: flags[1].includes('i'), s: flags[1].includes('s') };
    }
    const all = this.#alternatives();
    if (this.#at < this.#pattern.length) throw this.#wrong(this.#pattern[this.#at] === ')' ? 'a ")" that nothing opened' : `${JSON.stringify(this.#pattern[this.#at])} is not supported here`);
    return all;
  }
  #take(sign: string): boolean {
    const there = this.#pattern.startsWith(sign, this.#at);
    if (there) this.#at += sign.length;
    return there;
  }
  #wrong(what: string, at = this.#at): Error {
    return invalid(`character ${at + 1} of the pattern ${JSON.stringify(this.#pattern.slice(0, 100))}: ${what}`);
  }
  #alternatives(): Pattern {
    const items = [this.#sequence()];
    while (this.#take('|')) items.push(this.#sequence());
    return choice(...items);
  }
  #sequence(): Pattern {
    const items: Pattern[] = [];
    for (let item = this.#item(); item; item = this.#item()) items.push(item);
    return sequence(...items);
  }
  #repeated(item: Pattern): Pattern {
    const start = this.#at;
    const times = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;
    times.lastIndex = this.#at;
    const found = times.exec(this.#pattern);
    if (!found) return item;
    const [all, sign, least, comma, most] = found;
    this.#at += all.length;
    if (/^[*+?{]/.test(this.#pattern.slice(this.#at))) throw this.#wrong('a repetition of a repetition; put the first into a group');
    if (sign) return { kind: 'repeat', item, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
    const [low, high] = [Number(least), comma ? (most === '' ? Infinity : Number(most)) : Number(least)];
    if (high < low) throw this.#wrong(`a repetition from ${low} to ${high}`, start);
    return { kind: 'repeat', item, least: low, most: high };
  }
  #item(): Pattern | undefined {
    const next = this.#pattern[this.#at];
    if (next === undefined || next === '|' || next === ')') return undefined;
    const read = this.#assertion();
    if (read) {
      if (/^[*+?{]/.test(this.#pattern.slice(this.#at))) throw this.#wrong('a repetition of what reads nothing');
      return read;
    }
    return this.#repeated(this.#one(next));
  }
  /** What stands between characters. */
  #assertion(): Pattern | undefined {
    if (this.#take('^') || this.#take('\\A')) return START;
    if (this.#take('$') || this.#take('\\Z') || this.#take('\\z')) return END;
    if (this.#take('\\b')) return boundary(false);
    if (this.#take('\\B')) return boundary(true);
    for (const back of [false, true])
      for (const negated of [false, true]) if (this.#take(`(?${back ? '<' : ''}${negated ? '!' : '='}`)) return look(back, negated, this.#body());
    return undefined;
  }
  #one(next: string): Pattern {
    if (next === '(') return this.#group();
    if (next === '[' || next === '\\') return this.#known(() => (next === '[' ? this.#class() : this.#cased(this.#escape())));
    if (next === '.') {
      this.#at++;
      return this.#flags.s ? this.#alike('[^]', () => ANY) : this.#alike('.', () => complement(LINE_ENDS));
    }
    if ('*+?{}'.includes(next)) throw this.#wrong(`${JSON.stringify(next)} repeats nothing; write \\${next} for the sign itself`);
    const point = this.#pattern.codePointAt(this.#at) ?? 0;
    this.#at += point > 0xffff ? 2 : 1;
    return this.#alike(String.fromCodePoint(point), () => this.#cased([[point, point]]));
  }
  /** A class is one list, however often it stands in the pattern: one of a property has hundreds of ranges. */
  #known(read: () => readonly Range[]): Pattern {
    const start = this.#at;
    const ranges = read();
    return this.#alike(this.#pattern.slice(start, this.#at), () => ranges);
  }
  #alike(text: string, ranges: () => readonly Range[]): Pattern {
    const key = this.#flags.i ? `(?i)${text}` : text;
    let known = this.#classes.get(key);
    if (!known) this.#classes.set(key, (known = character(normalise(ranges()))));
    return known;
  }
  /** Of characters that the pattern names, and not of properties. */
  #cased(ranges: readonly Range[]): readonly Range[] {
    return this.#flags.i && ranges.length === 1 ? withOtherCases(ranges) : ranges;
  }
  #count(ranges: readonly Range[]): readonly Range[] {
    this.#ranges += ranges.length;
    if (this.#ranges > MOST_RANGES) throw this.#wrong(`classes with more than ${MOST_RANGES} ranges of characters together`);
    return ranges;
  }
  #group(): Pattern {
    this.#at++;
    const before = this.#flags;
    const start = /(\?P?<[\p{ID_Start}$_][\p{ID_Continue}$]*>)|\?([is]*)(?:-([is]+))?:|(?!\?)/uy;
    start.lastIndex = this.#at;
    const found = start.exec(this.#pattern);
    if (!found) throw this.#wrong(`(${this.#pattern.slice(this.#at, this.#at + 2)} is not supported: a group is (..), (?:..), (?i:..), (?<name>..) or looks ahead or behind`, this.#at - 1);
    const [all, , on = '', off = ''] = found;
    this.#at += all.length;
    this.#flags = { i: (before.i || on.includes('i')) && !off.includes('i'), s: (before.s || on.includes('s')) && !off.includes('s') };
    const body = this.#body();
    this.#flags = before;
    return body;
  }
  #body(): Pattern {
    if (++this.#depth > 100) throw this.#wrong('more than 100 groups inside each other');
    const body = this.#alternatives();
    this.#depth--;
    if (!this.#take(')')) throw this.#wrong('a group that nothing closes');
    return body;
  }
  #class(): readonly Range[] {
    const start = this.#at++;
    const negated = this.#take('^');
    const ranges: Range[] = [];
    while (!this.#take(']')) {
      if (this.#at >= this.#pattern.length) throw this.#wrong('a class that nothing closes', start);
      if (/^\[:\^?[a-z]+:\]/.test(this.#pattern.slice(this.#at, this.#at + 16))) throw this.#wrong('classes by names are not supported; write the characters, or \\p{..}');
      const from = this.#count(this.#classItem());
      if (this.#pattern[this.#at] === '-' && this.#pattern[this.#at + 1] !== ']' && from.length === 1 && from[0][0] === from[0][1]) {
        this.#at++;
        const to = this.#classItem();
        if (to.length !== 1 || to[0][0] !== to[0][1] || to[0][0] < from[0][0]) throw this.#wrong('a range must go from a lower character to a higher one');
        ranges.push(...this.#cased([[from[0][0], to[0][0]]]));
      } else ranges.push(...this.#cased(from));
    }
    const kept = negated ? complement(ranges) : ranges;
    if (kept.length === 0) throw this.#wrong('a class without characters', start);
    return kept;
  }
  #classItem(): readonly Range[] {
    if (this.#pattern[this.#at] === '\\') return this.#pattern[this.#at + 1] === 'b' ? ((this.#at += 2), [[8, 8]]) : this.#escape();
    const point = this.#pattern.codePointAt(this.#at) ?? 0;
    this.#at += point > 0xffff ? 2 : 1;
    return [[point, point]];
  }
  #escape(): readonly Range[] {
    const start = this.#at;
    const found = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]+)\}|([pP])\{([^}]+)\}|c([A-Za-z])|(.))/suy;
    found.lastIndex = this.#at;
    const match = found.exec(this.#pattern);
    if (!match) throw this.#wrong('an escape that is cut short');
    const [all, two, four, more, kind, property, control, sign] = match;
    this.#at += all.length;
    const code = two ?? four ?? more;
    if (code !== undefined) {
      let point = Number.parseInt(code, 16);
      const low = /^\\u([dD][c-fC-F][0-9A-Fa-f]{2})/.exec(this.#pattern.slice(this.#at))?.[1];
      if (four !== undefined && point >= 0xd800 && point <= 0xdbff && low) {
        this.#at += 6;
        point = 0x10000 + ((point & 0x3ff) << 10) + (Number.parseInt(low, 16) & 0x3ff);
      }
      if (point > LAST_POINT || (point >= 0xd800 && point <= 0xdfff)) throw this.#wrong('no character of Unicode', start);
      return [[point, point]];
    }
    if (control !== undefined) return [[control.charCodeAt(0) % 32, control.charCodeAt(0) % 32]];
    if (kind !== undefined) return kind === 'P' ? complement(this.#property(property)) : this.#property(property);
    switch (sign) {
      case 'd':
        return DIGITS;
      case 'D':
        return complement(DIGITS);
      case 'w':
        return WORD;
      case 'W':
        return complement(WORD);
      case 's':
        return SPACE;
      case 'S':
        return complement(SPACE);
      case 't':
        return [[9, 9]];
      case 'n':
        return [[10, 10]];
      case 'v':
        return [[11, 11]];
      case 'f':
        return [[12, 12]];
      case 'r':
        return [[13, 13]];
      case '0':
        return [[0, 0]];
      default:
        if (/[A-Za-z1-9]/.test(sign)) throw this.#wrong(`\\${sign} is not supported${/[1-9]/.test(sign) ? ': a match cannot be referred to' : ''}`, start);
        return [[sign.codePointAt(0) ?? 0, sign.codePointAt(0) ?? 0]];
    }
  }
  #property(name: string): readonly Range[] {
    this.#properties.add(name);
    if (this.#properties.size > MOST_PROPERTIES) throw this.#wrong(`more than ${MOST_PROPERTIES} different properties of characters`);
    const ranges = charactersOf(name);
    if (!ranges) throw this.#wrong(`there is no property ${name} of characters`);
    return ranges;
  }
}
