// Owns the fields by which a request speaks of single tokens: when its text may end, what of them stays in it, which of the prompt are read, what is told of them.
// Refuses to know how tokens are made.

import { z } from 'zod';
import type { KnowledgeOptions } from '../answers/port.ts';
import type { RankedToken, Sampling } from '../engine/port.ts';

const ALONE = 'The model alone is asked then: it cannot be combined with `knowledge.mode` `grounded`.';
export const tokens = {
  min_tokens: z.int().min(0).nullish().describe(`The text has at least so many tokens: no end and no stop string comes before; \`max_words\` and the like may still cut it. Not with tools or a form of the text. ${ALONE} (As in vLLM.)`),
  ignore_eos: z.boolean().nullish().describe(`True: the text goes on behind the model's own end tokens, up to the limit of tokens or what else ends it. Not with tools or a form of the text. ${ALONE} (As in vLLM; llama.cpp writes another token instead.)`),
  stop_token_ids: z.array(z.int().nonnegative()).max(1024).nullish().describe(`Ids of tokens that end the text, besides the model's own. ${ALONE} (As in vLLM.)`),
  include_stop_str_in_output: z.boolean().nullish().describe(`True: the stop string, or the token, that ended the text stays in it. ${ALONE} (As in vLLM.)`),
  skip_special_tokens: z.boolean().nullish().describe(`False: special tokens are in the text, but for those that mark thoughts and calls. ${ALONE} (As in vLLM.)`),
  truncate_prompt_tokens: z
    .int()
    .min(-1)
    .refine((value) => value !== 0, 'must be -1, or at least 1')
    .nullish()
    .describe(`Only the last so many tokens of the prompt are read; -1: as many as the context holds beside \`max_tokens\`. ${ALONE} (As in vLLM.)`),
  return_token_ids: z.boolean().nullish().describe(`Give the ids of the tokens beside the text: \`prompt_token_ids\`, of a stream in its first chunk, and \`token_ids\` of each choice. ${ALONE} (As in vLLM.)`),
  prompt_logprobs: z
    .int()
    .min(0)
    .max(20)
    .nullish()
    .describe(`Tell how likely the model found each token of the prompt, and so many of the likeliest in its place, as \`prompt_logprobs\`. The prompt is read token by token then, which is slow. Not with \`stream\`. ${ALONE} (As in vLLM.)`),
};
type Given = { readonly [Name in keyof typeof tokens]?: z.infer<(typeof tokens)[Name]> };

/** Those that ask for something. */
const askedOf = (given: Given): readonly (keyof Given)[] =>
  (Object.keys(tokens) as (keyof Given)[]).filter((field) => {
    const value = given[field];
    if (field === 'skip_special_tokens') return value === false;
    if (field === 'prompt_logprobs') return typeof value === 'number';
    return Array.isArray(value) ? value.length > 0 : Boolean(value);
  });
const saysEnd = (field: keyof Given): boolean => field === 'min_tokens' || field === 'ignore_eos';
/** What cannot be had together. `form`: the field that asks for a form of the text; `calls`: the model may call; `grounded`: the answer is to come from the graph. */
export function checkTokens(given: Given, { form, calls, grounded }: { readonly form?: string | undefined; readonly calls?: boolean; readonly grounded?: boolean }, wrong: (field: string, reason: string) => void): void {
  for (const field of askedOf(given)) {
    if (grounded) wrong(field, 'is for what the model writes freely, and an answer from the graph is worded from its evidence; leave it out, or give knowledge.mode "off"');
    else if (form !== undefined && saysEnd(field)) wrong(field, `cannot be combined with ${form}: a text that has a form ends with it`);
    else if (calls && saysEnd(field)) wrong(field, 'cannot be combined with tools: a call ends the text');
  }
}
/** The model alone is asked where single tokens are spoken of. */
export const knowledgeBeside = (given: Given, options: KnowledgeOptions): KnowledgeOptions => (askedOf(given).length > 0 ? { ...options, mode: 'off' } : options);

export function tokenSampling(given: Given): Partial<Sampling> {
  const asked = new Set(askedOf(given));
  return {
    ...(asked.has('min_tokens') ? { minTokens: given.min_tokens ?? 0 } : {}),
    ...(asked.has('ignore_eos') ? { ignoreEos: true } : {}),
    ...(asked.has('stop_token_ids') ? { stopTokens: given.stop_token_ids ?? [] } : {}),
    ...(asked.has('include_stop_str_in_output') ? { includeStop: true } : {}),
    ...(asked.has('skip_special_tokens') ? { specialTokens: true } : {}),
    ...(asked.has('return_token_ids') ? { tokenIds: true } : {}),
    ...(typeof given.prompt_logprobs === 'number' ? { promptLogprobs: given.prompt_logprobs } : {}),
    ...(typeof given.truncate_prompt_tokens === 'number' ? { truncatePrompt: given.truncate_prompt_tokens } : {}),
  };
}

export const tokenIds = z.array(z.int()).optional();
export const promptLogprobs = z
  .array(z.record(z.string(), z.strictObject({ logprob: z.number(), rank: z.int().describe('1: the likeliest.'), decoded_token: z.string() })).nullable())
  .optional()
  .describe('With `prompt_logprobs`: by token id, of each token of the prompt; null for the first, which nothing stands before.')
  .meta({ id: 'PromptLogprobs' });
/** JSON has no minus infinity. */
export const LEAST = -9999;
export const promptLogprobsWire = (tokens: readonly (readonly RankedToken[])[]): NonNullable<z.infer<typeof promptLogprobs>> =>
  tokens.map((ranked) => (ranked.length === 0 ? null : Object.fromEntries(ranked.map(({ id, text, logprob, rank }) => [id, { logprob: Math.max(LEAST, logprob), rank, decoded_token: text }]))));
