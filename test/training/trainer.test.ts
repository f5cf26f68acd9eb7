// Owns that training learns, resumes exactly from its checkpoint, and refuses another model's checkpoint; the optimizer against its formulas; the schedule.
// Refuses to know the shipped model's data.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DecoderConfig } from '../../src/model/decoder.ts';
import { packBatch } from '../../src/training/batch.ts';
import type { Batch } from '../../src/training/batch.ts';
import { AdamW, cosineSchedule } from '../../src/training/optimizer.ts';
import { Random } from '../../src/training/random.ts';
import { Trainer } from '../../src/training/trainer.ts';

const CONFIG: DecoderConfig = { vocabularySize: 40, width: 32, layers: 2, heads: 4, headSize: 8, feedForward: 64, contextLength: 32, rotaryBase: 10_000, rotaryDimensions: 4, normEpsilon: 1e-5, pointerWidth: 8, pointerTokenWidth: 8 };
const ADAM = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.05, clip: 1 };

/** Copy three tokens after a sign: what the model that ships has to do with names. */
function copies(random: Random): Batch {
  return packBatch(() => {
    const name = [random.int(2, 39), random.int(2, 39), random.int(2, 39)];
    return { tokens: [0, ...name, 1, ...name], learned: [false, false, false, false, false, true, true, true] };
  }, 8, 32);
}
const flat = (trainer: Trainer): number[] => [...trainer.weights.values()].flatMap((values) => [...values]);

t.test('a training run that stops and goes on from its checkpoint ends with the very same weights', async (t) => {
  const file = join(t.testdir(), 'checkpoint.bin');
  const straight = await Trainer.create(CONFIG, ADAM, 1, 1);
  const data = new Random(9);
  for (let i = 0; i < 12; i++) await straight.train(copies(data), 3e-3);

  const first = await Trainer.create(CONFIG, ADAM, 1, 1);
  const begun = new Random(9);
  for (let i = 0; i < 5; i++) await first.train(copies(begun), 3e-3);
  first.save(file, { data: begun.state });
  await first.close();
  const second = await Trainer.create(CONFIG, ADAM, 77, 1);
  const extra = second.restore(file);
  t.equal(second.step, 5);
  const continued = new Random(0);
  continued.advanceTo(extra?.['data'] ?? 0);
  for (let i = 5; i < 12; i++) await second.train(copies(continued), 3e-3);
  t.same(flat(second), flat(straight));
  await Promise.all([straight.close(), second.close()]);
});

t.test('without a checkpoint nothing is restored, and one of another model or cut short is refused', async (t) => {
  const folder = t.testdir();
  const trainer = await Trainer.create(CONFIG, ADAM, 1, 1);
  t.equal(trainer.restore(join(folder, 'none.bin')), undefined);
  const file = join(folder, 'checkpoint.bin');
  trainer.save(file, {});
  await trainer.close();
  const other = await Trainer.create({ ...CONFIG, layers: 1 }, ADAM, 1, 1);
  t.throws(() => other.restore(file), /of another model configuration/);
  await other.close();
  writeFileSync(file, readFileSync(file).subarray(0, -100));
  const same = await Trainer.create(CONFIG, ADAM, 2, 1);
  const before = flat(same);
  t.throws(() => same.restore(file), /cut short/);
  t.same(flat(same), before, 'nothing was taken from it');
  await same.close();
});

t.test('it learns to copy tokens that it was never shown together', async (t) => {
  const trainer = await Trainer.create(CONFIG, ADAM, 1, 1);
  const data = new Random(2);
  const before = await trainer.evaluate(copies(new Random(1000)));
  for (let i = 0; i < 260; i++) await trainer.train(copies(data), 4e-3);
  const after = await trainer.evaluate(copies(new Random(1000)));
  t.comment(`loss ${before.toFixed(3)} before, ${after.toFixed(3)} after 260 steps`);
  t.ok(before > 1.5, 'an untaught pointer already follows, now and then, what stood there before');
  t.ok(after < 0.05, String(after));
  await trainer.close();
});

t.test('AdamW makes the update of its algorithm, clips by the norm over all parameters, and decays only what is told to', (t) => {
  const [decayed, free] = [Float32Array.of(1, -2), Float32Array.of(0.5)];
  const optimizer = new AdamW([{ name: 'a', values: decayed, decay: true }, { name: 'b', values: free, decay: false }], { ...ADAM, clip: 1 });
  t.equal(optimizer.update([Float32Array.of(3, 0), Float32Array.of(4)], 0.1), 5, 'the norm before clipping');
  // Moments after one step are corrected to the gradient itself, so each update is the sign of the gradient times the rate.
  t.ok(Math.abs(decayed[0] - (1 * (1 - 0.1 * 0.05) - 0.1)) < 1e-6);
  t.ok(Math.abs(decayed[1] - -2 * (1 - 0.1 * 0.05)) < 1e-6);
  t.ok(Math.abs(free[0] - 0.4) < 1e-6);
  t.ok(Math.abs(optimizer.first[0][0] - 0.1 * 3 / 5) < 1e-7, 'clipped to norm 1');
  t.throws(() => optimizer.update([Float32Array.of(Number.NaN, 0), Float32Array.of(0)], 0.1), /gradient norm is NaN at step 2/);
  t.equal(optimizer.step, 1, 'nothing was changed');
  t.end();
});

t.test('the schedule warms up, falls by half a cosine and stays on its floor', (t) => {
  const rate = cosineSchedule({ peak: 1, warmup: 10, total: 110, floor: 0.1 });
  t.same([0, 4, 9].map(rate), [0.1, 0.5, 1]);
  t.ok(Math.abs(rate(60) - 0.55) < 1e-12);
  t.ok(Math.abs(rate(110) - 0.1) < 1e-12);
  t.ok(Math.abs(rate(500) - 0.1) < 1e-12);
  t.end();
});
