// Owns putting the parts of `allOf`, and what stands beside it, together into one schema.
// Refuses what would come to something else: parts that speak of the same thing in two ways, or of properties and items that another part closes over.

import { patternOfAll } from '../patterns/pattern.ts';
import { behindReferences, boundOf, canonical, listOf, NOTES, propertiesOf, requiredOf, resolve, schemaOf, TYPES, typesOf, wrong } from './schema-source.ts';
import type { ObjectSchema, Schema, Type } from './schema-source.ts';

const LEAST = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const MOST = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
/** Which items they are about depends on each other. */
const ITEMS = ['items', 'prefixItems', 'additionalItems'];
/** Keywords that mean nothing without each other. */
const JOINED = [
  ['if', 'then', 'else'],
  ['contains', 'minContains', 'maxContains'],
];
const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

export class SchemaParts {
  readonly #whole: unknown;
  /** Undefined while it is put together. */
  readonly #known = new Map<ObjectSchema, Schema | undefined>();

  /** `whole`: where references lead. */
  constructor(whole: unknown) {
    this.#whole = whole;
  }
  /** Throws EngineError `constraint_invalid`. */
  merged(schema: ObjectSchema, at: string): Schema {
    const known = this.#known.get(schema);
    if (known !== undefined) return known;
    if (this.#known.has(schema)) throw wrong(at, 'allOf', 'holds itself');
    this.#known.set(schema, undefined);
    const parts = this.#parts(schema, at);
    const result = parts.includes(false) ? false : together(parts.filter((part) => typeof part !== 'boolean'), at);
    this.#known.set(schema, result);
    return result;
  }
  #parts({ allOf, ...beside }: ObjectSchema, at: string): readonly Schema[] {
    const parts: Schema[] = [beside];
    for (const [i, given] of listOf(allOf, at, 'allOf').entries()) {
      const place = `${at}/allOf/${i}`;
      let part = schemaOf(given, place);
      // That they come to an end is seen here.
      behindReferences(this.#whole, part, place);
      while (typeof part !== 'boolean' && part['$ref'] !== undefined) {
        const { $ref, ...others } = part;
        parts.push(this.#flat(others, place));
        part = resolve(this.#whole, $ref, place);
      }
      parts.push(this.#flat(part, place));
    }
    return parts;
  }
  #flat(part: Schema, at: string): Schema {
    return typeof part === 'boolean' || part['allOf'] === undefined ? part : this.merged(part, at);
  }
}

function together(parts: readonly ObjectSchema[], at: string): ObjectSchema {
  // Without a prototype, so that no keyword seems to be there already.
  const result = Object.create(null) as Record<string, unknown>;
  for (const part of parts)
    for (const [key, value] of Object.entries(part)) {
      if (NOTES.has(key)) continue;
      const before = result[key];
      if (before === undefined || same(before, value)) result[key] = value;
      else if (key === 'type') result[key] = typesOfBoth(typesOf({ type: before }, at), typesOf({ type: value }, at), at);
      else if (key === 'required') result[key] = [...requiredOf(result, at), ...requiredOf(part, at)];
      else if (key === 'properties') result[key] = properties(propertiesOf(result, at), propertiesOf(part, at), at);
      else if (key === 'pattern' && typeof before === 'string' && typeof value === 'string') result[key] = patternOfAll([before, value]);
      else if (LEAST.includes(key)) result[key] = Math.max(boundOf(result, at, key) ?? 0, boundOf(part, at, key) ?? 0);
      else if (MOST.includes(key)) result[key] = Math.min(boundOf(result, at, key) ?? 0, boundOf(part, at, key) ?? 0);
      else throw wrong(at, 'allOf', `says ${key} twice, which is not supported`);
    }
  const has = (key: string): readonly ObjectSchema[] => parts.filter((part) => part[key] !== undefined);
  // A part that closes itself closes only over its own properties, and over all of the others.
  const closed = has('additionalProperties').filter((part) => part['additionalProperties'] !== true);
  if (closed.length > 0 && [...has('properties'), ...has('patternProperties')].some((part) => part !== closed[0] || closed.length > 1))
    throw wrong(at, 'allOf', 'puts properties of several parts together of which one has additionalProperties, which is not supported');
  for (const joined of JOINED)
    if (parts.filter((part) => joined.some((key) => part[key] !== undefined)).length > 1) throw wrong(at, 'allOf', `says ${joined[0]} or what belongs to it in several parts, which is not supported`);
  const listing = parts.filter((part) => ITEMS.some((key) => part[key] !== undefined));
  if (listing.some((part) => ITEMS.some((key) => !same(part[key], listing[0][key])))) throw wrong(at, 'allOf', 'says which items there are in several parts, which is not supported');
  return result;
}
/** A whole number is a number. */
function typesOfBoth(some: readonly Type[], others: readonly Type[], at: string): readonly Type[] {
  const are = (type: Type, types: readonly Type[]): boolean => types.includes(type) || (type === 'integer' && types.includes('number'));
  const both = TYPES.filter((type) => are(type, some) && are(type, others));
  if (both.length === 0) throw wrong(at, 'allOf', 'asks for types that exclude each other');
  return both;
}
function properties(before: ObjectSchema, more: ObjectSchema, at: string): ObjectSchema {
  const twice = Object.keys(more).find((name) => Object.hasOwn(before, name) && !same(before[name], more[name]));
  if (twice !== undefined) throw wrong(at, 'allOf', `says two things about the property ${JSON.stringify(twice)}, which is not supported`);
  return { ...before, ...more };
}
