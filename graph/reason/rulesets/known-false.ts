// Owns what a condition `-p(..)` means beyond what is told and concluded: rules for what is declared of relations, as far as they are finite and have strata.
// Refuses to know facts.

import { atomsOf, bindingOrder, isAtom, itemVariables, outerVariables } from '../language/body.ts';
import { signed } from '../tables/database.ts';
import type { SignedRelation } from '../tables/database.ts';
import { RuleError } from '../errors.ts';
import { makeRule } from '../language/print.ts';
import { CLASS_OF, disjointRule, excludedBy, memberships, propertyRules, withSupers } from './properties.ts';
import type { Declarations } from './properties.ts';
import { contrapositives, isRefutation } from './refutation.ts';
import type { Declared } from './refutation.ts';
import { stratify } from '../evaluate/strata.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../types.ts';

/** Other forms of one rule at most, and rules that constraints give for one atom. */
const FORMS = 64;
const CONTRAPOSITIVES = 1_000;

/** Rules made here: they have no further forms. */
const made = new WeakSet<Rule>();
const excluding = new WeakMap<Declarations, boolean>();
function excludes({ declarations, constraints }: Declared): boolean {
  if (constraints.length > 0) return true;
  let found = excluding.get(declarations);
  if (found === undefined)
    excluding.set(
      declarations,
      (found = [...declarations.values()].some(
        ({ functional, closed, disjointWith = [], domain = [], range = [] }) => functional || closed || disjointWith.length + domain.length + range.length > 0,
      )),
    );
  return found;
}
const keyOf = (atom: Atom): SignedRelation => signed(atom.relation, atom.negated);
const shapeOf = ({ relation, subject, object }: Atom): string =>
  JSON.stringify([relation, ...[subject, object].map((term) => (term.kind === 'variable' ? undefined : term))]);

/** Rules that conclude `-p(..)` of whatever holds of a relation that excludes p, for atoms like this one. */
export function excludingRules(atom: Atom, { declarations, constraints }: Declared): readonly Rule[] {
  const { relation, subject, object } = atom;
  const read = contrapositives({ relation, subject, object }, constraints);
  return [...excludedBy(relation, declarations).map((other) => disjointRule(relation, other)), ...(read.length > CONTRAPOSITIVES ? [] : read)];
}

/**
 * Rules by which the conditions `-p(..)` of these rules, and the open goals, are met where what is declared says so. A relation that excludes another gives what is known to be false;
 * another object of a functional relation, what is absent from a closed one, and an end outside its class give other forms of the rules that ask for it, with values that its other
 * conditions give. What would make negation run in a circle is left out.
 */
export function impliedRules(rules: readonly Rule[], goals: readonly Atom[], declared: Declared): readonly Rule[] {
  if (!excludes(declared)) return [];
  const demanded = new Map<string, Atom>();
  const demand = (atom: Atom): void => {
    if (atom.negated && !demanded.has(shapeOf(atom))) demanded.set(shapeOf(atom), atom);
  };
  for (const goal of goals) demand(goal);
  const forms: Rule[] = [];
  let properties: ReadonlySet<string> | undefined;
  for (const rule of rules) {
    if (made.has(rule) || isRefutation(rule) || ![...atomsOf(rule.body)].some(({ atom }) => atom.negated)) continue;
    properties ??= new Set(propertyRules(declared.declarations.values()).map(({ id }) => id));
    // What is known false of a relation is handed on to others only where somebody asks for it.
    if (properties.has(rule.id)) continue;
    for (const { atom } of atomsOf(rule.body)) demand(atom);
    forms.push(...formsOf(rule, declared.declarations));
  }
  if (demanded.size === 0) return [];
  const heads = new Map<SignedRelation, Rule[]>();
  for (const rule of propertyRules(declared.declarations.values()))
    for (const head of rule.heads) if (head.negated) heads.set(keyOf(head), [...(heads.get(keyOf(head)) ?? []), rule]);
  const implied = new Map<string, Rule>();
  for (const atom of demanded.values()) {
    for (const rule of excludingRules(atom, declared)) implied.set(rule.id, rule);
    for (const { body } of heads.get(keyOf(atom)) ?? []) for (const placed of atomsOf(body)) demand(placed.atom);
  }
  for (const rule of forms) implied.set(rule.id, rule);
  const kept = withStrata(rules, [...implied.values()]);
  for (const rule of kept) made.add(rule);
  return kept;
}
/** What two relations do to each other is left out together: neither is to win by the order of names. */
function withStrata(rules: readonly Rule[], more: readonly Rule[]): readonly Rule[] {
  const fits = (some: readonly Rule[]): boolean => {
    try {
      stratify([...rules, ...some]);
      return true;
    } catch (error) {
      if (error instanceof RuleError) return false;
      throw error;
    }
  };
  if (fits(more)) return more;
  const kept: Rule[] = [];
  for (const unit of Map.groupBy(more, unitOf).values()) if (fits([...kept, ...unit])) kept.push(...unit);
  return kept;
}
function unitOf({ id, heads, body }: Rule): string {
  const relations = [...heads.map(({ relation }) => relation), ...Array.from(atomsOf(body), ({ atom }) => atom.relation)];
  return heads.some(({ negated }) => negated) ? JSON.stringify([...new Set(relations)].toSorted()) : id;
}

/** Conditions that show that an atom is known to be false, each by itself. */
function reasons({ relation, subject, object }: Atom, other: RuleTerm, declarations: Declarations): readonly (readonly BodyItem[])[] {
  const found: BodyItem[][] = [];
  for (const over of withSupers(relation, declarations)) {
    const { functional, closed } = declarations.get(over) ?? {};
    if (functional)
      found.push([
        { relation: over, subject, object: other },
        { kind: 'compare', operator: '!=', left: other, right: object },
      ]);
    if (closed) found.push([{ relation: over, subject, object, absent: true }]);
  }
  for (const { place, kind } of memberships(relation, declarations)) {
    const end = place === 'subject' ? subject : object;
    if (end.kind !== 'literal') found.push([{ relation: CLASS_OF, subject: end, object: { kind: 'entity', id: kind }, negated: true }]);
  }
  return found;
}
/** The rule with conditions `-p(..)` replaced by what shows them, in all ways but none, where its variables still have values. */
function formsOf(rule: Rule, declarations: Declarations): Rule[] {
  const used = new Set(rule.body.flatMap((item) => [...itemVariables(item)]));
  let forms: { readonly body: readonly BodyItem[]; readonly changed: boolean }[] = [{ body: [], changed: false }];
  rule.body.forEach((item, i) => {
    let name = `_d${i}`;
    while (used.has(name)) name += '_';
    const instead = isAtom(item) && item.negated && !item.absent ? reasons(item, { kind: 'variable', name }, declarations) : [];
    forms = forms
      .flatMap(({ body, changed }) => [{ body: [...body, item], changed }, ...instead.map((items) => ({ body: [...body, ...items], changed: true }))])
      .slice(0, FORMS);
  });
  return forms.flatMap(({ body, changed }) => {
    if (!changed) return [];
    const { name, confidence, say, heads } = rule;
    const form = makeRule({
      ...(name === undefined ? {} : { name }),
      ...(confidence === undefined ? {} : { confidence }),
      ...(say === undefined ? {} : { say }),
      heads,
      body,
    });
    const outer = outerVariables(form);
    return outer.isSubsetOf(bindingOrder(body, new Set(), outer)) ? [form] : [];
  });
}
