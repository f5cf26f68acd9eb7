// Owns the engine's thread: it describes the models, takes messages in and sends what the scheduler and the encoders bring. It keeps forward passes away from the HTTP loop.
// Refuses to know who is on the other side, how the scheduler decides, and which models are in memory.

import { parentPort, workerData } from 'node:worker_threads';
import { EncoderQueue } from './encoder/queue.ts';
import { invalid } from './models/json-files.ts';
import { describeModel } from './models/described-model.ts';
import { ModelPool } from './models/model-pool.ts';
import type { Lease } from './models/model-pool.ts';
import { Outflow } from './outflow.ts';
import { FairQueue } from './queue.ts';
import type { Answer, FromWorker, ToWorker, WireEvent, WorkerSetup } from './protocol.ts';
import { describeError, Scheduler } from './scheduler.ts';
import { EngineError, PRIORITIES } from './port.ts';
import type { EngineStatistics, Task, Terms } from './port.ts';

if (!parentPort) throw new EngineError('failed', 'worker.ts runs as a worker thread of engine.ts only');
const port = parentPort;
const { device, folders, limits, loadDefault, threads } = workerData as WorkerSetup;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
const note = (message: string): void => send({ kind: 'note', level: 'warn', message });

let started = false;
const pool = new ModelPool(limits, {
  changed: (info, why) => {
    send({ kind: 'model', info });
    if (started) send({ kind: 'note', level: 'info', message: info.loaded === true ? `model ${info.id} is loaded on ${info.device}` : `model ${info.id} is closed: ${why}` });
  },
  // At start it is said with what is left out.
  failed: (message) => {
    if (started) send({ kind: 'note', level: 'error', message });
  },
  running: ({ kind, model }) => (kind === 'decoder' ? scheduler.bytesOf(model.runner) : 0),
});
/** Of requests that wait for their model. */
const waiting = new Map<number, { readonly controller: AbortController; fail(error: unknown): void }>();
/** The same, for who gives way where too many do. */
const lobby = new FairQueue<number>();
function leaveLobby(id: number): void {
  waiting.delete(id);
  lobby.delete(id);
}
const leases = new Map<number, Lease>();
const giveBack = (id: number): void => {
  leases.get(id)?.release();
  leases.delete(id);
};

function statistics(): EngineStatistics {
  const generating = scheduler.statistics();
  return {
    ...generating,
    running: generating.running + encoders.running,
    waiting: generating.waiting + encoders.waiting + waiting.size,
    promptTokens: generating.promptTokens + encoders.promptTokens,
  };
}
const scheduler: Scheduler = new Scheduler(
  limits,
  (events) => {
    for (const { id, kind } of events) if (kind === 'finish' || kind === 'error') giveBack(id);
    pool.fit();
    send({ kind: 'step', events, statistics: statistics() });
  },
  () => encoders.running > 0,
);
/** Of what waits for its model. */
const outflow = new Outflow();
const encoders: EncoderQueue = new EncoderQueue(limits, (id, outcome) => {
  giveBack(id);
  if ('error' in outcome) send({ kind: 'unanswered', id, ...describeError(outcome.error) });
  else send({ kind: 'answered', id, answer: outcome.answer, statistics: statistics() }, outcome.answer.kind === 'embed' ? [outcome.answer.vectors.buffer] : []);
});

/** Holds the model of a request while it is worked on. `begin` hands it over, and may throw. */
async function withModel(id: number, request: Terms & { readonly model: string }, task: Task, begin: (lease: Lease) => void, fail: (error: unknown) => void): Promise<void> {
  const controller = new AbortController();
  try {
    if (closing) throw new EngineError('closed', 'the engine is closing and takes no more requests');
    const turn = turnOf(request);
    if (waiting.size > limits.queue) {
      const full = new EngineError('queue_full', `${limits.queue} requests wait for their models to be loaded, which is the limit; try again later`, { retryAfter: outflow.retryAfter() });
      const victim = lobby.displaced(turn);
      const place = victim === undefined ? undefined : waiting.get(victim);
      if (victim === undefined || !place) throw full;
      leaveLobby(victim);
      // The model is loaded all the same, and only then it would hear of it by itself.
      place.controller.abort(full);
      place.fail(full);
    }
    waiting.set(id, { controller, fail });
    lobby.put(id, turn);
    const lease = await pool.use(request.model, task, controller.signal).finally(() => {
      leaveLobby(id);
      outflow.ended();
    });
    leases.set(id, lease);
    // A request may have left in this very turn, and what is being ended now must have ended.
    await new Promise(setImmediate);
    if (leases.has(id)) begin(lease);
  } catch (error) {
    giveBack(id);
    if (controller.signal.reason instanceof EngineError) return;
    fail(closing ? new EngineError('closed', 'the engine closed before this request began') : error);
  }
}
const failed = (id: number, error: unknown): WireEvent => ({ id, kind: 'error', ...describeError(error) });
/** Who names nobody is nobody in particular. Throws EngineError `invalid_prompt`. */
function turnOf({ client = '', priority = 0 }: Terms): { readonly client: string; readonly priority: number } {
  if (!Number.isInteger(priority) || priority < PRIORITIES.least || priority > PRIORITIES.most)
    throw new EngineError('invalid_prompt', `priority must be a whole number from ${PRIORITIES.least} to ${PRIORITIES.most}, got ${priority}`);
  return { client, priority };
}

