// Owns sets of assumptions and how they are kept minimal (de Kleer, Artificial Intelligence 28, 1986).
// Refuses to know what the numbers in them stand for.

/** Numbers of atoms, ascending, each once. */
export type Ids = readonly number[];
/** Under what something holds: atoms that are assumed, and atoms that nothing may say. */
export interface Environment {
  readonly assumed: Ids;
  readonly absent: Ids;
}
export const NOTHING: Environment = { assumed: [], absent: [] };

export function union(a: Ids, b: Ids): Ids {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const all: number[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const next = j >= b.length || (i < a.length && a[i] <= b[j]) ? a[i] : b[j];
    if (a[i] === next) i++;
    if (b[j] === next) j++;
    all.push(next);
  }
  return all.length === a.length ? a : all.length === b.length ? b : all;
}
export const join = (a: Environment, b: Environment): Environment => ({ assumed: union(a.assumed, b.assumed), absent: union(a.absent, b.absent) });

/** Is every number of `some` in `all`? */
export function includes(all: Ids, some: Ids): boolean {
  if (some.length > all.length) return false;
  let i = 0;
  for (const id of some) {
    while (i < all.length && all[i] < id) i++;
    if (all[i] !== id) return false;
    i++;
  }
  return true;
}
/** All parts of a set but none and itself, smaller ones first. */
export function* parts(ids: Ids): Generator<Ids, void, void> {
  for (let size = 1; size < ids.length; size++) yield* choose(ids, size, 0);
}
function* choose(ids: Ids, size: number, from: number): Generator<Ids, void, void> {
  if (size === 0) yield [];
  else for (let i = from; i <= ids.length - size; i++) for (const rest of choose(ids, size - 1, i + 1)) yield [ids[i], ...rest];
}
export function disjoint(a: Ids, b: Ids): boolean {
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length)
    if (a[i] === b[j]) return false;
    else if (a[i] < b[j]) i++;
    else j++;
  return true;
}

/** Environments none of which includes another. */
export class Label {
  #minimal: Environment[] = [];

  get environments(): readonly Environment[] {
    return this.#minimal;
  }
  /** Adds the environment unless it includes one that is there; those that include it go. Returns whether it was added. */
  add(environment: Environment): boolean {
    if (this.#minimal.some((known) => includes(environment.assumed, known.assumed) && includes(environment.absent, known.absent))) return false;
    this.#minimal = this.#minimal.filter((known) => !(includes(known.assumed, environment.assumed) && includes(known.absent, environment.absent)));
    this.#minimal.push(environment);
    return true;
  }
}

/** Sets of assumptions, every larger set of which is of no interest. */
export class Sets {
  readonly #sets: Ids[] = [];
  add(set: Ids): void {
    this.#sets.push(set);
  }
  /** Does the set include one of these? */
  within(set: Ids): boolean {
    return this.#sets.some((known) => includes(set, known));
  }
}
