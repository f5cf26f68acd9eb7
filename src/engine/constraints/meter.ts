// Owns how bytes count towards a limit, so that what a grammar still has to write can be measured before it is written.
// Refuses to know grammars, and how much a text may have.

import { wordClass } from './text-length.ts';
import type { WordClass } from './text-length.ts';
import type { TokenTrie } from './token-trie.ts';

/** A small automaton that counts as it reads bytes; never less than is counted of the text itself. */
export interface Meter {
  readonly name: 'characters' | 'words';
  /** It begins in state 0. */
  readonly states: number;
  /** By state and byte (state * 256 + byte): the state behind it, and what the byte adds. */
  readonly next: Uint8Array;
  readonly cost: Uint8Array;
}
const CONTINUES = 0xc0;
const SPACE = 0x20;
const continues = (byte: number): boolean => (byte & CONTINUES) === 0x80;

function meter(name: Meter['name'], states: number, read: (state: number, byte: number) => readonly [next: number, cost: number]): Meter {
  const [next, cost] = [new Uint8Array(states * 256), new Uint8Array(states * 256)];
  for (let state = 0; state < states; state++) for (let byte = 0; byte < 256; byte++) [next[state * 256 + byte], cost[state * 256 + byte]] = read(state, byte);
  return { name, states, next, cost };
}
/** Code points, by their first bytes. */
export const CHARACTERS: Meter = meter('characters', 1, (_, byte) => [0, continues(byte) ? 0 : 1]);
const [OUTSIDE, WITHIN, HANGUL] = [0, 1, 2];
/**
 * Words, and never fewer than WordCounter counts: what joins the parts of a word is taken to part them. Of tokens the characters are looked at; of what a grammar has still to write, only the
 * bytes, and each character beyond ASCII counts as a word there.
 */
export const WORDS: Meter = meter('words', 3, (state, byte) => {
  if (continues(byte)) return [state, 0];
  if (byte >= 0x80) return [OUTSIDE, 1];
  return /\w/.test(String.fromCharCode(byte)) ? [WITHIN, state === WITHIN ? 0 : 1] : [OUTSIDE, 0];
});

/** What each token of a vocabulary adds, by the state in front of it. */
export interface TokenCosts {
  readonly cost: readonly Uint16Array[];
  readonly next: readonly Uint8Array[];
  /** Of the longest token. */
  readonly most: number;
  /** 1: the token begins with a space. */
  readonly spaced: Uint8Array;
}
const known = new WeakMap<TokenTrie, Map<string, TokenCosts>>();
/** Found once for a vocabulary of `size` tokens. */
export function tokenCosts(meter: Meter, trie: TokenTrie, size: number): TokenCosts {
  let costs = known.get(trie);
  if (!costs) known.set(trie, (costs = new Map()));
  let found = costs.get(meter.name);
  if (!found) costs.set(meter.name, (found = measure(meter, trie, size)));
  return found;
}
function measure(meter: Meter, trie: TokenTrie, size: number): TokenCosts {
  const cost = Array.from({ length: meter.states }, () => new Uint16Array(size));
  const next = Array.from({ length: meter.states }, () => new Uint8Array(size));
  const spaced = new Uint8Array(size);
  let most = 0;
  const bytes = Buffer.alloc(trie.longest + 1);
  for (let node = 0; node < trie.bytes.length; node++) {
    bytes[trie.depths[node] - 1] = trie.bytes[node];
    const token = trie.tokens[node];
    if (token < 0) continue;
    const written = bytes.subarray(0, trie.depths[node]);
    const all = meter.name === 'words' ? wordsOf(written) : [charactersOf(written)];
    for (const [state, [added, behind]] of all.entries()) {
      most = Math.max(most, added);
      for (const each of [token, ...(trie.twins.get(token) ?? [])]) {
        cost[state][each] = added;
        next[state][each] = behind;
        spaced[each] = written[0] === SPACE ? 1 : 0;
      }
    }
  }
  return { cost, next, most, spaced };
}
type Added = readonly [added: number, state: number];
function charactersOf(bytes: Uint8Array): Added {
  let added = 0;
  for (const byte of bytes) if (!continues(byte)) added++;
  return [added, 0];
}
/** From each state. A character that is cut off by the end of the token is taken for a word. */
function wordsOf(bytes: Buffer): readonly Added[] {
  let first = 0;
  while (first < bytes.length && continues(bytes[first])) first++;
  const kinds = Array.from(bytes.toString('utf8', first), (character): WordClass => (character === '\ufffd' ? 'unspaced' : wordClass(character)));
  return [OUTSIDE, WITHIN, HANGUL].map((state): Added => {
    let [added, at] = [0, first > 0 ? OUTSIDE : state];
    for (const kind of kinds) {
      if (kind === 'mark') continue;
      if (kind === 'letter' || kind === 'digit' || kind === 'extends' || kind === 'hangul') {
        if (kind === 'hangul' ? at !== HANGUL : at !== WITHIN) added++;
        at = kind === 'hangul' ? HANGUL : WITHIN;
      } else {
        if (kind === 'unspaced') added++;
        at = OUTSIDE;
      }
    }
    return [added, at];
  });
}
