// Owns how JSON is written: strings, constants, any value, the signs between.
// Refuses to know schemas.

import { characters, choice, complement, LAST_POINT, literal, normalise, optional, repeat, rule, sequence, sequenceOf, together } from '../../grammar/expression.ts';
import type { Expression, Range } from '../../grammar/expression.ts';
import { numbers } from './json-numbers.ts';

const SHORT: Readonly<Record<number, string>> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' };
const BARE = complement([[0, 0x1f], [34, 34], [92, 92]]);
export const ANY_CHARACTER: readonly Range[] = [[0, LAST_POINT]];

/** One character of a string out of ranges, in the one way in which JSON.stringify writes it. */
export function stringCharacter(ranges: readonly Range[]): Expression {
  const given = normalise(ranges);
  const within = (point: number): boolean => given.some(([from, to]) => from <= point && point <= to);
  // What is in both is what is not in either complement.
  const bare = complement([...complement(given), ...complement(BARE)]);
  const escaped = [...Array.from({ length: 0x20 }, (_, i) => i), 34, 92].filter(within).map((point) => Array.from(Buffer.from(SHORT[point] ?? `\\u${point.toString(16).padStart(4, '0')}`), (byte): Range => [byte, byte]));
  return choice(...(bare.length > 0 ? [characters(bare)] : []), ...together(escaped));
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
  if (Array.isArray(value)) return sequenceOf([literal('['), ...value.flatMap((item, i) => [...(i === 0 ? [] : [COMMA]), constant(item)]), literal(']')]);
  if (typeof value === 'object' && value !== null)
    return sequenceOf([literal('{'), ...Object.entries(value).flatMap(([key, item], i) => [...(i === 0 ? [] : [COMMA]), literal(JSON.stringify(key)), COLON, constant(item)]), literal('}')]);
  return literal(JSON.stringify(value));
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
