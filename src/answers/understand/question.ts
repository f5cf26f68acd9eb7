// Owns taking a question apart without knowing the graph: language, what kind of answer is wanted, tokens, content words, cues.
// Refuses to know names and relations.

import type { Language } from '../words/evidence.ts';

export interface Token {
  readonly text: string;
  readonly lower: string;
  readonly start: number;
  readonly end: number;
  readonly han: boolean;
}
/** What a question asks for: whether something is so, how many, or which. */
export type Kind = 'verify' | 'count' | 'answer';
/** What the answers should be, as far as the question word says. */
export type Expected = 'person' | 'time' | 'place' | 'any';

export interface Question {
  readonly text: string;
  /** The text with \u25a1 in the place of every character of a name. */
  readonly rest: string;
  readonly language: Language;
  readonly kind: Kind;
  readonly expected: Expected;
  readonly tokens: readonly Token[];
  /** Where it speaks of something that shares the rest with what is named ("the same", "also", "together", "co-"): characters. Empty when it does not. */
  readonly fellow: readonly number[];
  /** It asks for more than one relation path says: not, or, most, before, except. Such a question is not answered in part. */
  readonly beyond: boolean;
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));
/** Alternatives of a pattern, one after a comma. */
export const oneOf = (phrases: string): string => `(?:${phrases.split(', ').join('|')})`;
/** English words that carry no relation: articles, pronouns, prepositions, auxiliaries, question words, politeness. */
const FUNCTION = set(
  'a an the this that these those it its he him his she her they them their we our you your i me my one ones some any each all every both no not ' +
    'who whom whose which what when where why how there here and or but nor so if than then as at by for from in into of off on onto out over under to toward towards up upon with within without about across after against along among around before behind below beneath beside besides between beyond down during except inside like near outside since through throughout till until via ' +
    "is are was were be been being am do does did doing done has have had having can could will would shall should may might must isn't aren't wasn't weren't doesn't don't didn't " +
    's t re ve ll d isn aren wasn weren doesn don didn hasn haven hadn couldn wouldn shouldn ' +
    'please tell show name names list give find know say said called got get gets else too very much many',
);
/** Nouns that only say that some thing, person or class is meant. */
const GENERIC = set('thing things person persons people someone something anyone anything everyone everything list set number amount total lot all one ones names name example examples');
const FELLOW = set('same also share shares shared sharing together common both fellow fellows other others another');
const FELLOW_HAN = /相同|同样|共同|一起|同一|也|还|合作/gu;
const FELLOW_VERB = /\bco(?:llaborat|work|author|found|writ|star|host|own)/giu;
const places = (text: string, pattern: RegExp): number[] => [...text.matchAll(pattern)].map(({ index }) => index);
const POLITENESS = oneOf("please, kindly, can you, could you, would you, will you, do you know, tell me, let me know, can i ask, could i ask, may i ask, can anyone tell me, can anybody tell me, could anyone tell me, could anybody tell me, can someone tell me, could someone tell me, i want to know, i would like to know, i'd like to know, i wonder, give me, show me, say, find, list, name, so, and, ok, okay, well, hi, hello");
const POLITE = new RegExp(`^${POLITENESS}\\b[\\s,:]*`, 'i');
const AUXILIARY = oneOf("is, are, was, were, am, does, do, did, has, have, had, can, could, will, would, isn't, aren't, wasn't, weren't, doesn't, don't, didn't, hasn't, haven't");
const VERIFY = new RegExp(`^(?:why\\s+)?${AUXILIARY}\\b`, 'i');
const VERIFY_HAN = /(?:[吗嘛]|(?<![什怎那多这])么)\s*[?？。!！]*$|是不是|是否|对不对|有没有/;
/** What no fact says: negation, choice, the outermost of several, comparison, order in time, sums, a second question. */
const BEYOND_WORDS = oneOf(
  'not, never, nor, neither, without, except, excluding, unless, or, but, both, either, ' +
    'first, last, earliest, latest, oldest, youngest, largest, smallest, biggest, tallest, longest, shortest, highest, lowest, most, least, more, less, fewer, than, ' +
    'before, after, until, during, between, versus, vs, compare, difference, average, total, and (?:who|whom|whose|where|when|what|which|how|why)',
);
const BEYOND = new RegExp(`\\b${BEYOND_WORDS}\\b|n['’]t\\b`, 'i');
/** Said of something, these say that it is not so, or not known to be: no fact answers that. */
const DOUBTED = oneOf('false, untrue, wrong, incorrect, unlikely, impossible, possible, doubtful, likely, probable, myth, lie, rumou?r, hoax, mistake');
/** Beginnings of verbs that take "to" or "-ing" behind them. */
const UNDONE = oneOf('fail, refus, declin, den[yi], avoid, stopp?, quitt?, hesitat, want, hope, hoping, wish, try, tri, attempt, plann?, intend, regrett?, pretend, claim, forget, forgot, decid, expect, threaten');
const HARDLY = oneOf('almost, nearly, barely, hardly, scarcely, rarely, seldom, supposedly, allegedly, reportedly, falsely');
/** Said of what is over, or only ought to be. */
const ELSEWHEN = `\\bany ?more\\b|(?<!\\b(?:is|are|was|were|be|been)\\b[^?]*)\\bused to\\b|\\bought to\\b|\\b(?:is|are|was|were)\\s+to\\s+\\p{Ll}|\\b(?:about|going|set|bound|yet) to\\s+\\p{Ll}`;
/** "A length over 84". */
const COMPARED = '\\b(?:over|above|under|below|beyond|past|within|exceeding|exceeds?|up to)\\s+(?:(?:an?|the)\\s+)?\\p{N}';
/** Said of what would, could or will be; what somebody asks for himself ("where could I find") says nothing. The will of somebody and the month of May are none of these. */
const MODAL = `(?<!\\b(?:i|we|you|the|an?|his|her|its|their|last|free|in|of|on|by|since|until)\\s|['’]s\\s)\\b(?:would|could|will|shall|should|may|might|must)\\s+(?!(?:i|we|you|anyone|anybody|someone|somebody|like|love|it be)\\b)(?:\\p{L}|\u25a1)`;
/** "Who has no X", "nobody", "lacks", "free of". */
const NONE = `\\b(?:no\\s+(?:\\p{L}|\u25a1)|none|nobody|nothing|nowhere|(?:free|devoid|deprived|bereft|void) of|free from)`;
const UNREAL = new RegExp(
  [`^(?:is|was) it\\s+(?:\\w+ly\\s+)?(?:an?\\s+)?${DOUBTED}\\b`, `\\b${UNDONE}(?:s|es|e|ed|ies|ied|ing)?\\s+(?:to\\b|(?:on\\s+|of\\s+|about\\s+)?\\w+ing\\b)`, ELSEWHEN, MODAL, NONE, COMPARED, `\\b${HARDLY}\\b`].join('|'),
  'iu',
);
const BEYOND_HAN = /不|没|未|除了|除开|或者?|还是|最|比(?!利|亚)|哪(?:[国里儿]|个?(?:国家|地方|省|城市))的?人|之前|之后|以前|以后|更|先|可能|或许|也许|大概|恐怕|应该|应当|必须|本该|将[来会要]|即将|(?<!的)(?:想(?!知道|问|了解|请)|打算|计划|希望|试图|企图|假装|声称|拒绝|放弃|失去|停止|缺[少乏]|差点|险些|几乎)|(?:超过|[大小高低多少]于)\s*[\d一二三四五六七八九十百千万两]|\d\P{P}{0,4}(?:以上|以下)/u;
/** Forms in which a negation only asks ("Isn't Berlin ...?", "是不是"), and a bound or length that is asked for. */
const ONLY_ASKS = /^(?:isn|aren|wasn|weren|doesn|don|didn|hasn|haven)['’]t\b|\b(?:until|till)\s+when\b|(?<=\bhow long (?:do|does|did|will)\b[^?]*)\blast\b/gi;
const ONLY_ASKS_HAN = /是不是|对不对|有没有|知不知道/g;
/** Two of them ask two things; who knows is only asked. */
const ASKS_HAN = /(?<!有)谁(?!知道|能告诉|可以告诉)|有谁(?!知道|能告诉|可以告诉)|哪|什么|何[时地处人]|多少/gu;
/** Measure words that stand between a number or a question word and a noun. */
export const MEASURES_HAN = '[个位座种部家所条本名只头匹辆间栋支届场款项张幅件艘架株颗]';
const COUNT = /\bhow many\b|\bthe number of\b|\bcount (?:the|all|of)\b/i;
const COUNT_HAN = new RegExp(`(?<![是为])多少(?!钱)|几(?:首|${MEASURES_HAN})|数量`);
/** Characters of Chinese questions that carry no relation. */
const FUNCTION_HAN = /[的了是在有谁哪什么吗呢吧啊嘛里个位那这些和与跟被把由对于及其都也还请问告诉我你他她它们为何怎样多少几过着到会能可以呀之所不否没]/u;

export const isFunctionWord = (lower: string): boolean => FUNCTION.has(lower) || !/[\p{L}\p{N}]/u.test(lower);
export const isGeneric = (lower: string): boolean => GENERIC.has(lower);
export const isFellowWord = (lower: string): boolean => FELLOW.has(lower);
export const isFunctionHan = (character: string): boolean => FUNCTION_HAN.test(character);
/** Single characters such as "是" and "在" are grammar, not names of relations. */
export const isGrammarHan = (text: string): boolean => [...text].length <= 1 && isFunctionHan(text);

/** Words, single Han characters and single signs, with their places. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(/\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])+|[^\s]/gu)) {
    const [word] = match;
    tokens.push({ text: word, lower: word.toLowerCase(), start: match.index, end: match.index + word.length, han: /\p{Script=Han}/u.test(word) });
  }
  return tokens;
}

/** A word that stands for what was named before: whom or what it can stand for, and whether it says whose something is. */
export interface Pronoun {
  readonly start: number;
  readonly end: number;
  /** `several`: more than one, or it cannot be told. */
  readonly of: 'person' | 'thing' | 'several';
  readonly gender?: 'female' | 'male';
  readonly owns: boolean;
}
const PRONOUN = /(?<![\p{L}\p{N}'’-])(?:(he|him|his|she|her|hers)|(it|its)|(they|them|their|theirs))(?![\p{L}\p{N}'’-])/giu;
const PRONOUN_HAN = /(?<![其吉排无维由])(?:([他她它])们|([他她])(?!们)|(它)(?!们))/gu;
/** Behind "her" where it says whose something is: "her husband". */
const OWNED = /^\s+(?!(?:in|at|on|by|to|from|for|with|of|as|and|or|when|where|who|while|before|after)\b)\p{L}/iu;
/** Where "it" stands for nothing: "Is it true that". */
const EMPTY_IT = /^\s+(?:(?:is|was)\s+)?(?:that|who|true|so|correct|right|the case|said|known|possible)\b/i;
export function pronounsOf(text: string): readonly Pronoun[] {
  const english = [...text.matchAll(PRONOUN)].flatMap(({ 0: word, 1: person, 2: thing, index: start }): Pronoun[] => {
    const end = start + word.length;
    if (thing && EMPTY_IT.test(text.slice(end))) return [];
    const owns = /^(?:his|its|their)$/i.test(word) || (/^her$/i.test(word) && OWNED.test(text.slice(end)));
    return [{ start, end, of: person ? 'person' : thing ? 'thing' : 'several', ...(person ? { gender: /^h(?:e|im|is)$/i.test(person) ? 'male' : 'female' } : {}), owns }];
  });
  const chinese = [...text.matchAll(PRONOUN_HAN)].map(({ 0: word, 1: several, 2: person, index: start }): Pronoun => ({ start, end: start + word.length, of: several ? 'several' : person ? 'person' : 'thing', ...(person ? { gender: person === '她' ? 'female' : 'male' } : {}), owns: false }));
  return [...english, ...chinese].toSorted((a, b) => a.start - b.start);
}

/** The language a reader would answer in. */
export function languageOf(text: string): Language {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}+/gu)?.length ?? 0;
  return han > 0 && han >= latin ? 'zh' : 'en';
}

