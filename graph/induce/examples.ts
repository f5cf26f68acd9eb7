// Owns finding what a rule gets right and wrong: a few facts that it predicts and that are known, and a few that are not.
// Refuses to know how rules are found, measured and named.

import { coverOf, isRefined } from './conditions.ts';
import type { FactGraph } from './graph.ts';
import { BODY, BOUND, CONSTANT, DIFFER, HEAD, KIND, LENGTH, PATH, STRIDE } from './shape.ts';
import type { RuleColumns } from './shape.ts';
import { PathWalker } from './walk.ts';

/** Subject and object by turns. */
export interface Examples {
  readonly known: readonly number[];
  readonly unknown: readonly number[];
}

/** Starts of a path that are looked at for examples of one rule. */
const STARTS = 2_000;

export class ExampleFinder {
  readonly #graph: FactGraph;
  readonly #walker: PathWalker;
  readonly #steps = new Int32Array(5);
  constructor(graph: FactGraph) {
    this.#graph = graph;
    this.#walker = new PathWalker(graph);
  }
  /** At most `most` of each kind. */
  find(rules: RuleColumns, rule: number, most: number, edges: number): Examples {
    const graph = this.#graph;
    const { data } = rules;
    const row = rule * STRIDE;
    const head = data[row + HEAD];
    const [known, unknown]: [number[], number[]] = [[], []];
    const enough = (): boolean => known.length >= most * 2 && unknown.length >= most * 2;
    const put = (x: number, y: number): void => {
      const list = graph.has(x, head, y) ? known : unknown;
      if (list.length < most * 2) list.push(...((head & 1) === 0 ? [x, y] : [y, x]));
    };
    if (data[row + KIND] === PATH) {
      const length = data[row + LENGTH];
      this.#steps.set(data.subarray(row + BODY, row + BODY + length));
      const first = graph.stepStart[this.#steps[0]];
      const budget = { edges };
      for (let i = 0; i < Math.min(STARTS, graph.groupsOf(this.#steps[0])) && !enough() && budget.edges >= 0; i++) {
        const x = graph.groupNode[graph.stepGroups[first + i]];
        this.#walker.walk(x, this.#steps, 0, length, data[row + DIFFER], budget);
        for (let j = 0; j < this.#walker.count && !enough(); j++) put(x, this.#walker.ends[j]);
      }
      return { known, unknown };
    }
    const constant = data[row + CONSTANT];
    if (isRefined(data[row + KIND])) {
      let left = STARTS;
      for (const x of coverOf(graph, data, row)) {
        if (enough() || left-- === 0) break;
        put(x, constant);
      }
      return { known, unknown };
    }
    if (data[row + KIND] === BOUND) {
      const g = graph.group(data[row + BODY + 1], data[row + BODY] ^ 1);
      if (g >= 0) for (let e = graph.groupStart[g]; e < graph.groupStart[g + 1] && !enough(); e++) put(graph.targets[e], constant);
      return { known, unknown };
    }
    const body = data[row + BODY];
    for (let i = graph.stepStart[body]; i < graph.stepStart[body + 1] && !enough(); i++) {
      const g = graph.stepGroups[i];
      if (data[row + DIFFER] === 0 || graph.size(g) > 1 || graph.targets[graph.groupStart[g]] !== constant) put(graph.groupNode[g], constant);
    }
    return { known, unknown };
  }
}
