// Owns regular expressions as expressions of grammars: one that only reads is written as it stands, one that looks ahead or behind as its automaton.
// Refuses to know their syntax, and how characters are written.

import { automaton } from '../grammar/automaton.ts';
import { choiceOf, normalise, repeat, sequenceOf } from '../grammar/expression.ts';
import type { Expression, Range } from '../grammar/expression.ts';
import { NoText } from '../grammar/network.ts';
import { patternAutomaton } from './pattern-automaton.ts';
import type { PatternWork } from './pattern-automaton.ts';
import { ANY, END, parsePattern, START } from './pattern.ts';
import type { Pattern } from './pattern.ts';

export interface RegexOptions {
  /** How one character out of ranges is written. */
  readonly write: (ranges: readonly Range[]) => Expression;
  /** The text need only hold a match. Else the whole text is the match. */
  readonly search: boolean;
  /** What an error says that no text matches. Default: the pattern as it is given. */
  readonly told?: string;
  /** Where what it costs is counted together with others. */
  readonly work?: PatternWork;
}

/** Throws EngineError `constraint_invalid` with the place and what is not supported there, and for a pattern that looks ahead or behind and is too large, or no text matches. */
export function parseRegex(given: string, options: RegexOptions): Expression {
  const pattern = parsePattern(given);
  const alternatives = readingOnly(pattern);
  return alternatives ? plain(alternatives, options) : byAutomaton(given, pattern, options);
}
/** It does more than read, but for `^` and `$` at its ends. Throws EngineError `constraint_invalid`. */
export const looksAround = (given: string): boolean => readingOnly(parsePattern(given)) === undefined;

function byAutomaton(given: string, pattern: Pattern, { write, search, work, told = `the pattern ${JSON.stringify(given.slice(0, 100))}` }: RegexOptions): Expression {
  const written = writing(write);
  const texts = automaton(patternAutomaton(pattern, search, work).map(({ ends, after }) => ({ ends, after: new Map(Array.from(after, ([target, ranges]) => [target, written(ranges)])) })));
  if (!texts) throw new NoText(`no text matches ${told}`);
  return texts;
}

interface Alternative {
  /** To the beginning and to the end of the text. */
  readonly tied: boolean;
  readonly closed: boolean;
  readonly body: readonly Pattern[];
}
/** Undefined where it looks ahead or behind elsewhere than at its ends. */
function readingOnly(pattern: Pattern): readonly Alternative[] | undefined {
  const alternatives = (pattern.kind === 'choice' ? pattern.items : [pattern]).map((item): Alternative => {
    const parts = item.kind === 'sequence' ? item.items : [item];
    const [tied, closed] = [parts[0] === START, parts.at(-1) === END];
    return { tied, closed, body: parts.slice(Number(tied), closed ? -1 : undefined) };
  });
  return alternatives.some(({ body }) => body.some(looks)) ? undefined : alternatives;
}
function plain(alternatives: readonly Alternative[], { write, search }: RegexOptions): Expression {
  const written = writing(write);
  const any = repeat(written(ANY), 0, Infinity);
  return choiceOf(
    alternatives.map(({ tied, closed, body }) => {
      const read = body.map((part) => expressionOf(part, written));
      return sequenceOf(search ? [...(tied ? [] : [any]), ...read, ...(closed ? [] : [any])] : read);
    }),
  );
}
const looks = (pattern: Pattern): boolean =>
  pattern.kind === 'look' || (pattern.kind === 'repeat' ? looks(pattern.item) : pattern.kind !== 'character' && pattern.items.some(looks));
function expressionOf(pattern: Pattern, write: RegexOptions['write']): Expression {
  switch (pattern.kind) {
    case 'character':
      return write(pattern.ranges);
    case 'sequence':
      return sequenceOf(pattern.items.map((item) => expressionOf(item, write)));
    case 'choice':
      return choiceOf(pattern.items.map((item) => expressionOf(item, write)));
    case 'repeat':
      return repeat(expressionOf(pattern.item, write), pattern.least, pattern.most);
    case 'look':
      throw new TypeError('what looks ahead or behind is no expression');
    default:
      return pattern satisfies never;
  }
}
/** The same ranges are written once. */
function writing(write: RegexOptions['write']): RegexOptions['write'] {
  const known = new Map<string, Expression>();
  return (ranges) => {
    const sorted = normalise(ranges);
    const key = sorted.join(' ');
    let written = known.get(key);
    if (!written) known.set(key, (written = write(sorted)));
    return written;
  };
}
