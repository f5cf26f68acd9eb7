// Owns the measurement of constraints: how long it takes to make a grammar ready, and to say which tokens may come, at a vocabulary of 152,000.
// Refuses to know models. The vocabulary is that of GPT-2 (50,257 tokens) and, up to 152,000, pairs of its tokens. Tokens are drawn at random out of those allowed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { TokenTrie } from '../../src/engine/constraints/token-trie.ts';
import type { ConstraintSpec, TextLimits } from '../../src/engine/port.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { seeded } from '../../test/helpers/store-world.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { outside, texts, tokens } = options({ outside: process.env.PHAROS_OUTSIDE ?? '', texts: 20, tokens: 200 });
if (outside === '') throw new Error('give --outside, the folder in which weights/tiny-random-gpt2/tokenizer.json lies');
const SIZE = 152_000;
const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(outside, 'weights/tiny-random-gpt2/tokenizer.json'), 'utf8'))));
const END = 50_256;
const own = 50_000;
const bytesOf = (id: number): Uint8Array | undefined => (id === END ? undefined : id < tokenizer.size ? tokenizer.bytesOf(id) : Buffer.concat([tokenizer.bytesOf(id % own) ?? Buffer.from(' '), tokenizer.bytesOf((id * 7) % own) ?? Buffer.from(' ')]));
const began = performance.now();
const trie = new TokenTrie(Array.from({ length: SIZE }, (_, id) => id), bytesOf);
await printMachine([]);
console.log(`tree of ${SIZE} tokens, ${trie.bytes.length} nodes: ${(performance.now() - began).toFixed(0)} ms, once for a model\n`);

const person = { type: 'object', properties: { name: { type: 'string', minLength: 2, maxLength: 30 }, age: { type: 'integer', minimum: 0, maximum: 120 }, email: { type: 'string', format: 'email' }, tags: { type: 'array', items: { type: 'string' }, maxItems: 5 }, address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } }, required: ['street', 'city'] } }, required: ['name', 'age', 'email', 'tags', 'address'], additionalProperties: false };
const CASES: readonly (readonly [string, ConstraintSpec, TextLimits?])[] = [
  ['any JSON object', { kind: 'json' }],
  ['JSON Schema, a person', { kind: 'schema', schema: person }],
  ['JSON Schema, a list of persons', { kind: 'schema', schema: { type: 'array', items: person } }],
  ['pattern (yes|no), [A-Z][a-z]+\\.', { kind: 'regex', pattern: '(yes|no), [A-Z][a-z]+\\.' }],
  ['the person, at most 400 characters', { kind: 'schema', schema: person }, { characters: 400 }],
  ['the person, at most 60 words', { kind: 'schema', schema: person }, { words: 60 }],
  ['a text of up to 500 characters', { kind: 'schema', schema: { type: 'string', minLength: 20, maxLength: 500 } }],
  ['grammar, list of lines', { kind: 'grammar', grammar: 'root ::= item+\nitem ::= "- " [^\\n]+ "\\n"' }],
];
const rows: (string | number)[][] = [];
for (const [name, spec, limits] of CASES) {
  const random = seeded(1);
  const vocabulary = { trie: () => trie, size: SIZE, ends: [END], encode: () => [], bytesOf, compiled: new Map() };
  const first: number[] = [];
  const later: number[] = [];
  let ready = 0;
  for (let i = 0; i < texts; i++) {
    const start = performance.now();
    const constraint = compileConstraint(spec, vocabulary, limits);
    if (i === 0) ready = performance.now() - start;
    for (let n = 0; n < tokens; n++) {
      const at = performance.now();
      const { bits } = constraint.allowed();
      (i === 0 ? first : later).push(performance.now() - at);
      const ids: number[] = [];
      for (let word = 0; word < (bits?.length ?? 0); word++) for (let rest = bits?.[word] ?? 0; rest !== 0; rest &= rest - 1) ids.push(word * 32 + 31 - Math.clz32(rest & -rest));
      const token = random.pick(ids);
      if (token === END) break;
      constraint.accept(token);
    }
  }
  const mean = (values: readonly number[]): string => (values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)).toFixed(3);
  rows.push([name, ready.toFixed(2), mean(first), Math.max(...first).toFixed(2), mean(later), quantile(later, 0.99).toFixed(3)]);
}
printTable(['constraint', 'made ready, ms', 'mask, first text, mean ms', 'most', 'mask, later texts, mean ms', 'p99'], rows);
