// Owns that a checkpoint which was brought in generates through the engine what an independent float64 implementation does, and that what cannot be computed is refused by its name.
// Refuses to know the graph's operators.

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import type { Gpt2Config } from '../../src/model/gpt2.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import type { ImportReport } from '../../src/model/import/import-model.ts';
import type { SourceOptions } from '../../src/model/import/source.ts';
import type { Storage } from '../../src/model/llama.ts';
import { readFields } from '../../src/model/protobuf.ts';
import { Random } from '../../src/training/random.ts';
import { ask, collect, startEngine } from '../engine/world.ts';
import { writeFolder } from './checkpoints.ts';
import type { Tensor } from './checkpoints.ts';
import { gpt2Logits } from './gpt2-reference.ts';
import { BASE, checkFamilies, compare, HF, LAYER, made, madeIn, tensorsOf, VOCABULARY } from './imported.ts';
import type { Family } from './imported.ts';
import { V3_KEYS } from './imported-latent.ts';

const GEMMA = { hidden_activation: 'gelu_pytorch_tanh', hidden_act: 'gelu', tie_word_embeddings: true } as const;
const GEMMA_CONFIG = { activation: 'gelu', embeddingScale: Math.sqrt(32), tied: true } as const;
const FAMILIES: readonly Family[] = [
  { label: 'Llama', keys: { model_type: 'llama', tie_word_embeddings: false }, config: {}, folder: { type: 'BF16', shards: 3 }, layer: LAYER },
  {
    label: 'Llama with biases',
    keys: { model_type: 'llama', attention_bias: true, mlp_bias: true },
    config: { attentionBias: true, outputBias: true, feedForwardBias: true },
    folder: { type: 'F16' },
  },
  { label: 'Mistral with a window', keys: { model_type: 'mistral', sliding_window: 6 }, config: { windows: [6, 6] }, folder: { type: 'BF16' } },
  {
    label: 'Qwen 2',
    keys: { model_type: 'qwen2', tie_word_embeddings: true, use_sliding_window: false, sliding_window: 4, max_window_layers: 1 },
    config: { attentionBias: true, tied: true },
    layer: [...LAYER, 'self_attn.q_proj.bias', 'self_attn.k_proj.bias', 'self_attn.v_proj.bias'],
  },
  {
    label: 'Qwen 2 with windows from a layer on',
    keys: { model_type: 'qwen2', use_sliding_window: true, sliding_window: 4, max_window_layers: 1 },
    config: { attentionBias: true, windows: [undefined, 4] },
  },
  {
    label: 'Qwen 3',
    keys: { model_type: 'qwen3', tie_word_embeddings: true, rope_theta: null, rope_parameters: { rope_type: 'default', rope_theta: 500 } },
    config: { headNorm: true, tied: true, rotary: { base: 500 } },
    layer: [...LAYER, 'self_attn.q_norm', 'self_attn.k_norm'],
  },
  {
    label: 'Phi-3',
    keys: { model_type: 'phi3', head_dim: null, hidden_size: 48, sliding_window: 63, partial_rotary_factor: 0.75 },
    config: { fused: true, width: 48, rotary: { base: 10_000, dimensions: 6 }, windows: [63, 63] },
    layer: ['input_layernorm', 'self_attn.qkv_proj', 'self_attn.o_proj', 'post_attention_layernorm', 'mlp.gate_up_proj', 'mlp.down_proj'],
  },
  { label: 'Gemma 1', keys: { model_type: 'gemma', ...GEMMA }, config: GEMMA_CONFIG, layer: LAYER },
  {
    label: 'Gemma 2',
    keys: { model_type: 'gemma2', ...GEMMA, query_pre_attn_scalar: 12, attn_logit_softcapping: 1.5, final_logit_softcapping: 3, sliding_window: 5 },
    config: { ...GEMMA_CONFIG, postNorms: true, scoreScale: 1 / Math.sqrt(12), scoreCap: 1.5, logitCap: 3, windows: [5, undefined] },
    layer: [...LAYER, 'pre_feedforward_layernorm', 'post_feedforward_layernorm'],
  },
];

