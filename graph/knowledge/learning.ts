// Owns learning from a base: inductions over its facts, adopting what they found, rankings by it.
// Refuses to know how rules are found.

import type { BaseName } from '../terms.ts';
import type { Induction } from '../induce/induction.ts';
import { Inductions } from '../induce/inductions.ts';
import type { FactSource } from '../induce/inductions.ts';
import { InduceError } from '../induce/types.ts';
import type { InduceRequest, RankRequest, RankResult } from '../induce/types.ts';
import { ruleToJson } from '../reason/language/json.ts';
import type { BaseState } from './bases/base.ts';
import type { Shared } from './worlds/context.ts';
import type { RulesResult } from './common/types.ts';

export class Learning {
  readonly #shared: Shared;
  readonly #inductions: Inductions;
  readonly #addRules: (base: BaseName, input: unknown) => Promise<RulesResult>;

  constructor(shared: Shared, addRules: (base: BaseName, input: unknown) => Promise<RulesResult>) {
    this.#shared = shared;
    this.#inductions = new Inductions(shared.limits.induce);
    this.#addRules = addRules;
  }
  close(): void {
    this.#inductions.close();
  }

  async induce(base: BaseName, request: InduceRequest): Promise<Induction> {
    this.#shared.states.assertOpen();
    return this.#shared.states.use(base, (state) => this.#inductions.begin(factSource(state), request));
  }
  induction(base: BaseName, id: string): Induction {
    this.#shared.states.assertOpen();
    return this.#inductions.get(base, id);
  }
  async adopt(base: BaseName, induction: string, ids: readonly string[]): Promise<RulesResult> {
    const found = new Map(this.induction(base, induction).state.rules.map(({ rule }) => [rule.id, rule]));
    const rules = ids.map((id) => {
      const rule = found.get(id);
      if (!rule)
        throw new InduceError('unknown_rule', `induction ${induction} has no rule ${JSON.stringify(id.slice(0, 80))}; its rules are listed with their ids`);
      return ruleToJson(rule);
    });
    return this.#addRules(base, rules);
  }
  async rank(base: BaseName, request: RankRequest): Promise<RankResult> {
    return this.#shared.states.use(base, (state) => this.#inductions.rank(factSource(state), request));
  }
}

const factSource = (state: BaseState): FactSource => ({
  base: state.base,
  version: () => state.version,
  steady: (read) => state.steady(read),
  each: (pattern, visit, signal) => state.reader.each(pattern, visit, signal),
  *derived() {
    const { database } = state.closure;
    for (const slot of database.slots())
      for (const row of database.rows(slot.key, undefined, undefined)) if (slot.table.rules[row] >= 0) yield database.triple(slot, row);
  },
});
