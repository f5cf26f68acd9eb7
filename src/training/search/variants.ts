// Owns how the same name or label is written otherwise: misspelt, in other case, order or signs, with a word of like meaning.
// Refuses to know questions, sentences and what is made of the pairs.

import { thesaurus } from '../../answers/thesaurus/thesaurus.ts';
import { EN_HELD_OUT, EN_LABELS } from '../grounded/labels.ts';
import { LEXICONS } from '../grounded/names.ts';
import type { Random } from '../random.ts';

/** From here on, words can stand for each other in a label. */
const NEAR = 0.85;
/** Words with which a label would not be the same relation. */
const LITTLE = /^(?:a|an|the|of|in|on|at|to|by|for|with|is|was|has|from|as|and)$/;

/** A slip of the pen in one word of at least four letters, or one Chinese character lost; texts without such a word stay as they are. */
export function misspelt(random: Random, text: string): string {
  const words = [...text.matchAll(/[\p{L}\p{M}]{4,}/gu)].filter(([word]) => !/\p{Script=Han}/u.test(word));
  const letters = Array.from(text);
  if (words.length === 0) {
    if (letters.length < 4 || !/\p{Script=Han}/u.test(text)) return text;
    const at = random.int(1, letters.length - 1);
    return letters.toSpliced(at, 1).join('');
  }
  const { 0: word, index } = random.pick(words);
  const spelt = Array.from(word);
  const at = random.int(1, spelt.length - 2);
  const wrong = random
    .pick([
      () => spelt.toSpliced(at, 1),
      () => spelt.toSpliced(at, 0, spelt[at]),
      () => spelt.toSpliced(at, 2, spelt[at + 1], spelt[at]),
      () => spelt.with(at, random.pick(Array.from('aeiounrstl'))),
    ])()
    .join('');
  return text.slice(0, index) + wrong + text.slice(index + word.length);
}

/** Another way of writing a name that a reader takes for the same. */
export function nameVariant(random: Random, name: string): string {
  const words = name.split(' ');
  const han = /\p{Script=Han}/u.test(name);
  const ways: (() => string)[] = [
    () => misspelt(random, name),
    () => name.replace(/[\p{P}\p{S}]+/gu, (signs) => (han ? '' : signs.length > 1 ? ' ' : '')).trim(),
  ];
  if (!han)
    ways.push(
      () => name.toLowerCase(),
      () => name.toUpperCase(),
      () => name.normalize('NFD').replace(/\p{M}/gu, ''),
      () => words.join('_'),
    );
  else
    ways.push(
      () => `《${name}》`,
      () => name.replace(/·/g, ' '),
      () => `“${name}”`,
    );
  if (words.length > 1 && !han)
    ways.push(
      () => `${words.at(-1)}, ${words.slice(0, -1).join(' ')}`,
      () => words.toReversed().join(' '),
    );
  if (words.length > 1) ways.push(() => words.toSpliced(random.int(0, words.length - 1), 1).join(' '));
  if (words.length === 2 && !han) ways.push(() => `${words[0].charAt(0)}. ${words[1]}`);
  if (/^(the|a) /i.test(name)) ways.push(() => name.replace(/^(the|a) /i, ''));
  return random.pick(ways)() || name;
}

let words: readonly string[] | undefined;
const near = new Map<string, readonly string[]>();
/** Words that can stand for a word of a label, out of those that training draws; found when they are first asked for. */
function nearWords(word: string): readonly string[] {
  const before = near.get(word);
  if (before) return before;
  const heldOut = new Set(EN_HELD_OUT.flatMap((label) => label.split(' ')));
  words ??= [...new Set([...EN_LABELS.flatMap((label) => label.split(' ')), ...LEXICONS.training.words].map((each) => each.toLowerCase()))].filter(
    (each) => each.length > 2 && !LITTLE.test(each) && !heldOut.has(each),
  );
  const known = thesaurus();
  // Made-up words are near to none.
  if (!known.lemmas(word).some((lemma) => known.has(lemma))) return [];
  const found = words.filter(
    (other) => other !== word && (known.synonymous(word, other) || (known.similarity(word, other) >= NEAR && known.similarity(other, word) >= NEAR)),
  );
  near.set(word, found);
  return found;
}
/** An English label with one word in the place of another of like meaning (WordNet); undefined when no word of it has one. */
export function inOtherWords(random: Random, label: string): string | undefined {
  const parts = label.split(' ');
  const places = parts.flatMap((part, i) => (!LITTLE.test(part) && nearWords(part.toLowerCase()).length > 0 ? [i] : []));
  if (places.length === 0) return undefined;
  const at = random.pick(places);
  return parts.with(at, random.pick(nearWords(parts[at].toLowerCase()))).join(' ');
}
