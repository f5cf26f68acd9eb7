// Owns /anthropic/v1/models: the models that can chat, as Anthropic's clients list them.
// Refuses to know how models are loaded.

import { z } from 'zod';
import { anthropicModel, anthropicModelList, anthropicModelsWire, anthropicModelWire } from '../../../src/contract/dialects/anthropic-models.ts';
import { anthropicErrors } from '../../../src/contract/dialects/messages-reply.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

const unusedPage = z.string().max(256).optional().describe('Accepted and not used: there is one page.');

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/models',
    schema: {
      operationId: 'listModelsAnthropic',
      summary: "Models that can chat, the default first, in Anthropic's form",
      tags: ['generation'],
      querystring: z.strictObject({ limit: unusedPage, after_id: unusedPage, before_id: unusedPage }),
      response: { 200: anthropicModelList, ...anthropicErrors() },
    },
    handler: async () => {
      const able = app.engine.models().filter(({ tasks }) => tasks?.includes('generate') ?? true);
      return anthropicModelsWire(able, app.config.limits.newTokens);
    },
  });
  app.route({
    method: 'GET',
    url: '/models/:id',
    schema: {
      operationId: 'getModelAnthropic',
      summary: "One model, in Anthropic's form",
      tags: ['generation'],
      params: z.strictObject({ id: z.string().min(1).max(256) }),
      response: { 200: anthropicModel, ...anthropicErrors(404) },
    },
    handler: async (request) => anthropicModelWire(app.modelOf(request.params.id), app.config.limits.newTokens),
  });
  // Names may have slashes in them, which not all clients encode.
  app.route({
    method: 'GET',
    url: '/models/*',
    schema: { hide: true, params: z.strictObject({ '*': z.string().min(1).max(256) }), response: { 200: anthropicModel, ...anthropicErrors(404) } },
    handler: async ({ params: { '*': id } }) => anthropicModelWire(app.modelOf(id), app.config.limits.newTokens),
  });
}) satisfies RoutePlugin;
