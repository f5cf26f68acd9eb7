// Owns the course of a run: its events, that an interrupted run ends as an uninterrupted one bit for bit, early stopping, and what it refuses.
// Refuses to know files of data, folders of models, and the command.

import { existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parameterCount } from '../../src/model/decoder.ts';
import { Random } from '../../src/training/random.ts';
import { RunError } from '../../src/training/run/errors.ts';
import { openGradients } from '../../src/training/run/gradients.ts';
import { trainModel } from '../../src/training/run/train-model.ts';
import type { RunHooks, RunInputs } from '../../src/training/run/train-model.ts';
import { trainingSpec } from '../../src/training/spec.ts';
import type { TrainingEvent, TrainingSpec, TrainingSpecInput } from '../../src/training/spec.ts';
import { CONFIG, copiesData, tinyModel } from './tiny.ts';

const BATCHES = 24;
function specOf(output: string, more: Partial<TrainingSpecInput> = {}): TrainingSpec {
  return trainingSpec.parse({
    model: 'tiny',
    output,
    training_files: ['copies'],
    accumulation: 2,
    threads: 1,
    evaluate_every: 4,
    checkpoint_every: 3,
    schedule: { kind: 'cosine', peak: 4e-3, warmup: 3 },
    ...more,
  });
}
const inputs = (more: Partial<RunInputs> = {}): RunInputs => ({
  model: tinyModel(),
  data: async (position) => copiesData(7, BATCHES, position),
  validation: async () => copiesData(1000, 2),
  ...more,
});
async function run(spec: TrainingSpec, more: Partial<RunInputs> = {}, hooks: Partial<RunHooks> = {}): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  const emit = (event: TrainingEvent): void => {
    events.push(event);
    hooks.emit?.(event);
  };
  await trainModel(spec, inputs(more), { ...hooks, emit });
  return events;
}
const steps = (events: readonly TrainingEvent[], kind: TrainingEvent['kind']): number[] =>
  events.flatMap((event) => (event.kind === kind && 'step' in event ? [event.step] : []));
/** Everything that a run leaves, but for the checkpoint, which names its folder. */
const results = (output: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(output, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'checkpoint.bin')
      .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('base64')]),
  );

