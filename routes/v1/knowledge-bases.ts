// Owns GET /v1/knowledge-bases.
// Refuses to know what is in them.

import { errors } from '../../src/contract/common.ts';
import { baseWire, knowledgeBaseList, listQuery } from '../../src/contract/operation.ts';
import { pageOf } from '../../src/http/paging.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/knowledge-bases',
    schema: {
      operationId: 'listKnowledgeBases',
      summary: 'Knowledge bases that were written, with their sizes',
      tags: ['knowledge'],
      querystring: listQuery,
      response: { 200: knowledgeBaseList, ...errors() },
    },
    handler: async ({ query }) => pageOf((await app.knowledge.bases()).map(baseWire), ({ name }) => name, query),
  });
}) satisfies RoutePlugin;
