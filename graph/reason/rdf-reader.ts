// Owns what N3 and Jena rules have in common: tokens with their places, prefixes, terms, and rules made from what was read.
// Refuses to know either grammar.

import { entity, literal, parseEntityId, parseRelationName, TermError } from '../terms.ts';
import type { Literal } from '../terms.ts';
import { anyOf, RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import { RULE_TEXT_LIMIT } from './lexer.ts';
import type { ReadRules } from './parse.ts';
import { makeRule } from './print.ts';
import { IriNames, KNOWN_PREFIXES, XSD } from './rdf-names.ts';
import type { NameStyle } from './rdf-names.ts';
import { checkRule, LIMITS } from './safety.ts';
import type { Atom, BodyItem, Expression, Rule, RuleTerm } from './types.ts';

export type RdfTokenKind = 'iri' | 'prefixed' | 'variable' | 'blank' | 'text' | 'number' | 'word' | 'directive' | 'language' | 'sign' | 'end';
export interface RdfToken {
  readonly kind: RdfTokenKind;
  /** IRI, prefixed name, variable without `?`, unescaped text, number, word or sign. */
  readonly text: string;
  readonly raw: string;
  readonly line: number;
  readonly column: number;
}
/** A term with the IRI it was, where it was one, so that built-ins are told from relations. */
export interface RdfTerm {
  readonly value: Expression;
  readonly iri?: string;
  readonly list?: readonly RdfTerm[];
  readonly token: RdfToken;
}
export interface PlacedItem<T extends BodyItem> {
  readonly item: T;
  readonly places: readonly [Place, Place];
}

const LOCAL = '[\\p{L}\\p{N}_](?:[\\p{L}\\p{M}\\p{N}_.%-]*[\\p{L}\\p{M}\\p{N}_%-])?';
const PATTERNS: readonly (readonly [RdfTokenKind | 'skip', RegExp])[] = [
  ['skip', /[\s\uFEFF]+|#[^\n]*|\/\/[^\n]*/uy],
  ['iri', /<([^<>"{}|^`\\\s]*)>/uy],
  ['variable', /\?([\p{L}_][\p{L}\p{M}\p{N}_]*)/uy],
  ['blank', new RegExp(`_:(${LOCAL})`, 'uy')],
  ['directive', /@(prefix|base|include)\b/uy],
  ['language', /@([a-zA-Z]+(?:-[a-zA-Z0-9]+)*)/uy],
  ['number', /[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy],
  ['prefixed', new RegExp(`((?:[\\p{L}](?:[\\p{L}\\p{M}\\p{N}_.-]*[\\p{L}\\p{M}\\p{N}_-])?)?:(?:${LOCAL})?)`, 'uy')],
  ['word', /([\p{L}_][\p{L}\p{M}\p{N}_-]*)/uy],
  ['text', /"""((?:[^"\\]|\\.|"(?!""))*)"""|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/uy],
  ['sign', /=>|<=|->|<-|\^\^|[{}()[\].;,:=]/uy],
];

export function rdfTokens(text: string): RdfToken[] {
  if (text.length > RULE_TEXT_LIMIT)
    throw new RuleError('too_large', `the text has ${text.length} characters; at most ${RULE_TEXT_LIMIT} are allowed in one call`, { line: 1, column: 1 });
  const tokens: RdfToken[] = [];
  let [at, line, column] = [0, 1, 1];
  while (at < text.length) {
    let found: readonly [RdfTokenKind | 'skip', RegExpExecArray] | undefined;
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match) {
        found = [kind, match];
        break;
      }
    }
    if (!found) {
      const sign = String.fromCodePoint(text.codePointAt(at) as number);
      throw new RuleError('syntax', `found ${JSON.stringify(sign)}, which has no meaning here`, { line, column });
    }
    const [kind, match] = found;
    const [raw] = match;
    const content = match.slice(1).find((group) => group !== undefined) ?? raw;
    if (kind !== 'skip')
      tokens.push({ kind, text: kind === 'text' ? unescaped(content, line, column) : kind === 'number' ? raw : content.normalize('NFC'), raw, line, column });
    at += raw.length;
    const last = raw.lastIndexOf('\n');
    if (last >= 0) line += raw.split('\n').length - 1;
    column = last < 0 ? column + Array.from(raw).length : Array.from(raw.slice(last + 1)).length + 1;
  }
  tokens.push({ kind: 'end', text: '', raw: '', line, column });
  return tokens;
}
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', "'": "'", '\\': '\\' };
const unescaped = (text: string, line: number, column: number): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gsu, (escape: string, short?: string, long?: string, sign?: string) => {
    const code = short ?? long;
    if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff) return String.fromCodePoint(Number.parseInt(code, 16));
    const plain = sign === undefined ? undefined : ESCAPES[sign];
    if (plain === undefined) throw new RuleError('syntax', `unknown escape ${JSON.stringify(escape)} in a text`, { line, column });
    return plain;
  });

/** Walks along tokens; the grammars extend it. */
export abstract class RdfReader {
  readonly #tokens: readonly RdfToken[];
  readonly #prefixes = new Map(KNOWN_PREFIXES);
  readonly #names: IriNames;
  readonly #rules = new Map<string, Rule>();
  readonly #places = new Map<string, Place>();
  #base = '';
  #at = 0;
  #start = 0;
  #fresh = 0;

  constructor(text: string, names: NameStyle) {
    this.#tokens = rdfTokens(text);
    this.#names = new IriNames(names);
  }
  /** Reads one statement and gives the rules in it to `add`. */
  protected abstract statement(): void;
  /** Goes behind the statement in which a mistake was found. */
  protected abstract recover(): void;

  read(): ReadRules {
    const errors: RuleError[] = [];
    while (!this.atEnd()) {
      this.#start = this.#at;
      try {
        this.statement();
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        errors.push(error);
        if (error.code === 'too_large' || errors.length >= 100) break;
        if (this.#at === this.#start) this.next();
        this.recover();
      }
    }
    return { rules: [...this.#rules.values()], errors, places: this.#places };
  }

  get token(): RdfToken {
    return this.#tokens[this.#at];
  }
  ahead(count: number): RdfToken {
    return this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)];
  }
  /** The sign read last, if it was one. */
  get before(): string | undefined {
    const token = this.#at > this.#start ? this.#tokens[this.#at - 1] : undefined;
    return token?.kind === 'sign' ? token.text : undefined;
  }
  atEnd(): boolean {
    return this.token.kind === 'end';
  }
  next(): RdfToken {
    const { token } = this;
    if (token.kind !== 'end') this.#at++;
    return token;
  }
  is(sign: string, ahead = 0): boolean {
    const token = this.ahead(ahead);
    return token.kind === 'sign' && token.text === sign;
  }
  accept(sign: string): boolean {
    if (!this.is(sign)) return false;
    this.#at++;
    return true;
  }
  expect(sign: string, ...others: string[]): void {
    if (!this.accept(sign)) throw this.expected(`"${sign}"`, ...others);
  }
  expected(...expected: string[]): RuleError {
    const { token } = this;
    const found = token.kind === 'end' ? 'the text ends' : `found ${token.kind === 'text' ? token.raw.slice(0, 40) : `"${token.raw}"`}`;
    return this.wrong('syntax', `expected ${anyOf(expected)} but ${found}`, token, expected);
  }
  wrong(code: RuleError['code'], reason: string, token = this.token, expected: readonly string[] = []): RuleError {
    const rule = this.#tokens
      .slice(this.#start, Math.min(this.#at + 1, this.#start + 40))
      .map(({ raw }) => raw)
      .join(' ')
      .slice(0, 200);
    return new RuleError(code, reason, { line: token.line, column: token.column, expected, rule });
  }

  /** `@prefix ex: <..> .`, `PREFIX ex: <..>`, `@base <..> .`; false when none stands here. */
  directive(): boolean {
    const { token } = this;
    const word = token.kind === 'directive' ? token.text : token.kind === 'word' && /^(prefix|base)$/iu.test(token.text) ? token.text.toLowerCase() : undefined;
    if (word === undefined) return false;
    if (word === 'include') throw this.wrong('syntax', 'rules of other files cannot be included; give their text');
    this.next();
    if (word === 'prefix') {
      const prefix = this.next();
      if (prefix.kind !== 'prefixed' || !prefix.text.endsWith(':'))
        throw this.wrong('syntax', `expected a prefix such as ex: but found "${prefix.raw}"`, prefix, ['a prefix']);
      this.#prefixes.set(prefix.text.slice(0, -1), this.#iri());
    } else this.#base = this.#iri();
    this.accept('.');
    return true;
  }
  #iri(): string {
    const token = this.next();
    if (token.kind !== 'iri') throw this.wrong('syntax', `expected an IRI such as <http://example.org/> but found "${token.raw}"`, token, ['an IRI']);
    return this.#resolve(token.text);
  }
  #resolve(iri: string): string {
    return this.#base !== '' && !/^[a-zA-Z][\w+.-]*:/u.test(iri) ? this.#base + iri : iri;
  }
  expand(token: RdfToken): string {
    if (token.kind === 'iri') return this.#resolve(token.text);
    const colon = token.text.indexOf(':');
    const start = this.#prefixes.get(token.text.slice(0, colon));
    if (start === undefined && colon > 0)
      throw this.wrong(
        'syntax',
        `the prefix ${token.text.slice(0, colon)}: is not declared; write @prefix ${token.text.slice(0, colon)}: <http://example.org/> .`,
        token,
      );
    return (start ?? ':') + token.text.slice(colon + 1);
  }
  /** `?_1`, `?_2`, .. */
  fresh(): { readonly kind: 'variable'; readonly name: string } {
    return { kind: 'variable', name: `_${++this.#fresh}` };
  }

  /** A variable, an IRI or a literal. */
  term(): RdfTerm {
    const { token } = this;
    switch (token.kind) {
      case 'variable':
        this.next();
        return { value: { kind: 'variable', name: token.text }, token };
      case 'blank':
        this.next();
        return { value: { kind: 'variable', name: `_${token.text.replace(/[^\p{L}\p{M}\p{N}_]/gu, '_')}` }, token };
      case 'iri':
      case 'prefixed': {
        this.next();
        const iri = this.expand(token);
        return { value: this.convert(token, () => entity(parseEntityId(this.#name(iri, token)))), iri, token };
      }
      case 'number':
        this.next();
        return { value: this.convert(token, () => literal(Number(token.text))), token };
      case 'text':
        this.next();
        return { value: this.#literal(token), token };
      case 'word':
        if (token.text === 'true' || token.text === 'false') {
          this.next();
          return { value: literal(token.text === 'true'), token };
        }
        throw this.expected('a variable', 'a name', 'a literal');
      default:
        throw this.expected('a variable', 'a name', 'a literal');
    }
  }
  #literal(token: RdfToken): Literal {
    if (this.token.kind === 'language') {
      this.next();
      return this.convert(token, () => literal(token.text, 'string'));
    }
    if (!this.accept('^^')) return this.convert(token, () => literal(token.text, 'string'));
    const type = this.next();
    const name = type.kind === 'iri' || type.kind === 'prefixed' ? this.expand(type) : '';
    const kind = name.startsWith(XSD) ? name.slice(XSD.length) : '';
    return this.convert(token, () => {
      if (/^(integer|int|long|short|byte|decimal|double|float|nonNegativeInteger|positiveInteger|unsignedInt|unsignedLong)$/u.test(kind))
        return literal(token.text.trim() === '' ? Number.NaN : Number(token.text), 'number');
      if (kind === 'boolean')
        return literal(token.text === 'true' || token.text === '1' ? true : token.text === 'false' || token.text === '0' ? false : token.text, 'boolean');
      if (/^(date|dateTime|gYear|gYearMonth)$/u.test(kind)) return literal(token.text, 'date');
      return literal(token.text, 'string');
    });
  }
  #name(iri: string, token: RdfToken): string {
    try {
      return this.#names.nameOf(iri);
    } catch (error) {
      if (error instanceof RangeError) throw this.wrong('invalid_term', error.message, token);
      throw error;
    }
  }
  convert<T>(token: RdfToken, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof TermError) throw this.wrong('invalid_term', error.message, token);
      throw error;
    }
  }

  /** The atom of a triple. */
  triple(subject: RdfTerm, predicate: RdfTerm, object: RdfTerm): PlacedItem<Atom> {
    if (predicate.value.kind !== 'entity')
      throw this.wrong(
        'invalid_term',
        `${predicate.token.raw} stands as predicate; a rule names its relations, so write one rule for each relation, or add the rule set "rdfs" or "owl2-rl"`,
        predicate.token,
      );
    const [from, to] = [this.#plain(subject), this.#plain(object)];
    if (from.kind === 'literal') throw this.wrong('invalid_term', `${subject.token.raw} is a literal and cannot be a subject`, subject.token);
    const { id } = predicate.value;
    const item: Atom = { relation: this.convert(predicate.token, () => parseRelationName(id)), subject: from, object: to };
    return { item, places: [placeOf(subject.token), placeOf(object.token)] };
  }
  #plain({ value, token }: RdfTerm): RuleTerm {
    if (value.kind === 'call' || value.kind === 'list') throw this.wrong('syntax', 'a list stands only beside a built-in, such as (?x ?y) math:sum ?z', token);
    return value;
  }
  /** Checks the rule and keeps it. */
  add(name: string | undefined, heads: readonly PlacedItem<Atom>[], body: readonly PlacedItem<BodyItem>[], token: RdfToken): void {
    if (this.#rules.size >= LIMITS.rules) throw this.wrong('too_large', `more than ${LIMITS.rules} rules in one text`, token);
    const parts = {
      ...(name === undefined ? {} : { name: name.slice(0, LIMITS.nameCharacters) }),
      heads: heads.map(({ item }) => item),
      body: body.map(({ item }) => item),
    };
    checkRule(parts, (part, index, position) => (part === 'say' ? undefined : (part === 'heads' ? heads : body)[index]?.places[position]) ?? placeOf(token));
    const rule = makeRule(parts);
    this.#rules.set(rule.id, rule);
    if (!this.#places.has(rule.id)) this.#places.set(rule.id, placeOf(token));
  }
}
export const placeOf = ({ line, column }: RdfToken): Place => ({ line, column });
/** A comparison at the place of its parts. */
export const compared = (operator: '=' | '!=' | '<' | '<=' | '>' | '>=', left: RdfTerm, right: RdfTerm): PlacedItem<BodyItem> => ({
  item: { kind: 'compare', operator, left: left.value, right: right.value },
  places: [placeOf(left.token), placeOf(right.token)],
});
/** `name(values) = result`. */
export const called = (name: string, values: readonly RdfTerm[], result: RdfTerm | undefined, token: RdfToken): PlacedItem<BodyItem> => ({
  item: {
    kind: 'compare',
    operator: '=',
    left: { kind: 'call', function: name, arguments: values.map(({ value }) => value) },
    right: result?.value ?? literal(true),
  },
  places: [placeOf(token), placeOf(result?.token ?? token)],
});
/** Sums and products of more than two values, two at a time. */
export const chained = (name: string, values: readonly RdfTerm[]): RdfTerm =>
  values
    .slice(1)
    .reduce((left, right): RdfTerm => ({ value: { kind: 'call', function: name, arguments: [left.value, right.value] }, token: left.token }), values[0]);
