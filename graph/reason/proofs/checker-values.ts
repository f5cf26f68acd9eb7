// Owns the checker's own reckoning: values of functions, comparisons and aggregates.
// Refuses to share code with the engine, so that a mistake there is found here. Written for being read, not for speed.

import { literal, TermError } from '../../terms.ts';
import type { Literal, Term } from '../../terms.ts';
import { matches } from './checker-pattern.ts';
import type { Aggregate, Comparison, Expression } from '../types.ts';

export type Bindings = Readonly<Record<string, Term>>;

export const equalTerms = (a: Term, b: Term): boolean =>
  a.kind === 'entity' ? b.kind === 'entity' && a.id === b.id : b.kind === 'literal' && a.type === b.type && a.value === b.value;

/** Value of an expression under bindings; undefined when it has none. */
export function reckon(expression: Expression, bindings: Bindings): Term | undefined {
  switch (expression.kind) {
    case 'variable':
      return Object.hasOwn(bindings, expression.name) ? bindings[expression.name] : undefined;
    case 'list':
      return undefined;
    case 'call': {
      const values = expression.arguments.map((argument) => reckon(argument, bindings));
      const known = values.filter((value) => value !== undefined);
      return known.length === values.length ? apply(expression.function, known) : undefined;
    }
    default:
      return expression;
  }
}

/** Does the comparison hold under the bindings? */
export function comparisonHolds({ operator, left, right }: Comparison, bindings: Bindings): boolean {
  const a = reckon(left, bindings);
  if (!a) return false;
  if (operator === 'in' || operator === 'not in') {
    if (right.kind !== 'list') return false;
    const found = right.items.some((item) => equalTerms(item, a));
    return operator === 'in' ? found : !found;
  }
  const b = reckon(right, bindings);
  if (!b) return false;
  if (operator === '=') return equalTerms(a, b);
  if (operator === '!=') return !equalTerms(a, b);
  const order = orderOf(a, b);
  if (order === undefined) return false;
  return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0;
}

