// Owns the graphs that benchmarks load: a file of `subject|relation|object` lines, or generated ones of any size.
// Refuses to know where they are loaded.

import { readFile } from 'node:fs/promises';
import { entity, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Statement } from '../../graph/terms.ts';

/** mulberry32: the same numbers in [0, 1) for the same seed. */
export const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
};

/** `count` different triples over count / 3 entities and nine relations; some entities have far more edges than others, as in real graphs. */
export function generate(count: number, seed = 1): Statement[] {
  const random = randomFrom(seed);
  const entities = Math.max(2, Math.ceil(count / 3));
  const name = (i: number) => parseEntityId(`entity ${i.toString(36)} of ${entities}`);
  const relations = Array.from({ length: 9 }, (_, i) => parseRelationName(`relation ${i}`));
  const seen = new Set<string>();
  const statements: Statement[] = [];
  while (statements.length < count) {
    const [s, r, o] = [Math.floor(random() * entities), Math.floor(random() * 9), Math.floor(random() ** 3 * entities)];
    const key = `${s} ${r} ${o}`;
    if (seen.has(key)) continue;
    seen.add(key);
    statements.push({ subject: name(s), relation: relations[r], object: entity(name(o)) });
  }
  return statements;
}

/** One triple a line, parts divided by `|`; other lines are an error that names the line. */
export async function readTriples(file: string): Promise<Statement[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    const parts = line.split('|');
    if (parts.length !== 3) throw new Error(`${file}, line ${i + 1}: ${parts.length} parts; a line is subject|relation|object`);
    return [{ subject: parseEntityId(parts[0]), relation: parseRelationName(parts[1]), object: entity(parseEntityId(parts[2])) }];
  });
}
