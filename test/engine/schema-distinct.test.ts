// Owns that arrays whose items must not repeat hold what they must, whatever the items are, and that texts under them can always be completed; in tokens of several bytes, too, and in calls.
// Refuses to know how it is seen that an item was there.

import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { callGrammar } from '../../src/engine/constraints/calls.ts';
import { compileConstraint, constraintOf } from '../../src/engine/constraints/constraint.ts';
import { SeenTexts } from '../../src/engine/constraints/masks/seen-texts.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { seeded } from '../helpers/store-world.ts';
import { drawn } from './masks-cases.ts';
import type { Random } from './masks-cases.ts';
import { accepts, holds, vocabulary } from './schema-texts.ts';
import type { Value } from './schema-texts.ts';

const ajv = new Ajv2020({ strict: false, ownProperties: true, formats: { date: true } });
const string = { type: 'string' };
const boolean = { type: 'boolean' };
const unique = (items: object | undefined, more: object = {}): object => ({ type: 'array', ...(items ? { items } : {}), uniqueItems: true, ...more });
const node = { type: 'object', properties: { v: { type: 'integer', minimum: 0, maximum: 2 }, next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] } }, required: ['v', 'next'], additionalProperties: false };

/** A text to its end; items end as soon as they may, so that soon all short ones were there. Undefined where it takes too long. */
function written(schema: object, words: ConstraintVocabulary, random: Random): string | undefined {
  const constraint = compileConstraint({ kind: 'schema', schema }, words);
  const bytes: Uint8Array[] = [];
  for (let i = 0; i < 3_000 && !constraint.complete(); i++) {
    const allowed = constraint.allowed();
    const ending = Array.from('",}', (sign) => sign.charCodeAt(0)).filter((byte) => allowed.has(byte));
    const token = ending.length > 0 && random.next() < 0.7 ? random.pick(ending) : drawn(allowed, random);
    if (token === undefined) throw new Error(`nothing may follow ${Buffer.concat(bytes).toString()}`);
    bytes.push(words.bytesOf(token) ?? new Uint8Array());
    constraint.accept(token);
  }
  return constraint.complete() ? Buffer.concat(bytes).toString() : undefined;
}

t.test('items of free values: none comes twice, and there is always another one', (t) => {
  const random = seeded(61);
  const values: readonly Value[] = [[], ['a'], ['a', 'a'], ['a', 'b'], ['a', 'b', 'a'], [1, 1], [1, '1'], [true, false, true], [null, null], [[], []], [[1], [1, 2]], [{}, {}], [{ a: 1, b: 2 }, { a: 1, b: 2 }], [{ a: 1 }, { a: 2 }], 'a'];
  for (const schema of [unique(undefined), unique(string), unique({ type: ['string', 'null'] }), unique({ type: 'integer' }), unique({ type: 'object' }), unique({ enum: ['a', 'b', ...Array.from({ length: 40 }, (_, i) => i)] })])
    t.ok(holds(t, schema, values, random), JSON.stringify(schema));
  t.notOk(accepts(unique(undefined), [{ a: 1, b: 2 }, { b: 2, a: 1 }]), 'the order of keys does not matter');
  for (const [items, least] of [
    [{ type: 'string', pattern: '^[ab]{1,2}$' }, 6],
    [{ type: 'string', maxLength: 1 }, 20],
    [{ type: 'string', format: 'date' }, 4],
    [{ type: 'integer', minimum: 0, maximum: 49 }, 50],
    [{ type: 'number', multipleOf: 0.25, minimum: 0, maximum: 3 }, 13],
    [{ type: 'number' }, 15],
    [{ type: 'array', items: boolean, maxItems: 3 }, 15],
    [{ type: 'object', properties: { a: boolean, b: boolean }, additionalProperties: false }, 9],
    [{ type: 'object', properties: { a: boolean }, additionalProperties: true }, 8],
    [{ type: ['string', 'array'], items: { type: 'object' } }, 8],
    [{ anyOf: [{ const: 'ab' }, { type: 'string', pattern: '^a.?$' }] }, 9],
    [{ $ref: '#/$defs/node' }, 8],
    [undefined, 20],
  ] as const) {
    const schema = { ...unique(items, { minItems: least, maxItems: least + 2 }), $defs: { node } };
    const valid = ajv.compile(schema);
    const words = vocabulary();
    let ended = 0;
    for (let i = 0; i < 4; i++) {
      const text = written(schema, words, random);
      if (text === undefined) continue;
      ended++;
      if (!valid(JSON.parse(text))) t.fail(`${JSON.stringify(schema)} gave ${text}`);
    }
    t.ok(ended > 0, JSON.stringify(items));
  }
  t.end();
});

