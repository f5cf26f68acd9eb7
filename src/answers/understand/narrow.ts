// Owns hearing what narrows a name or the answers further than a path or a triple does: words that make a name another one's, "former" and "twice", "which women", what is left of a yes/no question.
// Refuses to know how paths are found and scored.

import type { Link } from './link.ts';
import { isUnknown } from './lexicon.ts';
import type { Word } from './lexicon.ts';
import { isFellowWord, isFunctionHan, isFunctionWord, isGeneric } from './question.ts';
import type { Question, Token } from './question.ts';
import { thesaurus } from './thesaurus.ts';

type Speaks = (word: string) => boolean;
const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** What may stand right in front of a name without making it another one's. */
const TITLES = set(
  'mr mrs ms miss mister mx sir dame lord lady madam madame monsieur mme mlle dr doctor prof professor herr frau fräulein don doña señor señora saint st king queen prince princess emperor empress tsar czar ' +
    'president chancellor minister senator governor mayor judge justice captain major colonel general admiral lieutenant sergeant pope bishop cardinal father mother brother sister rabbi reverend comrade ' +
    'hello hi hey dear ok okay yes please well so',
);
/** Words that pick one of several in an order, or count how often. */
const ORDER = set('former formerly previous previously second third fourth fifth sixth seventh eighth ninth tenth next twice thrice once');
/** Classes of people that a question does not presuppose but asks for. */
const SEXES = set('woman man girl boy lady gentleman female male');
const SEXES_HAN = /(?:哪些|哪位|哪个|哪几[位个]|多少|几[位个]|有谁是)(?:女|男)/;
const NUMERAL = /^(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|several|multiple)$/;
/** Words behind the last name that ask for no more. */
const ASKING = /ly$|^(?:right|correct|true|himself|herself|itself|themselves|today|now)$/;
/** Single characters in front of a name that lead to it. */
const LEADING_HAN = /[从向让给以用按就只当叫名同替中说]/u;
const DOT = /[·・•‧]/;

const capital = (token: Token | Word): boolean => /^\p{Lu}/u.test(token.text);
const within = (links: readonly Link[], { start, end }: { readonly start: number; readonly end: number }): boolean => links.some((link) => start < link.end && link.start < end);

/** "Elsa Einstein" where Einstein is known, "West Germany", "小爱因斯坦": a word right beside a name, and no part of the sentence, that makes it another one's. */
export function besideName(question: Question, links: readonly Link[], speaks: Speaks, spoken: (start: number, end: number) => boolean): boolean {
  const { text, tokens } = question;
  const careless = !/\p{Lu}/u.test(text);
  return links.some((link) => {
    if (DOT.test(text[link.start - 1] ?? '') || (DOT.test(text[link.end] ?? '') && /[\p{L}\p{N}]/u.test(text[link.end + 1] ?? ''))) return true;
    const at = tokens.findIndex(({ start }) => start === link.start);
    const [before, beyond] = [tokens[at - 1], tokens[at - 2]];
    const after = tokens.find(({ start }) => start >= link.end);
    if (before?.han) {
      const apart = beyond === undefined || !beyond.han || isFunctionHan(beyond.text) || within(links, beyond) || spoken(beyond.start, beyond.end);
      return apart && before.end === link.start && /^\p{Script=Han}/u.test(link.text) && !isFunctionHan(before.text) && !LEADING_HAN.test(before.text) && !within(links, before) && !spoken(before.start, before.end);
    }
    // "Elsa F. Einstein": an initial belongs to the name behind it; "Elsa-Einstein" is one name.
    const initial = before?.text === '.' && beyond !== undefined && /^\p{Lu}$/u.test(beyond.text) ? beyond : undefined;
    const joined = before?.text === '-' ? beyond : before;
    return [initial ?? joined, after?.text === '-' ? tokens[tokens.indexOf(after) + 1] : after].some((token) => {
      if (!token || token.han || !/^\p{L}/u.test(token.text) || within(links, token) || isFunctionWord(token.lower) || isGeneric(token.lower) || isFellowWord(token.lower) || speaks(token.lower)) return false;
      const between = text.slice(Math.min(token.end, link.end), Math.max(token.start, link.start));
      if (!/^\s*-?\s*$/.test(between) && token !== initial) return false;
      if (careless) return token.lower.length > 2 && isUnknown(token.lower) && !TITLES.has(token.lower);
      if (!capital(token) || (token.start < link.start && TITLES.has(token.lower))) return false;
      const first = token.start < link.start && (tokens[0] === token || /[.!?:;]\s*$/.test(text.slice(0, token.start)));
      return !first || !thesaurus().lemmas(token.lower).some((base) => thesaurus().is(base, 'v'));
    });
  });
}

/** "The former wife of", "won twice", "will be": one of several, how often, or what is to come, unless a relation is called so. */
export function pickedOut(question: Question, links: readonly Link[], labels: readonly string[]): boolean {
  const said = question.tokens.filter((token) => !within(links, token));
  const named = (word: string): boolean => labels.some((label) => label.toLowerCase().split(/[^\p{L}\p{N}]+/u).includes(word));
  return said.some(({ lower }, i) => (ORDER.has(lower) && !(lower === 'next' && said[i + 1]?.lower === 'to') && !named(lower)) || (lower === 'will' && (/^(?:be|become|have)$/.test(said[i + 1]?.lower ?? '') || said[i - 1]?.lower === 'who')));
}

export const isSexHan = (text: string): boolean => /^[女男]/.test(text);
/** "Which women": where the graph does not know them as a class, no path says it. */
export const asksSex = (question: Question, asked: string | undefined): boolean => SEXES_HAN.test(question.text) || (asked !== undefined && thesaurus().lemmas(asked).some((base) => SEXES.has(base)));

/** What a yes/no question says beside its names and its relation: a number of things, another name, something from `end` on, where its names are told. `spoken`: the word speaks of the relation. */
export function leftOver(question: Question, words: readonly Word[], end: number, spoken: (word: Word) => boolean): boolean {
  return words.some((word) => {
    const written = question.text.slice(word.start, word.end);
    if (spoken(word) || ASKING.test(word.text)) return false;
    return NUMERAL.test(word.text) || /^\p{Script=Latin}/u.test(written) && (word.start >= end || (/^\p{Lu}/u.test(written) && word.start > 0 && !TITLES.has(word.text)));
  });
}
