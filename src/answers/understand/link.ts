// Owns finding the names in a question: every stretch of it that is an entity's name or alias, or nearly one.
// Refuses to know relations, and which of the names the question is about.

import { foldName } from '../../../graph/names.ts';
import type { Entity } from '../../../graph/terms.ts';
import type { BaseName } from '../../../graph/terms.ts';
import type { EntityHit } from '../../../graph/store.ts';
import { isFunctionHan, isFunctionWord, isGeneric } from './question.ts';
import type { Question, Token } from './question.ts';

export interface NameReader {
  named(base: BaseName, names: readonly string[]): Promise<ReadonlyMap<string, readonly EntityHit[]>>;
  search(base: BaseName, text: string, options?: { readonly limit?: number }): Promise<readonly EntityHit[]>;
}

/** A stretch of the question that names an entity. */
export interface Link {
  readonly entity: Entity;
  /** Characters of the question, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** How sure it is that this is meant, in 0..1: as written, in another case, misspelt. */
  readonly score: number;
}

/** Tokens of one name at most. */
const LONGEST = 16;
/** Tokens of a question that are looked at. */
const QUESTION_TOKENS = 160;
/** Entities of one name at most. */
const HOMONYMS = 5;
/** Least similarity at which a misspelt name is taken for the entity's. */
const MISSPELT = 0.72;
/** Stretches looked up as misspelt names at most. */
const GUESSES = 12;

/** Whether a stretch of the question has nothing in common with these. */
export const overlaps = (links: readonly { readonly start: number; readonly end: number }[]) => (start: number, end: number): boolean => links.every((link) => end <= link.start || link.end <= start);

const WORD = /[\p{L}\p{N}]/u;
const capital = (text: string): boolean => /^\p{Lu}|^\p{N}/u.test(text);

/** Stretches of the question that could be names: not of function words alone. */
function stretches(question: Question): Map<string, { start: number; end: number; text: string }[]> {
  const found = new Map<string, { start: number; end: number; text: string }[]>();
  const tokens = question.tokens.slice(0, QUESTION_TOKENS);
  for (let i = 0; i < tokens.length; i++) {
    let sense = false;
    for (let j = i; j < Math.min(tokens.length, i + LONGEST); j++) {
      const token = tokens[j];
      sense ||= meaningful(token, j);
      // Signs around a name are not told apart from it by folding: the tight stretch stands for it.
      if (!sense || (i === j && token.han && !isPredicate(tokens, i)) || !WORD.test(token.text) || !WORD.test(tokens[i].text)) continue;
      // Part of a word with a hyphen ("co-stars") is no name.
      if (hyphened(question.text, tokens[i].start, token.end)) continue;
      const text = question.text.slice(tokens[i].start, token.end);
      const key = foldName(text);
      if (key === '') continue;
      const place = { start: tokens[i].start, end: token.end, text };
      const places = found.get(key);
      if (places) places.push(place);
      else found.set(key, [place]);
    }
  }
  return found;
}
/** "苏格拉底是人吗": one Han character is a name only where nothing but a name can stand. */
const isPredicate = (tokens: readonly Token[], at: number): boolean =>
  !isFunctionHan(tokens[at].text) && /^[是为于]$/u.test(tokens[at - 1]?.text ?? '') && (tokens[at + 1] === undefined || /^[吗嘛]$/u.test(tokens[at + 1].text) || !WORD.test(tokens[at + 1].text));
/** A function word can only be (the whole of) a name when it is written with a capital inside the sentence. */
const meaningful = (token: Token, at: number): boolean => token.han || (WORD.test(token.text) && (!isFunctionWord(token.lower) || (at > 0 && capital(token.text))));

const hyphened = (text: string, start: number, end: number): boolean => /\p{Script=Latin}-$/u.test(text.slice(0, start)) || /^-\p{Script=Latin}/u.test(text.slice(end)) || /^\p{Script=Latin}-/u.test(text.slice(Math.max(0, start - 1), start + 1));

function scoreOf(hit: EntityHit, text: string): number {
  if (hit.matched === text) return 1;
  if (hit.matched.toLowerCase() === text.toLowerCase()) return text === text.toLowerCase() ? 0.9 : 0.85;
  return 0.85 * hit.score;
}

/** Links that lie inside a longer one's stretch fall; of stretches that overlap the longer stays. */
function longest(links: readonly Link[]): Link[] {
  const kept: Link[] = [];
  for (const link of links.toSorted((a, b) => b.end - b.start - (a.end - a.start) || b.score - a.score || a.start - b.start))
    if (kept.every((other) => link.end <= other.start || other.end <= link.start || (link.start === other.start && link.end === other.end))) kept.push(link);
  return kept.toSorted((a, b) => a.start - b.start || b.score - a.score);
}

