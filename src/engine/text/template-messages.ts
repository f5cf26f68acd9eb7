// Owns conversations as templates want them: who takes turns, where system messages and answers of calls stand.
// Refuses to know templates, and how a message is made.

import type { ChatMessage } from '../port.ts';

/** A message as templates read it. */
export interface Shown {
  readonly role: string;
  readonly content: string | null;
  /** What stands in the place of the content, where a template wants it in parts. */
  readonly parts?: readonly object[];
  readonly [field: string]: unknown;
}
export const withParts = ({ parts, ...message }: Shown): object => (parts ? { ...message, content: parts } : message);

/** Neighbouring messages of a user, of which one is a call's answer, as one: many templates want users and assistants to take turns. */
export function merged(messages: readonly Shown[]): Shown[] {
  const all: Shown[] = [];
  for (const { answers, ...message } of messages) {
    const last = all.at(-1);
    if (last?.role === 'user' && message.role === 'user' && (answers === true || last['answers'] === true))
      all[all.length - 1] = { ...last, content: `${last.content}\n${message.content}`, answers };
    else all.push({ ...message, ...(answers === true ? { answers } : {}) });
  }
  return all;
}
/** Answers of calls in the messages that called. One that is an object in JSON is given as one, by `objectOf`. */
export function answeredWithin(messages: readonly Shown[], objectOf: (json: string) => object | undefined): Shown[] {
  const all: Shown[] = [];
  for (const message of messages) {
    const last = all.at(-1);
    if (message.role !== 'tool' || last?.role !== 'assistant') {
      all.push(message);
      continue;
    }
    const calls = (last['tool_calls'] ?? []) as readonly { readonly id: string; readonly function: { readonly name: string } }[];
    const name = calls.find(({ id }) => id === message['tool_call_id'])?.function.name ?? message['name'] ?? 'unknown';
    const answer = typeof message.content === 'string' ? (objectOf(message.content) ?? message.content) : message.content;
    all[all.length - 1] = { ...last, tool_responses: [...((last['tool_responses'] ?? []) as readonly object[]), { name, response: answer }] };
  }
  return all;
}
/** Behind what the client's own system message says, or in a message of its own. */
export function withSystem(messages: readonly Shown[], told: string): Shown[] {
  const [first, ...rest] = messages;
  if (first.role !== 'system') return [{ role: 'system', content: told }, ...messages];
  return [{ ...first, content: `${first.content}\n\n${told}` }, ...rest];
}
/** System messages in front of what the user says next; one that no user follows stays, and the template says what it thinks of it. */
export function withinUsers(messages: readonly Shown[]): Shown[] {
  const all: Shown[] = [];
  let held: Shown[] = [];
  for (const message of messages) {
    if (message.role === 'system') held.push(message);
    else if (message.role === 'user' && held.length > 0) {
      all.push({ ...message, content: [...held, message].map(({ content }) => content).join('\n') });
      held = [];
    } else all.push(message);
  }
  return [...all, ...held];
}

/** Templates of gpt-oss refuse a thought and a text before calls side by side, and show either as thought. */
export function thoughtBeforeCalls(message: ChatMessage): ChatMessage {
  const { content, reasoning = '', toolCalls = [] } = message;
  return toolCalls.length === 0 || content === '' || reasoning === '' ? message : { ...message, content: '', reasoning: `${reasoning}\n\n${content}` };
}
