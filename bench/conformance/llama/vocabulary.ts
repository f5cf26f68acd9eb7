// Owns the tokenizer.json that a GGUF vocabulary stands for: byte-level BPE with the expressions that llama.cpp splits by, SentencePiece BPE, WordPiece.
// Refuses to know Pharos' tokenizer: what comes out is a Hugging Face file like any other.

import { z } from 'zod';
import { CppReader, tokensOf } from './cpp.ts';
import type { Metadata } from './gguf.ts';

const known = z.looseObject({
  'tokenizer.ggml.model': z.string(),
  'tokenizer.ggml.pre': z.string().default('default'),
  'tokenizer.ggml.tokens': z.array(z.string()),
  'tokenizer.ggml.token_type': z.array(z.int()).default([]),
  'tokenizer.ggml.scores': z.array(z.number()).default([]),
  'tokenizer.ggml.merges': z.array(z.string()).default([]),
  'tokenizer.ggml.add_space_prefix': z.boolean().default(true),
});
type Known = z.infer<typeof known>;
const [UNKNOWN, CONTROL, OWN, BYTE] = [2, 3, 4, 6];

/** How llama.cpp cuts a text before it merges, by the name that GGUF files give it. */
export interface Splitting {
  readonly expressions: readonly string[];
  /** A word that is a token is taken whole, whatever the merges are. */
  readonly ignoreMerges: boolean;
}
/** Read out of src/llama-vocab.cpp: the switch over kinds, and the chain of names that choose one. */
export function splittings(source: string): ReadonlyMap<string, Splitting> {
  const tokens = tokensOf(source.slice(source.indexOf('switch (vocab.get_pre_type())')));
  const byKind = new Map<string, string[]>();
  const reader = new CppReader(tokens);
  let kinds: string[] = [];
  for (; reader.at < tokens.length && !(reader.is('struct') && byKind.size > 0); reader.at++) {
    if (reader.is('case') || reader.is('default')) kinds.push(reader.is('default') ? 'DEFAULT' : tokens[reader.at + 1].value.replace('LLAMA_VOCAB_PRE_TYPE_', ''));
    else if (reader.is('regex_exprs') && reader.is('=', 1) && reader.is('{', 2)) {
      reader.at += 3;
      const expressions = reader.list('}').map((each) => (each.kind === 'text' ? each.value : ''));
      for (const kind of kinds) byKind.set(kind, expressions);
      reader.at--;
    } else if (reader.is('break')) kinds = [];
  }
  const byName = new Map<string, Splitting>();
  for (const [, names, body] of source.matchAll(/if \(\s*((?:tokenizer_pre == "[^"]+"\s*(?:\|\|)?\s*)+)\) \{([^}]*)\}/g)) {
    const expressions = byKind.get(/LLAMA_VOCAB_PRE_TYPE_(\w+)/.exec(body)?.[1] ?? '');
    if (expressions) for (const [, name] of names.matchAll(/"([^"]+)"/g)) byName.set(name, { expressions, ignoreMerges: /ignore_merges\s*=\s*true/.test(body) });
  }
  return byName;
}

export type Converted = { readonly kind: 'decoder' | 'encoder'; readonly file: object; readonly bytes: boolean } | { readonly kind: 'none'; readonly reason: string };

/** `file`: tokenizer.json. `encoder`: one that only encoders have. `bytes`: every text can be written with it. */
export function tokenizerOf(metadata: Metadata, table: ReadonlyMap<string, Splitting>): Converted {
  const given = known.parse(Object.fromEntries(metadata));
  const model = given['tokenizer.ggml.model'];
  switch (model) {
    case 'gpt2': {
      const pre = given['tokenizer.ggml.pre'];
      const splitting = table.get(pre);
      if (!splitting) return { kind: 'none', reason: `llama.cpp does not say how texts are cut for "${pre}"` };
      return { kind: 'decoder', file: byteLevel(given, splitting), bytes: true };
    }
    case 'llama':
      return { kind: 'decoder', file: sentencePiece(given, mergesOf(given), given['tokenizer.ggml.add_space_prefix']), bytes: true };
    case 'gemma4':
      return { kind: 'decoder', file: sentencePiece(given, given['tokenizer.ggml.merges'], false), bytes: true };
    case 'bert':
      return { kind: 'encoder', file: wordPiece(given), bytes: false };
    default:
      return { kind: 'none', reason: `GGUF vocabulary of kind ${model}: its parts do not make a tokenizer.json` };
  }
}

const vocabularyOf = (given: Known): Record<string, number> => Object.fromEntries(given['tokenizer.ggml.tokens'].map((token, id) => [token, id]));
function addedOf(given: Known): object[] {
  return given['tokenizer.ggml.tokens'].flatMap((content, id) => {
    const type = given['tokenizer.ggml.token_type'][id];
    if (type !== CONTROL && type !== OWN && type !== UNKNOWN) return [];
    return [{ id, content, special: type !== OWN, lstrip: false, rstrip: false, single_word: false, normalized: false }];
  });
}
const EMPTY = { version: '1.0', truncation: null, padding: null, post_processor: null };

function byteLevel(given: Known, { expressions, ignoreMerges }: Splitting): object {
  return {
    ...EMPTY,
    added_tokens: addedOf(given),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [...expressions.map((Regex) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false })), { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }],
    },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: ignoreMerges, vocab: vocabularyOf(given), merges: given['tokenizer.ggml.merges'] },
  };
}

