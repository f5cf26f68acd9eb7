// Owns the numbers of a JSON Schema: bounds, and multiples that they must be or must not be.
// Refuses to know the other types.

import { MOST_COMMON } from '../../grammar/common-texts.ts';
import type { CommonTexts } from '../../grammar/common-texts.ts';
import type { Expression, Grammar } from '../../grammar/expression.ts';
import { MOST_PLACES, multiplesOf, placesOf } from '../texts/json-multiples.ts';
import { PLAIN_NUMBERS } from './distinct.ts';
import { integers, MOST_DIGITS, numbers } from '../texts/json-numbers.ts';
import { excludedSteps } from '../cases/case.ts';
import { boundOf, nothing, wrong } from '../reading/source.ts';
import type { ObjectSchema } from '../reading/source.ts';

/** Throws EngineError `constraint_invalid`. `common`: of the schema; `once`: each number in one way. */
export function numbersOf(type: 'integer' | 'number', schema: ObjectSchema, at: string, common: CommonTexts, once: boolean): Expression {
  const bound = (keyword: string): number | undefined => boundOf(schema, at, keyword);
  const multiple = bound('multipleOf');
  const steps = [...(multiple === undefined || (multiple === 1 && type === 'integer') ? [] : [{ step: multiple, none: false }]), ...excludedSteps(schema).map((step) => ({ step, none: true }))];
  // Who looks whether a number is a multiple counts in numbers of JavaScript or the like, in which fractions of large ones are rounded away.
  const places = type === 'integer' ? 0 : Math.max(0, ...steps.map(({ step, none }) => (none ? MOST_PLACES : placesOf(step))));
  const widest = multiple === undefined && steps.length === 0 && !once ? Infinity : Math.min(Number.MAX_SAFE_INTEGER, places > 0 ? 10 ** (MOST_DIGITS - places) - 1 : Infinity);
  const [low, high, above, below] = [Math.max(-widest, bound('minimum') ?? -Infinity), Math.min(widest, bound('maximum') ?? Infinity), bound('exclusiveMinimum') ?? -Infinity, bound('exclusiveMaximum') ?? Infinity];
  const least = Math.max(low, above);
  const most = Math.min(high, below);
  const open = { low: above >= low && above > -Infinity, high: below <= high && below < Infinity };
  const expression =
    type === 'number'
      ? numbers(least, most, open)
      : integers(open.low ? Math.floor(least) + 1 : Math.ceil(least), open.high ? Math.ceil(most) - 1 : Math.floor(most));
  if (!expression && type === 'integer' && least <= most && Math.min(Math.abs(least), Math.abs(most)) > Number.MAX_SAFE_INTEGER)
    throw wrong(at, 'minimum', 'is too close to maximum: whole numbers beyond 2^53 cannot be told apart');
  if (!expression) throw nothing(at, 'minimum', `leaves no ${type} up to maximum`);
  // Whole numbers are written in one way as they are.
  const plain = once && type === 'number';
  if (steps.length === 0 && !plain) return expression;
  const grammars = steps.map(({ step, none }): Grammar => {
    const multiples = multiplesOf(step, none);
    if (!multiples) throw wrong(at, 'multipleOf', 'must be above 0, and is supported with 6 decimal places at most and, without the point, up to 1000');
    return multiples;
  });
  const name = `number ${[type, least, most, open.low, open.high, ...steps.map(({ step, none }) => `${none ? 'not ' : ''}${step}`)].join(' ')}`;
  return common.of([{ root: expression, rules: new Map() }, ...grammars, ...(plain ? [PLAIN_NUMBERS] : [])], name, {
    none: () => nothing(at, 'multipleOf', 'has no multiple within the bounds'),
    tooMany: () => wrong(at, 'multipleOf', `and the bounds come to more than ${MOST_COMMON} places together with others like them; set narrower bounds`),
  });
}
