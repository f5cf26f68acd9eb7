// Owns routes that are answered at a second address, too: the same contract and handler, described as an operation of its own.
// Refuses to know which routes.

import type { RoutePlugin } from './provider.ts';

/** `routes` for another folder of routes/. `what` ends each operationId; `where` ends each summary. */
export const also =
  (routes: RoutePlugin, what: string, where: string): RoutePlugin =>
  async (app, options) => {
    app.addHook('onRoute', (route) => {
      const { operationId, summary = '', ...schema } = route.schema ?? {};
      if (operationId !== undefined) route.schema = { ...schema, operationId: operationId + what, summary: `${summary} (${where})` };
    });
    await routes(app, options);
  };
