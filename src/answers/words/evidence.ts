// Owns format `evidence-1`: how facts, a verdict and names are written into a prompt for a model that was trained to word them.
// Refuses to know where the facts came from and how the model runs. The training data and the answering path share this file.

import { plural, pluralVerb } from './grammar.ts';

/** Special tokens of the format, in the order of their ids in the shipped tokenizer. */
export const SPECIAL_TOKENS = [
  '<|pad|>', '<|end|>', '<|system|>', '<|user|>', '<|assistant|>', '<|n|>', '<|/n|>', '<|f|>', '<|r|>', '<|o|>',
  '<|answer|>', '<|yes|>', '<|no|>', '<|unknown|>', '<|because|>', '<|count|>',
] as const;
export const NAME_OPEN = '<|n|>';
export const NAME_CLOSE = '<|/n|>';

export const CHAT_TEMPLATE =
  "{% for message in messages %}<|{% if message.role == 'tool' %}user{% else %}{{ message.role }}{% endif %}|>{{ message.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

export type Language = 'en' | 'zh';

/** Facts that share relation and other side, written as one line. Names are as the reader shall see them. */
export interface EvidenceLine {
  readonly subjects: readonly string[];
  /** One relation, or the relations of a path in walking order. Underscores are read as spaces. */
  readonly relations: readonly string[];
  /** For each relation of a path: walked from object to subject. Absent: none is. */
  readonly inverse?: readonly boolean[];
  readonly objects: readonly string[];
}
/** How the answers are written: a list has one a line, a table a row for each with what it answers. Default: a sentence. */
export type ReplyForm = 'list' | 'table';
export type Verdict = 'answer' | 'yes' | 'no' | 'unknown' | 'count';
export interface Evidence {
  /** Absent: the model itself has to find the answer among `lines`. */
  readonly verdict?: Verdict;
  /** `verdict` count: how many. */
  readonly count?: number;
  /** What the verdict is about (for `unknown` maybe absent). */
  readonly conclusion?: EvidenceLine;
  /** Premises of the conclusion (`because`), or loose facts when there is no verdict. */
  readonly lines: readonly EvidenceLine[];
  /** Of an answer or a count. Default: a sentence. */
  readonly form?: ReplyForm;
  /** Which side of the conclusion was asked for. Default: the objects. */
  readonly sought?: 'subjects' | 'objects';
}

/** Removes the format's special tokens from text that is only to be read. */
const SPECIAL = new RegExp(SPECIAL_TOKENS.map((token) => token.replace(/[|/]/g, '\\$&')).join('|'), 'g');
export const plain = (text: string): string => text.replace(SPECIAL, '');
export const mark = (name: string): string => NAME_OPEN + plain(name) + NAME_CLOSE;
export const relationText = (relation: string): string => plain(relation).replace(/_/g, ' ').trim();

/** "A", "A and B", "A, B and C"; Chinese "A、B和C". `show` renders a name. */
export function list(names: readonly string[], language: Language, show: (name: string) => string): string {
  const shown = names.map(show);
  if (shown.length < 2) return shown.join('');
  const head = shown.slice(0, -1).join(language === 'zh' ? '、' : ', ');
  return `${head}${language === 'zh' ? '和' : ' and '}${shown[shown.length - 1]}`;
}

function line(item: EvidenceLine, language: Language): string {
  return `<|f|>${list(item.subjects, language, mark)}${item.relations.map((relation, i) => `<|r|>${item.inverse?.[i] ? '^' : ''}${relationText(relation)}`).join('')}<|o|>${list(item.objects, language, mark)}`;
}

/** The content of the system message that carries the evidence. Names stand as a reply in `language` lists them, so that a list is copied in one stretch. */
export function renderEvidence(evidence: Evidence, language: Language): string {
  const parts: string[] = [];
  if (evidence.verdict) parts.push(`<|${evidence.verdict}|>`);
  if (evidence.count !== undefined) parts.push(mark(String(evidence.count)));
  if (evidence.conclusion) parts.push(line(evidence.conclusion, language));
  for (const item of evidence.lines) parts.push(evidence.verdict ? '<|because|>' : '', line(item, language));
  return parts.join('');
}

/** Every name that the evidence holds, each once. */
export function evidenceNames(evidence: Evidence): string[] {
  const names = new Set<string>();
  if (evidence.count !== undefined) names.add(String(evidence.count));
  for (const item of evidence.conclusion ? [evidence.conclusion, ...evidence.lines] : evidence.lines) for (const name of [...item.subjects, ...item.objects]) names.add(plain(name));
  return [...names];
}
/** Words of the evidence's relations, in the forms that sentences need, besides which a reply uses only the model's lexicon. */
export function evidenceWords(evidence: Evidence): string[] {
  const words = new Set<string>();
  for (const item of evidence.conclusion ? [evidence.conclusion, ...evidence.lines] : evidence.lines)
    for (const relation of item.relations) {
      const text = relationText(relation);
      for (const form of [text, plural(text), pluralVerb(text)]) for (const word of form.split(/\s+/)) if (word) words.add(word);
    }
  return [...words];
}
