// Owns how bytes count towards a limit, so that what a grammar still has to write can be measured before it is written.
// Refuses to know grammars, and how much a text may have.

import { wordClass } from './text-length.ts';
import type { WordClass } from './text-length.ts';
import type { TokenTrie } from '../tokens/token-trie.ts';

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
export const SPACE = 0x20;
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
export const METERS: Readonly<Record<Meter['name'], Meter>> = { characters: CHARACTERS, words: WORDS };

/** What each token of a vocabulary adds, by the state in front of it. */
export interface TokenCosts {
  readonly cost: readonly Uint16Array[];
  readonly next: readonly Uint8Array[];
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
  const bytes = Buffer.alloc(trie.longest + 1);
  for (let node = 0; node < trie.bytes.length; node++) {
    bytes[trie.depths[node] - 1] = trie.bytes[node];
    const token = trie.tokens[node];
    if (token < 0) continue;
    const written = bytes.subarray(0, trie.depths[node]);
    const added = costOf(meter, written);
    const set = (each: number): void => {
      for (let state = 0; state < meter.states; state++) [cost[state][each], next[state][each]] = added[state];
      spaced[each] = written[0] === SPACE ? 1 : 0;
    };
    set(token);
    for (const twin of trie.twins.get(token) ?? []) set(twin);
  }
  return { cost, next, spaced };
}
/** What bytes add, and the state of the meter behind them. */
export type Added = readonly [added: number, state: number];
/** What a token of these bytes adds, by the state in front of it. */
export function costOf(meter: Meter, bytes: Uint8Array): readonly Added[] {
  return meter.name === 'words' ? wordsOf(bytes) : [charactersOf(bytes)];
}
function charactersOf(bytes: Uint8Array): Added {
  let added = 0;
  for (const byte of bytes) if (!continues(byte)) added++;
  return [added, 0];
}
const ASCII: readonly WordClass[] = Array.from({ length: 128 }, (_, code) => wordClass(String.fromCharCode(code)));
/** A character that is cut off by the end of the token is taken for a word. */
function kindsOf(bytes: Uint8Array, from: number): readonly WordClass[] {
  const kinds: WordClass[] = [];
  for (const byte of bytes) if (byte < 0x80) kinds.push(ASCII[byte]);
  if (kinds.length === bytes.length) return kinds;
  return Array.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', from), (character): WordClass =>
    character === '\ufffd' ? 'unspaced' : wordClass(character),
  );
}
/** From each state. */
function wordsOf(bytes: Uint8Array): readonly Added[] {
  let first = 0;
  while (first < bytes.length && continues(bytes[first])) first++;
  const kinds = kindsOf(bytes, first);
  const from = (state: number): Added => wordsFrom(kinds, first > 0 ? OUTSIDE : state);
  return [from(OUTSIDE), from(WITHIN), from(HANGUL)];
}
function wordsFrom(kinds: readonly WordClass[], state: number): Added {
  let added = 0;
  let at = state;
  for (const kind of kinds) {
    if (kind === 'mark') continue;
    if (kind === 'letter' || kind === 'digit' || kind === 'extends' || kind === 'hangul') {
      const within = kind === 'hangul' ? HANGUL : WITHIN;
      if (at !== within) added++;
      at = within;
    } else {
      if (kind === 'unspaced') added++;
      at = OUTSIDE;
    }
  }
  return [added, at];
}
