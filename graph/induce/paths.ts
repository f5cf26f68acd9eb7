// Owns finding closed paths: the bodies that join the two ends of known facts, counted per fact, all of them or a sample.
// Refuses to know confidence: what it finds are candidates.

import type { FactGraph } from './graph.ts';
import { mustDiffer, pairBit } from './shape.ts';
import type { Random } from './random.ts';

/** Candidates of one relation and length: an open-addressing table by body. A body is one number, its steps written in base `steps`. */
class Candidates {
  keys: Float64Array = new Float64Array(256);
  /** Facts that the body joins, as far as looked at. */
  counts: Int32Array = new Int32Array(256);
  /** mustDiffer of the body; -1 = no rule. */
  differ: Int32Array = new Int32Array(256);
  /** 1 = measured already. */
  done: Uint8Array = new Uint8Array(256);
  #last: Int32Array = new Int32Array(256);
  #slots: Int32Array = new Int32Array(512).fill(-1);
  size = 0;

  static #slot(key: number, mask: number): number {
    const h = Math.imul(key | 0, 0x9e3779b1) ^ Math.imul((key / 4_294_967_296) | 0, 0x85ebca6b);
    return (h ^ (h >>> 15)) & mask;
  }
  find(key: number): number {
    const mask = this.#slots.length - 1;
    for (let at = Candidates.#slot(key, mask); ; at = (at + 1) & mask) {
      const c = this.#slots[at];
      if (c < 0 || this.keys[c] === key) return c;
    }
  }
  add(key: number, differ: number): number {
    if (this.size === this.keys.length) this.#grow();
    const c = this.size++;
    [this.keys[c], this.differ[c], this.#last[c]] = [key, differ, -1];
    this.#place(c);
    return c;
  }
  /** Counts the fact once. */
  count(c: number, fact: number): void {
    if (this.#last[c] === fact) return;
    this.#last[c] = fact;
    this.counts[c]++;
  }
  #place(c: number): void {
    const mask = this.#slots.length - 1;
    let at = Candidates.#slot(this.keys[c], mask);
    while (this.#slots[at] >= 0) at = (at + 1) & mask;
    this.#slots[at] = c;
  }
  #grow(): void {
    const double = <T extends Int32Array | Float64Array | Uint8Array>(old: T, grown: T): T => (grown.set(old), grown);
    const size = this.keys.length * 2;
    this.keys = double(this.keys, new Float64Array(size));
    [this.counts, this.differ] = [double(this.counts, new Int32Array(size)), double(this.differ, new Int32Array(size))];
    [this.#last, this.done] = [double(this.#last, new Int32Array(size)), double(this.done, new Uint8Array(size))];
    this.#slots = new Int32Array(size * 2).fill(-1);
    for (let c = 0; c < this.size; c++) this.#place(c);
  }
}

/** Walks of a few steps from one node: their steps as one number, their nodes, where they end. */
class Walks {
  readonly steps: Float64Array;
  readonly ends: Int32Array;
  readonly trails: Int32Array;
  count = 0;
  /** Some walks were left out. */
  sampled = false;
  constructor(most: number) {
    [this.steps, this.ends, this.trails] = [new Float64Array(most), new Int32Array(most), new Int32Array(most * 2)];
  }
}

/** Edges by node with one of each set of equal steps. `backwards`: the edges that lead to the node. */
class Ways {
  readonly start: Int32Array;
  readonly step: Int32Array;
  readonly node: Int32Array;
  constructor(graph: FactGraph, backwards: boolean) {
    this.start = new Int32Array(graph.nodes + 1);
    const [step, node] = [new Int32Array(graph.edges), new Int32Array(graph.edges)];
    let at = 0;
    for (let n = 0; n < graph.nodes; n++) {
      for (let g = graph.nodeGroup[n]; g < graph.nodeGroup[n + 1]; g++) {
        const taken = backwards ? graph.groupStep[g] ^ 1 : graph.groupStep[g];
        if (graph.alias[taken] !== taken) continue;
        for (let e = graph.groupStart[g]; e < graph.groupStart[g + 1]; e++, at++) [step[at], node[at]] = [taken, graph.targets[e]];
      }
      this.start[n + 1] = at;
    }
    [this.step, this.node] = [step.slice(0, at), node.slice(0, at)];
  }
}

export interface FinderLimits {
  /** Pairs of half walks looked at for one fact; with more, that many are drawn by chance. */
  readonly pairs: number;
  /** Candidates kept in all; further ones are not counted. */
  readonly candidates: number;
}

/** Finds bodies of one length for the facts of one relation. Half of the path is walked from either end; the step between is looked up. */
export class PathFinder {
  readonly graph: FactGraph;
  readonly #limits: FinderLimits;
  readonly #random: Random;
  readonly #out: Ways;
  readonly #in: Ways;
  readonly #left: Walks;
  readonly #right: Walks;
  /** Candidates of all tables. */
  candidates = 0;
  full = false;

  constructor(graph: FactGraph, limits: FinderLimits, random: Random) {
    this.graph = graph;
    this.#limits = limits;
    this.#random = random;
    [this.#out, this.#in] = [new Ways(graph, false), new Ways(graph, true)];
    const most = Math.max(16, limits.pairs);
    [this.#left, this.#right] = [new Walks(most), new Walks(most)];
  }
  random(bound: number): number {
    return this.#random.below(bound);
  }
  search(relation: number, length: number): PathSearch {
    return new PathSearch(this, relation, length, this.#random);
  }

  /** Counts the bodies that join x and y. True when none was left out. Adds to `work.edges` what was looked at. */
  join(search: PathSearch, x: number, y: number, fact: number, work: { edges: number }): boolean {
    const { length } = search;
    const [before, behind] = [Math.ceil((length - 1) / 2), Math.floor((length - 1) / 2)];
    this.#walks(this.#left, this.#out, x, before, false);
    this.#walks(this.#right, this.#in, y, behind, true);
    const [left, right] = [this.#left, this.#right];
    const pairs = left.count * right.count;
    work.edges += left.count + right.count;
    if (pairs <= this.#limits.pairs) {
      for (let i = 0; i < left.count; i++) for (let j = 0; j < right.count; j++) this.#close(search, x, y, fact, i, j, before, behind);
      work.edges += pairs;
      return !left.sampled && !right.sampled;
    }
    for (let k = 0; k < this.#limits.pairs; k++)
      this.#close(search, x, y, fact, this.#random.below(left.count), this.#random.below(right.count), before, behind);
    work.edges += this.#limits.pairs;
    return false;
  }

  #walks(into: Walks, ways: Ways, node: number, length: number, backwards: boolean): void {
    const { steps } = this.graph;
    const most = into.steps.length;
    [into.count, into.sampled] = [0, false];
    const put = (key: number, first: number, end: number): void => {
      const at = into.count++;
      [into.steps[at], into.ends[at], into.trails[at * 2], into.trails[at * 2 + 1]] = [key, end, first, end];
    };
    if (length === 0) return put(0, node, node);
    const [from, to] = [ways.start[node], ways.start[node + 1]];
    const key = (first: number, second: number): number =>
      backwards ? ways.step[second] * steps + ways.step[first] : ways.step[first] * steps + ways.step[second];
    if (length === 1) {
      into.sampled = to - from > most;
      for (let i = 0; i < Math.min(to - from, most); i++) {
        const e = into.sampled ? from + this.#random.below(to - from) : from + i;
        put(ways.step[e], ways.node[e], ways.node[e]);
      }
      return;
    }
    let all = 0;
    for (let e = from; e < to; e++) all += ways.start[ways.node[e] + 1] - ways.start[ways.node[e]];
    into.sampled = all > most;
    if (!into.sampled) {
      for (let e = from; e < to; e++) for (let f = ways.start[ways.node[e]]; f < ways.start[ways.node[e] + 1]; f++) put(key(e, f), ways.node[e], ways.node[f]);
      return;
    }
    for (let i = 0; i < most; i++) {
      const e = from + this.#random.below(to - from);
      const [low, high] = [ways.start[ways.node[e]], ways.start[ways.node[e] + 1]];
      if (low === high) continue;
      const f = low + this.#random.below(high - low);
      put(key(e, f), ways.node[e], ways.node[f]);
    }
  }
  #close(search: PathSearch, x: number, y: number, fact: number, i: number, j: number, before: number, behind: number): void {
    const { graph } = this;
    const [left, right] = [this.#left, this.#right];
    const pair = graph.pair(left.ends[i], right.ends[j]);
    if (pair < 0) return;
    const { trail, table } = search;
    trail[0] = x;
    if (before > 0) trail[1] = left.trails[i * 2];
    if (before > 1) trail[2] = left.trails[i * 2 + 1];
    if (behind > 0) trail[search.length - 1] = right.trails[j * 2];
    if (behind > 1) trail[search.length - 2] = right.trails[j * 2 + 1];
    trail[search.length] = y;
    const [head, tail] = [left.steps[i] * search.shiftMiddle, right.steps[j]];
    for (let p = graph.pairStart[pair]; p < graph.pairStart[pair + 1]; p++) {
      const key = head + graph.pairSteps[p] * search.shiftTail + tail;
      let c = table.find(key);
      if (c < 0) {
        if (this.candidates >= this.#limits.candidates) {
          this.full = true;
          continue;
        }
        this.candidates++;
        search.decode(key);
        c = table.add(key, mustDiffer(graph, search.relation, search.steps, search.length));
      }
      const differ = table.differ[c];
      if (differ > 0 ? this.#differs(trail, search.length, differ) : differ === 0) table.count(c, fact);
    }
  }
  #differs(trail: Int32Array, length: number, differ: number): boolean {
    for (let i = 0; i < length; i++) for (let j = i + 1; j <= length; j++) if (trail[i] === trail[j] && (differ & pairBit(i, j)) !== 0) return false;
    return true;
  }
}

/** The bodies of one relation and length, and how far its facts were looked at. */
export class PathSearch {
  readonly relation: number;
  readonly length: number;
  readonly table = new Candidates();
  readonly trail: Int32Array;
  /** Steps of the body that `decode` read. */
  readonly steps: Int32Array;
  readonly shiftTail: number;
  readonly shiftMiddle: number;
  readonly #finder: PathFinder;
  readonly #facts: Int32Array;
  readonly #ends: Int32Array;
  #next = 0;
  #sampled = false;
  /** Every body of every fact was counted: `counts` is the support. */
  complete = false;
  passes = 0;

  constructor(finder: PathFinder, relation: number, length: number, random: Random) {
    [this.#finder, this.relation, this.length] = [finder, relation, length];
    const { graph } = finder;
    [this.trail, this.steps] = [new Int32Array(length + 1), new Int32Array(length)];
    this.shiftTail = graph.steps ** Math.floor((length - 1) / 2);
    this.shiftMiddle = this.shiftTail * graph.steps;
    const step = relation * 2;
    [this.#facts, this.#ends] = [new Int32Array(graph.relationFacts[relation]), new Int32Array(graph.relationFacts[relation])];
    const order = random.shuffle(Int32Array.from(this.#facts, (_, i) => i));
    let at = 0;
    for (let i = graph.stepStart[step]; i < graph.stepStart[step + 1]; i++) {
      const g = graph.stepGroups[i];
      for (let e = graph.groupStart[g]; e < graph.groupStart[g + 1]; e++, at++)
        [this.#facts[order[at]], this.#ends[order[at]]] = [graph.groupNode[g], graph.targets[e]];
    }
  }
  /** Looks at further facts, about `edges` of work. True at the end of a pass over all facts. A pass after one that drew by chance draws anew. */
  advance(edges: number): boolean {
    const work = { edges: 0 };
    while (this.#next < this.#facts.length && work.edges < edges) {
      const fact = this.#next++;
      work.edges++;
      if (!this.#finder.join(this, this.#facts[fact], this.#ends[fact], fact, work)) this.#sampled = true;
    }
    if (this.#next < this.#facts.length) return false;
    this.complete ||= !this.#sampled && !this.#finder.full;
    [this.#next, this.#sampled] = [0, false];
    this.passes++;
    return true;
  }
  /** Candidates not yet measured that join at least `least` facts, most first. */
  waiting(least: number): Int32Array {
    const { table } = this;
    const list: number[] = [];
    for (let c = 0; c < table.size; c++) if (table.differ[c] >= 0 && table.done[c] === 0 && table.counts[c] >= least) list.push(c);
    return Int32Array.from(list).sort((a, b) => table.counts[b] - table.counts[a] || table.keys[a] - table.keys[b]);
  }
  /** Reads a body's steps into `steps`. */
  decode(key: number): void {
    const base = this.#finder.graph.steps;
    for (let i = this.length - 1; i >= 0; i--) {
      this.steps[i] = key % base;
      key = Math.floor(key / base);
    }
  }
}
/** The greatest length whose bodies can be written as one number. */
export const longest = (graph: FactGraph, length: number): number => {
  while (length > 1 && graph.steps ** length > Number.MAX_SAFE_INTEGER) length--;
  return length;
};
