// Owns POST /v1/reason/rank.
// Refuses to know how candidates are ranked.

import { baseOf, errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { rankReply, rankRequest, rankRequestOf, rankWire } from '../../../src/contract/induce.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/rank',
    schema: {
      operationId: 'rank',
      summary: 'Candidates for the missing end of a fact, by rules that were learned from the facts',
      tags: ['reasoning'],
      body: rankRequest,
      response: { 200: rankReply, ...errors(404, ...WRITE_ERRORS) },
    },
    handler: async ({ body, lifetime }) => {
      const { induce, rankMs } = app.config.limits;
      const request = rankRequestOf(body, { ...induce, defaultMs: rankMs }, lifetime);
      return rankWire(await app.knowledge.rank(baseOf(body.knowledge_base), request));
    },
  });
}) satisfies RoutePlugin;