function orderOf(a: Term, b: Term): number | undefined {
  if (a.kind !== 'literal' || b.kind !== 'literal') return undefined;
  if (a.type === 'number' && b.type === 'number') return a.value - b.value;
  if (a.type === 'date' && b.type === 'date') return firstInstant(a.value) - firstInstant(b.value);
  if (a.type === 'string' && b.type === 'string') return lexicographic(codePoints(a.value), codePoints(b.value));
  return undefined;
}
const codePoints = (text: string): number[] => Array.from(text, (sign) => sign.codePointAt(0) as number);
function lexicographic(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Value of an aggregate for the bindings of its members; undefined when it has none. */
export function reckonAggregate(item: Aggregate, members: readonly Bindings[]): Term | undefined {
  const takes = members.map((bindings) => item.of.map((term) => reckon(term, bindings)));
  if (item.function === 'count') return literal(takes.length);
  const values = takes.map(([value]) => value).filter((value) => value !== undefined);
  if (values.length !== takes.length) return undefined;
  if (item.function === 'min' || item.function === 'max') {
    if (values.some((value) => value.kind !== 'literal' || value.type === 'boolean' || value.type !== (values[0] as Literal).type)) return undefined;
    const sorted = values.toSorted((a, b) => (orderOf(a, b) as number) || lexicographic(utf16(a), utf16(b)));
    return item.function === 'min' ? sorted[0] : sorted.at(-1);
  }
  const numbers: number[] = [];
  for (const value of values) {
    if (value.kind !== 'literal' || value.type !== 'number') return undefined;
    numbers.push(value.value);
  }
  if (item.function === 'avg' && numbers.length === 0) return undefined;
  const total = sum(numbers);
  return made(item.function === 'sum' ? total : total / numbers.length, 'number');
}
const utf16 = (term: Term): number[] => (term.kind === 'entity' ? [] : [...String(term.value)].flatMap((sign) => [...sign].map((_, i) => sign.charCodeAt(i))));
/** Least first, with the rounding error of each addition carried along. */
function sum(numbers: readonly number[]): number {
  let [total, carried] = [0, 0];
  for (const value of numbers.toSorted((a, b) => a - b)) {
    const [large, small] = Math.abs(total) >= Math.abs(value) ? [total, value] : [value, total];
    total += value;
    carried += large - total + small;
  }
  return total + carried;
}

function made(value: string | number | boolean | undefined, type: Literal['type']): Term | undefined {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return undefined;
  try {
    return literal(value, type);
  } catch (error) {
    if (error instanceof TermError) return undefined;
    throw error;
  }
}
const isNumber = (term: Term | undefined): term is Literal & { type: 'number' } => term?.kind === 'literal' && term.type === 'number';
/** A string or the name of an entity. */
const textOf = (term: Term | undefined): string | undefined => (term?.kind === 'entity' ? term.id : term?.type === 'string' ? term.value : undefined);
const dateOf = (term: Term | undefined): string | undefined => {
  const text = term?.kind === 'literal' && term.type === 'date' ? term.value : textOf(term);
  return text !== undefined && ISO.test(text) ? text : undefined;
};
const ISO = /^-?\d{4,6}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const anyText = (term: Term): string => (term.kind === 'entity' ? term.id : `${term.value}`);

/** A function of values, each function written out by itself. */
function apply(name: string, values: readonly Term[]): Term | undefined {
  const [first, second, third] = values;
  const count = values.length;
  if (['+', '-', '*', '/', 'mod', 'power', 'abs', 'floor', 'ceil', 'round', 'sqrt', 'min', 'max'].includes(name)) {
    const numbers: number[] = [];
    for (const value of values) {
      if (!isNumber(value)) return undefined;
      numbers.push(value.value);
    }
    return made(arithmetic(name, numbers), 'number');
  }
  if (['contains', 'starts_with', 'ends_with', 'matches'].includes(name)) {
    if (count !== 2) return undefined;
    const [text, part] = [textOf(first), textOf(second)];
    if (text === undefined || part === undefined) return undefined;
    if (name === 'matches') return made(matches(text, part), 'boolean');
    const at =
      name === 'contains'
        ? text.indexOf(part) >= 0
        : name === 'starts_with'
          ? text.slice(0, part.length) === part
          : part === '' || text.slice(-part.length) === part;
    return made(at, 'boolean');
  }
  if (name === 'concat')
    return count < 2
      ? undefined
      : made(
          values.reduce((text, value) => text + anyText(value), ''),
          'string',
        );
  if (name === 'string') return count === 1 ? made(anyText(first), 'string') : undefined;
  if (name === 'type') return count === 1 ? made(first.kind === 'entity' ? 'entity' : first.type, 'string') : undefined;
  if (name === 'number') {
    if (count !== 1) return undefined;
    if (isNumber(first)) return first;
    return /^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$/.test(anyText(first)) ? made(Number.parseFloat(anyText(first)), 'number') : undefined;
  }
  if (['lower', 'upper', 'trim', 'length'].includes(name)) {
    const text = count === 1 ? textOf(first) : undefined;
    if (text === undefined) return undefined;
    if (name === 'length') return made(codePoints(text).length, 'number');
    return made(name === 'lower' ? text.toLowerCase() : name === 'upper' ? text.toUpperCase() : text.trim(), 'string');
  }
  if (name === 'substring') {
    const text = textOf(first);
    if (text === undefined || !isNumber(second) || (count === 3 && !isNumber(third)) || count > 3) return undefined;
    const from = second.value;
    const length = isNumber(third) ? third.value : Number.POSITIVE_INFINITY;
    if (from < 0 || length < 0) return undefined;
    const [start, end] = [Math.trunc(from), Math.trunc(from + length)];
    return made([...text].filter((_, i) => i >= start && i < end).join(''), 'string');
  }
  if (name === 'replace') {
    const [text, from, to] = count === 3 ? [textOf(first), textOf(second), textOf(third)] : [];
    return text === undefined || from === undefined || to === undefined || from === ''
      ? undefined
      : made(
          text.replaceAll(from, () => to),
          'string',
        );
  }
  return applyToDates(name, values);
}

function arithmetic(name: string, values: readonly number[]): number | undefined {
  if (name === 'min' || name === 'max') return values.length < 2 ? undefined : values.toSorted((a, b) => a - b).at(name === 'min' ? 0 : -1);
  const [a, b] = values;
  if (values.length === 1)
    switch (name) {
      case '-':
        return 0 - a;
      case 'abs':
        return a < 0 ? -a : a;
      case 'floor':
        return Math.floor(a);
      case 'ceil':
        return -Math.floor(-a);
      case 'round':
        return Math.round(a);
      case 'sqrt':
        return Math.sqrt(a);
      default:
        return undefined;
    }
  if (values.length !== 2) return undefined;
  switch (name) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case 'mod':
      return a - Math.floor(a / b) * b;
    case 'power':
      return a ** b;
    default:
      return undefined;
  }
}

