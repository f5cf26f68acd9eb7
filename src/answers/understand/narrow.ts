// Owns hearing what narrows a name or the answers further than a path or a triple does: words that make a name another one's, "former" and "twice", "which women", what is left of a yes/no question.
// Refuses to know how paths are found and scored.

import { relationText } from '../words/evidence.ts';
import type { Word } from './content.ts';
import type { Stranger } from './interpretation.ts';
import type { Link } from './link.ts';
import { isUnknown } from './lexicon.ts';
import { isFellowWord, isFunctionHan, isFunctionWord, isGeneric, MEASURES_HAN, oneOf } from './question.ts';
import type { Question, Token } from './question.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';

type Speaks = (word: string) => boolean;
const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** What may stand right in front of a name without making it another one's. */
const TITLES = set(
  'mr mrs ms miss mister mx sir dame lord lady madam madame monsieur mme mlle dr doctor prof professor herr frau fräulein don doña señor señora saint st king queen prince princess emperor empress tsar czar ' +
    'president chancellor minister senator governor mayor judge justice captain major colonel general admiral lieutenant sergeant pope bishop cardinal father mother brother sister rabbi reverend comrade ' +
    'hello hi hey dear ok okay yes please well so',
);
/** Words that pick one of several in an order, or count how often. */
const ORDER = set('former formerly previous previously second third fourth fifth sixth seventh eighth ninth tenth next twice thrice once alone jointly');
/** Classes of people that a question does not presuppose but asks for. */
const SEXES = set('woman man girl boy lady gentleman female male');
const SEXES_HAN = /(?:哪些|哪位|哪个|哪几[位个]|多少|几[位个]|有谁是)(?:女|男)/;
const NUMERAL = /^(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|several|multiple)$/;
/** Words behind the last name that ask for no more. */
const ASKING = /ly$|^(?:right|correct|true|himself|herself|itself|themselves|today|now)$/;
/** Single characters in front of a name that lead to it. */
const LEADING_HAN = /[从向让给以用按就只当叫名同替中说]/u;
/** "哪条" in front of "线路". */
const MEASURED_HAN = new RegExp(`(?:[哪几]|多少)(?:一|几)?(?:些|${MEASURES_HAN})$`, 'u');
const DOT = /[·・•‧]/;

const capital = (token: Token | Word): boolean => /^\p{Lu}/u.test(token.text);
const within = (links: readonly Link[], { start, end }: { readonly start: number; readonly end: number }): boolean => links.some((link) => start < link.end && link.start < end);

/** What may stand right behind a Chinese name without making it another one's: adverbs, titles, "city". */
const BEHIND_HAN = new RegExp(
  `^${oneOf('曾, 一共, 一生, 总共, 共, 究竟, 到底, 现, 今年, 今天, 已经?, 目前, 如今, 当年, 当时, 后来, 最初, 起初, 最终, 先后, 具体, 真的?, 确实, 真正, 分别, 本人, 自己, 先生, 女士, 教授, 博士, 爵士, 市, 来自, 出自, 生于, 叫, 该, 此, 每[年季月周天日], 属于(?=[哪什]), 从(?=[哪什何]), [重高](?=多少)')}`,
  'u',
);
/** A verb of one character, as `singleHan` has it: "爱因斯坦死于". */
const VERB_HAN = /^(?:.[哪谁什于了过]|[死住活长葬埋]在)/u;

