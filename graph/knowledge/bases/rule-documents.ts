// Owns the documents under which rules and rule sets are stored: how they are written and read, and which is which.
// Refuses to know stores, and what the rules derive.

import type { EntityId } from '../../terms.ts';
import { atomsOf } from '../../reason/language/body.ts';
import { rulesFromJson, ruleToJson } from '../../reason/language/json.ts';
import { isRuleSet, RULE_SETS } from '../../reason/rulesets/rulesets.ts';
import type { RuleSetName } from '../../reason/rulesets/rulesets.ts';
import type { Rule } from '../../reason/types.ts';
import { POLICIES } from './policies.ts';
import { KnowledgeError } from '../common/types.ts';

/** The document under which a rule is stored. */
export const ruleDocument = (rule: Rule): string => JSON.stringify(ruleToJson(rule));
/** A stored rule. KnowledgeError `corrupt_rule`. */
export function readRule(id: string, document: string): Rule {
  let rules: readonly Rule[];
  try {
    rules = rulesFromJson([JSON.parse(document)]);
  } catch (error) {
    throw new KnowledgeError('corrupt_rule', `rule ${id} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (rules[0].id !== id) throw new KnowledgeError('corrupt_rule', `rule ${id} holds the rule ${rules[0].id}; an id is the hash of its rule's text`);
  return rules[0];
}

/** Ids of documents that name a built-in rule set. */
const SET = 'rule_set:';
export const ruleSetId = (name: RuleSetName): string => SET + name;
/** Is it the document of a rule, and not of a rule set or of policies? */
export const isOwnRule = (id: string): boolean => id !== POLICIES && !id.startsWith(SET);
/** The rule set that a document names, if it names one. */
export function setOf(id: string): RuleSetName | undefined {
  const name = id.startsWith(SET) ? id.slice(SET.length) : undefined;
  if (name === undefined || isRuleSet(name)) return name;
  throw new KnowledgeError('corrupt_rule', `there is no rule set ${JSON.stringify(name)}; there are ${RULE_SETS.join(' and ')}`);
}
/** Entities that a rule names. */
export function ruleEntities(rule: Rule): EntityId[] {
  const ids = new Set<EntityId>();
  for (const atom of [...rule.heads, ...Array.from(atomsOf(rule.body), (placed) => placed.atom)])
    for (const term of [atom.subject, atom.object]) if (term.kind === 'entity') ids.add(term.id);
  return [...ids];
}
