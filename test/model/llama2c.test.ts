// Owns that checkpoints and tokenizers of llama2.c come in as they are meant: made ones, and with PHAROS_OUTSIDE a published one against the text that its authors publish.
// Refuses to carry that model.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import { llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { Random } from '../../src/training/random.ts';
import { ask, collect, startEngine } from '../engine/world.ts';
import { llamaLogits, randomWeights } from './llama-reference.ts';

interface Piece {
  readonly text: string;
  readonly score: number;
}
const LETTERS = ' abcdefghijklmnop.é';
const JOINED = [' a', 'bc', 'abc', ' ab', 'de', 'cd', 'cde', ' abc', 'fg', 'efg', 'defg', 'no', 'op', 'nop', '. ', 'é.', 'aa', 'aaa', 'aaaa'];
const PIECES: readonly Piece[] = [
  ...['<unk>', '\n<s>\n', '\n</s>\n', ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)].map((text) => ({ text, score: 0 })),
  ...JOINED.map((text, i) => ({ text, score: -i })),
  ...Array.from(LETTERS, (text, i) => ({ text, score: -JOINED.length - i })),
];
function tokenizerFile(pieces: readonly Piece[]): Buffer {
  const longest = Buffer.alloc(4);
  longest.writeInt32LE(Math.max(...pieces.map(({ text }) => Buffer.byteLength(text))));
  return Buffer.concat([
    longest,
    ...pieces.map(({ text, score }) => {
      const head = Buffer.alloc(8);
      head.writeFloatLE(score, 0);
      head.writeInt32LE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    }),
  ]);
}
/** As llama2.c's run.c encodes: a token for each character, or for each of its bytes, then again and again the best joint of all. */
function encode(pieces: readonly Piece[], text: string): number[] {
  const ids = new Map(pieces.map((piece, id) => [piece.text, id]));
  const tokens = [...(text === '' ? [] : [' ']), ...text].flatMap((character) => ids.get(character) ?? [...Buffer.from(character)].map((byte) => byte + 3));
  for (;;) {
    let [best, at, score] = [-1, -1, Number.NEGATIVE_INFINITY];
    for (let i = 0; i + 1 < tokens.length; i++) {
      const id = ids.get(pieces[tokens[i]].text + pieces[tokens[i + 1]].text);
      if (id !== undefined && pieces[id].score > score) [best, at, score] = [id, i, pieces[id].score];
    }
    if (at < 0) return [1, ...tokens];
    tokens.splice(at, 2, best);
  }
}

const CONFIG: LlamaConfig = { vocabularySize: PIECES.length, width: 32, layers: 2, heads: 4, keyValueHeads: 2, headSize: 8, feedForward: 40, contextLength: 48, rotary: { base: 10_000 }, normEpsilon: 1e-5, attentionBias: false, headNorm: false, tied: true };
function checkpointFile(config: LlamaConfig, weights: ReadonlyMap<string, Float32Array>, version: 0 | 1): Buffer {
  const { width, feedForward, layers, heads, keyValueHeads, vocabularySize, contextLength, tied } = config;
  const head = Buffer.alloc(version === 1 ? 256 : 28);
  if (version === 1) {
    head.writeUInt32LE(0x616b3432, 0);
    head.writeInt32LE(1, 4);
    head.writeUInt8(Number(tied), 36);
  }
  [width, feedForward, layers, heads, keyValueHeads, version === 0 && !tied ? -vocabularySize : vocabularySize, contextLength].forEach((value, i) => head.writeInt32LE(value, (version === 1 ? 8 : 0) + 4 * i));
  const of = (name: string): Buffer => Buffer.from(Float32Array.from(weights.get(name) ?? []).buffer);
  const all = (name: string): Buffer[] => Array.from({ length: layers }, (_, i) => of(`model.layers.${i}.${name}.weight`));
  const [norms, embedding, tail] = [[...all('input_layernorm')], [of('model.embed_tokens.weight')], tied ? [] : [of('lm_head.weight')]];
  const attention = ['q', 'k', 'v', 'o'].flatMap((part) => all(`self_attn.${part}_proj`));
  const fed = ['gate', 'down', 'up'].flatMap((part) => all(`mlp.${part}_proj`));
  const [second, end] = [all('post_attention_layernorm'), [of('model.norm.weight')]];
  if (version === 1) return Buffer.concat([head, ...norms, ...second, ...end, ...embedding, ...attention, ...fed, ...tail]);
  return Buffer.concat([head, ...embedding, ...norms, ...attention, ...second, ...fed, ...end, Buffer.alloc((4 * contextLength * width) / heads, 0x7f), ...tail]);
}
function made(t: Test, files: Readonly<Record<string, Buffer>>): { readonly folder: string; readonly out: string } {
  const folder = join(t.testdir(), 'made');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return { folder, out: join(t.testdirName, 'stories') };
}

