// Owns the optimizers against their formulas, and the schedules against the rates that their papers and makers state.
// Refuses to know models and data.

import t from 'tap';
import { AdamW } from '../../src/training/optimizers/adamw.ts';
import { Muon } from '../../src/training/optimizers/muon.ts';
import { gradientNorm } from '../../src/training/optimizers/optimizer.ts';
import { deepSeekSchedule, scheduleOf } from '../../src/training/optimizers/schedules.ts';
import { Random } from '../../src/training/random.ts';
import { scheduleSpec, trainingSpec } from '../../src/training/spec.ts';
import { copies, openTrainer } from './tiny.ts';

const near = (actual: number, wanted: number, within = 1e-6): boolean => Math.abs(actual - wanted) <= within;

t.test('AdamW makes the update of its algorithm, scaled as told, and decays only what is told to', (t) => {
  const [decayed, free] = [Float32Array.of(1, -2), Float32Array.of(0.5)];
  const optimizer = new AdamW(
    [
      { values: decayed, decay: true },
      { values: free, decay: false },
    ],
    { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.05 },
  );
  const gradients = [Float32Array.of(3, 0), Float32Array.of(4)];
  t.equal(gradientNorm(gradients), 5);
  optimizer.update(gradients, 0.1, 1 / 5);
  // Moments after one step are corrected to the gradient itself, so each update is the sign of the gradient times the rate.
  t.ok(near(decayed[0], 1 * (1 - 0.1 * 0.05) - 0.1));
  t.ok(near(decayed[1], -2 * (1 - 0.1 * 0.05)));
  t.ok(near(free[0], 0.4));
  t.ok(near(optimizer.state[0][0], (0.1 * 3) / 5, 1e-7), 'clipped to norm 1');
  t.equal(optimizer.step, 1);
  t.end();
});

t.test('Muon moves a matrix along the nearest orthogonal one: singular values become about one, singular vectors stay', async (t) => {
  const random = new Random(6);
  for (const [m, n] of [
    [24, 40],
    [40, 24],
    [24, 24],
  ] as const) {
    const values = new Float32Array(m * n);
    const optimizer = await Muon.open([{ name: 'w', shape: [m, n], decay: false, hidden: true, values }], {
      momentum: 0.95,
      weightDecay: 0.1,
      adamRate: 0.3,
      threads: 1,
    });
    const gradient = Float32Array.from({ length: m * n }, () => random.normal());
    await optimizer.update([gradient], 1, 1);
    const direction = values.map((value) => -value / (0.2 * Math.sqrt(Math.max(m, n))));
    // The sum of squared singular values, and the inner product with the gradient: for U Vᵀ it is the sum of the gradient's singular values, the most there can be.
    const square = direction.reduce((sum, value) => sum + value * value, 0) / Math.min(m, n);
    t.ok(square > 0.7 && square < 1.25, `${m} x ${n}: mean square ${square}`);
    const along = direction.reduce((sum, value, i) => sum + value * gradient[i], 0);
    const most = nuclearNorm(gradient, m, n);
    t.ok(along > 0.8 * most && along < 1.2 * most, `${m} x ${n}: ${along} of ${most}`);
    await optimizer.close();
  }
});

t.test('Muon takes five steps of the quintic of Jordan et al. on the singular values', async (t) => {
  const values = new Float32Array(9);
  const optimizer = await Muon.open([{ name: 'w', shape: [3, 3], decay: false, hidden: true, values }], {
    momentum: 0.5,
    weightDecay: 0,
    adamRate: 1,
    threads: 1,
  });
  await optimizer.update([Float32Array.of(4, 0, 0, 0, 2, 0, 0, 0, -1)], 1, 1);
  const wanted = [4, 2, -1].map((value) => {
    let s = value / Math.sqrt(21);
    for (let i = 0; i < 5; i++) s = 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;
    return -0.2 * Math.sqrt(3) * s;
  });
  for (const [i, value] of wanted.entries()) t.ok(near(values[i * 4], value, 1e-5), `${values[i * 4]} for ${value}`);
  t.ok(near(values[1], 0) && near(values[6], 0));
  await optimizer.close();
});

t.test('Muon gives all but the matrices of layers to AdamW at its share of the rate, and decays matrices', async (t) => {
  const gain = { name: 'gain', shape: [2], decay: false, hidden: false, values: Float32Array.of(1, 1) };
  const matrix = { name: 'w', shape: [2, 2], decay: true, hidden: true, values: Float32Array.of(5, 0, 0, 5) };
  const optimizer = await Muon.open([gain, matrix], { momentum: 0.95, weightDecay: 0.5, adamRate: 0.25, threads: 1 });
  await optimizer.update([Float32Array.of(7, -7), Float32Array.of(1, 0, 0, 1)], 0.1, 1);
  t.ok(near(gain.values[0], 1 - 0.025) && near(gain.values[1], 1 + 0.025), String(gain.values));
  t.ok(matrix.values[0] < 5 * 0.95 && matrix.values[0] > 5 * 0.95 - 0.1 * 0.2 * Math.SQRT2 * 1.25, String(matrix.values));
  t.ok(near(matrix.values[1], 0, 1e-5));
  await optimizer.close();
});

t.test('Muon learns what AdamW learns, at the same rates', async (t) => {
  const trainer = await openTrainer({ optimizer: { kind: 'muon', momentum: 0.95, weight_decay: 0.05, adam_rate: 1 } });
  const data = new Random(2);
  for (let i = 0; i < 200; i++) await trainer.train([copies(data)], 4e-3);
  const loss = await trainer.evaluate([copies(new Random(1000))]);
  t.ok(loss < 0.1, String(loss));
  await trainer.close();
});

