// Owns how much taking a schema apart into cases may cost: cases of one place, steps of all, and how deep it goes.
// Refuses to know what is done in a step.

import { wrong } from '../reading/source.ts';
import type { ObjectSchema } from '../reading/source.ts';
import { sizeOf } from './case.ts';
import type { Case } from './case.ts';

/** Of one place in a schema. */
const MOST_CASES = 64;
/** Of all cases of a schema; what is long counts as many. */
const MOST_STEPS = 200_000;
const CHARACTERS_A_STEP = 32;
const MOST_DEPTH = 48;

export class CaseWork {
  #steps = 0;
  #depth = 0;

  /** Throws EngineError `constraint_invalid`, here and below. */
  spendCharacters(characters: number, at: string): void {
    this.#spend(characters / CHARACTERS_A_STEP, at);
  }
  counted<Result>(cases: readonly Case[], schema: ObjectSchema, at: string, run: () => Result): Result {
    this.#spend(cases.reduce((sum, each) => sum + weightOf(each), cases.length * weightOf(schema)), at);
    if (this.#depth === MOST_DEPTH) throw wrong(at, 'conditions', `are nested more than ${MOST_DEPTH} deep, or hold themselves`);
    this.#depth++;
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }
  #spend(steps: number, at: string): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw wrong(at, 'conditions', `come to more than ${MOST_STEPS} steps together with others; make them fewer or shorter`);
  }
}

const entries = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0);
/** How many steps it takes at least to look at it. */
const weightOf = ({ enum: values, const: value, properties, required, patternProperties, pattern, not }: ObjectSchema): number =>
  1 + (sizeOf(values) + sizeOf(value) + sizeOf(pattern) + sizeOf(not)) / CHARACTERS_A_STEP + entries(properties) / 16 + entries(required) * (1 + entries(patternProperties));
export function few(cases: readonly Case[], at: string, keyword: string): readonly Case[] {
  if (cases.length > MOST_CASES) throw wrong(at, keyword, `comes to more than ${MOST_CASES} cases together with what stands beside it`);
  return cases;
}
