// Owns that a checkpoint which was brought in generates through the engine what an independent float64 implementation does, and that what cannot be computed is refused by its name.
// Refuses to know the graph's operators.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import type { Gpt2Config } from '../../src/model/gpt2.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import type { SourceOptions } from '../../src/model/import/source.ts';
import { Random } from '../../src/training/random.ts';
import { startEngine } from '../engine/world.ts';
import { writeFolder } from './checkpoints.ts';
import type { Tensor } from './checkpoints.ts';
import { gpt2Logits } from './gpt2-reference.ts';
import { BASE, checkFamilies, compare, HF, LAYER, made, madeIn, tensorsOf, VOCABULARY } from './imported.ts';
import type { Family } from './imported.ts';
import { V3_KEYS } from './imported-latent.ts';

const GEMMA = { hidden_activation: 'gelu_pytorch_tanh', hidden_act: 'gelu', tie_word_embeddings: true } as const;
const GEMMA_CONFIG = { activation: 'gelu', embeddingScale: Math.sqrt(32), tied: true } as const;
const GEMMA3 = { postNorms: true, headNorm: true, scoreScale: 1 / Math.sqrt(12), windows: [5, undefined] } as const;
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
    label: 'Qwen 2 with windows from the usual layer on, which it does not reach',
    keys: { model_type: 'qwen2', use_sliding_window: true, sliding_window: 4 },
    config: { attentionBias: true },
  },
  {
    label: 'Qwen 3',
    keys: { model_type: 'qwen3', tie_word_embeddings: true, rope_theta: null, rope_parameters: { rope_type: 'default', rope_theta: 500 } },
    config: { headNorm: true, tied: true, rotary: { base: 500 } },
    layer: [...LAYER, 'self_attn.q_norm', 'self_attn.k_norm'],
  },
  { label: 'Gemma 2 that says nothing of its caps', keys: { model_type: 'gemma2', ...GEMMA }, config: { ...GEMMA_CONFIG, postNorms: true, scoreScale: 1 / 16, scoreCap: 50, logitCap: 30 } },
  { label: 'Phi-3 that says nothing of its norms', keys: { model_type: 'phi3', rms_norm_eps: undefined }, config: { fused: true, normEpsilon: 1e-5 } },
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
  {
    label: 'Gemma 3, whose layers with windows have positions of their own',
    keys: { model_type: 'gemma3_text', ...GEMMA, query_pre_attn_scalar: 12, sliding_window: 5, sliding_window_pattern: 2, rope_theta: 100, rope_local_base_freq: 10 },
    config: { ...GEMMA_CONFIG, ...GEMMA3, rotary: { base: 100 }, local: { rotary: { base: 10 }, layers: [true, false] } },
    layer: [...LAYER, 'self_attn.q_norm', 'self_attn.k_norm', 'pre_feedforward_layernorm', 'post_feedforward_layernorm'],
  },
  {
    label: 'Gemma 3 as transformers 5 writes it',
    keys: {
      model_type: 'gemma3_text',
      ...GEMMA,
      query_pre_attn_scalar: 12,
      sliding_window: 5,
      layer_types: ['sliding_attention', 'full_attention'],
      rope_theta: undefined,
      rope_parameters: { full_attention: { rope_type: 'default', rope_theta: 100 }, sliding_attention: { rope_type: 'default', rope_theta: 10 } },
    },
    config: { ...GEMMA_CONFIG, ...GEMMA3, rotary: { base: 100 }, local: { rotary: { base: 10 }, layers: [true, false] } },
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
  unsupported({ model_type: 'gemma', hidden_act: 'silu' }, /hidden_act is "silu"; of a model of type gemma, gelu_pytorch_tanh/);
  unsupported({ partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0\.5; a model of type llama is not known to have it/);
  unsupported(
    { model_type: 'qwen3_moe', num_experts: 4, num_experts_per_tok: 1, moe_intermediate_size: 12, use_sliding_window: true, sliding_window: 4, max_window_layers: 1 },
    /max_window_layers is 1; releases of transformers differ/,
  );
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
  invalid({ model_type: 'gemma', hidden_act: 'gelu', head_dim: null }, /head_dim is missing, which a model of type gemma has/);
  invalid({ num_hidden_layers: 'two' }, /num_hidden_layers: Invalid input/);
  invalid({ num_hidden_layers: 1e9 }, /num_hidden_layers: 1000000000 is more than 1024 layers, the most that are built here/);
  invalid({ ...V3_KEYS, n_routed_experts: 1025 }, /n_routed_experts: 1025 is more than 1024 experts/);
  invalid({ num_hidden_layers: 3 }, /has no tensor model\.layers\.2\.input_layernorm\.weight, which its configuration asks for with the shape \[32\]/);
  invalid({ intermediate_size: 50 }, /mlp\.gate_proj\.weight has the shape \[48, 32\], and its configuration asks for \[50, 32\]/);
  unsupported(
    { num_hidden_layers: 1 },
    /model\.layers\.1\.input_layernorm\.weight, .* and 5 more have no place in a model of type llama; leave them out with --ignore NAME/,
  );
  refused(
    { max_position_embeddings: 1e12 },
    'arguments_invalid',
    /was made for texts of 1000000000000 tokens, and at most 16777216 are built here; say --context with fewer/,
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
  t.throws(() => importModel({ from: join(folder, 'model.safetensors'), out, storage: 'float' }), {
    code: 'arguments_invalid',
    message: /model\.safetensors is neither config\.json nor a checkpoint of llama2\.c \(\.bin\); give the folder with config\.json and safetensors/,
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
