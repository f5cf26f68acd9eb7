// Owns which places of relations rules join: a variable that stands in two of them gives both the same values.
// Refuses to know what may be assumed and which facts there are.

import { atomsOf, isAggregate, isAtom, sidesOf } from '../reason/language/body.ts';
import { IS_A } from '../reason/language/print.ts';
import { signed, unsigned } from '../reason/tables/database.ts';
import type { Database, SignedRelation } from '../reason/tables/database.ts';
import type { Comparison, Aggregate, Rule, RuleTerm } from '../reason/types.ts';

export type Side = 'subject' | 'object';
/** One side of a relation. Each class is a relation of its own: `across` is the class whose members are meant, and -1 elsewhere. */
export interface Place {
  readonly key: SignedRelation;
  readonly side: Side;
  readonly across: number;
}
/** Places that rules join, and the values that rules themselves have there. */
export interface Joined {
  readonly places: readonly Place[];
  readonly constants: readonly number[];
}
const nameOf = ({ key, side, across }: Place): string => `${side} ${across} ${key}`;

/** Places are joined by the variables of rules, by variables that are equal, and by the least or greatest of several values. */
export class Places {
  /** Union-find over the names of places and of the variables of each rule. */
  readonly #parents = new Map<string, string>();
  readonly #known = new Map<string, Place>();
  readonly #constants: [string, number][] = [];
  readonly #groups = new Map<string, { readonly places: Place[]; readonly constants: number[] }>();

  constructor(rules: Iterable<Pick<Rule, 'heads' | 'body'>>, { terms }: Database) {
    for (const [at, { heads, body }] of [...rules].entries()) {
      const variable = (term: RuleTerm): string => (term.kind === 'variable' ? `? ${at} ${term.name}` : '');
      const stands = (place: Place, term: RuleTerm): void => {
        this.#known.set(nameOf(place), place);
        if (term.kind === 'variable') this.#join(nameOf(place), variable(term));
        else this.#constants.push([nameOf(place), terms.intern(term)]);
      };
      for (const { relation, negated, subject, object } of [...heads, ...Array.from(atomsOf(body), ({ atom }) => atom)]) {
        const key = signed(relation, negated);
        stands({ key, side: 'subject', across: relation === IS_A && object.kind !== 'variable' ? terms.intern(object) : -1 }, subject);
        stands({ key, side: 'object', across: -1 }, object);
      }
      for (const [one, other] of body.flatMap((item) =>
        isAggregate(item) ? [...same(item), ...item.body.flatMap((inner) => (isAtom(inner) ? [] : same(inner)))] : isAtom(item) ? [] : same(item),
      ))
        if (one.kind === 'variable' && other.kind === 'variable') this.#join(variable(one), variable(other));
    }
    // Where the class is a variable, the members of any are meant.
    for (const [name, place] of this.#known) if (this.#known.has(nameOf({ ...place, across: -1 }))) this.#join(name, nameOf({ ...place, across: -1 }));
    for (const [name, place] of this.#known) this.#group(name).places.push(place);
    for (const [name, value] of this.#constants) this.#group(name).constants.push(value);
  }
  /** The place on this side of a relation's facts, given what stands on the other side (-1: anything), and those joined with it. */
  joined(key: SignedRelation, side: Side, other: number): Joined {
    const any: Place = { key, side, across: -1 };
    const own: Place = side === 'subject' && unsigned(key).relation === IS_A ? { ...any, across: other } : any;
    const known = [own, any].find((place) => this.#known.has(nameOf(place)));
    return known ? this.#group(nameOf(known)) : { places: [own], constants: [] };
  }

  #group(name: string): { readonly places: Place[]; readonly constants: number[] } {
    const root = this.#root(name);
    let group = this.#groups.get(root);
    if (!group) this.#groups.set(root, (group = { places: [], constants: [] }));
    return group;
  }
  #root(name: string): string {
    let at = name;
    for (let up = this.#parents.get(at); up !== undefined; up = this.#parents.get(at)) at = up;
    return at;
  }
  #join(a: string, b: string): void {
    const [one, other] = [this.#root(a), this.#root(b)];
    if (one !== other) this.#parents.set(one, other);
  }
}
/** Terms that a condition makes the same. */
const same = (item: Comparison | Aggregate): (readonly [RuleTerm, RuleTerm])[] =>
  item.kind === 'aggregate'
    ? item.function === 'min' || item.function === 'max'
      ? item.of.map((term) => [term, item.result] as const)
      : []
    : sidesOf(item).flatMap(([left, right]) => (left.kind === 'variable' && right.kind === 'variable' ? [[left, right] as const] : []));
