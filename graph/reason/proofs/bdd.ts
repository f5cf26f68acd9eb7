// Owns reduced ordered binary decision diagrams (Bryant, IEEE Trans. Computers C-35, 1986): Boolean functions of numbered variables, their probability, their minimal solutions.
// Refuses to know what the variables stand for.

/** A function: the number of a node. */
export type Bdd = number;
export const FALSE: Bdd = 0;
export const TRUE: Bdd = 1;

/** More nodes or solutions than allowed. */
export class BddTooLarge extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'BddTooLarge';
  }
}

export class Diagrams {
  readonly #variables: number[] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  readonly #low: Bdd[] = [FALSE, TRUE];
  readonly #high: Bdd[] = [FALSE, TRUE];
  readonly #unique = new Map<number, Map<number, Bdd>>();
  readonly #computed = new Map<number, Bdd>();
  readonly #most: number;

  /** `most`: nodes over all functions, at most 131,072. */
  constructor(most = 30_000) {
    this.#most = Math.min(most, 1 << 17);
  }

  /** The function that is true when the variable is. Variables are tested in order of their numbers. */
  variable(number: number): Bdd {
    return this.#node(number, FALSE, TRUE);
  }
  and(a: Bdd, b: Bdd): Bdd {
    return this.#ite(a, b, FALSE);
  }
  or(a: Bdd, b: Bdd): Bdd {
    return this.#ite(a, TRUE, b);
  }
  /** At least one of them is true. Halves are joined, so that what they have in common is built seldom. */
  any(all: readonly Bdd[]): Bdd {
    if (all.length <= 1) return all[0] ?? FALSE;
    const middle = all.length >> 1;
    return this.or(this.any(all.slice(0, middle)), this.any(all.slice(middle)));
  }
  /** The variable that is tested first; infinite for what has none. */
  top(a: Bdd): number {
    return this.#variables[a];
  }
  not(a: Bdd): Bdd {
    return this.#ite(a, FALSE, TRUE);
  }

  #node(variable: number, low: Bdd, high: Bdd): Bdd {
    if (low === high) return low;
    let children = this.#unique.get(variable);
    if (!children) this.#unique.set(variable, (children = new Map()));
    const key = low * 2 ** 17 + high;
    const known = children.get(key);
    if (known !== undefined) return known;
    const node = this.#variables.length;
    if (node >= this.#most) throw new BddTooLarge(`the decision diagram has more than ${this.#most} nodes`);
    this.#variables.push(variable);
    this.#low.push(low);
    this.#high.push(high);
    children.set(key, node);
    return node;
  }
  #ite(test: Bdd, then: Bdd, otherwise: Bdd): Bdd {
    if (test === TRUE || then === otherwise) return then;
    if (test === FALSE) return otherwise;
    if (then === TRUE && otherwise === FALSE) return test;
    const key = (test * 2 ** 17 + then) * 2 ** 17 + otherwise;
    const known = this.#computed.get(key);
    if (known !== undefined) return known;
    const variable = Math.min(this.#variables[test], this.#variables[then], this.#variables[otherwise]);
    const half = (of: Bdd, high: boolean): Bdd => (this.#variables[of] === variable ? (high ? this.#high[of] : this.#low[of]) : of);
    const low = this.#ite(half(test, false), half(then, false), half(otherwise, false));
    const high = this.#ite(half(test, true), half(then, true), half(otherwise, true));
    const result = this.#node(variable, low, high);
    this.#computed.set(key, result);
    return result;
  }

  /** Probability that the function is true, when each variable is so independently with the probability given. */
  probability(root: Bdd, of: (variable: number) => number): number {
    const known = new Map<Bdd, number>([
      [FALSE, 0],
      [TRUE, 1],
    ]);
    const visit = (node: Bdd): number => {
      const kept = known.get(node);
      if (kept !== undefined) return kept;
      const p = of(this.#variables[node]);
      const sum = p * visit(this.#high[node]) + (1 - p) * visit(this.#low[node]);
      known.set(node, sum);
      return sum;
    };
    return visit(root);
  }

  /** Minimal sets of variables that make a monotone function true (Rauzy, Reliability Engineering 40, 1993). Throws BddTooLarge beyond `most` sets. */
  minimalSolutions(root: Bdd, most: number): readonly ReadonlySet<number>[] {
    const known = new Map<Bdd, readonly ReadonlySet<number>[]>([
      [FALSE, []],
      [TRUE, [new Set()]],
    ]);
    const visit = (node: Bdd): readonly ReadonlySet<number>[] => {
      const kept = known.get(node);
      if (kept) return kept;
      const without = visit(this.#low[node]);
      const withIt = visit(this.#high[node]).filter((set) => !without.some((smaller) => smaller.isSubsetOf(set)));
      const all = [...without, ...withIt.map((set) => new Set([this.#variables[node], ...set]))];
      if (all.length > most) throw new BddTooLarge(`there are more than ${most} minimal sets of facts`);
      known.set(node, all);
      return all;
    };
    return visit(root);
  }
}
