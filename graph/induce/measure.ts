// Owns the measures of a rule: counting them on the graph for closed paths, and what follows from the counts.
// Refuses to know how rules are found and shown.

import type { FactGraph } from './graph.ts';
import { pairBit } from './shape.ts';
import { PathWalker } from './walk.ts';

/**
 * Support: pairs that body and head share. Head coverage: support over the head's facts. Standard confidence: support over the body's pairs (closed world).
 * PCA confidence: only pairs count whose subject - or object, where the relation is more functional backwards - has some fact of the head (Galarraga et al. 2013).
 * Lift: PCA confidence over the share of known facts among all that PCA may count: pairs of a subject of the head - or an object, as above - and any node. For a rule with a constant in
 * the head, nodes stand in for pairs: those that have the head's relation.
 */
export interface Measures {
  readonly support: number;
  /** Pairs (or nodes) for which the body holds. */
  readonly predictions: number;
  readonly headCoverage: number;
  readonly confidence: number;
  readonly pcaConfidence: number;
  readonly lift: number;
  /** Wilson score interval of the confidence at 95%. */
  readonly interval: readonly [number, number];
  /** False: extrapolated from a part of the graph. */
  readonly exact: boolean;
}

const Z = 1.959963984540054;
/** Wilson 1927: where the true share lies, given `hits` of `trials`, with 95% certainty. */
export function wilson(hits: number, trials: number): readonly [number, number] {
  if (trials <= 0) return [0, 1];
  const share = hits / trials;
  const square = Z * Z;
  const middle = share + square / (2 * trials);
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials * trials));
  const whole = 1 + square / trials;
  return [hits === 0 ? 0 : Math.max(0, (middle - spread) / whole), hits === trials ? 1 : Math.min(1, (middle + spread) / whole)];
}

export interface Thresholds {
  readonly support: number;
  readonly confidence: number;
  readonly pcaConfidence: number;
  readonly headCoverage: number;
}
export interface Counts {
  support: number;
  cover: number;
  pca: number;
  differ: number;
  exact: boolean;
}

/** Counts closed paths exactly; those that need more than `edges` looks are extrapolated from evenly spread starts. Rules that cannot reach a threshold are dropped at once. */
export class PathMeter {
  readonly #graph: FactGraph;
  readonly #walker: PathWalker;
  readonly #edges: number;
  readonly #thresholds: Thresholds;
  #head = -1;
  readonly #isObject: Uint8Array;
  readonly counts: Counts = { support: 0, cover: 0, pca: 0, differ: 0, exact: true };

  constructor(graph: FactGraph, edges: number, thresholds: Thresholds) {
    this.#graph = graph;
    this.#walker = new PathWalker(graph);
    this.#edges = edges;
    this.#thresholds = thresholds;
    this.#isObject = new Uint8Array(graph.nodes);
  }

  /** Fills `counts`; false when the rule misses a threshold. `most`: what its support cannot exceed. */
  measure(relation: number, steps: Int32Array, from: number, length: number, differ: number, most = Number.POSITIVE_INFINITY): boolean {
    const graph = this.#graph;
    const { confidence: least, support: leastSupport, headCoverage, pcaConfidence } = this.#thresholds;
    const headStep = relation * 2;
    const facts = graph.relationFacts[relation];
    const needed = Math.max(leastSupport, headCoverage * facts);
    const bySubject = graph.groupsOf(headStep) >= graph.groupsOf(headStep + 1);
    if (!bySubject) this.#setObjects(headStep + 1);
    const noLoops = graph.loops[relation] === 0 && (differ & pairBit(0, length)) === 0;
    const [first, starts] = [graph.stepStart[steps[from]], graph.groupsOf(steps[from])];
    const stride = coprime(starts);
    const budget = { edges: this.#edges };
    let [support, cover, pca, loops, left, visited] = [0, 0, 0, 0, Math.min(facts, most), 0];
    for (let i = 0, at = 0; i < starts; i++, at = (at + stride) % starts) {
      const x = graph.groupNode[graph.stepGroups[first + at]];
      this.#walker.walk(x, steps, from, length, differ, budget);
      if (budget.edges < 0 && visited > 0) break;
      visited++;
      const { count, ends } = this.#walker;
      const loop = noLoops && this.#walker.reached(x) ? 1 : 0;
      loops += loop;
      cover += count - loop;
      const g = graph.group(x, headStep);
      if (g >= 0) {
        for (let e = graph.groupStart[g]; e < graph.groupStart[g + 1]; e++) if (this.#walker.reached(graph.targets[e])) support++;
        if (bySubject) pca += count - loop;
        left = Math.min(left, facts - support);
      }
      if (!bySubject) for (let j = 0; j < count; j++) if (this.#isObject[ends[j]] === 1 && !(loop === 1 && ends[j] === x)) pca++;
      // All that is still missing may yet be hit.
      const reachable = Math.min(most, support + left);
      if (reachable < needed || reachable < least * cover || reachable < pcaConfidence * pca) return false;
    }
    const { counts } = this;
    counts.exact = visited === starts;
    const scale = counts.exact ? 1 : starts / Math.max(1, visited);
    counts.support = Math.round(support * scale);
    counts.cover = Math.max(counts.support, Math.round(cover * scale));
    counts.pca = Math.max(counts.support, Math.round(pca * scale));
    counts.differ = loops > 0 ? differ | pairBit(0, length) : differ;
    return counts.cover > 0 && counts.support >= needed && counts.support >= least * counts.cover && counts.support >= pcaConfidence * counts.pca;
  }
  #setObjects(step: number): void {
    if (this.#head === step) return;
    this.#head = step;
    this.#isObject.fill(0);
    const graph = this.#graph;
    for (let i = graph.stepStart[step]; i < graph.stepStart[step + 1]; i++) this.#isObject[graph.groupNode[graph.stepGroups[i]]] = 1;
  }
}
/** A step through 0 .. count - 1 that meets each once, spread over the whole. */
function coprime(count: number): number {
  let stride = Math.max(1, Math.floor(count * 0.618_033_988_75));
  for (; gcd(stride, count) !== 1; stride++);
  return stride;
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
