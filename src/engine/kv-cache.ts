// Owns the keys and values of one sequence: time-major rows per layer that grow as tokens come.
// Refuses to know tokens, the runtime, and who runs when.

/** What one token costs in one layer. */
export interface CacheLayout {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
}
const FIRST_ROWS = 64;

export class KvCache {
  readonly #layout: CacheLayout;
  readonly #limit: number;
  #keys: Float32Array[];
  #values: Float32Array[];
  #length = 0;

  /** `limit`: rows at most, the model's context length. Nothing is reserved until the first rows come; then room doubles, up to the limit. */
  constructor(layout: CacheLayout, limit: number) {
    this.#layout = layout;
    this.#limit = limit;
    this.#keys = Array.from({ length: layout.layers }, () => new Float32Array(0));
    this.#values = Array.from({ length: layout.layers }, () => new Float32Array(0));
  }
  /** Rows held: tokens seen. */
  get length(): number {
    return this.#length;
  }
  get limit(): number {
    return this.#limit;
  }
  /** Bytes reserved. */
  get bytes(): number {
    return [...this.#keys, ...this.#values].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** View on the rows held, [length, heads, headSize]. It is stale after the next `append`. */
  keys(layer: number): Float32Array {
    return this.#keys[layer].subarray(0, this.#length * this.#row);
  }
  values(layer: number): Float32Array {
    return this.#values[layer].subarray(0, this.#length * this.#row);
  }

  /** Adds `rows` rows to every layer; `newKeys[i]` and `newValues[i]` are [rows, heads, headSize]. Throws RangeError past the limit or for a wrong size. */
  append(rows: number, newKeys: readonly Float32Array[], newValues: readonly Float32Array[]): void {
    const length = this.#length + rows;
    if (length > this.#limit) throw new RangeError(`the cache holds ${this.#limit} tokens at most, ${length} asked for`);
    for (let layer = 0; layer < this.#layout.layers; layer++) {
      for (const added of [newKeys[layer], newValues[layer]])
        if (added?.length !== rows * this.#row) throw new RangeError(`layer ${layer} needs ${rows * this.#row} new numbers, got ${added?.length ?? 'none'}`);
    }
    this.#reserve(length);
    for (let layer = 0; layer < this.#layout.layers; layer++) {
      this.#keys[layer].set(newKeys[layer], this.#length * this.#row);
      this.#values[layer].set(newValues[layer], this.#length * this.#row);
    }
    this.#length = length;
  }

  /** Gives the memory back; the cache is empty and may be used again. */
  free(): void {
    this.#length = 0;
    this.#keys = this.#keys.map(() => new Float32Array(0));
    this.#values = this.#values.map(() => new Float32Array(0));
  }

  get #row(): number {
    return this.#layout.heads * this.#layout.headSize;
  }
  #reserve(rows: number): void {
    const capacity = this.#keys.length === 0 ? rows : this.#keys[0].length / this.#row;
    if (rows <= capacity) return;
    let wanted = Math.max(FIRST_ROWS, capacity);
    while (wanted < rows) wanted *= 2;
    const size = Math.min(wanted, this.#limit) * this.#row;
    const grow = (old: Float32Array): Float32Array => {
      const grown = new Float32Array(size);
      grown.set(old.subarray(0, this.#length * this.#row));
      return grown;
    };
    this.#keys = this.#keys.map(grow);
    this.#values = this.#values.map(grow);
  }
}
