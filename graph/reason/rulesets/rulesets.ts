// Owns the built-in rule sets, RDFS and OWL 2 RL, written out for the schema that a base holds.
// Refuses to know stores and when a schema is read; what OWL's words mean stands in owl/.
//
// A rule names its relations, so what RDF says of any property becomes one rule for each property that the schema speaks of: `"subproperty of"(p, q)` gives `q(?x, ?y) :- p(?x, ?y).`
// The schema is what is stored, or derived by other rules than those of COMPOSED, under the names of SCHEMA_RELATIONS, and membership in SCHEMA_CLASSES by "is a":
// "transitive property"("ancestor of"), domain(author, person), and so on. Names of rules begin with those of the W3C's tables (RDF 1.1 Semantics, section 9.2.1; OWL 2 Profiles,
// section 4.3). What OWL calls inconsistent is a constraint here, and is reported as a conflict. LANGUAGE.md lists what is covered.

import { entity } from '../../terms.ts';
import type { EntityId, RelationName, Term, Triple } from '../../terms.ts';
import { classAxioms } from './owl/classes.ts';
import { differences, replacements, unifies } from './owl/equality.ts';
import { propertyAxioms, SAME } from './owl/properties.ts';
import { FIRST, memberOf, relates, REST, RuleWriter, Schema, variable } from './owl/schema.ts';
import type { SchemaFact } from './owl/schema.ts';
import { parseRules } from '../language/parse.ts';
import { IS_A } from '../language/print.ts';
import type { Rule } from '../types.ts';

export const RULE_SETS = ['rdfs', 'owl2-rl'] as const;
export type RuleSetName = (typeof RULE_SETS)[number];
export const isRuleSet = (name: string): name is RuleSetName => (RULE_SETS as readonly string[]).includes(name);

const SCHEMA_RELATIONS: ReadonlySet<string> = new Set([
  'subclass of',
  'subproperty of',
  'domain',
  'range',
  'inverse of',
  'equivalent class',
  'equivalent property',
  'disjoint with',
  'complement of',
  'property disjoint with',
  'on property',
  'some values from',
  'all values from',
  'has value',
  'max cardinality',
  'max qualified cardinality',
  'on class',
  'intersection of',
  'union of',
  'one of',
  'property chain',
  'has key',
  'axiom members',
  'source individual',
  'assertion property',
  'target individual',
  'target value',
  FIRST,
  REST,
]);
const SCHEMA_CLASSES: ReadonlySet<string> = new Set([
  'transitive property',
  'symmetric property',
  'asymmetric property',
  'irreflexive property',
  'functional property',
  'inverse functional property',
  'all different',
  'all disjoint classes',
  'all disjoint properties',
]);
/** Relations whose facts are read as the schema. */
export const schemaPatterns = (): readonly { readonly relation: RelationName; readonly object?: Term }[] => [
  ...[...SCHEMA_RELATIONS].map((relation) => ({ relation: relation as RelationName })),
  ...[...SCHEMA_CLASSES].map((name) => ({ relation: IS_A as RelationName, object: entity(name as EntityId) })),
];
/** Does this fact change what the rule sets mean? */
export const isSchema = ({ relation, object, negated }: Triple): boolean =>
  !negated && (SCHEMA_RELATIONS.has(relation) || (relation === IS_A && object.kind === 'entity' && SCHEMA_CLASSES.has(object.id)));
/** Could a fact of this pattern? */
export const touchesSchema = ({
  relation,
  object,
  negated,
}: {
  readonly relation?: RelationName;
  readonly object?: Term;
  readonly negated?: boolean;
}): boolean =>
  !negated &&
  (relation === undefined ||
    SCHEMA_RELATIONS.has(relation) ||
    (relation === IS_A && (object === undefined || (object.kind === 'entity' && SCHEMA_CLASSES.has(object.id)))));

/** Class statements up to this many become rules about their classes, which leaves `not` between other classes; beyond, one general rule reads them. */
const CLASS_RULES = 20_000;

const [X, Y] = [variable('x'), variable('y')];
const NEW = variable('_1');
const named = (name: string): Term => entity(name as EntityId);

/**
 * Rules that a set stands for. What is certain and holds at all times is said by the rule alone; a rule that was written from other facts has these among its conditions.
 * `relations`: all in which something is said or concluded, for replacing equals by equals.
 */
