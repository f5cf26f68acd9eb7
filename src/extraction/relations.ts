// Owns which relations a passage may speak of, and by which of their labels.
// Refuses to know models and how facts are written.

import type { Relation, RelationName } from '../../graph/terms.ts';
import { thesaurus } from '../answers/thesaurus/thesaurus.ts';
import { relationText } from '../answers/words/evidence.ts';
import { labelShape, labelShapeZh } from '../answers/words/grammar.ts';

/** A relation under the label by which the passage most likely speaks of it. */
export interface Candidate {
  readonly relation: Relation['name'];
  readonly label: string;
}
const HAN = /\p{Script=Han}/u;
/** Words that say nothing alone. */
const SMALL = new Set('a an the of in on at by to from for with as is are was were be been has have had and or'.split(' '));
/** What is common to the forms of an English word, roughly: "directs", "directed" and "director" begin alike. */
const stem = (word: string): string => (word.length < 5 ? word.replace(/(?<=...)e$/, '') : word.replace(/(?:ations?|ions?|ings?|ors?|ers?|ies|ed|es|s|y|e)$/, ''));
/** What is common to forms that begin otherwise, too: "taught" and "teaches". */
export const formsOf = (word: string): readonly string[] => [word, ...thesaurus().lemmas(word)].map(stem);
const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

export const tellingOf = (label: string): readonly string[] => wordsOf(relationText(label)).filter((word) => !SMALL.has(word));
/** A label, as far as it is the same for every passage. */
interface Label {
  readonly relation: RelationName;
  readonly label: string;
  readonly text: string;
  readonly kind: 'han' | 'class' | 'words';
  /** Forms of each of its telling words. */
  readonly telling: readonly (readonly string[])[];
  /** All its words, with a blank around each. */
  readonly spelt: string;
}
const spelt = (words: readonly string[]): string => ` ${words.join(' ')} `;
function labelOf(relation: RelationName, label: string): Label {
  const text = relationText(label);
  const kind = HAN.test(text) ? 'han' : labelShape(text).kind === 'class' ? 'class' : 'words';
  return { relation, label, text, kind, telling: tellingOf(label).map(formsOf), spelt: spelt(wordsOf(text)) };
}
type Named = Pick<Relation, 'name' | 'aliases'>;
/** By the list that they are of: a knowledge base may have ten thousand relations, and a text has hundreds of sentences. */
const read = new WeakMap<readonly Named[], readonly Label[]>();
function labelsOf(relations: readonly Named[]): readonly Label[] {
  const known = read.get(relations);
  if (known) return known;
  const labels = relations.flatMap(({ name, aliases }) => [...new Set([name as string, ...aliases.map(({ text }) => text)])].map((label) => labelOf(name, label)));
  read.set(relations, labels);
  return labels;
}
/** Share of a label's telling words that the passage has, 0 to 1; of a label that has none, whether its words stand there as they are. `words`: those of the passage as a label's are spelt. */
function spokenOf({ text, kind, telling, spelt: own }: Label, passage: string, stems: ReadonlySet<string>, words: string): number {
  if (kind === 'han') return passage.includes(text) ? 1 : 0;
  if (kind === 'class') return /\b(?:is|are|was|were) an?\b/.test(passage) ? 1 : 0;
  if (telling.length === 0) return words.includes(own) ? 1 : 0;
  return telling.filter((forms) => forms.some((form) => stems.has(form))).length / telling.length;
}

