// Owns opening published models for training and saving them: what is saved opens again with the same weights, and is served with them.
// Refuses to know how gradients are made.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { transposed } from '../../../src/model/decoder-parts.ts';
import { gpt2Parameters } from '../../../src/model/gpt2.ts';
import { packBatch } from '../../../src/training/data/packing.ts';
import { openTrainable } from '../../../src/training/open-model.ts';
import type { MethodSpec } from '../../../src/training/spec.ts';
import { Trainer } from '../../../src/training/trainer.ts';
import { readModelFiles } from '../../../src/engine/models/model-files.ts';
import { ModelTokenizer } from '../../../src/engine/text/tokenizer.ts';
import { ask, collect, startEngine } from '../../engine/world.ts';
import { byteTokenizer } from '../../model/checkpoints.ts';
import { gpt2Logits } from '../../model/gpt2-reference.ts';
import { llamaLogits } from '../../model/llama-reference.ts';
import type { Weights } from '../../model/reference.ts';
import { moved, openLoss, packed } from '../graphs/losses.ts';
import { FAMILIES, GPT2, isTurned, llamaFolder, VOCABULARY, writeFamily, writeGpt2 } from './families.ts';

const FULL: MethodSpec = { kind: 'full' };
const LORA: MethodSpec = { kind: 'lora', rank: 2, alpha: 4 };
const PROMPT = [257, 3, 280, 280, 72, 1, 2];
const COUNT = 8;

/** The model in `folder` says, greedily, what logits say that it must. */
async function saysAs(t: Test, folder: string, logits: (tokens: readonly number[]) => ArrayLike<number>): Promise<void> {
  const engine = await startEngine(t, { models: [folder] });
  const said: number[] = [];
  while (said.length < COUNT && said.at(-1) !== VOCABULARY - 1) {
    const row = Array.from(logits([...PROMPT, ...said]));
    said.push(row.indexOf(Math.max(...row)));
  }
  const detokenizer = new ModelTokenizer(byteTokenizer(VOCABULARY) as ConstructorParameters<typeof ModelTokenizer>[0], {}).detokenizer();
  const given = await collect(engine.generate(ask('', { model: folder.split('/').at(-1) ?? '', prompt: { kind: 'tokens', ids: PROMPT }, maxTokens: COUNT })));
  t.equal(given.error, undefined);
  t.equal(given.text, said.map((id) => detokenizer.push(id)).join(''));
}
const nearly = (given: ReadonlyMap<string, Float32Array>, right: ReadonlyMap<string, Float32Array>): boolean =>
  given.size === right.size &&
  [...right].every(([name, values]) =>
    values.every((value, i) => Math.abs(value - (given.get(name)?.[i] ?? Number.NaN)) <= 1e-6 * Math.max(1, Math.abs(value))),
  );

