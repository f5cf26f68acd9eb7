// Owns the items of OpenAI's Responses that a request brings, and the conversation that they are.
// Refuses to know what else a request asks.

import { z } from 'zod';
import { callId, MOST_BLOCKS, refused, said } from './shared.ts';
import { unused } from '../generation.ts';
import type { ChatMessage, ToolCall } from '../../engine/port.ts';

const notText = refused(['input_image', 'input_file', 'input_audio'], 'images, files and audio cannot be read; send their text in parts of type "input_text"');
const inputText = z.strictObject({ type: z.literal('input_text'), text: said, prompt_cache_breakpoint: unused });
const part = z.discriminatedUnion('type', [
  inputText,
  z.strictObject({ type: z.literal('output_text'), text: said, annotations: unused, logprobs: unused }),
  z.strictObject({ type: z.literal('refusal'), refusal: said }),
  notText,
]);
/** What an item of an earlier reply has and a request needs not. */
const kept = { id: z.string().max(256).nullish(), status: z.string().max(32).nullish() };
const messageItem = {
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.union([said, z.array(part).max(MOST_BLOCKS)]),
  phase: unused,
  ...kept,
};
const message = z.strictObject({ type: z.literal('message').optional(), ...messageItem });
const functionCall = z.strictObject({
  type: z.literal('function_call'),
  call_id: callId,
  name: z.string().min(1).max(256),
  arguments: said,
  caller: unused,
  namespace: unused,
  ...kept,
});
const callOutput = z.strictObject({
  type: z.literal('function_call_output'),
  call_id: callId,
  output: z.union([said, z.array(z.discriminatedUnion('type', [inputText, notText])).max(MOST_BLOCKS)]),
  caller: unused,
  ...kept,
});
const reasoning = z.strictObject({
  type: z.literal('reasoning'),
  summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: said })).max(MOST_BLOCKS),
  content: z
    .array(z.strictObject({ type: z.literal('reasoning_text'), text: said }))
    .max(MOST_BLOCKS)
    .nullish(),
  encrypted_content: unused,
  ...kept,
});
/** Of tools of other kinds. */
const notFunctions = refused(
  [
    'web_search_call',
    'file_search_call',
    'computer_call',
    'computer_call_output',
    'image_generation_call',
    'code_interpreter_call',
    'local_shell_call',
    'local_shell_call_output',
    'shell_call',
    'shell_call_output',
    'apply_patch_call',
    'apply_patch_call_output',
    'mcp_list_tools',
    'mcp_approval_request',
    'mcp_approval_response',
    'mcp_call',
    'custom_tool_call',
    'custom_tool_call_output',
    'compaction',
  ],
  'only calls of functions can be read; leave such items out, or send what they say as messages',
);
export const item = z
  .discriminatedUnion('type', [
    message,
    functionCall,
    callOutput,
    reasoning,
    refused(['item_reference'], 'no items are kept; send the item itself'),
    notFunctions,
  ])
  .meta({ id: 'ResponseInputItem' });
export type Item = z.infer<typeof item>;

const wholeOf = (content: z.infer<typeof messageItem.content> | z.infer<typeof callOutput>['output']): string =>
  typeof content === 'string'
    ? content
    : content.map((each) => (each.type === 'input_text' || each.type === 'output_text' ? each.text : each.type === 'refusal' ? each.refusal : '')).join('');
interface OpenMessage {
  reasoning: string;
  content: string;
  readonly toolCalls: ToolCall[];
}
const joined = (before: string, text: string): string => (before === '' || text === '' ? before + text : `${before}\n\n${text}`);
/** Thoughts, text and calls that follow each other are one message of the assistant. */
export class Conversation {
  readonly messages: ChatMessage[] = [];
  #open: OpenMessage | undefined;

  add(given: Item): void {
    switch (given.type) {
      case 'reasoning': {
        const thought = (given.content && given.content.length > 0 ? given.content : given.summary).map((each) => each.text).join('');
        const open = this.#begin();
        open.reasoning = joined(open.reasoning, thought);
        return;
      }
      case 'function_call':
        this.#current().toolCalls.push({ id: given.call_id, name: given.name, arguments: given.arguments });
        return;
      case 'function_call_output':
        this.flush();
        this.messages.push({ role: 'tool', content: wholeOf(given.output), toolCallId: given.call_id });
        return;
      case undefined:
      case 'message':
        this.#say(given);
        return;
      default:
      // Items of the other types are refused before.
    }
  }
  flush(): void {
    if (!this.#open) return;
    const { reasoning: thought, content, toolCalls } = this.#open;
    this.messages.push({ role: 'assistant', content, ...(thought === '' ? {} : { reasoning: thought }), ...(toolCalls.length > 0 ? { toolCalls } : {}) });
    this.#open = undefined;
  }
  #say({ role, content }: z.infer<typeof message>): void {
    if (role === 'assistant') {
      const open = this.#begin();
      open.content = joined(open.content, wholeOf(content));
    } else {
      this.flush();
      this.messages.push({ role: role === 'developer' ? 'system' : role, content: wholeOf(content) });
    }
  }
  /** The assistant's message under way; another one where that has already spoken. What comes beside calls belongs to them: their outputs stand behind all of it. */
  #begin(): OpenMessage {
    if (this.#open && this.#open.content !== '' && this.#open.toolCalls.length === 0) this.flush();
    return this.#current();
  }
  #current(): OpenMessage {
    return (this.#open ??= { reasoning: '', content: '', toolCalls: [] });
  }
}
