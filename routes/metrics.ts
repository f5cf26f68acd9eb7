// Owns GET /metrics.
// Refuses to know what is measured.

import { z } from 'zod';
import { errors } from '../src/contract/common.ts';
import type { RoutePlugin } from '../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      summary: 'Numbers for Prometheus',
      tags: ['operation'],
      response: { 200: { description: "Prometheus's text format.", content: { 'text/plain': { schema: z.string() } } }, ...errors() },
    },
    handler: async (_request, reply) => reply.type(app.metrics.contentType).send(await app.metrics.metrics()),
  });
}) satisfies RoutePlugin;
