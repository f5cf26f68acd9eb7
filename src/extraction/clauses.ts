// Owns what a sentence states: its clauses, each with a subject of its own, without those that deny, suppose or ask something, or only report what somebody says.
// Refuses to know models, and what is read in a clause.

import { formsOf, placesOf, tellingOf } from './relations.ts';

export interface Statements {
  /** Clauses in the order of the sentence. */
  readonly told: readonly string[];
  /** Clauses, or whole sentences, that state nothing. */
  readonly denied: number;
}
/** Longer sentences are left whole: no model reads them. */
const CHARACTERS = 2000;
const HAN = /\p{Script=Han}/u;

/** Titles in quotes may hold any word. A quotation that ends with a sign of a sentence is one, and no title. */
const TITLE = /(?:《[^》]*》|“[^”]*(?<![.,!?。，！？])”|"[^"]*(?<![.,!?])"|「[^」]*(?<![。，！？])」)/gu;
const masked = (text: string): string => text.replace(TITLE, (title) => title[0] + 'N'.repeat(title.length - 2) + title.at(-1));

/** With a capital inside a sentence a word belongs to a name, at its beginning where the next one has a capital, too: "Never Let Me Go". Some words stand before names. */
const BEFORE_NAMES = /^(?:neither|nor|whether|unless|perhaps|maybe|possibly|allegedly|supposedly|suppose|supposing)$/i;
/** "If I Were King" and "If Winter Comes is a novel" are titles; "If Bob was" and "If Bob Reed is, he" are none. */
const IF_TITLE = /^If(?: \p{Lu}\S*)* (?:Were|Was|Is|Are|Could|Can|Had|Have|Only|Not|You|It|This|They|We)\b|^If(?: \p{Lu}[^\s,]*){2,} \p{Ll}[^,]*$/u;
const NOT_TITLE = /^Not(?: \p{Lu}\S*){2,}(?!.* but )/u;
/** No sign more or less. */
const lower = (text: string): string => (text.toLowerCase().length === text.length ? text.toLowerCase() : text);
/** A sentence in which only names begin with capitals. */
function plainly(sentence: string): string {
  const text = /\p{Ll}/u.test(sentence) ? sentence : lower(sentence);
  return text.replace(/^([^\p{L}]*)(\p{L}+)(.*)$/su, (_, before: string, word: string, rest: string) => {
    const named = word === 'May' || (/^ \p{Lu}/u.test(rest) && !BEFORE_NAMES.test(word));
    const kept = word === 'If' ? IF_TITLE.test(word + rest) : word === 'Not' ? NOT_TITLE.test(word + rest) : named;
    return before + (kept ? word : lower(word)) + rest;
  });
}

