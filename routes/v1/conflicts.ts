// Owns /v1/conflicts: contradictions, and the policies that decide them.
// Refuses to know how contradictions are found and decided.

import { baseOf, errors, KEEP_ERRORS } from '../../src/contract/common.ts';
import { conflictList, conflictsQuery, conflictsWire, policies, policiesOf, policiesWire, putPolicies } from '../../src/contract/conflicts.ts';
import { baseQuery } from '../../src/contract/entities.ts';
import { oneBase } from '../../src/http/base.ts';
import { HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

const PAGE = 100;

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/conflicts',
    schema: {
      operationId: 'listConflicts',
      summary: 'Contradictions, with the proofs of their sides',
      tags: ['reasoning'],
      querystring: conflictsQuery,
      response: { 200: conflictList, ...errors(504) },
    },
    handler: async ({ query, lifetime }) => {
      const { cursor, limit = PAGE, knowledge_base: named, valid_at: validAt } = query;
      if (cursor !== undefined && !/^\d{1,9}$/.test(cursor))
        throw new HttpError('invalid_value', `the cursor ${JSON.stringify(cursor.slice(0, 40))} is none of this list; ask again from the beginning`, { param: 'cursor' });
      const offset = cursor === undefined ? 0 : Number(cursor);
      const found = await app.knowledge.contradictions(baseOf(named), { offset, limit, ...(validAt === undefined ? {} : { validAt }), signal: lifetime });
      return conflictsWire(found, found.more && found.contradictions.length > 0 ? String(offset + found.contradictions.length) : undefined);
    },
  });
  app.route({
    method: 'GET',
    url: '/conflicts/policies',
    schema: {
      operationId: 'getConflictPolicies',
      summary: 'Which side of a contradiction stands when questions are answered',
      tags: ['reasoning'],
      querystring: baseQuery,
      response: { 200: policies, ...errors() },
    },
    handler: async ({ query }) => policiesWire(await app.knowledge.conflictPolicies(baseOf(query.knowledge_base))),
  });
  app.route({
    method: 'PUT',
    url: '/conflicts/policies',
    schema: {
      operationId: 'putConflictPolicies',
      summary: 'Declare which side of a contradiction stands when questions are answered',
      tags: ['reasoning'],
      querystring: baseQuery,
      body: putPolicies,
      response: { 200: policies, ...errors(...KEEP_ERRORS) },
    },
    handler: async ({ query, body }) => policiesWire(await app.knowledge.setConflictPolicies(oneBase(query.knowledge_base, body.knowledge_base), policiesOf(body))),
  });
}) satisfies RoutePlugin;
