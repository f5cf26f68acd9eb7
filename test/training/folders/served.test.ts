// Owns training of models that were brought in, whose weights are in their graph alone: they begin and go on as the folder of safetensors does that they were made of.
// Refuses to know how graphs and gradients are made.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { importModel } from '../../../src/model/import/import-model.ts';
import type { ImportOptions } from '../../../src/model/import/import-model.ts';
import { openTrainable } from '../../../src/training/open-model.ts';
import type { MethodSpec } from '../../../src/training/spec.ts';
import { Trainer } from '../../../src/training/trainer.ts';
import { ask, collect, startEngine } from '../../engine/world.ts';
import { moved, packed } from '../graphs/losses.ts';
import { FAMILIES, llamaFolder, VOCABULARY, writeFamily, writeGpt2 } from './families.ts';
import type { Family } from './families.ts';

const FULL: MethodSpec = { kind: 'full' };
const LORA: MethodSpec = { kind: 'lora', rank: 2, alpha: 4 };
const ADAM = { kind: 'adamw', beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 } as const;
/** Half precision keeps 11 bits of a number: what is rounded is off by no more than this part of it, and no more than this where it is smallest. */
const [HALF, LEAST] = [2 ** -11, 2 ** -25];
/** Of training in half precision's rounding: losses, and all weights after three steps (the length of the difference over their own). */
const [NEAR_LOSS, NEAR_WEIGHTS] = [2e-3, 5e-3];

interface Run {
  /** Before each of three steps. */
  readonly losses: readonly number[];
  readonly weights: ReadonlyMap<string, Float32Array>;
}
async function threeSteps(folder: string, method: MethodSpec): Promise<Run> {
  const model = openTrainable(folder, method);
  const trainer = await Trainer.open(model.graph, model.initial(), { optimizer: ADAM, clip: 1, threads: 1 });
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) losses.push((await trainer.train([packed(step, VOCABULARY).batch], 1e-2)).loss);
  await trainer.close();
  return { losses, weights: trainer.weights };
}
const bring = (from: string, out: string, storage: ImportOptions['storage'] = 'float', more: Partial<ImportOptions> = {}): string => {
  importModel({ from, out, storage, ...more });
  return out;
};
/** The length of what lies between all weights of both, over that of the right ones. */
function apart(given: ReadonlyMap<string, Float32Array>, right: ReadonlyMap<string, Float32Array>): number {
  let [off, all] = [0, 0];
  for (const [name, values] of right)
    values.forEach((value, i) => {
      off += (value - (given.get(name)?.[i] ?? Number.NaN)) ** 2;
      all += value ** 2;
    });
  return Math.sqrt(off / all);
}
/** The largest difference over what is allowed of each number; 1 and less is as near as it must be. */
const worst = (given: ReadonlyMap<string, Float32Array>, right: ReadonlyMap<string, Float32Array>): number =>
  Math.max(
    ...Array.from(right, ([name, values]) =>
      values.reduce((most, value, i) => Math.max(most, Math.abs(value - (given.get(name)?.[i] ?? Number.NaN)) / (HALF * Math.abs(value) + LEAST)), 0),
    ),
  );

const BIASED: Family = {
  label: 'Llama with biases everywhere',
  keys: { model_type: 'llama', attention_bias: true, mlp_bias: true },
  config: { attentionBias: true, outputBias: true, feedForwardBias: true },
};
const GPT = 'GPT-2';
for (const family of [...FAMILIES, BIASED, GPT] as const)
  t.test(`${family === GPT ? GPT : family.label}: training begins with the graph's weights as it does with safetensors, and goes on alike`, async (t) => {
    const base = join(t.testdir(), 'base');
    if (family === GPT) writeGpt2(base);
    else writeFamily(base, family);
    const whole = bring(base, join(t.testdirName, 'whole'));
    const published = openTrainable(base, FULL);
    const served = openTrainable(whole, FULL);
    t.equal(served.parameterCount, published.parameterCount);
    t.equal(served.contextLength, published.contextLength);
    t.same(served.initial(), published.initial());
    t.same(served.graph, published.graph);
    for (const method of [FULL, LORA])
      t.same(await threeSteps(whole, method), await threeSteps(base, method), `${method.kind}: the very same losses and weights`);

    const half = bring(base, join(t.testdirName, 'half'), 'float16');
    t.ok(worst(openTrainable(half, FULL).initial(), published.initial()) <= 1, 'in half precision, as far as that goes');
    const [by, right] = [await threeSteps(half, FULL), await threeSteps(base, FULL)];
    t.ok(Math.abs(by.losses[0] / right.losses[0] - 1) < NEAR_LOSS, `loss ${by.losses[0]} for ${right.losses[0]}`);
    // What is rounded may send a token to another expert.
    if (family !== GPT && family.config.experts) return;
    by.losses.forEach((loss, i) => t.ok(Math.abs(loss / right.losses[i] - 1) < NEAR_LOSS, `loss ${loss} for ${right.losses[i]}`));
    t.ok(apart(by.weights, right.weights) < NEAR_WEIGHTS, `after three steps weights are ${apart(by.weights, right.weights)} apart`);
  });

