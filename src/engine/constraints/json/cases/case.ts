// Owns one case of a schema: values of one type, or a list of values; what narrows it, and whether any value is left.
// Refuses to know where cases come from.

import { noneOf, patternsOf } from '../reading/pattern-names.ts';
import { patternMatcher } from '../../patterns/pattern-automaton.ts';
import { parsePattern, patternOfAll } from '../../patterns/pattern.ts';
import { isMultiple, isStep } from '../texts/json-multiples.ts';
import { BY_TYPE } from '../reading/keywords.ts';
import { EVALUATED } from './evaluated.ts';
import type { Evaluated } from './evaluated.ts';
import { FORMATS } from '../texts/formats.ts';
import { boundOf, canonical, itemsOf, propertiesOf, requiredOf, schemaOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema, Type } from '../reading/source.ts';

/** With `type`, which is one, and keywords of that type, for texts also `not: {enum}`, for numbers `not: {anyOf: [{multipleOf}]}`; or with `enum` alone. */
export type Case = ObjectSchema & { readonly [EVALUATED]?: Evaluated };

const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength'];

/** Types of its values; whole numbers are of two. */
export function kindsOf({ type, enum: values }: Case): readonly Type[] {
  if (!Array.isArray(values)) return [type as Type];
  return values.flatMap((value): readonly Type[] => (value === null ? ['null'] : Array.isArray(value) ? ['array'] : typeof value === 'number' ? (Number.isInteger(value) ? ['integer', 'number'] : ['number']) : [typeof value as Type]));
}
/** Undefined where none of its values is of these types. */
export function ofTypes(given: Case, types: readonly Type[]): Case | undefined {
  const { enum: values, type } = given;
  const wanted: readonly Type[] = types.includes('number') ? [...types, 'integer'] : types;
  if (Array.isArray(values)) {
    const fitting = values.filter((value) => kindsOf({ enum: [value] }).some((kind) => wanted.includes(kind)));
    return fitting.length > 0 ? { enum: fitting } : undefined;
  }
  if (wanted.includes(type as Type)) return given;
  return type === 'number' && wanted.includes('integer') ? { ...given, type: 'integer' } : undefined;
}
export function notOfTypes(given: Case, types: readonly Type[]): readonly Case[] {
  const { enum: values } = given;
  if (Array.isArray(values)) {
    const other = values.filter((value) => !ofTypes({ enum: [value] }, types));
    return other.length > 0 ? [{ enum: other }] : [];
  }
  const left = ofTypes(given, types);
  // Numbers that are not whole.
  if (left && left !== given) return [excludingStep(given, 1)];
  return left ? [] : [given];
}
/** What tells values apart. */
export const keysOf = (values: readonly unknown[]): ReadonlySet<string> => new Set(values.map(canonical));
const sizes = new WeakMap<object, number>();
/** Characters of a value. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let size = sizes.get(value);
  if (size === undefined) sizes.set(value, (size = canonical(value).length));
  return size;
}
/** Whether any value may be left: false only where none is. */
export function isPossible(given: Case, at: string): boolean {
  const bound = (keyword: string, otherwise: number): number => boundOf(given, at, keyword) ?? otherwise;
  if (given['type'] === 'object' && requiredOf(given, at).some((name) => valueOf(given, name, at) === false)) return false;
  if (given['type'] === 'array') {
    const { firsts, after } = itemsOf(given, at);
    if (after === false && firsts.length < bound('minItems', 0)) return false;
  }
  if (['Length', 'Items', 'Properties'].some((what) => bound(`min${what}`, 0) > bound(`max${what}`, Infinity))) return false;
  const [low, high, above, below] = [bound('minimum', -Infinity), bound('maximum', Infinity), bound('exclusiveMinimum', -Infinity), bound('exclusiveMaximum', Infinity)];
  if (given['type'] === 'integer') return Math.max(Math.ceil(low), Math.floor(above) + 1) <= Math.min(Math.floor(high), Math.ceil(below) - 1);
  return low <= high && Math.max(low, above) < below && above < high;
}
/** Whether a value of the type of a case is one of it. Throws EngineError `constraint_invalid` where that would take more than to compare. */
export function isWithin(value: unknown, given: Case, keyword: string, at: string): boolean {
  const beyond = Object.keys(given).find((key) => !['type', 'not', 'pattern', 'multipleOf', 'format'].includes(key) && !BOUNDS.includes(key));
  if (beyond !== undefined) throw wrong(at, keyword, `together with ${beyond} is not supported; leave out the values that it forbids`);
  const bound = (key: string, otherwise: number): number => boundOf(given, at, key) ?? otherwise;
  if (typeof value === 'number') {
    const step = boundOf(given, at, 'multipleOf');
    if (step !== undefined && !isStep(step)) throw wrong(at, keyword, 'together with multipleOf of so many digits is not supported; leave out the values that it forbids');
    const isStepped = (step === undefined || isMultiple(value, step)) && excludedSteps(given).every((each) => !isMultiple(value, each));
    return isStepped && bound('minimum', -Infinity) <= value && value <= bound('maximum', Infinity) && bound('exclusiveMinimum', -Infinity) < value && value < bound('exclusiveMaximum', Infinity);
  }
  if (typeof value !== 'string') return true;
  const length = Array.from(value).length;
  const { pattern, format } = given;
  // One that is not known is a note where values are listed; of a known one there are texts that its pattern does not have.
  const form = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? `^(?:${FORMATS[format]})$` : undefined;
  if (form !== undefined && !matcherOf(given, form)(value)) throw wrong(at, keyword, `has a value, ${JSON.stringify(value.slice(0, 50))}, that is not seen to be of the format ${JSON.stringify(format)} beside it; leave out the value or the format`);
  const isMatching = pattern === undefined || (typeof pattern === 'string' && matcherOf(given, pattern)(value));
  return isMatching && bound('minLength', 0) <= length && length <= bound('maxLength', Infinity) && !excludedFrom(given).includes(value);
}
/** Of listed values those that are valid by what stands beside them: keywords of their own types. Throws EngineError `constraint_invalid` likewise. */
export function validBeside(values: readonly unknown[], schema: ObjectSchema, at: string): readonly unknown[] {
  const known = new Map<string, Case>();
  const boundsOf = (kinds: readonly Type[]): Case => {
    const bounds = known.get(kinds.join()) ?? Object.fromEntries(kinds.flatMap((type) => BY_TYPE[type]).flatMap((key): [string, unknown][] => (schema[key] === undefined ? [] : [[key, schema[key]]])));
    known.set(kinds.join(), bounds);
    return bounds;
  };
  return values.filter((value) => isWithin(value, boundsOf(kindsOf({ enum: [value] })), 'enum', at));
}
const matchers = new WeakMap<Case, Map<string, (text: string) => boolean>>();
/** Many values are asked of one case. */
function matcherOf(given: Case, pattern: string): (text: string) => boolean {
  const known = matchers.get(given) ?? new Map<string, (text: string) => boolean>();
  matchers.set(given, known);
  const matches = known.get(pattern) ?? patternMatcher(parsePattern(pattern), true);
  known.set(pattern, matches);
  return matches;
}
/** Texts that a case of texts leaves out. */
const excludedFrom = ({ not }: Case): readonly string[] => (not as { readonly enum: readonly string[] } | undefined)?.enum ?? [];
/** Of a case of numbers: it leaves out multiples of these. */
export const excludedSteps = ({ not }: Case): readonly number[] => (not as { readonly anyOf: readonly { readonly multipleOf: number }[] } | undefined)?.anyOf.map(({ multipleOf }) => multipleOf) ?? [];
/** Without the multiples of a number. */
export const excludingStep = (given: Case, step: number): Case => ({ ...given, not: { anyOf: [...new Set([...excludedSteps(given), step])].map((multipleOf) => ({ multipleOf })) } });
/** What the property must be; where patterns speak of it, they say so themselves. */
export function valueOf(given: Case, name: string, at: string): Schema {
  const properties = propertiesOf(given, at);
  if (Object.hasOwn(properties, name)) return schemaOf(properties[name], `${at}/properties/${name}`);
  return patternsOf(given, at).some(({ matches }) => matches(name)) ? true : schemaOf(given['additionalProperties'] ?? true, `${at}/additionalProperties`);
}
export const valued = (given: Case, name: string, value: Schema, at: string): Case => ({ ...given, properties: { ...propertiesOf(given, at), [name]: value } });
export const requiring = (given: Case, names: readonly string[], at: string): Case => ({ ...given, required: [...requiredOf(given, at), ...names] });
/** Without the property. An object of which nothing else is said may still hold others. */
export function forbidding(given: Case, name: string, at: string): Case {
  const isFree = !['properties', 'patternProperties', 'additionalProperties', 'propertyNames'].some((key) => given[key] !== undefined);
  return { ...valued(given, name, false, at), ...(isFree ? { additionalProperties: true } : {}) };
}

