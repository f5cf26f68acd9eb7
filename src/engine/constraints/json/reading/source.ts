// Owns reading a JSON Schema as it was given: what a place of it must be, and where references lead.
// Refuses to know what valid texts look like.

import type { EngineError } from '../../../port.ts';
import { invalid, NoText } from '../../grammar/network.ts';

export type ObjectSchema = Readonly<Record<string, unknown>>;
export type Schema = boolean | ObjectSchema;
export type Type = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
/** What is valid by both. */
export type Both = (a: Schema, b: Schema) => Schema;
export const TYPES: readonly Type[] = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

/** Keywords that say nothing about which values are valid: of JSON Schema, of OpenAPI, and of editors. */
export const NOTES: ReadonlySet<string> = new Set(
  [
    ['title', 'description', 'default', 'examples', 'readOnly', 'writeOnly', 'deprecated', 'contentMediaType', 'contentEncoding', 'contentSchema'],
    ['$schema', '$id', 'id', '$anchor', '$dynamicAnchor', '$recursiveAnchor', '$vocabulary', '$comment', '$defs', 'definitions'],
    ['example', 'discriminator', 'externalDocs', 'xml'],
    ['markdownDescription', 'enumDescriptions', 'markdownEnumDescriptions', 'enumNames', 'errorMessage', 'deprecationMessage', 'propertyOrder'],
  ].flat(),
);
/** References that lead to references. */
const MOST_STEPS = 64;

export const nothing = (at: string, keyword: string, what: string): NoText => new NoText(`the schema's ${keyword} at ${at} ${what}`);
export const wrong = (at: string, keyword: string, what: string): EngineError => invalid(`the schema's ${keyword} at ${at} ${what}`);
export const isObject = (value: unknown): value is ObjectSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
/** A text that is the same for values that are equal as JSON, whatever the order of their keys. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (isObject(each) ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))) : each));
export function schemaOf(value: unknown, at: string): Schema {
  if (typeof value === 'boolean') return value;
  // As libraries say false.
  if (isObject(value)) return value['not'] === true || (isObject(value['not']) && Object.keys(value['not']).length === 0) ? false : value;
  throw invalid(`the schema at ${at} must be an object or a boolean, is ${JSON.stringify(value)?.slice(0, 50)}`);
}
export function listOf(value: unknown, at: string, keyword: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong(at, keyword, 'must be a list that is not empty');
  return value;
}
export function countOf(schema: ObjectSchema, at: string, keyword: string, fallback: number): number {
  const value = schema[keyword];
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw wrong(at, keyword, 'must be a whole number of at least 0');
  return value;
}
export function boundOf(schema: ObjectSchema, at: string, keyword: string): number | undefined {
  const value = schema[keyword];
  if (value !== undefined && typeof value !== 'number') throw wrong(at, keyword, 'must be a number');
  return value;
}
export function propertiesOf({ properties = {} }: ObjectSchema, at: string): ObjectSchema {
  if (!isObject(properties)) throw wrong(at, 'properties', 'must be an object');
  return properties;
}
/** Each once. */
export function requiredOf({ required = [] }: ObjectSchema, at: string): readonly string[] {
  if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) throw wrong(at, 'required', 'must be a list of texts');
  return [...new Set(required as string[])];
}
/** The schemas of the first items, and that of all behind them. Behind one that is false, nothing can stand. */
export function itemsOf({ items, prefixItems, additionalItems }: ObjectSchema, at: string): { readonly firsts: readonly Schema[]; readonly after: Schema } {
  const given = prefixItems ?? (Array.isArray(items) ? items : []);
  if (!Array.isArray(given)) throw wrong(at, 'prefixItems', 'must be a list');
  const firsts = given.map((item, i) => schemaOf(item, `${at}/prefixItems/${i}`));
  const cut = firsts.indexOf(false);
  if (cut >= 0) return { firsts: firsts.slice(0, cut), after: false };
  return { firsts, after: schemaOf((Array.isArray(items) ? additionalItems : items) ?? true, `${at}/items`) };
}
export function typesOf({ type }: ObjectSchema, at: string): readonly Type[] {
  const given = type === undefined ? undefined : Array.isArray(type) ? type : [type];
  const unknown = given?.find((each) => !TYPES.includes(each as Type));
  if (unknown !== undefined || given?.length === 0) throw wrong(at, 'type', `must be one of ${TYPES.join(', ')}, or several of them`);
  const types = (given ?? TYPES.filter((each) => each !== 'integer')) as readonly Type[];
  // Keywords of a type that the schema leaves open bind that type alone.
  return types.filter((each) => each !== 'integer' || !types.includes('number'));
}

/** Where a reference leads. */
export function resolve(whole: unknown, target: unknown, at: string): Schema {
  if (typeof target !== 'string') throw wrong(at, '$ref', 'must be a text');
  if (target !== '#' && !target.startsWith('#/')) throw wrong(at, '$ref', `must point into the schema itself (#/...), is ${JSON.stringify(target)}`);
  const missing = (): EngineError => wrong(at, '$ref', `points to ${target}, which is not there`);
  let value = whole;
  for (const part of target.split('/').slice(1)) {
    let key: string;
    try {
      key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    } catch {
      throw missing();
    }
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) throw missing();
    value = (value as ObjectSchema)[key];
  }
  return schemaOf(value, target);
}
/** The schema itself, or the one that its references lead to in the end; what stands beside them is left out. */
export function behindReferences(whole: unknown, schema: Schema, at: string): Schema {
  let found = schema;
  for (let steps = 0; typeof found !== 'boolean' && found['$ref'] !== undefined; steps++) {
    if (steps === MOST_STEPS) throw wrong(at, '$ref', `leads over more than ${MOST_STEPS} others`);
    found = resolve(whole, found['$ref'], at);
  }
  return found;
}
