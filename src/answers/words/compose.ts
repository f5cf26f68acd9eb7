// Owns turning what the graph found into evidence for the model: display names, list lengths, the prompt.
// Refuses to know how it was found and how the model runs.

import { termText } from '../../../graph/terms.ts';
import type { Entity, EntityId, Path, Relation, Term } from '../../../graph/terms.ts';
import type { ChatMessage, GroundedFormat } from '../../engine/port.ts';
import { evidenceNames, evidenceWords, mark, plain, relationText, renderEvidence, renderRelations } from './evidence.ts';
import type { Evidence, EvidenceLine, Language, RenderedPrompt } from './evidence.ts';
import { temporal } from './grammar.ts';
import { clause, reply } from './wording.ts';

const HAN = /\p{Script=Han}/u;

export interface ComposeLimits {
  /** Names written out in one reply at most; the rest is counted ("12 more"). `grounding.answers` always holds them all. */
  readonly listed: number;
  /** Characters of one name; longer ones are shortened with an ellipsis in the text. */
  readonly nameCharacters: number;
  /** Characters of all names of one list together. */
  readonly listCharacters: number;
  /** Premises told as reasons. */
  readonly reasons: number;
}

/** How names and relations are shown to a reader of `language`. */
export interface Display {
  readonly language: Language;
  name(term: Term): string;
  relation(name: string): string;
}

/** Prefers labels and aliases of the reader's language; falls back to the canonical name. */
export function makeDisplay(language: Language, entities: readonly Entity[], relations: readonly Relation[]): Display {
  const names = new Map<EntityId, string>();
  for (const entity of entities) {
    const inLanguage = entity.aliases.find((alias) => alias.language === language);
    const byScript = entity.aliases.find((alias) => !alias.language && HAN.test(alias.text) === (language === 'zh'));
    const fits = HAN.test(entity.label) === (language === 'zh');
    names.set(entity.id, fits ? entity.label : (inLanguage?.text ?? (language === 'zh' ? byScript?.text : undefined) ?? entity.label));
  }
  const labels = new Map<string, string>();
  for (const relation of relations) {
    if (HAN.test(relation.name) === (language === 'zh')) continue;
    const alias = relation.aliases.find((item) => item.language === language) ?? relation.aliases.find((item) => !item.language && HAN.test(item.text) === (language === 'zh'));
    if (alias) labels.set(relation.name, alias.text);
  }
  return {
    language,
    name: (term) => (term.kind === 'entity' ? (names.get(term.id) ?? term.id) : termText(term)),
    relation: (name) => relationText(labels.get(name) ?? name),
  };
}

const shorten = (name: string, limit: number): string => {
  const text = plain(name).replace(/\s+/g, ' ').trim();
  const characters = [...text];
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : text;
};

/** Distinct names as written in a reply: at most `listed`, then how many more. */
export function listNames(terms: readonly Term[], display: Display, limits: ComposeLimits): string[] {
  const names = [...new Set(terms.map((term) => shorten(display.name(term), limits.nameCharacters)))].filter((name) => name.length > 0);
  const shown: string[] = [];
  let characters = 0;
  for (const name of names) {
    if (shown.length > 0 && (shown.length >= limits.listed || characters + name.length > limits.listCharacters)) break;
    shown.push(name);
    characters += name.length;
  }
  const more = names.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  return shown;
}

/** A literal that may tell a time; of anything else what tells none. */
const timeOf = (term: Term): string | number => (term.kind === 'literal' && (term.type === 'date' || term.type === 'number') ? term.value : '');

/** The evidence line of a path from `start` to `ends`. A single step is told in the direction in which it is stored. */
export function pathLine(start: Term, path: Path, ends: readonly Term[], display: Display, limits: ComposeLimits): EvidenceLine {
  const from = listNames([start], display, limits);
  const to = listNames(ends, display, limits);
  const relations = path.map((step) => display.relation(step.relation));
  const last = path.length - 1;
  // As it is told, not as it is walked.
  const objects = path.at(-1)?.inverse === false ? ends : path.length === 1 ? [start] : [];
  const when = display.language === 'en' && objects.length > 0 ? temporal(relations[last], objects.map(timeOf)) : undefined;
  if (when !== undefined) relations[last] += ` ${when}`;
  return path.length === 1 && path[0].inverse ? { subjects: to, relations, objects: from } : { subjects: from, relations, ...(path.length > 1 ? { inverse: path.map((step) => step.inverse) } : {}), objects: to };
}

