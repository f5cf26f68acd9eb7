// Owns reading a question that names a time and no thing ("Which station opened in 1849?"): the relation it speaks of, and the stored dates that lie in that time.
// Refuses to know how times are written, and what the answers have to be.

import { termKey } from '../../../graph/terms.ts';
import type { BaseName, Term } from '../../../graph/terms.ts';
import type { RelationSummary } from '../../../graph/store.ts';
import type { Word } from './content.ts';
import type { Interpretation, QuestionGraph } from './interpretation.ts';
import type { Lexicon } from './lexicon.ts';
import type { Question } from './question.ts';
import { CLEAR, Ranker } from './rank.ts';
import { isWithin } from './times.ts';
import type { Time } from './times.ts';

/** Facts of one relation that are looked through for a time, and different dates in it, at most: where there are more, it is not told. */
const FACTS = 20_000;
const DATES = 400;
const PAGE = 1_000;

const NOTHING: Pick<Interpretation, 'candidates' | 'confident'> = { candidates: [], confident: false };
export async function dated(graph: QuestionGraph, base: BaseName, question: Question, time: Time, words: readonly Word[], lexicon: Lexicon, relations: readonly RelationSummary[]): Promise<typeof NOTHING> {
  const valued = relations.filter(({ literals }) => literals > 0);
  const ranker = new Ranker(question, words, lexicon, valued, time);
  if (ranker.strangers.length > 0 || question.fellow.length > 0) return NOTHING;
  const ranked = valued
    .map((relation) => ({ relation, ranked: ranker.score([{ relation: relation.name, inverse: true }]) }))
    .filter(({ ranked: { evidence, astray } }) => evidence >= CLEAR && !astray)
    .toSorted((a, b) => b.ranked.score - a.ranked.score);
  for (const { relation, ranked: { score } } of ranked) {
    const dates = await datesOf(graph, base, relation);
    if (dates?.length === 0) continue;
    const [start, ...others] = dates?.filter((date) => isWithin(date, time)).toSorted((a, b) => (termKey(a) < termKey(b) ? -1 : 1)) ?? [];
    if (start === undefined || others.length >= DATES) return NOTHING;
    return { candidates: [{ start, path: [{ relation: relation.name, inverse: true }], score, ...(others.length > 0 ? { others } : {}) }], confident: true };
  }
  return NOTHING;
}

/** The different dates that the relation gives; undefined where there are too many facts to tell. */
async function datesOf(graph: QuestionGraph, base: BaseName, { name: relation, facts }: RelationSummary): Promise<readonly Term[] | undefined> {
  if (facts > FACTS) return undefined;
  const dates = new Map<string, Term>();
  let cursor: string | undefined;
  do {
    const page = await graph.match(base, { relation }, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const { object } of page.items) if (object.kind === 'literal' && object.type === 'date') dates.set(termKey(object), object);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return [...dates.values()];
}