function expectedOf(text: string, language: Language): Expected {
  if (language === 'zh') return /谁|哪位|哪些人|什么人/.test(text) ? 'person' : /何时|什么时候|哪一?年|几[年月号]|什么时间|哪天/.test(text) ? 'time' : /哪里|哪儿|何处|什么地方|哪个(?:国家|城市|地方)/.test(text) ? 'place' : 'any';
  if (/\bwh(?:o|om|ose)\b|\bwhich (?:person|people)\b/i.test(text)) return 'person';
  if (/\bwhen\b|\bbirth(?:day|date)\b|\b(?:what|which) (?:year|years|date|dates|day|days|month|time)\b/i.test(text)) return 'time';
  return /\bwhere\b|\b(?:what|which) (?:place|country|city|town)\b/i.test(text) ? 'place' : 'any';
}

/** Grammar read off the question; `names` are stretches whose words say nothing about it (a title may begin with "Will" or "When"). */
export function analyse(text: string, names: readonly { readonly start: number; readonly end: number }[] = []): Question {
  let rest = text;
  for (const { start, end } of names) rest = rest.slice(0, start) + '\u25a1'.repeat(end - start) + rest.slice(end);
  // Names in another language do not make the question one of that language.
  const language = /\p{L}/u.test(rest) ? languageOf(rest) : languageOf(text);
  let asked = rest.trim();
  for (let before = ''; before !== asked; ) {
    before = asked;
    asked = asked.replace(POLITE, '');
  }
  const count = language === 'zh' ? COUNT_HAN.test(rest) : COUNT.test(rest);
  const verify = language === 'zh' ? VERIFY_HAN.test(rest) : VERIFY.test(asked);
  const tokens = tokenize(text);
  const said = tokens.filter(({ start }) => names.every((name) => start < name.start || start >= name.end));
  const fellow = said.flatMap(({ lower, start, end }) => (FELLOW.has(lower) || (lower === 'co' && text[end] === '-') ? [start] : []));
  return {
    text,
    rest,
    language,
    kind: count ? 'count' : verify ? 'verify' : 'answer',
    expected: expectedOf(rest, language),
    tokens,
    beyond: language === 'zh' ? BEYOND_HAN.test(rest.replace(ONLY_ASKS_HAN, '')) || places(rest, ASKS_HAN).length > 1 : BEYOND.test(asked.replace(ONLY_ASKS, '')) || UNREAL.test(asked),
    fellow: language === 'zh' ? places(rest, FELLOW_HAN) : [...fellow, ...places(rest, FELLOW_VERB)],
  };
}
