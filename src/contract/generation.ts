// Owns the wire form of what all kinds of generation share: which model, how it is sampled, what is accepted without effect and what is refused.
// Refuses to know what is generated.

import { z } from 'zod';
import { text } from './common.ts';
import { checkForms, forms } from './forms.ts';
import { LEAST, tokens, tokenSampling } from './tokens.ts';
import { PRIORITIES } from '../engine/port.ts';
import type { Languages, Sampling, TextLimits, TokenLikelihood, Usage } from '../engine/port.ts';

/** A field of OpenAI's that changes nothing. */
export const unused = z.unknown().optional().describe('Accepted and not used.');
const whom = z.unknown().optional().describe('Whom the request is for, in any words. Where the server has no keys, those who wait share it evenly between the clients named here (else between addresses); the answer is the same.');
/** Fields that change nothing about the answer: no effect at all, or when it comes. */
export const harmless = {
  user: whom,
  user_id: whom,
  metadata: unused,
  store: unused,
  service_tier: unused,
  safety_identifier: whom,
  prompt_cache_key: unused,
  prompt_cache_retention: unused,
  priority: z
    .int()
    .min(PRIORITIES.least)
    .max(PRIORITIES.most)
    .nullish()
    .describe('Among those that wait, a lower number is sooner; 0 when absent. Of one priority, the client that has used least is next. What is less urgent waits longer, and not for ever: 16 turns of others bring it one number nearer. (As in vLLM.)'),
  timeout: z
    .number()
    .gt(0)
    .max(86_400)
    .nullish()
    .describe('Seconds from the first byte of the request to the end of its answer, at most those that the server allows (PHAROS_REQUEST_SECONDS, the default). What is not done then ends with the error `timeout`: 504, or the last event of a stream. (Not in OpenAI.)'),
};
/** Fields of OpenAI's that would change the answer: only the value that asks for nothing is accepted. */
export const unsupported = (accepted: string, isNothing: (value: unknown) => boolean) =>
  z
    .unknown()
    .optional()
    .refine((value) => value === undefined || value === null || isNothing(value), {
      error: `is not supported; leave it out${accepted}`,
      params: { unsupported: true },
    })
    .describe(`Not supported: leave it out${accepted}.`);
