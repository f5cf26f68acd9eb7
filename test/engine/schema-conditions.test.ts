// Owns that conditions of a schema (not, if, dependentRequired and their like), items that come once and items that are counted hold: what is drawn is valid by another validator, and what is valid can be written.
// Refuses to know how they are put into other keywords.

import t from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { seeded } from '../helpers/store-world.ts';
import { accepts, branches, holds, keyword, vocabulary } from './schema-texts.ts';
import type { Value } from './schema-texts.ts';

/** All lists of these, up to so many. */
const lists = <Item>(items: readonly Item[], most: number): readonly (readonly Item[])[] => (most === 0 ? [[]] : [[], ...lists(items, most - 1).flatMap((rest) => items.map((item) => [item, ...rest]))]);
const objects: readonly object[] = [undefined, 'x', 'y', 'z'].flatMap((kind) =>
  [undefined, 1, 7, 'text'].flatMap((a) => [undefined, true].flatMap((b) => [undefined, 'c'].map((c) => JSON.parse(JSON.stringify({ kind, a, b, c })) as object))),
);
const scalars: readonly Value[] = ['', 'a', 'b', 'a"', 'ab', 'é', 0, 1, -1, 2.5, 7, true, false, null, [], ['a'], {}];

t.test('not: over types, values, bounds and what is required', (t) => {
  const random = seeded(41);
  for (const schema of [
    { type: 'string', not: { const: 'a' } },
    { type: 'string', maxLength: 2, not: { enum: ['a', 'ab', 'é', 'a"', 3, '\ud800'] } },
    { type: 'string', pattern: '^[ab]', not: { const: 'a' } },
    { not: { type: ['string', 'array'] } },
    { not: { enum: ['a', 1, 2.5, true, null] } },
    { type: 'integer', minimum: -1, maximum: 8, not: { enum: [0, 7, -1, 8] } },
    { type: ['number', 'null'], not: { const: 1 } },
    { enum: ['a', 1, null, 'b'], not: { type: 'string' } },
    { enum: ['a', 1, null, 'b'], not: { enum: ['b', null] } },
    { type: 'number', not: { minimum: 1 } },
    { type: 'string', not: { minLength: 2 } },
    { allOf: [{ type: ['string', 'boolean'] }, { not: { const: 'a' } }, { not: { const: true } }] },
    { not: { not: { type: 'string' } } },
    { not: { anyOf: [{ type: 'string' }, { const: 7 }, { type: 'object' }] } },
    { $defs: { some: { enum: ['a', 'b'] } }, type: ['string', 'null'], not: { $ref: '#/$defs/some' } },
  ])
    t.ok(holds(t, schema, scalars, random), JSON.stringify(schema));
  t.end();
});

