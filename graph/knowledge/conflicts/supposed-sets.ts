// Owns the rule sets of a base in the world that a question supposes: written out for the schema that there would be with facts and rules that come, facts that go, or at another time.
// Refuses to know what the words of a schema mean and what is asked.

import type { Fact } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import { refutingConstraints } from '../../reason/rulesets/refutation.ts';
import { isSchema, touchesSchema } from '../../reason/rulesets/rulesets.ts';
import type { Program } from '../../reason/evaluate/program.ts';
import type { Budget, Rule } from '../../reason/types.ts';
import { matches } from '../facts/assumptions.ts';
import type { Assumptions } from '../facts/assumptions.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import { Resolver } from './resolved.ts';
import type { ResolveOptions } from './resolved.ts';
import { concludedSchema, settle, storedSchema } from '../bases/schema.ts';
import { KnowledgeError } from '../common/types.ts';
import type { KnowledgeLimits } from '../common/types.ts';
import { inForce } from '../facts/validity.ts';
import { derivesOtherwise, namesAnew, setsBeside, withSetRules } from '../worlds/view.ts';
import type { BaseView } from '../worlds/view.ts';

/** A resolver in whose worlds the rule sets follow the schema. Throws RuleError when that makes negation run in a circle, KnowledgeError `too_large` when derived schema is beyond the limits. */
export class SetResolver extends Resolver {
  readonly #budget: Budget;
  constructor(limits: KnowledgeLimits) {
    super(limits);
    this.#budget = limits.standing;
  }
  override async resolved(state: BaseView, assumed: Assumptions, context: DeduceContext, options?: ResolveOptions): Promise<Hypothesis> {
    const view = state.ruleSets.size === 0 ? state : await inWorld(state, assumed, context, this.#budget);
    const hypothesis = await super.resolved(view, assumed, context, options);
    if (view === state) return hypothesis;
    // What the sets stand for only in this world are rules of this call.
    const known = new Set(state.standing(assumed.rules).map(({ id }) => id));
    const [standing, rules] = [true, false].map((stands) => hypothesis.standing.filter(({ id }) => known.has(id) === stands));
    // Where nothing is supposed, all that follows is asked for and not what is new.
    const all = assumed.rules.length + assumed.facts.length === 0;
    return { ...hypothesis, standing, rules: [...hypothesis.rules, ...rules], ...(all ? { derivedAlready: () => false } : {}) };
  }
}

/** The base with its rule sets written out for that world; the base itself where they stand for the same rules. */
async function inWorld(state: BaseView, assumed: Assumptions, { reader, now }: DeduceContext, budget: Budget): Promise<BaseView> {
  const facts = assumed.facts.filter((fact) => inForce(fact, now));
  const elsewhere = reader !== state.reader;
  const told = facts.filter(isSchema);
  const rewritten = told.length > 0 || namesAnew(state, assumed.rules, facts) || derivesOtherwise(state, { ...assumed, facts }, elsewhere);
  if (!rewritten && !elsewhere && !assumed.removed.some(touchesSchema)) return state;
  const there = await storedSchema(reader);
  const kept = there.filter((fact) => !assumed.removed.some((pattern) => matches(pattern, fact)));
  if (!rewritten && kept.length === there.length && (!elsewhere || areSame(there, await storedSchema(state.reader)))) return state;

  const use = setsBeside(state, assumed.rules);
  const { declarations } = state;
  const program = async (rules: readonly Rule[], setRules: readonly Rule[]): Promise<Program | undefined> => {
    const relations = Array.from(concludedSchema(use.own, setRules), (relation) => signed(relation, false));
    if (relations.length === 0) return undefined;
    const world: Hypothesis = { ...assumed, facts, standing: rules, rules: [], declarations, constraints: refutingConstraints(setRules), derivedAlready: () => false };
    const { program: derived, run } = await derive(world, { relations }, budget, reader, now);
    if (run.limit !== undefined)
      throw new KnowledgeError('too_large', `what follows of the schema that rule sets read reached the limit ${run.limit}; suppose less, or ask the knowledge base as it is`);
    return derived;
  };
  const relations = new Set(state.relationNames);
  for (const { relation, negated } of facts) if (!negated) relations.add(relation);
  const { rules } = await settle({ ...use, relations }, [...kept, ...told], program);
  return withSetRules(state, rules);
}
const areSame = (some: readonly Fact[], others: readonly Fact[]): boolean => some.length === others.length && some.every(({ id }, i) => id === others[i].id);
