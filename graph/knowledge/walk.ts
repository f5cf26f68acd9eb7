// Owns walking relation paths over stored and derived facts together.
// Refuses to know how facts are derived. Where nothing is derived on the way, the store's own walk is the answer.

import { entity, sameTerm, termKey, termText } from '../terms.ts';
import type { BaseName, Fact, Path, PathStep, RelationName, Term } from '../terms.ts';
import type { GraphStore, PathSummary } from '../store.ts';
import { signed, unsigned } from '../reason/tables/database.ts';
import type { Database, Slot } from '../reason/tables/database.ts';
import { derivedFact } from './facts.ts';
import type { KnownFact, KnownPathResult } from './types.ts';

interface Options {
  readonly limit?: number;
  readonly signal?: AbortSignal;
}
const FOLLOW_LIMIT = 1_000;
const PATHS_LIMIT = 1_000;
const SAMPLE = 5;
const PAGE = 1_000;
const stepKey = (step: PathStep): string => `${step.inverse ? '^' : ''}${step.relation}`;
const pathKey = (path: Path): string => path.map(stepKey).join('\u0000');

export class Walker {
  readonly #store: GraphStore;
  readonly #base: BaseName;
  readonly #database: Database;
  readonly #recordedAt: string;
  readonly #isInForce: (fact: Fact) => boolean;
  /** Edges that may still be looked at. */
  #left: number;
  /** Slots of positive facts of which some are derived. */
  readonly #derived: readonly Slot[];

  /** `isInForce`: whether a stored fact is true now; it is also how one hears of facts that will begin or cease to be. */
  constructor(store: GraphStore, base: BaseName, database: Database, recordedAt: string, expansion: number, isInForce: (fact: Fact) => boolean) {
    this.#isInForce = isInForce;
    this.#store = store;
    this.#base = base;
    this.#database = database;
    this.#recordedAt = recordedAt;
    this.#left = expansion;
    this.#derived = [...database.slots()].filter(({ key, table }) => key.startsWith('+') && table.derived > 0);
  }

