// Owns graphs of the shape of public link-prediction sets, made by a seed, with rules planted in them.
// Refuses to know how rules are learned.

import { Random } from '../../graph/induce/random.ts';

export type Row = readonly [string, string, string];
/** Entities, relations and facts of the training parts. */
const SHAPES: Readonly<Record<string, readonly [number, number, number]>> = { wn18rr: [40_943, 11, 86_835], 'fb15k-237': [14_541, 237, 272_115] };

/** Every relation r of three is r-1 backwards in 8 of 10 cases, every other third follows from the two before in 6 of 10; a few entities have most facts. Validation: each 90th fact. */
export function shaped(name: string): { readonly train: Row[]; readonly valid: Row[] } | undefined {
  const shape = SHAPES[name];
  if (!shape) return undefined;
  const [entities, relations, facts] = shape;
  const random = new Random(1);
  const share = (): number => random.below(1_000_000) / 1_000_000;
  const entity = (): number => Math.floor(entities * share() ** 2);
  const out = Array.from({ length: relations }, () => new Map<number, number[]>());
  const pairs = Array.from({ length: relations }, (): [number, number][] => []);
  const found = new Set<string>();
  const rows: Row[] = [];
  const add = (s: number, r: number, o: number): void => {
    const key = `${s} ${r} ${o}`;
    if (found.has(key)) return;
    found.add(key);
    rows.push([`e${s}`, `r${r}`, `e${o}`]);
    pairs[r].push([s, o]);
    (out[r].get(s) ?? out[r].set(s, []).get(s))?.push(o);
  };
  while (rows.length < facts) {
    const r = random.below(relations);
    const [a, b] = [Math.max(0, r - 1), Math.max(0, r - 2)];
    const from = pairs[b][random.below(Math.max(1, pairs[b].length))];
    const roll = share();
    if (r % 3 === 1 && roll < 0.8 && pairs[a].length > 0) {
      const [s, o] = pairs[a][random.below(pairs[a].length)];
      add(o, r, s);
    } else if (r % 3 === 2 && roll < 0.6 && from) {
      const next = out[a].get(from[1]);
      if (next) add(from[0], r, next[random.below(next.length)]);
    } else add(entity(), r, entity());
  }
  return { train: rows.filter((_, i) => i % 90 !== 0), valid: rows.filter((_, i) => i % 90 === 0) };
}
