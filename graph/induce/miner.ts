// Owns one induction from beginning to end: rules with constants, then closed paths by length, within limits, anytime.
// Refuses to know names, threads and who listens: it is a generator of events over numbers.

import { mineConstants } from './constants.ts';
import { mineExceptions } from './exceptions.ts';
import type { FactGraph } from './graph.ts';
import { PathMeter } from './measure.ts';
import type { Thresholds } from './measure.ts';
import { longest, PathFinder } from './paths.ts';
import type { PathSearch } from './paths.ts';
import { Random } from './random.ts';
import { mineRanges } from './ranges.ts';
import { BODY, CONSTANT, COVER, DIFFER, EXACT, HEAD, KIND, LENGTH, mustDiffer, PATH, PCA, RuleColumns, STRIDE, SUPPORT } from './shape.ts';
import { ValueLists } from './values.ts';

export interface MineOptions {
  /** Relations that heads are mined for. */
  readonly relations: readonly number[];
  /** Longest closed path, 1 to 5. */
  readonly length: number;
  readonly constants: boolean;
  /** Rules with bounds of numbers and dates; the graph has to know their order. */
  readonly ranges?: boolean;
  /** Rules with an exception. */
  readonly exceptions?: boolean;
  /** Relations whose presence at a node says nothing. */
  readonly vacuous: readonly number[];
  readonly thresholds: Thresholds;
  /** Milliseconds for everything. */
  readonly ms: number;
  /** Rules collected at most; a little more may come together in one slice. */
  readonly rules: number;
  /** Bodies kept in mind at most. */
  readonly candidates: number;
  /** Pairs of half walks looked at for one fact in one pass. */
  readonly pairs: number;
  /** Edges looked at to count one rule; with more it is extrapolated. */
  readonly edges: number;
  /** Passes over facts too rich to be looked at whole. */
  readonly passes: number;
  readonly seed: number;
  /** Milliseconds from some fixed time. */
  readonly clock: () => number;
}
export type MineLimit = 'ms' | 'rules' | 'candidates';
export interface MineProgress {
  readonly phase: 'constants' | 'ranges' | 'exceptions' | 'paths';
  /** Of the paths at work; 0 for other phases. */
  readonly length: number;
  /** Rules that stood so far, bodies met, and those of them that were counted. */
  readonly rules: number;
  readonly candidates: number;
  readonly measured: number;
  readonly ms: number;
}
export interface MineResult {
  /** Surest first: by confidence, then support. */
  readonly rules: RuleColumns;
  /** No rule within the thresholds and lengths was missed. */
  readonly complete: boolean;
  /** The limit that was reached. */
  readonly limit?: MineLimit;
  readonly progress: MineProgress;
}

/** Work between two looks at the clock, in edges. */
const SLICE = 50_000;
/** Shares of the time and of the rules that rules other than paths may take, each after those before. */
const SHARES = { constants: { time: 0.4, room: 0.6 }, ranges: { time: 0.5, room: 0.7 }, exceptions: { time: 0.6, room: 0.8 } } as const;
/** Counter-examples that a rule is charged with when rules have to go: few observations make it less sure. */
const DOUBT = 5;
/** Share of the least confidence that a rule needs for its exceptions to be looked for. */
const DOUBTFUL = 0.5;
/** Rules that are collected before their exceptions are looked for: as many as that, and those of one constant. */
const BASES = 20_000;
/** Candidates measured in one turn of a relation. */
const TURN = 64;

