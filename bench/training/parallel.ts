// Owns the measurement of data parallel training: tokens a second of several workers of one thread beside one worker of as many threads, and what dealing and summing take of a step.
// Refuses to know models that ship and data files.

import type { DecoderConfig } from '../../src/model/decoder.ts';
import { parameterCount } from '../../src/model/decoder.ts';
import type { Batch } from '../../src/training/batch.ts';
import { LEARNED, layRows } from '../../src/training/data/packing.ts';
import { decoderLoss } from '../../src/training/graphs/decoder-loss.ts';
import { drawnWeights } from '../../src/training/initial.ts';
import { dealRows } from '../../src/training/parallel/deal.ts';
import { openParallelGradients } from '../../src/training/parallel/parallel-gradients.ts';
import { Random } from '../../src/training/random.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { workers, rows, context, steps, sizes } = options({ workers: 2, rows: 8, context: 256, steps: 5, sizes: '1,3,15' });
await printMachine(['onnxruntime-node']);

/** Decoders of the kind that ships, by millions of parameters. */
const CONFIGS: Readonly<Record<string, Pick<DecoderConfig, 'width' | 'layers' | 'heads'>>> = {
  1: { width: 128, layers: 3, heads: 4 },
  3: { width: 192, layers: 4, heads: 6 },
  15: { width: 384, layers: 8, heads: 12 },
};
function configOf(size: string): DecoderConfig {
  const config = CONFIGS[size];
  if (!config) throw new RangeError(`--sizes takes ${Object.keys(CONFIGS).join(', ')}, not ${size}`);
  const { width, layers, heads } = config;
  return {
    vocabularySize: 4096,
    width,
    layers,
    heads,
    headSize: 32,
    feedForward: 4 * width,
    contextLength: context,
    rotaryBase: 10_000,
    rotaryDimensions: 16,
    normEpsilon: 1e-5,
    pointerWidth: 64,
    pointerTokenWidth: 32,
  };
}
/** Full rows of random tokens, a third of them learned. */
function batchOf(random: Random, rowsCount: number): Batch {
  const row = (): Uint32Array => Uint32Array.from({ length: context }, (_, i) => (random.int(0, 4095) | (i % 3 === 0 ? LEARNED : 0)) >>> 0);
  return layRows(
    Array.from({ length: rowsCount }, () => [row()]),
    context,
  );
}

const table: (string | number)[][] = [];
for (const size of sizes.split(',')) {
  const config = configOf(size);
  const weights = new Map(
    Array.from(drawnWeights(config, 1), ([name, values]) => {
      const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
      shared.set(values);
      return [name, shared] as const;
    }),
  );
  const graph = decoderLoss(config, { method: { kind: 'full' }, dropout: 0 });
  const random = new Random(7);
  // The same rows for both, as a run has them: `rows` a worker.
  const batches = Array.from({ length: workers }, () => batchOf(random, rows));
  const tokens = workers * rows * context;
  const one = await openParallelGradients({ graph, weights, threads: workers }, 1);
  const several = await openParallelGradients({ graph, weights, threads: 1 }, workers);
  const times = { one: [] as number[], several: [] as number[], deal: [] as number[] };
  const timed = async (into: number[], work: () => unknown): Promise<void> => {
    const start = performance.now();
    await work();
    into.push(performance.now() - start);
  };
  for (let step = 0; step <= steps; step++) {
    await timed(times.one, () => one.compute(batches, 0));
    await timed(times.several, () => several.compute(batches, 0));
    await timed(times.deal, () => dealRows(batches, workers));
    // The first of each opens arenas.
    if (step === 0) for (const each of Object.values(times)) each.length = 0;
  }
  const [alone, together, deal] = [times.one, times.several, times.deal].map((sample) => quantile(sample, 0.5));
  table.push([`${(parameterCount(config) / 1e6).toFixed(1)} M`, (tokens / alone) * 1000, (tokens / together) * 1000, alone / together, deal]);
  await one.close();
  await several.close();
}
console.log(`A step is ${workers} x ${rows} rows of ${context} tokens; medians of ${steps} steps, both forms by turns.\n`);
printTable(['parameters', `1 worker x ${workers} threads, tokens/s`, `${workers} workers x 1 thread, tokens/s`, 'speed-up', 'dealing rows, ms'], table);
