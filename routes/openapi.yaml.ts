// Owns GET /openapi.yaml.
// Refuses to know the operations: the document is made from their contract.

import { z } from 'zod';
import { errors } from '../src/contract/common.ts';
import type { RoutePlugin } from '../src/http/provider.ts';
import { openApiYaml } from '../src/plugins/docs.ts';

export default (async (app) => {
  let text: string | undefined;
  app.route({
    method: 'GET',
    url: '/openapi.yaml',
    config: { open: true },
    schema: {
      operationId: 'getOpenApi',
      summary: 'This description',
      tags: ['operation'],
      security: [],
      response: { 200: { description: 'OpenAPI 3.1.', content: { 'application/yaml': { schema: z.string().meta({ type: 'object' }) } } }, ...errors() },
    },
    handler: async (_request, reply) => reply.type('application/yaml; charset=utf-8').send((text ??= openApiYaml(app))),
  });
}) satisfies RoutePlugin;