/** A stretch of the question that names something, and the name that the evidence knows it by. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}
/** Messages in which the format's marks count as such; what is of others is free of them. */
export const messagesOf = ({ system, user }: RenderedPrompt): TrustedMessage[] => [
  { role: 'system', content: system, trusted: true },
  { role: 'user', content: user, trusted: true },
];
type TrustedMessage = ChatMessage & { readonly trusted?: boolean };
/** Messages for the model. A model trained on `evidence-2` gets marked names; any other gets the facts as sentences and an instruction. */
export function composePrompt(evidence: Evidence, question: string, spans: readonly Span[], language: Language, format?: GroundedFormat): TrustedMessage[] {
  if (format) {
    let marked = '';
    let at = 0;
    for (const span of spans.toSorted((a, b) => a.start - b.start)) {
      if (span.start < at) continue;
      marked += plain(question.slice(at, span.start)) + mark(span.name);
      at = span.end;
    }
    marked += plain(question.slice(at));
    return messagesOf(renderEvidence(evidence, marked, language));
  }
  const facts = [...(evidence.conclusion && evidence.conclusion.objects.length > 0 && evidence.verdict !== 'unknown' ? [evidence.conclusion] : []), ...evidence.lines].map((line) => `- ${clause(line, language, (name) => name)}`);
  const how = evidence.form ? AS[language][evidence.form] : AS[language].sentence;
  const instruction =
    language === 'zh'
      ? `只根据下面的事实${how}回答，写出其中的全部名称，不要添加别的内容。若没有事实，就说不知道。结论：${reply(evidence, language)}\n事实：\n${facts.join('\n') || '（无）'}`
      : `Answer ${how}, only from the facts below, with every name that they list, and add nothing. If there are none, say that you do not know. Conclusion: ${reply(evidence, language)}\nFacts:\n${facts.join('\n') || '(none)'}`;
  return [
    { role: 'system', content: instruction },
    { role: 'user', content: question },
  ];
}

/** Messages for a model trained on `evidence-2`: the relation path that a question means, of these relations. Names are marked where the question has them as they are. */
export function composePathPrompt(relations: readonly string[], question: string, names: readonly string[]): TrustedMessage[] {
  const language: Language = HAN.test(question) ? 'zh' : 'en';
  const known = names.filter((name) => name !== '').toSorted((a, b) => b.length - a.length);
  const parts = known.length === 0 ? [question] : question.split(new RegExp(`(${known.map((name) => RegExp.escape(name)).join('|')})`, 'iu'));
  return messagesOf(renderRelations('path', parts.map((part, i) => (i % 2 === 1 ? mark(part) : plain(part))).join(''), relations, language));
}

const AS = { en: { sentence: 'in one sentence', list: 'as a Markdown list', table: 'as a Markdown table' }, zh: { sentence: '用一句话', list: '用 Markdown 列表', table: '用 Markdown 表格' } } as const;

/** Words, and signs one by one; every character of a script without spaces. */
const PIECES = { en: /[\p{L}\p{N}\p{M}_]+|\S|\n/gu, zh: /[\p{Script=Latin}\p{N}_]+|\S|\n/gu } as const;
/** The words that a reply may use outside names: of evidence with a verdict those of the plain sentence, as no other reply is sent; of loose facts those of the facts, and what replies have besides. */
export function allowedWords(evidence: Evidence, language: Language, format: GroundedFormat): string[] {
  if (evidence.verdict) return [...new Set(reply(evidence, language, () => ' ').match(PIECES[language]))];
  const words = evidenceWords(evidence);
  return [...new Set([...format.lexicon[language], ...words, ...words.map((word) => word.toLowerCase())])];
}

