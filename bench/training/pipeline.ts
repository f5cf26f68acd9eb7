// Owns the measurement of the data pipeline: how fast JSONL becomes tokens and tokens become batches, and what part of a training step waits for them.
// Refuses to know how gradients are made.

import { mkdtempSync, openSync, closeSync, rmSync, statSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plain } from '../../src/answers/words/evidence.ts';
import { packedBatches } from '../../src/training/data/packed-batches.ts';
import { tokenise } from '../../src/training/data/tokenised-data.ts';
import type { TokenisedData } from '../../src/training/data/tokenised-data.ts';
import { makeSample } from '../../src/training/grounded/samples.ts';
import { openTrainable } from '../../src/training/open-model.ts';
import { openParallelGradients } from '../../src/training/parallel/parallel-gradients.ts';
import { Random } from '../../src/training/random.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { model, file, megabytes, context, rows, steps, threads } = options({
  model: fileURLToPath(new URL('../../models/pharos-mini', import.meta.url)),
  file: '',
  megabytes: 8,
  context: 512,
  rows: 8,
  steps: 8,
  threads: availableParallelism(),
});
/** Of a step, that may be spent on waiting for its batch. */
const MOST_WAITING = 0.01;
await printMachine(['onnxruntime-node', '@huggingface/tokenizers', '@huggingface/jinja']);

/** Conversations about evidence, a line each. */
function makeFile(path: string): void {
  const random = new Random(1);
  const descriptor = openSync(path, 'w');
  for (let written = 0; written < megabytes * 1e6;) {
    const { system, user, assistant } = makeSample(random);
    const messages = [
      { role: 'system', content: plain(system) },
      { role: 'user', content: plain(user) },
      { role: 'assistant', content: plain(assistant) },
    ];
    written += writeSync(descriptor, `${JSON.stringify({ messages })}\n`);
  }
  closeSync(descriptor);
}
const memory = (): number => process.memoryUsage().rss / 2 ** 20;

const folder = mkdtempSync(join(tmpdir(), 'pharos-pipeline-'));
let data: TokenisedData | undefined;
try {
  const path = file === '' ? join(folder, 'made.jsonl') : file;
  if (file === '') makeFile(path);
  const size = statSync(path).size / 1e6;
  console.log(`${size.toFixed(1)} MB of JSONL, rows of ${context} tokens\n`);

  const reading: (string | number)[][] = [];
  for (let count = 1; count <= threads; count *= 2) {
    await data?.close();
    const [start, before, processor] = [performance.now(), memory(), process.cpuUsage()];
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, memory())), 50);
    data = await tokenise({ model, files: [path], context, folder, threads: count });
    clearInterval(watch);
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(processor);
    const { examples, tokens, tooLong } = data.report;
    reading.push([count, size / seconds, examples / seconds, tokens / seconds, (tokens / (user + system)) * 1e6, tooLong, most - before]);
  }
  if (!data) throw new RangeError('--threads must be 1 or more');
  printTable(['threads', 'MB/s', 'examples/s', 'tokens/s', 'tokens/s of processor time', 'too long', 'memory, MiB'], reading);

  let start = performance.now();
  const source = packedBatches(data, { rows, epochs: 1, seed: 1 });
  const planned = performance.now() - start;
  start = performance.now();
  let [places, used] = [0, 0];
  for (let batch = await source.next(); batch; batch = await source.next()) {
    places += batch.inputIds.length;
    used += batch.segments.reduce((sum, segment) => sum + (segment > 0n ? 1 : 0), 0);
  }
  await source.close();
  const given = used / ((performance.now() - start) / 1000);
  printTable(
    ['batches an epoch', 'planning an epoch, ms', 'tokens/s given out', 'places filled, %'],
    [[source.batches, planned, given, (100 * used) / places]],
  );

  const trainable = openTrainable(model, { kind: 'full' });
  const gradients = await openParallelGradients({ graph: trainable.graph, weights: trainable.initial(), threads }, 1);
  const training = packedBatches(data, { rows, epochs: Number.POSITIVE_INFINITY, seed: 1 });
  let [waited, worked, seen] = [0, 0, 0];
  for (let step = 0; step <= steps; step++) {
    const asked = performance.now();
    const batch = await training.next();
    const got = performance.now();
    if (!batch) throw new Error('data that goes on for ever has ended');
    await gradients.compute([batch], 0);
    // The first opens arenas.
    if (step === 0) continue;
    waited += got - asked;
    worked += performance.now() - got;
    seen += batch.segments.reduce((sum, segment) => sum + (segment > 0n ? 1 : 0), 0);
  }
  await gradients.close();
  const share = waited / (waited + worked);
  printTable(
    ['training, tokens/s', 'waiting for a batch, ms a step', 'of a step, %', 'times as fast given out'],
    [[(seen / (waited + worked)) * 1000, waited / steps, 100 * share, given / ((seen / worked) * 1000)]],
  );
  if (share > MOST_WAITING) {
    console.error(`a step waits ${(100 * share).toFixed(1)}% of its time for data; at most ${100 * MOST_WAITING}% is right`);
    process.exitCode = 1;
  }
} finally {
  await data?.close();
  rmSync(folder, { recursive: true, force: true });
}