/** "Elsa Einstein" where Einstein is known, "West Germany", "小爱因斯坦", "柏林墙": with a word right beside it that is no part of the sentence a name is another one's. */
export function besideName(question: Question, links: readonly Link[], speaks: Speaks, spoken: (start: number, end: number) => boolean): Stranger | undefined {
  const { text, tokens } = question;
  const careless = !/\p{Lu}/u.test(text);
  const isFree = (token: Token | undefined): token is Token => token !== undefined && !within(links, token) && !spoken(token.start, token.end);
  const isForeignHan = (token: Token | undefined): token is Token => isFree(token) && token.han && !isFunctionHan(token.text);
  const isForeign = (token: Token | undefined, link: Link): token is Token => {
    if (!token || token.han || !/^\p{L}/u.test(token.text) || within(links, token) || isFunctionWord(token.lower) || isGeneric(token.lower) || isFellowWord(token.lower) || speaks(token.lower)) return false;
    if (careless) return token.lower.length > 2 && isUnknown(token.lower) && !TITLES.has(token.lower);
    if (!capital(token) || (token.start < link.start && TITLES.has(token.lower))) return false;
    const first = token.start < link.start && (tokens[0] === token || /[.!?:;]\s*$/.test(text.slice(0, token.start)));
    return !first || !thesaurus().lemmas(token.lower).some((base) => thesaurus().is(base, 'v'));
  };
  for (const link of links) {
    const at = tokens.findIndex(({ start }) => start === link.start);
    const past = tokens.findIndex(({ start }) => start >= link.end);
    const behind = past < 0 ? [] : tokens.slice(past);
    let { start, end } = link;
    /** Takes what stands beside the stretch into it as long as it is part of a name. */
    const grow = (isPart: (token: Token) => boolean): Stranger & { readonly name: string } => {
      for (const token of tokens.slice(0, at).toReversed()) if (/^\s*$/.test(text.slice(token.end, start)) && isPart(token)) start = token.start; else break;
      for (const token of behind) if (/^\s*$/.test(text.slice(end, token.start)) && isPart(token)) end = token.end; else break;
      return { start, end, name: text.slice(start, end) };
    };
    const [before, beyond] = [tokens[at - 1], tokens[at - 2]];
    const isHan = /^\p{Script=Han}/u.test(link.text);
    if (DOT.test(text[link.start - 1] ?? '') || (DOT.test(text[link.end] ?? '') && /[\p{L}\p{N}]/u.test(text[link.end + 1] ?? ''))) return grow((token) => DOT.test(token.text) || (token.han ? isForeignHan(token) : /^\p{L}/u.test(token.text)));
    const [after] = behind;
    if (isHan && isForeignHan(before) && before.end === link.start && !LEADING_HAN.test(before.text) && !MEASURED_HAN.test(text.slice(0, link.start)) && (beyond === undefined || !beyond.han || isFunctionHan(beyond.text) || !isFree(beyond))) {
      const whole = grow(isForeignHan);
      return beyond === undefined || isFree(beyond) ? whole : { ...whole, name: '' };
    }
    if (/\p{Script=Han}$/u.test(link.text) && !link.text.endsWith('的') && isForeignHan(after) && after.start === link.end && !BEHIND_HAN.test(text.slice(after.start))) {
      if (VERB_HAN.test(text.slice(after.start))) return { start: link.start, end: link.end };
      const whole = grow((token) => token.start >= link.end && isForeignHan(token));
      if (after.text === '最') return { start: link.start, end: link.end };
      const next = behind.find(({ start: from }) => from >= whole.end);
      // "爱因斯坦毕业于", "苏格拉底爱柏拉图": what is not known is a relation.
      if (next && (within(links, next) || /^[于谁什哪多]$/u.test(next.text))) return { start: link.start, end: link.end };
      return next && next.han && !/^[的是]/.test(next.text) && !spoken(next.start, next.end) ? { ...whole, name: '' } : whole;
    }
    // "Elsa F. Einstein": an initial belongs to the name behind it; "Elsa-Einstein" is one name.
    const isInitial = before?.text === '.' && beyond !== undefined && /^\p{Lu}$/u.test(beyond.text);
    const neighbours = [isInitial || before?.text === '-' ? beyond : before, after?.text === '-' ? behind[1] : after];
    const isNear = (token: Token): boolean => (isInitial && token === beyond) || /^\s*-?\s*$/.test(text.slice(Math.min(token.end, link.end), Math.max(token.start, link.start)));
    const foreign = neighbours.find((token) => isForeign(token, link) && isNear(token));
    if (!foreign) continue;
    const whole = grow((token) => /^[-.]$/.test(token.text) || isForeign(token, link));
    // "Is Zeus mortal?": what is found is no part of a name.
    if (/\p{Lu}/u.test(link.entity.label)) return whole;
    const [from, to] = foreign.start < link.start ? [whole.start, foreign.end] : [foreign.start, whole.end];
    return { start: from, end: to, name: text.slice(from, to) };
  }
  return undefined;
}

const SENTENCE_END = /[!！。]\s*(?=\S)|(?:^|(?<![\p{L}.]))(\p{L}\p{Ll}{2,})\.\s+(?=\S)/gu;
/** The question with blanks in the place of sentences before it that name nothing and ask nothing: "Great. Where was Plato born?". */
export function withoutChatter(text: string, links: readonly Link[]): string {
  const first = links[0]?.start ?? 0;
  const ends = [...text.matchAll(SENTENCE_END)].flatMap(({ 0: sign, 1: word, index }) => (index + sign.length > first || (word !== undefined && TITLES.has(word.toLowerCase())) ? [] : [index + sign.length]));
  const length = ends.at(-1) ?? 0;
  if (/[?？\p{N}]/u.test(text.slice(0, length))) return text;
  return ' '.repeat(length) + text.slice(length);
}

