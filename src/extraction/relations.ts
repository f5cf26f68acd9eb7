// Owns which relations a passage may speak of, and by which of their labels.
// Refuses to know models and how facts are written.

import type { Relation } from '../../graph/terms.ts';
import { relationText } from '../answers/words/evidence.ts';
import { labelShape } from '../answers/words/grammar.ts';

/** A relation under the label by which the passage most likely speaks of it. */
export interface Candidate {
  readonly relation: Relation['name'];
  readonly label: string;
}
const HAN = /\p{Script=Han}/u;
/** Words that say nothing alone. */
const SMALL = new Set('a an the of in on at by to from for with as is are was were be been has have had and or'.split(' '));
/** What is common to the forms of an English word, roughly: "directs", "directed" and "director" begin alike. */
const stem = (word: string): string => (word.length < 5 ? word : word.replace(/(?:ations?|ions?|ings?|ors?|ers?|ies|ed|es|s|y|e)$/, ''));
const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Share of a label's telling words that the passage has, 0 to 1; of a label that has none, whether its words stand there as they are. */
function spokenOf(label: string, passage: string, stems: ReadonlySet<string>): number {
  const text = relationText(label);
  if (HAN.test(text)) return passage.includes(text) ? 1 : 0;
  if (labelShape(text).kind === 'class') return /\b(?:is|are|was|were) an?\b/.test(passage) ? 1 : 0;
  const telling = wordsOf(text).filter((word) => !SMALL.has(word));
  if (telling.length === 0) return ` ${wordsOf(passage).join(' ')} `.includes(` ${wordsOf(text).join(' ')} `) ? 1 : 0;
  return telling.filter((word) => stems.has(stem(word))).length / telling.length;
}

/** At most `most` relations that the passage has a word of, the most plainly spoken of first. */
export function candidatesOf(passage: string, relations: readonly Pick<Relation, 'name' | 'aliases'>[], most: number): readonly Candidate[] {
  const stems = new Set(wordsOf(passage).map(stem));
  return relations
    .flatMap(({ name, aliases }) => {
      const labels = [name as string, ...aliases.map(({ text }) => text)].map((label) => ({ label, share: spokenOf(label, passage, stems) }));
      const best = labels.reduce((a, b) => (b.share > a.share ? b : a));
      return best.share > 0 ? [{ relation: name, ...best }] : [];
    })
    .toSorted((a, b) => b.share - a.share)
    .slice(0, most)
    .map(({ relation, label }) => ({ relation, label }));
}
