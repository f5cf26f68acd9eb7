// Owns GET /healthz: the process lives and its engine can serve, with what. Also at /health, where probes made for vLLM and llama.cpp look.
// Refuses to know whether it should get requests: that is /readyz.

import { health } from '../src/contract/operation.ts';
import { errors } from '../src/contract/common.ts';
import { EngineError } from '../src/engine/port.ts';
import type { RoutePlugin } from '../src/http/provider.ts';
import { PACKAGE } from '../src/plugins/docs.ts';

export default (async (app) => {
  for (const [url, operationId, where] of [
    ['/healthz', 'getHealth', ''],
    ['/health', 'getHealthWithoutZ', ' (at the address of other servers)'],
  ] as const)
    app.route({
      method: 'GET',
      url,
      config: { open: true },
      schema: { operationId, summary: `The process lives${where}`, tags: ['operation'], security: [], response: { 200: health, ...errors() } },
      handler: async () => {
        const { failure } = app.engine.statistics();
        if (failure !== undefined) throw new EngineError('thread_ended', failure);
        return {
          status: 'ok' as const,
          version: PACKAGE.version,
          uptime_seconds: Math.round(process.uptime()),
          store: app.storeKind,
          models: app.engine.models().map(({ id, device }) => ({ id, device })),
        };
      },
    });
}) satisfies RoutePlugin;
