// Owns data parallel gradients: rows dealt to worker threads, each with a session of its own, gradients summed in shared memory.
// Refuses to know models, data and updates.

import { Worker } from 'node:worker_threads';
import type { Batch } from '../batch.ts';
import { openGradients, sharesOf, summed } from '../run/gradients.ts';
import type { Gradients, GradientsOptions, Predicted } from '../run/gradients.ts';
import { dealRows } from './deal.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './gradient-worker.ts';

/** Sets the dropout of workers apart, and leaves that of the first as it is. */
const APART = 0x9e37_79b1;
const workerSeed = (seed: number, rank: number): number => (rank === 0 ? seed : (seed ^ Math.imul(rank, APART)) >>> 0);

/** A thread that takes one message at a time. */
class GradientThread {
  readonly #worker: Worker;
  #waiting: { readonly resolve: (said: Predicted) => void; readonly reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  constructor(setup: WorkerSetup) {
    this.#worker = new Worker(new URL('./gradient-worker.ts', import.meta.url), { name: `pharos-gradients-${setup.rank}`, workerData: setup });
    this.#worker.on('message', (reply: FromWorker) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (reply.kind === 'done') waiting?.resolve(reply.said);
      else waiting?.reject(new Error(`worker ${setup.rank}: ${reply.message}`));
    });
    const fail = (reason: string, cause?: unknown): void => {
      this.#failure ??= new Error(`worker ${setup.rank} broke: ${reason}`, { cause });
      this.#waiting?.reject(this.#failure);
      this.#waiting = undefined;
    };
    this.#worker.on('error', (error: Error) => fail(error.message, error));
    this.#worker.on('exit', (code) => fail(`it ended with code ${code}`));
  }
  /** What comes back; the first answer is that of the start. */
  answer(): Promise<Predicted> {
    if (this.#failure) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<Predicted>();
    this.#waiting = { resolve, reject };
    return promise;
  }
  ask(message: ToWorker): Promise<Predicted> {
    const answer = this.answer();
    this.#worker.postMessage(message, []);
    return answer;
  }
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** One after the other in the same order, so that a sum of floats comes out alike each time. Waits for all, also when one fails. */
async function all(answers: readonly Promise<Predicted>[]): Promise<Predicted> {
  const settled = await Promise.allSettled(answers);
  return summed(
    settled.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    }),
  );
}

/**
 * Opens gradients over `workers` threads of `threads` each. They come to those of one worker but for the rounding of float32, and to the very same each time for the same number of workers; dropout
 * draws otherwise for another number. The weights have to lie in shared memory, where the workers read them as they stand; throws RangeError for others.
 */
export async function openParallelGradients(options: GradientsOptions, workers: number): Promise<Gradients> {
  if (workers === 1) return openGradients(options);
  const { graph, weights } = options;
  for (const [name, { buffer }] of weights)
    if (!(buffer instanceof SharedArrayBuffer))
      throw new RangeError(`weights ${name} lie in memory that workers cannot read; make them over a SharedArrayBuffer`);
  const sizes = graph.parameters.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const gradients = Array.from({ length: workers }, () => new Float32Array(new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT)));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, each) => sum + each, 0));
  const byParameter = gradients.map((own) => sizes.map((length, i) => own.subarray(starts[i], starts[i] + length)));
  const threads = gradients.map((_, rank) => new GradientThread({ ...options, rank, gradients }));
  const close = async (): Promise<void> => void (await Promise.all(threads.map((thread) => thread.close())));
  try {
    await all(threads.map((thread) => thread.answer()));
  } catch (error) {
    await close();
    throw error;
  }
  /** Each worker's batches and their share, by rank; those that get none are left out. */
  const dealt = (batches: readonly Batch[]): { readonly rank: number; readonly own: readonly Batch[]; readonly share: number }[] => {
    if (batches.length === 0) throw new RangeError('a step needs at least one batch');
    const hands = dealRows(batches, workers);
    const shares = sharesOf(hands.flat());
    let at = 0;
    return hands.flatMap((own, rank) => {
      if (own.length === 0) return [];
      const share = shares.slice(at, (at += own.length)).reduce((sum, each) => sum + each, 0);
      return [{ rank, own, share }];
    });
  };
  return {
    compute: async (batches, seed) => {
      const hands = dealt(batches);
      const said = await all(hands.map(({ rank, own, share }) => threads[rank].ask({ kind: 'compute', batches: own, share, seed: workerSeed(seed, rank) })));
      const ranks = hands.map(({ rank }) => rank);
      if (ranks.length > 1) await all(threads.map((thread) => thread.ask({ kind: 'reduce', ranks })));
      return { ...said, gradients: byParameter[ranks[0]] };
    },
    evaluate: async (batches) => all(dealt(batches).map(({ rank, own, share }) => threads[rank].ask({ kind: 'evaluate', batches: own, share }))),
    close,
  };
}
