// Owns how JSON is written: strings, numbers in bounds, any value, the signs between.
// Refuses to know schemas.

import { characters, choice, complement, LAST_POINT, literal, normalise, optional, repeat, rule, sequence } from './expression.ts';
import type { Expression, Range } from './expression.ts';

const SHORT: Readonly<Record<number, string>> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' };
const BARE = complement([[0, 0x1f], [34, 34], [92, 92]]);
export const ANY_CHARACTER: readonly Range[] = [[0, LAST_POINT]];

/** One character of a string out of ranges, in the one way in which JSON.stringify writes it. */
export function stringCharacter(ranges: readonly Range[]): Expression {
  const given = normalise(ranges);
  const within = (point: number): boolean => given.some(([from, to]) => from <= point && point <= to);
  // What is in both is what is not in either complement.
  const bare = complement([...complement(given), ...complement(BARE)]);
  const escaped = [...Array.from({ length: 0x20 }, (_, i) => i), 34, 92].filter(within).map((point) => literal(SHORT[point] ?? `\\u${point.toString(16).padStart(4, '0')}`));
  return choice(...(bare.length > 0 ? [characters(bare)] : []), ...escaped);
}
export const QUOTE = literal('"');
/** After a comma or a colon. */
const GAP = optional(literal(' '));
export const COMMA = sequence(literal(','), GAP);
export const COLON = sequence(literal(':'), GAP);
export const quoted = (inner: Expression): Expression => sequence(QUOTE, inner, QUOTE);
export const string = (least: number, most: number): Expression => quoted(repeat(stringCharacter(ANY_CHARACTER), least, most));
/** A value as JSON.stringify writes it, objects with their keys in order and the usual gaps. */
export function constant(value: unknown): Expression {
  if (Array.isArray(value)) return sequence(literal('['), ...value.flatMap((item, i) => [...(i === 0 ? [] : [COMMA]), constant(item)]), literal(']'));
  if (typeof value === 'object' && value !== null)
    return sequence(literal('{'), ...Object.entries(value).flatMap(([key, item], i) => [...(i === 0 ? [] : [COMMA]), literal(JSON.stringify(key)), COLON, constant(item)]), literal('}'));
  return literal(JSON.stringify(value));
}

const digit = (from: number, to: number): Expression => ({ kind: 'byte', ranges: [[48 + from, 48 + to]] });
const ANY_DIGIT = digit(0, 9);
const MINUS = literal('-');
/** Digits of whole numbers and of fractions at most, so that every number is read back as it was written. */
const MOST_DIGITS = 15;
const LARGEST = 10 ** MOST_DIGITS - 1;
const FRACTION = sequence(literal('.'), repeat(ANY_DIGIT, 1, MOST_DIGITS));
const natural = choice(literal('0'), sequence(digit(1, 9), repeat(ANY_DIGIT, 0, MOST_DIGITS - 1)));

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
/** Whole numbers from low to high, 0 <= low <= high <= LARGEST. */
function naturals(low: number, high: number): Expression {
  if (low === 0 && high === LARGEST) return natural;
  const parts: Expression[] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const [least, most] = [Math.max(low, length === 1 ? 0 : 10 ** (length - 1)), Math.min(high, 10 ** length - 1)];
    parts.push(sameLength(String(least), String(most)));
  }
  return choice(...parts);
}
/** Whole numbers in bounds; undefined where there is none. Bounds beyond what is written are brought in. */
export function integers(low: number, high: number): Expression | undefined {
  const [a, b] = [Math.max(Math.ceil(low), -LARGEST), Math.min(Math.floor(high), LARGEST)];
  if (a > b) return undefined;
  return choice(...(a < 0 ? [sequence(MINUS, naturals(Math.max(1, -b), -a))] : []), ...(b >= 0 ? [naturals(Math.max(0, a), b)] : []));
}
/** Decimals below `places` that are tried to find a number between bounds without a whole number. */
const MOST_PLACES = 12;
/**
 * Numbers in bounds; undefined where none is found. With bounds, not every number between them can be written: whole numbers, and those with a fraction whose whole part and the next one
 * are in bounds; between bounds without a whole number, those with as many decimals as it takes to have one. `open`: the bound itself is out.
 */
export function numbers(low: number, high: number, open: { readonly low: boolean; readonly high: boolean }): Expression | undefined {
  if (low === -Infinity && high === Infinity) {
    const exponent = sequence({ kind: 'byte', ranges: [[69, 69], [101, 101]] }, optional({ kind: 'byte', ranges: [[43, 43], [45, 45]] }), digit(0, 9), optional(ANY_DIGIT));
    return sequence(optional(MINUS), natural, optional(FRACTION), optional(exponent));
  }
  for (let places = 0; places <= MOST_PLACES; places++) {
    const scale = 10 ** places;
    let [a, b] = [Math.max(Math.ceil(low * scale), -LARGEST), Math.min(Math.floor(high * scale), LARGEST)];
    // Scaling rounds: each bound is held against the number that would be written.
    if (a / scale < low || (open.low && a / scale <= low)) a++;
    if (b / scale > high || (open.high && b / scale >= high)) b--;
    if (a > b) continue;
    if (places > 0) {
      // Between whole numbers there are many: the first thousand are enough.
      const values = Array.from({ length: Math.min(b - a + 1, 1000) }, (_, i) => ((a + i) / scale).toFixed(places));
      return choice(...values.map(literal));
    }
    const whole = integers(a, b) as Expression;
    const fractions: Expression[] = [];
    // n.f lies between n and n + 1, and -n.f between -(n + 1) and -n.
    if (b >= 1) fractions.push(sequence(naturals(Math.max(0, a), b - 1), FRACTION));
    if (a <= -1 && -a - 1 >= Math.max(0, -b)) fractions.push(sequence(MINUS, naturals(Math.max(0, -b), -a - 1), FRACTION));
    return choice(whole, ...fractions.filter(() => b > a));
  }
  return undefined;
}

/** Rules under which `rule('json')` is any value, and `rule('json-object')` any object. */
export function anyValue(): ReadonlyMap<string, Expression> {
  const value = rule('json');
  const text = rule('json-string');
  const list = (open: string, item: Expression, close: string): Expression => sequence(literal(open), optional(sequence(item, repeat(sequence(COMMA, item), 0, Infinity))), literal(close));
  return new Map<string, Expression>([
    ['json-string', string(0, Infinity)],
    ['json-number', numbers(-Infinity, Infinity, { low: false, high: false }) as Expression],
    ['json-object', list('{', sequence(text, COLON, value), '}')],
    ['json-array', list('[', value, ']')],
    ['json', choice(text, rule('json-number'), rule('json-object'), rule('json-array'), literal('true'), literal('false'), literal('null'))],
  ]);
}
