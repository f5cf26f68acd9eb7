// Owns the life of the engine: models as configured, loaded at start, ended before the graph closes.
// Refuses to know what is generated.

import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { createEngine } from '../engine/engine.ts';
import { EngineError } from '../engine/port.ts';
import { createUpstream } from '../engine/upstream.ts';
import type { Engine, ModelInfo } from '../engine/port.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly engine: Engine;
    /** The model of that name; the default model without one. Throws EngineError `unknown_model`. */
    modelOf(name: string | undefined): ModelInfo;
  }
}

export const engine = fp(
  async (app, { config, engine: given }: { readonly config: Config; readonly engine?: Engine }) => {
    const { slots, queue, threads, prefixBytes } = config.limits;
    const create = (): Promise<Engine> =>
      config.engine === 'embedded'
        ? createEngine({ folders: config.models, device: config.device, limits: { slots, queue, prefixBytes }, ...(threads === 0 ? {} : { threads }), logger: app.log })
        : createUpstream({ url: config.engine, ...(config.engineKey === '' ? {} : { key: config.engineKey }), limit: config.limits.streams });
    const used = given ?? (await create());
    app.decorate('engine', used);
    app.decorate('modelOf', (name: string | undefined) => {
      const models = used.models();
      const model = name === undefined ? models[0] : models.find(({ id }) => id === name);
      if (!model) throw new EngineError('unknown_model', `model ${JSON.stringify(name)} is not loaded; loaded are: ${models.map(({ id }) => id).join(', ')}`);
      return model;
    });
    // Nothing is live any more when this is called.
    app.addHook('onClose', async () => used.close(0));
  },
  { name: 'engine' },
);
