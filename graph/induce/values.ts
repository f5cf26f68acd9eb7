// Owns the numbers and dates of one graph, by relation, in order: how many nodes have a value of at least, or at most, so much.
// Refuses to know rules.

import type { FactGraph } from './graph.ts';

/** Values of one relation, numbers or dates: of each node that has some, the least and the greatest rank. Members are numbered from 0. */
export interface ValueList {
  readonly id: number;
  readonly step: number;
  readonly nodes: Int32Array;
  readonly least: Int32Array;
  readonly greatest: Int32Array;
  /** No node has several values. */
  readonly single: boolean;
  /** All members. */
  readonly all: Ordered;
}
/** Ranks of some members in ascending order: of their greatest and of their least values. */
export class Ordered {
  readonly size: number;
  readonly #greatest: Int32Array;
  readonly #least: Int32Array;
  constructor(greatest: Int32Array, least: Int32Array) {
    this.size = greatest.length;
    [this.#greatest, this.#least] = [greatest.toSorted(), least.toSorted()];
  }
  /** Members with some value of at least this rank. */
  atLeast(rank: number): number {
    return this.size - below(this.#greatest, rank);
  }
  /** Members with some value of at most this rank. */
  atMost(rank: number): number {
    return below(this.#least, rank + 1);
  }
}
/** How many are below a number. */
function below(sorted: Int32Array, number: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class ValueLists {
  readonly lists: readonly ValueList[];
  readonly #graph: FactGraph;
  /** Of each group: its place in the list of numbers, and in that of dates; -1 for none. */
  readonly #places: readonly [Int32Array, Int32Array];
  /** Of each step: its lists of numbers and of dates. */
  readonly #ofStep: (readonly [ValueList | undefined, ValueList | undefined] | undefined)[];
  /** Of each rank, a node that has it. */
  readonly #literals = new Map<number, number>();
  readonly #within = new Map<string, Ordered>();

  constructor(graph: FactGraph) {
    this.#graph = graph;
    const { ranks } = graph;
    for (let node = ranks.length - 1; node >= 0; node--) if (ranks[node] >= 0) this.#literals.set(ranks[node], node);
    const places = (): Int32Array => new Int32Array(graph.groupNode.length).fill(-1);
    this.#places = [places(), places()];
    const lists: ValueList[] = [];
    this.#ofStep = Array.from({ length: graph.steps }, (_, step) => {
      if ((step & 1) === 1 || graph.alias[step] !== step) return undefined;
      const both = [0, 1].map((kind) => {
        const list = this.#list(step, kind as 0 | 1, lists.length);
        if (list) lists.push(list);
        return list;
      });
      return both[0] || both[1] ? [both[0], both[1]] : undefined;
    });
    this.lists = lists;
  }
  /** The node that stands for a rank; -1 for none. */
  literal(rank: number): number {
    return rank < 0 ? -1 : (this.#literals.get(rank) as number);
  }
  /** Tells of each list that a group is a place of. */
  of(group: number, visit: (list: ValueList, place: number) => void): void {
    const lists = this.#ofStep[this.#graph.groupStep[group]];
    if (!lists) return;
    for (const kind of [0, 1] as const) {
      const [list, place] = [lists[kind], this.#places[kind][group]];
      if (list && place >= 0) visit(list, place);
    }
  }
  /** Members of a list that are among the targets of a group. */
  within(list: ValueList, group: number): Ordered {
    const key = `${list.id} ${group}`;
    let found = this.#within.get(key);
    if (!found) {
      const places = this.placesWithin(list, group);
      this.#within.set(
        key,
        (found = new Ordered(
          places.map((place) => list.greatest[place]),
          places.map((place) => list.least[place]),
        )),
      );
    }
    return found;
  }
  placesWithin({ id, step }: ValueList, group: number): Int32Array {
    const { groupStart, targets } = this.#graph;
    const places: number[] = [];
    for (let e = groupStart[group]; e < groupStart[group + 1]; e++) {
      const own = this.#graph.group(targets[e], step);
      if (own >= 0)
        this.of(own, (list, place) => {
          if (list.id === id) places.push(place);
        });
    }
    return Int32Array.from(places);
  }

  #list(step: number, kind: 0 | 1, id: number): ValueList | undefined {
    const { stepStart, stepGroups, groupStart, groupNode, targets, ranks, firstDate } = this.#graph;
    const [nodes, least, greatest, groups]: number[][] = [[], [], [], []];
    let single = true;
    for (let i = stepStart[step]; i < stepStart[step + 1]; i++) {
      const g = stepGroups[i];
      let [low, high, count] = [Number.POSITIVE_INFINITY, -1, 0];
      for (let e = groupStart[g]; e < groupStart[g + 1]; e++) {
        const rank = ranks[targets[e]] ?? -1;
        if (rank < 0 || (rank >= firstDate ? 1 : 0) !== kind) continue;
        [low, high, count] = [Math.min(low, rank), Math.max(high, rank), count + 1];
      }
      if (count === 0) continue;
      if (count > 1) single = false;
      groups.push(g);
      nodes.push(groupNode[g]);
      least.push(low);
      greatest.push(high);
    }
    if (nodes.length < 2) return undefined;
    groups.forEach((g, place) => (this.#places[kind][g] = place));
    const [low, high] = [Int32Array.from(least), Int32Array.from(greatest)];
    return { id, step, nodes: Int32Array.from(nodes), least: low, greatest: high, single, all: new Ordered(high, low) };
  }
}
