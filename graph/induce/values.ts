// Owns the numbers and dates of one graph, by relation, in order: how many nodes have a value of at least, or at most, so much.
// Refuses to know rules.

import type { FactGraph } from './graph.ts';
import { PAUSE } from './shape.ts';

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
/** Ranks of some members: of their greatest and of their least values, each in ascending order. */
export class Ordered {
  readonly size: number;
  readonly #greatest: Int32Array;
  readonly #least: Int32Array;
  constructor(greatest: Int32Array, least: Int32Array) {
    [this.size, this.#greatest, this.#least] = [greatest.length, greatest, least];
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

/** Members of classes that are kept in order, over all lists; with more, those used longest ago are put in order again when they are needed. */
const KEPT_MEMBERS = 4_000_000;

export class ValueLists {
  readonly lists: readonly ValueList[];
  readonly #graph: FactGraph;
  /** Of each group: its place in the list of numbers, and in that of dates; -1 for none. */
  readonly #places: readonly [Int32Array, Int32Array];
  /** Of each step: its lists of numbers and of dates. */
  readonly #ofStep: readonly (readonly [ValueList | undefined, ValueList | undefined] | undefined)[];
  /** Of each rank, a node that has it. */
  readonly #literals: ReadonlyMap<number, number>;
  /** Used last comes last. */
  readonly #within = new Map<string, Ordered>();
  readonly #mostKept: number;
  #kept = 0;

  private constructor(
    graph: FactGraph,
    places: readonly [Int32Array, Int32Array],
    ofStep: readonly (readonly [ValueList | undefined, ValueList | undefined] | undefined)[],
    literals: ReadonlyMap<number, number>,
    mostKept: number,
  ) {
    [this.#graph, this.#places, this.#ofStep, this.#literals, this.#mostKept] = [graph, places, ofStep, literals, mostKept];
    this.lists = ofStep.flatMap((both) => both?.filter((list) => list !== undefined) ?? []);
  }
  /** Puts the values of a graph in order. Yields the work since the last time. */
  static *of(graph: FactGraph, mostKept = KEPT_MEMBERS): Generator<number, ValueLists, void> {
    const { ranks } = graph;
    const literals = new Map<number, number>();
    for (let node = ranks.length - 1; node >= 0; node--) {
      if (ranks[node] >= 0) literals.set(ranks[node], node);
      if (node % PAUSE === 0) yield PAUSE;
    }
    const places = [0, 1].map(() => new Int32Array(graph.groupNode.length).fill(-1)) as [Int32Array, Int32Array];
    const ofStep: (readonly [ValueList | undefined, ValueList | undefined] | undefined)[] = [];
    let lists = 0;
    for (let step = 0; step < graph.steps; step++) {
      const both: [ValueList | undefined, ValueList | undefined] = [undefined, undefined];
      if ((step & 1) === 0 && graph.alias[step] === step)
        for (const kind of [0, 1] as const) {
          both[kind] = yield* listOf(graph, step, kind, lists, places[kind]);
          if (both[kind]) lists++;
        }
      ofStep.push(both[0] || both[1] ? both : undefined);
    }
    return new ValueLists(graph, places, ofStep, literals, mostKept);
  }
  /** Members that are kept in order now. */
  get kept(): number {
    return this.#kept;
  }
  /** The node that stands for a rank; -1 for none. */
  literal(rank: number): number {
    return rank < 0 ? -1 : (this.#literals.get(rank) as number);
  }
  /** Tells of each list that a group is a place of. */
  at(group: number, visit: (list: ValueList, place: number) => void): void {
    const lists = this.#ofStep[this.#graph.groupStep[group]];
    if (!lists) return;
    for (const kind of [0, 1] as const) {
      const [list, place] = [lists[kind], this.#places[kind][group]];
      if (list && place >= 0) visit(list, place);
    }
  }
  /** Members of a list that are among the targets of a group. Yields the work since the last time. */
  *within(list: ValueList, group: number): Generator<number, Ordered, void> {
    const key = `${list.id} ${group}`;
    let found = this.#within.get(key);
    if (found) {
      this.#within.delete(key);
      this.#within.set(key, found);
      return found;
    }
    const places = yield* this.placesWithin(list, group);
    found = yield* ordered(
      places.map((place) => list.greatest[place]),
      places.map((place) => list.least[place]),
    );
    this.#within.set(key, found);
    this.#kept += found.size;
    for (const [oldest, { size }] of this.#within) {
      if (this.#kept <= this.#mostKept || oldest === key) break;
      this.#within.delete(oldest);
      this.#kept -= size;
    }
    return found;
  }
  *placesWithin({ id, step }: ValueList, group: number): Generator<number, Int32Array, void> {
    const { groupStart, targets } = this.#graph;
    const places: number[] = [];
    for (let e = groupStart[group]; e < groupStart[group + 1]; e++) {
      if ((e - groupStart[group]) % PAUSE === PAUSE - 1) yield PAUSE;
      const own = this.#graph.group(targets[e], step);
      if (own >= 0)
        this.at(own, (list, place) => {
          if (list.id === id) places.push(place);
        });
    }
    return Int32Array.from(places);
  }
}

/** Values of one kind that a step leads to; undefined for fewer than two nodes that have some. Fills the places of the groups. */
function* listOf(graph: FactGraph, step: number, kind: 0 | 1, id: number, into: Int32Array): Generator<number, ValueList | undefined, void> {
  const { stepStart, stepGroups, groupStart, groupNode, targets, ranks, firstDate } = graph;
  const [nodes, least, greatest, groups]: number[][] = [[], [], [], []];
  let [single, work] = [true, 0];
  for (let i = stepStart[step]; i < stepStart[step + 1]; i++) {
    const g = stepGroups[i];
    let [low, high, count] = [Number.POSITIVE_INFINITY, -1, 0];
    for (let e = groupStart[g]; e < groupStart[g + 1]; e++) {
      const rank = ranks[targets[e]] ?? -1;
      if (rank < 0 || (rank >= firstDate ? 1 : 0) !== kind) continue;
      [low, high, count] = [Math.min(low, rank), Math.max(high, rank), count + 1];
    }
    if ((work += 1 + groupStart[g + 1] - groupStart[g]) >= PAUSE) {
      yield work;
      work = 0;
    }
    if (count === 0) continue;
    if (count > 1) single = false;
    groups.push(g);
    nodes.push(groupNode[g]);
    least.push(low);
    greatest.push(high);
  }
  yield work;
  if (nodes.length < 2) return undefined;
  groups.forEach((g, place) => (into[g] = place));
  const [low, high] = [Int32Array.from(least), Int32Array.from(greatest)];
  return { id, step, nodes: Int32Array.from(nodes), least: low, greatest: high, single, all: yield* ordered(high.slice(), low.slice()) };
}
/** Takes the arrays for its own. */
function* ordered(greatest: Int32Array, least: Int32Array): Generator<number, Ordered, void> {
  for (const ranks of [greatest, least]) {
    ranks.sort();
    yield ranks.length;
  }
  return new Ordered(greatest, least);
}
