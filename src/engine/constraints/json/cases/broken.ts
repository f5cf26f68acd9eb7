// Owns the values of a case that are not valid by what a schema says of items, or of names that match or are not listed.
// Refuses to guess: where the other keywords cannot say it, an error names the keyword.

import { isPossible, requiring, valued, valueOf } from './case.ts';
import type { Case } from './case.ts';
import { patternsOf } from '../reading/pattern-names.ts';
import { countOf, itemsOf, propertiesOf, requiredOf, schemaOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema } from '../reading/source.ts';

/** What is valid by the first and not by the other. */
export type Without = (schema: Schema, other: Schema, at: string) => Schema;
export const BESIDE = 'is not supported inside not, in what if asks, nor in alternatives of oneOf that overlap';
/** Places of items that are looked at one by one. */
const MOST_LOOKED = 16;

const listing = (given: Case, firsts: readonly Schema[], after: Schema): Case => ({ ...given, prefixItems: firsts, items: after });

/** Arrays with an item that is not valid by `items`, `prefixItems` or `additionalItems`. Throws EngineError `constraint_invalid`. */
export function brokenItems(given: Case, schema: ObjectSchema, at: string, without: Without): readonly Case[] {
  const { firsts, after } = itemsOf(schema, at);
  const own = itemsOf(given, at);
  const itemAt = (i: number): Schema => own.firsts[i] ?? own.after;
  const brokenAt = (i: number, wanted: Schema): readonly Case[] => {
    const item = without(itemAt(i), wanted, `${at}/items`);
    if (item === false) return [];
    const all = Array.from({ length: Math.max(i + 1, own.firsts.length) }, (_, k) => (k === i ? item : itemAt(k)));
    const result = { ...listing(given, all, own.after), minItems: Math.max(i + 1, countOf(given, at, 'minItems', 0)) };
    return isPossible(result, at) ? [result] : [];
  };
  const early = firsts.flatMap((wanted, i) => brokenAt(i, wanted));
  const most = Math.min(countOf(given, at, 'maxItems', Infinity), own.after === false ? own.firsts.length : Infinity);
  if (after === true || most <= firsts.length) return early;
  // One item more than there may be.
  if (after === false) {
    const result = { ...given, minItems: Math.max(firsts.length + 1, countOf(given, at, 'minItems', 0)) };
    return isPossible(result, at) ? [...early, result] : early;
  }
  if (most - firsts.length <= MOST_LOOKED) return [...early, ...Array.from({ length: most - firsts.length }, (_, i) => brokenAt(firsts.length + i, after)).flat()];
  if (firsts.length > 0 || given['contains'] !== undefined) throw wrong(at, 'items', `${BESIDE}, behind other items or beside contains, where there may be more than ${MOST_LOOKED}; leave it out, or set a lower maxItems`);
  const item = without(own.firsts.length === 0 ? own.after : true, after, `${at}/items`);
  const { minContains: _, maxContains: __, ...others } = given;
  return item === false ? [] : [{ ...others, contains: item }];
}
/** Arrays with too few items that are valid by `contains`, or too many. Throws EngineError `constraint_invalid`. */
export function brokenContains(given: Case, schema: ObjectSchema, at: string, without: Without): readonly Case[] {
  const contains = schemaOf(schema['contains'], `${at}/contains`);
  const [few, many] = [countOf(schema, at, 'minContains', 1), countOf(schema, at, 'maxContains', Infinity)];
  const { firsts, after } = itemsOf(given, at);
  const none = (): Case => listing(given, firsts.map((item) => without(item, contains, `${at}/contains`)), without(after, contains, `${at}/contains`));
  const counted = (counts: ObjectSchema): Case => {
    if (given['contains'] !== undefined) throw wrong(at, 'contains', `${BESIDE}, where another one stands beside it; leave it out`);
    return { ...given, contains, minContains: 0, maxContains: undefined, ...counts };
  };
  const results = [...(few === 0 ? [] : few === 1 ? [none()] : [counted({ maxContains: few - 1 })]), ...(many < Infinity ? [counted({ minContains: many + 1 })] : [])];
  return results.filter((each) => isPossible(each, at));
}
/** Objects with a property that is not valid by `patternProperties`, or by `additionalProperties`. Throws EngineError `constraint_invalid`. */
export function brokenNames(given: Case, keyword: 'patternProperties' | 'additionalProperties', schema: ObjectSchema, at: string, without: Without): readonly Case[] {
  const patterns = patternsOf(schema, at);
  const others = schemaOf(schema['additionalProperties'] ?? true, `${at}/additionalProperties`);
  if (keyword === 'additionalProperties' ? others === true : patterns.every((pattern) => pattern.schema === true)) return [];
  const own = propertiesOf(given, at);
  // An object of which nothing is said may hold anything; else what is not spoken of is not written.
  const isClosed = given['additionalProperties'] === undefined ? Object.keys(own).length > 0 : given['additionalProperties'] === false;
  if (!isClosed || given['patternProperties'] !== undefined || given['propertyNames'] !== undefined) throw wrong(at, keyword, `${BESIDE}, where there may be properties that are not listed; leave it out, or close the object around it with additionalProperties`);
  return [...new Set([...Object.keys(own), ...requiredOf(given, at)])].flatMap((name) => {
    const matched = patterns.filter(({ matches }) => matches(name)).map((pattern) => pattern.schema);
    const asked = keyword === 'patternProperties' ? matched : matched.length > 0 || Object.hasOwn(propertiesOf(schema, at), name) ? [] : [others];
    return asked.flatMap((each) => {
      const place = `${at}/properties/${name}`;
      const result = requiring(valued(given, name, without(valueOf(given, name, at), each, place), at), [name], at);
      return isPossible(result, at) ? [result] : [];
    });
  });
}
