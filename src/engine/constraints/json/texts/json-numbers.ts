// Owns how numbers in bounds are written: whole ones of 64 bits, and decimals with so many digits that each is read back as it was written.
// Refuses to know schemas.

import { choice, choiceOf, literal, NOTHING, optional, repeat, sequence } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';

const digit = (from: number, to: number): Expression => ({ kind: 'byte', ranges: [[48 + from, 48 + to]] });
const ANY_DIGIT = digit(0, 9);
const MINUS = literal('-');
const POINT = literal('.');
/** Decimal numbers of so many digits are all different as doubles, and none between them is one of theirs. */
export const MOST_DIGITS = 15;
const LARGEST = 10 ** MOST_DIGITS - 1;
/** Whole numbers, such as ids, are read as 64 bits in most languages. */
const LONGEST = 2n ** 63n - 1n;

/** Decimal numbers of `low.length` digits from low to high, both of that length. */
function sameLength(low: string, high: string): Expression {
  if (low.length === 0) return sequence();
  const [a, b] = [Number(low[0]), Number(high[0])];
  const rest = low.length - 1;
  const [lowest, highest] = ['0'.repeat(rest), '9'.repeat(rest)];
  const any = (from: number, to: number): Expression[] => (from > to ? [] : [sequence(digit(from, to), repeat(ANY_DIGIT, rest, rest))]);
  if (a === b) return sequence(digit(a, a), sameLength(low.slice(1), high.slice(1)));
  const first = low.slice(1) === lowest ? a : a + 1;
  const last = high.slice(1) === highest ? b : b - 1;
  return choice(
    ...(first > a ? [sequence(digit(a, a), sameLength(low.slice(1), highest))] : []),
    ...any(first, last),
    ...(last < b ? [sequence(digit(b, b), sameLength(lowest, high.slice(1)))] : []),
  );
}
/** Whole numbers from low to high, 0 <= low <= high. */
function naturals(low: bigint, high: bigint): Expression {
  const [from, to] = [String(low), String(high)];
  const [least, most] = [(length: number): string => (length === 1 ? '0' : `1${'0'.repeat(length - 1)}`), (length: number): string => '9'.repeat(length)];
  if (from.length === to.length) return sameLength(from, to);
  // Lengths of which all numbers are in.
  const shortest = from === least(from.length) ? from.length : from.length + 1;
  const longest = to === most(to.length) ? to.length : to.length - 1;
  return choice(
    ...(shortest > from.length ? [sameLength(from, most(from.length))] : []),
    ...(shortest === 1 ? [literal('0')] : []),
    ...(shortest <= longest ? [sequence(digit(1, 9), repeat(ANY_DIGIT, shortest - 1, longest - 1))] : []),
    ...(longest < to.length ? [sameLength(least(to.length), to)] : []),
  );
}
/** Of as many digits, where it is no matter how they are read. */
const natural = choice(literal('0'), sequence(digit(1, 9), repeat(ANY_DIGIT, 0, String(LONGEST).length - 1)));
/** A bound as a whole number; beyond those that numbers of JavaScript tell apart, as far inside as it may have been rounded. `inside`: 1 of a lower one, -1 of an upper one. */
function wholeOf(bound: number, inside: 1 | -1): bigint {
  if (!Number.isFinite(bound)) return bound > 0 ? LONGEST : -LONGEST;
  const rounded = Number.isSafeInteger(bound) ? 0 : Math.ceil(Math.abs(bound) * Number.EPSILON);
  return BigInt(bound) + BigInt(inside * rounded);
}
/** Whole numbers in bounds; undefined where there is none. Bounds beyond what is written are brought in. */
export function integers(low: number, high: number): Expression | undefined {
  const [given, until] = [wholeOf(Math.ceil(low), 1), wholeOf(Math.floor(high), -1)];
  const [a, b] = [given < -LONGEST ? -LONGEST : given, until > LONGEST ? LONGEST : until];
  if (a > b) return undefined;
  return choice(...(a < 0n ? [sequence(MINUS, naturals(b < 0n ? -b : 1n, -a))] : []), ...(b >= 0n ? [naturals(a > 0n ? a : 0n, b)] : []));
}