type Place = readonly [from: number, to: number];
/** Where a label stands in the passage word for word, by its beginning there and behind its end; underscores are blanks. */
export function placesOf(label: string, passage: string): readonly Place[] {
  const text = relationText(label);
  const places: [number, number][] = [];
  if (HAN.test(text)) for (let at = passage.indexOf(text); at >= 0; at = passage.indexOf(text, at + 1)) places.push([at, at + text.length]);
  else {
    const words = RegExp.escape(text).replace(/(?:\\x20)+/g, '\\s+');
    for (const { 0: found, index } of passage.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])${words}(?![\\p{L}\\p{N}])`, 'giu'))) places.push([index, index + found.length]);
  }
  return places;
}
/** Those that are no part of a longer one. A text without full stops may have a hundred thousand. */
function outermost(places: readonly Place[]): ReadonlySet<Place> {
  const found = new Set<Place>();
  let [first, longest, before] = [-1, -1, -1];
  for (const place of places.toSorted(([a, b], [c, d]) => a - c || d - b)) {
    const [from, to] = place;
    if (from !== first) [first, before, longest] = [from, Math.max(before, longest), to];
    if (before < to && longest === to) found.add(place);
  }
  return found;
}

/**
 * At most `most` labels of relations that the passage has a word of, the most plainly spoken of first. Labels that stand there word for word are each one, and not what is only a part of a longer one:
 * who is "taught by" somebody has not "taught". Of any other relation it is the label that fits best, if the passage has a word of it besides those.
 */
export function candidatesOf(passage: string, relations: readonly Named[], most: number): readonly Candidate[] {
  const words = wordsOf(passage);
  const stems = new Set([...new Set(words)].flatMap(formsOf));
  const whole = spelt(words);
  const labels = labelsOf(relations).flatMap((each) => {
    const share = spokenOf(each, passage, stems, whole);
    return share > 0 ? [{ ...each, share, places: share === 1 ? placesOf(each.label, passage) : [] }] : [];
  });
  const apart = outermost(labels.flatMap(({ places }) => places));
  const standing = labels.filter(({ places }) => places.some((place) => apart.has(place)));
  const spoken = new Set(standing.map(({ relation }) => relation));
  const told = new Set(standing.flatMap(({ telling }) => telling.flat()));
  const isOther = ({ telling }: Label): boolean => telling.length === 0 || telling.some((forms) => forms.some((form) => stems.has(form)) && !forms.some((form) => told.has(form)));
  const best = new Map<RelationName, (typeof labels)[number]>();
  for (const each of labels) if (each.places.length === 0 && !spoken.has(each.relation) && isOther(each) && each.share > (best.get(each.relation)?.share ?? 0)) best.set(each.relation, each);
  // "Plato teaches him" says nothing of who was "taught by" whom, where it says who "teaches".
  const isPassive = ({ text }: Label): boolean => / by$/i.test(text) && !/\bby\b/i.test(passage);
  const active = new Set([...best.values()].flatMap((each) => (isPassive(each) ? [] : each.telling.flat())));
  const others = [...best.values()].filter((each) => !isPassive(each) || !each.telling.flat().some((form) => active.has(form)));
  // 王芳是李明的妻子 says whose wife she is, and not what she is.
  const isOwned = standing.some(({ label }) => HAN.test(relationText(label)) && kindOf(label) === 'noun' && new RegExp(`是[^，。；]+的${RegExp.escape(relationText(label))}`, 'u').test(passage));
  const fitting = [...standing, ...others.toSorted((a, b) => b.share - a.share)].filter(({ label }) => !isOwned || kindOf(label) !== 'class');
  return fitting.slice(0, most).map(({ relation, label }) => ({ relation, label }));
}

/** "The prize was won by Ann" for "won". */
function isPassive(passage: string, subject: string, label: string, object: string): boolean {
  if (/ by$/i.test(label)) return false;
  const verb = new RegExp(`${RegExp.escape(subject)} (?:is|are|was|were|(?:has|have|had) been) (?:\\p{L}+ly )?(\\p{L}+) by (?:the )?${RegExp.escape(object)}`, 'iu').exec(passage)?.[1];
  const telling = new Set(tellingOf(label).flatMap(formsOf));
  return verb !== undefined && formsOf(verb.toLowerCase()).some((form) => telling.has(form));
}
/** Does the passage say of the one that it is what the label says the other has? "Berlin is the capital of Germany" tells the capital of Germany, 苏格拉底是柏拉图的老师 the teacher of Plato. */
export function isTurned(passage: string, subject: string, label: string, object: string): boolean {
  const text = relationText(label);
  if (kindOf(label) === 'verb') return isPassive(passage, subject, text, object);
  if (kindOf(label) !== 'noun') return false;
  const [first, middle, second] = [subject, text, object].map((part) => RegExp.escape(part));
  const said = HAN.test(text) ? `${first}是${second}的${middle}` : `${first} (?:is|was) (?:an?|the)(?: \\p{L}+){0,2} ${middle} of (?:the )?${second}`;
  return new RegExp(said, 'iu').test(passage);
}

/** What kind of phrase a label is: one that says of what kind something is, a noun, a verb, or what follows "is" and "was". */
export function kindOf(label: string): ReturnType<typeof labelShape>['kind'] {
  const text = relationText(label);
  return HAN.test(text) ? labelShapeZh(text).kind : labelShape(text).kind;
}
