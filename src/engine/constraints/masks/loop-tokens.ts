// Owns which tokens of a vocabulary stay within a loop, by how many rounds each takes; and those that go on behind it, by what they write there.
// Refuses to know how often the loop may still go round, and what follows it.
//
// How many characters a string may still have is a number of its own for each place in a text, and the tokens that fit differ with it. But which tokens write characters, and how many, is the
// same everywhere: it is found once for a vocabulary, and a place takes those of at most so many rounds.

import { hash } from 'node:crypto';
import { NOWHERE } from './loop-automaton.ts';
import type { LoopAutomaton } from './loop-automaton.ts';
import { FIRST_TOKEN } from '../grammar/node.ts';
import { TokenTrie } from '../tokens/token-trie.ts';

/** A token that leaves the loop after a number of rounds. */
export interface Leaving {
  readonly token: number;
  readonly rounds: number;
}
export interface Leavers {
  /** What they write behind the loop, as a tree; its tokens are places of `groups`. */
  readonly behind: TokenTrie;
  readonly groups: readonly (readonly Leaving[])[];
}
/** Ways out of a loop through tokens that are kept; with more, each token is followed by itself. */
const MOST_LEAVING = 200_000;
const MOST_KEPT = 32;
/** Loops of one vocabulary; grammars have most of theirs in common. */
const MOST_LOOPS = 128;
const known = new WeakMap<TokenTrie, Map<string, LoopTokens>>();
/** The tokens of a loop, found once for a vocabulary. `size`: its tokens. */
export function loopTokens(automaton: LoopAutomaton, trie: TokenTrie, size: number): LoopTokens {
  const { table, boundary } = automaton;
  const key = `${boundary} ${hash('sha1', Buffer.from(table.buffer, table.byteOffset, table.byteLength))}`;
  let loops = known.get(trie);
  if (!loops) known.set(trie, (loops = new Map()));
  let tokens = loops.get(key);
  if (!tokens) {
    if (loops.size >= MOST_LOOPS) loops.clear();
    loops.set(key, (tokens = new LoopTokens(automaton, trie, size)));
  }
  return tokens;
}

export class LoopTokens {
  /** Those that stay within the loop, by rounds; and for each the rounds begun, and the place of the automaton behind it. */
  readonly tokens: Int32Array;
  readonly rounds: Uint16Array;
  readonly places: Uint8Array;
  /** How many of `tokens` take at most so many rounds. */
  readonly #upTo: Int32Array;
  /** All of them. Not to be changed. */
  readonly bits: Uint32Array;
  readonly #automaton: LoopAutomaton;
  readonly #trie: TokenTrie;
  readonly #greatest = new WeakMap<Uint16Array, Uint16Array>();
  readonly #leavers = new Map<string, Leavers | undefined>();

