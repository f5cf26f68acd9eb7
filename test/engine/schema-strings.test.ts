// Owns that strings and numbers of a schema, and names of its properties, hold to all that it says of them at once, as clients' libraries write it: patterns beside formats and lengths, multiples within bounds.
// Refuses to know the other parts of schemas.

import t from 'tap';
import { z } from 'zod';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { seeded } from '../helpers/store-world.ts';
import type { Random } from './masks-cases.ts';
import { accepts, draw, vocabulary } from './schema-texts.ts';

t.test('what is drawn is valid by the library whose schema it is', (t) => {
  const random = seeded(31);
  const kinds: readonly z.ZodType[] = [
    z.email(),
    z.email().max(255),
    z.email().min(8).max(20),
    z.uuid(),
    z.uuidv4().max(36),
    z.url(),
    z.url().max(120),
    z.url().max(700),
    z.url().min(1).max(2083),
    z.iso.datetime(),
    z.iso.date(),
    z.ipv4(),
    z.ipv6(),
    z.cuid2(),
    z.ulid(),
    z.string().regex(/^a+$/).max(5),
    z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .min(3)
      .max(63),
    z.string().regex(/é|"/).max(4),
    z
      .string()
      .regex(/^\p{Lu}/u)
      .min(2)
      .max(3),
    z.iso.duration(),
    z.iso.duration().max(9),
    z.emoji(),
    z.emoji().max(3),
    z.string().startsWith('a').endsWith('é').includes('"').max(6),
    z.string().startsWith('a').endsWith('b').includes('c').min(5).max(12),
    z.string().regex(/^(?=.*[A-Z])(?=.*\d)(?!.*--)[A-Za-z\d-]{6,20}$/),
    z.record(z.string(), z.int().min(0).max(3)),
    z.record(z.enum(['a', 'b"']), z.boolean()),
    z.partialRecord(z.enum(['a', 'b"']), z.boolean()),
    z.record(z.uuid(), z.null()),
    z.record(
      z
        .string()
        .regex(/^[a-z]+$/)
        .max(4),
      z.boolean(),
    ),
  ];
  for (const kind of kinds) {
    const schema = z.toJSONSchema(kind);
    const words = vocabulary();
    let ended = 0;
    for (let i = 0; i < 20; i++) {
      const text = draw(schema, words, random);
      if (text === undefined) continue;
      ended++;
      if (!kind.safeParse(JSON.parse(text)).success) t.fail(`${JSON.stringify(schema)} gave ${text}`);
    }
    t.ok(ended >= 10, `${ended} texts of ${JSON.stringify(schema).slice(0, 120)}`);
  }
  t.end();
});

t.test('and what is valid can be written', (t) => {
  const email = z.toJSONSchema(z.email().max(40));
  const words = vocabulary();
  t.ok(accepts(email, 'ada.lovelace-king@mail.example.org', words));
  t.notOk(accepts(email, `${'a'.repeat(40)}@example.org`, words));
  for (const [format, texts, none] of [
    ['date', ['2024-12-31', '2024-02-29', '2000-02-29', '2023-04-30'], ['2023-02-29', '1900-02-29', '2024-04-31', '2024-13-01', '2024-02-30']],
    ['date-time', ['2024-01-31T23:59:59.5+02:00'], ['2023-02-29T00:00:00Z']],
    ['duration', ['P3Y6M4DT12H30M5S', 'PT36H', 'P2W', 'P1M', 'PT1M'], ['P', 'PT', 'P1D1Y', 'P1WT1H', 'PT1H1S', 'P1H']],
    ['ipv6', ['::', '::1', 'fe80::1:2', '2001:DB8::8a2e:370:7334', '1:2:3:4:5:6:7:8', '1::'], ['1::2::3', ':1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', '1:2:3:4:5:6:7:8::']],
    ['uri', ['https://en.wikipedia.org/wiki/Albert_Einstein?a=1&b=%20#Early_life', 'http://localhost:8080/', 'ftp://a.b.example.org', 'http://127.0.0.1/x'], ['https://', 'http://:80/', 'https://a.org/a b', 'https://a.org/%2', '//a.org', 'http://1.2']],
    ['email', ['Ada.Lovelace@Example.org'], ['a@b', '.a@b.org']],
    ['hostname', ['localhost', 'a.b.example.org'], ['-a.org', 'a..org', '1.2.3.4']],
    ['uuid', ['2EB8AA08-AA98-41EA-B4AA-73B441D16380'], ['2eb8aa08-aa98-41ea-b4aa-73b441d1638']],
    ['uuid4', ['2eb8aa08-aa98-41ea-b4aa-73b441d16380'], ['2eb8aa08-aa98-11ea-b4aa-73b441d16380']],
    ['ipvanyaddress', ['10.0.0.1', '::1'], ['10.0.0.256', '10.0.0.1/8']],
    ['ipv4network', ['10.0.0.1/32'], ['10.0.0.1', '10.0.0.1/24']],
    ['ipvanyinterface', ['10.0.0.1/0', '10.0.0.1/24', '::1/128'], ['10.0.0.1/33', '::1/129', '10.0.0.1/']],
    ['base64', ['YQ==', 'YWI=', 'YWJj', 'YWJjYWJjYQ=='], ['YQ', 'YWI', 'Y-_=', 'YQ==YQ==']],
    ['base64url', ['Y-_=', 'YWJj'], ['Y+/=']],
    ['color', ['#fff', '#A0b1C2'], ['#ffff', 'red']],
    ['int64', ['0', '-9007199254740993'], ['-0', '1.5', '12345678901234567890']],
    ['decimal', ['-12.50', '3'], ['1.', '.5', '1e3']],
  ] as const) {
    const [whole, long] = [vocabulary(), vocabulary()];
    for (const text of texts) t.ok(accepts({ type: 'string', format }, text, whole) && accepts({ type: 'string', format, maxLength: 2000 }, text, long), `${format} ${text}`);
    for (const text of none) t.notOk(accepts({ type: 'string', format }, text, whole) || accepts({ type: 'string', format, maxLength: 2000 }, text, long), `no ${format} ${text}`);
  }
  t.ok(accepts({ type: 'string', pattern: '^.*$', minLength: 2, maxLength: 3 }, '😀"'), 'characters are counted, not bytes');
  t.notOk(accepts({ type: 'string', pattern: '^.*$', minLength: 2, maxLength: 3 }, '😀'));
  t.ok(
    accepts(
      { type: 'object', propertyNames: { $ref: '#/$defs/key' }, additionalProperties: { type: 'integer' }, $defs: { key: { enum: ['x', 'y'] } } },
      { x: 1, y: 2 },
    ),
  );
  t.notOk(accepts({ type: 'object', propertyNames: { enum: ['x'] } }, { y: 1 }));
  t.ok(
    accepts(
      { type: 'object', propertyNames: { enum: ['x', 'y'] }, properties: { x: { type: 'null' } }, required: ['x'], additionalProperties: false },
      { x: null },
    ),
  );
  t.ok(accepts({ type: 'object', propertyNames: false }, {}));
  const of = (name: string): object => ({ type: 'object', properties: { kind: { const: name } }, required: ['kind'] });
  const pydantic = { oneOf: [{ $ref: '#/$defs/Cat' }, { $ref: '#/$defs/Dog' }], discriminator: { propertyName: 'kind', mapping: { cat: '#/$defs/Cat', dog: '#/$defs/Dog' } }, $defs: { Cat: of('cat'), Dog: of('dog') } };
  t.ok(accepts(pydantic, { kind: 'dog' }), 'which alternative it is, is told to readers');
  t.notOk(accepts(pydantic, { kind: 'cow' }));
  t.end();
});

const LETTERS = ['a', 'b', '"', 'é'];
function randomPattern(random: Random, depth = 0): string {
  const atom = (): string =>
    depth > 1 || random.next() < 0.6 ? random.pick([...LETTERS, '.', '[ab]', '[^a]', '\\p{L}']) : `(?:${randomPattern(random, depth + 1)})`;
  const part = (): string => Array.from({ length: 1 + random.below(3) }, () => atom() + random.pick(['', '', '*', '+', '?', '{1,2}'])).join('');
  return Array.from({ length: 1 + random.below(2) }, part).join('|');
}
t.test('a pattern beside a length takes exactly the texts that match and have the length', (t) => {
  const random = seeded(32);
  const texts = [''];
  for (let at = 0; at < texts.length; at++) if (Array.from(texts[at]).length < 3) texts.push(...LETTERS.map((letter) => texts[at] + letter));
  for (let round = 0; round < 12; round++) {
    const pattern = random.pick(['', '^']) + `(?:${randomPattern(random)})` + random.pick(['', '$']);
    const [minLength, more] = [random.below(3), random.below(3)];
    const schema = { type: 'string', pattern, minLength, maxLength: minLength + more };
    const valid = (text: string): boolean =>
      new RegExp(pattern, 'u').test(text) && Array.from(text).length >= minLength && Array.from(text).length <= minLength + more;
    const words = vocabulary();
    if (!texts.some(valid)) continue;
    for (const text of texts) if (accepts(schema, text, words) !== valid(text)) t.fail(`${JSON.stringify(schema)} ${JSON.stringify(text)}: ${valid(text)}`);
  }
  t.end();
});

t.test('multiples of whole numbers and decimals, within bounds', (t) => {
  const random = seeded(33);
  for (const [schema, valid, some, no] of [
    [{ type: 'integer', multipleOf: 7 }, (x: number) => Number.isInteger(x / 7), [0, -7, 700_000_007 * 7], [1, -8]],
    [{ type: 'integer', multipleOf: 5, minimum: 12, maximum: 31 }, (x: number) => [15, 20, 25, 30].includes(x), [15, 30], [10, 35, 16]],
    [
      { type: 'number', multipleOf: 0.5, exclusiveMinimum: -2, maximum: 3 },
      (x: number) => Number.isInteger(x * 2) && x > -2 && x <= 3,
      [-1.5, 0, 2.5, 3],
      [-2, 0.25, 3.5],
    ],
    [{ type: 'number', multipleOf: 0.01, minimum: 0 }, (x: number) => Math.abs(x * 100 - Math.round(x * 100)) < 1e-3, [0, 19.99, 0.07, 1234.5], [0.001, -1]],
    // Read as doubles, they would be rounded to others.
    [{ type: 'number', multipleOf: 0.01, minimum: 8e12 }, (x: number) => x === Number(x.toFixed(2)), [8_000_000_000_000.25], [800_000_000_000_000.38]],
    [{ type: 'number', not: { multipleOf: 0.5 } }, (x: number) => x % 0.5 !== 0, [0.25, 800_000_000.125], [801_291_220_066_799.1]],
    [
      { type: ['number', 'null'], multipleOf: 2.5, minimum: 0, maximum: 9 },
      (x: number | null) => x === null || [0, 2.5, 5, 7.5].includes(x),
      [7.5, null, 5],
      [1, 9],
    ],
    [{ type: 'number', multipleOf: 100, minimum: 50, maximum: 1000 }, (x: number) => x % 100 === 0 && x >= 50 && x <= 1000, [100, 1000], [0, 50, 150.5]],
  ] as const) {
    const words = vocabulary();
    for (let i = 0; i < 30; i++) {
      const text = draw(schema, words, random) ?? '0';
      if (!(valid as (value: unknown) => boolean)(JSON.parse(text))) t.fail(`${JSON.stringify(schema)} gave ${text}`);
    }
    for (const value of some) t.ok(accepts(schema, value, words), `${JSON.stringify(schema)} ${value}`);
    for (const value of no) t.notOk(accepts(schema, value, words), `${JSON.stringify(schema)} ${value}`);
  }
  for (const [schema, message] of [
    [{ type: 'integer', multipleOf: 0 }, /multipleOf at # must be above 0/],
    [{ type: 'number', multipleOf: 1e-9 }, /multipleOf at # must be above 0, and is supported with 6 decimal places/],
    [{ type: 'integer', multipleOf: 12_345 }, /up to 1000/],
    [{ type: 'integer', multipleOf: 10, minimum: 1, maximum: 9 }, /multipleOf at # has no multiple within the bounds/],
    [{ type: 'integer', multipleOf: 'x' }, /multipleOf at # must be a number/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.end();
});

t.test('what cannot be kept, or has no text, is said', (t) => {
  for (const [given, message] of [
    [z.toJSONSchema(z.email().max(3)), /pattern at # matches no text of the format and the length/],
    [{ type: 'string', pattern: '^[\\p{L} ]+$', maxLength: 5_000 }, /come to more than 20000 places together/],
    [{ type: 'string', format: 'telephone' }, /format at # must be one of date/],
    [{ type: 'string', pattern: 5 }, /pattern at # must be a text/],
    [{ type: 'string', allOf: [{ pattern: '^a' }, { pattern: '^b' }] }, /no text matches the pattern/],
    [{ type: 'string', allOf: [{ pattern: 'a)|(b' }, { pattern: 'c' }] }, /a "\)" that nothing opened/],
    [{ type: 'string', allOf: [{ pattern: 'a' }, { pattern: 5 }] }, /says pattern twice/],
    [z.toJSONSchema(z.hostname()), /comes to more than 5000 places/],
    [{ type: 'string', pattern: 'a', minLength: 3, maxLength: 2 }, /minLength at # is greater than maxLength/],
    [{ type: 'object', propertyNames: { enum: ['a'] }, required: ['b'] }, /required at # asks for "b", which propertyNames does not list/],
    [
      { type: 'object', propertyNames: { pattern: '^a' }, properties: { ab: {} } },
      /propertyNames at # beside properties is supported where it lists the names/,
    ],
    [{ type: 'object', propertyNames: { minimum: 3 } }, /minimum at #\/propertyNames is not supported there/],
    [
      { type: 'object', propertyNames: { $ref: '#/$defs/a', pattern: 'b' }, $defs: { a: {} } },
      /pattern at #\/propertyNames beside \$ref is not supported there/,
    ],
    [{ type: 'object', propertyNames: { $ref: '#/$defs/a' }, $defs: { a: { $ref: '#/$defs/a' } } }, /leads over more than 64 others/],
  ] as const) {
    t.throws(
      () => compileConstraint({ kind: 'schema', schema: given }, vocabulary()),
      { code: 'constraint_invalid', message },
      JSON.stringify(given).slice(0, 100),
    );
  }
  t.end();
});
