// Owns judging a reply against the faithful one: names copied, sentence right, unknown said when it must be and only then.
// Refuses to know how the reply was made.

import { NAME_CLOSE, NAME_OPEN, plain } from '../../answers/words/evidence.ts';
import type { Sample } from './samples.ts';

export interface Judgement {
  /** Character for character the faithful reply. */
  readonly exact: boolean;
  /** Names that the faithful reply holds, and how many of them the reply holds as they are. */
  readonly names: number;
  readonly copied: number;
  /** Everything but the names: relation, verdict, order, punctuation. */
  readonly sentence: boolean;
  /** The sample has no answer. */
  readonly unanswerable: boolean;
  readonly refused: boolean;
}

const REFUSALS = { en: /^(I do not know\b|It is not known\b)/, zh: /^(不知道|我不知道)/ } as const;

export function judge(sample: Sample, given: string): Judgement {
  const expected = plain(sample.assistant);
  const parts = sample.assistant.split(NAME_OPEN).flatMap((part) => part.split(NAME_CLOSE));
  const names = parts.filter((_, i) => i % 2 === 1);
  const words = parts.filter((_, i) => i % 2 === 0);
  let rest = given;
  const copied = names.filter((name) => {
    const at = rest.indexOf(name);
    // Each name is looked for after the one before, so that one copy does not count twice.
    if (at >= 0) rest = rest.slice(at + name.length);
    return at >= 0;
  }).length;
  const pattern = new RegExp(`^${words.map((text) => RegExp.escape(text)).join('.+?')}$`, 'su');
  return { exact: given === expected, names: names.length, copied, sentence: pattern.test(given), unanswerable: sample.kind === 'unknown' || sample.kind === 'refuse', refused: REFUSALS[sample.language].test(given) };
}

/** Sums of judgements, as shares of what they are shares of. */
export interface Figures {
  readonly replies: number;
  readonly exact: number;
  readonly names: number;
  readonly copied: number;
  readonly sentence: number;
  readonly unanswerable: number;
  readonly refused: number;
  readonly falselyRefused: number;
}
export function sum(judgements: readonly Judgement[]): Figures {
  const count = (test: (item: Judgement) => boolean): number => judgements.filter(test).length;
  const total = (value: (item: Judgement) => number): number => judgements.reduce((all, item) => all + value(item), 0);
  return {
    replies: judgements.length,
    exact: count(({ exact }) => exact),
    names: total(({ names }) => names),
    copied: total(({ copied }) => copied),
    sentence: count(({ sentence }) => sentence),
    unanswerable: count(({ unanswerable }) => unanswerable),
    refused: count(({ unanswerable, refused }) => unanswerable && refused),
    falselyRefused: count(({ unanswerable, refused }) => !unanswerable && refused),
  };
}
