// Owns finding rules that compare a number or a date with bounds: what nodes that lead to one constant have in common is a value of at least, or at most, so much.
// Refuses to know names and time. Bounds are values that occur.

import type { FactGraph } from './graph.ts';
import { wilson } from './measure.ts';
import type { Thresholds } from './measure.ts';
import { BODY, CONSTANT, COVER, EXACT, HEAD, KIND, LENGTH, PAUSE, PCA, RANGE, SUPPORT } from './shape.ts';
import type { RuleColumns } from './shape.ts';
import type { Ordered, ValueList, ValueLists } from './values.ts';

/** Classes that are tried as a further condition: the most frequent. */
const CONTEXTS = 3;

/** Bounds (ranks, -1: none) with what they select. */
interface Cut {
  readonly low: number;
  readonly high: number;
  readonly support: number;
  readonly cover: number;
  /** Lower end of the interval of the confidence. */
  readonly score: number;
}

/**
 * Mines h(?x, c) :- n(?x, ?y), ?y >= v, with <= and both, in both directions of the head's relation. Of all bounds within the thresholds, those are taken that tell most: that select more
 * known cases than chance would by the greatest number (weighted relative accuracy: Lavrac, Flach, Zupan 1999). Both bounds, and the members of one class alone, stand only where that is
 * surer, by the lower end of the interval of the confidence. A constant that is itself a number or date is not concluded. Yields the work since the last time.
 */
export function* mineRanges(
  graph: FactGraph,
  relation: number,
  thresholds: Thresholds,
  values: ValueLists,
  classes: readonly number[],
  into: RuleColumns,
): Generator<number, void, void> {
  const { targets, groupStart, groupNode, peers, nodeGroup, groupStep, alias, ranks } = graph;
  const hasHead = new Uint8Array(graph.nodes);
  const inContext = new Uint8Array(graph.nodes);
  const hits: number[][] = values.lists.map(() => []);
  for (const head of [relation * 2, relation * 2 + 1]) {
    hasHead.fill(0);
    for (let i = graph.stepStart[head]; i < graph.stepStart[head + 1]; i++) hasHead[groupNode[graph.stepGroups[i]]] = 1;
    const least = thresholds.support;
    for (let i = graph.stepStart[head ^ 1]; i < graph.stepStart[(head ^ 1) + 1]; i++) {
      const set = graph.stepGroups[i];
      const [from, to] = [groupStart[set], groupStart[set + 1]];
      const needed = Math.max(least, thresholds.headCoverage * (to - from));
      if (to - from < needed || (ranks[groupNode[set]] ?? -1) >= 0) continue;
      let work = 0;
      const contexts = new Map<number, number>();
      const met = new Set<ValueList>();
      for (let e = from; e < to; e++) {
        if (work >= PAUSE) {
          yield work;
          work = 0;
        }
        const x = targets[e];
        for (let g = nodeGroup[x]; g < nodeGroup[x + 1]; g++) {
          const step = groupStep[g];
          work++;
          values.at(g, (list, place) => {
            met.add(list);
            hits[list.id].push(place);
          });
          // A class as a condition; not the one that is concluded.
          if ((step & 1) === 0 && classes.includes(step >> 1))
            for (let f = groupStart[g]; f < groupStart[g + 1]; f++) if (peers[f] !== set) contexts.set(peers[f], (contexts.get(peers[f]) ?? 0) + 1);
        }
      }
      const common = [...contexts]
        .filter(([, count]) => count >= needed)
        .toSorted((a, b) => b[1] - a[1] || a[0] - b[0])
        .slice(0, CONTEXTS);
      for (const list of met) {
        const places = Int32Array.from(hits[list.id]);
        hits[list.id].length = 0;
        if (places.length < needed || list.step === alias[head]) continue;
        const enough = ({ support, cover }: Cut): boolean => support >= needed && support >= thresholds.confidence * cover;
        const add = function* (cut: Cut, context: number): Generator<number, void, void> {
          const candidates = context < 0 ? list.nodes.keys() : yield* values.placesWithin(list, context);
          let [pca, looked] = [0, 0];
          for (const place of candidates) {
            if (++looked % PAUSE === 0) yield PAUSE;
            const fits = (cut.low < 0 || list.greatest[place] >= cut.low) && (cut.high < 0 || list.least[place] <= cut.high);
            if (fits) pca += hasHead[list.nodes[place]];
          }
          if (cut.support < thresholds.pcaConfidence * pca) return;
          const row = into.add();
          const { data } = into;
          [data[row + KIND], data[row + HEAD], data[row + CONSTANT], data[row + LENGTH]] = [RANGE, head, groupNode[set], 1];
          data.set([list.step, values.literal(cut.low), values.literal(cut.high)], row + BODY);
          data.set(context < 0 ? [-1, -1] : [groupStep[context] ^ 1, groupNode[context]], row + BODY + 3);
          [data[row + SUPPORT], data[row + COVER], data[row + PCA], data[row + EXACT]] = [cut.support, cut.cover, pca, 1];
        };
        const cuts = yield* best(list, places, list.all, enough);
        for (const cut of cuts) yield* add(cut, -1);
        const surest = Math.max(0, ...cuts.map(({ score }) => score));
        for (const [context] of common) {
          for (let e = groupStart[context]; e < groupStart[context + 1]; e++) inContext[targets[e]] = 1;
          yield groupStart[context + 1] - groupStart[context];
          const own = places.filter((place) => inContext[list.nodes[place]] === 1);
          for (let e = groupStart[context]; e < groupStart[context + 1]; e++) inContext[targets[e]] = 0;
          yield places.length;
          if (own.length < needed) continue;
          const narrower = yield* best(list, own, yield* values.within(list, context), enough);
          for (const cut of narrower) if (cut.score > surest) yield* add(cut, context);
        }
      }
      yield work;
    }
  }
}

