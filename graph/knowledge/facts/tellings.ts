// Owns who told a triple: the stored facts behind it, and those supposed for one question.
// Refuses to know what follows from them.

import { tripleKey } from '../../terms.ts';
import type { Fact, Statement, Triple, TriplePattern } from '../../terms.ts';
import type { Proof } from '../../reason/types.ts';
import { matches } from './assumptions.ts';
import { bareTriple, identityOf, strongest } from './facts.ts';
import type { FactReader } from './facts.ts';
import { inForce } from './validity.ts';

/** A leaf of a proof that is a fact. */
export type Telling = Extract<Proof, { readonly kind: 'fact' | 'given' }>;

/** The facts of one question: those of the base and those supposed. */
export class Tellings {
  readonly #reader: FactReader;
  readonly #supposed = new Map<string, Statement[]>();
  readonly #removed: readonly TriplePattern[];
  readonly #repeated = new Set<string>();

  constructor(reader: FactReader, now: number, supposed: readonly Statement[] = [], removed: readonly TriplePattern[] = []) {
    this.#reader = reader;
    this.#removed = removed;
    for (const statement of supposed) {
      if (!inForce(statement, now)) continue;
      const list = this.#supposed.get(tripleKey(statement));
      if (list) list.push(statement);
      else this.#supposed.set(tripleKey(statement), [statement]);
    }
  }
  /** The facts supposed that are in force, each triple's together. */
  supposed(): Iterable<Statement> {
    return [...this.#supposed.values()].flat();
  }
  /** Notes that a triple was told more than once. */
  repeat(triple: Triple): void {
    this.#repeated.add(tripleKey(triple));
  }
  /** Was it noted? */
  isRepeated(triple: Triple): boolean {
    return this.#repeated.size > 0 && this.#repeated.has(tripleKey(triple));
  }
  /** The fact supposed that is told with this confidence. */
  given(triple: Triple, confidence: number): Telling {
    const statement = this.#supposed.get(tripleKey(triple))?.find((each) => (each.confidence ?? 1) === confidence);
    return givenLeaf(triple, confidence, statement);
  }
  /** All facts that tell a triple, the surest first. What is supposed of a fact that is stored - with the same source and validity - is no other fact. */
  async of(triple: Triple): Promise<readonly Telling[]> {
    const conclusion = bareTriple(triple);
    const tellings = new Map<string, Telling>();
    if (!this.#removed.some((pattern) => matches(pattern, triple)))
      for (const fact of await this.#reader.all(triple)) tellings.set(identityOf(fact), { kind: 'fact', conclusion, confidence: fact.confidence, fact });
    for (const statement of this.#supposed.get(tripleKey(triple)) ?? []) {
      const { confidence = 1 } = statement;
      const known = tellings.get(identityOf(statement));
      if (!known || known.confidence < confidence) tellings.set(identityOf(statement), givenLeaf(conclusion, confidence, statement));
    }
    return [...tellings.values()].toSorted(
      (a, b) => b.confidence - a.confidence || (a.kind === 'fact' && b.kind === 'fact' ? strongest(a.fact, b.fact) : a.kind === 'fact' ? -1 : 1),
    );
  }
}
const givenLeaf = (conclusion: Triple, confidence: number, { validFrom, validTo }: Pick<Fact, 'validFrom' | 'validTo'> = {}): Telling => ({
  kind: 'given',
  conclusion,
  confidence,
  ...(validFrom === undefined ? {} : { validFrom }),
  ...(validTo === undefined ? {} : { validTo }),
});
