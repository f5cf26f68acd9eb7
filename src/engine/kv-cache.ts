// Owns what a model remembers of one sequence: its tokens, and a row of numbers per token in each of several caches (keys and values of the layers), which grow as tokens come.
// Refuses to know the runtime, and who runs when.

const FIRST_ROWS = 64;

export class KvCache {
  readonly #widths: readonly number[];
  readonly #limit: number;
  #tokens = new BigInt64Array(0);
  #rows: Float32Array[];
  #length = 0;

  /** `widths[i]`: numbers per token in cache i. `limit`: tokens at most, the model's context length. Nothing is reserved until the first tokens come; then room doubles, up to the limit. */
  constructor(widths: readonly number[], limit: number) {
    this.#widths = widths;
    this.#limit = limit;
    this.#rows = widths.map(() => new Float32Array(0));
  }
  /** Tokens seen. */
  get length(): number {
    return this.#length;
  }
  get limit(): number {
    return this.#limit;
  }
  /** Bytes reserved. */
  get bytes(): number {
    return this.#rows.reduce((sum, { byteLength }) => sum + byteLength, this.#tokens.byteLength);
  }

  /** View on the tokens seen, [length]. Like `rows`, it is stale after the next `append`. */
  get tokens(): BigInt64Array {
    return this.#tokens.subarray(0, this.#length);
  }
  /** View on the rows of cache i, [length, widths[i]]. */
  rows(i: number): Float32Array {
    return this.#rows[i].subarray(0, this.#length * this.#widths[i]);
  }

  /** Adds tokens and their rows; `added[i]` is [tokens.length, widths[i]]. Throws RangeError past the limit or for a wrong size; nothing is added then. */
  append(tokens: readonly number[], added: readonly Float32Array[]): void {
    const length = this.#length + tokens.length;
    if (length > this.#limit) throw new RangeError(`the cache holds ${this.#limit} tokens at most, ${length} asked for`);
    this.#widths.forEach((width, i) => {
      if (added[i]?.length !== tokens.length * width) throw new RangeError(`cache ${i} needs ${tokens.length * width} new numbers, got ${added[i]?.length ?? 'none'}`);
    });
    this.#reserve(length);
    tokens.forEach((token, i) => {
      this.#tokens[this.#length + i] = BigInt(token);
    });
    this.#widths.forEach((width, i) => this.#rows[i].set(added[i], this.#length * width));
    this.#length = length;
  }

  /** A cache of its own with the first `length` tokens. */
  copy(length: number): KvCache {
    const copy = new KvCache(this.#widths, this.#limit);
    copy.#reserve(length);
    copy.#tokens.set(this.#tokens.subarray(0, length));
    this.#widths.forEach((width, i) => copy.#rows[i].set(this.#rows[i].subarray(0, length * width)));
    copy.#length = length;
    return copy;
  }
  /** Gives back what is reserved beyond the tokens seen. */
  trim(): void {
    if (this.#tokens.length === this.#length) return;
    this.#tokens = this.#tokens.slice(0, this.#length);
    this.#rows = this.#rows.map((rows, i) => rows.slice(0, this.#length * this.#widths[i]));
  }
  /** Gives the memory back; the cache is empty and may be used again. */
  free(): void {
    this.#length = 0;
    this.#tokens = new BigInt64Array(0);
    this.#rows = this.#widths.map(() => new Float32Array(0));
  }

  #reserve(length: number): void {
    if (length <= this.#tokens.length) return;
    let wanted = Math.max(FIRST_ROWS, this.#tokens.length);
    while (wanted < length) wanted *= 2;
    const room = Math.min(wanted, this.#limit);
    const tokens = new BigInt64Array(room);
    tokens.set(this.tokens);
    this.#rows = this.#widths.map((width, i) => {
      const grown = new Float32Array(room * width);
      grown.set(this.rows(i));
      return grown;
    });
    this.#tokens = tokens;
  }
}
