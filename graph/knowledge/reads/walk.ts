// Owns walking relation paths over stored and derived facts together.
// Refuses to know how facts are derived. Where nothing is derived on the way, the store's own walk is the answer.

import { entity, sameTerm, termKey, termText } from '../../terms.ts';
import type { BaseName, Fact, Path, PathStep, RelationName, Term } from '../../terms.ts';
import type { GraphStore, PathSummary, StoredPathSummary } from '../../store.ts';
import { signed, unsigned } from '../../reason/tables/database.ts';
import type { Database, Row, Slot } from '../../reason/tables/database.ts';
import { derivedFact } from '../facts/facts.ts';
import type { FactReader } from '../facts/facts.ts';
import { Turns } from '../common/turns.ts';
import type { KnownFact, KnownPathResult } from '../common/types.ts';
import { Raced } from '../common/raced.ts';

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

/** How an end was reached: over which fact, stored or as a row, from the end of which way. */
interface Way {
  readonly end: Term;
  readonly before?: Way;
  readonly over?: Fact | Row;
}

export class Walker {
  readonly #store: GraphStore;
  readonly #reader: FactReader;
  readonly #base: BaseName;
  readonly #database: Database;
  readonly #recordedAt: string;
  readonly #isInForce: (fact: Fact) => boolean;
  /** Edges that may still be looked at. */
  #left: number;
  /** Slots of positive facts of which some are derived. Rules conclude them, so all facts of theirs that are stored and in force are in the database, too. */
  readonly #derived: readonly Slot[];

  /** `edges`: how many are looked at. `isInForce`: whether a stored fact is true now; it is also how one hears of facts that will begin or cease to be. */
  constructor(
    { store, reader }: { readonly store: GraphStore; readonly reader: FactReader },
    base: BaseName,
    database: Database,
    recordedAt: string,
    edges: number,
    isInForce: (fact: Fact) => boolean,
  ) {
    this.#isInForce = isInForce;
    this.#store = store;
    this.#reader = reader;
    this.#base = base;
    this.#database = database;
    this.#recordedAt = recordedAt;
    this.#left = edges;
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

  /** Facts at a term by their rows, one step on: those that are stored, then those that are derived. */
  *#edges(slot: Slot, from: Term, inverse: boolean): Generator<{ end: Term; row: number }> {
    if (inverse || from.kind === 'entity')
      for (const row of this.#database.rows(slot.key, inverse ? undefined : from, inverse ? from : undefined))
        if (slot.table.rules[row] < 0) yield { end: this.#database.terms.term(inverse ? slot.table.subjects[row] : slot.table.objects[row]), row };
    yield* this.#derivedEdges(slot, from, inverse);
  }

  /** What `path` reaches from `start`, each end once with the first facts found, ordered by the end's text; never `start` itself. */
  async follow(start: Term, path: Path, { limit = FOLLOW_LIMIT, signal }: Options = {}): Promise<readonly KnownPathResult[]> {
    if (path.every((step) => this.#slotOf(step) === undefined)) {
      const results = await this.#store.follow(this.#base, start, path, { limit, signal });
      // The store walks all recorded facts. Where one of them is not true now, the way is looked for again, over those that are.
      if (results.every(({ facts }) => facts.every((fact) => this.#isInForce(fact)))) return results.map(({ end, facts }) => ({ end, facts: facts.map((fact) => ({ ...fact, derived: false })) }));
    }
    const results: KnownPathResult[] = [];
    for (const way of (await this.#reach(start, path, signal)).slice(0, limit)) {
      const facts: KnownFact[] = [];
      for (let at: Way | undefined = way; at?.over; at = at.before) facts.unshift(await this.#fact(at.over));
      results.push({ end: way.end, facts });
    }
    return results;
  }
  #slotOf({ relation }: PathStep): Slot | undefined {
    return this.#derived.find(({ key }) => key === signed(relation, false));
  }
  /** Ways to all that `path` reaches, ordered by the text of their ends. */
  async #reach(start: Term, path: Path, signal?: AbortSignal): Promise<readonly Way[]> {
    const turns = new Turns();
    let frontier = new Map<string, Way>([[termKey(start), { end: start }]]);
    for (const step of path) {
      const slot = this.#slotOf(step);
      const next = new Map<string, Way>();
      const visit = (end: Term, before: Way, over: Fact | Row): void => {
        this.#left--;
        const key = termKey(end);
        if (!next.has(key)) next.set(key, { end, before, over });
      };
      for (const before of frontier.values()) {
        if (this.#left <= 0) break;
        await turns.give();
        signal?.throwIfAborted();
        if (slot) for (const { end, row } of this.#edges(slot, before.end, step.inverse)) visit(end, before, { slot, row });
        else for await (const { end, fact } of this.#storedEdges(before.end, step.inverse, step.relation, signal)) visit(end, before, fact);
      }
      frontier = next;
    }
    frontier.delete(termKey(start));
    return [...frontier.values()].toSorted((a, b) => order(a.end, b.end));
  }
  async #fact(over: Fact | Row): Promise<KnownFact> {
    if (!('row' in over)) return { ...over, derived: false };
    const { slot, row } = over;
    const triple = this.#database.triple(slot, row);
    if (slot.table.rules[row] >= 0) return derivedFact(this.#base, triple, slot.table.confidence(row), this.#recordedAt);
    const fact = await this.#reader.of(triple);
    if (!fact) throw new Raced();
    return { ...fact, derived: false };
  }

  /** Paths of one to `hops` steps from `start`: the store's, and those on which a derived fact lies. */
  async paths(start: Term, hops: number, { limit = PATHS_LIMIT, signal }: Options = {}): Promise<readonly PathSummary[]> {
    const stored = await this.#inForce(start, await this.#store.paths(this.#base, start, { hops, limit, signal }), signal);
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

  /** The store walks all recorded facts. Paths on which one may not be true now are walked again, over those that are. */
  async #inForce(start: Term, stored: readonly StoredPathSummary[], signal?: AbortSignal): Promise<readonly PathSummary[]> {
    const kept: PathSummary[] = [];
    for (const summary of stored) {
      if (!summary.timed || this.#left <= 0) {
        kept.push(summary);
        continue;
      }
      const ends = (await this.#reach(start, summary.path, signal)).map(({ end }) => end);
      if (ends.length > 0) kept.push({ ...summary, ends: ends.length, sample: ends.slice(0, SAMPLE) });
    }
    return kept;
  }
  /** Counts what a path with a derived edge reaches, and goes on from there by every edge. */
  async #summarise(start: Term, path: Path, hops: number, summaries: Map<string, PathSummary>, signal?: AbortSignal): Promise<void> {
    const ends = (await this.#reach(start, path, signal)).map(({ end }) => end);
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
