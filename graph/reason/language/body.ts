// Owns walking through the conditions of rules: which are atoms, which variables occur where, what stands under an aggregate.
// Refuses to know how any of it is evaluated or written.

import type { Aggregate, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../types.ts';

export const isAtom = (item: BodyItem): item is Atom => !('kind' in item);
export const isAggregate = (item: BodyItem): item is Aggregate => 'kind' in item && item.kind === 'aggregate';

/** An atom of a body. `closed`: what it says must be complete before the rule runs, since it stands under `not` or inside an aggregate. */
export interface PlacedAtom {
  readonly atom: Atom;
  readonly closed: boolean;
  readonly aggregate?: Aggregate;
}
/** All atoms of a body, those of aggregates among them. */
export function* atomsOf(body: readonly BodyItem[]): Generator<PlacedAtom> {
  for (const item of body)
    if (isAtom(item)) yield { atom: item, closed: item.absent === true };
    else if (item.kind === 'aggregate') for (const { atom } of atomsOf(item.body)) yield { atom, closed: true, aggregate: item };
}

/** Terms of an expression; the items of a list are among them. */
export function* termsOf(expression: Expression): Generator<RuleTerm> {
  if (expression.kind === 'call') for (const argument of expression.arguments) yield* termsOf(argument);
  else if (expression.kind === 'list') yield* expression.items;
  else yield expression;
}
export function* variablesOf(expression: Expression): Generator<string> {
  for (const term of termsOf(expression)) if (term.kind === 'variable') yield term.name;
}
/** Names of the variables of one condition; of an aggregate, those of its own body, too. */
export function* itemVariables(item: BodyItem): Generator<string> {
  if (isAtom(item)) {
    yield* variablesOf(item.subject);
    yield* variablesOf(item.object);
  } else if (item.kind === 'compare') {
    yield* variablesOf(item.left);
    yield* variablesOf(item.right);
  } else {
    yield* variablesOf(item.result);
    yield* innerVariables(item);
  }
}
/** Variables inside the braces of an aggregate, each once. */
export function innerVariables(item: Aggregate): Set<string> {
  const names = new Set<string>();
  for (const term of item.of) if (term.kind === 'variable') names.add(term.name);
  for (const inner of item.body) for (const name of itemVariables(inner)) names.add(name);
  return names;
}
/** Variables that occur outside the braces of aggregates: in heads, conditions and results. */
export function outerVariables(rule: Pick<Rule, 'heads' | 'body'>): Set<string> {
  const names = new Set<string>();
  for (const head of rule.heads) for (const name of itemVariables(head)) names.add(name);
  for (const item of rule.body)
    if (isAggregate(item)) for (const name of variablesOf(item.result)) names.add(name);
    else for (const name of itemVariables(item)) names.add(name);
  return names;
}

/** Variables bound by conditions, beginning with those in `bound`: by atoms, then by `=` and by aggregates as far as what they need is bound. Grows and returns `bound`. */
export function bindingOrder(body: readonly BodyItem[], bound: Set<string>, outer: ReadonlySet<string>): Set<string> {
  for (const item of body) if (isAtom(item) && !item.absent) for (const name of itemVariables(item)) bound.add(name);
  const known = (names: Iterable<string>): boolean => {
    for (const name of names) if (!bound.has(name)) return false;
    return true;
  };
  for (let before = -1; before !== bound.size;) {
    before = bound.size;
    for (const item of body)
      if (isAtom(item)) continue;
      else if (item.kind === 'aggregate') {
        if (item.result.kind === 'variable' && known(groupOf(item, outer))) bound.add(item.result.name);
      } else for (const [side, other] of sidesOf(item)) if (side.kind === 'variable' && known(variablesOf(other))) bound.add(side.name);
  }
  return bound;
}
/** The two readings of an equation as an assignment; none for other comparisons. */
export const sidesOf = ({ operator, left, right }: Comparison): readonly (readonly [Expression, Expression])[] =>
  operator === '='
    ? [
        [left, right],
        [right, left],
      ]
    : [];
/** Variables of an aggregate's body that are given from outside. */
export const groupOf = (item: Aggregate, outer: ReadonlySet<string>): string[] => [...innerVariables(item)].filter((name) => outer.has(name));

/** The expression with variables replaced where they have values. */
export function substituteTerm(term: RuleTerm, bindings: Readonly<Record<string, RuleTerm>>): RuleTerm {
  return term.kind === 'variable' && Object.hasOwn(bindings, term.name) ? bindings[term.name] : term;
}
export function substituteExpression(expression: Expression, bindings: Readonly<Record<string, RuleTerm>>): Expression {
  if (expression.kind === 'list') return expression;
  if (expression.kind !== 'call') return substituteTerm(expression, bindings);
  return { ...expression, arguments: expression.arguments.map((argument) => substituteExpression(argument, bindings)) };
}
/** The condition with variables replaced where they have values. */
export function substituteItem<T extends BodyItem>(item: T, bindings: Readonly<Record<string, RuleTerm>>): T;
export function substituteItem(item: BodyItem, bindings: Readonly<Record<string, RuleTerm>>): BodyItem {
  if (isAtom(item)) return { ...item, subject: substituteTerm(item.subject, bindings), object: substituteTerm(item.object, bindings) };
  if (item.kind === 'compare') return { ...item, left: substituteExpression(item.left, bindings), right: substituteExpression(item.right, bindings) };
  return {
    ...item,
    result: substituteTerm(item.result, bindings),
    of: item.of.map((term) => substituteTerm(term, bindings)),
    body: item.body.map((inner) => substituteItem<Atom | Comparison>(inner, bindings)),
  };
}
