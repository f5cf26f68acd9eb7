// Owns what shows that a triple does not hold: what is declared of its relation, and the constraints of rule sets read the other way round. As rules.
// Refuses to know facts and how rules are met.

import { entity, sameTerm } from '../../terms.ts';
import type { RelationName, Term, Triple } from '../../terms.ts';
import { atomsOf, isAtom, itemVariables, substituteItem } from '../language/body.ts';
import { signed } from '../tables/database.ts';
import type { SignedRelation } from '../tables/database.ts';
import { makeRule } from '../language/print.ts';
import { consequences } from './consequences.ts';
import { closedRule, disjointRule, excludedBy, functionalRule, memberRule, memberships, propertyRules, withSupers } from './properties.ts';
import type { Declarations } from './properties.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../types.ts';

/** What refutes in a base. */
export interface Declared {
  readonly declarations: Declarations;
  /** Constraints of rule sets: what OWL calls inconsistent cannot be. (A constraint that somebody writes says what ought not to be; it refutes nothing.) */
  readonly constraints: readonly Rule[];
}
/** A rule that concludes that a triple does not hold, with values that some of its variables must have for that. */
export interface Refuter {
  readonly rule: Rule;
  readonly bindings: Readonly<Record<string, Term>>;
}

const constraintsAmong = new WeakMap<readonly Rule[], readonly Rule[]>();
/** The rules of rule sets among which the constraints stand. */
const besides = new WeakMap<readonly Rule[], readonly Rule[]>();
const NONE: readonly Rule[] = [];
/** Rules that are read from constraints for one atom, where they are not about it alone. */
const MOST = 1_000;
/** The constraints that refute among the rules of rule sets. */
export function refutingConstraints(setRules: readonly Rule[]): readonly Rule[] {
  let found = constraintsAmong.get(setRules);
  if (!found) {
    found = setRules.filter(({ heads, body }) => heads.length === 0 && body.every((item) => (isAtom(item) ? !item.absent : item.kind === 'compare')));
    constraintsAmong.set(setRules, found);
    besides.set(found, setRules);
  }
  return found;
}
const propertiesOf = new WeakMap<Declarations, readonly Rule[]>();
function declaredRules(declarations: Declarations): readonly Rule[] {
  let found = propertiesOf.get(declarations);
  if (!found) propertiesOf.set(declarations, (found = propertyRules(declarations.values())));
  return found;
}

/** An atom of a constraint. */
interface Part {
  readonly constraint: Rule;
  readonly at: number;
}
interface Parts {
  /** With any object. */
  readonly all: Part[];
  readonly open: Part[];
  readonly byObject: Map<string, Part[]>;
}
const indexes = new WeakMap<readonly Rule[], ReadonlyMap<SignedRelation, Parts>>();
function indexOf(constraints: readonly Rule[]): ReadonlyMap<SignedRelation, Parts> {
  const known = indexes.get(constraints);
  if (known) return known;
  const index = new Map<SignedRelation, Parts>();
  for (const constraint of constraints)
    constraint.body.forEach((item, at) => {
      if (!isAtom(item)) return;
      const key = signed(item.relation, item.negated);
      let parts = index.get(key);
      if (!parts) index.set(key, (parts = { all: [], open: [], byObject: new Map() }));
      const part = { constraint, at };
      parts.all.push(part);
      if (item.object.kind !== 'entity') parts.open.push(part);
      else {
        const list = parts.byObject.get(item.object.id);
        if (list) list.push(part);
        else parts.byObject.set(item.object.id, [part]);
      }
    });
  indexes.set(constraints, index);
  return index;
}
/**
 * Rules by which the other conditions of a constraint show that this atom does not hold, or something that follows from it by the rule sets, and by which what is known to be false of that is
 * false of the atom. Variables of the atom stand for anything; what follows only for some of their values is not looked at.
 */
