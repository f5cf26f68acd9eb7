// Owns the values that a JSON Schema lists: const and enum.
// Refuses to know how values are written that are not listed.

import { choiceOf } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { validBeside } from '../cases/case.ts';
import { constant } from '../texts/json-text.ts';
import { canonical, listOf, nothing, typesOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Type } from '../reading/source.ts';

/** Throws EngineError `constraint_invalid`. `most`: how deep they are nested; `once`: each is written in one way in the whole schema. */
export function listedValues(schema: ObjectSchema, at: string, most: number, once: boolean): Expression {
  const listed = schema['enum'] === undefined ? undefined : listOf(schema['enum'], at, 'enum');
  const all = 'const' in schema ? [schema['const']] : (listed ?? []);
  const types = typesOf(schema, at);
  const kind = (value: unknown): Type => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'number' ? (Number.isInteger(value) && !types.includes('number') ? 'integer' : 'number') : (typeof value as Type));
  const typed = all.filter((value) => types.includes(kind(value)) && (!listed || !('const' in schema) || listed.some((other) => canonical(other) === canonical(value))));
  const fitting = validBeside(typed, schema, at);
  if (fitting.length === 0) throw nothing(at, 'const' in schema ? 'const' : 'enum', 'has no value of the type that the schema asks for, and that is valid by what stands beside it');
  if (fitting.some((value) => isDeep(value, most))) throw wrong(at, 'const' in schema ? 'const' : 'enum', `has a value that is nested more than ${most} deep`);
  if (once && fitting.some((value) => isOtherwise(value))) throw wrong(at, 'uniqueItems', 'is not supported of items with listed values that hold numbers with exponents, or objects with several properties');
  return choiceOf(fitting.map(constant));
}
/** Whether a value may be written in another way elsewhere in a schema. */
function isOtherwise(value: unknown): boolean {
  if (typeof value === 'number') return String(value).includes('e') || Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && ((!Array.isArray(value) && Object.keys(value).length > 1) || Object.values(value).some(isOtherwise));
}
function isDeep(value: unknown, most: number): boolean {
  return typeof value === 'object' && value !== null && (most === 0 || Object.values(value).some((item) => isDeep(item, most - 1)));
}