export const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Choices of one request at most. */
export const MOST_CHOICES = 16;
const limit = z.int().min(1).max(1_000_000).nullish();
const LIMITED = 'Never exceeded. The text ends with a whole word, or sentence where one ended in the second half, and `finish_reason` is `length` where something was left out. With `response_format` the text is completed within the limit; a format that asks for more is refused. (Not in OpenAI.)';
const LINES = 'The rest of a longer line is left out, and `finish_reason` is `length` then. Not with `response_format`. (Not in OpenAI.)';
const penalty = z.number().min(-2).max(2).nullish();
const language = text(64).min(1).nullish();
export const generation = {
  model: z.string().min(1).max(256).optional().describe('A name from `GET /v1/models`; the first of them when absent.'),
  n: z.int().min(1).max(MOST_CHOICES).nullish().describe('Choices, generated side by side. With a seed, each has its own: seed, seed + 1, ...'),
  stream: z.boolean().nullish().describe('Answer as server-sent events.'),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish().describe('True: the last chunk tells the tokens of all choices, and the others have `usage: null`.'),
      include_obfuscation: z.boolean().nullish(),
      continuous_usage_stats: z
        .boolean()
        .nullish()
        .describe("With `include_usage: true`: the other chunks tell the tokens of their own choice so far; null where they are not known, in front of the last chunk of an answer from the graph, or of a server elsewhere. (As in vLLM.)"),
    })
    .nullish()
    .describe('Only with `stream: true`.'),
  max_tokens: z.int().min(1).nullish().describe('New tokens at most.'),
  n_predict: z
    .int()
    .min(-1)
    .refine((value) => value !== 0, 'must be -1, or at least 1')
    .nullish()
    .describe('As `max_tokens`; -1: as many as the server allows (PHAROS_NEW_TOKENS). (As in llama.cpp.)'),
  temperature: z.number().min(0).max(2).nullish().describe('0 (the default) is greedy: the same request gives the same answer, and answers are cached.'),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(-1).nullish().describe('Only so many of the likeliest tokens; 0 or -1: all. (Not in OpenAI.)'),
  min_p: z.number().min(0).max(1).nullish().describe('Only tokens at least so likely as this part of the likeliest one. (Not in OpenAI.)'),
  typical_p: z.number().gt(0).max(1).nullish().describe('Mass of the tokens whose surprise is closest to the expected one. (Not in OpenAI.)'),
  repetition_penalty: z.number().gt(0).max(10).nullish().describe('Above 1: tokens in prompt or text become less likely. (Not in OpenAI.)'),
  repeat_penalty: z.number().gt(0).max(10).nullish().describe('As `repetition_penalty`: of the whole prompt and text. (As in llama.cpp.)'),
  presence_penalty: penalty,
  frequency_penalty: penalty,
  logit_bias: z
    .record(z.string().regex(/^\d{1,9}$/, 'must be a token id'), z.number().min(-100).max(100))
    .refine((map) => Object.keys(map).length <= 1024, 'has more than 1024 tokens')
    .nullish()
    .describe('Added to the logits of tokens, by id.'),
  n_probs: z.int().min(0).max(20).nullish().describe('Tell how likely the model found each token, and so many of the likeliest ones; 0: do not. They are given as those of `logprobs`. (As in llama.cpp.)'),
  cache_prompt: z.boolean().nullish().describe('Accepted. Beginnings that are known from other texts are used always, and the answer is the same. (As in llama.cpp.)'),
  source_language: language.describe('Of models that translate out of several languages: the name of the mark in their vocabulary, such as `fra_Latn` (NLLB), `fr_XX` (mBART) or `fr` (M2M100). (Not in OpenAI.)'),
  target_language: language.describe('The language into which such a model translates, likewise. (Not in OpenAI.)'),
  seed: z.int().nullish().describe('Same seed, prompt and model give the same text.'),
  ...forms,
  ...tokens,
  max_words: limit.describe('Words of the text at most; in Chinese, Japanese, Thai and the like each character is one. ' + LIMITED),
  max_characters: limit.describe('Characters (Unicode code points) of the text at most. ' + LIMITED),
  max_words_per_line: limit.describe('Words of each line at most, such as an item of a list. ' + LINES),
  max_characters_per_line: limit.describe('Characters of each line at most. ' + LINES),
  stop: z.union([text(256).min(1), z.array(text(256).min(1)).max(16)]).nullish(),
};
type Given = { readonly [Name in keyof typeof generation]?: z.infer<(typeof generation)[Name]> };

/** A nucleus of nothing holds the likeliest token alone: greedy. */
export function samplingOf(given: Omit<Given, 'stream_options'>): Sampling {
  const greedy = given.top_p === 0;
  const some = <Name extends keyof Sampling>(name: Name, value: Sampling[Name] | null): Partial<Sampling> => (value === undefined || value === null ? {} : { [name]: value });
  return {
    temperature: greedy ? 0 : (given.temperature ?? 0),
    topP: greedy ? 1 : (given.top_p ?? 1),
    ...some('seed', given.seed),
    ...some('topK', given.top_k === -1 ? 0 : given.top_k),
    ...some('minP', given.min_p),
    ...some('typicalP', given.typical_p),
    ...some('repetitionPenalty', given.repetition_penalty ?? given.repeat_penalty),
    ...some('presencePenalty', given.presence_penalty),
    ...some('frequencyPenalty', given.frequency_penalty),
    ...some('logitBias', given.logit_bias),
    ...tokenSampling(given),
  };
}
/** New tokens at most, where the server gives `usual` to who does not ask, and never more than `most`. */
export function maxTokensOf(given: { readonly max_completion_tokens?: number | null } & Pick<Given, 'max_tokens' | 'n_predict'>, usual: number, most: number): number {
  const asked = given.max_completion_tokens ?? given.max_tokens ?? given.n_predict ?? usual;
  return asked === -1 ? most : Math.min(asked, most);
}
/** Fields that mean the same have the same value, where several are given. */
export function checkSame<T extends object>(given: T, fields: readonly (keyof T & string)[], context: z.RefinementCtx): void {
  const [first, ...others] = fields.filter((field) => given[field] !== undefined && given[field] !== null);
  const other = others.find((field) => given[field] !== given[first]);
  if (other !== undefined) context.addIssue({ code: 'custom', path: [other], message: `means the same as ${first}, which has another value; leave one of them out` });
}
/** What cannot be asked for together, whatever is generated. */
export function checkGeneration(given: Given, context: z.RefinementCtx): void {
  checkForms(given, context);
  checkSame(given, ['repetition_penalty', 'repeat_penalty'], context);
  if (given.stream_options && given.stream !== true) context.addIssue({ code: 'custom', path: ['stream_options'], message: 'can be given only with stream: true' });
  if (typeof given.prompt_logprobs === 'number' && given.stream === true) context.addIssue({ code: 'custom', path: ['prompt_logprobs'], message: 'cannot be streamed; leave it out, or give stream: false' });
}
/** How long the text may be; undefined: as long as it likes. */
export function limitsOf({ max_words: words, max_characters: characters, max_words_per_line: lineWords, max_characters_per_line: lineCharacters }: Given): TextLimits | undefined {
  const given = Object.entries({ words, characters, lineWords, lineCharacters }).filter(([, value]) => value !== undefined && value !== null);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as TextLimits);
}
/** The sampling of choice `i` of several. What is told of their prompt is told of the first. */
export const samplingOfChoice = ({ promptLogprobs, ...sampling }: Sampling, i: number): Sampling =>
  i === 0 ? { ...sampling, ...(promptLogprobs === undefined ? {} : { promptLogprobs }) } : { ...sampling, ...(sampling.seed === undefined ? {} : { seed: sampling.seed + i }) };