const QUESTION = /[?？]["'”’」』)）]*$|吗[。.！!]?$/u;
/** The whole sentence is no statement. */
const SUPPOSED = /\b(?:if|whether|unless|suppose|supposing|would have|could have|wishe[sd])\b|\b(?:false|untrue|wrong|not true|unlikely|doubtful|impossible|improbable|myth|rumou?r(?:ed)?|dream(?:t|ed|s)?) that\b|\bwhich (?:is|was) (?:an? (?:lie|myth|rumou?r|mistake|fiction)|false|untrue|wrong|incorrect)\b|如果|假如|假若|假使|假设|要是|倘若|若是|是否|难道|是不是|误(?:以)?为|是(?:假|错|错误)的/u;
const DENIED = /\b(?:not(?! only\b)|never|nobody|none|nor|neither|nothing|cannot|perhaps|maybe|possibly|allegedly|supposedly|might|may|(?:fail(?:s|ed)|refuse[sd]|decline[sd]|pretend(?:s|ed)|want(?:s|ed)|claim(?:s|ed)|hope[sd]|plan(?:s|ned)|tr(?:ies|ied)|intend(?:s|ed)|attempt(?:s|ed)|threaten(?:s|ed)) to|denie[sd]|(?:almost|nearly|barely|hardly|scarcely)(?= \p{Ll}+(?:ed|en|[mw]on|t|rn|d)\b))\b|\breportedly\b|\bno\b(?!\.|\s*\d| (?:less|fewer|more|later|earlier|sooner) than)|n['’]t\b|可能|也许|或许/u;
const SEGMENTS = new Intl.Segmenter('zh', { granularity: 'word' });
const DENIED_HAN = /^(?:[并从绝决]?[不没未]|[并绝决]非|无人$)/u;
/** Names and words that begin like a denial. */
const NO_DENIAL = /^(?:不(?:丹|来梅|莱梅|列颠|仅|但|过|久|少|断|同|朽|锈|等|动|止|只|得不|远|愧|凡|料)|没[收落药]|未(?:来|央|名|婚[夫妻]))/u;
const denies = (plain: string): boolean =>
  DENIED.test(plain) || (HAN.test(plain) && SEGMENTS.segment(plain)[Symbol.iterator]().some(({ segment, index }) => DENIED_HAN.test(segment) && !NO_DENIAL.test(plain.slice(index))));

/** "He said that", "is believed to have been", '" said Livy': it is told that somebody says so. */
const REPORTED =
  /\b(?:says?|said|claim(?:s|ed)?|alleges?|alleged|allegations?|believe[sd]?|belief|thinks?|thought|argue[sd]?|suggest(?:s|ed)?|suggestion|assert(?:s|ed)?|assume[sd]?|assumption|suspected|insist(?:s|ed)?|maintain(?:s|ed)?|reported|stated|hope[sd]?|fear(?:s|ed)|guess(?:es|ed)|imagine[sd]?|speculate[sd]?|theory|hypothesis|told(?: [\p{L}\p{M}]+){1,3}) that\b|\b(?:says|said|believes|believed|thinks|thought) (?:(?:he|she|it|they|the)\b|\p{Lu})|\b(?:is|are|was|were) (?:said|believed|thought|alleged|rumou?red|reported|assumed|supposed|claimed) to (?:be|have)\b|["”’],?\s+(?:says|said|claims|claimed)\b|\b(?:says|said|claims|claimed)\s*[,:]\s*["“]|\baccording to\b(?! (?:plan|schedule)\b)/u;
const REPORTED_HAN = /^(?:说|称|声称|宣称|自称|谎称|认为|以为|相信|据说|据称|据传|传说|传闻|谣传|猜测|怀疑|推测|号称)$/u;
/** In Chinese a word of a relation has to follow: "他说汉语" reports nothing. */
const reports = (plain: string, labels: readonly string[]): boolean =>
  REPORTED.test(plain) || (HAN.test(plain) && SEGMENTS.segment(plain)[Symbol.iterator]().some(({ segment, index }) => REPORTED_HAN.test(segment) && !/^称[为作]/u.test(plain.slice(index)) && plain[index - 1] !== '的' && labels.some((label) => placesOf(label, plain.slice(index + segment.length)).length > 0)));
/** Borders behind which it is told again, and no more what somebody says. */
const TOLD_AGAIN = /[;；–—]|but|while|whereas|although|though|^,\s+and\s+$/u;

const AUXILIARY = /^(?:(?:is|are|was|were|has|have|had|does|did|do|will|would|can|could)(?:n['’]t)?|never|not)$/u;
const NOUN_FOLLOWS = /(?:(?:^|[^\p{L}])(?:an?|the|his|her|its|their|my|our|your|of|as|for|to)|['’]s)\s+$/iu;
const VERB_AFTER_NAME = /\p{Lu}[\p{L}\p{M}.'’-]* $/u;
const INTRODUCED = /^(?:in \d{3,4},?\s+|(?:in|on|since|after|from|by|at|during)\s[^,]*,\s+|(?:later|then|now|today|meanwhile|and|but|while|whereas|although|though),?\s+)+/iu;
const SUBJECT = /^(?:["“\p{Lu}\p{N}]|(?:the|an?|his|her|its|their|my|our|your|he|she|it|they|we|you|nobody|neither|none|no|this|that|these|those|both|another|one)\b)/u;
const NO_SUBJECT = /[,;]|^(?:In|On|At|By|After|Before|Since|During|From|When|While|As|Because|Although)\s|\b(?:who|which|whose|whom|where|when)\b|\b(?:and|or|but|that|as|than|of|in|by)$/u;
/** Characters of a clause in which its verb is looked for. */
const OPENING = 200;
/** The subject of an English clause: what stands before its verb. */
function subjectOf(clause: string, isTelling: (word: string) => boolean): string | undefined {
  const text = clause.slice(0, OPENING).replace(INTRODUCED, '').replace(/,\s(?:who|which|whose|whom)\s[^,]*,/gu, '');
  for (const { 0: word, index } of text.matchAll(/\p{L}[\p{L}\p{M}'’-]*/gu)) {
    const before = text.slice(0, index);
    const isVerb = AUXILIARY.test(word) || (before === '' && /^\p{Ll}+ed$/u.test(word)) || (/^\p{Ll}/u.test(word) && !NOUN_FOLLOWS.test(before) && (isTelling(word) || (VERB_AFTER_NAME.test(before) && /(?:ed|s)$/u.test(word))));
    if (isVerb) return before.trim();
  }
  return undefined;
}
const ADVERBIAL_HAN = /^(?:并且|并|而且|而|但是|但|且|也|又|还|曾经|曾|后来|随后|此后|后|最终|先后|同时|已经|已|将|就|[\d０-９]+[年月日]|\s)+/u;
const NO_SUBJECT_HAN = /[，,；]|^(?:[于在从由被因]|其中|原名|本名|$)/u;
/** The subject of a Chinese clause: what stands before the first word of a relation. */
function subjectOfHan(part: string, labels: readonly string[]): string | undefined {
  const clause = part.slice(0, OPENING);
  const at = [...labels.flatMap((label) => placesOf(label, clause).map(([from]) => from)), clause.indexOf('是')].filter((from) => from >= 0);
  return at.length === 0 ? undefined : clause.slice(0, Math.min(...at)).replace(ADVERBIAL_HAN, '');
}

/** The subject of a clause, without what leads to it: "In 1911 she". */
export function subjectIn(clause: string, labels: readonly string[]): string | undefined {
  if (HAN.test(clause)) return subjectOfHan(clause, labels);
  const forms = new Set(labels.flatMap(tellingOf).flatMap(formsOf));
  return subjectOf(clause, (word) => formsOf(word).some((form) => forms.has(form)));
}

const BORDER = /;\s+|,\s+(?:and|but|while|whereas|yet|though|although)\s+|\s+(?:and|but|while|whereas|although)\s+|,\s+|\s[–—]\s/gu;
const BORDER_HAN = /[，；;]|,\s*(?=\p{Script=Han})/gu;
/** Behind them a clause begins whatever stands before. */
const STRONG = /[;；–—]|but|while|whereas|although|though/u;
const GOES_ON = /^\s+(?:and|but)\s+$|^,\s+(?:and|but)\s+$/u;
interface Clause {
  readonly from: number;
  readonly to: number;
  /** Of a clause without one of its own, that of the clause before. */
  readonly subject?: string;
}
/** Where clauses begin and end. A border is one only where what follows has a subject of its own, or goes on with another verb of the same subject. */
function clausesOf(text: string, labels: readonly string[]): readonly Clause[] {
  const han = HAN.test(text);
  const forms = new Set(labels.flatMap(tellingOf).flatMap(formsOf));
  const known = new Map<string, boolean>();
  const isTelling = (word: string): boolean => known.get(word) ?? known.set(word, formsOf(word).some((form) => forms.has(form))).get(word) === true;
  const isSubject = (subject: string | undefined): boolean => subject !== undefined && (han ? !NO_SUBJECT_HAN.test(subject) : SUBJECT.test(subject) && !NO_SUBJECT.test(subject));
  const ofClause = (part: string): string | undefined => (han ? subjectOfHan(part, labels) : subjectOf(part, isTelling));
  const clauses: Clause[] = [];
  let [from, shared]: [number, string | undefined] = [0, undefined];
  for (const { 0: border, index } of text.matchAll(han ? BORDER_HAN : BORDER)) {
    const [before, after] = [text.slice(from, index), text.slice(index + border.length)];
    if (before.replace(/[^(（]/gu, '').length > before.replace(/[^)）]/gu, '').length) continue;
    const first: string | undefined = shared ?? ofClause(before);
    const states = STRONG.test(border) || (han ? isSubject(first) : Boolean(first));
    const goesOn: boolean = !han && GOES_ON.test(border) && isSubject(first) && ofClause(after) === '';
    if (!goesOn && (!states || !isSubject(ofClause(after)))) continue;
    clauses.push({ from, to: index, subject: shared });
    [from, shared] = [index + border.length, goesOn ? first : undefined];
  }
  return [...clauses, { from, to: text.length, subject: shared }];
}

/** What is added to a statement only to deny something of its subject: ", not in Athens", "and was never married", "，而不是北京". */
const DENIED_END = /(?:,\s+(?:(?:and|but|or)\s+)?|\s+(?:and|but|though|although)\s+)(?:(?:he|she|it|they)\s+)?(?:(?:(?:is|are|was|were|has|have|had|does|did|do|will|would|can|could)\s+)?(?:not(?! only\b)|never)\b|(?:is|are|was|were|has|have|had|does|did|do|wo|would|ca|could)n['’]t\b)[^,.;]*|，(?:[但而并却也他她它]|但是)*(?:不是|并不|不曾|没有?|从未|未曾?|并非|非|不)[^，。；]*/gu;
function withoutDeniedEnds(sentence: string): { readonly text: string; readonly ends: number } {
  const plain = plainly(masked(sentence));
  for (const { 0: end, index } of plain.matchAll(DENIED_END)) {
    const before = plain.slice(0, index);
    if (denies(before) || !/\s\p{Ll}|\p{Script=Han}{3}/u.test(before) || /^[，,]\s*(?:而是|but )/u.test(plain.slice(index + end.length))) continue;
    const rest = withoutDeniedEnds(sentence.slice(0, index) + sentence.slice(index + end.length));
    return { text: rest.text, ends: rest.ends + 1 };
  }
  return { text: sentence, ends: 0 };
}

/** What happens to somebody once: a second place behind it is another one's. */
const ONCE = /\b(?:(?:was|were) (?:born|buried|baptised|baptized)|died) (in|at) (?=\p{Lu})/u;
const MONTH = 'January|February|March|April|May|June|July|August|September|October|November|December|Spring|Summer|Autumn|Winter';
/** "Tom was born in Paris and Anna in Rome": with the verb that the second clause leaves out. */
function withVerbs(sentence: string): string {
  const once = ONCE.exec(sentence);
  if (!once) return sentence;
  const [{ 0: verb, 1: preposition }, end] = [once, once.index + once[0].length];
  const elided = (border: string): RegExp => new RegExp(`(${border}(?:\\p{Lu}[\\p{L}\\p{M}.'’-]*\\s)+)${preposition}\\s(?=\\p{Lu})(?!(?:${MONTH})\\b)`, 'gu');
  const last = sentence.slice(end).replace(elided('(?:,\\s|\\s)(?:and|while)\\s'), `$1${verb}`);
  // "Born in Dayton, Ohio" names nobody: only where the last of a list is told does a comma stand for the verb.
  return sentence.slice(0, end) + (last === sentence.slice(end) ? last : last.replace(elided(',\\s'), `$1${verb}`));
}

/** The labels are those of relations that the sentence speaks of. */
export function statementsOf(sentence: string, labels: readonly string[]): Statements {
  if (sentence.length > CHARACTERS) return { told: [sentence], denied: 0 };
  if (QUESTION.test(sentence) || SUPPOSED.test(plainly(masked(sentence)))) return { told: [], denied: 1 };
  const { text, ends } = withoutDeniedEnds(withVerbs(sentence));
  const plain = plainly(masked(text));
  const clauses = clausesOf(masked(text), labels);
  const states: boolean[] = [];
  let reported = false;
  for (const [i, { from, to, subject }] of clauses.entries()) {
    const part = plain.slice(from, to);
    reported = (reported && !TOLD_AGAIN.test(text.slice(clauses[i - 1].to, from))) || reports(part, labels);
    // "Tom was not born in Rome and married to Eve" denies both.
    const isShared = subject !== undefined && (denies(plainly(`${subject} is`)) || (states.at(-1) === false && !AUXILIARY.test(/^\S*/u.exec(part)?.[0] ?? '')));
    states.push(!isShared && !reported && !denies(part));
  }
  const told = clauses.filter((_, i) => states[i]);
  const stop = HAN.test(text) ? '。' : '.';
  // "Although Anna was born in Berlin, Ben was born in Paris": a clause alone has no conjunction.
  const alone = (part: string): string => (clauses.length > 1 ? part.replace(/^(?:Although|Though|While|Whereas)\s/u, '') : part).replace(/^(?:虽然|尽管|因为|由于)/u, '');
  return {
    told: told.map(({ from, to, subject }) => `${subject === undefined ? '' : `${subject} `}${alone(text.slice(from, to))}${to < text.length ? stop : ''}`.trim()),
    denied: ends + clauses.length - told.length,
  };
}
