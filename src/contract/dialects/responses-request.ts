// Owns the request of OpenAI's Responses, as far as it is text and functions: its tools and formats, and what they come to for the answerer.
// Refuses to know how answers are made and how they are told. Nothing is kept: a request brings its whole conversation.

import { z } from 'zod';
import {
  answerRequest,
  argumentsSchema,
  effort,
  jsonSchema,
  knowledgeField,
  lengths,
  limited,
  listOfTools,
  MOST_MESSAGES,
  said,
  temperature,
  toolName,
  topP,
  turn,
  withoutClash,
} from './shared.ts';
import type { Asked } from './shared.ts';
import { Conversation, item } from './responses-items.ts';
import { text } from '../common.ts';
import { constraintOf as structureOf } from '../forms.ts';
import { generation, harmless, samplingOf, stopsOf, unsupported, unused } from '../generation.ts';
import { checkTokens, knowledgeBeside } from '../tokens.ts';
import type { AnswerRequest } from '../../answers/port.ts';
import type { ConstraintSpec, Tool, ToolChoice } from '../../engine/port.ts';

const tool = z
  .strictObject({
    type: z.literal('function', { error: 'only tools of type "function" are supported: they run at the client' }),
    name: toolName,
    description: text(65_536).nullish(),
    parameters: argumentsSchema.nullish(),
    strict: z.boolean().nullish().describe('The arguments are valid by the schema, by construction.'),
    allowed_callers: unused,
    output_schema: unused,
    defer_loading: unsupported('', (value) => value === false),
  })
  .meta({ id: 'ResponseTool' });
const named = z.strictObject({ type: z.literal('function'), name: toolName });
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.discriminatedUnion('type', [
    named,
    z.strictObject({ type: z.literal('allowed_tools'), mode: z.enum(['auto', 'required']), tools: z.array(named).min(1).max(128) }),
  ]),
]);
const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string().max(64),
    description: z.string().max(10_000).nullish(),
    schema: jsonSchema,
    strict: z.boolean().nullish().describe('The text is always valid by the schema, by construction.'),
  }),
]);

const fields = {
  model: z.string().min(1).max(256).optional().describe('A name from `GET /v1/models`; the first of them when absent.'),
  input: z.union([said, z.array(item).min(1).max(MOST_MESSAGES)]).describe('A text, or the whole conversation as items.'),
  instructions: said.nullish(),
  tools: listOfTools(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.strictObject({ format: format.nullish(), verbosity: unused }).nullish(),
  reasoning: z
    .strictObject({
      effort: effort.describe(
        'How much the model thinks before it speaks; `none`: not at all. Handed to the chat template of the model, which may know other words or none.',
      ),
      summary: unused,
      generate_summary: unused,
      context: unused,
    })
    .nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature,
  top_p: topP,
  top_logprobs: z.int().min(0).max(20).nullish(),
  include: z
    .array(z.string().max(64))
    .max(32)
    .nullish()
    .describe('`message.output_text.logprobs` tells how likely the model found each token. What belongs to tools of a server has no effect.'),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_obfuscation: unused }).nullish(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((map) => Object.keys(map).length <= 16, 'has more than 16 keys')
    .nullish()
    .describe('Given back as it is.'),
  previous_response_id: unsupported('; no responses are kept: send the whole conversation as `input`', () => false),
  conversation: unsupported('; no conversations are kept: send the whole of it as `input`', () => false),
  background: unsupported('', (value) => value === false),
  prompt: unsupported('', () => false),
  truncation: unsupported(' or give "disabled"', (value) => value === 'disabled'),
  context_management: unsupported('', (value) => Array.isArray(value) && value.length === 0),
  moderation: unsupported('', () => false),
  max_tool_calls: unused,
  prompt_cache_options: unused,
  user: harmless.user,
  store: harmless.store,
  service_tier: harmless.service_tier,
  safety_identifier: harmless.safety_identifier,
  prompt_cache_key: harmless.prompt_cache_key,
  prompt_cache_retention: harmless.prompt_cache_retention,
  top_k: generation.top_k,
  repetition_penalty: generation.repetition_penalty,
  logit_bias: generation.logit_bias,
  seed: generation.seed,
  stop: generation.stop.describe('Texts that end the answer. (As in vLLM.)'),
  structured_outputs: generation.structured_outputs,
  ignore_eos: generation.ignore_eos,
  include_stop_str_in_output: generation.include_stop_str_in_output,
  skip_special_tokens: generation.skip_special_tokens,
  ...lengths,
  ...turn,
  knowledge: knowledgeField,
};
type Fields = z.infer<z.ZodObject<typeof fields>>;

