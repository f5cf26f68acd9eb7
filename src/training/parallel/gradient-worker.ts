// Owns the thread of one worker: its own ONNX Runtime session, its gradients in shared memory, its slice of the sum.
// Refuses to know which rows it gets and what an update does.

import { parentPort, workerData } from 'node:worker_threads';
import type { Batch } from '../batch.ts';
import { openGradients, scaled } from '../run/gradients.ts';
import type { GradientsOptions, Predicted } from '../run/gradients.ts';

export interface WorkerSetup extends GradientsOptions {
  readonly rank: number;
  /** Gradients of every worker in shared memory, each as long as all parameters together. */
  readonly gradients: readonly Float32Array[];
}
export type ToWorker =
  /** `share`: what its rows count in the mean over the learned tokens of all workers. */
  | { readonly kind: 'compute'; readonly batches: readonly Batch[]; readonly share: number; readonly seed: number }
  | { readonly kind: 'evaluate'; readonly batches: readonly Batch[]; readonly share: number }
  /** Adds up what these workers have, in this order, where the first has it; each worker does one slice. */
  | { readonly kind: 'reduce'; readonly ranks: readonly number[] };
/** `said` by its rows, as their share. */
export type FromWorker = { readonly kind: 'done'; readonly said: Predicted } | { readonly kind: 'failed'; readonly message: string };

/** Of a message that asks for no prediction. */
const NOTHING: Predicted = { loss: 0 };

if (!parentPort) throw new Error('gradient-worker.ts runs as a worker thread of parallel-gradients.ts only');
const port = parentPort;
const { rank, gradients, ...options } = workerData as WorkerSetup;
const own = gradients[rank];
const session = await openGradients(options);

async function compute(batches: readonly Batch[], share: number, seed: number): Promise<Predicted> {
  const computed = await session.compute(batches, seed);
  let at = 0;
  for (const gradient of computed.gradients) {
    for (let i = 0; i < gradient.length; i++) own[at + i] = gradient[i] * share;
    at += gradient.length;
  }
  return scaled(computed, share);
}
function reduce(ranks: readonly number[]): void {
  const [sum, ...others] = ranks.map((each) => gradients[each]);
  const at = (worker: number): number => Math.floor((sum.length * worker) / gradients.length);
  const end = at(rank + 1);
  for (const other of others) for (let i = at(rank); i < end; i++) sum[i] += other[i];
}
async function answer(message: ToWorker): Promise<Predicted> {
  switch (message.kind) {
    case 'compute':
      return compute(message.batches, message.share, message.seed);
    case 'evaluate':
      return scaled(await session.evaluate(message.batches), message.share);
    case 'reduce':
      reduce(message.ranks);
      return NOTHING;
    default:
      return message satisfies never;
  }
}
port.on('message', (message: ToWorker) => {
  void answer(message).then(
    (said) => port.postMessage({ kind: 'done', said } satisfies FromWorker),
    (error: unknown) => port.postMessage({ kind: 'failed', message: error instanceof Error ? error.message : String(error) } satisfies FromWorker),
  );
});
port.postMessage({ kind: 'done', said: NOTHING } satisfies FromWorker);
