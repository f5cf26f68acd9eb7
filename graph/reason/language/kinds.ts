// Owns what kinds of values the functions of one rule meet: unknown functions, wrong numbers of arguments, clashes of kinds that no fact could mend.
// Refuses to know which variables are bound.

import { isAtom, outerVariables } from './body.ts';
import { printExpression } from './print.ts';
import type { RuleParts } from './print.ts';
import type { Aggregate, Comparison, Expression } from '../types.ts';
import { accepts, BUILTINS, isTerm, kindOf, nearNames } from './values.ts';
import type { ArgumentKind, ValueKind } from './values.ts';
import { patternFault } from './pattern.ts';

export type KindFault = (code: 'type' | 'unknown_builtin' | 'arity' | 'syntax' | 'too_large', reason: string) => never;
export class Kinds extends Map<string, ValueKind> {
  /** Variables whose kind is that of what they are compared with by order: only such comparisons, and what goes with them, need it. */
  readonly compared = new Set<string>();
}
/** Calls inside calls at most; a chain such as `1 + 2 + 3` nests, too. */
export const NESTING = 50;

const ARTICLE: Readonly<Record<ArgumentKind, string>> = {
  entity: 'an entity',
  string: 'a string',
  number: 'a number',
  date: 'a date',
  boolean: 'true or false',
  text: 'a text',
  any: 'a value',
};

function kindOfExpression(expression: Expression, kinds: Kinds): ValueKind | undefined {
  if (expression.kind === 'variable') return kinds.get(expression.name);
  if (expression.kind === 'list') return undefined;
  if (expression.kind === 'call') return BUILTINS.get(expression.function)?.gives;
  return kindOf(expression);
}

/** Kinds of the variables that can have one only: subjects are entities, what is computed has the kind of its function, what is compared by order that of the other side. */
export function variableKinds(rule: Pick<RuleParts, 'heads' | 'body'>): Kinds {
  const kinds = new Kinds();
  const outer = outerVariables(rule);
  for (const item of rule.body) if (isAtom(item) && !item.absent && item.subject.kind === 'variable') kinds.set(item.subject.name, 'entity');
  for (let before = -1; before !== kinds.size;) {
    before = kinds.size;
    for (const item of rule.body) {
      if (isAtom(item)) continue;
      if (item.kind === 'aggregate') {
        const kind = item.function === 'min' || item.function === 'max' ? undefined : 'number';
        if (kind && item.result.kind === 'variable' && outer.has(item.result.name) && !kinds.has(item.result.name)) kinds.set(item.result.name, kind);
      } else if (item.operator !== '!=' && item.operator !== 'in' && item.operator !== 'not in')
        for (const [side, other] of [
          [item.left, item.right],
          [item.right, item.left],
        ]) {
          const kind = side.kind === 'variable' && !kinds.has(side.name) ? kindOfExpression(other, kinds) : undefined;
          if (!kind || side.kind !== 'variable' || (item.operator !== '=' && !hasOrder(kind))) continue;
          kinds.set(side.name, kind);
          if (item.operator !== '=') kinds.compared.add(side.name);
        }
    }
  }
  return kinds;
}

/** Reports the first call that can have no value. */
function checkExpression(expression: Expression, kinds: Kinds, fail: KindFault, depth = 0): void {
  if (expression.kind !== 'call') return;
  if (depth >= NESTING) fail('too_large', `calls are nested deeper than ${NESTING}; compute a part of it into a variable`);
  const { function: name, arguments: values } = expression;
  const builtin = BUILTINS.get(name);
  if (!builtin) {
    const near = nearNames(name, BUILTINS.keys());
    return fail('unknown_builtin', `${name} is no built-in function${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''}`);
  }
  const [least, most] = builtin.arity;
  if (values.length < least || values.length > most)
    fail('arity', `${name} takes ${least === most ? least : `${least} to ${most}`} ${most === 1 ? 'value' : 'values'}, not ${values.length}`);
  values.forEach((value, i) => {
    if (value.kind === 'list') fail('syntax', `a list stands only behind "in", not in ${name}(..)`);
    checkExpression(value, kinds, fail, depth + 1);
    const takes = builtin.takes[Math.min(i, builtin.takes.length - 1)];
    const kind = kindOfExpression(value, kinds);
    if (kind !== undefined && !accepts(takes, kind))
      fail('type', `${name} takes ${ARTICLE[takes]}, and ${printExpression(value)} is ${ARTICLE[kind]}; it can never have a value`);
  });
  if (name === 'matches' && values[1].kind !== 'variable' && values[1].kind !== 'call' && values[1].kind !== 'list') {
    const pattern = values[1].kind === 'entity' ? values[1].id : String(values[1].value);
    const fault = patternFault(pattern);
    if (fault !== undefined) fail('type', `${JSON.stringify(pattern)} is no pattern: ${fault}`);
  }
}