/** Names as written (case, accents and punctuation aside), the longest where several overlap; homonyms stand beside each other. */
export async function exactLinks(reader: NameReader, base: BaseName, question: Question): Promise<readonly Link[]> {
  const places = stretches(question);
  const hits = await reader.named(base, [...places.keys()]);
  const links: Link[] = [];
  for (const [key, found] of hits)
    for (const place of places.get(key) ?? []) for (const hit of found.slice(0, HOMONYMS)) links.push({ entity: hit.entity, ...place, score: scoreOf(hit, place.text) });
  return longest(links);
}

/** Names that are nearly written: stretches between the words that are spoken for, looked up with mistakes allowed. `only`: no other tokens are looked at. */
export async function misspeltLinks(reader: NameReader, base: BaseName, question: Question, spokenFor: (token: Token) => boolean, only?: (token: Token) => boolean): Promise<readonly Link[]> {
  const runs: Token[][] = [];
  let run: Token[] = [];
  const end = (): void => {
    if (run.length > 0) runs.push(run);
    run = [];
  };
  for (const [i, token] of question.tokens.slice(0, QUESTION_TOKENS).entries()) {
    const apart = only ? !only(token) : !WORD.test(token.text) ? run.length === 0 || !/^[-'’.·・&]$/u.test(token.text) : !capital(token.text) || i === 0 ? (isFunctionWord(token.lower) && !joins(run)) || isGeneric(token.lower) || spokenFor(token) : false;
    if (apart) end();
    else run.push(token);
  }
  end();
  // A run may hold a misspelt word for the relation as well: its parts are tried, too, the longest first.
  const parts = runs.flatMap((tokens) => tokens.flatMap((_, from) => tokens.slice(from).map((__, length) => tokens.slice(from, from + length + 1))));
  const guesses = parts.map((tokens) => ({ tokens, text: question.text.slice(tokens[0].start, tokens[tokens.length - 1].end) })).filter(({ text }) => foldName(text).length >= 3);
  guesses.sort((a, b) => Number(capital(b.text)) - Number(capital(a.text)) || b.text.length - a.text.length);
  const links: Link[] = [];
  for (const { tokens, text } of guesses.slice(0, GUESSES)) {
    const whole = `${tellingBefore(question, tokens[0])}${text}${tellingBehind(question, tokens[tokens.length - 1])}`;
    const [hit, next] = (await reader.search(base, text, { limit: 3 })).filter(({ matched }) => mayMean(whole, matched));
    // "Nobel Prize" begins several names, and means none of them alone.
    if (hit && next && [hit, next].every(({ matched }) => foldName(matched).startsWith(`${foldName(text)} `))) continue;
    if (hit && hit.score >= MISSPELT && !(next && next.score === hit.score && next.score < 1)) links.push({ entity: hit.entity, start: tokens[0].start, end: tokens[tokens.length - 1].end, text, score: 0.8 * hit.score });
  }
  return longest(links);
}
/**
 * May a name be meant by a text that is not quite it? What only tells names of one series apart is not misspelt: numbers ("Visitor 101", "Visitor 102"), single letters ("Guest B") and Roman numerals
 * ("Henry IV"). A text without any may be the beginning of a name.
 */
function mayMean(text: string, name: string): boolean {
  const [given, own] = [tellingWords(text), tellingWords(name)];
  return given.length === 0 || given.join(' ') === own.join(' ');
}
/** "K." before the "Kennedy" of "John K. Kennedy": it is not left out. */
function tellingBefore({ tokens }: Question, first: Token): string {
  const at = tokens.indexOf(first);
  const before = tokens[at - 1]?.text === '.' ? tokens[at - 2] : tokens[at - 1];
  return before && first.start - before.end <= 2 && /^\p{Lu}$/u.test(before.text) ? `${before.text} ` : '';
}
/** "B" behind the "Guest" of "Guest B": it is not left out. */
function tellingBehind({ tokens }: Question, last: Token): string {
  const next = tokens[tokens.indexOf(last) + 1];
  return next && next.start - last.end <= 1 && capital(next.text) && tellingWords(next.text).length > 0 ? ` ${next.text}` : '';
}
const tellingWords = (name: string): string[] => foldName(name).match(/[\p{L}\p{N}]+/gu)?.filter((word) => TELLING.test(word)) ?? [];
const TELLING = /\p{N}|^[a-z]$|^(?=[ivxlc])(?:x[cl]|l?x{0,3})(?:i[xv]|v?i{0,3})$/u;

/** "Lord of the Rngs": a function word inside a run that began with a capital belongs to it. */
const joins = (run: readonly Token[]): boolean => run.length > 0 && capital(run[0].text);
