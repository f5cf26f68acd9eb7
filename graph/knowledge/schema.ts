// Owns the schema that rule sets read in a base: what is stored, and what rules derive; the rules written out for it, and the closure of all of them.
// Refuses to know what the words of a schema mean and who changes it.

import { tripleKey } from '../terms.ts';
import type { RelationName, Triple } from '../terms.ts';
import { signed } from '../reason/tables/database.ts';
import { RuleError } from '../reason/errors.ts';
import { impliedRules } from '../reason/rulesets/known-false.ts';
import type { Declarations } from '../reason/rulesets/properties.ts';
import { refutingConstraints } from '../reason/rulesets/refutation.ts';
import { concludesSchema, isComposed, ruleSetRules, schemaPatterns } from '../reason/rulesets/rulesets.ts';
import type { RuleSetName } from '../reason/rulesets/rulesets.ts';
import { stratify } from '../reason/evaluate/strata.ts';
import type { Budget, Rule } from '../reason/types.ts';
import { Closure } from './closure.ts';
import type { FactReader } from './facts.ts';

/** Times that rules are written out anew because rules derived more schema. Each time takes a step on the way from schema to schema; there are few, and where `not` makes them run in a circle it ends here. */
const ROUNDS = 50;

/** Rule sets of a base, and what they are written out for. */
export interface SetUse {
  readonly sets: Iterable<RuleSetName>;
  /** Relations in which something is said. */
  readonly relations: Iterable<RelationName>;
  readonly declarations: Declarations;
  /** All rules of the base but those of its sets. */
  readonly own: readonly Rule[];
}
export interface WrittenSets {
  readonly schema: readonly Triple[];
  readonly rules: readonly Rule[];
}

/** Stored facts that rule sets read. */
export async function storedSchema(reader: FactReader): Promise<Triple[]> {
  const schema: Triple[] = [];
  for (const pattern of schemaPatterns()) await reader.each(pattern, (fact) => void schema.push(fact));
  return schema;
}
/** The rules that the sets stand for with this schema. */
export function writtenOut({ sets, relations, own }: SetUse, schema: readonly Triple[]): readonly Rule[] {
  const names = new Set(relations);
  for (const { heads } of own) for (const head of heads) if (!head.negated) names.add(head.relation);
  return [...sets].flatMap((set) => ruleSetRules(set, schema, names));
}
export const together = (own: readonly Rule[], setRules: readonly Rule[]): readonly Rule[] => [
  ...new Map([...own, ...setRules].map((rule) => [rule.id, rule])).values(),
];
/** The base's rules with those of its sets, and what the conditions of all of them mean by what is declared. */
export function allRules({ own, declarations }: SetUse, setRules: readonly Rule[]): readonly Rule[] {
  const rules = together(own, setRules);
  return together(rules, impliedRules(rules, [], { declarations, constraints: refutingConstraints(setRules) }));
}

/** What the closure derives of the schema, except by rules of the sets whose conclusions add nothing. */
function derivedSchema({ program, database }: Closure, setRules: readonly Rule[]): Triple[] {
  const composed = new Set(setRules.filter(isComposed).map(({ id }) => id));
  const counts = program.rules.map((rule) => !composed.has(rule.id) && concludesSchema(rule));
  const concluded = new Set(program.rules.flatMap(({ heads }, i) => (counts[i] ? heads.map(({ relation }) => relation) : [])));
  const found: Triple[] = [];
  for (const { relation, object } of schemaPatterns()) {
    const slot = concluded.has(relation) ? database.get(signed(relation, false)) : undefined;
    if (!slot || !program.derived.has(slot)) continue;
    for (const row of database.rows(slot.key, undefined, object)) {
      const rule = slot.table.rules[row];
      if (rule >= 0 && counts[rule]) found.push(database.triple(slot, row));
    }
  }
  return found;
}

/**
 * Derives what follows from the base's rules and those of its sets, which are written out for the schema as it comes out in the end: derived schema counts like what is stored.
 * Where derived schema would make negation run in a circle, it is left aside. Throws RuleError `unstratifiable` when the stored schema does.
 */
export async function closeOver(use: SetUse, reader: FactReader, budget: Budget): Promise<WrittenSets & { readonly closure: Closure }> {
  const stored = [...use.sets].length > 0 ? await storedSchema(reader) : [];
  let schema: readonly Triple[] = stored;
  let rules = writtenOut(use, schema);
  let closure = await Closure.build(allRules(use, rules), reader, budget);
  if (rules.length === 0) return { schema, rules, closure };
  for (let round = 0; round < ROUNDS; round++) {
    const derived = derivedSchema(closure, rules);
    if (derived.length === 0 && schema === stored) break;
    const next = [...stored, ...derived];
    const known = new Set(schema.map(tripleKey));
    const keys = new Set(next.map(tripleKey));
    if (known.size === keys.size && keys.isSubsetOf(known)) break;
    const written = writtenOut(use, next);
    try {
      stratify(allRules(use, written));
    } catch (error) {
      if (error instanceof RuleError) break;
      throw error;
    }
    [schema, rules] = [next, written];
    closure = await Closure.build(allRules(use, rules), reader, budget);
  }
  return { schema, rules, closure };
}
