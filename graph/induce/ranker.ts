// Owns ranking the missing ends of a fact by rules: max+ and noisy-or over what each rule predicts.
// Refuses to know how rules were found, names, and which facts are worth asking for.

import { coverOf, holdsAt, isRefined } from './conditions.ts';
import type { FactGraph } from './graph.ts';
import { Partition } from './partition.ts';
import { BODY, BOUND, CONSTANT, COVER, DIFFER, EXCEPT, HEAD, KIND, LENGTH, OPEN, pairBit, PATH, RANGE, STRIDE, SUPPORT } from './shape.ts';
import type { RuleColumns } from './shape.ts';
import { PathWalker } from './walk.ts';

export type Aggregation =
  /** By the surest rule that predicts the candidate; ties by the next one, and so on (Meilicke et al. 2019). */
  | 'max'
  /** 1 - the product of (1 - confidence): rules as independent causes. */
  | 'noisy_or';
export interface RankOptions {
  /** Candidates wanted. */
  readonly limit: number;
  readonly aggregation: Aggregation;
  /** Nodes that are no candidates: known facts. */
  readonly exclude?: Iterable<number>;
  /** Edges looked at in all; beyond, the ranking is partial. */
  readonly edges: number;
  /** Of noisy-or: the surest rules of each candidate that count; 0 = all. */
  readonly causes?: number;
}
export interface RankedNode {
  readonly node: number;
  /** Confidence of the surest rule, or the noisy-or; 0 when no rule predicts the node and only its frequency speaks for it. */
  readonly score: number;
  /** Places of the rules that predict it, surest first, a few of them. */
  readonly rules: readonly number[];
  /** Candidates before it, and those that nothing tells apart from it, itself included. */
  readonly before: number;
  readonly tied: number;
}
export interface Ranking {
  readonly nodes: readonly RankedNode[];
  /** Candidates that some rule predicts, as far as looked at. */
  readonly predicted: number;
  /** The limit on edges was reached. */
  readonly partial: boolean;
}

const REASONS = 3;

/** Rules made ready for questions. `smoothing`: counter-examples that every rule is charged with in advance, so that few observations make a rule less sure. */
export class Ranker {
  readonly graph: FactGraph;
  readonly rules: RuleColumns;
  /** Confidence of each rule, with smoothing. */
  readonly weights: Float64Array;
  /** Rules, surest first. Places in this order stand for rules in the indexes below, so that sorting them is sorting numbers. */
  readonly #order: Int32Array;
  readonly #paths: Int32Array[] = [];
  readonly #byBody = new Map<number, number[]>();
  readonly #byConstant = new Map<number, number[]>();
  readonly #walker: PathWalker;
  readonly #steps = new Int32Array(5);
  readonly #ranks: Partition;
  readonly #excluded: Int32Array;
  readonly #score: Float64Array;
  readonly #causes: Int32Array;
  readonly #reasons: Int32Array;
  #question = 0;

