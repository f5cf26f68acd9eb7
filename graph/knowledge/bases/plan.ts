// Owns what a base is ruled by in all - rules, rule sets, declarations - and what a write would make of that, before anything is written.
// Refuses to know stores, and what follows.

import type { Relation, RelationName, Triple } from '../../terms.ts';
import type { Change } from '../../store.ts';
import { pauses, RULE_TURNS } from '../../reason/evaluate/run.ts';
import { stratifying } from '../../reason/evaluate/strata.ts';
import { impliedRules } from '../../reason/rulesets/known-false.ts';
import { propertyRules } from '../../reason/rulesets/properties.ts';
import type { Declared } from '../../reason/rulesets/refutation.ts';
import { isEquality, isReplacement, isSchema, touchesSchema } from '../../reason/rulesets/rulesets.ts';
import type { RuleSetName } from '../../reason/rulesets/rulesets.ts';
import type { Rule } from '../../reason/types.ts';
import { POLICIES } from './policies.ts';
import { isOwnRule, readRule, setOf } from './rule-documents.ts';
import { allRules, together, writtenOut } from './schema.ts';
import type { SetUse, WrittenSets } from './schema.ts';

export interface Ruled {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly sets: ReadonlySet<RuleSetName>;
  readonly declarations: ReadonlyMap<RelationName, Relation>;
  /** Relations in which something is said. */
  readonly relations: ReadonlySet<RelationName>;
}

/** The rules of a base, of its rule sets, and those that its declared properties stand for. Whatever else is added to them: they stay. */
export const statedRules = (rules: Ruled['rules'], declarations: Ruled['declarations'], setRules: readonly Rule[]): readonly Rule[] =>
  together(together([...rules.values()], setRules), propertyRules(declarations.values()));
/** The same with what their conditions mean by what is declared. Which of that has strata hangs on all rules together, so it is found anew wherever rules are added. */
export function withImplied(rules: readonly Rule[], declared: Declared): readonly Rule[] {
  const implied = impliedRules(rules, [], declared);
  return implied.length === 0 ? rules : together(rules, implied);
}
export const setUse = ({ rules, sets, declarations, relations }: Ruled): SetUse => ({ sets, relations, declarations, own: statedRules(rules, declarations, []) });

/** Rules and rule sets after the changes, when rules or declarations are among them, or what rule sets read. Throws RuleError when they cannot stand together. In slices. */
export function* planning(ruled: Ruled, written: WrittenSets, changes: readonly Change[]): Generator<void, Pick<Ruled, 'rules' | 'sets'> | undefined> {
  const isRuled = changes.some((change) => (change.kind === 'rule' && change.id !== POLICIES) || change.kind === 'relation');
  if (!isRuled && !touchesSets(ruled, written, changes)) return undefined;
  const rules = new Map(ruled.rules);
  const sets = new Set(ruled.sets);
  const declarations = new Map(ruled.declarations);
  const told: Triple[] = [];
  const pause = pauses(RULE_TURNS);
  for (const change of changes) {
    if (pause()) yield;
    if (change.kind === 'relation') declarations.set(change.relation.name, change.relation);
    else if (change.kind === 'assert') told.push(change.statement);
    else if (change.kind === 'rule' && isOwnRule(change.id)) {
      if (change.document === undefined) rules.delete(change.id);
      else rules.set(change.id, readRule(change.id, change.document));
    } else if (change.kind === 'rule') {
      const set = setOf(change.id);
      if (set && change.document === undefined) sets.delete(set);
      else if (set) sets.add(set);
    }
  }
  // What is withdrawn only takes rules away, and fewer rules make no new circle.
  const schema = [...written.schema, ...told.filter(isSchema)];
  const use = setUse({ rules, sets, declarations, relations: new Set([...ruled.relations, ...told.map(({ relation }) => relation)]) });
  yield* stratifying(allRules(use, writtenOut(use, schema)));
  return { rules, sets };
}
/** Do the rule sets in use mean something else after these changes? */
function touchesSets({ sets, relations }: Ruled, written: WrittenSets, changes: readonly Change[]): boolean {
  if (sets.size === 0) return false;
  const replaces = written.rules.some(isReplacement);
  return changes.some((change) => {
    if (change.kind === 'withdraw') return touchesSchema(change.pattern);
    if (change.kind !== 'assert') return false;
    const { statement } = change;
    return isSchema(statement) || (!relations.has(statement.relation) && (replaces || isEquality(statement)));
  });
}
