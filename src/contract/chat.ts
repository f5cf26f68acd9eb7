// Owns the wire form of chat completions: OpenAI's fields beside the messages, Pharos's `knowledge` and `grounding`, and what is refused.
// Refuses to know how answers are made.

import { z } from 'zod';
import { baseOf, baseName, confidence, instant } from './common.ts';
import { ruleInput } from './rules.ts';
import { constraintOf, formFieldOf, pathsOf } from './forms.ts';
import { checkGeneration, checkSame, fingerprint, finishReason, generation, harmless, languagesOf, isEmptyList, likelihoodsOf, limitsOf, samplingOf, samplingOfChoice, stopsOf, unsupported, unused, usage } from './generation.ts';
import { answersCalls, continuesOf, message, messageOf } from './messages.ts';
import { callDelta, callReply, choiceProblem, toolChoice, tools, toolsOf } from './tools.ts';
import { checkTokens, knowledgeBeside, promptLogprobs, tokenIds } from './tokens.ts';
import { source, sourceWire } from './triples.ts';
import { ofChats } from './vllm.ts';
import type { AnswerRequest, Grounding, KnowledgeOptions } from '../answers/port.ts';
import type { WrittenToken } from '../engine/port.ts';

const isGiven = <T>(value: T): value is NonNullable<T> => value !== undefined && value !== null;
export const knowledge = z
  .strictObject({
    base: baseName.nullish(),
    mode: z
      .enum(['auto', 'grounded', 'off'])
      .nullish()
      .describe(
        '`grounded` (default when `knowledge` is given): always from the graph. `auto` (default without `knowledge`): grounded when the question links to known entities, and always for a model that only words evidence, as the shipped one does. `off`: the model alone.',
      ),
    hops: z.int().min(1).max(3).nullish().describe('Longest relation path considered (default 2).'),
    as_of: instant.nullish().describe('Answer from the facts as they were recorded at this instant.'),
    valid_at: instant.nullish().describe('World time: answer from what holds at this instant, and what follows from it then (default now).'),
    min_confidence: confidence.nullish(),
    rules: ruleInput
      .nullish()
      .describe(
        'Rules that hold for this question only, besides those that are stored. What follows with them is derived for the question, within the limits of a deduction; to have a proof of such an answer checked, give the same rules to the check. Such answers are kept in the cache, too; after any write to the knowledge base the question is read again before one is given.',
      ),
  })
  .refine(({ rules, as_of }) => !isGiven(rules) || !isGiven(as_of), {
    path: ['rules'],
    error: 'cannot be given together with as_of: what followed at an earlier time is not known; leave one of them out',
  })
  .refine(({ valid_at, as_of }) => !isGiven(valid_at) || !isGiven(as_of), {
    path: ['valid_at'],
    error: 'cannot be given together with as_of: what followed at an earlier time is not known; leave one of them out',
  })
  .meta({ id: 'Knowledge' });

