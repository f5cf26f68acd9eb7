// Owns the numbers that operators watch, in Prometheus's form.
// Refuses to know what is done about them.

import fp from 'fastify-plugin';
import type { FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

declare module 'fastify' {
  interface FastifyInstance {
    readonly metrics: Registry;
  }
}

/** Status of requests whose client left before the answer was complete. */
const LEFT = 499;
const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'none';
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];

export const metrics = fp(
  async (app) => {
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
    gauge('pharos_generations', 'Generations whose answer is not over.', () => app.admission.generations);
    total('pharos_cache_hits_total', 'Answers given from the cache.', () => app.answers.statistics().hits);
    total('pharos_cache_misses_total', 'Answers that the cache did not hold.', () => app.answers.statistics().misses);
    total('pharos_cache_invalidated_total', 'Answers dropped because what they rested on changed.', () => app.answers.statistics().invalidated);
    gauge('pharos_cache_entries', 'Answers in the cache.', () => app.answers.statistics().entries);
    gauge('pharos_cache_bytes', 'Bytes of the answer cache.', () => app.answers.statistics().bytes);
    const facts = new Gauge({
      name: 'pharos_facts',
      help: 'Facts that hold, by knowledge base.',
      labelNames: ['knowledge_base', 'kind'],
      registers: [],
      async collect() {
        this.reset();
        for (const { base, facts: stored, derived } of await app.knowledge.bases()) {
          this.set({ knowledge_base: base, kind: 'stored' }, stored);
          this.set({ knowledge_base: base, kind: 'derived' }, derived);
        }
      },
    });
    registry.registerMetric(facts);
    const models = new Gauge({
      name: 'pharos_model_info',
      help: 'Models that are loaded, with the device that runs them.',
      labelNames: ['model', 'device'],
      registers,
    });
    for (const { id, device } of app.engine.models()) models.set({ model: id, device }, 1);
    app.decorate('metrics', registry);
    app.addHook('onClose', async () => registry.clear());
  },
  { name: 'metrics', dependencies: ['admission', 'knowledge', 'engine', 'answers'] },
);
