// Owns tokens as a tree over bytes, and the search for all of them that an automaton over bytes accepts.
// Refuses to know what the automaton stands for.

/** An automaton over bytes: the state after `byte`, or -1 where it does not go on. */
export type ByteStep = (state: number, byte: number) => number;

/** Nodes in the order of a walk that goes down first, so that a subtree is a stretch of them. */
export class TokenTrie {
  /** By node: its byte, its depth (1 for first bytes), the node behind its subtree, and the token that ends there or -1. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly tokens: Int32Array;
  /** Tokens that are spelt as another one, by that one. */
  readonly twins = new Map<number, number[]>();
  /** Bytes of the longest token. */
  readonly longest: number;

  /** Tokens without bytes are left out. */
  constructor(ids: Iterable<number>, bytesOf: (id: number) => Uint8Array | undefined) {
    const spelt: { readonly id: number; readonly bytes: Uint8Array }[] = [];
    for (const id of ids) {
      const bytes = bytesOf(id);
      if (bytes && bytes.length > 0) spelt.push({ id, bytes });
    }
    spelt.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id);
    const [bytes, depths, ends, tokens]: [number[], number[], number[], number[]] = [[], [], [], []];
    /** Nodes of the last token, by depth. */
    const path: number[] = [];
    let before: Uint8Array = new Uint8Array(0);
    const leave = (depth: number): void => {
      for (const node of path.splice(depth)) ends[node] = bytes.length;
    };
    for (const { id, bytes: word } of spelt) {
      let shared = 0;
      while (shared < word.length && shared < before.length && word[shared] === before[shared]) shared++;
      leave(shared);
      for (let i = shared; i < word.length; i++) {
        path.push(bytes.length);
        bytes.push(word[i]);
        depths.push(i + 1);
        ends.push(0);
        tokens.push(-1);
      }
      const node = path[path.length - 1];
      const first = tokens[node];
      if (first < 0) tokens[node] = id;
      else {
        const others = this.twins.get(first);
        if (others) others.push(id);
        else this.twins.set(first, [id]);
      }
      before = word;
    }
    leave(0);
    this.bytes = Uint8Array.from(bytes);
    this.depths = Uint16Array.from(depths);
    this.ends = Int32Array.from(ends);
    this.tokens = Int32Array.from(tokens);
    this.longest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  }

  /** Calls `found` with each token whose bytes `step` accepts one after the other from `state`, and the state behind it. Visits only what is accepted. */
  accepted(state: number, step: ByteStep, found: (token: number, after: number) => void): void {
    const { bytes, depths, ends, tokens, twins } = this;
    const states = new Int32Array(this.longest + 1);
    states[0] = state;
    for (let node = 0; node < bytes.length;) {
      const depth = depths[node];
      const after = step(states[depth - 1], bytes[node]);
      if (after < 0) {
        node = ends[node];
        continue;
      }
      states[depth] = after;
      const token = tokens[node];
      if (token >= 0) {
        found(token, after);
        if (twins.size > 0) for (const twin of twins.get(token) ?? []) found(twin, after);
      }
      node++;
    }
  }
}
