// Owns the numeric datatypes of XML Schema: how their values are written, and which there are.
// Refuses to know where literals stand.

import { literal, parseNumber, TermError } from '../../terms.ts';
import type { Literal } from '../../terms.ts';

const INFINITE = Number.POSITIVE_INFINITY;
const REAL: ReadonlySet<string> = new Set(['decimal', 'double', 'float']);
/** Least and most of the datatypes of whole numbers. */
const WHOLE: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ['integer', [-INFINITE, INFINITE]],
  ['nonNegativeInteger', [0, INFINITE]],
  ['positiveInteger', [1, INFINITE]],
  ['nonPositiveInteger', [-INFINITE, 0]],
  ['negativeInteger', [-INFINITE, -1]],
  ['long', [-(2 ** 63), 2 ** 63]],
  ['int', [-(2 ** 31), 2 ** 31 - 1]],
  ['short', [-(2 ** 15), 2 ** 15 - 1]],
  ['byte', [-128, 127]],
  ['unsignedLong', [0, 2 ** 64]],
  ['unsignedInt', [0, 2 ** 32 - 1]],
  ['unsignedShort', [0, 2 ** 16 - 1]],
  ['unsignedByte', [0, 255]],
]);
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u;

export const isNumeric = (type: string): boolean => REAL.has(type) || WHOLE.has(type);
/** The number that a text writes as a value of the datatype. Throws TermError `invalid_literal` for a text that is none. */
export function numberOf(text: string, type: string): Literal {
  const [least, most] = WHOLE.get(type) ?? [-INFINITE, INFINITE];
  const digits = text.trim();
  const value = DECIMAL.test(digits) ? parseNumber(digits) : text;
  if (typeof value === 'number' && (value < least || value > most || (WHOLE.has(type) && !/^[+-]?\d+$/u.test(digits)))) throw new TermError('invalid_literal', `${JSON.stringify(digits)} is no value of xsd:${type}`);
  return literal(value, 'number');
}
