// Owns numbering equal pieces of one text, without making a string of each.
// Refuses to know where pieces begin and end.

/** Another one in each process: with one that is known, a text could be made whose pieces all have one hash. */
const FACTOR = (Math.random() * 2 ** 32) | 1;
/** Goes on with the hash of a piece by one of its UTF-16 units (as FNV-1a does). */
export const hashed = (hash: number, unit: number): number => Math.imul(hash ^ unit, FACTOR);

/** Different pieces of a text, numbered from 0 in order of first mention. */
export class Symbols {
  readonly #text: string;
  /** The text's UTF-16 units: an array is read faster than a string, above all before functions are compiled. */
  readonly units: Uint16Array<ArrayBuffer>;
  #starts = new Int32Array(256);
  #lengths = new Int32Array(256);
  #hashes = new Int32Array(256);
  #count = 0;
  /** Open addressing: symbol + 1. */
  #slots = new Int32Array(1024);

  constructor(text: string) {
    this.#text = text;
    this.units = new Uint16Array(text.length);
    Buffer.from(this.units.buffer).write(text, 'utf16le');
  }
  get count(): number {
    return this.#count;
  }
  /** The piece as a string, but for so many units at its beginning and its end. */
  string(symbol: number, before = 0, behind = 0): string {
    const start = this.#starts[symbol];
    return this.#text.slice(start + before, start + this.#lengths[symbol] - behind);
  }
  /** Is the piece this word? */
  is(symbol: number, word: string): boolean {
    return this.#lengths[symbol] === word.length && this.#text.startsWith(word, this.#starts[symbol]);
  }
  /** Number of the piece from `start` to `end`, given now if it is new. `hash`: of all its units. */
  of(start: number, end: number, hash: number): number {
    const { units } = this;
    const mask = this.#slots.length - 1;
    const length = end - start;
    let slot = mixed(hash) & mask;
    for (let symbol = this.#slots[slot] - 1; symbol >= 0; symbol = this.#slots[slot] - 1) {
      if (this.#hashes[symbol] === hash && this.#lengths[symbol] === length) {
        const known = this.#starts[symbol];
        let i = length - 1;
        while (i >= 0 && units[known + i] === units[start + i]) i--;
        if (i < 0) return symbol;
      }
      slot = (slot + 1) & mask;
    }
    return this.#add(start, length, hash, slot);
  }
  #add(start: number, length: number, hash: number, slot: number): number {
    const symbol = this.#count++;
    if (symbol === this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#lengths = grown(this.#lengths);
      this.#hashes = grown(this.#hashes);
    }
    this.#starts[symbol] = start;
    this.#lengths[symbol] = length;
    this.#hashes[symbol] = hash;
    this.#slots[slot] = symbol + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return symbol;
  }
  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let symbol = 0; symbol < this.#count; symbol++) {
      let slot = mixed(this.#hashes[symbol]) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = symbol + 1;
    }
    this.#slots = slots;
  }
}

function grown(column: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(column.length * 2);
  next.set(column);
  return next;
}
/** Low bits that depend on all bits (the beginning of MurmurHash3's finaliser). */
export function mixed(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}
