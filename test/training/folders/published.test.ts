// Owns opening published models for training and saving them: what is saved opens again with the same weights, and is served with them.
// Refuses to know how gradients are made.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { transposed } from '../../../src/model/decoder-parts.ts';
import { gpt2Parameters } from '../../../src/model/gpt2.ts';
import type { Gpt2Config } from '../../../src/model/gpt2.ts';
import { llamaParameters } from '../../../src/model/llama.ts';
import type { LlamaConfig } from '../../../src/model/llama.ts';
import { packBatch } from '../../../src/training/batch.ts';
import { openTrainable } from '../../../src/training/open-model.ts';
import { Random } from '../../../src/training/random.ts';
import type { MethodSpec } from '../../../src/training/spec.ts';
import { Trainer } from '../../../src/training/trainer.ts';
import { readModelFiles } from '../../../src/engine/models/model-files.ts';
import { ModelTokenizer } from '../../../src/engine/text/tokenizer.ts';
import { ask, collect, startEngine } from '../../engine/world.ts';
import { byteTokenizer, writeFolder } from '../../model/checkpoints.ts';
import type { FolderOptions, Tensor } from '../../model/checkpoints.ts';
import { gpt2Logits } from '../../model/gpt2-reference.ts';
import { llamaLogits, randomWeights, SMALL } from '../../model/llama-reference.ts';
import type { Weights } from '../../model/reference.ts';
import { moved, openLoss, packed } from '../graphs/losses.ts';

const FULL: MethodSpec = { kind: 'full' };
const LORA: MethodSpec = { kind: 'lora', rank: 2, alpha: 4 };
const VOCABULARY = 300;
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

const LLAMA: LlamaConfig = { ...SMALL, vocabularySize: VOCABULARY };
const KEYS = {
  vocab_size: VOCABULARY,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  torch_dtype: 'bfloat16',
};
const MIXTRAL: readonly (readonly [string, string])[] = [
  ['.mlp.', '.block_sparse_moe.'],
  ['.gate_proj.', '.w1.'],
  ['.down_proj.', '.w2.'],
  ['.up_proj.', '.w3.'],
];
const FAMILIES: readonly {
  readonly label: string;
  readonly keys: object;
  readonly config: Partial<LlamaConfig>;
  readonly folder?: FolderOptions;
  readonly published?: (name: string) => string;
  readonly stored?: (name: string, values: Float32Array) => Float32Array;
}[] = [
  {
    label: 'Llama in half precision and two files',
    keys: { model_type: 'llama', tie_word_embeddings: false },
    config: {},
    folder: { type: 'BF16', shards: 2 },
  },
  { label: 'Qwen 3, tied', keys: { model_type: 'qwen3', tie_word_embeddings: true }, config: { headNorm: true, tied: true } },
  { label: 'Phi-3, fused', keys: { model_type: 'phi3', tie_word_embeddings: false }, config: { fused: true } },
  {
    label: 'Gemma 2, whose norms are stored less one',
    keys: { model_type: 'gemma2', query_pre_attn_scalar: 12, attn_logit_softcapping: 1.5, final_logit_softcapping: 3, sliding_window: 4 },
    config: {
      activation: 'gelu',
      embeddingScale: Math.sqrt(32),
      tied: true,
      postNorms: true,
      scoreScale: 1 / Math.sqrt(12),
      scoreCap: 1.5,
      logitCap: 3,
      windows: [4, undefined],
    },
    stored: (name, values) => (name.endsWith('norm.weight') ? values.map((value) => value - 1) : values),
  },
  {
    label: 'DeepSeek-V2, whose attention is latent',
    keys: {
      model_type: 'deepseek_v2',
      num_key_value_heads: 6,
      head_dim: null,
      q_lora_rank: null,
      kv_lora_rank: 10,
      qk_nope_head_dim: 12,
      qk_rope_head_dim: 6,
      v_head_dim: 7,
      moe_intermediate_size: 12,
      first_k_dense_replace: 1,
      n_routed_experts: 4,
      n_shared_experts: 2,
      num_experts_per_tok: 2,
    },
    config: {
      latent: { rank: 10, plainSize: 12, turnedSize: 6, valueSize: 7 },
      headSize: 18,
      pairs: 'neighbours',
      experts: { count: 4, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 },
    },
  },
  {
    label: 'Mixtral, with names of its own',
    keys: { model_type: 'mixtral', num_local_experts: 3, num_experts_per_tok: 2 },
    config: { experts: { count: 3, perToken: 2, size: 48, shared: 0, firstLayer: 0, normalised: true, scale: 1 } },
    published: (name) => MIXTRAL.reduce((changed, [own, of]) => changed.replace(own, of), name),
  },
];

