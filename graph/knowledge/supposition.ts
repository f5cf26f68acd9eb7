// Owns reading a base with rules supposed, or at another time: the same reads as of the base itself, in the world that it would be with these rules, or was or will be then.
// Refuses to know who asks. Nothing here is written.

import type { BaseName, Entity, EntityId, Path, Term, Triple, TriplePattern } from '../terms.ts';
import type { EntityHit, Page, PathSummary, RelationSummary } from '../store.ts';
import { inField } from '../reason/errors.ts';
import { instant } from '../reason/tables/interner.ts';
import type { Budget, Proof } from '../reason/types.ts';
import type { BaseState } from './bases/base.ts';
import type { Shared } from './worlds/context.ts';
import { FactReader } from './facts/facts.ts';
import { ValidityWatch } from './facts/validity.ts';
import { Grounding } from './grounding.ts';
import { Lookup } from './reads/lookup.ts';
import type { ReadOptions } from './reads/lookup.ts';
import { checkBudget, checkSupposed } from './common/requests.ts';
import type { Resolver } from './conflicts/resolved.ts';
import { rulesOf } from './rulebook.ts';
import type { GroundResult, KnownFact, KnownMatchOptions, KnownPathResult } from './common/types.ts';
import { supposing } from './worlds/view.ts';
import type { BaseView, ReadView } from './worlds/view.ts';

export interface SupposeOptions {
  /** For deriving anew: `facts` are those beyond what follows without the rules; `answers` is not used. */
  readonly budget: Budget;
  /** World time, ISO 8601; now when absent. */
  readonly validAt?: string;
  /** Field of the request that holds the rules, for errors. Default `rules`. */
  readonly field?: string;
  readonly signal?: AbortSignal;
}

/**
 * One base with rules, and a time, that hold in what is read here alone. What follows is derived at the first read, and again at the first one after each change of the base.
 * Reads reject with RuleError when the rules cannot stand beside the base's own, with KnowledgeError `too_large` when more follows than the budget allows, with the signal's
 * reason, and with RangeError when they are about another base.
 */
export class Supposition {
  readonly #shared: Shared;
  readonly #lookup: Lookup;
  readonly #grounding: Grounding;
  #derived: { readonly state: BaseState; readonly era: number; readonly view: Promise<BaseView> } | undefined;

  /** `input`: rules; undefined for none. Throws RuleError for rules that are none, KnowledgeError for a budget that is none, TermError for a time that is none. */
  constructor(shared: Shared, resolver: Resolver, base: BaseName, input: unknown, { budget, field = 'rules', validAt, signal }: SupposeOptions) {
    checkBudget(budget);
    checkSupposed([], [], validAt);
    const rules = input === undefined ? { rules: [], places: new Map() } : inField(field, () => rulesOf(input));
    const time = validAt === undefined ? undefined : instant(validAt);
    const here: Shared = time === undefined ? shared : { ...shared, now: () => time };
    const watch = new ValidityWatch();
    const at = time === undefined ? undefined : { reader: new FactReader(shared.store, base, watch, here.now), watch };
    const derive = (state: BaseState): Promise<BaseView> =>
      supposing(state, rules, budget, field, { at, signal }).catch((error: unknown) =>
        inField(field, () => {
          throw error;
        }),
      );
    const viewOf = (state: BaseState): Promise<BaseView> => {
      if (this.#derived?.state !== state || this.#derived.era !== state.era) this.#derived = { state, era: state.era, view: derive(state) };
      return this.#derived.view;
    };
    const read: ReadView = (asked, task) => {
      if (asked !== base) throw new RangeError(`these rules are supposed in knowledge base ${JSON.stringify(base)}, not in ${JSON.stringify(asked)}`);
      return shared.states.read(base, async (state) => task(await viewOf(state)));
    };
    this.#shared = here;
    this.#lookup = new Lookup(here, read);
    this.#grounding = new Grounding(here, resolver, read);
  }
  /** World time: milliseconds since 1970 UTC. */
  now(): number {
    return this.#shared.now();
  }
  match(base: BaseName, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
    return this.#lookup.match(base, pattern, options);
  }
  paths(base: BaseName, start: Term, options: ReadOptions & { readonly hops: number }): Promise<readonly PathSummary[]> {
    return this.#lookup.paths(base, start, options);
  }
  follow(base: BaseName, start: Term, path: Path, options: ReadOptions = {}): Promise<readonly KnownPathResult[]> {
    return this.#lookup.follow(base, start, path, options);
  }
  search(base: BaseName, text: string, options: ReadOptions = {}): Promise<readonly EntityHit[]> {
    return this.#lookup.search(base, text, options);
  }
  named(base: BaseName, names: readonly string[], options: Pick<ReadOptions, 'signal'> = {}): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    return this.#lookup.named(base, names, options);
  }
  entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    return this.#lookup.entities(base, ids);
  }
  relations(base: BaseName): Promise<readonly RelationSummary[]> {
    return this.#lookup.relations(base);
  }
  ground(base: BaseName, triple: Triple): Promise<GroundResult> {
    return this.#grounding.ground(base, triple);
  }
  prove(base: BaseName, triple: Triple): Promise<Proof | undefined> {
    return this.#grounding.prove(base, triple);
  }
}
