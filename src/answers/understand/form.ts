// Owns hearing in which form an answer is wanted: "as a table", "in bullet points", "用表格".
// Refuses to know what is asked.

import type { ReplyForm } from '../words/evidence.ts';

const TABLE = /\b(?:(?:answer|reply|shown?|given?|presented|formatted|written|display(?:ed)?)\s+)?(?:(?:as|in|into|in the form of|using|with)\s+)(?:an?\s+|the\s+)?(?:markdown\s+|small\s+|simple\s+|neat\s+)*(?:tables?|tabular\s+(?:form|format))(?:\s+(?:form|format))?\b(?:\s*,?\s*please\b)?/giu;
const LIST = /\b(?:(?:answer|reply|shown?|given?|presented|formatted|written|display(?:ed)?)\s+)?(?:(?:as|in|into|in the form of|using|with)\s+)(?:an?\s+|the\s+)?(?:(?:markdown|bullet(?:ed|ed point)?|numbered|unordered|simple|plain)[\s-]+)*(?:lists?|bullets?|bullet[\s-]points?|points)(?:\s+(?:form|format))?\b(?:\s*,?\s*please\b)?/giu;
const TABLE_HAN = /[，,；]?(?:请)?(?:用|以|按|做成|列成|整理成|制成)(?:一个|一张|个|张)?(?:Markdown\s*)?表格?(?:的?(?:形式|格式|方式))?(?:来?(?:列出|显示|展示|回答|给出|表示|呈现))?/giu;
const LIST_HAN = /[，,；]?(?:请)?(?:用|以|按|做成|列成|整理成)(?:一个|一份|个|份)?(?:Markdown\s*)?(?:列表|清单|要点)(?:的?(?:形式|格式|方式))?(?:来?(?:列出|显示|展示|回答|给出|表示|呈现))?/giu;
const FORMS: readonly (readonly [ReplyForm, RegExp])[] = [
  ['table', TABLE],
  ['list', LIST],
  ['table', TABLE_HAN],
  ['list', LIST_HAN],
];

/** The form that a question asks for, and the question with blanks in the place of the words that do, so that what is behind them stands where it stood. */
export function wantedForm(question: string): { readonly form?: ReplyForm; readonly text: string } {
  for (const [form, pattern] of FORMS) {
    const text = question.replace(pattern, (words) => ' '.repeat(words.length));
    if (text !== question && text.trim() !== '') return { form, text };
  }
  return { text: question };
}
