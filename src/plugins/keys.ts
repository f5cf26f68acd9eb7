// Owns API keys: who must show one, and a comparison whose time tells nothing.
// Refuses to know what a key is good for: every key opens everything.

import { createHash, timingSafeEqual } from 'node:crypto';
import fp from 'fastify-plugin';
import { shownBy } from '../http/clients.ts';
import { HttpError } from '../http/problems.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const keys = fp(
  async (app, { apiKeys }: { readonly apiKeys: readonly string[] }) => {
    if (apiKeys.length === 0) return;
    const known = apiKeys.map(digest);
    app.addHook('onRequest', async (request) => {
      if (request.routeOptions.config.open === true) return;
      const shown = shownBy(request.headers);
      if (shown === undefined) throw new HttpError('invalid_api_key', 'an API key is needed: send it as "Authorization: Bearer KEY" or "x-api-key: KEY"');
      const given = digest(shown);
      let matches = 0;
      for (const key of known) matches += timingSafeEqual(key, given) ? 1 : 0;
      if (matches === 0) throw new HttpError('invalid_api_key', 'the API key is not one of those that this server knows');
    });
  },
  { name: 'keys' },
);