export const chatRequest = z
  .strictObject({
    ...generation,
    messages: z.array(message).min(1).max(4096).superRefine(answersCalls),
    max_completion_tokens: z.int().min(1).nullish(),
    knowledge: knowledge.nullish(),
    ...harmless,
    logprobs: z.boolean().nullish().describe('Tell how likely the model found each token that it wrote.'),
    top_logprobs: z.int().min(0).max(20).nullish().describe('And so many of the likeliest tokens in its place; needs `logprobs: true`.'),
    tools: tools.nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish().describe('Whether one reply may call several times (default true).'),
    functions: unsupported(' and use tools', isEmptyList),
    function_call: unsupported(' and use tool_choice', (value) => value === 'none' || value === 'auto'),
    modalities: unsupported(' or give ["text"]', (value) => Array.isArray(value) && value.every((item) => item === 'text')),
    audio: unsupported('', () => false),
    prediction: unsupported('', () => false),
    moderation: unsupported('', () => false),
    reasoning_effort: z
      .string()
      .regex(/^[a-z]{1,16}$/, 'must be a word such as none, minimal, low, medium, high')
      .nullish()
      .describe('How much the model thinks before it speaks; `none`: not at all. Handed to the chat template of the model, which may know other words or none.'),
    thinking: z.strictObject({ type: z.enum(['enabled', 'disabled']) }).nullish().describe('Whether the model thinks before it speaks, where its chat template can be told. (As in DeepSeek.)'),
    chat_template_kwargs: z
      .strictObject({ enable_thinking: z.boolean().nullish(), thinking: z.boolean().nullish() })
      .nullish()
      .describe('The same. (As in vLLM.)'),
    continue_final_message: z.boolean().nullish().describe('Go on with the last message, which is an assistant\'s, rather than answer it. (As in vLLM.)'),
    add_generation_prompt: z.boolean().nullish().describe('False only with `continue_final_message: true`. (As in vLLM.)'),
    ...ofChats,
    verbosity: unused,
    prompt_cache_options: unused,
    web_search_options: unsupported('', () => false),
  })
  .superRefine(checkGeneration)
  .superRefine((request, context) => {
    const wrong = (field: string, reason: string): void => context.addIssue({ code: 'custom', path: [field], message: reason });
    checkSame(request, ['max_completion_tokens', 'max_tokens', 'n_predict'], context);
    if (request.n_probs) checkSame(request, ['top_logprobs', 'n_probs'], context);
    if (request.n_probs && request.logprobs === false) wrong('n_probs', 'asks for likelihoods, and logprobs is false; leave one of them out');
    const problem = choiceProblem(request.tools, request.tool_choice);
    if (problem !== undefined) wrong('tool_choice', problem);
    const calls = request.tools !== undefined && request.tools !== null && request.tools.length > 0 && request.tool_choice !== 'none';
    const grounded = Boolean(request.knowledge && request.knowledge.mode !== 'off' && request.knowledge.mode !== 'auto');
    const form = formFieldOf(request);
    if (form && grounded) wrong(form, 'cannot be combined with an answer from the graph, which is worded from its evidence; give knowledge.mode "off"');
    checkTokens(request, { form, calls, grounded }, wrong);
    if (calls && form) wrong(form, 'cannot be combined with tools; leave one of them out, or give tool_choice "none"');
    if (calls && grounded) wrong('tools', 'cannot be combined with an answer from the graph; leave one of them out, or give knowledge.mode "off"');
    const continues = continuesOf(request);
    if (request.add_generation_prompt === false && !continues) wrong('add_generation_prompt', 'can be false only with continue_final_message: true');
    if (request.add_generation_prompt === true && continues) wrong('add_generation_prompt', 'cannot be true when the last message is gone on with');
    const last = request.messages.at(-1);
    if (continues && (last?.role !== 'assistant' || last.tool_calls?.length)) wrong('messages', 'must end with a message of the role assistant, without tool_calls, to be gone on with');
    if (continues && grounded) wrong('knowledge', 'cannot be combined with a message that is gone on with; leave one of them out, or give mode "off"');
    for (const [i, { prefix }] of request.messages.entries()) if (prefix === true && i < request.messages.length - 1) context.addIssue({ code: 'custom', path: ['messages', i, 'prefix'], message: 'belongs to the last message' });
  })
  .refine((request) => request.logprobs === true || !request.top_logprobs, { error: 'needs logprobs: true', path: ['top_logprobs'] })
  .meta({
    id: 'ChatRequest',
    examples: [
      { model: 'pharos-mini', messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], knowledge: {} },
      { model: 'pharos-mini', messages: [{ role: 'user', content: 'Is Socrates mortal?' }], stream: true },
      {
        model: 'pharos-mini',
        messages: [{ role: 'user', content: 'What is the weather in Ulm?' }],
        tools: [{ type: 'function', function: { name: 'weather', description: 'The weather of a city.', parameters: { type: 'object', properties: { city: { type: 'string', maxLength: 40 } }, required: ['city'], additionalProperties: false } } }],
        tool_choice: 'required',
        parallel_tool_calls: false,
      },
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
    shortened: z.boolean().optional().describe('True where `max_words` and the like left reasons or names out of the text. `answers` and `claims` hold them all.'),
    paths_complete: z.boolean().optional().describe('Of a relation path: false where the knowledge base has more of them than the model was given to choose from.'),
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
const writtenIds = tokenIds.describe('With `return_token_ids`: those that were written, an end token as well.');
const promptIds = tokenIds.describe('With `return_token_ids`: those of the messages as the model reads them.');
export const chatReply = z
  .strictObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created,
    model: z.string(),
    system_fingerprint: fingerprint,
    choices: z.array(
      z.strictObject({
        index: z.int(),
        message: z.strictObject({
          role: z.literal('assistant'),
          content: z.string().nullable().describe('Null when nothing was said beside calls.'),
          refusal: z.null(),
          reasoning_content: z.string().optional().describe('What the model thought before it spoke.'),
          tool_calls: z.array(callReply).optional(),
        }),
        finish_reason: finishReason,
        logprobs,
        token_ids: writtenIds,
      }),
    ),
    usage,
    prompt_token_ids: promptIds,
    prompt_logprobs: promptLogprobs,
    grounding: grounding.describe('Of the first choice; the others are worded from the same reading.'),
  })
  .meta({
    id: 'ChatCompletion',
    example: {
      id: 'chatcmpl-5f0c',
      object: 'chat.completion',
      created: 1767225600,
      model: 'pharos-mini',
      system_fingerprint: 'fp_9d1f04c2ab',
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
    system_fingerprint: fingerprint,
    choices: z.array(
      z.strictObject({
        index: z.int(),
        delta: z.strictObject({ role: z.literal('assistant').optional(), content: z.string().nullable().optional(), reasoning_content: z.string().optional(), tool_calls: z.array(callDelta).optional() }),
        finish_reason: finishReason.nullable(),
        logprobs,
        token_ids: writtenIds,
      }),
    ),
    usage: usage.nullable().optional(),
    prompt_token_ids: promptIds,
    grounding: grounding.optional().describe('In the last chunk.'),
  })
  .meta({
    id: 'ChatCompletionChunk',
    description: 'One `data:` event of a streamed answer; the last event is `data: [DONE]`. An answer that breaks off ends with an event that holds an Error.',
  });

const DEFAULT_HOPS = 2;
/** What a chat asks of the model beside its messages; undefined: nothing. */
function chatOf(request: ChatRequest): AnswerRequest['chat'] {
  const { chat_template_kwargs: template, reasoning_effort: effort } = request;
  const thinking = template?.enable_thinking ?? template?.thinking ?? (request.thinking ? request.thinking.type === 'enabled' : effort === 'none' ? false : undefined);
  const languages = languagesOf(request);
  const chat = {
    ...(languages ? { languages } : {}),
    ...toolsOf(request.tools, request.tool_choice),
    ...(request.parallel_tool_calls === false ? { parallelToolCalls: false } : {}),
    ...(thinking === undefined || thinking === null ? {} : { thinking }),
    ...(effort && effort !== 'none' ? { reasoningEffort: effort } : {}),
    ...(continuesOf(request) ? { continues: true } : {}),
  };
  return Object.keys(chat).length === 0 ? undefined : chat;
}
export const knowledgeOf = (given: ChatRequest['knowledge']): KnowledgeOptions => ({
  base: baseOf(given?.base ?? undefined),
  mode: given ? (given.mode ?? 'grounded') : 'auto',
  hops: given?.hops ?? DEFAULT_HOPS,
  ...(isGiven(given?.as_of) ? { asOf: given.as_of } : {}),
  ...(isGiven(given?.valid_at) ? { validAt: given.valid_at } : {}),
  ...(isGiven(given?.min_confidence) ? { minConfidence: given.min_confidence } : {}),
  ...(isGiven(given?.rules) ? { rules: given.rules } : {}),
});
/** One for each choice. `model` and `maxTokens` are what the service decided on. */
export function answerRequestsOf(request: ChatRequest, model: string, maxTokens: number): AnswerRequest[] {
  const sampling = { ...samplingOf(request), ...(request.logprobs === true || request.n_probs ? { logprobs: request.top_logprobs ?? request.n_probs ?? 0 } : {}) };
  const messages = request.messages.map(messageOf);
  const constraint = constraintOf(request);
  const limits = limitsOf(request);
  const paths = pathsOf(request, request.knowledge?.base ?? undefined);
  const chat = chatOf(request);
  const shared = { ...(constraint ? { constraint } : {}), ...(limits ? { limits } : {}), ...(paths ? { paths } : {}), ...(chat ? { chat } : {}), model, messages, maxTokens, stop: stopsOf(request.stop), knowledge: knowledgeBeside(request, knowledgeOf(request.knowledge)) };
  return Array.from({ length: request.n ?? 1 }, (_, i) => ({ ...shared, sampling: samplingOfChoice(sampling, i) }));
}
export const groundingWire = ({ outcome, answers, claims, confidence: sure, cached, interpretation, shortened, pathsComplete, wording }: Grounding): z.infer<typeof grounding> => ({
  outcome,
  answers: [...answers],
  claims: claims.map(({ text: said, proofId, facts, sources }) => ({ text: said, proof_id: proofId, facts: [...facts], sources: sources.map(sourceWire) })),
  confidence: sure,
  cached,
  ...(interpretation ? { interpretation: { entities: [...interpretation.entities], path: interpretation.path } } : {}),
  ...(shortened ? { shortened } : {}),
  ...(pathsComplete === undefined ? {} : { paths_complete: pathsComplete }),
  ...(wording ? { wording } : {}),
});
export { harmless, unsupported };
export const chatLogprobs = (tokens: readonly WrittenToken[]): NonNullable<z.infer<typeof logprobs>> => ({
  content: tokens.map((token) => ({ ...likelihoodsOf(token), top_logprobs: token.top.map(likelihoodsOf) })),
  refusal: null,
});
