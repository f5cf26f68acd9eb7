// Owns how a model that was trained for it writes triples: one a line, as a row of a table without a head. What stands between the bars is cut by a tokenizer as it is in the text that it is copied from.
// Refuses to know where texts and labels come from.

import { plain } from '../answers/words/evidence.ts';
import type { Language } from '../answers/words/evidence.ts';
import { nameRules } from './names.ts';

export type Row = readonly [subject: string, relation: string, object: string];

/** English words stand behind a blank. */
const BLANK = { en: ' ', zh: '' } as const;
/** Can it stand in a row as it is? */
export const fitsRow = (text: string): boolean => text !== '' && text === text.trim() && !/[|\n\r]/.test(text);
export function writeRows(rows: readonly Row[], language: Language): string {
  const blank = BLANK[language];
  return rows.map((row) => `|${blank}${row.join(`${blank}|${blank}`)}${blank}|`).join('\n');
}
/** Whole rows of a text, which may break off. */
export const readRows = (text: string): readonly Row[] =>
  text.split('\n').flatMap((line): readonly Row[] => {
    const parts = /^\|([^|]+)\|([^|]+)\|([^|]+)\|$/.exec(line.trim());
    return parts ? [[parts[1].trim(), parts[2].trim(), parts[3].trim()]] : [];
  });
/** The text as the user's message holds it: in English each of its words follows a blank. */
export const readable = (text: string, language: Language): string => BLANK[language] + plain(text).trim();

const quoted = (text: string): string => `"${text.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
/** None to `most` rows with these relations and names that stand in the text, in llama.cpp's GBNF. Labels fit a row. */
export function rowsGrammar(labels: readonly string[], most: number, language: Language, text: string): string {
  const blank = BLANK[language];
  return [
    `root ::= (row ("\\n" row){0,${most - 1}})?`,
    `row ::= "|${blank}" name "${blank}|${blank}" relation "${blank}|${blank}" name "${blank}|"`,
    ...nameRules(text),
    `relation ::= ${labels.map(quoted).join(' | ')}`,
  ].join('\n');
}
