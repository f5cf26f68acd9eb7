// Owns who may come in and how long they may stay: time limits, clients that leave, the number of generations, whom each is for, and the end of everything at shutdown.
// Refuses to know what requests do.

import fp from 'fastify-plugin';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { Outflow } from '../engine/outflow.ts';
import { EngineError } from '../engine/port.ts';
import { ClientNames } from '../http/clients.ts';
import { HttpError } from '../http/problems.ts';
import { setTerms } from '../http/terms.ts';

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
/** A client may have so many times as many generations under way as are free: there is always room for another one (dynamic thresholds, Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). */
const SHARE = 9;

interface Live {
  readonly controller: AbortController;
  readonly reply: FastifyReply;
  readonly began: number;
  timer: NodeJS.Timeout;
}

export class Admission {
  readonly #limits: Config['limits'];
  readonly #names: ClientNames;
  readonly #live = new Map<FastifyRequest, Live>();
  /** Generations under way, by client. */
  readonly #ofClient = new Map<string, number>();
  readonly #outflow = new Outflow();
  readonly #ending = new AbortController();
  #generations = 0;

  /** `keyed`: who has a key is told apart by it. */
  constructor(limits: Config['limits'], keyed = false) {
    this.#limits = limits;
    this.#names = new ClientNames(keyed);
  }
  get closing(): boolean {
    return this.#ending.signal.aborted;
  }
  /** Fires as soon as the service begins to end, while requests that compute are still let finish: for those who only watch what goes on without them. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }
  get generations(): number {
    return this.#generations;
  }

  /** Gives the request its lifetime. Throws HttpError `shutting_down`. */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    const { time, open } = request.routeOptions.config;
    const controller = new AbortController();
    request.lifetime = controller.signal;
    if (this.closing && open !== true) throw new HttpError('shutting_down', 'Pharos is shutting down; try again when it is back');
    const ms = time === 'bulk' ? this.#limits.bulkMs : this.#limits.requestMs;
    const live: Live = { controller, reply, began: performance.now(), timer: this.#expiry(request, ms, ms, 'which is the limit') };
    this.#live.set(request, live);
    const leave = (): void => {
      clearTimeout(live.timer);
      this.#live.delete(request);
      if (!reply.raw.writableFinished) controller.abort(new HttpError('client_gone', 'the client left before the answer was complete'));
    };
    reply.raw.once('close', leave);
    reply.raw.once('finish', leave);
  }
  /**
   * Counts a generation until its answer is over, and reads from the body on which terms it is served: `priority`, `timeout`, and whom it is for. Throws HttpError `too_many_streams`, and
   * `invalid_value` for a timeout that is longer than requests may take.
   */
  enterGeneration(reply: FastifyReply): void {
    const { request } = reply;
    const body: Readonly<Record<string, unknown>> = typeof request.body === 'object' && request.body !== null ? { ...request.body } : {};
    const client = this.#names.of(request, body);
    if (typeof body.timeout === 'number') this.#shorten(request, body.timeout * 1000);
    setTerms(request.lifetime, { client, ...(typeof body.priority === 'number' && body.priority !== 0 ? { priority: body.priority } : {}) });
    this.#count(client, reply);
  }
  #count(client: string, reply: FastifyReply): void {
    const { streams } = this.#limits;
    const own = this.#ofClient.get(client) ?? 0;
    const free = streams - this.#generations;
    if (free <= 0) throw this.#tooMany(`${streams} generations are under way, which is the limit; try again later`);
    if (own >= SHARE * free) throw this.#tooMany(`${own} generations of this client are under way, and of the ${streams} that may be under way at a time the last ${free} are kept for others; try again later`);
    this.#generations++;
    this.#ofClient.set(client, own + 1);
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      this.#generations--;
      this.#outflow.ended();
      const count = (this.#ofClient.get(client) ?? 0) - 1;
      if (count > 0) this.#ofClient.set(client, count);
      else this.#ofClient.delete(client);
    };
    reply.raw.once('close', leave);
    reply.raw.once('finish', leave);
  }
  #tooMany(message: string): HttpError {
    return new HttpError('too_many_streams', message, { retryAfter: this.#outflow.retryAfter() });
  }
  /** What ended a request, where a core only says that it was aborted. */
  reasonOf(request: FastifyRequest, error: unknown): unknown {
    const { lifetime } = request;
    const aborted = error instanceof EngineError ? error.code === 'aborted' : error instanceof Error && error.name === 'AbortError';
    if (!aborted || !lifetime?.aborted || !(lifetime.reason instanceof HttpError)) return error;
    const { reason } = lifetime;
    if (reason.code !== 'timeout' || !(error instanceof EngineError) || error.waitedMs === undefined) return reason;
    return new HttpError('timeout', `${reason.message}; it waited for ${seconds(error.waitedMs)} s of that and its turn had not come, so that nothing was computed: try again when less is asked, or give it more time`, { cause: error });
  }

  /** Refuses newcomers, waits for those inside, and after the time for it ends them. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#emptied(this.#limits.shutdownMs);
    for (const { controller } of this.#live.values())
      controller.abort(new HttpError('shutting_down', 'Pharos is shutting down; this request could not be finished in time'));
    await this.#emptied(ENDING_MS);
  }
  async #emptied(ms: number): Promise<void> {
    for (const deadline = Date.now() + ms; this.#live.size > 0 && Date.now() < deadline;) await wait(POLL_MS);
  }

  /** Gives a request the time that it asks for, from its first byte. */
  #shorten(request: FastifyRequest, ms: number): void {
    const { requestMs } = this.#limits;
    if (ms > requestMs) throw new HttpError('invalid_value', `timeout: is ${ms / 1000}; a request may take ${requestMs / 1000} s at most here`, { param: 'timeout' });
    const live = this.#live.get(request);
    if (!live) return;
    clearTimeout(live.timer);
    live.timer = this.#expiry(request, Math.max(0, ms - (performance.now() - live.began)), ms, 'which is its timeout');
  }
  #expiry(request: FastifyRequest, afterMs: number, ms: number, why: string): NodeJS.Timeout {
    return setTimeout(() => this.#expire(request, ms, why), afterMs).unref();
  }
  #expire(request: FastifyRequest, ms: number, why: string): void {
    const live = this.#live.get(request);
    if (!live) return;
    const { controller, reply } = live;
    const late = !request.raw.complete;
    const error = late
      ? new HttpError('body_timeout', `the body did not arrive within ${ms / 1000} s`)
      : new HttpError('timeout', `the answer took longer than ${ms / 1000} s, ${why}`);
    controller.abort(error);
    if (late && !reply.sent && request.routeOptions.config.time !== 'bulk') void reply.header('connection', 'close').send(error);
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 10_000 ? 1 : 0);

export const admission = fp(
  async (app, { config }: { readonly config: Config }) => {
    const gate = new Admission(config.limits, config.apiKeys.length > 0);
    app.decorate('admission', gate);
    app.decorateRequest('lifetime');
    app.addHook('onRequest', async (request, reply) => gate.admit(request, reply));
    app.addHook('preClose', async () => gate.close());
  },
  { name: 'admission' },
);
