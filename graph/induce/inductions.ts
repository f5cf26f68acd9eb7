// Owns the inductions of one process: beginning them from facts, keeping the last of them, and rankings by their rules.
// Refuses to know stores and HTTP; facts come from a reader.

import { availableParallelism } from 'node:os';
import type { BaseName, EntityId, Fact, RelationName, Term, Triple, TriplePattern } from '../terms.ts';
import { entity, termText } from '../terms.ts';
import { Induction, rowsOf } from './induction.ts';
import { INDUCTION_LIMITS } from './limits.ts';
import type { InductionLimits } from './limits.ts';
import { MAX_LENGTH } from './shape.ts';
import { InduceError } from './types.ts';
import type { InduceRequest, RankRequest, RankResult } from './types.ts';
import { Words } from './words.ts';

/** Facts of one base. */
export interface FactSource {
  readonly base: BaseName;
  version(): number;
  /** Runs a reading so that it sees one version; it may be run again. */
  steady<T>(read: () => Promise<T>): Promise<T>;
  each(pattern: TriplePattern, visit: (fact: Pick<Fact, keyof Triple>) => void, signal?: AbortSignal): Promise<void>;
  /** Triples that follow by standing rules. */
  derived(): Iterable<Triple>;
}

/** Pairs of half walks of one fact in one pass, and passes. */
const [PAIRS, PASSES] = [500, 100];
/** Thresholds of rules that only rank: even a weak rule is better than none. */
const RANKING = { support: 2, confidence: 0.005, headCoverage: 0, examples: 0 } as const;

export class Inductions {
  readonly #limits: InductionLimits;
  readonly #kept = new Map<string, Induction>();
  /** Inductions made for rankings, by base, version and relation. */
  readonly #forRanking = new Map<string, string>();
  #reading = 0;

  constructor(limits: InductionLimits = INDUCTION_LIMITS) {
    this.#limits = limits;
  }

