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

/** Words in one stretch of memory: there are very many. Word `i` lies from `starts[i]` to `starts[i + 1]`. */
interface Words {
  readonly ids: readonly number[];
  readonly pool: Uint8Array;
  readonly starts: Int32Array;
}
function wordsOf(ids: Iterable<number>, bytesOf: (id: number) => Uint8Array | undefined): Words {
  const [kept, words]: [number[], Uint8Array[]] = [[], []];
  for (const id of ids) {
    const word = bytesOf(id);
    if (!word || word.length === 0) continue;
    kept.push(id);
    words.push(word);
  }
  const starts = new Int32Array(words.length + 1);
  for (let i = 0; i < words.length; i++) starts[i + 1] = starts[i] + words[i].length;
  const pool = new Uint8Array(starts[words.length]);
  for (let i = 0; i < words.length; i++) pool.set(words[i], starts[i]);
  return { ids: kept, pool, starts };
}
/** More than any vocabulary has. */
const MOST_WORDS = 2 ** 21;
/** So many first bytes of a word fit into one number with its place. */
const FRONT = 4;
/** Places of words in the order of their bytes, those that are alike by id. Numbers are sorted without asking for each pair; what begins alike is compared byte by byte. */
function ordered({ ids, pool, starts }: Words): Uint32Array {
  const keys = new Float64Array(ids.length);
  for (let i = 0; i < keys.length; i++) {
    let front = 0;
    for (let at = starts[i]; at < starts[i] + FRONT; at++) front = front * 256 + (at < starts[i + 1] ? pool[at] : 0);
    keys[i] = front * MOST_WORDS + i;
  }
  keys.sort();
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[i] = keys[i] % MOST_WORDS;
  const compare = (a: number, b: number): number => {
    let [at, other] = [starts[a], starts[b]];
    while (at < starts[a + 1] && other < starts[b + 1]) if (pool[at++] !== pool[other++]) return pool[at - 1] - pool[other - 1];
    return starts[a + 1] - at - (starts[b + 1] - other) || ids[a] - ids[b];
  };
  for (let from = 0; from < order.length;) {
    const behind = (Math.floor(keys[from] / MOST_WORDS) + 1) * MOST_WORDS;
    let to = from + 1;
    while (to < order.length && keys[to] < behind) to++;
    if (to - from > 1) order.subarray(from, to).sort(compare);
    from = to;
  }
  return order;
}
function grow(all: Iterable<number>, bytesOf: (id: number) => Uint8Array | undefined): TrieParts {
  const words = wordsOf(all, bytesOf);
  const { ids, pool, starts } = words;
  const [bytes, depths, ends, tokens] = [new Uint8Array(pool.length), new Uint16Array(pool.length), new Int32Array(pool.length), new Int32Array(pool.length)];
  const twins = new Map<number, number[]>();
  /** Nodes of the last word, by depth. */
  const path = new Int32Array(starts.reduce((longest, start, i) => (i === 0 ? 0 : Math.max(longest, start - starts[i - 1])), 0));
  let [count, from, to] = [0, 0, 0];
  for (const word of ordered(words)) {
    const [before, length] = [from, to - from];
    [from, to] = [starts[word], starts[word + 1]];
    let shared = 0;
    while (shared < length && from + shared < to && pool[from + shared] === pool[before + shared]) shared++;
    for (let depth = shared; depth < length; depth++) ends[path[depth]] = count;
    for (let depth = shared; depth < to - from; depth++) {
      path[depth] = count;
      bytes[count] = pool[from + depth];
      depths[count] = depth + 1;
      tokens[count++] = -1;
    }
    const node = path[to - from - 1];
    const first = tokens[node];
    if (first < 0) tokens[node] = ids[word];
    else {
      const others = twins.get(first);
      if (others) others.push(ids[word]);
      else twins.set(first, [ids[word]]);
    }
  }
  for (let depth = 0; depth < to - from; depth++) ends[path[depth]] = count;
  return { bytes: bytes.slice(0, count), depths: depths.slice(0, count), ends: ends.slice(0, count), tokens: tokens.slice(0, count), twins };
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
