// Owns POST /v1/messages: Anthropic's Messages, whole or streamed, with `grounding` beside them.
// Refuses to know how answers are found, worded and cached.

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { WRITE_ERRORS } from '../../src/contract/common.ts';
import { anthropicErrorWire, anthropicErrors, messageEvents, messagesEvent, messagesReply, messageWire } from '../../src/contract/dialects/messages-reply.ts';
import type { MessageHead } from '../../src/contract/dialects/messages-reply.ts';
import { countedPrompt, messagesAnswerRequest, messagesRequest, takeInputs } from '../../src/contract/dialects/messages-request.ts';
import { collect } from '../../src/contract/dialects/parts.ts';
import { exactly } from '../../src/http/body.ts';
import { namedFor } from '../../src/http/error-dialects.ts';
import { begin } from '../../src/http/events.ts';
import { sendNamedEvents } from '../../src/http/named-events.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

const headers = z.looseObject({
  'anthropic-version': z.string().optional().describe('Accepted and not used.'),
  'x-api-key': z.string().optional().describe('Instead of `Authorization: Bearer KEY`, where the server has keys.'),
});

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/messages',
    schema: {
      operationId: 'createMessage',
      summary: "Answer a question from the graph, with proofs; or chat: in Anthropic's form",
      tags: ['generation'],
      headers,
      body: messagesRequest,
      response: {
        200: {
          description: 'The answer; with `stream: true` as events.',
          content: { 'application/json': { schema: messagesReply }, 'text/event-stream': { schema: messagesEvent } },
        },
        ...anthropicErrors(404, 422, 502, ...WRITE_ERRORS),
      },
    },
    preValidation: async ({ body }) => takeInputs(body, exactly(body)),
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const model = app.modelOf(body.model).id;
      const asked = messagesAnswerRequest(body, model, Math.min(body.max_tokens, app.config.limits.newTokens));
      app.admission.enterGeneration(reply);
      // Where it cannot be counted, the generation says why.
      const counted = body.stream === true ? app.engine.countTokens(model, countedPrompt(body)).catch(() => 0) : 0;
      const events = await begin(app.answers.answer(asked, lifetime), reply);
      reply.header('request-id', request.id);
      const head: MessageHead = { id: `msg_${randomUUID()}`, model, hideThoughts: body.thinking !== undefined && 'display' in body.thinking && body.thinking.display === 'omitted', promptTokens: await counted };
      if (body.stream !== true) return messageWire(await collect(events), head);
      return sendNamedEvents(
        reply,
        events,
        { tell: messageEvents(head), fail: ({ body: error, status }) => [anthropicErrorWire(namedFor(request.url, error), status, request.id)] },
        (error) => app.admission.reasonOf(request, error),
      );
    },
  });
}) satisfies RoutePlugin;
