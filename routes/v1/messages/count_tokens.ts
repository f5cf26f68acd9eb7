// Owns POST /v1/messages/count_tokens: how long a request of Anthropic's Messages is.
// Refuses to know how tokens are made.

import { WRITE_ERRORS } from '../../../src/contract/common.ts';
import { anthropicErrors, countReply } from '../../../src/contract/dialects/messages-reply.ts';
import { countedPrompt, countRequest, takeInputs } from '../../../src/contract/dialects/messages-request.ts';
import { exactly } from '../../../src/http/body.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/count_tokens',
    schema: {
      operationId: 'countMessageTokens',
      summary: "Count the tokens of a request in Anthropic's form, as the model's chat template writes it; for a server elsewhere (PHAROS_ENGINE) an estimate",
      tags: ['generation'],
      body: countRequest,
      response: { 200: countReply, ...anthropicErrors(404, ...WRITE_ERRORS) },
    },
    preValidation: async ({ body }) => takeInputs(body, exactly(body)),
    handler: async ({ body }) => ({ input_tokens: await app.engine.countTokens(app.modelOf(body.model).id, countedPrompt(body)) }),
  });
}) satisfies RoutePlugin;