/** Reports what makes a comparison hold never, or always in vain. `side`: 0 is the left one. */
export function checkComparison(item: Comparison, kinds: Kinds, fail: (side: 0 | 1, ...fault: Parameters<KindFault>) => never): void {
  const { operator, left, right } = item;
  checkExpression(left, kinds, (...fault) => fail(0, ...fault));
  checkExpression(right, kinds, (...fault) => fail(1, ...fault));
  if (left.kind === 'list') fail(0, 'syntax', 'a list stands only behind "in"');
  const within = operator === 'in' || operator === 'not in';
  if (within !== (right.kind === 'list')) fail(1, 'syntax', within ? `"${operator}" needs a list, such as ["a", "b"]` : 'a list stands only behind "in"');
  const [a, b] = [kindOfExpression(left, kinds), kindOfExpression(right, kinds)];
  if (within) {
    if (a !== undefined && right.kind === 'list' && right.items.length > 0 && right.items.every((term) => kindOf(term) !== a))
      fail(1, 'type', `${printExpression(left)} is ${ARTICLE[a]}, and nothing in ${printExpression(right)} is${hint(a)}`);
    return;
  }
  if (operator === '=' || operator === '!=') {
    // Two terms as they stand were always allowed to differ; a computed value of another kind is a mistake, and so is what can never be equal.
    if (a !== undefined && b !== undefined && a !== b && !(isConstant(left) && isConstant(right)) && (computed(left, kinds) || computed(right, kinds) || (operator === '=' && left.kind !== right.kind)))
      fail(
        1,
        'type',
        `${printExpression(left)} is ${ARTICLE[a]} and ${printExpression(right)} ${ARTICLE[b]}; they are never the same${hint(b === 'entity' ? a : b)}`,
      );
    return;
  }
  for (const [side, expression, kind] of [
    [0, left, a],
    [1, right, b],
  ] as const)
    if (kind === 'entity' || kind === 'boolean')
      fail(
        side,
        'type',
        `${printExpression(expression)} ${expression.kind === 'variable' && kind === 'entity' ? 'stands as a subject, so it is an entity and ' : ''}has no order, so "${operator}" can never hold; compare numbers, dates or strings, or use "=" or "!="${expression.kind === 'entity' ? `; a date is written "..."^^date, a string "..."^^string` : ''}`,
      );
  if (a !== undefined && b !== undefined && a !== b && a !== 'entity' && b !== 'entity')
    fail(1, 'type', `a ${a} and a ${b} have no common order, so "${operator}" can never hold`);
}
const hint = (kind: ValueKind): string =>
  kind === 'entity' ? '' : kind === 'number' || kind === 'boolean' ? '' : `; ${ARTICLE[kind]} is written "..."^^${kind}`;
const hasOrder = (kind: ValueKind): boolean => kind === 'number' || kind === 'date' || kind === 'string';
const isConstant = (expression: Expression): boolean => isTerm(expression) && expression.kind !== 'variable';
const computed = (expression: Expression, kinds: Kinds): boolean =>
  expression.kind === 'call' ||
  (expression.kind === 'variable' && (kinds.get(expression.name) ?? 'entity') !== 'entity' && !kinds.compared.has(expression.name));

/** Reports an aggregate that can have no value. */
export function checkAggregate(item: Aggregate, kinds: Kinds, fail: KindFault): void {
  const { function: name, of, result } = item;
  if (name !== 'count' && of.length !== 1) fail('arity', `${name} takes one value, not ${of.length}; several can only be counted`);
  if (of.length === 0) fail('arity', 'count needs the values to count');
  if (result.kind === 'entity' || (result.kind === 'literal' && result.type !== 'number' && name !== 'min' && name !== 'max'))
    fail('type', `${name} gives a number, never ${printExpression(result)}`);
  const inner = variableKinds({ heads: [], body: item.body });
  for (const term of of) {
    const kind = term.kind === 'variable' ? (inner.get(term.name) ?? kinds.get(term.name)) : kindOf(term);
    const wrong = name === 'sum' || name === 'avg' ? kind !== undefined && kind !== 'number' : name !== 'count' && (kind === 'entity' || kind === 'boolean');
    if (wrong && kind)
      fail(
        'type',
        `${name} needs ${name === 'min' || name === 'max' ? 'numbers, dates or strings' : 'numbers'}, and ${printExpression(term)} is ${ARTICLE[kind]}`,
      );
  }
}
