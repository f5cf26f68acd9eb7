// Owns walking along the tokens of an imported rule syntax, going on behind mistakes, and keeping the rules that were read.
// Refuses to know any of the syntaxes.

import { literal, TermError } from '../../terms.ts';
import { isAtom, itemVariables } from '../language/body.ts';
import { anyOf, RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { pauses, RULE_TURNS } from '../evaluate/run.ts';
import { NESTING } from '../language/kinds.ts';
import type { ReadRules } from '../language/parse.ts';
import { makeRule } from '../language/print.ts';
import { checkRule, LIMITS } from '../language/safety.ts';
import { placeOf } from './source-tokens.ts';
import type { SourceToken } from './source-tokens.ts';
import type { Atom, BodyItem, Comparison, Expression, Rule } from '../types.ts';

/** A value with the token at which it stands. */
export interface SourceTerm {
  readonly value: Expression;
  readonly token: SourceToken;
}
export interface PlacedItem<T extends BodyItem = BodyItem> {
  readonly item: T;
  readonly places: readonly [Place, Place];
}

/** The grammars extend it. */
export abstract class TokenReader {
  readonly #tokens: readonly SourceToken[];
  readonly #rules = new Map<string, Rule>();
  readonly #places = new Map<string, Place>();
  #at = 0;
  #start = 0;
  #fresh = 0;
  #depth = 0;

  constructor(tokens: readonly SourceToken[]) {
    this.#tokens = tokens;
  }
  /** Reads one statement and gives the rules in it to `add`. */
  protected abstract statement(): void;
  /** Goes behind the statement in which a mistake was found. */
  protected abstract recover(): void;

  /** What can be made only when all statements are known. */
  protected *afterwards(): Generator<() => void> {}

  *reading(): Generator<void, ReadRules> {
    const errors: RuleError[] = [];
    const attempt = (work: () => void): boolean => {
      this.#fresh = 0;
      try {
        work();
        return true;
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        errors.push(error);
        return false;
      }
    };
    const hopeless = (): boolean => errors.length >= 100 || errors.at(-1)?.code === 'too_large';
    const pause = pauses(RULE_TURNS);
    while (!this.atEnd() && !hopeless()) {
      if (pause()) yield;
      this.#start = this.#at;
      if (attempt(() => this.statement()) || hopeless()) continue;
      if (this.#at === this.#start) this.next();
      this.recover();
    }
    for (const work of this.afterwards()) {
      if (pause()) yield;
      if (!hopeless()) attempt(work);
    }
    return { rules: [...this.#rules.values()], errors: errors.toSorted((a, b) => a.line - b.line || a.column - b.column), places: this.#places };
  }
  /** The tokens of this statement so far; `revisit` makes them those of which mistakes speak. */
  span(): readonly [number, number] {
    return [this.#start, this.#at];
  }
  revisit([start, at]: readonly [number, number]): void {
    [this.#start, this.#at] = [start, at];
  }

  get token(): SourceToken {
    return this.#tokens[this.#at];
  }
  ahead(count: number): SourceToken {
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
  next(): SourceToken {
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

  /** Reads what stands inside something; RuleError `too_large` when that is nested too deep. */
  protected inside<T>(read: () => T): T {
    if (this.#depth >= NESTING) throw this.wrong('too_large', `brackets and signs are nested deeper than ${NESTING}`);
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }
  /** `?_1`, `?_2`, .. */
  fresh(): { readonly kind: 'variable'; readonly name: string } {
    return { kind: 'variable', name: `_${++this.#fresh}` };
  }

  convert<T>(token: SourceToken, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof TermError) throw this.wrong('invalid_term', error.message, token);
      throw error;
    }
  }

  /** Checks the rule and keeps it. */
  add(name: string | undefined, heads: readonly PlacedItem<Atom>[], body: readonly PlacedItem[], token: SourceToken): void {
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
/** A comparison at the place of its parts. */
export const compared = (operator: '=' | '!=' | '<' | '<=' | '>' | '>=', left: SourceTerm, right: SourceTerm): PlacedItem => ({
  item: { kind: 'compare', operator, left: left.value, right: right.value },
  places: [placeOf(left.token), placeOf(right.token)],
});
/** `name(values) = result`. */
export const called = (name: string, values: readonly SourceTerm[], result: SourceTerm | undefined, token: SourceToken): PlacedItem => ({
  item: {
    kind: 'compare',
    operator: '=',
    left: { kind: 'call', function: name, arguments: values.map(({ value }) => value) },
    right: result?.value ?? literal(true),
  },
  places: [placeOf(token), placeOf(result?.token ?? token)],
});
/** A text without signs of regular expressions: to replace it is the same, read as a pattern or as it stands. */
export const isPlainText = (value: Expression): boolean => value.kind === 'literal' && value.type === 'string' && !/[\\^$.|?*+()[\]{}]/u.test(value.value);
/** Sums and products of more than two values, two at a time. */
export const chained = (name: string, values: readonly SourceTerm[]): SourceTerm =>
  values
    .slice(1)
    .reduce((left, right): SourceTerm => ({ value: { kind: 'call', function: name, arguments: [left.value, right.value] }, token: left.token }), values[0]);
/** None of these conditions can be met together; `own`: variables that the rest of the rule does not know. */
export function noneOf(items: readonly PlacedItem[], own: readonly string[], token: SourceToken): PlacedItem {
  const [first] = items;
  if (items.length === 1 && own.length === 0 && isAtom(first.item)) return { item: { ...first.item, absent: true }, places: first.places };
  const names = own.length > 0 ? own : [...new Set(items.flatMap(({ item }) => [...itemVariables(item)]))];
  const of = names.length > 0 ? names.map((name) => ({ kind: 'variable' as const, name })) : [literal(1)];
  const body = items.map(({ item }) => item) as (Atom | Comparison)[];
  return { item: { kind: 'aggregate', function: 'count', result: literal(0), of, body }, places: [placeOf(token), placeOf(token)] };
}