for (const family of FAMILIES) {
  const { label, keys, published = (name: string): string => name } = family;
  t.test(`${label}: what was trained is saved, opens again, and is served`, async (t) => {
    const [base, out] = [join(t.testdir(), 'base'), join(t.testdirName, 'tuned')];
    const { config, held } = writeFamily(base, family);
    const model = openTrainable(base, FULL);
    t.equal(model.contextLength, 64);
    t.equal(
      model.parameterCount,
      [...held.values()].reduce((sum, { length }) => sum + length, 0),
    );
    const start = model.initial();
    if (!label.startsWith('Gemma')) for (const [name, values] of start) t.same(values, held.get(published(name)), name);

    const trained = moved(start);
    model.save(trained, out);
    t.ok(nearly(openTrainable(out, FULL).initial(), trained), 'opens again');
    t.same(
      readdirSync(out).toSorted(),
      ['chat_template.jinja', 'config.json', 'generation_config.json', 'model.safetensors', 'onnx', 'tokenizer.json', 'tokenizer_config.json'],
      'nothing else is left',
    );
    t.match(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')), { ...keys, torch_dtype: 'float32' });
    await saysAs(t, out, (tokens) => llamaLogits(config, trained, tokens)[tokens.length - 1]);
    t.equal(nearly(openTrainable(base, FULL).initial(), start), true, 'the base is as it was');
  });
}

t.test('GPT-2, whose matrices are stored the other way round: what was trained is saved, opens again, and is served', async (t) => {
  const [base, out] = [join(t.testdir(), 'base'), join(t.testdirName, 'tuned')];
  writeGpt2(base);
  const model = openTrainable(base, FULL);
  const trained = moved(model.initial());
  model.save(trained, out);
  t.same(openTrainable(out, FULL).initial(), trained);
  const right: Weights = new Map(
    gpt2Parameters(GPT2).map((parameter) => {
      const values = trained.get(parameter.name) ?? new Float32Array(0);
      return [parameter.name, isTurned(parameter) ? transposed(values, parameter.shape[0], parameter.shape[1]) : values];
    }),
  );
  await saysAs(t, out, (tokens) => gpt2Logits(GPT2, right, tokens)[tokens.length - 1]);
});

t.test('adapters of a published model are merged when it is saved: the result has their loss, and is served', async (t) => {
  const base = llamaFolder(t);
  const out = join(t.testdirName, 'tuned');
  const model = openTrainable(base, LORA, { seed: 4, dropout: 0.1, storage: { bits: 8, block: 16 } });
  t.equal(model.graph.dropout, true);
  t.same(model.initial(), openTrainable(base, LORA, { seed: 4 }).initial());
  t.not(model.graph.parameters.length, 0);
  const { batch } = packed(2, VOCABULARY);
  const trained = moved(model.initial());
  const adapted = await (await openLoss(t, model.graph)).evaluate(trained, batch);
  model.save(trained, out);
  const tuned = openTrainable(out, FULL);
  const whole = await (await openLoss(t, tuned.graph)).evaluate(tuned.initial(), batch);
  t.ok(Math.abs(whole / adapted - 1) < 1e-6, `${whole} for ${adapted}`);
  t.ok(existsSync(join(out, 'onnx/model.onnx_data')));
  const engine = await startEngine(t, { models: [out] });
  t.equal((await collect(engine.generate(ask('', { model: 'tuned', prompt: { kind: 'tokens', ids: PROMPT }, maxTokens: 4 })))).error, undefined, 'in 8 bits');
});

t.test('a result goes beside what is in its folder already, and takes the place of an earlier one', (t) => {
  const base = llamaFolder(t);
  const out = join(t.testdirName, 'tuned');
  mkdirSync(out);
  writeFileSync(join(out, 'loss.svg'), 'a plot');
  const model = openTrainable(base, FULL);
  writeFileSync(join(out, 'model.safetensors.index.json'), '{"weight_map": {"lm_head.weight": "old.safetensors"}}');
  const [first, second] = [moved(model.initial(), 0.1), moved(model.initial(), 0.2)];
  model.save(first, out);
  model.save(second, out);
  t.same(openTrainable(out, FULL).initial(), second);
  t.equal(readFileSync(join(out, 'loss.svg'), 'utf8'), 'a plot');
  t.throws(() => model.save(first, base), /the result cannot go to .*base, from which training starts/);
  t.throws(() => model.save(new Map(), out), /there are no trained values of model\.embed_tokens\.weight/);
  t.same(openTrainable(out, FULL).initial(), second, 'what could not be saved changed nothing');
  t.end();
});

t.test('what cannot be opened is answered with what is missing, or what would be right', (t) => {
  const base = llamaFolder(t);
  const of =
    (method: MethodSpec, folder = base) =>
    (): unknown =>
      openTrainable(folder, method);
  t.throws(of(FULL, join(base, 'none')), /none is not there; give the folder of a model/);
  t.throws(of({ ...LORA, targets: ['query'] }), {
    code: 'arguments_invalid',
    message: /targets of adapters are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj/,
  });
  const config = readFileSync(join(base, 'config.json'), 'utf8');
  const withConfig = (change: object): void => writeFileSync(join(base, 'config.json'), JSON.stringify({ ...(JSON.parse(config) as object), ...change }));
  withConfig({ model_type: 'bert' });
  t.throws(of(FULL), { code: 'checkpoint_unsupported', message: /models of type bert cannot be trained here; pharos-decoder, llama, .*gpt2 can/ });
  withConfig({ num_hidden_layers: 3 });
  t.throws(of(FULL), /has no tensor model\.layers\.2\.input_layernorm\.weight/);
  writeFileSync(join(base, 'config.json'), config);
  mkdirSync(join(base, 'onnx'));
  writeFileSync(join(base, 'onnx/model_q4.onnx'), '');
  renameSync(join(base, 'model.safetensors'), join(base, 'elsewhere'));
  t.throws(of(FULL), {
    code: 'checkpoint_invalid',
    message:
      /has its weights in onnx\/model_q4\.onnx alone, which cannot be trained; give the folder of safetensors .* or bring that in again with --storage float/,
  });
  rmSync(join(base, 'onnx'), { recursive: true });
  t.throws(of(FULL), /has neither model\.safetensors nor model\.safetensors\.index\.json/);
  writeFileSync(join(base, 'config.json'), '[');
  t.throws(of(FULL), /config\.json cannot be read/);
  t.end();
});

const outside = process.env['PHAROS_OUTSIDE'];
if (outside !== undefined)
  t.test('a published model of 260,000 parameters learns a text by heart - whole or by adapters - and the engine says it', async (t) => {
    for (const [name, method, rate] of [
      ['whole', FULL, 3e-3],
      ['adapted', { ...LORA, rank: 8, alpha: 16 }, 1e-2],
    ] as const) {
      const base = join(outside, 'weights/stories260K');
      const out = join(t.testdirName, name);
      if (name === 'whole') t.testdir();
      const model = openTrainable(base, method);
      model.save(model.initial(), out);
      const { tokenizer, tokenizerConfig } = await readModelFiles(out);
      const text = 'Once upon a time, there was a small robot named Pharos. Pharos loved to prove things.';
      const tokens = [1, ...new ModelTokenizer(tokenizer, tokenizerConfig).encodePlain(text)];
      const batch = packBatch(() => ({ tokens, learned: tokens.map((_, i) => i > 0) }), 1, tokens.length);
      const trainer = await Trainer.open(model.graph, model.initial(), {
        optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0 },
        clip: 1,
        threads: 1,
      });
      const first = await trainer.evaluate([batch]);
      for (let step = 0; step < 30; step++) await trainer.train([batch], rate);
      const last = await trainer.evaluate([batch]);
      t.comment(`${name}: loss ${first.toFixed(3)} before, ${last.toFixed(3)} after 30 steps`);
      t.ok(first > 1 && last < 0.1);
      model.save(trainer.weights, out);
      await trainer.close();
      const engine = await startEngine(t, { models: [out] });
      const given = await collect(engine.generate(ask('Once upon a time, there was a small robot', { model: name, maxTokens: 16 })));
      t.match(given.text, /^ named Pharos\. Pharos loved/);
    }
  });
