// Owns finding what waits for a row by the row's object: a table from term ids to lists, in which an id is found by one look.
// Refuses to know what waits.

/** Something that waits for rows with one object, and what waits for the same behind it. */
export interface Waiting<T> {
  next: T | undefined;
}

/** Lists by term id, each in order of coming. There may be a list for each of very many classes. */
export class ByObject<T extends Waiting<T>> {
  /** Open addressing: place in the columns + 1. */
  #slots = new Int32Array(16);
  /** What is left of a mixed id's 32 bits is a place in the table. */
  #shift = 28;
  readonly #ids: number[] = [];
  readonly #firsts: T[] = [];
  readonly #lasts: T[] = [];

  /** Number of ids that something waits for. */
  get size(): number {
    return this.#ids.length;
  }
  /** First of what waits for the id; `next` leads on. */
  first(id: number): T | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = mixed(id) >>> this.#shift; ; slot = (slot + 1) & mask) {
      const at = this.#slots[slot] - 1;
      if (at < 0) return undefined;
      if (this.#ids[at] === id) return this.#firsts[at];
    }
  }
  /** All that waits for the id; undefined when nothing does. */
  get(id: number): readonly T[] | undefined {
    const found: T[] = [];
    for (let item = this.first(id); item; item = item.next) found.push(item);
    return found.length > 0 ? found : undefined;
  }
  /** First of what waits, for each id. */
  firsts(): readonly T[] {
    return this.#firsts;
  }
  add(id: number, item: T): void {
    const mask = this.#slots.length - 1;
    let slot = mixed(id) >>> this.#shift;
    for (let at = this.#slots[slot] - 1; at >= 0; at = this.#slots[slot] - 1) {
      if (this.#ids[at] === id) {
        this.#lasts[at].next = item;
        this.#lasts[at] = item;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#ids.push(id);
    this.#firsts.push(item);
    this.#lasts.push(item);
    if (this.#ids.length * 2 > this.#slots.length) this.#grow();
  }
  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    this.#shift -= 2;
    for (let at = 0; at < this.#ids.length; at++) {
      let slot = mixed(this.#ids[at]) >>> this.#shift;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = at + 1;
    }
    this.#slots = slots;
  }
}

/** Spreads ids that lie together over the upper bits (Knuth, The Art of Computer Programming 3, section 6.4: Fibonacci hashing). */
const mixed = (id: number): number => Math.imul(id, 0x9e3779b1);
