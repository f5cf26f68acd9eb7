// Owns pairs of texts that belong together in search, with one that does not: drawn without end from the generated facts, English, Chinese and across.
// Refuses to know tokens, batches and models.

import { mark, plain, relationText } from '../../answers/words/evidence.ts';
import type { EvidenceLine, Language } from '../../answers/words/evidence.ts';
import { clause, labelShape, reply } from '../../answers/words/wording.ts';
import { patchwork, randomName } from '../grounded/names.ts';
import { EN_ASK, EN_ASK_HELD_OUT, EN_COPULA, EN_INVERSE, EN_VERB, ZH_ASK, ZH_ASK_HELD_OUT, ZH_INVERSE } from '../grounded/questions.ts';
import { makeSample } from '../grounded/samples.ts';
import type { Sample, SampleOptions } from '../grounded/samples.ts';
import type { Random } from '../random.ts';
import { SAME_LABELS } from './bilingual.ts';
import { inOtherWords, misspelt, nameVariant } from './variants.ts';

/** `fact`: a question and the sentence that answers it; `path`: and its relation path; `passage`: and several sentences of which one does; `across`: the other one in the other language; `paraphrase`, `name`, `label`. */
export const PAIR_KINDS = ['fact', 'path', 'passage', 'across', 'paraphrase', 'name', 'label'] as const;
export type PairKind = (typeof PAIR_KINDS)[number];
/** What a text is looked for with, what should be found, and what looks like it and should not. */
export interface Pair {
  readonly kind: PairKind;
  readonly query: string;
  readonly document: string;
  readonly negative: string;
}
const SHARES: Readonly<Record<PairKind, number>> = { fact: 0.34, path: 0.08, passage: 0.1, across: 0.18, paraphrase: 0.14, name: 0.1, label: 0.06 };

/** Of one line: longer lists are more than what a vector of a few hundred numbers can hold. */
const MOST_NAMES = 6;

const show = (name: string): string => name;
/** A question with the line that answers it, and other lines that were told beside it. Questions in other words than the relation's own are left out. */
interface Asked {
  readonly language: Language;
  readonly question: string;
  readonly line: EvidenceLine;
  readonly beside: readonly EvidenceLine[];
}
function askedOf({ kind, language, user, assistant, evidence }: Sample): Asked | undefined {
  const question = plain(user);
  if (kind === 'find') {
    const line = evidence.lines.find((each) => reply({ conclusion: each, lines: [] }, language, mark) === assistant);
    return line && { language, question, line, beside: evidence.lines.filter((each) => each !== line) };
  }
  const { conclusion, lines } = evidence;
  if (!conclusion || conclusion.relations.length === 0 || conclusion.objects.length === 0) return undefined;
  const bare = (relation: string): string => relationText(relation).replace(/^(?:has|in|is|was) /, '');
  const ownWords = conclusion.relations.every((relation) => question.toLowerCase().includes(bare(relation).toLowerCase()));
  return ownWords ? { language, question, line: conclusion, beside: lines } : undefined;
}
function drawAsked(random: Random, options: SampleOptions): Asked {
  for (;;) {
    const asked = askedOf(makeSample(random, options));
    if (asked && asked.line.subjects.length + asked.line.objects.length <= MOST_NAMES) return asked;
  }
}

const pathText = ({ relations, inverse }: EvidenceLine): string =>
  relations.map((relation, i) => `${inverse?.[i] ? '^' : ''}${relationText(relation)}`).join(' / ');
