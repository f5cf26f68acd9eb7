// Owns what a line of training data may be: a conversation, or a text and its completion.
// Refuses to know files, templates and tokens.

import { z } from 'zod';
import { callsOf, toolCalls, tools, toolsOf } from '../../contract/tools.ts';
import type { ChatMessage, ChatPrompt } from '../../engine/port.ts';

const MOST_MESSAGES = 4096;
const text = z.string();
const part = z.strictObject({ type: z.literal('text', { error: 'only parts of type "text" are supported' }), text });
const message = z
  .strictObject({
    role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
    content: z.union([text, z.array(part).max(1000)], { error: 'must be a text, or an array of at most 1000 parts of type "text"' }).nullish(),
    /** These three stand in every reply that a service with OpenAI's API gives, and say nothing. */
    refusal: z.null({ error: 'must be null; a refusal is learnt as content' }).optional(),
    audio: z.null({ error: 'must be null; audio is not supported' }).optional(),
    annotations: z.array(z.unknown()).max(0, { error: 'must be empty; annotations are not learnt' }).nullish(),
    name: text.max(256).nullish(),
    tool_calls: toolCalls.nullish(),
    tool_call_id: text.min(1).max(256).nullish(),
    reasoning_content: text.nullish(),
    /** Of an assistant: 0 leaves the message out of the loss. */
    weight: z.union([z.literal(0), z.literal(1)], { error: 'must be 0 or 1' }).nullish(),
    /** Special tokens in the text keep their meaning, as in prompts that the service itself writes; otherwise they are plain text. */
    trusted: z.boolean().nullish(),
  })
  .superRefine((given, context) => {
    const wrong = (field: keyof typeof given, reason: string): void => context.addIssue({ code: 'custom', path: [field], message: reason });
    if (given.role !== 'assistant')
      for (const field of ['tool_calls', 'reasoning_content', 'weight'] as const)
        if (given[field] !== undefined && given[field] !== null) wrong(field, `belongs to messages of the role assistant; this one is of ${given.role}`);
    if ((given.content === undefined || given.content === null) && !given.tool_calls?.length) wrong('content', 'is missing; give a text, or tool_calls');
  });
const conversation = z
  .object({ messages: z.array(message).min(1).max(MOST_MESSAGES), tools: tools.nullish() })
  .superRefine(({ messages }, context) => {
    const learned = messages.flatMap(({ role, weight }, i) => (role === 'assistant' && weight !== 0 ? [i] : []));
    const wrong = (message: string): void => context.addIssue({ code: 'custom', path: ['messages'], message });
    if (learned.length === 0) wrong('there is no message of the role assistant to learn; add one, or leave its weight 0 out');
    // What the assistant says before anything else answers no prompt.
    else if (learned.join() === '0') wrong('the assistant speaks first, and there is no other reply to learn; put a message of the user in front');
  });
const completion = z.object({ prompt: text, completion: text.min(1) });

export type ExampleMessage = ChatMessage & { readonly trusted?: boolean; readonly learned: boolean };
export type Example =
  | { readonly kind: 'chat'; readonly messages: readonly ExampleMessage[]; readonly tools?: ChatPrompt['tools'] }
  /** What follows the prompt is learnt. */
  | { readonly kind: 'completion'; readonly prompt: string; readonly completion: string };

const problems = (error: z.ZodError): string => error.issues.map(({ path, message: reason }) => `${path.join('.') || 'the whole line'}: ${reason}`).join('; ');
function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new TypeError(problems(result.error));
  return result.data;
}

function messageOf({
  role,
  content,
  name,
  tool_calls: calls,
  tool_call_id: id,
  reasoning_content: reasoning,
  weight,
  trusted,
}: z.infer<typeof message>): ExampleMessage {
  return {
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : (content ?? []).map((each) => each.text).join(''),
    ...(reasoning ? { reasoning } : {}),
    ...(calls?.length ? { toolCalls: callsOf(calls) } : {}),
    ...(id ? { toolCallId: id } : {}),
    ...(name ? { name } : {}),
    ...(trusted ? { trusted } : {}),
    learned: role === 'assistant' && weight !== 0,
  };
}

/**
 * Reads `{"messages": [{role, content}, ...], "tools"?: [...]}` as OpenAI has it, or `{"prompt", "completion"}`; further fields of the line are passed over, those of a message are not.
 * Throws TypeError that says which field is wrong.
 */
export function exampleOf(value: unknown): Example {
  const line = checked(z.looseObject({}), value);
  if ('messages' in line) {
    const { messages, tools: given } = checked(conversation, line);
    return { kind: 'chat', messages: messages.map(messageOf), ...(given?.length ? { tools: toolsOf(given, undefined).tools } : {}) };
  }
  if ('prompt' in line || 'completion' in line) return { kind: 'completion', ...checked(completion, line) };
  throw new TypeError(
    'the line has neither messages nor prompt and completion; write {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}',
  );
}
/** The same out of a line's text. */
export function readExample(line: string): Example {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new TypeError(`is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return exampleOf(value);
}
