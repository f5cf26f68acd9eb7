// Owns what config.json says of multi-head latent attention (DeepSeek-V2 and V3).
// Refuses to know the rest of the model.

import { z } from 'zod';
import type { LatentConfig } from '../latent-attention.ts';
import { whole } from './architecture.ts';

export const latentKeys = {
  q_lora_rank: whole.nullish(),
  kv_lora_rank: whole.nullish(),
  qk_nope_head_dim: whole.nullish(),
  qk_rope_head_dim: whole.nullish(),
  qk_head_dim: whole.nullish(),
  v_head_dim: whole.nullish(),
  rope_interleave: z.boolean().nullish(),
  num_nextn_predict_layers: z.int().nonnegative().nullish(),
} as const;
type Needed = 'kv_lora_rank' | 'qk_nope_head_dim' | 'qk_rope_head_dim' | 'v_head_dim';

/** `need` gives a key's number, or throws that it is missing. */
export const latentOf = (queryRank: number | null | undefined, need: (key: Needed) => number): LatentConfig => ({
  ...(queryRank === null || queryRank === undefined ? {} : { queryRank }),
  rank: need('kv_lora_rank'),
  plainSize: need('qk_nope_head_dim'),
  turnedSize: need('qk_rope_head_dim'),
  valueSize: need('v_head_dim'),
});
