// Owns ranking relation paths by how well the question's words speak of their steps.
// Refuses to know how the paths were found and what they reach.

import type { Path, PathStep } from '../../../graph/terms.ts';
import { labelShape } from '../wording.ts';
import { WEAK } from './lexicon.ts';
import type { Lexicon, Word } from './lexicon.ts';
import type { Question } from './question.ts';

export interface RankedPath {
  readonly path: Path;
  readonly score: number;
  /** The weakest step's evidence, 0..1. */
  readonly evidence: number;
  /** A word plainly speaks of a relation that the path does not have: something else is asked. */
  readonly astray: boolean;
}

/** A step without a word that speaks of it at least so clearly is a guess. */
export const CLEAR = 0.4;
/** Evidence below this makes a step of a longer path doubtful. */
const PLAIN = 0.5;
/** A word that certainly speaks of its relation. */
const CERTAIN = 0.85;
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

/** Tokens between a word and the name. */
function distance(question: Question, word: Word, name: { readonly start: number; readonly end: number }): number {
  const [from, to] = word.end <= name.start ? [word.end, name.start] : [name.end, word.start];
  return question.tokens.filter(({ start, end }) => start >= from && end <= to).length;
}

/** In which direction a relation is walked when it is asked like this, by the grammar of the label that the word speaks of it by: +1 forward, -1 backward, 0 unknown. */
function direction(question: Question, word: Word, name: { readonly start: number; readonly end: number }, label: string): number {
  const before = word.end <= name.start;
  const between = before ? question.text.slice(word.end, name.start) : question.text.slice(name.end, word.start);
  // Chinese: "X的L", "X L..." ask for the object, "L X" for the subject.
  if (/\p{Script=Han}/u.test(label)) return before ? -1 : 1;
  const shape = labelShape(label);
  const joint = /^\s*(of|in|at|by|from|to|for|with|on|as)\s+(?:(?:the|an?)\s+(?:\p{L}+\s+)?)?$/iu.exec(between)?.[1].toLowerCase();
  switch (shape.kind) {
    case 'copula': {
      const own = shape.rest.slice(shape.rest.lastIndexOf(' ') + 1);
      // "born in Ulm", "capital of France", "directed by Ford" look for the subject; "where was X born", "who directed X", "the director of X" for the object.
      if (before) return joint === own ? -1 : own === 'by' ? 1 : 0;
      return own === 'by' ? (/^by\b/i.test(question.text.slice(word.end).trim()) ? 1 : -1) : 1;
    }
    case 'verb':
      return before ? -1 : 1;
    case 'noun':
      return before && /^\s*of\s/i.test(between) ? 1 : !before && /^\s*['’]s\s/i.test(between) ? 1 : !before && /\b(?:is|was|are|were)\b/i.test(between) ? -1 : 0;
    case 'class':
      return 0;
    default:
      return shape satisfies never;
  }
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
  readonly #labels = new Map<string, readonly string[]>();
  readonly #fits = new Map<string, number>();
  readonly #distances: readonly number[];
  /** Words to which "the same", "also", "co-" belong: the nearest one of each that plainly speaks of a relation, or -1. */
  readonly #fellows: ReadonlySet<number>;
  /** How plainly each word speaks of any relation of the base. */
  readonly #plain: readonly number[];

  constructor(question: Question, words: readonly Word[], lexicon: Lexicon, relations: readonly string[], name: { readonly start: number; readonly end: number }) {
    this.#question = question;
    this.#words = words;
    this.#lexicon = lexicon;
    this.#name = name;
    this.#distances = words.map((word) => distance(question, word, name));
    const raw = new Map(relations.map((relation) => [relation, words.map((word) => lexicon.match(question, word, relation))]));
    this.#plain = words.map((_, i) => Math.max(0, ...[...raw.values()].map((matches) => matches[i].value)));
    this.#fellows = new Set(question.fellow.map((at) => nearest(words, this.#plain, at)));
    for (const [relation, matches] of raw) {
      this.#labels.set(relation, matches.map(({ label }) => label));
      this.#matches.set(relation, matches.map(({ value }, i) => (value === 0 ? 0 : (value * value) / this.#plain[i])));
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
    return this.#labels.get(relation)?.[this.#words.indexOf(word)] ?? relation;
  }

  /** Words that speak of no relation of the base although they must speak of one. */
  get strangers(): readonly Word[] {
    return this.#words.filter(({ relational }, i) => relational && this.#plain[i] < WEAK);
  }

  score(path: Path): RankedPath {
    const evidence = this.#evidence(path);
    let astray = false;
    const used = new Set(path.map(({ relation }) => relation));
    let score = evidence.total - STEP * path.length;
    // Two weak guesses are no better than one.
    if (path.length > 1) score -= Math.max(0, PLAIN - evidence.least);
    for (const i of this.#words.keys()) {
      const spoken = Math.max(0, ...[...used].map((relation) => this.matches(relation)[i]));
      astray ||= this.#plain[i] >= CERTAIN && spoken < ASTRAY * this.#plain[i];
      if (this.#plain[i] >= PLAIN) score -= UNSPOKEN * Math.max(0, this.#plain[i] - spoken);
    }
    for (const relation of used) score += this.#fit(relation) / used.size;
    const turns = path.some((_, i) => i > 0 && sibling(path.slice(i - 1, i + 1)));
    if (this.#question.fellow.length > 0 && !turns) score -= NO_FELLOW;
    score += this.#directions(path, evidence.words);
    return { path, score, evidence: evidence.least, astray };
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
      const earlier = step > 0 && path[step - 1].relation === path[step].relation ? chosen[step - 1] : undefined;
      let any = false;
      for (const [i, value] of this.matches(path[step].relation).entries()) {
        if (value < WEAK || chosen.includes(i)) continue;
        if (this.#words[i].asked && step < path.length - 1 && !sibling(path)) continue;
        // A relation twice over ("the parent of a parent") is asked for by saying it twice.
        if (earlier !== undefined && this.#words[i].text !== this.#words[earlier].text) continue;
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

  /** Another word for the same relation, further from the name, that leads on to the first by "by" or "of". */
  #again(first: number, relation: string, chosen: readonly (number | undefined)[]): number | undefined {
    if (this.matches(relation)[first] < PLAIN) return undefined;
    for (const [i, value] of this.matches(relation).entries())
      if (value >= PLAIN && this.#words[i].text !== 'kind' && !chosen.includes(i) && this.#distances[i] > this.#distances[first] && /^\s*(?:by|of)\b/i.test(this.#question.text.slice(this.#words[i].end))) return i;
    return undefined;
  }

  #directions(path: Path, words: readonly (number | undefined)[]): number {
    const first: PathStep = path[0];
    const at = words[0];
    if (at === undefined) return 0;
    const wanted = direction(this.#question, this.#words[at], this.#name, this.#labels.get(first.relation)?.[at] ?? first.relation);
    return wanted === 0 ? 0 : (wanted > 0) === !first.inverse ? DIRECTION : -DIRECTION;
  }
}
