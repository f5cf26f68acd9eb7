// Owns finding entities by name in Neo4j: candidates by indexes (equal, by beginning, by pieces in common), scored as everywhere by names.ts.
// Refuses to take a name for a query language: the full-text query is made of hashes only.

import { foldName, nameSimilarity } from '../names.ts';
import type { BaseName, Entity, EntityId } from '../terms.ts';
import type { EntityHit } from '../store.ts';
import * as cypher from './cypher.ts';
import { whole } from './connection.ts';
import type { Run } from './connection.ts';
import { entityOf, FUZZY_LENGTH, gramText, NAME_BEGINNING, nameKey, namesOf } from './records.ts';
import type { EntityProperties } from './records.ts';

/** Similar names that are compared at most; the score from which one is a hit. */
const COMPARED = 200;
const LEAST_SCORE = 0.6;
const entitiesOf = (rows: Awaited<ReturnType<Run>>): Entity[] => rows.map((row) => entityOf(row.get('entity') as EntityProperties));

/** Best first; of equal ones the name as it was typed, then by id. */
export async function searchNames(run: Run, kb: BaseName, text: string, limit: number): Promise<EntityHit[]> {
  const wanted = foldName(text);
  if (wanted === '' || limit <= 0) return [];
  const candidates = new Map<EntityId, Entity>();
  const offer = (entities: readonly Entity[]): void => {
    for (const entity of entities) candidates.set(entity.id, entity);
  };
  offer(entitiesOf(await run(cypher.NAMED_EXACTLY, { kb, keys: [nameKey(wanted)] })));
  if (candidates.size < limit) {
    // One letter is the beginning of too much, and two are like everything; not so in Chinese.
    const dense = wanted.charCodeAt(0) > 0x10ff;
    const bounds = { names: whole(limit * 4 + COMPARED), limit: whole(limit * 8 + COMPARED) };
    if (dense || wanted.length >= 2)
      offer(entitiesOf(await run(cypher.NAMED_FROM, { kb, beginning: wanted.slice(0, NAME_BEGINNING).toWellFormed(), ...bounds })));
    if ((dense || wanted.length >= 3) && wanted.length <= FUZZY_LENGTH)
      offer(entitiesOf(await run(cypher.NAMED_LIKE, { query: `+kb:"${kb}" +grams:(${gramText(wanted)})`, ...bounds })));
  }
  const hits: EntityHit[] = [];
  for (const entity of candidates.values()) {
    let best: { readonly matched: string; readonly score: number } | undefined;
    for (const matched of [entity.label, ...entity.aliases.map((alias) => alias.text)]) {
      const score = nameSimilarity(wanted, foldName(matched));
      if (score >= LEAST_SCORE && (!best || score > best.score || (score === best.score && matched === text))) best = { matched, score };
    }
    if (best) hits.push({ entity, ...best });
  }
  return hits
    .sort((a, b) => b.score - a.score || Number(b.matched === text) - Number(a.matched === text) || (a.entity.id < b.entity.id ? -1 : 1))
    .slice(0, limit);
}

/** By folded name, the entities whose label, alias or id folds to it, in order of id. */
export async function findNamed(run: Run, kb: BaseName, names: readonly string[]): Promise<Map<string, EntityHit[]>> {
  const wanted = new Map(
    names
      .map(foldName)
      .filter((folded) => folded !== '')
      .map((folded) => [nameKey(folded), folded]),
  );
  const found = new Map<string, EntityHit[]>();
  if (wanted.size === 0) return found;
  for (const row of await run(cypher.NAMED_EXACTLY, { kb, keys: [...wanted.keys()] })) {
    const folded = wanted.get(row.get('key') as string)!;
    const entity = entityOf(row.get('entity') as EntityProperties);
    const matched = namesOf(entity).find((name) => foldName(name) === folded);
    if (matched === undefined) continue;
    const hits = found.get(folded);
    if (hits) hits.push({ entity, matched, score: 1 });
    else found.set(folded, [{ entity, matched, score: 1 }]);
  }
  for (const hits of found.values()) hits.sort((a, b) => (a.entity.id < b.entity.id ? -1 : 1));
  return found;
}
