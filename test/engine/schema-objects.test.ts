// Owns that objects hold to what a schema says of their properties: how many there are, and names by patterns.
// Refuses to know the values.

import t from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { seeded } from '../helpers/store-world.ts';
import { accepts, draw, vocabulary } from './schema-texts.ts';

t.test('objects have as many properties as they must and may', (t) => {
  const random = seeded(34);
  const [names, value] = [['a', 'b', 'c'], { type: 'integer' }];
  for (let round = 0; round < 60; round++) {
    const [named, required] = [names.filter(() => random.next() < 0.7), names.filter(() => random.next() < 0.2)];
    const open = random.next() < 0.5;
    const [least, most] = [random.below(4), random.below(6)];
    const schema = { type: 'object', properties: Object.fromEntries(named.map((name) => [name, value])), required: required.filter((name) => named.includes(name)), additionalProperties: open ? value : false, minProperties: least, maxProperties: most };
    const words = vocabulary();
    const valid = (object: object): boolean => {
      const keys = Object.keys(object);
      return keys.length >= least && keys.length <= most && schema.required.every((name) => keys.includes(name)) && (open || keys.every((name) => named.includes(name)));
    };
    let refusal: string | undefined;
    const objects = Array.from({ length: 32 }, (_, i) => Object.fromEntries([...named, ...(open ? ['x', 'y'] : [])].filter((_name, bit) => (i >> bit) & 1).map((name) => [name, 3])));
    try {
      for (const object of objects) {
        const [right, got] = [valid(object), accepts(schema, object, words)];
        // Two names that the schema does not list may be the same.
        const twice = 'x' in object && 'y' in object && Object.keys(object).length - 1 <= least;
        if (got !== right && !(right && twice)) t.fail(`${JSON.stringify(schema)} ${JSON.stringify(object)}: ${right}`);
      }
      for (let i = 0; i < 3; i++) {
        const text = draw(schema, words, random);
        if (text !== undefined && !valid(JSON.parse(text) as object)) t.fail(`${JSON.stringify(schema)} gave ${text}`);
      }
    } catch (error) {
      refusal = (error as Error).message;
      t.match(refusal, /the schema's (?:min|max)Properties at #/, JSON.stringify(schema));
      if (least <= most && least < 2 && objects.some(valid)) t.fail(`${JSON.stringify(schema)}: ${refusal}`);
    }
  }
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, {}]));
  t.throws(() => compileConstraint({ kind: 'schema', schema: { type: 'object', properties: many, minProperties: 50 } }, vocabulary()), { code: 'constraint_invalid', message: /minProperties at # times the properties is supported up to 4000/ });
  t.throws(() => compileConstraint({ kind: 'schema', schema: { type: 'object', minProperties: 3, maxProperties: 2 } }, vocabulary()), { code: 'constraint_invalid', message: /minProperties at # is above maxProperties/ });
  t.throws(() => compileConstraint({ kind: 'schema', schema: { type: 'object', propertyNames: { minLength: 1 }, minProperties: 2 } }, vocabulary()), { code: 'constraint_invalid', message: /minProperties at # is supported up to one more/ });
  t.ok(accepts({ type: 'object', additionalProperties: value, maxProperties: 1_000_000 }, { p: 1 }));
  t.end();
});

t.test('names by patterns: each is valid by all that speak of it, and none comes twice', (t) => {
  const integer = { type: 'integer' };
  const given = { type: 'object', properties: { xa: { minimum: 5, maximum: 9 }, y: { type: 'boolean' } }, required: ['xb'], patternProperties: { '^x': integer, '[0-9]$': integer } };
  const words = vocabulary();
  for (const object of [{ xa: 7, xb: 1 }, { y: true, xb: 1, xc: 2, k1: 3 }, { xb: 0, 'x"': 4 }]) t.ok(accepts(given, object, words), JSON.stringify(object));
  for (const object of [{ xa: 7 }, { xb: 'a' }, { xa: 4, xb: 1 }, { xb: 1, k: 1 }, { xb: 1, k1: 'a' }, { xb: 1, y: 1 }]) t.notOk(accepts(given, object, words), JSON.stringify(object));
  for (const twice of ['{"xb":1,"xb":2}', '{"xb":1,"xa":2}', '{"xa":7,"xb":1,"xa":2}']) {
    const constraint = compileConstraint({ kind: 'schema', schema: given }, words);
    const written = [...Buffer.from(twice)].findIndex((byte) => {
      const fits = constraint.allowed().has(byte);
      if (fits) constraint.accept(byte);
      return !fits;
    });
    t.ok(written > 0, twice);
  }
  // By an engine that goes back, this would never end.
  const long = `${'a'.repeat(500)}!`;
  t.ok(accepts({ patternProperties: { '^(a+)+$': { type: 'null' } }, properties: { [long]: integer } }, { [long]: 1 }));
  t.ok(accepts({ patternProperties: { '^x': false }, properties: { y: integer } }, { y: 1 }));
  t.ok(accepts({ allOf: [{ type: ['object', 'null'] }, { type: ['null', 'number'] }] }, null), 'types of several parts');
  t.ok(accepts({ allOf: [{ type: 'number' }, { type: ['integer', 'string'] }] }, 3));
  t.notOk(accepts({ allOf: [{ type: 'number' }, { type: ['integer', 'string'] }] }, 3.5));
  for (const [schema, message] of [
    [{ patternProperties: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name, i) => [name, { const: i }])) }, /patternProperties at # is supported with up to 4 different schemas/],
    [{ patternProperties: { '^x': integer }, propertyNames: { maxLength: 3 } }, /patternProperties at # beside propertyNames is not supported/],
    [{ patternProperties: { '(': integer } }, /patternProperties at # has a name that is no regular expression/],
    [{ patternProperties: [] }, /patternProperties at # must be an object/],
    [{ allOf: [{ properties: { a: {} }, additionalProperties: integer }, { patternProperties: { '^x': {} } }] }, /patternProperties at # beside additionalProperties of another part is not supported/],
    [{ allOf: [{ type: 'string' }, { type: 'null' }] }, /asks for types that exclude each other/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema: { type: 'object', ...schema } }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.end();
});
