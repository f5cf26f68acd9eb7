// Owns the command that fine-tunes, as a person runs it: a real process over a real folder and files, killed at any moment, interrupted, given wrong things.
// Refuses to know the course of a run in detail.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { drawnWeights } from '../../src/training/initial.ts';
import { writeShipped } from '../../src/training/folders/shipped.ts';
import { Random } from '../../src/training/random.ts';
import { runTraining } from '../../src/training/run/run-training.ts';
import { trainingSpec } from '../../src/training/spec.ts';
import { CONFIG } from './tiny.ts';

const COMMAND = fileURLToPath(new URL('../../scripts/train.ts', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../models/pharos-mini', import.meta.url));
const folder = t.testdir();
const model = join(folder, 'model');
const files = new Map(
  ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'pharos.json'].map((name) => [name, readFileSync(join(SHIPPED, name))]),
);
// The vocabulary of the model that ships, in a decoder that takes a step in milliseconds.
const config = { ...CONFIG, vocabularySize: 4096, contextLength: 64 };
writeShipped(model, { config, trainingSteps: 0, weights: drawnWeights(config, 1), files });
const random = new Random(5);
const animals = ['fox', 'owl', 'cat', 'dog', 'bee'];
function examples(name: string, count: number): string {
  const line = (): string => {
    const animal = random.pick(animals);
    return JSON.stringify({
      messages: [
        { role: 'user', content: `Say ${animal}.` },
        { role: 'assistant', content: animal },
      ],
    });
  };
  writeFileSync(join(folder, name), `${Array.from({ length: count }, line).join('\n')}\n`);
  return join(folder, name);
}
const base = {
  model,
  training_files: [examples('training.jsonl', 160)],
  validation_files: [examples('held.jsonl', 20)],
  context: 64,
  rows: 2,
  steps: 40,
  threads: 1,
  dropout: 0.1,
  evaluate_every: 5,
  checkpoint_every: 2,
};
function specFile(name: string, more: object = {}): { readonly file: string; readonly output: string } {
  const output = join(folder, name);
  writeFileSync(`${output}.json`, JSON.stringify({ ...base, output, ...more }));
  return { file: `${output}.json`, output };
}
function start(...args: string[]): {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<{ readonly code: number | null; readonly printed: string }>;
} {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, printed })) };
}
const run = (...args: string[]): ReturnType<typeof start>['ended'] => start(...args).ended;
/** All files but the checkpoint, which names its folder. */
const results = (output: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(output, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'checkpoint.bin')
      .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('base64')]),
  );

t.test('killed at any moment, over and over, a run ends with the very same files as one that is left alone', async (t) => {
  const straight = specFile('straight');
  const whole = await run(straight.file);
  t.equal(whole.code, 0, whole.printed);
  t.match(whole.printed, /parameters are trained on 160 examples in 40 steps\n/);
  t.match(whole.printed, /step 40: validation loss \d\.\d+, \d+\.\d % of tokens right, the best so far\ndone: /);
  const broken = specFile('broken');
  const checkpoint = join(broken.output, 'training/checkpoint.bin');
  const made = (): number => (existsSync(checkpoint) ? statSync(checkpoint).mtimeMs : 0);
  let kills = 0;
  for (; kills < 2; kills++) {
    const { child, ended } = start(broken.file, '--resume');
    const before = made();
    // One more checkpoint, then anything from nothing to a few steps, evaluations and checkpoints.
    while (child.exitCode === null && made() === before) await sleep(1);
    await sleep(random.int(0, 40));
    child.kill('SIGKILL');
    if ((await ended).code !== null) break;
  }
  t.ok(kills >= 1, `${kills} kills`);
  const last = await run(broken.file, '--resume');
  t.equal(last.code, 0, last.printed);
  t.match(last.printed, /going on behind step \d+\n/);
  const [ours, theirs] = [results(broken.output), results(straight.output)];
  t.same(
    Object.keys(ours)
      .filter((name) => !name.endsWith('.part'))
      .toSorted(),
    Object.keys(theirs).toSorted(),
  );
  for (const [name, content] of Object.entries(theirs)) t.ok(ours[name] === content, `${name} is the same`);
});

t.test('an interrupt keeps a checkpoint and says how to go on', async (t) => {
  const { file, output } = specFile('interrupted', { steps: 100_000, validation_files: [] });
  const { child, ended } = start(file);
  while (child.exitCode === null && !existsSync(join(output, 'training/checkpoint.bin'))) await sleep(5);
  child.kill('SIGINT');
  const { code, printed } = await ended;
  t.equal(code, 130, printed);
  t.match(printed, /stopped behind step \d+; --resume goes on from there\n$/);
  t.equal(existsSync(join(output, 'config.json')), false);
});

t.test('what cannot be trained is refused with what would be right', async (t) => {
  const bad = join(folder, 'bad.jsonl');
  writeFileSync(bad, '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n{"messages": 7}\n');
  for (const [more, message] of [
    [{ precision: 'mixed' }, /precision: mixed needs a provider .*; use float32/],
    [{ patience: 2, validation_files: [] }, /patience: ending early needs losses on validation_files/],
    [{ context: 128 }, /context: the model takes rows of at most 64 tokens, not 128/],
    [{ output: model }, /is the folder of the model to start from, which would be lost; name another/],
    [{ training_files: [bad] }, /bad\.jsonl line 2: messages/],
    [{ validation_files: [bad] }, /bad\.jsonl line 2: messages/],
    [{ schedule: { kind: 'multi_step', peak: 1e-3, milestones: [20, 10], gamma: 0.1 } }, /milestone 10 .* does not come after 20/],
  ] as const) {
    const spec = trainingSpec.parse({ ...base, output: join(folder, 'refused'), ...more });
    await t.rejects(runTraining(spec, { emit: () => undefined }), { message });
  }
  const { code, printed } = await run(specFile('coloured', { steps: -1, colour: 'red' }).file);
  t.equal(code, 2, printed);
  t.match(printed, /coloured\.json is no specification of a run:\n[^]*Unrecognized key: "colour"[^]*at steps\n$/);
});