/** Yields progress often; returns what was found. `rules` grows meanwhile, in the order of finding. */
export function* mine(graph: FactGraph, options: MineOptions, rules: RuleColumns = new RuleColumns()): Generator<MineProgress, MineResult, void> {
  const { clock, ms, thresholds } = options;
  const start = clock();
  const finder = new PathFinder(graph, options, new Random(options.seed));
  let [phase, at, measured]: [MineProgress['phase'], number, number] = ['paths', 1, 0];
  let limit: MineLimit | undefined;
  const progress = (): MineProgress => ({ phase, length: at, rules: rules.length, candidates: finder.candidates, measured, ms: clock() - start });
  const full = (): boolean => rules.length >= options.rules;
  const late = (until: number): boolean => clock() - start >= until;
  const meter = new PathMeter(graph, options.edges, thresholds);
  const length = longest(graph, options.length);
  let complete = length === options.length;

  const count = (relation: number, steps: Int32Array, differ: number, most?: number): void => {
    measured++;
    if (!meter.measure(relation, steps, 0, steps.length, differ, most)) return;
    const { counts } = meter;
    if (!counts.exact) complete = false;
    const row = rules.add();
    const { data } = rules;
    [data[row + KIND], data[row + HEAD], data[row + CONSTANT], data[row + DIFFER], data[row + LENGTH]] = [PATH, relation * 2, -1, counts.differ, steps.length];
    data.set(steps, row + BODY);
    [data[row + SUPPORT], data[row + COVER], data[row + PCA], data[row + EXACT]] = [counts.support, counts.cover, counts.pca, counts.exact ? 1 : 0];
  };
  const measure = (search: PathSearch, c: number): void => {
    const { table } = search;
    search.decode(table.keys[c]);
    table.done[c] = 1;
    count(search.relation, search.steps, table.differ[c], search.complete ? table.counts[c] : undefined);
  };
  /** A relation's own pairs under another name, such as its inverse's: the search for paths sees one step of each such set only. */
  const measureCopies = (relation: number): void => {
    const step = relation * 2;
    for (let other = 0; other < graph.steps && graph.alias[step] === step; other++)
      if (other !== step && graph.alias[other] === step) count(relation, Int32Array.of(other), Math.max(0, mustDiffer(graph, relation, [other], 1)));
  };
  /** Paths of one length for every relation, until none is left or time is up. */
  function* paths(until: number): Generator<MineProgress, void, void> {
    const searches = options.relations.map((relation) => finder.search(relation, at));
    for (let pass = 0; pass < options.passes; pass++) {
      const open = searches.filter((search) => !search.complete);
      if (open.length === 0 || full()) break;
      if (late(until)) {
        limit = 'ms';
        return;
      }
      for (const search of open)
        while (!search.advance(SLICE)) {
          yield progress();
          // Half of the time is for counting what was met.
          if (late(pass === 0 ? until / 2 : until)) break;
        }
      // The relations take turns, so that each has its best candidates counted when time is up.
      let turns = open.map((search) => ({ search, list: search.waiting(search.complete ? thresholds.support : Math.min(2, thresholds.support)), next: 0 }));
      while (turns.length > 0 && !full()) {
        for (const turn of turns) {
          const end = Math.min(turn.list.length, turn.next + TURN);
          while (turn.next < end && !full()) measure(turn.search, turn.list[turn.next++]);
          yield progress();
          if (late(until)) {
            limit = 'ms';
            return;
          }
        }
        turns = turns.filter(({ list, next }) => next < list.length);
      }
    }
    if (searches.some((search) => !search.complete)) complete = false;
  }

  // Short paths are few and sure; constants are many; long paths take what time is left.
  for (const relation of options.relations) measureCopies(relation);
  yield* paths(ms);
  /** Rules with constants of one form, for every relation, until time is up. */
  function* unary(form: keyof typeof SHARES, of: (relation: number, pool: RuleColumns) => Generator<number, void, void>): Generator<MineProgress, void, void> {
    if (limit !== undefined && limit !== 'rules') return;
    [phase, at] = [form, 0];
    let work = 0;
    // What comes after, long paths above all, must not go without time and room; poor relations come first.
    const { time, room: share } = SHARES[form];
    const last = length === 1 && (form === 'exceptions' || (!options.exceptions && (form === 'ranges' || !options.ranges)));
    const [until, most] = last ? [ms, options.rules] : [ms * time, Math.ceil(options.rules * share)];
    const room = Math.max(1, most - (rules.length - before));
    const pool = new RuleColumns();
    mining: for (const relation of options.relations.toSorted((a, b) => graph.relationFacts[a] - graph.relationFacts[b]))
      for (const edges of of(relation, pool)) {
        if ((work += edges) < SLICE) continue;
        work = 0;
        if (pool.length > 2 * room) {
          keepSurest(pool, room);
          limit = 'rules';
        }
        yield progress();
        if (!late(until)) continue;
        complete = false;
        break mining;
      }
    if (pool.length > room) {
      keepSurest(pool, room);
      limit = 'rules';
    }
    for (let i = 0; i < pool.length; i++) {
      const row = rules.add();
      rules.data.set(pool.data.subarray(i * STRIDE, (i + 1) * STRIDE), row);
    }
    phase = 'paths';
  }
  const { vacuous } = options;
  const before = rules.length;
  if (options.constants) yield* unary('constants', (relation, pool) => mineConstants(graph, relation, thresholds, vacuous, pool, rules));
  if (options.ranges) {
    let values: ValueLists | undefined;
    yield* unary('ranges', function* (relation, pool) {
      values ??= yield* ValueLists.of(graph);
      yield* mineRanges(graph, relation, thresholds, values, vacuous, pool);
    });
  }
  if (options.exceptions)
    yield* unary('exceptions', function* (relation, pool) {
      // A rule that is not sure enough may be so with an exception.
      const bases = new RuleColumns();
      const unsure: Thresholds = { ...thresholds, confidence: thresholds.confidence * DOUBTFUL, pcaConfidence: thresholds.pcaConfidence * DOUBTFUL };
      for (const work of mineConstants(graph, relation, unsure, vacuous, bases, rules)) {
        yield work;
        if (bases.length < BASES) continue;
        yield* mineExceptions(graph, bases, thresholds, vacuous, pool);
        bases.length = 0;
      }
      yield* mineExceptions(graph, bases, thresholds, vacuous, pool);
    });
  for (at = 2; at <= length && !full() && !late(ms); at++) {
    const now = clock() - start;
    yield* paths(now + (ms - now) / (length - at + 1));
  }
  if (at <= length && late(ms)) limit = 'ms';
  if (finder.full) limit ??= 'candidates';
  if (full()) limit = 'rules';
  if (!complete && late(ms)) limit ??= 'ms';
  return { rules: inOrder(rules), complete: complete && limit === undefined, ...(limit === undefined ? {} : { limit }), progress: progress() };
}

