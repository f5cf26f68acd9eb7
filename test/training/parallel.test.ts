// Owns data parallel gradients: rows dealt evenly and none lost, sums equal to those of one worker, repeatable, failures told.
// Refuses to know data files and runs.

import t from 'tap';
import { packBatch } from '../../src/training/data/packing.ts';
import type { Batch, Sequence } from '../../src/training/batch.ts';
import { decoderLoss } from '../../src/training/graphs/decoder-loss.ts';
import { drawnWeights } from '../../src/training/initial.ts';
import { dealRows } from '../../src/training/parallel/deal.ts';
import { openParallelGradients } from '../../src/training/parallel/parallel-gradients.ts';
import { Random } from '../../src/training/random.ts';
import { openGradients } from '../../src/training/run/gradients.ts';
import { sharedCopy } from '../../src/training/shared-memory.ts';
import { CONFIG, lossGraph, openTrainer } from './tiny.ts';

const SEED = 5;
/** Weights in shared memory, as those of a run. */
const sharedValues = (weights: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> =>
  new Map(Array.from(weights, ([name, values]) => [name, sharedCopy(values)]));
const shared = (): Map<string, Float32Array> => sharedValues(drawnWeights(CONFIG, 3));
const LORA = { kind: 'lora', rank: 2, alpha: 4 } as const;
/** Rows of one text each, of these lengths, of which the last half is learned. */
function rowsOf(lengths: readonly number[], random: Random): Batch {
  let next = 0;
  const sequence = (): Sequence => {
    const length = lengths[next++ % lengths.length];
    return { tokens: Array.from({ length }, () => random.int(2, 39)), learned: Array.from({ length }, (_, i) => i >= length / 2) };
  };
  // 17 tokens and more: no two fit into one row.
  return packBatch(sequence, lengths.length, 32);
}
/** What a batch teaches, whatever its rows and columns: each learned token, its weight and the tokens before it in its text. */
function lessons(batches: readonly Batch[], weightOf: (batch: Batch, i: number) => number): string[] {
  return batches
    .flatMap((batch) =>
      Array.from(batch.rows, (at, i) => {
        const [t, b] = [Math.floor(Number(at) / batch.rowsCount), Number(at) % batch.rowsCount];
        const text = Array.from({ length: t + 1 }, (_, step) => step * batch.rowsCount + b).filter(
          (place) => batch.segments[place] === batch.segments[Number(at)],
        );
        return JSON.stringify([
          text.map((place) => [Number(batch.inputIds[place]), Number(batch.positions[place])]),
          Number(batch.targets[i]),
          weightOf(batch, i).toPrecision(4),
        ]);
      }),
    )
    .toSorted();
}

t.test('rows are dealt so that workers have as many tokens, and each learned token keeps its text and its weight', (t) => {
  const random = new Random(SEED);
  const batches = [rowsOf([32, 17, 31, 18, 30, 19, 29, 20], random), rowsOf([17, 17, 17, 32], random), rowsOf([32], random)];
  const total = batches.reduce((sum, { rows }) => sum + rows.length, 0);
  for (const workers of [1, 2, 3]) {
    const hands = dealRows(batches, workers);
    const used = hands.map((own) => own.reduce((sum, { segments }) => sum + segments.reduce((count, segment) => count + (segment > 0n ? 1 : 0), 0), 0));
    t.ok(Math.max(...used) - Math.min(...used) <= 32, `${workers} workers: ${used.join(', ')} tokens`);
    t.ok(
      hands.flat().every(({ rowsCount }) => rowsCount <= 8),
      'no batch has more rows than the largest one given',
    );
    for (const { weights } of hands.flat()) t.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-6, 'weights of a batch sum to one');
    const weight = ({ weights, rows }: Batch, i: number): number => (weights[i] * rows.length) / total;
    t.same(lessons(hands.flat(), weight), lessons(batches, weight));
  }
  t.end();
});

t.test('rows of like length come together, without padding that none of them needs; a row with nothing to learn is left out', (t) => {
  const random = new Random(SEED);
  const long = rowsOf([32, 32], random);
  const short = rowsOf([17, 17], random);
  const hands = dealRows([long, short], 1);
  t.same(
    hands[0].map(({ steps, rowsCount }) => [steps, rowsCount]),
    [
      [32, 2],
      [17, 2],
    ],
  );
  const first = [...short.rows.keys()].filter((i) => Number(short.rows[i]) % 2 === 0);
  const half = {
    ...short,
    rows: short.rows.filter((_, i) => first.includes(i)),
    targets: short.targets.filter((_, i) => first.includes(i)),
    weights: new Float32Array(first.length).fill(1 / first.length),
  };
  t.same(
    dealRows([half], 2).map((own) => own.length),
    [1, 0],
  );
  t.end();
});

