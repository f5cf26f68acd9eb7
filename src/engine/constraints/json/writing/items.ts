// Owns the items of an array of which each may come once, or of which some are counted, as an automaton: a place for what came before.
// Refuses to know how items are written.

import { EngineError } from '../../../port.ts';
import { automaton } from '../../grammar/automaton.ts';
import type { AutomatonPlace } from '../../grammar/automaton.ts';
import { choice, sequence } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { NoText } from '../../grammar/network.ts';
import { COMMA, constant } from '../texts/json-text.ts';
import type { SchemaCases } from '../cases/cases.ts';
import { canonical, countOf, nothing, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema } from '../reading/source.ts';

/** Ways from one place to the next, of one array. */
const MOST_WAYS = 4_000;
/** Values that may come once, so that they fit into the bits of a number. */
const MOST_VALUES = 30;

export interface Items {
  readonly firsts: readonly Schema[];
  readonly after: Schema;
  readonly least: number;
  readonly most: number;
  readonly at: string;
  readonly cases: SchemaCases;
}
interface Way<State> {
  readonly item: Item;
  readonly to: State;
}
/** How it is written at the beginning, and after others. */
interface Item {
  readonly first: Expression;
  readonly later: Expression;
}
const item = (expression: Expression): Item => ({ first: expression, later: sequence(COMMA, expression) });
const placeOf = ({ firsts, at }: Items, position: number): string => (position < firsts.length ? `${at}/prefixItems/${position}` : `${at}/items`);

/** What stands between the brackets. */
function walk<State>(start: State, keyOf: (state: State) => string, waysFrom: (state: State) => readonly Way<State>[], ends: (state: State) => boolean, { at, keyword }: { readonly at: string; readonly keyword: string }): Expression {
  const numbers = new Map<string, number>();
  const states: State[] = [];
  const places: AutomatonPlace[] = [];
  let ways = 0;
  const numberOf = (state: State): number => {
    const key = keyOf(state);
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = states.push(state) - 1));
    return number;
  };
  numberOf(start);
  // Those that are found on the way come behind.
  for (const [i, state] of states.entries()) {
    const after = new Map<number, Expression>();
    for (const { item: next, to } of waysFrom(state)) {
      if (++ways > MOST_WAYS) throw wrong(at, keyword, `comes to more than ${MOST_WAYS} ways to go on; set a lower maxItems, or give the items fewer values`);
      const [target, read] = [numberOf(to), i === 0 ? next.first : next.later];
      const before = after.get(target);
      after.set(target, before ? choice(before, read) : read);
    }
    places.push({ ends: ends(state), after });
  }
  const result = automaton(places);
  if (!result) throw nothing(at, keyword, 'leaves no array with as many items as there must and may be');
  return result;
}

/** Items of few values, each of which comes once at most. Throws EngineError `constraint_invalid`. */
function uniqueItems(items: Items): Expression {
  const { firsts, after, least, most, at } = items;
  const known = new Map<string, { readonly bit: number; readonly item: Item }>();
  const byPosition = [...firsts, after].map((schema, position) =>
    valuesOf(schema, items, placeOf(items, position)).map((value) => {
      const key = canonical(value);
      const found = known.get(key) ?? { bit: known.size, item: item(constant(value)) };
      known.set(key, found);
      return found;
    }),
  );
  if (known.size > MOST_VALUES) throw wrong(at, 'uniqueItems', `is supported of at most ${MOST_VALUES} values`);
  return walk(
    { used: 0, count: 0 },
    ({ used }) => String(used),
    ({ used, count }) => (count >= most ? [] : byPosition[Math.min(count, firsts.length)].filter(({ bit }) => (used & (1 << bit)) === 0).map((value) => ({ item: value.item, to: { used: used | (1 << value.bit), count: count + 1 } }))),
    ({ count }) => count >= least,
    { at, keyword: 'uniqueItems' },
  );
}
/** The same; undefined where the items are all alike, and not out of lists of values that are few enough to be told apart by the grammar. */
export function listedItems(items: Items): Expression | undefined {
  try {
    return uniqueItems(items);
  } catch (error) {
    if (items.firsts.length > 0 || error instanceof NoText || !(error instanceof EngineError)) throw error;
    return undefined;
  }
}
function valuesOf(schema: Schema, { cases, at }: Items, place: string): readonly unknown[] {
  return cases.of(schema, place).flatMap((each): readonly unknown[] => {
    const { enum: values, type, minimum: low, maximum: high } = each;
    if (Array.isArray(values)) return values;
    if (type === 'null') return [null];
    if (type === 'boolean') return [true, false];
    const isPlain = Object.keys(each).every((key) => ['type', 'minimum', 'maximum'].includes(key));
    if (type === 'integer' && isPlain && typeof low === 'number' && typeof high === 'number' && high - low < MOST_VALUES) return Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, i) => Math.ceil(low) + i);
    throw wrong(at, 'uniqueItems', `is supported where maxItems is at most 1, or all items are out of a list of values (const, enum, boolean, or an integer with minimum and maximum), at most ${MOST_VALUES}`);
  });
}

/** Whether `contains` asks for anything. */
export const isCounted = (schema: ObjectSchema): boolean => schema['contains'] !== undefined && !(schema['minContains'] === 0 && schema['maxContains'] === undefined);
/** Items of which so many are valid by `contains`. `write`: how those are written that are valid by a schema; undefined where there are none. Throws EngineError `constraint_invalid`. */
export function countedItems(items: Items, schema: ObjectSchema, contains: Schema, write: (schema: Schema, at: string) => Expression | undefined): Expression {
  const { firsts, after, least, most, at, cases } = items;
  const [few, many] = [countOf(schema, at, 'minContains', 1), countOf(schema, at, 'maxContains', Infinity)];
  const [furthest, highest] = [Math.max(1, firsts.length, most < Infinity ? most : least), many < Infinity ? many : few];
  const written = [...firsts, after].map((each, position) => {
    const place = placeOf(items, position);
    const of = (one: Schema): Item | undefined => {
      const expression = write(one, place);
      return expression && item(expression);
    };
    return { hit: of(cases.both(each, contains, place)), miss: of(many < Infinity ? cases.without(each, contains, place) : each) };
  });
  return walk(
    { count: 0, hits: 0 },
    ({ count, hits }) => `${count} ${hits}`,
    ({ count, hits }) => {
      if (count >= most) return [];
      const { hit, miss } = written[Math.min(count, firsts.length)];
      const next = Math.min(count + 1, furthest);
      return [...(hit && hits < highest ? [{ item: hit, to: { count: next, hits: hits + 1 } }] : []), ...(miss ? [{ item: miss, to: { count: next, hits } }] : [])];
    },
    ({ count, hits }) => count >= least && hits >= few,
    { at, keyword: 'contains' },
  );
}
