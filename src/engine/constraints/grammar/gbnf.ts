// Owns reading grammars in llama.cpp's GBNF.
// Refuses to know how they are recognised.

import { characters, choiceOf, complement, LAST_POINT, literal, NOTHING, optional, repeat, rule, sequenceOf, without } from './expression.ts';
import type { Expression, Grammar, Range } from './expression.ts';
import { invalid } from './network.ts';

const MOST_CHARACTERS = 256 * 1024;
const MOST_DEPTH = 100;
const NAME = /[A-Za-z0-9_-]+/y;

/** Tokens of a vocabulary that grammars may name. */
export interface NamedTokens {
  /** Undefined where it is not one token. */
  readonly idOf: (text: string) => number | undefined;
  /** A special token, or what the token writes. Throws EngineError `constraint_invalid` for one that there is not, or that ends a text. */
  readonly expressionOf: (id: number) => Expression;
}

/** Rules by name, the text is `root`. `tokens`: absent where none may be named. Throws EngineError `constraint_invalid` with line, column and what was expected. */
export function parseGbnf(text: string, tokens?: NamedTokens): Grammar {
  if (text.length > MOST_CHARACTERS) throw invalid(`the grammar has ${text.length} characters; at most ${MOST_CHARACTERS} are read`);
  return new Parser(text, tokens).grammar();
}

class Parser {
  readonly #text: string;
  readonly #tokens: NamedTokens | undefined;
  #at = 0;
  #depth = 0;
  constructor(text: string, tokens: NamedTokens | undefined) {
    this.#text = text;
    this.#tokens = tokens;
  }

