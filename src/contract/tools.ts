// Owns the wire form of tools, of the choice among them and of calls, as OpenAI's chats have them.
// Refuses to know how models call, and what the functions do.

import { z } from 'zod';
import { text } from './common.ts';
import type { GenerateEvent, Tool, ToolCall, ToolChoice } from '../engine/port.ts';

export const MOST_TOOLS = 128;
const MOST_CALLS = 1024;
/** Larger ones are refused before they are read. */
const SCHEMA_CHARACTERS = 256 * 1024;

const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -');
const isFunction = z.literal('function', { error: 'must be "function"; no other kind of tool is supported' });
const parameters = z
  .record(z.string(), z.unknown())
  .refine((schema) => schema['type'] === undefined || schema['type'] === 'object', { error: 'must be "object": arguments are given by name', path: ['type'] })
  .refine((schema) => JSON.stringify(schema).length <= SCHEMA_CHARACTERS, `must have at most ${SCHEMA_CHARACTERS} characters`)
  .describe('A JSON Schema of the arguments; a function without it takes none.');
const tool = z
  .strictObject({
    type: isFunction,
    function: z.strictObject({
      name: functionName,
      description: text(100_000).nullish(),
      parameters: parameters.nullish(),
      strict: z.boolean().nullish().describe('The arguments are valid by the schema, by construction. A schema that cannot be kept to is refused.'),
    }),
  })
  .meta({ id: 'ChatTool', description: 'A function that the model may call; whoever asks runs it and gives the result back as a message of the role `tool`.' });
export const tools = z
  .array(tool)
  .max(MOST_TOOLS)
  .superRefine((given, context) => {
    const seen = new Set<string>();
    for (const [i, { function: { name } }] of given.entries()) {
      if (seen.has(name)) context.addIssue({ code: 'custom', path: [i, 'function', 'name'], message: `is ${JSON.stringify(name)}, as that of an earlier tool; each needs a name of its own` });
      seen.add(name);
    }
  });
const named = z.strictObject({ type: isFunction, function: z.strictObject({ name: functionName }) });
export const toolChoice = z
  .union([
    z.enum(['none', 'auto', 'required']),
    named,
    z.strictObject({ type: z.literal('allowed_tools'), allowed_tools: z.strictObject({ mode: z.enum(['auto', 'required']), tools: z.array(named).min(1).max(MOST_TOOLS) }) }),
  ])
  .meta({ id: 'ChatToolChoice', description: '`auto` (default): the model decides. `required`: it calls at least one function, with arguments that are valid by construction. A function: it calls this one. `none`: it calls none.' });

export const toolCalls = z
  .array(
    z.strictObject({
      id: z.string().min(1).max(256),
      type: isFunction,
      function: z.strictObject({ name: functionName, arguments: text(1_000_000).describe("JSON, as the model wrote it.") }),
      index: z.int().nonnegative().optional().describe('Accepted and not used.'),
    }),
  )
  .max(MOST_CALLS);
export const callReply = z
  .strictObject({ id: z.string(), type: z.literal('function'), function: z.strictObject({ name: z.string(), arguments: z.string().describe('JSON; what is cut off by `max_tokens` is not whole.') }) })
  .meta({ id: 'ChatToolCall' });
export const callDelta = z
  .strictObject({
    index: z.int(),
    id: z.string().optional().describe('With the name, in the first part of a call.'),
    type: z.literal('function').optional(),
    function: z.strictObject({ name: z.string().optional(), arguments: z.string() }),
  })
  .meta({ id: 'ChatToolCallDelta' });

type GivenTools = z.infer<typeof tools> | null | undefined;
type GivenChoice = z.infer<typeof toolChoice> | null | undefined;

/** What is wrong with a choice among these tools; undefined: nothing. */
export function choiceProblem(given: GivenTools, choice: GivenChoice): string | undefined {
  const names = (given ?? []).map((each) => each.function.name);
  if (choice === 'required' && names.length === 0) return 'asks for a call, and there are no tools; give some';
  if (typeof choice !== 'object' || choice === null) return undefined;
  const asked = choice.type === 'function' ? [choice.function.name] : choice.allowed_tools.tools.map((each) => each.function.name);
  const missing = asked.find((name) => !names.includes(name));
  if (missing === undefined) return undefined;
  return `names the function ${JSON.stringify(missing)}, which is not among the tools; there ${names.length === 0 ? 'are none' : `are: ${names.slice(0, 20).join(', ')}`}`;
}
/** The tools that may be called, and how one is chosen; empty where there are none. */
export function toolsOf(given: GivenTools, choice: GivenChoice): { readonly tools?: readonly Tool[]; readonly toolChoice?: ToolChoice } {
  if (!given || given.length === 0) return {};
  const allowed = typeof choice === 'object' && choice?.type === 'allowed_tools' ? new Set(choice.allowed_tools.tools.map((each) => each.function.name)) : undefined;
  const offered = given
    .filter((each) => !allowed || allowed.has(each.function.name))
    .map(({ function: { name, description, parameters: schema, strict } }): Tool => ({
      name,
      ...(description === undefined || description === null ? {} : { description }),
      ...(schema === undefined || schema === null ? {} : { parameters: schema }),
      ...(strict === true ? { strict } : {}),
    }));
  if (choice === undefined || choice === null) return { tools: offered };
  if (typeof choice === 'string') return { tools: offered, toolChoice: choice };
  return { tools: offered, toolChoice: choice.type === 'function' ? { name: choice.function.name } : choice.allowed_tools.mode };
}
export const callsOf = (given: z.infer<typeof toolCalls>): ToolCall[] => given.map(({ id, function: { name, arguments: args } }) => ({ id, name, arguments: args }));

type CallPart = Extract<GenerateEvent, { kind: 'tool_call' }>;
export const callDeltaWire = ({ index, id, name, arguments: args }: CallPart): z.infer<typeof callDelta> => ({
  index,
  ...(id === undefined ? {} : { id, type: 'function' as const }),
  function: { ...(name === undefined ? {} : { name }), arguments: args },
});
/** The calls of a reply out of their parts. */
export class GatheredCalls {
  readonly #calls = new Map<number, z.infer<typeof callReply>>();
  take({ index, id = '', name = '', arguments: args }: CallPart): void {
    const call = this.#calls.get(index);
    if (call) call.function.arguments += args;
    else this.#calls.set(index, { id, type: 'function', function: { name, arguments: args } });
  }
  wire(): z.infer<typeof callReply>[] {
    return [...this.#calls].toSorted(([a], [b]) => a - b).map(([, call]) => call);
  }
}
