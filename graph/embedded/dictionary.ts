// Owns the numbers that stand for terms, texts and relation names inside one knowledge base, in order of arrival.
// Refuses to know facts, and to forget a number while the base is open, except for those of a transaction that failed.

import { termKey } from '../terms.ts';
import type { EntityId, Term } from '../terms.ts';

/** Strings and their numbers. */
export class TextTable<T extends string = string> {
  readonly #numbers = new Map<T, number>();
  readonly #texts: T[] = [];
  get count(): number {
    return this.#texts.length;
  }
  find(text: T): number {
    return this.#numbers.get(text) ?? -1;
  }
  get(number: number): T {
    return this.#texts[number];
  }
  /** The next number, for a text that has none. */
  add(text: T): number {
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }
  /** Forgets the latest until `count` are left. */
  truncate(count: number): void {
    while (this.#texts.length > count) this.#numbers.delete(this.#texts.pop() as T);
  }
}

/** Terms and their numbers. */
export class TermTable {
  readonly #entities = new Map<EntityId, number>();
  /** By the key of the literal. */
  readonly #literals = new Map<string, number>();
  readonly #terms: Term[] = [];
  get count(): number {
    return this.#terms.length;
  }
  find(term: Term): number {
    return (term.kind === 'entity' ? this.#entities.get(term.id) : this.#literals.get(termKey(term))) ?? -1;
  }
  findEntity(id: EntityId): number {
    return this.#entities.get(id) ?? -1;
  }
  get(number: number): Term {
    return this.#terms[number];
  }
  isEntity(number: number): boolean {
    return this.#terms[number].kind === 'entity';
  }
  /** The id of a term that is an entity. */
  entityId(number: number): EntityId {
    const term = this.#terms[number];
    if (term.kind !== 'entity') throw new Error(`term ${number} is a literal where an entity was expected`);
    return term.id;
  }
  /** The next number, for a term that has none. */
  add(term: Term): number {
    const number = this.#terms.push(term) - 1;
    if (term.kind === 'entity') this.#entities.set(term.id, number);
    else this.#literals.set(termKey(term), number);
    return number;
  }
  truncate(count: number): void {
    for (const term of this.#terms.splice(count))
      if (term.kind === 'entity') this.#entities.delete(term.id);
      else this.#literals.delete(termKey(term));
  }
}
