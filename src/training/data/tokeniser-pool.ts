// Owns the threads that tokenise: started as they are needed, each piece given to the one with the least to do.
// Refuses to know files and what becomes of the tokens.

import { Worker } from 'node:worker_threads';
import { DataError } from './errors.ts';
import type { Piece } from './lines.ts';
import type { Tokenised, TokeniseReply, TokeniseSetup } from './tokenise-worker.ts';

interface Waiting {
  readonly resolve: (tokenised: Tokenised) => void;
  readonly reject: (error: Error) => void;
}
interface Thread {
  readonly worker: Worker;
  /** In the order in which the pieces were sent, which is that of the replies. */
  readonly waiting: Waiting[];
}

export class TokeniserPool {
  readonly #setup: TokeniseSetup;
  readonly #most: number;
  readonly #threads: Thread[] = [];
  #failure: Error | undefined;

  constructor(setup: TokeniseSetup, most: number) {
    this.#setup = setup;
    this.#most = most;
  }

  /** Throws DataError: what is wrong with a line, or `failed` when a thread breaks. */
  run(piece: Piece): Promise<Tokenised> {
    if (this.#failure) return Promise.reject(this.#failure);
    const idle = this.#threads.find(({ waiting }) => waiting.length === 0);
    const thread =
      idle ??
      (this.#threads.length < this.#most ? this.#start() : this.#threads.reduce((least, each) => (each.waiting.length < least.waiting.length ? each : least)));
    const { promise, resolve, reject } = Promise.withResolvers<Tokenised>();
    thread.waiting.push({ resolve, reject });
    thread.worker.postMessage(piece, [piece.bytes.buffer]);
    return promise;
  }

  #start(): Thread {
    const worker = new Worker(new URL('./tokenise-worker.ts', import.meta.url), { name: 'pharos-tokeniser', workerData: this.#setup });
    const thread: Thread = { worker, waiting: [] };
    this.#threads.push(thread);
    worker.on('message', (reply: TokeniseReply) => {
      const waiting = thread.waiting.shift();
      if (reply.kind === 'failed') waiting?.reject(new DataError(reply.code, reply.message, reply));
      else waiting?.resolve(reply);
    });
    const fail = (reason: string, cause?: unknown): void => {
      this.#failure ??= new DataError('failed', `a tokenising thread broke: ${reason}`, { cause });
      for (const { reject } of thread.waiting.splice(0)) reject(this.#failure);
    };
    worker.on('error', (error: Error) => fail(error.message, error));
    worker.on('exit', (code) => fail(`it ended with code ${code}`));
    return thread;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
