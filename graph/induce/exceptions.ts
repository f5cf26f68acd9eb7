// Owns finding rules with an exception: a rule with constants is surer where something does not hold.
// Refuses to know how the rules without exceptions are found, names and time.

import { meets, nodesOf } from './conditions.ts';
import type { FactGraph } from './graph.ts';
import { wilson } from './measure.ts';
import type { Thresholds } from './measure.ts';
import { BODY, BOUND, CONSTANT, COVER, DIFFER, EXACT, EXCEPT, HEAD, KIND, LENGTH, OPEN, PAUSE, PCA, STRIDE, SUPPORT } from './shape.ts';
import type { RuleColumns } from './shape.ts';

interface Exception {
  readonly step: number;
  /** -1: anything. */
  readonly node: number;
  readonly support: number;
  readonly cover: number;
}
/**
 * Mines h(?x, c) :- b(?x, d), not e(?x, f), and the same with anything in place of d or f, from rules without the exception. Of all exceptions that enough counter-examples meet, the one
 * that makes the confidence surest (by the lower end of its interval) is taken, and only when that is surer than without. An exception is never about the head's own relation, except
 * another object of it, so that no relation hangs on its own absence. Yields the edges that were looked at since the last time.
 */
export function* mineExceptions(
  graph: FactGraph,
  rules: RuleColumns,
  thresholds: Thresholds,
  vacuous: readonly number[],
  into: RuleColumns,
): Generator<number, void, void> {
  const { groupStart, peers, alias, nodeGroup, groupStep, groupNode } = graph;
  const groups = [new Int32Array(groupNode.length), new Int32Array(groupNode.length)];
  const steps = [new Int32Array(graph.steps), new Int32Array(graph.steps)];
  for (let base = 0; base < rules.length * STRIDE; base += STRIDE) {
    const { data } = rules;
    const [kind, head, constant, support, cover] = [KIND, HEAD, CONSTANT, SUPPORT, COVER].map((field) => data[base + field]);
    if ((kind !== BOUND && kind !== OPEN) || data[base + DIFFER] !== 0 || cover - support < thresholds.support) continue;
    const [step, node] = [data[base + BODY], kind === OPEN ? -1 : data[base + BODY + 1]];
    const [metGroups, metSteps]: [number[], number[]] = [[], []];
    let work = 0;
    const allowed = (other: number, isOpen: boolean): boolean =>
      (other >> 1 !== head >> 1 || (!isOpen && (other & 1) === 0 && (head & 1) === 0)) && (!isOpen || !vacuous.includes(other >> 1));
    // Counter-examples first: only what they meet can be an exception.
    for (const known of [0, 1])
      for (const x of nodesOf(graph, step, node)) {
        if (++work >= PAUSE) {
          yield work;
          work = 0;
        }
        if (graph.has(x, head, constant) !== (known === 1)) continue;
        for (let g = nodeGroup[x]; g < nodeGroup[x + 1]; g++) {
          const taken = groupStep[g];
          if (alias[taken] !== taken) continue;
          if (known === 0 && steps[0][taken] === 0) metSteps.push(taken);
          if (known === 0 || steps[0][taken] > 0) steps[known][taken]++;
          work += groupStart[g + 1] - groupStart[g];
          for (let f = groupStart[g]; f < groupStart[g + 1]; f++) {
            if (known === 0 && groups[0][peers[f]] === 0) metGroups.push(peers[f]);
            if (known === 0 || groups[0][peers[f]] > 0) groups[known][peers[f]]++;
          }
        }
      }
    const found: { best?: Exception; score: number } = { score: wilson(support, cover)[0] };
    const consider = (other: number, end: number, wrong: number, right: number): void => {
      if (wrong < thresholds.support || (other === step && (end === node || node < 0))) return;
      const [left, all] = [support - right, cover - right - wrong];
      if (left < thresholds.support || left < thresholds.confidence * all) return;
      const [score] = wilson(left, all);
      if (score > found.score) [found.best, found.score] = [{ step: other, node: end, support: left, cover: all }, score];
    };
    for (const other of metSteps) if (allowed(other, true)) consider(other, -1, steps[0][other], steps[1][other]);
    for (const group of metGroups) {
      if (++work >= PAUSE) {
        yield work;
        work = 0;
      }
      const other = groupStep[group] ^ 1;
      if (allowed(other, false)) consider(other, groupNode[group], groups[0][group], groups[1][group]);
    }
    for (const group of metGroups) [groups[0][group], groups[1][group]] = [0, 0];
    for (const other of metSteps) [steps[0][other], steps[1][other]] = [0, 0];
    const { best } = found;
    if (best) {
      const { step: other, node: end } = best;
      let pca = 0;
      for (const x of nodesOf(graph, step, node)) {
        if (++work >= PAUSE) {
          yield work;
          work = 0;
        }
        if (graph.group(x, head) >= 0 && !meets(graph, x, other, end)) pca++;
      }
      const size = graph.size(graph.group(constant, head ^ 1));
      if (best.support >= thresholds.pcaConfidence * pca && best.support >= thresholds.headCoverage * size) {
        const row = into.add();
        const { data: made } = into;
        [made[row + KIND], made[row + HEAD], made[row + CONSTANT], made[row + LENGTH]] = [EXCEPT, head, constant, 1];
        made.set([step, node, other, end, -1], row + BODY);
        [made[row + SUPPORT], made[row + COVER], made[row + PCA], made[row + EXACT]] = [best.support, best.cover, pca, 1];
      }
    }
    yield work;
  }
}
