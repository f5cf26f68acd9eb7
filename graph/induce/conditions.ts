// Owns where the bodies of refined rules hold: those with a range of values, and those with an exception.
// Refuses to know how rules are found, measured and named.

import type { FactGraph } from './graph.ts';
import { BODY, EXCEPT, KIND, RANGE } from './shape.ts';

/** Does the step lead from the node to the other, or (-1) anywhere? */
export const meets = (graph: FactGraph, node: number, step: number, other: number): boolean =>
  other < 0 ? graph.group(node, step) >= 0 : graph.has(node, step, other);

/** Is the value of a node between two others of its kind? -1: no bound. */
export function within({ ranks, firstDate }: FactGraph, node: number, low: number, high: number): boolean {
  const rank = ranks[node];
  const kind = (at: number): boolean => ranks[at] >= firstDate;
  return rank >= 0 && kind(node) === kind(low < 0 ? high : low) && (low < 0 || rank >= ranks[low]) && (high < 0 || rank <= ranks[high]);
}

/** Does the body of a refined rule hold for a node? */
export function holdsAt(graph: FactGraph, data: Int32Array, row: number, node: number): boolean {
  const [a, b, c, d, e] = data.subarray(row + BODY, row + BODY + 5);
  if (data[row + KIND] === EXCEPT) return meets(graph, node, a, b) && !meets(graph, node, c, d);
  const g = graph.group(node, a);
  if (g < 0 || (d >= 0 && !graph.has(node, d, e))) return false;
  for (let i = graph.groupStart[g]; i < graph.groupStart[g + 1]; i++) if (within(graph, graph.targets[i], b, c)) return true;
  return false;
}
export const isRefined = (kind: number): boolean => kind === RANGE || kind === EXCEPT;

/** Nodes that a step leads to the other, or (-1) anywhere. */
export function* nodesOf(graph: FactGraph, step: number, other: number): Generator<number, void, void> {
  if (other >= 0) {
    const g = graph.group(other, step ^ 1);
    if (g >= 0) yield* graph.targets.subarray(graph.groupStart[g], graph.groupStart[g + 1]);
    return;
  }
  for (let i = graph.stepStart[step]; i < graph.stepStart[step + 1]; i++) yield graph.groupNode[graph.stepGroups[i]];
}
/** Nodes for which the body of a refined rule holds. */
export function* coverOf(graph: FactGraph, data: Int32Array, row: number): Generator<number, void, void> {
  const base = data[row + KIND] === EXCEPT ? data[row + BODY + 1] : -1;
  for (const node of nodesOf(graph, data[row + BODY], base)) if (holdsAt(graph, data, row, node)) yield node;
}
