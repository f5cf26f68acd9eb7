// Owns a link-prediction set made of WordNet 3.0 (Princeton University) in the way of WN18 (Bordes et al. 2014) and WN18RR (Dettmers et al. 2018): synsets with few links left out, one of each two relations that are inverse.
// Refuses to know how rules are learned. It is not WN18RR: its list of synsets and its parts are not at hand. Relations, their sizes and their links are WordNet's.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../../graph/induce/random.ts';
import type { Row } from './shapes.ts';

/** Pointer symbols, wninput(5WN). The second of each pair is the inverse, which counts as a link and is not in the set. */
const KEPT: Readonly<Record<string, string>> = {
  '@': 'hypernym', '@i': 'instance_hypernym', '%m': 'member_meronym', '%p': 'has_part', '+': 'derivationally_related_form', '^': 'also_see', $: 'verb_group', '&': 'similar_to', ';c': 'synset_domain_topic_of', '-r': 'member_of_domain_region', '-u': 'member_of_domain_usage',
};
const INVERSES = ['~', '~i', '#m', '#p', '-c', ';r', ';u'];
/** Links, told in both directions, below which a synset is left out: with it, sizes are nearest to WN18RR's. */
const LEAST = 5;
const [VALID, TEST] = [3134, 3034];

/** Satellites of adjectives (`s`) are left out: WN18RR has next to none of their links. Throws what reading the files throws. */
export async function wordnetSet(folder: string): Promise<{ readonly train: readonly Row[]; readonly valid: readonly Row[]; readonly test: readonly Row[] }> {
  const links = new Map<string, Row>();
  for (const part of ['noun', 'verb', 'adj', 'adv'])
    for (const line of (await readFile(join(folder, `data.${part}`), 'utf8')).split('\n')) {
      if (line === '' || line.startsWith('  ')) continue;
      const [offset = '', , kind = '', words = '', ...rest] = line.split(' | ', 1)[0].split(' ');
      if (kind === 's') continue;
      const fields = rest.slice(2 * Number.parseInt(words, 16));
      for (let i = 1; i <= 4 * Number(fields[0]); i += 4) {
        const [symbol = '', target = '', pos = ''] = fields.slice(i, i + 3);
        if (pos !== 's' && (symbol in KEPT || INVERSES.includes(symbol))) links.set(`${kind}${offset} ${symbol} ${pos}${target}`, [`${kind}${offset}`, symbol, `${pos}${target}`]);
      }
    }
  const degree = new Map<string, number>();
  for (const [subject, , object] of links.values()) for (const end of [subject, object]) degree.set(end, (degree.get(end) ?? 0) + 1);
  const enough = (synset: string): boolean => (degree.get(synset) ?? 0) >= LEAST;
  const rows = [...links.values()].filter(([subject, symbol, object]) => symbol in KEPT && enough(subject) && enough(object)).map(([subject, symbol, object]): Row => [subject, KEPT[symbol], object]);
  const random = new Random(7);
  const drawn = rows.map((row) => ({ row, at: random.below(1_000_000_000) })).sort((a, b) => a.at - b.at).map(({ row }) => row);
  return { valid: drawn.slice(0, VALID), test: drawn.slice(VALID, VALID + TEST), train: drawn.slice(VALID + TEST) };
}
