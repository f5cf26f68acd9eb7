// Owns plain sentences for facts: grammar from the shape of a relation's label, English and Chinese.
// Refuses to know any particular relation. Used to teach the model, and to list evidence when its words are refused.

import { list, relationText } from './evidence.ts';
import type { Evidence, EvidenceLine, Language, ReplyForm } from './evidence.ts';
import { article, isPlural, labelShape as shapeOf, labelShapeZh as shapeZh, plural, pluralVerb } from './grammar.ts';
import type { Shape } from './grammar.ts';

/** What kind of phrase an English relation label is. */
export const labelShape = (label: string): Shape => shapeOf(relationText(label));

/** Part of a sentence that stands for one or more things; `many`: the verb takes the plural. */
interface Phrase {
  readonly text: string;
  readonly many: boolean;
  /** Names themselves, not described by how they are reached. */
  readonly names?: readonly string[];
  /** English names with the article of each, as what something is. */
  readonly kinds?: string;
}

/** English: what one step along a relation leads to. */
function reachedEn(from: Phrase, label: string, inverse: boolean): Phrase {
  const shape = shapeOf(label);
  switch (shape.kind) {
    case 'class':
      return inverse ? { text: `those of the kind ${from.text}`, many: true } : { text: `what ${from.text} ${from.many ? 'are' : 'is'}`, many: false };
    case 'copula': {
      if (inverse) return shape.rest.startsWith('the ') ? { text: `${shape.rest} ${from.text}`, many: false } : { text: `those ${/^an? |^part /.test(shape.rest) ? 'that are ' : ''}${ofMany(shape.rest)} ${from.text}`, many: true };
      const pronoun = /( |^)(by|to|with|after|for)$/.test(shape.rest) ? 'the one that' : 'what';
      return { text: `${pronoun} ${from.text} ${be(shape.verb, from.many)} ${shape.rest}`, many: false };
    }
    case 'verb':
      return inverse ? { text: `those that ${pluralVerb(shape.text)} ${from.text}`, many: true } : { text: `what ${from.text} ${from.many ? pluralVerb(shape.text) : shape.text}`, many: false };
    case 'noun':
      if (inverse) return { text: isPlural(shape.text) ? `those with ${from.text} among the ${shape.text}` : `those with ${from.text} as ${shape.text}`, many: true };
      return { text: `the ${shape.text} of ${from.text}`, many: isPlural(shape.text) };
    default:
      return shape satisfies never;
  }
}
/** "a member of" -> "members of". */
const ofMany = (rest: string): string => (/^(the|an?) /.test(rest) ? plural(rest.replace(/^(the|an?) /, '')) : rest);
const be = (verb: 'is' | 'was', many: boolean): string => (verb === 'is' ? (many ? 'are' : 'is') : many ? 'were' : 'was');

/** English: that subject and object stand in a relation. */
function statedEn(subject: Phrase, label: string, object: Phrase, negated: boolean): string {
  const not = negated ? ' not' : '';
  const shape = shapeOf(label);
  switch (shape.kind) {
    case 'class':
      if (object.kinds === undefined || (subject.many && object.names?.every(isPlural))) return `${subject.text} ${be('is', subject.many)}${not} ${object.text}`;
      return `${subject.text} ${be('is', subject.many)}${not} ${subject.many ? 'each ' : ''}${object.kinds}`;
    case 'copula':
      return [subject.text, `${be(shape.verb, subject.many)}${not}`, subject.many ? ofMany(shape.rest) : shape.rest, object.text].filter((part) => part !== '').join(' ');
    case 'verb':
      return `${negated ? 'it is not the case that ' : ''}${subject.text} ${subject.many ? pluralVerb(shape.text) : shape.text} ${object.text}`;
    case 'noun': {
      const noun = object.many ? plural(shape.text) : shape.text;
      return `the ${noun} of ${subject.text} ${object.many || isPlural(noun) ? 'are' : 'is'}${not} ${object.text}`;
    }
    default:
      return shape satisfies never;
  }
}
/** English: that `subject` has in common with `other` what a relation leads to. */
function sharedEn(subject: Phrase, label: string, other: Phrase): string {
  const shape = shapeOf(label);
  switch (shape.kind) {
    case 'class':
      return `${subject.text} ${be('is', subject.many)} of the same kind as ${other.text}`;
    case 'copula':
      return `${subject.text} ${be(shape.verb, subject.many)} ${subject.many ? ofMany(shape.rest) : shape.rest} the same as ${other.text}`;
    case 'verb':
      return `${subject.text} ${subject.many ? pluralVerb(shape.text) : shape.text} the same as ${other.text}`;
    case 'noun':
      return `${subject.text} ${subject.many ? 'have' : 'has'} the same ${shape.text} as ${other.text}`;
    default:
      return shape satisfies never;
  }
}

