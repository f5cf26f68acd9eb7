// Owns what OpenAPI 3.0 and draft 4 have other words for, in the words of JSON Schema; and formats that ask nothing of a text.
// Refuses to know what the words mean.

import { withParts } from './places.ts';
import { isObject } from './source.ts';
import type { ObjectSchema } from './source.ts';

/** Notes of those who read the text: that it is secret, or what its characters are to them. */
const FREE_FORMATS: readonly unknown[] = ['password', 'binary', 'path', 'file-path', 'directory-path', 'text', 'textarea', 'multiline', 'markdown', 'commonmark', 'html'];
/** Deeper ones are refused. */
const MOST_DEPTH = 256;

export const inUsualWords = (whole: unknown): unknown => (isObject(whole) ? usual(whole, 0) : whole);
function usual(given: ObjectSchema, depth: number): ObjectSchema {
  if (depth > MOST_DEPTH) return given;
  const schema: Record<string, unknown> = { ...withParts(given, (part) => usual(part, depth + 1)) };
  const { format, nullable, type } = schema;
  if (FREE_FORMATS.includes(format)) delete schema['format'];
  // It speaks of a type beside it alone, and a list of values holds null itself (OpenAPI 3.0.3, "Schema Object").
  if (nullable === true && type !== undefined) schema['type'] = [...new Set([type, 'null'].flat())];
  if (typeof nullable === 'boolean') delete schema['nullable'];
  for (const [bound, open] of [['minimum', 'exclusiveMinimum'], ['maximum', 'exclusiveMaximum']] as const) {
    if (schema[open] === true && typeof schema[bound] === 'number') {
      schema[open] = schema[bound];
      delete schema[bound];
    } else if (schema[open] === false) delete schema[open];
  }
  return schema;
}
