// Owns what declared properties of relations mean, as rules: symmetric, transitive, inverse, sub-property, equivalent, domain, range; functional, disjoint, closed.
// Refuses to know facts. Distinct names are taken for distinct things.

import { entity, parseRelationName } from '../../terms.ts';
import type { EntityId, Relation, RelationName, Term } from '../../terms.ts';
import { IS_A, makeRule } from '../language/print.ts';
import type { Atom, Rule } from '../types.ts';

export type Declarations = ReadonlyMap<RelationName, Relation>;

const variable = (name: string): { readonly kind: 'variable'; readonly name: string } => ({ kind: 'variable', name });
const [X, Y, Z, ANY] = [variable('x'), variable('y'), variable('z'), variable('_1')];
/** The relation of things to their classes. */
export const CLASS_OF = parseRelationName(IS_A);
const quoted = (name: string): string => `"${name}"`;
const label = (text: string): string => (text.length <= 200 ? text : text.slice(0, 199) + '…');

/** Standing rules of one relation. What holds of a symmetric or inverse pair when true holds as well when known false; and where a relation is known false, so is what it follows from. */
function expand(relation: Relation): Rule[] {
  const { name, symmetric, transitive, inverseOf, domain = [], range = [], subPropertyOf = [], equivalentTo = [] } = relation;
  const rules: Rule[] = [];
  const mirror = (from: RelationName, to: RelationName, why: string): void => {
    for (const negated of [false, true]) {
      const sign = negated ? { negated } : {};
      rules.push(
        makeRule({ name: label(why), heads: [{ relation: to, subject: Y, object: X, ...sign }], body: [{ relation: from, subject: X, object: Y, ...sign }] }),
      );
    }
  };
  if (symmetric || inverseOf === name) mirror(name, name, `${quoted(name)} is symmetric`);
  if (inverseOf !== undefined && inverseOf !== name) {
    mirror(inverseOf, name, `${quoted(name)} is the inverse of ${quoted(inverseOf)}`);
    mirror(name, inverseOf, `${quoted(inverseOf)} is the inverse of ${quoted(name)}`);
  }
  if (transitive)
    rules.push(
      makeRule({
        name: label(`${quoted(name)} is transitive`),
        heads: [{ relation: name, subject: X, object: Z }],
        body: [
          { relation: name, subject: X, object: Y },
          { relation: name, subject: Y, object: Z },
        ],
      }),
    );
  const implies = (from: RelationName, to: RelationName, why: string): void => {
    rules.push(makeRule({ name: label(why), heads: [{ relation: to, subject: X, object: Y }], body: [{ relation: from, subject: X, object: Y }] }));
    rules.push(superRule(from, to, why));
  };
  for (const over of subPropertyOf) if (over !== name) implies(name, over, `${quoted(name)} is a sub-property of ${quoted(over)}`);
  for (const other of equivalentTo)
    if (other !== name) {
      implies(name, other, `${quoted(other)} is equivalent to ${quoted(name)}`);
      implies(other, name, `${quoted(name)} is equivalent to ${quoted(other)}`);
    }
  const member = (of: typeof X, kind: EntityId, why: string): void => {
    const body = [{ relation: name, subject: of === X ? X : ANY, object: of === X ? ANY : Y }];
    rules.push(makeRule({ name: label(why), heads: [{ relation: CLASS_OF, subject: of, object: entity(kind) }], body }));
  };
  for (const kind of domain) member(X, kind, `what has ${quoted(name)} is a ${quoted(kind)}`);
  for (const kind of range) member(Y, kind, `what ${quoted(name)} leads to is a ${quoted(kind)}`);
  return rules;
}
/** `-p(?x, ?y) :- -q(?x, ?y).`: q holds wherever p does. */
const superRule = (relation: RelationName, over: RelationName, why: string): Rule =>
  makeRule({
    name: label(why),
    heads: [{ relation, subject: X, object: Y, negated: true }],
    body: [{ relation: over, subject: X, object: Y, negated: true }],
  });

/** Standing rules of all declarations, each once. */
export function propertyRules(declarations: Iterable<Relation>): readonly Rule[] {
  const rules = new Map<string, Rule>();
  for (const relation of declarations) for (const rule of expand(relation)) rules.set(rule.id, rule);
  return [...rules.values()];
}

/** `-p(s, o) :- q(s, ?y), ?y != o.`: q is functional, and p or what p is a sub-property of. */
export const functionalRule = (relation: RelationName, subject: EntityId, object: Term, over = relation): Rule =>
  makeRule({
    name: label(`${quoted(over)} has one object for each subject`),
    heads: [{ relation, subject: entity(subject), object, negated: true }],
    body: [
      { relation: over, subject: entity(subject), object: Y },
      { kind: 'compare', operator: '!=', left: Y, right: object },
    ],
  });
/** `-p(?x, ?y) :- q(?x, ?y).` */
export const disjointRule = (relation: RelationName, other: RelationName): Rule =>
  makeRule({
    name: label(`${quoted(relation)} and ${quoted(other)} are disjoint`),
    heads: [{ relation, subject: X, object: Y, negated: true }],
    body: [{ relation: other, subject: X, object: Y }],
  });
/** `-p(s, o) :- not q(s, o).`: q is closed, and p or what p is a sub-property of. */
export const closedRule = (relation: RelationName, subject: EntityId, object: Term, over = relation): Rule =>
  makeRule({
    name: label(`all of ${quoted(over)} is known`),
    heads: [{ relation, subject: entity(subject), object, negated: true }],
    body: [{ relation: over, subject: entity(subject), object, absent: true }],
  });
