// Owns names of properties by patterns: which of the schema's own names they match, and a pattern of the others.
// Refuses to know what the properties are.

import { patternMatcher } from '../patterns/pattern-automaton.ts';
import { parsePattern, patternOfAll } from '../patterns/pattern.ts';
import { canonical, isObject, schemaOf, wrong } from './schema-source.ts';
import type { ObjectSchema, Schema } from './schema-source.ts';

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
/** Names that the schema does not list and that may be written, and what stands behind each; undefined: there are none. */
export function patternOfNames(patterns: readonly NamePattern[], listed: readonly string[], at: string): { readonly pattern: string; readonly schema: Schema } | undefined {
  const schema = patterns.at(0)?.schema;
  if (schema === undefined) return undefined;
  if (patterns.some((other) => canonical(other.schema) !== canonical(schema))) throw wrong(at, 'patternProperties', 'is supported where all patterns have the same schema: one name may match several');
  if (schema === false) return undefined;
  const any = patterns.length === 1 ? patterns[0].pattern : patterns.map(({ pattern }) => `(?:${pattern})`).join('|');
  const taken = listed.filter((name) => patterns.some(({ matches }) => matches(name)));
  return { schema, pattern: taken.length === 0 ? any : patternOfAll([any, noneOf(taken)]) };
}
/** A pattern of all texts but these. */
export const noneOf = (texts: readonly string[]): string => `^(?!(?:${texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})$)`;
