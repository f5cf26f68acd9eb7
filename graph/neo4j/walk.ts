// Owns walking in Neo4j: which relation paths leave a term, and what a path reaches, one query for each step.
// Refuses to look at more edges than its budgets: behind them, numbers of ends are lower bounds.

import type { BaseName, Fact, Path, PathStep, RelationName, Term } from '../terms.ts';
import type { PathResult, StoredPathSummary } from '../store.ts';
import * as cypher from './cypher.ts';
import { whole } from './connection.ts';
import type { Run } from './connection.ts';
import { storedFact, term, termKey } from './records.ts';
import type { TermProperties } from './records.ts';

/** Edges looked at for one path; terms from which a path goes on; ends in a sample. */
const PATH_EDGES = 20_000;
const FRONTIER = 5000;
const SAMPLE = 5;
/** Edges looked at in one step of `follow`. */
const FOLLOW_EDGES = 200_000;

/** Paths of one to `hops` steps that reach something other than `start`, shorter ones first, at most `limit`. */
export async function walkPaths(run: Run, kb: BaseName, start: Term, hops: number, limit: number): Promise<StoredPathSummary[]> {
  const key = termKey(start);
  const found: StoredPathSummary[] = [];
  let layer: { readonly path: Path; readonly keys: readonly string[]; readonly timed: boolean }[] = [{ path: [], keys: [key], timed: false }];
  for (let hop = 0; hop < hops && layer.length > 0 && found.length < limit; hop++) {
    const next: typeof layer = [];
    const rows = await run(cypher.STEPS, {
      kb,
      start: key,
      paths: layer.map(({ keys }, index) => ({ index: whole(index), keys })),
      edges: whole(PATH_EDGES),
      sample: whole(SAMPLE),
      frontier: whole(hop + 1 < hops ? FRONTIER : 0),
    });
    for (const row of rows) {
      const step: PathStep = { relation: row.get('relation') as RelationName, inverse: row.get('inverse') as boolean };
      const before = layer[row.get('index') as number];
      const path = [...before.path, step];
      const timed = before.timed || (row.get('timed') as boolean);
      const ends = row.get('ends') as number;
      if (ends > 0 && found.length < limit) found.push({ path, ends, sample: (row.get('sample') as TermProperties[]).map(term), timed });
      next.push({ path, keys: row.get('keys') as string[], timed });
    }
    layer = next;
  }
  return found;
}

/** What `path` reaches from `start`, at most `limit` ends, in the order in which the walk meets them: that of the facts' recording. */
export async function walkPath(run: Run, kb: BaseName, start: Term, path: Path, limit: number): Promise<PathResult[]> {
  const key = termKey(start);
  const layers: { readonly facts: Fact[]; readonly from: number[] }[] = [];
  let keys = [key];
  for (const [index, { relation, inverse }] of path.entries()) {
    const last = index === path.length - 1;
    const rows = await run(cypher.step(inverse), {
      kb,
      relation,
      keys,
      // No key is the empty text.
      except: last ? key : '',
      edges: whole(FOLLOW_EDGES),
      limit: whole(last ? limit : FOLLOW_EDGES),
    });
    layers.push({ facts: rows.map((row) => storedFact(row).fact), from: rows.map((row) => row.get('place') as number) });
    keys = rows.map((row) => row.get('key') as string);
    if (keys.length === 0) return [];
  }
  const end = path.at(-1);
  if (!end) return [];
  return keys.map((_, place) => {
    const facts: Fact[] = [];
    for (let layer = layers.length - 1, at = place; layer >= 0; layer--) {
      facts.unshift(layers[layer].facts[at]);
      at = layers[layer].from[at];
    }
    const fact = facts[facts.length - 1];
    return { end: end.inverse ? { kind: 'entity', id: fact.subject } : fact.object, facts };
  });
}
