// Owns the life of fine-tuning: its queue, opened after the engine and ended before it.
// Refuses to know how a run trains.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { claiming, preparing } from '../training/jobs/prepare.ts';
import { JobQueue } from '../training/jobs/queue.ts';
import { fineTunedModels } from './engine.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly tuning: JobQueue;
  }
}

export const fineTuning = fp(
  async (app, { config }: { readonly config: Config }) => {
    const { threads, ...limits } = config.limits.tuning;
    const queue = await JobQueue.open({
      folder: join(config.data, 'fine-tuning'),
      models: fineTunedModels(config.data),
      limits: { ...limits, threads: threads === 0 ? Math.max(1, availableParallelism() >> 1) : threads },
      claim: claiming(app.files),
      prepare: preparing({ graph: app.knowledge, formatOf: (model) => app.engine.models().find(({ id }) => id === model)?.grounded }),
      library: app.engine.library,
      files: app.files,
      logger: app.log,
    });
    app.decorate('tuning', queue);
    // At once, beside requests that are let finish: streams of events end with the queue, and would be waited for.
    const closed = new Promise<void>((resolve, reject) => {
      app.admission.ending.addEventListener('abort', () => void queue.close(config.limits.shutdownMs).then(resolve, reject), { once: true });
    });
    closed.catch(() => undefined);
    app.addHook('preClose', async () => closed);
  },
  { name: 'fine-tuning', dependencies: ['admission', 'engine', 'files', 'knowledge'] },
);
