// Owns what a value is that a call writes without quotes: text, or JSON, as the schema of its parameter has it.
// Refuses to know where it was written.

import { isSign } from './marks.ts';
import { pythonLiteral } from './python-calls.ts';

type Types = ReadonlySet<string>;
const MOST_REFERENCES = 16;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
/** What a pointer such as #/$defs/city points at. */
function pointed(root: unknown, pointer: unknown): unknown {
  if (typeof pointer !== 'string' || !pointer.startsWith('#')) return undefined;
  const steps = pointer.split('/').slice(1).map(keyOf);
  return steps.reduce<unknown>((value, step) => (isObject(value) && step !== undefined && Object.hasOwn(value, step) ? value[step] : undefined), root);
}
function keyOf(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
const union = (all: readonly (Types | undefined)[]): Types | undefined =>
  all.some((types) => types === undefined) ? undefined : new Set(all.flatMap((types) => [...(types ?? [])]));
const both = (one: Types | undefined, other: Types | undefined): Types | undefined =>
  one && other ? new Set([...one].filter((type) => other.has(type))) : (one ?? other);

/** The types of JSON that a schema lets values have; undefined: all. `root`: what its references point into. */
export function typesOf(schema: unknown, root: unknown, depth = 0): Types | undefined {
  if (!isObject(schema) || depth > MOST_REFERENCES) return undefined;
  const list = (name: string): readonly unknown[] | undefined => (Array.isArray(schema[name]) ? (schema[name] as readonly unknown[]) : undefined);
  const inner = (each: unknown): Types | undefined => typesOf(each, root, depth + 1);
  const { type } = schema;
  const named = typeof type === 'string' ? [type] : list('type')?.map(String);
  const said = [
    // As OpenAPI 3.0 has it.
    named && new Set(schema['nullable'] === true ? [...named, 'null'] : named),
    'const' in schema ? new Set([typeOf(schema['const'])]) : undefined,
    list('enum') && new Set(list('enum')?.map(typeOf)),
    ...['anyOf', 'oneOf'].map((name) => list(name) && union(list(name)?.map(inner) ?? [])),
    ...(list('allOf') ?? []).map(inner),
    schema['$ref'] === undefined ? undefined : inner(pointed(root, schema['$ref'])),
  ];
  return said.reduce(both, undefined);
}
/** The schema of a parameter of a function, where one is known. */
export const parameterSchema = (parameters: unknown, name: string): unknown =>
  isObject(parameters) && isObject(parameters['properties']) && Object.hasOwn(parameters['properties'], name) ? parameters['properties'][name] : undefined;
export const parameterTypes = (parameters: unknown, name: string): Types | undefined => typesOf(parameterSchema(parameters, name), parameters);
/** The schemas that a schema may stand for: those that it points at and chooses between, and itself. `root`: what its references point into. */
export function alternatives(schema: unknown, root: unknown, depth = 0): readonly Readonly<Record<string, unknown>>[] {
  if (!isObject(schema) || depth > MOST_REFERENCES) return [];
  const within = ['anyOf', 'oneOf', 'allOf'].flatMap((name): readonly unknown[] => (Array.isArray(schema[name]) ? (schema[name] as readonly unknown[]) : []));
  return [schema, ...[...within, pointed(root, schema['$ref'])].flatMap((each) => alternatives(each, root, depth + 1))];
}
/** Names of a function's parameters in order. */
export const parameterNames = (parameters: unknown): readonly string[] =>
  isObject(parameters) && isObject(parameters['properties']) ? Object.keys(parameters['properties']) : [];
export const isText = (types: Types | undefined): boolean => types?.size === 1 && types.has('string');

/** Text inside a JSON string. Signs stay: marks are put in their place. */
export const escaped = (text: string): string =>
  Array.from(text, (character) => (isSign(character) ? character : JSON.stringify(character).slice(1, -1))).join('');
export const quoted = (text: string): string => `"${escaped(text)}"`;

/** Words of Python, which some models write. */
const WORDS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };
function jsonIn(text: string): { readonly json: string; readonly type: string } | undefined {
  const json = Object.hasOwn(WORDS, text) ? WORDS[text] : text;
  try {
    return { json, type: typeOf(JSON.parse(json)) };
  } catch {
    return undefined;
  }
}
/** A list or object of Python, where there can be no text. */
function pythonIn(text: string, types: Types | undefined): { readonly json: string; readonly type: string } | undefined {
  const value = types && !types.has('string') ? pythonLiteral(text) : undefined;
  return typeof value === 'object' && value !== null ? { json: JSON.stringify(value), type: typeOf(value) } : undefined;
}
/** The JSON of a value that was written without quotes. Text is taken for JSON where the types let it be no text, or do not say. */
export function jsonOf(text: string, types: Types | undefined): string {
  if (isText(types)) return quoted(text);
  const found = jsonIn(text.trim()) ?? pythonIn(text, types);
  if (!found) return quoted(text);
  if (!types) return found.json;
  const fits = found.type !== 'string' && (types.has(found.type) || (found.type === 'integer' && types.has('number')));
  return fits || !types.has('string') ? found.json : quoted(text);
}
