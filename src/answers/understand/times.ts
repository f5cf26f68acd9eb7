// Owns hearing a stretch of time in a question ("in 1849", "on 9 March 2024", "1999年5月"), and which stored dates lie in it.
// Refuses to know what happened then.

import type { Term } from '../../../graph/terms.ts';
import { overlaps } from './link.ts';
import type { Question } from './question.ts';

/** A decade, year, month or day that the question names, by the beginning that its ISO 8601 dates have. */
export interface Time {
  /** Characters of the question, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly prefix: string;
  readonly unit: 'decade' | 'year' | 'month' | 'day';
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?';
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?';
/** Day, month, year; month, day, year; ISO 8601; decade; year. */
const SAID: readonly (readonly [RegExp, (found: RegExpMatchArray) => string])[] = [
  [new RegExp(`${DAY}\\s+(?:of\\s+)?${MONTH},?\\s+(\\d{4})`, 'giu'), ([, day, month, year]) => dated(year, monthOf(month), day)],
  [new RegExp(`${MONTH}\\s+(?:${DAY},?\\s+|of\\s+)?(\\d{4})`, 'giu'), ([, month, day, year]) => dated(year, monthOf(month), day)],
  [/(\d{4})-(0[1-9]|1[0-2])(?:-([0-3]\d))?/g, ([, year, month, day]) => dated(year, month, day)],
  [/(\d{3})0s/g, ([, decade]) => decade],
  [/(\d{4})/g, ([, year]) => year],
];
const SAID_HAN = /(\d{4})\s*年(?:\s*(\d{1,2})\s*月份?(?:\s*(\d{1,2})\s*[日号])?)?/gu;
const monthOf = (name: string): string => String(MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1);
const dated = (year: string, month?: string, day?: string): string => [year, month, day].flatMap((part) => (part === undefined ? [] : [part.padStart(2, '0')])).join('-');
const UNITS = { 3: 'decade', 4: 'year', 7: 'month', 10: 'day' } as const;

/** What leads to a time in which something is said to have been; "by 1900", "around 1900" and "since 1900" say something else. */
const LEADS = /\b(?:in|on)\s+(?:the\s+)?(?:(?:year|month)\s+(?:of\s+)?)?$/i;
const GOES_ON = /^(?:[-–—/]\d|[\p{L}\p{N}]|\s*(?:b\.?\s?c\b|bce\b))/iu;
const LEADS_HAN = /[从自到至由近约早的晚第]\s*$/u;
const GOES_ON_HAN = /^\s*(?:[-–—~～至到前后起初末底左以代来间上中下春夏秋冬年]|之)/u;

/** The one time that the question names outside of these stretches; undefined where it names none, or several. */
export function timeIn({ text, language }: Pick<Question, 'text' | 'language'>, names: readonly { readonly start: number; readonly end: number }[] = []): Time | undefined {
  const found: Time[] = [];
  const take = (start: number, end: number, prefix: string, said: boolean): void => {
    if (!overlaps([...names, ...found])(start, end)) return;
    const unit = UNITS[prefix.length as keyof typeof UNITS];
    found.push({ start, end, prefix: said ? prefix : '', unit });
  };
  if (language === 'zh') for (const { 0: whole, 1: year, 2: month, 3: day, index } of text.matchAll(SAID_HAN)) take(index, index + whole.length, dated(year, month, day), !LEADS_HAN.test(text.slice(0, index)) && !GOES_ON_HAN.test(text.slice(index + whole.length)));
  else
    for (const [pattern, prefixOf] of SAID)
      for (const match of text.matchAll(pattern)) {
        const [start, end] = [match.index, match.index + match[0].length];
        if (/[\p{L}\p{N}]$/u.test(text.slice(0, start))) continue;
        take(start, end, prefixOf(match), LEADS.test(text.slice(0, start)) && !GOES_ON.test(text.slice(end)));
      }
  const [only, another] = found;
  return another === undefined && only !== undefined && only.prefix !== '' ? only : undefined;
}

/** Whether a stored date is surely in the time: a year alone is in no month. */
export function isWithin(term: Term, { prefix, unit }: Time): boolean {
  if (term.kind !== 'literal' || term.type !== 'date' || !term.value.startsWith(prefix)) return false;
  const rest = term.value.slice(prefix.length);
  return unit === 'decade' ? /^\d(?!\d)/.test(rest) : rest === '' || /^[-T]/.test(rest);
}