t.test('loss and gradients of two and three workers are those of one, to the rounding of float32, and the very same each time', async (t) => {
  const random = new Random(SEED);
  const options = { graph: lossGraph(), weights: shared(), threads: 1 };
  const batches = [rowsOf([32, 17, 31, 18, 25], random), rowsOf([20, 21], random)];
  const one = await openGradients(options);
  t.teardown(() => one.close());
  const expected = await one.compute(batches, 0);
  const values = expected.gradients.map((each) => Float32Array.from(each));
  for (const workers of [2, 3]) {
    const several = await openParallelGradients(options, workers);
    t.teardown(() => several.close());
    const got = await several.compute(batches, 0);
    t.ok(Math.abs(got.loss - expected.loss) < 1e-6, `${got.loss} and ${expected.loss}`);
    for (const [p, gradient] of values.entries()) {
      const scale = gradient.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
      const difference = gradient.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got.gradients[p][i])), 0);
      t.ok(difference < 2e-6 * scale, `${options.graph.parameters[p].name}: ${difference} of ${scale}`);
    }
    const before = got.gradients.map((each) => [...each]);
    const again = await several.compute(batches, 0);
    t.same(
      again.gradients.map((each) => [...each]),
      before,
      'bit for bit',
    );
    t.equal(again.loss, got.loss);
    const { loss, accuracy = Number.NaN } = await several.evaluate(batches);
    t.ok(Math.abs(loss - expected.loss) < 1e-6, 'the loss alone');
    for (const share of [accuracy, got.accuracy ?? Number.NaN]) t.ok(Math.abs(share - (expected.accuracy ?? Number.NaN)) < 1e-6, `${share} predicted right`);
    const single = await several.compute([rowsOf([30], new Random(1))], 0);
    t.ok(Math.abs(single.loss - (await one.compute([rowsOf([30], new Random(1))], 0)).loss) < 1e-6, 'a row for one worker alone');
  }
});

t.test('adapters over frozen weights: workers read these where they lie, and come to what one comes to', async (t) => {
  const frozen = drawnWeights(CONFIG, 3);
  const graph = decoderLoss(CONFIG, { method: LORA, dropout: 0, weights: (name) => frozen.get(name) ?? new Float32Array(0) });
  const random = new Random(SEED);
  const drawn = graph.parameters.map(({ name, shape }) => [name, Float32Array.from({ length: shape[0] * shape[1] }, () => 0.1 * random.normal())] as const);
  const options = { graph, weights: sharedValues(new Map(drawn)), threads: 1 };
  const batches = [rowsOf([32, 17, 31, 18], random)];
  const [one, two] = [await openGradients(options), await openParallelGradients(options, 2)];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const [expected, got] = [await one.compute(batches, 0), await two.compute(batches, 0)];
  t.ok(Math.abs(got.loss - expected.loss) < 1e-6, `${got.loss} and ${expected.loss}`);
  const apart = Math.max(...expected.gradients.flatMap((values, p) => Array.from(values, (value, i) => Math.abs(value - got.gradients[p][i]))));
  t.ok(apart < 1e-6, String(apart));
});

t.test('workers see the weights as they stand: twenty updates by two workers end where those by one end', async (t) => {
  const losses = async (workers: number): Promise<number[]> => {
    const trainer = await openTrainer({ gradients: (options) => openParallelGradients(options, workers) });
    const random = new Random(SEED);
    const all: number[] = [];
    for (let step = 0; step < 20; step++) all.push((await trainer.train([rowsOf([32, 20, 28, 24], random)], 3e-3)).loss);
    await trainer.close();
    return all;
  };
  const [one, two] = [await losses(1), await losses(2)];
  t.ok(one[19] < one[0], 'it learns');
  one.forEach((loss, i) => t.ok(Math.abs(loss - two[i]) < 1e-4, `step ${i}: ${loss} and ${two[i]}`));
});

t.test('weights outside of shared memory, no batches, and a worker that fails are told', async (t) => {
  const graph = lossGraph();
  await t.rejects(
    openParallelGradients({ graph, weights: drawnWeights(CONFIG, 3), threads: 1 }, 2),
    /weights embedding lie in memory that workers cannot read; make them over a SharedArrayBuffer/,
  );
  await t.rejects(openParallelGradients({ graph: { ...graph, model: new Uint8Array(8) }, weights: shared(), threads: 1 }, 2), /worker 0 broke: /);
  const gradients = await openParallelGradients({ graph, weights: shared(), threads: 1 }, 2);
  await t.rejects(gradients.compute([], 0), /at least one batch/);
  const batch = rowsOf([30, 30], new Random(1));
  await t.rejects(gradients.compute([{ ...batch, inputIds: batch.inputIds.map(() => 4000n) }], 0), /worker 0: /);
  t.ok(Number.isFinite((await gradients.compute([batch], 0)).loss), 'and the next step is computed');
  await gradients.close();
  await t.rejects(gradients.compute([batch], 0), /worker 0 broke: it ended/);
});
