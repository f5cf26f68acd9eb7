// Owns which words of a question, outside its names, may speak of relations, and what grammar says of each.
// Refuses to know relations and the graph.

import { MEASURE } from './label.ts';
import { isFunctionHan, isFunctionWord, isGeneric, MEASURES_HAN } from './question.ts';
import type { Question, Token } from './question.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';
import type { Part } from '../thesaurus/thesaurus.ts';

/** A word (English) or a stretch of characters (Chinese) that may speak of relations. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly part: Part;
  /** The noun after "which", "what" or "how many": what the answers are, and so how the last step of a path may be called. */
  readonly asked: boolean;
  /** It stands where a noun must be a relation: "the N of", "X's N", "的N". */
  readonly relational: boolean;
  /** The word right before it, which may say more closely what it means: "wedding" of "wedding date". */
  readonly modifier?: string;
}

/** English has many words for "kind", of which dictionaries keep other senses in front. */
const KINDS = /^(?:type|sort|category|variety)s?$|^(?:categori|varieti)es$/;
/** A school has some, too. */
const CLASSES = /^class(?:es)?$/;
/** What dictionaries do not join with the nouns that relations are called by. */
const NOUNS: Readonly<Record<string, string>> = { birthday: 'birth', birthdate: 'birth', weigh: 'weight', weighs: 'weight', weighed: 'weight' };
const UNIT = /^(?:year|month|week|day|hour|minute|second|decade|centurie)s$/;
const PERIOD = /^(?:year|quarter|month|week|day|hour)$/;
/** What "how many years" asks for. */
export const DURATION = 'duration';

