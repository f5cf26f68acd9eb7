// Owns the messages of a chat: as a request brings them, what of them belongs together, and what the engine takes.
// Refuses to know what else a chat asks.

import { z } from 'zod';
import { text } from './common.ts';
import { unused } from './generation.ts';
import { callsOf, toolCalls } from './tools.ts';
import type { ChatMessage } from '../engine/port.ts';

const MESSAGE_CHARACTERS = 1_000_000;
const content = text(MESSAGE_CHARACTERS);
const textPart = z.strictObject({ type: z.literal('text', { error: 'only parts of type "text" are supported' }), text: content, prompt_cache_breakpoint: unused });
const parts = z.array(z.union([textPart, z.strictObject({ type: z.literal('refusal'), refusal: content })])).max(1000);
export const message = z
  .strictObject({
    role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
    content: z.union([content, parts]).nullish().describe('Text, or parts of type `text`. May be left out of a message with `tool_calls`.'),
    name: z.string().max(256).optional().describe('Handed to the chat template of the model.'),
    tool_calls: toolCalls.nullish().describe('Of an assistant: what it called.'),
    tool_call_id: z.string().min(1).max(256).optional().describe('Of a tool: the `id` of the call that it answers.'),
    reasoning_content: content.nullish().describe('Of an assistant: what it thought before it spoke. It goes to the chat template of the model, which may leave it out.'),
    reasoning: content.nullish().describe('The same under another name.'),
    prefix: z.boolean().nullish().describe('Of the last message, when it is an assistant: go on with it rather than answer it. (As in DeepSeek.)'),
    refusal: content.nullish().describe('Of an assistant: what it said in place of an answer.'),
    annotations: unused,
    audio: z.null().optional(),
    function_call: z.null().optional(),
  })
  .superRefine((given, context) => {
    const wrong = (field: keyof typeof given, reason: string): void => context.addIssue({ code: 'custom', path: [field], message: reason });
    const missing = (field: keyof typeof given): void => context.addIssue({ code: 'invalid_type', expected: 'string', input: given[field], path: [field], message: `Invalid input: expected string, received ${given[field] === null ? 'null' : 'undefined'}` });
    const ofAssistants = ['tool_calls', 'reasoning_content', 'reasoning', 'prefix', 'refusal'] as const;
    if (given.role !== 'assistant') for (const field of ofAssistants) if (given[field] !== undefined && given[field] !== null && given[field] !== false) wrong(field, `belongs to messages of the role assistant; this one is of ${given.role}`);
    if (given.role !== 'assistant' && Array.isArray(given.content) && given.content.some(({ type }) => type === 'refusal')) wrong('content', `has a part of type "refusal", which belongs to messages of the role assistant; this one is of ${given.role}`);
    if (given.role === 'tool' && given.tool_call_id === undefined) missing('tool_call_id');
    if (given.role !== 'tool' && given.tool_call_id !== undefined) wrong('tool_call_id', `belongs to messages of the role tool; this one is of ${given.role}`);
    const isMissing = given.role === 'assistant' ? given.content === undefined && !given.tool_calls?.length && !given.refusal : given.content === undefined || given.content === null;
    if (isMissing) missing('content');
  })
  .meta({ id: 'ChatMessage' });

export type GivenMessage = z.infer<typeof message>;
/** Each message of a tool answers a call of an earlier message. */
export function answersCalls(messages: readonly GivenMessage[], context: z.RefinementCtx): void {
  const called = new Set<string>();
  for (const [i, { tool_calls: calls, tool_call_id: answered }] of messages.entries()) {
    for (const { id } of calls ?? []) called.add(id);
    if (answered !== undefined && !called.has(answered))
      context.addIssue({ code: 'custom', path: [i, 'tool_call_id'], message: `is ${JSON.stringify(answered)}, which is no id of tool_calls in an earlier message of the role assistant${called.size === 0 ? '' : `; there are: ${[...called].slice(-10).join(', ')}`}` });
  }
}
/** Is the last message to be gone on with? */
export const continuesOf = (request: { readonly continue_final_message?: boolean | null; readonly messages: readonly GivenMessage[] }): boolean => request.continue_final_message === true || request.messages.at(-1)?.prefix === true;

/** A message's text as the engine takes it: parts joined, `developer` as `system`. */
export function messageOf({ role, content: said, name, tool_calls: calls, tool_call_id: id, reasoning_content: thought, reasoning, refusal }: GivenMessage): ChatMessage {
  const thinking = thought ?? reasoning;
  return {
    role: role === 'developer' ? 'system' : role,
    content: (typeof said === 'string' ? said : (said ?? []).map((part) => (part.type === 'text' ? part.text : part.refusal)).join('')) || (refusal ?? ''),
    ...(name === undefined ? {} : { name }),
    ...(calls?.length ? { toolCalls: callsOf(calls) } : {}),
    ...(id === undefined ? {} : { toolCallId: id }),
    ...(thinking === undefined || thinking === null || thinking === '' ? {} : { reasoning: thinking }),
  };
}
