// Owns the training and held-out samples: evidence, question and the faithful reply, English and Chinese.
// Refuses to know tokens and gradients. Sentences come from src/answers/words/wording.ts, so that data and product speak one language.

import { evidenceWords, mark, relationText, renderEvidence } from '../../answers/words/evidence.ts';
import type { Evidence, EvidenceLine, Language } from '../../answers/words/evidence.ts';
import { labelShape, reply } from '../../answers/words/wording.ts';
import type { Random } from '../random.ts';
import { LEXICONS, longName, nonce, patchwork, randomName } from './names.ts';
import type { NamePool } from './names.ts';

export interface Sample {
  readonly language: Language;
  readonly kind: 'answer' | 'yes' | 'no' | 'unknown' | 'count' | 'find' | 'refuse';
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
  readonly evidence: Evidence;
}

const words = (text: string): readonly string[] => text.trim().split(/\s*,\s*/);
export const EN_LABELS = words(
  `born in, died in, located in, directed by, written by, founded by, composed by, painted by, designed by, invented by, discovered by, published by, produced by, married to, employed by, educated at, known for, named after, based in, influenced by, used for, made of, built in, owned by, sung by, related to, connected to, edited by, built by, taught by, led by, won by, caused by, treated with, spoken in, written in, held in,
  capital of, author of, part of, member of, parent of, child of, teacher of, student of, brother of, sister of, founder of, leader of, owner of, inventor of, neighbour of, friend of, ancestor of, symptom of, author, director, release year, occupation, birthplace, nationality, spouse, genre, language, country, population, capital, founder, chief executive, height, weight, age, colour, price, profession, employer, religion, currency, continent, mother, father, publisher, subject, rating, number of votes, starred actors, awards, languages, has genre, has tags, has rating, in language, has colour, has capital, has part, area, postcode, title, keyword, field of work, doctoral advisor, official language, highest mountain, date of birth, place of death,
  teaches, likes, loves, knows, owns, contains, borders, influences, speaks, plays, causes, treats, follows, uses, cites, works for, lives in, belongs to, plays for, studied at, appears in, moved to, invented, discovered, directed, founded, wrote, married, visited, is a, is a, is a, is a, is located in, is part of, was born in, was written by, is the capital of, is known as`,
);
const EN_HELD_OUT = words('buried in, translated by, sponsored by, sculpted by, cousin of, supplier of, mascot, flagship store, blood type, runtime, has flavour, has motto, distributors, admires, exports, worked at, interviewed, is friends with');
const ZH_LABELS = words(
  '出生于,去世于,位于,毕业于,成立于,来自,任职于,居住在,发生在,是,是,是,作者,导演,编剧,主演,上映年份,语言,类型,首都,人口,职业,国籍,配偶,父亲,母亲,老师,学生,孩子,创始人,总裁,货币,面积,别名,领域,出版社,发明者,发现者,成员,组成部分,颜色,价格,身高,体重,评分,标签,邻国,朋友,宗教,官方语言,代表作,奖项,雇主',
);
const ZH_HELD_OUT = words('葬于,起源于,吉祥物,血型,口号,供应商,翻译者,片长,旗舰店,表亲');

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

const EN_ASK = ['what is the {r} of {s}', 'who is the {r} of {s}', 'what {r} does {s} have', 'tell me the {r} of {s}', '{s} {r} what', 'which {r} belongs to {s}', "{s}'s {r}", 'give the {r} for {s}', 'name the {r} of {s}', 'what do we know about the {r} of {s}'];
const EN_ASK_HELD_OUT = ['could you look up {s} and say its {r}', 'for {s} I need to know the {r}', 'please state {r} concerning {s}'];
const EN_COPULA = ['what was {s} {r}', 'who was {s} {r}', 'where was {s} {r}', '{s} was {r} what', 'when was {s} {r}', 'whom was {s} {r}', 'what is {s} {r}'];
const EN_VERB = ['what does {s} {r}', 'who does {s} {r}', '{s} {r} what', 'what is it that {s} {r}'];
const EN_INVERSE = ['what was {r} {o}', 'who was {r} {o}', 'which ones were {r} {o}', 'what has the {r} {o}', 'whose {r} is {o}', 'who {r} {o}', 'what {r} {o}', 'list everything with {r} {o}', 'find all that were {r} {o}', 'what things are {r} {o}'];
const EN_CHECK = ['is {o} the {r} of {s}', 'was {s} {r} {o}', 'is it true that {s} {r} {o}', 'is {s} {r} {o}', 'does {s} {r} {o}', 'did {s} {r} {o}'];
const EN_CLASS = ['is {s} {o}', 'is {s} a {o}', 'is {s} an {o}', 'are {s} {o}'];
const EN_COUNT = ['how many {r} does {s} have', 'how many {r} {s}', 'count the {r} of {s}', 'what is the number of {r} of {s}'];
const EN_PREFIX = ['', '', '', '', '', 'please tell me, ', 'can you say ', 'I wonder, ', 'do you know '];
const ZH_ASK = ['{s}的{r}是什么', '{s}的{r}是谁', '{s}{r}哪里', '{s}{r}什么', '请问{s}的{r}', '谁是{s}的{r}', '{s}的{r}有哪些', '告诉我{s}的{r}', '{s}{r}何时'];
const ZH_ASK_HELD_OUT = ['我想了解{s}的{r}', '麻烦查一下{s}的{r}是哪个'];
const ZH_INVERSE = ['谁的{r}是{o}', '哪些的{r}是{o}', '什么{r}{o}', '谁{r}{o}', '有哪些{r}{o}', '列出{r}{o}的'];
const ZH_CHECK = ['{s}的{r}是{o}吗', '{s}{r}{o}吗', '{o}是不是{s}的{r}', '是否{s}{r}{o}'];
const ZH_CLASS = ['{s}是{o}吗', '{s}是不是{o}', '{s}会{o}吗', '{s}是一种{o}吗'];
const ZH_COUNT = ['{s}有多少{r}', '{s}的{r}有几个', '{r}{s}的一共多少'];

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