export function ruleSetRules(set: RuleSetName, facts: readonly SchemaFact[], relations: Iterable<RelationName>): readonly Rule[] {
  const schema = new Schema(facts);
  const write = new RuleWriter(schema);
  const { rules } = write;
  const owl = set === 'owl2-rl';

  for (const rule of parseRules(owl ? RDFS_GENERAL + OWL_GENERAL : RDFS_GENERAL)) rules.set(rule.id, rule);
  const classes = [...schema.pairs('subclass of')];
  const equal = owl ? [...schema.pairs('equivalent class')] : [];
  if (classes.length + equal.length > CLASS_RULES)
    for (const rule of parseRules(owl ? CLASSES_GENERAL + EQUIVALENT_GENERAL : CLASSES_GENERAL)) rules.set(rule.id, rule);
  else {
    for (const [sub, whole, fact] of classes)
      if (sub !== whole) write.add(`rdfs9: "${sub}" is a subclass of "${whole}"`, [memberOf(X, named(whole))], [memberOf(X, named(sub))], [fact]);
    for (const [a, b, fact] of equal) {
      write.add(`cax-eqc1: "${a}" and "${b}" are the same class`, [memberOf(X, named(b))], [memberOf(X, named(a))], [fact]);
      write.add(`cax-eqc2: "${a}" and "${b}" are the same class`, [memberOf(X, named(a))], [memberOf(X, named(b))], [fact]);
    }
  }
  for (const [p, q, fact] of schema.pairs('subproperty of'))
    if (p !== q) write.add(`rdfs7: "${p}" is a subproperty of "${q}"`, [relates(q, X, Y)], [relates(p, X, Y)], [fact]);
  for (const [p, c, fact] of schema.pairs('domain')) write.add(`rdfs2: what has "${p}" is a "${c}"`, [memberOf(X, named(c))], [relates(p, X, NEW)], [fact]);
  for (const [p, c, fact] of schema.pairs('range')) write.add(`rdfs3: what "${p}" leads to is a "${c}"`, [memberOf(Y, named(c))], [relates(p, NEW, Y)], [fact]);
  if (!owl) return [...rules.values()];

  propertyAxioms(schema, write);
  classAxioms(schema, write);
  for (const [relation, text] of Object.entries(RESTRICTIONS_GENERAL))
    if (schema.facts(relation).length > 1) for (const rule of parseRules(text)) rules.set(rule.id, rule);
  differences(schema, write);
  const known = new Set<string>(relations);
  if (!known.has(SAME) && !facts.some(unifies)) return [...rules.values()];
  for (const rule of rules.values()) for (const head of rule.heads) if (!head.negated) known.add(head.relation);
  replacements(known, write);
  return [...rules.values()];
}
export { isDoubtful } from './owl/schema.ts';
export type { SchemaFact } from './owl/schema.ts';
/** Does this rule of a set put equals for equals? Such rules stand for each relation, new ones too. */
export const isReplacement = ({ name }: Rule): boolean => name?.startsWith('eq-rep') === true;
/** Does this fact say that two names stand for one thing? */
export const isEquality = ({ relation, negated }: Pick<Triple, 'relation' | 'negated'>): boolean => !negated && relation === SAME;

