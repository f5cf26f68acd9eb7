// Owns the request of Anthropic's Messages: its blocks, tools and thinking, and what they come to for the answerer.
// Refuses to know how answers are made and how they are told.

import { z } from 'zod';
import {
  answerRequest,
  argumentsSchema,
  callId,
  chatOf,
  effort,
  jsonSchema,
  knowledgeField,
  lengths,
  limited,
  listOfTools,
  MESSAGE_CHARACTERS,
  MOST_BLOCKS,
  MOST_MESSAGES,
  refused,
  said,
  temperature,
  toolName,
  topP,
  turn,
  withoutClash,
} from './shared.ts';
import type { Asked } from './shared.ts';
import { samplingOf, unsupported, unused } from '../generation.ts';
import type { AnswerRequest } from '../../answers/port.ts';
import { text } from '../common.ts';
import type { ChatMessage, ChatPrompt, Tool, ToolCall, ToolChoice } from '../../engine/port.ts';

const textBlock = z.strictObject({ type: z.literal('text'), text: said, cache_control: unused, citations: unused });
const texts = z.union([said, z.array(textBlock).max(MOST_BLOCKS)]);
const notText = refused(
  ['image', 'document', 'search_result'],
  'images, documents and search results cannot be read; send their text in blocks of type "text"',
);
const notAfterwards = refused(['tool_reference', 'browser_state'], 'results of tools are text here; send blocks of type "text"');
const atServer = refused(
  [
    'server_tool_use',
    'web_search_tool_result',
    'web_fetch_tool_result',
    'code_execution_tool_result',
    'bash_code_execution_tool_result',
    'text_editor_code_execution_tool_result',
    'tool_search_tool_result',
    'mcp_tool_use',
    'mcp_tool_result',
    'container_upload',
  ],
  'no tools run at this server; leave such blocks out, or send what they say in blocks of type "text"',
);
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: callId,
  name: z.string().min(1).max(256),
  input: z.record(z.string(), z.unknown()),
  cache_control: unused,
  caller: unused,
  toolset_name: unused,
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: callId,
  content: z.union([said, z.array(z.discriminatedUnion('type', [textBlock, notText, notAfterwards])).max(MOST_BLOCKS)]).optional(),
  is_error: z.boolean().optional().describe('The model is told the content as it is; where there is none, that it failed.'),
  cache_control: unused,
  toolset_name: unused,
});
const thinkingBlock = z.strictObject({
  type: z.literal('thinking'),
  thinking: said,
  signature: z.string().max(MESSAGE_CHARACTERS).optional().describe('Accepted and not checked.'),
});
const hidden = z.strictObject({ type: z.literal('redacted_thinking'), data: unused });
const userBlock = z.discriminatedUnion('type', [textBlock, toolResult, notText, atServer]);
const assistantBlock = z.discriminatedUnion('type', [textBlock, toolUse, thinkingBlock, hidden, notText, atServer]);
const content = <T extends z.ZodType>(block: T) => z.union([said, z.array(block).max(MOST_BLOCKS)]).describe('Text, or blocks.');
const message = z
  .discriminatedUnion('role', [
    z.strictObject({ role: z.literal('user'), content: content(userBlock) }),
    z.strictObject({ role: z.literal('assistant'), content: content(assistantBlock) }),
    z.strictObject({ role: z.literal('system'), content: texts }),
  ])
  .meta({ id: 'AnthropicMessageParam' });

const tool = z
  .strictObject({
    type: z.literal('custom', { error: 'only tools of type "custom" (or without a type) are supported: they run at the client' }).nullish(),
    name: toolName,
    description: text(65_536).optional(),
    input_schema: argumentsSchema,
    strict: z.boolean().optional().describe('The input is valid by the schema, by construction.'),
    cache_control: unused,
    eager_input_streaming: unused,
    input_examples: unused,
    allowed_callers: unused,
    defer_loading: unsupported('', (value) => value === false),
  })
  .meta({ id: 'AnthropicTool' });
const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const toolChoice = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto'), ...parallel }),
  z.strictObject({ type: z.literal('any'), ...parallel }),
  z.strictObject({ type: z.literal('tool'), name: toolName, ...parallel }),
  z.strictObject({ type: z.literal('none') }),
]);
const display = { display: z.enum(['summarized', 'omitted']).nullish().describe('`omitted`: the block comes without its text. Otherwise all of it is given.') };
const thinking = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1).optional().describe('Accepted; the model is not held to it.'), ...display }),
  z.strictObject({ type: z.literal('adaptive'), ...display }),
  z.strictObject({ type: z.literal('between_tools') }),
  z.strictObject({ type: z.literal('disabled') }),
]);
const format = z.strictObject({ type: z.literal('json_schema'), schema: jsonSchema });