export function contrapositives(atom: Atom, constraints: readonly Rule[]): Rule[] {
  const rules = new Map(against(atom, constraints).map((rule) => [rule.id, rule]));
  if (!atom.negated)
    for (const other of consequences(atom, [besides.get(constraints) ?? NONE]))
      for (const rule of [...against(other, constraints), { heads: [turned(other)], body: [turned(other)] }]) {
        const moved = about(atom, other, rule);
        if (moved && rules.size < MOST) rules.set(moved.id, moved);
      }
  return [...rules.values()];
}
/** What shows that something does not hold shows it of the atom from which that follows. Undefined where it leaves a variable of the atom without value. */
function about(atom: Atom, other: Atom, { name, heads: [head], body }: Pick<Rule, 'name' | 'heads' | 'body'>): Rule | undefined {
  const values: Record<string, RuleTerm> = {};
  for (const [own, put] of [
    [other.subject, head.subject],
    [other.object, head.object],
  ] as const) {
    if (own.kind !== 'variable') continue;
    const known = values[own.name];
    if (known && JSON.stringify(known) !== JSON.stringify(put)) return undefined;
    values[own.name] = put;
  }
  if ([...itemVariables(atom)].some((variable) => !(variable in values)) || values[subjectName(atom)]?.kind === 'literal') return undefined;
  return makeRule({ ...(name === undefined ? {} : { name }), heads: [turned(substituteItem<Atom>(atom, values))], body });
}
const subjectName = ({ subject }: Atom): string => (subject.kind === 'variable' ? subject.name : '');
/** Rules by which the other conditions of a constraint show that this atom itself does not hold. */
function against({ relation, subject, object, negated }: Atom, constraints: readonly Rule[]): Rule[] {
  const parts = indexOf(constraints).get(signed(relation, negated));
  if (!parts) return [];
  const candidates = object.kind === 'entity' ? [...(parts.byObject.get(object.id) ?? []), ...parts.open] : object.kind === 'literal' ? parts.open : parts.all;
  const rules = new Map<string, Rule>();
  for (const { constraint, at } of candidates) {
    const bindings: Record<string, Term> = {};
    const part = constraint.body[at] as Atom;
    const fits = (own: RuleTerm, wanted: RuleTerm): boolean => {
      if (wanted.kind === 'variable') return true;
      const known = own.kind === 'variable' ? bindings[own.name] : own;
      if (own.kind === 'variable' && !known) bindings[own.name] = wanted;
      return !known || sameTerm(known, wanted);
    };
    if (!fits(part.subject, subject) || !fits(part.object, object)) continue;
    const head = substituteItem<Atom>(part, bindings);
    const body = constraint.body.filter((_, i) => i !== at).map((item) => substituteItem<BodyItem>(item, bindings));
    const bound = new Set(body.flatMap((item) => (isAtom(item) ? [...itemVariables(item)] : [])));
    if ([head, ...body].some((item) => [...itemVariables(item)].some((name) => !bound.has(name)))) continue;
    const rule = makeRule({ ...(constraint.name === undefined ? {} : { name: constraint.name }), heads: [turned(head)], body });
    rules.set(rule.id, rule);
  }
  return [...rules.values()];
}
function turned({ relation, subject, object, negated }: Atom): Atom {
  return { relation, subject, object, ...(negated ? {} : { negated: true }) };
}