/** What may follow of a fraction: nothing, or one of these, of a digit at least. */
interface Rest {
  readonly empty: boolean;
  readonly some: readonly Expression[];
}
const anyRest = (places: number): Rest => ({ empty: true, some: places > 0 ? [repeat(ANY_DIGIT, 1, places)] : [] });
function digitThen(from: number, to: number, { empty, some }: Rest): Expression[] {
  if (from > to || (!empty && some.length === 0)) return [];
  if (some.length === 0) return [digit(from, to)];
  return [sequence(digit(from, to), empty ? optional(choiceOf(some)) : choiceOf(some))];
}
/** Digits behind a point that are not below `low`, of which the last is no zero; `open`: not `low` itself. `places`: of them at most, and of `low` too. */
function atLeast(low: string, open: boolean, places: number): Rest {
  if (low === '' && !open) return anyRest(places);
  if (places === 0) return { empty: false, some: [] };
  const first = Number(low[0] ?? 0);
  return { empty: false, some: [...digitThen(first, first, atLeast(low.slice(1), open, places - 1)), ...digitThen(first + 1, 9, anyRest(places - 1))] };
}
function atMost(high: string, open: boolean, places: number): Rest {
  if (high === '') return { empty: !open, some: open || places === 0 ? [] : [digit(0, 0)] };
  const first = Number(high[0]);
  return { empty: true, some: [...digitThen(0, first - 1, anyRest(places - 1)), ...digitThen(first, first, atMost(high.slice(1), open, places - 1))] };
}
function within(low: Decimal, high: Decimal, places: number): Rest {
  if (high.fraction === '') return { empty: !low.open && !high.open, some: [] };
  const [a, b] = [Number(low.fraction[0] ?? 0), Number(high.fraction[0])];
  const [lower, higher] = [low.fraction.slice(1), high.fraction.slice(1)];
  const some =
    a === b
      ? digitThen(a, a, within({ ...low, fraction: lower }, { ...high, fraction: higher }, places - 1))
      : [
          ...digitThen(a, a, atLeast(lower, low.open, places - 1)),
          ...digitThen(a + 1, b - 1, anyRest(places - 1)),
          ...digitThen(b, b, atMost(higher, high.open, places - 1)),
        ];
  return { empty: low.fraction === '' && !low.open, some };
}
function written(whole: number, { empty, some }: Rest): Expression[] {
  const text = literal(String(whole));
  return [...(empty ? [text] : []), ...(some.length > 0 ? [sequence(text, POINT, choiceOf(some))] : [])];
}

/** A bound; the last digit of its fraction is no zero. `open`: it is out itself. */
interface Decimal {
  readonly whole: number;
  readonly fraction: string;
  readonly open: boolean;
}
/** The digits of a number of at least 0, as JavaScript writes it. */
export function digitsOf(value: number): { readonly whole: string; readonly fraction: string } {
  const [mantissa, exponent] = value.toExponential().split('e');
  const [digits, point] = [mantissa.replace('.', ''), Number(exponent) + 1];
  return point > 0 ? { whole: digits.slice(0, point).padEnd(point, '0'), fraction: digits.slice(point) } : { whole: '0', fraction: '0'.repeat(-point) + digits };
}
/** As a number of `places` digits behind the point, rounded into the bounds; then the bound is in. */
function decimalOf(value: number, open: boolean, places: number, up: boolean): Decimal {
  const { whole, fraction } = digitsOf(value);
  const rounds = /[1-9]/.test(fraction.slice(places));
  const scaled = BigInt(whole + fraction.slice(0, places).padEnd(places, '0')) + (rounds && up ? 1n : 0n);
  const digits = scaled.toString().padStart(places + 1, '0');
  return { whole: Number(digits.slice(0, digits.length - places)), fraction: digits.slice(digits.length - places).replace(/0+$/, ''), open: open && !rounds };
}
/** Numbers from `low` to `high`, both at least 0; undefined where there is none of so few digits. */
function decimals(low: number, high: number, open: Open): Expression | undefined {
  const endless = high > LARGEST;
  if (low > LARGEST) return undefined;
  const places = MOST_DIGITS - digitsOf(endless ? low : high).whole.length;
  const a = decimalOf(low, open.low, places, true);
  const b = endless ? { whole: LARGEST, fraction: '', open: false } : decimalOf(high, open.high, places, false);
  // Of the same length, they compare as texts do.
  if (a.whole > b.whole || (a.whole === b.whole && a.fraction.padEnd(places, '0') > b.fraction.padEnd(places, '0'))) return undefined;
  const parts =
    a.whole === b.whole
      ? written(a.whole, within(a, b, places))
      : [
          ...written(a.whole, atLeast(a.fraction, a.open, places)),
          ...(a.whole + 1 < b.whole ? [sequence(naturals(BigInt(a.whole + 1), BigInt(b.whole - 1)), places > 0 ? optional(sequence(POINT, repeat(ANY_DIGIT, 1, places))) : NOTHING)] : []),
          ...written(b.whole, atMost(b.fraction, b.open, places)),
        ];
  return parts.length === 0 ? undefined : choiceOf(parts);
}

interface Open {
  readonly low: boolean;
  readonly high: boolean;
}
/** Numbers in bounds; undefined where there is none of so few digits. `open`: the bound itself is out. Without bounds they may have exponents. */
export function numbers(low: number, high: number, open: Open): Expression | undefined {
  if (low === -Infinity && high === Infinity) {
    const exponent = sequence({ kind: 'byte', ranges: [[69, 69], [101, 101]] }, optional({ kind: 'byte', ranges: [[43, 43], [45, 45]] }), digit(0, 9), optional(ANY_DIGIT));
    return sequence(optional(MINUS), natural, optional(sequence(POINT, repeat(ANY_DIGIT, 1, MOST_DIGITS))), optional(exponent));
  }
  const positive = high >= 0 ? decimals(Math.max(0, low), high, { low: low >= 0 && open.low, high: open.high }) : undefined;
  const negative = low < 0 ? decimals(Math.max(0, -high), -low, { low: high >= 0 || open.high, high: open.low }) : undefined;
  const parts = [...(positive ? [positive] : []), ...(negative ? [sequence(MINUS, negative)] : [])];
  return parts.length === 0 ? undefined : choiceOf(parts);
}
