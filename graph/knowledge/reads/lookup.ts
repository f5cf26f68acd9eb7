// Owns reading a base: facts that are stored and derived, paths over them, names.
// Refuses to know rules and questions.

import { LRUCache } from 'lru-cache';
import type { BaseName, Entity, EntityId, FactId, Path, Term, Triple, TriplePattern } from '../../terms.ts';
import type { EntityHit, Page, PathSummary, RelationSummary } from '../../store.ts';
import { proofLimits } from '../worlds/context.ts';
import type { Shared } from '../worlds/context.ts';
import { DerivedFacts, derivedNow } from './derived-facts.ts';
import { bareTriple } from '../facts/facts.ts';
import { withDerived, withMentioned, withMentionedHits, withMentionedNames } from './listing.ts';
import { matchKnown } from './pages.ts';
import { StandingWorld } from '../worlds/standing.ts';
import type { KnownBaseStatistics, KnownFact, KnownMatchOptions, KnownPathResult } from '../common/types.ts';
import { inForce } from '../facts/validity.ts';
import type { BaseView, ReadView } from '../worlds/view.ts';
import { Walker } from './walk.ts';

export type ReadOptions = { readonly limit?: number; readonly signal?: AbortSignal };
/** Derived facts whose ids are remembered after they were given out. */
const REMEMBERED_DERIVED = 20_000;

export class Lookup {
  readonly #shared: Shared;
  readonly #read: ReadView;
  readonly #derived: LRUCache<FactId, { readonly base: BaseName; readonly triple: Triple }> | undefined;
  /** `read`: how bases are read, when not as they stand; derived facts are then not remembered. */
  constructor(shared: Shared, read?: ReadView) {
    this.#shared = shared;
    this.#read = read ?? ((base, task) => shared.states.read(base, task));
    if (!read) this.#derived = new LRUCache({ max: REMEMBERED_DERIVED });
  }
  close(): void {
    this.#derived?.clear();
  }

  async match(base: BaseName, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
    const page = await this.#read(base, async (state) => {
      const found = await matchKnown(this.#shared, state, pattern, options);
      for (const fact of found.items) if (fact.validFrom !== undefined || fact.validTo !== undefined) state.watch.see(fact, this.#shared.now());
      return found;
    });
    this.#remember(base, page.items);
    return page;
  }
  async facts(base: BaseName, ids: readonly FactId[]): Promise<readonly KnownFact[]> {
    return this.#read(base, async (state) => {
      const stored = ids.filter((id) => !id.startsWith('d_'));
      const found: KnownFact[] = (stored.length === 0 ? [] : await this.#shared.store.facts(base, stored)).map((fact) => ({ ...fact, derived: false }));
      const reading = new DerivedFacts(state, new StandingWorld(state, proofLimits(this.#shared.limits)).prover);
      for (const id of new Set(ids)) {
        const known = this.#derived?.get(id);
        const fact = known?.base === base ? await derivedNow(state.closure, known.triple, reading) : undefined;
        if (fact) found.push(fact);
      }
      return found;
    });
  }
  async paths(base: BaseName, start: Term, options: ReadOptions & { readonly hops: number }): Promise<readonly PathSummary[]> {
    return this.#read(base, (state) => this.#walker(state, this.#shared.limits.expansion).paths(start, options.hops, options));
  }
  async follow(base: BaseName, start: Term, path: Path, options: ReadOptions = {}): Promise<readonly KnownPathResult[]> {
    const results = await this.#read(base, (state) => this.#walker(state, this.#shared.limits.followed).follow(start, path, options));
    for (const { facts } of results) this.#remember(base, facts);
    return results;
  }
  async search(base: BaseName, text: string, options: ReadOptions = {}): Promise<readonly EntityHit[]> {
    return this.#read(base, async (state) => withMentionedHits(state, text, await this.#shared.store.search(base, text, options), options.limit));
  }
  async named(base: BaseName, names: readonly string[], options: Pick<ReadOptions, 'signal'> = {}): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    return this.#read(base, async (state) => withMentionedNames(state, names, await this.#shared.store.named(base, names, options)));
  }
  async entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    return this.#read(base, async (state) => withMentioned(state, ids, await this.#shared.store.entities(base, ids)));
  }
  async relations(base: BaseName): Promise<readonly RelationSummary[]> {
    return this.#read(base, async (state) => withDerived(state, await this.#shared.store.relations(base)));
  }
  async bases(): Promise<readonly KnownBaseStatistics[]> {
    this.#shared.states.assertOpen();
    const list: KnownBaseStatistics[] = [];
    for (const { base } of await this.#shared.store.bases()) {
      const known = await this.#shared.states.read(base, async (state) => {
        const statistics = (await this.#shared.store.bases()).find((each) => each.base === base);
        const { database, partial } = state.closure;
        return statistics && { ...statistics, derived: database.derived, rules: state.rules.size, ...(partial === undefined ? {} : { partial }) };
      });
      if (known) list.push(known);
    }
    return list;
  }

  #walker(state: BaseView, edges: number): Walker {
    const { store, now: clock } = this.#shared;
    return new Walker({ store, reader: state.reader }, state.base, state.closure.database, state.readAt, edges, (fact) => {
      if (fact.validFrom === undefined && fact.validTo === undefined) return true;
      const now = clock();
      state.watch.see(fact, now);
      return inForce(fact, now);
    });
  }
  #remember(base: BaseName, facts: readonly KnownFact[]): void {
    for (const fact of facts) if (fact.derived) this.#derived?.set(fact.id, { base, triple: bareTriple(fact) });
  }
}
