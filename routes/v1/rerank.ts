// Owns POST /v1/rerank.
// Refuses to know how texts are compared.

import { randomUUID } from 'node:crypto';
import { errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { rerankReply, rerankRequest, rerankWire, scoreRequestOf } from '../../src/contract/rerank.ts';
import { EngineError } from '../../src/engine/port.ts';
import { ErrorWith, HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/rerank',
    schema: {
      operationId: 'rerank',
      summary: 'Documents in the order of how much they have to do with a query',
      description: 'A cross-encoder reads query and document together. An embedding model compares their vectors by the cosine, with its prompts for queries and documents where its folder has them: faster, and less exact.',
      tags: ['generation'],
      body: rerankRequest,
      response: { 200: rerankReply, ...errors(404, 502, ...WRITE_ERRORS) },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const model = app.modelOf(body.model, 'score').id;
      const most = app.config.limits.rerankDocuments;
      if (body.documents.length > most) throw new HttpError('invalid_value', `documents: has ${body.documents.length} texts; one request takes ${most}`, { param: 'documents' });
      app.admission.enterGeneration(reply);
      try {
        return rerankWire(await app.engine.score(scoreRequestOf(body, model), lifetime), body, `rerank-${randomUUID()}`, model);
      } catch (error) {
        if (!(error instanceof EngineError) || (error.code !== 'invalid_prompt' && error.code !== 'context_length_exceeded')) throw error;
        throw new ErrorWith(error, { param: error.message.startsWith('the query') ? 'query' : 'documents' });
      }
    },
  });
}) satisfies RoutePlugin;