type Form = 'sentence' | 'triple' | 'words';
/** A fact as a text: the sentence of the product, or subject, path and objects in a row. */
export function factText(line: EvidenceLine, language: Language, form: Form = 'sentence'): string {
  if (form === 'sentence') return `${clause(line, language, show)}${language === 'zh' ? '。' : '.'}`;
  return [line.subjects.join(', '), pathText(line), line.objects.join(', ')].join(form === 'triple' ? ' | ' : ' ');
}
const drawForm = (random: Random): Form => (random.chance(0.7) ? 'sentence' : random.pick(['triple', 'words']));
/** The same names in another relation, or the relation with another name, or subject and object changed: what a search by words alone takes for the right one. */
function mislead(random: Random, { line, beside }: Asked, other: EvidenceLine): EvidenceLine {
  const near = beside.filter(({ subjects }) => subjects[0] === line.subjects[0]);
  const roll = random.next();
  if (near.length > 0 && roll < 0.6) return random.pick(near);
  if (roll < 0.55) return { ...line, relations: other.relations, inverse: other.inverse, objects: other.objects };
  if (roll < 0.7) return { ...line, relations: other.relations, inverse: other.inverse };
  if (roll < 0.9) return { ...line, subjects: other.subjects, objects: other.objects };
  return { ...line, subjects: line.objects, objects: line.subjects };
}

function askFor(
  random: Random,
  label: string,
  language: Language,
  { subject, object, heldOut }: { readonly subject: string; readonly object?: string; readonly heldOut?: boolean },
): string {
  const shape = language === 'en' ? labelShape(label).kind : 'noun';
  const forward =
    language === 'zh' ? (heldOut ? ZH_ASK_HELD_OUT : ZH_ASK) : heldOut ? EN_ASK_HELD_OUT : shape === 'copula' ? EN_COPULA : shape === 'verb' ? EN_VERB : EN_ASK;
  const pool: readonly string[] = object === undefined ? forward : language === 'zh' ? ZH_INVERSE : EN_INVERSE;
  const values = { s: subject, r: language === 'en' ? label.replace(/^(?:has|in|is|was) /, '') : label, o: object ?? '' };
  const text = random.pick(pool).replace(/\{([sro])\}/g, (_, key: 's' | 'r' | 'o') => values[key]);
  return `${text}${random.chance(0.6) ? (language === 'zh' ? '？' : '?') : ''}`;
}
function nameOf(random: Random, language: Language, { names, pieces }: SampleOptions): string {
  if (pieces && random.chance(0.33)) return patchwork(random, pieces[language]);
  return typeof names === 'object' ? random.pick(names) : randomName(random, language, names);
}

/** A fact asked for or told in one language and told in the other. Names stay as they are: a graph has each in one form. `wording`: how the first text is made. */
export function acrossPair(random: Random, options: SampleOptions, from: Language = random.pick(['en', 'zh']), wording: 'any' | 'question' = 'any'): Pair {
  const [label, other] = [random.pick(SAME_LABELS), random.pick(SAME_LABELS)];
  const names: Language = options.language ?? random.pick(['en', 'zh']);
  const [subject, object, stranger] = Array.from({ length: 3 }, () => nameOf(random, names, options));
  const to: Language = from === 'en' ? 'zh' : 'en';
  const of = ([en, zh]: readonly [string, string], language: Language): string => (language === 'en' ? en : zh);
  const told = (chosen: readonly [string, string], language: Language, about = subject): string =>
    factText({ subjects: [about], relations: [of(chosen, language)], objects: [object] }, language);
  const asks = wording === 'question' || random.chance(0.75);
  const query = asks ? askFor(random, of(label, from), from, { subject, heldOut: options.heldOutQuestions }) : told(label, from);
  // Several labels say the same: the other one must not.
  const misleading =
    other[0] === label[0] || other[1] === label[1] ? told(label, to, stranger) : random.chance(0.75) ? told(other, to) : told(label, to, stranger);
  return { kind: 'across', query, document: told(label, to), negative: misleading };
}

