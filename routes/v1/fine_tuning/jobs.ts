// Owns /v1/fine_tuning/jobs: begin, watch, pause, resume and cancel fine-tuning jobs, as OpenAI's API has them.
// Refuses to know how a job is run.

import { errors, KEEP_ERRORS } from '../../../src/contract/common.ts';
import {
  checkpointList,
  CHECKPOINTS_PAGE,
  checkpointQuery,
  checkpointWire,
  createJob,
  eventList,
  eventQuery,
  EVENTS_PAGE,
  eventWire,
  hasMetadata,
  job,
  jobEvent,
  jobList,
  jobOf,
  jobParams,
  jobQuery,
  JOBS_PAGE,
  jobWire,
  noBody,
} from '../../../src/contract/fine-tuning.ts';
import { pageAfter } from '../../../src/http/after.ts';
import { sendEvents } from '../../../src/http/events.ts';
import { HttpError } from '../../../src/http/problems.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';
import type { NewJob } from '../../../src/training/jobs/queue.ts';

const tags = ['training'];

export default (async (app) => {
  function checkFile(id: string | undefined, param: string): void {
    if (id === undefined) return;
    const found = app.files.list().find((file) => file.id === id);
    if (!found)
      throw new HttpError('invalid_value', `${param}: there is no file ${JSON.stringify(id)}; upload it with POST /v1/files and the purpose fine-tune`, {
        param,
      });
    if (found.purpose !== 'fine-tune')
      throw new HttpError(
        'invalid_value',
        `${param}: file ${id} is for ${found.purpose}; upload it with the purpose fine-tune, so that its lines are checked`,
        { param },
      );
  }
  /** What the service allows, and what is there. Throws HttpError. */
  async function check({ trainingFile, validationFile, knowledge, settings }: NewJob): Promise<void> {
    const { tuning } = app.config.limits;
    checkFile(trainingFile, 'training_file');
    checkFile(validationFile, 'validation_file');
    if (settings.steps !== undefined && settings.steps > tuning.steps)
      throw new HttpError('invalid_value', `steps: is ${settings.steps}; this service allows ${tuning.steps} at most`, { param: 'steps' });
    if (!knowledge) return;
    if (knowledge.examples > tuning.examples)
      throw new HttpError('invalid_value', `knowledge.examples: is ${knowledge.examples}; this service allows ${tuning.examples} at most`, {
        param: 'knowledge.examples',
      });
    const bases = await app.knowledge.bases();
    if (!bases.some(({ base, facts }) => base === knowledge.base && facts > 0))
      throw new HttpError(
        'invalid_value',
        `knowledge.base: knowledge base ${JSON.stringify(knowledge.base)} holds no facts; there are: ${bases.map(({ base }) => base).join(', ') || 'none'}`,
        { param: 'knowledge.base' },
      );
  }

  app.route({
    method: 'POST',
    url: '/jobs',
    schema: {
      operationId: 'createFineTuningJob',
      summary: 'Fine-tune a model on a file or on a knowledge base',
      tags,
      body: createJob,
      response: { 200: job, ...errors(404, ...KEEP_ERRORS) },
    },
    handler: async ({ body }) => {
      const asked = jobOf(body, app.modelOf(body.model, 'generate'), app.config.limits.tuning);
      await check(asked);
      return jobWire(await app.tuning.create(asked));
    },
  });
  app.route({
    method: 'GET',
    url: '/jobs',
    schema: {
      operationId: 'listFineTuningJobs',
      summary: 'Fine-tuning jobs, newest first',
      tags,
      querystring: jobQuery,
      response: { 200: jobList, ...errors() },
    },
    handler: async ({ query }) =>
      pageAfter(
        app.tuning
          .list()
          .filter((each) => hasMetadata(query, each))
          .map(jobWire),
        query,
        JOBS_PAGE,
      ),
  });
  app.route({
    method: 'GET',
    url: '/jobs/:id',
    schema: {
      operationId: 'getFineTuningJob',
      summary: 'One fine-tuning job, and how far it is',
      tags,
      params: jobParams,
      response: { 200: job, ...errors(404) },
    },
    handler: async ({ params }) => jobWire(app.tuning.get(params.id)),
  });
  for (const [verb, operationId, summary] of [
    ['cancel', 'cancelFineTuningJob', 'End a fine-tuning job at once and for good'],
    ['pause', 'pauseFineTuningJob', 'Stop a fine-tuning job at its next step; it keeps where it is'],
    ['resume', 'resumeFineTuningJob', 'Let a paused fine-tuning job go on'],
  ] as const)
    app.route({
      method: 'POST',
      url: `/jobs/:id/${verb}`,
      schema: { operationId, summary, tags, params: jobParams, body: noBody, response: { 200: job, ...errors(404, 408, 413, 415, 507) } },
      handler: async ({ params }) => jobWire(await app.tuning[verb](params.id)),
    });
  app.route({
    method: 'GET',
    url: '/jobs/:id/events',
    config: { time: 'bulk' },
    schema: {
      operationId: 'listFineTuningEvents',
      summary: 'What a fine-tuning job told, newest first; or everything as it comes',
      tags,
      params: jobParams,
      querystring: eventQuery,
      response: {
        200: {
          description:
            'A page; with `stream=true`, or `Accept: text/event-stream`, server-sent events, oldest first, from the one after `after` until the job ends.',
          content: { 'application/json': { schema: eventList }, 'text/event-stream': { schema: jobEvent } },
        },
        ...errors(404),
      },
    },
    handler: async (request, reply) => {
      const { params, query, lifetime } = request;
      const { id } = app.tuning.get(params.id);
      const streamed = query.stream ?? /\btext\/event-stream\b/.test(request.headers.accept ?? '');
      if (!streamed) return pageAfter((await app.tuning.events(id)).map(eventWire).toReversed(), query, EVENTS_PAGE);
      return sendEvents(
        reply,
        app.tuning.follow(id, query.cursor ?? query.after, lifetime),
        (event) => [eventWire(event)],
        (error) => app.admission.reasonOf(request, error),
      );
    },
  });
  app.route({
    method: 'GET',
    url: '/jobs/:id/checkpoints',
    schema: {
      operationId: 'listFineTuningCheckpoints',
      summary: 'States that a fine-tuning job kept, newest first',
      tags,
      params: jobParams,
      querystring: checkpointQuery,
      response: { 200: checkpointList, ...errors(404) },
    },
    handler: async ({ params, query }) => {
      const found = app.tuning.get(params.id);
      return pageAfter(found.checkpoints.map((each) => checkpointWire(found, each)).toReversed(), query, CHECKPOINTS_PAGE);
    },
  });
}) satisfies RoutePlugin;
