// Owns which settings of the sampler make sense.
// Refuses to know what they are called on the wire.

import { EngineError } from '../port.ts';
import type { Sampling } from '../port.ts';

const finite = Number.isFinite;
const RANGES: readonly (readonly [name: Exclude<keyof Sampling, 'logitBias' | 'ignoreEos' | 'stopTokens' | 'includeStop' | 'specialTokens' | 'tokenIds'>, needed: boolean, holds: (value: number) => boolean, range: string])[] = [
  ['temperature', true, (value) => value >= 0 && finite(value), 'a number of at least 0'],
  ['topP', true, (value) => value > 0 && value <= 1, 'above 0 and at most 1'],
  ['topK', false, (value) => Number.isInteger(value) && value >= 0, 'a whole number of at least 0'],
  ['minP', false, (value) => value >= 0 && value <= 1, 'from 0 to 1'],
  ['typicalP', false, (value) => value > 0 && value <= 1, 'above 0 and at most 1'],
  ['repetitionPenalty', false, (value) => value > 0 && finite(value), 'a number above 0'],
  ['presencePenalty', false, finite, 'a number'],
  ['frequencyPenalty', false, finite, 'a number'],
  ['logprobs', false, (value) => Number.isInteger(value) && value >= 0, 'a whole number of at least 0'],
  ['seed', false, finite, 'a number'],
  ['promptLogprobs', false, (value) => Number.isInteger(value) && value >= 0, 'a whole number of at least 0'],
  ['minTokens', false, (value) => Number.isInteger(value) && value >= 0, 'a whole number of at least 0'],
  ['truncatePrompt', false, (value) => Number.isInteger(value) && (value === -1 || value > 0), '-1, or a whole number of at least 1'],
];

/** Throws EngineError `invalid_prompt` that names the setting and what it must be. */
export function checkSampling(sampling: Sampling): void {
  for (const [name, needed, holds, range] of RANGES) {
    const value = sampling[name];
    if (value === undefined ? needed : !holds(value)) throw new EngineError('invalid_prompt', `${name} must be ${range}, got ${value}`);
  }
  for (const [token, bias] of Object.entries(sampling.logitBias ?? {}))
    if (!/^\d+$/.test(token) || !finite(bias)) throw new EngineError('invalid_prompt', `logitBias must give numbers by token id, got ${JSON.stringify(token)}: ${bias}`);
}
