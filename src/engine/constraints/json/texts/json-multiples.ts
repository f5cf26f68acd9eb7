// Owns decimal numbers that are multiples of another, and those that are none: a rule for each remainder that the digits so far have.
// Refuses to know bounds, and which of these texts are JSON.

import { choice, literal, NOTHING, optional, repeat, rule, sequence } from '../../grammar/expression.ts';
import type { Expression, Grammar, Range } from '../../grammar/expression.ts';
import { digitsOf } from './json-numbers.ts';

/** Digits behind the point of a step. */
export const MOST_PLACES = 6;
const MOST_REMAINDERS = 1_000;
const BEYOND = 'beyond';
const digits = (from: number, to: number): Expression => ({ kind: 'byte', ranges: [[48 + from, 48 + to]] });

/** Its digits without the point, and how many of them stand behind it; undefined where there are too many, or it is no step. */
function scaled(step: number): { readonly modulus: number; readonly places: number } | undefined {
  if (!(step > 0) || step === Infinity) return undefined;
  const { whole, fraction } = digitsOf(step);
  const modulus = Number(whole + fraction);
  return fraction.length > MOST_PLACES || modulus > MOST_REMAINDERS ? undefined : { modulus, places: fraction.length };
}
/** Digits behind the point that a multiple of it may have. */
export const placesOf = (step: number): number => scaled(step)?.places ?? 0;
/** Whether multiples of it are supported. */
export const isStep = (step: number | undefined): step is number => step !== undefined && scaled(step) !== undefined;
/** What is a multiple of both; undefined where that, or one of them, has too many digits. */
export function commonMultiple(one: number, other: number): number | undefined {
  const [a, b] = [scaled(one), scaled(other)];
  if (!a || !b) return undefined;
  const places = Math.max(a.places, b.places);
  const [x, y] = [a.modulus * 10 ** (places - a.places), b.modulus * 10 ** (places - b.places)];
  const shared = (p: number, q: number): number => (q === 0 ? p : shared(q, p % q));
  return Number(`${(x / shared(x, y)) * y}e-${places}`);
}
/** Whether a number is a multiple, by its digits. False where the step has too many. */
export function isMultiple(value: number, step: number): boolean {
  const found = scaled(step);
  if (!found || !Number.isFinite(value)) return false;
  const { whole, fraction } = digitsOf(Math.abs(value));
  return fraction.length <= found.places && BigInt(whole + fraction.padEnd(found.places, '0')) % BigInt(found.modulus) === 0n;
}
/** `none`: numbers that are no multiples. Undefined where the step is none, or has too many digits. */
export function multiplesOf(step: number, none = false): Grammar | undefined {
  const found = scaled(step);
  if (!found) return undefined;
  const { modulus, places } = found;
  /** Behind so many digits of a fraction; `place` -1: behind the point alone, -2: in front of it. */
  const nameOf = (place: number, remainder: number): string => `${place} ${remainder}`;
  const state = (place: number, remainder: number): Expression => {
    const after = new Map<number, Range[]>();
    const isFull = place !== -2 && Math.max(place, 0) === places;
    if (!isFull)
      for (let digit = 0; digit < 10; digit++) {
        const next = (remainder * 10 + digit) % modulus;
        after.set(next, [...(after.get(next) ?? []), [48 + digit, 48 + digit]]);
      }
    const behind = place === -2 ? -2 : Math.max(place, 0) + 1;
    const steps = Array.from(after, ([next, ranges]) => sequence({ kind: 'byte', ranges }, rule(nameOf(behind, next))));
    // More digits than the step has: only zeros leave it the number that it is.
    const more = none && isFull ? [sequence(digits(0, 0), rule(nameOf(places, remainder))), sequence(digits(1, 9), rule(BEYOND))] : [];
    const isMultiple = (remainder * 10 ** (places - Math.max(place, 0))) % modulus === 0;
    const ends = place !== -1 && isMultiple !== none;
    return choice(...steps, ...more, ...(place === -2 && (places > 0 || none) ? [sequence(literal('.'), rule(nameOf(-1, remainder)))] : []), ...(ends ? [NOTHING] : []));
  };
  const rules = new Map<string, Expression>([[BEYOND, repeat(digits(0, 9), 0, Infinity)]]);
  for (let remainder = 0; remainder < modulus; remainder++)
    for (const place of [-2, -1, ...Array.from({ length: places + 1 }, (_, i) => i)]) rules.set(nameOf(place, remainder), state(place, remainder));
  return { root: sequence(optional(literal('-')), rule(nameOf(-2, 0))), rules };
}
