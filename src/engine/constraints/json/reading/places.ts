// Owns which schemas a JSON Schema holds, where each stands, and by which addresses parts with ids and anchors go.
// Refuses to know where references lead.

import { invalid } from '../../grammar/network.ts';
import { canonical, isObject } from './source.ts';
import type { ObjectSchema } from './source.ts';

const MAPS = ['$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas', 'dependencies'];
const PARTS = ['items', 'prefixItems', 'additionalItems', 'contains', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'additionalProperties', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties'];
/** Of schemas without ids; nothing is fetched from anywhere. */
const BASE = 'schema://root/';
/** The name under which a part with `$recursiveAnchor` goes; no anchor of a schema can have it. */
export const RECURSIVE = '#';

export interface Place {
  readonly schema: ObjectSchema;
  readonly pointer: string;
  /** Address and place of the part with an id that it is in. */
  readonly base: string;
  readonly root: string;
}
export interface Places {
  /** By pointer. */
  readonly all: ReadonlyMap<string, Place>;
  /** By address, of parts with ids, and of anchors behind those of their parts. Undefined where several different ones have the name. */
  readonly named: ReadonlyMap<string, Place | undefined>;
  /** By the pointers of parts with ids: the part around each, and the places in it that references may lead to from further out, by their names. */
  readonly roots: ReadonlyMap<string, { readonly around: string | undefined; readonly dynamic: ReadonlyMap<string, Place> }>;
}

export const escaped = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
/** The address that a reference leads to, and what stands behind its sign; undefined where it is none. */
export function addressOf(reference: string, base: string): { readonly address: string; readonly fragment: string } | undefined {
  if (!URL.canParse(reference, base)) return undefined;
  const url = new URL(reference, base);
  const fragment = url.hash.slice(1);
  url.hash = '';
  return { address: url.href, fragment };
}
/** A copy in which the schemas that it holds are others. */
export function withParts(schema: ObjectSchema, other: (part: ObjectSchema) => ObjectSchema): ObjectSchema {
  const each = (value: unknown): unknown => (isObject(value) ? other(value) : Array.isArray(value) ? value.map((item: unknown) => (isObject(item) ? other(item) : item)) : value);
  const inside = (key: string, value: unknown): unknown => {
    if (PARTS.includes(key)) return each(value);
    return MAPS.includes(key) && isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, each(part)])) : value;
  };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, inside(key, value)]));
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
export function placesOf(whole: ObjectSchema): Places {
  const all = new Map<string, Place>();
  const named = new Map<string, Place | undefined>();
  const roots = new Map<string, { readonly around: string | undefined; readonly dynamic: Map<string, Place> }>();
  const name = (address: string, place: Place): void => {
    const before = named.get(address);
    if (!named.has(address)) named.set(address, place);
    else if (!before || canonical(before.schema) !== canonical(place.schema)) named.set(address, undefined);
  };
  const draft = String(whole['$schema']);
  // Before draft 6 ids had another name, which others use for what they like.
  const idKey = draft.includes('draft-04') ? 'id' : '$id';
  const start: Place = { schema: whole, pointer: '#', base: BASE, root: '#' };
  name(BASE, start);
  const open: Place[] = [start];
  for (let given = open.pop(); given; given = open.pop()) {
    const { schema, pointer } = given;
    const id = schema[idKey];
    let place = given;
    if (pointer === '#' || (typeof id === 'string' && !id.startsWith('#') && countsBeside(schema, pointer, draft))) {
      place = { schema, pointer, base: (typeof id === 'string' ? addressOf(id, given.base)?.address : undefined) ?? given.base, root: pointer };
      roots.set(pointer, { around: pointer === '#' ? undefined : given.root, dynamic: new Map() });
      name(place.base, place);
    }
    all.set(pointer, place);
    const { $anchor: anchor, $dynamicAnchor: dynamic } = schema;
    for (const each of [anchor, dynamic, ...(typeof id === 'string' && id.startsWith('#') ? [id.slice(1)] : [])]) if (typeof each === 'string') name(`${place.base}#${each}`, place);
    if (typeof dynamic === 'string') roots.get(place.root)?.dynamic.set(dynamic, place);
    if (schema['$recursiveAnchor'] === true && place.root === pointer) roots.get(pointer)?.dynamic.set(RECURSIVE, place);
    open.push(...partsOf(place));
  }
  return { all, named, roots };
}
/** Whether an id counts: until draft 7 nothing does that stands beside a reference. */
function countsBeside(schema: ObjectSchema, pointer: string, draft: string): boolean {
  if (typeof schema['$ref'] !== 'string') return true;
  if (!/\/draft(?:-0[4-7]|\/20\d\d-\d\d)\//.test(draft)) throw invalid(`the schema's $id at ${pointer} beside $ref is not supported: drafts take it in two ways; leave it out, or say in $schema which draft it is`);
  return draft.includes('/draft/');
}
