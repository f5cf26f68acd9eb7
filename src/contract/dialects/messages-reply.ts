// Owns how answers and errors are told in Anthropic's Messages: whole, and as events.
// Refuses to know the request and how answers are made.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { grounding, groundingWire } from '../chat.ts';
import { errors } from '../common.ts';
import { parseExactly } from '../exact-json.ts';
import type { AnswerEvent } from '../../answers/port.ts';
import type { Usage } from '../../engine/port.ts';
import type { ErrorWire } from '../../http/problems.ts';
import { Parts } from './parts.ts';
import type { Finish, Part, PartEvent } from './parts.ts';

const nothing = z.null();
const block = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().describe('A digest of the text. It is not checked when it comes back.') }),
    z.strictObject({ type: z.literal('text'), text: z.string(), citations: nothing }),
    z.strictObject({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.record(z.string(), z.unknown()), caller: z.strictObject({ type: z.literal('direct') }) }),
  ])
  .meta({ id: 'AnthropicContentBlock' });
type Block = z.infer<typeof block>;
const stopReason = z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use']);
const counts = {
  input_tokens: z.int().describe('Tokens of the prompt that had to be read.'),
  cache_creation_input_tokens: z.int(),
  cache_read_input_tokens: z.int().describe('Tokens of the prompt that were known from another text with the same beginning.'),
  output_tokens: z.int(),
  output_tokens_details: z.strictObject({ thinking_tokens: z.int() }).nullable(),
};
const usage = z.strictObject(counts).meta({ id: 'AnthropicUsage' });
const grounded = grounding.optional().describe("Pharos's own field.");
const common = { id: z.string(), type: z.literal('message'), role: z.literal('assistant'), model: z.string(), stop_sequence: z.string().nullable(), stop_details: nothing, container: nothing, usage };
export const messagesReply = z
  .strictObject({ ...common, content: z.array(block), stop_reason: stopReason, grounding: grounded })
  .meta({
    id: 'AnthropicMessage',
    example: {
      id: 'msg_5f0c',
      type: 'message',
      role: 'assistant',
      model: 'pharos-mini',
      content: [{ type: 'text', text: 'Albert Einstein was born in Ulm.', citations: null }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      usage: { input_tokens: 31, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 12, output_tokens_details: null },
      grounding: { outcome: 'entailed', answers: ['Ulm'], claims: [], confidence: 1, cached: false },
    },
  });
export const countReply = z.strictObject({ input_tokens: z.int() }).meta({ id: 'AnthropicTokenCount' });

/** Status to type, as Anthropic names them. */
const TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
} as const;
const errorType = z.enum([...Object.values(TYPES), 'api_error']);
const isKnown = (status: number): status is keyof typeof TYPES => Object.hasOwn(TYPES, status);
const typeOf = (status: number): z.infer<typeof errorType> => (isKnown(status) ? TYPES[status] : status < 500 ? 'invalid_request_error' : 'api_error');
export const anthropicError = z
  .strictObject({
    type: z.literal('error'),
    error: z.strictObject({
      type: errorType,
      message: z.string().describe('What was wrong, where, and what would be right.'),
      details: z.looseObject({ error_code: z.string(), param: z.string().nullable() }).describe("`type`, `code` (as `error_code`) and `param` of the error as OpenAI's body has them, and what else it holds."),
    }),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'AnthropicError' });
type ErrorStatus = 404 | 408 | 413 | 415 | 422 | 429 | 502 | 504;
type ErrorReply = { readonly description: string; readonly content: { readonly 'application/json': { readonly schema: typeof anthropicError } } };
/** Error replies of an operation, as `errors` of src/contract/common.ts gives them in OpenAI's form. */
export const anthropicErrors = <const S extends ErrorStatus>(...statuses: readonly S[]): Record<S | 400 | 401 | 431 | 500 | 503, ErrorReply> =>
  Object.fromEntries(
    Object.entries(errors(...statuses)).map(([status, { description }]) => [status, { description, content: { 'application/json': { schema: anthropicError } } }]),
  ) as Record<S | 400 | 401 | 431 | 500 | 503, ErrorReply>;
export function anthropicErrorWire({ error }: ErrorWire, status: number, requestId: string): z.infer<typeof anthropicError> {
  const { message, code, param, ...more } = error;
  return { type: 'error', error: { type: typeOf(status), message, details: { ...more, error_code: code, param } }, request_id: requestId };
}

const start = { ...common, content: z.array(block).length(0), stop_reason: nothing };
const index = z.int();
export const messagesEvent = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('message_start'), message: z.strictObject(start) }),
    z.strictObject({ type: z.literal('ping') }),
    z.strictObject({ type: z.literal('content_block_start'), index, content_block: block }),
    z.strictObject({
      type: z.literal('content_block_delta'),
      index,
      delta: z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string() }),
        z.strictObject({ type: z.literal('signature_delta'), signature: z.string() }),
        z.strictObject({ type: z.literal('text_delta'), text: z.string() }),
        z.strictObject({ type: z.literal('input_json_delta'), partial_json: z.string() }),
      ]),
    }),
    z.strictObject({ type: z.literal('content_block_stop'), index }),
    z.strictObject({
      type: z.literal('message_delta'),
      delta: z.strictObject({ stop_reason: stopReason, stop_sequence: z.string().nullable(), stop_details: nothing, container: nothing }),
      usage,
      grounding: grounded,
    }),
    z.strictObject({ type: z.literal('message_stop') }),
    anthropicError,
  ])
  .meta({ id: 'AnthropicMessageEvent', description: 'One event of a streamed message; `event:` names its type. An answer that breaks off ends with an event `error`.' });
