// Owns a stream of a server elsewhere as it comes: bytes to events, events to chunks, the likelihoods in them.
// Refuses to know what was asked, and who reads.

import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { EngineError } from '../port.ts';
import type { TokenIds, TokenLikelihood, WrittenToken } from '../port.ts';
import { deltaSchema } from './upstream-chat.ts';
import { parsed, refusalWithin } from './upstream-refusal.ts';

/** Bytes of one event. */
const MOST_BYTES = 16 * 1024 * 1024;

const likelihood = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullish() };
const chunkSchema = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        delta: deltaSchema.nullish(),
        text: z.string().nullish(),
        finish_reason: z.string().nullish(),
        prompt_token_ids: z.array(z.int()).nullish(),
        token_ids: z.array(z.int()).nullish(),
        logprobs: z
          .looseObject({
            content: z.array(z.looseObject({ ...likelihood, top_logprobs: z.array(z.looseObject(likelihood)).nullish() })).nullish(),
            // Of plain texts.
            tokens: z.array(z.string()).nullish(),
            token_logprobs: z.array(z.number().nullable()).nullish(),
            top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: z
    .looseObject({
      prompt_tokens: z.int().nullish(),
      completion_tokens: z.int().nullish(),
      prompt_tokens_details: z.looseObject({ cached_tokens: z.int().nullish() }).nullish(),
      completion_tokens_details: z.looseObject({ reasoning_tokens: z.int().nullish() }).nullish(),
    })
    .nullish(),
  /** Of chats. */
  prompt_token_ids: z.array(z.int()).nullish(),
  error: z.unknown().optional(),
  object: z.unknown().optional(),
});
export type Chunk = z.infer<typeof chunkSchema>;

/**
 * Chunks of a stream. Returns true when the server said by `[DONE]` that it is whole. Throws EngineError: what the server says is wrong, in any of the forms that servers have for it, or
 * `upstream_failed` for an event that is too long or none of OpenAI's.
 */
export async function* chunksOf(url: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Chunk, boolean> {
  const ready: { readonly data: string; readonly failed: boolean }[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => ready.push({ data, failed: event === 'error' }),
    // llama.cpp wrote `error: {...}` in the place of an event.
    onError: ({ type, field, value }) => {
      if (type === 'unknown-field' && field === 'error') ready.push({ data: value ?? '', failed: true });
    },
  });
  const decoder = new TextDecoder();
  let held = 0;
  for await (const bytes of body) {
    held += bytes.length;
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (ready.length > 0) held = 0;
    if (held > MOST_BYTES) throw new EngineError('upstream_failed', `the engine at ${url} sent an event of more than ${MOST_BYTES} bytes`);
    for (const { data, failed } of ready.splice(0)) {
      if (data === '[DONE]') return true;
      const value = parsed(data);
      const chunk = chunkSchema.safeParse(value);
      if (chunk.success && chunk.data.error !== undefined && chunk.data.error !== null) throw refusalWithin(url, chunk.data.error);
      if (failed || (chunk.success && chunk.data.object === 'error')) throw refusalWithin(url, value ?? data);
      if (!chunk.success) throw new EngineError('upstream_failed', `the engine at ${url} sent an event that is none of OpenAI's: ${data.slice(0, 200)}`);
      yield chunk.data;
    }
  }
  return false;
}

/** Ids of tokens, as vLLM tells them. */
export function idsOf({ prompt_token_ids: ofText, token_ids: written }: NonNullable<Chunk['choices']>[number], { prompt_token_ids: ofChat }: Chunk): TokenIds | undefined {
  const prompt = ofText ?? ofChat;
  return prompt || written ? { ...(prompt ? { prompt } : {}), written: written ?? [] } : undefined;
}
/** Tokens as chats and as plain texts tell them, with the `most` likeliest for each: plain texts tell the one that was written as well where it is none of these. */
export function tokensOf(given: NonNullable<Chunk['choices']>[number]['logprobs'], most = Infinity): readonly WrittenToken[] | undefined {
  const bytesOf = (text: string): number[] => [...Buffer.from(text, 'utf8')];
  const one = (each: { readonly token: string; readonly logprob: number; readonly bytes?: readonly number[] | null }): TokenLikelihood => ({ text: each.token, logprob: each.logprob, bytes: each.bytes ?? bytesOf(each.token) });
  if (given?.content) return given.content.map((each) => ({ ...one(each), top: (each.top_logprobs ?? []).map(one) }));
  return given?.tokens?.map((text, i) => ({
    text,
    bytes: bytesOf(text),
    logprob: given.token_logprobs?.[i] ?? undefined,
    top: Object.entries(given.top_logprobs?.[i] ?? {})
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([token, logprob]) => one({ token, logprob })),
  }));
}
