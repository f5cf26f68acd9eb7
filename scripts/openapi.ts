// Owns openapi.yaml: written from the routes' contract, never by hand.
// Refuses to know the operations.

import { writeFile } from 'node:fs/promises';
import { buildContract } from '../src/app.ts';
import { openApiYaml } from '../src/plugins/docs.ts';

const app = await buildContract();
await writeFile(new URL('../openapi.yaml', import.meta.url), openApiYaml(app));
await app.close();