export type MessagesEvent = z.infer<typeof messagesEvent>;

export interface MessageHead {
  readonly id: string;
  readonly model: string;
  /** Thoughts are told without their text. */
  readonly hideThoughts: boolean;
  /** Tokens of the request, told when a stream begins. */
  readonly promptTokens?: number;
}
const usageWire = ({ promptTokens, completionTokens, cachedTokens = 0, reasoningTokens }: Usage): z.infer<typeof usage> => ({
  input_tokens: promptTokens - cachedTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cachedTokens,
  output_tokens: completionTokens,
  output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
});
const signatureOf = (thoughts: string): string => createHash('sha256').update(thoughts).digest('base64');
/** Arguments are an object by Anthropic's contract; text that is none is kept whole under a name of its own. */
function inputOf(text: string): Record<string, unknown> {
  try {
    const value = text === '' ? {} : parseExactly(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.fromEntries(Object.entries(value));
  } catch {
    // Cut off by the limit of tokens.
  }
  return { invalid_json: text };
}
function blockOf(part: Part, { hideThoughts }: MessageHead): Block {
  switch (part.kind) {
    case 'reasoning':
      return { type: 'thinking', thinking: hideThoughts ? '' : part.text, signature: signatureOf(part.text) };
    case 'text':
      return { type: 'text', text: part.text, citations: null };
    case 'call':
      return { type: 'tool_use', id: part.id, name: part.name, input: inputOf(part.text), caller: { type: 'direct' } };
    default:
      return part satisfies never;
  }
}
function endOf({ reason, stop }: Finish): { readonly stop_reason: z.infer<typeof stopReason>; readonly stop_sequence: string | null; readonly stop_details: null; readonly container: null } {
  const stop_reason = reason === 'length' ? 'max_tokens' : reason === 'tool_calls' ? 'tool_use' : stop === undefined ? 'end_turn' : 'stop_sequence';
  return { stop_reason, stop_sequence: stop_reason === 'stop_sequence' && stop !== undefined ? stop : null, stop_details: null, container: null };
}
const groundingOf = ({ grounding: found }: Finish): { grounding?: z.infer<typeof grounding> } => (found ? { grounding: groundingWire(found) } : {});

export function messageWire(parts: Parts, head: MessageHead): z.infer<typeof messagesReply> {
  const { all, end } = parts;
  const content = all.map((part) => blockOf(part, head));
  return { id: head.id, type: 'message', role: 'assistant', model: head.model, content, ...endOf(end), usage: usageWire(end.usage), ...groundingOf(end) };
}

function deltaOf({ part, text }: Extract<PartEvent, { kind: 'grow' }>, head: MessageHead): Extract<MessagesEvent, { type: 'content_block_delta' }>['delta'] | undefined {
  if (part.kind === 'reasoning') return head.hideThoughts ? undefined : { type: 'thinking_delta', thinking: text };
  if (text === '') return undefined;
  return part.kind === 'text' ? { type: 'text_delta', text } : { type: 'input_json_delta', partial_json: text };
}
/** The events of one message, event by event of the answer. */
export function messageEvents(head: MessageHead): (event: AnswerEvent) => MessagesEvent[] {
  const parts = new Parts();
  let begun = false;
  const told = (event: PartEvent): MessagesEvent[] => {
    const { kind, index: at, part } = event;
    if (kind === 'open') {
      const empty = blockOf({ ...part, text: '' }, head);
      return [{ type: 'content_block_start', index: at, content_block: empty.type === 'thinking' ? { ...empty, signature: '' } : empty }];
    }
    if (kind === 'grow') {
      const delta = deltaOf(event, head);
      return delta ? [{ type: 'content_block_delta', index: at, delta }] : [];
    }
    const signed: MessagesEvent[] = part.kind === 'reasoning' ? [{ type: 'content_block_delta', index: at, delta: { type: 'signature_delta', signature: signatureOf(part.text) } }] : [];
    return [...signed, { type: 'content_block_stop', index: at }];
  };
  const first = (promptTokens: number): MessagesEvent[] => [
    {
      type: 'message_start',
      message: {
        id: head.id,
        type: 'message',
        role: 'assistant',
        model: head.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        container: null,
        // How much of it was remembered is known at the end: message_delta tells it.
        usage: usageWire({ promptTokens, completionTokens: 0 }),
      },
    },
    { type: 'ping' },
  ];
  return (event) => {
    const brought = parts.take(event).flatMap(told);
    const prompt = event.kind === 'finish' ? event.usage.promptTokens : event.kind === 'delta' ? event.promptTokens : undefined;
    const opening = begun ? [] : first(prompt ?? head.promptTokens ?? 0);
    begun = true;
    if (event.kind !== 'finish') return [...opening, ...brought];
    return [...opening, ...brought, { type: 'message_delta', delta: endOf(event), usage: usageWire(event.usage), ...groundingOf(event) }, { type: 'message_stop' }];
  };
}
