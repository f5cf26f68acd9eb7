// Owns how near two English words are in meaning: base forms, and steps through WordNet's senses.
// Refuses to know questions and relations.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';

interface Data {
  readonly lemmas: string;
  readonly parts: string;
  readonly senses: readonly (readonly number[])[];
  readonly broader: readonly (readonly number[])[];
  readonly derived: readonly (readonly number[])[];
  readonly opposed: readonly string[];
  readonly irregular: Readonly<Record<string, string>>;
}

/** A word whose part of speech is known is compared in that part's senses only. */
export type Part = 'noun' | 'verb' | 'any';
interface Near {
  readonly noun: Map<string, number>;
  readonly verb: Map<string, number>;
  readonly any: Map<string, number>;
}

/** Costs of one step between senses. Nearness is e^-cost (a path measure after Rada et al. 1989, weighted by fan-out after Sussna 1993). */
const UP = 0.25;
const DOWN = 0.2;
/** Added for each doubling of the number of narrower senses: what hangs under "person" has little in common. */
const FAN = 0.055;
const DERIVED = 0.1;
/** Added where it goes down again: two kinds of one thing (length and width) are not each other. */
const ASIDE = 0.3;
/** For each more frequent sense of the word. */
const RARER = 0.06;
/** Senses of a part of speech that a word is usually used in: the most frequent of them. */
const USUAL = 3;
/** Beyond this, words count as unrelated. */
const REACH = 1.1;
/** What a compound's last part says of the whole. */
const COMPOUND = 0.9;
/** First parts that make another relation of the last: a grandmother is no mother of the same. */
const CHANGED = /^(?:grand|great|step|god|half|non|anti|under|over|out|fore|mis|ex)/;
/** Said of one event from its other side: who learns is not who teaches. WordNet has them in one sense. */
const CONVERSE = ['teach', 'teacher', 'teaching', 'instruct', 'instructor', 'instruction', 'educate', 'educator', 'tutor'].map((other) => ['learn', other].toSorted().join(' '));
/** In one sense as nouns alone: what somebody uses is not his role. */
const APART = ['role use', 'death last', 'class family'];
const CACHED_WORDS = 1024;
const CACHED_FORMS = 8192;

/** Rules of regular inflection, tried in this order (WordNet's morphy). */
const ENDINGS: readonly (readonly [ending: string, base: string])[] = [
  ['ies', 'y'],
  ['ches', 'ch'],
  ['shes', 'sh'],
  ['sses', 'ss'],
  ['xes', 'x'],
  ['zes', 'z'],
  ['men', 'man'],
  ['s', ''],
  ['es', 'e'],
  ['es', ''],
  ['ied', 'y'],
  ['ed', 'e'],
  ['ed', ''],
  ['ing', 'e'],
  ['ing', ''],
];

/** Verbs that name animals, plants and substances as well, which the thesaurus leaves out. */
const UNKNOWN_NOUNS = new Set(
  'alligator asphalt basset bud bulldog chrome compost concrete conjugate creosote dust dye epoxy falcon ferret foal foster fuel glue gravel hide hoof husk intermediate jackrabbit kitten leather manure metal mule nettle pelt pine precipitate pumice putty raven rosin sandpaper silt skylark slag slime solder soot sow spawn spruce stag starch steam sulfur sulphur swan talc tusk twig wallpaper wax whelp zinc'.split(' '),
);

export class Thesaurus {
  readonly #index = new Map<string, number>();
  readonly #lemmas: readonly string[];
  readonly #data: Data;
  readonly #narrower: readonly (readonly number[])[];
  /** Words of each sense. */
  readonly #members: readonly (readonly { readonly word: number; readonly rank: number }[])[];
  readonly #opposed: ReadonlySet<string>;
  readonly #bases = new LRUCache<string, readonly string[]>({ max: CACHED_FORMS });
  readonly #near = new LRUCache<string, Near>({ max: CACHED_WORDS });
  readonly #alike = new LRUCache<string, ReadonlySet<string>>({ max: CACHED_WORDS });