/** An English fact asked for, or told, with a word of like meaning in its relation; undefined when the relation has none. */
function inOtherWordsPair(random: Random, asked: Asked, other: EvidenceLine, asks: boolean): Pair | undefined {
  const { language, line } = asked;
  const label = line.relations.length === 1 && language === 'en' ? inOtherWords(random, relationText(line.relations[0])) : undefined;
  if (label === undefined) return undefined;
  const query = asks ? askFor(random, label, 'en', { subject: line.subjects[0] }) : factText({ ...line, relations: [label] }, 'en', drawForm(random));
  return { kind: 'paraphrase', query, document: factText(line, 'en'), negative: factText(mislead(random, asked, other), 'en') };
}
/** A question in other words than the English fact that answers it. */
export function otherWordsPair(random: Random, options: SampleOptions): Pair {
  for (;;) {
    const english = { ...options, language: 'en' } as const;
    const pair = inOtherWordsPair(random, drawAsked(random, english), drawAsked(random, english).line, true);
    if (pair) return pair;
  }
}
/** A sentence and the same in other words: a word of like meaning, another order, a slip of the pen. */
function paraphrasePair(random: Random, options: SampleOptions): Pair {
  const asked = drawAsked(random, options);
  const { language, line, question } = asked;
  const { line: other } = drawAsked(random, { ...options, language });
  const otherwise = options.heldOutRelations || random.chance(0.2) ? undefined : inOtherWordsPair(random, asked, other, random.chance(0.6));
  if (otherwise) return otherwise;
  const sentence = factText(line, language);
  let query = factText(line, language, random.pick(['triple', 'words']));
  if (random.chance(0.5)) query = misspelt(random, random.chance(0.7) ? question : sentence);
  else if (random.chance(0.3)) query = [line.objects.join(', '), pathText(line), line.subjects.join(', ')].join(' ');
  return { kind: 'paraphrase', query, document: sentence, negative: factText(mislead(random, asked, other), language) };
}

function namePair(random: Random, options: SampleOptions): Pair {
  const language = options.language ?? random.pick(['en', 'en', 'zh']);
  const [name, other] = [nameOf(random, language, options), nameOf(random, language, options)];
  const parts = name.split(' ');
  // Another name with a word of this one.
  const negative = parts.length > 1 ? [random.pick(parts), ...other.split(' ').slice(1)].join(' ') : other;
  return { kind: 'name', query: nameVariant(random, name), document: name, negative: negative === name ? other : negative };
}

function labelPair(random: Random): Pair {
  const [label, other] = [random.pick(SAME_LABELS), random.pick(SAME_LABELS)];
  const otherwise = random.chance(0.4) ? inOtherWords(random, label[0]) : undefined;
  if (otherwise !== undefined) return { kind: 'label', query: otherwise, document: label[0], negative: other[0] };
  const turned = random.chance(0.5) ? 1 : 0;
  return { kind: 'label', query: label[turned], document: label[1 - turned], negative: other[1 - turned] };
}

/** The next pair of a kind. Held-out names, labels and phrasings are drawn only where the options say so. The three texts differ. */
export function makePair(random: Random, kind: PairKind, options: SampleOptions = {}): Pair {
  for (;;) {
    const pair = drawPair(random, kind, options);
    if (new Set([pair.query, pair.document, pair.negative]).size === 3 && Object.values(pair).every((text) => text.trim() !== '')) return pair;
  }
}
function drawPair(random: Random, kind: PairKind, options: SampleOptions): Pair {
  switch (kind) {
    case 'across':
      return acrossPair(random, options);
    case 'paraphrase':
      return paraphrasePair(random, options);
    case 'name':
      return namePair(random, options);
    case 'label':
      return labelPair(random);
    case 'fact':
    case 'path':
    case 'passage': {
      const asked = drawAsked(random, options);
      const { language, question, line } = asked;
      const other = drawAsked(random, { ...options, language });
      if (kind === 'path') return { kind, query: question, document: pathText(line), negative: pathText(other.line) };
      const misleading = mislead(random, asked, other.line);
      if (kind === 'fact') {
        const form = drawForm(random);
        return { kind, query: question, document: factText(line, language, form), negative: factText(misleading, language, form) };
      }
      const rest = Array.from({ length: random.int(1, 3) }, () => drawAsked(random, { ...options, language }).line);
      const join = (lines: EvidenceLine[]): string =>
        random
          .shuffle(lines)
          .map((each) => factText(each, language))
          .join(language === 'zh' ? '' : ' ');
      return { kind, query: question, document: join([line, ...rest]), negative: join([misleading, ...rest]) };
    }
    default:
      return kind satisfies never;
  }
}

export function drawKind(random: Random): PairKind {
  let left = random.next();
  for (const kind of PAIR_KINDS) if ((left -= SHARES[kind]) < 0) return kind;
  return 'fact';
}
