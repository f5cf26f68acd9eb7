// Owns arrays of which no two items are equal, where the values of the items are free: what is asked of how these are written, so that equal values are written alike, and another one can always be written.
// Refuses to know how it is seen, while a text is written, that an item was there before.

import type { Expression, Grammar } from '../../grammar/expression.ts';
import { choice, literal, optional, repeat, sequence } from '../../grammar/expression.ts';
import { Machine } from '../../grammar/machine.ts';
import { Network } from '../../grammar/network.ts';
import { COLON, COMMA } from '../texts/json-text.ts';
import { nothing, wrong } from '../reading/source.ts';

/** Bytes of the texts that are counted. */
const MOST_BYTES = 64;

/** How an object or an array is written. */
export type Bracket =
  /** Members in this order, and no others. */
  | { readonly kind: 'members'; readonly names: readonly string[] }
  /** As many other members, or items, as one likes; or up to so many. */
  | { readonly kind: 'endless' | 'bounded'; readonly of: 'object' | 'array' };
/** By expressions. */
export type Brackets = WeakMap<Expression, Bracket>;
/** Without gaps. */
export const CLOSE: ReadonlyMap<Expression, Expression> = new Map([
  [COMMA, literal(',')],
  [COLON, literal(':')],
]);
const digit = (from: number): Expression => ({ kind: 'byte', ranges: [[from, 57]] });
const [ANY_DIGIT, NO_ZERO] = [digit(48), digit(49)];
const digits = repeat(ANY_DIGIT, 0, Infinity);
/** Each number in one way. */
export const PLAIN_NUMBERS: Grammar = {
  root: choice(literal('0'), sequence(optional(literal('-')), choice(sequence(literal('0.'), digits, NO_ZERO), sequence(NO_ZERO, digits, optional(sequence(literal('.'), digits, NO_ZERO)))))),
  rules: new Map(),
};

/**
 * That equal items are written alike, but for objects to which more can always be added; and that there are as many items as there must be. `brackets`: of all of them in the grammar of an
 * item. Throws EngineError `constraint_invalid`.
 */
export function checkDistinct(item: Grammar, brackets: Brackets, least: number, at: string): void {
  const refused = (what: string): Error => wrong(at, 'uniqueItems', what);
  const orders: (readonly string[])[] = [];
  const seen = new Set<Expression>();
  /** Looks at all that can be written inside. */
  const inside = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    const bracket = brackets.get(expression);
    if (bracket && bracket.kind !== 'members' && bracket.of === 'object') throw refused('is not supported of items that hold objects with properties that are not listed; close them with additionalProperties');
    if (bracket?.kind === 'members') orders.push(bracket.names);
    if (expression.kind === 'distinct') throw refused('inside the items of another uniqueItems is not supported');
    for (const part of partsOf(expression, item)) inside(part);
  };
  const [endless, closed] = [new Set<string>(), new Set<string>()];
  const looked = new Set<Expression>();
  /** Looks at what an item may be. */
  const ways = (expression: Expression): void => {
    if (looked.has(expression)) return;
    looked.add(expression);
    const bracket = brackets.get(expression);
    if (bracket?.kind === 'endless' && (bracket.of === 'object' || holdsObjects(expression, item, brackets))) endless.add(bracket.of);
    else if (!bracket && (expression.kind === 'choice' || expression.kind === 'rule')) for (const part of partsOf(expression, item)) ways(part);
    else {
      if (bracket) closed.add(bracket.kind === 'members' ? 'object' : bracket.of);
      inside(expression);
    }
  };
  ways(item.root);
  if (endless.intersection(closed).size > 0) throw refused('is not supported of items of which some, and not all, are objects or arrays that more can always be added to');
  const before = new Set<string>();
  for (const names of orders)
    for (const [i, name] of names.entries())
      for (const other of names.slice(i + 1)) {
        if (before.has(JSON.stringify([other, name]))) throw refused(`is not supported of items that hold objects with the properties ${JSON.stringify(name)} and ${JSON.stringify(other)} in different orders`);
        before.add(JSON.stringify([name, other]));
      }
  if (least > 1 && endless.size === 0 && !hasTexts(item, least)) throw nothing(at, 'uniqueItems', 'leaves no array with as many items as there must be');
}
function partsOf(expression: Expression, { rules }: Grammar): readonly Expression[] {
  switch (expression.kind) {
    case 'sequence':
    case 'choice':
      return expression.items;
    case 'repeat':
      return [expression.item];
    case 'distinct':
      return [expression.inside];
    case 'automaton':
      return expression.places.flatMap(({ after }) => after.map(({ read }) => read));
    case 'rule':
      return [rules.get(expression.name) ?? choice()];
    default:
      return [];
  }
}
/** Throws EngineError `constraint_invalid` where in an object of which no two names are equal there is another such object, or a list of which no two items are. */
export function checkNames(object: Expression, grammar: Grammar, at: string): void {
  const found = new Set(partsOf(object, grammar));
  for (const each of found) {
    if (each.kind === 'distinct') throw wrong(at, 'minProperties', 'is supported up to one more than the properties that are named, where uniqueItems, or such a minProperties, stands further inside');
    for (const part of partsOf(each, grammar)) found.add(part);
  }
}
function holdsObjects(expression: Expression, grammar: Grammar, brackets: Brackets): boolean {
  const found = new Set([expression]);
  for (const each of found) {
    const bracket = brackets.get(each);
    if (bracket && bracket.kind !== 'members' && bracket.of === 'object') return true;
    for (const part of partsOf(each, grammar)) found.add(part);
  }
  return false;
}
/** Whether a grammar has so many texts of up to some bytes. */
function hasTexts(grammar: Grammar, many: number): boolean {
  const network = new Network(grammar);
  const machine = new Machine(network);
  let counts = new Map([[machine.start, 1]]);
  for (let length = 0, found = 0; length <= MOST_BYTES && counts.size > 0; length++) {
    const next = new Map<number, number>();
    for (const [state, count] of counts) {
      if (machine.ends(state)) found += count;
      if (found >= many) return true;
      for (const byte of machine.bytesOf(state)) {
        const after = machine.step(state, byte);
        next.set(after, (next.get(after) ?? 0) + count);
      }
    }
    counts = next;
  }
  return false;
}
