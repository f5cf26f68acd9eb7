// Owns POST /v1/chat/completions: OpenAI's chat, whole or streamed, with `grounding` beside it.
// Refuses to know how answers are found, worded and cached.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { AnswerEvent } from '../../../src/answers/port.ts';
import { errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { answerRequestOf, chatChunk, chatReply, chatRequest, groundingWire, usageWire } from '../../../src/contract/chat.ts';
import type { ChatRequest } from '../../../src/contract/chat.ts';
import { begin, sendEvents } from '../../../src/http/events.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

type Chunk = z.infer<typeof chatChunk>;
interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}
const UNGROUNDED = groundingWire({ outcome: 'ungrounded', answers: [], claims: [], confidence: 0, cached: false });

/** Chunks of one answer, event by event. `grounding` is in the last chunk, and in the one before when that only counts tokens. */
function chunks(head: Head, request: ChatRequest): (event: AnswerEvent) => Chunk[] {
  const counted = request.stream_options?.include_usage === true;
  let opened = false;
  const chunk = (delta: Chunk['choices'][number]['delta'], finish_reason: 'stop' | 'length' | null): Chunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
    ...(counted ? { usage: null } : {}),
  });
  return (event) => {
    if (event.kind === 'error') throw event.error;
    const start: Chunk[] = opened ? [] : [chunk({ role: 'assistant', content: '' }, null)];
    opened = true;
    if (event.kind === 'delta') return [...start, chunk({ content: event.text }, null)];
    const grounding = event.grounding ? groundingWire(event.grounding) : UNGROUNDED;
    const last: Chunk = { ...chunk({}, event.reason), grounding };
    return [...start, last, ...(counted ? [{ ...last, choices: [], usage: usageWire(event.usage) }] : [])];
  };
}

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/completions',
    schema: {
      operationId: 'createChatCompletion',
      summary: 'Answer a question from the graph, with proofs; or chat',
      tags: ['generation'],
      body: chatRequest,
      response: {
        200: {
          description: 'The answer; with `stream: true` as events.',
          content: { 'application/json': { schema: chatReply }, 'text/event-stream': { schema: chatChunk } },
        },
        ...errors(404, 422, ...WRITE_ERRORS),
      },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const { defaultTokens, newTokens } = app.config.limits;
      const model = app.modelOf(body.model).id;
      const asked = answerRequestOf(body, model, Math.min(body.max_completion_tokens ?? body.max_tokens ?? defaultTokens, newTokens));
      app.admission.enterGeneration(reply);
      const events = await begin(app.answers.answer(asked, lifetime), reply);
      const head: Head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
      if (body.stream === true) return sendEvents(reply, events, chunks(head, body), (error) => app.admission.reasonOf(request, error));

      let content = '';
      for await (const event of events) {
        if (event.kind === 'error') throw event.error;
        if (event.kind === 'delta') content += event.text;
        else
          return {
            ...head,
            object: 'chat.completion' as const,
            choices: [{ index: 0 as const, message: { role: 'assistant' as const, content, refusal: null }, finish_reason: event.reason, logprobs: null }],
            usage: usageWire(event.usage),
            grounding: event.grounding ? groundingWire(event.grounding) : UNGROUNDED,
          };
      }
      throw new Error('an answer ended without its last event');
    },
  });
}) satisfies RoutePlugin;
