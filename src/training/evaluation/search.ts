// Owns the task of finding the fact that answers a question among a thousand by vectors, beside the same search by words (BM25).
// Refuses to know how the model was trained.

import type { Embeddings, Engine, ModelInfo } from '../../engine/port.ts';
import type { Random } from '../random.ts';
import { acrossPair, makePair, otherWordsPair } from '../search/pairs.ts';
import type { Pair } from '../search/pairs.ts';
import { misspelt } from '../search/variants.ts';
import type { Group } from './groups.ts';

const POOL = 1000;
/** Questions of one set at most: each has two facts of the pool, the one that answers it and one that looks like it. */
const MOST_QUESTIONS = POOL / 2;
/** The usual constants of BM25: how soon a word that stands again counts no more, and how much length counts (Robertson and Zaragoza 2009, section 3.5). */
const [K1, B] = [1.2, 0.75];

export interface SearchSet {
  readonly questions: readonly string[];
  /** All different. The first ones answer the questions, in their order. */
  readonly facts: readonly string[];
}
/** Questions with facts; among those, one beside each right one that has its names or its relation. */
export function searchSet(next: () => Pair, questions: number): SearchSet {
  const [pairs, others] = [new Map<string, string>(), new Set<string>()];
  while (pairs.size < questions) {
    const { query, document, negative } = next();
    if (pairs.has(document) || others.has(document) || pairs.has(negative)) continue;
    pairs.set(document, query);
    others.add(negative);
  }
  while (pairs.size + others.size < POOL) {
    const { document } = next();
    if (!pairs.has(document)) others.add(document);
  }
  return { questions: [...pairs.values()], facts: [...pairs.keys(), ...others] };
}

/** Words in small letters; Chinese characters one by one and in pairs. */
export function searchWords(text: string): string[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/\p{Script=Han}+|[^\P{L}\p{Script=Han}]+|\p{N}+/gu) ?? [];
  return words.flatMap((word) => {
    if (!/\p{Script=Han}/u.test(word)) return [word];
    const characters = Array.from(word);
    return [...characters, ...characters.slice(1).map((character, i) => characters[i] + character)];
  });
}
/** Scores of a question for each text: BM25 (Robertson and Zaragoza 2009, eq. 3.15, with the logarithm above zero as in Lucene). */
export function wordSearch(texts: readonly string[]): (question: string) => Float64Array {
  const [places, lengths] = [new Map<string, Map<number, number>>(), new Float64Array(texts.length)];
  for (const [i, text] of texts.entries())
    for (const word of searchWords(text)) {
      const of = places.get(word) ?? new Map<number, number>();
      places.set(word, of.set(i, (of.get(i) ?? 0) + 1));
      lengths[i]++;
    }
  const usual = lengths.reduce((a, b) => a + b, 0) / texts.length;
  return (question) => {
    const scores = new Float64Array(texts.length);
    for (const word of new Set(searchWords(question))) {
      const of = places.get(word) ?? new Map<number, number>();
      const rarity = Math.log(1 + (texts.length - of.size + 0.5) / (of.size + 0.5));
      for (const [i, count] of of) scores[i] += (rarity * count * (K1 + 1)) / (count + K1 * (1 - B + (B * lengths[i]) / usual));
    }
    return scores;
  };
}

/** Two rankings as one: the sum of 1 / (60 + rank) by each (Cormack et al. 2009). */
export function together(a: Float64Array, b: Float64Array): Float64Array {
  const [ofA, ofB] = [a, b].map((scores) => {
    const ranks = new Float64Array(scores.length);
    for (const [rank, place] of Array.from(scores.keys())
      .sort((one, other) => scores[other] - scores[one])
      .entries())
      ranks[place] = rank + 1;
    return ranks;
  });
  return ofA.map((rank, i) => 1 / (60 + rank) + 1 / (60 + ofB[i]));
}
/** How many texts are scored at least as high as the right one; of equal ones it is the last. */
export const rankOf = (scores: ArrayLike<number>, right: number): number => Array.from(scores).filter((score) => score >= scores[right]).length;
const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
function figures(ranks: readonly number[]): string[] {
  const mean = (value: (rank: number) => number): number => ranks.reduce((sum, rank) => sum + value(rank), 0) / ranks.length;
  return [percent(mean((rank) => (rank === 1 ? 1 : 0))), percent(mean((rank) => (rank <= 10 ? 1 : 0))), mean((rank) => 1 / rank).toFixed(3)];
}

export const SEARCH_HEAD = [
  'set',
  'asked',
  'questions',
  'recall@1',
  'recall@10',
  'MRR',
  'BM25 recall@1',
  'BM25 recall@10',
  'BM25 MRR',
  'both recall@1',
  'both recall@10',
  'both MRR',
];
/** Rows of a group: asked as the facts are told, with a slip of the pen, and, where labels are usual ones, in other words (English) and in the other language. At most half as many questions as there are facts. */
export async function searchRows(engine: Engine, { id }: ModelInfo, { title, options }: Group, random: Random, count: number): Promise<string[][]> {
  const questions = Math.min(count, MOST_QUESTIONS);
  const told = searchSet(() => makePair(random, 'fact', options), questions);
  const sets: (readonly [asked: string, set: SearchSet])[] = [
    ['in its words', told],
    ['misspelt', { ...told, questions: told.questions.map((question) => misspelt(random, question)) }],
  ];
  if (!options.heldOutRelations) {
    if (options.language === 'en') sets.push(['in other words', searchSet(() => otherWordsPair(random, options), questions)]);
    const from = options.language === 'en' ? 'zh' : 'en';
    sets.push([`in ${from === 'zh' ? 'Chinese' : 'English'}`, searchSet(() => acrossPair(random, options, from, 'question'), questions)]);
  }
  const rows: string[][] = [];
  for (const [asked, set] of sets) {
    const embed = async (inputs: readonly string[], inputType: 'query' | 'document'): Promise<Embeddings> =>
      engine.embed({ model: id, inputs, inputType, truncate: true });
    const [wanted, facts] = [await embed(set.questions, 'query'), await embed(set.facts, 'document')];
    const words = wordSearch(set.facts);
    const ranks = set.questions.map((question, i) => {
      const byVectors = Float64Array.from(facts.vectors, (fact) => fact.reduce((sum, value, d) => sum + value * wanted.vectors[i][d], 0));
      const byWords = words(question);
      return [byVectors, byWords, together(byVectors, byWords)].map((scores) => rankOf(scores, i));
    });
    rows.push([title, asked, String(questions), ...[0, 1, 2].flatMap((way) => figures(ranks.map((each) => each[way])))]);
  }
  return rows;
}
