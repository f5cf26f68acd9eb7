// Owns /v1/reason/induce: begin an induction, watch, read and end it, and adopt its rules.
// Refuses to know how rules are learned.

import { baseOf, errors, KEEP_ERRORS, WRITE_ERRORS } from '../../../src/contract/common.ts';
import {
  adoptRequest,
  induceRequest,
  induceRequestOf,
  induction,
  inductionBase,
  inductionEvent,
  inductionEventWire,
  inductionParams,
  inductionQuery,
  inductionWire,
} from '../../../src/contract/induce.ts';
import { addReply, ruleWire } from '../../../src/contract/rules.ts';
import { oneBase } from '../../../src/http/base.ts';
import { begin, sendEvents } from '../../../src/http/events.ts';
import { HttpError } from '../../../src/http/problems.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

function fromCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^\d{1,9}$/.test(cursor))
    throw new HttpError('invalid_value', `the cursor ${JSON.stringify(cursor.slice(0, 80))} is not one that was given out; begin again without a cursor`, {
      param: 'cursor',
    });
  return Number(cursor);
}

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/induce',
    schema: {
      operationId: 'induce',
      summary: 'Learn rules from the facts, with measures, examples and counter-examples',
      tags: ['reasoning'],
      body: induceRequest,
      response: {
        200: {
          description: 'The rules; with `stream: true` as events, the last of which is the whole result; with `background: true` how far it is.',
          content: { 'application/json': { schema: induction }, 'text/event-stream': { schema: inductionEvent } },
        },
        ...errors(404, ...WRITE_ERRORS),
      },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const { induce } = app.config.limits;
      const job = await app.knowledge.induce(baseOf(body.knowledge_base), induceRequestOf(body, induce, lifetime));
      // What is found in the background ends with the service, and whoever listens gets it.
      const until = body.background === true ? app.admission.ending : lifetime;
      const leave = (): void => {
        if (job.state.status === 'running') job.cancel();
      };
      if (until.aborted) leave();
      until.addEventListener('abort', leave, { once: true });
      void job.ended().then(() => until.removeEventListener('abort', leave));
      if (body.stream === true)
        return sendEvents(
          reply,
          await begin(job.events(), reply),
          (event) => [inductionEventWire(event)],
          (error) => app.admission.reasonOf(request, error),
        );
      if (body.background === true) return inductionWire(job.state);
      const state = await job.ended();
      lifetime.throwIfAborted();
      if (state.error) throw state.error;
      return inductionWire(state);
    },
  });
  app.route({
    method: 'GET',
    url: '/induce/:id',
    schema: {
      operationId: 'getInduction',
      summary: 'An induction, how far it is, and its rules page by page',
      tags: ['reasoning'],
      params: inductionParams,
      querystring: inductionQuery,
      response: { 200: induction, ...errors(404) },
    },
    handler: async ({ params, query }) =>
      inductionWire(app.knowledge.induction(baseOf(query.knowledge_base), params.id).state, fromCursor(query.cursor), query.limit ?? 100),
  });
  app.route({
    method: 'DELETE',
    url: '/induce/:id',
    schema: {
      operationId: 'cancelInduction',
      summary: 'End an induction; what it found so far can still be read and adopted',
      tags: ['reasoning'],
      params: inductionParams,
      querystring: inductionBase,
      response: { 200: induction, ...errors(404) },
    },
    handler: async ({ params, query }) => {
      const job = app.knowledge.induction(baseOf(query.knowledge_base), params.id);
      job.cancel();
      return inductionWire(job.state, 0, 100);
    },
  });
  app.route({
    method: 'POST',
    url: '/induce/:id/adopt',
    schema: {
      operationId: 'adoptRules',
      summary: 'Store rules that an induction found, each with its measured confidence, and derive what follows',
      tags: ['reasoning'],
      params: inductionParams,
      querystring: inductionBase,
      body: adoptRequest,
      response: { 200: addReply, ...errors(404, ...KEEP_ERRORS) },
    },
    handler: async ({ params, query, body }) => {
      const { rules, derived, version, partial } = await app.knowledge.adopt(oneBase(query.knowledge_base, body.knowledge_base), params.id, body.rules);
      return { rules: rules.map(ruleWire), derived, version, ...(partial === undefined ? {} : { partial }) };
    },
  });
}) satisfies RoutePlugin;
