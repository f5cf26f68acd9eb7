// Owns /v1/models.
// Refuses to know how models are loaded.

import { z } from 'zod';
import { asList, errors } from '../../src/contract/common.ts';
import { model, modelDeleted, modelList, modelWire } from '../../src/contract/models.ts';
import { HttpError } from '../../src/http/problems.ts';
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
  // Names may have slashes in them, which not all clients encode.
  app.route({
    method: 'GET',
    url: '/models/*',
    schema: { hide: true, params: z.strictObject({ '*': z.string().min(1).max(256) }), response: { 200: model, ...errors(404) } },
    handler: async ({ params: { '*': id } }) => modelWire(app.modelOf(id, 'any')),
  });
  app.route({
    method: 'DELETE',
    url: '/models/:id',
    schema: {
      operationId: 'deleteModel',
      summary: 'Delete a model that was fine-tuned here; what it is generating ends as it would',
      tags: ['training'],
      params: z.strictObject({ id: z.string().min(1).max(256) }),
      response: { 200: modelDeleted, ...errors(404) },
    },
    handler: async ({ params }) => {
      const { id } = app.modelOf(params.id, 'any');
      if (!(await app.tuning.deleteModel(id))) throw new HttpError('invalid_value', `model ${JSON.stringify(id)} was not fine-tuned here and cannot be deleted; only models whose names begin with ft: can`, { param: 'id' });
      return { id, object: 'model' as const, deleted: true as const };
    },
  });
}) satisfies RoutePlugin;
