// Owns a hub with one small model, and a cache of its own, for tests of what is brought from the one into the other.
// Refuses to know what is tested.

import { join } from 'node:path';
import type { Test } from 'tap';
import { fetchModel, storageOf } from '../../src/engine/hub/hub.ts';
import { parseHubModel } from '../../src/engine/hub/settings.ts';
import type { HubSettings } from '../../src/engine/hub/settings.ts';
import { writeEncoder } from '../engine/encoders.ts';
import { repositoryOf, startHub } from './hub-server.ts';
import type { HubServer } from './hub-server.ts';

export interface HubWorld {
  readonly hub: HubServer;
  readonly settings: HubSettings;
  readonly local: string;
  readonly log: string[];
  readonly fetch: (given: string, more?: Partial<HubSettings>, mostBytes?: number) => Promise<string>;
  readonly storage: string;
}
export async function startHubWorld(t: Test): Promise<HubWorld> {
  const folder = t.testdir();
  const local = await writeEncoder(join(folder, 'local'));
  const hub = await startHub(t, { 'owner/small': await repositoryOf(local, { revisions: ['v1'] }) });
  const settings = { endpoint: hub.url, cache: join(folder, 'cache'), offline: false, token: undefined };
  const log: string[] = [];
  const logger = { info: (message: string) => void log.push(message), warn: (message: string) => void log.push(`warning: ${message}`) };
  const fetch = async (given: string, more: Partial<HubSettings> = {}, mostBytes = 1e9): Promise<string> => {
    const model = parseHubModel(given);
    if (!model) throw new Error(`${given} is no name`);
    return fetchModel(model, { ...settings, ...more }, logger, mostBytes);
  };
  return { hub, settings, local, log, fetch, storage: storageOf(settings.cache, 'owner/small') };
}
export const commitOf = ({ hub }: HubWorld): string => hub.repositories.get('owner/small')?.commit ?? '';
