// Owns the built-in rule sets: RDFS and the part of OWL 2 RL that needs no lists, written out for the schema that a base holds.
// Refuses to know stores and when a schema is read.
//
// A rule names its relations, so what RDF says of any property becomes one rule for each property that the schema speaks of: `"subproperty of"(p, q)` gives `q(?x, ?y) :- p(?x, ?y).`
// The schema is what is stored under the names of SCHEMA_RELATIONS, and membership in SCHEMA_CLASSES by "is a": "transitive property"("ancestor of"), domain(author, person), and so on.
// Names of rules begin with those of the W3C's tables (RDF 1.1 Semantics, section 9.2.1; OWL 2 Profiles, section 4.3).
// Lists (intersections, unions, chains, keys) and cardinalities are not read. What OWL calls inconsistent is a constraint here, and is reported as a conflict.

import { entity } from '../terms.ts';
import type { EntityId, RelationName, Term, Triple } from '../terms.ts';
import { parseRules } from './parse.ts';
import { IS_A, makeRule } from './print.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from './types.ts';

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
]);
const SCHEMA_CLASSES: ReadonlySet<string> = new Set([
  'transitive property',
  'symmetric property',
  'asymmetric property',
  'irreflexive property',
  'functional property',
  'inverse functional property',
]);
/** The relation by which OWL says that two names stand for one thing. */
const SAME = 'same as' as RelationName;
/** Relations whose facts are read as the schema; `same as` only to know whether it is used. */
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

const variable = (name: string): RuleTerm => ({ kind: 'variable', name });
const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const NEW: RuleTerm = variable('_1');
const memberOf = (subject: RuleTerm, name: Term): Atom => ({ relation: IS_A as RelationName, subject, object: name });
const relates = (relation: string, subject: RuleTerm, object: RuleTerm): Atom => ({ relation: relation as RelationName, subject, object });

