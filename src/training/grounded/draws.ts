// Owns what samples of every kind are drawn from: relation labels, usual and made up, names, and walks over relations, with what training never draws kept apart.
// Refuses to know tasks, questions and replies.

import type { EvidenceLine, Language } from '../../answers/words/evidence.ts';
import type { Random } from '../random.ts';
import { EN_HELD_OUT, EN_LABELS, ZH_HELD_OUT, ZH_LABELS } from './labels.ts';
import { LEXICONS, longName, nonce, patchwork, randomName } from './names.ts';
import type { NamePool } from './names.ts';

export interface SampleOptions {
  /** Which made-up names, or real ones to draw from. Default `training`. */
  readonly names?: NamePool | readonly string[];
  readonly language?: Language;
  /** Text pieces by language (what the vocabulary's tokens spell) out of which a third of the names and some relations are put together without pattern. */
  readonly pieces?: Readonly<Record<Language, readonly string[]>>;
  /** Draw relation labels that training never sees. */
  readonly heldOutRelations?: boolean;
  /** Draw question wordings that training never sees. */
  readonly heldOutQuestions?: boolean;
  /** Put words in front of questions and statements that are made up each time. */
  readonly leadIns?: boolean;
  /** Now and then, names of one list begin or end alike. */
  readonly alike?: boolean;
  /** Every second list is as long as a reply may hold. */
  readonly lengthy?: boolean;
  /** Part of the lines that say what something is, most of them by a common noun. Default 0: as often as other relations. */
  readonly classes?: number;
}

export const drawLanguage = (random: Random, { language }: SampleOptions): Language => {
  const drawn: Language = random.chance(0.35) ? 'zh' : 'en';
  return language ?? drawn;
};

export function drawRelation(random: Random, language: Language, options: SampleOptions): string {
  if (language === 'zh') {
    if (random.chance(0.12)) return drawRelation(random, 'en', options);
    if (options.heldOutRelations) return random.pick(ZH_HELD_OUT);
    if (random.chance(0.5)) return random.pick(ZH_LABELS);
    return Array.from({ length: random.int(1, 4) }, () => random.pick(LEXICONS.training.han)).join('') + (random.chance(0.3) ? random.pick(['于', '在', '到', '为', '自', '过', '了']) : '');
  }
  if (options.heldOutRelations) return random.pick(EN_HELD_OUT);
  const label = random.chance(0.6) ? random.pick(EN_LABELS) : madeLabel(random, options);
  return random.chance(0.25) ? label.replace(/ /g, '_') : label;
}
/** A label that means nothing, in the forms that labels have. */
function madeLabel(random: Random, options: SampleOptions): string {
  const letters = (text: string): string => text.normalize('NFD').toLowerCase().replace(/[^a-z]/g, '');
  const drawn = options.pieces && random.chance(0.5) ? letters(patchwork(random, options.pieces.en)) : random.chance(0.5) ? random.pick(LEXICONS.training.words) : letters(nonce(random, random.int(1, 3)));
  const made = drawn || 'x';
  const second = random.chance(0.5) ? random.pick(LEXICONS.training.words) : letters(nonce(random, 1));
  return random.pick([made, made, `${made} by`, `${made}ed by`, `${made}d at`, `${made} of`, `${made} ${second}`, `${second} ${made}`, `has ${made}`, `${made}s`, `${made}ed`, `${made}ed in`, `${made}s for`, `is ${made} with`, `was ${made}ed on`, `${made} of ${second}`]);
}

/** One to three relations; of a path, each may be walked against its direction, and the second is often the first one turned round. */
export function drawWalk(random: Random, language: Language, options: SampleOptions, single: boolean): Pick<EvidenceLine, 'relations' | 'inverse'> {
  const first = drawRelation(random, language, options);
  if (single || random.chance(0.7)) return { relations: [first] };
  if (random.chance(0.2)) return { relations: [first, first], inverse: random.chance(0.6) ? [false, true] : [true, false] };
  const relations = [first, ...Array.from({ length: random.chance(0.12) ? 2 : 1 }, () => drawRelation(random, language, options))];
  return { relations, inverse: relations.map(() => random.chance(0.5)) };
}

export function drawName(random: Random, language: Language, options: SampleOptions, long = false): string {
  const { names, pieces } = options;
  if (pieces && !long && random.chance(0.33)) return patchwork(random, pieces[language]);
  return typeof names === 'object' ? random.pick(names) : (long ? longName : randomName)(random, language, names);
}

/** Some of the names begin or end as another one does. */
function alike(random: Random, names: readonly string[]): string[] {
  return names.map((name, i) => {
    if (i === 0 || random.chance(0.5)) return name;
    const other = random.pick(names);
    const between = other.includes(' ') || name.includes(' ') ? ' ' : '';
    const [own, given] = between ? [name.split(between), other.split(between)] : [Array.from(name), Array.from(other)];
    const kept = random.int(1, given.length);
    return (random.chance(0.7) ? [...given.slice(0, kept), ...own] : [...own, ...given.slice(-kept)]).join(between);
  });
}

const CLASS_LABELS: Readonly<Record<Language, readonly string[]>> = { en: ['is a', 'is a', 'is a', 'is_a', 'is an', 'instance of'], zh: ['是', '是', '是', 'is a'] };
/** "owl", "paper engine": in English as many with each article, as far as the words allow. */
function commonNoun(random: Random, language: Language, options: SampleOptions): string {
  if (language === 'zh') return Array.from({ length: random.int(1, 3) }, () => random.pick(LEXICONS.training.han)).join('');
  const begins = random.pick(['a', 'e', 'h', 'i', 'o', 'u', '', '', '', '']);
  const word = random.chance(0.75) ? random.pick(LEXICONS.training.words) : madeLabel(random, options).split(' ')[0];
  const first = word.startsWith(begins) ? word : random.pick(LEXICONS.training.words.filter((one) => one.startsWith(begins)));
  return random.chance(0.2) ? `${first} ${random.pick(LEXICONS.training.words)}` : first;
}

const size = (random: Random): number => (random.chance(0.5) ? 1 : random.chance(0.65) ? random.int(2, 4) : random.chance(0.9) ? random.int(5, 9) : random.int(10, 13));
/** Form `inverse`: many subjects, one object; only single relations are told so. */
export function drawLine(random: Random, language: Language, options: SampleOptions, form: 'forward' | 'inverse' | 'single'): EvidenceLine {
  // Now and then a list as long as a reply may hold.
  const long = form !== 'single' && random.chance(options.lengthy ? 0.5 : 0.05);
  const names = (count: number): string[] => {
    const drawn = Array.from({ length: long && count > 1 ? random.int(7, 13) : count }, () => drawName(random, language, options, long && random.chance(0.7)));
    return [...new Set(options.alike && drawn.length > 1 && random.chance(0.25) ? alike(random, drawn) : drawn)];
  };
  if (options.classes !== undefined && random.chance(options.classes)) {
    const kinds = form === 'forward' && random.chance(0.25) ? random.int(2, 4) : 1;
    const objects = new Set(Array.from({ length: kinds }, () => (random.chance(0.8) ? commonNoun(random, language, options) : drawName(random, language, options))));
    return { subjects: names(form === 'inverse' ? size(random) : 1), relations: [random.pick(CLASS_LABELS[language])], objects: [...objects] };
  }
  const path = drawWalk(random, language, options, form !== 'forward');
  return { subjects: names(form === 'inverse' ? size(random) : 1), ...path, objects: names(form === 'forward' ? size(random) : 1) };
}
