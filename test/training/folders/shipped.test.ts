// Owns opening the model that ships for training and saving it: what is saved opens again with the same weights, and is served with them.
// Refuses to know how gradients are made.

import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openTrainable } from '../../../src/training/open-model.ts';
import type { MethodSpec } from '../../../src/training/spec.ts';
import { chat, collect, FACT, FOLDER, startEngine } from '../../engine/world.ts';
import { moved, openLoss, packed } from '../graphs/losses.ts';

const FULL: MethodSpec = { kind: 'full' };
const LORA: MethodSpec = { kind: 'lora', rank: 2, alpha: 4 };

t.test('the model that ships opens, and saved untrained - whole or with fresh adapters - is the same folder', async (t) => {
  const folder = t.testdir();
  for (const [name, method] of [
    ['whole', FULL],
    ['adapted', LORA],
  ] as const) {
    const model = openTrainable(FOLDER, method);
    t.equal(model.parameterCount, 3_475_464);
    t.equal(model.contextLength, 1536);
    model.save(model.initial(), join(folder, name));
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'pharos.json', 'onnx/model.onnx'])
      t.ok(readFileSync(join(folder, name, file)).equals(readFileSync(join(FOLDER, file))), file);
  }
});

t.test('the model that ships, tuned by adapters, opens again with their loss and is served', async (t) => {
  const out = join(t.testdir(), 'tuned');
  const model = openTrainable(FOLDER, { ...LORA, targets: ['query', 'down'] }, { seed: 2 });
  t.same(
    [...new Set(model.graph.parameters.map(({ name }) => name.replace(/layer\.\d+\./, '')))],
    ['query.lora_A', 'query.lora_B', 'down.lora_A', 'down.lora_B'],
  );
  const { batch } = packed(6, 4096, 2, 16);
  const trained = moved(model.initial(), 0.05);
  const adapted = await (await openLoss(t, model.graph)).evaluate(trained, batch);
  model.save(trained, out);
  const tuned = openTrainable(out, FULL);
  const whole = await (await openLoss(t, tuned.graph)).evaluate(tuned.initial(), batch);
  const before = await (await openLoss(t, model.graph)).evaluate(model.initial(), batch);
  t.ok(Math.abs(whole / adapted - 1) < 1e-3, `${whole} for ${adapted}: it is stored in half precision`);
  t.ok(Math.abs(before / adapted - 1) > 1e-3, 'and another than before');
  const engine = await startEngine(t, { models: [out] });
  const given = await collect(engine.generate(chat(FACT, { model: 'tuned', maxTokens: 12 })));
  t.equal(given.error, undefined);
  t.ok(given.text.length > 0);
});

t.test('weights that grew beyond half precision, in which the model is stored, are refused, and nothing is written', (t) => {
  const model = openTrainable(FOLDER, FULL);
  for (const value of [-70_000, Number.NaN]) {
    const weights = model.initial();
    weights.get('layer.1.up')?.fill(value, 7, 8);
    const out = join(t.testdir(), 'grown');
    t.throws(() => model.save(weights, out), {
      code: 'checkpoint_unsupported',
      message: /^layer\.1\.up has numbers that half precision, .* cannot hold \(65520 and more\); lower the learning rate$/,
    });
    t.notOk(existsSync(out));
  }
  t.end();
});

t.test('what cannot be opened is answered with what is missing, or what would be right', (t) => {
  const of = (method: MethodSpec, folder: string) => (): unknown => openTrainable(folder, method);
  t.throws(
    of({ ...LORA, targets: ['mix'] }, FOLDER),
    /there is no matrix mix in this model's layers; targets of adapters are query, key, value, out, up, down/,
  );
  const shipped = join(t.testdir(), 'shipped');
  cpSync(FOLDER, shipped, { recursive: true });
  renameSync(join(shipped, 'onnx/model.onnx'), join(shipped, 'onnx/model_q4.onnx'));
  t.throws(of(FULL, shipped), { code: 'checkpoint_invalid', message: /has no onnx\/model\.onnx, whose weights are trained; onnx\/model_q4\.onnx will not do/ });
  writeFileSync(join(shipped, 'onnx/model.onnx'), readFileSync(join(FOLDER, 'onnx/model.onnx')).subarray(0, 1000));
  t.throws(of(FULL, shipped), /onnx\/model\.onnx (cannot be read|has no numbers of)/);
  const config: unknown = JSON.parse(readFileSync(join(FOLDER, 'config.json'), 'utf8'));
  writeFileSync(join(shipped, 'config.json'), JSON.stringify(Object.assign({}, config, { num_hidden_layers: 1e9 })));
  t.throws(of(FULL, shipped), /config\.json: num_hidden_layers: 1000000000 is more than 1024 layers/);
  writeFileSync(join(shipped, 'config.json'), JSON.stringify({ model_type: 'pharos-decoder' }));
  t.throws(of(FULL, shipped), /config\.json: vocab_size: .*hidden_size: /);
  t.end();
});
