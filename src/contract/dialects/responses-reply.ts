// Owns how answers are told in OpenAI's Responses, whole: the response, its items and what it echoes.
// Refuses to know how answers are made, and the events (src/contract/dialects/responses-events.ts).

import { z } from 'zod';
import { grounding, groundingWire } from '../chat.ts';
import { likelihoodsOf } from '../generation.ts';
import type { Usage, WrittenToken } from '../../engine/port.ts';
import type { Answer } from '../../http/problems.ts';
import type { Finish, Part, Parts } from './parts.ts';
import type { ResponsesRequest } from './responses-request.ts';

const likelihood = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()) };
export const outputLogprobs = z.array(z.strictObject({ ...likelihood, top_logprobs: z.array(z.strictObject(likelihood)) })).meta({ id: 'ResponseLogprobs' });
const status = z.enum(['in_progress', 'completed', 'incomplete']);
export const outputText = z.strictObject({ type: z.literal('output_text'), text: z.string(), annotations: z.array(z.never()), logprobs: outputLogprobs }).meta({ id: 'ResponseOutputText' });
export const reasoningText = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() }).meta({ id: 'ResponseReasoningText' });
export const outputItem = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('reasoning'), id: z.string(), status, summary: z.array(z.never()), content: z.array(reasoningText) }),
    z.strictObject({ type: z.literal('message'), id: z.string(), status, role: z.literal('assistant'), content: z.array(outputText) }),
    z.strictObject({ type: z.literal('function_call'), id: z.string(), status, call_id: z.string(), name: z.string(), arguments: z.string() }),
  ])
  .meta({ id: 'ResponseOutputItem' });
export type OutputItem = z.infer<typeof outputItem>;

const usage = z
  .strictObject({
    input_tokens: z.int(),
    input_tokens_details: z.strictObject({ cached_tokens: z.int(), cache_write_tokens: z.int() }),
    output_tokens: z.int(),
    output_tokens_details: z.strictObject({ reasoning_tokens: z.int() }),
    total_tokens: z.int(),
  })
  .meta({ id: 'ResponseUsage' });
const echoed = z.unknown();
export const response = z
  .strictObject({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.int().describe('Unix seconds.'),
    completed_at: z.int().nullable(),
    status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.strictObject({ reason: z.literal('max_output_tokens') }).nullable(),
    model: z.string(),
    output: z.array(outputItem),
    usage: usage.nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.int().nullable(),
    metadata: z.record(z.string(), z.string()),
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.null(),
    reasoning: z.strictObject({ effort: z.string().nullable(), summary: z.null() }),
    store: z.literal(false).describe('Nothing is kept.'),
    temperature: z.number(),
    text: z.strictObject({ format: echoed }),
    tool_choice: echoed,
    tools: z.array(echoed),
    top_logprobs: z.int(),
    top_p: z.number(),
    truncation: z.literal('disabled'),
    background: z.literal(false),
    service_tier: z.literal('default'),
    grounding: grounding.optional().describe("Pharos's own field."),
  })
  .meta({ id: 'Response' });
export type ResponseWire = z.infer<typeof response>;

export const likelihoodsWire = (tokens: readonly WrittenToken[]): z.infer<typeof outputLogprobs> =>
  tokens.map((token) => ({ ...likelihoodsOf(token), top_logprobs: token.top.map(likelihoodsOf) }));
export const textWire = (text: string, tokens: readonly WrittenToken[]): z.infer<typeof outputText> => ({ type: 'output_text', text, annotations: [], logprobs: likelihoodsWire(tokens) });
/** Ids of the items of one response: by their place in it. */
const PREFIX = { reasoning: 'rs', text: 'msg', call: 'fc' } as const;
export const itemId = (kind: Part['kind'], index: number, responseId: string): string => `${PREFIX[kind]}_${responseId.replace(/^resp_/, '')}_${index}`;
export function itemWire(part: Part, id: string, state: z.infer<typeof status>): OutputItem {
  switch (part.kind) {
    case 'reasoning':
      return { type: 'reasoning', id, status: state, summary: [], content: [{ type: 'reasoning_text', text: part.text }] };
    case 'text':
      return { type: 'message', id, status: state, role: 'assistant', content: [textWire(part.text, part.tokens)] };
    case 'call':
      return { type: 'function_call', id, status: state, call_id: part.id, name: part.name, arguments: part.text };
    default:
      return part satisfies never;
  }
}
const usageWire = ({ promptTokens, completionTokens, cachedTokens = 0, reasoningTokens = 0 }: Usage): z.infer<typeof usage> => ({
  input_tokens: promptTokens,
  input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
  output_tokens: completionTokens,
  output_tokens_details: { reasoning_tokens: reasoningTokens },
  total_tokens: promptTokens + completionTokens,
});

/** What a response says from the first event on. */
export function beginResponse(id: string, model: string, created: number, request: ResponsesRequest): ResponseWire {
  return {
    id,
    object: 'response',
    created_at: created,
    completed_at: null,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    model,
    output: [],
    usage: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    store: false,
    temperature: request.temperature ?? 0,
    text: { format: request.text?.format ?? { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: (request.tools ?? []).map(({ type, name, description, parameters, strict }) => ({ type, name, description: description ?? null, parameters: parameters ?? null, strict: strict ?? false })),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: 'disabled',
    background: false,
    service_tier: 'default',
  };
}
/** The items; the last of an answer that was cut off is incomplete. */
export const itemsWire = (parts: Parts, responseId: string, cut: boolean): OutputItem[] =>
  parts.all.map((part, i) => itemWire(part, itemId(part.kind, i, responseId), cut && i === parts.all.length - 1 ? 'incomplete' : 'completed'));
export function endResponse(begun: ResponseWire, parts: Parts, { reason, usage: used, grounding: found }: Finish, now: number): ResponseWire {
  const cut = reason === 'length';
  return {
    ...begun,
    status: cut ? 'incomplete' : 'completed',
    completed_at: cut ? null : now,
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: itemsWire(parts, begun.id, cut),
    usage: usageWire(used),
    ...(found ? { grounding: groundingWire(found) } : {}),
  };
}
/** `code` is one of the few that OpenAI has for it; the event `error` beside it tells ours. */
export function failResponse(begun: ResponseWire, parts: Parts, { status: http, body }: Answer): ResponseWire {
  const code = http === 429 ? 'rate_limit_exceeded' : http < 500 ? 'invalid_prompt' : 'server_error';
  return { ...begun, status: 'failed', error: { code, message: body.error.message }, output: itemsWire(parts, begun.id, true) };
}
