// Owns how well the words of a question speak of a relation, by the relation's name and aliases.
// Refuses to know paths, and any particular relation.

import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { nameSimilarity } from '../../../graph/names.ts';
import type { Relation } from '../../../graph/terms.ts';
import { DURATION } from './content.ts';
import type { Word } from './content.ts';
import { headOf, isParticiple, labelOf } from './label.ts';
import type { Label } from './label.ts';
import { areSaid, asksOtherwise, PLAIN, saysAnother, saysAnotherHan } from './otherwise.ts';
import { isFunctionWord } from './question.ts';
import type { Question } from './question.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';

/** Nearness below this says nothing. */
export const WEAK = 0.3;
/** An alias is given to be written; only words this near stand for it. */
const CLOSE = 0.6;
/** Letters of a word that is looked for misspelt, and least likeness. */
const MISSPELLABLE = 5;
const MISSPELT = 0.78;
/** A word this near to one of the relation's name is taken to speak of it by name. */
const OWN = 0.65;
/** What a verb is worth that means only something near ("read" for "speaks"): too little to answer by. */
export const NEAR_VERB = 0.38;
/** What a noun that asks for the answers is worth for what they do or undergo, and for a label that says more: less than certain. */
const ASKED = 0.62;
/** Words of one lexicon that are looked up ahead of the first question; the others when they are needed. */
const PREPARED = 800;
/** Lexicons kept, the least recently used fall first. */
const KEPT = 16;

/** `label`: the name or alias by which the word speaks of the relation. */
export interface Match {
  readonly value: number;
  readonly label: string;
  /** The word speaks of the relation by its own name, or by a Chinese label: what grammar says of them is binding. An alias may be told from either side. */
  readonly binding: boolean;
  /** The word says what the relation's name or an alias says, and not only something broader, narrower or near. */
  readonly sure: boolean;
  /** The question says a label of several words as a whole, and the word is one of them. */
  readonly spelt: boolean;
  /** The word is one of the label's, and the question says something else in the place of the others: it speaks of no such relation. */
  readonly another: boolean;
}
const NONE: Match = { value: 0, label: '', binding: false, sure: false, spelt: false, another: false };
const HAN = /\p{Script=Han}/u;
const HAN_RUN = /\p{Script=Han}+/gu;
/** Nearness from which another word stands for one of the label's: any for a relation's name, a close one for an alias of one word, none but itself for a longer alias. */
const nearOf = ({ own, all }: Label): number => (own ? WEAK : all.length === 1 ? CLOSE : 1);

/** The longest stretch of `text` that is also in `other`, at its first place. */
function shared(text: string, other: string): { readonly at: number; readonly length: number } {
  let best = { at: 0, length: 0 };
  for (let i = 0; i < text.length; i++) {
    let length = best.length;
    while (i + length < text.length && other.includes(text.slice(i, i + length + 1))) length++;
    if (length > best.length) best = { at: i, length };
  }
  return best;
}

const isVerbForm = (word: string): boolean => thesaurus().lemmas(word).some((base) => thesaurus().is(base, 'v'));
export const isUnknown = (word: string): boolean => !thesaurus().lemmas(word).some((base) => thesaurus().has(base));
const same = (a: string, b: string): boolean => a === b || (!isFunctionWord(a) && !isFunctionWord(b) && thesaurus().similarity(a, b) === 1);
/** How many words of the phrase, one after the other, stand in the question around the word. */
function run(question: Question, word: Word, phrase: readonly string[]): number {
  const { tokens } = question;
  const at = tokens.findIndex(({ start }) => start === word.start);
  let best = 0;
  for (const [k, each] of phrase.entries()) {
    if (!same(each, tokens[at]?.lower ?? '') && each !== word.text) continue;
    let [from, to] = [0, 1];
    while (k - from > 0 && at - from > 0 && same(phrase[k - from - 1], tokens[at - from - 1].lower)) from++;
    while (k + to < phrase.length && at + to < tokens.length && same(phrase[k + to], tokens[at + to].lower)) to++;
    best = Math.max(best, from + to);
  }
  return Math.max(1, best);
}

/** Whether the words begin alike, as "manages" and "manager" do. */
const isAkin = (one: string, other: string): boolean => thesaurus().lemmas(one).some((base) => thesaurus().lemmas(other).some((each) => base.slice(0, 4) === each.slice(0, 4)));

