// Owns texts as a tree over bytes, to which more are added, and of which the last ones are taken back.
// Refuses to know what they are of.

export class SeenTexts {
  /** By node: the nodes behind its bytes, and how often a text ends there. The first one is where all begin. */
  readonly #after: Map<number, number>[] = [new Map()];
  readonly #ends: number[] = [0];

  /** The node behind a byte, or -1. */
  after(node: number, byte: number): number {
    return this.#after[node].get(byte) ?? -1;
  }
  /** A text ends there. */
  has(node: number): boolean {
    return this.#ends[node] > 0;
  }
  /** Returns what takes it back, last ones first. */
  add(text: readonly number[]): () => void {
    const count = this.#after.length;
    let node = 0;
    let fork: (() => void) | undefined;
    for (const byte of text) {
      let next = this.after(node, byte);
      if (next < 0) {
        next = this.#after.push(new Map()) - 1;
        this.#ends.push(0);
        this.#after[node].set(byte, next);
        const before = node;
        fork ??= () => void this.#after[before].delete(byte);
      }
      node = next;
    }
    this.#ends[node]++;
    return () => {
      this.#ends[node]--;
      fork?.();
      this.#after.length = count;
      this.#ends.length = count;
    };
  }
}
