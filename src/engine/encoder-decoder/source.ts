// Owns a text that an encoder reads for a decoder, what is made of it once, and those that are kept for others that ask for the same.
// Refuses to know graphs, and what the text means.

import type { Tensor } from '../onnx-session.ts';
import { LRUCache } from 'lru-cache';

/** What the decoder compares with depends on the text alone: all that is written from one text share it. */
export interface Source {
  readonly ids: readonly number[];
  /** What the encoder gave, by name; undefined until it has read the text. */
  given: Readonly<Record<string, Tensor>> | undefined;
  /** Keys and values that the decoder's first pass gave, in the form's order. */
  crossed: readonly Tensor[] | undefined;
}
export const sourceOf = (ids: readonly number[]): Source => ({ ids, given: undefined, crossed: undefined });

const bytesOf = (tensor: Tensor): number => (tensor.data as Float32Array).byteLength;
/** Bytes of what was made of it. */
export const sourceBytes = ({ given = {}, crossed = [] }: Source): number =>
  [...Object.values(given), ...crossed].reduce((sum, tensor) => sum + bytesOf(tensor), 0);

interface Used {
  readonly source: Source;
  users: number;
}
/** Texts that are kept when nobody writes from them any more. */
const MOST_TEXTS = 256;

export class SourceCache {
  readonly #used = new Map<string, Used>();
  readonly #kept: LRUCache<string, Source>;
  readonly #enabled: boolean;

  /** Bytes at most of texts that nobody writes from; 0 keeps none of them. */
  constructor(maxBytes: number) {
    this.#kept = new LRUCache({ max: MOST_TEXTS, maxSize: Math.max(1, maxBytes), sizeCalculation: (source) => Math.max(1, sourceBytes(source)) });
    this.#enabled = maxBytes > 0;
  }
  /** Bytes of texts that nobody writes from. */
  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  /** Each is to be given back once. */
  take(ids: readonly number[]): Source {
    const key = ids.join();
    const used = this.#used.get(key);
    if (used) {
      used.users++;
      return used.source;
    }
    const source = this.#kept.get(key) ?? sourceOf(ids);
    this.#kept.delete(key);
    this.#used.set(key, { source, users: 1 });
    return source;
  }
  giveBack({ ids }: Source): void {
    const key = ids.join();
    const used = this.#used.get(key);
    if (!used || --used.users > 0) return;
    this.#used.delete(key);
    // One whose first pass is still under way would grow unseen.
    if (this.#enabled && used.source.crossed) this.#kept.set(key, used.source);
  }
  clear(): void {
    this.#kept.clear();
  }
}
