// Owns what the thread that finds masks knows of one vocabulary: its tokens, its grammars by numbers, and which tokens may come at a place of one.
// Refuses to know texts and requests: whoever asked may have left, and nothing of it stays here.

import type { Place } from '../masks/ahead.ts';
import type { Grammar } from '../grammar/expression.ts';
import { string } from '../json/texts/json-text.ts';
import { limitedMasks } from '../limits/limited-masks.ts';
import type { Masks } from '../masks/mask-slots.ts';
import { CompiledGrammar } from '../masks/masks.ts';
import { METERS, tokenCosts } from '../lengths/meter.ts';
import { bytesOfTokens, TokenTrie } from '../tokens/token-trie.ts';
import type { TrieParts } from '../tokens/token-trie.ts';

const QUOTE_BYTE = 0x22;

export class MaskFinder {
  readonly #trie: TokenTrie;
  readonly #bytesOf: (token: number) => Uint8Array | undefined;
  readonly #size: number;
  readonly #ends: readonly number[];
  readonly #grammars = new Map<number, CompiledGrammar>();

  /** `size`: tokens of the vocabulary; `ends`: those that end a text. */
  constructor(trie: TrieParts, size: number, ends: readonly number[]) {
    this.#trie = TokenTrie.of(trie);
    this.#bytesOf = bytesOfTokens(this.#trie);
    [this.#size, this.#ends] = [size, ends];
  }
  /** Grammars that are kept. */
  get count(): number {
    return this.#grammars.size;
  }
  /** Finds in parts what is found once for a vocabulary and takes long, so that no text has to wait for it: what each token adds to a limit, and which of them stay within a text of JSON. */
  *prepare(): Generator<void, void, void> {
    for (const meter of Object.values(METERS)) {
      tokenCosts(meter, this.#trie, this.#size);
      yield;
    }
    const grammar = new CompiledGrammar({ root: string(0, Infinity), rules: new Map() }, this.#trie, this.#size, this.#ends, this.#bytesOf);
    const machine = grammar.machine();
    grammar.find(machine, machine.step(machine.start, QUOTE_BYTE));
  }
  keep(grammar: number, source: Grammar): void {
    this.#grammars.set(grammar, new CompiledGrammar(source, this.#trie, this.#size, this.#ends, this.#bytesOf));
  }
  forget(grammar: number): void {
    this.#grammars.delete(grammar);
  }
  /** Undefined where it fails: who asked comes to the same error, and can say it. */
  masksAt(number: number, { places, limited }: Place): Masks | undefined {
    const grammar = this.#grammars.get(number);
    if (!grammar) return undefined;
    try {
      const machine = grammar.machine();
      const state = machine.stateAt(places);
      const free = grammar.find(machine, state);
      return limited ? limitedMasks(grammar, machine, state, limited, free) : { allowed: free, unlimited: undefined };
    } catch {
      return undefined;
    }
  }
}