/** English content words outside names. */
export function contentWords(question: Question, outside: (start: number, end: number) => boolean): Word[] {
  const { tokens, text, fellow } = question;
  const words: Word[] = [];
  // "What does X know?" says it, "do you know" does not; "who set X" is no set.
  const isDeed = ({ lower, start }: Token): boolean => /^(?:know|set)$/.test(lower) && ((!outside(start - 2, start - 1) && /\b(?:do|does|did|is|are|was|were)\b/i.test(text.slice(0, start))) || /\bwho\s+$/i.test(text.slice(0, start)));
  const isContent = (token: Token): boolean => !token.han && /\p{L}|\p{N}/u.test(token.text) && ((!isFunctionWord(token.lower) && !isGeneric(token.lower)) || isDeed(token)) && !fellow.includes(token.start) && outside(token.start, token.end);
  for (const [i, token] of tokens.entries()) {
    if (!isContent(token)) continue;
    if ((token.lower === 's' || token.lower === 't') && /['’]/.test(tokens[i - 1]?.text ?? '')) continue;
    if (token.lower === 'co' && tokens[i + 1]?.text === '-') continue;
    // "How long does X last?" says it with "long".
    if (/^last(?:s|ed)?$/.test(token.lower) && /\bhow long\b/i.test(text)) continue;
    // "Visitors per year", "the width in cm".
    if (PERIOD.test(token.lower) && /^(?:per|each|every)$/.test(tokens[i - 1]?.lower ?? '')) continue;
    if (MEASURE.test(token.lower) && tokens[i - 1]?.lower === 'in') continue;
    // "How many years did X live?" asks for no year.
    const lasting = tokens[i - 1]?.lower === 'many' && UNIT.test(token.lower) && tokens[i + 1]?.lower !== 'old';
    const kind = KINDS.test(token.lower) || (CLASSES.test(token.lower) && tokens[i + 1]?.lower === 'of') ? 'kind' : lasting ? DURATION : (NOUNS[token.lower] ?? token.lower);
    // A number must be told by something, and "the N of", "X's N" must be a relation.
    const relational = kind !== 'kind' && kind !== 'kinds' && (lasting || /^\p{N}/u.test(token.text) || tokens[i + 1]?.lower === 'of' || possessed(tokens, i, text, outside));
    const part = partOf(tokens, i, !tokens.slice(i + 1).some(isContent));
    const before = words.at(-1);
    const modifier = before && before.part !== 'verb' && before.text !== 'kind' && !/^\p{Lu}/u.test(text.slice(before.start)) && /^\s+$/.test(text.slice(before.end, token.start)) ? { modifier: before.text } : {};
    words.push({ ...modifier, text: kind, start: token.start, end: token.end, part, asked: part !== 'verb' && /^(?:what|which|many)$/.test(tokens[i - 1]?.lower ?? ''), relational });
  }
  return words;
}
const AUXILIARY = /^(?:is|are|was|were|am|does|do|did|has|have|had|can)$/;
/** Grammar says what a word after a determiner or an auxiliary is. */
function partOf(tokens: readonly Token[], at: number, isLast: boolean): Part {
  const before = tokens[at - 1]?.lower ?? '';
  // "What treats X?": a question has a verb.
  if (before === 'what' && isLast && /s$|ed$/.test(tokens[at].lower) && !tokens.some(({ lower }) => AUXILIARY.test(lower)) && thesaurus().lemmas(tokens[at].lower).some((base) => thesaurus().is(base, 'v'))) return 'verb';
  if (/^(?:what|which|whose|the|a|an|of|some|any|all|many|these|those)$/.test(before)) return 'noun';
  return /^(?:to|does|do|did|who|will|would|can|could)$/.test(before) ? 'verb' : 'any';
}
/** Inside "X's A B N": the words after the possessive up to the next function word. */
function possessed(tokens: readonly Token[], at: number, text: string, outside: (start: number, end: number) => boolean): boolean {
  for (let i = at - 1; i >= 1 && at - i <= 4; i--) {
    if (!outside(tokens[i].start, tokens[i].end)) return false;
    if (tokens[i].lower === 's' && /['’]/.test(text[tokens[i].start - 1] ?? '')) return true;
    if (isFunctionWord(tokens[i].lower)) return false;
  }
  return false;
}

/** What Chinese asks for without naming it, and what relations call that. */
const IMPLIED_HAN: readonly (readonly [RegExp, ...string[]])[] = [
  [/(?:多少|几|\p{N})(岁)/gu, '年龄'],
  [/多大(?=(?:年纪|岁数)?[\s?？了]*$)/gu, '年龄', '面积'],
  [/多长(?!时间)/gu, '长度', '片长', '体长'],
  [/多高|高多少/gu, '高度', '身高', '海拔'],
  [/多宽/gu, '宽度'],
  [/多深/gu, '深度'],
  [/多重|重多少/gu, '重量', '体重'],
  [/多少钱/gu, '价格', '售价', '单价', '票价'],
];
const WHERE_HAN = /在(?:哪[里儿]?|何[处地]|什么地方|(?:哪一?[个座]?|什么)(?:国家|大洲|城市|地区|地方|[国省州市区县镇]))(?=[\s?？呢]*$)/gu;
/** What a question asks for without a word of its own: "where is X", "is X 61", "多少岁". `told`: the words that it has; `labels`: what is told of the names is called so. */
export function impliedWords(question: Question, names: readonly { readonly start: number; readonly end: number }[], told: readonly Word[], labels: readonly string[]): Word[] {
  const { text, kind } = question;
  const word = (said: string, start: number, end: number, part: Part = 'any'): Word => ({ text: said, start, end, part, asked: false, relational: false });
  const found = (pattern: RegExp, said: string): Word[] =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const [start, end] = [match.index + (match[1] === undefined ? 0 : match[0].length - match[1].length), match.index + match[0].length];
      return names.some((name) => start < name.end && name.start < end) ? [] : [word(said, start, end)];
    });
  if (question.language === 'zh') {
    // "X在Y吗".
    const [first, second] = names;
    if (kind === 'verify' && told.length === 0 && second && text.slice(first.end, second.start) === '在') return [word('位于', first.end, second.start)];
    // "面积有多大", "门票多少钱" for "门票价格" say it.
    const isSaid = (options: readonly string[]): boolean => told.some((each) => options.some((option) => option.includes(each.text) || each.text.includes(option) || labels.some((label) => label.includes(option) && label.includes(each.text))));
    const measured = IMPLIED_HAN.flatMap(([pattern, ...options]) => (isSaid(options) ? [] : found(pattern, options.find((option) => labels.includes(option)) ?? options[0])));
    const where = found(WHERE_HAN, '位于');
    return measured.length > 0 || told.some((each) => !where.some(({ start, end: to }) => start <= each.start && each.end <= to)) ? measured : where;
  }
  const end = text.trimEnd().replace(/[\s?.!]+$/, '').length;
  if (kind === 'verify') return told.length === 1 && told[0].end === end && /^\d+$/.test(told[0].text) && names.some((name) => /^\s+$/.test(text.slice(name.end, told[0].start))) && /^\s*(?:is|isn['’]t)\b/i.test(text) ? [word('age', end, end, 'noun')] : [];
  return told.length === 0 && /^\s*(?:and\s+)?where(?:\s+(?:is|are|was|were)|['’]s)\b/i.test(text) ? [word('located', end, end, 'verb')] : [];
}

const MEASURING_HAN = new RegExp(`(?:[哪几]|多少)(?:一|几)?${MEASURES_HAN}$`, 'u');
/** Single Chinese characters of that sort, except those that only say that somebody or something is meant; one that a question word or "于", "了", "过" follows is a verb, but for the one of "属于哪个朝代". */
export function singleHan(question: Question, outside: (start: number, end: number) => boolean): Word[] {
  const { tokens } = question;
  const unknown = (token: Token | undefined): boolean => token !== undefined && token.han && !isFunctionHan(token.text) && outside(token.start, token.end);
  return tokens.flatMap((token, i) =>
    !unknown(token) || unknown(tokens[i - 1]) || unknown(tokens[i + 1]) || /[人物类种叫当做为名从]/u.test(token.text) || MEASURING_HAN.test(question.text.slice(0, token.end))
      ? []
      : [{ text: token.text, start: token.start, end: token.end, part: 'any' as const, asked: false, relational: /[哪谁什于了过多]/u.test(tokens[i + 1]?.text ?? '') && !/^属于(?:哪|什么)/u.test(question.text.slice(token.start)) }],
  );
}

/** "X的妻子做什么工作": what somebody does is asked, and no relation behind it says what. */
export function deedHan({ text }: Question, spoken: readonly Word[]): Word[] {
  const deed = /[做干](?:的是)?(?:什么|啥)/u.exec(text);
  if (!deed || !spoken.some(({ start }) => start < deed.index) || spoken.some(({ start }) => start >= deed.index)) return [];
  return [{ text: deed[0], start: deed.index, end: deed.index + deed[0].length, part: 'any', asked: false, relational: true }];
}

/** Chinese characters that are neither names, nor relations, nor grammar, in stretches of two or more. */
export function unknownHan(question: Question, outside: (start: number, end: number) => boolean): Word[] {
  const words: Word[] = [];
  let start = -1;
  const end = (at: number): void => {
    if (start >= 0 && at - start >= 2) words.push({ text: question.text.slice(start, at), start, end: at, part: 'any', asked: false, relational: question.text[start - 1] === '的' });
    start = -1;
  };
  for (const token of question.tokens) {
    const unknown = token.han && !isFunctionHan(token.text) && outside(token.start, token.end);
    if (!unknown || (start >= 0 && question.text.slice(start, token.start).length !== token.start - start)) end(token.start);
    if (unknown && start < 0) start = token.start;
  }
  end(question.text.length);
  return words;
}
