// Owns names of properties by patterns: which of the schema's own names they match, and a pattern of the others.
// Refuses to know what the properties are.

import { patternMatcher } from '../../patterns/pattern-automaton.ts';
import { parsePattern, patternOfAll } from '../../patterns/pattern.ts';
import { canonical, isObject, schemaOf, wrong } from './source.ts';
import type { Both, ObjectSchema, Schema } from './source.ts';

/** Schemas of patterns of one object. */
const MOST_GROUPS = 4;

export interface NamePattern {
  readonly pattern: string;
  readonly schema: Schema;
  readonly matches: (name: string) => boolean;
}
/** What `patternProperties` says. Throws EngineError `constraint_invalid`. */
export function patternsOf({ patternProperties: given = {} }: ObjectSchema, at: string): readonly NamePattern[] {
  if (!isObject(given)) throw wrong(at, 'patternProperties', 'must be an object');
  return Object.entries(given).map(([pattern, schema]) => {
    try {
      RegExp(pattern, 'u');
    } catch (error) {
      throw wrong(at, 'patternProperties', `has a name that is no regular expression: ${(error as Error).message}`);
    }
    return { pattern, schema: schemaOf(schema, `${at}/patternProperties/${pattern}`), matches: matcherOf(pattern) };
  });
}
/** A client's pattern on a client's name: not by RegExp, which may go back without end. Made when it is first asked for. */
function matcherOf(pattern: string): (name: string) => boolean {
  let matches: ((name: string) => boolean) | undefined;
  return (name) => (matches ??= patternMatcher(parsePattern(pattern), true))(name);
}
/**
 * Names that the schema does not list, each pattern with what stands behind its names: of each set of schemas those that match the patterns of all of the set and of no other; and, unless
 * `others` is false, those that match none. Throws EngineError `constraint_invalid`.
 */
export function namesByPatterns(patterns: readonly NamePattern[], listed: readonly string[], others: Schema, at: string, both: Both): readonly { readonly pattern: string; readonly schema: Schema }[] {
  const groups = [...Map.groupBy(patterns, ({ schema }) => canonical(schema)).values()].map((group) => ({ schema: group[0].schema, pattern: group.length === 1 ? group[0].pattern : group.map(({ pattern }) => `(?:${pattern})`).join('|') }));
  if (groups.length > MOST_GROUPS) throw wrong(at, 'patternProperties', `is supported with up to ${MOST_GROUPS} different schemas: one name may match several patterns`);
  const taken = others === false ? listed.filter((name) => patterns.some(({ matches }) => matches(name))) : listed;
  return Array.from({ length: 2 ** groups.length }, (_, set) => {
    const [within, without] = [groups.filter((_group, i) => (set & (1 << i)) !== 0), groups.filter((_group, i) => (set & (1 << i)) === 0)];
    const all = [...within.map(({ pattern }) => pattern), ...without.map(({ pattern }) => noMatch(pattern)), ...(taken.length > 0 ? [noneOf(taken)] : [])];
    return { pattern: all.length === 1 ? all[0] : patternOfAll(all), schema: set === 0 ? others : within.map(({ schema }) => schema).reduce(both, true) };
  }).filter(({ schema }) => schema !== false);
}
/** A pattern of all texts but these. */
export const noneOf = (texts: readonly string[]): string => `^(?!(?:${texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})$)`;
/** A pattern of all texts in which another one matches nowhere. Throws EngineError `constraint_invalid` for one that is no pattern by itself. */
export function noMatch(pattern: string): string {
  parsePattern(pattern);
  return `^(?![^]*(?:${pattern}))`;
}
