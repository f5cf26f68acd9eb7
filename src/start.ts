// Owns that compiled code is kept in the data folder from one start to the next, as nothing that is loaded with the service itself could see to.
// Refuses to know the service.

import { constants, enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';

const { PHAROS_DATA } = process.env;
const folder = join(PHAROS_DATA ? resolve(PHAROS_DATA) : resolve(import.meta.dirname, '../data'), 'compiled');
// Where Node's own variables name a folder, or forbid one, this changes nothing.
if (enableCompileCache(folder).status === constants.compileCacheStatus.ENABLED) process.env['NODE_COMPILE_CACHE'] = folder;
await import('./server.ts');