t.test('the engine says of each family what the equations say', async (t) => checkFamilies(t, FAMILIES));

t.test('GPT-2, alone or inside of another model, says what the equations say', async (t) => {
  const config: Gpt2Config = { vocabularySize: VOCABULARY, width: 24, layers: 2, heads: 3, feedForward: 96, contextLength: 40, normEpsilon: 1e-5, tied: true };
  const { width, feedForward } = config;
  const random = new Random(5);
  const tensors = new Map<string, Tensor>();
  const add = (name: string, ...shape: number[]): void =>
    void tensors.set(name, {
      shape,
      values: Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => (/ln_.\.weight/.test(name) ? 1 : 0) + random.normal() * (shape.length === 2 ? 0.4 : 0.1),
      ),
    });
  add('wte.weight', VOCABULARY, width);
  add('wpe.weight', config.contextLength, width);
  for (let i = 0; i < config.layers; i++)
    for (const [name, inner, outer] of [
      ['ln_1', 0, width],
      ['attn.c_attn', width, 3 * width],
      ['attn.c_proj', width, width],
      ['ln_2', 0, width],
      ['mlp.c_fc', width, feedForward],
      ['mlp.c_proj', feedForward, width],
    ] as const) {
      add(`h.${i}.${name}.weight`, ...(inner === 0 ? [outer] : [inner, outer]));
      add(`h.${i}.${name}.bias`, outer);
    }
  add('ln_f.weight', width);
  add('ln_f.bias', width);
  const keys = {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    vocab_size: VOCABULARY,
    n_embd: width,
    n_layer: 2,
    n_head: 3,
    n_positions: 40,
    n_ctx: 40,
    layer_norm_epsilon: 1e-5,
    activation_function: 'gelu_new',
    eos_token_id: VOCABULARY - 1,
  };
  const parent = t.testdir();
  const outs = [
    ['alone', ''],
    ['inside', 'transformer.'],
  ].map(([name, prefix]) => {
    const named = new Map([...tensors].map(([tensor, value]) => [prefix + tensor, value]));
    // The mask that older checkpoints hold.
    named.set(`${prefix}h.0.attn.bias`, { shape: [1, 1, 2, 2], values: new Float32Array(4) });
    const { folder, out } = madeIn(parent, name, keys, named);
    importModel({ from: folder, out, storage: 'float', context: name === 'alone' ? undefined : 30 });
    return out;
  });
  t.same(await Promise.all(outs.map(async (out) => (await readModelFiles(out)).contextLength)), [40, 30]);
  const weights = new Map([...tensors].map(([name, { values }]) => [name, values]));
  const engine = await startEngine(t, { models: outs });
  for (const out of outs) await compare(t, engine, out, (tokens) => gpt2Logits(config, weights, tokens)[tokens.length - 1]);
});

