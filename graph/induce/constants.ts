// Owns finding rules with constants: what nodes that lead to one constant have in common. Complete and exact.
// Refuses to know closed paths, names and time.

import type { FactGraph } from './graph.ts';
import type { Thresholds } from './measure.ts';
import { BODY, BOUND, CONSTANT, COVER, DIFFER, EXACT, HEAD, KIND, LENGTH, OPEN, PATH, PAUSE, PCA, STRIDE, SUPPORT } from './shape.ts';
import type { RuleColumns } from './shape.ts';

/**
 * Mines h(?x, c) :- b(?x, ?y) and h(?x, c) :- b(?x, d), in both directions of each relation, for the head steps of one relation. A rule with a constant in its body stands
 * only when it is surer than the same with a variable there, and h(?x, c) :- b(?x, c) only when surer than h(?x, ?y) :- b(?x, ?y) among `copies`. Relations of `vacuous` say nothing with a variable. Yields the number of edges that were looked at since the last time.
 */
export function* mineConstants(
  graph: FactGraph,
  relation: number,
  thresholds: Thresholds,
  vacuous: readonly number[],
  into: RuleColumns,
  copies: RuleColumns,
): Generator<number, void, void> {
  const { targets, groupStart, peers, alias, nodeGroup, groupStep } = graph;
  const withGroup = new Int32Array(groupStart.length - 1);
  const withStep = new Int32Array(graph.steps);
  const surest = new Float64Array(graph.steps);
  const [metGroups, metSteps]: [number[], number[]] = [[], []];
  const copied = new Map<number, number>();
  for (let row = 0; row < copies.length * STRIDE; row += STRIDE)
    if (copies.data[row + KIND] === PATH && copies.data[row + LENGTH] === 1 && copies.data[row + HEAD] === relation * 2)
      copied.set(alias[copies.data[row + BODY]], copies.data[row + SUPPORT] / copies.data[row + COVER]);
  for (const head of [relation * 2, relation * 2 + 1]) {
    const pca = new HeadCounter(graph, head);
    for (let i = graph.stepStart[head ^ 1]; i < graph.stepStart[(head ^ 1) + 1]; i++) {
      // The nodes that the head step leads to this constant.
      const set = graph.stepGroups[i];
      const constant = graph.groupNode[set];
      const [from, to] = [groupStart[set], groupStart[set + 1]];
      const size = to - from;
      const needed = Math.max(thresholds.support, thresholds.headCoverage * size);
      if (size < needed) continue;
      let [work, several] = [0, 0];
      for (let e = from; e < to; e++) {
        if (work >= PAUSE) {
          yield work;
          work = 0;
        }
        const x = targets[e];
        for (let g = nodeGroup[x]; g < nodeGroup[x + 1]; g++) {
          const step = groupStep[g];
          if (step === head && groupStart[g + 1] - groupStart[g] > 1) several++;
          if (alias[step] !== step) continue;
          if (withStep[step]++ === 0) metSteps.push(step);
          work += groupStart[g + 1] - groupStart[g];
          for (let f = groupStart[g]; f < groupStart[g + 1]; f++) if (withGroup[peers[f]]++ === 0) metGroups.push(peers[f]);
        }
      }
      const add = (kind: number, step: number, node: number, differ: number, support: number, cover: number, counted: number): void => {
        const row = into.add();
        const { data } = into;
        [data[row + KIND], data[row + HEAD], data[row + CONSTANT], data[row + DIFFER], data[row + LENGTH]] = [kind, head, constant, differ, 1];
        [data[row + BODY], data[row + BODY + 1], data[row + SUPPORT], data[row + COVER], data[row + PCA], data[row + EXACT]] = [
          step,
          node,
          support,
          cover,
          counted,
          1,
        ];
      };
      const stands = (support: number, cover: number): boolean => support >= needed && cover > 0 && support >= thresholds.confidence * cover;
      for (const step of metSteps) {
        const own = step === alias[head];
        // A node's own fact is no reason for itself: with the head's step, there has to be another end.
        const support = own ? several : withStep[step];
        const cover = own ? graph.groupsOf(head) - (size - several) : graph.groupsOf(step);
        if (vacuous.includes(step >> 1)) continue;
        surest[step] = cover > 0 ? support / cover : 0;
        if (!stands(support, cover)) continue;
        const counted = own ? cover : pca.ofStep(step);
        if (support >= thresholds.pcaConfidence * counted) add(OPEN, step, -1, own ? 1 : 0, support, cover, counted);
      }
      for (const group of metGroups) {
        if (++work >= PAUSE) {
          yield work;
          work = 0;
        }
        const support = withGroup[group];
        const cover = groupStart[group + 1] - groupStart[group];
        if (!stands(support, cover)) continue;
        const step = groupStep[group] ^ 1;
        if (step === alias[head] && graph.groupNode[group] === constant) continue;
        if (
          support / cover <= surest[step] ||
          (graph.groupNode[group] === constant && support / cover <= (copied.get((head & 1) === 0 ? step : alias[step ^ 1]) ?? 0))
        )
          continue;
        work += cover;
        const counted = pca.ofGroup(group);
        if (support >= thresholds.pcaConfidence * counted) add(BOUND, step, graph.groupNode[group], 0, support, cover, counted);
      }
      for (const step of metSteps) [withStep[step], surest[step]] = [0, 0];
      for (const group of metGroups) withGroup[group] = 0;
      [metGroups.length, metSteps.length] = [0, 0];
      yield work;
    }
  }
}

/** How many nodes of a step or a group have the head's step; each is counted once. */
class HeadCounter {
  readonly #graph: FactGraph;
  readonly #has: Uint8Array;
  readonly #groups: Int32Array;
  readonly #steps: Int32Array;
  constructor(graph: FactGraph, head: number) {
    this.#graph = graph;
    this.#has = new Uint8Array(graph.nodes);
    for (let i = graph.stepStart[head]; i < graph.stepStart[head + 1]; i++) this.#has[graph.groupNode[graph.stepGroups[i]]] = 1;
    this.#groups = new Int32Array(graph.groupNode.length).fill(-1);
    this.#steps = new Int32Array(graph.steps).fill(-1);
  }
  ofGroup(group: number): number {
    if (this.#groups[group] >= 0) return this.#groups[group];
    const { groupStart, targets } = this.#graph;
    let count = 0;
    for (let e = groupStart[group]; e < groupStart[group + 1]; e++) count += this.#has[targets[e]];
    return (this.#groups[group] = count);
  }
  ofStep(step: number): number {
    if (this.#steps[step] >= 0) return this.#steps[step];
    const { stepStart, stepGroups, groupNode } = this.#graph;
    let count = 0;
    for (let i = stepStart[step]; i < stepStart[step + 1]; i++) count += this.#has[groupNode[stepGroups[i]]];
    return (this.#steps[step] = count);
  }
}
