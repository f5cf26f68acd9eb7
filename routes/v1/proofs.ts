// Owns /v1/proofs: show a proof, verify a proof.
// Refuses to know how proofs are found and checked.

import { z } from 'zod';
import { baseOf, errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { removalOf } from '../../src/contract/deduce.ts';
import { checkReply, checkRequest, checkWire, proof, proofParams, proofQuery } from '../../src/contract/proofs.ts';
import { baseQuery } from '../../src/contract/entities.ts';
import { statementOf } from '../../src/contract/triples.ts';
import { namedBase } from '../../src/http/base.ts';
import { HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';
import { proofJson, proofMarkdown, proofMermaid } from '../../graph/reason/proofs/render.ts';
import type { RelationNames } from '../../graph/reason/proofs/render.ts';
import type { Proof } from '../../graph/reason/types.ts';
import type { BaseName } from '../../graph/terms.ts';

export default (async (app) => {
  /** The base that is named, or the one that the proof was given out for. */
  function find(id: string, named: string | undefined): { readonly base: BaseName; readonly proof: Proof } {
    const base = named === undefined ? undefined : baseOf(named);
    const found = app.knowledge.keptProof(id);
    if (!found || (base !== undefined && found.base !== base))
      throw new HttpError(
        'proof_not_found',
        `there is no proof ${JSON.stringify(id)}, or it was not asked for in a long time; ask the question again to get a new one`,
        { param: 'id' },
      );
    return found;
  }

  /** Relations by their first alias in the language, where they have one. */
  async function relationNames(base: BaseName, language: string): Promise<RelationNames> {
    const names = new Map<string, string>();
    for (const { name, aliases } of await app.knowledge.relations(base)) {
      const alias = aliases.find((each) => each.language?.split('-')[0] === language);
      if (alias) names.set(name, alias.text);
    }
    return (relation) => names.get(relation) ?? relation;
  }

  app.route({
    method: 'GET',
    url: '/proofs/:id',
    schema: {
      operationId: 'getProof',
      summary: 'A proof, down to stored facts',
      tags: ['reasoning'],
      params: proofParams,
      querystring: proofQuery,
      response: {
        200: {
          description: 'The proof.',
          content: { 'application/json': { schema: proof }, 'text/markdown': { schema: z.string() }, 'text/vnd.mermaid': { schema: z.string() } },
        },
        ...errors(404),
      },
    },
    handler: async ({ params, query }, reply) => {
      const { base, proof: found } = find(params.id, query.knowledge_base);
      const called = query.language === 'zh' && query.format !== undefined && query.format !== 'json' ? await relationNames(base, 'zh') : undefined;
      if (query.format === 'markdown') return reply.type('text/markdown; charset=utf-8').send(proofMarkdown(found, query.language, called));
      if (query.format === 'mermaid') return reply.type('text/vnd.mermaid; charset=utf-8').send(proofMermaid(found, query.language, called));
      return reply.type('application/json; charset=utf-8').send(proofJson(found));
    },
  });
  app.route({
    method: 'POST',
    url: '/proofs/:id/check',
    schema: {
      operationId: 'checkProof',
      summary: 'Verify a proof, step by step, against the knowledge base as it is now',
      tags: ['reasoning'],
      params: proofParams,
      querystring: baseQuery,
      body: checkRequest,
      response: { 200: checkReply, ...errors(404, ...WRITE_ERRORS) },
    },
    handler: async ({ params, query, body }) => {
      const { base, proof: found } = find(params.id, namedBase(query.knowledge_base, body?.knowledge_base));
      const hypothesis = {
        ...(body?.rules === undefined ? {} : { rules: body.rules }),
        ...(body?.facts === undefined ? {} : { facts: body.facts.map(statementOf) }),
        ...(body?.remove === undefined ? {} : { removed: body.remove.map(removalOf) }),
        ...(body?.valid_at === undefined ? {} : { validAt: body.valid_at }),
      };
      return checkWire(await app.knowledge.checkProof(base, found, hypothesis));
    },
  });
}) satisfies RoutePlugin;
