// Owns the list of what came and went, bounded, for one event.
// Refuses to know why anything changed.

import type { RelationName, Triple } from '../../terms.ts';
import { isSchema, touchesSchema } from '../../reason/rulesets/rulesets.ts';
import type { ChangedTriple } from '../common/types.ts';
import { bareTriple } from '../facts/facts.ts';

export class Changes {
  readonly #limit: number;
  readonly #listed = { added: [] as ChangedTriple[], removed: [] as ChangedTriple[] };
  /** Relations whose triples are no longer listed one by one. */
  readonly #whole = new Set<RelationName>();
  derived = 0;
  noLongerDerived = 0;
  /** Something that rule sets read came or went by rules. */
  schema = false;

  constructor(limit: number) {
    this.#limit = limit;
  }
  #push(kind: 'added' | 'removed', triple: Triple, derived: boolean): void {
    this.schema ||= derived && isSchema(triple);
    if (this.#whole.has(triple.relation)) return;
    if (this.#listed.added.length + this.#listed.removed.length >= this.#limit) this.#whole.add(triple.relation);
    else this.#listed[kind].push({ ...bareTriple(triple), derived });
  }
  /** Are triples of this relation counted alone, and none of them looked at? Then whoever has many may count them himself. */
  unlisted(relation: RelationName): boolean {
    return this.#whole.has(relation) && !touchesSchema({ relation });
  }
  stored(kind: 'added' | 'removed', triple: Triple): void {
    this.#push(kind, triple, false);
  }
  appeared(triple: Triple): void {
    this.derived++;
    this.#push('added', triple, true);
  }
  /** `counts`: it no longer holds at all (not: it is stored from now on). */
  vanished(triple: Triple, counts = true): void {
    if (counts) this.noLongerDerived++;
    this.#push('removed', triple, true);
  }
  /** Still derived, with another confidence. */
  altered(triple: Triple): void {
    this.#push('removed', triple, true);
    this.#push('added', triple, true);
  }
  get added(): readonly ChangedTriple[] {
    return this.#listed.added.filter(({ relation }) => !this.#whole.has(relation));
  }
  get removed(): readonly ChangedTriple[] {
    return this.#listed.removed.filter(({ relation }) => !this.#whole.has(relation));
  }
  /** Changed in more triples than are listed. */
  get relations(): readonly RelationName[] {
    return [...this.#whole];
  }
}
