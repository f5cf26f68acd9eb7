// Owns a text behind another: what stands in front of it, and, from where that is whole, the text with limits of its own.
// Refuses to know what the two are.

import type { Constraint } from './port.ts';
import type { TokenSet } from './tokens/token-set.ts';

/** What stands in front must be whole at its end alone: a mark closes it. */
export class StagedConstraint implements Constraint {
  readonly #text: Constraint;
  #now: Constraint;

  constructor(front: Constraint, text: Constraint) {
    this.#now = front;
    this.#text = text;
  }
  allowed(): TokenSet {
    return this.#now.allowed();
  }
  unlimited(): TokenSet | undefined {
    return this.#now.unlimited?.();
  }
  next(): TokenSet | undefined {
    return this.#now.next ? this.#now.next() : this.#now.allowed();
  }
  foresee(guess: readonly number[]): void {
    this.#now.foresee?.(guess);
  }
  complete(): boolean {
    return this.#now === this.#text && this.#now.complete();
  }
  accept(token: number): void {
    this.#now.accept(token);
    if (this.#now !== this.#text && this.#now.complete()) this.#now = this.#text;
  }
}