/** Without these values. */
export function excluding(given: Case, values: readonly unknown[], at: string): readonly Case[] {
  const { enum: own, type } = given;
  const keys = keysOf(values);
  const left = (all: readonly unknown[]): readonly Case[] => {
    const others = all.filter((value) => !keys.has(canonical(value)));
    return others.length === 0 ? [] : [{ enum: others }];
  };
  if (Array.isArray(own)) return left(own);
  const of = values.filter((value) => kindsOf({ enum: [value] }).includes(type as Type));
  if (of.length === 0) return [given];
  switch (type) {
    case 'null':
      return [];
    case 'boolean':
      return left([true, false]);
    case 'string':
      return [{ ...given, not: { enum: [...new Set([...excludedFrom(given), ...(of as readonly string[])])] } }];
    case 'integer':
    case 'number':
      return betweenNumbers(given, of as readonly number[], at);
    default:
      throw wrong(at, 'enum', 'or const inside not, or in what if asks, is supported of texts, numbers, booleans and null');
  }
}
function betweenNumbers(given: Case, numbers: readonly number[], at: string): readonly Case[] {
  if (numbers.some((number) => Math.abs(number) >= Number.MAX_SAFE_INTEGER)) throw wrong(at, 'enum', 'or const inside not, or in what if asks, is supported of numbers below 2^53');
  const ends = [-Infinity, ...numbers.toSorted((a, b) => a - b), Infinity];
  return ends.slice(1).flatMap((end, i) => {
    const [above, below] = [Math.max(ends[i], boundOf(given, at, 'exclusiveMinimum') ?? -Infinity), Math.min(end, boundOf(given, at, 'exclusiveMaximum') ?? Infinity)];
    const part = { ...given, ...(above > -Infinity ? { exclusiveMinimum: above } : {}), ...(below < Infinity ? { exclusiveMaximum: below } : {}) };
    return isPossible(part, at) ? [part] : [];
  });
}
/** A case of texts without `not`: they are left out by the pattern. */
export function written(given: Case, at: string): Case {
  if (given['type'] !== 'string') return given;
  const { not: _, ...others } = given;
  const { pattern, format } = given;
  // Such a text cannot be written at all.
  const texts = excludedFrom(given).filter((text) => text.isWellFormed());
  if (texts.length === 0) return others;
  // Beside a pattern, a format that is not known would be taken for a note.
  if (format !== undefined && pattern === undefined && !(typeof format === 'string' && Object.hasOwn(FORMATS, format))) throw wrong(at, 'format', `must be one of ${Object.keys(FORMATS).join(', ')}`);
  return { ...others, pattern: typeof pattern === 'string' ? patternOfAll([pattern, noneOf(texts)]) : noneOf(texts) };
}