/**
 * The bounds of each form that tell most about the members at `hits`, among all that count, when they are surer than all values together; both bounds only where that is surer than one.
 * The best bounds lie where a hit is: beyond, there are only others.
 */
function* best(list: ValueList, hits: Int32Array, all: Ordered, enough: (cut: Cut) => boolean): Generator<number, Cut[], void> {
  if (hits.length === 0 || hits.length === all.size) return [];
  const plain = hits.length / all.size;
  const gain = ({ support, cover }: Cut): number => support - plain * cover;
  const better = (cut: Cut, than: Cut | undefined): boolean => cut.cover < all.size && gain(cut) > 0 && enough(cut) && (!than || gain(cut) > gain(than));
  const cutOf = (low: number, high: number, support: number, cover: number): Cut => ({ low, high, support, cover, score: wilson(support, cover)[0] });
  const falling = hits.map((place) => list.greatest[place]).sort();
  yield hits.length;
  const rising = hits.map((place) => list.least[place]).sort();
  yield hits.length;
  let [above, beneath]: (Cut | undefined)[] = [];
  for (let i = falling.length - 1; i >= 0; i--) {
    if (i % PAUSE === 0) yield PAUSE;
    // A bound stands behind the last of equal values.
    if (falling[i - 1] === falling[i]) continue;
    const cut = cutOf(falling[i], -1, falling.length - i, all.atLeast(falling[i]));
    if (better(cut, above)) above = cut;
  }
  for (let i = 0; i < rising.length; i++) {
    if (i % PAUSE === PAUSE - 1) yield PAUSE;
    if (rising[i + 1] === rising[i]) continue;
    const cut = cutOf(-1, rising[i], i + 1, all.atMost(rising[i]));
    if (better(cut, beneath)) beneath = cut;
  }
  const one = [above, beneath].filter((cut) => cut !== undefined);
  if (!list.single) return one;
  // The stretch in which hits most outweigh others, for a few weights of the others (Kadane's way).
  let both: Cut | undefined;
  for (const share of new Set([plain, ...one.flatMap(({ support, cover }) => [support / cover, (1 + support / cover) / 2])])) {
    let [sum, start, top, from, to, paused] = [0, 0, 0, -1, -1, 0];
    for (let i = 0; i < rising.length;) {
      if (i - paused >= PAUSE) {
        yield i - paused;
        paused = i;
      }
      let next = i + 1;
      while (next < rising.length && rising[next] === rising[i]) next++;
      const [before, upTo] = [all.atMost(rising[i] - 1), all.atMost(rising[i])];
      // What lies between the last hit and this one belongs to the stretch, if it goes on.
      if (i > 0) sum -= share * (before - all.atMost(rising[i - 1]));
      if (sum <= 0) [sum, start] = [0, i];
      sum += next - i - share * (upTo - before);
      if (sum > top) [top, from, to] = [sum, start, next - 1];
      i = next;
    }
    if (from < 0) continue;
    const cut = cutOf(rising[from], rising[to], to - from + 1, all.atMost(rising[to]) - all.atMost(rising[from] - 1));
    // A bound that excludes nothing is none.
    const needsBoth = all.atMost(rising[from] - 1) > 0 && all.atMost(rising[to]) < all.size;
    if (needsBoth && better(cut, both)) both = cut;
  }
  const surest = Math.max(wilson(hits.length, all.size)[0], ...one.map(({ score }) => score));
  return both && both.score > surest ? [...one, both] : one;
}