t.test('listed values are left out by what stands beside them, and notes leave none out', (t) => {
  const random = seeded(45);
  const listed = ['a', 'ab', 'é', 1, 2.5, 7, -1, true, null];
  for (const schema of [
    { enum: listed, minimum: 1 },
    { enum: listed, maxLength: 1, exclusiveMaximum: 7 },
    { enum: listed, multipleOf: 0.5, pattern: '^a' },
    { type: ['string', 'null'], enum: listed, minLength: 2 },
    { const: 'ab', pattern: 'b$', minimum: 3 },
    { allOf: [{ enum: listed }, { maximum: 2 }] },
    { enum: listed, not: { minimum: 1 } },
    { enum: listed, not: { pattern: 'a' } },
    { enum: listed, not: { type: 'number', multipleOf: 1 } },
    { ...branches({ maximum: 1 }, { enum: ['a', 1, -1] }, { const: 7 }), enum: listed },
    { type: 'object', properties: { a: { enum: [1, 7] } }, required: ['a'], additionalProperties: false, not: { properties: { a: { exclusiveMinimum: 1 } } } },
  ])
    t.ok(holds(t, schema, [...scalars, { a: 1 }, { a: 7 }], random), JSON.stringify(schema));
  for (const [schema, value] of [
    [{ type: 'integer', format: 'int32', enum: [0, 1] }, 1],
    [{ type: ['integer', 'null'], format: 'int32', enum: [0, null], 'x-enum-varnames': ['None'] }, null],
    [{ type: 'string', format: 'shade', enum: ['dark'] }, 'dark'],
    [{ type: 'string', format: 'date', const: '2024-02-29' }, '2024-02-29'],
    [{ type: 'object', propertyNames: { type: 'string', 'x-case': 'any' } }, { a: 1 }],
  ] as const)
    t.ok(accepts(schema, value), JSON.stringify(schema));
  for (const [schema, message] of [
    [{ enum: [1, 2], minimum: 3 }, /enum at # has no value of the type that the schema asks for, and that is valid by what stands beside it/],
    [{ type: 'string', format: 'date', enum: ['2024-02-29', 'today'] }, /enum at # has a value, "today", that is not seen to be of the format "date" beside it/],
    [{ enum: [{ a: 1 }], required: ['a'] }, /enum at # together with required is not supported/],
    [{ enum: [1], multipleOf: 1e-9 }, /enum at # together with multipleOf of so many digits/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.end();
});

const closed = { type: 'object', properties: { kind: { enum: ['x', 'y', 'z'] }, a: { type: ['integer', 'string'] }, b: { type: 'boolean' }, c: { type: 'string' } }, additionalProperties: false };
t.test('conditions on the properties of a closed object', (t) => {
  const random = seeded(42);
  const when = (kind: string, met: object, unmet?: object): object => branches({ properties: { kind: { const: kind } }, required: ['kind'] }, met, unmet);
  for (const conditions of [
    { not: { required: ['a', 'b'] } },
    { not: { anyOf: [{ required: ['a'] }, { required: ['b'] }] } },
    { not: { properties: { kind: { const: 'x' } } } },
    { dependentRequired: { a: ['b', 'c'], kind: ['a'] } },
    { dependencies: { a: ['b'], kind: { required: ['c'] } } },
    { dependentSchemas: { a: { properties: { b: false, kind: { const: 'y' } } } } },
    { required: ['kind'], ...when('x', { required: ['a'], properties: { a: { type: 'integer', maximum: 5 } } }) },
    when('x', { required: ['a'] }, { properties: { a: false } }),
    branches({ properties: { kind: { enum: ['x', 'y'] } } }, { properties: { a: { type: 'string' } } }, { required: ['c'] }),
    { allOf: [when('x', { required: ['a'] }), when('y', { required: ['b'] }), when('z', { not: { required: ['c'] } })] },
    branches({ required: ['a'] }, branches({ required: ['b'] }, { required: ['c'] })),
    branches({ properties: { a: { exclusiveMinimum: 3 } }, required: ['a'] }, { properties: { kind: { not: { const: 'x' } } } }),
    keyword('then', false),
    { properties: { ...closed.properties, a: { allOf: [{ type: ['integer', 'string'] }, { maximum: 5 }] }, b: { type: 'boolean', anyOf: [{ const: true }] }, c: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, dependentRequired: { a: ['c'] } },
    { required: ['kind'], oneOf: [{ required: ['a'] }, { required: ['b'] }], not: { required: ['c'] } },
    { properties: { ...closed.properties, kind: { type: 'string', maxLength: 1 } }, allOf: [when('x', { required: ['a'] }), when('y', { required: ['b'] }), when('yy', { required: ['c'] })] },
    { properties: { ...closed.properties, a: { type: 'integer', minimum: 0, not: { const: 2 } } }, ...branches({ properties: { a: { enum: [1, 2, 3] } }, required: ['a'] }, { properties: { a: { const: 1 } } }) },
  ])
    t.ok(holds(t, { ...closed, ...conditions }, [...objects, 'text'], random), JSON.stringify(conditions));
  t.end();
});

t.test('conditions drawn at random are refused, or hold', (t) => {
  const random = seeded(43);
  const value = (): object => random.pick<() => object>([() => ({ const: random.pick(['x', 'y', 1]) }), () => ({ enum: ['x', 'z', true] }), () => ({ type: random.pick(['string', 'integer']) }), () => ({ maximum: 3 }), () => ({ not: value() })])();
  const part = (): object =>
    random.pick<() => object>([
      () => ({ required: [random.pick(['kind', 'a', 'b', 'c'])] }),
      () => ({ properties: { [random.pick(['kind', 'a', 'd'])]: value() } }),
      () => ({ properties: { kind: value() }, required: ['kind'] }),
      () => ({ anyOf: [part(), part()] }),
      () => ({ allOf: [part(), part()] }),
    ])();
  const condition = (): object =>
    random.pick<() => object>([
      () => ({ not: part() }),
      () => branches(part(), part()),
      () => branches(part(), part(), { not: part() }),
      () => ({ dependentRequired: { [random.pick(['a', 'b'])]: ['c'] } }),
      () => ({ dependentSchemas: { [random.pick(['a', 'b'])]: part() } }),
    ])();
  let taken = 0;
  for (let round = 0; round < 120; round++) {
    const base = random.pick<object>([closed, closed, { type: ['object', 'null'] }, { ...closed, additionalProperties: { type: 'string' } }]);
    const schema = { ...base, ...random.pick<() => object>([condition, () => ({ allOf: [condition(), condition()] }), () => ({ ...condition(), anyOf: [part(), condition()] })])() };
    if (holds(t, schema, base === closed ? objects : [], random)) taken++;
  }
  t.ok(taken > 80, `${taken} of 120 were taken`);
  t.end();
});

t.test('items that come once, and items that are counted', (t) => {
  const random = seeded(44);
  const arrays = [...lists<Value>(['a', 'b', 1, true, null], 3), ['a', 'b', 'c', 'd'], 'a'] as readonly Value[];
  for (const schema of [
    { type: 'array', items: { enum: ['a', 'b', 1] }, uniqueItems: true },
    { type: 'array', items: { enum: ['a', 'b', 1, 'a'] }, uniqueItems: true, minItems: 2, maxItems: 2 },
    { type: 'array', items: { type: ['boolean', 'null'] }, uniqueItems: true },
    { type: 'array', items: { type: 'integer', minimum: 1, maximum: 5 }, uniqueItems: true },
    { type: 'array', prefixItems: [{ const: 'a' }, { enum: ['a', 'b'] }], items: { enum: ['a', 1] }, uniqueItems: true },
    { type: 'array', maxItems: 1, uniqueItems: true },
    { type: 'array', items: { enum: [{ k: [1] }, { k: [2] }] }, uniqueItems: true },
    { type: 'array', items: { enum: ['a', 'b', 1] }, contains: { const: 'a' } },
    { type: 'array', items: { enum: ['a', 'b', 1] }, contains: { const: 'a' }, minContains: 2, maxItems: 3 },
    { type: 'array', items: { type: ['string', 'integer'] }, contains: { type: 'string' }, maxContains: 1 },
    { contains: { enum: ['a', true] }, minContains: 0, maxContains: 1 },
    { contains: { type: 'string' }, minContains: 0 },
    { type: 'array', prefixItems: [{ type: 'string' }], contains: { type: 'integer' }, minItems: 3 },
    { type: 'array', contains: { type: 'boolean' }, minContains: 1, maxContains: 2, minItems: 2, maxItems: 3 },
    { type: 'array', items: { type: 'object', properties: { k: { enum: ['a', 'b'] } }, required: ['k'], additionalProperties: false }, contains: { properties: { k: { const: 'a' } } }, maxContains: 1 },
  ])
    t.ok(holds(t, schema, [...arrays, [{ k: 'a' }, { k: 'b' }], [{ k: 'a' }, { k: 'a' }], [{ k: [1] }, { k: [1] }], [1, 2, 5, 3]], random), JSON.stringify(schema));
  t.end();
});

t.test('what is beyond is an error that names the keyword', (t) => {
  const many = Array.from({ length: 7 }, (_, i) => `p${i}`);
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' }, x: {} }, ...branches({ properties: { next: { required: ['x'] } } }, { required: ['x'] }) };
  for (const [schema, message] of [
    [{ not: {} }, /schema at # is false, or says not: \{\}/],
    [{ type: 'array', prefixItems: [{}], uniqueItems: true }, /uniqueItems at # is supported where maxItems is at most 1/],
    [{ type: 'array', prefixItems: [{ const: 0 }], items: { enum: Array.from({ length: 12 }, (_, i) => i) }, uniqueItems: true }, /uniqueItems at # comes to more than 4000 ways/],
    [{ type: 'array', prefixItems: [{ const: 0 }], items: { enum: Array.from({ length: 40 }, (_, i) => i) }, uniqueItems: true, maxItems: 2 }, /uniqueItems at # is supported of at most 30 values/],
    [{ type: 'array', items: { enum: [1, 2] }, uniqueItems: true, minItems: 3 }, /uniqueItems at # leaves no array/],
    [{ type: 'array', items: { type: 'integer' }, contains: { type: 'string' } }, /contains at # leaves no array/],
    [{ type: 'array', items: { enum: [1, 2] }, contains: { const: 1 }, uniqueItems: true }, /contains at # beside uniqueItems is not supported/],
    [{ type: 'array', contains: { type: 'string' }, minContains: 200, maxContains: 400, maxItems: 500 }, /contains at # comes to more than 4000 ways/],
    [{ type: 'string', not: { format: 'date' } }, /format at #\/not is not supported inside not, in what if asks, nor in alternatives of oneOf that overlap; leave it out/],
    [{ type: 'number', not: { multipleOf: 1.0000001 } }, /multipleOf at #\/not is not supported inside not/],
    [{ oneOf: [{ format: 'date' }, { maxLength: 3 }] }, /format at #\/oneOf\/0 is not supported inside not.* alternatives 0 and 1 that one value may both fit/],
    [{ not: { additionalProperties: false } }, /additionalProperties at #\/not is not supported inside not.*, where there may be properties that are not listed/],
    [{ type: 'array', not: { const: [] } }, /enum at #\/not or const inside not/],
    [{ type: 'integer', not: { const: 2 ** 53 } }, /numbers below 2\^53/],
    [{ type: 'string', format: 'telephone', not: { const: 'a' } }, /format at # must be one of date/],
    [{ type: 'array', allOf: [{ contains: { const: 1 } }, { contains: { const: 2 } }] }, /allOf at # says contains twice, which is not supported/],
    [{ type: 'object', properties: Object.fromEntries(many.map((name) => [name, {}])), dependentRequired: Object.fromEntries(many.map((name, i) => [name, [`q${i}`]])) }, /dependentRequired at # comes to more than 64 cases/],
    [{ $ref: '#/$defs/node', $defs: { node } }, /conditions at .* (?:are nested more than|come to more than)/],
    [{ dependentRequired: [] }, /dependentRequired at # must be an object/],
    [{ allOf: [{ $ref: '#' }], not: { type: 'string' } }, /conditions at .* are nested more than 48 deep, or hold themselves/],
    [{ type: 'string', allOf: Array.from({ length: 3000 }, (_, i) => ({ not: { const: 'x'.repeat(20) + i } })) }, /conditions at .* come to more than 200000 steps/],
    [{ allOf: [{ type: 'string', format: 'date', not: { const: 'b' } }, { const: 'a' }] }, /const at #\/allOf\/1 has a value, "a", that is not seen to be of the format "date"/],
    [{ enum: Array.from({ length: 20_000 }, (_, i) => i), allOf: Array.from({ length: 200 }, () => ({ not: { enum: Array.from({ length: 20_000 }, (_, i) => -1 - i) } })) }, /conditions at .* come to more than 200000 steps/],
    [{ type: 'object', required: many, patternProperties: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`^a${i}`, {}])), allOf: Array.from({ length: 200 }, (_, i) => ({ not: { required: [`z${i}`] } })) }, /conditions at .* come to more than 200000 steps/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.end();
});
