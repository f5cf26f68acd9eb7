// Owns putting the parts of `allOf`, and what stands beside it, together into one schema.
// Refuses what would come to something else: parts that speak of the same thing in two ways that no other keyword can say.

import { invalid, NoText } from '../../grammar/network.ts';
import { patternOfAll } from '../../patterns/pattern.ts';
import { commonMultiple } from '../texts/json-multiples.ts';
import { isNote, UNEVALUATED } from '../reading/keywords.ts';
import { behindReferences, boundOf, canonical, listOf, nothing, requiredOf, resolve, schemaOf, TYPES, typesOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema, Type } from '../reading/source.ts';
import { ITEMS, itemsTogether, MEMBERS, membersTogether, speaksOf } from './together.ts';

const LEAST = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const MOST = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
/** Keywords that mean nothing without each other. */
const JOINED = [
  ['if', 'then', 'else'],
  ['contains', 'minContains', 'maxContains'],
];
/** Of schemas that are put together, each time that they are. */
const MOST_CHARACTERS = 20_000_000;
const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

export class SchemaParts {
  readonly #whole: unknown;
  /** Undefined while it is put together. */
  readonly #known = new Map<ObjectSchema, Schema | undefined>();
  /** What was put together of two, by these, and all of its parts. */
  readonly #pairs = new Map<string, { readonly allOf: readonly ObjectSchema[] }>();
  readonly #lists = new Map<ObjectSchema, readonly ObjectSchema[]>();
  #characters = 0;

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
    const result = parts.includes(false) ? false : this.#together(parts.filter((part) => typeof part !== 'boolean'), at);
    this.#known.set(schema, result);
    return result;
  }
  /** The same; false, too, where the parts ask for what excludes each other. */
  mergedIfPossible(schema: ObjectSchema, at: string): Schema {
    try {
      return this.merged(schema, at);
    } catch (error) {
      if (!(error instanceof NoText)) throw error;
      this.#known.set(schema, false);
      return false;
    }
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
  /** What is valid by both, put together where it is written. The same two are one schema, so that what holds itself comes to an end. Throws EngineError `constraint_invalid`. */
  both(a: Schema, b: Schema): Schema {
    if (a === false || b === false) return false;
    if (a === true || b === true) return a === true ? b : a;
    if (a === b) return a;
    const [one, other] = [canonical(a), canonical(b)];
    this.#characters += one.length + other.length;
    if (this.#characters > MOST_CHARACTERS) throw invalid('the schema is too large: what allOf puts together is long; give it fewer schemas, or such as speak of other properties');
    if (one === other) return a;
    const key = `${one} ${other}`;
    const known = this.#pairs.get(key) ?? { allOf: [...(this.#lists.get(a) ?? [a]), ...(this.#lists.get(b) ?? [b])] };
    this.#pairs.set(key, known);
    this.#lists.set(known, known.allOf);
    return known;
  }
  #together(parts: readonly ObjectSchema[], at: string): ObjectSchema {
    // Without a prototype, so that no keyword seems to be there already.
    const result = Object.create(null) as Record<string, unknown>;
    for (const part of parts)
      for (const [key, value] of Object.entries(part)) {
        if (isNote(key) || MEMBERS.includes(key) || ITEMS.includes(key)) continue;
        const before = result[key];
        if (before === undefined || same(before, value)) result[key] = value;
        else if (key === 'type') result[key] = typesOfBoth(typesOf({ type: before }, at), typesOf({ type: value }, at), at);
        else if (key === 'required') result[key] = [...requiredOf(result, at), ...requiredOf(part, at)];
        else if (key === 'enum') result[key] = valuesOfBoth(listOf(before, at, key), listOf(value, at, key), at);
        else if (key === 'propertyNames') result[key] = this.both(schemaOf(before, at), schemaOf(value, at));
        else if (key === 'pattern' && typeof before === 'string' && typeof value === 'string') result[key] = patternOfAll([before, value]);
        else if (key === 'multipleOf') result[key] = stepOfBoth(boundOf(result, at, key) ?? 0, boundOf(part, at, key) ?? 0, at);
        else if (LEAST.includes(key)) result[key] = Math.max(boundOf(result, at, key) ?? 0, boundOf(part, at, key) ?? 0);
        else if (MOST.includes(key)) result[key] = Math.min(boundOf(result, at, key) ?? 0, boundOf(part, at, key) ?? 0);
        else throw wrong(at, 'allOf', `says ${key} twice, which is not supported`);
      }
    for (const joined of JOINED) if (parts.filter((part) => speaksOf(part, joined)).length > 1) throw wrong(at, 'allOf', `says ${joined[0]} or what belongs to it in several parts, which is not supported`);
    const closing = UNEVALUATED.find((key) => parts.length > 1 && result[key] !== undefined);
    if (closing !== undefined) throw wrong(at, closing, 'of one part of allOf is not supported there');
    const both = (a: Schema, b: Schema): Schema => this.both(a, b);
    return Object.assign(result, this.#alike(parts, MEMBERS) ?? membersTogether(parts, at, both), this.#alike(parts, ITEMS) ?? itemsTogether(parts, at, both));
  }
  /** Where all parts that speak of something say the same. */
  #alike(parts: readonly ObjectSchema[], keywords: readonly string[]): ObjectSchema | undefined {
    const [first, ...others] = parts.filter((part) => speaksOf(part, keywords)).map((part) => Object.fromEntries(keywords.filter((key) => part[key] !== undefined).map((key) => [key, part[key]])));
    return others.every((other) => same(other, first)) ? (first ?? {}) : undefined;
  }
}
/** A whole number is a number. */
function typesOfBoth(some: readonly Type[], others: readonly Type[], at: string): readonly Type[] {
  const are = (type: Type, types: readonly Type[]): boolean => types.includes(type) || (type === 'integer' && types.includes('number'));
  const both = TYPES.filter((type) => are(type, some) && are(type, others));
  if (both.length === 0) throw nothing(at, 'allOf', 'asks for types that exclude each other');
  return both;
}
function stepOfBoth(one: number, other: number, at: string): number {
  const step = commonMultiple(one, other);
  if (step === undefined) throw wrong(at, 'allOf', 'says multipleOf twice, which is supported with 6 decimal places at most and, without the point, up to 1000');
  return step;
}
function valuesOfBoth(some: readonly unknown[], others: readonly unknown[], at: string): readonly unknown[] {
  const keys = new Set(others.map(canonical));
  const both = some.filter((value) => keys.has(canonical(value)));
  if (both.length === 0) throw nothing(at, 'allOf', 'asks for values of lists that have none in common');
  return both;
}

