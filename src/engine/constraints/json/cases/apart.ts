// Owns whether no value can be valid by two schemas.
// Refuses to guess: where it does not see that they are apart, they are not.

import { behindReferences, canonical, propertiesOf, requiredOf, schemaOf, TYPES, typesOf } from '../reading/source.ts';
import type { Schema, Type } from '../reading/source.ts';

/** Two alternatives of `oneOf` that are not seen to have no value in common, by type or by a property that is required to have other constants. Where there are none, it is `anyOf`. */
export function overlapping(whole: unknown, items: readonly Schema[], at: string): readonly [number, number] | undefined {
  const resolved = items.map((item) => behindReferences(whole, item, at));
  for (const [i, a] of resolved.entries()) {
    const j = resolved.findIndex((b, other) => other > i && !differ(a, b, at));
    if (j >= 0) return [i, j];
  }
  return undefined;
}
function differ(a: Schema, b: Schema, at: string): boolean {
  if (a === false || b === false) return true;
  const [one, other] = [constants(a), constants(b)];
  if (one && other) return !one.some((value) => other.includes(value));
  const kinds = kindsOf(b, at);
  if (!kindsOf(a, at).some((type) => kinds.includes(type))) return true;
  if (a === true || b === true || a['type'] !== 'object' || b['type'] !== 'object') return false;
  const [left, right] = [propertiesOf(a, at), propertiesOf(b, at)];
  const [needed, alike] = [requiredOf(a, at), requiredOf(b, at)];
  return Object.keys(left).some((name) => {
    if (!Object.hasOwn(right, name) || !needed.includes(name) || !alike.includes(name)) return false;
    const place = `${at}/properties/${name}`;
    const [x, y] = [constants(schemaOf(left[name], place)), constants(schemaOf(right[name], place))];
    return x !== undefined && y !== undefined && !x.some((value) => y.includes(value));
  });
}
function constants(schema: Schema): readonly string[] | undefined {
  if (typeof schema === 'boolean') return undefined;
  if ('const' in schema) return [canonical(schema['const'])];
  return Array.isArray(schema['enum']) ? schema['enum'].map(canonical) : undefined;
}
const kindsOf = (schema: Schema, at: string): readonly Type[] =>
  typeof schema === 'boolean' ? TYPES : typesOf(schema, at).flatMap((type): Type[] => (type === 'number' ? ['number', 'integer'] : [type]));
