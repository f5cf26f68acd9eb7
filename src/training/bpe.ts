// Owns learning a byte-level BPE vocabulary and writing it as a Hugging Face tokenizer.json.
// Refuses to know what the text says. Method: Sennrich et al. 2016, on UTF-8 bytes as in GPT-2 (Radford et al. 2019).

/** GPT-2's pre-tokenisation: contractions, letters, digits, other signs, each with an optional space in front. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** GPT-2's printable stand-in for each byte. */
export const BYTE_TO_CHARACTER: readonly string[] = (() => {
  const direct = new Set<number>();
  for (let b = 33; b <= 126; b++) direct.add(b);
  for (let b = 161; b <= 172; b++) direct.add(b);
  for (let b = 174; b <= 255; b++) direct.add(b);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(direct.has(b) ? b : next++));
})();

const specialToken = (id: number, content: string) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });

/** Learns merges until the vocabulary (special tokens, 256 bytes, merges) has `size` entries. Returns the text of tokenizer.json. */
export function trainTokenizer(texts: Iterable<string>, size: number, specialTokens: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) for (const piece of text.match(PIECES) ?? []) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const encoder = new TextEncoder();
  const vocabulary = new Map<string, number>();
  for (const token of specialTokens) vocabulary.set(token, vocabulary.size);
  for (const character of BYTE_TO_CHARACTER) vocabulary.set(character, vocabulary.size);
  const pieces = [...counts].map(([piece, count]) => ({ symbols: Array.from(encoder.encode(piece), (byte) => BYTE_TO_CHARACTER[byte]), count }));
  const pairKey = (a: string, b: string): string => `${a} ${b}`;
  const pairCounts = new Map<string, number>();
  const where = new Map<string, Set<number>>();
  const addPairs = (index: number, sign: 1 | -1): void => {
    const { symbols, count } = pieces[index];
    for (let i = 0; i + 1 < symbols.length; i++) {
      const key = pairKey(symbols[i], symbols[i + 1]);
      pairCounts.set(key, (pairCounts.get(key) ?? 0) + sign * count);
      if (sign > 0) {
        const set = where.get(key);
        if (set) set.add(index);
        else where.set(key, new Set([index]));
      }
    }
  };
  for (let i = 0; i < pieces.length; i++) addPairs(i, 1);
  const merges: [string, string][] = [];
  while (vocabulary.size < size) {
    let best = '';
    let bestCount = 1;
    for (const [key, count] of pairCounts) if (count > bestCount || (count === bestCount && count > 1 && key < best)) [best, bestCount] = [key, count];
    if (best === '') break;
    const [left, right] = best.split(' ');
    merges.push([left, right]);
    vocabulary.set(left + right, vocabulary.size);
    for (const index of where.get(best) ?? []) {
      addPairs(index, -1);
      const { symbols } = pieces[index];
      for (let i = 0; i + 1 < symbols.length; i++) if (symbols[i] === left && symbols[i + 1] === right) symbols.splice(i, 2, left + right);
      addPairs(index, 1);
    }
    pairCounts.delete(best);
    where.delete(best);
  }
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => specialToken(id, content)),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, vocab: Object.fromEntries(vocabulary), merges },
  });
}

/** The text of a tokenizer.json with these special tokens besides what it has; new ones get the ids behind its last. */
export function withSpecialTokens(tokenizer: string, specialTokens: readonly string[]): string {
  const parsed = JSON.parse(tokenizer) as { readonly added_tokens: { id: number; content: string }[]; readonly model: { readonly vocab: Record<string, number> } };
  const ids = [...parsed.added_tokens.map(({ id }) => id), ...Object.values(parsed.model.vocab)];
  let next = ids.reduce((most, id) => Math.max(most, id), -1) + 1;
  for (const content of specialTokens) {
    if (parsed.added_tokens.some((token) => token.content === content)) continue;
    parsed.added_tokens.push(specialToken(next, content));
    parsed.model.vocab[content] = next++;
  }
  return JSON.stringify(parsed);
}