export const stopsOf = (stop: Given['stop']): string[] => (stop === undefined || stop === null ? [] : typeof stop === 'string' ? [stop] : stop);

export const fingerprint = z.string().describe('The same as long as the model and the version of Pharos are.');
export const finishReason = z.enum(['stop', 'length', 'tool_calls']).describe('`tool_calls`: the model stopped to have its calls answered.');
export const usage = z
  .strictObject({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
    prompt_tokens_details: z.strictObject({ cached_tokens: z.int().describe('Tokens of the prompt that were known from another text with the same beginning.') }),
    prompt_cache_hit_tokens: z.int().describe('The same as `cached_tokens`. (As in DeepSeek.)'),
    prompt_cache_miss_tokens: z.int().describe('The other tokens of the prompt. (As in DeepSeek.)'),
    completion_tokens_details: z.strictObject({ reasoning_tokens: z.int().describe('Tokens of the completion in which the model thought.') }),
  })
  .meta({ id: 'Usage' });
/** Of choices in order, `each` of every prompt; a prompt is counted once, however many choices were made from it. */
export function usageWire(all: readonly Usage[], each = all.length): z.infer<typeof usage> {
  let [prompt, cached, completion, reasoning] = [0, 0, 0, 0];
  for (let i = 0; i < all.length; i += each) {
    const ofPrompt = all.slice(i, i + each);
    prompt += ofPrompt[0].promptTokens;
    cached += Math.min(...ofPrompt.map((one) => one.cachedTokens ?? 0));
    for (const one of ofPrompt) {
      completion += one.completionTokens;
      reasoning += one.reasoningTokens ?? 0;
    }
  }
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion, prompt_tokens_details: { cached_tokens: cached }, prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: prompt - cached, completion_tokens_details: { reasoning_tokens: reasoning } };
}
/** The `usage` of chunks before the last one. `soFar`: of the choice that a chunk is of, where it is known. */
export const runningUsage = ({ stream_options: asked }: Pick<Given, 'stream_options'>, soFar: Usage | undefined): { usage?: z.infer<typeof usage> | null } =>
  asked?.include_usage === true ? { usage: asked.continuous_usage_stats === true && soFar ? usageWire([soFar]) : null } : {};
export const likelihoodsOf = ({ text: token, bytes, logprob }: TokenLikelihood): { token: string; logprob: number; bytes: number[] } => ({
  token,
  logprob: Math.max(LEAST, logprob ?? LEAST),
  bytes: [...bytes],
});
/** Out of which language is translated, and into which; undefined: the request does not say. */
export function languagesOf({ source_language: source, target_language: target }: { readonly source_language?: string | null; readonly target_language?: string | null }): Languages | undefined {
  return source || target ? { ...(source ? { source } : {}), ...(target ? { target } : {}) } : undefined;
}
