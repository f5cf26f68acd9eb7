// Owns decimal numbers that are multiples of another: a rule for each remainder that the digits so far have.
// Refuses to know bounds, and which of these texts are JSON.

import { choice, literal, NOTHING, optional, rule, sequence } from '../grammar/expression.ts';
import type { Expression, Grammar, Range } from '../grammar/expression.ts';
import { digitsOf } from './json-numbers.ts';

const MOST_REMAINDERS = 1_000;
const MOST_PLACES = 6;

/** Undefined where the step is none, or has too many digits. */
export function multiplesOf(step: number): Grammar | undefined {
  if (!(step > 0) || step === Infinity) return undefined;
  const { whole, fraction } = digitsOf(step);
  const [places, modulus] = [fraction.length, Number(whole + fraction)];
  if (places > MOST_PLACES || modulus > MOST_REMAINDERS) return undefined;
  /** Behind so many digits of a fraction; `place` -1: behind the point alone, -2: in front of it. */
  const nameOf = (place: number, remainder: number): string => `${place} ${remainder}`;
  const state = (place: number, remainder: number): Expression => {
    const after = new Map<number, Range[]>();
    if (place < places)
      for (let digit = 0; digit < 10; digit++) {
        const next = (remainder * 10 + digit) % modulus;
        after.set(next, [...(after.get(next) ?? []), [48 + digit, 48 + digit]]);
      }
    const behind = place === -2 ? -2 : Math.max(place, 0) + 1;
    const steps = Array.from(after, ([next, ranges]) => sequence({ kind: 'byte', ranges }, rule(nameOf(behind, next))));
    const ends = place !== -1 && (remainder * 10 ** (places - Math.max(place, 0))) % modulus === 0;
    return choice(...steps, ...(place === -2 && places > 0 ? [sequence(literal('.'), rule(nameOf(-1, remainder)))] : []), ...(ends ? [NOTHING] : []));
  };
  const rules = new Map<string, Expression>();
  for (let remainder = 0; remainder < modulus; remainder++)
    for (const place of [-2, -1, ...Array.from({ length: places }, (_, i) => i + 1)]) rules.set(nameOf(place, remainder), state(place, remainder));
  return { root: sequence(optional(literal('-')), rule(nameOf(-2, 0))), rules };
}
