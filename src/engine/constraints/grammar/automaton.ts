// Owns a deterministic automaton as an expression: what leads to no text is left out of it.
// Refuses to know what the automaton was made of.

import type { Expression } from './expression.ts';

export type Automaton = Extract<Expression, { kind: 'automaton' }>;
export interface AutomatonPlace {
  /** A text may end here. */
  readonly ends: boolean;
  /** What is read, by the number of the place that it leads to. */
  readonly after: ReadonlyMap<number, Expression>;
}

/** Its texts, from the first place on. Undefined where there are none. */
export function automaton(places: readonly AutomatonPlace[]): Automaton | undefined {
  const useful = leadingToAnEnd(places);
  if (!useful.has(0)) return undefined;
  const kept = [...useful].toSorted((a, b) => a - b);
  const numbers = new Map(kept.map((place, number) => [place, number]));
  return {
    kind: 'automaton',
    places: kept.map((place) => ({
      ends: places[place].ends,
      after: Array.from(places[place].after).flatMap(([target, read]) => {
        const number = numbers.get(target);
        return number === undefined ? [] : [{ read, target: number }];
      }),
    })),
  };
}
/** Places from which an end can be reached. */
function leadingToAnEnd(places: readonly AutomatonPlace[]): ReadonlySet<number> {
  const before = places.map((): number[] => []);
  for (const [number, { after }] of places.entries()) for (const target of after.keys()) before[target].push(number);
  const found = new Set(places.flatMap(({ ends }, number) => (ends ? [number] : [])));
  for (const number of found) for (const each of before[number]) found.add(each);
  return found;
}
