// Owns POST /v1/completions: plain text goes on, whole or streamed.
// Refuses to know how text is generated.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { usageWire } from '../../src/contract/chat.ts';
import { completionChunk, completionReply, completionRequest, generateRequestOf } from '../../src/contract/completions.ts';
import type { CompletionRequest } from '../../src/contract/completions.ts';
import type { GenerateEvent } from '../../src/engine/port.ts';
import { begin, sendEvents } from '../../src/http/events.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

type Chunk = z.infer<typeof completionChunk>;

function chunks(head: Pick<Chunk, 'id' | 'object' | 'created' | 'model'>, request: CompletionRequest): (event: GenerateEvent) => Chunk[] {
  const counted = request.stream_options?.include_usage === true;
  const chunk = (text: string, finish_reason: 'stop' | 'length' | null): Chunk => ({
    ...head,
    choices: [{ index: 0, text, logprobs: null, finish_reason }],
    ...(counted ? { usage: null } : {}),
  });
  return (event) => {
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'delta') return [chunk(event.text, null)];
    return [chunk('', event.reason), ...(counted ? [{ ...head, choices: [], usage: usageWire(event.usage) }] : [])];
  };
}

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/completions',
    schema: {
      operationId: 'createCompletion',
      summary: 'Go on from a text',
      tags: ['generation'],
      body: completionRequest,
      response: {
        200: {
          description: 'The text; with `stream: true` as events.',
          content: { 'application/json': { schema: completionReply }, 'text/event-stream': { schema: completionChunk } },
        },
        ...errors(404, 422, ...WRITE_ERRORS),
      },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const { defaultTokens, newTokens } = app.config.limits;
      const model = app.modelOf(body.model).id;
      const asked = generateRequestOf(body, model, Math.min(body.max_tokens ?? defaultTokens, newTokens));
      app.admission.enterGeneration(reply);
      const events = await begin(app.engine.generate(asked, lifetime), reply);
      const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion' as const, created: Math.floor(Date.now() / 1000), model };
      if (body.stream === true) return sendEvents(reply, events, chunks(head, body), (error) => app.admission.reasonOf(request, error));

      let text = '';
      for await (const event of events) {
        if (event.kind === 'error') throw event.error;
        if (event.kind === 'delta') text += event.text;
        else return { ...head, choices: [{ index: 0 as const, text, logprobs: null, finish_reason: event.reason }], usage: usageWire(event.usage) };
      }
      throw new Error('a generation ended without its last event');
    },
  });
}) satisfies RoutePlugin;
