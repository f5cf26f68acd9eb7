// Owns the models that come out of jobs: their names, the folder that they are served from, and their end.
// Refuses to know how a job is run and when it ends.

import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fineTunedFolder, isFineTuned } from '../../engine/models/model-files.ts';
import type { ModelLibrary } from '../../engine/port.ts';
import { syncFolder } from '../../workspace/files/durable.ts';
import { randomName } from '../../workspace/files/file-store.ts';
import type { Job } from './job.ts';
import { REMOVED, removeFolder } from './job-folder.ts';

/** Bytes of a folder's name at most. */
const MOST_NAME = 255;
/** `ft:MODEL:SUFFIX:ID`; a model that was fine-tuned before is named after the one that it came from. What does not fit into a folder's name is cut off MODEL. */
export function fineTunedName({ model, suffix = '', id }: Pick<Job, 'model' | 'suffix' | 'id'>): string {
  const base = Array.from(/^ft:(.+):[^:]*:[^:]*$/.exec(model)?.[1] ?? model);
  const named = (): string => `ft:${base.join('')}:${suffix}:${id.replace(/^ftjob-/, '').slice(0, 8)}`;
  while (base.length > 0 && fineTunedFolder(named()).length > MOST_NAME) base.pop();
  return named();
}

/** Beside a result, from the run (src/training/run/record.ts). */
export const RUN = 'training';

export class TunedModels {
  /** From which the engine serves them. */
  readonly #folder: string;
  /** Where those lie that are being deleted, on the same file system. */
  readonly #aside: string;
  readonly #library: ModelLibrary | undefined;
  constructor(folder: string, aside: string, library: ModelLibrary | undefined) {
    this.#folder = folder;
    this.#aside = aside;
    this.#library = library;
  }

  /** Moves a result to its place in one rename, takes away what only its run needed, and serves it. What a run that was cut off after the same step left there is replaced. Rejects with the engine's reason, and leaves nothing, when it cannot be served. */
  async serve(output: string, name: string): Promise<void> {
    const target = this.#place(name);
    if (this.#library?.folderOf(name) !== undefined) await this.#library.remove(name);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(output, target);
    await syncFolder(dirname(target));
    await this.serveAgain(name);
  }
  /** Serves a result that is in its place, if it is not served yet. False when it is not there. Rejects like `serve`. */
  async serveAgain(name: string): Promise<boolean> {
    const target = this.#place(name);
    if (!(await stat(target).catch(() => undefined))) return false;
    try {
      await rm(join(target, RUN), { recursive: true, force: true });
      if (this.#library?.folderOf(name) === undefined) await this.#library?.add(target);
      return true;
    } catch (error) {
      await rm(target, { recursive: true, force: true });
      throw error;
    }
  }
  /** Takes a model out of service and deletes it. False when no such model was fine-tuned here. */
  async remove(name: string): Promise<boolean> {
    const place = this.#place(name);
    if (!isFineTuned(name) || !(await stat(place).catch(() => undefined))) return false;
    if (this.#library?.folderOf(name) !== undefined) await this.#library.remove(name);
    await mkdir(this.#aside, { recursive: true });
    await removeFolder(place, join(this.#aside, REMOVED + randomName(8)));
    return true;
  }
  #place(name: string): string {
    return join(this.#folder, fineTunedFolder(name));
  }
}
