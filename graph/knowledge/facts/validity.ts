// Owns world time: which facts are in force, and when that changes next.
// Refuses to know clocks: the caller says what time it is.

import type { Fact, FactId, Statement, Triple } from '../../terms.ts';
import { instant } from '../../reason/tables/interner.ts';

/** True from `validFrom` (inclusive) until `validTo` (exclusive). `now` in milliseconds since 1970 UTC. */
export const inForce = (statement: Statement, now: number): boolean =>
  (statement.validFrom === undefined || instant(statement.validFrom) <= now) && (statement.validTo === undefined || now < instant(statement.validTo));

/** Facts that were read and whose validity begins or ends later. At most `limit` are watched; the latest fall first, and when the time of one that fell has come, everything has to be read anew. */
export class ValidityWatch {
  readonly #limit: number;
  readonly #facts = new Map<FactId, { readonly at: number; readonly triple: Triple }>();
  #next = Number.POSITIVE_INFINITY;
  /** The earliest time of a fact that fell. */
  #fallen = Number.POSITIVE_INFINITY;

  constructor(limit = 100_000) {
    this.#limit = limit;
  }
  /** When something changes next: milliseconds since 1970 UTC, or infinity. */
  get next(): number {
    return Math.min(this.#next, this.#fallen);
  }
  /** Notes a fact, if it has a time to wait for. */
  see(fact: Fact, now: number): void {
    if ((fact.validFrom === undefined && fact.validTo === undefined) || fact.retractedAt !== undefined) return;
    const times = [fact.validFrom, fact.validTo].flatMap((text) => (text === undefined ? [] : [instant(text)])).filter((at) => at > now);
    if (times.length === 0) return;
    const at = Math.min(...times);
    if (!this.#facts.has(fact.id) && this.#facts.size >= this.#limit) this.#forgetLatest();
    this.#facts.set(fact.id, { at, triple: fact });
    if (at < this.#next) this.#next = at;
  }
  /** Triples whose validity changed until now, each noted fact once; they are no longer watched. Undefined when not all of them are known: nothing is watched then until it is read again. */
  due(now: number): Triple[] | undefined {
    if (now < this.next) return [];
    const triples: Triple[] = [];
    this.#next = Number.POSITIVE_INFINITY;
    if (now >= this.#fallen) {
      this.#fallen = Number.POSITIVE_INFINITY;
      this.#facts.clear();
      return undefined;
    }
    for (const [id, { at, triple }] of this.#facts)
      if (at <= now) {
        triples.push(triple);
        this.#facts.delete(id);
      } else if (at < this.#next) this.#next = at;
    return triples;
  }
  #forgetLatest(): void {
    const byTime = [...this.#facts].toSorted((a, b) => b[1].at - a[1].at);
    for (const [id, { at }] of byTime.slice(0, Math.max(1, this.#limit >> 3))) {
      this.#facts.delete(id);
      this.#fallen = Math.min(this.#fallen, at);
    }
  }
}
