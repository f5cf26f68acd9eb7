// Owns the built-in functions: their names, what they take and give, and the values of expressions.
// Refuses to know rules and facts. The checker has its own copy of all this, on purpose.

import { literal, TermError, termKey } from '../../terms.ts';
import type { Literal, Term } from '../../terms.ts';
import { compareTerms, instant } from '../tables/interner.ts';
import { matchesPattern } from './pattern.ts';
import type { Comparison, Expression, RuleTerm } from '../types.ts';

/** What a value is; `text` stands for a string or the name of an entity. */
export type ValueKind = 'entity' | 'string' | 'number' | 'date' | 'boolean';
export type ArgumentKind = ValueKind | 'text' | 'any';
export interface Builtin {
  /** Arguments at least and at most. */
  readonly arity: readonly [least: number, most: number];
  /** Kinds of the arguments; the last one stands for those beyond. */
  readonly takes: readonly ArgumentKind[];
  readonly gives: ValueKind;
  /** Value for arguments of the right kinds; undefined when there is none. */
  readonly run: (values: readonly Term[]) => string | number | boolean | undefined;
}

const DATE = /^(-?\d{4,6})(?:-(\d\d)(?:-(\d\d)(T.*)?)?)?$/u;
const DAY = 86_400_000;
const number = (term: Term): number => (term as Literal).value as number;
const text = (term: Term): string => (term.kind === 'entity' ? term.id : String(term.value));
const numeric = (run: (...values: number[]) => number, arity: readonly [number, number] = [1, 1]): Builtin => ({
  arity,
  takes: ['number'],
  gives: 'number',
  run: (values) => run(...values.map(number)),
});
const test = (takes: readonly ArgumentKind[], run: (a: string, b: string) => boolean | undefined): Builtin => ({
  arity: [2, 2],
  takes,
  gives: 'boolean',
  run: ([a, b]) => run(text(a), text(b)),
});
const textual = (run: (text: string) => string): Builtin => ({ arity: [1, 1], takes: ['text'], gives: 'string', run: ([value]) => run(text(value)) });
const datePart = (group: number): Builtin => ({
  arity: [1, 1],
  takes: ['date'],
  gives: 'number',
  run([value]) {
    const part = DATE.exec(text(value))?.[group];
    return part === undefined ? undefined : Number(part);
  },
});
function addDays(date: string, days: number): string | undefined {
  const match = DATE.exec(date);
  if (!match || !Number.isInteger(days)) return undefined;
  const start = instant(date.split('T')[0]);
  const moved = new Date(start + days * DAY);
  const year = moved.getUTCFullYear();
  if (!(Math.abs(year) < 1_000_000)) return undefined;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}-${two(moved.getUTCMonth() + 1)}-${two(moved.getUTCDate())}${match[4] ?? ''}`;
}
const signs = (value: string): string[] => Array.from(value);
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** All built-in functions by name. Lengths and places are in characters (code points), places from 0. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['+', numeric((a, b) => a + b, [2, 2])],
  ['-', numeric((a, b) => (b === undefined ? -a : a - b), [1, 2])],
  ['*', numeric((a, b) => a * b, [2, 2])],
  ['/', numeric((a, b) => a / b, [2, 2])],
  // The sign of the divisor, so that mod(-1, 7) is 6.
  ['mod', numeric((a, b) => a - b * Math.floor(a / b), [2, 2])],
  ['power', numeric((a, b) => a ** b, [2, 2])],
  ['abs', numeric(Math.abs)],
  ['floor', numeric(Math.floor)],
  ['ceil', numeric(Math.ceil)],
  ['round', numeric(Math.round)],
  ['sqrt', numeric(Math.sqrt)],
  ['min', numeric(Math.min, [2, 16])],
  ['max', numeric(Math.max, [2, 16])],

  ['contains', test(['text'], (a, b) => a.includes(b))],
  ['starts_with', test(['text'], (a, b) => a.startsWith(b))],
  ['ends_with', test(['text'], (a, b) => a.endsWith(b))],
  ['matches', test(['text'], matchesPattern)],
  ['concat', { arity: [2, 16], takes: ['any'], gives: 'string', run: (values) => values.map(text).join('') }],
  ['lower', textual((value) => value.toLowerCase())],
  ['upper', textual((value) => value.toUpperCase())],
  ['trim', textual((value) => value.trim())],
  ['length', { arity: [1, 1], takes: ['text'], gives: 'number', run: ([value]) => signs(text(value)).length }],
  [
    'substring',
    {
      arity: [2, 3],
      takes: ['text', 'number'],
      gives: 'string',
      run: ([value, from, count]) => {
        const [start, length] = [number(from), count === undefined ? Number.POSITIVE_INFINITY : number(count)];
        return start < 0 || length < 0
          ? undefined
          : signs(text(value))
              .slice(start, start + length)
              .join('');
      },
    },
  ],
  [
    'replace',
    {
      arity: [3, 3],
      takes: ['text'],
      gives: 'string',
      run: ([value, from, to]) => (text(from) === '' ? undefined : text(value).split(text(from)).join(text(to))),
    },
  ],
  ['string', { arity: [1, 1], takes: ['any'], gives: 'string', run: ([value]) => text(value) }],
  [
    'number',
    {
      arity: [1, 1],
      takes: ['any'],
      gives: 'number',
      run: ([value]) => {
        if (value.kind === 'literal' && value.type === 'number') return value.value;
        return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/u.test(text(value)) ? finite(Number(text(value))) : undefined;
      },
    },
  ],
  ['type', { arity: [1, 1], takes: ['any'], gives: 'string', run: ([value]) => (value.kind === 'entity' ? 'entity' : value.type) }],

  ['date', { arity: [1, 1], takes: ['date'], gives: 'date', run: ([value]) => text(value) }],
  ['year', datePart(1)],
  ['month', datePart(2)],
  ['day', datePart(3)],
  ['before', test(['date'], (a, b) => instant(a) < instant(b))],
  ['after', test(['date'], (a, b) => instant(a) > instant(b))],
  ['days_between', { arity: [2, 2], takes: ['date'], gives: 'number', run: ([a, b]) => Math.trunc((instant(text(b)) - instant(text(a))) / DAY) + 0 }],
  ['add_days', { arity: [2, 2], takes: ['date', 'number'], gives: 'date', run: ([a, days]) => addDays(text(a), number(days)) }],
]);
/** Built-ins that are conditions by themselves. Relations of these names are written in quotes. */
export const TESTS: ReadonlySet<string> = new Set(['contains', 'starts_with', 'ends_with', 'matches']);
/** Is `name(..)` with so many terms a call of a built-in function? */
export function isCall(name: string, terms: number): boolean {
  const builtin = BUILTINS.get(name);
  return builtin !== undefined && terms >= builtin.arity[0] && terms <= builtin.arity[1];
}
/** Functions that stand between their arguments, and how strongly they bind. */
export const INFIX: ReadonlyMap<string, number> = new Map([
  ['+', 1],
  ['-', 1],
  ['*', 2],
  ['/', 2],
]);

export const kindOf = (term: Term): ValueKind => (term.kind === 'entity' ? 'entity' : term.type);
/** Could a value of this kind stand where that is taken? Texts may hold dates. */
export const accepts = (takes: ArgumentKind, kind: ValueKind): boolean =>
  takes === 'any' ||
  takes === kind ||
  (takes === 'text' && (kind === 'string' || kind === 'entity')) ||
  (takes === 'date' && (kind === 'string' || kind === 'entity'));
const fits = (takes: ArgumentKind, value: Term): boolean => {
  const kind = kindOf(value);
  return takes === 'date' && kind !== 'date' ? accepts(takes, kind) && DATE.test(text(value)) && !Number.isNaN(instant(text(value))) : accepts(takes, kind);
};

/** Value of a function; undefined when there is none: wrong kinds, no result, too long a text. */
export function callBuiltin(name: string, values: readonly Term[]): Literal | undefined {
  const builtin = BUILTINS.get(name);
  if (!builtin || values.length < builtin.arity[0] || values.length > builtin.arity[1]) return undefined;
  for (let i = 0; i < values.length; i++) if (!fits(builtin.takes[Math.min(i, builtin.takes.length - 1)], values[i])) return undefined;
  const value = builtin.run(values);
  if (value === undefined) return undefined;
  try {
    return literal(value, builtin.gives as Literal['type']);
  } catch (error) {
    if (error instanceof TermError) return undefined;
    throw error;
  }
}

export type Lookup = (name: string) => Term | undefined;
/** Value of an expression; undefined when it has none, or a variable has none. */
export function evaluate(expression: Expression, lookup: Lookup): Term | undefined {
  if (expression.kind === 'variable') return lookup(expression.name);
  if (expression.kind === 'list') return undefined;
  if (expression.kind !== 'call') return expression;
  const values: Term[] = [];
  for (const argument of expression.arguments) {
    const value = evaluate(argument, lookup);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return callBuiltin(expression.function, values);
}
/** Does the comparison hold? A side without value makes it false. */
export function holds({ operator, left, right }: Comparison, lookup: Lookup): boolean {
  const a = evaluate(left, lookup);
  if (a === undefined) return false;
  if (operator === 'in' || operator === 'not in')
    return right.kind === 'list' && right.items.some((item) => termKey(item) === termKey(a)) === (operator === 'in');
  const b = evaluate(right, lookup);
  return b !== undefined && compareTerms(operator, a, b);
}
/** Is this side a plain term? Comparisons of such need no evaluation. */
export const isTerm = (expression: Expression): expression is RuleTerm => expression.kind !== 'call' && expression.kind !== 'list';

/** Names near `name`, best first. */
export function nearNames(name: string, names: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor((name.length + 1) / 3));
  return [...names]
    .map((other) => ({ other, distance: other.startsWith(name) || name.startsWith(other) ? 1 : editDistance(name, other) }))
    .filter(({ other, distance }) => distance <= limit && /^[a-z]/u.test(other))
    .toSorted((a, b) => a.distance - b.distance || (a.other < b.other ? -1 : 1))
    .slice(0, 3)
    .map(({ other }) => other);
}
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