t.test('each way of storing makes a model that loads; what it takes is told layer by layer', async (t) => {
  const config = { ...BASE, tied: true, experts: { count: 3, perToken: 1, size: 40, shared: 0, firstLayer: 1, normalised: false, scale: 1 } };
  const keys = {
    ...HF,
    model_type: 'deepseek',
    tie_word_embeddings: true,
    n_routed_experts: 3,
    num_experts_per_tok: 1,
    moe_intermediate_size: 40,
    first_k_dense_replace: 1,
  };
  const reports = new Map<Storage, ImportReport>();
  const parent = t.testdir();
  const outs: string[] = [];
  for (const [name, storage] of [
    ['float', 'float'],
    ['float16', 'float16'],
    ['int8', { bits: 8, block: 32 }],
    ['int4', { bits: 4, block: 16 }],
  ] as const) {
    const { folder, out } = madeIn(parent, name, keys, tensorsOf(config, 31));
    const seen: number[] = [];
    const report = importModel({ from: folder, out, storage, onLayer: ({ layer }, layers) => seen.push(layer, layers) });
    t.same(seen, [0, 2, 1, 2], name);
    reports.set(storage, report);
    outs.push(out);
    t.equal(report.written, statSync(join(out, 'onnx/model.onnx')).size + statSync(join(out, 'onnx/model.onnx_data')).size);
    for (const file of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja'])
      t.ok(readFileSync(join(out, file)).equals(readFileSync(join(folder, file))), file);
    t.match(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')), {
      model_type: 'deepseek',
      max_position_embeddings: 64,
      num_parameters: report.parameters,
    });
  }
  const engine = await startEngine(t, { models: outs });
  for (const { id: model } of engine.models()) {
    const given = await collect(engine.generate(ask('Hello', { model, maxTokens: 8 })));
    t.equal(given.error, undefined, model);
    t.ok((given.usage?.completionTokens ?? 0) > 0);
  }
  const [whole, half, eight, four] = [...reports.values()];
  // Matrices of the first layer: rows of 32 fill one block of 32 and two of 16, rows of 48 two and three. Its two norms stay whole.
  const [short, long] = [48 + 16 + 16 + 48 + 48, 32 + 32];
  const values = 32 * short + 48 * long;
  t.same(
    [whole, half, eight, four].map(({ layers }) => layers[0].bytes),
    [4 * values, 2 * values, (short + 2 * long) * 36, (2 * short + 3 * long) * 12].map((bytes) => bytes + 2 * 32 * 4),
  );
  t.ok(whole.written > half.written && half.written > eight.written && eight.written > four.written, 'each is smaller than the one before');
  t.same(
    [whole, half].flatMap(({ layers, outside }) => [...layers.map(({ lost }) => lost), outside.length]),
    [undefined, undefined, 0, undefined, undefined, 0],
  );
  for (const [report, least, most] of [
    [eight, 0.001, 0.01],
    [four, 0.03, 0.12],
  ] as const) {
    for (const { lost, layer } of report.layers)
      t.ok(lost && lost.all > least && lost.all <= lost.worst && lost.worst < most && lost.name.startsWith(`model.layers.${layer}.`), JSON.stringify(lost));
    t.match(report.outside, [{ name: 'model.embed_tokens.weight' }]);
  }
  t.ok(whole.peak > 2 ** 24 && whole.read > 0 && whole.seconds > 0);
});

t.test('half precision is refused to weights that it cannot hold', (t) => {
  const tensors = tensorsOf(BASE, 3);
  tensors.get('model.layers.1.mlp.up_proj.weight')?.values.fill(70_000, 5, 6);
  const { folder, out } = made(t, { ...HF, model_type: 'llama' }, tensors);
  t.throws(() => importModel({ from: folder, out, storage: 'float16' }), {
    code: 'checkpoint_unsupported',
    message: /layers\.1\.mlp\.up_proj\.weight has numbers that half precision cannot hold/,
  });
  t.end();
});

