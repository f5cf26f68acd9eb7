// Owns where references of a JSON Schema lead that has parts with ids or anchors of their own: each is written as a pointer from the root.
// Refuses to know what is behind them; what is not there stays as it was written.

import { invalid } from '../grammar/network.ts';
import { canonical, isObject } from './schema-source.ts';
import type { ObjectSchema } from './schema-source.ts';

const MAPS = ['$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas', 'dependencies'];
const PARTS = ['items', 'prefixItems', 'additionalItems', 'contains', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'additionalProperties', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties'];
/** Of schemas without ids; nothing is fetched from anywhere. */
const BASE = 'schema://root/';

interface Place {
  readonly schema: ObjectSchema;
  readonly pointer: string;
  /** Address and place of the part with an id that it is in. */
  readonly base: string;
  readonly root: string;
}
const escaped = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
/** The address that a reference leads to, and what stands behind its sign; undefined where it is none. */
function addressOf(reference: string, base: string): { readonly address: string; readonly fragment: string } | undefined {
  if (!URL.canParse(reference, base)) return undefined;
  const url = new URL(reference, base);
  const fragment = url.hash.slice(1);
  url.hash = '';
  return { address: url.href, fragment };
}
function* partsOf({ schema, pointer, ...inside }: Place): Generator<Place> {
  const within = function* (value: unknown, at: string): Generator<Place> {
    if (isObject(value)) yield { schema: value, pointer: at, ...inside };
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) if (isObject(item)) yield { schema: item, pointer: `${at}/${i}`, ...inside };
  };
  for (const key of PARTS) yield* within(schema[key], `${pointer}/${key}`);
  for (const key of MAPS) if (isObject(schema[key])) for (const [name, value] of Object.entries(schema[key])) yield* within(value, `${pointer}/${key}/${escaped(name)}`);
}

/** Throws EngineError `constraint_invalid` where it is not clear what a reference is taken from. */
export function withPointers(whole: unknown): unknown {
  if (!isObject(whole)) return whole;
  /** Of parts with ids, by their addresses, and of anchors, by those of their parts: where several different ones have a name, none. */
  const named = new Map<string, { readonly pointer: string; readonly schema: ObjectSchema } | undefined>();
  const references = new Map<ObjectSchema, Place>();
  const name = (address: string, { pointer, schema }: Place): void => {
    const before = named.get(address);
    if (!named.has(address)) named.set(address, { pointer, schema });
    else if (!before || canonical(before.schema) !== canonical(schema)) named.set(address, undefined);
  };
  // Before draft 6 ids had another name, which others use for what they like.
  const idKey = String(whole['$schema']).includes('draft-04') ? 'id' : '$id';
  const start = { schema: whole, pointer: '#', base: BASE, root: '#' };
  name(BASE, start);
  const open: Place[] = [start];
  let isPlain = true;
  for (let place = open.pop(); place; place = open.pop()) {
    const { schema, pointer } = place;
    const { [idKey]: id, $ref: reference } = schema;
    let { base, root } = place;
    if (typeof id === 'string' && !id.startsWith('#')) {
      if (typeof reference === 'string' && pointer !== '#') throw invalid(`the schema's $id at ${pointer} beside $ref is not supported: drafts take it in two ways; leave it out`);
      base = addressOf(id, base)?.address ?? base;
      root = pointer;
      if (pointer !== '#') isPlain = false;
      name(base, place);
    }
    for (const anchor of [schema['$anchor'], ...(typeof id === 'string' && id.startsWith('#') ? [id.slice(1)] : [])]) if (typeof anchor === 'string') name(`${base}#${anchor}`, place);
    if (typeof reference === 'string') {
      references.set(schema, { schema, pointer, base, root });
      if (reference !== '#' && !reference.startsWith('#/')) isPlain = false;
    }
    open.push(...partsOf({ schema, pointer, base, root }));
  }
  if (isPlain) return whole;
  const leads = ({ schema, base, root }: Place): string => {
    const reference = String(schema['$ref']);
    if (reference === '#' || reference.startsWith('#/')) return root + reference.slice(1);
    const { address, fragment } = addressOf(reference, base) ?? { address: '', fragment: '' };
    const from = named.get(address);
    if (from && (fragment === '' || fragment.startsWith('/'))) return from.pointer + fragment;
    return named.get(`${address}#${fragment}`)?.pointer ?? reference;
  };
  const copied = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copied);
    if (!isObject(value)) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copied(each)]));
    const place = references.get(value);
    return place ? { ...copy, $ref: leads(place) } : copy;
  };
  return copied(whole);
}
