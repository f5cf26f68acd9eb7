// Owns the mixture of tasks that the model that ships is trained on.
// Refuses to know how each task's samples are made, tokens and gradients.

import type { Random } from '../random.ts';
import { makeExtraction } from './extraction.ts';
import { makePath } from './paths.ts';
import { makeSample } from './samples.ts';
import type { SampleOptions } from './draws.ts';

/** What stands in the prompt, and the right reply. */
export interface Task {
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
}
const EXTRACTION = 0.17;
const PATHS = 0.13;

export function makeTask(random: Random, options: SampleOptions = {}): Task {
  const roll = random.next();
  if (roll < EXTRACTION) return makeExtraction(random, options);
  return roll < EXTRACTION + PATHS ? makePath(random, options) : makeSample(random, options);
}
