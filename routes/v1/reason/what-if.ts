// Owns POST /v1/reason/what-if.
// Refuses to know how consequences are found.

import { baseOf, errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { whatIfReply, whatIfRequest, whatIfRequestOf, whatIfWire } from '../../../src/contract/suppose.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/what-if',
    schema: {
      operationId: 'whatIf',
      summary: 'What would follow, and no longer follow, if facts and rules came or went; nothing is written',
      tags: ['reasoning'],
      body: whatIfRequest,
      response: { 200: whatIfReply, ...errors(...WRITE_ERRORS) },
    },
    handler: async ({ body, lifetime }) =>
      whatIfWire(await app.knowledge.whatIf(baseOf(body.knowledge_base), whatIfRequestOf(body, app.config.limits.deduce, lifetime))),
  });
}) satisfies RoutePlugin;
