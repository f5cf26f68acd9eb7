// Owns the training and held-out samples: evidence, question and the faithful reply, English and Chinese.
// Refuses to know tokens and gradients. Sentences come from src/answers/words/wording.ts, so that data and product speak one language.

import { evidenceWords, mark, relationText, renderEvidence } from '../../answers/words/evidence.ts';
import type { Evidence, EvidenceLine, Language, ReplyForm } from '../../answers/words/evidence.ts';
import { labelShape, reply } from '../../answers/words/wording.ts';
import type { Random } from '../random.ts';
import { drawLanguage, drawLine, drawName, drawRelation } from './draws.ts';
import type { SampleOptions } from './draws.ts';
import { framedQuestion, leadQuestion } from './lead-ins.ts';
import { EN_ASK, EN_ASK_HELD_OUT, EN_CHECK, EN_CLASS, EN_CLASS_ASK, EN_CLASS_COUNT, EN_CLASS_INVERSE, EN_COPULA, EN_COUNT, EN_INVERSE, EN_PREFIX, EN_VERB, ZH_ASK, ZH_ASK_HELD_OUT, ZH_CHECK, ZH_CLASS, ZH_CLASS_ASK, ZH_CLASS_COUNT, ZH_CLASS_INVERSE, ZH_COUNT, ZH_INVERSE } from './questions.ts';

export type { SampleOptions } from './draws.ts';
export interface Sample {
  readonly language: Language;
  readonly kind: 'answer' | 'yes' | 'no' | 'unknown' | 'count' | 'find' | 'refuse';
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
  readonly evidence: Evidence;
  /** The question alone, as `user` holds it. */
  readonly question: string;
  /** Of `find` and `refuse`: whom the question is about, named in the question alone where no fact is about it. */
  readonly about?: string;
}

export interface AskOptions extends SampleOptions {
  readonly otherWords?: boolean;
}

function fill(template: string, values: Readonly<Record<'s' | 'r' | 'o', string>>): string {
  return template.replace(/\{([sro])\}/g, (_, key: 's' | 'r' | 'o') => values[key]);
}

const CLASS_QUESTIONS = { forward: { en: EN_CLASS_ASK, zh: ZH_CLASS_ASK }, inverse: { en: EN_CLASS_INVERSE, zh: ZH_CLASS_INVERSE }, count: { en: EN_CLASS_COUNT, zh: ZH_CLASS_COUNT } } as const;
/** A question about a fact. Names are marked in most of them. */
export function ask(random: Random, language: Language, item: EvidenceLine, purpose: 'forward' | 'inverse' | 'check' | 'count', options: AskOptions): string {
  const show = random.chance(0.7) ? mark : (name: string): string => name;
  // With a verdict, people often ask in other words than the relation's.
  const asked = options.otherWords && random.chance(0.15) ? [drawRelation(random, language, options)] : item.relations;
  const label = asked.map(relationText).join(language === 'zh' ? '的' : ' of the ');
  const bare = language === 'en' ? label.replace(/^(has|in|is|was) /, '') : label;
  const values = { s: show(item.subjects[0] ?? ''), r: bare, o: show(item.objects[0] ?? '') };
  const shape = language === 'en' ? labelShape(item.relations[0]).kind : 'noun';
  const zhClass = language === 'zh' && (label === '是' || label === 'is a');
  let pool: readonly string[];
  const ofClasses = options.classes !== undefined && item.relations.length === 1 && (zhClass || shape === 'class');
  if (ofClasses && purpose !== 'check') pool = CLASS_QUESTIONS[purpose][language];
  else if (language === 'zh') pool = purpose === 'check' ? (zhClass ? ZH_CLASS : ZH_CHECK) : purpose === 'inverse' ? ZH_INVERSE : purpose === 'count' ? ZH_COUNT : options.heldOutQuestions ? ZH_ASK_HELD_OUT : ZH_ASK;
  else if (purpose === 'check') pool = shape === 'class' ? EN_CLASS : EN_CHECK;
  else if (purpose === 'inverse') pool = EN_INVERSE;
  else if (purpose === 'count') pool = EN_COUNT;
  else if (options.heldOutQuestions) pool = EN_ASK_HELD_OUT;
  else pool = shape === 'copula' ? [...EN_COPULA, ...EN_ASK] : shape === 'verb' ? EN_VERB : EN_ASK;
  const framed = options.leadIns && language === 'en' && purpose === 'forward' && !ofClasses && random.chance(0.2);
  let text = fill(framed ? framedQuestion(random) : random.pick(pool), values);
  if (!framed && options.leadIns && random.chance(0.25)) text = leadQuestion(random, language) + text;
  if (language === 'en') {
    text = random.pick(EN_PREFIX) + text;
    if (random.chance(0.5)) text = text.charAt(0).toUpperCase() + text.slice(1);
    if (random.chance(0.6)) text += '?';
  } else if (random.chance(0.7)) text += '？';
  return text;
}

