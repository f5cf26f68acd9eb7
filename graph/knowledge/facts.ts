// Owns reading stored facts for reasoning: whole relations, and the fact behind a triple, as they are in force now.
// Refuses to know rules and which store answers.

import { shortHash } from '../reason/print.ts';
import { tripleKey } from '../terms.ts';
import type { BaseName, Fact, FactId, Term, Triple, TriplePattern } from '../terms.ts';
import type { GraphStore } from '../store.ts';
import type { KnownFact } from './types.ts';
import { inForce } from './validity.ts';
import type { ValidityWatch } from './validity.ts';

/** A store in this process may hand out facts without paging. Called once per live fact that matches. */
export interface FactScanner {
  scan(base: BaseName, pattern: TriplePattern, visit: (fact: Fact) => void): void;
}
const isScanner = (store: object): store is FactScanner => 'scan' in store && typeof store.scan === 'function';

const PAGE = 5_000;
const SLICE_MS = 10;

export const bareTriple = ({ subject, relation, object, negated }: Triple): Triple => ({ subject, relation, object, ...(negated ? { negated } : {}) });
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

  constructor(store: GraphStore, base: BaseName, watch: ValidityWatch, now: () => number) {
    this.#store = store;
    this.#base = base;
    this.#watch = watch;
    this.#now = now;
  }

  /** Facts in force that match, one after the other. */
  async *inForce(pattern: TriplePattern, signal?: AbortSignal): AsyncGenerator<Fact, void, void> {
    const now = this.#now();
    let cursor: string | undefined;
    do {
      const page = await this.#store.match(this.#base, pattern, { limit: PAGE, cursor, signal });
      for (const fact of page.items) {
        this.#watch.see(fact, now);
        if (inForce(fact, now)) yield fact;
      }
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
      this.#watch.see(fact, now);
      if (inForce(fact, now)) visit(fact);
    });
  }
  /** The fact in force behind a triple; of several, the one with the greatest confidence, then the earliest recorded. */
  async of(triple: Triple, signal?: AbortSignal): Promise<Fact | undefined> {
    let best: Fact | undefined;
    const { subject, relation, object, negated } = triple;
    for await (const fact of this.inForce({ subject, relation, object, ...(negated ? { negated } : {}) }, signal))
      if (
        !best ||
        fact.confidence > best.confidence ||
        (fact.confidence === best.confidence && (fact.recordedAt < best.recordedAt || (fact.recordedAt === best.recordedAt && fact.id < best.id)))
      )
        best = fact;
    return best;
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
