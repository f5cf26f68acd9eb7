// Owns tokens as a tree over bytes, and the search for all of them that an automaton over bytes accepts.
// Refuses to know what the automaton stands for.

/** An automaton over bytes: the state after `byte`, or -1 where it does not go on. */
export type ByteStep = (state: number, byte: number) => number;

/** What a tree consists of; it survives structured cloning. */
export interface TrieParts {
  /** By node: its byte, its depth (1 for first bytes), the node behind its subtree, and the token that ends there or -1. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly tokens: Int32Array;
  /** Tokens that are spelt as another one, by that one. */
  readonly twins: ReadonlyMap<number, readonly number[]>;
}

/** Nodes in the order of a walk that goes down first, so that a subtree is a stretch of them. */
export class TokenTrie implements TrieParts {
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly tokens: Int32Array;
  readonly twins: ReadonlyMap<number, readonly number[]>;
  /** Bytes of the longest token. */
  readonly longest: number;

  /** Tokens without bytes are left out. */
  constructor(ids: Iterable<number>, bytesOf: (id: number) => Uint8Array | undefined, parts: TrieParts = grow(ids, bytesOf)) {
    ({ bytes: this.bytes, depths: this.depths, ends: this.ends, tokens: this.tokens, twins: this.twins } = parts);
    this.longest = 0;
    for (const depth of this.depths) if (depth > this.longest) this.longest = depth;
  }
  /** A tree as another thread has it. */
  static of(parts: TrieParts): TokenTrie {
    return new TokenTrie([], () => undefined, parts);
  }
  get parts(): TrieParts {
    const { bytes, depths, ends, tokens, twins } = this;
    return { bytes, depths, ends, tokens, twins };
  }

  /** The tree of the tokens at some of its nodes and below them; `roots` ascend, and none is below another. */
  below(roots: readonly number[]): TokenTrie {
    const room = roots.length === 0 ? 0 : this.bytes.length;
    const [bytes, depths, ends, tokens] = [new Uint8Array(room), new Uint16Array(room), new Int32Array(room), new Int32Array(room)];
    let count = 0;
    /** Nodes above the roots: where they stand in the new tree, and where they end in this one. */
    const above: { readonly at: number; readonly end: number }[] = [];
    const leave = (node: number): void => {
      for (let last = above.at(-1); last && last.end <= node; last = above.at(-1)) {
        ends[last.at] = count;
        above.pop();
      }
    };
    for (let node = 0, next = 0; next < roots.length;) {
      leave(node);
      const end = this.ends[node];
      if (node === roots[next]) {
        bytes.set(this.bytes.subarray(node, end), count);
        depths.set(this.depths.subarray(node, end), count);
        tokens.set(this.tokens.subarray(node, end), count);
        for (const moved = count - node; node < end; node++) ends[count++] = this.ends[node] + moved;
        next++;
      } else if (roots[next] < end) {
        above.push({ at: count, end });
        [bytes[count], depths[count], tokens[count]] = [this.bytes[node], this.depths[node], -1];
        count++;
        node++;
      } else node = end;
    }
    leave(Infinity);
    return TokenTrie.of({
      bytes: bytes.slice(0, count),
      depths: depths.slice(0, count),
      ends: ends.slice(0, count),
      tokens: tokens.slice(0, count),
      twins: this.twins,
    });
  }

  /** Calls `found` with each token whose bytes `step` accepts one after the other from `state`, and the state behind it, until it gives true. Visits only what is accepted. */
  accepted(state: number, step: ByteStep, found: (token: number, after: number) => unknown): void {
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
        if (found(token, after) === true) return;
        if (twins.size > 0) for (const twin of twins.get(token) ?? []) if (found(twin, after) === true) return;
      }
      node++;
    }
  }
}

function grow(ids: Iterable<number>, bytesOf: (id: number) => Uint8Array | undefined): TrieParts {
  const spelt: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  for (const id of ids) {
    const bytes = bytesOf(id);
    if (bytes && bytes.length > 0) spelt.push({ id, bytes });
  }
  spelt.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id);
  const [bytes, depths, ends, tokens]: [number[], number[], number[], number[]] = [[], [], [], []];
  const twins = new Map<number, number[]>();
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
      const others = twins.get(first);
      if (others) others.push(id);
      else twins.set(first, [id]);
    }
    before = word;
  }
  leave(0);
  return { bytes: Uint8Array.from(bytes), depths: Uint16Array.from(depths), ends: Int32Array.from(ends), tokens: Int32Array.from(tokens), twins };
}

/** The bytes of a tree's tokens. */
export function bytesOfTokens({ bytes, depths, tokens, twins, longest }: TokenTrie): (token: number) => Uint8Array | undefined {
  // One stretch of memory for all: there are very many.
  const total = tokens.reduce((sum, token, node) => (token < 0 ? sum : sum + depths[node]), 0);
  const [pool, path] = [new Uint8Array(total), new Uint8Array(longest)];
  const places = new Map<number, readonly [start: number, end: number]>();
  let start = 0;
  for (let node = 0; node < bytes.length; node++) {
    path[depths[node] - 1] = bytes[node];
    const token = tokens[node];
    if (token < 0) continue;
    const place = [start, start + depths[node]] as const;
    pool.set(path.subarray(0, depths[node]), start);
    for (const id of [token, ...(twins.get(token) ?? [])]) places.set(id, place);
    start = place[1];
  }
  return (token) => {
    const place = places.get(token);
    return place && pool.subarray(...place);
  };
}
