// Owns POST /v1/responses: OpenAI's Responses for text and functions, whole or streamed, with `grounding` beside them.
// Refuses to know how answers are found, worded and cached. Keeps no response.

import { randomUUID } from 'node:crypto';
import { errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { collect } from '../../src/contract/dialects/parts.ts';
import { responseEvent, ResponseTeller } from '../../src/contract/dialects/responses-events.ts';
import { beginResponse, endResponse, response } from '../../src/contract/dialects/responses-reply.ts';
import { formFieldOf, responsesAnswerRequest, responsesRequest } from '../../src/contract/dialects/responses-request.ts';
import { checkBounds } from '../../src/http/bounds.ts';
import { namedFor } from '../../src/http/error-dialects.ts';
import { begin } from '../../src/http/events.ts';
import { refusedIn } from '../../src/http/forms.ts';
import { sendNamedEvents } from '../../src/http/named-events.ts';
import type { Answer } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

const now = (): number => Math.floor(Date.now() / 1000);

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/responses',
    schema: {
      operationId: 'createResponse',
      summary: "Answer a question from the graph, with proofs; or chat: in the form of OpenAI's Responses",
      tags: ['generation'],
      body: responsesRequest,
      response: {
        200: {
          description: 'The answer; with `stream: true` as events.',
          content: { 'application/json': { schema: response }, 'text/event-stream': { schema: responseEvent } },
        },
        ...errors(404, 422, 502, ...WRITE_ERRORS),
      },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const { defaultTokens, newTokens } = app.config.limits;
      const info = app.modelOf(body.model);
      const model = info.id;
      const maxTokens = Math.min(body.max_output_tokens ?? defaultTokens, newTokens);
      checkBounds(body, info, maxTokens);
      const asked = responsesAnswerRequest(body, model, maxTokens);
      app.admission.enterGeneration(reply);
      const events = await begin(app.answers.answer(asked, lifetime), reply).catch(refusedIn(formFieldOf(body)));
      const begun = beginResponse(`resp_${randomUUID()}`, model, now(), body);
      if (body.stream === true) {
        const teller = new ResponseTeller(begun, now);
        const fail = (answer: Answer) => teller.fail({ ...answer, body: namedFor(request.url, answer.body) });
        return sendNamedEvents(reply, events, { tell: (event) => teller.tell(event), fail }, (error) => app.admission.reasonOf(request, error));
      }
      const parts = await collect(events);
      return endResponse(begun, parts, parts.end, now());
    },
  });
}) satisfies RoutePlugin;
