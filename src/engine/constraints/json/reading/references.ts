// Owns where references of a JSON Schema lead that has parts with ids or anchors of their own: each is written as a pointer from the root.
// Refuses to know what is behind them; what is not there stays as it was written.
//
// Where a `$dynamicRef` leads depends on the parts that were come through before (JSON Schema 2020-12, section 8.2.3.2; `$recursiveRef` of 2019-09 is the same with one name): a part that is come
// to in several ways is written once for each.

import { invalid } from '../../grammar/network.ts';
import { addressOf, escaped, placesOf, RECURSIVE } from './places.ts';
import type { Place, Places } from './places.ts';
import { isObject } from './source.ts';
import type { ObjectSchema } from './source.ts';

/** Parts that are written again. */
const MOST_SCOPES = 64;

/** By name, where the first of the parts that were come through has it. */
type Scope = ReadonlyMap<string, Place>;

/** Throws EngineError `constraint_invalid` where it is not clear what a reference is taken from. */
export function withPointers(whole: unknown): unknown {
  if (!isObject(whole)) return whole;
  const places = placesOf(whole);
  return [...places.all.values()].every(isPlain) && places.roots.size === 1 ? whole : new Pointers(whole, places).written();
}
const isPointer = (reference: string): boolean => reference === '#' || reference.startsWith('#/');
/** Whether its references are pointers already. */
const isPlain = ({ schema: { $ref: reference, ...others } }: Place): boolean =>
  others['$dynamicRef'] === undefined && others['$recursiveRef'] === undefined && (typeof reference !== 'string' || isPointer(reference));

class Pointers {
  readonly #whole: ObjectSchema;
  readonly #places: Places;
  readonly #bySchema: ReadonlyMap<unknown, Place>;
  readonly #byPointer: ReadonlyMap<string, Place>;
  /** Each scope is one object. */
  readonly #scopes = new Map<string, Scope>();
  /** Names under which parts are written again, and what is still to be written. */
  readonly #again = new Map<string, string>();
  readonly #open: { readonly name: string; readonly schema: ObjectSchema; readonly scope: Scope }[] = [];

  constructor(whole: ObjectSchema, places: Places) {
    this.#whole = whole;
    this.#places = places;
    this.#bySchema = new Map(Array.from(places.all.values(), (place) => [place.schema, place]));
    this.#byPointer = new Map(Array.from(places.all.values(), (place) => [decoded(place.pointer), place]));
  }
  written(): ObjectSchema {
    const written = this.#copied(this.#whole, this.#scope(new Map())) as ObjectSchema;
    if (this.#open.length === 0) return written;
    const more: [string, unknown][] = [];
    for (const { name, schema, scope } of this.#open) more.push([name, this.#copied(schema, scope)]);
    return { ...written, $defs: { ...Object(written['$defs']), ...Object.fromEntries(more) } };
  }

  #scope(scope: Scope): Scope {
    const key = Array.from(scope, ([name, { pointer }]) => JSON.stringify([name, pointer])).toSorted().join();
    const known = this.#scopes.get(key) ?? scope;
    this.#scopes.set(key, known);
    return known;
  }
  /** Where one comes into a part with an id. */
  #entered(scope: Scope, root: string): Scope {
    const added = [...(this.#places.roots.get(root)?.dynamic ?? [])].filter(([name]) => !scope.has(name));
    return added.length === 0 ? scope : this.#scope(new Map([...scope, ...added]));
  }
  /** What was come through where a part with an id stands. */
  #lexical(root: string): Scope {
    const around = this.#places.roots.get(root)?.around;
    return this.#entered(around === undefined ? this.#scope(new Map()) : this.#lexical(around), root);
  }
  #copied(value: unknown, before: Scope): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#copied(item, before));
    if (!isObject(value)) return value;
    const place = this.#bySchema.get(value);
    const scope = place && place.root === place.pointer ? this.#entered(before, place.root) : before;
    const copy: Record<string, unknown> = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#copied(each, scope)]));
    if (!place) return copy;
    const { $ref: reference, $dynamicRef: dynamic, $recursiveRef: recursive } = value;
    const targets: string[] = [];
    if (typeof reference === 'string') targets.push(this.#leads(reference, place, scope));
    const target = typeof dynamic === 'string' ? this.#leads(dynamic, place, scope, addressOf(dynamic, place.base)?.fragment) : '';
    if (isPointer(target)) {
      targets.push(target);
      delete copy['$dynamicRef'];
    }
    if (recursive === '#') {
      targets.push(this.#leads(recursive, place, scope, RECURSIVE));
      delete copy['$recursiveRef'];
    }
    const [first, ...others] = targets;
    if (first === undefined) return copy;
    return { ...copy, $ref: first, ...(others.length > 0 ? { allOf: [...((copy['allOf'] as unknown[] | undefined) ?? []), ...others.map(($ref) => ({ $ref }))] } : {}) };
  }
  /** `name`: by which the first part that was come through may have another place for it. */
  #leads(reference: string, from: Place, scope: Scope, name?: string): string {
    const found = this.#found(reference, from);
    if (typeof found === 'string') return found;
    const own = name === undefined ? undefined : this.#places.roots.get(found.root)?.dynamic.get(name);
    const target = (own === found && name !== undefined ? scope.get(name) : undefined) ?? found;
    const inside = this.#entered(scope, target.root);
    if (inside === this.#lexical(target.root)) return target.pointer;
    const key = JSON.stringify([target.root, Array.from(inside, ([each, { pointer }]) => [each, pointer])]);
    let again = this.#again.get(key);
    if (again === undefined) {
      if (this.#again.size === MOST_SCOPES) throw invalid(`the schema's $dynamicRef at ${from.pointer} leads to more than ${MOST_SCOPES} places; give it fewer ways to be come to`);
      again = `${target.root} ${this.#again.size}`;
      this.#again.set(key, again);
      this.#open.push({ name: again, schema: this.#places.all.get(target.root)?.schema ?? {}, scope });
    }
    return `#/$defs/${escaped(again)}${target.pointer.slice(target.root.length)}`;
  }
  /** The place, or the reference as it is to be written where none is known. */
  #found(reference: string, { base, root }: Place): Place | string {
    const { named } = this.#places;
    const at = (pointer: string): Place | string => this.#byPointer.get(decoded(pointer)) ?? pointer;
    if (isPointer(reference)) return at(root + reference.slice(1));
    const { address, fragment } = addressOf(reference, base) ?? { address: '', fragment: '' };
    const from = named.get(address);
    if (from && (fragment === '' || fragment.startsWith('/'))) return at(from.pointer + fragment);
    return named.get(`${address}#${fragment}`) ?? reference;
  }
}
function decoded(pointer: string): string {
  try {
    return pointer.split('/').map(decodeURIComponent).join('\0');
  } catch {
    return pointer;
  }
}