t.test('a token that ends an item and begins others, or that opens the array, repeats none either', (t) => {
  const tokens = [...Array.from({ length: 256 }, (_, byte) => Buffer.of(byte)), ...['["a","a"', '["a", "b"', '","', '","a', '1,1', '1,2]', ',1]', '{"k":["a","a"]}', '{"k":["a","b"]}', 'ab', ' "a"'].map((text) => Buffer.from(text))];
  const id = (text: string): number => tokens.findIndex((token) => token.toString() === text);
  const trie = new TokenTrie(tokens.keys(), (token) => tokens[token]);
  const words: ConstraintVocabulary = { trie: () => trie, size: tokens.length + 1, ends: [tokens.length], encode: (text) => [...Buffer.from(text)], bytesOf: (token) => tokens[token], compiled: new Map() };
  const after = (items: object, text: string, schema: object = unique(items)): ((token: string) => boolean) => {
    const constraint = compileConstraint({ kind: 'schema', schema }, words);
    for (const byte of Buffer.from(text)) constraint.accept(byte);
    return (token) => constraint.allowed().has(id(token));
  };
  const begin = after(string, '');
  t.notOk(begin('["a","a"'));
  t.ok(begin('["a", "b"'));
  const short = after({ type: 'string', pattern: '^[ab]$' }, '["a","b');
  t.notOk(short('","'), 'no third one is left');
  t.ok(short('"'));
  t.notOk(after({ type: 'string', pattern: '^[ab]$' }, '["a",')(' "a"'));
  t.ok(after({ type: 'string', maxLength: 2 }, '["a","b')('","'));
  const numbers = after({ type: 'integer' }, '[');
  t.ok(numbers('1,1'), 'the number may go on');
  t.notOk(after({ type: 'integer', maximum: 9, minimum: -99 }, '[1')(',1]'));
  t.ok(numbers('1,2]'));
  const whole = { type: 'object', properties: { k: unique(string) }, additionalProperties: false };
  t.notOk(after({}, '', whole)('{"k":["a","a"]}'));
  t.ok(after({}, '', whole)('{"k":["a","b"]}'));
  t.end();
});