t.test('a run tells its start, steps, evaluations, checkpoints and end, and leaves the best weights, figures and plots', async (t) => {
  const output = join(t.testdir(), 'out');
  const events = await run(specOf(output));
  t.match(events[0], { kind: 'start', steps: 12, parameters: parameterCount(CONFIG), trained: parameterCount(CONFIG), examples: BATCHES * 32, resumedAt: 0 });
  t.same(steps(events, 'step'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  t.same(steps(events, 'evaluation'), [4, 8, 12]);
  t.same(steps(events, 'checkpoint'), [3, 6, 9, 12]);
  t.match(events.at(-1), { kind: 'end', step: 12, reason: 'done', model: output });
  const twelfth = events.find((event) => event.kind === 'step' && event.step === 12);
  t.equal(twelfth?.kind === 'step' && twelfth.tokens, BATCHES * 8 * 32, 'tokens of the run so far');
  const rows = readFileSync(join(output, 'training/metrics.csv'), 'utf8').trim().split('\n');
  t.equal(rows[0], 'step,train_loss,learning_rate,gradient_norm,tokens,valid_loss,train_mean_token_accuracy,valid_mean_token_accuracy');
  t.same(
    rows.slice(1).map((row) => row.split(',')[0]),
    Array.from({ length: 12 }, (_, i) => String(i + 1)),
  );
  t.same(
    rows
      .slice(1)
      .filter((row) => !row.endsWith(','))
      .map((row) => Number(row.split(',')[0])),
    [4, 8, 12],
  );
  const shares = events.flatMap((event) => ((event.kind === 'step' || event.kind === 'evaluation') && event.accuracy !== undefined ? [event.accuracy] : []));
  t.equal(shares.length, 15, 'of each step and evaluation');
  t.ok(shares.every((share) => share >= 0 && share <= 1));
  t.same(
    rows.slice(1).flatMap((row) =>
      row
        .split(',')
        .slice(6)
        .filter((cell) => cell !== '')
        .map(Number),
    ),
    shares,
    'as they were told',
  );
  for (const name of ['loss.svg', 'schedule.svg']) t.match(readFileSync(join(output, 'training', name), 'utf8'), /^<svg .*<\/svg>\n$/su, name);
  t.ok(existsSync(join(output, 'weights.bin')));
});

t.test('a run that is stopped after any step, and goes on, ends with the same weights, figures and plots as one that is not', async (t) => {
  const folder = t.testdir();
  const model = tinyModel(1, 0.1);
  const straight = join(folder, 'straight');
  await run(specOf(straight, { dropout: 0.1 }), { model });
  const random = new Random(17);
  const broken = join(folder, 'broken');
  const spec = specOf(broken, { dropout: 0.1 });
  let stops = 0;
  for (let resume = false; ; resume = true) {
    const stop = new AbortController();
    let left = random.int(2, 7);
    const events = await run(spec, { model }, { resume, signal: stop.signal, emit: (event) => void (event.kind !== 'start' && --left === 0 && stop.abort()) });
    const end = events.at(-1);
    if (end?.kind === 'end' && end.reason !== 'stopped') break;
    stops++;
    t.equal(existsSync(join(broken, 'weights.bin')), false, 'a stopped run has no result');
  }
  t.ok(stops >= 2, `${stops} stops`);
  t.same(results(broken), results(straight));
});

t.test('a run whose process broke goes on from its last checkpoint, and what was written after that is made again', async (t) => {
  const folder = t.testdir();
  const [straight, broken] = [join(folder, 'straight'), join(folder, 'broken')];
  await run(specOf(straight));
  const fault = new Error('broke');
  await t.rejects(
    run(
      specOf(broken),
      {},
      {
        emit: (event) => {
          if (event.kind === 'step' && event.step === 8) throw fault;
        },
      },
    ),
    fault,
  );
  const events = await run(specOf(broken), {}, { resume: true });
  t.match(events[0], { resumedAt: 6 });
  t.same(steps(events, 'step'), [7, 8, 9, 10, 11, 12]);
  t.same(results(broken), results(straight));
  const again = await run(specOf(broken), {}, { resume: true });
  t.same(
    again.map(({ kind }) => kind),
    ['start', 'checkpoint', 'end'],
    'a run that was done is done',
  );
  t.same(results(broken), results(straight));
});

t.test('without a better loss in `patience` evaluations the run ends early, with the weights of the best one', async (t) => {
  const folder = t.testdir();
  const spoilt = { evaluate_every: 1, patience: 2, schedule: { kind: 'constant', peak: 0.5 } } as const;
  const output = join(folder, 'out');
  const events = await run(specOf(output, spoilt));
  const evaluations = events.flatMap((event) => (event.kind === 'evaluation' ? [event] : []));
  const best = evaluations.reduce((a, b) => (b.loss < a.loss ? b : a));
  t.match(events.at(-1), { kind: 'end', reason: 'early', step: best.step + 2 });
  t.same(
    evaluations.slice(-3).map((each) => each.best),
    [true, false, false],
  );
  const short = join(folder, 'short');
  await run(specOf(short, { ...spoilt, patience: 0, steps: best.step }));
  t.same(readFileSync(join(output, 'weights.bin')), readFileSync(join(short, 'weights.bin')));
  t.same(
    readdirSync(join(output, 'training')).filter((name) => name.startsWith('best-')),
    [`best-${best.step}.bin`],
  );
});

t.test('without validation the result is what came last', async (t) => {
  const output = join(t.testdir(), 'out');
  const events = await run(specOf(output, { steps: 5 }), { validation: undefined });
  t.same(steps(events, 'evaluation'), []);
  t.match(events.at(-1), { kind: 'end', step: 5, reason: 'done' });
  t.ok(existsSync(join(output, 'weights.bin')));
});

t.test('a checkpoint of another run, one that nobody asked to go on from, and a broken one are refused, with what to do', async (t) => {
  const output = join(t.testdir(), 'out');
  await run(specOf(output, { steps: 3 }));
  const refused = async (spec: TrainingSpec, code: string, message: RegExp, resume = true): Promise<void> => {
    const error = await run(spec, {}, { resume }).catch((reason: unknown) => reason);
    t.ok(error instanceof RunError && error.code === code && message.test(error.message), String(error));
  };
  await refused(specOf(output, { steps: 3 }), 'other_run', /resume it, or remove the folder/, false);
  await refused(specOf(output, { steps: 4, seed: 9 }), 'other_run', /of a run with other values of steps, seed; give those again/);
  await run(specOf(output, { steps: 3, checkpoint_every: 1 }), {}, { resume: true });
  writeFileSync(join(output, 'training/checkpoint.bin'), 'x');
  await refused(specOf(output, { steps: 3 }), 'damaged_checkpoint', /is cut short; remove it/);
  rmSync(join(output, 'training/checkpoint.bin'));
  await run(specOf(output, { steps: 3 }));
});

t.test('a loss that is no longer finite ends the run with the step and what would help; its checkpoint stays', async (t) => {
  const output = join(t.testdir(), 'out');
  const error = await run(specOf(output, { clip: 1e30, checkpoint_every: 1, schedule: { kind: 'constant', peak: 1e20 } })).catch((reason: unknown) => reason);
  t.ok(error instanceof RunError && error.code === 'diverged' && /^step \d+: loss .*; lower the learning rate$/u.test(error.message), String(error));
  t.ok(existsSync(join(output, 'training/checkpoint.bin')));
});

t.test('a last update after which validation finds no finite loss leaves no result', async (t) => {
  const output = join(t.testdir(), 'out');
  const events: TrainingEvent[] = [];
  const emit = (event: TrainingEvent): void => void events.push(event);
  const gradients: RunInputs['gradients'] = async (options) => ({ ...(await openGradients(options)), evaluate: async () => ({ loss: Number.NaN }) });
  await t.rejects(run(specOf(output, { steps: 1 }), { gradients }, { emit }), {
    code: 'diverged',
    message: 'step 1: validation loss NaN; lower the learning rate',
  });
  t.same(
    events.map(({ kind }) => kind),
    ['start', 'step'],
  );
  t.notOk(existsSync(join(output, 'weights.bin')));
});

t.test('a full disk ends a run by name, and the checkpoint before stays to go on from, bit for bit', { skip: !existsSync('/dev/full') }, async (t) => {
  const at = t.testdir();
  await run(specOf(join(at, 'whole')));
  const output = join(at, 'cut');
  const folder = join(output, 'training');
  const spec = specOf(output);
  // Whatever is written to this device finds no room.
  const fill = (file: string) => (event: TrainingEvent) => void (event.kind === 'checkpoint' && event.step === 3 && symlinkSync('/dev/full', join(folder, file)));
  for (const file of ['checkpoint.bin.part', 'best-8.bin.part', 'loss.svg.part']) {
    await t.rejects(run(spec, {}, { resume: true, emit: fill(file) }), { name: 'RunError', code: 'disk_full', message: /no room left on the disk.*its last checkpoint, if it has one, is whole/ }, file);
    t.same(readdirSync(folder).filter((name) => name.endsWith('.part')), [], 'what was begun takes no room');
    const kept = readFileSync(join(folder, 'checkpoint.bin'));
    const [start] = await run(spec, {}, { resume: true, signal: AbortSignal.abort() });
    t.match(start, { kind: 'start', resumedAt: file.startsWith('best') ? 6 : 3 });
    t.ok(readFileSync(join(folder, 'checkpoint.bin')).equals(kept));
    if (file !== 'loss.svg.part') rmSync(folder, { recursive: true });
  }
  await run(spec, {}, { resume: true });
  t.same(results(output), results(join(at, 'whole')));
});
