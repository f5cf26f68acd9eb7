// Owns what declared properties of relations mean, as rules: symmetric, transitive, inverse; functional, disjoint, closed.
// Refuses to know facts. Distinct names are taken for distinct things.

import { entity } from '../terms.ts';
import type { EntityId, Relation, RelationName, Term } from '../terms.ts';
import { makeRule } from './print.ts';
import type { Atom, Rule } from './types.ts';

export type Declarations = ReadonlyMap<RelationName, Relation>;

const variable = (name: string): { readonly kind: 'variable'; readonly name: string } => ({ kind: 'variable', name });
const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const quoted = (name: string): string => `"${name}"`;
const label = (text: string): string => (text.length <= 200 ? text : text.slice(0, 199) + '…');

/** Standing rules of one relation. What holds of a symmetric or inverse pair when true holds as well when known false. */
function expand(relation: Relation): Rule[] {
  const { name, symmetric, transitive, inverseOf } = relation;
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
  return rules;
}

/** Standing rules of all declarations, each once. */
export function propertyRules(declarations: Iterable<Relation>): readonly Rule[] {
  const rules = new Map<string, Rule>();
  for (const relation of declarations) for (const rule of expand(relation)) rules.set(rule.id, rule);
  return [...rules.values()];
}

/** `-p(s, o) :- p(s, ?y), ?y != o.` */
export const functionalRule = (relation: RelationName, subject: EntityId, object: Term): Rule =>
  makeRule({
    name: label(`${quoted(relation)} has one object for each subject`),
    heads: [{ relation, subject: entity(subject), object, negated: true }],
    body: [
      { relation, subject: entity(subject), object: Y },
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
/** `-p(s, o) :- not p(s, o).` */
export const closedRule = (relation: RelationName, subject: EntityId, object: Term): Rule =>
  makeRule({
    name: label(`all of ${quoted(relation)} is known`),
    heads: [{ relation, subject: entity(subject), object, negated: true }],
    body: [{ relation, subject: entity(subject), object, absent: true }],
  });

/** Relations that cannot hold together with this one, in either direction of the declaration. */
export function disjointWith(relation: RelationName, declarations: Declarations): RelationName[] {
  const others = new Set(declarations.get(relation)?.disjointWith);
  for (const [name, other] of declarations) if (other.disjointWith?.includes(relation)) others.add(name);
  others.delete(relation);
  return [...others];
}

/** The rule that the declarations give for a refutation that names it; undefined when they give none. */
export function refutationRule(rule: Rule, declarations: Declarations): Rule | undefined {
  const head: Atom | undefined = rule.heads[0];
  if (!head?.negated) return undefined;
  const { relation, subject, object } = head;
  const declared = declarations.get(relation);
  const candidates: Rule[] = disjointWith(relation, declarations).map((other) => disjointRule(relation, other));
  if (subject.kind === 'entity' && object.kind !== 'variable') {
    if (declared?.functional) candidates.push(functionalRule(relation, subject.id, object));
    if (declared?.closed) candidates.push(closedRule(relation, subject.id, object));
  }
  return candidates.find(({ id }) => id === rule.id);
}

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
