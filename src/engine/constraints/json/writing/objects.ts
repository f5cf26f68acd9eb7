// Owns the objects of a JSON Schema: the properties that it names, in its order, and others by patterns or at will.
// Refuses to know how a value is written.

import { choiceOf, literal, sequence } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { namesByPatterns, patternsOf } from '../reading/pattern-names.ts';
import { countOf, nothing, propertiesOf, requiredOf, schemaOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema } from '../reading/source.ts';
import { COLON, quoted } from '../texts/json-text.ts';
import type { Inner } from './inner.ts';
import { membersOf } from './members.ts';
import { namesOf } from './names.ts';
import { otherNames } from './other-names.ts';
import { possible } from './possible.ts';

/** Throws EngineError `constraint_invalid`. */
export function objectOf(schema: ObjectSchema, at: string, inner: Inner): Expression {
  const required = requiredOf(schema, at);
  const named = namesOf(schema, at, inner.whole, inner.strings);
  const given = named.listed ? false : schema['additionalProperties'];
  const properties = named.listed ?? propertiesOf(schema, at);
  const extra = given === undefined ? undefined : schemaOf(given, `${at}/additionalProperties`);
  const patterns = patternsOf(schema, at);
  const both = (a: Schema, b: Schema): Schema => inner.parts.both(a, b);
  const names = [...Object.keys(properties), ...required.filter((name) => !Object.hasOwn(properties, name))];
  const members = names.flatMap((name) => {
    const needed = required.includes(name);
    const place = `${at}/properties/${name}`;
    const matched = patterns.filter(({ matches }) => matches(name)).map((pattern) => pattern.schema);
    const own = Object.hasOwn(properties, name) ? [schemaOf(properties[name], place)] : matched.length > 0 ? [] : [extra ?? true];
    const value = [...own, ...matched].reduce(both, true);
    const written = needed ? inner.write(value, place) : inner.possible(value, place);
    return written ? [{ needed, member: sequence(literal(JSON.stringify(name)), COLON, written) }] : [];
  });
  const [least, most] = [countOf(schema, at, 'minProperties', 0), countOf(schema, at, 'maxProperties', Infinity)];
  // What the schema does not speak of is left out where it names enough properties; an object of which nothing is said may hold anything.
  const open = extra ?? (patterns.length === 0 && (names.length === 0 || members.length < least));
  if (named.written && names.length > 0) throw wrong(at, 'propertyNames', 'beside properties is supported where it lists the names');
  if (patterns.length > 0 && schema['propertyNames'] !== undefined) throw wrong(at, 'patternProperties', 'beside propertyNames is not supported');
  const write = (name: () => Expression, value: Schema, place: string): readonly Expression[] => {
    const written = inner.possible(value, `${at}/${place}`);
    const key = written && possible(name);
    return key ? [sequence(key, COLON, written)] : [];
  };
  const other =
    patterns.length > 0
      ? namesByPatterns(patterns, names, open, at, both).flatMap(({ pattern, schema: value }) => write(() => inner.strings.write({ pattern }, at), value, 'patternProperties'))
      : write(() => named.written ?? quoted(otherNames(names, at)), open, 'additionalProperties');
  const others = other.length > 0 ? choiceOf(other) : undefined;
  const needed = members.filter((member) => member.needed).length;
  if (most < needed) throw nothing(at, 'maxProperties', 'is less than the properties that are required');
  const counted = { least: least > needed ? least : 0, most: !others && most >= members.length ? Infinity : most };
  // Only where any name will do, there is always another one.
  const isFree = patterns.length === 0 && !named.written;
  const different = isFree && others !== undefined && counted.least > members.length + 1;
  const inside = membersOf(members, others, { ...counted, at, different, share: (expression) => inner.shared(expression, at) });
  if (different) return inner.distinctNames({ kind: 'distinct', of: 'names', inside }, at);
  const written = sequence(literal('{'), inside, literal('}'));
  const isEndless = most === Infinity && isFree;
  return inner.bracketed(written, others ? { kind: isEndless ? 'endless' : 'bounded', of: 'object' } : { kind: 'members', names });
}
