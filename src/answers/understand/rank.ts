// Owns ranking relation paths by how well the question's words speak of their steps.
// Refuses to know how the paths were found and what they reach.

import type { Path, PathStep, Relation } from '../../../graph/terms.ts';
import type { Word } from './content.ts';
import { direction } from './direction.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';
import { relationText } from '../words/evidence.ts';
import { labelShape } from '../words/grammar.ts';
import { WEAK } from './lexicon.ts';
import type { Lexicon, Match } from './lexicon.ts';
import type { Question } from './question.ts';

export interface RankedPath {
  readonly path: Path;
  readonly score: number;
  /** The weakest step's evidence, 0..1. */
  readonly evidence: number;
  /** The question's grammar says that a step goes the other way. */
  readonly reversed: boolean;
  /** Grammar does not say which way the first step goes. */
  readonly undirected: boolean;
  /** A word plainly speaks of a relation that the path does not have: something else is asked. */
  readonly astray: boolean;
}

/** A step without a word that speaks of it at least so clearly is a guess. */
export const CLEAR = 0.4;
/** Evidence below this makes a step of a longer path doubtful. */
export const PLAIN = 0.5;
/** How plainly a noun must speak of a relation where it must be one. */
const NAMED = 0.55;
/** A word that certainly speaks of its relation. */
export const CERTAIN = 0.65;
/** Share of a word's meaning that a path must speak of, if the word is certain. */
const ASTRAY = 0.7;
/** For each word that plainly speaks of some relation which the path lacks. */
const UNSPOKEN = 0.5;
/** For each step: only what is spoken of more clearly than this speaks for a longer path. */
const STEP = 0.42;
const ORDER = 0.08;
const DIRECTION = 0.12;
/** "Share the director": what follows is meant rather than what went before. */
const NEXT = 0.5;
const FAR_FELLOW = 0.6;
/** For a path without the turn back that "the same", "also", "co-" speak of. */
const NO_FELLOW = 0.35;

const sibling = (path: Path): boolean => path.length === 2 && path[0].relation === path[1].relation && path[0].inverse !== path[1].inverse;

/** A label of one word: "email" is meant by "email address". */
const isNoun = (label: string): boolean => !/\s/.test(relationText(label)) && labelShape(relationText(label)).kind === 'noun';
/** Tokens between a word and the name. */
function distance(question: Question, word: Word, name: { readonly start: number; readonly end: number }): number {
  const [from, to] = word.end <= name.start ? [word.end, name.start] : [name.end, word.start];
  return question.tokens.filter(({ start, end }) => start >= from && end <= to).length;
}

function nearest(words: readonly Word[], plain: readonly number[], at: number): number {
  let best = -1;
  const gap = (i: number): number => (words[i].end <= at ? at - words[i].end : Math.max(0, words[i].start - at) * NEXT);
  for (const i of words.keys()) if (plain[i] >= PLAIN && (best < 0 || gap(i) < gap(best))) best = i;
  return best;
}

/** Scores paths that start at one name. `words` are the content words outside names. */
export class Ranker {
  readonly #question: Question;
  readonly #words: readonly Word[];
  readonly #lexicon: Lexicon;
  readonly #name: { readonly start: number; readonly end: number };
  readonly #matches = new Map<string, readonly number[]>();
  readonly #labels = new Map<string, readonly Match[]>();
  readonly #fits = new Map<string, number>();
  /** Relations that a word would speak of if the question did not say something else beside it. */
  readonly #others: ReadonlySet<string>;
  readonly #distances: readonly number[];
  /** Symmetric relations: their direction does not matter. */
  readonly #either: ReadonlySet<string>;
  /** By relation, the one that says the same the other way round. */
  readonly #inverses: ReadonlyMap<string, string>;
  /** Words to which "the same", "also", "co-" belong: the nearest one of each that plainly speaks of a relation, or -1. */
  readonly #fellows: ReadonlySet<number>;
  /** How plainly each word speaks of any relation of the base. */
  readonly #plain: readonly number[];

  constructor(question: Question, words: readonly Word[], lexicon: Lexicon, relations: readonly Relation[], name: { readonly start: number; readonly end: number }) {
    this.#question = question;
    this.#words = words;
    this.#lexicon = lexicon;
    this.#name = name;
    this.#distances = words.map((word) => distance(question, word, name));
    this.#either = new Set(relations.flatMap((relation) => (relation.symmetric ? [relation.name] : [])));
    this.#inverses = new Map(relations.flatMap(({ name: relation, inverseOf }) => (inverseOf === undefined ? [] : [[relation, inverseOf] as const, [inverseOf, relation] as const])));
    const raw = new Map(relations.map(({ name: relation }): [string, Match[]] => [relation, words.map((word) => lexicon.match(question, word, relation))]));
    this.#plain = words.map((_, i) => Math.max(0, ...[...raw.values()].map((matches) => (matches[i].another ? 1 : matches[i].value))));
    this.#fellows = new Set(question.fellow.map((at) => nearest(words, this.#plain, at)));
    this.#others = new Set([...raw].flatMap(([relation, matches]) => (matches.some(({ another }) => another) ? [relation] : [])));
    const spelt = words.map((_, i) => [...raw.values()].some((matches) => matches[i].spelt));
    for (const [relation, matches] of raw) {
      this.#labels.set(relation, matches);
      // "Formerly coached" says that alone, and not "coached" besides.
      this.#matches.set(relation, matches.map((match, i) => (match.value === 0 || (spelt[i] && !match.spelt) ? 0 : match.value ** 2 / this.#plain[i])));
    }
  }

