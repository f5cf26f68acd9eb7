// Owns the training and held-out samples: evidence, question and the faithful reply, English and Chinese.
// Refuses to know tokens and gradients. Sentences come from src/answers/words/wording.ts, so that data and product speak one language.

import { evidenceWords, mark, relationText, renderEvidence } from '../../answers/words/evidence.ts';
import type { Evidence, EvidenceLine, Language } from '../../answers/words/evidence.ts';
import { labelShape, reply } from '../../answers/words/wording.ts';
import type { Random } from '../random.ts';
import { EN_HELD_OUT, EN_LABELS, ZH_HELD_OUT, ZH_LABELS } from './labels.ts';
import { LEXICONS, longName, nonce, patchwork, randomName } from './names.ts';
import type { NamePool } from './names.ts';
import { EN_ASK, EN_ASK_HELD_OUT, EN_CHECK, EN_CLASS, EN_COPULA, EN_COUNT, EN_INVERSE, EN_PREFIX, EN_VERB, ZH_ASK, ZH_ASK_HELD_OUT, ZH_CHECK, ZH_CLASS, ZH_COUNT, ZH_INVERSE } from './questions.ts';

export interface Sample {
  readonly language: Language;
  readonly kind: 'answer' | 'yes' | 'no' | 'unknown' | 'count' | 'find' | 'refuse';
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
  readonly evidence: Evidence;
}

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
}
interface AskOptions extends SampleOptions {
  readonly otherWords?: boolean;
}

