// Owns the schema that rule sets read in a base: what is stored, and what rules derive; the rules written out for it, and the closure of all of them.
// Refuses to know what the words of a schema mean and who changes it.

import { tripleKey } from '../../terms.ts';
import type { Fact, RelationName } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import { RuleError } from '../../reason/errors.ts';
import { impliedRules } from '../../reason/rulesets/known-false.ts';
import type { Declarations } from '../../reason/rulesets/properties.ts';
import { refutingConstraints } from '../../reason/rulesets/refutation.ts';
import { concludesSchema, isComposed, isDoubtful, ruleSetRules, schemaPatterns } from '../../reason/rulesets/rulesets.ts';
import type { RuleSetName, SchemaFact } from '../../reason/rulesets/rulesets.ts';
import type { Program } from '../../reason/evaluate/program.ts';
import { stratify } from '../../reason/evaluate/strata.ts';
import type { Budget, Rule } from '../../reason/types.ts';
import { Closure } from './closure.ts';
import { bareTriple } from '../facts/facts.ts';
import type { FactReader } from '../facts/facts.ts';

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
  readonly schema: readonly SchemaFact[];
  readonly rules: readonly Rule[];
}

/** Stored facts that rule sets read, as they are in force. */
export async function storedSchema(reader: FactReader): Promise<Fact[]> {
  const schema: Fact[] = [];
  for (const pattern of schemaPatterns()) await reader.each(pattern, (fact) => void schema.push(fact));
  return schema;
}
/**
 * The rules that the sets stand for with this schema. What was written from facts that are not certain at all times asks for them; where that would make negation run in a circle that
 * is none without it, the rules stand as if all of the schema were certain.
 */
export function writtenOut(use: SetUse, schema: readonly SchemaFact[]): readonly Rule[] {
  const names = new Set(use.relations);
  for (const { heads } of use.own) for (const head of heads) if (!head.negated) names.add(head.relation);
  const written = (facts: readonly SchemaFact[]): readonly Rule[] => [...use.sets].flatMap((set) => ruleSetRules(set, facts, names));
  const rules = written(schema);
  return schema.some(isDoubtful) && !hasStrata(allRules(use, rules)) ? written(schema.map(bareTriple)) : rules;
}
function hasStrata(rules: readonly Rule[]): boolean {
  try {
    stratify(rules);
    return true;
  } catch (error) {
    if (error instanceof RuleError) return false;
    throw error;
  }
}
export const together = (own: readonly Rule[], setRules: readonly Rule[]): readonly Rule[] => [
  ...new Map([...own, ...setRules].map((rule) => [rule.id, rule])).values(),
];
/** The base's rules with those of its sets, and what the conditions of all of them mean by what is declared. */
export function allRules({ own, declarations }: SetUse, setRules: readonly Rule[]): readonly Rule[] {
  const rules = together(own, setRules);
  return together(rules, impliedRules(rules, [], { declarations, constraints: refutingConstraints(setRules) }));
}

/** Relations in which a base's own rules and those of its sets may conclude schema that the sets have to read. */
export const concludedSchema = (own: readonly Rule[], setRules: readonly Rule[]): Set<RelationName> =>
  new Set(
    [...own, ...setRules.filter((rule) => !isComposed(rule))].flatMap(({ heads }) => heads.flatMap((head) => (concludesSchema({ heads: [head] }) ? [head.relation] : []))),
  );
/** What a program derived of the schema, except by rules of the sets whose conclusions add nothing. */
function derivedSchema({ rules, derived, database }: Program, setRules: readonly Rule[]): SchemaFact[] {
  const composed = new Set(setRules.filter(isComposed).map(({ id }) => id));
  const counts = rules.map((rule) => !composed.has(rule.id) && concludesSchema(rule));
  const concluded = new Set(rules.flatMap(({ heads }, i) => (counts[i] ? heads.map(({ relation }) => relation) : [])));
  const found: SchemaFact[] = [];
  for (const { relation, object } of schemaPatterns()) {
    const slot = concluded.has(relation) ? database.get(signed(relation, false)) : undefined;
    if (!slot || !derived.has(slot)) continue;
    for (const row of database.rows(slot.key, undefined, object)) {
      const rule = slot.table.rules[row];
      if (rule >= 0 && counts[rule]) found.push({ ...database.triple(slot, row), derived: true });
    }
  }
  return found;
}

/** Runs all rules, those of the sets among them. */
export type Derive = (rules: readonly Rule[], setRules: readonly Rule[]) => Promise<Program | undefined>;
/**
 * The rules of the sets, written out for the schema as it comes out in the end: derived schema counts like what is stored. `derive` gives nothing where no schema is derived.
 * Where derived schema would make negation run in a circle, it is left aside.
 */
export async function settle(use: SetUse, stored: readonly SchemaFact[], derive: Derive): Promise<WrittenSets> {
  let schema = stored;
  let rules = writtenOut(use, schema);
  for (let round = 0; ; round++) {
    const program = await derive(allRules(use, rules), rules);
    if (!program || rules.length === 0 || round === ROUNDS) break;
    const derived = derivedSchema(program, rules);
    if (derived.length === 0 && schema === stored) break;
    const next = [...stored, ...derived];
    const known = new Set(schema.map(tripleKey));
    const keys = new Set(next.map(tripleKey));
    if (known.size === keys.size && keys.isSubsetOf(known)) break;
    const written = writtenOut(use, next);
    if (!hasStrata(allRules(use, written))) break;
    [schema, rules] = [next, written];
  }
  return { schema, rules };
}
/** Derives what follows from the base's rules and those of its sets. Throws RuleError `unstratifiable` when the stored schema makes negation run in a circle, and the signal's reason. */
export async function closeOver(use: SetUse, reader: FactReader, budget: Budget, signal?: AbortSignal): Promise<WrittenSets & { readonly closure: Closure }> {
  const stored = [...use.sets].length > 0 ? await storedSchema(reader) : [];
  let closure!: Closure;
  const written = await settle(use, stored, async (rules) => (closure = await Closure.build(rules, reader, budget, signal)).program);
  return { ...written, closure };
}
