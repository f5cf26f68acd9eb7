// Owns that alternatives of which exactly one holds, properties and items that nothing else speaks of, and what is put together of several parts hold: what is drawn is valid by another validator, and what is valid can be written.
// Refuses to know how they are put into other keywords.

import t from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { seeded } from '../helpers/store-world.ts';
import { accepts, branches, holds, vocabulary } from './schema-texts.ts';
import type { Value } from './schema-texts.ts';

const scalars: readonly Value[] = ['', 'a', 'ab', 'abc', 'b', 0, 1, 2, 3, 4, 6, -1, 2.5, 1.5, true, false, null, [], ['a'], {}];
const objects: readonly Value[] = [undefined, 'x', 1].flatMap((a) => [undefined, 'y', 2].flatMap((b) => [undefined, true].map((c) => JSON.parse(JSON.stringify({ a, b, c })) as object)));
const arrays: readonly Value[] = [[], ...['a', 1, 2.5].flatMap((a): Value[] => [[a], ...['a', 2].flatMap((b): Value[] => [[a, b], [a, b, 'c'], [a, b, 3]])])];
const integer = { type: 'integer' };
const string = { type: 'string' };

t.test('oneOf: alternatives that overlap exclude what fits several', (t) => {
  const random = seeded(51);
  for (const schema of [
    { oneOf: [integer, { minimum: 2 }] },
    { oneOf: [integer, { type: 'number' }] },
    { type: 'number', oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] },
    { type: 'string', oneOf: [{ minLength: 2 }, { maxLength: 2 }] },
    { type: 'string', oneOf: [{ pattern: '^a' }, { pattern: 'b$' }] },
    { oneOf: [{ const: 'a' }, string, { type: 'boolean' }] },
    { oneOf: [true, string] },
    { not: { oneOf: [string, { minLength: 2 }] } },
    { not: integer },
    { type: 'number', not: { multipleOf: 1.5 } },
    { type: 'string', not: { pattern: 'b' } },
    { not: branches(string, { maxLength: 1 }, integer) },
  ])
    t.ok(holds(t, schema, scalars, random), JSON.stringify(schema));
  const closed = { type: 'object', properties: { a: {}, b: {}, c: {} }, additionalProperties: false };
  for (const schema of [
    { oneOf: [{ required: ['a'] }, { required: ['b'] }, { required: ['c'] }] },
    { oneOf: [{ properties: { a: string }, required: ['a'] }, { properties: { b: string } }] },
    { oneOf: [{ properties: { a: {} }, additionalProperties: false }, { properties: { a: {}, b: {} }, additionalProperties: false }] },
    { oneOf: [{ minProperties: 2 }, { required: ['a'] }] },
    { not: { patternProperties: { '^[ab]$': string } } },
  ])
    t.ok(holds(t, { ...closed, ...schema }, objects, random), JSON.stringify(schema));
  for (const schema of [
    { oneOf: [{ items: string }, { minItems: 2 }] },
    { oneOf: [{ contains: string }, { items: integer, minItems: 1 }], maxItems: 3 },
    { not: { prefixItems: [integer, string] } },
    { not: { contains: string, minContains: 2 }, maxItems: 3 },
    { not: { items: string }, maxItems: 3 },
  ])
    t.ok(holds(t, { type: 'array', ...schema }, arrays, random), JSON.stringify(schema));
  t.end();
});

