// Owns /v1/models.
// Refuses to know how models are loaded.

import { z } from 'zod';
import { asList, errors } from '../../src/contract/common.ts';
import { model, modelList, modelWire } from '../../src/contract/models.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/models',
    schema: {
      operationId: 'listModels',
      summary: 'Models that serve, in order: the first that can do a task is the default for it',
      tags: ['generation'],
      response: { 200: modelList, ...errors() },
    },
    handler: async () => asList(app.engine.models().map(modelWire)),
  });
  app.route({
    method: 'GET',
    url: '/models/:id',
    schema: {
      operationId: 'getModel',
      summary: 'One model',
      tags: ['generation'],
      params: z.strictObject({ id: z.string().min(1).max(256) }),
      response: { 200: model, ...errors(404) },
    },
    handler: async (request) => modelWire(app.modelOf(request.params.id, 'any')),
  });
}) satisfies RoutePlugin;