function formatOf(given: Fields['text']): ConstraintSpec | undefined {
  const wanted = given?.format;
  if (wanted?.type === 'json_object') return { kind: 'json' };
  return wanted?.type === 'json_schema' ? { kind: 'schema', schema: wanted.schema } : undefined;
}
/** The field by which a form of the text is asked for, where one is. */
export const formFieldOf = (request: Pick<Fields, 'text' | 'structured_outputs'>): string => (request.structured_outputs && !formatOf(request.text) ? 'structured_outputs' : 'text.format');
function choiceOf(choice: NonNullable<Fields['tool_choice']>): ToolChoice {
  if (typeof choice === 'string') return choice;
  return choice.type === 'function' ? { name: choice.name } : choice.mode;
}
/** With `allowed_tools` the model is told of those alone. */
function toolsOf({ tools, tool_choice: choice }: Fields): Tool[] {
  const allowed = choice && typeof choice === 'object' && choice.type === 'allowed_tools' ? new Set(choice.tools.map(({ name }) => name)) : undefined;
  return (tools ?? [])
    .filter(({ name }) => !allowed || allowed.has(name))
    .map(({ name, description, parameters, strict }) => ({
      name,
      ...(typeof description === 'string' ? { description } : {}),
      ...(parameters ? { parameters } : {}),
      ...(strict === true ? { strict } : {}),
    }));
}
export function askedOf(request: Fields): Asked {
  const conversation = new Conversation();
  if (typeof request.instructions === 'string') conversation.messages.push({ role: 'system', content: request.instructions });
  if (typeof request.input === 'string') conversation.messages.push({ role: 'user', content: request.input });
  else for (const each of request.input) conversation.add(each);
  conversation.flush();
  const { tool_choice: choice, parallel_tool_calls: parallel, reasoning: thinks, knowledge } = request;
  const constraint = formatOf(request.text) ?? structureOf(request);
  const wanted = thinks?.effort;
  return {
    messages: conversation.messages,
    tools: toolsOf(request),
    ...(choice ? { toolChoice: choiceOf(choice) } : {}),
    ...(typeof parallel === 'boolean' ? { parallelToolCalls: parallel } : {}),
    ...(wanted === 'none' ? { thinking: false } : typeof wanted === 'string' ? { effort: wanted } : {}),
    ...(constraint ? { constraint } : {}),
    knowledge,
  };
}
/** Each output answers a call that stands before it, and what is allowed is among the tools. */
function checkCalls({ input, tools, tool_choice: choice }: Fields, context: z.RefinementCtx): void {
  const problem = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
  const called = new Set<string>();
  const items = typeof input === 'string' ? [] : input;
  for (const [i, each] of items.entries()) {
    if (each.type === 'function_call') called.add(each.call_id);
    else if (each.type === 'function_call_output' && !called.has(each.call_id))
      problem(['input', i, 'call_id'], `is ${JSON.stringify(each.call_id)}, which no earlier function_call has`);
  }
  if (items.at(-1)?.type === 'function_call')
    problem(['input', items.length - 1], 'is a call that nothing answers; send its output behind it, as an item of type "function_call_output"');
  const allowed = choice && typeof choice === 'object' && choice.type === 'allowed_tools' ? choice.tools : [];
  for (const [i, { name }] of allowed.entries())
    if (!tools?.some((each) => each.name === name))
      problem(['tool_choice', 'tools', i, 'name'], `names the tool ${JSON.stringify(name)}, which is not among tools`);
}
const tellsLikelihoods = ({ include, top_logprobs: top }: Fields): boolean => include?.includes('message.output_text.logprobs') === true || (top ?? 0) > 0;

export const responsesRequest = z
  .strictObject(fields)
  .superRefine(checkCalls)
  .superRefine(withoutClash(askedOf, (request) => ({ toolChoice: 'tool_choice', format: formFieldOf(request) })))
  .superRefine((request, context) => {
    const wrong = (field: string, message: string): void => context.addIssue({ code: 'custom', path: [field], message });
    const [format, structure] = [formatOf(request.text), structureOf(request)];
    if (format && structure && JSON.stringify(format) !== JSON.stringify(structure)) wrong('structured_outputs', 'asks for another form of the text than text.format does; leave one of them out');
    const { tools, toolChoice: choice, constraint, knowledge } = askedOf(request);
    const grounded = Boolean(knowledge && knowledge.mode !== 'off' && knowledge.mode !== 'auto');
    checkTokens(request, { form: constraint && formFieldOf(request), calls: tools.length > 0 && choice !== 'none', grounded }, wrong);
  })
  .meta({
    id: 'ResponsesRequest',
    examples: [
      { model: 'pharos-mini', input: 'Where was Albert Einstein born?' },
      { model: 'pharos-mini', input: [{ role: 'user', content: 'Is Socrates mortal?' }], stream: true, knowledge: {} },
    ],
  });
export type ResponsesRequest = Fields;

export function responsesAnswerRequest(request: ResponsesRequest, model: string, maxTokens: number): AnswerRequest {
  const { top_logprobs: top } = request;
  const sampling = { ...samplingOf(request), ...(tellsLikelihoods(request) ? { logprobs: top ?? 0 } : {}) };
  const answer = answerRequest({ ...askedOf(request), ...limited(request) }, { model, maxTokens, sampling, stop: stopsOf(request.stop) });
  return { ...answer, knowledge: knowledgeBeside(request, answer.knowledge) };
}
