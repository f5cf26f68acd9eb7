// Owns POST /v1/extract.
// Refuses to know how facts are found in text, and where they are stored.

import { baseOf, errors, KEEP_ERRORS } from '../../src/contract/common.ts';
import { extractReply, extractRequest, extractWire, storedWire } from '../../src/contract/extract.ts';
import { statementOf } from '../../src/contract/triples.ts';
import { EngineError } from '../../src/engine/port.ts';
import { extract } from '../../src/extraction/extract.ts';
import { ErrorWith, HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';
import { parseRelationName } from '../../graph/terms.ts';
import type { RelationName } from '../../graph/terms.ts';

/** A model that was trained for it sees few relations at a time; any other one more. */
const RELATIONS = { trained: 8, any: 100 };
const TRIPLES = 12;
const AT_ONCE = 4;

function nameOf(given: string, i: number): RelationName {
  try {
    return parseRelationName(given);
  } catch (error) {
    throw new ErrorWith(error, { param: `relations[${i}]` });
  }
}

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/extract',
    schema: {
      operationId: 'extract',
      summary: 'Triples out of text',
      description:
        'The text is read in passages of up to three sentences (by a model that was trained for it, sentence by sentence), each with the relations that it has a word of, by the default model or another one. Names come as they stand in the text: a triple with any other name is left out and counted. What is found is what the model read, so look at it before you build on it; `store` adds it at once.',
      tags: ['knowledge'],
      body: extractRequest,
      response: { 200: extractReply, ...errors(404, 422, 502, ...KEEP_ERRORS) },
    },
    handler: async ({ body, lifetime }, reply) => {
      const model = app.modelOf(body.model, 'generate');
      const base = baseOf(body.knowledge_base);
      const relations = body.relations?.map((given, i) => ({ name: nameOf(given, i), aliases: [] })) ?? (await app.knowledge.relations(base));
      if (relations.length === 0)
        throw new HttpError('missing_required_parameter', `relations: required, because the knowledge base ${JSON.stringify(base)} has none; name what to look for, such as ["born in", "located in"]`, { param: 'relations' });
      app.admission.enterGeneration(reply);
      try {
        const limits = { relations: model.grounded ? RELATIONS.trained : RELATIONS.any, triples: TRIPLES, passages: app.config.limits.extractPassages, atOnce: AT_ONCE };
        const found = extractWire(model.id, await extract(app.engine, model, body.text, relations, limits, lifetime), body.source);
        if (body.store !== true || found.triples.length === 0) return found;
        const told = await app.knowledge.tell(base, found.triples.map((each) => ({ kind: 'assert', statement: statementOf(each) })));
        return { ...found, stored: storedWire(told) };
      } catch (error) {
        if (error instanceof EngineError && error.code === 'context_length_exceeded') throw new ErrorWith(error, { param: 'text' });
        throw error;
      }
    },
  });
}) satisfies RoutePlugin;