  /** What each word is worth for the relation: less when it speaks of another more clearly. */
  matches(relation: string): readonly number[] {
    return this.#matches.get(relation) ?? this.#words.map(() => 0);
  }
  #fit(relation: string): number {
    let found = this.#fits.get(relation);
    if (found === undefined) this.#fits.set(relation, (found = this.#lexicon.fit(this.#question, this.#words, relation)));
    return found;
  }

  /** The name or alias by which the word speaks of the relation. */
  label(relation: string, word: Word): string {
    return this.#labels.get(relation)?.[this.#words.indexOf(word)].label || relation;
  }

  #isJoined(i: number, matches: readonly (readonly Match[])[]): boolean {
    return i > 0 && this.#words[i].start - this.#words[i - 1].end <= 1 && matches.some((each) => each[i - 1].value >= PLAIN && (each[i].value >= WEAK || isNoun(each[i - 1].label)));
  }
  /** Words that speak of no relation of the base although they must speak of one; part of a compound whose other part does ("release dates of", "email address") is none. */
  get strangers(): readonly Word[] {
    return this.#words.filter(({ relational }, i) => relational && this.#plain[i] < (this.#isJoined(i, [...this.#labels.values()]) ? WEAK : NAMED));
  }

  score(path: Path): RankedPath {
    const evidence = path.some(({ relation }) => this.#others.has(relation)) ? { total: 0, least: 0, words: [] } : this.#evidence(path);
    let astray = false;
    const used = new Set(path.map(({ relation }) => relation));
    let score = evidence.total - STEP * path.length;
    // Two weak guesses are no better than one.
    if (path.length > 1) score -= Math.max(0, PLAIN - evidence.least);
    for (const i of this.#words.keys()) {
      const spoken = Math.max(0, ...[...used].map((relation) => this.matches(relation)[i]));
      astray ||= this.#plain[i] >= CERTAIN && spoken < ASTRAY * this.#plain[i];
      // "The working hours of X" for "works in".
      astray ||= this.#words[i].relational && spoken === 0 && !this.#isJoined(i, [...used].map((relation) => this.#labels.get(relation) ?? []));
      if (this.#plain[i] >= PLAIN) score -= UNSPOKEN * Math.max(0, this.#plain[i] - spoken);
    }
    for (const relation of used) score += this.#fit(relation) / used.size;
    const turns = path.some((_, i) => i > 0 && sibling(path.slice(i - 1, i + 1)));
    if (this.#question.fellow.length > 0 && !turns) score -= NO_FELLOW;
    const said = this.#direction(path, evidence.words);
    const onward = path.slice(1).reduce((sum, step, i) => sum + this.#onward(step, evidence.words[i + 1]), 0);
    score += (said.fits + onward) * DIRECTION;
    const free = this.#question.fellow.length > 0;
    return {
      path,
      score,
      evidence: evidence.least,
      astray,
      reversed: !free && ((said.binding && said.fits < 0 && !this.#either.has(path[0].relation)) || onward < 0),
      undirected: !free && said.fits === 0 && !this.#either.has(path[0].relation),
    };
  }

  /** The best word for each step; steps near the name are spoken of by words near it. */
  #evidence(path: Path): { readonly total: number; readonly least: number; readonly words: readonly (number | undefined)[] } {
    let best: { total: number; least: number; words: (number | undefined)[]; rank: number } = { total: 0, least: 0, words: [], rank: -1 };
    const chosen: (number | undefined)[] = [];
    const values: number[] = [];
    const visit = (step: number): void => {
      if (step === path.length) {
        const total = values.reduce((sum, value) => sum + value, 0);
        let rank = total;
        for (let i = 1; i < step; i++) {
          const [near, far] = [chosen[i - 1], chosen[i]];
          if (near !== undefined && far !== undefined && near !== far && Math.min(values[i - 1], values[i]) >= PLAIN) rank += this.#distances[near] < this.#distances[far] ? ORDER : this.#distances[near] > this.#distances[far] ? -ORDER : 0;
        }
        if (rank > best.rank) best = { total: rank, least: Math.min(...values), words: [...chosen], rank };
        return;
      }
      // The turn back of "the same", "also", "co-" needs no word of its own; else a word must say it again: "directed by the director of".
      if (step > 0 && sibling(path.slice(step - 1, step + 1))) {
        const first = chosen[step - 1];
        const again = first === undefined ? undefined : this.#again(first, path[step].relation, chosen);
        const fellow = this.#question.fellow.length > 0 && first !== undefined;
        chosen[step] = again;
        values[step] = again !== undefined ? this.matches(path[step].relation)[again] : fellow ? values[step - 1] * (this.#fellows.has(first) || this.#fellows.has(-1) ? 1 : FAR_FELLOW) : 0;
        visit(step + 1);
        chosen.length = step;
        values.length = step;
        return;
      }
      const earlier = step > 0 && this.#sameStep(path[step - 1], path[step]) ? chosen[step - 1] : undefined;
      let any = false;
      for (const [i, value] of this.matches(path[step].relation).entries()) {
        if (value < WEAK || chosen.includes(i)) continue;
        if (this.#words[i].asked && step < path.length - 1 && !sibling(path)) continue;
        // A relation twice over ("the parent of a parent") is asked for by saying it twice.
        if (earlier !== undefined && this.#words[i].text !== this.#words[earlier].text && !this.#leadsTo(i, earlier)) continue;
        any = true;
        chosen[step] = i;
        values[step] = value;
        visit(step + 1);
        chosen.length = step;
        values.length = step;
      }
      if (any) return;
      chosen[step] = undefined;
      values[step] = 0;
      visit(step + 1);
      chosen.length = step;
      values.length = step;
    };
    visit(0);
    return best;
  }

  /** Does the second step go the same way again, by this relation or by the one that is its inverse? */
  #sameStep(first: PathStep, second: PathStep): boolean {
    return first.relation === second.relation || (first.inverse !== second.inverse && this.#inverses.get(first.relation) === second.relation);
  }
  /** "Taught the teacher of": what the first word says is said of what the second one leads to. */
  #leadsTo(first: number, second: number): boolean {
    return /^\s*(?:(?:of|by)\s+)?(?:the|an?)\s*$/i.test(this.#question.text.slice(this.#words[first].end, this.#words[second].start));
  }
  /** Another word for the same relation, further from the name, that leads on to the first by "by" or "of". */
  #again(first: number, relation: string, chosen: readonly (number | undefined)[]): number | undefined {
    if (this.matches(relation)[first] < PLAIN) return undefined;
    for (const [i, value] of this.matches(relation).entries())
      if (value >= PLAIN && this.#words[i].text !== 'kind' && !chosen.includes(i) && this.#distances[i] > this.#distances[first] && /^\s*(?:by|of)\b/i.test(this.#question.text.slice(this.#words[i].end))) return i;
    return undefined;
  }

  /** The same for a later step, by what follows its word: "the capital of the country where ...". */
  #onward(step: PathStep, at: number | undefined): number {
    const match = at === undefined ? undefined : this.#labels.get(step.relation)?.[at];
    if (at === undefined || !match || this.#either.has(step.relation)) return 0;
    const { text, start, end, asked } = this.#words[at];
    // "Which judge": by whom it is heard, and not what is; "which team": a home team, and not what has one.
    const label = relationText(match.label);
    if (asked && step.inverse && (/\bby$/i.test(label) ? thesaurus().isKind(text, 'person') : labelShape(label).kind === 'noun' && thesaurus().similarity(label.split(/\s+/).at(-1) ?? label, text) === 1)) return -1;
    if (!match.binding) return 0;
    // "Who lost the N of X" asks who did it.
    const preposition = /\bwho\s+$/i.test(this.#question.text.slice(0, start)) ? '' : /^\s*(?:of|by)\b\s*(?:(?:the|an?)\s+)?/i.exec(this.#question.text.slice(end))?.[0];
    if (preposition === undefined || end > this.#name.start) return 0;
    const wanted = direction(this.#question, this.#words[at], { start: end + preposition.length, end: end + preposition.length }, match.label);
    return wanted === 0 ? 0 : (wanted > 0) === !step.inverse ? 1 : -1;
  }
  /** 1 when the first step goes as the question says, -1 when it goes the other way, 0 when the question does not say. */
  #direction(path: Path, words: readonly (number | undefined)[]): { readonly fits: number; readonly binding: boolean } {
    const [first] = path;
    const at = words[0];
    const match = at === undefined ? undefined : this.#labels.get(first.relation)?.[at];
    if (at === undefined || !match) return { fits: 0, binding: false };
    const wanted = direction(this.#question, this.#words[at], this.#name, match.label);
    return { fits: wanted === 0 ? 0 : (wanted > 0) === !first.inverse ? 1 : -1, binding: match.binding };
  }
}