function applyToDates(name: string, values: readonly Term[]): Term | undefined {
  if (values.length === 0) return undefined;
  const [date, other] = [dateOf(values[0]), values[1]];
  if (date === undefined) return undefined;
  const [calendar, time] = date.split('T');
  const parts = calendar.replace(/^-/, '').split('-').map(Number);
  if (values.length === 1) {
    if (name === 'date') return made(date, 'date');
    if (name === 'year') return made(calendar.startsWith('-') ? -parts[0] : parts[0], 'number');
    return name === 'month' ? made(parts[1], 'number') : name === 'day' ? made(parts[2], 'number') : undefined;
  }
  if (values.length !== 2) return undefined;
  if (name === 'add_days') {
    if (!isNumber(other) || !Number.isInteger(other.value)) return undefined;
    const day = Math.floor(firstInstant(calendar) / DAY) + other.value;
    if (Math.abs(day) > 100_000_000) return undefined;
    const moved = new Date(day * DAY).toISOString().slice(0, -14);
    // Years outside 0..9999 are written with sign and six digits.
    const year = moved.replace(/^[+-]?\d+/, (digits) => `${digits.startsWith('-') ? '-' : ''}${String(Math.abs(Number(digits))).padStart(4, '0')}`);
    return made(`${year}${time === undefined ? '' : `T${time}`}`, 'date');
  }
  const second = dateOf(other);
  if (second === undefined) return undefined;
  const gap = firstInstant(second) - firstInstant(date);
  if (name === 'before') return made(gap > 0, 'boolean');
  if (name === 'after') return made(gap < 0, 'boolean');
  return name === 'days_between' ? made(Math.trunc(gap / DAY) + 0, 'number') : undefined;
}

const DAY = 86_400_000;
/** First instant of a year, month, day or time, in milliseconds; without an offset: UTC. */
function firstInstant(text: string): number {
  const [date, time = ''] = text.split('T');
  const [year, month = 1, day = 1] = date.replace(/^-/, '').split('-').map(Number);
  const clock = /^(\d\d):(\d\d)(?::([\d.]+))?(?:([+-])(\d\d):(\d\d))?/.exec(time) ?? [];
  const minutes = Number(clock[1] ?? 0) * 60 + Number(clock[2] ?? 0) - (clock[4] === '-' ? -1 : 1) * (Number(clock[5] ?? 0) * 60 + Number(clock[6] ?? 0));
  return daysBefore(date.startsWith('-') ? -year : year, month, day) * DAY + minutes * 60_000 + Number(clock[3] ?? 0) * 1000;
}
/** Days from 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysBefore(year: number, month: number, day: number): number {
  // Months beyond 12 and days beyond the month run over, as in the engine's calendar.
  const monthOfYear = (((month - 1) % 12) + 12) % 12;
  const y = year + Math.floor((month - 1) / 12) - (monthOfYear < 2 ? 1 : 0);
  const m = monthOfYear + 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5);
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear + (day - 1) - 719_468;
}
