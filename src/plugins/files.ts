// Owns the life of the file store.
// Refuses to know what files are for.

import { join } from 'node:path';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { FileStore } from '../workspace/files/file-store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly files: FileStore;
  }
}

export const files = fp(
  async (app, { config }: { readonly config: Config }) => {
    app.decorate('files', await FileStore.open(join(config.data, 'files'), config.limits.files, (reason) => app.log.error(reason)));
  },
  { name: 'files' },
);