function reachedZh(from: Phrase, label: string, inverse: boolean): Phrase {
  const { kind, text } = shapeZh(label);
  if (kind === 'class') return inverse ? { text: `属于${from.text}的那些`, many: true } : { text: `${from.text}所属的类`, many: false };
  if (kind === 'verb') return inverse ? { text: `${text}${from.text}的那些`, many: true } : { text: `${from.text}${text}的那个`, many: true };
  return inverse ? { text: `${text}是${from.text}的那些`, many: true } : { text: `${from.text}的${text}`, many: false };
}
function statedZh(subject: Phrase, label: string, object: Phrase, negated: boolean): string {
  const { kind, text } = shapeZh(label);
  if (kind === 'class') return `${subject.text}${negated ? '不是' : '是'}${object.text}`;
  if (kind === 'verb') return `${subject.text}${negated ? '并非' : ''}${text}${object.text}`;
  // After a description that ends in 那些 or 那个, a second 的 would be hard to read.
  return `${subject.text}${subject.names || !subject.many ? '的' : '，其'}${text}${negated ? '不是' : '是'}${object.text}`;
}
function sharedZh(subject: Phrase, label: string, other: Phrase): string {
  const { kind, text } = shapeZh(label);
  if (kind === 'class') return `${subject.text}与${other.text}属于同一类`;
  return kind === 'verb' ? `${subject.text}与${other.text}都${text}同一个` : `${subject.text}与${other.text}的${text}相同`;
}

/** One fact line as a clause without a full stop. A path is told as what its last step says about where the others lead. */
export function clause(item: EvidenceLine, language: Language, show: (name: string) => string, negated = false): string {
  const zh = language === 'zh';
  const [subject, object] = [named(item.subjects, language, show), named(item.objects, language, show)];
  const relations = item.relations.map(relationText);
  const turned = (i: number): boolean => item.inverse?.[i] === true;
  const last = relations.length - 1;
  if (last === 1 && relations[0] === relations[1] && !turned(0) && turned(1) && !negated) return zh ? sharedZh(object, relations[0], subject) : sharedEn(object, relations[0], subject);
  let from = subject;
  for (let i = 0; i < last; i++) from = zh ? reachedZh(from, relations[i], turned(i)) : reachedEn(from, relations[i], turned(i));
  let to = object;
  if (turned(last)) [from, to] = [to, from];
  return zh ? statedZh(from, relations[last], to, negated) : statedEn(from, relations[last], to, negated);
}

/** What stands above a list of answers: the sentence up to them ("The actors of Psycho are"), or, where it begins with them, what they are ("Those directed by Hitchcock"). A single step is told as it is stored, and may be `turned`. */
function heading({ subjects, relations, inverse, objects }: EvidenceLine, turned: boolean, language: Language, show: (name: string) => string): string {
  const zh = language === 'zh';
  let phrase = named(turned ? objects : subjects, language, show);
  const steps = relations.map((label, i) => ({ label: relationText(label), inverse: turned || inverse?.[i] === true }));
  const last = steps.length - 1;
  for (const { label, inverse: back } of steps[last].inverse ? steps : steps.slice(0, last)) phrase = zh ? reachedZh(phrase, label, back) : reachedEn(phrase, label, back);
  if (steps[last].inverse) return phrase.text;
  const answers: Phrase = { text: '', many: objects.length > 1 };
  return (zh ? statedZh : statedEn)(phrase, steps[last].label, answers, false).trimEnd();
}
/** What a path reaches from one name, as a phrase: "the capital of the country of Ulm". */
export function reached(name: string, { relations, inverse }: Pick<EvidenceLine, 'relations' | 'inverse'>, language: Language, show: (name: string) => string = (text) => text): string {
  const one = language === 'zh' ? reachedZh : reachedEn;
  return relations.reduce((from, label, i) => one(from, relationText(label), inverse?.[i] === true), named([name], language, show)).text;
}
const named = (names: readonly string[], language: Language, show: (name: string) => string): Phrase => ({
  text: list(names, language, show),
  many: names.length > 1,
  names,
  ...(language === 'en' && { kinds: list(names, language, (name) => (HAS_NO_ARTICLE.test(name) ? show(name) : `${article(name)} ${show(name)}`)) }),
});
/** "12 more" of a list that was cut. */
const HAS_NO_ARTICLE = /^\d+ more$/;