/** `-p(s, o) :- -"is a"(s, c).`, for the domain; for the range, `-p(s, o) :- -"is a"(o, c).` */
export const memberRule = (relation: RelationName, subject: EntityId, object: Term, { place, kind }: Membership): Rule =>
  makeRule({
    name: label(place === 'subject' ? `what has ${quoted(relation)} is a ${quoted(kind)}` : `what ${quoted(relation)} leads to is a ${quoted(kind)}`),
    heads: [{ relation, subject: entity(subject), object, negated: true }],
    body: [{ relation: CLASS_OF, subject: place === 'subject' ? entity(subject) : object, object: entity(kind), negated: true }],
  });

/** A class that one end of a relation is always in. */
export interface Membership {
  readonly place: 'subject' | 'object';
  readonly kind: EntityId;
}
/** The relation, and those that hold wherever it does: what is declared of them holds of it as well. */
export const withSupers = (relation: RelationName, declarations: Declarations): RelationName[] => reached(relation, implications(declarations).over);
/** The relation, and those that hold only where it does. */
export const withSubs = (relation: RelationName, declarations: Declarations): RelationName[] => reached(relation, implications(declarations).under);

interface Implications {
  readonly over: ReadonlyMap<RelationName, readonly RelationName[]>;
  readonly under: ReadonlyMap<RelationName, readonly RelationName[]>;
}
/** Declarations are read far more often than they change, and a change makes a new map of them. */
const known = new WeakMap<Declarations, Implications>();
function implications(declarations: Declarations): Implications {
  let found = known.get(declarations);
  if (found) return found;
  const [over, under] = [new Map<RelationName, RelationName[]>(), new Map<RelationName, RelationName[]>()];
  const put = (map: Map<RelationName, RelationName[]>, from: RelationName, to: RelationName): void => {
    const list = map.get(from);
    if (list) list.push(to);
    else map.set(from, [to]);
  };
  const implies = (from: RelationName, to: RelationName): void => {
    put(over, from, to);
    put(under, to, from);
  };
  for (const [name, { subPropertyOf = [], equivalentTo = [] }] of declarations) {
    for (const other of [...subPropertyOf, ...equivalentTo]) implies(name, other);
    for (const other of equivalentTo) implies(other, name);
  }
  known.set(declarations, (found = { over, under }));
  return found;
}
function reached(from: RelationName, edges: ReadonlyMap<RelationName, readonly RelationName[]>): RelationName[] {
  const names = new Set([from]);
  for (const name of names) for (const next of edges.get(name) ?? []) names.add(next);
  return [...names];
}

/** Relations that were declared not to hold together with this one, in either direction of the declaration. */
export function disjointWith(relation: RelationName, declarations: Declarations): RelationName[] {
  const others = new Set(declarations.get(relation)?.disjointWith);
  for (const [name, other] of declarations) if (other.disjointWith?.includes(relation)) others.add(name);
  others.delete(relation);
  return [...others];
}
/** Relations that cannot hold together with this one, or with one that holds wherever it does. */
export function excludedBy(relation: RelationName, declarations: Declarations): RelationName[] {
  const others = new Set(withSupers(relation, declarations).flatMap((over) => disjointWith(over, declarations)));
  others.delete(relation);
  return [...others];
}
/** Classes of what has this relation and of what it leads to. */
export const memberships = (relation: RelationName, declarations: Declarations): Membership[] =>
  withSupers(relation, declarations).flatMap((over): Membership[] => {
    const { domain = [], range = [] } = declarations.get(over) ?? {};
    return [...domain.map((kind): Membership => ({ place: 'subject', kind })), ...range.map((kind): Membership => ({ place: 'object', kind }))];
  });
/** Relations in which a change of this declaration may change what holds, besides its own. */
export const relationsIn = ({ inverseOf, disjointWith: others = [], subPropertyOf = [], equivalentTo = [], domain = [], range = [] }: Relation): RelationName[] => [
  ...(inverseOf === undefined ? [] : [inverseOf]),
  ...others,
  ...subPropertyOf,
  ...equivalentTo,
  ...(domain.length + range.length > 0 ? [CLASS_OF] : []),
];

/**
 * Is this rule the definition of a relation path in SPARQL 1.1 notation: `"a/^b"(?x0, ?x2) :- a(?x0, ?x1), b(?x2, ?x1).`?
 * Such a rule says only what its head's name means.
 */
export function isPathDefinition(rule: Rule): boolean {
  const { heads, body } = rule;
  if (heads.length !== 1 || body.length < 2 || (rule.confidence ?? 1) !== 1) return false;
  const named = (term: Atom['subject'], i: number): boolean => term.kind === 'variable' && term.name === `x${i}`;
  const steps: string[] = [];
  for (let i = 0; i < body.length; i++) {
    const item = body[i];
    if ('kind' in item || item.negated || item.absent) return false;
    if (named(item.subject, i) && named(item.object, i + 1)) steps.push(item.relation);
    else if (named(item.subject, i + 1) && named(item.object, i)) steps.push('^' + item.relation);
    else return false;
  }
  const [head] = heads;
  return !head.negated && !head.absent && head.relation === steps.join('/') && named(head.subject, 0) && named(head.object, body.length);
}
