// Owns POST /v1/reason/why-not.
// Refuses to know how reasons are found and written.

import { z } from 'zod';
import { baseOf, errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { whyNotQuery, whyNotReply, whyNotRequest, whyNotRequestOf } from '../../../src/contract/suppose.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';
import { whyNotJson, whyNotMarkdown } from '../../../graph/knowledge/questions/render-whynot.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/why-not',
    schema: {
      operationId: 'whyNot',
      summary: 'Why something does not follow: the nearest rules, what holds in them and what is missing',
      tags: ['reasoning'],
      querystring: whyNotQuery,
      body: whyNotRequest,
      response: {
        200: { description: 'The reasons.', content: { 'application/json': { schema: whyNotReply }, 'text/markdown': { schema: z.string() } } },
        ...errors(...WRITE_ERRORS),
      },
    },
    handler: async ({ body, query, lifetime }, reply) => {
      const result = await app.knowledge.whyNot(baseOf(body.knowledge_base), whyNotRequestOf(body, app.config.limits.deduce, lifetime));
      if (query.format === 'markdown') return reply.type('text/markdown; charset=utf-8').send(whyNotMarkdown(result, query.language));
      return reply.type('application/json; charset=utf-8').send(whyNotJson(result));
    },
  });
}) satisfies RoutePlugin;
