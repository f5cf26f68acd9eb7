// Owns the vocabulary as a tree over bytes, and the search for all tokens that an automaton over bytes accepts.
// Refuses to know what the automaton stands for.

/** An automaton over bytes: the state after `byte`, or -1 where it does not go on. */
export type ByteStep = (state: number, byte: number) => number;

/** First child, next sibling: three numbers a node, whatever the vocabulary's size. */
export class VocabularyTrie {
  readonly #byte: number[] = [0];
  readonly #child: number[] = [-1];
  readonly #sibling: number[] = [-1];
  /** Tokens that end at a node; several where a vocabulary spells the same bytes twice. */
  readonly #tokens: (readonly number[] | undefined)[] = [undefined];

  /** `bytesOf(id)` for ids in [0, size): undefined for tokens that write nothing. */
  constructor(size: number, bytesOf: (id: number) => Uint8Array | undefined) {
    // Growing happens over maps; the walk runs over the flat lists.
    const index = new Map<number, number>();
    for (let id = 0; id < size; id++) {
      const bytes = bytesOf(id);
      if (!bytes || bytes.length === 0) continue;
      let node = 0;
      for (const byte of bytes) {
        const key = node * 256 + byte;
        let next = index.get(key);
        if (next === undefined) {
          next = this.#byte.length;
          this.#byte.push(byte);
          this.#child.push(-1);
          this.#sibling.push(this.#child[node]);
          this.#tokens.push(undefined);
          this.#child[node] = next;
          index.set(key, next);
        }
        node = next;
      }
      this.#tokens[node] = [...(this.#tokens[node] ?? []), id];
    }
  }

  /** Ids of all tokens whose bytes `step` accepts one after the other from `state`, ascending. Visits only what is accepted. */
  accepted(state: number, step: ByteStep): Int32Array {
    const found: number[] = [];
    const nodes = [0];
    const states = [state];
    while (nodes.length > 0) {
      const node = nodes.pop() as number;
      const before = states.pop() as number;
      for (let child = this.#child[node]; child >= 0; child = this.#sibling[child]) {
        const after = step(before, this.#byte[child]);
        if (after < 0) continue;
        const tokens = this.#tokens[child];
        if (tokens) found.push(...tokens);
        if (this.#child[child] >= 0) {
          nodes.push(child);
          states.push(after);
        }
      }
    }
    return Int32Array.from(found).sort();
  }
}
