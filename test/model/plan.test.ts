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

function planned(t: Test, config: object, context?: number): Architecture {
  const file = join(t.testdir(), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return openSource(file, { planned: true, context }).architecture;
}
/** As published with deepseek-ai/deepseek-llm-67b-base. */
const DEEPSEEK_67B = {
  architectures: ['LlamaForCausalLM'], bos_token_id: 100000, eos_token_id: 100001, hidden_act: 'silu', hidden_size: 8192, initializer_range: 0.02, intermediate_size: 22016, max_position_embeddings: 4096, model_type: 'llama', num_attention_heads: 64,
  num_hidden_layers: 95, num_key_value_heads: 8, pretraining_tp: 1, rms_norm_eps: 1e-6, rope_scaling: null, rope_theta: 10000.0, tie_word_embeddings: false, torch_dtype: 'bfloat16', transformers_version: '4.33.1', use_cache: true, vocab_size: 102400,
};

t.test('DeepSeek LLM 67B: shapes, parameters, memory', (t) => {
  const architecture = planned(t, DEEPSEEK_67B);
  // Embedding and head, 95 layers of attention (a group of 8), a feed-forward part of three matrices and two norms, and the last norm.
  const layer = 2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 22_016 + 2 * 8192;
  t.equal(parameterCount(architecture), 2 * 102_400 * 8192 + 95 * layer + 8192);
  t.equal((parameterCount(architecture) / 1e9).toFixed(1), '67.4');
  const lines = describePlan(architecture, 32);
  for (const line of ['llama: 67,425,001,472 parameters, 95 layers, vocabulary of 102,400, texts of 4,096 tokens', '  layers 0 to 94, 692,076,544 parameters each:', '    float: 251.2 GiB on the disk, 251.2 GiB in memory', '    float16: 125.6 GiB on the disk, 251.2 GiB in memory', '    int4 in blocks of 32: 39.3 GiB on the disk, 39.3 GiB in memory', '  each token that is remembered: 760.0 KiB; a text of 4,096: 3.0 GiB'])
    t.ok(lines.some((each) => each === line), `${line}\n${lines.join('\n')}`);
  t.ok(lines.join('\n').includes('    self_attn.k_proj.weight  [1024, 8192]'));
  t.end();
});

t.test('published configurations have as many parameters as they are said to have', (t) => {
  const llama31 = { model_type: 'llama', attention_bias: false, mlp_bias: false, hidden_act: 'silu', hidden_size: 4096, intermediate_size: 14336, max_position_embeddings: 131072, num_attention_heads: 32, num_hidden_layers: 32, num_key_value_heads: 8, pretraining_tp: 1, rms_norm_eps: 1e-5, rope_scaling: { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_max_position_embeddings: 8192, rope_type: 'llama3' }, rope_theta: 500000.0, tie_word_embeddings: false, vocab_size: 128256 };
  const qwen25 = { model_type: 'qwen2', hidden_act: 'silu', hidden_size: 896, intermediate_size: 4864, max_position_embeddings: 32768, max_window_layers: 21, num_attention_heads: 14, num_hidden_layers: 24, num_key_value_heads: 2, rms_norm_eps: 1e-6, rope_theta: 1000000.0, sliding_window: 32768, tie_word_embeddings: true, use_sliding_window: false, vocab_size: 151936 };
  const qwen3 = { model_type: 'qwen3', attention_bias: false, head_dim: 128, hidden_act: 'silu', hidden_size: 1024, intermediate_size: 3072, max_position_embeddings: 40960, max_window_layers: 28, num_attention_heads: 16, num_hidden_layers: 28, num_key_value_heads: 8, rms_norm_eps: 1e-6, rope_scaling: null, rope_theta: 1000000, sliding_window: null, tie_word_embeddings: true, use_sliding_window: false, vocab_size: 151936 };
  const phi3 = { model_type: 'phi3', attention_bias: false, hidden_act: 'silu', hidden_size: 3072, intermediate_size: 8192, max_position_embeddings: 4096, num_attention_heads: 32, num_hidden_layers: 32, num_key_value_heads: 32, original_max_position_embeddings: 4096, rms_norm_eps: 1e-5, rope_scaling: null, rope_theta: 10000.0, sliding_window: 2047, tie_word_embeddings: false, vocab_size: 32064 };
  const gemma = { model_type: 'gemma', attention_bias: false, head_dim: 256, hidden_act: 'gelu', hidden_activation: null, hidden_size: 2048, intermediate_size: 16384, max_position_embeddings: 8192, num_attention_heads: 8, num_hidden_layers: 18, num_key_value_heads: 1, rms_norm_eps: 1e-6, rope_theta: 10000.0, vocab_size: 256000 };
  const gemma2 = { model_type: 'gemma2', attention_bias: false, attn_logit_softcapping: 50.0, cache_implementation: 'hybrid', final_logit_softcapping: 30.0, head_dim: 256, hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'gelu_pytorch_tanh', hidden_size: 2304, intermediate_size: 9216, max_position_embeddings: 8192, num_attention_heads: 8, num_hidden_layers: 26, num_key_value_heads: 4, query_pre_attn_scalar: 256, rms_norm_eps: 1e-6, rope_theta: 10000.0, sliding_window: 4096, vocab_size: 256000 };
  const gpt2 = { model_type: 'gpt2', activation_function: 'gelu_new', attn_pdrop: 0.1, embd_pdrop: 0.1, layer_norm_epsilon: 1e-5, n_ctx: 1024, n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, resid_pdrop: 0.1, summary_activation: null, summary_first_dropout: 0.1, summary_proj_to_labels: true, summary_type: 'cls_index', summary_use_proj: true, task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } }, vocab_size: 50257 };
  const moe = { model_type: 'deepseek', attention_bias: false, attention_dropout: 0.0, aux_loss_alpha: 0.001, first_k_dense_replace: 1, hidden_act: 'silu', hidden_size: 2048, intermediate_size: 10944, max_position_embeddings: 4096, moe_intermediate_size: 1408, moe_layer_freq: 1, n_routed_experts: 64, n_shared_experts: 2, norm_topk_prob: false, num_attention_heads: 16, num_experts_per_tok: 6, num_hidden_layers: 28, num_key_value_heads: 16, pretraining_tp: 1, rms_norm_eps: 1e-6, rope_scaling: null, rope_theta: 10000, scoring_func: 'softmax', seq_aux: true, tie_word_embeddings: false, vocab_size: 102400 };
  const qwen3moe = { ...qwen3, model_type: 'qwen3_moe', decoder_sparse_step: 1, head_dim: 128, hidden_size: 2048, intermediate_size: 6144, mlp_only_layers: [], moe_intermediate_size: 768, norm_topk_prob: true, num_attention_heads: 32, num_experts: 128, num_experts_per_tok: 8, num_hidden_layers: 48, num_key_value_heads: 4, tie_word_embeddings: false };
  const mixtral = { model_type: 'mixtral', hidden_act: 'silu', hidden_size: 4096, intermediate_size: 14336, max_position_embeddings: 32768, num_attention_heads: 32, num_experts_per_tok: 2, num_hidden_layers: 32, num_key_value_heads: 8, num_local_experts: 8, output_router_logits: false, rms_norm_eps: 1e-5, rope_theta: 1000000.0, router_aux_loss_coef: 0.02, sliding_window: null, tie_word_embeddings: false, vocab_size: 32000 };
  for (const [name, config, parameters] of [
    ['Llama 3.1 8B', llama31, 8_030_261_248], ['Qwen2.5 0.5B', qwen25, 494_032_768], ['Qwen3 0.6B', qwen3, 596_049_920], ['Phi-3 mini', phi3, 3_821_079_552],
    ['Gemma 2B', gemma, 2_506_172_416], ['Gemma 2 2B', gemma2, 2_614_341_888], ['GPT-2', gpt2, 124_439_808], ['DeepSeekMoE 16B', moe, 16_375_728_128], ['Qwen3 30B A3B', qwen3moe, 30_532_122_624], ['Mixtral 8x7B', mixtral, 46_702_792_704],
  ] as const)
    t.test(name, (t) => {
      const architecture = planned(t, config);
      t.equal(parameterCount(architecture), parameters);
      t.ok(describePlan(architecture, 32).length > 8);
      t.end();
    });
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
  for (const more of [{ rope_type: 'linear', factor: 2 }, { rope_type: 'yarn', ...scaling }, { rope_type: 'llama3', ...scaling, low_freq_factor: 1, high_freq_factor: 4 }])
    for (const i of [0, 11, 20, 31]) t.equal(frequency({ rope_parameters: { rope_theta: 500, ...more } }, i), frequency({ rope_theta: 500, rope_scaling: { ...more, type: more.rope_type, rope_type: undefined } }, i), `${more.rope_type} ${i}`);
  const attention = (config: object, context?: number): number => rotaryAngles(rotaryOf({ ...base, ...config }, 64, { ...asked, context }).rotary, 64, 1).cos[0];
  const near = (given: number, right: number): void => void t.ok(Math.abs(given - right) < 1e-6, `${given} for ${right}`);
  near(attention({ rope_scaling: { type: 'yarn', ...scaling } }), 0.1 * Math.log(4) + 1);
  near(attention({ rope_scaling: { type: 'yarn', ...scaling, attention_factor: 1.5 } }), 1.5);
  near(attention({ rope_scaling: { type: 'yarn', ...scaling, mscale: 1, mscale_all_dim: 0.5 } }), (0.1 * Math.log(4) + 1) / (0.05 * Math.log(4) + 1));
  t.equal(rotaryOf({ max_position_embeddings: 32, rope_scaling: { type: 'yarn', factor: 4 } }, 64, asked).most, 128, 'YaRN is for texts longer than the model was trained with');
  const factors = Array.from({ length: 32 }, (_, i) => 1 + i / 8);
  const longrope = { rope_scaling: { type: 'longrope', short_factor: factors, long_factor: factors }, original_max_position_embeddings: 32 };
  near(attention(longrope, 32), Math.sqrt(1 + Math.log(4) / Math.log(32)));
  const { cos, sin } = rotaryAngles(rotaryOf({ ...base, ...longrope }, 64, { ...asked, context: 32 }).rotary, 64, 2);
  near(Math.atan2(sin[32 + 9], cos[32 + 9]), 10_000 ** (-18 / 64) / factors[9]);
  t.end();
});

t.test('bytes are those of the tensors', (t) => {
  const architecture = planned(t, { model_type: 'llama', vocab_size: 10, hidden_size: 48, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 4, max_position_embeddings: 16 });
  const [matrices, vectors] = [2 * 10 * 48 + 4 * 48 * 48 + 3 * 48 * 8, 3 * 48];
  t.equal(storedBytes(architecture, 'float'), 4 * (matrices + vectors));
  t.equal(storedBytes(architecture, 'float16'), 2 * matrices + 4 * vectors);
  // Rows of 48 and of 8 fill two blocks and one.
  const blocks = (20 + 4 * 48 + 2 * 8) * 2 + 48;
  t.equal(storedBytes(architecture, { bits: 4, block: 32 }), blocks * (16 + 4) + 4 * vectors);
  t.same([0, 900, 2048, 3 * 2 ** 30].map(readable), ['0 B', '900 B', '2.0 KiB', '3.0 GiB']);
  t.end();
});
