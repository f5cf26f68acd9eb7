// Owns that training learns, that added gradients are those of one large batch, that it resumes exactly, and refuses checkpoints of others and broken ones.
// Refuses to know the shipped model's data, optimizers' formulas and runs.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packBatch } from '../../src/training/data/packing.ts';
import type { Batch } from '../../src/training/batch.ts';
import { drawnWeights } from '../../src/training/initial.ts';
import { Random } from '../../src/training/random.ts';
import { openGradients } from '../../src/training/run/gradients.ts';
import { CONFIG, copies, copy, flat, lossGraph, openTrainer } from './tiny.ts';

for (const optimizer of ['adamw', 'muon'] as const) {
  t.test(`a training run by ${optimizer} that stops and goes on from its checkpoint ends with the very same weights`, async (t) => {
    const file = join(t.testdir(), 'checkpoint.bin');
    const spec = { adamw: undefined, muon: { optimizer: { kind: 'muon', momentum: 0.95, weight_decay: 0.05, adam_rate: 0.3 } } as const }[optimizer];
    const straight = await openTrainer(spec);
    const data = new Random(9);
    for (let i = 0; i < 12; i++) await straight.train([copies(data)], 3e-3);

    const first = await openTrainer<{ data: number }>(spec);
    const begun = new Random(9);
    for (let i = 0; i < 5; i++) await first.train([copies(begun)], 3e-3);
    first.save(file, { data: begun.state });
    await first.close();
    const second = await openTrainer<{ data: number }>({ ...spec, seed: 77 });
    const extra = second.restore(file);
    t.equal(second.step, 5);
    const continued = new Random(0);
    continued.advanceTo(extra?.data ?? 0);
    for (let i = 5; i < 12; i++) await second.train([copies(continued)], 3e-3);
    t.same(flat(second.weights), flat(straight.weights));
    await Promise.all([straight.close(), second.close()]);
  });
}

t.test('gradients of several batches are those of one batch that holds them all, also when they have unequal numbers of learned tokens', async (t) => {
  const weights = drawnWeights(CONFIG, 3);
  const gradients = await openGradients({ graph: lossGraph(), weights, threads: 1 });
  t.teardown(() => gradients.close());
  const random = new Random(4);
  // Rows of four copies each; in the first batch only the last token of each is learned.
  const sequences = Array.from({ length: 12 }, (_, i) => {
    const sequence = copy(random);
    return i < 4 ? { ...sequence, learned: sequence.learned.map((_, at) => at === 7) } : sequence;
  });
  const batchOf = (some: typeof sequences): Batch => {
    let next = 0;
    return packBatch(() => some[next++ % some.length], some.length / 4, 32);
  };
  const parts = [batchOf(sequences.slice(0, 4)), batchOf(sequences.slice(4))];
  t.same(
    parts.map(({ rows }) => rows.length),
    [4, 24],
  );
  const added = await gradients.compute(parts, 0);
  const whole = await gradients.compute([batchOf(sequences)], 0);
  t.ok(Math.abs(added.loss - whole.loss) < 1e-6, `${added.loss} and ${whole.loss}`);
  const [sums, ones] = [added, whole].map((each) => each.gradients.flatMap((values) => [...values]));
  const largest = Math.max(...ones.map(Math.abs));
  const difference = Math.max(...sums.map((value, i) => Math.abs(value - ones[i])));
  t.ok(largest > 1e-3 && difference < 1e-6 * Math.max(1, largest), `differ by ${difference} where the largest is ${largest}`);
  t.ok(Math.abs((await gradients.evaluate(parts)).loss - whole.loss) < 1e-6);
  await t.rejects(gradients.compute([], 0), /at least one batch/);
});

t.test('gradients whose norm is beyond the clip are scaled down to it over all parameters together, and others are left as they are', async (t) => {
  // Without memory, and with an epsilon beside which gradients are nothing, an update is the gradients times rate / epsilon.
  const optimizer = { kind: 'adamw', beta1: 0, beta2: 0, epsilon: 1e6, weight_decay: 0 } as const;
  const [rate, batch] = [1e5, copies(new Random(2))];
  const moved = async (clip: number): Promise<{ readonly norm: number; readonly by: number }> => {
    const trainer = await openTrainer({ optimizer, clip });
    const before = flat(trainer.weights);
    const { gradientNorm: norm } = await trainer.train([batch], rate);
    const by = Math.hypot(...flat(trainer.weights).map((value, i) => value - before[i])) * (optimizer.epsilon / rate);
    await trainer.close();
    return { norm, by };
  };
  const whole = await moved(1e9);
  t.ok(whole.norm > 0.1 && Math.abs(whole.by / whole.norm - 1) < 1e-3, `${whole.by} of ${whole.norm}`);
  const cut = await moved(0.1);
  t.equal(cut.norm, whole.norm, 'what is told is the norm before');
  t.ok(Math.abs(cut.by / 0.1 - 1) < 1e-3, String(cut.by));
});

t.test('without a checkpoint nothing is restored, and one of another model, another optimizer, cut short or damaged is refused', async (t) => {
  const folder = t.testdir();
  const trainer = await openTrainer();
  t.equal(trainer.restore(join(folder, 'none.bin')), undefined);
  const file = join(folder, 'checkpoint.bin');
  trainer.save(file, {});
  await trainer.close();
  for (const options of [{ config: { ...CONFIG, layers: 1 } }, { optimizer: { kind: 'muon', momentum: 0.9, weight_decay: 0, adam_rate: 1 } as const }]) {
    const other = await openTrainer(options);
    t.throws(() => other.restore(file), /of another model, training method or optimizer/);
    await other.close();
  }
  const same = await openTrainer({ seed: 2 });
  const before = flat(same.weights);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, -100));
  t.throws(() => same.restore(file), /is cut short: it has \d+ bytes instead of \d+/);
  writeFileSync(file, Buffer.concat([whole, Buffer.alloc(3)]));
  t.throws(() => same.restore(file), /is too long/);
  t.same(flat(same.weights), before, 'nothing was taken from them');
  const flipped = Buffer.from(whole);
  flipped[flipped.length - 1000] ^= 4;
  writeFileSync(file, flipped);
  t.throws(() => same.restore(file), /is damaged \(its checksum is wrong\)/);
  writeFileSync(file, 'no checkpoint at all');
  t.throws(() => same.restore(file), /does not begin as a checkpoint does/);
  writeFileSync(file, whole);
  t.same(same.restore(file), {});
  await same.close();
});

t.test('it learns to copy tokens that it was never shown together', async (t) => {
  const trainer = await openTrainer();
  const data = new Random(2);
  const before = await trainer.evaluate([copies(new Random(1000))]);
  for (let i = 0; i < 260; i++) await trainer.train([copies(data)], 4e-3);
  const after = await trainer.evaluate([copies(new Random(1000))]);
  t.comment(`loss ${before.toFixed(3)} before, ${after.toFixed(3)} after 260 steps`);
  t.ok(before > 1.5, 'an untaught pointer already follows, now and then, what stood there before');
  t.ok(after < 0.05, String(after));
  await trainer.close();
});

t.test('a step whose gradients are not finite is refused and changes nothing', async (t) => {
  const trainer = await openTrainer();
  trainer.weights.get('layer.0.up')?.fill(1e30);
  const before = flat(trainer.weights);
  await t.rejects(trainer.train([copies(new Random(1))], 1e-3), /step 1: loss .*, gradient norm .*; lower the learning rate/);
  t.equal(trainer.step, 0);
  t.same(flat(trainer.weights), before);
  await trainer.close();
});
