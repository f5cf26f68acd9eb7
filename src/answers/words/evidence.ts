// Owns format `evidence-2`: how facts, a verdict, relations and names are written into a prompt for a model that was trained to word, choose or find them.
// Refuses to know where the facts came from and how the model runs. The training data and the answering path share this file.

import { labelShape, labelShapeZh, plural, pluralVerb } from './grammar.ts';

/** Special tokens of the format. */
export const SPECIAL_TOKENS = [
  '<|pad|>', '<|end|>', '<|system|>', '<|user|>', '<|assistant|>', '<|n|>', '<|/n|>', '<|f|>', '<|r|>', '<|o|>',
  '<|answer|>', '<|yes|>', '<|no|>', '<|unknown|>', '<|because|>', '<|count|>',
  '<|en|>', '<|zh|>', '<|find|>', '<|list|>', '<|table|>', '<|turned|>', '<|extract|>', '<|path|>',
  '<|class|>', '<|is|>', '<|was|>', '<|verb|>', '<|noun|>',
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
/** A relation's name as words: `acted_in`, `ACTED_IN` and `actedIn` are "acted in"; a short word in capitals stays, such as ISBN. */
export function relationText(relation: string): string {
  const text = plain(relation).replace(/_/g, ' ').trim();
  if (/^\p{Ll}+(?:\p{Lu}\p{Ll}+)+$/u.test(text)) return text.replace(/\p{Lu}/gu, ' $&').toLowerCase();
  return /^[\p{Lu} ]+$/u.test(text) && (text.includes(' ') || text.length > 4) ? text.toLowerCase() : text;
}

/** "A", "A and B", "A, B and C"; Chinese "A、B和C". `show` renders a name. */
export function list(names: readonly string[], language: Language, show: (name: string) => string): string {
  const shown = names.map(show);
  if (shown.length < 2) return shown.join('');
  const head = shown.slice(0, -1).join(language === 'zh' ? '、' : ', ');
  return `${head}${language === 'zh' ? '和' : ' and '}${shown[shown.length - 1]}`;
}

/** What kind of phrase a relation's label is, which decides the sentence around it. */
function kindToken(label: string, language: Language): string {
  if (language === 'zh') return `<|${labelShapeZh(label).kind}|>`;
  const shape = labelShape(label);
  return `<|${shape.kind === 'copula' ? shape.verb : shape.kind}|>`;
}
/** A label as questions and sentences hold it: behind a blank in English, so that a tokenizer cuts it as it does there. */
const relationMark = (label: string, language: Language, inverse = false): string => `<|r|>${kindToken(label.replace(/_/g, ' '), language)}${inverse ? '^' : ''}${language === 'en' ? ' ' : ''}${label}`;
function line(item: EvidenceLine, language: Language): string {
  return `<|f|>${list(item.subjects, language, mark)}${item.relations.map((relation, i) => relationMark(relationText(relation), language, item.inverse?.[i])).join('')}<|o|>${list(item.objects, language, mark)}`;
}

/** Contents of the two messages. */
export interface RenderedPrompt {
  readonly system: string;
  readonly user: string;
}
/**
 * Evidence and the question about it. Names stand as a reply in `language` lists them, so that a list is copied in one stretch. With a verdict the evidence comes first, so that what is asked of
 * one evidence shares a beginning; loose facts follow the question, so that each can be read in its light.
 */
export function renderEvidence(evidence: Evidence, question: string, language: Language): RenderedPrompt {
  const { verdict, form, sought, count, conclusion, lines } = evidence;
  const facts = lines.map((item) => line(item, language));
  if (!verdict) return { system: `<|${language}|><|find|>`, user: question + facts.join('') };
  const head = [`<|${language}|>`, `<|${verdict}|>`, ...(form ? [`<|${form}|>`, ...(sought === 'subjects' ? ['<|turned|>'] : [])] : []), ...(count === undefined ? [] : [mark(String(count))])];
  return { system: [...head, ...(conclusion ? [line(conclusion, language)] : []), ...facts.map((fact) => `<|because|>${fact}`)].join(''), user: question };
}

/**
 * What asks for facts of these relations out of a text, in rows, or (`path`) for the relation path that a question means. The relations follow the text, so that each can be read in its light. A path
 * is written without blanks between its steps, so that its relations stand there in that form, too.
 */
export const renderRelations = (task: 'extract' | 'path', text: string, relations: readonly string[], language: Language): RenderedPrompt => ({
  system: `<|${language}|><|${task}|>`,
  user: text + relations.map((relation) => relationMark(plain(relation), language) + (task === 'path' && language === 'en' ? `<|o|>${plain(relation)}` : '')).join(''),
});

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
