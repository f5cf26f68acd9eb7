// Owns what a reading sees of a base: the base as it stands, or with rules supposed.
// Refuses to know how either is kept up to date.

import { stratify } from '../reason/evaluate/strata.ts';
import type { Budget } from '../reason/types.ts';
import type { ReadRules } from '../reason/language/parse.ts';
import type { BaseState } from './base.ts';
import { Closure } from './closure.ts';
import { KnowledgeError } from './types.ts';

export type BaseView = Pick<BaseState, 'base' | 'reader' | 'watch' | 'readAt' | 'rules' | 'setRules' | 'declared' | 'closure' | 'policies' | 'version' | 'standing'>;

/** How a base is read: one version of it from beginning to end. */
export type ReadView = <T>(base: BaseState['base'], read: (view: BaseView) => Promise<T>) => Promise<T>;

/**
 * The base as it would stand with these rules besides its own, derived anew. `budget.facts` are those that follow beyond what follows without them. Throws RuleError
 * when the rules cannot stand beside the others, KnowledgeError `too_large` when not all that follows is derived within the budget, and the signal's reason.
 */
export async function supposing(state: BaseState, { rules, places }: Pick<ReadRules, 'rules' | 'places'>, budget: Budget, field: string, signal?: AbortSignal): Promise<BaseView> {
  const { base, reader, watch, readAt, setRules, declared, policies, version } = state;
  const standing = state.standing(rules);
  stratify(standing, (rule) => places.get(rule.id) ?? {});
  const closure = await Closure.build(standing, reader, { ...budget, facts: budget.facts + state.closure.database.derived }, signal);
  if (closure.partial !== undefined)
    throw new KnowledgeError('too_large', `what follows with these rules reached the limit ${closure.partial}; give fewer rules, or rules with fewer consequences`, { field });
  const all = new Map([...state.rules, ...rules.map((rule) => [rule.id, rule] as const)]);
  return { base, reader, watch, readAt, setRules, declared, policies, version, rules: all, closure, standing: () => standing };
}
