// Owns what a base is ruled by: rules, rule sets, conflict policies; and where constraints are broken.
// Refuses to know how rules are evaluated, and questions.

import type { BaseName } from '../terms.ts';
import type { Change } from '../store.ts';
import type { RuleSetName } from '../reason/rulesets/rulesets.ts';
import type { Rule } from '../reason/types.ts';
import { runSliced } from '../reason/evaluate/run.ts';
import { NO_ASSUMPTIONS } from './facts/assumptions.ts';
import { ruleDocument, ruleSetId } from './bases/rule-documents.ts';
import { contradictions } from './conflicts/conflicts.ts';
import type { ContradictionPage } from './conflicts/conflicts.ts';
import { contextOf } from './worlds/context.ts';
import type { Shared } from './worlds/context.ts';
import { checkPolicies, policiesChange } from './bases/policies.ts';
import type { ConflictPolicies } from './bases/policies.ts';
import { checkSupposed } from './common/requests.ts';
import type { Resolver } from './conflicts/resolved.ts';
import { restoration, rulesAt, ruleVersions } from './bases/rule-history.ts';
import type { RuleVersion } from './bases/rule-history.ts';
import { checkingRules } from './rulebook.ts';
import type { RuleSource } from './rulebook.ts';
import { KnowledgeError } from './common/types.ts';
import type { RuleBook, RuleRemoval, RuleRestoration, RulesCheck, RuleSetResult, RulesResult } from './common/types.ts';

export interface PageOptions {
  readonly offset?: number;
  readonly limit?: number;
  /** World time, ISO 8601. Default: now. */
  readonly validAt?: string;
  readonly signal?: AbortSignal;
}
export class Ruling {
  readonly #shared: Shared;
  readonly #resolver: Resolver;
  /** Listings of versions, by the rules of the base: whoever changes rules or policies makes them anew. */
  readonly #versions = new WeakMap<object, { readonly policies: ConflictPolicies; readonly versions: readonly RuleVersion[] }>();
  constructor(shared: Shared, resolver: Resolver) {
    this.#shared = shared;
    this.#resolver = resolver;
  }

  async addRules(base: BaseName, input: unknown, source?: RuleSource): Promise<RulesResult> {
    this.#shared.states.assertOpen();
    return this.#shared.states.use(base, (state) =>
      state.change(async () => {
        const { rules, errors } = await runSliced(checkingRules(input, (rules) => state.standing(rules), source));
        if (errors.length > 0) throw errors[0];
        const { derived, version, partial } = await state.write(rules.map((rule): Change => ({ kind: 'rule', id: rule.id, document: ruleDocument(rule) })));
        return { rules, derived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  async validateRules(base: BaseName, input: unknown, source?: RuleSource): Promise<RulesCheck> {
    this.#shared.states.assertOpen();
    return this.#shared.states.read(base, (state) => runSliced(checkingRules(input, (rules) => state.standing(rules), source)));
  }
  async useRuleSet(base: BaseName, name: RuleSetName, use = true): Promise<RuleSetResult> {
    this.#shared.states.assertOpen();
    return this.#shared.states.use(base, (state) =>
      state.change(async () => {
        const { derived, noLongerDerived, version, partial } = await state.write([
          { kind: 'rule', id: ruleSetId(name), ...(use ? { document: JSON.stringify({ rule_set: name }) } : {}) },
        ]);
        return { rules: state.setRules, derived, noLongerDerived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  async ruleBook(base: BaseName, version?: number): Promise<RuleBook> {
    return this.#shared.states.read(base, async (state) => {
      if (version !== undefined && version !== state.version) return { ...rulesAt(await this.#shared.store.ruleHistory(base), version), setRules: [], version, past: true };
      return { rules: [...state.rules.values()], ruleSets: [...state.ruleSets], setRules: state.setRules, version: state.version };
    });
  }
  async ruleVersions(base: BaseName): Promise<readonly RuleVersion[]> {
    return this.#shared.states.read(base, async ({ rules, policies }) => {
      const kept = this.#versions.get(rules);
      if (kept?.policies === policies) return kept.versions;
      const versions = ruleVersions(await this.#shared.store.ruleHistory(base, { documents: false }));
      this.#versions.set(rules, { policies, versions });
      return versions;
    });
  }
  async restoreRules(base: BaseName, version: number): Promise<RuleRestoration> {
    this.#shared.states.assertOpen();
    return this.#shared.states.use(base, (state) =>
      state.change(async () => {
        const { changes, added, removed } = restoration(await this.#shared.store.ruleHistory(base), version);
        const { derived, noLongerDerived, version: made, partial } = await state.write(changes);
        return { added, removed, ruleSets: [...state.ruleSets], derived, noLongerDerived, version: made, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  async removeRule(base: BaseName, id: string): Promise<RuleRemoval> {
    this.#shared.states.assertOpen();
    return this.#shared.states.use(base, (state) =>
      state.change(async () => {
        const rule = state.rules.get(id);
        if (!rule)
          throw new KnowledgeError(
            'unknown_rule',
            `knowledge base ${JSON.stringify(base)} has no rule ${JSON.stringify(id.slice(0, 80))}; list its rules to see their ids`,
          );
        const { noLongerDerived, version, partial } = await state.write([{ kind: 'rule', id }]);
        return { rule, noLongerDerived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  async rules(base: BaseName): Promise<readonly Rule[]> {
    return this.#shared.states.read(base, async (state) => [...state.rules.values()]);
  }
  async contradictions(base: BaseName, options: PageOptions = {}): Promise<ContradictionPage> {
    const { offset = 0, limit = 100, validAt, signal } = options;
    checkSupposed([], [], validAt);
    return this.#shared.states.read(base, async (state) => {
      const { standing } = this.#shared.limits;
      const until = performance.now() + standing.ms;
      const context = contextOf(this.#shared, state, validAt);
      const { removed, undecided, ...hypothesis } = await this.#resolver.resolved(state, NO_ASSUMPTIONS, context, { ms: standing.ms / 2, signal });
      const overruled = { removed, ...(undecided === undefined ? {} : { limit: undecided }) };
      const budget = { ...standing, ms: until - performance.now() };
      return contradictions({ ...hypothesis, removed: [] }, overruled, state, { offset, limit, budget }, context, signal);
    });
  }
  async conflictPolicies(base: BaseName): Promise<ConflictPolicies> {
    return this.#shared.states.read(base, async (state) => state.policies);
  }
  async setConflictPolicies(base: BaseName, policies: ConflictPolicies): Promise<ConflictPolicies> {
    this.#shared.states.assertOpen();
    const checked = checkPolicies(policies);
    await this.#shared.states.use(base, (state) => state.change(() => state.write([policiesChange(checked)])));
    return checked;
  }
}
