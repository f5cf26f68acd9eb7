// Owns where configured models are: a folder that is there, or a name on the hub.
// Refuses to know what is in them.

import { stat } from 'node:fs/promises';
import { splitVariant } from '../models/model-files.ts';
import { EngineError } from '../port.ts';
import { fetchModel } from './hub.ts';
import type { HubLogger } from './hub.ts';
import { parseHubModel } from './settings.ts';
import type { HubSettings } from './settings.ts';

/** As written, and as a path. */
export interface ModelPlace {
  readonly given: string;
  readonly path: string;
}

/** Folders of the models, in their order; those of the hub are fetched. What cannot be fetched is logged and left out; throws what the first lacked when nothing is left. */
export async function placeModels(places: readonly ModelPlace[], hub: HubSettings, logger: HubLogger & { error(message: string): void }, mostBytes: number): Promise<string[]> {
  const folders: string[] = [];
  const failures: EngineError[] = [];
  for (const { given, path } of places) {
    const model = parseHubModel(given);
    if (!model || (await stat(splitVariant(path).folder).catch(() => undefined))) {
      folders.push(path);
      continue;
    }
    try {
      folders.push(await fetchModel(model, hub, logger, mostBytes));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(new EngineError('model_invalid', `there is no folder ${given} here, and it is no model of the hub: ${reason}`, { cause: error }));
    }
  }
  if (folders.length === 0 && failures[0]) throw failures[0];
  for (const { message } of failures) logger.error(`a model is left out: ${message}`);
  return folders;
}