/** Who is spoken to: "Hi Pharos,". */
const ADDRESSED = /^\s*(?:hello|hi|hey|dear|ok|okay|thanks|thank you)\b[^,.!?]*[,.!]/i;
/** "Is Zeus mortal?", "Where was Hans born and where did Plato die?": a name of nothing that is known. Of a yes/no question it is one in front of those that were found. Where every word has a capital nothing can be told. */
export function unknownName(question: Question, links: readonly Link[], speaks: Speaks): Stranger | undefined {
  const { text, tokens, kind } = question;
  const said = tokens.filter((token) => !token.han && !within(links, token));
  if (links.length === 0 || !said.some(({ text: word }) => /^\p{Ll}/u.test(word))) return undefined;
  const [from, to] = [ADDRESSED.exec(text)?.[0].length ?? 0, kind === 'verify' ? links[0].start : text.length];
  const isName = (token: Token | undefined): token is Token =>
    token !== undefined && token.start > from && token.end <= to && /^\p{Lu}.*\p{Ll}/u.test(token.text) && !within(links, token) && !isFunctionWord(token.lower) && !isGeneric(token.lower) && !isFellowWord(token.lower) && !TITLES.has(token.lower) && !speaks(token.lower);
  const at = tokens.findIndex((token, i) => isName(token) && i > 0 && !/[.!?:;]\s*$/.test(text.slice(0, token.start)));
  if (at < 0) return undefined;
  const { start } = tokens[at];
  let { end } = tokens[at];
  for (const token of tokens.slice(at + 1)) if (token.start - end <= 1 && isName(token)) ({ end } = token); else break;
  // "Which German city was Einstein born in?" asks about Einstein, as what stands behind his name does.
  const next = tokens.find((token) => token.start >= end);
  const isAdjective = next !== undefined && !within(links, next) && thesaurus().is(next.lower, 'n') && !thesaurus().lemmas(next.lower).some((base) => thesaurus().is(base, 'v'));
  return isAdjective || start > links[0].start ? { start, end } : { start, end, name: text.slice(start, end) };
}
/** What stands in front of a Chinese question without belonging to it. */
const LEAD_HAN = /^(?:请问|请告诉我|告诉我|你知道|我想知道|那么?|[\s,，:：])*/u;
/** "宙斯会死吗": characters in front of the names that were found and no part of the sentence. */
export function unknownSubjectHan(question: Question, links: readonly Link[], spoken: (start: number, end: number) => boolean): Stranger | undefined {
  const { text, tokens } = question;
  const start = LEAD_HAN.exec(text)?.[0].length ?? 0;
  let end = start;
  for (const token of tokens.filter((each) => each.start >= start && each.end <= (links[0]?.start ?? 0))) if (token.han && token.start === end && !isFunctionHan(token.text) && !spoken(token.start, token.end)) ({ end } = token); else break;
  return end - start < 2 ? undefined : { start, end, name: text.slice(start, end) };
}

/** "The former wife of", "won twice", "will be": one of several, how often, or what is to come, unless a relation is called so. */
export function pickedOut(question: Question, links: readonly Link[], labels: readonly string[]): boolean {
  const said = question.tokens.filter((token) => !within(links, token));
  const named = (word: string): boolean => labels.some((label) => relationText(label).toLowerCase().split(/[^\p{L}\p{N}]+/u).includes(word));
  return said.some(({ lower }, i) => (ORDER.has(lower) && !(lower === 'next' && said[i + 1]?.lower === 'to') && !named(lower)) || (lower === 'will' && (/^(?:be|become|have)$/.test(said[i + 1]?.lower ?? '') || said[i - 1]?.lower === 'who')));
}

/** Prepositions with which a label leads to what is done rather than to who does it, too. */
const OTHERWISE = /^(?:in|at|for|by|on|to|as)$/;
/** "Who acted with X?" for "acted in": where a verb of the graph's relations is said with "with" and none of them is called so, the others are asked for who do the same. */
export function companions({ text, tokens }: Question, links: readonly Link[], labels: readonly string[]): number[] {
  const told = labels.map((label) => relationText(label).toLowerCase().split(/[^\p{L}\p{N}]+/u));
  return tokens.flatMap((token, i) => {
    const verb = tokens[i - 1];
    if (token.lower !== 'with' || i === 0 || within(links, token) || within(links, verb) || /\b(?:is|are|was|were|be|been)\b/i.test(text.slice(0, verb.start))) return [];
    const speaking = told.filter((label) => label.some((word) => thesaurus().lemmas(word).some((base) => thesaurus().is(base, 'v') && thesaurus().lemmas(verb.lower).includes(base))));
    const other = speaking.some((label) => label.length > 1 && (OTHERWISE.test(label[label.length - 1]) || (label[0].endsWith('ed') && label[1] !== 'with')));
    return other && !speaking.some((label) => label.includes('with')) ? [token.start] : [];
  });
}

