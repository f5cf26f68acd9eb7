// Owns the wire form of chat completions: OpenAI's fields, Pharos's `knowledge` and `grounding`, and what is refused.
// Refuses to know how answers are made.

import { z } from 'zod';
import { baseOf, baseName, confidence, instant, text } from './common.ts';
import { ruleInput } from './rules.ts';
import { constraintOf, finishReason, generation, harmless, isEmptyList, likelihoodsOf, samplingOf, samplingOfChoice, stopsOf, unsupported, unused, usage } from './generation.ts';
import { source, sourceWire } from './triples.ts';
import type { AnswerRequest, Grounding, KnowledgeOptions } from '../answers/port.ts';
import type { ChatMessage, WrittenToken } from '../engine/port.ts';

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
    rules: ruleInput
      .nullish()
      .describe(
        'Rules that hold for this question only, besides those that are stored. What follows with them is derived for the question, within the limits of a deduction; to have a proof of such an answer checked, give the same rules to the check. Such answers are kept in the cache, too; after any write to the knowledge base the question is read again before one is given.',
      ),
  })
  .refine(({ rules, as_of }) => rules === undefined || rules === null || as_of === undefined, {
    path: ['rules'],
    error: 'cannot be given together with as_of: what followed at an earlier time is not known; leave one of them out',
  })
  .meta({ id: 'Knowledge' });

export const chatRequest = z
  .strictObject({
    ...generation,
    messages: z.array(message).min(1).max(4096),
    max_completion_tokens: z.int().min(1).nullish(),
    knowledge: knowledge.nullish(),
    ...harmless,
    logprobs: z.boolean().nullish().describe('Tell how likely the model found each token that it wrote.'),
    top_logprobs: z.int().min(0).max(20).nullish().describe('And so many of the likeliest tokens in its place; needs `logprobs: true`.'),
    tools: unsupported('', isEmptyList),
    tool_choice: unsupported('', (value) => value === 'none' || value === 'auto'),
    parallel_tool_calls: unused,
    functions: unsupported('', isEmptyList),
    function_call: unsupported('', (value) => value === 'none' || value === 'auto'),
    modalities: unsupported(' or give ["text"]', (value) => Array.isArray(value) && value.every((item) => item === 'text')),
    audio: unsupported('', () => false),
    prediction: unsupported('', () => false),
    reasoning_effort: unused,
    verbosity: unused,
    web_search_options: unsupported('', () => false),
  })
  .refine((request) => constraintOf(request) === undefined || !request.knowledge || request.knowledge.mode === 'off' || request.knowledge.mode === 'auto', {
    error: 'cannot be combined with an answer from the graph, which is worded from its evidence; give knowledge.mode "off"',
    path: ['response_format'],
  })
  .refine((request) => !request.response_format || !request.structured_outputs, { error: 'cannot be given beside response_format', path: ['structured_outputs'] })
  .refine((request) => request.logprobs === true || !request.top_logprobs, { error: 'needs logprobs: true', path: ['top_logprobs'] })
  .meta({
    id: 'ChatRequest',
    examples: [
      { model: 'pharos-mini', messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], knowledge: {} },
      { model: 'pharos-mini', messages: [{ role: 'user', content: 'Is Socrates mortal?' }], stream: true },
      {
        model: 'pharos-mini',
        messages: [{ role: 'user', content: 'Who is the academic grandfather of Alexander the Great?' }],
        knowledge: { rules: '"academic grandfather"(?x, ?z) :- "student of"(?x, ?y), "student of"(?y, ?z).' },
      },
    ],
  });
export type ChatRequest = z.infer<typeof chatRequest>;

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

const likelihood = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()) };
const logprobs = z
  .strictObject({ content: z.array(z.strictObject({ ...likelihood, top_logprobs: z.array(z.strictObject(likelihood)) })), refusal: z.null() })
  .nullable()
  .meta({ id: 'ChatLogprobs' });
const created = z.int().describe('Unix seconds.');
export const chatReply = z
  .strictObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created,
    model: z.string(),
    choices: z.array(
      z.strictObject({
        index: z.int(),
        message: z.strictObject({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
        finish_reason: finishReason,
        logprobs,
      }),
    ),
    usage,
    grounding: grounding.describe('Of the first choice; the others are worded from the same reading.'),
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
        index: z.int(),
        delta: z.strictObject({ role: z.literal('assistant').optional(), content: z.string().optional() }),
        finish_reason: finishReason.nullable(),
        logprobs,
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
  ...(given?.rules === undefined || given.rules === null ? {} : { rules: given.rules }),
});
/** One for each choice. `model` and `maxTokens` are what the service decided on. */
export function answerRequestsOf(request: ChatRequest, model: string, maxTokens: number): AnswerRequest[] {
  const sampling = { ...samplingOf(request), ...(request.logprobs === true ? { logprobs: request.top_logprobs ?? 0 } : {}) };
  const messages = request.messages.map(messageOf);
  const constraint = constraintOf(request);
  const shared = { ...(constraint ? { constraint } : {}), model, messages, maxTokens, stop: stopsOf(request.stop), knowledge: knowledgeOf(request.knowledge) };
  return Array.from({ length: request.n ?? 1 }, (_, i) => ({ ...shared, sampling: samplingOfChoice(sampling, i) }));
}
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
export const chatLogprobs = (tokens: readonly WrittenToken[]): NonNullable<z.infer<typeof logprobs>> => ({
  content: tokens.map((token) => ({ ...likelihoodsOf(token), top_logprobs: token.top.map(likelihoodsOf) })),
  refusal: null,
});
