// Owns a small DeepSeek-V2 and V3: keys of config.json, what they mean, and the tensors of a layer.
// Refuses to know how they are tried.

export const LATENT_KEYS = {
  num_key_value_heads: 6,
  head_dim: null,
  q_lora_rank: null,
  kv_lora_rank: 10,
  qk_nope_head_dim: 12,
  qk_rope_head_dim: 6,
  v_head_dim: 7,
  moe_layer_freq: 1,
  moe_intermediate_size: 12,
  first_k_dense_replace: 1,
  aux_loss_alpha: 0.001,
  seq_aux: true,
  ep_size: 1,
};
export const LATENT_CONFIG = { latent: { rank: 10, plainSize: 12, turnedSize: 6, valueSize: 7 }, headSize: 18, pairs: 'neighbours' } as const;
export const LATENT_LAYER = [
  'input_layernorm',
  'self_attn.q_a_proj',
  'self_attn.q_a_layernorm',
  'self_attn.q_b_proj',
  'self_attn.kv_a_proj_with_mqa',
  'self_attn.kv_a_layernorm',
  'self_attn.kv_b_proj',
  'self_attn.o_proj',
  'post_attention_layernorm',
];
export const V3_KEYS = {
  ...LATENT_KEYS,
  model_type: 'deepseek_v3',
  q_lora_rank: 20,
  n_routed_experts: 8,
  n_shared_experts: 1,
  num_experts_per_tok: 3,
  norm_topk_prob: true,
  scoring_func: 'sigmoid',
  topk_method: 'noaux_tc',
  n_group: 4,
  topk_group: 2,
  routed_scaling_factor: 2.5,
};
export const V3_CONFIG = {
  ...LATENT_CONFIG,
  latent: { ...LATENT_CONFIG.latent, queryRank: 20 },
  experts: {
    count: 8,
    perToken: 3,
    size: 12,
    shared: 12,
    firstLayer: 1,
    normalised: true,
    scale: 2.5,
    gate: 'sigmoid',
    balanced: true,
    groups: { count: 4, kept: 2, by: 'two' },
  },
} as const;