function relation(random: Random, language: Language, options: SampleOptions): string {
  if (language === 'zh') {
    if (random.chance(0.12)) return relation(random, 'en', options);
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

function fill(template: string, values: Readonly<Record<'s' | 'r' | 'o', string>>): string {
  return template.replace(/\{([sro])\}/g, (_, key: 's' | 'r' | 'o') => values[key]);
}

function ask(random: Random, language: Language, item: EvidenceLine, purpose: 'forward' | 'inverse' | 'check' | 'count', options: AskOptions): string {
  const show = random.chance(0.7) ? mark : (name: string): string => name;
  // With a verdict, people often ask in other words than the relation's.
  const asked = options.otherWords && random.chance(0.15) ? [relation(random, language, options)] : item.relations;
  const label = asked.map(relationText).join(language === 'zh' ? '的' : ' of the ');
  const bare = language === 'en' ? label.replace(/^(has|in|is|was) /, '') : label;
  const values = { s: show(item.subjects[0] ?? ''), r: bare, o: show(item.objects[0] ?? '') };
  const shape = language === 'en' ? labelShape(item.relations[0]).kind : 'noun';
  const zhClass = language === 'zh' && (label === '是' || label === 'is a');
  let pool: readonly string[];
  if (language === 'zh') pool = purpose === 'check' ? (zhClass ? ZH_CLASS : ZH_CHECK) : purpose === 'inverse' ? ZH_INVERSE : purpose === 'count' ? ZH_COUNT : options.heldOutQuestions ? ZH_ASK_HELD_OUT : ZH_ASK;
  else if (purpose === 'check') pool = shape === 'class' ? EN_CLASS : EN_CHECK;
  else if (purpose === 'inverse') pool = EN_INVERSE;
  else if (purpose === 'count') pool = EN_COUNT;
  else if (options.heldOutQuestions) pool = EN_ASK_HELD_OUT;
  else pool = shape === 'copula' ? [...EN_COPULA, ...EN_ASK] : shape === 'verb' ? EN_VERB : EN_ASK;
  let text = fill(random.pick(pool), values);
  if (language === 'en') {
    text = random.pick(EN_PREFIX) + text;
    if (random.chance(0.5)) text = text.charAt(0).toUpperCase() + text.slice(1);
    if (random.chance(0.6)) text += '?';
  } else if (random.chance(0.7)) text += '？';
  return text;
}

const size = (random: Random): number => (random.chance(0.5) ? 1 : random.chance(0.65) ? random.int(2, 4) : random.chance(0.9) ? random.int(5, 9) : random.int(10, 13));

/** One to three relations; of a path, each may be walked against its direction, and the second is often the first one turned round. */
function walk(random: Random, language: Language, options: SampleOptions, single: boolean): Pick<EvidenceLine, 'relations' | 'inverse'> {
  const first = relation(random, language, options);
  if (single || random.chance(0.7)) return { relations: [first] };
  if (random.chance(0.2)) return { relations: [first, first], inverse: random.chance(0.6) ? [false, true] : [true, false] };
  const relations = [first, ...Array.from({ length: random.chance(0.12) ? 2 : 1 }, () => relation(random, language, options))];
  return { relations, inverse: relations.map(() => random.chance(0.5)) };
}

function name(random: Random, language: Language, options: SampleOptions, long = false): string {
  const { names, pieces } = options;
  if (pieces && !long && random.chance(0.33)) return patchwork(random, pieces[language]);
  return typeof names === 'object' ? random.pick(names) : (long ? longName : randomName)(random, language, names);
}

/** Form `inverse`: many subjects, one object; only single relations are told so. */
function line(random: Random, language: Language, options: SampleOptions, form: 'forward' | 'inverse' | 'single'): EvidenceLine {
  // Now and then a list as long as a reply may hold.
  const long = form !== 'single' && random.chance(0.05);
  const names = (count: number): string[] => [...new Set(Array.from({ length: long && count > 1 ? random.int(7, 13) : count }, () => name(random, language, options, long && random.chance(0.7))))];
  const path = walk(random, language, options, form !== 'forward');
  return { subjects: names(form === 'inverse' ? size(random) : 1), ...path, objects: names(form === 'forward' ? size(random) : 1) };
}

/** One sample. The kinds with a verdict are what the answering path sends; `find` and `refuse` make the model search loose facts on its own. */
export function makeSample(random: Random, options: SampleOptions = {}): Sample {
  const drawn: Language = random.chance(0.35) ? 'zh' : 'en';
  const language = options.language ?? drawn;
  const finish = (kind: Sample['kind'], evidence: Evidence, user: string, stated: Evidence = evidence): Sample => ({
    language,
    kind,
    system: renderEvidence(evidence, language),
    user,
    assistant: reply(stated, language, mark),
    evidence,
  });
  const roll = random.next();
  if (roll < 0.46) {
    const form = random.chance(0.55) ? 'forward' : 'inverse';
    const conclusion = line(random, language, options, form);
    return finish('answer', { verdict: 'answer', conclusion, lines: [] }, ask(random, language, conclusion, form, { ...options, otherWords: true }));
  }
  if (roll < 0.67) {
    const kind = random.pick(['yes', 'yes', 'no', 'unknown'] as const);
    const conclusion = line(random, language, options, 'single');
    const lines = kind === 'unknown' || random.chance(0.4) ? [] : Array.from({ length: random.int(1, 3) }, () => {
      const other = line(random, language, options, 'single');
      return random.chance(0.6) ? { ...other, subjects: conclusion.subjects } : other;
    });
    return finish(kind, { verdict: kind, conclusion, lines }, ask(random, language, conclusion, 'check', options));
  }
  if (roll < 0.75) {
    const conclusion = line(random, language, options, 'forward');
    const about = random.chance(0.8) ? { ...conclusion, relations: [], objects: [] } : undefined;
    return finish('unknown', { verdict: 'unknown', conclusion: about, lines: [] }, ask(random, language, conclusion, 'forward', options));
  }
  if (roll < 0.81) {
    const form = random.chance(0.6) ? 'forward' : 'inverse';
    const conclusion = line(random, language, options, form);
    const count = random.chance(0.7) ? Math.max(conclusion.subjects.length, conclusion.objects.length) : random.int(13, 900);
    return finish('count', { verdict: 'count', count, conclusion, lines: [] }, ask(random, language, conclusion, 'count', options));
  }
  const seen = new Set<string>();
  const lines: EvidenceLine[] = [];
  const shared = name(random, language, options);
  for (let i = random.int(2, 5); i > 0; i--) {
    const made = line(random, language, options, 'single');
    const item = random.chance(0.6) ? { ...made, subjects: [shared] } : made;
    const key = `${item.subjects[0]}|${item.relations[0].replace(/_/g, ' ').replace(/^(has|in|is|was) /, '')}`;
    if (seen.has(key)) continue;
    seen.add(key);
    lines.push(item);
  }
  const target = random.pick(lines);
  if (random.chance(0.65)) return finish('find', { lines }, ask(random, language, target, 'forward', options), { conclusion: target, lines: [] });
  const rest = lines.filter((item) => item !== target);
  const about = { subjects: target.subjects, relations: [], objects: [] };
  return finish('refuse', { lines: rest }, ask(random, language, target, 'forward', options), { verdict: 'unknown', conclusion: about, lines: [] });
}

/** Stands for a name. */
const HOLE = '\ue000';

/** Words and signs outside names that replies use whatever the relations are: those that occur in at least five of 20,000 samples. */
export function lexicon(random: Random, language: Language): string[] {
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const sample = makeSample(random, { language });
    const stated = sample.evidence.verdict ? sample.evidence : { verdict: 'unknown' as const, lines: [] };
    const ofRelations = evidenceWords(stated).map((word) => word.toLowerCase());
    const text = reply(stated, language, () => HOLE);
    const pieces = language === 'en' ? text.match(/\p{L}+|[^\s\p{L}\ue000]/gu) : text.match(/[^\s\ue000A-Za-z]/g);
    for (const piece of new Set(pieces)) if (!ofRelations.some((word) => (language === 'zh' ? word.includes(piece) : word === piece.toLowerCase()))) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= 5).map(([piece]) => piece).sort();
}
