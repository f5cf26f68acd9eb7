// Owns the measurement of how fast the processor reads memory: the limit of decoding, which reads all weights for each token.
// Refuses to know models. The C library's search for a byte that is not there reads as fast as anything that reads.

import { Worker } from 'node:worker_threads';

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const memory = Buffer.alloc(workerData, 1);
parentPort.on('message', (until) => {
  let bytes = 0;
  while (Date.now() < until) {
    if (memory.indexOf(0) >= 0) throw new Error('found what is not there');
    bytes += memory.length;
  }
  parentPort.postMessage(bytes);
});
parentPort.postMessage('ready');
`;

/** Bytes a second that so many threads read together, each from memory of its own that no cache holds. */
export async function readBandwidth(threads: number, ms = 2000, bytes = 512 * 2 ** 20): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(PROGRAM, { eval: true, workerData: bytes }));
  const next = (worker: Worker): Promise<unknown> => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  try {
    await Promise.all(workers.map(next));
    const start = performance.now();
    const until = Date.now() + ms;
    const read = await Promise.all(
      workers.map((worker) => {
        const answer = next(worker);
        worker.postMessage(until, []);
        return answer;
      }),
    );
    return read.reduce<number>((sum, each) => sum + Number(each), 0) / ((performance.now() - start) / 1000);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
