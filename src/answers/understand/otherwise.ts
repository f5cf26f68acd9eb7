// Owns when a question asks for something other than what a label says, although it has a word of it: words that stand on two sides of one thing, the other doer or place, something said in the place of the rest of the label.
// Refuses to know how well words speak of a label, and relations beyond it.

import { thesaurus } from '../thesaurus/thesaurus.ts';
import type { Word } from './content.ts';
import { headOf, isParticiple } from './label.ts';
import type { Label } from './label.ts';
import { isFellowWord, isFunctionHan, isFunctionWord, isGeneric } from './question.ts';
import type { Question } from './question.ts';

/** A word this near to one of a label's words speaks of it. */
export const PLAIN = 0.5;

const per = (unit: string): string => `(?:per|each|every)\\s+${unit}|an?\\s+${unit}(?=[\\s?.!]*$)`;
const side = (english: string, chinese?: string): RegExp => new RegExp(`(?<![\\p{L}\\p{N}])(?:${english})(?![\\p{L}\\p{N}])${chinese === undefined ? '' : `|${chinese}`}`, 'giu');
/**
 * What is said with the words of one side is not what is asked for with those of another. `usual`: a label that says none of them means the first side, where the question says another of the label's own
 * thing ("child ticket price"). `last`: only the label's last word is looked at. `needed`: a label that says the first side is only asked for by words of it.
 */
const CONTRASTS: readonly { readonly sides: readonly RegExp[]; readonly usual?: true; readonly last?: true; readonly needed?: true }[] = [
  { sides: [side('from', '从|自(?!己)'), side('to', '到(?!底)|至(?![今少])|往')], last: true },
  { sides: [side('until|till|end(?:s|ed|ing)?|expir\\p{L}+|finish\\p{L}*|lasts?|run(?:s|ning)?|valid|over|how long', '结束|截止|到期|为止'), side('since|start\\p{L}*|beg[aiu]n\\p{L}*|how long', '开始|起始|起')], last: true, needed: true },
  { sides: [side('start\\p{L}*|beg[aiu]n\\p{L}*', '开始|起始'), side('end(?:s|ed|ing)?|expir\\p{L}+|finish\\p{L}*', '结束|截止|到期')] },
  {
    sides: [side(`annual(?:ly)?|yearly|${per('year')}`, '每年|年均'), side(`quarterly|${per('quarter')}`, '每季|季均'), side(`monthly|${per('month')}`, '每月|月均'), side(`weekly|${per('week')}`, '每周|周均'), side(`daily|${per('day')}`, '每[日天]|日均'), side(`hourly|${per('hour')}`, '每小时')],
    usual: true,
  },
  { sides: ['years?', 'months?', 'weeks?', 'days?', 'hours?', 'minutes?', 'seconds?'].map((unit) => side(`(?<!\\b(?:per|each|every|an?|of\\s+the)\\s+)${unit}`)) },
  { sides: [side('adults?', '成人|成年人'), side('child(?:ren)?|kids?', '儿童|小孩'), side('students?', '学生'), side('seniors?|pensioners?', '老人|老年人'), side('famil(?:y|ies)', '家庭'), side('groups?', '团体')], usual: true },
  { sides: [/(?!)/gu, side('deputy|vice|assistant|acting|interim|honorary|associate', '副|代理|名誉|助理')], usual: true },
  { sides: [side('home', '主场|主队'), side('away', '客场|客队')], usual: true },
  { sides: [side('maximum|maximal|max|highest|upper|top|largest|greatest', '最[高大多长]'), side('minimum|minimal|min|lowest|lower|smallest|least', '最[低小少短]'), side('average|mean|avg', '平均')], usual: true },
  { sides: [side('first', '首次|第一'), side('last|latest', '末次|最后')] },
  { sides: [side('born|birth\\p{L}*', '出生|诞生'), side('died?|dead|deaths?', '死|逝世|去世'), side('wedding|married|marriage', '结婚|婚礼')] },
  { sides: [side('year|date|day|time', '时间|日期|年份|年月'), side('(?<!\\bt(?:ak(?:e|es|en|ing)|ook)\\s+)place|location|site', '地点|地方|场所')] },
];
interface Said {
  readonly side: number;
  readonly start: number;
  readonly end: number;
}
const sidesIn = (text: string): readonly (readonly Said[])[] => CONTRASTS.map(({ sides }) => sides.flatMap((words, at) => [...text.matchAll(words)].map(({ 0: said, index }) => ({ side: at, start: index, end: index + said.length }))));
const heard = new WeakMap<Question | Label, readonly (readonly Said[])[]>();
/** What a question says outside names, or a label, of each contrast; read once. */
function saidBy(one: Question | Label): readonly (readonly Said[])[] {
  let said = heard.get(one);
  if (said) return said;
  if ('rest' in one) said = sidesIn(one.rest);
  else {
    const text = `${one.all.join(' ')} ${one.han}`.trim();
    said = sidesIn(text).map((own, i) => (CONTRASTS[i].last ? own.filter(({ start, end }) => start > 0 && end === text.length) : own));
  }
  heard.set(one, said);
  return said;
}
/** Whether it says more closely which of the word's things is meant: "child ticket price", "a child's ticket", "monthly number of visitors", "visitors per month", "ticket for children". "X's child's father" is another's. */
function narrows({ rest }: Question, { start, end }: Said, word: Word): boolean {
  if (end > word.start) return start >= word.end && (/^(?:per|each|every|an?)\s/i.test(rest.slice(start, end)) || /\bfor\s+(?:an?\s+|the\s+)?$/i.test(rest.slice(word.end, start)));
  const between = rest.slice(end, word.start).replace(/\b(?:number|amount|total)\s+of\s/i, '');
  if (/^\p{Script=Han}{0,4}$/u.test(between)) return !between.includes('的');
  return /^(?:['’]s?)?[\s-]+(?:\p{Ll}+\s+){0,2}$/u.test(between) && (between.replace(/^['’]s?/, '').match(/\p{Ll}+/gu) ?? []).every((each) => !isFunctionWord(each)) && !(/^['’]/.test(between) && /['’]s?\s+$/.test(rest.slice(0, start)));
}
/** The words of the question and those of the label stand on different sides. */
function areOpposed(question: Question, word: Word, label: Label): boolean {
  const asked = saidBy(question);
  return saidBy(label).some((own, i) => {
    const { usual, needed } = CONTRASTS[i];
    const said = asked[i];
    if (said.length === 0) return needed === true && own.some(({ side: at }) => at === 0) && own.every(({ side: at }) => at === 0);
    if (own.length > 0) return !said.some(({ side: at }) => own.some((one) => one.side === at));
    return usual === true && !label.verbal && said.every(({ side: at }) => at > 0) && said.some((one) => narrows(question, one, word));
  });
}