  /** Derived facts at a term, one step on. */
  *#derivedEdges(slot: Slot, from: Term, inverse: boolean): Generator<{ end: Term; row: number }> {
    if (!inverse && from.kind !== 'entity') return;
    for (const row of this.#database.rows(slot.key, inverse ? undefined : from, inverse ? from : undefined)) {
      if (slot.table.rules[row] < 0) continue;
      yield { end: this.#database.terms.term(inverse ? slot.table.subjects[row] : slot.table.objects[row]), row };
    }
  }
  async *#storedEdges(from: Term, inverse: boolean, relation: RelationName | undefined, signal?: AbortSignal): AsyncGenerator<{ end: Term; fact: Fact }> {
    if (!inverse && from.kind !== 'entity') return;
    const pattern = {
      ...(relation === undefined ? {} : { relation }),
      ...(inverse ? { object: from } : { subject: (from as { readonly id: Fact['subject'] }).id }),
    };
    let cursor: string | undefined;
    do {
      const page = await this.#store.match(this.#base, pattern, { limit: PAGE, cursor, signal });
      for (const fact of page.items) if (this.#isInForce(fact)) yield { end: inverse ? entity(fact.subject) : fact.object, fact };
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** What `path` reaches from `start`, each end once with the first facts found, ordered by the end's text; never `start` itself. */
  async follow(start: Term, path: Path, { limit = FOLLOW_LIMIT, signal }: Options = {}): Promise<readonly KnownPathResult[]> {
    const slots = path.map((step) => this.#derived.find(({ key }) => key === signed(step.relation, false)));
    if (slots.every((slot) => slot === undefined)) {
      const results = await this.#store.follow(this.#base, start, path, { limit, signal });
      // The store walks all recorded facts. Where one of them is not true now, the way is looked for again, over those that are.
      if (results.every(({ facts }) => facts.every((fact) => this.#isInForce(fact)))) return results.map(({ end, facts }) => ({ end, facts: facts.map((fact) => ({ ...fact, derived: false })) }));
    }
    let frontier = new Map<string, KnownPathResult>([[termKey(start), { end: start, facts: [] }]]);
    for (let i = 0; i < path.length; i++) {
      const step = path[i];
      const slot = slots[i];
      const next = new Map<string, KnownPathResult>();
      const visit = (end: Term, facts: readonly KnownFact[], fact: () => KnownFact): void => {
        const key = termKey(end);
        if (!next.has(key)) next.set(key, { end, facts: [...facts, fact()] });
      };
      for (const { end: from, facts } of frontier.values()) {
        if (this.#left <= 0) break;
        for await (const { end, fact } of this.#storedEdges(from, step.inverse, step.relation, signal)) {
          this.#left--;
          visit(end, facts, () => ({ ...fact, derived: false }));
        }
        if (!slot) continue;
        for (const { end, row } of this.#derivedEdges(slot, from, step.inverse)) {
          this.#left--;
          visit(end, facts, () => this.#fact(slot, row));
        }
      }
      frontier = next;
    }
    frontier.delete(termKey(start));
    return [...frontier.values()].toSorted((a, b) => order(a.end, b.end)).slice(0, limit);
  }
  #fact(slot: Slot, row: number): KnownFact {
    return derivedFact(this.#base, this.#database.triple(slot, row), slot.table.confidence(row), this.#recordedAt);
  }

  /** Paths of one to `hops` steps from `start`: the store's, and those on which a derived fact lies. */
  async paths(start: Term, hops: number, { limit = PATHS_LIMIT, signal }: Options = {}): Promise<readonly PathSummary[]> {
    const stored = await this.#store.paths(this.#base, start, { hops, limit, signal });
    if (this.#derived.length === 0) return stored;
    const summaries = new Map(stored.map((summary) => [pathKey(summary.path), summary]));
    // From each stored path (and the empty one), a derived edge may lead on; what lies behind it is walked here.
    const prefixes: Path[] = [[], ...stored.map(({ path }) => path).filter((path) => path.length < hops)];
    for (const prefix of prefixes) {
      if (this.#left <= 0 || summaries.size >= limit * 4) break;
      const frontier =
        prefix.length === 0 ? [start] : (await this.#store.follow(this.#base, start, prefix, { limit: FOLLOW_LIMIT, signal })).map(({ end }) => end);
      for (const slot of this.#derived)
        for (const inverse of [false, true]) {
          const touched = frontier.some((term) => !this.#derivedEdges(slot, term, inverse).next().done);
          if (!touched) continue;
          const path = [...prefix, { relation: unsigned(slot.key).relation, inverse }];
          await this.#summarise(start, path, hops, summaries, signal);
        }
    }
    return [...summaries.values()].toSorted((a, b) => a.path.length - b.path.length).slice(0, limit);
  }

  /** Counts what a path with a derived edge reaches, and goes on from there by every edge. */
  async #summarise(start: Term, path: Path, hops: number, summaries: Map<string, PathSummary>, signal?: AbortSignal): Promise<void> {
    const ends = (await this.follow(start, path, { limit: Number.MAX_SAFE_INTEGER, signal })).map(({ end }) => end);
    if (ends.length === 0) return;
    summaries.set(pathKey(path), { path, ends: ends.length, sample: ends.slice(0, SAMPLE) });
    if (path.length >= hops) return;
    const onward = new Map<string, PathStep>();
    for (const end of ends) {
      if (this.#left <= 0) break;
      for (const inverse of [false, true]) {
        for await (const { fact } of this.#storedEdges(end, inverse, undefined, signal)) {
          this.#left--;
          const step = { relation: fact.relation, inverse };
          onward.set(stepKey(step), step);
        }
        for (const slot of this.#derived)
          if (!this.#derivedEdges(slot, end, inverse).next().done) {
            const step = { relation: unsigned(slot.key).relation, inverse };
            onward.set(stepKey(step), step);
          }
      }
    }
    for (const step of onward.values()) await this.#summarise(start, [...path, step], hops, summaries, signal);
  }
}

function order(a: Term, b: Term): number {
  if (sameTerm(a, b)) return 0;
  const [x, y] = [termText(a), termText(b)];
  return x < y ? -1 : x > y ? 1 : termKey(a) < termKey(b) ? -1 : 1;
}
