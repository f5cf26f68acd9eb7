// Owns the wire form of plain text completions.
// Refuses to know how text is generated.

import { z } from 'zod';
import { text } from './common.ts';
import { generation, harmless, refusedFields, samplingOf, stopsOf, unsupported, usage } from './chat.ts';
import type { GenerateRequest } from '../engine/port.ts';

const prompt = text(1_000_000).min(1);
export const completionRequest = z
  .strictObject({
    ...generation,
    prompt: z.union([prompt, z.array(prompt).length(1, 'one prompt a request')]).describe('The text to go on from.'),
    ...harmless,
    ...refusedFields,
    best_of: unsupported(' or give 1', (value) => value === 1),
    echo: unsupported(' or give false', (value) => value === false),
    logprobs: unsupported('', (value) => value === 0 || value === false),
    suffix: unsupported('', (value) => value === ''),
  })
  .meta({ id: 'CompletionRequest', example: { model: 'pharos-mini', prompt: 'Albert Einstein was born', max_tokens: 16 } });
export type CompletionRequest = z.infer<typeof completionRequest>;

const choice = { index: z.literal(0), text: z.string(), logprobs: z.null() };
const common = { id: z.string(), object: z.literal('text_completion'), created: z.int(), model: z.string() };
const finishReason = z.enum(['stop', 'length']);
export const completionReply = z
  .strictObject({ ...common, choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason })), usage })
  .meta({ id: 'Completion' });
export const completionChunk = z
  .strictObject({ ...common, choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason.nullable() })), usage: usage.nullable().optional() })
  .meta({ id: 'CompletionChunk' });

export const generateRequestOf = (request: CompletionRequest, model: string, maxTokens: number): GenerateRequest => ({
  model,
  prompt: { kind: 'text', text: typeof request.prompt === 'string' ? request.prompt : request.prompt[0] },
  sampling: samplingOf(request),
  maxTokens,
  stop: stopsOf(request.stop),
});
