// Owns the wire form of texts as tokens and tokens as text, as vLLM has it.
// Refuses to know how texts are cut into tokens.

import { z } from 'zod';
import { text } from './common.ts';
import { answersCalls, continuesOf, message, messageOf } from './messages.ts';
import { tools, toolsOf } from './tools.ts';
import type { ChatPrompt, Encoded, EncodedText, ModelInfo } from '../engine/port.ts';

const model = z.string().min(1).max(256).optional().describe('A name from `GET /v1/models`; the first of them when absent.');
const flag = (what: string) => z.boolean().nullish().describe(what);
const ids = z.array(z.int().nonnegative().max(2 ** 31)).max(1_000_000);

export const tokenizeRequest = z
  .strictObject({
    model,
    prompt: text(1_000_000).optional().describe('A text, in which special tokens keep their meaning; or `messages`.'),
    messages: z.array(message).min(1).max(4096).superRefine(answersCalls).optional().describe("A chat, as the model's template writes it."),
    tools: tools.nullish(),
    chat_template_kwargs: z.strictObject({ enable_thinking: z.boolean().nullish(), thinking: z.boolean().nullish() }).nullish().describe('As in `POST /v1/chat/completions`.'),
    add_generation_prompt: flag('False only with `continue_final_message: true`.'),
    continue_final_message: flag("The last message, which is an assistant's, is left open."),
    add_special_tokens: flag("Of a text: with what the tokenizer puts around it, as it is read (default true). A chat has its template's own."),
    return_token_strs: flag('Also how the vocabulary spells each token.'),
  })
  .superRefine(({ prompt, messages, ...request }, context) => {
    const wrong = (field: string, reason: string): void => context.addIssue({ code: 'custom', path: [field], message: reason });
    if (prompt === undefined && messages === undefined) wrong('prompt', 'is required, or messages');
    if (prompt !== undefined) for (const [field, value] of Object.entries({ messages, tools: request.tools })) if (value) wrong(field, 'cannot be given together with prompt');
    if (messages === undefined) return;
    const continues = continuesOf({ ...request, messages });
    if (request.add_special_tokens === true) wrong('add_special_tokens', "belongs to a text: a chat has its template's own");
    if (continues !== (request.add_generation_prompt === false) && typeof request.add_generation_prompt === 'boolean') wrong('add_generation_prompt', 'is false where the last message is gone on with, and only there');
    if (continues && messages.at(-1)?.role !== 'assistant') wrong('messages', 'must end with a message of the role assistant to be gone on with');
  })
  .meta({ id: 'TokenizeRequest', example: { model: 'pharos-mini', prompt: 'Albert Einstein was born in Ulm.', return_token_strs: true } });
type TokenizeRequest = z.infer<typeof tokenizeRequest>;
export const tokenizeReply = z
  .strictObject({
    count: z.int(),
    max_model_len: z.int().nullable().describe('Tokens that the model takes.'),
    tokens: z.array(z.int()),
    token_strs: z.array(z.string()).nullable(),
  })
  .meta({ id: 'TokenizeReply' });
export const detokenizeRequest = z.strictObject({ model, tokens: ids }).meta({ id: 'DetokenizeRequest', example: { model: 'pharos-mini', tokens: [65, 108] } });
export const detokenizeReply = z.strictObject({ prompt: z.string().describe('With special tokens written out.') }).meta({ id: 'DetokenizeReply' });

export function encodedOf(request: TokenizeRequest): EncodedText | ChatPrompt {
  const { prompt = '', messages, tools: given, chat_template_kwargs: template, add_special_tokens: framed } = request;
  if (!messages) return { kind: 'text', text: prompt, framed: framed !== false };
  const thinking = template?.enable_thinking ?? template?.thinking ?? undefined;
  return { kind: 'chat', messages: messages.map(messageOf), ...toolsOf(given, undefined), ...(thinking === undefined ? {} : { thinking }), ...(continuesOf({ ...request, messages }) ? { continues: true } : {}) };
}
export const tokenizeWire = ({ ids: tokens, spelt }: Encoded, { contextLength }: ModelInfo, { return_token_strs: strings }: TokenizeRequest): z.infer<typeof tokenizeReply> => ({
  count: tokens.length,
  max_model_len: contextLength ?? null,
  tokens: [...tokens],
  token_strs: strings === true ? [...spelt] : null,
});
