// Owns walking a path of steps from one node: the distinct ends, with the variables that must differ kept apart.
// Refuses to know heads, measures and rankings.

import type { FactGraph } from './graph.ts';
import { pairBit } from './shape.ts';

const X_A = pairBit(0, 1);
/** What one walk may look at. */
export interface WalkBudget {
  /** Edges that may still be looked at; counted down. Below 0: the walk broke off. */
  edges: number;
}

/** Holds the marks of one thread's walks over one graph. `ends[0 .. count)` is the result of the last walk. */
export class PathWalker {
  readonly graph: FactGraph;
  readonly ends: Int32Array;
  count = 0;
  readonly #seen: Int32Array;
  readonly #seenMiddle: Int32Array;
  readonly #middle: Int32Array;
  /** Of each middle node: the only first node that leads to it, or -2 when there are several. */
  readonly #via: Int32Array;
  #stamp = 0;

  constructor(graph: FactGraph) {
    this.graph = graph;
    const { nodes } = graph;
    [this.ends, this.#seen, this.#seenMiddle] = [new Int32Array(nodes), new Int32Array(nodes), new Int32Array(nodes)];
    [this.#middle, this.#via] = [new Int32Array(nodes), new Int32Array(nodes)];
  }
  /** Whether the last walk ended at the node. */
  reached(node: number): boolean {
    return this.#seen[node] === this.#stamp;
  }

  /** Distinct ends of steps[from .. from + length) from node x. Exact unless the budget falls below 0. */
  walk(x: number, steps: Int32Array, from: number, length: number, differ: number, budget: WalkBudget): void {
    this.#stamp++;
    this.count = 0;
    switch (length) {
      case 1:
        return this.#one(x, steps[from], differ, budget);
      case 2:
        return this.#two(x, steps[from], steps[from + 1], differ, budget);
      case 3:
        return this.#three(x, steps, from, differ, budget);
      default:
        return this.#deep(x, steps, from, length, differ, budget);
    }
  }

  #one(x: number, step: number, differ: number, budget: WalkBudget): void {
    const { graph, ends } = this;
    const [seen, stamp] = [this.#seen, this.#stamp];
    const g = graph.group(x, step);
    if (g < 0) return;
    const end = graph.groupStart[g + 1];
    budget.edges -= end - graph.groupStart[g];
    let count = 0;
    for (let e = graph.groupStart[g]; e < end; e++) {
      const y = graph.targets[e];
      if (y === x && (differ & X_A) !== 0) continue;
      seen[y] = stamp;
      ends[count++] = y;
    }
    this.count = count;
  }
  #two(x: number, first: number, second: number, differ: number, budget: WalkBudget): void {
    const { graph, ends } = this;
    const { targets, groupStart } = graph;
    const [seen, stamp] = [this.#seen, this.#stamp];
    const [noXA, noXY, noAY] = [differ & X_A, differ & pairBit(0, 2), differ & pairBit(1, 2)];
    const g = graph.group(x, first);
    if (g < 0) return;
    let [count, work] = [0, 0];
    for (let e = groupStart[g]; e < groupStart[g + 1]; e++) {
      const a = targets[e];
      if (noXA !== 0 && a === x) continue;
      const h = graph.group(a, second);
      work++;
      if (h < 0) continue;
      const end = groupStart[h + 1];
      work += end - groupStart[h];
      for (let f = groupStart[h]; f < end; f++) {
        const y = targets[f];
        if (seen[y] === stamp || (noXY !== 0 && y === x) || (noAY !== 0 && y === a)) continue;
        seen[y] = stamp;
        ends[count++] = y;
      }
    }
    budget.edges -= work;
    this.count = count;
  }
  /** Middle nodes are taken once. Where the first node must not be the end, it is enough to know whether several first nodes lead to a middle node. */
  #three(x: number, steps: Int32Array, from: number, differ: number, budget: WalkBudget): void {
    const { graph, ends } = this;
    const { targets, groupStart } = graph;
    const [seen, seenMiddle, stamp, middle, via] = [this.#seen, this.#seenMiddle, this.#stamp, this.#middle, this.#via];
    const [first, second, third] = [steps[from], steps[from + 1], steps[from + 2]];
    const [noXA, noXB, noXY] = [differ & X_A, differ & pairBit(0, 2), differ & pairBit(0, 3)];
    const [noAB, noAY, noBY] = [differ & pairBit(1, 2), differ & pairBit(1, 3), differ & pairBit(2, 3)];
    const g = graph.group(x, first);
    if (g < 0) return;
    let [middles, work] = [0, 0];
    for (let e = groupStart[g]; e < groupStart[g + 1]; e++) {
      const a = targets[e];
      if (noXA !== 0 && a === x) continue;
      const h = graph.group(a, second);
      work++;
      if (h < 0) continue;
      const end = groupStart[h + 1];
      work += end - groupStart[h];
      for (let f = groupStart[h]; f < end; f++) {
        const b = targets[f];
        if ((noXB !== 0 && b === x) || (noAB !== 0 && b === a)) continue;
        if (seenMiddle[b] === stamp) {
          if (via[b] !== a) via[b] = -2;
          continue;
        }
        seenMiddle[b] = stamp;
        via[b] = a;
        middle[middles++] = b;
      }
    }
    let count = 0;
    for (let m = 0; m < middles && work <= budget.edges; m++) {
      const b = middle[m];
      const h = graph.group(b, third);
      work++;
      if (h < 0) continue;
      const end = groupStart[h + 1];
      work += end - groupStart[h];
      const only = noAY === 0 ? -2 : via[b];
      for (let f = groupStart[h]; f < end; f++) {
        const y = targets[f];
        if (seen[y] === stamp || y === only || (noXY !== 0 && y === x) || (noBY !== 0 && y === b)) continue;
        seen[y] = stamp;
        ends[count++] = y;
      }
    }
    budget.edges -= work;
    this.count = count;
  }
  #deep(x: number, steps: Int32Array, from: number, length: number, differ: number, budget: WalkBudget): void {
    const { graph, ends } = this;
    const { targets, groupStart } = graph;
    const [seen, stamp] = [this.#seen, this.#stamp];
    const [trail, cursor, last] = [new Int32Array(length + 1), new Int32Array(length), new Int32Array(length)];
    const open = (depth: number): void => {
      const g = graph.group(trail[depth], steps[from + depth]);
      cursor[depth] = g < 0 ? 0 : groupStart[g];
      last[depth] = g < 0 ? 0 : groupStart[g + 1];
    };
    trail[0] = x;
    open(0);
    for (let depth = 0; depth >= 0 && budget.edges >= 0;) {
      if (cursor[depth] >= last[depth]) {
        depth--;
        continue;
      }
      const node = targets[cursor[depth]++];
      budget.edges--;
      let clear = true;
      for (let i = 0; i <= depth && clear; i++) if (trail[i] === node && (differ & pairBit(i, depth + 1)) !== 0) clear = false;
      if (!clear) continue;
      if (depth + 1 === length) {
        if (seen[node] === stamp) continue;
        seen[node] = stamp;
        ends[this.count++] = node;
        continue;
      }
      trail[++depth] = node;
      open(depth);
    }
  }
}
