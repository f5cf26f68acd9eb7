// Owns the wire form of plain text completions.
// Refuses to know how text is generated.

import { z } from 'zod';
import { text } from './common.ts';
import { constraintOf, formFieldOf } from './forms.ts';
import { checkGeneration, checkSame, fingerprint, finishReason, generation, harmless, languagesOf, limitsOf, MOST_CHOICES, samplingOf, samplingOfChoice, stopsOf, usage } from './generation.ts';
import { checkTokens, LEAST, promptLogprobs, tokenIds } from './tokens.ts';
import { ofCompletions } from './vllm.ts';
import type { GenerateRequest, WrittenToken } from '../engine/port.ts';

const prompt = text(1_000_000).min(1);
const ids = z.array(z.int().nonnegative().max(2 ** 31)).min(1).max(1_000_000);
const MOST_PROMPTS = 64;
export const completionRequest = z
  .strictObject({
    ...generation,
    max_tokens: z.int().min(0).nullish().describe('New tokens at most; 0 only with `echo`.'),
    prompt: z.union([prompt, ids, z.array(prompt).min(1).max(MOST_PROMPTS), z.array(ids).min(1).max(MOST_PROMPTS)]).describe('The text to go on from, or its token ids; or several of them.'),
    ...harmless,
    best_of: z.int().min(1).max(MOST_CHOICES).nullish().describe('Generate so many and give the `n` that the model finds likeliest, by the mean of their logarithms. Not with `stream`.'),
    echo: z.boolean().nullish().describe('Give the prompt back in front of the text.'),
    logprobs: z.int().min(0).max(20).nullish().describe('Tell how likely the model found each token, and so many of the likeliest ones. With `echo`, of the prompt as well.'),
    ...ofCompletions,
    suffix: text(1_000_000).nullish().describe('What follows the text that is to be written: the model fills in between, where it was trained to. Not with `echo` or token ids.'),
  })
  .refine(({ suffix, echo }) => !suffix || echo !== true, { error: 'cannot be combined with echo', path: ['suffix'] })
  .refine((request) => !request.suffix || promptsOf(request).every(({ kind }) => kind === 'text'), { error: 'can be given only with a prompt that is text', path: ['suffix'] })
  .superRefine(checkGeneration)
  .superRefine((request, context) => {
    checkSame(request, ['max_tokens', 'n_predict'], context);
    checkTokens(request, { form: formFieldOf(request) }, (field, message) => context.addIssue({ code: 'custom', path: [field], message }));
    if (request.n_probs) checkSame(request, ['logprobs', 'n_probs'], context);
  })
  .refine(({ suffix, truncate_prompt_tokens: kept }) => !suffix || !kept, { error: 'cannot be combined with suffix', path: ['truncate_prompt_tokens'] })
  .refine(({ max_tokens: most, echo }) => most !== 0 || echo === true, { error: 'must be at least 1, or 0 with echo: true', path: ['max_tokens'] })
  .refine(({ best_of: best, stream }) => !best || best === 1 || stream !== true, { error: 'cannot be streamed', path: ['best_of'] })
  .refine(({ best_of: best, n }) => (best ?? n ?? 1) >= (n ?? 1), { error: 'must be at least n', path: ['best_of'] })
  .refine((request) => promptsOf(request).length * (request.best_of ?? request.n ?? 1) <= MOST_PROMPTS, { error: `prompts times choices must be at most ${MOST_PROMPTS}`, path: ['n'] })
  .refine((request) => request.response_format?.type !== 'relation_path', { error: 'relation_path is for chats; ask /v1/chat/completions', path: ['response_format', 'type'] })
  .meta({ id: 'CompletionRequest', example: { model: 'pharos-mini', prompt: 'Albert Einstein was born', max_tokens: 16 } });
export type CompletionRequest = z.infer<typeof completionRequest>;

function promptsOf({ prompt: given }: { readonly prompt: string | readonly (string | number | readonly number[])[] }): GenerateRequest['prompt'][] {
  if (typeof given === 'string') return [{ kind: 'text', text: given }];
  if (typeof given[0] === 'number') return [{ kind: 'tokens', ids: given as readonly number[] }];
  return given.map((each) => (typeof each === 'string' ? { kind: 'text', text: each } : { kind: 'tokens', ids: each as readonly number[] }));
}

const logprobs = z
  .strictObject({ tokens: z.array(z.string()), token_logprobs: z.array(z.number().nullable()), top_logprobs: z.array(z.record(z.string(), z.number()).nullable()), text_offset: z.array(z.int()) })
  .nullable()
  .meta({ id: 'CompletionLogprobs' });
const choice = { index: z.int(), text: z.string(), logprobs, prompt_token_ids: tokenIds.describe('With `return_token_ids`.'), token_ids: tokenIds.describe('With `return_token_ids`: those that were written, an end token as well.'), prompt_logprobs: promptLogprobs };
const common = { id: z.string(), object: z.literal('text_completion'), created: z.int(), model: z.string(), system_fingerprint: fingerprint };
export const completionReply = z
  .strictObject({ ...common, choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason })), usage })
  .meta({ id: 'Completion' });
export const completionChunk = z
  .strictObject({ ...common, choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason.nullable() })), usage: usage.nullable().optional() })
  .meta({ id: 'CompletionChunk' });

/** How many of the likeliest tokens are told for each; undefined: nothing is. */
export const toldOf = ({ logprobs: most, n_probs: other }: Pick<CompletionRequest, 'logprobs' | 'n_probs'>): number | undefined => most ?? (other || undefined);
/** All that is to be generated, prompt by prompt: `best_of` or `n` for each. */
export function generateRequestsOf(request: CompletionRequest, model: string, maxTokens: number): GenerateRequest[] {
  const choices = request.best_of ?? request.n ?? 1;
  const told = toldOf(request) ?? (choices > (request.n ?? 1) ? 0 : undefined);
  const sampling = { ...samplingOf(request), ...(told === undefined ? {} : { logprobs: told }) };
  const constraint = constraintOf(request);
  const limits = limitsOf(request);
  const languages = languagesOf(request);
  const filled = (prompt: GenerateRequest['prompt']): GenerateRequest['prompt'] => (prompt.kind === 'text' ? { ...prompt, ...(request.suffix ? { suffix: request.suffix } : {}), ...(languages ? { languages } : {}) } : prompt);
  const more = { ...(request.echo === true ? { echo: true } : {}), ...(constraint ? { constraint } : {}), ...(limits ? { limits } : {}) };
  return promptsOf(request).flatMap((each) =>
    Array.from({ length: choices }, (_, i) => ({ model, prompt: filled(each), sampling: samplingOfChoice(sampling, i), maxTokens, stop: stopsOf(request.stop), ...more })),
  );
}

/** `offset`: characters of the tokens in front of these. */
export function completionLogprobs(tokens: readonly WrittenToken[], offset: number): NonNullable<z.infer<typeof logprobs>> {
  let at = offset;
  return {
    tokens: tokens.map((token) => token.text),
    token_logprobs: tokens.map(({ logprob }) => (logprob === undefined ? null : Math.max(LEAST, logprob))),
    // The token that was written is among them also where it is not one of the likeliest.
    top_logprobs: tokens.map((token) => (token.logprob === undefined ? null : Object.fromEntries([...token.top, token].map((each) => [each.text, Math.max(LEAST, each.logprob ?? LEAST)])))),
    text_offset: tokens.map((token) => {
      const start = at;
      at += token.text.length;
      return start;
    }),
  };
}
