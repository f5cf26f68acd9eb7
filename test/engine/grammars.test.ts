// Owns that a text under a grammar, a pattern or a JSON Schema is one of theirs, whatever tokens chance chooses.
// Refuses to know models: tokens are drawn out of those that are allowed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import t from 'tap';
import { compileConstraint, grammarOf } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { CompiledGrammar } from '../../src/engine/constraints/masks/masks.ts';
import { GrammarWalk } from '../../src/engine/constraints/masks/walk.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import type { ConstraintSpec } from '../../src/engine/port.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { seeded } from '../helpers/store-world.ts';
import { randomSchema } from './masks-cases.ts';
import type { Random } from './masks-cases.ts';
import { FOLDER } from './world.ts';

const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8'))));
const END = 1;
const bytesOf = (id: number): Uint8Array | undefined => tokenizer.bytesOf(id);
const trie = new TokenTrie(Array.from({ length: tokenizer.size }, (_, id) => id), bytesOf);
const vocabulary = (): ConstraintVocabulary => ({ trie: () => trie, size: tokenizer.size, ends: [END], encode: (text) => tokenizer.encodePlain(text), bytesOf, compiled: new Map() });

const CLOSING = new Set(Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => /^["\]})=\n]/.test(Buffer.from(bytesOf(id) ?? []).toString())));
/** A text of tokens drawn from those allowed; undefined when it does not end within `most` tokens. Texts end when they may, one time in four. */
function draw(spec: ConstraintSpec, words: ConstraintVocabulary, random: Random, most = 400): string | undefined {
  const constraint = compileConstraint(spec, words);
  const written: Uint8Array[] = [];
  for (let i = 0; i < most; i++) {
    const { bits, ids: listed } = constraint.allowed();
    const ids = listed ? [...listed] : [];
    if (bits) for (let id = 0; id < tokenizer.size; id++) if ((bits[id >>> 5] >>> (id & 31)) & 1) ids.push(id);
    if (ids.length === 0) throw new Error(`nothing may follow ${JSON.stringify(Buffer.concat(written).toString())}`);
    if (ids.includes(END) !== constraint.complete()) throw new Error('the end is allowed exactly where the text is complete');
    // A sign that closes something is drawn more often, so that texts end.
    const closing = ids.filter((id) => CLOSING.has(id));
    const token = ids.includes(END) && random.next() < 0.25 ? END : closing.length > 0 && random.next() < 0.3 ? random.pick(closing) : random.pick(ids);
    if (token === END) return Buffer.concat(written).toString('utf8');
    written.push(bytesOf(token) ?? new Uint8Array());
    constraint.accept(token);
  }
  return undefined;
}
/** Is a text one of the constraint's, byte by byte through tokens of one byte? */
function accepts(spec: ConstraintSpec, text: string): boolean {
  const constraint = compileConstraint(spec, vocabulary());
  for (const token of tokenizer.encodePlain(text)) {
    const { bits, ids } = constraint.allowed();
    if (bits ? ((bits[token >>> 5] >>> (token & 31)) & 1) === 0 : !ids?.includes(token)) return false;
    constraint.accept(token);
  }
  return constraint.complete();
}

t.test('regular expressions: what is drawn matches, and texts are taken exactly when they match', async (t) => {
  const random = seeded(11);
  const patterns = ['(yes|no), [A-Z][a-z]+\\.', '\\d{3}-\\d{2,4}', '[^aeiou\\s]{2,6}', 'a*b+c?', '(?:ab|cd){5,9}x', '.{0,30}!', '\\p{Lu}\\p{Ll}*( \\p{Lu}\\p{Ll}*){0,2}', '[一-龥]{2,4}', '\\u{1F600}|\\x41', '(a|b)*abb', 'x{10,200}'];
  for (const pattern of patterns) {
    const words = vocabulary();
    const whole = new RegExp(`^(?:${pattern})$`, 'u');
    let ended = 0;
    for (let i = 0; i < 15; i++) {
      const text = draw({ kind: 'regex', pattern }, words, random);
      if (text === undefined) continue;
      ended++;
      t.match(text, whole, `${pattern}: ${JSON.stringify(text)}`);
    }
    t.ok(ended > 3, `${pattern}: ${ended} texts ended`);
  }
  for (const [pattern, text] of [['(a|b)*abb', 'ababb'], ['(a|b)*abb', 'abab'], ['\\d{3}-\\d{2,4}', '123-12345'], ['\\d{3}-\\d{2,4}', '123-1234'], ['[一-龥]{2,4}', '图谱'], ['x{10,200}', 'x'.repeat(200)], ['x{10,200}', 'x'.repeat(201)], ['x{10,200}', 'x'.repeat(9)], ['(?:ab|cd){5,9}x', 'abcdabcdabx']] as const)
    t.equal(accepts({ kind: 'regex', pattern }, text), new RegExp(`^(?:${pattern})$`, 'u').test(text), `${pattern} ${text.slice(0, 20)}`);
  for (const [pattern, message] of [['(a', /group that nothing closes/], ['a(?=b)', /no text matches/], ['\\1', /cannot be referred to/], ['*a', /repeats nothing/], ['\\p{Nonsense}', /no property Nonsense/], ['a{3,1}', /from 3 to 1/], ['[z-a]', /lower character to a higher/], ['a^b', /no text matches/], ['(?m:a)', /\(\?m is not supported/], ['a(?i)b', /\(\?i is not supported/], ['x[[:alpha:]]+', /^character 3 of the pattern "x\[\[:alpha:\]\]\+": classes by names/]] as const)
    t.throws(() => compileConstraint({ kind: 'regex', pattern }, vocabulary()), { code: 'constraint_invalid', message });
});

t.test('regular expressions: what Python writes in its own way, and control characters', async (t) => {
  for (const [pattern, texts, none] of [
    ['(?P<year>\\d{4})-(?<größe>\\d)', ['2024-1'], ['2024-']],
    ['\\A(?:a|b)\\Z', ['a', 'b'], ['', 'ab']],
    ['(?:a\\z|b)', ['a', 'b'], ['ab']],
    ['\\cJ[\\cA-\\cc]', ['\n\u0002'], ['cJ', '\n']],
    ['[[:]+[:a:]', ['[:', ':a'], ['a']],
    ['(?i)ye[Ss]|n[^O-P]|\\x4b', ['YES', 'yes', 'Nq', 'k', 'K', '\u212a'], ['no', 'nP', 'yex']],
    ['(?i:Ä)b(?s:.)(?-i:c)', ['äb\n', 'Äbx'].map((text) => `${text}c`), ['ÄB\nc', 'äb\nC']],
    ['(?is).[[:]\\d', ['\n:1'], ['\n:']],
    ['(?i)i\\u0131', ['I\u0131'], ['ii', '\u0131I']],
  ] as const) {
    for (const text of texts) t.ok(accepts({ kind: 'regex', pattern }, text), `${pattern} ${JSON.stringify(text)}`);
    for (const text of none) t.notOk(accepts({ kind: 'regex', pattern }, text), `${pattern} ${JSON.stringify(text)}`);
  }
});

t.test('GBNF, as llama.cpp writes it', async (t) => {
  const random = seeded(12);
  const arithmetic = String.raw`
    # sums and products
    root  ::= (expr "=" ws term "\n"){1,3}
    expr  ::= term ([-+*/] term)*
    term  ::= ident | num | "(" ws expr ")" ws
    ident ::= [a-z] [a-z0-9_]* ws
    num   ::= [0-9]+ ws
    ws    ::= [ \t]{0,2}`;
  const words = vocabulary();
  let ended = 0;
  for (let i = 0; i < 40; i++) {
    const text = draw({ kind: 'grammar', grammar: arithmetic }, words, random, 120);
    if (text === undefined) continue;
    ended++;
    for (const line of text.split('\n').slice(0, -1)) t.match(line, /^[a-z0-9_ \t()+*/-]+=[ \t]*[a-z0-9_ \t()+*/-]+$/, JSON.stringify(line));
  }
  t.ok(ended > 5, `${ended} texts ended`);
  const list = 'root ::= item+\nitem ::= "- " [^\\r\\n]+ "\\n"';
  t.ok(accepts({ kind: 'grammar', grammar: list }, '- one\n- 二 ≠ deux\n'));
  t.notOk(accepts({ kind: 'grammar', grammar: list }, '- one\nor'));
  t.ok(accepts({ kind: 'grammar', grammar: 'root ::= "\\x41\\u00e9\\U0001F600" | .' }, 'Aé😀'));
  t.ok(accepts({ kind: 'grammar', grammar: 'root ::= "a" root "b" | "ab"' }, 'aaabbb'));
  t.notOk(accepts({ kind: 'grammar', grammar: 'root ::= "a" root "b" | "ab"' }, 'aaabb'));
  for (const [grammar, message] of [
    ['root := "a"', /line 1, column 6 of the grammar: expected "::="/],
    ['root ::= "a', /expected a closing "/],
    ['root ::= a', /no rule "a"/],
    ['start ::= "a"', /no rule "root"/],
    ['root ::= root "a" | "b"', /left recursion/],
    ['root ::= a\na ::= ws b\nb ::= a "x" | "y"\nws ::= " "*', /left recursion/],
    ['root ::= "a"{3,2}', /greater number/],
    ['root ::= <nothing>', /line 1, column 10 of the grammar: expected one token of the model between < and >, and <nothing> is none/],
    ['root ::= <[1', /expected a token such as <think> or <\[1000\]>/],
    ['root ::= <[999999]>', /the grammar names token 999999; the model has \d+/],
    ['root ::= !<[65]>', /expected \* or \+ behind a token with !/],
    ['root ::= ("a"', /expected "\)"/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'grammar', grammar }, vocabulary()), { code: 'constraint_invalid', message }, grammar);
});

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

t.test('JSON Schema: what is drawn is valid by another validator', async (t) => {
  const random = seeded(13);
  const words = vocabulary();
  let [ended, refused] = [0, 0];
  for (let round = 0; round < 120; round++) {
    const given = randomSchema(random, 0);
    const valid = ajv.compile(given);
    for (let i = 0; i < 6; i++) {
      let text: string | undefined;
      try {
        text = draw({ kind: 'schema', schema: given }, words, random);
      } catch (error) {
        if ((error as { code?: string }).code !== 'constraint_invalid') throw error;
        refused++;
        break;
      }
      if (text === undefined) continue;
      ended++;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        t.fail(`${JSON.stringify(given)} gave what is no JSON: ${text}`);
        continue;
      }
      if (!valid(value)) t.fail(`${JSON.stringify(given)} gave ${text}: ${ajv.errorsText(valid.errors)}`);
    }
  }
  t.ok(ended > 400, `${ended} texts ended`);
  t.ok(refused < 12, `${refused} schemas of 120 were refused`);
});

t.test('schemas with references, alternatives that exclude each other, and parts put together', async (t) => {
  const random = seeded(14);
  const schemas: readonly object[] = [
    { $ref: '#/$defs/tree', $defs: { tree: { type: 'object', properties: { value: { type: 'integer', minimum: 0, maximum: 9 }, left: { anyOf: [{ $ref: '#/$defs/tree' }, { type: 'null' }] } }, required: ['value', 'left'], additionalProperties: false } } },
    { oneOf: [{ type: 'object', properties: { kind: { const: 'a' }, n: { type: 'integer' } }, required: ['kind', 'n'] }, { type: 'object', properties: { kind: { const: 'b' }, s: { type: 'string', maxLength: 5 } }, required: ['kind'] }, { type: 'string', maxLength: 3 }] },
    { allOf: [{ type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }, { properties: { b: { type: 'boolean' } }, required: ['b'] }] },
    { type: ['string', 'integer', 'null'], maxLength: 2, minimum: 5, maximum: 7 },
    { type: 'array', items: { type: 'array', items: { enum: [0, 1] }, minItems: 3, maxItems: 3 }, minItems: 3, maxItems: 3 },
    { type: 'string', minLength: 100, maxLength: 300 },
    { type: 'number', minimum: 1.5, maximum: 2.5 },
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    { type: 'number', minimum: -0.3, maximum: -0.1 },
  ];
  for (const given of schemas) {
    const valid = ajv.compile(given);
    const words = vocabulary();
    let ended = 0;
    for (let i = 0; i < 30; i++) {
      const text = draw({ kind: 'schema', schema: given }, words, random);
      if (text === undefined) continue;
      ended++;
      if (!valid(JSON.parse(text))) t.fail(`${JSON.stringify(given)} gave ${text}`);
    }
    t.ok(ended >= 5, `${ended} texts of ${JSON.stringify(given).slice(0, 80)}`);
  }
  for (const [given, message] of [
    [{ type: 'object', $dynamicRef: '#x' }, /the schema's \$dynamicRef at # is not supported/],
    [{ type: 'object', properties: { list: { type: 'array', prefixItems: [{}], uniqueItems: true } }, required: ['list'] }, /uniqueItems at #\/properties\/list/],
    [{ oneOf: [{ type: 'integer' }, { type: 'string', minLength: 3 }, { format: 'date', type: 'string' }] }, /alternatives 1 and 2 that one value may both fit/],
    [{ $ref: 'http://example.org/x' }, /must point into the schema itself/],
    [{ $ref: '#/$defs/none' }, /which is not there/],
    [{ type: 'text' }, /type at # must be one of null, boolean/],
    [{ type: 'integer', minimum: 5, maximum: 4 }, /leaves no integer/],
    [{ type: 'string', format: 'telephone' }, /must be one of date/],
    [{ enum: [] }, /enum at # must be a list that is not empty/],
    [{ $ref: '#' }, /left recursion/],
    [{ not: {} }, /schema at # is false, or says not: \{\}/],
    [7, /must be an object or a boolean/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema: given }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(given));
});

t.test('values are equal whatever the order of their keys', async (t) => {
  const [one, other] = [{ a: 1, b: { c: [1, { d: 2, e: 3 }], f: null } }, { b: { f: null, c: [1, { e: 3, d: 2 }] }, a: 1 }];
  const kinds = (...values: readonly unknown[]): object => ({ oneOf: values.map((value) => ({ type: 'object', properties: { kind: { const: value } }, required: ['kind'] })) });
  t.throws(() => compileConstraint({ kind: 'schema', schema: kinds(one, other) }, vocabulary()), { code: 'constraint_invalid', message: /oneOf at # leaves nothing that is valid/ });
  for (const given of [
    { const: one, enum: [5, other] },
    { oneOf: [{ const: one }, { enum: [7, other] }] },
    { allOf: [{ const: one }, { const: other }] },
    { allOf: [{ type: 'object', properties: { p: { type: 'integer', minimum: 1, maximum: 3 } }, required: ['p'] }, { properties: { p: { maximum: 3, minimum: 1, type: 'integer' } } }] },
    kinds({ a: [1, 2] }, { a: [2, 1] }),
    { oneOf: [{ const: { a: 1 } }, { const: { a: '1' } }] },
  ]) {
    const valid = ajv.compile(given);
    const text = draw({ kind: 'schema', schema: given }, vocabulary(), seeded(3)) ?? '';
    t.ok(valid(JSON.parse(text)), `${JSON.stringify(given)} gave ${text}`);
  }
});

t.test('any JSON object', async (t) => {
  const random = seeded(15);
  const words = vocabulary();
  let ended = 0;
  for (let i = 0; i < 60; i++) {
    const text = draw({ kind: 'json' }, words, random, 200);
    if (text === undefined) continue;
    ended++;
    t.type(JSON.parse(text), 'object');
  }
  t.ok(ended > 10, `${ended} texts ended`);
  for (const text of ['{"a": [1, -2.5e3, "x\\"y", {"b": null}], "c": true}', '{}', '{"a":{}}']) t.ok(accepts({ kind: 'json' }, text), text);
  for (const text of ['[]', '{"a":01}', '{a:1}', '{"a":1,}', '{"a":"\n"}']) t.notOk(accepts({ kind: 'json' }, text), text);
});

t.test('at every place, the tokens allowed are those whose bytes the grammar takes there, one by one', async (t) => {
  const random = seeded(16);
  const patterns = ['.{0,30}!', '[a-z]{2,6}[a-c]+', '(?:[a-z]{2,4} ){0,5}x', '(?:x{2,4}){0,5}y', '(?:a|ab){0,9}b', '(?:a*,){2,4}', '.{3,7}', '[^\\n]*\\n', '.*a.*', '(?:[一-龥]{2,4}，){1,3}', '(?:é|e){5}z', '(?:(?:ab){3,5}c){4,}', '\\d{1,15}(?:\\.\\d{1,15})?'];
  const schemas = [{ type: 'string', minLength: 4, maxLength: 9 }, { type: 'array', items: { type: 'string', maxLength: 5 }, minItems: 2, maxItems: 6 }, { type: 'object' }, { enum: ['Ulm', 'Ulm an der Donau', 'Bern'] }];
  const grammars = [...patterns.map((pattern) => grammarOf({ kind: 'regex', pattern })), ...schemas.map((schema) => grammarOf({ kind: 'schema', schema })), grammarOf({ kind: 'grammar', grammar: 'root ::= (c | "\\\\" .){2,9} "!"\nc ::= [^\\\\!]' })];
  for (const grammar of grammars) {
    const compiled = new CompiledGrammar(grammar, trie, tokenizer.size, [END], bytesOf);
    for (let text = 0; text < 4; text++) {
      const walk = new GrammarWalk(compiled);
      for (let i = 0; i < 25; i++) {
        const { machine, state } = walk;
        const naive = new Set<number>(machine.ends(state) ? [END] : []);
        trie.accepted(state, (at, byte) => machine.step(at, byte), (token) => naive.add(token));
        const { bits } = walk.allowed();
        const found = Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => ((bits?.[id >>> 5] ?? 0) >>> (id & 31)) & 1);
        if (found.length !== naive.size || found.some((id) => !naive.has(id))) t.fail(`${found.length} tokens instead of ${naive.size}`);
        const going = found.filter((id) => id !== END);
        if (going.length === 0) break;
        // Long tokens cross more.
        const token = [random.pick(going), random.pick(going)].toSorted((a, b) => (bytesOf(b)?.length ?? 0) - (bytesOf(a)?.length ?? 0))[0];
        walk.accept(bytesOf(token) ?? new Uint8Array());
      }
    }
  }
  t.pass(`${grammars.length} grammars`);
});
