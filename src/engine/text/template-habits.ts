// Owns what a chat template takes and shows where templates differ, found by showing it a conversation in each of the ways.
// Refuses to know what the messages of a request are.

export interface Habits {
  /** Calls are shown at all. */
  readonly calls: boolean;
  /** Arguments of calls as JSON text rather than as an object. */
  readonly argumentsAsText: boolean;
  /** Content of a message that only calls is null rather than empty. */
  readonly nullContent: boolean;
  /** Answers of calls stand in the message that calls, and not in messages of their own (Gemma 4, at first). */
  readonly responsesWithin: boolean;
  /** System messages are shown; templates without them refuse them, or leave them out without a word. */
  readonly system: boolean;
}

/** `render`: the prompt of these messages; throws where the template refuses them. */
export function habitsOf(render: (messages: readonly object[]) => string): Habits {
  const tried = (messages: readonly object[]): string => {
    try {
      return render(messages);
    } catch {
      return '';
    }
  };
  const user = { role: 'user', content: 'u' };
  const calling = (args: unknown, content: string | null): object => ({
    role: 'assistant',
    content,
    tool_calls: [{ id: 'call00001', type: 'function', function: { name: 'probe', arguments: args } }],
  });
  const answer = { role: 'tool', content: 'zqanswer', tool_call_id: 'call00001', name: 'probe' };
  const shows = (args: unknown, content: string | null): boolean => {
    const text = tried([user, calling(args, content), answer]);
    // An object may be shown in the model's own way: its key before its value, and not as Python prints it.
    return (typeof args === 'string' ? /"probed":\s*"zq"/ : /\bprobed\b(?!': )[^]*\bzq\b/).test(text) && !/\b(?:null|None)\b/.test(text);
  };
  const [object, text] = [{ probed: 'zq' }, '{"probed": "zq"}'];
  const asObject = shows(object, '') || shows(object, null);
  const asText = !asObject && (shows(text, '') || shows(text, null));
  const args = asText ? text : object;
  const answers = (messages: readonly object[]): boolean => tried(messages).includes('zqanswer');
  const within = { ...calling(args, ''), tool_responses: [{ name: 'probe', response: 'zqanswer' }] };
  return {
    calls: asObject || asText,
    argumentsAsText: asText,
    nullContent: shows(args, null),
    responsesWithin: !answers([user, calling(args, ''), answer]) && answers([user, within]),
    system: tried([{ role: 'system', content: 'zqsystem' }, user]).includes('zqsystem'),
  };
}