t.test('what was trained is a folder that is served, opens again and names its weights as published', async (t) => {
  const base = llamaFolder(t);
  const [whole, out, again] = ['whole', 'tuned', 'again'].map((name) => join(t.testdirName, name));
  bring(base, whole, 'float', { context: 48 });
  const model = openTrainable(whole, LORA);
  const trained = await threeSteps(whole, LORA);
  model.save(trained.weights, out);
  t.equal(openTrainable(out, FULL).contextLength, 48, 'texts are as long as they were');
  const merged = openTrainable(out, FULL).initial();
  openTrainable(base, LORA).save(trained.weights, again);
  t.same(merged, openTrainable(again, FULL).initial(), 'as from safetensors');
  t.ok(existsSync(join(out, 'model.safetensors')));
  const engine = await startEngine(t, { models: [out] });
  t.equal((await collect(engine.generate(ask('', { model: 'tuned', prompt: { kind: 'tokens', ids: [1, 2, 3] }, maxTokens: 4 })))).error, undefined);
  rmSync(join(out, 'model.safetensors'));
  t.same(openTrainable(out, FULL).initial(), merged, 'its own graph has them as well');
});

t.test('of GPT-2 that was brought in for shorter texts, the positions that are left are trained and saved', (t) => {
  const base = join(t.testdir(), 'base');
  writeGpt2(base);
  const whole = bring(base, join(t.testdirName, 'whole'), 'float', { context: 40 });
  const model = openTrainable(whole, FULL);
  t.equal(model.contextLength, 40);
  const [all, left] = [openTrainable(base, FULL), model].map((each) => each.initial().get('wpe.weight'));
  t.same(left, all?.subarray(0, 40 * 32));
  const [trained, out] = [moved(model.initial()), join(t.testdirName, 'tuned')];
  model.save(trained, out);
  t.equal(openTrainable(out, FULL).contextLength, 40);
  t.same(openTrainable(out, FULL).initial(), trained);
  t.match(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')), { n_positions: 40, max_position_embeddings: undefined }, 'as transformers reads it');
  t.end();
});

t.test('positions are those that the model was brought in with, also where its longest text is another', async (t) => {
  const family: Family = {
    label: 'stretched',
    keys: { model_type: 'llama', rope_scaling: { rope_type: 'yarn', factor: 4 } },
    config: {},
  };
  const base = join(t.testdir(), 'base');
  writeFamily(base, family);
  const whole = bring(base, join(t.testdirName, 'whole'), 'float', { context: 100 });
  t.match(JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')), { max_position_embeddings: 100, published_max_position_embeddings: 64 });
  t.equal(openTrainable(base, FULL).contextLength, 256);
  const model = openTrainable(whole, FULL);
  t.equal(model.contextLength, 100);
  t.same((await threeSteps(whole, FULL)).losses, (await threeSteps(base, FULL)).losses);
  const out = join(t.testdirName, 'tuned');
  model.save(model.initial(), out);
  t.equal(openTrainable(out, FULL).contextLength, 100);
  t.match(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')), { max_position_embeddings: 100, published_max_position_embeddings: 64 });

  const config = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')) as object;
  writeFileSync(join(whole, 'config.json'), JSON.stringify({ ...config, rope_theta: 20_000 }));
  t.throws(() => openTrainable(whole, FULL), {
    code: 'checkpoint_invalid',
    message: /was made with other rotary positions than config\.json beside it says \(rotary\.cos differs\)/,
  });
});

/** A folder that was brought in, after a change to it. */
function changed(t: Test, storage: ImportOptions['storage'], change: (folder: string) => void): () => unknown {
  const folder = bring(llamaFolder(t), join(t.testdirName, 'whole'), storage);
  change(folder);
  return () => openTrainable(folder, FULL).initial();
}
t.test('weights that are rounded to few bits, and graphs of others, are answered with what would be right', (t) => {
  for (const bits of [8, 4] as const)
    t.throws(
      changed(t, { bits, block: 16 }, () => undefined),
      {
        code: 'checkpoint_unsupported',
        message:
          /model\.onnx has its weights in blocks of 8 or 4 bits \(.*\), which have lost what training needs; bring the model in again with --storage float or float16/,
      },
    );
  const config = (folder: string, change: object): void => {
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }));
  };
  t.throws(
    changed(t, 'float', (folder) => config(folder, { num_hidden_layers: 3 })),
    { code: 'checkpoint_invalid', message: /has no weights of model\.layers\.2\.input_layernorm\.weight \[32\]: it was not made by npm run import/ },
  );
  t.throws(
    changed(t, 'float', (folder) => config(folder, { num_key_value_heads: 1 })),
    { message: /has weights model\.layers\.0\.self_attn\.qkv \[32, 80\] and config\.json asks for/ },
  );
  t.throws(
    changed(t, 'float', (folder) => rmSync(join(folder, 'onnx/model.onnx_data'))),
    { code: 'checkpoint_invalid', message: /model\.onnx cannot be read: ENOENT/ },
  );
  t.throws(
    changed(t, 'float', (folder) => writeFileSync(join(folder, 'onnx/model.onnx'), 'no graph')),
    { code: 'checkpoint_invalid', message: /model\.onnx cannot be read/ },
  );
  t.end();
});
