// Owns text to ids and back: characters that come in pieces, special tokens that only look like ones, byte-level and SentencePiece vocabularies.
// Refuses to know the model.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EncoderTokens, encoderTokenizerSchema } from '../../src/engine/encoder/tokens.ts';
import { ModelTokenizer, tokenizerSchema, Utf8Stream } from '../../src/engine/text/tokenizer.ts';
import { Random } from '../../src/training/random.ts';
import { FOLDER } from './world.ts';

const open = (file: string): ModelTokenizer => new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(file, 'utf8'))));
const shipped = open(join(FOLDER, 'tokenizer.json'));

t.test('characters come whole, however their bytes are cut, and bytes that form none are dropped', (t) => {
  const random = new Random(1);
  const text = 'aé€😀 阿尔伯特·爱因斯坦 👩‍🚀\u0000z';
  const bytes = Buffer.from(text, 'utf8');
  for (let round = 0; round < 200; round++) {
    const stream = new Utf8Stream();
    let given = '';
    for (let at = 0; at < bytes.length; ) {
      const size = random.int(1, 5);
      const piece = stream.push(bytes.subarray(at, at + size));
      if (!piece.isWellFormed()) t.fail(piece);
      given += piece;
      at += size;
    }
    t.equal(given, text);
  }
  for (const broken of [[0x80], [0xc3], [0xc0, 0x80], [0xe4, 0xb8], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff, 0xfe], [0xf0, 0x9f, 0x98]])
    t.equal(new Utf8Stream().push(Uint8Array.from([0x61, ...broken, 0x62])), 'ab', broken.map((byte) => byte.toString(16)).join(' '));
  t.end();
});

t.test('random text comes back as it was', (t) => {
  const random = new Random(2);
  const ranges = [[0x20, 0x7e], [0, 0x2ff], [0x4e00, 0x9fff], [0x1f300, 0x1f6ff], [0x600, 0x6ff]] as const;
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: random.int(1, 40) }, () => {
      const [from, to] = random.pick(ranges);
      return String.fromCodePoint(random.int(from, to));
    }).join('');
    const detokenizer = shipped.detokenizer();
    const ids = shipped.encodePlain(text);
    if (ids.map((id) => detokenizer.push(id)).join('') !== text) t.fail(JSON.stringify(text));
    if (ids.some((id) => shipped.isSpecial(id))) t.fail(`a special token in ${JSON.stringify(text)}`);
  }
  t.end();
});

t.test('tokens that are called as what JavaScript gives every object', (t) => {
  const tokens = ['<s>', '__proto__', 'constructor', 'toString', 'a'];
  // As JSON.parse makes it, and no literal would.
  const vocab: unknown = JSON.parse(`{${tokens.map((token, id) => `${JSON.stringify(token)}: ${id}`).join(', ')}}`);
  const file = { added_tokens: [{ id: 0, content: '<s>', special: true }], normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' }, post_processor: null, decoder: { type: 'Metaspace' }, model: { type: 'WordLevel', vocab, unk_token: '<s>' } };
  const tokenizer = new ModelTokenizer(tokenizerSchema.parse(file));
  t.same(tokens.map((token) => tokenizer.idOf(token)), [0, 1, 2, 3, 4]);
  t.same(tokens.map((_, id) => tokenizer.textOf(id)), tokens);
  t.same(tokenizer.encodePlain('a __proto__ toString constructor'), [4, 1, 3, 2]);
  t.same(new EncoderTokens(encoderTokenizerSchema.parse(file)).count('__proto__ a'), 2);
  for (const wrong of [{ a: '1' }, { a: 0.5 }, 7, null, [['a']]]) t.notOk(tokenizerSchema.safeParse({ ...file, model: { ...file.model, vocab: wrong } }).success, JSON.stringify(wrong));
  t.end();
});

t.test('a long text of nothing but special tokens is guarded in one go, and special tokens of one character have an end', (t) => {
  const guard = '\ue000';
  const text = '<|end|>'.repeat(30_000);
  t.ok(shipped.guard(text, guard) === `<${guard}|end|>`.repeat(30_000));
  t.equal(shipped.guard('<|<|end|>end|>', guard), '<|<\ue000|end|>end|>');
  const file = JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8')) as { readonly added_tokens: object[] };
  file.added_tokens.push({ id: 5000, content: '§', special: true });
  const odd = new ModelTokenizer(tokenizerSchema.parse(file));
  t.equal(odd.guard('a§§b', guard), 'a§\ue000§\ue000b');
  t.notOk(odd.encodePlain('a§b').includes(5000));
  t.end();
});

t.test('text made of special tokens and halves of them stays text when it is guarded', (t) => {
  const random = new Random(3);
  const parts = ['<|end|>', '<|n|>', '<|', '|>', '<|e', 'nd|>', 'end', '<', '>', '|', ' ', 'x', '<|system|>'];
  const guard = '\ue000';
  const frame = ['<|user|>', '<|end|>'].map((token) => shipped.idOf(token));
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: random.int(1, 8) }, () => random.pick(parts)).join('');
    const ids = shipped.encodeGuarded(`<|user|>${shipped.guard(text, guard)}<|end|>`, guard);
    t.same(ids.filter((id) => shipped.isSpecial(id)), frame, JSON.stringify(text));
    const detokenizer = shipped.detokenizer();
    if (ids.map((id) => detokenizer.push(id)).join('') !== text) t.fail(JSON.stringify(text));
  }
  t.end();
});

/** Real vocabularies by others, with the ids that llama.cpp's own tests expect; present only where the project's outside data is. */
const outside = process.env['PHAROS_OUTSIDE'];
const vocabularies = outside === undefined ? undefined : join(outside, 'weights/tokenizers');
if (vocabularies !== undefined && existsSync(vocabularies)) {
  t.test('a SentencePiece vocabulary gives the ids that the reference gives', (t) => {
    const llama = open(join(vocabularies, 'llama2/tokenizer.json'));
    const read = (kind: string): string => readFileSync(join(vocabularies, 'expected', `ggml-vocab-llama-spm.gguf.${kind}`), 'utf8');
    const texts = read('inp').split('\n__ggml_vocab_test__\n');
    const expected = read('out').split('\n').slice(0, texts.length).map((line) => line.trim().split(/\s+/).filter((id) => id !== '').map(Number));
    t.ok(texts.length > 30, `${texts.length} lines`);
    const wrong = texts.filter((text, i) => JSON.stringify(llama.encodePlain(text)) !== JSON.stringify(expected[i]));
    t.same(wrong, []);
    t.end();
  });
}
