// Owns GET /healthz: the process lives, with what.
// Refuses to know whether it should get requests: that is /readyz.

import { health } from '../src/contract/operation.ts';
import { errors } from '../src/contract/common.ts';
import type { RoutePlugin } from '../src/http/provider.ts';
import { PACKAGE } from '../src/plugins/docs.ts';

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { open: true },
    schema: { operationId: 'getHealth', summary: 'The process lives', tags: ['operation'], security: [], response: { 200: health, ...errors() } },
    handler: async () => ({
      status: 'ok' as const,
      version: PACKAGE.version,
      uptime_seconds: Math.round(process.uptime()),
      store: app.storeKind,
      models: app.engine.models().map(({ id, device }) => ({ id, device })),
    }),
  });
}) satisfies RoutePlugin;
