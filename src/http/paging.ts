// Owns pages of lists that are held whole, by name of their items.
// Refuses to know what the items are.

import { asList } from '../contract/common.ts';
import { HttpError } from './problems.ts';

const write = (key: string): string => Buffer.from(key).toString('base64url');
function read(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (write(key) !== cursor)
    throw new HttpError('invalid_value', `the cursor ${JSON.stringify(cursor.slice(0, 80))} is not one that was given out; begin again without a cursor`, {
      param: 'cursor',
    });
  return key;
}

const LAST = Number.MAX_SAFE_INTEGER;
/** A key by which whole numbers, 0 or more, stand greatest first. */
export const descending = (number: number): string => String(LAST - number).padStart(String(LAST).length, '0');

/** One page in order of the items' keys; items that come or go in between shift nothing. */
export function pageOf<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit = 100, cursor }: { readonly limit?: number; readonly cursor?: string },
): ReturnType<typeof asList<T>> {
  const after = cursor === undefined ? undefined : read(cursor);
  const rest = items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).filter((item) => after === undefined || keyOf(item) > after);
  return asList(rest.slice(0, limit), rest.length > limit ? write(keyOf(rest[limit - 1])) : undefined);
}
