// Owns the engine's thread: it loads the models, takes messages in and sends what the scheduler brings. It keeps forward passes away from the HTTP loop.
// Refuses to know who is on the other side, and how the scheduler decides.

import { parentPort, workerData } from 'node:worker_threads';
import { LoadedModel } from './loaded-model.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.ts';
import { describeError, Scheduler } from './scheduler.ts';
import { EngineError } from './port.ts';

if (!parentPort) throw new EngineError('failed', 'worker.ts runs as a worker thread of engine.ts only');
const port = parentPort;
const setup = workerData as WorkerSetup;
const send = (message: FromWorker): void => port.postMessage(message);

const models = new Map<string, LoadedModel>();
const modelOf = (id: string): LoadedModel => {
  const model = models.get(id);
  if (!model) throw new EngineError('unknown_model', `model ${JSON.stringify(id)} is not loaded; loaded are: ${[...models.keys()].join(', ')}`);
  return model;
};
const scheduler: Scheduler = new Scheduler(setup.limits, (events) => send({ kind: 'step', events, statistics: scheduler.statistics() }));

async function release(): Promise<void> {
  for (const model of models.values()) await model.close();
  models.clear();
  port.close();
}

async function close(graceMs: number): Promise<void> {
  await scheduler.close(graceMs);
  send({ kind: 'closed' });
  await release();
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case 'generate':
      try {
        scheduler.submit(message.id, () => modelOf(message.request.model).prepare(message.request));
      } catch (error) {
        send({ kind: 'step', events: [{ id: message.id, kind: 'error', ...describeError(error) }], statistics: scheduler.statistics() });
      }
      return;
    case 'cancel':
      scheduler.cancel(message.id);
      return;
    case 'count':
      try {
        send({ kind: 'counted', id: message.id, tokens: modelOf(message.model).tokenizer.encodePlain(message.text).length });
      } catch (error) {
        send({ kind: 'uncounted', id: message.id, ...describeError(error) });
      }
      return;
    case 'close':
      void close(message.graceMs);
      return;
    default:
      message satisfies never;
  }
}

const failures: EngineError[] = [];
/** Undefined when it cannot be loaded: the others go on without it. */
async function load(folder: string): Promise<LoadedModel | undefined> {
  try {
    return await LoadedModel.load(folder, { device: setup.device, threads: setup.threads, prefixBytes: setup.limits.prefixBytes, note: (message) => send({ kind: 'note', level: 'warn', message }) });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    failures.push(error);
    return undefined;
  }
}

try {
  for (const folder of setup.folders) {
    const model = await load(folder);
    if (!model) continue;
    if (models.has(model.info.id)) {
      await model.close();
      throw new EngineError('model_invalid', `two model folders are called ${model.info.id}; rename one of them`);
    }
    models.set(model.info.id, model);
  }
  if (models.size === 0) throw failures[0];
  for (const { message } of failures) send({ kind: 'note', level: 'error', message: `a model is left out: ${message}` });
  port.on('message', receive);
  send({ kind: 'ready', models: [...models.values()].map(({ info }) => info) });
} catch (error) {
  send({ kind: 'refused', ...describeError(error) });
  await release();
}
