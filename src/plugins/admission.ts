// Owns who may come in and how long they may stay: time limits, clients that leave, the number of generations, and the end of everything at shutdown.
// Refuses to know what requests do.

import fp from 'fastify-plugin';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { EngineError } from '../engine/port.ts';
import { HttpError } from '../http/problems.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly admission: Admission;
  }
  interface FastifyRequest {
    /** Aborts when the client leaves, when the request's time is over, and when the service ends. */
    lifetime: AbortSignal;
  }
  interface FastifyContextConfig {
    /** `bulk`: a long time, and a slow body is no mistake. */
    readonly time?: 'bulk';
    /** Answered without a key and while shutting down. */
    readonly open?: boolean;
  }
}

/** Time for answers to be written out after they were told to end. */
const ENDING_MS = 2_000;
const POLL_MS = 20;

export class Admission {
  readonly #limits: Config['limits'];
  readonly #live = new Map<FastifyRequest, AbortController>();
  #generations = 0;
  #closing = false;

  constructor(limits: Config['limits']) {
    this.#limits = limits;
  }
  get closing(): boolean {
    return this.#closing;
  }
  get generations(): number {
    return this.#generations;
  }

  /** Gives the request its lifetime. Throws HttpError `shutting_down`. */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    const { time, open } = request.routeOptions.config;
    const controller = new AbortController();
    request.lifetime = controller.signal;
    if (this.#closing && open !== true) throw new HttpError('shutting_down', 'Pharos is shutting down; try again when it is back');
    const ms = time === 'bulk' ? this.#limits.bulkMs : this.#limits.requestMs;
    const timer = setTimeout(() => this.#expire(request, reply, controller, ms), ms).unref();
    this.#live.set(request, controller);
    const leave = (): void => {
      clearTimeout(timer);
      this.#live.delete(request);
      if (!reply.raw.writableFinished) controller.abort(new HttpError('client_gone', 'the client left before the answer was complete'));
    };
    reply.raw.once('close', leave);
    reply.raw.once('finish', leave);
  }
  /** Counts a generation until its answer is over. Throws HttpError `too_many_streams`. */
  enterGeneration(reply: FastifyReply): void {
    if (this.#generations >= this.#limits.streams)
      throw new HttpError('too_many_streams', `${this.#limits.streams} generations are under way, which is the limit; try again later`);
    this.#generations++;
    let left = false;
    const leave = (): void => {
      if (!left) this.#generations--;
      left = true;
    };
    reply.raw.once('close', leave);
    reply.raw.once('finish', leave);
  }
  /** What ended a request, where a core only says that it was aborted. */
  reasonOf(request: FastifyRequest, error: unknown): unknown {
    const { lifetime } = request;
    const aborted = error instanceof EngineError ? error.code === 'aborted' : error instanceof Error && error.name === 'AbortError';
    return aborted && lifetime?.aborted && lifetime.reason instanceof HttpError ? lifetime.reason : error;
  }

  /** Refuses newcomers, waits for those inside, and after the time for it ends them. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#emptied(this.#limits.shutdownMs);
    for (const controller of this.#live.values())
      controller.abort(new HttpError('shutting_down', 'Pharos is shutting down; this request could not be finished in time'));
    await this.#emptied(ENDING_MS);
  }
  async #emptied(ms: number): Promise<void> {
    for (const deadline = Date.now() + ms; this.#live.size > 0 && Date.now() < deadline;) await wait(POLL_MS);
  }

  #expire(request: FastifyRequest, reply: FastifyReply, controller: AbortController, ms: number): void {
    const late = !request.raw.complete;
    const error = late
      ? new HttpError('body_timeout', `the body did not arrive within ${ms / 1000} s`)
      : new HttpError('timeout', `the answer took longer than ${ms / 1000} s, which is the limit`);
    controller.abort(error);
    if (late && !reply.sent && request.routeOptions.config.time !== 'bulk') void reply.header('connection', 'close').send(error);
  }
}

export const admission = fp(
  async (app, { config }: { readonly config: Config }) => {
    const gate = new Admission(config.limits);
    app.decorate('admission', gate);
    app.decorateRequest('lifetime');
    app.addHook('onRequest', async (request, reply) => gate.admit(request, reply));
    app.addHook('preClose', async () => gate.close());
  },
  { name: 'admission' },
);