const TIMES = /^(?:year|date|day|month|time)s?$/;
/** "What was X made of?" where the relation is called "creation year": a time is not asked for. */
function isUntimed({ rest, tokens, expected, kind }: Question, { words, all, verbal }: Label): boolean {
  if (kind === 'verify' || expected === 'time' || verbal || words.length < 2 || /\bhow long\b/i.test(rest)) return false;
  const time = all[all.length - 1] === words[words.length - 1] && TIMES.test(all[all.length - 1]) ? all[all.length - 1] : TIMES.test(words[0]) && all[1] === 'of' ? words[0] : undefined;
  return time !== undefined && !tokens.some(({ lower }) => /\d/.test(lower) || TIMES.test(lower) || thesaurus().similarity(time, lower) >= PLAIN);
}

const PREPOSITION = /^(?:of|from|for|with|into|against|about|under|in|at|on|to|as)$/;
const PLACING = /^(?:in|at|on)$/;
/** Prepositions that may stand for each other: "works in", "works for". */
const kindOf = (preposition: string): string => (/^(?:in|at|on|for|under|as)$/.test(preposition) ? 'in' : preposition === 'into' ? 'to' : preposition);
/** What leads from the verb to what is asked, or to the name: "by" for who does it, as in "who founded X" and "founded by X"; "in" for "where was X made"; nothing for whom it is done to, as in "who does X meet". */
function ledBy({ tokens, text, expected }: Question, { start, end, text: verb }: Word, label: readonly string[]): string | undefined {
  // Past the "on" of "operated on by".
  const rest = tokens.filter((token) => token.start >= end);
  while (rest.length > 0 && label.slice(0, -1).includes(rest[0].lower)) rest.shift();
  const [next] = rest;
  if (next !== undefined && (PREPOSITION.test(next.lower) || next.lower === 'by')) return next.lower;
  if (expected === 'person' && /\bwho\s+$/i.test(text.slice(0, start))) return 'by';
  // "Who does X meet?"
  if (expected === 'person' && /\bwhom?\s+(?:do|does|did)\b/i.test(text) && next !== undefined && /^\P{L}*$/u.test(text.slice(next.start))) return '';
  return /^\s*(?:and\s+)?where\s+(?:is|are|was|were)\b/i.test(text) && (next === undefined || /^\P{L}*$/u.test(text.slice(next.start))) && !verb.endsWith('ing') ? 'in' : undefined;
}
/** "Who founded X" for "founded in", "who assigned X" for "assigned to", "what is X made of" and "where was X made" for "made by"; "how many works", "X's reports" for "works for", "reports to". */
function leadsElsewhere(question: Question, word: Word, { all, shape, verbal }: Label): boolean {
  const { tokens } = question;
  const isForm = thesaurus().lemmas(word.text).some((base) => thesaurus().is(base, 'v'));
  if (((word.asked && word.part === 'noun') || word.relational) && verbal && all.length > 1 && all[0] === word.text && word.text.endsWith('s') && isForm) return true;
  const last = all[all.length - 1];
  if (all.length < 2 || tokens.some(({ lower }) => lower === last)) return false;
  const said = ledBy(question, word, all);
  if (last === 'by') return said !== undefined && said !== 'by' && thesaurus().lemmas(word.text).some((base) => base !== word.text && `${base}s` !== word.text && `${base}es` !== word.text && !word.text.endsWith('ing') && thesaurus().is(base, 'v'));
  if (said === '') return PLACING.test(last);
  // "What did X graduate in?" for "graduated from".
  const isLast = /^\s+\p{L}+[\s?.!]*$/u.test(question.text.slice(word.end));
  if (isLast && said !== undefined && PREPOSITION.test(last) && verbal && !(shape.kind === 'copula' && shape.verb === 'is') && kindOf(said) !== kindOf(last)) return true;
  return said === 'by' && (PLACING.test(last) || (PREPOSITION.test(last) && shape.kind === 'copula' && shape.verb === 'was'));
}

