// Owns that checkpoints with experts or latent attention, which were brought in, say through the engine what an independent float64 implementation does.
// Refuses to know the graph's operators.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { withBlockScales } from '../../src/model/import/block-scales.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import { openShards } from '../../src/model/import/shards.ts';
import { Random } from '../../src/training/random.ts';
import { startEngine } from '../engine/world.ts';
import { rounded, writeFolder } from './checkpoints.ts';
import type { Tensor } from './checkpoints.ts';
import { BASE, checkFamilies, compare, EXPERT, HF, last, LAYER, made, tensorsOf } from './imported.ts';
import type { Family } from './imported.ts';
import { LATENT_CONFIG, LATENT_KEYS, LATENT_LAYER, V3_CONFIG, V3_KEYS } from './imported-latent.ts';

const FAMILIES: readonly Family[] = [
  {
    label: 'DeepSeekMoE',
    keys: {
      model_type: 'deepseek',
      n_routed_experts: 4,
      n_shared_experts: 2,
      num_experts_per_tok: 2,
      moe_intermediate_size: 12,
      first_k_dense_replace: 1,
      moe_layer_freq: 1,
      norm_topk_prob: false,
      scoring_func: 'softmax',
      aux_loss_alpha: 0.001,
      seq_aux: true,
    },
    config: { experts: { count: 4, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 } },
    folder: { type: 'BF16', shards: 2 },
    layer: LAYER,
    lastLayer: [...LAYER.slice(0, 6), 'mlp.gate', ...[0, 1, 2, 3].flatMap((e) => EXPERT(`experts.${e}`)), ...EXPERT('shared_experts')],
  },
  {
    label: 'Qwen 3 with experts',
    keys: {
      model_type: 'qwen3_moe',
      num_experts: 4,
      num_experts_per_tok: 2,
      moe_intermediate_size: 12,
      norm_topk_prob: true,
      decoder_sparse_step: 1,
      mlp_only_layers: [],
    },
    config: { headNorm: true, experts: { count: 4, perToken: 2, size: 12, shared: 0, firstLayer: 0, normalised: true, scale: 1 } },
    layer: [...LAYER.slice(0, 6), 'self_attn.q_norm', 'self_attn.k_norm', 'mlp.gate', ...[0, 1, 2, 3].flatMap((e) => EXPERT(`experts.${e}`))],
  },
  {
    label: 'Qwen 3 with experts, as transformers 5 writes it',
    keys: { model_type: 'qwen3_moe', num_local_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 12, norm_topk_prob: true },
    config: { headNorm: true, experts: { count: 4, perToken: 2, size: 12, shared: 0, firstLayer: 0, normalised: true, scale: 1 } },
  },
  {
    label: 'Qwen 3 with experts, one a token, and a window in all layers',
    keys: { model_type: 'qwen3_moe', num_local_experts: 4, num_experts_per_tok: 1, moe_intermediate_size: 12, norm_topk_prob: true, use_sliding_window: true, sliding_window: 4 },
    config: { headNorm: true, windows: [4, 4], experts: { count: 4, perToken: 1, size: 12, shared: 0, firstLayer: 0, normalised: true, scale: 1 } },
  },
  {
    label: 'DeepSeek-V2 Lite',
    keys: {
      ...LATENT_KEYS,
      model_type: 'deepseek_v2',
      n_routed_experts: 4,
      n_shared_experts: 2,
      num_experts_per_tok: 2,
      norm_topk_prob: false,
      scoring_func: 'softmax',
      topk_method: 'greedy',
      n_group: 1,
      topk_group: 1,
      routed_scaling_factor: 1,
    },
    config: { ...LATENT_CONFIG, experts: { count: 4, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 } },
    folder: { type: 'BF16' },
    layer: [LATENT_LAYER[0], 'self_attn.q_proj', ...LATENT_LAYER.slice(4), ...LAYER.slice(6)],
  },
  {
    label: 'DeepSeek-V2',
    keys: {
      ...LATENT_KEYS,
      model_type: 'deepseek_v2',
      q_lora_rank: 20,
      n_routed_experts: 8,
      n_shared_experts: 2,
      num_experts_per_tok: 3,
      norm_topk_prob: false,
      topk_method: 'group_limited_greedy',
      n_group: 4,
      topk_group: 2,
      routed_scaling_factor: 4,
    },
    config: {
      ...V3_CONFIG,
      experts: { count: 8, perToken: 3, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 4, groups: { count: 4, kept: 2, by: 'one' } },
    },
  },
  {
    label: 'DeepSeek-V3',
    keys: V3_KEYS,
    config: V3_CONFIG,
    folder: { shards: 2 },
    layer: [...LATENT_LAYER, ...LAYER.slice(6)],
    lastLayer: [
      ...LATENT_LAYER,
      'mlp.gate',
      'mlp.gate.e_score_correction_bias',
      ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((e) => EXPERT(`experts.${e}`)),
      ...EXPERT('shared_experts'),
    ],
  },
  {
    label: 'Mixtral',
    keys: { model_type: 'mixtral', num_local_experts: 3, num_experts_per_tok: 2, router_jitter_noise: 0, sliding_window: null },
    config: { experts: { count: 3, perToken: 2, size: 48, shared: 0, firstLayer: 0, normalised: true, scale: 1 } },
    published: (name) =>
      name
        .replace('.mlp.gate.', '.block_sparse_moe.gate.')
        .replace(
          /\.mlp\.experts\.(\d)\.(gate|down|up)_proj\./,
          (_, e: string, part: string) => `.block_sparse_moe.experts.${e}.${part === 'gate' ? 'w1' : part === 'down' ? 'w2' : 'w3'}.`,
        ),
  },
];

