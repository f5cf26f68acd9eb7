// Owns the test of how texts reach an encoder and come from its decoder with tokenizers whose words begin with a space, and of the folders of T5 and Marian.
// Refuses to know graphs.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { EncoderDecoderFiles } from '../../src/engine/encoder-decoder/files.ts';
import { SourceReader } from '../../src/engine/encoder-decoder/source-text.ts';
import { readModelFiles, taskOf } from '../../src/engine/models/model-files.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { writeExport } from './encoder-decoder-folders.ts';

const VOCABULARY = ['</s>', '<unk>', '\u2581', '\u2581das', '\u2581Haus', '\u2581the', '\u2581house', 'a', 's', '>>fra<<'];
const [END, , , DAS, HAUS, THE, HOUSE, , , FRENCH] = VOCABULARY.keys();
const FILES: EncoderDecoderFiles = {
  encoder: '',
  type: 'marian',
  begins: [END],
  start: END,
  ends: [],
  bans: { ngram: 0, always: [], first: [], words: [], least: 0 },
};
/** As SentencePiece models are written by `save_pretrained`. */
function readerOf(decoder: object, files: Partial<EncoderDecoderFiles> = {}): { readonly reader: SourceReader; readonly tokenizer: ModelTokenizer } {
  const file = tokenizerSchema.parse({
    added_tokens: [{ id: END, content: '</s>', special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', add_prefix_space: true, split: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [],
      special_tokens: { '</s>': { id: '</s>', ids: [END], tokens: ['</s>'] } },
    },
    decoder,
    model: { type: 'Unigram', unk_id: 1, vocab: VOCABULARY.map((token, i) => [token, -1 - i / 100]) },
  });
  const tokenizer = new ModelTokenizer(file);
  return { reader: new SourceReader({ ...FILES, ...files }, tokenizer, file), tokenizer };
}
const METASPACE = { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', add_prefix_space: true };

t.test('a text and a chat have the same frame; what is written begins without a space', (t) => {
  const { reader, tokenizer } = readerOf(METASPACE);
  const text = { kind: 'text', text: 'das Haus' } as const;
  const chat = { kind: 'chat', messages: [{ role: 'user', content: 'das Haus' }] } as const;
  t.same(reader.read(text), { source: [DAS, HAUS, END], begins: [END] });
  t.same(reader.read(chat), { source: [DAS, HAUS, END], begins: [END] });
  t.same(reader.read({ kind: 'tokens', ids: [7] }).source, [7], 'ids are taken as they are');
  const written = (prompt: Parameters<SourceReader['read']>[0]): string => {
    const detokenizer = reader.detokenizer(tokenizer.detokenizer(), prompt);
    return [END, THE, HOUSE].map((token) => detokenizer.push(token)).join('');
  };
  t.equal(written(text), 'the house');
  const going = { kind: 'chat', messages: [...chat.messages, { role: 'assistant', content: 'the' }], continues: true } as const;
  t.same(reader.read(going), { source: [DAS, HAUS, END], begins: [END, THE] });
  t.equal(written(going), ' the house', 'what goes on keeps it');
  t.throws(() => reader.read({ ...chat, continues: true }), { code: 'invalid_prompt', message: /it is one of user; it must be one of assistant/ });
  t.end();
});

t.test('tokenizers say in their decoder whether the first space is left out', (t) => {
  for (const [decoder, first] of [
    [{ ...METASPACE, prepend_scheme: 'never', add_prefix_space: false }, ' the'],
    [
      {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      'the',
    ],
  ] as const) {
    const { reader, tokenizer } = readerOf(decoder);
    t.equal(reader.detokenizer(tokenizer.detokenizer(), { kind: 'text', text: 'a' }).push(THE), first);
  }
  t.end();
});

t.test('Marian has the language of a translation in front of the text', (t) => {
  const { reader } = readerOf(METASPACE);
  t.same(reader.read({ kind: 'text', text: 'das', languages: { target: 'fra' } }), { source: [FRENCH, DAS, END], begins: [END] });
  t.throws(() => reader.read({ kind: 'text', text: 'das', languages: { target: 'deu' } }), {
    code: 'invalid_prompt',
    message: 'this model has no language "deu"; it has: >>fra<<',
  });
  // A token that marks no language is none.
  t.throws(() => reader.read({ kind: 'text', text: 'das', languages: { source: '</s>' } }), { code: 'invalid_prompt' });
  t.end();
});

t.test('folders of T5 state no longest text, and those of Marian are no encoders', async (t) => {
  const folder = t.testdir();
  writeExport(folder, { layout: 'merged' });
  const path = join(folder, 'config.json');
  const { max_position_embeddings: longest, ...config } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  t.equal((await readModelFiles(folder)).contextLength, longest);
  for (const [name, said, stated, expected] of [
    ['n_positions', { n_positions: 300 }, {}, 300],
    ['the tokenizer', {}, { model_max_length: 777 }, 777],
    ['nobody', {}, { model_max_length: 1e30 }, 512],
  ] as const) {
    writeFileSync(path, JSON.stringify({ ...config, model_type: 't5', ...said }));
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(stated));
    t.equal((await readModelFiles(folder)).contextLength, expected, `said by ${name}`);
  }
  // Such configurations are known by their type where they do not say what they are.
  const { is_encoder_decoder: _, ...rest } = config;
  writeFileSync(path, JSON.stringify({ ...rest, model_type: 'marian', max_position_embeddings: 512, architectures: ['MarianMTModel'] }));
  t.equal(await taskOf(folder), 'generate');
  t.match(await readModelFiles(folder), { source: { type: 'marian', begins: [3], padId: 2 }, chatTemplate: undefined });
});