const VERDICT_WORDS = {
  en: { yes: /^yes\b/i, no: /^no\b/i, unknown: /\b(not known|does not say|do not know|don't know|unknown|no information)\b/i },
  zh: { yes: /^(是|对)/, no: /^(不，|不是|否|没有)/, unknown: /(不知道|没有给出|没有相关|未知|无法)/ },
} as const;

const NEGATION = { en: /\b(?:not|no|never|neither|nor|cannot)\b|n['’]t\b/i, zh: /[不没未非无否]/ } as const;

/** A word that ends otherwise than the plain sentence's is still written. */
const SLACK_BYTES = 8;
/** Names in the order in which the plain sentence writes them, and how many bytes may stand around them. */
export function namesInOrder(evidence: Evidence, language: Language): { readonly order: string[]; readonly stretches: number[] } {
  const parts = reply(evidence, language, (name) => `\ue000${name}\ue000`).split('\ue000');
  return { order: parts.filter((_, i) => i % 2 === 1), stretches: parts.filter((_, i) => i % 2 === 0).map((part) => Buffer.byteLength(part) + SLACK_BYTES) };
}

/** How a reply is checked. */
export interface Check {
  /** For a model that was taught the plain sentences: it says what the plain sentence says, letter for letter, so that no claim is turned round or garbled. */
  readonly strict?: boolean;
  /** What the plain sentence says up to a stop string of the client's. Default: all of it. */
  readonly said?: string;
  /** The client's number of tokens ended the reply, maybe within a word. */
  readonly cut?: boolean;
}

/** The first thing wrong with a reply, or undefined when it says the verdict, writes out every name of the conclusion, and names nothing else; of a reply that was ended early, as far as it goes. */
export function verifyReply(text: string, evidence: Evidence, language: Language, { strict = false, said = reply(evidence, language), cut = false }: Check = {}): string | undefined {
  const { verdict, conclusion, count } = evidence;
  const given = text.trim();
  if (strict) return (cut ? said.startsWith(given) : given === said.trim()) ? undefined : 'the reply says something else than the plain sentence';
  if (given === '') return cut || said.trim() === '' ? undefined : 'the reply is empty';
  const verdicts = VERDICT_WORDS[language];
  if (cut) {
    const opposite = verdict === 'yes' ? 'no' : verdict === 'no' ? 'yes' : undefined;
    if (opposite && verdicts[opposite].test(given)) return `the reply says "${opposite}"`;
  } else {
    const due = (test: (sentence: string) => boolean): boolean => test(said) && !test(given);
    if ((verdict === 'yes' || verdict === 'no' || verdict === 'unknown') && due((sentence) => verdicts[verdict].test(sentence))) return `the reply does not say "${verdict}"`;
    for (const name of conclusion ? [...conclusion.subjects, ...conclusion.objects] : []) if (due((sentence) => sentence.includes(name))) return `the reply leaves out "${name}"`;
    if (verdict === 'count' && due((sentence) => sentence.includes(String(count)))) return `the reply leaves out the count ${count}`;
  }
  const names = evidenceNames(evidence).toSorted((a, b) => b.length - a.length);
  let rest = cut ? given.slice(0, given.length - begun(given, names)) : given;
  for (const name of names) rest = rest.replaceAll(name, ' ');
  const words = evidenceWords(evidence);
  const known = new Set(words.flatMap((word) => [word, word.toLowerCase()]));
  const capital = language === 'en' ? rest.match(/(?<=[a-z,;:] )\p{Lu}\p{L}+/gu)?.find((word) => !known.has(word)) : undefined;
  if (capital !== undefined) return `the reply names "${capital}", which the evidence does not hold`;
  // Labels stay as they are, in any language.
  const withoutLabels = (sentence: string): string => words.reduce((left, word) => left.replaceAll(word, ' '), sentence);
  if (!cut && (language === 'zh' ? !HAN.test(rest) : HAN.test(withoutLabels(rest)))) return 'the reply is not in the language of the question';
  const denies = (sentence: string): boolean => NEGATION[language].test(withoutLabels(sentence));
  return denies(rest) && !denies(reply(evidence, language, () => ' ')) ? 'the reply denies what the plain sentence says' : undefined;
}
/** Characters at the end of a text with which one of the names begins. */
function begun(text: string, names: readonly string[]): number {
  const longest = (name: string): number => {
    let length = Math.min(name.length, text.length);
    while (!text.endsWith(name.slice(0, length))) length--;
    return length;
  };
  return Math.max(/\S*$/.exec(text)?.[0].length ?? 0, ...names.map(longest));
}