const RDFS_GENERAL = `
@name("rdfs11: subclasses of subclasses") "subclass of"(?x, ?z) :- "subclass of"(?x, ?y), "subclass of"(?y, ?z).
@name("rdfs5: subproperties of subproperties") "subproperty of"(?x, ?z) :- "subproperty of"(?x, ?y), "subproperty of"(?y, ?z).
`;
const CLASSES_GENERAL = '@name("rdfs9: subclasses") "is a"(?x, ?z) :- "is a"(?x, ?y), "subclass of"(?y, ?z).\n';
const EQUIVALENT_GENERAL = `
@name("cax-eqc1: equivalent classes") "is a"(?x, ?z) :- "is a"(?x, ?y), "equivalent class"(?y, ?z).
@name("cax-eqc2: equivalent classes") "is a"(?x, ?y) :- "is a"(?x, ?z), "equivalent class"(?y, ?z).
`;
const OWL_GENERAL = `
@name("eq-sym") "same as"(?y, ?x) :- "same as"(?x, ?y).
@name("eq-trans") "same as"(?x, ?z) :- "same as"(?x, ?y), "same as"(?y, ?z).
@name("eq-diff1") :- "same as"(?x, ?y), "different from"(?x, ?y).
@name("cls-nothing2") :- nothing(?x).
@name("scm-eqc1") "subclass of"(?x, ?y), "subclass of"(?y, ?x) :- "equivalent class"(?x, ?y).
@name("scm-eqc2") "equivalent class"(?x, ?y) :- "subclass of"(?x, ?y), "subclass of"(?y, ?x), ?x != ?y.
@name("scm-eqp1") "subproperty of"(?x, ?y), "subproperty of"(?y, ?x) :- "equivalent property"(?x, ?y).
@name("scm-eqp2") "equivalent property"(?x, ?y) :- "subproperty of"(?x, ?y), "subproperty of"(?y, ?x), ?x != ?y.
@name("scm-dom1") domain(?p, ?d) :- domain(?p, ?c), "subclass of"(?c, ?d).
@name("scm-dom2") domain(?p, ?c) :- domain(?q, ?c), "subproperty of"(?p, ?q).
@name("scm-rng1") range(?p, ?d) :- range(?p, ?c), "subclass of"(?c, ?d).
@name("scm-rng2") range(?p, ?c) :- range(?q, ?c), "subproperty of"(?p, ?q).
`;
/** By the relation that they are about; they stand only where it is used. */
const RESTRICTIONS_GENERAL: Readonly<Record<string, string>> = {
  'has value': `
@name("scm-hv") "subclass of"(?c, ?d) :- "has value"(?c, ?v), "on property"(?c, ?p), "subproperty of"(?p, ?q), "on property"(?d, ?q), "has value"(?d, ?v), ?c != ?d.
@name("scm-hv of one property") "subclass of"(?c, ?d) :- "has value"(?c, ?v), "on property"(?c, ?p), "on property"(?d, ?p), "has value"(?d, ?v), ?c != ?d.
`,
  'some values from': `
@name("scm-svf1") "subclass of"(?c, ?d) :- "some values from"(?c, ?y), "on property"(?c, ?p), "subclass of"(?y, ?z), "some values from"(?d, ?z), "on property"(?d, ?p), ?c != ?d.
@name("scm-svf1 of one class") "subclass of"(?c, ?d) :- "some values from"(?c, ?y), "on property"(?c, ?p), "some values from"(?d, ?y), "on property"(?d, ?p), ?c != ?d.
@name("scm-svf2") "subclass of"(?c, ?d) :- "some values from"(?c, ?y), "on property"(?c, ?p), "subproperty of"(?p, ?q), "on property"(?d, ?q), "some values from"(?d, ?y), ?c != ?d.
`,
  'all values from': `
@name("scm-avf1") "subclass of"(?c, ?d) :- "all values from"(?c, ?y), "on property"(?c, ?p), "subclass of"(?y, ?z), "all values from"(?d, ?z), "on property"(?d, ?p), ?c != ?d.
@name("scm-avf1 of one class") "subclass of"(?c, ?d) :- "all values from"(?c, ?y), "on property"(?c, ?p), "all values from"(?d, ?y), "on property"(?d, ?p), ?c != ?d.
@name("scm-avf2") "subclass of"(?d, ?c) :- "all values from"(?c, ?y), "on property"(?c, ?p), "subproperty of"(?p, ?q), "on property"(?d, ?q), "all values from"(?d, ?y), ?c != ?d.
`,
};
/** Rules of the sets whose conclusions say nothing new about other facts: what follows from them follows step by step from the schema they were concluded from. */
const COMPOSED = /^(rdfs5|rdfs11|scm-(eqc|eqp|dom|rng|hv|int|uni))/u;
/** Is this rule of a set such a rule? */
export const isComposed = ({ name }: Rule): boolean => name !== undefined && COMPOSED.test(name);
/** Could a rule conclude schema that rule sets have to read? */
export const concludesSchema = ({ heads }: Pick<Rule, 'heads'>): boolean =>
  heads.some((head) => !head.negated && touchesSchema({ relation: head.relation, ...(head.object.kind === 'variable' ? {} : { object: head.object }) }));
