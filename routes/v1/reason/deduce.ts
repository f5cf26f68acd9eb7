// Owns POST /v1/reason/deduce.
// Refuses to know how answers are derived.

import { baseOf, errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { deduceReply, deduceRequest, deduceRequestOf, deduceWire } from '../../../src/contract/deduce.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/deduce',
    schema: {
      operationId: 'deduce',
      summary: 'What follows, from stored and from given facts and rules, and why',
      tags: ['reasoning'],
      body: deduceRequest,
      response: { 200: deduceReply, ...errors(...WRITE_ERRORS) },
    },
    handler: async ({ body, lifetime }) =>
      deduceWire(await app.knowledge.deduce(baseOf(body.knowledge_base), deduceRequestOf(body, app.config.limits.deduce, lifetime))),
  });
}) satisfies RoutePlugin;
