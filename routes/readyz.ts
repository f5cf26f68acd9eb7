// Owns GET /readyz: may requests be sent here?
// Refuses to know why not: the error of the store or the engine says it.

import { readiness } from '../src/contract/operation.ts';
import { errors } from '../src/contract/common.ts';
import { HttpError } from '../src/http/problems.ts';
import type { RoutePlugin } from '../src/http/provider.ts';
import { DEFAULT_BASE } from '../graph/terms.ts';

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/readyz',
    config: { open: true },
    schema: { operationId: 'getReadiness', summary: 'Requests may be sent here', tags: ['operation'], security: [], response: { 200: readiness, ...errors() } },
    handler: async (request) => {
      if (app.admission.closing) throw new HttpError('shutting_down', 'Pharos is shutting down');
      await app.knowledge.match(DEFAULT_BASE, {}, { limit: 1, derived: 'exclude', signal: request.lifetime });
      await app.engine.countTokens(app.modelOf(undefined, 'any').id, 'ready?');
      return { status: 'ready' as const };
    },
  });
}) satisfies RoutePlugin;