let closing = false;
async function close(graceMs: number): Promise<void> {
  closing = true;
  for (const { controller } of waiting.values()) controller.abort();
  await Promise.all([scheduler.close(graceMs), encoders.close(graceMs)]);
  send({ kind: 'closed' });
  await release();
}
async function release(): Promise<void> {
  await pool.close();
  port.close();
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case 'generate': {
      const { id, request } = message;
      const since = performance.now();
      const begin = ({ open }: Lease): void => {
        if (open.kind === 'decoder') scheduler.submit(id, () => open.model.prepare(request), { ...turnOf(request), since });
      };
      void withModel(id, request, 'generate', begin, (error) => send({ kind: 'step', events: [failed(id, error)], statistics: statistics() }));
      return;
    }
    case 'embed':
    case 'score': {
      const { id, request } = message;
      const begin = ({ open }: Lease): void => {
        if (open.kind !== 'encoder') return;
        encoders.submit(id, () => (message.kind === 'embed' ? open.model.embed(message.request) : open.model.score(message.request)), turnOf(request));
        send({ kind: 'step', events: [], statistics: statistics() });
      };
      void withModel(id, request, message.kind, begin, (error) => send({ kind: 'unanswered', id, ...describeError(error) }));
      return;
    }
    case 'cancel':
      waiting.get(message.id)?.controller.abort();
      // At once: what it waited for may take long.
      leaveLobby(message.id);
      if (encoders.cancel(message.id)) send({ kind: 'step', events: [], statistics: statistics() });
      else scheduler.cancel(message.id);
      giveBack(message.id);
      return;
    case 'count':
      pool.count(message.model, message.what).then(
        (tokens) => send({ kind: 'answered', id: message.id, answer: { kind: 'count', tokens }, statistics: statistics() }),
        (error: unknown) => send({ kind: 'unanswered', id: message.id, ...describeError(error) }),
      );
      return;
    case 'encode':
    case 'decode':
      tokensOf(message).then(
        (answer) => send({ kind: 'answered', id: message.id, answer, statistics: statistics() }),
        (error: unknown) => send({ kind: 'unanswered', id: message.id, ...describeError(error) }),
      );
      return;
    case 'add':
    case 'remove':
      (message.kind === 'add' ? addModel(message.folder) : pool.retire(message.model)).then(
        () => send({ kind: 'answered', id: message.id, answer: { kind: 'models', models: pool.infos() }, statistics: statistics() }),
        (error: unknown) => send({ kind: 'unanswered', id: message.id, ...describeError(error) }),
      );
      return;
    case 'close':
      void close(message.graceMs);
      return;
    default:
      message satisfies never;
  }
}

/** Throws EngineError `unknown_model` or `invalid_prompt`. */
async function tokensOf(asked: Extract<ToWorker, { kind: 'encode' | 'decode' }>): Promise<Answer> {
  const described = pool.described(asked.model);
  return asked.kind === 'encode' ? { kind: 'encode', ...(await described.encode(asked.what)) } : { kind: 'decode', text: await described.decode(asked.ids) };
}

/** Throws EngineError `model_invalid`. */
async function addModel(folder: string): Promise<void> {
  const described = await describeModel(folder, { device, threads, limits, note });
  if (pool.has(described.info.id)) throw invalid(`there is a model ${described.info.id} already; give the folder another name`);
  pool.add(described);
}

const failures: EngineError[] = [];
/** Undefined where it fails: that is noted, and the others go on without it. */
async function attempt<T>(what: string, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    // Whatever a folder holds that nobody thought of: the others can serve.
    if (!(error instanceof EngineError)) failures.push(invalid(`${what}: ${error instanceof Error ? error.message : String(error)}`, error));
    else failures.push(error.cause instanceof EngineError && error.code === 'model_unavailable' ? error.cause : error);
    return undefined;
  }
}
/** The default model is loaded at once; where it cannot be, it is left out and the next one is the default. */
async function openDefault(): Promise<void> {
  for (;;) {
    const models = pool.infos();
    const first = models.find(({ tasks }) => tasks?.includes('generate')) ?? models[0];
    if (!first) throw failures[0];
    const lease = await attempt(first.id, () => pool.use(first.id, first.tasks?.[0] ?? 'generate'));
    if (lease) return lease.release();
    pool.remove(first.id);
  }
}

try {
  for (const folder of folders) {
    const described = await attempt(folder, () => describeModel(folder, { device, threads, limits, note }));
    if (!described) continue;
    if (pool.has(described.info.id)) throw invalid(`two model folders are called ${described.info.id}; rename one of them`);
    await attempt(folder, () => pool.add(described));
  }
  if (loadDefault) await openDefault();
  else if (pool.infos().length === 0) throw failures[0];
  for (const { message } of failures) send({ kind: 'note', level: 'error', message: `a model is left out: ${message}` });
  port.on('message', receive);
  started = true;
  send({ kind: 'ready', models: pool.infos() });
} catch (error) {
  send({ kind: 'refused', ...describeError(error) });
  await release();
}
