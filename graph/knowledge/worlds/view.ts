// Owns what a reading sees of a base: the base as it stands, or with rules supposed, or with rule sets that stand for other rules.
// Refuses to know how any of them is kept up to date.

import type { Triple } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import type { SignedRelation } from '../../reason/tables/database.ts';
import { refutingConstraints } from '../../reason/rulesets/refutation.ts';
import { isEquality, isReplacement } from '../../reason/rulesets/rulesets.ts';
import { runSliced } from '../../reason/evaluate/run.ts';
import { stratifying } from '../../reason/evaluate/strata.ts';
import type { Budget, Rule } from '../../reason/types.ts';
import type { ReadRules } from '../../reason/language/parse.ts';
import { NO_ASSUMPTIONS } from '../facts/assumptions.ts';
import type { Assumptions } from '../facts/assumptions.ts';
import type { BaseState } from '../bases/base.ts';
import { Closure, neededRelations } from '../bases/closure.ts';
import { relevantRules } from './hypothesis.ts';
import { setUse, statedRules, withImplied } from '../bases/plan.ts';
import { closeOver, concludedSchema, together } from '../bases/schema.ts';
import type { SetUse } from '../bases/schema.ts';
import { KnowledgeError } from '../common/types.ts';

export type BaseView = Pick<
  BaseState,
  | 'base'
  | 'reader'
  | 'watch'
  | 'readAt'
  | 'rules'
  | 'ruleSets'
  | 'relationNames'
  | 'declarations'
  | 'setRules'
  | 'declared'
  | 'closure'
  | 'policies'
  | 'version'
  | 'standing'
>;

/** How a base is read: one version of it from beginning to end. */
export type ReadView = <T>(base: BaseState['base'], read: (view: BaseView) => Promise<T>) => Promise<T>;

/** The rule sets of a base with further rules beside its own. */
export function setsBeside({ rules, ruleSets: sets, declarations, relationNames: relations }: BaseView, more: readonly Rule[]): SetUse {
  const use = setUse({ rules, sets, declarations, relations });
  return more.length === 0 ? use : { ...use, own: together(use.own, more) };
}
/** The base where its rule sets stand for these rules. */
export function withSetRules(state: BaseView, setRules: readonly Rule[], closure: Closure = state.closure): BaseView {
  const { base, reader, watch, readAt, rules, ruleSets, relationNames, declarations, policies, version } = state;
  const declared = { declarations, constraints: refutingConstraints(setRules) };
  const stated = statedRules(rules, declarations, setRules);
  const standing = (more: readonly Rule[] = []): readonly Rule[] => withImplied(more.length === 0 ? stated : together(stated, more), declared);
  return { base, reader, watch, readAt, rules, ruleSets, relationNames, declarations, setRules, declared, closure, policies, version, standing };
}

/** Do the rules or facts speak of relations in which equals have to be put for equals? */
export function namesAnew({ relationNames, setRules }: BaseView, rules: readonly Rule[], facts: readonly Triple[]): boolean {
  const named = [...facts, ...rules.flatMap(({ heads }) => heads)].filter(({ relation, negated }) => !negated && !relationNames.has(relation));
  return named.length > 0 && (named.some(isEquality) || setRules.some(isReplacement));
}
/** May rules derive another schema where this is supposed, or at another time? */
export function derivesOtherwise(state: BaseView, { rules, facts, removed }: Assumptions, elsewhere: boolean): boolean {
  if (!elsewhere && rules.length + removed.length + facts.length === 0) return false;
  const concluded = concludedSchema(setsBeside(state, rules).own, state.setRules);
  if (concluded.size === 0) return false;
  if (elsewhere) return true;
  const reached = Array.from(concluded, (relation) => signed(relation, false));
  const cone = neededRelations(relevantRules(state.standing(rules), reached));
  const has = (key: SignedRelation): boolean => cone.has(key) || reached.includes(key);
  return (
    facts.some(({ relation, negated }) => has(signed(relation, negated))) ||
    removed.some(({ relation, negated }) => relation === undefined || has(signed(relation, negated))) ||
    rules.some(({ heads }) => heads.some(({ relation, negated }) => has(signed(relation, negated))))
  );
}

/**
 * The base as it would stand with these rules besides its own, and as `at` reads it, derived anew. `budget.facts` are those that follow beyond what follows without them. Throws RuleError
 * when the rules cannot stand beside the others, KnowledgeError `too_large` when not all that follows is derived within the budget, and the signal's reason.
 */
export async function supposing(
  base: BaseState,
  { rules, places }: Pick<ReadRules, 'rules' | 'places'>,
  budget: Budget,
  field: string,
  { at, signal }: { readonly at?: Pick<BaseView, 'reader' | 'watch'> | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<BaseView> {
  const state: BaseView = at ? { ...withSetRules(base, base.setRules), ...at } : base;
  const standing = state.standing(rules);
  await runSliced(stratifying(standing, (rule) => places.get(rule.id) ?? {}), signal);
  const facts = budget.facts + state.closure.database.derived;
  const anew = state.ruleSets.size > 0 && (at !== undefined || namesAnew(state, rules, []) || derivesOtherwise(state, { ...NO_ASSUMPTIONS, rules }, false));
  const { rules: setRules, closure } = anew
    ? await closeOver(setsBeside(state, rules), state.reader, { ...budget, facts }, signal)
    : { rules: state.setRules, closure: await Closure.build(standing, state.reader, { ...budget, facts }, signal) };
  if (closure.partial !== undefined)
    throw new KnowledgeError('too_large', `what follows ${rules.length === 0 ? 'at that time' : 'with these rules'} reached the limit ${closure.partial}; ${rules.length === 0 ? 'ask the knowledge base as it is now' : 'give fewer rules, or rules with fewer consequences'}`, { field });
  const all = new Map([...state.rules, ...rules.map((rule) => [rule.id, rule] as const)]);
  const view = withSetRules(state, setRules, closure);
  const stand = anew ? view.standing(rules) : standing;
  return { ...view, rules: all, standing: () => stand };
}