t.test('objects with more properties than are named: no name comes twice, and there is always another one', (t) => {
  const random = seeded(63);
  const integer = { type: 'integer' };
  const map = (more: object): object => ({ type: 'object', additionalProperties: integer, ...more });
  const values: readonly Value[] = [{}, { a: 1 }, { a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1, b: 2, c: 3 }, { a: 1, b: 2, c: 3, d: 4 }, { a: 1, b: 'x' }, { 'a:b': 1, 'a{': 2 }];
  for (const schema of [map({ minProperties: 2 }), map({ minProperties: 3, maxProperties: 3 }), map({ minProperties: 2, properties: {} }), map({ minProperties: 4, properties: { a: integer }, required: ['a'] })]) t.ok(holds(t, schema, values, random), JSON.stringify(schema));
  for (const schema of [map({ minProperties: 12 }), map({ minProperties: 6, additionalProperties: true }), map({ minProperties: 5, additionalProperties: { type: 'array', items: map({}) } }), { type: 'array', items: map({ minProperties: 3 }), minItems: 2, maxItems: 3 }]) {
    const valid = ajv.compile(schema);
    const words = vocabulary();
    for (let i = 0; i < 6; i++) {
      const text = written(schema, words, random);
      if (text !== undefined && !valid(JSON.parse(text))) t.fail(`${JSON.stringify(schema)} gave ${text}`);
    }
  }
  const constraint = compileConstraint({ kind: 'schema', schema: map({ minProperties: 2 }) }, vocabulary());
  for (const byte of Buffer.from('{"ab": 1, "ab')) constraint.accept(byte);
  t.notOk(constraint.allowed().has('"'.charCodeAt(0)), 'the name was there');
  t.ok(constraint.allowed().has('c'.charCodeAt(0)));
  for (const [schema, message] of [
    [map({ minProperties: 2, additionalProperties: unique(string) }), /minProperties at # is supported up to one more than the properties that are named, where uniqueItems/],
    [{ $ref: '#/$defs/tree', $defs: { tree: { type: 'object', minProperties: 2, additionalProperties: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/tree' }] } } } }, /minProperties at #\/\$defs\/tree is supported up to one more/],
    [{ type: 'object', minProperties: 3, propertyNames: { pattern: '^a' } }, /minProperties at # is supported up to one more than the properties that are named: others may come twice/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.throws(() => compileConstraint({ kind: 'schema', schema: map({ minProperties: 2 }) }, vocabulary(), { words: 20 }), { code: 'constraint_invalid', message: /minProperties over free names/ });
  t.end();
});

t.test('at every place, the tokens allowed are those whose bytes are allowed there, one by one', (t) => {
  const random = seeded(62);
  const words = vocabulary();
  let looked = 0;
  const maps = [string, { type: 'array', items: string }].map((values) => ({ type: 'object', additionalProperties: values, minProperties: 4 }));
  for (const items of [...maps, string, { type: 'string', pattern: '^(ab|12){1,2}$' }, { type: 'integer' }, { type: 'array', items: { type: 'integer' } }, undefined, { type: 'object', properties: { ab: string, c: boolean }, additionalProperties: false }]) {
    const schema = maps.some((map) => map === items) ? (items as object) : unique(items, { minItems: 4 });
    const text = written(schema, words, random) ?? '';
    const ids = [...Buffer.from(text)];
    const after = (bytes: readonly number[]): ReturnType<typeof compileConstraint> | undefined => {
      const constraint = compileConstraint({ kind: 'schema', schema }, words);
      for (const byte of bytes) {
        if (!constraint.allowed().has(byte)) return undefined;
        constraint.accept(byte);
      }
      return constraint;
    };
    for (let length = 0; length < Math.min(ids.length, 60); length += 1 + random.below(4)) {
      const allowed = after(ids.slice(0, length))?.allowed();
      for (let token = 256; token < words.ends[0]; token++) {
        looked++;
        const bytes = [...ids.slice(0, length), ...(words.bytesOf(token) ?? [])];
        if (allowed?.has(token) !== (after(bytes) !== undefined)) t.fail(`${JSON.stringify(items)}: ${Buffer.from(bytes).toString()}`);
      }
    }
  }
  t.ok(looked > 500, `${looked} tokens`);
  t.end();
});

t.test('calls whose parameters hold items that come once, or that are counted', (t) => {
  const parameters = (items: object): object => ({ type: 'object', properties: { tags: items }, required: ['tags'], additionalProperties: false });
  const tools = [{ name: 'once', parameters: parameters(unique(string)) }, { name: 'one', parameters: parameters({ type: 'array', items: string, contains: { const: 'a' } }) }, { name: 'two', parameters: parameters({ type: 'array', items: { type: 'integer' }, contains: { const: 5 } }) }];
  const words = vocabulary();
  const grammar = callGrammar({ format: { calls: 'hermes' }, tools, choice: 'required', parallel: false, thought: 'none' }, () => undefined);
  const takes = (name: string, tags: string): boolean => {
    const constraint = constraintOf('calls', () => grammar, words);
    for (const byte of Buffer.from(`<tool_call>\n{"name": "${name}", "arguments": {"tags": ${tags}}}\n</tool_call>`)) {
      if (!constraint.allowed().has(byte)) return false;
      constraint.accept(byte);
    }
    return constraint.complete();
  };
  t.ok(takes('once', '["a", "b"]'));
  t.notOk(takes('once', '["a", "a"]'));
  t.ok(takes('one', '["b", "a"]'));
  t.notOk(takes('one', '["b"]'));
  t.ok(takes('two', '[5, 7]'), 'each tool has its own');
  t.notOk(takes('two', '["a"]'));
  t.end();
});

t.test('what cannot be kept to is an error that names the keyword', (t) => {
  const message = (schema: object, limits?: object): string => {
    try {
      compileConstraint({ kind: 'schema', schema }, vocabulary(), limits);
    } catch (error) {
      t.match(error, { code: 'constraint_invalid' });
      return (error as Error).message;
    }
    return 'taken';
  };
  const open = { type: 'object', properties: { k: { type: 'object' } }, required: ['k'], additionalProperties: false };
  const ordered = (...names: readonly string[]): object => ({ type: 'object', properties: Object.fromEntries(names.map((name) => [name, boolean])), additionalProperties: false });
  t.match(message(unique(open)), /uniqueItems at # is not supported of items that hold objects with properties that are not listed/);
  t.match(message(unique({ type: 'object', maxProperties: 2 })), /that hold objects with properties that are not listed/);
  t.match(message(unique(unique(string))), /uniqueItems at #\/items inside the items of another uniqueItems/);
  t.match(message(unique({ anyOf: [ordered('a'), { type: 'object' }] })), /of which some, and not all, are objects or arrays that more can always be added to/);
  t.match(message(unique({ anyOf: [ordered('a', 'b'), ordered('b', 'a')] })), /with the properties "b" and "a" in different orders/);
  t.match(message(unique({ anyOf: [{ const: 1e-7 }, { type: 'number' }] })), /numbers with exponents/);
  t.match(message(unique({ type: 'string', pattern: '^[ab]$' }, { minItems: 3 })), /uniqueItems at # leaves no array/);
  t.match(message(unique(string), { words: 20 }), /limits of the text cannot be combined with uniqueItems/);
  t.equal(message(unique({ type: 'string', pattern: '^[ab]$' }, { minItems: 2 })), 'taken');
  t.end();
});

t.test('texts that were seen are taken back as they came', (t) => {
  const texts = new SeenTexts();
  const at = (text: string): number => Array.from(Buffer.from(text)).reduce((node, byte) => (node < 0 ? node : texts.after(node, byte)), 0);
  texts.add([...Buffer.from('ab')]);
  const [one, other, again] = ['abc', 'x', 'ab'].map((text) => texts.add([...Buffer.from(text)]));
  t.ok(texts.has(at('abc')));
  again();
  other();
  one();
  t.ok(texts.has(at('ab')));
  t.equal(at('abc'), -1);
  t.equal(at('x'), -1);
  t.end();
});