t.test('a multi-step schedule of rate 0.1, milestones 30 and 80 and gamma 0.1 gives 0.1, 0.01 and 0.001', (t) => {
  const rate = scheduleOf({ kind: 'multi_step', peak: 0.1, warmup: 0, milestones: [30, 80], gamma: 0.1 }, 100);
  t.same(
    [0, 29, 30, 79, 80, 99].map((step) => Number(rate(step).toFixed(6))),
    [0.1, 0.1, 0.01, 0.01, 0.001, 0.001],
  );
  const own = scheduleOf({ kind: 'multi_step', peak: 1, warmup: 0, milestones: [2, 4], gamma: [0.5, 0.1] }, 6);
  t.same(
    [0, 1, 2, 3, 4, 5].map((step) => Number(own(step).toFixed(6))),
    [1, 1, 0.5, 0.5, 0.05, 0.05],
  );
  t.end();
});

t.test('the schedule of DeepSeek LLM warms up over 2,000 steps, and has 31.6% of its peak after 80% and 10% after 90% of all steps', (t) => {
  const rate = scheduleOf(deepSeekSchedule(4.2e-4), 100_000);
  const shares = [0, 999, 1999, 50_000, 79_999, 80_000, 89_999, 90_000, 99_999].map((step) => Number((rate(step) / 4.2e-4).toFixed(4)));
  t.same(shares, [0.0005, 0.5, 1, 1, 1, 0.3162, 0.3162, 0.1, 0.1]);
  t.same(scheduleSpec.parse(deepSeekSchedule(4.2e-4)), deepSeekSchedule(4.2e-4));
  t.end();
});

t.test('cosine and linear schedules warm up, fall to their floor and stay there; a constant one stays at its peak', (t) => {
  const cosine = scheduleOf({ kind: 'cosine', peak: 1, warmup: 10, floor: 0.1 }, 110);
  t.same([0, 4, 9, 10].map(cosine), [0.1, 0.5, 1, 1]);
  t.ok(near(cosine(60), 0.55) && near(cosine(110), 0.1) && near(cosine(500), 0.1));
  const linear = scheduleOf({ kind: 'linear', peak: 2, warmup: 4, floor: 0 }, 14);
  t.same([0, 3, 4, 9, 14, 99].map(linear), [0.5, 2, 2, 1, 0, 0]);
  const constant = scheduleOf({ kind: 'constant', peak: 3, warmup: 2 }, 10);
  t.same([0, 1, 2, 9].map(constant), [1.5, 3, 3, 3]);
  t.end();
});

t.test('schedules that cannot be followed are refused with what would do', (t) => {
  const milestones = { kind: 'multi_step', peak: 1, warmup: 0, gamma: 0.1 } as const;
  for (const total of [1, 2, 6, 7, 100]) {
    const last = scheduleOf({ ...milestones, milestones: [0.8, 0.9] }, total)(total);
    t.ok(Math.abs(last - 0.01) < 1e-9, `of ${total} steps both shares are reached, in one step where the run is short`);
  }
  t.throws(() => scheduleOf({ ...milestones, milestones: [0.9, 0.9] }, 100), /milestone 0\.9 \(step 90\) does not come after 0\.9/);
  t.throws(() => scheduleOf({ ...milestones, milestones: [0.9, 0.8] }, 2), /milestone 0\.8 \(step 2\) does not come after 0\.9/);
  t.throws(() => scheduleOf({ ...milestones, milestones: [30, 30] }, 100), /milestone 30 \(step 30\) does not come after 30 \(step 30\); milestones must rise/);
  t.throws(() => scheduleOf({ ...milestones, milestones: [0.9, 80] }, 100), /milestone 80 \(step 80\) does not come after 0.9 \(step 90\)/);
  t.throws(
    () => scheduleOf({ ...milestones, milestones: [30, 80], gamma: [0.1] }, 100),
    /1 gammas for 2 milestones; give one number, or one for each milestone/,
  );
  t.match(trainingSpec.safeParse({ model: 'a', output: 'b', training_files: ['c'], schedule: { kind: 'cosine', peak: -1 } }), { success: false });
  t.end();
});

/** Sum of the singular values, by the eigenvalues of the smaller Gram matrix (Jacobi rotations). */
function nuclearNorm(values: Float32Array, m: number, n: number): number {
  const size = Math.min(m, n);
  const at = (i: number, k: number): number => (m <= n ? values[i * n + k] : values[k * n + i]);
  const gram = Array.from({ length: size }, (_, i) =>
    Float64Array.from({ length: size }, (_, j) => Array.from({ length: Math.max(m, n) }, (_, k) => at(i, k) * at(j, k)).reduce((a, b) => a + b)),
  );
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const angle = 0.5 * Math.atan2(2 * gram[p][q], gram[q][q] - gram[p][p]);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < size; k++) [gram[k][p], gram[k][q]] = [c * gram[k][p] - s * gram[k][q], s * gram[k][p] + c * gram[k][q]];
        for (let k = 0; k < size; k++) [gram[p][k], gram[q][k]] = [c * gram[p][k] - s * gram[q][k], s * gram[p][k] + c * gram[q][k]];
      }
    }
  }
  return gram.reduce((sum, row, i) => sum + Math.sqrt(Math.max(0, row[i])), 0);
}
