// Owns POST /v1/embeddings.
// Refuses to know how vectors are made.

import { errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { embeddingReply, embeddingRequest, embeddingWire, embedRequestOf } from '../../src/contract/embeddings.ts';
import { EngineError } from '../../src/engine/port.ts';
import { ErrorWith, HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/embeddings',
    schema: {
      operationId: 'createEmbeddings',
      summary: 'Vectors of texts',
      description:
        "Pooling, length and prompts are those that the model's folder states. Numbers of one request do not depend on what others ask at the same time. Texts that are too long are an error, unless `truncate` asks to cut them.",
      tags: ['generation'],
      body: embeddingRequest,
      response: { 200: embeddingReply, ...errors(404, 502, ...WRITE_ERRORS) },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const model = app.modelOf(body.model, 'embed').id;
      const asked = embedRequestOf(body, model);
      const most = app.config.limits.embedInputs;
      if (asked.inputs.length > most) throw new HttpError('invalid_value', `input: has ${asked.inputs.length} texts; one request takes ${most}`, { param: 'input' });
      app.admission.enterGeneration(reply);
      try {
        return embeddingWire(await app.engine.embed(asked, lifetime), model, body.encoding_format);
      } catch (error) {
        if (!(error instanceof EngineError) || (error.code !== 'invalid_prompt' && error.code !== 'context_length_exceeded')) throw error;
        throw new ErrorWith(error, { param: 'input' });
      }
    },
  });
}) satisfies RoutePlugin;