/** "When does X open?" for "opened on": what is so at all times is no day in the past. */
const isOver = ({ text }: Question, { all, verbal }: Label): boolean => verbal && all.length > 1 && isParticiple(all[0]) && /\bwhen\s+(?:do|does)\b/i.test(text);

/** Whether the question asks for something other than the label, which has the word or one near to it. */
export const asksOtherwise = (question: Question, word: Word, label: Label): boolean => areOpposed(question, word, label) || isUntimed(question, label) || isOver(question, label) || leadsElsewhere(question, word, label);

/** Whether the question says another of the label's words, if it has any. */
export function areSaid(question: Question, { text }: Word, { words }: Label, own: string): boolean {
  const others = words.filter((each) => each !== own);
  return others.length === 0 || others.some((each) => question.tokens.some(({ lower }) => lower !== text && thesaurus().similarity(each, lower) >= PLAIN));
}
/** Whether the token is what is done, or was: a participle, or a verb behind "did" and a name. */
function isDone({ tokens, text }: Question, at: number): boolean {
  const { lower, start } = tokens[at];
  if (isFunctionWord(lower) || isGeneric(lower) || isFellowWord(lower) || !thesaurus().lemmas(lower).some((base) => thesaurus().is(base, 'v'))) return false;
  return isParticiple(lower) || (/\b(?:do|does|did)\b/i.test(text.slice(0, start)) && /\p{Lu}[^\s]*\s+$/u.test(text.slice(0, start)));
}
/** "The wedding date" for "date of birth", "conceded goals" for "goals scored": a label's other words are not said, and the question says something else in their place. `speaks`: the word speaks of some relation. */
export function saysAnother(question: Question, word: Word, label: Label, own: string, speaks: (word: string) => boolean): boolean {
  const { text, start, asked, modifier } = word;
  const { words, verbal } = label;
  const others = words.filter((each) => each !== own);
  const near = (said: string): boolean => words.some((each) => thesaurus().similarity(each, said) >= PLAIN);
  if ((isParticiple(text) && !thesaurus().is(text, 'n')) || areSaid(question, word, label, own)) return false;
  if (modifier !== undefined && !verbal && own === headOf(label) && !near(modifier) && !thesaurus().isOnlyVerb(modifier)) return true;
  // A verb that speaks of no relation at all.
  const at = question.tokens.findIndex((token) => token.start === start);
  const isTogether = (i: number): boolean => asked || question.tokens.slice(Math.min(i, at) + 1, Math.max(i, at)).every((token) => isFunctionWord(token.lower) || /^[\p{Lu}\p{N}]/u.test(token.text));
  return others.some(isParticiple) && question.tokens.some(({ text: said, lower }, i) => i !== at && isDone(question, i) && isTogether(i) && !near(lower) && !/^\p{Lu}/u.test(said) && !speaks(lower));
}

/** Says only that it is the one of these. */
const PLAINLY_HAN = /^(?:现任?|主要|具体|全部|所有|正式|官方|总|占地)$/u;
/** "捐赠年份" for "创作年份", "月均客流" for "日均客流", "副馆长" for "馆长": something else stands in front of what the question has of a Chinese label, from `start` on. */
export function saysAnotherHan({ rest }: Question, start: number, shared: string, { han }: Label, speaks: (stretch: string) => boolean): boolean {
  const at = han.indexOf(shared);
  let from = start;
  while (from > 0 && /\p{Script=Han}/u.test(rest[from - 1]) && !isFunctionHan(rest[from - 1])) from--;
  const front = rest.slice(from, start);
  // "什么时候截止", "哪年出生": what is asked for.
  if (front === '' || PLAINLY_HAN.test(front) || /[么哪几多何]/u.test(rest[from - 1] ?? '')) return false;
  return at > 0 || (rest[from - 1] === '的' && !speaks(front));
}