/** Where tensors of a graph lie in the file beside it. */
function placesIn(model: Uint8Array): Map<string, Record<string, string>> {
  const places = new Map<string, Record<string, string>>();
  const text = (value: number | Uint8Array): string => (typeof value === 'number' ? String(value) : new TextDecoder().decode(value));
  const within = (bytes: number | Uint8Array, wanted: number, look: (value: Uint8Array) => void): void => {
    if (typeof bytes !== 'number') readFields(bytes, (field, value) => void (field === wanted && typeof value !== 'number' && look(value)));
  };
  within(model, 7, (graph) =>
    within(graph, 5, (tensor) => {
      const entries: Record<string, string> = {};
      let name = '';
      readFields(tensor, (field, value) => {
        if (field === 8) name = text(value);
        if (field === 14) entries['data_location'] = text(value);
        if (field !== 13 || typeof value === 'number') return;
        const pair: string[] = [];
        readFields(value, (_, part) => void pair.push(text(part)));
        entries[pair[0]] = pair[1];
      });
      if (Object.keys(entries).length > 0) places.set(name, entries);
    }),
  );
  return places;
}
t.test('large weights lie beside the model, on borders of pages', (t) => {
  const config = { ...BASE, feedForward: 50 };
  const tensors = tensorsOf(config, 3);
  const { folder, out } = made(t, { ...HF, intermediate_size: 50, model_type: 'llama' }, tensors);
  importModel({ from: folder, out, storage: 'float' });
  const model = readFileSync(join(out, 'onnx/model.onnx'));
  const data = readFileSync(join(out, 'onnx/model.onnx_data'));
  const places = placesIn(model);
  t.same(
    [...places.keys()].filter((name) => name.startsWith('model.layers.0.')),
    ['self_attn.qkv', 'self_attn.o_proj', 'mlp.gate_up', 'mlp.down_proj'].map((name) => `model.layers.0.${name}`),
  );
  let end = 0;
  for (const [name, { location, offset, length, data_location: kind }] of places) {
    t.same([location, kind, Number(offset) % 4096], ['model.onnx_data', '1', 0], name);
    t.ok(Number(offset) >= end && Number(length) >= 4096, 'nothing lies in another, and what is small is in the model');
    end = Number(offset) + Number(length);
  }
  t.equal(data.length, end);
  const embedding = tensors.get('model.embed_tokens.weight')?.values ?? new Float32Array();
  const { offset, length } = places.get('model.embed_tokens.weight') ?? {};
  const from = data.byteOffset + Number(offset);
  t.same(new Float32Array(data.buffer.slice(from, from + Number(length))), embedding);
  t.ok(model.length < 64 * 1024, String(model.length));
  t.end();
});