t.test('what nothing speaks of is bound', (t) => {
  const random = seeded(52);
  const bar = (value: string): object => ({ properties: { b: { const: value } }, required: ['b'] });
  for (const schema of [
    { properties: { a: string }, unevaluatedProperties: false },
    { properties: { a: {} }, allOf: [{ properties: { b: {} } }], unevaluatedProperties: false },
    { properties: { a: {} }, anyOf: [bar('y'), { required: ['c'], properties: { c: {} } }], unevaluatedProperties: false },
    { properties: { a: {} }, anyOf: [{ properties: { b: {} } }, { properties: { c: {} } }], unevaluatedProperties: false },
    { properties: { a: {} }, oneOf: [bar('y'), { required: ['c'], properties: { c: {} } }], unevaluatedProperties: false },
    { ...branches({ properties: { a: { const: 'x' } }, required: ['a'] }, { properties: { b: {} } }, { properties: { c: {} } }), unevaluatedProperties: false },
    { dependentSchemas: { a: { properties: { a: {}, b: {} } } }, unevaluatedProperties: false },
    { properties: { a: {} }, not: { not: { properties: { b: { const: 'y' } } } }, unevaluatedProperties: false },
    { $ref: '#/$defs/b', properties: { a: {} }, unevaluatedProperties: false, $defs: { b: { properties: { b: {} } } } },
    { allOf: [{ properties: { a: {} } }, { properties: { b: {} }, unevaluatedProperties: false }] },
    { properties: { a: {} }, patternProperties: { '^b': string }, unevaluatedProperties: false },
    { properties: { a: {} }, unevaluatedProperties: string },
    { properties: { a: {}, b: {}, c: {} }, unevaluatedProperties: true },
  ])
    t.ok(holds(t, { type: 'object', ...schema }, objects, random), JSON.stringify(schema));
  for (const schema of [
    { prefixItems: [string], unevaluatedItems: false },
    { prefixItems: [string], allOf: [{ prefixItems: [true, integer] }], unevaluatedItems: false },
    { prefixItems: [true], anyOf: [{ prefixItems: [true, { const: 'a' }] }, { prefixItems: [true, true, string] }], unevaluatedItems: false },
    { prefixItems: [{}], unevaluatedItems: integer },
    { items: string, unevaluatedItems: false },
  ])
    t.ok(holds(t, { type: 'array', ...schema }, arrays, random), JSON.stringify(schema));
  // Not valid by what nothing speaks of, and beside alternatives that close themselves.
  const closed = { type: 'object', properties: { a: {}, b: {}, c: {} }, additionalProperties: false };
  for (const schema of [
    { not: { properties: { a: {} }, unevaluatedProperties: false } },
    { not: { properties: { a: {} }, anyOf: [bar('y'), { required: ['c'], properties: { c: {} } }], unevaluatedProperties: false } },
    { not: { patternProperties: { '^[ab]$': {} }, unevaluatedProperties: string } },
    branches({ properties: { a: {} }, unevaluatedProperties: false }, { required: ['a'] }, { required: ['b'] }),
    { oneOf: [{ properties: { a: {}, b: {} }, unevaluatedProperties: false }, { properties: { a: {}, c: {} }, unevaluatedProperties: false }] },
  ])
    t.ok(holds(t, { ...closed, ...schema }, objects, random), JSON.stringify(schema));
  for (const schema of [{ not: { unevaluatedItems: false } }, { not: { prefixItems: [string], unevaluatedItems: integer } }, { oneOf: [{ prefixItems: [string], unevaluatedItems: false }, { prefixItems: [true, integer], unevaluatedItems: false }] }])
    t.ok(holds(t, { type: 'array', maxItems: 3, ...schema }, arrays, random), JSON.stringify(schema));
  // By contains, in the draft of 2020 and not in that of 2019.
  const contains = { type: 'array', prefixItems: [integer], contains: string, unevaluatedItems: false };
  t.ok(accepts(contains, [1, 'a']));
  t.notOk(accepts(contains, [1, 'a', 2]));
  const other = { type: 'array', maxItems: 3, not: contains };
  for (const [value, isValid] of [[[1, 'a'], false], [[1, 'a', 'b'], false], [[1, 2], true], [[1, 'a', 2], true], [['a', 'b'], true]] as const) t.equal(accepts(other, value), isValid, JSON.stringify(value));
  t.throws(() => compileConstraint({ kind: 'schema', schema: { ...contains, $schema: 'https://json-schema.org/draft/2019-09/schema' } }, vocabulary()), { code: 'constraint_invalid', message: /contains at # leaves no array/ });
  t.end();
});

t.test('parts put together, names by several patterns, and what is left out because nothing is valid there', (t) => {
  const random = seeded(53);
  for (const schema of [
    { allOf: [{ properties: { a: string } }, { properties: { a: { maxLength: 0 }, b: {}, c: {} } }] },
    { allOf: [{ properties: { a: {}, b: {} }, additionalProperties: false }, { properties: { b: string, c: {} } }] },
    { allOf: [{ properties: { a: {} }, additionalProperties: string }, { properties: { b: {}, c: {} }, additionalProperties: { type: ['string', 'boolean'] } }] },
    { allOf: [{ properties: { a: {}, b: {}, c: {} }, additionalProperties: false }, { patternProperties: { '^[ab]$': string } }] },
    { patternProperties: { '^a': string, '^[ab]': { minLength: 1 }, '^c': {} }, additionalProperties: false },
    { patternProperties: { '^a': string }, additionalProperties: { type: ['integer', 'boolean'] } },
    { allOf: [{ 'x-order': 1, properties: { a: {} } }, { 'x-order': 2, properties: { b: {}, c: {} } }] },
    { $ref: '#/$defs/r', properties: { a: string, b: {}, c: {} }, $defs: { r: { required: ['a'] } } },
    { properties: { a: { not: {} }, b: { allOf: [string, integer] }, c: {} } },
    { properties: { a: { anyOf: [{ type: 'string', minLength: 3, maxLength: 2 }, integer] }, b: {}, c: {} } },
    { minProperties: 1, properties: {} },
  ])
    t.ok(holds(t, { type: 'object', ...schema }, objects, random), JSON.stringify(schema));
  for (const schema of [
    { allOf: [{ multipleOf: 2 }, { multipleOf: 3 }], type: 'integer' },
    { allOf: [{ enum: ['a', 1, 2] }, { enum: [2, 'a', 'b'] }] },
    { type: ['array', 'string', 'boolean'], contains: false, pattern: '^a', maxLength: 2 },
  ])
    t.ok(holds(t, schema, scalars, random), JSON.stringify(schema));
  for (const schema of [
    { allOf: [{ items: { type: ['string', 'integer'] } }, { items: { not: { const: 'a' } } }] },
    { allOf: [{ prefixItems: [string] }, { prefixItems: [{ minLength: 1 }, integer] }] },
    { prefixItems: [string, false] },
  ])
    t.ok(holds(t, { type: 'array', ...schema }, arrays, random), JSON.stringify(schema));
  t.ok(accepts({ type: 'object', properties: { a: integer }, minProperties: 2 }, { a: 1, z: 2 }), 'as many as there must be, though the schema does not list them');
  const $defs = { one: { properties: { next: { $ref: '#/$defs/one' } } }, other: { properties: { next: { $ref: '#/$defs/other' }, v: integer } } };
  const both = { type: 'object', allOf: [{ $ref: '#/$defs/one' }, { $ref: '#/$defs/other' }], $defs };
  t.ok(accepts(both, { next: { next: { v: 1 } } }), 'parts that hold themselves come to an end');
  t.notOk(accepts(both, { next: { next: { v: 'a' } } }));
  t.end();
});

t.test('what is drawn at random of them is refused, or holds', (t) => {
  const random = seeded(54);
  const value = (depth: number): object =>
    random.pick<() => object>([() => ({ const: random.pick(['x', 'y', 1]) }), () => ({ type: random.pick(['string', 'integer', 'number']) }), () => ({ maximum: 3 }), () => ({ multipleOf: random.pick([2, 3, 0.5]) }), () => ({ pattern: random.pick(['^x', 'y']) }), () => (depth > 0 ? { oneOf: [value(depth - 1), value(depth - 1)] } : {}), () => (depth > 0 ? { not: value(depth - 1) } : {})])();
  const name = (): string => random.pick(['a', 'b', 'c']);
  const part = (depth: number): object =>
    random.pick<() => object>([
      () => ({ required: [name()] }),
      () => ({ properties: { [name()]: value(1), [name()]: value(1) }, ...(random.next() < 0.3 ? { additionalProperties: random.pick([false, integer]) } : {}) }),
      () => ({ patternProperties: { [random.pick(['^a', '[bc]'])]: value(0) } }),
      () => (depth > 0 ? { anyOf: [part(depth - 1), part(depth - 1)] } : { maxProperties: 2 }),
      () => (depth > 0 ? { oneOf: [part(depth - 1), part(depth - 1)] } : { minProperties: 1 }),
      () => (depth > 0 ? { not: part(depth - 1) } : {}),
      () => (depth > 0 ? { ...part(depth - 1), unevaluatedProperties: random.pick([false, string]) } : { $ref: '#/$defs/r' }),
    ])();
  let taken = 0;
  for (let round = 0; round < 100; round++) {
    const base = random.pick<object>([{}, { unevaluatedProperties: false }, { properties: { a: {}, b: {}, c: {} }, additionalProperties: false }]);
    const schema = { ...part(2), ...part(1), ...base, type: 'object', $defs: { r: { required: ['b'] } } };
    if (holds(t, schema, [], random)) taken++;
  }
  t.ok(taken > 60, `${taken} of 100 were taken`);
  t.end();
});
