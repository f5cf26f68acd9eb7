// Owns what only the numbers of the model and the server can refuse: tokens that the vocabulary has not, a text that must be longer than it may.
// Refuses to know what is generated.

import type { ModelInfo } from '../engine/port.ts';
import { HttpError } from './problems.ts';

export interface Bounded {
  readonly logit_bias?: Readonly<Record<string, number>> | null;
  readonly stop_token_ids?: readonly number[] | null;
  readonly min_tokens?: number | null;
}
/** Throws HttpError. `maxTokens`: those that the text may have. A server elsewhere knows its vocabulary itself. */
export function checkBounds({ logit_bias: bias, stop_token_ids: stops, min_tokens: least }: Bounded, { id, vocabularySize: size = Infinity }: ModelInfo, maxTokens: number): void {
  for (const [param, ids] of [['logit_bias', Object.keys(bias ?? {}).map(Number)], ['stop_token_ids', stops ?? []]] as const) {
    const beyond = ids.find((token) => token >= size);
    if (beyond !== undefined) throw new HttpError('invalid_value', `${param}: names token ${beyond}, and model ${id} has a vocabulary of ${size}; its ids are 0 to ${size - 1}`, { param });
  }
  if (least && least > maxTokens) throw new HttpError('invalid_value', `min_tokens: is ${least}, and the text may have ${maxTokens} tokens at most; ask for fewer, or for more by max_tokens, as far as the server allows`, { param: 'min_tokens' });
}