/** SentencePiece states scores and no merges; Hugging Face's converter makes merges of every pair of pieces that is a piece, the likeliest first. */
function mergesOf(given: Known): string[] {
  const tokens = given['tokenizer.ggml.tokens'];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const types = given['tokenizer.ggml.token_type'];
  const merges: { readonly left: number; readonly right: number; readonly score: number }[] = [];
  tokens.forEach((token, id) => {
    if (types[id] === BYTE || types[id] === CONTROL || types[id] === UNKNOWN) return;
    const characters = Array.from(token);
    for (let cut = 1; cut < characters.length; cut++) {
      const [left, right] = [ids.get(characters.slice(0, cut).join('')), ids.get(characters.slice(cut).join(''))];
      if (left !== undefined && right !== undefined) merges.push({ left, right, score: given['tokenizer.ggml.scores'][id] ?? 0 });
    }
  });
  return merges.toSorted((a, b) => b.score - a.score || a.left - b.left || a.right - b.right).map(({ left, right }) => `${tokens[left]} ${tokens[right]}`);
}
function sentencePiece(given: Known, merges: readonly string[], prefix: boolean): object {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' };
  const unknown = given['tokenizer.ggml.tokens'][given['tokenizer.ggml.token_type'].indexOf(UNKNOWN)] ?? null;
  return {
    ...EMPTY,
    added_tokens: addedOf(given),
    normalizer: prefix ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '\u2581' }, replace] } : replace,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [])],
    },
    model: { type: 'BPE', dropout: null, unk_token: unknown, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab: vocabularyOf(given), merges: merges.map((merge) => pairOf(merge)) },
  };
}
/** Merges as pairs: a piece may itself hold a space when it stands for one. */
function pairOf(merge: string): [string, string] {
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

/** GGUF marks beginnings of words, the file marks what goes on inside one. */
function wordPiece(given: Known): object {
  const types = given['tokenizer.ggml.token_type'];
  const tokens = given['tokenizer.ggml.tokens'].map((token, id) => {
    if (types[id] === CONTROL || types[id] === UNKNOWN || /^\[.*\]$/.test(token)) return token;
    return token.startsWith('\u2581') ? token.slice(1) : `##${token}`;
  });
  return {
    ...EMPTY,
    added_tokens: addedOf(given),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
  };
}
