// Owns the life of the engine's thread: it is started, and started again where it ends by itself, but not for ever.
// Refuses to know what is said to it, and what it answers.

import { Worker } from 'node:worker_threads';
import { EngineError } from './port.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.ts';

/** It is started again so often within so long; after one end more it stays ended. */
export const RESTARTS = { most: 5, withinMs: 10 * 60_000 } as const;

export interface ThreadOptions {
  /** Asked at each start. */
  setup(again: boolean): WorkerSetup;
  received(message: FromWorker): void;
  /** It is gone, and what was asked of it will not be answered. `again`: what is sent from now on reaches a new one. `reason`: for anybody to read; `cause`: what it threw. */
  ended(end: { readonly reason: string; readonly again: boolean; readonly cause: unknown }): void;
}

export class EngineThread {
  readonly #options: ThreadOptions;
  #worker: Worker;
  /** When it was started again, by performance.now(). */
  #times: number[] = [];
  #restarts = 0;
  /** It has served: what never did is not started again. */
  #served = false;
  #stopping = false;
  #thrown: unknown;
  #over: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => (this.#over = resolve));

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = this.#start(false);
  }

  /** Times that it was started again. */
  get restarts(): number {
    return this.#restarts;
  }
  /** What is sent while it starts waits for it. */
  send(message: ToWorker): void {
    this.#worker.postMessage(message, []);
  }
  /** It is not started again. Resolves when it has ended by itself, or was ended after so long. */
  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), ms);
    });
    if ((await Promise.race([this.#ended, late])) === 'late') await this.#worker.terminate();
    clearTimeout(timer);
  }

  #start(again: boolean): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: 'pharos-engine', workerData: this.#options.setup(again) });
    this.#thrown = undefined;
    worker.on('error', (error) => (this.#thrown = error));
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') this.#served = true;
      else if (message.kind === 'refused') this.#thrown = new EngineError(message.code, message.message);
      this.#options.received(message);
    });
    worker.once('exit', (code) => this.#exit(code));
    return worker;
  }
  #exit(code: number): void {
    const now = performance.now();
    this.#times = this.#times.filter((time) => now - time < RESTARTS.withinMs);
    const again = this.#served && !this.#stopping && this.#times.length < RESTARTS.most;
    const reason = reasonOf(this.#thrown) ?? `it ended with code ${code}`;
    this.#options.ended({ reason, again, cause: this.#thrown });
    if (!again) return this.#over();
    this.#times.push(now);
    this.#restarts++;
    this.#worker = this.#start(true);
  }
}

/** What was thrown may tell of the inside: that is for the log. */
function reasonOf(thrown: unknown): string | undefined {
  if (thrown === undefined) return undefined;
  if (thrown instanceof EngineError) return 'it could not start';
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it ran out of memory' : 'it broke';
}
