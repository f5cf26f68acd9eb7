// Owns that every schema, pattern and grammar, however strange, soon comes to texts of it or to an error that says what is wrong; and what is kept of them stays small.
// Refuses to know models: tokens are drawn out of those that are allowed.

import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { compileConstraint, grammarOf } from '../../src/engine/constraints/constraint.ts';
import { Machine } from '../../src/engine/constraints/grammar/machine.ts';
import { CompiledGrammar } from '../../src/engine/constraints/masks/masks.ts';
import { Network } from '../../src/engine/constraints/grammar/network.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenSet } from '../../src/engine/constraints/tokens/token-set.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { GrammarWalk } from '../../src/engine/constraints/masks/walk.ts';
import type { ConstraintSpec } from '../../src/engine/port.ts';
import { seeded } from '../helpers/store-world.ts';
import { drawn, randomSchema } from './masks-cases.ts';
import type { Random } from './masks-cases.ts';

/** Every byte, and some longer tokens. */
const TOKENS = [...Array.from({ length: 256 }, (_, byte) => Buffer.of(byte)), ...['", "', '": ', '{"', '"}', '12', '0.', '.5', '00', 'true', 'ab', 'aa', 'é', '}, ', '\\"', '-1'].map((text) => Buffer.from(text))];
const END = TOKENS.length;
const bytesOf = (id: number): Uint8Array | undefined => TOKENS[id];
const trie = new TokenTrie(TOKENS.keys(), bytesOf);
const vocabulary = (): ConstraintVocabulary => ({ trie: () => trie, size: END + 1, ends: [END], encode: (text) => [...Buffer.from(text)], bytesOf, compiled: new Map() });
const CLOSING = new Set(TOKENS.flatMap((bytes, id) => (/^["\]}]/.test(bytes.toString()) ? [id] : [])));

const SCRIPTS = ['Adlm', 'Arab', 'Armn', 'Beng', 'Bopo', 'Brai', 'Cher', 'Copt', 'Cyrl', 'Deva', 'Ethi', 'Geor', 'Goth', 'Grek', 'Gujr', 'Guru', 'Hang', 'Hani', 'Hebr', 'Hira', 'Kana', 'Khmr', 'Knda', 'Laoo', 'Latn', 'Lisu', 'Mlym', 'Mong', 'Mymr', 'Nkoo', 'Ogam', 'Orya', 'Runr', 'Sinh'];
/** A text of tokens drawn from those allowed; undefined when it does not end within `most` tokens. */
function draw(spec: ConstraintSpec, words: ConstraintVocabulary, random: Random, most = 300): string | undefined {
  const constraint = compileConstraint(spec, words);
  const written: Uint8Array[] = [];
  for (let i = 0; i < most; i++) {
    const allowed = constraint.allowed();
    const closing = random.next() < 0.4 ? TokenSet.ofIds([...CLOSING].filter((id) => allowed.has(id))) : allowed;
    const token = constraint.complete() && random.next() < 0.3 ? END : drawn(closing.size > 0 ? closing : allowed, random);
    if (token === undefined) throw new Error(`nothing may follow ${Buffer.concat(written).toString()}`);
    if (token === END) return Buffer.concat(written).toString('utf8');
    written.push(TOKENS[token]);
    constraint.accept(token);
  }
  return undefined;
}
function accepts(spec: ConstraintSpec, words: ConstraintVocabulary, text: string): boolean {
  const constraint = compileConstraint(spec, words);
  for (const byte of Buffer.from(text)) {
    if (!constraint.allowed().has(byte)) return false;
    constraint.accept(byte);
  }
  return constraint.complete();
}
const schema = (given: unknown): Extract<ConstraintSpec, { kind: 'schema' }> => ({ kind: 'schema', schema: given });
function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}
/** Definitions in which each names the one before twice. */
const doubled = (count: number, write: (before: object) => object): object => ({
  $ref: `#/$defs/a${count}`,
  $defs: Object.fromEntries(Array.from({ length: count + 1 }, (_, i) => [`a${i}`, i === 0 ? { type: 'integer' } : write({ $ref: `#/$defs/a${i - 1}` })])),
});

t.test('what is wrong in a schema is an error that names the place and the keyword', (t) => {
  const object = (properties: unknown): object => ({ type: 'object', properties, required: ['k'] });
  for (const [given, message] of [
    [{ $ref: '#/%' }, /\$ref at # points to #\/%, which is not there/],
    [{ $ref: '#/__proto__' }, /which is not there/],
    [{ $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } }, /left recursion/],
    [{ allOf: [{ $ref: '#' }, { type: 'object' }] }, /allOf at #\/allOf\/0 holds itself/],
    [{ allOf: [{ $ref: '#/$defs/a' }, { type: 'object' }], $defs: { a: { $ref: '#/$defs/a' } } }, /\$ref at #\/allOf\/0 leads over more than 64 others/],
    [{ allOf: [{ required: ['a'] }, { required: 5 }] }, /required at # must be a list of texts/],
    [{ allOf: [{ properties: { a: {} } }, { properties: null }] }, /properties at # must be an object/],
    [{ allOf: [{ properties: 'a' }, { properties: { b: {} } }] }, /properties at # must be an object/],
    [{ allOf: [{ minimum: 'a' }, { minimum: 3 }] }, /minimum at # must be a number/],
    [{ type: 'integer', minimum: 1e30, maximum: 1.0000000000000002e30 }, /minimum at # is too close to maximum: whole numbers beyond 2\^53/],
    [{ type: 'integer', minimum: 4, maximum: 3 }, /minimum at # leaves no integer up to maximum/],
    [{ oneOf: [object({ k: 5 }), object({ k: 6 })] }, /schema at #\/properties\/k must be an object or a boolean/],
    [{ oneOf: [object({ k: {} }), object('x')] }, /properties at # must be an object/],
    [{ anyOf: [false] }, /anyOf at # has no alternative/],
    [{ type: 'object', allOf: [{ additionalProperties: false }, { properties: { a: { type: 'integer' } }, required: ['a'] }] }, /schema at #\/properties\/a is false/],
    [{ type: 'array', allOf: [{ prefixItems: [{ type: 'string' }], minItems: 1 }, { items: { type: 'integer' } }] }, /minItems at # asks for more items than the schema allows/],
    [{ $ref: '#/$defs/n', $defs: { n: { type: 'object', properties: { n: { $ref: '#/$defs/n' } }, required: ['n'] } } }, /no text: rule "ref #\/\$defs\/n" can never be completed/],
    [{ const: deep(1_000) }, /const at # has a value that is nested more than 64 deep/],
    [{ type: 'object', properties: { ['n'.repeat(5_000)]: {} }, additionalProperties: {} }, /properties at # has a name of 5000 characters/],
    [{ enum: Array.from({ length: 200_000 }, (_, i) => i) }, /too large/],
    [{ type: 'object', properties: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, { type: 'string', pattern: `^(?=[^]*${i}.{6}b)[^]*c.{3}d$` }])) }, /the patterns look ahead or behind, .* cost too much to follow together/],
    [{ allOf: Array.from({ length: 900 }, (_, i) => ({ properties: { a: { title: 'x'.repeat(200), enum: ['a', `${i}`] } } })) }, /what allOf puts together is long/],
    [{ const: 'x'.repeat(300_000) }, /too large/],
    [doubled(30, (before) => ({ type: 'object', properties: { x: { allOf: [before] }, y: { allOf: [before] } } })), /nested more than 64 deep/],
    [doubled(30, (before) => ({ minimum: 0, anyOf: [before, before] })), /too large: written out, it has more than 20000 places/],
  ] as const)
    t.throws(() => compileConstraint(schema(given), vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(given).slice(0, 100));
  t.end();
});

t.test('what is wrong in a pattern or a grammar is said, too, and nothing goes on for ever', (t) => {
  const chain = Array.from({ length: 5_000 }, (_, i) => `r${i} ::= r${i + 1}\n`).join('');
  for (const [spec, message] of [
    [{ kind: 'grammar', grammar: `root ::= ${'('.repeat(50_000)}"a"${')'.repeat(50_000)}` }, /at most 100 groups inside each other/],
    [{ kind: 'grammar', grammar: `root ::= r0\n${chain}r5000 ::= r0` }, /left recursion/],
    [{ kind: 'grammar', grammar: 'root ::= "a" root' }, /no text: rule "root" can never be completed/],
    [{ kind: 'grammar', grammar: 'root ::= [\\uD800-\\uDFFF]' }, /no text: rule "root"/],
    [{ kind: 'regex', pattern: '\\P{Any}' }, /no text/],
  ] as const)
    t.throws(() => compileConstraint(spec, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(spec).slice(0, 60));
  // Classes of many ranges are written once each, and there are not too many that differ.
  for (const [pattern, message] of [
    ['\\p{L}'.repeat(3_000), /too large: written out, it has more than 200000 places/],
    [`[${'\\p{L}'.repeat(3_000)}]`, /classes with more than 200000 ranges of characters together/],
    [Array.from({ length: 1_700 }, (_, i) => `[\\p{L}${String.fromCharCode(0x4e00 + i)}]`).join(''), /classes with more than 200000 ranges/],
    [['sc', 'scx'].flatMap((by) => SCRIPTS.map((script) => `\\p{${by}=${script}}`)).join(''), /more than 64 different properties of characters/],
    ['a\\p{Nonsense}', /there is no property Nonsense of characters/],
  ] as const) {
    const began = performance.now();
    t.throws(() => compileConstraint({ kind: 'regex', pattern }, vocabulary()), { code: 'constraint_invalid', message });
    t.ok(performance.now() - began < 10_000, `${pattern.slice(0, 20)}: ${performance.now() - began} ms`);
  }
  const lettered = schema({ type: 'object', properties: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, { type: 'string', pattern: '^\\p{Lu}\\p{L}*$' }])) });
  t.ok(accepts(lettered, vocabulary(), '{"p7": "Ärger", "p1999": "Ω"}'), 'strings of one pattern are one rule');
  t.notOk(accepts(lettered, vocabulary(), '{"p7": "ärger"}'));
  const text = (spec: ConstraintSpec, given: string): boolean => accepts(spec, vocabulary(), given);
  t.ok(text({ kind: 'grammar', grammar: `root ::= r0\n${chain}r5000 ::= "a"` }, 'a'));
  for (const given of ['', 'a', 'b']) t.equal(text({ kind: 'regex', pattern: '|a' }, given), given !== 'b', `|a ${given}`);
  t.ok(text(schema({ type: 'string', pattern: '|^a$' }), '"xyz"'));
  t.ok(text(schema(doubled(30, (before) => ({ allOf: [before, before] }))), '12'));
  t.end();
});

t.test('what can never be completed does not begin', (t) => {
  const words = vocabulary();
  const grammar = { kind: 'grammar', grammar: 'root ::= "a" | "b" loop | "c" [\\uD800]?\nloop ::= "x" loop' } as const;
  const first = compileConstraint(grammar, words).allowed();
  t.same(['a', 'b', 'c'].filter((sign) => first.has(sign.charCodeAt(0))), ['a', 'c']);
  t.notOk(accepts(schema({ type: 'object', properties: { n: { $ref: '#/$defs/n' } }, $defs: { n: { type: 'array', minItems: 1, items: { $ref: '#/$defs/n' } } } }), words, '{"n":['));
  t.end();
});

t.test('repetitions of what may be empty read as often as they may, and take no more places than others', (t) => {
  for (const [pattern, most] of [['(a?){5,9}', 9], ['(a?b?){4}', 8], ['((a|b?)?c?){6}', 12]] as const) {
    const words = vocabulary();
    const whole = new RegExp(`^(?:${pattern})$`);
    for (let i = 0; i < 60; i++) {
      const given = Array.from({ length: i % (most + 2) }, (_, k) => 'abc'[(i * 7 + k * (1 + (i % 3))) % 3]).join('');
      t.equal(accepts({ kind: 'regex', pattern }, words, given), whole.test(given), `${pattern} ${given}`);
    }
  }
  // Of these, one text can be cut into rounds in several ways, and tokens of several characters begin any number of them.
  const two = TOKENS.findIndex((token) => token.toString() === 'aa');
  for (const [pattern, most] of [['(a?a){4}', 4], ['(a{0,1}a){4}', 4], ['(aa?){4}', 4], ['(a{0,2}){5}', 5]] as const) {
    const constraint = compileConstraint({ kind: 'regex', pattern }, vocabulary());
    for (let i = 0; i < most; i++) {
      t.ok(constraint.allowed().has(two), `${pattern} after ${2 * i}`);
      constraint.accept(two);
    }
    t.ok(constraint.complete() && !constraint.allowed().has(two), pattern);
  }
  const machine = new Machine(new Network(grammarOf({ kind: 'regex', pattern: '((a|b?)?c?){100000}' })));
  let state = machine.start;
  for (const byte of Buffer.from('abcabcabc')) state = machine.step(state, byte);
  t.ok(machine.nodes.length < 500, `${machine.nodes.length} places`);
  t.end();
});

const ajv = new Ajv2020({ strict: false, ownProperties: true, formats: { date: true, time: true, 'date-time': true, uuid: true, ipv4: true, ipv6: true, email: true, hostname: true, uri: true, duration: true } });

t.test('numbers are in their bounds, and all of up to 3 decimals that are in them can be written', (t) => {
  const random = seeded(91);
  const value = (): number => (random.below(4000) - 2000) / random.pick([1, 10, 100, 1000]);
  for (let round = 0; round < 60; round++) {
    const [a, b] = [value(), value()];
    const given: Record<string, unknown> = { type: 'number' };
    if (round % 5 !== 0) given[random.pick(['minimum', 'exclusiveMinimum'])] = Math.min(a, b);
    if (round % 7 !== 0) given[random.pick(['maximum', 'exclusiveMaximum'])] = Math.max(a, b);
    const valid = ajv.compile(given);
    const words = vocabulary();
    for (const near of [a, b, 0, ...Array.from({ length: 12 }, value)])
      for (const each of [near, Math.round(near), near + 0.001, near - 0.001].map((number) => Number(number.toFixed(3))))
        t.equal(accepts(schema(given), words, JSON.stringify(each)), valid(each), `${JSON.stringify(given)} ${each}`);
    for (let i = 0; i < 6; i++) {
      const text = draw(schema(given), words, random);
      if (text !== undefined && !valid(JSON.parse(text))) t.fail(`${JSON.stringify(given)} gave ${text}`);
    }
  }
  const bounds: readonly (readonly [low: number, high: number])[] = [[0, 1], [0.5, 1], [1e-7, 2e-7], [0.1, 0.30000000000000004], [123456789, 123456790], [999999999999998, 1e21], [-1e-9, 1e-9], [5e-324, 1e-3]];
  for (const [minimum, maximum] of bounds)
    for (const given of [{ type: 'number', minimum, maximum }, { type: 'number', exclusiveMinimum: minimum, exclusiveMaximum: maximum }]) {
      const valid = ajv.compile(given);
      const words = vocabulary();
      const texts = Array.from({ length: 40 }, () => draw(schema(given), words, random)).filter((text) => text !== undefined);
      for (const text of texts) if (!valid(JSON.parse(text))) t.fail(`${JSON.stringify(given)} gave ${text}`);
      t.ok(new Set(texts).size > (minimum < 1e12 ? 3 : 0), `${JSON.stringify(given)} gave ${texts.slice(0, 5).join()}`);
    }
  t.end();
});

t.test('whole numbers of 64 bits, as ids are, can be written, and none beyond their bounds', (t) => {
  const may = (given: object, text: string): boolean => {
    const constraint = compileConstraint(schema({ type: 'integer', ...given }), vocabulary());
    return Array.from(Buffer.from(text)).every((byte) => {
      const fits = constraint.allowed().has(byte);
      if (fits) constraint.accept(byte);
      return fits;
    }) && constraint.complete();
  };
  const near = [-1001, -1000, -999, -101, -100, -99, -11, -10, -9, -1, 0, 1, 5, 9, 10, 11, 19, 20, 98, 99, 100, 101, 999, 1000, 9999];
  const bounds = [undefined, -1000, -99, -11, -10, -1, 0, 1, 9, 10, 19, 100, 999];
  for (const minimum of bounds)
    for (const maximum of bounds.filter((bound) => minimum === undefined || bound === undefined || minimum <= bound)) {
      const wrong = near.filter((value) => may({ minimum, maximum }, String(value)) !== ((minimum ?? value) <= value && value <= (maximum ?? value)));
      if (wrong.length > 0) t.fail(`from ${minimum} to ${maximum}: ${wrong.join()}`);
    }
  const safe = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
  for (const [given, text, fits] of [
    [{}, '175928847299117063', true],
    [{ minimum: 0 }, '9223372036854775807', true],
    [{}, '-9223372036854775807', true],
    [{}, '9223372036854775808', false],
    [safe, '9007199254740991', true],
    [safe, '9007199254740992', false],
    [{ maximum: 1e18 }, '1000000000000000001', false],
    [{ maximum: 2 ** 63 }, '9223372036854775808', false],
    [{ exclusiveMinimum: 1e17 }, '100000000000000000', false],
    [{ multipleOf: 10 }, '9007199254740990', true],
    [{ multipleOf: 10 }, '9007199254741000', false],
  ] as const)
    t.equal(may(given, text), fits, `${text} ${JSON.stringify(given)}`);
  t.end();
});

/** Schemas put together out of others: allOf, what stands beside alternatives, references with and without more beside them. */
function composedSchema(random: Random): object {
  const part = (): object =>
    random.pick<() => object>([
      () => ({ properties: { [random.pick(['a', 'b', 'c'])]: randomSchema(random, 4) } }),
      () => ({ required: [random.pick(['a', 'b', 'c', 'constructor'])] }),
      () => ({ additionalProperties: random.pick([true, false, { type: 'integer' }]) }),
      () => ({ properties: { a: { type: 'integer' }, constructor: { type: 'null' } }, ...(random.next() < 0.3 ? { additionalProperties: false } : {}) }),
      () => ({ minLength: random.below(4), maximum: 40 - random.below(30) }),
      () => ({ maxLength: 4 + random.below(6), exclusiveMinimum: random.below(20) - 10.5, minItems: random.below(3) }),
      () => ({ items: { type: 'integer' }, maxItems: 1 + random.below(3) }),
      () => ({ prefixItems: [{ type: 'string', maxLength: 3 }, { type: 'boolean' }] }),
      () => ({ type: random.pick(['object', 'array', 'string', 'number', ['object', 'string']]) }),
    ])();
  const $defs = { x: part(), y: { allOf: [{ $ref: '#/$defs/x' }, part()] }, z: { $ref: '#/$defs/y' } };
  const named = (): object => ({ $ref: random.pick(['#/$defs/x', '#/$defs/y', '#/$defs/z']), ...(random.next() < 0.4 ? part() : {}) });
  const type = random.next() < 0.7 ? { type: random.pick(['object', 'array', 'string', 'number', 'integer']) } : {};
  return random.pick<() => object>([
    () => ({ ...type, allOf: [part(), part(), ...(random.next() < 0.5 ? [named()] : [])], $defs }),
    () => ({ ...type, ...part(), anyOf: [named(), part(), false], $defs }),
    () => ({ ...type, oneOf: [{ type: 'string', maxLength: 4 }, { allOf: [named()], type: 'object' }], $defs }),
    () => ({ type: 'array', items: { allOf: [named()], description: 'one' }, maxItems: 2, $defs }),
  ])();
}
t.test('schemas that are put together out of others are refused, or what is drawn is valid by another validator', (t) => {
  const random = seeded(92);
  let [ended, taken] = [0, 0];
  for (let round = 0; round < 160; round++) {
    const given = composedSchema(random);
    const valid = ajv.compile(given);
    const words = vocabulary();
    for (let i = 0; i < 3; i++) {
      let text: string | undefined;
      try {
        text = draw(schema(given), words, random);
      } catch (error) {
        t.match(error, { code: 'constraint_invalid' }, JSON.stringify(given));
        break;
      }
      if (i === 0) taken++;
      if (text === undefined) continue;
      ended++;
      if (!valid(JSON.parse(text))) t.fail(`${JSON.stringify(given)} gave ${text}: ${ajv.errorsText(valid.errors)}`);
    }
  }
  t.ok(taken > 40, `${taken} of 160 were taken`);
  t.ok(ended > 90, `${ended} texts ended`);
  t.end();
});

t.test('however many places texts come to under one grammar, what is kept of them stays small', (t) => {
  const values = Array.from({ length: 40 }, (_, i) => `${String.fromCharCode(65 + i)}${'ab'.repeat(150)}`);
  const grammar = new CompiledGrammar(grammarOf(schema({ enum: values })), trie, END + 1, [END], bytesOf);
  let most = 0;
  for (const value of values) {
    const walk = new GrammarWalk(grammar);
    for (const byte of Buffer.from(JSON.stringify(value))) {
      if (!grammar.find(walk.machine, walk.state).has(byte)) t.fail(`${value.slice(0, 4)} does not go on`);
      walk.accept(Buffer.of(byte));
    }
    t.ok(walk.complete());
    most = Math.max(most, grammar.inner.nodes.length);
  }
  t.ok(most < 10_000, `${most} places`);

  const few = new Uint32Array(1000);
  few[3] = 0b101;
  few[999] = 0x80000000;
  t.same([...(TokenSet.smallOf(few).ids ?? [])], [96, 98, 31999]);
  t.equal(TokenSet.smallOf(few.fill(0xff)).bits, few);
  for (const set of [TokenSet.smallOf(Uint32Array.of(6, 0, 1)), TokenSet.ofBits(Uint32Array.of(6, 0, 1))]) {
    const bits = Uint32Array.of(1, 2, 2);
    set.addTo(bits);
    t.same([...bits], [7, 2, 3]);
  }
  t.end();
});

t.test('a rule that ends with itself comes back to where it was, however long the text is', (t) => {
  for (const rules of ['root ::= "a" root | "b"', 'root ::= item\nitem ::= "a" ("," item)?', 'root ::= ("a" ","? root)?', 'root ::= "a" (","? root | "b")']) {
    const machine = new Machine(new Network(grammarOf({ kind: 'grammar', grammar: rules })));
    const states = new Set<number>();
    let state = machine.start;
    for (let i = 0; i < 500; i++)
      for (const byte of Buffer.from(rules.includes('","') ? 'a,' : 'a')) {
        state = machine.step(state, byte);
        states.add(state);
      }
    t.ok(state >= 0 && states.size <= 3, `${states.size} places of ${rules}`);
  }
  t.end();
});
