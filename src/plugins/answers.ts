// Owns the life of the answerer, which joins graph, engine and cache.
// Refuses to know how it answers.

import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { createAnswerer } from '../answers/answerer.ts';
import { thesaurus } from '../answers/thesaurus/thesaurus.ts';
import type { Answerer } from '../answers/port.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly answers: Answerer;
  }
}

export const answers = fp(
  async (app, { config }: { readonly config: Config }) => {
    const answerer = createAnswerer({ knowledge: app.knowledge, engine: app.engine, cacheBytes: config.cacheBytes, questionCharacters: config.limits.questionCharacters, pathCharacters: config.limits.pathCharacters, suppose: config.limits.deduce });
    // Read before the first question needs it.
    thesaurus();
    app.decorate('answers', answerer);
    app.addHook('onClose', async () => answerer.close());
  },
  { name: 'answers', dependencies: ['knowledge', 'engine'] },
);