/** What the relations of one base are called, and what each word is worth. */
export class Lexicon {
  static readonly #kept = new LRUCache<string, Promise<Lexicon>>({ max: KEPT });
  /** The lexicon of these relations; made once for the same names and aliases, in small pieces that let others have their turn. */
  static of(relations: readonly Relation[]): Promise<Lexicon> {
    const key = JSON.stringify(relations.map(({ name, aliases }) => [name, aliases.map(({ text }) => text)]));
    let lexicon = Lexicon.#kept.get(key);
    if (!lexicon) Lexicon.#kept.set(key, (lexicon = new Lexicon(relations).#prepare()));
    return lexicon;
  }
  async #prepare(): Promise<this> {
    const words = [...this.#spread.keys()];
    for (const word of words.slice(0, PREPARED)) {
      thesaurus().prepare(word);
      await setImmediate();
    }
    return this;
  }

  readonly #phrases = new Map<string, readonly Label[]>();
  /** In how many relations a word, or one that means the same, is used. */
  readonly #spread = new Map<string, number>();

  constructor(relations: readonly Relation[]) {
    for (const { name, aliases } of relations) {
      const labels = [labelOf(name, true), ...aliases.map(({ text }) => labelOf(text, false))];
      const phrases = labels.flatMap((label) => (/.于$/u.test(label.han) ? [label, { ...label, han: label.han.replace(/于$/u, '在') }] : [label]));
      this.#phrases.set(name, phrases);
    }
    for (const word of new Set([...this.#phrases.values()].flatMap((phrases) => phrases.flatMap(({ words }) => words)))) {
      const users = [...this.#phrases.values()].filter((phrases) => phrases.some(({ words }) => words.some((other) => thesaurus().synonymous(word, other))));
      this.#spread.set(word, users.length);
    }
  }

  /** Words that tell one relation from another are worth more than those that several share. */
  #weight(word: string): number {
    return 1 / Math.max(1, this.#spread.get(word) ?? 1) ** 0.5;
  }

  /** How well the word speaks of the relation, 0..1, and by which of its names. */
  match(question: Question, word: Word, relation: string): Match {
    const phrases = this.#phrases.get(relation) ?? [];
    let best: Match = NONE;
    // What the word is worth, and the label that is most nearly what is written: "taught" rather than "teacher of".
    let literal = 0;
    const take = (value: number, nearness: number, each: Label, sure: boolean, spelt = false): void => {
      const closer = nearness > literal;
      const own = each.own && nearness >= OWN;
      best = { value: Math.max(value, best.value), label: own ? each.text : closer && !best.binding ? each.text : best.label, binding: best.binding || own || (closer && HAN.test(each.text)), sure: best.sure || sure, spelt: best.spelt || spelt, another: false };
      literal = Math.max(literal, nearness);
    };
    let another = false;
    if (HAN.test(word.text)) {
      for (const each of phrases) {
        const { at, length } = shared(word.text, each.han);
        // One character of several says little; the whole alias says all.
        if (length === 0 || length < Math.min(2, each.han.length)) continue;
        if (asksOtherwise(question, word, each)) continue;
        if (saysAnotherHan(question, word.start + at, word.text.slice(at, at + length), each, (said) => this.#speaksHan(said))) another = true;
        else take((0.4 + (0.6 * length) / each.han.length) * Math.min(1, 0.5 + length / word.text.length), length / each.han.length, each, true);
      }
      return another && best.value === 0 ? { ...best, another } : best;
    }
    const isVerb = word.part === 'verb' || (word.part === 'any' && isVerbForm(word.text));
    for (const each of phrases) {
      if (asksOtherwise(question, word, each)) continue;
      const near = nearOf(each);
      for (const own of each.words) {
        let nearness = word.text === DURATION && own === question.text.slice(word.start, word.end).toLowerCase() ? 1 : thesaurus().similarity(own, word.text, word.part);
        // A word that no dictionary has may be one of these, misspelt.
        const misspelt = nearness === 0 && own.length >= MISSPELLABLE && isUnknown(word.text) && nameSimilarity(word.text, own) >= MISSPELT;
        if (misspelt) nearness = MISSPELT;
        const sure = misspelt || nearness === 1 || (nearness > 0 && thesaurus().sameMeaning(own, word.text));
        if (!sure) {
          // A kind of company is not the parent company.
          if (!isVerb && each.words.length > 1 && !each.words.some((other) => other !== own && question.tokens.some(({ lower }) => same(other, lower)))) continue;
          // "X's parents" are not only the father, and "which wine" asks for no vintage.
          if ((word.relational || (word.asked && word.text !== 'kind')) && word.part !== 'verb' && thesaurus().isKind(own, word.text, 1)) continue;
          if (word.text === 'kind' && !thesaurus().isKind(own, 'kind', 1)) continue;
          if (each.verbal && word.asked && word.part === 'noun') nearness = Math.min(nearness, NEAR_VERB);
          if (isVerb && (each.verbal || !thesaurus().is(own, 'n')) && isVerbForm(own)) nearness = Math.min(nearness, NEAR_VERB);
        }
        // Who founded a club says nothing of its home ground.
        if (nearness > NEAR_VERB && isVerb && !each.verbal && own === headOf(each) && !isAkin(own, word.text) && !each.words.some((said) => isParticiple(said) && !thesaurus().is(said, 'n')) && !areSaid(question, word, each, own)) nearness = NEAR_VERB;
        // "Which plants does X operate" says nothing of what X "grows", and "which team does X play for" nothing of a home team.
        const isAsking = word.asked && word.part === 'noun' && nearness > ASKED;
        if (isAsking && !each.verbal && own === headOf(each) && !areSaid(question, word, each, own)) nearness = ASKED;
        if (isAsking && each.verbal && !thesaurus().lemmas(own).some((base) => thesaurus().lemmas(word.text).includes(base))) nearness = ASKED;
        if (nearness < Math.min(near, misspelt ? MISSPELT : 1)) continue;
        if (nearness >= PLAIN && saysAnother(question, word, each, own, (said) => this.#speaks(said))) {
          another = true;
          continue;
        }
        const said = each.words.length === 1 && near < 1 ? 0 : run(question, word, each.all) / each.all.length;
        // Said as a whole, "favourite colour" is not to be taken for another colour.
        const spelt = each.words.length > 1 && said === 1;
        const whole = spelt ? 1 : near < 1 ? 0.9 + 0.1 / each.words.length : said ** 1.5;
        take(nearness * (spelt ? 1 : this.#weight(own)) * whole, nearness * whole, each, sure, spelt && nearness === 1);
      }
    }
    return another && best.value === 0 ? { ...best, another } : best;
  }

  /** Whether the word is near to any that a relation is called by. */
  #speaks(word: string): boolean {
    return [...this.#spread.keys()].some((own) => thesaurus().similarity(own, word) >= OWN);
  }

  #speaksHan(stretch: string): boolean {
    return [...this.#phrases.values()].flat().some(({ han }) => han !== '' && shared(stretch, han).length >= Math.min(2, han.length));
  }

  /** A little for each more word of one phrase that the question holds: "release year" over "release date". */
  fit(question: Question, words: readonly Word[], relation: string): number {
    let best = 0;
    for (const { words: own, small } of this.#phrases.get(relation) ?? []) {
      if (own.length === 0) continue;
      const held = own.filter((each) => words.some(({ text }) => thesaurus().similarity(each, text) >= 0.9)).length;
      if (held === 0) continue;
      // "What did X report?" needs no "by".
      const isDone = /\b(?:do|does|did)\b/i.test(question.text) && !/\b(?:to|from|for|with|in|at|on|of)[\s?.!]*$/i.test(question.text);
      const joined = small.filter((each) => (each === 'by' && isDone) || question.tokens.some(({ lower }) => lower === each)).length;
      best = Math.max(best, 0.08 * (held / own.length) + (small.length > 0 ? 0.03 * (joined / small.length) : 0));
    }
    return best;
  }

  /** Chinese names of relations, as stretches of the question outside names. */
  hanWords(question: Question, outside: (start: number, end: number) => boolean): Word[] {
    const found = new Map<string, Word>();
    for (const run of question.text.matchAll(HAN_RUN))
      for (const phrases of this.#phrases.values())
        for (const { han } of phrases) {
          if (han === '') continue;
          for (let from = 0; from < run[0].length; ) {
            const { at, length } = shared(run[0].slice(from), han);
            if (length < Math.min(2, han.length)) break;
            const start = run.index + from + at;
            if (outside(start, start + length)) found.set(`${start}:${length}`, { text: question.text.slice(start, start + length), start, end: start + length, part: 'any', asked: false, relational: question.text[start - 1] === '的' });
            from += at + length;
          }
        }
    const words = [...found.values()];
    // A stretch inside a longer one says nothing of its own.
    return words.filter((word) => !words.some((other) => other !== word && other.start <= word.start && other.end >= word.end && other.end - other.start > word.end - word.start));
  }
}
