// Owns how the service is put together: cores, hooks and routes in their order.
// Refuses to know the environment, sockets and how the process ends.

import { fileURLToPath } from 'node:url';
import autoload from '@fastify/autoload';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import type { Engine } from './engine/port.ts';
import type { GraphStore } from '../graph/store.ts';
import { readBodies } from './http/body.ts';
import { endHeads } from './http/events.ts';
import { useZod } from './http/provider.ts';
import { admission } from './plugins/admission.ts';
import { answers } from './plugins/answers.ts';
import { docs } from './plugins/docs.ts';
import { engine } from './plugins/engine.ts';
import { errors, refuseSocket, sendError } from './plugins/errors.ts';
import { example } from './plugins/example.ts';
import { files } from './plugins/files.ts';
import { fineTuning } from './plugins/fine-tuning.ts';
import { GenerationMetrics } from './plugins/generations.ts';
import { keys } from './plugins/keys.ts';
import { knowledge } from './plugins/knowledge.ts';
import { metrics } from './plugins/metrics.ts';
import { pressure } from './plugins/pressure.ts';

export interface AppOverrides {
  /** In place of the store that the configuration names. The app opens and closes it. */
  readonly store?: GraphStore;
  /** In place of the models that the configuration names. The app closes it. */
  readonly engine?: Engine;
  readonly logger?: FastifyBaseLogger;
  /** Each reply is checked against the contract. */
  readonly checkReplies?: boolean;
}

const ROUTES = fileURLToPath(new URL('../routes', import.meta.url));
/** Bytes of address and headers together: names in addresses may have 1,024 characters of several bytes, percent-encoded. */
const HEADER_BYTES = 64 * 1024;

function createApp(config: Config | undefined, { logger, checkReplies }: AppOverrides): FastifyInstance {
  const app: FastifyInstance = Fastify({
    ...(logger ? { loggerInstance: logger } : {}),
    // One line a request, after it: see below.
    logController: new LogController({ disableRequestLogging: true }),
    ...(config ? { bodyLimit: config.limits.bodyBytes, requestTimeout: config.limits.bulkMs } : {}),
    return503OnClosing: false,
    // Models that are fetched or read, and large stores, take as long as they take.
    pluginTimeout: 0,
    // After live requests are over: what is left are connections on which nothing was ever asked, and they would hold up the end.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: HEADER_BYTES },
    http: { maxHeaderSize: HEADER_BYTES },
    clientErrorHandler: refuseSocket,
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
  });
  useZod(app, { checkReplies });
  readBodies(app);
  endHeads(app);
  return app;
}
async function addRoutes(app: FastifyInstance): Promise<void> {
  await app.register(autoload, { dir: ROUTES, forceESM: true });
}

/** The whole service, not yet listening. Rejects with what a core says when it cannot start; then nothing is left open. */
export async function buildApp(config: Config, overrides: AppOverrides = {}): Promise<FastifyInstance> {
  const app = createApp(config, overrides);
  try {
    app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
    app.addHook('onResponse', async (request, reply) => {
      // What follows a question mark may be secret.
      request.log.info({ method: request.method, url: request.url.replace(/\?.*/s, ''), status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10 }, 'answered');
    });
    app.decorate('config', config);
    await app.register(admission, { config });
    await app.register(errors);
    await app.register(keys, { apiKeys: config.apiKeys });
    await app.register(pressure, { eventLoopDelayMs: config.limits.eventLoopDelayMs });
    await app.register(knowledge, { config, store: overrides.store });
    await app.register(example, { config });
    const generations = new GenerationMetrics();
    await app.register(engine, { config, engine: overrides.engine, measured: (used) => generations.measured(used) });
    await app.register(answers, { config });
    await app.register(files, { config });
    await app.register(fineTuning, { config });
    await app.register(metrics, { generations });
    await app.register(docs);
    await addRoutes(app);
    await app.ready();
    return app;
  } catch (error) {
    await app.close().catch((failure: unknown) => app.log.error({ err: failure }, 'closing after a failed start failed, too'));
    throw error;
  }
}

/** The routes with their contract and nothing behind them: for describing the API. */
export async function buildContract(): Promise<FastifyInstance> {
  const app = createApp(undefined, {});
  await app.register(docs);
  await addRoutes(app);
  await app.ready();
  return app;
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly config: Config;
  }
}
