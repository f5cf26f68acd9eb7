// Owns proofs that were given out: content-addressed, least recently used fall first.
// Refuses to know how proofs are made or checked.

import { LRUCache } from 'lru-cache';
import type { BaseName } from '../terms.ts';
import { shortHash } from '../reason/print.ts';
import type { Proof } from '../reason/types.ts';

export class ProofStore {
  readonly #kept: LRUCache<string, { readonly base: BaseName; readonly proof: Proof }> | undefined;

  /** `bytes`: about what the kept proofs may take (two bytes for each character of their JSON); 0 keeps none. */
  constructor(bytes: number) {
    this.#kept = bytes > 0 ? new LRUCache({ maxSize: bytes, maxEntrySize: bytes }) : undefined;
  }
  /** Id of the proof: `p_` and a hash of base and content. The same proof always has the same id. */
  keep(base: BaseName, proof: Proof): string {
    const text = JSON.stringify(proof);
    const id = `p_${shortHash(`${base}\u0000${text}`)}`;
    if (this.#kept && !this.#kept.has(id)) this.#kept.set(id, { base, proof }, { size: text.length * 2 + 64 });
    return id;
  }
  get(id: string): { readonly base: BaseName; readonly proof: Proof } | undefined {
    return this.#kept?.get(id);
  }
  clear(): void {
    this.#kept?.clear();
  }
}
