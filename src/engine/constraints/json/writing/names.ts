// Owns what `propertyNames` says: the names that there may be, or how a name is written.
// Refuses to know the properties themselves.

import type { Expression } from '../../grammar/expression.ts';
import { BY_TYPE, isNote } from '../reading/keywords.ts';
import { behindReferences, propertiesOf, requiredOf, resolve, schemaOf, typesOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema } from '../reading/source.ts';
import type { SchemaStrings } from './strings.ts';

/** Where references lead that have nothing beside them. */
function referred(whole: unknown, schema: Schema, at: string): Schema {
  // That they come to an end is seen here.
  behindReferences(whole, schema, at);
  let found = schema;
  while (typeof found !== 'boolean' && found['$ref'] !== undefined) {
    const beside = Object.keys(found).find((key) => key !== '$ref' && !isNote(key));
    if (beside !== undefined) throw wrong(at, beside, 'beside $ref is not supported there');
    found = resolve(whole, found['$ref'], at);
  }
  return found;
}
/** What `propertyNames` says: the properties that there may be, where it lists their names; else how a name is written, where not any text is one. */
export function namesOf(schema: ObjectSchema, at: string, whole: unknown, strings: SchemaStrings): { readonly listed?: ObjectSchema; readonly written?: Expression } {
  if (schema['propertyNames'] === undefined) return {};
  const place = `${at}/propertyNames`;
  const names = referred(whole, schemaOf(schema['propertyNames'], place), place);
  if (names === true) return {};
  if (names === false) return { listed: {} };
  const values = 'const' in names ? [names['const']] : names['enum'];
  if (Array.isArray(values)) {
    const beside = Object.keys(names).find((key) => !['const', 'enum', 'type'].includes(key) && !isNote(key));
    if (beside !== undefined) throw wrong(place, beside, 'beside const or enum is not supported');
    const [properties, others] = [propertiesOf(schema, at), schema['additionalProperties'] ?? true];
    const listed = values.filter((name) => typeof name === 'string').map((name): [string, unknown] => [name, Object.hasOwn(properties, name) ? properties[name] : others]);
    const missing = requiredOf(schema, at).find((name) => !listed.some(([each]) => each === name));
    if (missing !== undefined) throw wrong(at, 'required', `asks for ${JSON.stringify(missing)}, which propertyNames does not list`);
    return { listed: Object.fromEntries(listed) };
  }
  const keyword = Object.keys(names).find((key) => key !== 'type' && !BY_TYPE.string.includes(key) && !isNote(key));
  if (keyword !== undefined || !typesOf(names, place).includes('string')) throw wrong(place, keyword ?? 'type', 'is not supported there; names are texts');
  return BY_TYPE.string.some((key) => names[key] !== undefined) ? { written: strings.write(names, place) } : {};
}