for (const {
  label,
  keys,
  config: more,
  folder: options,
  published = (name: string): string => name,
  stored = (_: string, values: Float32Array): Float32Array => values,
} of FAMILIES)
  t.test(`${label}: what was trained is saved, opens again, and is served`, async (t) => {
    const config: LlamaConfig = { ...LLAMA, ...more };
    const drawn = randomWeights(config, 5);
    const [base, out] = [join(t.testdir(), 'base'), join(t.testdirName, 'tuned')];
    const tensors = new Map<string, Tensor>(
      llamaParameters(config).map(({ name, shape }) => [published(name), { shape, values: stored(name, drawn.get(name) ?? new Float32Array(0)) }]),
    );
    const held = writeFolder(base, { ...KEYS, ...keys }, tensors, options);
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

t.test('GPT-2, whose matrices are stored the other way round: what was trained is saved, opens again, and is served', async (t) => {
  const config: Gpt2Config = { vocabularySize: VOCABULARY, width: 32, layers: 2, heads: 4, feedForward: 128, contextLength: 64, normEpsilon: 1e-5, tied: true };
  const random = new Random(3);
  const turned = ({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): boolean => name.startsWith('h.') && shape.length === 2;
  const tensors = new Map<string, Tensor>(
    gpt2Parameters(config).map((parameter) => [
      `transformer.${parameter.name}`,
      {
        shape: turned(parameter) ? parameter.shape.toReversed() : parameter.shape,
        values: Float32Array.from(
          { length: parameter.shape.reduce((a, b) => a * b) },
          () => 0.3 * random.normal() + (/ln_\w+\.weight/.test(parameter.name) ? 1 : 0),
        ),
      },
    ]),
  );
  const [base, out] = [join(t.testdir(), 'base'), join(t.testdirName, 'tuned')];
  writeFolder(base, { model_type: 'gpt2', vocab_size: VOCABULARY, n_embd: 32, n_layer: 2, n_head: 4, n_positions: 64 }, tensors);
  const model = openTrainable(base, FULL);
  const trained = moved(model.initial());
  model.save(trained, out);
  t.same(openTrainable(out, FULL).initial(), trained);
  const right: Weights = new Map(
    gpt2Parameters(config).map((parameter) => {
      const values = trained.get(parameter.name) ?? new Float32Array(0);
      return [parameter.name, turned(parameter) ? transposed(values, parameter.shape[0], parameter.shape[1]) : values];
    }),
  );
  await saysAs(t, out, (tokens) => gpt2Logits(config, right, tokens)[tokens.length - 1]);
});

const llamaFolder = (t: Test): string => {
  const base = join(t.testdir(), 'base');
  const weights = randomWeights(LLAMA, 5);
  writeFolder(
    base,
    { ...KEYS, model_type: 'llama' },
    new Map(llamaParameters(LLAMA).map(({ name, shape }) => [name, { shape, values: weights.get(name) ?? new Float32Array(0) }])),
  );
  return base;
};

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
    message: /has its weights in onnx\/model_q4\.onnx alone, which cannot be trained; give the folder of safetensors/,
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