const SEXED = /^(?:fathers?|mothers?|dad|mom|mum|brothers?|sisters?|sons?|daughters?|uncles?|aunts?|nephews?|nieces?|husbands?|wi(?:fe|ves)|grand(?:father|mother|son|daughter)s?|fathered|mothered)$/;
/** "Who is the father of X" where the graph tells parents only, of either sex. `means`: the word says what a name of the relation says. */
export const narrowsSex = (words: readonly Word[], speaks: (word: Word) => boolean, means: (word: Word) => boolean): boolean => words.some((word) => SEXED.test(word.text) && speaks(word) && !means(word));

/** What begins or serves to do something does it. */
const DOES = /^(?:begin|start|continue|keep|manage|happen|come|go|get|help|use|know|serve|prescribe)$/;
/** What somebody lacks or gave up is not his; what somebody needs need not be. */
const WITHOUT = /^(?:lack|lose|miss|need|want|seek|await|avoid|quit|abandon|forgo|forfeit|renounce|relinquish|reject|refuse|decline|deny|resign|shun)$/;
const isVerb = ({ text }: Word): boolean => thesaurus().lemmas(text).some((base) => thesaurus().is(base, 'v'));
/** It follows whom or what it is said of, or an auxiliary. */
function isVerbOf({ start }: Word, tokens: readonly Token[], links: readonly Link[]): boolean {
  const before = tokens.findLast(({ end }) => end <= start);
  return before !== undefined && (/^(?:who|that|which|what|has|have|had|did|does|do|is|was|were|are)$/.test(before.lower) || within(links, before));
}
/** "Who regretted working in", "was prevented from working in", "is unable to work in": what somebody only felt, or could not do. `speaks`: the word speaks of a relation. */
export function heldOff({ text, tokens }: Question, links: readonly Link[], words: readonly Word[], speaks: (word: Word) => boolean): boolean {
  return words.some((word, i) => {
    const next = words[i + 1];
    // "Who lacks work in X", "how many platforms does X lack": said of what other words speak of.
    const asked = i > 0 && words[i - 1].asked && /^\s+$/.test(text.slice(words[i - 1].end, word.start));
    if (!word.asked && !speaks(word) && words.some(speaks) && !/^\p{Lu}/u.test(text.slice(word.start)) && (asked || isVerbOf(word, tokens, links)) && thesaurus().lemmas(word.text).some((base) => WITHOUT.test(base))) return true;
    if (!next || word.asked || speaks(word) || !speaks(next) || !/^\p{Script=Latin}/u.test(word.text) || thesaurus().lemmas(word.text).some((base) => DOES.test(base))) return false;
    const between = text.slice(word.end, next.start);
    // "Who left work in X", "does Y hate work in X", "who applied for work in X": what was left is not done.
    if (/^\s+(?:(?:for|of|against|out of)\s+)?$/i.test(between) && isVerbOf(word, tokens, links) && [word, next].every(isVerb)) return true;
    if (/^\s+(?:to|from)\s+$/i.test(between)) return !/\b(?:moved|went|came)$/i.test(text.slice(0, word.end));
    return /^\s+$/.test(between) && next.text.endsWith('ing') && (word.text.endsWith('ed') || isVerbOf(word, tokens, links)) && isVerb(word);
  });
}

export const isSexHan = (text: string): boolean => /^[女男]/.test(text);
/** "Which women": where the graph does not know them as a class, no path says it. */
export const asksSex = (question: Question, asked: string | undefined): boolean => SEXES_HAN.test(question.text) || (asked !== undefined && thesaurus().lemmas(asked).some((base) => SEXES.has(base)));

/** What a yes/no question says beside its names and its relation: a number of things, another name, something from `end` on, where its names are told. `spoken`: the word speaks of the relation. */
export function leftOver(question: Question, words: readonly Word[], end: number, spoken: (word: Word) => boolean): boolean {
  return words.some((word, i) => {
    // "A famous student of": what is said of the student, no relation says.
    const next = words[i + 1];
    if (next && /^\p{Script=Latin}/u.test(word.text) && !spoken(word) && spoken(next) && word.text !== 'only' && !word.text.endsWith('ly') && /^\s+$/.test(question.text.slice(word.end, next.start)) && /\b(?:an?|the)\s+$|['’]s?\s+$/i.test(question.text.slice(0, word.start))) return true;
    const written = question.text.slice(word.start, word.end);
    if (spoken(word) || ASKING.test(word.text)) return false;
    return NUMERAL.test(word.text) || /^\p{Script=Latin}/u.test(written) && (word.start >= end || (/^\p{Lu}/u.test(written) && word.start > 0 && !TITLES.has(word.text)));
  });
}
