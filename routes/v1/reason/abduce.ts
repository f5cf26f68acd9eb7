// Owns POST /v1/reason/abduce.
// Refuses to know how explanations are found.

import { abduceReply, abduceRequest, abduceRequestOf, abduceWire } from '../../../src/contract/abduce.ts';
import { baseOf, errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { withinLimits } from '../../../src/http/limits.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/abduce',
    schema: {
      operationId: 'abduce',
      summary: 'What would explain an observation: the smallest sets of assumptions that make it follow, each with its proof',
      tags: ['reasoning'],
      body: abduceRequest,
      response: { 200: abduceReply, ...errors(...WRITE_ERRORS) },
    },
    handler: async ({ body, lifetime }) => {
      const { abduce } = app.config.limits;
      withinLimits(body.limits, { size: abduce.size });
      return abduceWire(await app.knowledge.abduce(baseOf(body.knowledge_base), abduceRequestOf(body, abduce, lifetime)));
    },
  });
}) satisfies RoutePlugin;