t.test('what the graph cannot do is refused with the name of the key', (t) => {
  const refused = (keys: object, code: string, message: RegExp, options: SourceOptions = {}): void => {
    t.test(String(message), (t) => {
      const { folder, out } = made(t, { ...HF, model_type: 'llama', ...keys }, tensorsOf(BASE, 1));
      t.throws(() => importModel({ from: folder, out, storage: 'float', ...options }), { name: 'CheckpointError', code, message });
      t.notOk(existsSync(out) || existsSync(`${out}.partial`), 'nothing is left');
      t.end();
    });
  };
  const unsupported = (keys: object, message: RegExp): void => refused(keys, 'checkpoint_unsupported', message);
  const invalid = (keys: object, message: RegExp): void => refused(keys, 'checkpoint_invalid', message);
  unsupported({ model_type: 'mamba' }, /model_type is mamba; llama, mistral/);
  unsupported({ hidden_act: 'relu' }, /hidden_act is "relu"; of a model of type llama, silu/);
  unsupported({ logit_scale: 0.5 }, /logit_scale \(0\.5\) is not known here.*--ignore logit_scale/);
  unsupported({ quantization_config: { quant_method: 'gptq' } }, /quantization_config/);
  unsupported({ rope_scaling: { rope_type: 'ntk' } }, /rope_scaling\.rope_type is "ntk"; default, linear/);
  unsupported({ rope_scaling: { type: 'linear' } }, /rope_scaling\.factor is null; linear needs it/);
  unsupported({ rope_scaling: { type: 'linear', factor: 2, strange: 1 } }, /rope_scaling: strange/);
  unsupported({ rope_parameters: { full_attention: { rope_type: 'default' } } }, /rope_parameters\.full_attention/);
  unsupported({ rope_scaling: { type: 'yarn', factor: 2, truncate: false } }, /rope_scaling\.truncate/);
  unsupported(
    { model_type: 'phi3', rope_scaling: { type: 'longrope', short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2], original_max_position_embeddings: 32 } },
    /more than 32 tokens.*--context 32/,
  );
  unsupported({ model_type: 'mistral', attention_bias: true }, /attention_bias is true; a model of type mistral is not known to have it/);
  unsupported({ sliding_window: 8 }, /sliding_window is 8/);
  unsupported({ model_type: 'qwen3', layer_types: ['full_attention', 'chunked_attention'] }, /layer_types is "chunked_attention"/);
  unsupported(
    { model_type: 'deepseek', n_routed_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 8, scoring_func: 'sigmoid' },
    /scoring_func is "sigmoid"/,
  );
  unsupported({ ...V3_KEYS, topk_method: 'greedy' }, /topk_method is "greedy"; of a model of type deepseek_v3, noaux_tc/);
  unsupported({ ...V3_KEYS, n_group: 3 }, /n_group is 3; it must divide the 8 experts/);
  unsupported({ ...V3_KEYS, topk_group: 1 }, /topk_group is 1; .*leave the 3 experts/);
  unsupported({ kv_lora_rank: 8 }, /kv_lora_rank is 8; a model of type llama is not known to have it/);
  invalid({ ...V3_KEYS, v_head_dim: null }, /v_head_dim is missing, which a model of type deepseek_v3 has/);
  unsupported({ num_attention_heads: 5 }, /num_key_value_heads is 2; it must divide num_attention_heads, 5/);
  invalid({ model_type: undefined }, /model_type is missing/);
  invalid({ model_type: 'gemma', head_dim: null }, /head_dim is missing, which a model of type gemma has/);
  invalid({ num_hidden_layers: 'two' }, /num_hidden_layers: Invalid input/);
  invalid({ num_hidden_layers: 3 }, /has no tensor model\.layers\.2\.input_layernorm\.weight, which its configuration asks for with the shape \[32\]/);
  invalid({ intermediate_size: 50 }, /mlp\.gate_proj\.weight has the shape \[48, 32\], and its configuration asks for \[50, 32\]/);
  unsupported(
    { num_hidden_layers: 1 },
    /model\.layers\.1\.input_layernorm\.weight, .* and 5 more have no place in a model of type llama; leave them out with --ignore NAME/,
  );
  refused({}, 'arguments_invalid', /--context 65 is more than the 64 tokens/, { context: 65 });
  t.end();
});

t.test('a key that was looked at is let through; files that are missing or there already are said', (t) => {
  const { folder, out } = made(t, { ...HF, model_type: 'llama', logit_scale: 1 }, tensorsOf(BASE, 1));
  importModel({ from: `${folder}/`, out: `${out}/`, storage: { bits: 8, block: 32 }, ignore: ['logit_scale'], context: 16 });
  t.equal(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).max_position_embeddings, 16);
  t.throws(() => importModel({ from: folder, out, storage: 'float', ignore: ['logit_scale'] }), { code: 'arguments_invalid', message: /is there already/ });
  rmSync(out, { recursive: true });
  rmSync(join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'tokenizer.model'), '');
  t.throws(() => importModel({ from: folder, out, storage: 'float', ignore: ['logit_scale'] }), {
    code: 'checkpoint_invalid',
    message: /no tokenizer\.json.*tokenizer\.model is not read here/,
  });
  t.throws(() => importModel({ from: join(folder, 'none'), out, storage: 'float' }), { code: 'arguments_invalid', message: /is not there/ });
  const weights = tensorsOf(BASE, 1);
  weights.set('model.norm.weight', { shape: [32], values: new Float32Array(32).fill(Number.NaN) });
  writeFolder(folder, { ...HF, model_type: 'llama' }, weights);
  t.throws(() => importModel({ from: folder, out, storage: 'float' }), {
    code: 'checkpoint_invalid',
    message: /model\.norm\.weight holds numbers that are not finite/,
  });
  t.end();
});
