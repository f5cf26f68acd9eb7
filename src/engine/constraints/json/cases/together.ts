// Owns what the properties, and the items, of several parts of a schema come to together.
// Refuses what would take a pattern of its own for each way in which names match: patterns of one part beside what another one says of all other names.

import { patternsOf } from '../reading/pattern-names.ts';
import type { NamePattern } from '../reading/pattern-names.ts';
import { itemsOf, propertiesOf, schemaOf, wrong } from '../reading/source.ts';
import type { Both, ObjectSchema, Schema } from '../reading/source.ts';

/** Which properties and items they are about depends on each other. */
export const MEMBERS: readonly string[] = ['properties', 'patternProperties', 'additionalProperties'];
export const ITEMS: readonly string[] = ['items', 'prefixItems', 'additionalItems'];

interface Part {
  readonly properties: ObjectSchema;
  readonly patterns: readonly NamePattern[];
  readonly others: Schema | undefined;
}
/** Of objects, as the keywords that say it. Throws EngineError `constraint_invalid`. */
export function membersTogether(given: readonly ObjectSchema[], at: string, both: Both): ObjectSchema {
  const parts = given.map((part): Part => ({ properties: propertiesOf(part, at), patterns: patternsOf(part, at), others: part['additionalProperties'] === undefined ? undefined : schemaOf(part['additionalProperties'], `${at}/additionalProperties`) }));
  const all = (schemas: readonly Schema[]): Schema => schemas.reduce(both, true);
  // Then there are no names but those that are listed.
  const isListed = parts.some(({ others, patterns }) => others === false && patterns.length === 0);
  const patterns = new Map<string, Schema>();
  if (!isListed) for (const { pattern, schema } of parts.flatMap((part) => part.patterns)) patterns.set(pattern, both(patterns.get(pattern) ?? true, schema));
  const binding = parts.find((part) => part.others !== undefined && part.others !== true && part.patterns.length < patterns.size);
  if (binding) throw wrong(at, 'patternProperties', 'beside additionalProperties of another part is not supported; put them into one');
  const valueIn = ({ properties, patterns: own, others }: Part, name: string): Schema => {
    const matched = own.filter(({ matches }) => matches(name)).map(({ schema }) => schema);
    const listed = Object.hasOwn(properties, name) ? [schemaOf(properties[name], `${at}/properties/${name}`)] : matched.length > 0 ? [] : [others ?? true];
    return all([...listed, ...(isListed ? matched : [])]);
  };
  const names = [...new Set(parts.flatMap(({ properties }) => Object.keys(properties)))];
  const others = parts.map((part) => part.others).filter((each) => each !== undefined);
  return {
    ...(names.length > 0 ? { properties: Object.fromEntries(names.map((name) => [name, all(parts.map((part) => valueIn(part, name)))])) } : {}),
    ...(patterns.size > 0 ? { patternProperties: Object.fromEntries(patterns) } : {}),
    ...(others.length > 0 ? { additionalProperties: all(others) } : {}),
  };
}
/** Of arrays, as the keywords that say it. Throws EngineError `constraint_invalid`. */
export function itemsTogether(given: readonly ObjectSchema[], at: string, both: Both): ObjectSchema {
  const parts = given.map((part) => itemsOf(part, at));
  const firsts = Array.from({ length: Math.max(...parts.map((part) => part.firsts.length)) }, (_, i) => parts.map((part) => part.firsts[i] ?? part.after).reduce(both, true));
  return { ...(firsts.length > 0 ? { prefixItems: firsts } : {}), items: parts.map(({ after }) => after).reduce(both, true) };
}
/** Whether a part says anything of these. */
export const speaksOf = (part: ObjectSchema, keywords: readonly string[]): boolean => keywords.some((key) => part[key] !== undefined);