/** Rules that a set stands for. `relations`: all that are known, for replacing equals by equals. */
export function ruleSetRules(set: RuleSetName, schema: readonly Triple[], relations: Iterable<RelationName>): readonly Rule[] {
  const rules = new Map<string, Rule>();
  const add = (name: string, heads: readonly Atom[], body: readonly BodyItem[]): void => {
    const rule = makeRule({ name: name.length <= 200 ? name : `${name.slice(0, 199)}…`, heads, body });
    rules.set(rule.id, rule);
  };
  const owl = set === 'owl2-rl';
  const by = new Map<string, Triple[]>();
  for (const triple of schema) {
    const key = triple.relation === IS_A && triple.object.kind === 'entity' ? triple.object.id : triple.relation;
    const list = by.get(key);
    if (list) list.push(triple);
    else by.set(key, [triple]);
  }
  /** Pairs of names that the schema relates. */
  const pairs = function* (relation: string): Generator<readonly [string, string]> {
    for (const { subject, object } of by.get(relation) ?? []) if (object.kind === 'entity') yield [subject, object.id];
  };
  const named = (name: string): Term => entity(name as EntityId);
  const properties = (name: string): string[] => (by.get(name) ?? []).map(({ subject }) => subject);

  for (const rule of parseRules(owl ? RDFS_GENERAL + OWL_GENERAL : RDFS_GENERAL)) rules.set(rule.id, rule);
  const classes = [...pairs('subclass of')];
  const equal = owl ? [...pairs('equivalent class')] : [];
  if (classes.length + equal.length > CLASS_RULES)
    for (const rule of parseRules(owl ? CLASSES_GENERAL + EQUIVALENT_GENERAL : CLASSES_GENERAL)) rules.set(rule.id, rule);
  else {
    for (const [sub, whole] of classes)
      if (sub !== whole) add(`rdfs9: "${sub}" is a subclass of "${whole}"`, [memberOf(X, named(whole))], [memberOf(X, named(sub))]);
    for (const [a, b] of equal) {
      add(`cax-eqc1: "${a}" and "${b}" are the same class`, [memberOf(X, named(b))], [memberOf(X, named(a))]);
      add(`cax-eqc2: "${a}" and "${b}" are the same class`, [memberOf(X, named(a))], [memberOf(X, named(b))]);
    }
  }
  for (const [p, q] of pairs('subproperty of')) if (p !== q) add(`rdfs7: "${p}" is a subproperty of "${q}"`, [relates(q, X, Y)], [relates(p, X, Y)]);
  for (const [p, c] of pairs('domain')) add(`rdfs2: what has "${p}" is a "${c}"`, [memberOf(X, named(c))], [relates(p, X, NEW)]);
  for (const [p, c] of pairs('range')) add(`rdfs3: what "${p}" leads to is a "${c}"`, [memberOf(Y, named(c))], [relates(p, NEW, Y)]);
  if (!owl) return [...rules.values()];

  for (const [p, q] of pairs('equivalent property')) {
    add(`prp-eqp1: "${p}" and "${q}" are the same property`, [relates(q, X, Y)], [relates(p, X, Y)]);
    add(`prp-eqp2: "${p}" and "${q}" are the same property`, [relates(p, X, Y)], [relates(q, X, Y)]);
  }
  for (const [p, q] of pairs('inverse of')) {
    add(`prp-inv1: "${p}" is the inverse of "${q}"`, [relates(q, Y, X)], [relates(p, X, Y)]);
    add(`prp-inv2: "${p}" is the inverse of "${q}"`, [relates(p, Y, X)], [relates(q, X, Y)]);
  }
  for (const p of properties('symmetric property')) add(`prp-symp: "${p}" is symmetric`, [relates(p, Y, X)], [relates(p, X, Y)]);
  for (const p of properties('transitive property')) add(`prp-trp: "${p}" is transitive`, [relates(p, X, Z)], [relates(p, X, Y), relates(p, Y, Z)]);
  for (const p of properties('asymmetric property')) add(`prp-asyp: "${p}" is asymmetric`, [], [relates(p, X, Y), relates(p, Y, X)]);
  for (const p of properties('irreflexive property')) add(`prp-irp: "${p}" is irreflexive`, [], [relates(p, X, X)]);
  const differ: BodyItem = { kind: 'compare', operator: '!=', left: Y, right: Z };
  for (const p of properties('functional property'))
    add(`prp-fp: "${p}" has one object for each subject`, [relates(SAME, Y, Z)], [relates(p, X, Y), relates(p, X, Z), differ]);
  for (const p of properties('inverse functional property'))
    add(`prp-ifp: "${p}" has one subject for each object`, [relates(SAME, Y, Z)], [relates(p, Y, X), relates(p, Z, X), differ]);
  for (const [p, q] of pairs('property disjoint with')) add(`prp-pdw: "${p}" and "${q}" are disjoint`, [], [relates(p, X, Y), relates(q, X, Y)]);
  for (const [a, b] of pairs('disjoint with')) add(`cax-dw: "${a}" and "${b}" are disjoint`, [], [memberOf(X, named(a)), memberOf(X, named(b))]);
  for (const [a, b] of pairs('complement of')) add(`cls-com: "${a}" is what "${b}" is not`, [], [memberOf(X, named(a)), memberOf(X, named(b))]);

  const on = [...pairs('on property')];
  for (const [r, p] of on) {
    for (const { subject, object } of by.get('some values from') ?? [])
      if (subject === r && object.kind === 'entity')
        add(
          `cls-svf: "${r}" is what has some "${p}" in "${object.id}"`,
          [memberOf(X, named(r))],
          [relates(p, X, Y), ...(object.id === 'thing' ? [] : [memberOf(Y, object)])],
        );
    for (const { subject, object } of by.get('all values from') ?? [])
      if (subject === r && object.kind === 'entity')
        add(`cls-avf: "${r}" has "${p}" only in "${object.id}"`, [memberOf(Y, object)], [memberOf(X, named(r)), relates(p, X, Y)]);
    for (const { subject, object } of by.get('has value') ?? [])
      if (subject === r) {
        add(`cls-hv1: "${r}" has a certain "${p}"`, [relates(p, X, object)], [memberOf(X, named(r))]);
        add(`cls-hv2: "${r}" has a certain "${p}"`, [memberOf(X, named(r))], [relates(p, X, object)]);
      }
  }
  const known = new Set<string>(relations);
  if (!usesEquality(schema, known)) return [...rules.values()];
  for (const rule of rules.values()) for (const head of rule.heads) known.add(head.relation);
  for (const p of known) {
    if (p === SAME) continue;
    add(`eq-rep-s: equals have the same "${p}"`, [relates(p, Z, Y)], [relates(SAME, X, Z), relates(p, X, Y)]);
    add(`eq-rep-o: "${p}" of equals is the same`, [relates(p, X, Z)], [relates(SAME, Y, Z), relates(p, X, Y)]);
  }
  return [...rules.values()];
}
/** Can anything be the same as something else? */
export const usesEquality = (schema: readonly Triple[], relations: ReadonlySet<string>): boolean =>
  relations.has(SAME) ||
  schema.some(
    ({ relation, object }) =>
      relation === IS_A && object.kind === 'entity' && (object.id === 'functional property' || object.id === 'inverse functional property'),
  );

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
