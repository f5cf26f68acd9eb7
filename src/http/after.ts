// Owns pages of lists as OpenAI's API has them: `limit`, `order`, and `after`, the id of the last item seen; `cursor` of our other lists means the same.
// Refuses to know what the items are.

import { z } from 'zod';
import { queryWhole } from '../contract/common.ts';
import { HttpError } from './problems.ts';

/** Query parameters of such a list. */
export const afterPage = (most: number, usual: number) => ({
  limit: queryWhole(1, most).optional().describe(`Items of one page, 1 to ${most} (default ${usual}).`),
  after: z.string().min(1).max(256).optional().describe('Id of the last item of the page before.'),
  cursor: z.string().min(1).max(256).optional().describe('The same as `after`.'),
});
export const order = z.enum(['asc', 'desc']).optional().describe('By time of creation; newest first (desc) when absent.');
export const afterListOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    cursor: z.string().optional().describe('Present when there is more; give it with the next request.'),
  });

export interface AfterPage<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
  cursor?: string;
}
export interface AfterOptions {
  readonly limit?: number;
  readonly after?: string;
  readonly cursor?: string;
}
/** One page of items that stand in their order. Throws HttpError `invalid_value` for an id that none of them has. */
export function pageAfter<T extends { readonly id: string }>(items: readonly T[], { limit, after, cursor = after }: AfterOptions, usual: number): AfterPage<T> {
  const at = cursor === undefined ? -1 : items.findIndex(({ id }) => id === cursor);
  if (cursor !== undefined && at < 0)
    throw new HttpError('invalid_value', `after: nothing in this list has the id ${JSON.stringify(cursor.slice(0, 80))}; begin again without it`, {
      param: 'after',
    });
  const data = items.slice(at + 1, at + 1 + (limit ?? usual));
  const last = data.at(-1)?.id ?? null;
  const more = at + 1 + data.length < items.length;
  return { object: 'list', data, has_more: more, first_id: data[0]?.id ?? null, last_id: last, ...(more && last !== null ? { cursor: last } : {}) };
}
