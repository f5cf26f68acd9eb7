// Owns what a question may suppose besides a base, and what is asked of a world that was derived with it.
// Refuses to know how it is derived and what proofs rest on.

import { sameTerm } from '../../terms.ts';
import type { Statement, Triple, TriplePattern } from '../../terms.ts';
import type { Place } from '../../reason/errors.ts';
import type { Atom, Rule } from '../../reason/types.ts';

/** Rules and facts that a proof may assume besides the base's own. */
export interface Assumptions {
  readonly rules: readonly Rule[];
  /** Where the rules stand in what was sent, by id. */
  readonly places?: ReadonlyMap<string, Place>;
  readonly facts: readonly Statement[];
  /** Stored facts that match any of these may not be used. */
  readonly removed: readonly TriplePattern[];
}
export const NO_ASSUMPTIONS: Assumptions = { rules: [], facts: [], removed: [] };
/** Looks up triples in a world that was derived. */
export interface AbsenceOracle {
  /** Is it known that nothing says that this holds? */
  absent(triple: Triple): boolean | Promise<boolean>;
  /** Everything that holds and matches the atom; undefined when not all of it is known. Without it no aggregate can be verified. */
  matching?(atom: Atom): Iterable<Triple> | undefined | Promise<Iterable<Triple> | undefined>;
}

/** Does the triple match? A pattern that does not say so matches positive triples only. */
export const matches = ({ subject, relation, object, negated }: TriplePattern, triple: Triple): boolean =>
  (subject === undefined || subject === triple.subject) &&
  (relation === undefined || relation === triple.relation) &&
  (object === undefined || sameTerm(object, triple.object)) &&
  (negated ?? false) === (triple.negated ?? false);