/** In which form an answer is told: mostly in a sentence. */
function form(random: Random): ReplyForm | undefined {
  const roll = random.next();
  return roll < 0.12 ? 'list' : roll < 0.19 ? 'table' : undefined;
}

/** Part of the reasons that say what something is, behind a conclusion that does. */
const CLASSES_OF_A_CLASS = 0.5;

/** One sample. The kinds with a verdict are what the answering path sends; `find` and `refuse` make the model search loose facts on its own. */
export function makeSample(random: Random, options: SampleOptions = {}): Sample {
  const language = drawLanguage(random, options);
  const finish = (kind: Sample['kind'], evidence: Evidence, user: string, stated: Evidence = evidence): Sample => ({
    language,
    kind,
    ...renderEvidence(evidence, user, language),
    question: user,
    assistant: reply(stated, language, mark),
    evidence,
  });
  const formed = (way: 'forward' | 'inverse'): Pick<Evidence, 'form' | 'sought'> => {
    const drawn = form(random);
    return drawn === undefined ? {} : { form: drawn, sought: way === 'forward' ? 'objects' : 'subjects' };
  };
  const roll = random.next();
  if (roll < 0.46) {
    const way = random.chance(0.55) ? 'forward' : 'inverse';
    const conclusion = drawLine(random, language, options, way);
    return finish('answer', { verdict: 'answer', conclusion, lines: [], ...formed(way) }, ask(random, language, conclusion, way, { ...options, otherWords: true }));
  }
  if (roll < 0.67) {
    const kind = random.pick(['yes', 'yes', 'no', 'unknown'] as const);
    const conclusion = drawLine(random, language, options, 'single');
    const ofClass = labelShape(conclusion.relations[0]).kind === 'class' || conclusion.relations[0] === '是';
    const lines = kind === 'unknown' || random.chance(0.4) ? [] : Array.from({ length: random.int(1, 3) }, () => {
      const other = drawLine(random, language, ofClass && options.classes !== undefined ? { ...options, classes: CLASSES_OF_A_CLASS } : options, 'single');
      return random.chance(0.6) ? { ...other, subjects: conclusion.subjects } : other;
    });
    return finish(kind, { verdict: kind, conclusion, lines }, ask(random, language, conclusion, 'check', options));
  }
  if (roll < 0.75) {
    const conclusion = drawLine(random, language, options, 'forward');
    const about = random.chance(0.8) ? { ...conclusion, relations: [], objects: [] } : undefined;
    return finish('unknown', { verdict: 'unknown', conclusion: about, lines: [] }, ask(random, language, conclusion, 'forward', options));
  }
  if (roll < 0.81) {
    const way = random.chance(0.6) ? 'forward' : 'inverse';
    const conclusion = drawLine(random, language, options, way);
    const count = random.chance(0.7) ? Math.max(conclusion.subjects.length, conclusion.objects.length) : random.int(13, 900);
    return finish('count', { verdict: 'count', count, conclusion, lines: [], ...formed(way) }, ask(random, language, conclusion, 'count', options));
  }
  const seen = new Set<string>();
  const lines: EvidenceLine[] = [];
  const shared = drawName(random, language, options);
  for (let i = random.int(2, 5); i > 0; i--) {
    const made = drawLine(random, language, options, 'single');
    const item = random.chance(0.6) ? { ...made, subjects: [shared] } : made;
    const key = `${item.subjects[0]}|${item.relations[0].replace(/_/g, ' ').replace(/^(has|in|is|was) /, '')}`;
    if (seen.has(key)) continue;
    seen.add(key);
    lines.push(item);
  }
  const target = random.pick(lines);
  const [about] = target.subjects;
  if (random.chance(0.65)) return { ...finish('find', { lines }, ask(random, language, target, 'forward', options), { conclusion: target, lines: [] }), about };
  const rest = lines.filter((item) => item !== target);
  const conclusion = { subjects: target.subjects, relations: [], objects: [] };
  return { ...finish('refuse', { lines: rest }, ask(random, language, target, 'forward', options), { verdict: 'unknown', conclusion, lines: [] }), about };
}

/** Stands for a name. */
const HOLE = '\ue000';

/** Words and signs outside names that replies use whatever the relations are: those that occur in at least two of 20,000 samples. */
export function lexicon(random: Random, language: Language): string[] {
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const sample = makeSample(random, { language });
    const stated = sample.evidence.verdict ? sample.evidence : { verdict: 'unknown' as const, lines: [] };
    const ofRelations = evidenceWords(stated).flatMap((word) => [word, ...word.split('-')]).map((word) => word.toLowerCase());
    const text = reply(stated, language, () => HOLE);
    const pieces = language === 'en' ? text.match(/\p{L}+|[^\s\p{L}\ue000]/gu) : text.match(/[^\s\ue000A-Za-z]/g);
    for (const piece of new Set(pieces)) if (!ofRelations.some((word) => (language === 'zh' ? word.includes(piece) : word === piece.toLowerCase()))) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= 2).map(([piece]) => piece).sort();
}
