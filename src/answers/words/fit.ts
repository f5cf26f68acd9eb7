// Owns what of the evidence a reply of limited length tells: whole statements, as many as fit.
// Refuses to know how limits are counted, and how the model runs.

import { isWithin } from '../../engine/constraints/lengths/text-length.ts';
import type { TextLimits } from '../../engine/port.ts';
import { list } from './evidence.ts';
import type { Evidence, EvidenceLine, Language } from './evidence.ts';
import { reply } from './wording.ts';

export interface Fitted {
  readonly evidence: Evidence;
  /** Something is left out. */
  readonly shortened: boolean;
  /** The reply itself, where no sentence fits; may be empty. */
  readonly text?: string;
}

/** Reasons go first, the last of them before the others; then names of the list, which are counted instead; then all but the bare answer. Nothing that is left out changes what is said. */
export function fit(evidence: Evidence, language: Language, limits?: TextLimits): Fitted {
  const fits = (each: Evidence): boolean => limits === undefined || isWithin(reply(each, language), limits);
  if (limits === undefined || fits(evidence)) return { evidence, shortened: false };
  for (let reasons = evidence.lines.length - 1; reasons >= 0; reasons--) {
    const fewer = { ...evidence, lines: evidence.lines.slice(0, reasons) };
    if (fits(fewer)) return { evidence: fewer, shortened: true };
  }
  for (const conclusion of evidence.conclusion ? shorter(evidence.conclusion) : []) {
    const fewer = { ...evidence, lines: [], conclusion };
    if (fits(fewer)) return { evidence: fewer, shortened: true };
  }
  return { evidence, shortened: true, text: bare(evidence, language).find((text) => isWithin(text, limits)) ?? '' };
}

/** A sentence up to the first stop string in it, as an engine would have ended it there. */
export function upTo(text: string, stops: readonly string[]): { readonly text: string; readonly stop?: string } {
  const [first] = stops.map((stop) => ({ stop, at: text.indexOf(stop) })).filter(({ at }) => at >= 0).toSorted((a, b) => a.at - b.at);
  return first ? { text: text.slice(0, first.at), stop: first.stop } : { text };
}

/** As much of a text from its beginning on as so many tokens hold. */
export async function beginning(text: string, most: number, tokensOf: (text: string) => Promise<number>): Promise<string> {
  const characters = [...text];
  let [least, beyond] = [0, characters.length + 1];
  while (beyond - least > 1) {
    const middle = (least + beyond) >> 1;
    if ((await tokensOf(characters.slice(0, middle).join(''))) <= most) least = middle;
    else beyond = middle;
  }
  return characters.slice(0, least).join('');
}

/** A list may end with how many more there are. */
const MORE = /^(\d+) more$/;
const shown = (names: readonly string[]): readonly string[] => (MORE.test(names.at(-1) ?? '') ? names.slice(0, -1) : names);
function first(names: readonly string[], count: number): readonly string[] {
  const written = shown(names);
  if (written.length <= count) return names;
  const more = Number(MORE.exec(names.at(-1) ?? '')?.[1] ?? 0) + written.length - count;
  return [...written.slice(0, count), `${more} more`];
}

/** A line with fewer and fewer names. */
function shorter(line: EvidenceLine): readonly EvidenceLine[] {
  const most = Math.max(shown(line.subjects).length, shown(line.objects).length);
  return Array.from({ length: Math.max(0, most - 1) }, (_, i) => ({
    ...line,
    subjects: first(line.subjects, most - 1 - i),
    objects: first(line.objects, most - 1 - i),
  }));
}

/** Answers without a sentence, longest first. */
function bare({ verdict, count, conclusion, sought }: Evidence, language: Language): readonly string[] {
  const zh = language === 'zh';
  switch (verdict) {
    case 'yes':
      return [zh ? '是的。' : 'Yes.'];
    case 'no':
      return [zh ? '不是。' : 'No.'];
    case 'unknown':
      return zh ? ['图谱没有给出答案。', '不知道。'] : ['The graph has no answer to that.', 'I do not know.', 'Unknown.'];
    case 'count':
      return [zh ? `${count ?? 0}个。` : `${count ?? 0}.`, String(count ?? 0)];
    case 'answer':
    case undefined:
      return conclusion
        ? namesOf(sought === 'subjects' ? conclusion.subjects : conclusion.objects).map((names) => `${list(names, language, (name) => name)}${zh ? '。' : '.'}`)
        : [];
    default:
      return verdict satisfies never;
  }
}
/** The names, and fewer and fewer of them. */
const namesOf = (names: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: shown(names).length }, (_, i) => first(names, shown(names).length - i));
