// Owns what models remember of texts that ended, so that another text with the same beginning need not be read again.
// Refuses to know the runtime, and what the tokens mean.

import { LRUCache } from 'lru-cache';
import { freeTensors } from './runner.ts';
import type { RunnerState } from './runner.ts';

/** Shorter beginnings are read again: as fast as looking them up. */
export const LEAST_TOKENS = 16;
/** Texts looked at for a new one. */
const MOST_TEXTS = 256;

export interface Remembered {
  readonly state: RunnerState;
  /** Tokens that it has seen. */
  readonly length: number;
}

export class PrefixCache {
  readonly #enabled: boolean;
  readonly #texts: LRUCache<number, RunnerState>;
  #next = 0;

  /** Bytes at most; 0 keeps nothing. */
  constructor(maxBytes: number) {
    this.#texts = new LRUCache({ max: MOST_TEXTS, maxSize: Math.max(1, maxBytes), sizeCalculation: ({ cache }) => Math.max(1, cache.bytes) });
    this.#enabled = maxBytes > 0;
  }
  get bytes(): number {
    return this.#texts.calculatedSize;
  }

  /** A state of its own for the longest beginning of `tokens`, never all of them: the last one has to be read for its logits. Only of more than `known` tokens. */
  take(tokens: readonly number[], known = 0): Remembered | undefined {
    let [best, longest] = [-1, Math.max(known, LEAST_TOKENS - 1)];
    for (const [key, { cache, replaced }] of this.#texts.entries()) {
      const shared = Math.min(cache.shared(tokens), tokens.length - 1);
      // What is replaced at each token is known behind the last one alone.
      const usable = replaced.length === 0 ? shared : shared === cache.length() ? shared : 0;
      if (usable > longest) [best, longest] = [key, usable];
    }
    const found = best < 0 ? undefined : this.#texts.get(best);
    return found && { state: { cache: found.cache.copy(longest), replaced: [...found.replaced] }, length: longest };
  }
  /** Takes over the state of a text that ended. */
  keep(state: RunnerState): void {
    const { cache } = state;
    if (!this.#enabled || cache.length() < LEAST_TOKENS) {
      cache.free();
      freeTensors(state);
      return;
    }
    const tokens = Array.from({ length: cache.length() }, (_, i) => Number(cache.token(i)));
    // Texts that it begins with are not needed beside it, unless their ends are all that is known of them.
    for (const [key, other] of this.#texts.entries())
      if (other.replaced.length === 0 && other.cache.shared(tokens) === other.cache.length()) this.#texts.delete(key);
    cache.trim();
    this.#texts.set(++this.#next, state);
  }
  clear(): void {
    this.#texts.clear();
  }
}