/** Leaves the `most` surest rules, in the order of finding. */
function keepSurest(rules: RuleColumns, most: number): void {
  const { data } = rules;
  const weight = Float64Array.from({ length: rules.length }, (_, i) => data[i * STRIDE + SUPPORT] / (data[i * STRIDE + COVER] + DOUBT));
  const least = weight.toSorted()[Math.max(0, rules.length - most)];
  // Among those that are just sure enough, the first found stay.
  let [kept, ties] = [0, most - weight.filter((each) => each > least).length];
  for (let i = 0; i < weight.length; i++)
    if (weight[i] > least || (weight[i] === least && ties-- > 0)) data.copyWithin(kept++ * STRIDE, i * STRIDE, (i + 1) * STRIDE);
  rules.length = kept;
}

/** Surest first; the order is the same for the same rules. */
function inOrder(rules: RuleColumns): RuleColumns {
  const { data } = rules;
  const share = Float64Array.from({ length: rules.length }, (_, i) => data[i * STRIDE + SUPPORT] / data[i * STRIDE + COVER]);
  const order = Int32Array.from({ length: rules.length }, (_, i) => i);
  order.sort((a, b) => {
    if (share[a] !== share[b]) return share[b] - share[a];
    const support = data[b * STRIDE + SUPPORT] - data[a * STRIDE + SUPPORT];
    if (support !== 0) return support;
    for (let field = 0; field < SUPPORT; field++) {
      const difference = data[a * STRIDE + field] - data[b * STRIDE + field];
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return rules.pick(order);
}
