// Owns the mixture of tasks that the model that ships is trained on.
// Refuses to know how each task's samples are made, tokens and gradients.

import type { Random } from '../random.ts';
import { makeExtraction } from './extraction.ts';
import { makePath } from './paths.ts';
import type { SampleOptions } from './draws.ts';
import { makeSample } from './samples.ts';
import type { Sample } from './samples.ts';

/** What stands in the prompt, and the right reply. */
export interface Task {
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
}
/** Parts of the samples. What is told of evidence makes the rest, and of it, what is hardest comes more often than it does by itself. */
const EXTRACTION = 0.18;
const PATHS = 0.13;
const LOOSE = 0.14;
const LAID_OUT = 0.1;
const WIDE = 0.1;
const REASONED = 0.14;
const COMPOSED = 0.08;
/** Part of the lines that say what something is. */
const CLASSES = 0.08;
/** Names from which on a reply is wide, and reasons from which on it is reasoned. */
const WIDE_NAMES = 5;
const SEVERAL_REASONS = 2;

export function makeTask(random: Random, given: SampleOptions = {}): Task {
  const options = { ...given, leadIns: true, alike: true, classes: CLASSES };
  let roll = random.next();
  const falls = (part: number): boolean => (roll -= part) < 0;
  if (falls(EXTRACTION)) return makeExtraction(random, options);
  if (falls(PATHS)) return makePath(random, options);
  if (falls(LOOSE)) return sampleWith(({ kind }) => kind === 'refuse' || (kind === 'find' && random.chance(0.5)), random, options);
  if (falls(LAID_OUT)) return sampleWith((sample) => (sample.evidence.form === 'table' || (sample.evidence.form === 'list' && random.chance(0.3))) && (namesOf(sample) > 2 || random.chance(0.2)), random, options);
  if (falls(REASONED)) return sampleWith(isReasoned, random, options);
  if (falls(COMPOSED)) return sampleWith(isComposed, random, options);
  if (falls(WIDE)) return sampleWith(isWide, random, options);
  return makeSample(random, options);
}
const namesOf = ({ evidence: { conclusion } }: Sample): number => Math.max(conclusion?.subjects.length ?? 0, conclusion?.objects.length ?? 0);
const isWide = (sample: Sample): boolean => namesOf(sample) >= WIDE_NAMES || (sample.evidence.conclusion?.relations.length ?? 0) > 2;
/** Of a path of more than one relation. */
const isComposed = ({ evidence: { conclusion } }: Sample): boolean => (conclusion?.relations.length ?? 0) > 1;
const isReasoned = ({ evidence }: Sample): boolean => evidence.verdict !== undefined && evidence.lines.length >= SEVERAL_REASONS;
/** The first sample of the kind. */
function sampleWith(fits: (sample: Sample) => boolean, random: Random, options: SampleOptions): Sample {
  for (;;) {
    const sample = makeSample(random, options);
    if (fits(sample)) return sample;
  }
}