/** What would show that a triple (which is not negated) does not hold: itself, or something that follows from it alone. */
export function refuters(triple: Triple, declared: Declared): Refuter[] {
  const positive: Atom = { relation: triple.relation, subject: entity(triple.subject), object: triple.object };
  const found = refutersOf(positive, declared);
  const bodies = new Set(found.map((refuter) => JSON.stringify(refuterBody(refuter))));
  const add = (name: string | undefined, body: readonly BodyItem[]): void => {
    const key = JSON.stringify(body);
    if (bodies.has(key)) return;
    bodies.add(key);
    found.push({ rule: makeRule({ ...(name === undefined ? {} : { name }), heads: [turned(positive)], body }), bindings: {} });
  };
  for (const { name, body } of contrapositives(positive, declared.constraints)) add(name, body);
  for (const other of consequences(positive, [besides.get(declared.constraints) ?? NONE, declaredRules(declared.declarations)]))
    for (const refuter of refutersOf(other, declared)) add(refuter.rule.name, refuterBody(refuter));
  return found;
}
function refutersOf(atom: Atom, { declarations, constraints }: Declared): Refuter[] {
  const { relation, object } = atom;
  if (atom.subject.kind !== 'entity' || object.kind === 'variable') return [];
  const subject = atom.subject.id;
  const ground = (rule: Rule): Refuter => ({ rule, bindings: {} });
  const found: Refuter[] = [];
  const supers = withSupers(relation, declarations);
  for (const over of supers) if (declarations.get(over)?.functional) found.push(ground(functionalRule(relation, subject, object, over)));
  for (const other of excludedBy(relation, declarations)) found.push({ rule: disjointRule(relation, other), bindings: { x: entity(subject), y: object } });
  for (const member of memberships(relation, declarations))
    if (member.place === 'subject' || object.kind === 'entity') found.push(ground(memberRule(relation, subject, object, member)));
  found.push(...against(atom, constraints).map(ground));
  for (const over of supers) if (declarations.get(over)?.closed) found.push(ground(closedRule(relation, subject, object, over)));
  return found;
}
/** Conditions of a refuter with the values it must have. */
export const refuterBody = ({ rule, bindings }: Refuter): readonly BodyItem[] => rule.body.map((item) => substituteItem<BodyItem>(item, bindings));

/** Goals whose answers decide about a triple: itself, its negation, and what would refute it. */
export function decisiveGoals({ subject, relation, object }: Triple, declared: Declared): Atom[] {
  const positive: Atom = { relation, subject: entity(subject), object };
  const goals = [positive, turned(positive)];
  for (const refuter of refuters({ subject, relation, object }, declared))
    for (const { atom } of atomsOf(refuterBody(refuter)))
      goals.push({ relation: atom.relation, subject: atom.subject, object: atom.object, ...(atom.negated ? { negated: true } : {}) });
  return [...new Map(goals.map((goal) => [JSON.stringify(goal), goal])).values()];
}

/** No name that a user gives holds this sign. */
const MARK = '\u0002';
/** Is this a rule of a refutation? */
export const isRefutation = ({ heads }: Rule): boolean => heads.some(({ relation }) => relation.startsWith(MARK));
/** A relation of its own that holds where a triple is known not to hold, by rules or by what is declared. Nothing follows from it. */
export interface Refutation {
  readonly goal: Atom;
  readonly rules: readonly Rule[];
  /** Rules as proofs name them, with the values they have, by their ids here; absent for what the rules of the base conclude. */
  readonly named: ReadonlyMap<string, Refuter>;
}
export function refutationOf(triple: Triple, declared: Declared): Refutation {
  const { subject, relation, object } = triple;
  const goal: Atom = { relation: `${MARK}${relation}` as RelationName, subject: entity(subject), object };
  const named = new Map(refuters({ subject, relation, object }, declared).map((refuter) => [`${MARK}${refuter.rule.id}`, refuter]));
  const rules = Array.from(named, ([id, refuter]): Rule => ({ id, heads: [goal], body: refuterBody(refuter), text: refuter.rule.text }));
  const known: Atom = { relation, subject: entity(subject), object, negated: true };
  return { goal, rules: [{ id: MARK, heads: [goal], body: [known], text: 'known to be false' }, ...rules], named };
}

/** The rule that the declarations and constraints give for a refutation that names it; undefined when they give none. */
export function refutationRule(rule: Rule, declared: Declared): Rule | undefined {
  const head: Atom | undefined = rule.heads[0];
  if (!head?.negated) return undefined;
  const { relation, subject, object } = head;
  const candidates = excludedBy(relation, declared.declarations).map((other) => disjointRule(relation, other));
  if (subject.kind === 'entity' && object.kind !== 'variable')
    candidates.push(...refuters({ subject: subject.id, relation, object }, declared).map((refuter) => refuter.rule));
  else candidates.push(...contrapositives({ relation, subject, object }, declared.constraints));
  return candidates.find(({ id }) => id === rule.id);
}
