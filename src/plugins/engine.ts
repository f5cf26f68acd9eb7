// Owns the life of the engine: models as configured, loaded at start, ended before the graph closes.
// Refuses to know what is generated.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { createEngine } from '../engine/engine.ts';
import { placeModels } from '../engine/hub/places.ts';
import { EngineError, unableTo } from '../engine/port.ts';
import { createUpstream } from '../engine/upstream/upstream.ts';
import type { Engine, ModelInfo, Task } from '../engine/port.ts';
import { onTerms } from '../http/terms.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly engine: Engine;
    /** The model of that name; without one, the default model for the task (default `generate`). Throws EngineError `unknown_model` when there is none, or it cannot do that. */
    modelOf(name: string | undefined, task?: Task | 'any'): ModelInfo;
  }
}

/** Folder of the models that were fine-tuned here, when there is one: they come after those that are configured. */
export const fineTunedModels = (data: string): string => join(data, 'models');
async function ownModels(data: string): Promise<string[]> {
  const folder = fineTunedModels(data);
  return (await stat(folder).catch(() => undefined))?.isDirectory() === true ? [folder] : [];
}

export const engine = fp(
  async (app, { config, engine: given, measured }: { readonly config: Config; readonly engine?: Engine; readonly measured: (engine: Engine) => Engine }) => {
    const { slots, queue, threads, prefixBytes, guesses, passTokens, modelBytes, modelIdleMs } = config.limits;
    const create = async (): Promise<Engine> =>
      config.engine === 'embedded'
        ? createEngine({ folders: [...(await placeModels(config.models, config.hub, app.log, config.limits.downloadBytes)), ...(await ownModels(config.data))], device: config.device, limits: { slots, queue, prefixBytes, guesses, passTokens, modelBytes, modelIdleMs }, ...(threads === 0 ? {} : { threads }), logger: app.log })
        : createUpstream({ url: config.engine, ...(config.engineKey === '' ? {} : { key: config.engineKey }), limit: config.limits.streams });
    const used = onTerms(measured(given ?? (await create())));
    app.decorate('engine', used);
    app.decorate('modelOf', (name: string | undefined, task: Task | 'any' = 'generate') => {
      const models = used.models();
      const able = (model: ModelInfo): boolean => task === 'any' || (model.tasks?.includes(task) ?? true);
      if (name !== undefined) {
        const model = models.find(({ id }) => id === name);
        if (!model) throw new EngineError('unknown_model', `model ${JSON.stringify(name)} is not there; there are: ${models.map(({ id }) => id).join(', ')}`);
        if (task !== 'any' && !able(model)) throw unableTo(task, model, models);
        return model;
      }
      const fit = models.filter(able);
      // A model made for ranking ranks better than one that makes vectors.
      const best = (task === 'score' ? fit.find(({ tasks }) => tasks?.includes('embed') === false) : undefined) ?? fit[0];
      if (best) return best;
      if (task === 'any') throw new EngineError('unknown_model', 'there are no models');
      throw unableTo(task, models[0], models);
    });
    // Nothing is live any more when this is called.
    app.addHook('onClose', async () => used.close(0));
  },
  { name: 'engine' },
);
