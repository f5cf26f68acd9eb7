// Owns /v1/entities: find, read and describe what facts are about.
// Refuses to know how names are matched.

import { asList, baseOf, errors, KEEP_ERRORS } from '../../src/contract/common.ts';
import { baseQuery, entity, entityChange, entityList, entityWire, hitWire, nameParams, putEntity, searchQuery } from '../../src/contract/entities.ts';
import { oneBase } from '../../src/http/base.ts';
import { HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';
import type { Entity } from '../../graph/terms.ts';
import { parseEntityId } from '../../graph/terms.ts';
import type { BaseName } from '../../graph/terms.ts';

export default (async (app) => {
  async function read(base: BaseName, name: string): Promise<Entity> {
    const [found] = await app.knowledge.entities(base, [parseEntityId(name)]);
    if (!found)
      throw new HttpError(
        'entity_not_found',
        `knowledge base ${JSON.stringify(base)} has no entity ${JSON.stringify(name.slice(0, 200))}; GET /v1/entities?q= finds similar names`,
        { param: 'name' },
      );
    return found;
  }

  app.route({
    method: 'GET',
    url: '/entities',
    schema: {
      operationId: 'searchEntities',
      summary: 'Entities by name or alias: exact, prefix, misspelt; any language',
      tags: ['knowledge'],
      querystring: searchQuery,
      response: { 200: entityList, ...errors(504) },
    },
    handler: async ({ query, lifetime }) =>
      asList((await app.knowledge.search(baseOf(query.knowledge_base), query.q, { limit: query.limit ?? 20, signal: lifetime })).map(hitWire)),
  });
  app.route({
    method: 'GET',
    url: '/entities/:name',
    schema: {
      operationId: 'getEntity',
      summary: 'One entity',
      tags: ['knowledge'],
      params: nameParams,
      querystring: baseQuery,
      response: { 200: entity, ...errors(404) },
    },
    handler: async ({ params, query }) => entityWire(await read(baseOf(query.knowledge_base), params.name)),
  });
  app.route({
    method: 'PUT',
    url: '/entities/:name',
    schema: {
      operationId: 'putEntity',
      summary: 'Describe an entity: label, aliases, types',
      tags: ['knowledge'],
      params: nameParams,
      querystring: baseQuery,
      body: putEntity,
      response: { 200: entity, ...errors(...KEEP_ERRORS) },
    },
    handler: async ({ params, query, body }) => {
      const base = oneBase(query.knowledge_base, body.knowledge_base);
      await app.knowledge.tell(base, [entityChange(params.name, body)]);
      return entityWire(await read(base, params.name));
    },
  });
}) satisfies RoutePlugin;
