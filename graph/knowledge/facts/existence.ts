// Owns which entities and relations there are: those that some stored fact names, or that are described.
// Refuses to know rules and what follows.

import type { BaseName, EntityId, RelationName, Triple } from '../../terms.ts';
import type { GraphStore } from '../../store.ts';

const ENTITY_BATCH = 1_000;

export function entitiesOf(triples: readonly Triple[]): Set<EntityId> {
  const ids = new Set<EntityId>();
  for (const { subject, object } of triples) {
    ids.add(subject);
    if (object.kind === 'entity') ids.add(object.id);
  }
  return ids;
}
/** Those that the store does not know. */
export async function unknownEntities(store: GraphStore, base: BaseName, ids: ReadonlySet<EntityId>): Promise<EntityId[]> {
  const all = [...ids];
  const unknown: EntityId[] = [];
  for (let i = 0; i < all.length; i += ENTITY_BATCH) {
    const batch = all.slice(i, i + ENTITY_BATCH);
    const known = new Set((await store.entities(base, batch)).map(({ id }) => id));
    unknown.push(...batch.filter((id) => !known.has(id)));
  }
  return unknown;
}
/** Relations of these triples in which nothing is stored. */
export async function emptyRelations(store: GraphStore, base: BaseName, triples: readonly Triple[]): Promise<RelationName[]> {
  const empty: RelationName[] = [];
  for (const relation of new Set(triples.map((triple) => triple.relation)))
    if ((await store.match(base, { relation }, { limit: 1 })).items.length === 0) empty.push(relation);
  return empty;
}
