// Owns what a model remembers of sequences that run side by side, or of one: their tokens, and a row of numbers per token in each of several caches (keys and values of the layers), which grow.
// Refuses to know the runtime, and who runs when.
//
// Rows are time-major, [tokens, columns, width], so that a prefix view holds all sequences up to the longest one, and nothing is copied when tokens come. A sequence has one column.

const FIRST_ROWS = 64;

export class KvCache {
  readonly columns: number;
  readonly #widths: readonly number[];
  readonly #limit: number;
  /** [rows, columns]. One row more than there is room for rows: the token that follows the last one may be known. */
  #tokens = new BigInt64Array(0);
  #rows: Float32Array[];
  /** Rows that there is room for. */
  #room = 0;
  readonly #lengths: Int32Array;
  #longest = 0;

  /** `widths[i]`: numbers per token in cache i. `limit`: tokens of a sequence at most, the model's context length. Nothing is reserved until the first tokens come; then room doubles, up to the limit. */
  constructor(widths: readonly number[], limit: number, columns = 1) {
    this.#widths = widths;
    this.#limit = limit;
    this.columns = columns;
    this.#rows = widths.map(() => new Float32Array(0));
    this.#lengths = new Int32Array(columns);
  }
  /** Tokens that a sequence has seen. */
  length(column = 0): number {
    return this.#lengths[column];
  }
  /** Of the longest sequence. */
  get longest(): number {
    return this.#longest;
  }
  get limit(): number {
    return this.#limit;
  }
  /** Bytes reserved. */
  get bytes(): number {
    return this.#rows.reduce((sum, { byteLength }) => sum + byteLength, this.#tokens.byteLength);
  }
  /** Bytes of a token of one sequence. */
  get bytesPerToken(): number {
    return this.#widths.reduce((sum, width) => sum + width * Float32Array.BYTES_PER_ELEMENT, BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** The token at a place. */
  token(place: number, column = 0): bigint {
    return this.#tokens[place * this.columns + column];
  }
  /** How many tokens of the sequence are the same as the first of these. */
  shared(tokens: readonly number[], column = 0): number {
    const end = Math.min(this.#lengths[column], tokens.length);
    let length = 0;
    while (length < end && Number(this.#tokens[length * this.columns + column]) === tokens[length]) length++;
    return length;
  }
  /** View on the token behind each place, [longest, columns]; `feed` said the last ones. Like `rows`, it is stale after the next `feed`. */
  get followers(): BigInt64Array {
    return this.#tokens.subarray(this.columns, (this.#longest + 1) * this.columns);
  }
  /** View on the rows of cache i, [longest, columns, widths[i]]. What a shorter sequence does not have is any finite number. */
  rows(i: number): Float32Array {
    return this.#rows[i].subarray(0, this.#longest * this.columns * this.#widths[i]);
  }
  /** The last row of each sequence in cache i, [columns, widths[i]]; zeros where there is none. */
  last(i: number): Float32Array {
    const width = this.#widths[i];
    const rows = this.#rows[i];
    if (this.columns === 1 && this.#longest > 0) return rows.subarray((this.#longest - 1) * width, this.#longest * width);
    const last = new Float32Array(this.columns * width);
    this.#lengths.forEach((length, column) => {
      const from = ((length - 1) * this.columns + column) * width;
      if (length > 0) last.set(rows.subarray(from, from + width), column * width);
    });
    return last;
  }

  /** Says which tokens a sequence sees next; they count when their rows are appended. Throws RangeError past the limit; nothing is changed then. */
  feed(tokens: readonly number[], column = 0): void {
    const length = this.#lengths[column];
    if (length + tokens.length > this.#limit) throw new RangeError(`the cache holds ${this.#limit} tokens at most, ${length + tokens.length} asked for`);
    this.#reserve(length + tokens.length);
    for (let i = 0; i < tokens.length; i++) this.#tokens[(length + i) * this.columns + column] = BigInt(tokens[i]);
  }
  /** Adds the rows of tokens that were fed: `counts[column]` for each sequence. `added[i]` is [n, columns, widths[i]] with n at least the greatest count. Throws RangeError for a wrong size; nothing is added then. */
  append(counts: readonly number[], added: readonly Float32Array[]): void {
    const most = Math.max(...counts);
    this.#widths.forEach((width, i) => {
      if (!(added[i]?.length >= most * this.columns * width)) throw new RangeError(`cache ${i} needs ${most * this.columns * width} new numbers, got ${added[i]?.length ?? 'none'}`);
    });
    const even = counts.every((count, column) => count === most && this.#lengths[column] === this.#longest);
    this.#widths.forEach((width, i) => {
      const stride = this.columns * width;
      if (even) this.#rows[i].set(added[i].length === most * stride ? added[i] : added[i].subarray(0, most * stride), this.#longest * stride);
      else
        for (const [column, count] of counts.entries())
          for (let t = 0; t < count; t++) {
            const from = t * stride + column * width;
            this.#rows[i].set(added[i].subarray(from, from + width), (this.#lengths[column] + t) * stride + column * width);
          }
    });
    for (const [column, count] of counts.entries()) this.#lengths[column] += count;
    this.#longest = Math.max(...this.#lengths);
  }
  /** Forgets what a sequence saw behind its first `length` tokens. */
  truncate(length: number, column = 0): void {
    this.#lengths[column] = Math.min(length, this.#lengths[column]);
    this.#longest = Math.max(...this.#lengths);
  }

  /** The first `length` tokens of a sequence, with room for as many rows, in a cache of their own. */
  copy(length = this.#longest, column = 0): KvCache {
    const copy = new KvCache(this.#widths, this.#limit);
    copy.#resize(Math.max(1, length));
    copy.put(this, 0, length, column);
    return copy;
  }
  /** Makes a column a copy of the first `length` tokens of a sequence elsewhere. */
  put(other: KvCache, column: number, length = other.#longest, from = 0): void {
    this.#reserve(length);
    for (let place = 0; place < length; place++) this.#tokens[place * this.columns + column] = other.#tokens[place * other.columns + from];
    this.#widths.forEach((width, i) => {
      const [to, source] = [this.#rows[i], other.#rows[i]];
      if (this.columns === 1 && other.columns === 1) to.set(source.subarray(0, length * width));
      else
        for (let place = 0; place < length; place++) {
          const at = (place * other.columns + from) * width;
          to.set(source.subarray(at, at + width), (place * this.columns + column) * width);
        }
    });
    this.#lengths[column] = length;
    this.#longest = Math.max(...this.#lengths);
  }
  /** Gives back what is reserved beyond the longest sequence. */
  trim(): void {
    if (this.#room > this.#longest) this.#resize(this.#longest);
  }
  /** Gives the memory back; the cache is empty and may be used again. */
  free(): void {
    this.#lengths.fill(0);
    this.#longest = 0;
    this.#resize(0);
  }

  #reserve(length: number): void {
    if (length <= this.#room) return;
    let wanted = Math.max(FIRST_ROWS, this.#room);
    while (wanted < length) wanted *= 2;
    this.#resize(Math.min(wanted, this.#limit));
  }
  #resize(room: number): void {
    const tokens = new BigInt64Array(room === 0 ? 0 : (room + 1) * this.columns);
    tokens.set(this.#tokens.subarray(0, Math.min(tokens.length, this.#tokens.length)));
    this.#rows = this.#widths.map((width, i) => {
      const rows = new Float32Array(room * this.columns * width);
      rows.set(this.rows(i));
      return rows;
    });
    this.#tokens = tokens;
    this.#room = room;
  }
}
