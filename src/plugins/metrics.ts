// Owns the numbers that operators watch, in Prometheus's form.
// Refuses to know what is done about them.

import { setTimeout as wait } from 'node:timers/promises';
import fp from 'fastify-plugin';
import type { FastifyRequest } from 'fastify';
import type { KnownBaseStatistics } from '../../graph/knowledge.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { GenerationMetrics } from './generations.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly metrics: Registry;
  }
}

/** Status of requests whose client left before the answer was complete. */
const LEFT = 499;
const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'none';
/** A scrape does not wait longer for the store. */
const STORE_MS = 2_000;
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];

export const metrics = fp(
  async (app, { generations }: { readonly generations: GenerationMetrics }) => {
    const registry = new Registry();
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    const requests = new Counter({ name: 'pharos_http_requests_total', help: 'Requests answered.', labelNames: ['method', 'route', 'status'], registers });
    const seconds = new Histogram({
      name: 'pharos_http_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route'],
      buckets: SECONDS,
      registers,
    });
    app.addHook('onRequest', async (request, reply) => {
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) requests.inc({ method: request.method, route: routeOf(request), status: LEFT });
      });
    });
    app.addHook('onResponse', async (request, reply) => {
      const { method } = request;
      const route = routeOf(request);
      requests.inc({ method, route, status: reply.statusCode });
      seconds.observe({ method, route }, reply.elapsedTime / 1000);
    });

    const gauge = (name: string, help: string, read: () => number): void => {
      registry.registerMetric(
        new Gauge({
          name,
          help,
          registers: [],
          collect() {
            this.set(read());
          },
        }),
      );
    };
    /** A total that somebody else counts. */
    const total = (name: string, help: string, read: () => number): void => {
      registry.registerMetric(
        new Counter({
          name,
          help,
          registers: [],
          collect() {
            this.reset();
            this.inc(read());
          },
        }),
      );
    };
    gauge('pharos_engine_running', 'Generations that compute.', () => app.engine.statistics().running);
    gauge('pharos_engine_waiting', 'Generations that wait for a slot.', () => app.engine.statistics().waiting);
    gauge('pharos_engine_slots_used', 'KV cache slots in use.', () => app.engine.statistics().slots.used);
    gauge('pharos_engine_slots', 'KV cache slots.', () => app.engine.statistics().slots.total);
    total('pharos_engine_prompt_tokens_total', 'Tokens read.', () => app.engine.statistics().promptTokens);
    total('pharos_engine_generated_tokens_total', 'Tokens written.', () => app.engine.statistics().generatedTokens);
    total('pharos_engine_restarts_total', 'Times that the thread of the engine ended by itself and was started again.', () => app.engine.statistics().restarts ?? 0);
    gauge('pharos_generations', 'Generations whose answer is not over.', () => app.admission.generations);
    total('pharos_cache_hits_total', 'Answers given from the cache.', () => app.answers.statistics().hits);
    total('pharos_cache_misses_total', 'Answers that the cache did not hold.', () => app.answers.statistics().misses);
    total('pharos_cache_invalidated_total', 'Answers dropped because what they rested on changed.', () => app.answers.statistics().invalidated);
    gauge('pharos_cache_entries', 'Answers in the cache.', () => app.answers.statistics().entries);
    gauge('pharos_cache_bytes', 'Bytes of the answer cache.', () => app.answers.statistics().bytes);
    /** What the store tells at this scrape; undefined when it does not. Both gauges below are read at the same time. */
    let telling: Promise<readonly KnownBaseStatistics[] | undefined> | undefined;
    const told = (): Promise<readonly KnownBaseStatistics[] | undefined> =>
      (telling ??= Promise.race([app.knowledge.bases().catch(() => undefined), wait(STORE_MS, undefined, { ref: false })]).finally(
        () => (telling = undefined),
      ));
    const storeUp = new Gauge({
      name: 'pharos_store_up',
      help: '1 when the store told its sizes at this scrape, 0 when it could not in time.',
      registers: [],
      async collect() {
        this.set((await told()) ? 1 : 0);
      },
    });
    const facts = new Gauge({
      name: 'pharos_facts',
      help: 'Facts that hold, by knowledge base, as the store told last.',
      labelNames: ['knowledge_base', 'kind'],
      registers: [],
      async collect() {
        const bases = await told();
        if (!bases) return;
        this.reset();
        for (const { base, facts: stored, derived } of bases) {
          this.set({ knowledge_base: base, kind: 'stored' }, stored);
          this.set({ knowledge_base: base, kind: 'derived' }, derived);
        }
      },
    });
    registry.registerMetric(
      new Gauge({
        name: 'pharos_tuning_jobs',
        help: 'Fine-tuning jobs that have not ended, by status.',
        labelNames: ['status'],
        registers: [],
        collect() {
          for (const [status, count] of Object.entries(app.tuning.statistics().jobs)) this.set({ status }, count);
        },
      }),
    );
    registry.registerMetric(
      new Counter({
        name: 'pharos_tuning_jobs_ended_total',
        help: 'Fine-tuning jobs that ended, by how.',
        labelNames: ['status'],
        registers: [],
        collect() {
          this.reset();
          for (const [status, count] of Object.entries(app.tuning.statistics().ended)) this.inc({ status }, count);
        },
      }),
    );
    total('pharos_tuning_trained_tokens_total', 'Tokens that fine-tuning jobs trained on.', () => app.tuning.statistics().trainedTokens);
    for (const metric of generations.all()) registry.registerMetric(metric);
    registry.registerMetric(storeUp);
    registry.registerMetric(facts);
    registry.registerMetric(
      new Gauge({
        name: 'pharos_model_info',
        help: 'Models that are loaded, with the device that runs them.',
        labelNames: ['model', 'device'],
        registers: [],
        collect() {
          this.reset();
          // An engine elsewhere does not say what it has loaded: it serves all of them.
          for (const { id, device, loaded } of app.engine.models()) if (loaded !== false) this.set({ model: id, device }, 1);
        },
      }),
    );
    app.decorate('metrics', registry);
    app.addHook('onClose', async () => registry.clear());
  },
  { name: 'metrics', dependencies: ['admission', 'knowledge', 'engine', 'answers', 'fine-tuning'] },
);
