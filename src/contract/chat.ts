// Owns the wire form of chat completions: OpenAI's fields, Pharos's `knowledge` and `grounding`, and what is refused.
// Refuses to know how answers are made.

import { z } from 'zod';
import { baseOf, baseName, confidence, instant, text } from './common.ts';
import { source, sourceWire } from './triples.ts';
import type { AnswerRequest, Grounding, KnowledgeOptions } from '../answers/port.ts';
import type { ChatMessage, Sampling, Usage } from '../engine/port.ts';

const MESSAGE_CHARACTERS = 1_000_000;
const content = text(MESSAGE_CHARACTERS);
const parts = z.array(z.strictObject({ type: z.literal('text', { error: 'only parts of type "text" are supported' }), text: content })).max(1000);
export const message = z
  .strictObject({
    role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
    content: z.union([content, parts]).nullable().describe('Text, or parts of type `text`.'),
    name: z.string().max(256).optional().describe('Accepted and not used.'),
    tool_call_id: z.string().max(256).optional().describe('Accepted and not used.'),
    refusal: z.null().optional(),
  })
  .meta({ id: 'ChatMessage' });

/** Fields of OpenAI's that change nothing about the answer. */
const unused = z.unknown().optional().describe('Accepted and not used.');
const harmless = {
  user: unused,
  metadata: unused,
  store: unused,
  service_tier: unused,
  safety_identifier: unused,
  prompt_cache_key: unused,
  prompt_cache_retention: unused,
};
/** Fields of OpenAI's that would change the answer: only the value that asks for nothing is accepted. */
const unsupported = (accepted: string, isNothing: (value: unknown) => boolean) =>
  z
    .unknown()
    .optional()
    .refine((value) => value === undefined || value === null || isNothing(value), {
      error: `is not supported; leave it out${accepted}`,
      params: { unsupported: true },
    })
    .describe(`Not supported: leave it out${accepted}.`);
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const isEmptyMap = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
const isZero = (value: unknown): boolean => value === 0;
export const refusedFields = {
  n: unsupported(' or give 1', (value) => value === 1),
  presence_penalty: unsupported(' or give 0', isZero),
  frequency_penalty: unsupported(' or give 0', isZero),
  logit_bias: unsupported('', isEmptyMap),
};

export const generation = {
  model: z.string().min(1).max(256).optional().describe('A name from `GET /v1/models`; the first of them when absent.'),
  stream: z.boolean().nullish().describe('Answer as server-sent events.'),
  stream_options: z.strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish().describe('New tokens at most.'),
  temperature: z.number().min(0).max(2).nullish().describe('0 (the default) is greedy: the same request gives the same answer, and answers are cached.'),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish().describe('Same seed, prompt and model give the same text.'),
  stop: z.union([text(256).min(1), z.array(text(256).min(1)).max(16)]).nullish(),
};

export const knowledge = z
  .strictObject({
    base: baseName.optional(),
    mode: z
      .enum(['auto', 'grounded', 'off'])
      .optional()
      .describe(
        '`grounded` (default when `knowledge` is given): always from the graph. `auto` (default without `knowledge`): grounded when the question links to known entities, and always for a model that only words evidence, as the shipped one does. `off`: the model alone.',
      ),
    hops: z.int().min(1).max(3).optional().describe('Longest relation path considered (default 2).'),
    as_of: instant.optional().describe('Answer from the facts as they were recorded at this instant.'),
    min_confidence: confidence.optional(),
    rules: z
      .unknown()
      .optional()
      .refine((value) => value === undefined || value === null, {
        error: 'is not supported yet; store rules with POST /v1/rules, or use POST /v1/reason/deduce',
        params: { unsupported: true },
      }),
  })
  .meta({ id: 'Knowledge' });

export const chatRequest = z
  .strictObject({
    ...generation,
    messages: z.array(message).min(1).max(4096),
    max_completion_tokens: z.int().min(1).nullish(),
    knowledge: knowledge.nullish(),
    ...harmless,
    ...refusedFields,
    logprobs: unsupported(' or give false', (value) => value === false),
    top_logprobs: unsupported('', isZero),
    tools: unsupported('', isEmptyList),
    tool_choice: unsupported('', (value) => value === 'none' || value === 'auto'),
    parallel_tool_calls: unused,
    functions: unsupported('', isEmptyList),
    function_call: unsupported('', (value) => value === 'none' || value === 'auto'),
    response_format: unsupported(
      ' or give {"type": "text"}',
      (value) => typeof value === 'object' && value !== null && 'type' in value && value.type === 'text',
    ),
    modalities: unsupported(' or give ["text"]', (value) => Array.isArray(value) && value.every((item) => item === 'text')),
    audio: unsupported('', () => false),
    prediction: unsupported('', () => false),
    reasoning_effort: unused,
    verbosity: unused,
    web_search_options: unsupported('', () => false),
  })
  .meta({
    id: 'ChatRequest',
    examples: [
      { model: 'pharos-mini', messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], knowledge: {} },
      { model: 'pharos-mini', messages: [{ role: 'user', content: 'Is Socrates mortal?' }], stream: true },
    ],
  });
export type ChatRequest = z.infer<typeof chatRequest>;