  /** `size`: tokens of the vocabulary. */
  constructor(automaton: LoopAutomaton, trie: TokenTrie, size: number) {
    this.#automaton = automaton;
    this.#trie = trie;
    const [tokens, rounds, places] = [new Int32Array(size), new Uint16Array(size), new Uint8Array(size)];
    let count = 0;
    let most = 0;
    this.#walk((node, round, place) => {
      if (trie.tokens[node] < 0) return;
      if (round > most) most = round;
      this.#each(node, (token) => {
        tokens[count] = token;
        rounds[count] = round;
        places[count++] = place;
      });
    });
    // Sorted by counting.
    this.#upTo = new Int32Array(most + 1);
    for (let i = 0; i < count; i++) this.#upTo[rounds[i]]++;
    for (let round = 1; round <= most; round++) this.#upTo[round] += this.#upTo[round - 1];
    const next = this.#upTo.slice();
    [this.tokens, this.rounds, this.places] = [new Int32Array(count), new Uint16Array(count), new Uint8Array(count)];
    for (let i = count - 1; i >= 0; i--) {
      const at = --next[rounds[i]];
      this.tokens[at] = tokens[i];
      this.rounds[at] = rounds[i];
      this.places[at] = places[i];
    }
    this.bits = new Uint32Array(Math.ceil(size / 32));
    for (const token of this.tokens) this.bits[token >>> 5] |= 1 << (token & 31);
  }
  /** Rounds that the longest of them takes. */
  get mostRounds(): number {
    return this.#upTo.length - 1;
  }

  /** How many take at most `most` rounds; they come first in `tokens`. */
  count(most: number): number {
    return most >= this.mostRounds ? this.tokens.length : most < 0 ? 0 : this.#upTo[most];
  }
  /** By rounds: the greatest of `costs`, which are by token, among those that take at most so many. */
  greatest(costs: Uint16Array): Uint16Array {
    let known = this.#greatest.get(costs);
    if (!known) {
      known = new Uint16Array(this.mostRounds + 1);
      for (let i = 0; i < this.tokens.length; i++) known[this.rounds[i]] = Math.max(known[this.rounds[i]], costs[this.tokens[i]]);
      for (let round = 1; round < known.length; round++) known[round] = Math.max(known[round], known[round - 1]);
      this.#greatest.set(costs, known);
    }
    return known;
  }
  /** Adds those that take at most `most` rounds. */
  addTo(bits: Uint32Array, most: number): void {
    const count = this.count(most);
    const { tokens } = this;
    if (count < tokens.length / 2) {
      for (let i = 0; i < count; i++) bits[tokens[i] >>> 5] |= 1 << (tokens[i] & 31);
      return;
    }
    const kept = count === tokens.length ? this.bits : this.bits.slice();
    for (let i = count; i < tokens.length; i++) kept[tokens[i] >>> 5] &= ~(1 << (tokens[i] & 31));
    for (let word = 0; word < bits.length; word++) bits[word] |= kept[word];
  }

  /** Tokens that can end a round before one of these bytes. `limited`: also those that could as well stay, where their rounds may be too many. Undefined where they are too many to keep. */
  leaving(bytes: Uint8Array, limited: boolean): Leavers | undefined {
    const { table, boundary } = this.#automaton;
    const staying = limited && boundary !== NOWHERE && bytes.some((byte) => table[boundary * FIRST_TOKEN + byte] !== NOWHERE);
    const key = `${staying ? '+' : ''}${bytes.join()}`;
    let known = this.#leavers.get(key);
    if (known === undefined && !this.#leavers.has(key)) {
      if (this.#leavers.size >= MOST_KEPT) this.#leavers.clear();
      this.#leavers.set(key, (known = this.#leave(bytes, staying)));
    }
    return known;
  }
  #leave(bytes: Uint8Array, staying: boolean): Leavers | undefined {
    if (bytes.length === 0) return { behind: new TokenTrie([], () => undefined), groups: [] };
    const trie = this.#trie;
    const exits = new Uint8Array(FIRST_TOKEN);
    for (const byte of bytes) exits[byte] = 1;
    const within = staying ? undefined : this.bits;
    const groups = new Map<string, Leaving[]>();
    let count = 0;
    const written = Buffer.alloc(trie.longest + 1);
    this.#walk(undefined, (node, rounds) => {
      if (exits[trie.bytes[node]] === 0) return true;
      const start = trie.depths[node];
      for (let inner = node; inner < trie.ends[node]; inner++) {
        written[trie.depths[inner]] = trie.bytes[inner];
        if (trie.tokens[inner] < 0) continue;
        const behind = written.toString('latin1', start, trie.depths[inner] + 1);
        this.#each(inner, (token) => {
          if (within && (within[token >>> 5] >>> (token & 31)) & 1) return;
          count++;
          const group = groups.get(behind);
          if (group) group.push({ token, rounds });
          else groups.set(behind, [{ token, rounds }]);
        });
        if (count > MOST_LEAVING) return false;
      }
      return true;
    });
    if (count > MOST_LEAVING) return undefined;
    const texts = [...groups.keys()];
    return { behind: new TokenTrie(texts.keys(), (i) => Buffer.from(texts[i], 'latin1')), groups: [...groups.values()] };
  }
  /** Tokens that end at a node of the tree, where one does. */
  #each(node: number, take: (token: number) => void): void {
    const token = this.#trie.tokens[node];
    take(token);
    if (this.#trie.twins.size > 0) for (const twin of this.#trie.twins.get(token) ?? []) take(twin);
  }

  /** Goes through the tree as far as the loop does. `stays`: called behind each byte, with rounds begun. `ends`: called before each byte at which a round is over, with rounds ended; false ends the walk. */
  #walk(stays?: (node: number, rounds: number, place: number) => void, ends?: (node: number, rounds: number) => boolean): void {
    const { bytes, depths, ends: behind, longest } = this.#trie;
    const { table, boundary } = this.#automaton;
    const [places, rounds] = [new Int16Array(longest + 1), new Uint16Array(longest + 1)];
    for (let node = 0; node < bytes.length;) {
      const depth = depths[node];
      const before = places[depth - 1];
      const over = before === boundary;
      if (over && ends && !ends(node, rounds[depth - 1])) return;
      const place = table[before * FIRST_TOKEN + bytes[node]];
      if (place === NOWHERE) {
        node = behind[node];
        continue;
      }
      places[depth] = place;
      rounds[depth] = rounds[depth - 1] + (over ? 1 : 0);
      stays?.(node, rounds[depth], place);
      node++;
    }
  }
}