  constructor(data: Data) {
    this.#data = data;
    this.#lemmas = data.lemmas.split(' ');
    for (const [i, lemma] of this.#lemmas.entries()) this.#index.set(lemma, i);
    const narrower: number[][] = data.broader.map(() => []);
    for (const [sense, targets] of data.broader.entries()) for (const target of targets) narrower[target].push(sense);
    this.#opposed = new Set([...data.opposed, ...CONVERSE, ...APART]);
    this.#narrower = narrower;
    const members: { word: number; rank: number }[][] = data.broader.map(() => []);
    for (const [word, senses] of data.senses.entries()) for (const [rank, sense] of senses.entries()) members[sense].push({ word, rank });
    this.#members = members;
  }

  has(word: string): boolean {
    return this.#index.has(word);
  }

  /** Whether the word, as it is, has a sense as a noun or as a verb. */
  is(word: string, part: 'n' | 'v'): boolean {
    const at = this.#index.get(word);
    return at !== undefined && this.#data.senses[at].some((sense) => this.#data.parts[sense] === part);
  }

  /** Whether all that the lower-case word may be a form of are verbs and no nouns: "supervises". */
  isOnlyVerb(word: string): boolean {
    const bases = this.lemmas(word);
    return bases.some((base) => this.is(base, 'v')) && !bases.some((base) => this.is(base, 'n') || UNKNOWN_NOUNS.has(base));
  }

  /** Base forms that the lower-case word may be an inflection of, the word itself last unless it is one; never empty. */
  lemmas(word: string): readonly string[] {
    let found = this.#bases.get(word);
    if (!found) this.#bases.set(word, (found = this.#lemmasOf(word)));
    return found;
  }
  #lemmasOf(word: string): readonly string[] {
    const found = new Set<string>();
    const irregular = Object.hasOwn(this.#data.irregular, word) ? this.#data.irregular[word] : undefined;
    if (irregular !== undefined) found.add(irregular);
    if (this.has(word)) found.add(word);
    if (irregular === undefined)
      for (const [ending, base] of ENDINGS) {
        if (!word.endsWith(ending) || word.length - ending.length < 2) continue;
        const stem = word.slice(0, -ending.length);
        if (this.has(stem + base)) found.add(stem + base);
        // "starred": the doubled consonant of the stem goes.
        else if (base === '' && ending !== 's' && ending !== 'es' && /([b-df-hj-np-tv-z])\1$/.test(stem) && this.has(stem.slice(0, -1))) found.add(stem.slice(0, -1));
      }
    if (found.size === 0) found.add(word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word);
    return [...found];
  }

  /** Nearness of two lower-case words in 0..1; 1 when they share a base form, 0 when they have nothing to do with each other. `part` is that of `other`. */
  similarity(word: string, other: string, part: Part = 'any'): number {
    const bases = this.lemmas(word);
    const others = this.lemmas(other);
    if (bases.some((base) => others.includes(base))) return 1;
    // What says the opposite is near in all else: "import" and "export".
    if (this.#areOpposed(bases, others)) return 0;
    let best = 0;
    for (const base of bases) {
      const near = this.#neighbours(base)[part];
      for (const each of others) best = Math.max(best, near.get(each) ?? 0);
    }
    // A compound is a kind of what its last part says: "screenwriter" is a writer.
    for (const each of others) {
      const head = this.#head(each);
      if (head !== undefined) best = Math.max(best, COMPOUND * this.similarity(word, head, part));
    }
    return best;
  }
  /** Whether one word says what the other does: they share a base form, or a usual sense of one is, or is derived from, a usual sense of the other. Not what is only broader or narrower. */
  sameMeaning(word: string, other: string): boolean {
    const bases = this.lemmas(word);
    const others = this.lemmas(other);
    if (bases.some((base) => others.includes(base))) return true;
    if (this.#areOpposed(bases, others)) return false;
    if (bases.some((base) => others.some((each) => this.#alikeTo(base).has(each)))) return true;
    return others.some((each) => {
      const head = this.#head(each);
      return head !== undefined && this.sameMeaning(word, head);
    });
  }
  #areOpposed(bases: readonly string[], others: readonly string[]): boolean {
    return bases.some((base) => others.some((each) => this.#opposed.has([base, each].toSorted().join(' '))));
  }
  /** The senses that the word is usually used in. */
  #usual(word: number): readonly number[] {
    const count = { n: 0, v: 0, a: 0 };
    return this.#data.senses[word].filter((sense) => count[this.#data.parts[sense] as 'n' | 'v' | 'a']++ < USUAL);
  }
  #alikeTo(lemma: string): ReadonlySet<string> {
    let alike = this.#alike.get(lemma);
    if (alike) return alike;
    const at = this.#index.get(lemma);
    const own = at === undefined ? [] : this.#usual(at);
    const senses = new Set(own.flatMap((sense) => [sense, ...this.#derivedFrom(sense)]));
    alike = new Set([...senses].flatMap((sense) => this.#members[sense].flatMap(({ word }) => (this.#usual(word).includes(sense) ? [this.#lemmas[word]] : []))));
    this.#alike.set(lemma, alike);
    return alike;
  }
  /** "Continent" in the sense of "restrained" is derived from "contain", and nobody means it. */
  #derivedFrom(sense: number): readonly number[] {
    const { parts, derived } = this.#data;
    return derived[sense].filter((next) => !(parts[sense] !== parts[next] && 'av'.includes(parts[sense]) && 'av'.includes(parts[next])));
  }
  /** Whether two words have one commonest meaning, or one base form. */
  synonymous(word: string, other: string): boolean {
    const others = this.lemmas(other);
    const first = (base: string): number | undefined => {
      const at = this.#index.get(base);
      return at === undefined ? undefined : this.#data.senses[at][0];
    };
    return this.lemmas(word).some((base) => others.some((each) => each === base || (first(base) !== undefined && first(base) === first(each))));
  }
  /** Whether one of the word's commonest senses is a kind of the commonest sense of the other. */
  isKind(word: string, kind: string, senses = 2): boolean {
    const tops = this.lemmas(kind).flatMap((base) => this.#data.senses[this.#index.get(base) ?? -1]?.slice(0, 1) ?? []);
    const broader = this.#broaderThan(this.lemmas(word).flatMap((base) => this.#data.senses[this.#index.get(base) ?? -1]?.slice(0, senses) ?? []));
    return tops.some((top) => broader.has(top));
  }
  #broaderThan(senses: readonly number[]): ReadonlySet<number> {
    const seen = new Set(senses);
    for (const sense of seen) for (const next of this.#data.broader[sense]) seen.add(next);
    return seen;
  }
  /** Looks up now what comparing with the word needs later. */
  prepare(word: string): void {
    for (const base of this.lemmas(word)) this.#neighbours(base);
  }

  /** The last of two words that are written as one; undefined for other words. */
  #head(word: string): string | undefined {
    if (CHANGED.test(word)) return undefined;
    for (let at = 3; at <= word.length - 4; at++) if (this.has(word.slice(0, at)) && this.has(word.slice(at))) return word.slice(at);
    return undefined;
  }

  /** Every base form within reach of `lemma`, with its nearness: shortest paths (Dijkstra 1959). */
  #neighbours(lemma: string): Near {
    const known = this.#near.get(lemma);
    if (known) return known;
    // States are senses before (even) and after (odd) the one change between verb and noun: two would lead from "film" to "filmmaker".
    const cost = new Map<number, number>();
    const near: Near = { noun: new Map(), verb: new Map(), any: new Map() };
    // Costs are small multiples of 0.01: buckets do for a queue.
    const buckets: number[][] = [];
    const push = (state: number, at: number): void => {
      if (at > REACH || at >= (cost.get(state) ?? Infinity)) return;
      cost.set(state, at);
      (buckets[Math.round(at * 100)] ??= []).push(state);
    };
    const start = this.#index.get(lemma);
    if (start !== undefined) for (const [rank, sense] of this.#data.senses[start].entries()) push(4 * sense, rank * RARER);
    for (let bucket = 0; bucket < buckets.length; bucket++)
      for (const state of buckets[bucket] ?? []) {
        const at = cost.get(state) ?? Infinity;
        if (Math.round(at * 100) !== bucket) continue;
        const [sense, changed, up] = [state >> 2, state & 1, state & 2];
        for (const { word, rank } of this.#members[sense]) {
          const nearness = Math.exp(-(at + rank * RARER));
          const text = this.#lemmas[word];
          const own = this.#data.parts[sense] === 'n' ? near.noun : near.verb;
          for (const words of [own, near.any]) if (nearness > (words.get(text) ?? 0)) words.set(text, nearness);
        }
        if (changed === 0) for (const next of this.#derivedFrom(sense)) push(4 * next + up + 1, at + DERIVED);
        for (const next of this.#data.broader[sense]) push(4 * next + 2 + changed, at + UP + FAN * Math.log2(1 + this.#narrower[next].length));
        const down = DOWN + (up ? ASIDE : 0) + FAN * Math.log2(1 + this.#narrower[sense].length);
        for (const next of this.#narrower[sense]) push(4 * next + up + changed, at + down);
      }
    this.#near.set(lemma, near);
    return near;
  }
}

let loaded: Thesaurus | undefined;
/** The thesaurus that ships; read once, at first use (about 0.2 s). */
export function thesaurus(): Thesaurus {
  loaded ??= new Thesaurus(JSON.parse(gunzipSync(readFileSync(new URL('thesaurus.json.gz', import.meta.url))).toString('utf8')) as Data);
  return loaded;
}
