// Owns the arrays of a JSON Schema: items that may come once, items that are counted, and all others.
// Refuses to know how an item is written.

import { choice, literal, NOTHING, repeat, sequence } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { countOf, itemsOf, nothing, schemaOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema } from '../reading/source.ts';
import { COMMA } from '../texts/json-text.ts';
import type { Inner } from './inner.ts';
import { countedItems, isCounted, listedItems } from './items.ts';

const MOST_ITEMS = 10_000;

interface Asked {
  readonly firsts: readonly Schema[];
  readonly after: Schema;
  readonly least: number;
  readonly most: number;
  readonly at: string;
}
/** Throws EngineError `constraint_invalid`. */
export function arrayOf(schema: ObjectSchema, at: string, inner: Inner): Expression {
  const least = countOf(schema, at, 'minItems', 0);
  const most = countOf(schema, at, 'maxItems', Infinity);
  if (most < least) throw nothing(at, 'minItems', 'is greater than maxItems');
  if (least > MOST_ITEMS) throw wrong(at, 'minItems', `is more than ${MOST_ITEMS}`);
  const { firsts, after } = itemsOf(schema, at);
  const asked: Asked = { firsts, after, least, most, at };
  const isUnique = schema['uniqueItems'] === true && Math.min(most, after === false ? firsts.length : Infinity) > 1;
  if (!isUnique && !isCounted(schema)) return anyItems(asked, inner);
  if (isUnique && isCounted(schema)) throw wrong(at, 'contains', 'beside uniqueItems is not supported');
  const among = { ...asked, cases: inner.cases };
  const write = (item: Schema, place: string): Expression | undefined => {
    const written = inner.possible(item, place);
    return written && inner.shared(written, at);
  };
  const inside = isUnique ? listedItems(among) : countedItems(among, schema, schemaOf(schema['contains'], `${at}/contains`), write);
  return inside ? inner.bracketed(sequence(literal('['), inside, literal(']')), { kind: 'bounded', of: 'array' }) : distinctItems(asked, inner);
}
/** Of free values, no two of which are equal. */
function distinctItems({ after, least, most, at }: Asked, inner: Inner): Expression {
  const one = inner.distinct(after, least, at);
  const all = sequence(one, repeat(sequence(COMMA, one), Math.max(0, least - 1), most - 1));
  return { kind: 'distinct', of: 'items', inside: least > 0 ? all : choice(all, NOTHING) };
}
function anyItems({ firsts, after, least, most, at }: Asked, inner: Inner): Expression {
  const all = firsts.slice(0, most).map((item, i) => inner.possible(item, `${at}/prefixItems/${i}`));
  const first = all.slice(0, all.includes(undefined) ? all.indexOf(undefined) : all.length) as readonly Expression[];
  const rest = first.length < all.length || most <= first.length ? undefined : inner.possible(after, `${at}/items`);
  if (!rest && least > first.length) throw nothing(at, 'minItems', 'asks for more items than the schema allows');
  // From the end: what may follow after i items.
  const tail = (count: number): Expression => {
    if (!rest) return NOTHING;
    const [low, high] = [Math.max(0, least - count), most - count];
    if (count > 0) return repeat(sequence(COMMA, rest), low, high);
    const listed = sequence(rest, repeat(sequence(COMMA, rest), Math.max(0, low - 1), high - 1));
    return low > 0 ? listed : choice(listed, NOTHING);
  };
  let inside = tail(first.length);
  for (let i = first.length - 1; i >= 0; i--) {
    const item = inner.shared(sequence(...(i > 0 ? [COMMA] : []), first[i], inside), at);
    inside = i < least ? item : choice(item, NOTHING);
  }
  return inner.bracketed(sequence(literal('['), inside, literal(']')), { kind: rest && most === Infinity ? 'endless' : 'bounded', of: 'array' });
}