const cell = (text: string): string => text.replaceAll('|', '\\|');
/** A line of Markdown for each answer: a list below what they answer, or a table of triples. */
function written(form: ReplyForm, item: EvidenceLine, turned: boolean, language: Language, show: (name: string) => string): string {
  const zh = language === 'zh';
  if (form === 'list') return `${sentence(heading(item, turned, language, show))}${zh ? '：' : ':'}\n\n${(turned ? item.subjects : item.objects).map((name) => `- ${show(name)}`).join('\n')}`;
  const [subjects, objects] = [item.subjects, item.objects].map((names) => names.map((name) => show(cell(name))));
  const path = cell(item.relations.map((relation, i) => `${item.inverse?.[i] ? '^' : ''}${relationText(relation)}`).join(' / '));
  const head = zh ? ['主体', '关系', '客体'] : ['subject', 'relation', 'object'];
  const rows = subjects.flatMap((subject) => objects.map((object) => [subject, path, object]));
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const sentence = (text: string): string => text.replace(/^[a-z]/, (letter) => letter.toUpperCase());

/** The whole reply that evidence with a verdict stands for. */
export function reply(evidence: Evidence, language: Language, show: (name: string) => string = (name) => name): string {
  const { conclusion } = evidence;
  const zh = language === 'zh';
  const turned = evidence.sought === 'subjects';
  const reasons = evidence.lines.map((item) => clause(item, language, show));
  const because = reasons.length === 0 ? '' : zh ? `，因为${reasons.join('，并且')}` : `, because ${reasons.join(' and ')}`;
  switch (evidence.verdict) {
    case 'yes':
      return zh ? `是的，${conclusion ? clause(conclusion, language, show) : ''}${because}。` : `Yes, ${conclusion ? clause(conclusion, language, show) : ''}${because}.`;
    case 'no':
      return zh ? `不，${conclusion ? clause(conclusion, language, show, true) : ''}${because}。` : `No, ${conclusion ? clause(conclusion, language, show, true) : ''}${because}.`;
    case 'count': {
      const number = show(String(evidence.count ?? 0));
      if (evidence.form && conclusion) return `${zh ? `共有${number}个` : `There ${evidence.count === 1 ? 'is' : 'are'} ${number}`}${zh ? '：' : ':'}\n\n${written(evidence.form, conclusion, turned, language, show)}`;
      const items = conclusion ? clause(conclusion, language, show) : '';
      return zh ? `共有${number}个：${items}。` : `There ${evidence.count === 1 ? 'is' : 'are'} ${number}: ${items}.`;
    }
    case 'unknown':
      if (!conclusion) return zh ? '我不知道，图谱里没有相关内容。' : 'I do not know; the graph holds nothing about that.';
      if (conclusion.objects.length === 0) return zh ? `不知道，关于${list(conclusion.subjects, language, show)}，图谱没有给出答案。` : `I do not know: the graph has no answer to that about ${list(conclusion.subjects, language, show)}.`;
      return zh ? `不知道${clause(conclusion, language, show)}是否属实。` : `It is not known whether ${clause(conclusion, language, show)}.`;
    case 'answer':
    case undefined: {
      if (!conclusion) return '';
      if (evidence.form) return written(evidence.form, conclusion, turned, language, show);
      if (zh) return `${clause(conclusion, language, show)}${because}。`;
      // A name keeps its small letter, as in "iPhone".
      const text = `${clause(conclusion, language, show)}${because}.`;
      return [...conclusion.subjects, ...conclusion.objects].some((name) => text.startsWith(show(name))) ? text : sentence(text);
    }
    default:
      return evidence.verdict satisfies never;
  }
}
