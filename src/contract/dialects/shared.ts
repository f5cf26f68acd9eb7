// Owns what the dialects beside OpenAI's chat share: limits, tools, what a request may not combine, and the request to the answerer.
// Refuses to know any one dialect.

import { z } from 'zod';
import { text } from '../common.ts';
import { knowledge, knowledgeOf } from '../chat.ts';
import { generation, harmless, limitsOf } from '../generation.ts';
import type { AnswerRequest } from '../../answers/port.ts';
import type { ChatMessage, ChatPrompt, ConstraintSpec, Sampling, TextLimits, Tool, ToolChoice } from '../../engine/port.ts';

export const MESSAGE_CHARACTERS = 1_000_000;
export const MOST_MESSAGES = 4096;
export const MOST_BLOCKS = 1000;
const MOST_TOOLS = 128;
/** Larger ones are refused before they are read. */
const SCHEMA_CHARACTERS = 256 * 1024;

export const said = text(MESSAGE_CHARACTERS);
export const callId = z.string().min(1).max(256);
export const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 _ -');
export const jsonSchema = z
  .record(z.string(), z.unknown())
  .refine((schema) => JSON.stringify(schema).length <= SCHEMA_CHARACTERS, `must have at most ${SCHEMA_CHARACTERS} characters`);
/** Of a tool's arguments. */
export const argumentsSchema = jsonSchema.refine(({ type }) => type === undefined || type === 'object', {
  error: 'must be "object": arguments are given by name',
  path: ['type'],
});
export const listOfTools = <T extends z.ZodType<{ readonly name?: unknown }>>(tool: T) =>
  z
    .array(tool)
    .max(MOST_TOOLS)
    .refine((tools) => new Set(tools.map(({ name }) => name)).size === tools.length, 'has two tools of one name; each needs a name of its own');
/** What is never accepted: the message says so where the value is. */
export const refused = <const T extends readonly [string, ...string[]]>(types: T, error: string) =>
  z
    .looseObject({ type: z.enum(types) })
    .refine(() => false, { error, params: { unsupported: true } })
    .describe(`Not supported: ${error}.`);
export const knowledgeField = knowledge.nullish().describe("Pharos's own field: whether and how the answer comes from the graph.");

export const temperature = z
  .number()
  .min(0)
  .max(2)
  .nullish()
  .describe('0 (the default) is greedy: the same request gives the same answer, and answers are cached.');
export const effort = z
  .string()
  .regex(/^[a-z]{1,16}$/, 'must be a word such as low, medium, high')
  .nullish()
  .describe('How much the model thinks before it speaks. Handed to the chat template of the model, which may know other words or none.');
export const topP = z.number().min(0).max(1).nullish();

/** Pharos's own fields on when a request has its turn, and how long it may take. */
export const turn = { priority: harmless.priority, timeout: harmless.timeout };
const LIMITED =
  "As in `POST /v1/chat/completions`, and never exceeded; where something was left out, the answer ends as at its limit of tokens. (Pharos's own field.)";
/** Pharos's own fields on how long the text may be. */
export const lengths = {
  max_words: generation.max_words.describe(`Words of the text at most. ${LIMITED}`),
  max_characters: generation.max_characters.describe(`Characters of the text at most. ${LIMITED}`),
  max_words_per_line: generation.max_words_per_line.describe(`Words of each line at most. ${LIMITED}`),
  max_characters_per_line: generation.max_characters_per_line.describe(`Characters of each line at most. ${LIMITED}`),
};
/** Of a request with these fields. */
export function limited(request: Pick<Parameters<typeof limitsOf>[0], keyof typeof lengths>): Pick<Asked, 'limits'> {
  const limits = limitsOf(request);
  return limits ? { limits } : {};
}

/** What a dialect's request comes to. */
export interface Asked {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly thinking?: boolean;
  readonly effort?: string;
  readonly continues?: boolean;
  readonly constraint?: ConstraintSpec;
  readonly limits?: TextLimits;
  readonly knowledge: z.infer<typeof knowledgeField>;
}
/** Names of the fields, as the dialect writes them. */
export interface FieldNames {
  readonly toolChoice: string;
  readonly format: string;
}
interface Clash {
  readonly path: string;
  readonly error: string;
}
/** What a request asks for that cannot be had together. */
export function clashOf({ tools, toolChoice, constraint, continues, knowledge: given }: Asked, names: FieldNames): Clash | undefined {
  if (typeof toolChoice === 'object' && !tools.some(({ name }) => name === toolChoice.name))
    return { path: names.toolChoice, error: `names the tool ${JSON.stringify(toolChoice.name)}, which is not among tools` };
  if (toolChoice === 'required' && tools.length === 0) return { path: names.toolChoice, error: 'asks for a call, but there are no tools; give some' };
  const calls = tools.length > 0 && toolChoice !== 'none';
  if (calls && constraint) return { path: names.format, error: 'cannot be combined with tools; leave one of them out' };
  const grounded = given && given.mode !== 'off' && given.mode !== 'auto';
  const other = calls ? 'tools' : constraint ? names.format : continues === true ? 'a last message that is gone on with' : undefined;
  if (grounded && other !== undefined)
    return { path: 'knowledge', error: `an answer from the graph cannot be combined with ${other}; leave one of them out, or give knowledge.mode "off"` };
  return undefined;
}
/** Refines a request schema by `clashOf`. */
export const withoutClash =
  <T>(read: (request: T) => Asked, names: (request: T) => FieldNames) =>
  (request: T, context: z.RefinementCtx<T>): void => {
    const clash = clashOf(read(request), names(request));
    if (clash) context.addIssue({ code: 'custom', path: clash.path.split('.'), message: clash.error });
  };

/** What is asked of the model beside the messages. */
export function chatOf({ tools, toolChoice, parallelToolCalls, thinking, effort: how, continues }: Asked): Omit<ChatPrompt, 'kind' | 'messages'> {
  return {
    ...(tools.length > 0
      ? { tools, ...(toolChoice === undefined ? {} : { toolChoice }), ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }) }
      : {}),
    ...(thinking === undefined ? {} : { thinking }),
    ...(how === undefined ? {} : { reasoningEffort: how }),
    ...(continues === true ? { continues } : {}),
  };
}
/** The request to the answerer. `model` and `maxTokens` are what the service decided on. */
export function answerRequest(
  asked: Asked,
  { model, maxTokens, sampling, stop = [] }: { model: string; maxTokens: number; sampling: Sampling; stop?: readonly string[] },
): AnswerRequest {
  const { constraint, limits } = asked;
  const chat = chatOf(asked);
  return {
    model,
    messages: asked.messages,
    ...(Object.keys(chat).length > 0 ? { chat } : {}),
    sampling,
    maxTokens,
    stop,
    ...(constraint ? { constraint } : {}),
    ...(limits ? { limits } : {}),
    knowledge: knowledgeOf(asked.knowledge),
  };
}
