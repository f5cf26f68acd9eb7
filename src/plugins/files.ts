// Owns the life of the file store, and that nobody else uses its folder.
// Refuses to know what files are for.

import { join } from 'node:path';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { FileStore } from '../workspace/files/file-store.ts';
import { lockFolder } from '../workspace/folder-lock.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly files: FileStore;
  }
}

export const files = fp(
  async (app, { config }: { readonly config: Config }) => {
    // The embedded store has a lock of its own; with a graph elsewhere, files and jobs alone are here.
    const lock = lockFolder(config.data);
    app.addHook('onClose', () => lock.release());
    app.decorate('files', await FileStore.open(join(config.data, 'files'), config.limits.files, (reason) => app.log.error(reason)));
  },
  { name: 'files' },
);
