// Owns the texts that several grammars have in common: a place for each place in all of them at once (the product of their automata).
// Refuses to know what the grammars say.

import { automaton } from './automaton.ts';
import type { Automaton } from './automaton.ts';
import { rule } from './expression.ts';
import type { Expression, Grammar, Range } from './expression.ts';
import { Machine } from './machine.ts';
import { Network } from './network.ts';

/** Places of all products of one schema. */
export const MOST_COMMON = 20_000;

/** Puts such texts into the rules of a schema. */
export class CommonTexts {
  readonly #rules: Map<string, Expression>;
  #places = 0;
  constructor(rules: Map<string, Expression>) {
    this.#rules = rules;
  }
  /** The rule `name`, written once. Throws what `none` gives where there is no text in common, and what `tooMany` gives where there are too many places. */
  of(grammars: readonly Grammar[], name: string, { none, tooMany }: { readonly none: () => Error; readonly tooMany: () => Error }): Expression {
    if (this.#rules.has(name)) return rule(name);
    const common = commonTexts(grammars, MOST_COMMON - this.#places, tooMany);
    if (!common) throw none();
    this.#places += common.places.length;
    this.#rules.set(name, common);
    return rule(name);
  }
}

interface Place {
  readonly states: readonly number[];
  /** Bytes by the number of the place that they lead to. */
  readonly after: Map<number, Range[]>;
}

/** The texts that are texts of all the grammars. Undefined where there are none. */
function commonTexts(grammars: readonly Grammar[], most: number, tooMany: () => Error): Automaton | undefined {
  const networks = grammars.map((grammar) => new Network(grammar));
  const machines = networks.map((network) => new Machine(network));
  const places: Place[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (states: readonly number[]): number => {
    const key = states.join();
    let number = numbers.get(key);
    if (number === undefined) {
      if (places.length >= most) throw tooMany();
      number = places.push({ states, after: new Map() }) - 1;
      numbers.set(key, number);
    }
    return number;
  };
  numberOf(machines.map(({ start }) => start));
  // Those that are found on the way come behind.
  for (const { states, after } of places) {
    // Bytes between two of these lead to the same place.
    const bounds = new Set<number>();
    for (const [i, state] of states.entries())
      for (const frame of machines[i].framesOf(state))
        for (const { from, to } of networks[i].nodes[machines[i].nodes[frame]].arcs) bounds.add(from).add(to + 1);
    const sorted = [...bounds].toSorted((a, b) => a - b);
    for (const [i, from] of sorted.slice(0, -1).entries()) {
      const next = states.map((state, each) => machines[each].step(state, from));
      if (next.some((state) => state < 0)) continue;
      const target = numberOf(next);
      const ranges = after.get(target) ?? [];
      const last = ranges.at(-1);
      if (last?.[1] === from - 1) ranges[ranges.length - 1] = [last[0], sorted[i + 1] - 1];
      else ranges.push([from, sorted[i + 1] - 1]);
      after.set(target, ranges);
    }
  }
  return automaton(
    places.map(({ states, after }) => ({
      ends: states.every((state, i) => machines[i].ends(state)),
      after: new Map(Array.from(after, ([target, ranges]) => [target, { kind: 'byte', ranges }])),
    })),
  );
}
