// Owns tokenizer.bin of llama2.c as a tokenizer.json: the same pieces, and its order of joining them as a list of merges.
// Refuses to know how a tokenizer.json is run.

import { readFileSync } from 'node:fs';
import { CheckpointError, reasonOf } from './checkpoint.ts';

/** SentencePiece's sign for a space. */
const SPACE = '\u2581';
const SPECIAL = ['<unk>', '<s>', '</s>'] as const;
/** Behind the special ones, one token for each byte. */
const FIRST_PIECE = SPECIAL.length + 256;

/** Throws CheckpointError for a file that is not whole, or of another size than the model's vocabulary. */
export function llama2cTokenizer(path: string, vocabularySize: number): { readonly tokenizer: object; readonly tokenizerConfig: object } {
  const pieces = readPieces(path);
  if (pieces.length !== vocabularySize) throw new CheckpointError('checkpoint_invalid', `${path} has ${pieces.length} tokens, and the model ${vocabularySize}`);
  const texts = pieces.map(({ text }, id) => SPECIAL[id] ?? (id < FIRST_PIECE ? text : text.replaceAll(' ', SPACE)));
  const vocab = new Map<string, number>();
  for (const [id, text] of texts.entries()) if (!vocab.has(text)) vocab.set(text, id);
  const added = SPECIAL.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, { type: 'Replace', pattern: { String: ' ' }, content: SPACE }] },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: SPACE }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
    model: { type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true, vocab: Object.fromEntries(vocab), merges: mergesOf(pieces, vocab) },
  };
  return { tokenizer, tokenizerConfig: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', add_bos_token: true, tokenizer_class: 'LlamaTokenizer' } };
}

/** llama2.c joins those two neighbours whose whole has the highest score: each way to cut a piece into two others is a merge, the highest scores first. */
function mergesOf(pieces: readonly { readonly score: number; readonly text: string }[], vocab: ReadonlyMap<string, number>): string[][] {
  const merges: { readonly pair: [string, string]; readonly score: number; readonly order: readonly [number, number] }[] = [];
  for (const [id, { score, text }] of pieces.entries()) {
    if (id < FIRST_PIECE) continue;
    const characters = Array.from(text.replaceAll(' ', SPACE));
    for (let cut = 1; cut < characters.length; cut++) {
      const pair: [string, string] = [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
      const [first = -1, second = -1] = pair.map((part) => vocab.get(part));
      if (first >= FIRST_PIECE && second >= FIRST_PIECE) merges.push({ pair, score, order: [first, second] });
    }
  }
  return merges.toSorted((a, b) => b.score - a.score || a.order[0] - b.order[0] || a.order[1] - b.order[1]).map(({ pair }) => pair);
}

function readPieces(path: string): { readonly score: number; readonly text: string }[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CheckpointError('checkpoint_invalid', `${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: { score: number; text: string }[] = [];
  // The length of the longest piece comes first.
  for (let at = 4; at < bytes.length; ) {
    const length = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : -1;
    if (length < 0 || at + 8 + length > bytes.length) throw new CheckpointError('checkpoint_invalid', `${path} is damaged at token ${pieces.length}; it is cut short or no tokenizer of llama2.c`);
    pieces.push({ score: view.getFloat32(at, true), text: new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length)) });
    at += 8 + length;
  }
  if (pieces.length <= FIRST_PIECE) throw new CheckpointError('checkpoint_invalid', `${path} has ${pieces.length} tokens; ${FIRST_PIECE} stand for special ones and bytes alone`);
  return pieces;
}