t.test('the engine says of each family with experts what the equations say', async (t) => checkFamilies(t, FAMILIES));

t.test('matrices of eight bits are multiplied by the scales of their blocks, and a layer that guesses further tokens is left out', async (t) => {
  const config = { ...BASE, ...V3_CONFIG };
  const [high, wide] = [12, 20];
  const tensors = new Map<string, Tensor>();
  const held = new Map<string, Float32Array>();
  const random = new Random(77);
  for (const [name, { shape, values }] of tensorsOf(config, 32)) {
    const [rows, columns] = shape;
    if (shape.length !== 2 || !/proj/.test(name)) {
      tensors.set(name, { shape, values });
      held.set(name, values);
      continue;
    }
    const [down, across] = [Math.ceil(rows / high), Math.ceil(columns / wide)];
    const scales = Float32Array.from({ length: down * across }, () => 2 ** -random.int(4, 9) * 1.37);
    const scaleOf = (i: number): number => scales[Math.floor(Math.floor(i / columns) / high) * across + Math.floor((i % columns) / wide)];
    const stored = rounded(
      values.map((value, i) => value / scaleOf(i)),
      'F8_E4M3',
    ).values;
    tensors.set(name, { shape, values: stored, type: 'F8_E4M3' });
    tensors.set(`${name}_scale_inv`, { shape: [down, across], values: scales, type: 'F32' });
    held.set(
      name,
      stored.map((value, i) => Math.fround(value * scaleOf(i))),
    );
  }
  tensors.set('model.layers.2.eh_proj.weight', { shape: [2, 2], values: new Float32Array(4) });
  const keys = {
    ...HF,
    ...V3_KEYS,
    num_nextn_predict_layers: 1,
    quantization_config: { activation_scheme: 'dynamic', fmt: 'e4m3', quant_method: 'fp8', weight_block_size: [high, wide] },
  };
  const { folder, out } = made(t, keys, tensors, { shards: 2 });
  const report = importModel({ from: folder, out, storage: 'float' });
  t.match(report.notes, [/model\.layers\.2 and on\) is left out/]);
  t.notOk('quantization_config' in JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')));
  const engine = await startEngine(t, { models: [out] });
  await compare(t, engine, out, last(config, held));
  // In pieces that begin and end within blocks.
  const shards = withBlockScales(openShards(folder), [high, wide]);
  t.teardown(() => shards.close());
  const name = 'model.layers.0.self_attn.o_proj.weight';
  const [whole, parts] = [held.get(name) ?? new Float32Array(), [0, 7, 100, 101, 900, 42 * 32].map((from, i, all) => [...shards.read(name, from, all[i + 1])])];
  t.same(Float32Array.from(parts.flat()), whole);
  tensors.set(`${name}_scale_inv`, { shape: [1, 1], values: Float32Array.of(1) });
  writeFolder(folder, keys, tensors);
  rmSync(out, { recursive: true });
  rmSync(join(folder, 'model.safetensors.index.json'));
  t.throws(() => importModel({ from: folder, out, storage: 'float' }), {
    code: 'checkpoint_invalid',
    message: /o_proj\.weight_scale_inv has the shape \[1, 1\]; blocks of 12 by 20 of \[32, 42\] need \[3, 3\]/,
  });
  tensors.delete(`${name}_scale_inv`);
  writeFolder(folder, keys, tensors);
  t.throws(() => importModel({ from: folder, out, storage: 'float' }), {
    code: 'checkpoint_invalid',
    message: /o_proj\.weight is stored in eight bits, and .*o_proj\.weight_scale_inv, by which it is multiplied, is missing/,
  });
});
