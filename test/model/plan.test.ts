// Owns what is said of a model before its weights are read, for published configurations.
// Refuses to read weights.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { Architecture } from '../../src/model/import/architecture.ts';
import { describePlan, parameterCount, readable, storedBytes } from '../../src/model/import/plan.ts';
import { openSource } from '../../src/model/import/source.ts';
import { rotaryAngles } from '../../src/model/rotary.ts';
import { rotaryOf } from '../../src/model/import/rope-config.ts';
import { DEEPSEEK_67B, DEEPSEEK_MOE, GEMMA, GEMMA_2, GPT_2, LLAMA_31, MIXTRAL, PHI_3, QWEN_25, QWEN_3, QWEN_3_MOE, V2, V2_LITE, V3 } from './published.ts';

function planned(t: Test, config: object, context?: number): Architecture {
  const file = join(t.testdir(), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return openSource(file, { planned: true, context }).architecture;
}
t.test('DeepSeek LLM 67B: shapes, parameters, memory', (t) => {
  const architecture = planned(t, DEEPSEEK_67B);
  // Embedding and head, 95 layers of attention (a group of 8), a feed-forward part of three matrices and two norms, and the last norm.
  const layer = 2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 22_016 + 2 * 8192;
  t.equal(parameterCount(architecture), 2 * 102_400 * 8192 + 95 * layer + 8192);
  t.equal((parameterCount(architecture) / 1e9).toFixed(1), '67.4');
  const lines = describePlan(architecture, 32);
  for (const line of [
    'llama: 67,425,001,472 parameters, 95 layers, vocabulary of 102,400, texts of 4,096 tokens',
    '  layers 0 to 94, 692,076,544 parameters each:',
    '    float: 251.2 GiB on the disk, 251.2 GiB in memory',
    '    float16: 125.6 GiB on the disk, 251.2 GiB in memory',
    '    int4 in blocks of 32: 39.3 GiB on the disk, 39.3 GiB in memory',
    '  each token that is remembered: 760.0 KiB; a text of 4,096: 3.0 GiB',
  ])
    t.ok(
      lines.some((each) => each === line),
      `${line}\n${lines.join('\n')}`,
    );
  t.ok(lines.join('\n').includes('    self_attn.k_proj.weight  [1024, 8192]'));
  t.end();
});

t.test('published configurations have as many parameters as they are said to have', (t) => {
  for (const [name, config, parameters] of [
    ['Llama 3.1 8B', LLAMA_31, 8_030_261_248],
    ['Qwen2.5 0.5B', QWEN_25, 494_032_768],
    ['Qwen3 0.6B', QWEN_3, 596_049_920],
    ['Phi-3 mini', PHI_3, 3_821_079_552],
    ['Gemma 2B', GEMMA, 2_506_172_416],
    ['Gemma 2 2B', GEMMA_2, 2_614_341_888],
    ['GPT-2', GPT_2, 124_439_808],
    ['DeepSeekMoE 16B', DEEPSEEK_MOE, 16_375_728_128],
    ['Qwen3 30B A3B', QWEN_3_MOE, 30_532_122_624],
    ['Mixtral 8x7B', MIXTRAL, 46_702_792_704],
  ] as const)
    t.test(name, (t) => {
      const architecture = planned(t, config);
      t.equal(parameterCount(architecture), parameters);
      t.ok(describePlan(architecture, 32).length > 8);
      t.end();
    });
  t.end();
});

t.test('DeepSeek-V2 Lite, V2 and V3 have the sizes they are known by, and remember one latent head of a token', (t) => {
  for (const [name, config, billions, remembered] of [
    ['V2 Lite', V2_LITE, '15.7', 27 * 576],
    ['V2', V2, '235.7', 60 * 576],
    ['V3', V3, '671.0', 61 * 576],
  ] as const) {
    const architecture = planned(t, config);
    const {
      hidden_size: width,
      num_attention_heads: heads,
      q_lora_rank: rank,
      num_hidden_layers: layers,
      first_k_dense_replace: dense,
      moe_intermediate_size: size,
    } = config;
    const query = rank === null ? width * heads * 192 : width * rank + rank + rank * heads * 192;
    const attention = query + width * 576 + 512 + 512 * heads * 256 + heads * 128 * width;
    const router = config.n_routed_experts * (width + (name === 'V3' ? 1 : 0));
    const experts = router + 3 * width * size * (config.n_routed_experts + config.n_shared_experts);
    t.equal(
      parameterCount(architecture),
      2 * config.vocab_size * width + width + layers * (attention + 2 * width) + dense * 3 * width * config.intermediate_size + (layers - dense) * experts,
      name,
    );
    t.equal((parameterCount(architecture) / 1e9).toFixed(1), billions);
    t.equal(architecture.remembered, remembered);
    t.equal(architecture.contextLength, 163_840);
    t.same((architecture.notes ?? []).length, name === 'V3' ? 1 : 0);
  }
  const lines = describePlan(planned(t, V3), 32).join('\n');
  for (const part of [
    /^deepseek_v3: 671,026,419,200 parameters, 61 layers/,
    /num_nextn_predict_layers is 1: .*model\.layers\.61.*is left out/,
    /experts\.N\.gate_proj\.weight  \[2048, 7168\] x 256/,
    /each token that is remembered: 137\.3 KiB/,
  ])
    t.match(lines, part);
  t.end();
});

t.test('rotary keys of transformers 4 and 5 mean the same angles', (t) => {
  const asked = { file: 'config.json' };
  const base = { max_position_embeddings: 128 };
  const frequency = (config: object, i: number): number => {
    const { cos, sin } = rotaryAngles(rotaryOf({ ...base, ...config }, 64, asked).rotary, 64, 2);
    return Math.atan2(sin[32 + i], cos[32 + i]);
  };
  const scaling = { factor: 4, original_max_position_embeddings: 32 };
  for (const more of [
    { rope_type: 'linear', factor: 2 },
    { rope_type: 'yarn', ...scaling },
    { rope_type: 'llama3', ...scaling, low_freq_factor: 1, high_freq_factor: 4 },
  ])
    for (const i of [0, 11, 20, 31])
      t.equal(
        frequency({ rope_parameters: { rope_theta: 500, ...more } }, i),
        frequency({ rope_theta: 500, rope_scaling: { ...more, type: more.rope_type, rope_type: undefined } }, i),
        `${more.rope_type} ${i}`,
      );
  const attention = (config: object, context?: number): number =>
    rotaryAngles(rotaryOf({ ...base, ...config }, 64, { ...asked, context }).rotary, 64, 1).cos[0];
  const near = (given: number, right: number): void => void t.ok(Math.abs(given - right) < 1e-6, `${given} for ${right}`);
  near(attention({ rope_scaling: { type: 'yarn', ...scaling } }), 0.1 * Math.log(4) + 1);
  near(attention({ rope_scaling: { type: 'yarn', ...scaling, attention_factor: 1.5 } }), 1.5);
  near(attention({ rope_scaling: { type: 'yarn', ...scaling, mscale: 1, mscale_all_dim: 0.5 } }), (0.1 * Math.log(4) + 1) / (0.05 * Math.log(4) + 1));
  t.equal(
    rotaryOf({ max_position_embeddings: 32, rope_scaling: { type: 'yarn', factor: 4 } }, 64, asked).most,
    128,
    'YaRN is for texts longer than the model was trained with',
  );
  t.equal(
    rotaryOf({ ...base, rope_scaling: { type: 'yarn', ...scaling, mscale: 0.7, mscale_all_dim: 0.7 } }, 64, asked).spread,
    0.1 * 0.7 * Math.log(4) + 1,
    'what DeepSeek multiplies scores by, squared',
  );
  const dynamic = { rope_theta: 500, rope_scaling: { type: 'dynamic', factor: 4 } };
  t.same(rotaryOf({ ...base, ...dynamic }, 64, asked), { rotary: { base: 500 }, most: 128 }, 'plain up to what the model was made for');
  const stretched = rotaryOf({ ...base, ...dynamic }, 64, { ...asked, context: 256 });
  // transformers, modeling_rope_utils: base * ((factor * length / most) - (factor - 1))^(dim / (dim - 2)).
  t.match(stretched, { rotary: { base: 500 * ((4 * 256) / 128 - 3) ** (64 / 62) }, most: 256 });
  const factors = Array.from({ length: 32 }, (_, i) => 1 + i / 8);
  const longrope = { rope_scaling: { type: 'longrope', short_factor: factors, long_factor: factors }, original_max_position_embeddings: 32 };
  near(attention(longrope, 32), Math.sqrt(1 + Math.log(4) / Math.log(32)));
  const { cos, sin } = rotaryAngles(rotaryOf({ ...base, ...longrope }, 64, { ...asked, context: 32 }).rotary, 64, 2);
  near(Math.atan2(sin[32 + 9], cos[32 + 9]), 10_000 ** (-18 / 64) / factors[9]);
  t.end();
});

t.test('bytes are those of the tensors', (t) => {
  const architecture = planned(t, {
    model_type: 'llama',
    vocab_size: 10,
    hidden_size: 48,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    max_position_embeddings: 16,
  });
  const [matrices, vectors] = [2 * 10 * 48 + 4 * 48 * 48 + 3 * 48 * 8, 3 * 48];
  t.equal(storedBytes(architecture, 'float'), 4 * (matrices + vectors));
  t.equal(storedBytes(architecture, 'float16'), 2 * matrices + 4 * vectors);
  // Rows of 48 and of 8 fill two blocks and one.
  const blocks = (20 + 4 * 48 + 2 * 8) * 2 + 48;
  t.equal(storedBytes(architecture, { bits: 4, block: 32 }), blocks * (16 + 4) + 4 * vectors);
  t.same([0, 900, 2048, 3 * 2 ** 30].map(readable), ['0 B', '900 B', '2.0 KiB', '3.0 GiB']);
  t.end();
});
