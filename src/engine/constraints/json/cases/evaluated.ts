// Owns which properties and items of a value one case has spoken of, for `unevaluatedProperties` and `unevaluatedItems`, and what these bind.
// Refuses to guess: what may be spoken of elsewhere, too, counts as not spoken of.

import { patternsOf } from '../reading/pattern-names.ts';
import { itemsOf, propertiesOf, schemaOf, wrong } from '../reading/source.ts';
import type { Both, ObjectSchema, Schema } from '../reading/source.ts';

export interface Evaluated {
  readonly names: ReadonlySet<string>;
  readonly patterns: ReadonlySet<string>;
  /** All other names, too. */
  readonly others: boolean;
  /** So many first items; and all behind them, too. */
  readonly firsts: number;
  readonly rest: boolean;
  /** Items that are valid by one of these. */
  readonly contained: readonly Schema[];
}
/** Where a case carries it; absent while nobody asks. */
export const EVALUATED: unique symbol = Symbol('evaluated');
export const NOTHING_EVALUATED: Evaluated = { names: new Set(), patterns: new Set(), others: false, firsts: 0, rest: false, contained: [] };

/** What a schema's own keywords speak of. `counts`: in the draft of 2019 `contains` speaks of no item. */
export function evaluatedBy(schema: ObjectSchema, at: string, counts: boolean): Evaluated {
  const { items, additionalItems, contains } = schema;
  return {
    names: new Set(Object.keys(propertiesOf(schema, at))),
    patterns: new Set(patternsOf(schema, at).map(({ pattern }) => pattern)),
    others: schema['additionalProperties'] !== undefined,
    firsts: itemsOf(schema, at).firsts.length,
    rest: (Array.isArray(items) ? additionalItems : items) !== undefined,
    contained: counts && contains !== undefined ? [schemaOf(contains, `${at}/contains`)] : [],
  };
}
export const evaluatedByBoth = (a: Evaluated, b: Evaluated): Evaluated => ({
  names: a.names.union(b.names),
  patterns: a.patterns.union(b.patterns),
  others: a.others || b.others,
  firsts: Math.max(a.firsts, b.firsts),
  rest: a.rest || b.rest,
  contained: [...a.contained, ...b.contained],
});
/** Whether the one speaks of nothing of which the other does not. */
export const isNoMore = (a: Evaluated, b: Evaluated): boolean => b.names.isSupersetOf(a.names) && b.patterns.isSupersetOf(a.patterns) && (b.others || !a.others) && a.firsts <= b.firsts && (b.rest || !a.rest) && a.contained.every((each) => b.contained.includes(each));

/** An object of which all properties that are not spoken of are valid by `schema`. Throws EngineError `constraint_invalid`. */
export function boundProperties(given: ObjectSchema, evaluated: Evaluated, schema: Schema, at: string, both: Both): ObjectSchema {
  if (schema === true || evaluated.others) return given;
  const all = patternsOf(given, at);
  const [patterns, outside] = [all.filter(({ pattern }) => evaluated.patterns.has(pattern)), all.filter(({ pattern, schema: each }) => !evaluated.patterns.has(pattern) && each !== true)];
  if (outside.length > 0 && (schema !== false || patterns.length > 0)) throw wrong(at, 'unevaluatedProperties', 'is not supported where patternProperties stands outside the schema that says it');
  const isSpokenOf = (name: string): boolean => evaluated.names.has(name) || patterns.some(({ matches }) => matches(name));
  const properties = Object.entries(propertiesOf(given, at)).map(([name, value]): [string, Schema] => {
    const own = [schemaOf(value, `${at}/properties/${name}`), ...outside.filter(({ matches }) => matches(name)).map((each) => each.schema)].reduce(both, true);
    return [name, isSpokenOf(name) ? own : both(own, schema)];
  });
  const { patternProperties: _, ...others } = given;
  return {
    ...others,
    properties: Object.fromEntries(properties),
    ...(patterns.length > 0 ? { patternProperties: Object.fromEntries(patterns.map((each) => [each.pattern, each.schema])) } : {}),
    additionalProperties: both(schemaOf(given['additionalProperties'] ?? true, at), schema),
  };
}
/** The same of an array and its items. */
export function boundItems(given: ObjectSchema, { firsts: spoken, rest, contained }: Evaluated, schema: Schema, at: string, both: Both): ObjectSchema {
  if (schema === true || rest) return given;
  const { firsts, after } = itemsOf(given, at);
  const bound: Schema = contained.length === 0 ? schema : { anyOf: [...contained, schema] };
  const more = Array.from({ length: Math.max(firsts.length, spoken) }, (_, i): Schema => (i < spoken ? (firsts[i] ?? after) : both(firsts[i], bound)));
  return { ...given, prefixItems: more, items: both(after, bound) };
}
/** What is said of all properties, or items, that are not spoken of, as the keywords say it that name the others; undefined where all are spoken of. */
export function saidOfOthers(keyword: 'unevaluatedProperties' | 'unevaluatedItems', { names, patterns, others, firsts, rest, contained }: Evaluated, schema: Schema): ObjectSchema | undefined {
  const open = (keys: Iterable<string>): ObjectSchema => Object.fromEntries(Array.from(keys, (key) => [key, true]));
  if (keyword === 'unevaluatedProperties') return others ? undefined : { properties: open(names), patternProperties: open(patterns), additionalProperties: schema };
  return rest ? undefined : { prefixItems: Array.from({ length: firsts }, () => true), items: contained.length === 0 ? schema : { anyOf: [...contained, schema] } };
}
