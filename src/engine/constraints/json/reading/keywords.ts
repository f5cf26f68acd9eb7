// Owns which keywords of JSON Schema are supported, and of which type each speaks.
// Refuses to know what they mean.

import { NOTES, wrong } from './source.ts';
import type { ObjectSchema, Type } from './source.ts';

export const BY_TYPE: Readonly<Record<Type, readonly string[]>> = {
  null: [],
  boolean: [],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  array: ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
  object: ['properties', 'required', 'patternProperties', 'additionalProperties', 'propertyNames', 'minProperties', 'maxProperties'],
};
/** What they bind depends on what else a schema says, in all of its parts. */
export const UNEVALUATED = ['unevaluatedProperties', 'unevaluatedItems'] as const;
/** Where one of these stands, the schema is taken apart into cases first. */
export const CONDITIONS: readonly string[] = ['not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'dependencies', ...UNEVALUATED];
const SUPPORTED = new Set(['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref', ...CONDITIONS, ...Object.values(BY_TYPE).flat()]);

export const isNote = (keyword: string): boolean => NOTES.has(keyword) || keyword.startsWith('x-');
/** Throws EngineError `constraint_invalid` for a keyword that is not supported anywhere. */
export function refuseUnknown(schema: ObjectSchema, at: string): void {
  const unknown = Object.keys(schema).find((key) => !SUPPORTED.has(key) && !isNote(key));
  if (unknown !== undefined) throw wrong(at, unknown, unknown === '$dynamicRef' ? 'is not supported where it leads to no place in the schema' : 'is not supported; leave it out');
}
