// Owns what matters to a question: the rules and constraints that decide about it, the relations to be read, what may be assumed, the values that are named.
// Refuses to know how explanations are searched and tried.

import { entity, termKey } from '../terms.ts';
import type { RelationName, Term } from '../terms.ts';
import { atomsOf } from '../reason/language/body.ts';
import { signed, unsigned } from '../reason/tables/database.ts';
import type { SignedRelation } from '../reason/tables/database.ts';
import { IS_A } from '../reason/language/print.ts';
import { stratify } from '../reason/evaluate/strata.ts';
import type { Atom, Rule, RuleTerm } from '../reason/types.ts';
import { neededRelations } from '../knowledge/bases/closure.ts';
import type { FactReader } from '../knowledge/facts/facts.ts';
import { relevantRules } from '../knowledge/worlds/hypothesis.ts';
import type { Hypothesis } from '../knowledge/worlds/hypothesis.ts';
import type { Named, Pattern } from './assumable.ts';
import { contradiction, declaredConstraints } from './constraints.ts';
import type { AbduceBudget } from './types.ts';

/** Rules of the base and of the call, facts of the call, stored facts that do not count, and what is declared. */
export type Supposed = Pick<Hypothesis, 'standing' | 'rules' | 'places' | 'facts' | 'removed' | 'declarations'>;
export interface AbduceQuestion {
  readonly observations: readonly Atom[];
  /** undefined: any fact. */
  readonly assumable: readonly Pattern[] | undefined;
  readonly values: readonly Term[] | undefined;
  readonly minimal: 'subset' | 'cost';
  readonly budget: AbduceBudget;
}

const keyOf = (atom: Atom): SignedRelation => signed(atom.relation, atom.negated);
const bodyKeys = (rules: Iterable<Rule>): SignedRelation[] => [...rules].flatMap(({ body }) => [...atomsOf(body)].map(({ atom }) => keyOf(atom)));

/** Rules, constraints and relations that decide about the observations and about what may be assumed. */
export interface Scope {
  readonly rules: readonly Rule[];
  readonly constraints: readonly Rule[];
  readonly keys: ReadonlySet<SignedRelation>;
  readonly patterns: readonly Pattern[];
}
export async function scope({ observations, assumable }: AbduceQuestion, hypothesis: Supposed, reader: FactReader): Promise<Scope> {
  const all = [...new Map([...hypothesis.standing, ...hypothesis.rules].map((rule) => [rule.id, rule])).values()];
  // A circle in rules that do not matter here is one all the same.
  stratify(all, (rule) => hypothesis.places?.get(rule.id) ?? {});
  const deriving = all.filter(({ heads }) => heads.length > 0);
  const observed = observations.map(keyOf);
  const cone = relevantRules(deriving, observed);
  const patterns = assumable?.filter(mentionedIn(all, observations)) ?? anyFact([...observed, ...bodyKeys(cone)], hypothesis);
  // What assumptions may change, and the constraints that this may break.
  const affected = new Set(patterns.map(({ key }) => key));
  for (let before = -1; before !== affected.size;) {
    before = affected.size;
    for (const rule of deriving) if (bodyKeys([rule]).some((key) => affected.has(key))) for (const head of rule.heads) affected.add(keyOf(head));
  }
  const constraints = new Map(
    all.filter(({ heads, body }) => heads.length === 0 && bodyKeys([{ body } as Rule]).some((key) => affected.has(key))).map((rule) => [rule.id, rule]),
  );
  const heads = new Set(deriving.flatMap((rule) => rule.heads.map(keyOf)));
  const given = new Set(hypothesis.facts.map(({ relation, negated }) => signed(relation, negated)));
  for (const key of affected) {
    const { relation, negated } = unsigned(key);
    const opposite = signed(relation, !negated);
    if (affected.has(opposite) || heads.has(opposite) || given.has(opposite) || (await holdsSome(reader, opposite))) {
      const rule = contradiction(relation);
      constraints.set(rule.id, rule);
    }
    if (!negated) for (const rule of declaredConstraints(relation, hypothesis.declarations)) constraints.set(rule.id, rule);
  }
  const rules = relevantRules(deriving, [...observed, ...bodyKeys(constraints.values())]);
  const keys = neededRelations(rules);
  for (const key of [...observed, ...bodyKeys(constraints.values())]) keys.add(key);
  // What no rule here and no observation mentions explains nothing.
  return { rules, constraints: [...constraints.values()], keys, patterns: patterns.filter(({ key }) => keys.has(key)) };
}
/** Does any rule or observation speak of such facts? A name may stand for a relation and a class; most often one of them is nowhere. */
function mentionedIn(rules: readonly Rule[], observations: readonly Atom[]): (pattern: Pattern) => boolean {
  const atoms = [...observations, ...rules.flatMap(({ heads, body }) => [...heads, ...[...atomsOf(body)].map(({ atom }) => atom)])];
  const mentioned = new Set(atoms.map((atom) => keyOf(atom)));
  const classes = new Set(atoms.map(({ relation, object }) => (relation === IS_A && object.kind !== 'variable' ? termKey(object) : undefined)));
  const anyClass = atoms.some(({ relation, object }) => relation === IS_A && object.kind === 'variable');
  return ({ key, object }) => mentioned.has(key) && (unsigned(key).relation !== IS_A || !object || anyClass || classes.has(termKey(object)));
}
/** Every relation that rules or observations mention, but those declared closed: all of them is known. */
const anyFact = (keys: Iterable<SignedRelation>, { declarations }: Supposed): Pattern[] =>
  [...new Set(keys)].filter((key) => !declarations.get(unsigned(key).relation)?.closed).map((key) => ({ key, same: false, cost: 1 }));
async function holdsSome(reader: FactReader, key: SignedRelation): Promise<boolean> {
  const { relation, negated } = unsigned(key);
  for await (const _ of reader.inForce({ relation, ...(negated ? { negated } : {}) })) return true;
  return false;
}
/** Values that the request names, and those that stand in rules of the call. */
export function named({ observations, assumable }: AbduceQuestion, { rules, facts }: Supposed): Named {
  const [values, classes]: [Term[], Term[]] = [[], []];
  const name = (relation: RelationName, subject: RuleTerm | undefined, object: RuleTerm | undefined): void => {
    if (subject && subject.kind !== 'variable') values.push(subject);
    if (object && object.kind !== 'variable') (relation === IS_A ? classes : values).push(object);
  };
  for (const { relation, subject, object } of observations) name(relation, subject, object);
  for (const { relation, subject, object } of facts) name(relation, entity(subject), object);
  for (const { heads, body } of rules)
    for (const { relation, subject, object } of [...heads, ...[...atomsOf(body)].map(({ atom }) => atom)]) name(relation, subject, object);
  for (const { key, subject, object } of assumable ?? []) name(unsigned(key).relation, subject, object);
  return { values, classes };
}
