// Owns aggregates that assumptions change: gathering what they range over, and computing them under each set of assumptions.
// Refuses to know how conditions are met.

import { includes, Label, union } from './environments.ts';
import type { Environment } from './environments.ts';
import type { Clause, GroupItem, Model } from './model.ts';
import { counted, unions, valueOf } from './state.ts';
import type { Gathering, State } from './state.ts';

/** What the search does for it. */
export interface Gatherer {
  /** Assumptions in one environment at most. */
  readonly size: number;
  /** Meets a clause in all ways. */
  begin(clause: Clause, registers: Int32Array, answer: (state: State) => void): void;
  advance(state: State): void;
  wanted(environment: Environment): boolean;
  /** Something was left out: it takes too many assumptions, or there are too many sets of them. */
  miss(what: { readonly pruned: boolean; readonly cut: boolean }): void;
}

export class Gatherings {
  readonly #model: Model;
  readonly #search: Gatherer;
  readonly #gatherings: Gathering[] = [];

  constructor(model: Model, search: Gatherer) {
    [this.#model, this.#search] = [model, search];
  }

  /** Asks for what an aggregate ranges over; it is counted when nothing else is left to do. */
  gather(state: State, place: number): void {
    const item = state.clause.items[place] as GroupItem;
    const gathering: Gathering = { state, place, members: new Map(), fresh: true };
    this.#gatherings.push(gathering);
    const registers = new Int32Array(item.body.variables.length).fill(-1);
    item.given.forEach((register, i) => (registers[i] = state.registers[register]));
    this.#search.begin(item.body, registers, ({ registers: found, environment }) => {
      const key = item.distinct.map((register) => found[register]).join(' ');
      let member = gathering.members.get(key);
      if (!member) gathering.members.set(key, (member = { value: item.aggregate.function === 'count' ? 0 : valueOf(item.of[0], found), label: new Label() }));
      if (member.label.add(environment)) gathering.fresh = true;
    });
  }
  /** Computes aggregates over what they range over under each set of assumptions. Returns whether there was anything to do. Yields behind each set. */
  *count(): Generator<void, boolean> {
    const fresh = this.#gatherings.filter((gathering) => gathering.fresh);
    for (const gathering of fresh) {
      gathering.fresh = false;
      const { state, place, members } = gathering;
      const item = state.clause.items[place] as GroupItem;
      const all = [...members.values()].map(({ value, label }) => ({ value, environments: label.environments }));
      const environments = all.flatMap((member) => [...member.environments]);
      const { sets, pruned, cut } = unions(state.environment.assumed, environments, this.#search.size);
      this.#search.miss({ pruned, cut });
      for (const assumed of sets) {
        let { absent } = state.environment;
        const values: number[] = [];
        for (const member of all) {
          const held = member.environments.find((environment) => includes(assumed, environment.assumed));
          if (!held) continue;
          values.push(member.value);
          absent = union(absent, held.absent);
        }
        const environment: Environment = { assumed, absent };
        const next = this.#search.wanted(environment) ? counted({ ...state, environment }, place, item, this.#model.combine(item, values)) : undefined;
        if (next) this.#search.advance(next);
        yield;
      }
    }
    return fresh.length > 0;
  }
}