const prompt = {
  model: z.string().min(1).max(256).describe('A name from `GET /v1/models`.'),
  messages: z.array(message).min(1).max(MOST_MESSAGES).describe('An assistant message at the end is gone on with.'),
  system: texts.optional(),
  tools: listOfTools(tool).optional(),
  tool_choice: toolChoice.optional(),
  thinking: thinking
    .optional()
    .describe('Whether the model thinks before it speaks, for models that can be told; `adaptive` and `between_tools` leave it to the model.'),
  output_config: z.strictObject({ effort, format: format.nullish() }).optional(),
  cache_control: unused,
  context_management: unused,
  speed: unused,
  user_profile_id: unused,
  workspace_id: unused,
};
type Prompt = z.infer<z.ZodObject<typeof prompt>>;

const joined = (blocks: readonly { readonly text: string }[]): string => blocks.map((block) => block.text).join('\n');
const whole = (value: z.infer<typeof texts>): string => (typeof value === 'string' ? value : joined(value));
function resultText({ content: given = '', is_error: failed }: z.infer<typeof toolResult>): string {
  const all = typeof given === 'string' ? given : joined(given.filter((block) => block.type === 'text'));
  return all === '' && failed === true ? 'The tool failed.' : all;
}
/** Results become messages of their own, in order, with the texts between them. */
function userMessages(blocks: readonly z.infer<typeof userBlock>[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let texts: { readonly text: string }[] = [];
  const flush = (): void => {
    if (texts.length > 0) messages.push({ role: 'user', content: joined(texts) });
    texts = [];
  };
  for (const block of blocks) {
    if (block.type === 'text') texts.push(block);
    else if (block.type === 'tool_result') {
      flush();
      messages.push({ role: 'tool', content: resultText(block), toolCallId: block.tool_use_id });
    }
  }
  flush();
  return messages;
}
function assistantMessage(blocks: readonly z.infer<typeof assistantBlock>[]): ChatMessage {
  let [spoken, thought] = ['', ''];
  const toolCalls: ToolCall[] = [];
  for (const block of blocks) {
    if (block.type === 'text') spoken += block.text;
    else if (block.type === 'thinking') thought += block.thinking;
    else if (block.type === 'tool_use') toolCalls.push({ id: block.id, name: block.name, arguments: JSON.stringify(block.input) });
  }
  return { role: 'assistant', content: spoken, ...(thought === '' ? {} : { reasoning: thought }), ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}
function messagesOf({ system, messages }: Prompt): ChatMessage[] {
  const told = messages.flatMap((given): ChatMessage[] => {
    if (given.role === 'system') return [{ role: 'system', content: whole(given.content) }];
    if (typeof given.content === 'string') return [{ role: given.role, content: given.content }];
    return given.role === 'user' ? userMessages(given.content) : [assistantMessage(given.content)];
  });
  return system === undefined || system.length === 0 ? told : [{ role: 'system', content: whole(system) }, ...told];
}

const within = (value: unknown, ...path: (string | number)[]): unknown => path.reduce<unknown>((each, name) => (typeof each === 'object' && each !== null ? Reflect.get(each, name) : undefined), value);
/** Gives the calls of a body, before it is checked, the inputs that they have in `exact`: the same body, with whole numbers as they came. */
export function takeInputs(body: unknown, exact: unknown): void {
  const entries = (value: unknown): [number, unknown][] => (Array.isArray(value) ? [...value.entries()] : []);
  for (const [i, given] of entries(within(body, 'messages')))
    for (const [j, block] of entries(within(given, 'content'))) {
      const input = within(exact, 'messages', i, 'content', j, 'input');
      if (typeof block === 'object' && block !== null && typeof within(block, 'input') === 'object') Object.assign(block, { input });
    }
}

const toolOf = ({ name, description, input_schema: parameters, strict }: z.infer<typeof tool>): Tool => ({
  name,
  ...(description === undefined ? {} : { description }),
  parameters,
  ...(strict === true ? { strict } : {}),
});
function choiceOf(choice: z.infer<typeof toolChoice>): ToolChoice {
  if (choice.type === 'any') return 'required';
  return choice.type === 'tool' ? { name: choice.name } : choice.type;
}
export function askedOf(request: Prompt & { readonly knowledge?: Asked['knowledge'] }): Asked {
  const { tools = [], tool_choice: choice, thinking: thinks, output_config: output, knowledge } = request;
  const single = choice && choice.type !== 'none' ? choice.disable_parallel_tool_use : undefined;
  return {
    messages: messagesOf(request),
    tools: tools.map(toolOf),
    ...(choice ? { toolChoice: choiceOf(choice) } : {}),
    ...(single === undefined ? {} : { parallelToolCalls: !single }),
    ...(thinks?.type === 'enabled' || thinks?.type === 'disabled' ? { thinking: thinks.type === 'enabled' } : {}),
    ...(typeof output?.effort === 'string' ? { effort: output.effort } : {}),
    ...(request.messages.at(-1)?.role === 'assistant' ? { continues: true } : {}),
    ...(output?.format ? { constraint: { kind: 'schema' as const, schema: output.format.schema } } : {}),
    knowledge,
  };
}
/** Each result answers a call that stands before it, and no call is to be gone on with. */
function checkCalls({ messages }: Prompt, context: z.RefinementCtx): void {
  const called = new Set<string>();
  const problem = (path: (string | number)[], error: string): void => context.addIssue({ code: 'custom', path: ['messages', ...path], message: error });
  for (const [i, { content: blocks }] of messages.entries()) {
    if (typeof blocks === 'string') continue;
    for (const [j, block] of blocks.entries()) {
      if (block.type === 'tool_use') called.add(block.id);
      else if (block.type === 'tool_result' && !called.has(block.tool_use_id))
        problem(
          [i, 'content', j, 'tool_use_id'],
          `is ${JSON.stringify(block.tool_use_id)}, which no tool_use block of an earlier assistant message has as its id`,
        );
    }
  }
  const last = messages.at(-1);
  if (last?.role === 'assistant' && typeof last.content !== 'string' && last.content.some(({ type }) => type === 'tool_use'))
    problem([messages.length - 1], 'ends with calls that nothing answers; send their results in a user message of tool_result blocks');
}
const NAMES = { toolChoice: 'tool_choice', format: 'output_config.format' };

export const messagesRequest = z
  .strictObject({
    ...prompt,
    max_tokens: z.int().min(1).describe('New tokens at most.'),
    stop_sequences: z.array(text(256).min(1)).max(16).optional(),
    stream: z.boolean().optional(),
    temperature,
    top_p: topP,
    top_k: z.int().min(0).nullish().describe('Only so many of the likeliest tokens; 0: all.'),
    metadata: z
      .strictObject({ user_id: z.string().max(512).nullish() })
      .nullish()
      .describe(
        '`user_id`: whom the request is for, in any words. Where the server has no keys, those who wait share it evenly between the clients named here.',
      ),
    service_tier: unused,
    diagnostics: unused,
    inference_geo: unused,
    container: unsupported('', () => false),
    mcp_servers: unsupported('', (value) => Array.isArray(value) && value.length === 0),
    ...lengths,
    ...turn,
    knowledge: knowledgeField,
  })
  .superRefine(checkCalls)
  .superRefine(withoutClash(askedOf, () => NAMES))
  .meta({
    id: 'AnthropicMessagesRequest',
    examples: [
      { model: 'pharos-mini', max_tokens: 256, messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }] },
      { model: 'pharos-mini', max_tokens: 256, messages: [{ role: 'user', content: 'Is Socrates mortal?' }], stream: true, knowledge: {} },
    ],
  });
export type MessagesRequest = z.infer<typeof messagesRequest>;
export const countRequest = z
  .strictObject(prompt)
  .superRefine(checkCalls)
  .superRefine(withoutClash(askedOf, () => NAMES))
  .meta({ id: 'AnthropicCountRequest', example: { model: 'pharos-mini', messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }] } });

export function messagesAnswerRequest(request: MessagesRequest, model: string, maxTokens: number): AnswerRequest {
  const { temperature: warmth, top_p, top_k, stop_sequences: stop } = request;
  return answerRequest(
    { ...askedOf(request), ...limited(request) },
    { model, maxTokens, sampling: samplingOf({ temperature: warmth, top_p, top_k }), ...(stop ? { stop } : {}) },
  );
}
/** What the model would read. */
export function countedPrompt(request: z.infer<typeof countRequest>): ChatPrompt {
  const asked = askedOf(request);
  return { kind: 'chat', messages: asked.messages, ...chatOf(asked) };
}
