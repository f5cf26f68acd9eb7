// Owns reading stored facts for reasoning: whole relations, and the fact behind a triple, as they are in force now.
// Refuses to know rules and which store answers.

import { shortHash } from '../../reason/language/print.ts';
import { tripleKey } from '../../terms.ts';
import type { BaseName, Fact, FactId, Statement, Term, Triple, TriplePattern } from '../../terms.ts';
import type { GraphStore } from '../../store.ts';
import type { KnownFact } from '../common/types.ts';
import { inForce } from './validity.ts';
import type { ValidityWatch } from './validity.ts';

/** A store in this process may hand out facts without paging. Called once per live fact that matches. */
export interface FactScanner {
  scan(base: BaseName, pattern: TriplePattern, visit: (fact: Fact) => void): void;
}
const isScanner = (store: object): store is FactScanner => 'scan' in store && typeof store.scan === 'function';

const PAGE = 5_000;
const SLICE_MS = 10;
const NONE: ReadonlySet<string> = new Set();

export const bareTriple = ({ subject, relation, object, negated }: Triple): Triple => ({ subject, relation, object, ...(negated ? { negated } : {}) });
/** What tells facts of one base apart: triple, source and validity. Told again with another confidence, a fact is replaced. */
export const identityOf = ({ source, validFrom, validTo, ...triple }: Statement): string =>
  JSON.stringify([tripleKey(triple), typeof source === 'object' ? [source.document, source.page, source.start, source.end] : source, validFrom, validTo]);
/** Below 0 when `a` comes first among facts of one triple: the one with the greatest confidence, then the earliest recorded. */
export const strongest = (a: Fact, b: Fact): number =>
  b.confidence - a.confidence || (a.recordedAt < b.recordedAt ? -1 : a.recordedAt > b.recordedAt ? 1 : a.id < b.id ? -1 : 1);
export const isDerived = (fact: Fact): boolean => 'derived' in fact && fact.derived === true;

/** A derived triple as a fact. */
export const derivedFact = (base: BaseName, triple: Triple, confidence: number, recordedAt: string): KnownFact => ({
  ...triple,
  id: `d_${shortHash(`${base}\u0000${tripleKey(triple)}`)}` as FactId,
  confidence,
  recordedAt,
  derived: true,
});

/** Reads one base. Notes every fact with a validity, so that nobody misses its end. */
export class FactReader {
  readonly #store: GraphStore;
  readonly #base: BaseName;
  readonly #watch: ValidityWatch;
  readonly #now: () => number;
  readonly #replaced: ReadonlySet<string>;

  /** `replaced`: facts, by identity, that are passed over. */
  constructor(store: GraphStore, base: BaseName, watch: ValidityWatch, now: () => number, replaced: ReadonlySet<string> = NONE) {
    this.#store = store;
    this.#base = base;
    this.#watch = watch;
    this.#now = now;
    this.#replaced = replaced;
  }
  /** The same base without the facts that these would replace if they were written. */
  replacing(statements: readonly Statement[]): FactReader {
    return statements.length === 0 ? this : new FactReader(this.#store, this.#base, this.#watch, this.#now, new Set(statements.map(identityOf)));
  }
  #holds(fact: Fact, now: number): boolean {
    this.#watch.see(fact, now);
    return inForce(fact, now) && (this.#replaced.size === 0 || !this.#replaced.has(identityOf(fact)));
  }

  /** Facts in force that match, one after the other. */
  async *inForce(pattern: TriplePattern, signal?: AbortSignal): AsyncGenerator<Fact, void, void> {
    const now = this.#now();
    let cursor: string | undefined;
    do {
      const page = await this.#store.match(this.#base, pattern, { limit: PAGE, cursor, signal });
      for (const fact of page.items) if (this.#holds(fact, now)) yield fact;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  /** All facts in force that match. Lets other work in between, unless the store scans. */
  async each(pattern: TriplePattern, visit: (fact: Fact) => void, signal?: AbortSignal): Promise<void> {
    if (!isScanner(this.#store)) {
      let [count, until] = [0, performance.now() + SLICE_MS];
      for await (const fact of this.inForce(pattern, signal)) {
        visit(fact);
        if ((++count & 0xff) !== 0 || performance.now() < until) continue;
        // A store in this process answers without ever giving way to other work.
        await new Promise<void>((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        until = performance.now() + SLICE_MS;
      }
      return;
    }
    const now = this.#now();
    this.#store.scan(this.#base, pattern, (fact) => {
      if (this.#holds(fact, now)) visit(fact);
    });
  }
  /** The fact in force behind a triple; of several, the one with the greatest confidence, then the earliest recorded. */
  async of(triple: Triple, signal?: AbortSignal): Promise<Fact | undefined> {
    let best: Fact | undefined;
    for await (const fact of this.inForce(bareTriple(triple), signal)) if (!best || strongest(fact, best) < 0) best = fact;
    return best;
  }
  /** Does any fact tell the triple that is not in force? */
  async isOutOfForce(triple: Triple, signal?: AbortSignal): Promise<boolean> {
    const now = this.#now();
    const { items } = await this.#store.match(this.#base, bareTriple(triple), { limit: PAGE, signal });
    return items.some((fact) => !inForce(fact, now));
  }
  /** All facts in force behind a triple. */
  async all(triple: Triple, signal?: AbortSignal): Promise<readonly Fact[]> {
    return Array.fromAsync(this.inForce(bareTriple(triple), signal));
  }
  /** A fact in force whose object differs from `object`. */
  async otherObject(
    triple: { readonly subject: Triple['subject']; readonly relation: Triple['relation'] },
    isSame: (term: Term) => boolean,
    signal?: AbortSignal,
  ): Promise<Fact | undefined> {
    for await (const fact of this.inForce({ subject: triple.subject, relation: triple.relation }, signal)) if (!isSame(fact.object)) return fact;
    return undefined;
  }
}
