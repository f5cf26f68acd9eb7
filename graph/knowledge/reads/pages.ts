// Owns pages of facts: the store's first, then those that rules derived, with one kind of cursor across both.
// Refuses to know how facts are derived.

import { randomBytes } from 'node:crypto';
import { StoreError } from '../../store.ts';
import type { Page } from '../../store.ts';
import type { TriplePattern } from '../../terms.ts';
import { NO_ASSUMPTIONS } from '../facts/assumptions.ts';
import { contextOf, proofLimits } from '../worlds/context.ts';
import type { Shared } from '../worlds/context.ts';
import { DerivedFacts, derivedAt, derivedRows } from './derived-facts.ts';
import { checkSupposed } from '../common/requests.ts';
import { hypothesisOf } from '../conflicts/resolved.ts';
import { StandingWorld } from '../worlds/standing.ts';
import type { KnownFact, KnownMatchOptions } from '../common/types.ts';
import type { BaseView } from '../worlds/view.ts';

const LIMIT = 100;
/** Row numbers mean something only inside the process that counted them. */
const PROCESS = randomBytes(6).toString('base64url');

/** Behind which stored fact, behind which derived row, or at which place among what follows at another time, a page begins. */
type Position =
  | { readonly stored: string | undefined }
  | { readonly generation: number; readonly slot: string; readonly row: number }
  | { readonly version: number; readonly offset: number }
  | 'derived';

const write = (position: Position): string => Buffer.from(JSON.stringify(parts(position))).toString('base64url');
function parts(position: Position): readonly unknown[] {
  if (position === 'derived') return ['d'];
  if ('stored' in position) return ['s', position.stored];
  return 'version' in position ? ['t', position.version, position.offset] : ['d', PROCESS, position.generation, position.slot, position.row];
}

function read(cursor: string): Position {
  const invalid = (why: string): StoreError =>
    new StoreError('invalid_cursor', `the cursor ${JSON.stringify(cursor.slice(0, 80))} ${why}; begin again without a cursor`);
  let found: unknown;
  try {
    found = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalid('is not one that was given out');
  }
  if (!Array.isArray(found)) throw invalid('is not one that was given out');
  const [kind, first, generation, slot, row] = found as unknown[];
  if (kind === 's' && typeof first === 'string') return { stored: first };
  if (kind === 't' && Number.isSafeInteger(first) && Number.isSafeInteger(generation) && (generation as number) >= 0) return { version: first as number, offset: generation as number };
  if (kind === 'd' && found.length === 1) return 'derived';
  if (kind === 'd' && typeof generation === 'number' && typeof slot === 'string' && Number.isSafeInteger(row)) {
    if (first !== PROCESS) throw invalid('was given out by another process');
    return { generation, slot, row: row as number };
  }
  throw invalid('is not one that was given out');
}

/**
 * One page of facts that match. Stored facts come first. A cursor into derived facts holds until one of them is withdrawn or rules change - at another time, until anything is
 * written: then StoreError `invalid_cursor`.
 */
export async function matchKnown(shared: Shared, state: BaseView, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
  const { derived = 'include', cursor, ...rest } = options;
  const limit = options.limit ?? LIMIT;
  const position: Position = cursor === undefined ? (derived === 'only' ? 'derived' : { stored: undefined }) : read(cursor);
  const items: KnownFact[] = [];
  let from: Exclude<Position, { readonly stored: string | undefined }>;
  if (typeof position === 'object' && 'stored' in position) {
    const page = await shared.store.match(state.base, pattern, { ...rest, limit, ...(position.stored === undefined ? {} : { cursor: position.stored }) });
    for (const fact of page.items) items.push({ ...fact, derived: false });
    if (page.cursor !== undefined) return { items, cursor: write({ stored: page.cursor }) };
    from = 'derived';
  } else from = position;
  // Which rules there were when is not known.
  if (derived === 'exclude' || options.asOf !== undefined) return { items };
  if (options.validAt !== undefined) return pageAt(shared, state, pattern, from, limit, options.validAt, options, items);
  return derivedPage(shared, state, pattern, from, limit, options, items);
}

const outdated = (): StoreError => new StoreError('invalid_cursor', 'the derived facts changed since the cursor was given out; begin again without a cursor');
type Derived = Exclude<Position, { readonly stored: string | undefined }>;
async function pageAt(
  shared: Shared,
  state: BaseView,
  pattern: TriplePattern,
  from: Derived,
  limit: number,
  validAt: string,
  { minConfidence = 0, signal }: KnownMatchOptions,
  items: KnownFact[],
): Promise<Page<KnownFact>> {
  if (from !== 'derived' && (!('version' in from) || from.version !== state.version)) throw outdated();
  checkSupposed([], [], validAt);
  const offset = from === 'derived' ? 0 : from.offset;
  const room = limit - items.length;
  const context = contextOf(shared, state, validAt);
  const { facts, more } = await derivedAt(
    state,
    hypothesisOf(state, NO_ASSUMPTIONS),
    pattern,
    { offset, limit: room, minConfidence },
    shared.limits.standing,
    context,
    signal,
  );
  items.push(...facts);
  return more ? { items, cursor: write({ version: state.version, offset: offset + facts.length }) } : { items };
}

async function derivedPage(
  shared: Shared,
  state: BaseView,
  pattern: TriplePattern,
  from: Derived,
  limit: number,
  { minConfidence = 0, signal }: KnownMatchOptions,
  items: KnownFact[],
): Promise<Page<KnownFact>> {
  const { database, generation } = state.closure;
  if (from !== 'derived' && (!('row' in from) || from.generation !== generation)) throw outdated();
  const reading = new DerivedFacts(state, new StandingWorld(state, proofLimits(shared.limits)).prover);
  const after = from === 'derived' ? undefined : from;
  let last: Position | undefined = after;
  for (const { slot, row } of derivedRows(database, pattern, minConfidence, after)) {
    if (items.length >= limit) return { items, cursor: write(last ?? 'derived') };
    signal?.throwIfAborted();
    items.push(await reading.read({ slot, row }));
    last = { generation, slot: slot.key, row };
  }
  return { items };
}
