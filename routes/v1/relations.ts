// Owns /v1/relations: which there are, and what is declared of them.
// Refuses to know what declarations imply.

import { baseOf, errors, KEEP_ERRORS } from '../../src/contract/common.ts';
import { baseQuery, nameParams } from '../../src/contract/entities.ts';
import { listQuery, putRelation, relation, relationList, relationOf, relationWire } from '../../src/contract/relations.ts';
import { oneBase } from '../../src/http/base.ts';
import { pageOf } from '../../src/http/paging.ts';
import { HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';
import { parseRelationName } from '../../graph/terms.ts';
import type { BaseName } from '../../graph/terms.ts';
import type { RelationSummary } from '../../graph/store.ts';

export default (async (app) => {
  async function read(base: BaseName, text: string): Promise<RelationSummary> {
    const name = parseRelationName(text);
    const found = (await app.knowledge.relations(base)).find((each) => each.name === name);
    if (!found)
      throw new HttpError(
        'relation_not_found',
        `knowledge base ${JSON.stringify(base)} has no relation ${JSON.stringify(name)}; GET /v1/relations lists them`,
        { param: 'name' },
      );
    return found;
  }

  app.route({
    method: 'GET',
    url: '/relations',
    schema: {
      operationId: 'listRelations',
      summary: 'Relations, with how many facts they have',
      tags: ['knowledge'],
      querystring: listQuery,
      response: { 200: relationList, ...errors() },
    },
    handler: async ({ query }) => pageOf((await app.knowledge.relations(baseOf(query.knowledge_base))).map(relationWire), ({ name }) => name, query),
  });
  app.route({
    method: 'GET',
    url: '/relations/:name',
    schema: {
      operationId: 'getRelation',
      summary: 'One relation',
      tags: ['knowledge'],
      params: nameParams,
      querystring: baseQuery,
      response: { 200: relation, ...errors(404) },
    },
    handler: async ({ params, query }) => relationWire(await read(baseOf(query.knowledge_base), params.name)),
  });
  app.route({
    method: 'PUT',
    url: '/relations/:name',
    schema: {
      operationId: 'putRelation',
      summary: 'Declare a relation: aliases and properties',
      tags: ['knowledge'],
      params: nameParams,
      querystring: baseQuery,
      body: putRelation,
      response: { 200: relation, ...errors(...KEEP_ERRORS) },
    },
    handler: async ({ params, query, body }) => {
      const base = oneBase(query.knowledge_base, body.knowledge_base);
      await app.knowledge.tell(base, [{ kind: 'relation', relation: relationOf(params.name, body) }]);
      return relationWire(await read(base, params.name));
    },
  });
}) satisfies RoutePlugin;
