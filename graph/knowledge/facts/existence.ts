// Owns which entities and relations there are: those that some stored fact names, or that are described.
// Refuses to know rules and what follows.

import type { BaseName, EntityId, RelationName, Triple } from '../../terms.ts';
import type { GraphStore } from '../../store.ts';
import { pauses, runSliced } from '../../reason/evaluate/run.ts';
import { Turns } from '../common/turns.ts';

const ENTITY_BATCH = 1_000;

/** The entities that triples name. In slices. */
function* entitiesOf(triples: readonly Triple[]): Generator<void, Set<EntityId>> {
  const ids = new Set<EntityId>();
  const pause = pauses();
  for (const { subject, object } of triples) {
    if (pause()) yield;
    ids.add(subject);
    if (object.kind === 'entity') ids.add(object.id);
  }
  return ids;
}
/** Those of them that the store does not know. */
export async function unknownEntities(store: GraphStore, base: BaseName, triples: readonly Triple[]): Promise<EntityId[]> {
  const all = [...(await runSliced(entitiesOf(triples)))];
  const unknown: EntityId[] = [];
  const turns = new Turns();
  for (let i = 0; i < all.length; i += ENTITY_BATCH) {
    await turns.give();
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