  /** Reads the facts and begins. InduceError `invalid_request`, `busy`; the signal's reason while facts are read. */
  async begin(source: FactSource, request: InduceRequest, edges = this.#limits.edges): Promise<Induction> {
    const { length = 3, support = 2, confidence = 0.5, pcaConfidence = 0, headCoverage = 0.01, examples = 3, limits } = request;
    const between = (name: string, value: number, least: number, most: number): void => {
      if (!(value >= least && value <= most)) throw new InduceError('invalid_request', `${name} is ${value}; give a number from ${least} to ${most}`);
    };
    between('the length of paths', length, 1, MAX_LENGTH);
    between('the least support', support, 1, Number.MAX_SAFE_INTEGER);
    for (const [name, value] of Object.entries({ confidence, 'PCA confidence': pcaConfidence, 'head coverage': headCoverage }))
      between(`the least ${name}`, value, 0, 1);
    between('the number of examples', examples, 0, 100);
    for (const [name, value] of Object.entries(limits)) between(`the limit ${name}`, value, 1, Number.MAX_SAFE_INTEGER);
    this.#admit();
    this.#reading++;
    let reading: Reading;
    try {
      reading = await source.steady(() => readFacts(source, request));
    } finally {
      this.#reading--;
    }
    const { words, cut, version } = reading;
    const relations = (request.relations ?? words.relations).flatMap((name) => {
      const ids = [words.relation(name), words.relation(name, true)].filter((id) => id !== undefined);
      if (ids.length === 0)
        throw new InduceError(
          'unknown_term',
          `the knowledge base ${JSON.stringify(source.base)} has no facts of the relation ${JSON.stringify(name)}; rules are learned from facts`,
        );
      return ids;
    });
    const induction = new Induction(words, {
      base: source.base,
      version,
      cut,
      relations: [...new Set(relations)],
      threads: Math.min(this.#limits.threads, availableParallelism()),
      heapBytes: this.#limits.heapBytes,
      given: limits.rules,
      examples,
      confidenceBy: request.confidenceBy ?? 'standard',
      options: {
        length,
        constants: request.constants ?? true,
        ranges: request.ranges ?? false,
        exceptions: request.exceptions ?? false,
        vacuous: words.vacuous(),
        thresholds: { support, confidence, pcaConfidence, headCoverage },
        ms: limits.ms,
        rules: this.#limits.collected,
        candidates: this.#limits.candidates,
        pairs: PAIRS,
        edges,
        passes: PASSES,
        seed: request.seed ?? 1,
      },
    });
    this.#keep(induction);
    return induction;
  }
  /** InduceError `unknown_induction` when it never was in this base, or was forgotten. */
  get(base: BaseName, id: string): Induction {
    const induction = this.#kept.get(id);
    if (!induction || induction.state.base !== base)
      throw new InduceError(
        'unknown_induction',
        `knowledge base ${JSON.stringify(base)} has no induction ${JSON.stringify(id.slice(0, 80))}; the last ${this.#limits.kept} are kept until the service stops`,
      );
    return induction;
  }
  close(): void {
    for (const induction of this.#kept.values()) induction.cancel();
    this.#kept.clear();
  }

  /** Candidates for the missing end of a fact. InduceError; the signal's reason. */
  async rank(source: FactSource, request: RankRequest): Promise<RankResult> {
    const { relation, subject, object, limit = 10, aggregation = 'max', known = false, signal } = request;
    if ((subject === undefined) === (object === undefined))
      throw new InduceError('invalid_request', 'a ranking needs the relation and one end: give a subject or an object, not both');
    const induction = request.induction === undefined ? await this.#rankingRules(source, request) : this.get(source.base, request.induction);
    const { words } = induction;
    const anchor: Term = subject === undefined ? (object as Term) : entity(subject);
    const [node, name] = [words.terms.find(anchor), words.relation(relation)];
    if (name === undefined)
      throw new InduceError('unknown_term', `there are no facts of the relation ${JSON.stringify(relation)}; rules are learned from facts`);
    if (node < 0) throw new InduceError('unknown_term', `there are no facts about ${JSON.stringify(termText(anchor))}; rules speak of what has facts`);
    const exclude: number[] = [];
    // What is known now is no candidate, whether the rules were mined before or after.
    if (!known) {
      const pattern: TriplePattern = subject === undefined ? { relation, object } : { relation, subject };
      await source.each(pattern, (fact) => void exclude.push(words.terms.find(subject === undefined ? entity(fact.subject) : fact.object)), signal);
    }
    const answer = await induction.rank({
      anchor: node,
      step: name * 2 + (subject === undefined ? 1 : 0),
      limit,
      aggregation,
      exclude: exclude.filter((id) => id >= 0),
      edges: this.#limits.rankEdges,
    });
    signal?.throwIfAborted();
    const candidates = answer.candidates.flatMap(({ node: end, score, rules }) => {
      const term = words.terms.term(end);
      const triple = tripleOf(relation, subject, object, term);
      const rows = rowsOf(rules);
      return triple === undefined ? [] : [{ triple, term, score, rules: Array.from({ length: rows.length }, (_, i) => words.rule(rows, i, 'standard').rule) }];
    });
    return { induction: induction.id, candidates, predicted: answer.predicted, partial: answer.partial || !induction.exhaustive };
  }

  async #rankingRules(source: FactSource, { relation, limits, signal }: RankRequest): Promise<Induction> {
    const key = JSON.stringify([source.base, source.version(), relation]);
    const last = this.#kept.get(this.#forRanking.get(key) ?? '');
    if (last && (last.state.status === 'running' || last.state.status === 'completed')) return last;
    const induction = await this.begin(source, { ...RANKING, relations: [relation], limits, signal }, Math.ceil(this.#limits.edges / 10));
    this.#forRanking.set(key, induction.id);
    const leave = (): void => induction.cancel();
    signal?.addEventListener('abort', leave, { once: true });
    await induction.ended();
    signal?.removeEventListener('abort', leave);
    signal?.throwIfAborted();
    return induction;
  }
  #admit(): void {
    const running = [...this.#kept.values()].filter(({ state }) => state.status === 'running').length + this.#reading;
    if (running >= this.#limits.jobs) throw new InduceError('busy', `${running} inductions are at work; wait for one to end, or cancel one`);
  }
  #keep(induction: Induction): void {
    this.#kept.set(induction.id, induction);
    for (const [id, old] of this.#kept) {
      if (this.#kept.size <= this.#limits.kept) break;
      if (old.state.status === 'running') continue;
      old.cancel();
      this.#kept.delete(id);
      for (const [key, made] of this.#forRanking) if (made === id) this.#forRanking.delete(key);
    }
  }
}

interface Reading {
  readonly words: Words;
  readonly version: number;
  /** There were more facts than the limit. */
  readonly cut: boolean;
}
async function readFacts(source: FactSource, { limits, derived = false, signal }: InduceRequest): Promise<Reading> {
  const words = new Words();
  let cut = false;
  const take = (triple: Triple): void => {
    if (words.facts < limits.facts) words.add(triple);
    else cut = true;
  };
  const version = source.version();
  await source.each({}, take, signal);
  await source.each({ negated: true }, take, signal);
  if (derived) for (const triple of source.derived()) take(triple);
  return { words, version, cut };
}
function tripleOf(relation: RelationName, subject: EntityId | undefined, object: Term | undefined, end: Term): Triple | undefined {
  if (subject !== undefined) return { subject, relation, object: end };
  return end.kind === 'entity' && object !== undefined ? { subject: end.id, relation, object } : undefined;
}
