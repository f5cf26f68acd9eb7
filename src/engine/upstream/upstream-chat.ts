// Owns chats on the way to and from a server elsewhere, in OpenAI's form: messages, tools and thoughts out; text, thoughts and parts of calls in.
// Refuses to know connections and streams.

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ChatMessage, ChatPrompt, GenerateEvent, Tool } from '../port.ts';

/** What a chunk brings of a message. Thoughts go by two names. */
export const deltaSchema = z.looseObject({
  content: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z
    .array(
      z.looseObject({
        index: z.int().nonnegative().nullish(),
        id: z.string().nullish(),
        function: z.looseObject({ name: z.string().nullish(), arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish() }).nullish(),
      }),
    )
    .nullish(),
});
type Delta = z.infer<typeof deltaSchema>;
type Part = Extract<GenerateEvent, { kind: 'reasoning' | 'tool_call' }>;

/** Thoughts and calls of one reply. Calls are counted here: some servers do not number them, or number all alike. */
export class DeltaReader {
  readonly #calls: { readonly id: string; readonly given: number | undefined }[] = [];
  get called(): boolean {
    return this.#calls.length > 0;
  }
  thought(delta: Delta): string {
    return delta.reasoning_content ?? delta.reasoning ?? '';
  }
  calls(delta: Delta): Part[] {
    return (delta.tool_calls ?? []).map(({ index, id, function: made }): Part => {
      const given = index ?? undefined;
      const args = made?.arguments ?? '';
      const text = typeof args === 'string' ? args : JSON.stringify(args);
      const known = this.#calls.findLastIndex((call) => (given === undefined || call.given === given) && (!id || call.id === id));
      if (known >= 0) return { kind: 'tool_call', index: known, arguments: text };
      const call = { id: id || `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`, given };
      return { kind: 'tool_call', index: this.#calls.push(call) - 1, id: call.id, name: made?.name ?? '', arguments: text };
    });
  }
}

const messageWire = ({ role, content, name, reasoning, toolCalls, toolCallId }: ChatMessage): object => ({
  role,
  content: content === '' && toolCalls?.length ? null : content,
  ...(name === undefined ? {} : { name }),
  ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
  ...(toolCalls?.length ? { tool_calls: toolCalls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })) } : {}),
  ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
});
const toolWire = ({ name, description, parameters, strict }: Tool): object => ({
  type: 'function',
  function: { name, ...(description === undefined ? {} : { description }), ...(parameters === undefined ? {} : { parameters }), ...(strict === undefined ? {} : { strict }) },
});

/** What is not in OpenAI's API is sent under the names that vLLM knows, and only where it is asked for. */
export function chatBody({ messages, tools = [], toolChoice, parallelToolCalls, thinking, reasoningEffort, continues }: ChatPrompt): Readonly<Record<string, unknown>> {
  const choice = typeof toolChoice === 'object' ? { type: 'function', function: { name: toolChoice.name } } : toolChoice;
  return {
    messages: messages.map(messageWire),
    ...(tools.length === 0 ? {} : { tools: tools.map(toolWire), ...(choice === undefined ? {} : { tool_choice: choice }), ...(parallelToolCalls === undefined ? {} : { parallel_tool_calls: parallelToolCalls }) }),
    ...(thinking === undefined ? {} : { chat_template_kwargs: { enable_thinking: thinking, thinking } }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
    ...(continues ? { continue_final_message: true, add_generation_prompt: false } : {}),
  };
}
