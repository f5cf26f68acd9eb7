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
const EXTRACTION = 0.2;
const PATHS = 0.14;
const LOOSE = 0.2;
const LAID_OUT = 0.08;
const WIDE = 0.1;
/** Names from which on a reply is wide. */
const WIDE_NAMES = 5;

export function makeTask(random: Random, given: SampleOptions = {}): Task {
  const options = { ...given, leadIns: true };
  let roll = random.next();
  const falls = (part: number): boolean => (roll -= part) < 0;
  if (falls(EXTRACTION)) return makeExtraction(random, options);
  if (falls(PATHS)) return makePath(random, options);
  if (falls(LOOSE)) return sampleWith(({ kind }) => kind === 'refuse' || (kind === 'find' && random.chance(0.5)), random, options);
  if (falls(LAID_OUT)) return sampleWith(({ evidence: { form } }) => form === 'table' || (form === 'list' && random.chance(0.3)), random, options);
  if (falls(WIDE)) return sampleWith(({ evidence: { conclusion } }) => conclusion !== undefined && (conclusion.relations.length > 2 || Math.max(conclusion.subjects.length, conclusion.objects.length) >= WIDE_NAMES), random, options);
  return makeSample(random, options);
}
/** The first sample of the kind. */
function sampleWith(fits: (sample: Sample) => boolean, random: Random, options: SampleOptions): Sample {
  for (;;) {
    const sample = makeSample(random, options);
    if (fits(sample)) return sample;
  }
}
