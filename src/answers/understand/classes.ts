// Owns whether answers are what "which N" asks for, as far as the graph tells classes and qualities.
// Refuses to know how the answers were found.

import { entity, termText } from '../../../graph/terms.ts';
import type { BaseName, Relation } from '../../../graph/terms.ts';
import { isPlural } from '../words/grammar.ts';
import { labelShape } from '../words/wording.ts';
import type { Candidate, QuestionGraph } from './interpretation.ts';
import { WEAK } from './lexicon.ts';
import type { Lexicon, Word } from './lexicon.ts';
import type { Link } from './link.ts';
import { asksSex, isSexHan } from './narrow.ts';
import type { Question } from './question.ts';
import { thesaurus } from './thesaurus.ts';

/** Answers whose class is looked at, at most. */
const CLASSED = 64;

/** A relation that says what its subject is. */
export const isClass = (relation: Relation): boolean => [relation.name as string, ...relation.aliases.map(({ text }) => text)].some((label) => labelShape(label).kind === 'class');

/** "Which chemists": where the graph tells chemists from others among the answers, all have to be some. Kinds that the answers are said to have are told apart by who reads them. */
export async function fitsClass(graph: QuestionGraph, base: BaseName, question: Question, { start, path }: Candidate, links: readonly Link[], words: readonly Word[], lexicon: Lexicon, relations: readonly Relation[]): Promise<boolean> {
  // The class may be a name of the graph itself: "Which chemist".
  const named = links.find((link) => /\b(?:which|what|many)\s+$/i.test(question.text.slice(0, link.start)) && termText(start) !== link.entity.id);
  const word = words.find((each) => each.asked || isSexHan(each.text)) ?? (named && { text: named.text.toLowerCase(), start: named.start, end: named.end, part: 'noun', asked: true, relational: false });
  if (!word) return !asksSex(question, undefined);
  if (path.some(({ relation }) => lexicon.match(question, word, relation).value >= WEAK)) return true;
  const bases = thesaurus().lemmas(word.text);
  const ends = (await graph.follow(base, start, path, { limit: CLASSED })).map(({ end }) => end);
  const ids = ends.flatMap((end) => (end.kind === 'entity' ? [end.id] : []));
  if ((await graph.entities(base, ids)).some(({ types }) => types.some((type) => thesaurus().lemmas(type.toLowerCase()).some((one) => bases.includes(one))))) return true;
  // Of "tags", in the plural, no single one says what a thing is.
  const isQuality = (relation: Relation): boolean => {
    const shape = labelShape(relation.name);
    return isClass(relation) || (shape.kind === 'noun' && !isPlural(shape.text));
  };
  const qualities = new Set(relations.filter(isQuality).map(({ name }) => name));
  for (const { entity: quality } of [...(await graph.named(base, [...new Set([word.text, ...bases])])).values()].flat())
    for (const { path: [{ relation, inverse }] } of await graph.paths(base, entity(quality.id), { hops: 1 })) {
      if (!inverse || !qualities.has(relation)) continue;
      let [told, fitting] = [0, 0];
      for (const id of ids) {
        const values = await graph.follow(base, entity(id), [{ relation, inverse: false }]);
        told += Number(values.length > 0);
        fitting += Number(values.some(({ end }) => end.kind === 'entity' && end.id === quality.id));
      }
      if (told > 0) return fitting === ids.length && ids.length < CLASSED;
    }
  return !asksSex(question, word.text);
}
