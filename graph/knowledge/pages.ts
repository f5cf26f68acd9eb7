// Owns pages of facts: the store's first, then those that rules derived, with one kind of cursor across both.
// Refuses to know how facts are derived.

import { randomBytes } from 'node:crypto';
import { StoreError } from '../store.ts';
import type { GraphStore, Page } from '../store.ts';
import { entity } from '../terms.ts';
import type { TriplePattern } from '../terms.ts';
import { signed } from '../reason/database.ts';
import type { Slot } from '../reason/database.ts';
import type { BaseState } from './base.ts';
import { derivedFact } from './facts.ts';
import type { KnownFact, KnownMatchOptions } from './types.ts';

const LIMIT = 100;
/** Row numbers mean something only inside the process that counted them. */
const PROCESS = randomBytes(6).toString('base64url');

/** Behind which stored fact, or behind which derived row, a page begins. */
type Position = { readonly stored: string | undefined } | { readonly generation: number; readonly slot: string; readonly row: number } | 'derived';

const write = (position: Position): string =>
  Buffer.from(
    JSON.stringify(
      position === 'derived' ? ['d'] : 'stored' in position ? ['s', position.stored] : ['d', PROCESS, position.generation, position.slot, position.row],
    ),
  ).toString('base64url');

function read(cursor: string): Position {
  const invalid = (why: string): StoreError =>
    new StoreError('invalid_cursor', `the cursor ${JSON.stringify(cursor.slice(0, 80))} ${why}; begin again without a cursor`);
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalid('is not one that was given out');
  }
  if (!Array.isArray(parts)) throw invalid('is not one that was given out');
  const [kind, first, generation, slot, row] = parts as unknown[];
  if (kind === 's' && typeof first === 'string') return { stored: first };
  if (kind === 'd' && parts.length === 1) return 'derived';
  if (kind === 'd' && typeof generation === 'number' && typeof slot === 'string' && Number.isSafeInteger(row)) {
    if (first !== PROCESS) throw invalid('was given out by another process');
    return { generation, slot, row: row as number };
  }
  throw invalid('is not one that was given out');
}

/**
 * One page of facts that match. Stored facts come first. A cursor into derived facts holds until one of them is withdrawn or rules change:
 * then StoreError `invalid_cursor`.
 */
export async function matchKnown(store: GraphStore, state: BaseState, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
  const { derived = 'include', cursor, ...rest } = options;
  const limit = options.limit ?? LIMIT;
  const timeless = options.asOf === undefined && options.validAt === undefined;
  const position: Position = cursor === undefined ? (derived === 'only' ? 'derived' : { stored: undefined }) : read(cursor);
  const items: KnownFact[] = [];
  let from: Exclude<Position, { readonly stored: string | undefined }>;
  if (typeof position === 'object' && 'stored' in position) {
    const page = await store.match(state.base, pattern, { ...rest, limit, ...(position.stored === undefined ? {} : { cursor: position.stored }) });
    for (const fact of page.items) items.push({ ...fact, derived: false });
    if (page.cursor !== undefined) return { items, cursor: write({ stored: page.cursor }) };
    from = 'derived';
  } else from = position;
  if (derived === 'exclude' || !timeless) return { items };
  return derivedPage(state, pattern, from, limit, options, items);
}

function derivedPage(
  state: BaseState,
  pattern: TriplePattern,
  from: 'derived' | { readonly generation: number; readonly slot: string; readonly row: number },
  limit: number,
  { minConfidence = 0, signal }: KnownMatchOptions,
  items: KnownFact[],
): Page<KnownFact> {
  const { database, generation } = state.closure;
  if (typeof from === 'object' && from.generation !== generation)
    throw new StoreError('invalid_cursor', 'the derived facts changed since the cursor was given out; begin again without a cursor');
  const subject = pattern.subject === undefined ? undefined : entity(pattern.subject);
  let last: Position | undefined = typeof from === 'object' ? from : undefined;
  let skipping = typeof from === 'object';
  for (const slot of slotsOf(state, pattern)) {
    let after = -1;
    if (skipping && typeof from === 'object') {
      if (slot.key !== from.slot) continue;
      [skipping, after] = [false, from.row];
    }
    for (const row of database.rows(slot.key, subject, pattern.object)) {
      if (row <= after || slot.table.rules[row] < 0 || slot.table.confidence(row) < minConfidence) continue;
      if (items.length >= limit) return { items, cursor: write(last ?? 'derived') };
      signal?.throwIfAborted();
      items.push(derivedFact(state.base, database.triple(slot, row), slot.table.confidence(row), state.readAt));
      last = { generation, slot: slot.key, row };
    }
  }
  return { items };
}

function* slotsOf({ closure }: BaseState, { relation, negated }: TriplePattern): Generator<Slot> {
  if (relation !== undefined) {
    const slot = closure.database.get(signed(relation, negated));
    if (slot && slot.table.derived > 0) yield slot;
    return;
  }
  for (const slot of closure.database.slots()) if (slot.key.startsWith(negated ? '-' : '+') && slot.table.derived > 0) yield slot;
}
