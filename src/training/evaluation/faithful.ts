// Owns telling whether a reply names what its evidence does not hold, and whether it says the relations that it should.
// Refuses to know how replies are made.

import { evidenceNames, evidenceWords, plain, relationText } from '../../answers/words/evidence.ts';
import type { GroundedFormat } from '../../engine/port.ts';
import type { Sample } from '../grounded/samples.ts';

const FUNCTION = new Set(
  'a an the of in on at by to from for with as and or not no yes is are was were be been has have had that this those which who whom what it its their there one ones'.split(
    ' ',
  ),
);

/**
 * A word of the reply that must be (part of) a name and that neither evidence nor question holds; undefined when there is none. Of a model with a lexicon: any word that is not in it. Of others: a
 * capital inside a sentence, a number, and, in Chinese, what stands in quotation marks or in other letters.
 */
export function stray(text: string, { evidence, language, question, about }: Sample, format?: GroundedFormat): string | undefined {
  let rest = text;
  const names = [...evidenceNames(evidence), ...(about === undefined ? [] : [plain(about)])];
  for (const name of names.toSorted((a, b) => b.length - a.length)) rest = rest.replaceAll(name, '\u2002');
  // "Half-life" is said in two parts as well.
  const known = new Set([...evidenceWords(evidence).flatMap((word) => [word, ...word.split(/[^\p{L}\p{N}]+/u)]), ...(format?.lexicon[language] ?? [])].map((word) => word.toLowerCase()));
  const asked = plain(question).toLowerCase();
  if (format && language === 'en') return rest.match(/[\p{L}\p{N}]+/gu)?.find((word) => !known.has(word.toLowerCase()) && !FUNCTION.has(word.toLowerCase()));
  if (format) {
    const characters = new Set([...known].join(''));
    return Array.from(rest).find((character) => /[\p{L}\p{N}]/u.test(character) && !characters.has(character));
  }
  const pattern = language === 'en' ? /(?<=[\p{L}\p{N},;:\u2002] )\p{Lu}[\p{L}\p{M}]+|\p{N}+/gu : /[“《「][^”》」]+[”》」]|[\p{Script=Latin}\p{N}]+/gu;
  return rest.match(pattern)?.find((found) => !known.has(found.replace(/[“”《》「」]/g, '').toLowerCase()) && !asked.includes(found.toLowerCase()));
}

const stem = (word: string): string =>
  word
    .toLowerCase()
    .replace(/(?:ies|y)$/, 'i')
    .replace(/(?:e?s|ed|ing)$/, '')
    .replace(/e$/, '')
    .replace(/([^aeiou])\1$/, '$1');
/** Does the reply hold every word of the relations that it is about, in any form? A refusal is about none. */
export function relationSaid(text: string, sample: Sample): boolean {
  const { conclusion, verdict } = sample.evidence;
  if (verdict === 'unknown' || sample.kind === 'refuse' || !conclusion) return true;
  const said = new Set(text.match(/[\p{L}\p{N}]+/gu)?.map(stem));
  return conclusion.relations.every((relation) => {
    const words = relationText(relation);
    if (/\p{Script=Han}/u.test(words)) return text.includes(words);
    return words.split(/\s+/).every((word) => FUNCTION.has(word.toLowerCase()) || said.has(stem(word)));
  });
}