  constructor(graph: FactGraph, rules: RuleColumns, smoothing: number) {
    [this.graph, this.rules] = [graph, rules];
    const { data } = rules;
    this.weights = Float64Array.from({ length: rules.length }, (_, i) => data[i * STRIDE + SUPPORT] / (data[i * STRIDE + COVER] + smoothing));
    const paths: number[][] = Array.from({ length: graph.relations }, () => []);
    const put = (map: Map<number, number[]>, key: number, rule: number): void => {
      const list = map.get(key);
      if (list) list.push(rule);
      else map.set(key, [rule]);
    };
    this.#order = this.#surestFirst(Int32Array.from({ length: rules.length }, (_, i) => i));
    for (let place = 0; place < rules.length; place++) {
      const row = this.#order[place] * STRIDE;
      const head = data[row + HEAD];
      if (data[row + KIND] === PATH) paths[head >> 1].push(place);
      else {
        // A refined rule is found by what it refines.
        const kind =
          data[row + KIND] === RANGE || (data[row + KIND] === EXCEPT && data[row + BODY + 1] < 0)
            ? OPEN
            : data[row + KIND] === EXCEPT
              ? BOUND
              : data[row + KIND];
        put(this.#byBody, this.#bodyKey(head, kind, data[row + BODY], data[row + BODY + 1]), place);
        put(this.#byConstant, head * graph.nodes + data[row + CONSTANT], place);
      }
    }
    for (const list of paths) this.#paths.push(Int32Array.from(list));
    this.#walker = new PathWalker(graph);
    this.#ranks = new Partition(graph.nodes);
    this.#excluded = new Int32Array(graph.nodes);
    [this.#score, this.#causes] = [new Float64Array(graph.nodes), new Int32Array(graph.nodes)];
    this.#reasons = new Int32Array(graph.nodes * REASONS);
  }

  /** Candidates for the end of `step` from `anchor`, best first: step 2r asks for objects, 2r + 1 for subjects. */
  rank(anchor: number, step: number, options: RankOptions): Ranking {
    this.#question++;
    for (const node of options.exclude ?? []) this.#excluded[node] = this.#question;
    this.#ranks.clear();
    this.#causes.fill(0);
    this.#score.fill(0);
    const noisy = options.aggregation === 'noisy_or';
    const most = options.causes === undefined || options.causes === 0 ? Number.POSITIVE_INFINITY : options.causes;
    const budget = { edges: options.edges };
    const [constants, paths] = [this.#constantRules(anchor, step), this.#paths[step >> 1]];
    const found = new Int32Array(this.graph.nodes);
    for (let [c, p] = [0, 0]; c < constants.length || p < paths.length;) {
      const usesPath = c >= constants.length || (p < paths.length && paths[p] < constants[c]);
      const rule = this.#order[usesPath ? paths[p++] : constants[c++]];
      const count = this.#predict(rule, anchor, step, found, budget);
      const weight = this.weights[rule];
      for (let i = 0; i < count; i++) {
        const node = found[i];
        const causes = this.#causes[node]++;
        if (causes < REASONS) this.#reasons[node * REASONS + causes] = rule;
        if (!noisy) this.#score[node] ||= weight;
        else if (causes < most) this.#score[node] -= Math.log1p(-Math.min(weight, 1 - 1e-9));
      }
      if (noisy) this.#ranks.add(found, count);
      else this.#ranks.refine(found, count);
      if (budget.edges < 0 || (!noisy && this.#ranks.settled(options.limit))) break;
    }
    return this.#answer(step, noisy, options.limit, budget.edges < 0);
  }

  #answer(step: number, noisy: boolean, limit: number, partial: boolean): Ranking {
    const { graph } = this;
    const often = (node: number): number => {
      const g = graph.group(node, step ^ 1);
      return g < 0 ? 0 : graph.size(g);
    };
    const ranked = [...this.#ranks.order()];
    const same = (a: number, b: number): boolean => (noisy ? this.#score[a] === this.#score[b] : this.#ranks.same(a, b));
    ranked.sort((a, b) => (noisy ? this.#score[b] - this.#score[a] : this.#ranks.place(a) - this.#ranks.place(b)) || often(b) - often(a) || a - b);
    const list: RankedNode[] = [];
    const put = (nodes: readonly number[], isSame: (a: number, b: number) => boolean, scoreOf: (node: number) => number): void => {
      const offset = list.length;
      for (let i = 0; i < nodes.length && list.length < limit;) {
        let end = i + 1;
        while (end < nodes.length && isSame(nodes[i], nodes[end]) && often(nodes[i]) === often(nodes[end])) end++;
        for (let j = i; j < end && list.length < limit; j++) {
          const node = nodes[j];
          const causes = Math.min(REASONS, this.#causes[node]);
          list.push({
            node,
            score: scoreOf(node),
            rules: [...this.#reasons.subarray(node * REASONS, node * REASONS + causes)],
            before: offset + i,
            tied: end - i,
          });
        }
        i = end;
      }
    };
    put(ranked, same, (node) => (noisy ? -Math.expm1(-this.#score[node]) : this.#score[node]));
    if (list.length < limit) {
      // No rule speaks for them: what is often at this end comes first.
      const rest: number[] = [];
      for (let i = graph.stepStart[step ^ 1]; i < graph.stepStart[(step ^ 1) + 1]; i++) {
        const node = graph.groupNode[graph.stepGroups[i]];
        if (this.#causes[node] === 0 && this.#excluded[node] !== this.#question) rest.push(node);
      }
      rest.sort((a, b) => often(b) - often(a) || a - b);
      put(
        rest,
        () => true,
        () => 0,
      );
    }
    return { nodes: list, predicted: ranked.length, partial };
  }

  /** Candidates of one rule that are not excluded, into `found`. */
  #predict(rule: number, anchor: number, step: number, found: Int32Array, budget: { edges: number }): number {
    const { graph } = this;
    const { data } = this.rules;
    const row = rule * STRIDE;
    let count = 0;
    const take = (node: number): void => {
      if (this.#excluded[node] !== this.#question) found[count++] = node;
    };
    if (data[row + KIND] === PATH) {
      const length = data[row + LENGTH];
      const backwards = step !== data[row + HEAD];
      for (let i = 0; i < length; i++) this.#steps[i] = backwards ? data[row + BODY + length - 1 - i] ^ 1 : data[row + BODY + i];
      this.#walker.walk(anchor, this.#steps, 0, length, backwards ? reversed(data[row + DIFFER], length) : data[row + DIFFER], budget);
      for (let i = 0; i < this.#walker.count; i++) take(this.#walker.ends[i]);
      return count;
    }
    budget.edges--;
    // The anchor has the body: the constant follows. Looked up before, so it only has to be another end where the rule says so.
    if (data[row + HEAD] === step) {
      take(data[row + CONSTANT]);
      return count;
    }
    const constant = data[row + CONSTANT];
    if (data[row + KIND] === BOUND) {
      const g = graph.group(data[row + BODY + 1], data[row + BODY] ^ 1);
      if (g < 0) return 0;
      budget.edges -= graph.size(g);
      for (let e = graph.groupStart[g]; e < graph.groupStart[g + 1]; e++) take(graph.targets[e]);
      return count;
    }
    if (isRefined(data[row + KIND])) {
      for (const node of coverOf(graph, data, row)) take(node);
      budget.edges -= graph.groupsOf(data[row + BODY]);
      return count;
    }
    const body = data[row + BODY];
    budget.edges -= graph.groupsOf(body);
    for (let i = graph.stepStart[body]; i < graph.stepStart[body + 1]; i++) {
      const g = graph.stepGroups[i];
      if (data[row + DIFFER] === 0 || this.#leadsElsewhere(g, constant)) take(graph.groupNode[g]);
    }
    return count;
  }
  #leadsElsewhere(group: number, constant: number): boolean {
    return this.graph.size(group) > 1 || this.graph.targets[this.graph.groupStart[group]] !== constant;
  }
  /** Places of the rules with constants that say something about this question, surest first. */
  #constantRules(anchor: number, step: number): Int32Array {
    const { graph } = this;
    const { data } = this.rules;
    const list: number[] = [];
    for (let g = graph.nodeGroup[anchor]; g < graph.nodeGroup[anchor + 1]; g++) {
      const taken = graph.groupStep[g];
      if (graph.alias[taken] !== taken) continue;
      for (const place of this.#byBody.get(this.#bodyKey(step, OPEN, taken, -1)) ?? []) {
        const row = this.#order[place] * STRIDE;
        if (isRefined(data[row + KIND]) ? holdsAt(graph, data, row, anchor) : data[row + DIFFER] === 0 || this.#leadsElsewhere(g, data[row + CONSTANT]))
          list.push(place);
      }
      for (let e = graph.groupStart[g]; e < graph.groupStart[g + 1]; e++) {
        const bound = this.#byBody.get(this.#bodyKey(step, BOUND, taken, graph.targets[e]));
        if (!bound) continue;
        for (const place of bound) {
          const row = this.#order[place] * STRIDE;
          if (!isRefined(data[row + KIND]) || holdsAt(graph, data, row, anchor)) list.push(place);
        }
      }
    }
    for (const place of this.#byConstant.get((step ^ 1) * graph.nodes + anchor) ?? []) list.push(place);
    return Int32Array.from(list).sort();
  }
  #bodyKey(head: number, kind: number, step: number, node: number): number {
    return (head * this.graph.steps + step) * (this.graph.nodes + 1) + (kind === OPEN ? this.graph.nodes : node);
  }
  #surestFirst(list: Int32Array): Int32Array {
    const support = (rule: number): number => this.rules.data[rule * STRIDE + SUPPORT];
    return list.sort((a, b) => this.weights[b] - this.weights[a] || support(b) - support(a) || a - b);
  }
}

/** The pairs that must differ, seen from the other end of the path. */
function reversed(differ: number, length: number): number {
  let mask = 0;
  for (let i = 0; i < length; i++) for (let j = i + 1; j <= length; j++) if ((differ & pairBit(i, j)) !== 0) mask |= pairBit(length - j, length - i);
  return mask;
}