  grammar(): Grammar {
    const rules = new Map<string, Expression>();
    this.#space(true);
    while (this.#at < this.#text.length) {
      const name = this.#name('a rule');
      this.#space(false);
      if (!this.#text.startsWith('::=', this.#at)) throw this.#expected(`"::=" behind the name ${name}`);
      this.#at += 3;
      this.#space(true);
      const body = this.#alternatives(false);
      rules.set(name, body);
      if (this.#at < this.#text.length && !'\r\n'.includes(this.#text[this.#at])) throw this.#expected('the end of the line');
      this.#space(true);
    }
    if (!rules.has('root')) throw invalid('the grammar has no rule "root", with which a text begins');
    return { root: rule('root'), rules };
  }

  #expected(what: string): Error {
    const before = this.#text.slice(0, this.#at).split('\n');
    const found = this.#text[this.#at];
    return invalid(`line ${before.length}, column ${before[before.length - 1].length + 1} of the grammar: expected ${what}, found ${found === undefined ? 'the end' : JSON.stringify(found)}`);
  }
  /** Spaces and comments, and the ends of lines where the text goes on behind them. */
  #space(lines: boolean): void {
    const pattern = lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /(?:[ \t]|#[^\n]*)*/y;
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0;
  }
  #name(what: string): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#text)?.[0];
    if (name === undefined) throw this.#expected(`the name of ${what}`);
    this.#at += name.length;
    return name;
  }
  #alternatives(nested: boolean): Expression {
    const items = [this.#sequence(nested)];
    while (this.#text[this.#at] === '|') {
      this.#at++;
      this.#space(true);
      items.push(this.#sequence(nested));
    }
    return choiceOf(items);
  }
  #sequence(nested: boolean): Expression {
    const items: Expression[] = [];
    for (let item = this.#item(nested); item; item = this.#item(nested)) {
      const [least, most] = this.#times(nested) ?? [1, 1];
      items.push(least === 1 && most === 1 ? item : least === 0 && most === 1 ? optional(item) : repeat(item, least, most));
    }
    return items.length === 0 ? NOTHING : sequenceOf(items);
  }
  #item(nested: boolean): Expression | undefined {
    const next = this.#text[this.#at];
    let item: Expression;
    if (next === '"') item = this.#quoted();
    else if (next === '[') item = this.#class();
    else if (next === '.') {
      this.#at++;
      item = characters([[0, LAST_POINT]]);
    } else if (next === '(') {
      if (++this.#depth > MOST_DEPTH) throw this.#expected(`at most ${MOST_DEPTH} groups inside each other`);
      this.#at++;
      this.#space(true);
      item = this.#alternatives(true);
      this.#depth--;
      if (this.#text[this.#at] !== ')') throw this.#expected('")"');
      this.#at++;
    } else if (next === '<') item = this.#token();
    else if (next === '!') {
      this.#at++;
      item = this.#otherTokens(this.#token(), nested);
    } else {
      NAME.lastIndex = this.#at;
      if (!NAME.test(this.#text)) return undefined;
      item = rule(this.#name('a rule'));
    }
    this.#space(nested);
    return item;
  }
  /** `<[1000]>` by id, `<think>` by its text with the brackets. */
  #token(): Expression {
    const found = /<(?:\[(\d{1,9})\]|([^[>\n][^>\n]*))>/y;
    found.lastIndex = this.#at;
    const match = found.exec(this.#text);
    if (!match) throw this.#expected('a token such as <think> or <[1000]>');
    if (!this.#tokens) throw this.#expected('text; tokens (<...>) are not supported where the model thinks before it writes the text');
    const id = match[1] === undefined ? this.#tokens.idOf(match[0]) : Number(match[1]);
    if (id === undefined) throw this.#expected(`one token of the model between < and >, and ${match[0]} is none; write it as text in quotes`);
    const expression = this.#tokens.expressionOf(id);
    this.#at += match[0].length;
    return expression;
  }
  /**
   * Any tokens but one: any text, in which, where that one is text, it does not stand. Other special tokens are not written. A number of tokens says nothing of a text, so that only as many as
   * one likes can be asked for.
   */
  #otherTokens(token: Expression, nested: boolean): Expression {
    this.#space(nested);
    const [least, most] = this.#times(nested) ?? [1, 1];
    if (least > 1 || most < Infinity) throw this.#expected('* or + behind a token with !');
    const any = (from: number): Expression => repeat(characters([[0, LAST_POINT]]), from, Infinity);
    if (token.kind === 'token') return any(least);
    const text = textOf(token);
    if (text === undefined || least > 0) throw this.#expected('* behind ! and a token that is no special one, and that writes whole characters');
    return without(text);
  }
  #times(nested: boolean): readonly [least: number, most: number] | undefined {
    const found = /([*+?])|\{\s*(\d+)\s*(,?)\s*(\d*)\s*\}/y;
    found.lastIndex = this.#at;
    const match = found.exec(this.#text);
    if (!match) {
      if (this.#text[this.#at] === '{') throw this.#expected('numbers such as {2}, {2,} or {2,5}');
      return undefined;
    }
    const [, sign, least, comma, most] = match;
    const times: readonly [number, number] = sign ? [sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity] : [Number(least), comma ? (most === '' ? Infinity : Number(most)) : Number(least)];
    if (times[1] < times[0]) throw this.#expected('a greater number behind a smaller one');
    this.#at += match[0].length;
    this.#space(nested);
    return times;
  }
  #quoted(): Expression {
    this.#at++;
    let text = '';
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length || this.#text[this.#at] === '\n') throw this.#expected('a closing "');
      text += String.fromCodePoint(this.#point());
    }
    this.#at++;
    return literal(text);
  }
  #class(): Expression {
    this.#at++;
    const negated = this.#text[this.#at] === '^';
    if (negated) this.#at++;
    const ranges: Range[] = [];
    while (this.#text[this.#at] !== ']') {
      if (this.#at >= this.#text.length) throw this.#expected('a closing "]"');
      const from = this.#point();
      let to = from;
      if (this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']') {
        this.#at++;
        to = this.#point();
        if (to < from) throw this.#expected('a range from lower to higher');
      }
      ranges.push([from, to]);
    }
    this.#at++;
    const kept = negated ? complement(ranges) : ranges;
    if (kept.length === 0) throw invalid('a class of the grammar holds no character');
    return characters(kept);
  }
  #point(): number {
    if (this.#text[this.#at] !== '\\') {
      const point = this.#text.codePointAt(this.#at) ?? 0;
      this.#at += point > 0xffff ? 2 : 1;
      return point;
    }
    const escape = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([tnr\\"[\]-]))/y;
    escape.lastIndex = this.#at;
    const found = escape.exec(this.#text);
    if (!found) throw this.#expected('an escape: \\t \\n \\r \\\\ \\" \\[ \\] \\xHH \\uHHHH or \\UHHHHHHHH');
    this.#at += found[0].length;
    const [, two, four, eight, sign] = found;
    if (sign !== undefined) return ({ t: 9, n: 10, r: 13 } as Record<string, number>)[sign] ?? sign.charCodeAt(0);
    const point = Number.parseInt(two ?? four ?? eight, 16);
    if (point > LAST_POINT) throw this.#expected('a character of Unicode');
    return point;
  }
}

/** What a literal writes; undefined where that is no text by itself. */
function textOf(expression: Expression): string | undefined {
  const bytes = Buffer.from((expression.kind === 'sequence' ? expression.items : [expression]).map((item) => (item.kind === 'byte' ? item.ranges[0][0] : 0)));
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
