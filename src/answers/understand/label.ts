// Owns a relation's name or alias taken apart as a phrase: its words, small ones, Chinese characters, head, and the part of speech that it begins with.
// Refuses to know questions, and how near other words are.

import { relationText } from '../words/evidence.ts';
import { labelShape, labelShapeZh } from '../words/grammar.ts';
import type { Shape } from '../words/grammar.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';
import { isFunctionWord, isGeneric, isGrammarHan } from './question.ts';

export interface Label {
  readonly text: string;
  /** Every word in order, small ones too, but for a unit of measure at the end. */
  readonly all: readonly string[];
  readonly words: readonly string[];
  /** Function words of the label, such as the "in" of "born in". */
  readonly small: readonly string[];
  readonly han: string;
  /** It is a relation's name, and no alias. */
  readonly own: boolean;
  readonly shape: Shape;
  /** It begins with a verb: "works for". */
  readonly verbal: boolean;
}

const HAN_RUN = /\p{Script=Han}+/gu;
/** Units of measure as names of relations end with them. */
export const MEASURE = /^(?:mg|kg|mm|cm|km|ms|mins|kb|mb|gb|tb|kw|mw|gw|kv|mv|hz|mhz|ghz|eur|usd|gbp|cny|sqm|m2|km2)$/;
/** How names of relations shorten words. */
const SHORT: Readonly<Record<string, string>> = { max: 'maximum', min: 'minimum', avg: 'average', num: 'number', qty: 'quantity' };
/** What "min" behind it measures in minutes. */
const LASTING = /^(?:time|duration|length|period)$/;
/** The words of a label in lower case; "height_cm" speaks of the height. */
function wordsOf(text: string): string[] {
  const words = text.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').toLowerCase().match(/(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])+/gu) ?? [];
  const [before, last] = words.slice(-2);
  if (last !== undefined && (MEASURE.test(last) || (last === 'min' && LASTING.test(before)))) words.pop();
  return words.map((word) => SHORT[word] ?? word);
}

export function labelOf(text: string, own: boolean): Label {
  const shape = labelShape(relationText(text));
  const all = wordsOf(relationText(text));
  // "Last name": the head of several words, though any name has one.
  const words = all.filter((word, i) => (!isFunctionWord(word) && !isGeneric(word)) || (word === 'name' && i > 0 && i === all.length - 1) || (word === 'set' && i === 0 && all.length > 1 && shape.kind === 'copula'));
  const han = (text.match(HAN_RUN) ?? []).join('');
  return { text, all, words, small: all.filter((word) => isFunctionWord(word)), han: isGrammarHan(han) ? '' : han, own, shape, verbal: shape.kind === 'verb' || shape.kind === 'copula' || (han !== '' && labelShapeZh(han).kind === 'verb') };
}

/** "Date" of "date of birth", "ground" of "home ground". */
export const headOf = ({ all, words }: Label): string => (all.includes('of') ? all[all.indexOf('of') - 1] : words[words.length - 1]);
export const isParticiple = (word: string): boolean => !word.endsWith('s') && !word.endsWith('ing') && thesaurus().lemmas(word).some((base) => base !== word && thesaurus().is(base, 'v'));

/** Where the question says a label of several words, which are none that relate things ("older than"); the preposition behind it may stand elsewhere, or be left out: "first released on". */
export function labelled(text: string, labels: readonly string[]): readonly { readonly start: number; readonly end: number }[] {
  const lower = text.toLowerCase();
  return labels.map((label) => relationText(label).toLowerCase().replace(/(?<=\s\S+)\s(?:on|in|at|by|to|from)$/, '')).flatMap((label) => {
    const isWhole = /\s/.test(label) ? !/\b(?:than|before|after|until|during|between|not|or|but|without)\b/.test(label) : /^\p{Script=Han}{2,}$/u.test(label);
    const start = isWhole ? lower.indexOf(label) : -1;
    return start < 0 || /[\p{Script=Latin}\p{N}]/u.test(`${lower[start - 1] ?? ''}${lower[start + label.length] ?? ''}`) ? [] : [{ start, end: start + label.length }];
  });
}
