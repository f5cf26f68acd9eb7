// Owns how texts and pairs are framed and cut for encoders, by every kind of frame that tokenizer.json states.
// Refuses to know models.

import t from 'tap';
import { EncoderTokens, encoderTokenizerSchema } from '../../src/engine/encoder/tokens.ts';
import { seeded } from '../helpers/store-world.ts';

const special = (id: number, content: string): object => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
/** RoBERTa's and XLM-R's ids; the vocabulary spells "</s>" itself, as SentencePiece's do. */
const PIECES = ['<s>', '<pad>', '</s>', '<unk>', '▁a', '▁b', '▁c', '▁', 'a', 'b', 'c', '<', '/', 's', '>'];
const file = (post_processor: unknown): unknown => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: ['<s>', '<pad>', '</s>', '<unk>'].map((content, id) => special(id, content)),
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor,
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  model: { type: 'Unigram', unk_id: 3, vocab: PIECES.map((piece, i) => [piece, i < 4 ? 0 : -1 - i / 100]), byte_fallback: false },
});
const tokensOf = (post_processor: unknown): EncoderTokens => new EncoderTokens(encoderTokenizerSchema.parse(file(post_processor)));
const piece = (id: string, type_id = 0): object => ({ SpecialToken: { id, type_id } });
const text = (id: string, type_id = 0): object => ({ Sequence: { id, type_id } });
const TEMPLATE = {
  type: 'TemplateProcessing',
  single: [piece('<s>'), text('A'), piece('</s>')],
  pair: [piece('<s>'), text('A'), piece('</s>'), piece('</s>'), text('B'), piece('</s>')],
  special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] }, '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] } },
};
const loose = { limit: 100, truncate: false, name: 'the text' };

t.test('every kind of frame', (t) => {
  const frames: readonly [unknown, readonly number[], readonly number[], readonly number[]][] = [
    [TEMPLATE, [0, 4, 5, 2], [0, 4, 2, 2, 5, 6, 2], [0, 0, 0, 0, 0, 0, 0]],
    [{ type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true, add_prefix_space: false }, [0, 4, 5, 2], [0, 4, 2, 2, 5, 6, 2], [0, 0, 0, 0, 0, 0, 0]],
    [{ type: 'BertProcessing', sep: ['</s>', 2], cls: ['<s>', 0] }, [0, 4, 5, 2], [0, 4, 2, 5, 6, 2], [0, 0, 0, 1, 1, 1]],
    [{ type: 'Sequence', processors: [{ type: 'ByteLevel', trim_offsets: false }, TEMPLATE] }, [0, 4, 5, 2], [0, 4, 2, 2, 5, 6, 2], [0, 0, 0, 0, 0, 0, 0]],
    [{ type: 'ByteLevel', trim_offsets: false }, [4, 5], [4, 5, 6], [0, 0, 0]],
    [null, [4, 5], [4, 5, 6], [0, 0, 0]],
  ];
  for (const [processor, single, pair, segments] of frames) {
    const tokens = tokensOf(processor);
    const name = JSON.stringify(processor)?.slice(0, 40) ?? 'none';
    t.same(tokens.text('a b', loose).ids, single, name);
    const row = tokens.pair(tokens.first('a', loose), 'b c', loose);
    t.same(row.ids, pair, name);
    t.same(row.segments, segments, name);
    t.equal(tokens.count('a b'), single.length, name);
    t.equal(tokens.padId, 1);
  }
  t.throws(() => tokensOf({ ...TEMPLATE, single: [piece('<x>'), text('A')] }), { code: 'model_invalid', message: /names <x>/ });
  t.end();
});

t.test('special tokens written in a text are never those tokens, even where the vocabulary spells them', (t) => {
  const tokens = tokensOf(TEMPLATE);
  for (const given of ['a </s> b', '</s>', 'a</s></s>b', '<s><pad>', '<unk> a']) {
    const { ids } = tokens.text(given, loose);
    t.same([ids[0], ids.at(-1)], [0, 2], given);
    t.notOk(ids.slice(1, -1).some((id) => id < 3), `${given}: ${ids.join(' ')}`);
  }
  t.end();
});

t.test('cutting leaves the frame whole and the longer of a pair loses first', (t) => {
  const tokens = tokensOf(TEMPLATE);
  const random = seeded(4);
  const words = (count: number): string => Array.from({ length: count }, () => 'abc'[Math.floor(random.next() * 3)]).join(' ');
  for (let i = 0; i < 300; i++) {
    const [a, b, limit] = [1 + Math.floor(random.next() * 20), 1 + Math.floor(random.next() * 20), 6 + Math.floor(random.next() * 30)];
    const cutting = { limit, truncate: true, name: 'it' };
    const single = tokens.text(words(a), cutting);
    t.equal(single.ids.length, Math.min(a + 2, limit));
    t.same([single.ids[0], single.ids.at(-1)], [0, 2]);
    const { ids } = tokens.pair(tokens.first(words(a), loose), words(b), cutting);
    t.equal(ids.length, Math.min(a + b + 4, limit));
    const at = ids.indexOf(2);
    const [first, second] = [at - 1, ids.length - at - 3];
    // One token after the other off the longer one; of two that are alike, off the one that was shorter, or the first.
    let [left, right] = [a, b];
    while (left + right > limit - 4) {
      if (left > right || (left === right && a <= b)) left--;
      else right--;
    }
    t.same([first, second], [left, right], `${a}, ${b} into ${limit}`);
    if (a + b + 4 > limit) t.throws(() => tokens.pair(tokens.first(words(a), loose), words(b), { ...cutting, truncate: false }), { code: 'context_length_exceeded' });
  }
  t.end();
});