export const usage = z.strictObject({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }).meta({ id: 'Usage' });
const value = z.union([z.string(), z.number(), z.boolean()]);
export const grounding = z
  .strictObject({
    outcome: z
      .enum(['entailed', 'refuted', 'not_entailed', 'ungrounded'])
      .describe('What the graph says: it follows, its negation follows, neither follows; or the graph was not asked.'),
    answers: z.array(value).describe('Names or literal values.'),
    claims: z
      .array(z.strictObject({ text: z.string(), proof_id: z.string(), facts: z.array(z.string()), sources: z.array(source) }))
      .describe('Each with its proof (`GET /v1/proofs/{proof_id}`), the stored facts it rests on and their sources.'),
    confidence: z.number(),
    cached: z.boolean(),
    interpretation: z
      .strictObject({ entities: z.array(z.string()), path: z.string() })
      .optional()
      .describe('What was understood: linked entities and the relation path followed.'),
    wording: z
      .enum(['model', 'plain'])
      .optional()
      .describe("`model`: the transformer's own words. `plain`: verification refused them and the evidence is listed instead."),
  })
  .meta({ id: 'Grounding' });

const finishReason = z.enum(['stop', 'length']);
const created = z.int().describe('Unix seconds.');
export const chatReply = z
  .strictObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created,
    model: z.string(),
    choices: z.array(
      z.strictObject({
        index: z.literal(0),
        message: z.strictObject({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
        finish_reason: finishReason,
        logprobs: z.null(),
      }),
    ),
    usage,
    grounding,
  })
  .meta({
    id: 'ChatCompletion',
    example: {
      id: 'chatcmpl-5f0c',
      object: 'chat.completion',
      created: 1767225600,
      model: 'pharos-mini',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Albert Einstein was born in Ulm.', refusal: null }, finish_reason: 'stop', logprobs: null },
      ],
      usage: { prompt_tokens: 31, completion_tokens: 12, total_tokens: 43 },
      grounding: {
        outcome: 'entailed',
        answers: ['Ulm'],
        claims: [{ text: 'Albert Einstein born in Ulm', proof_id: 'p_0a1b2c', facts: ['f_17'], sources: ['example graph'] }],
        confidence: 1,
        cached: false,
        interpretation: { entities: ['Albert Einstein'], path: 'born in' },
        wording: 'model',
      },
    },
  });
export const chatChunk = z
  .strictObject({
    id: z.string(),
    object: z.literal('chat.completion.chunk'),
    created,
    model: z.string(),
    choices: z.array(
      z.strictObject({
        index: z.literal(0),
        delta: z.strictObject({ role: z.literal('assistant').optional(), content: z.string().optional() }),
        finish_reason: finishReason.nullable(),
        logprobs: z.null(),
      }),
    ),
    usage: usage.nullable().optional(),
    grounding: grounding.optional().describe('In the last chunk.'),
  })
  .meta({
    id: 'ChatCompletionChunk',
    description: 'One `data:` event of a streamed answer; the last event is `data: [DONE]`. An answer that breaks off ends with an event that holds an Error.',
  });

const DEFAULT_HOPS = 2;
/** A message's text as the engine takes it: parts joined, `developer` as `system`. */
const messageOf = ({ role, content: said }: z.infer<typeof message>): ChatMessage => ({
  role: role === 'developer' ? 'system' : role,
  content: said === null ? '' : typeof said === 'string' ? said : said.map((part) => part.text).join(''),
});
const knowledgeOf = (given: ChatRequest['knowledge']): KnowledgeOptions => ({
  base: baseOf(given?.base),
  mode: given ? (given.mode ?? 'grounded') : 'auto',
  hops: given?.hops ?? DEFAULT_HOPS,
  ...(given?.as_of === undefined ? {} : { asOf: given.as_of }),
  ...(given?.min_confidence === undefined ? {} : { minConfidence: given.min_confidence }),
});
/** A nucleus of nothing holds the likeliest token alone: greedy. */
export const samplingOf = ({ temperature, top_p, seed }: Pick<ChatRequest, 'temperature' | 'top_p' | 'seed'>): Sampling => ({
  temperature: top_p === 0 ? 0 : (temperature ?? 0),
  topP: top_p === 0 ? 1 : (top_p ?? 1),
  ...(seed === undefined || seed === null ? {} : { seed }),
});
export const stopsOf = (stop: ChatRequest['stop']): string[] => (stop === undefined || stop === null ? [] : typeof stop === 'string' ? [stop] : stop);
/** `model` and `maxTokens` are what the service decided on. */
export const answerRequestOf = (request: ChatRequest, model: string, maxTokens: number): AnswerRequest => ({
  model,
  messages: request.messages.map(messageOf),
  sampling: samplingOf(request),
  maxTokens,
  stop: stopsOf(request.stop),
  knowledge: knowledgeOf(request.knowledge),
});
export const usageWire = ({ promptTokens, completionTokens }: Usage): z.infer<typeof usage> => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});
export const groundingWire = ({ outcome, answers, claims, confidence: sure, cached, interpretation, wording }: Grounding): z.infer<typeof grounding> => ({
  outcome,
  answers: [...answers],
  claims: claims.map(({ text: said, proofId, facts, sources }) => ({ text: said, proof_id: proofId, facts: [...facts], sources: sources.map(sourceWire) })),
  confidence: sure,
  cached,
  ...(interpretation ? { interpretation: { entities: [...interpretation.entities], path: interpretation.path } } : {}),
  ...(wording ? { wording } : {}),
});
export { harmless, unsupported };