for (const [version, tied] of [[0, true], [0, false], [1, true], [1, false]] as const)
  t.test(`version ${version}, ${tied ? 'one table for both ends' : 'a head of its own'}: neighbours are turned together`, async (t) => {
    const config = { ...CONFIG, tied };
    const weights = randomWeights(config, 17);
    const { folder, out } = made(t, { 'model.bin': checkpointFile(config, weights, version), 'tok.bin': tokenizerFile(PIECES) });
    const report = importModel({ from: folder, out, storage: 'float' });
    t.equal(report.parameters, llamaParameters(config).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
    const files = await readModelFiles(out);
    t.same([files.contextLength, files.vocabularySize, files.endTokens], [48, PIECES.length, [2, 1]]);
    const tokens = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
    const engine = await startEngine(t, { models: [out] });
    for (const text of ['abc de', 'no op. aaa', 'é']) {
      const ids = encode(PIECES, text);
      const said: number[] = [];
      while (said.length < 12) {
        const row = llamaLogits(config, weights, [...ids, ...said], 'neighbours')[ids.length + said.length - 1];
        said.push(row.indexOf(Math.max(...row)));
        if (said.at(-1) === 1 || said.at(-1) === 2) break;
      }
      const detokenizer = tokens.detokenizer();
      const given = await collect(engine.generate(ask(text, { model: 'stories', maxTokens: 12 })));
      t.equal(given.text, said.map((id) => detokenizer.push(id)).join(''), text);
      t.equal(given.usage?.promptTokens, ids.length);
    }
  });

t.test('texts are cut into the tokens that llama2.c cuts them into', async (t) => {
  const { folder, out } = made(t, { 'model.bin': checkpointFile(CONFIG, randomWeights(CONFIG, 1), 1), 'tokenizer.bin': tokenizerFile(PIECES) });
  importModel({ from: folder, out, storage: 'float' });
  const files = await readModelFiles(out);
  const tokens = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
  const random = new Random(23);
  const characters = [...LETTERS, ...'aabcdeXß€🙂\n'];
  for (let round = 0; round < 400; round++) {
    const text = Array.from({ length: random.int(1, 30) }, () => random.pick(characters)).join('');
    const right = encode(PIECES, text);
    t.same(tokens.encodeTrusted(text), right, JSON.stringify(text));
    const detokenizer = tokens.detokenizer();
    t.equal(right.map((id) => detokenizer.push(id)).join(''), ` ${text}`);
  }
});

t.test('a token that is called as a property of every object is a token like others', async (t) => {
  const joined = ['co', 'con', 'st', 'str', 'stru', 'struc', 'struct', 'structo', 'structor', 'constructor'];
  const pieces = [...PIECES.slice(0, 259), ...joined.map((text, i) => ({ text, score: -i })), ...Array.from(' conrstu', (text, i) => ({ text, score: -joined.length - i }))];
  const config = { ...CONFIG, vocabularySize: pieces.length };
  const { folder, out } = made(t, { 'model.bin': checkpointFile(config, randomWeights(config, 1), 1), 'tokenizer.bin': tokenizerFile(pieces) });
  importModel({ from: folder, out, storage: 'float' });
  const files = await readModelFiles(out);
  const tokens = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
  const right = encode(pieces, 'constructor');
  t.equal(right.at(-1), 259 + joined.indexOf('constructor'));
  t.same(tokens.encodeTrusted('constructor'), right);
  const detokenizer = tokens.detokenizer();
  t.equal(right.map((id) => detokenizer.push(id)).join(''), ' constructor');
});

t.test('what is wrong with a file is said', (t) => {
  const good = checkpointFile(CONFIG, randomWeights(CONFIG, 1), 1);
  const tokenizer = tokenizerFile(PIECES);
  const refused = (files: Readonly<Record<string, Buffer>>, code: string, message: RegExp): void => {
    t.test(String(message), (t) => {
      const { folder, out } = made(t, files);
      t.throws(() => importModel({ from: folder, out, storage: 'float' }), { code, message });
      t.end();
    });
  };
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes.writeInt32LE(value, at);
    return bytes;
  };
  refused({ 'model.bin': good.subarray(0, good.length - 4), 'tokenizer.bin': tokenizer }, 'checkpoint_invalid', /bytes, and its header of version 1 .* asks for/);
  refused({ 'model.bin': changed(4, 2), 'tokenizer.bin': tokenizer }, 'checkpoint_unsupported', /version 2 of llama2\.c's checkpoints is not read here/);
  refused({ 'model.bin': changed(20, 3), 'tokenizer.bin': tokenizer }, 'checkpoint_invalid', /no header of llama2\.c/);
  refused({ 'model.bin': Buffer.from('nothing'), 'tokenizer.bin': tokenizer }, 'checkpoint_invalid', /no header of llama2\.c/);
  refused({ 'model.bin': good }, 'checkpoint_invalid', /one tokenizer of llama2\.c .* it has none/);
  refused({ 'model.bin': good, 'tokenizer.bin': tokenizer.subarray(0, tokenizer.length - 1) }, 'checkpoint_invalid', /damaged at token 296/);
  refused({ 'model.bin': good, 'tokenizer.bin': tokenizerFile(PIECES.slice(0, -1)) }, 'checkpoint_invalid', /has 296 tokens, and the model 297/);
  refused({ 'a.bin': good, 'b.bin': good }, 'arguments_invalid', /more than one checkpoint/);
  t.end();
});

/** What `./run stories260K.bin -z tok512.bin -t 0.0` says (karpathy/llama2.c, doc/stories260K.md): 256 tokens. */
const STORY = `Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she said, "I'm sorry, mom. I didn't know what to do." Her mom said, "Don't worry, Lily. We can help you.`;

const outside = process.env['PHAROS_OUTSIDE'];
if (outside !== undefined)
  t.test('the published story comes out token for token', async (t) => {
  const folder = join(t.testdir(), 'stories260K');
  mkdirSync(folder);
  for (const name of ['checkpoint_v1.bin', 'tokenizer.bin']) copyFileSync(join(outside ?? '', 'weights/stories260K', name), join(folder, name));
  for (const storage of ['float', 'float16'] as const) {
    const out = join(t.testdirName, storage);
    importModel({ from: folder, out, storage });
    const engine = await startEngine(t, { models: [out] });
    const given = await collect(engine.generate(ask('', { model: storage, prompt: { kind: 'tokens', ids: [1] }, maxTokens: 256 })));
    t.equal(given.text, ` ${STORY}`, storage);
    t.equal(given.usage?.completionTokens, 256);
    // Another beginning, of which the words are in the story.
    const files = await readModelFiles(out);
    const pieces = readPieces(readFileSync(join(folder, 'tokenizer.bin')));
    t.same(new ModelTokenizer(files.tokenizer, files.tokenizerConfig).encodeTrusted(STORY), encode(pieces, STORY));
    await engine.close(0);
  }
});
function readPieces(bytes: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    pieces.push({ score: bytes.readFloatLE(at), text: bytes.toString('utf8', at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return pieces;
}
