// Owns what config.json says of experts, in the words of each family that has them.
// Refuses to know the rest of the model, and what a router computes.

import { z } from 'zod';
import type { ExpertsConfig } from '../experts.ts';
import { expertCount, refuse, whole } from './architecture.ts';
import type { Asked } from './architecture.ts';
import type { LlamaKind } from './llama-family.ts';

export const expertKeys = {
  n_routed_experts: expertCount.nullish(),
  num_experts: expertCount.nullish(),
  num_local_experts: expertCount.nullish(),
  decoder_sparse_step: whole.nullish(),
  mlp_only_layers: z.array(z.int()).nullish(),
  n_shared_experts: z.int().nonnegative().nullish(),
  num_experts_per_tok: whole.nullish(),
  moe_intermediate_size: whole.nullish(),
  moe_layer_freq: whole.nullish(),
  first_k_dense_replace: z.int().nonnegative().nullish(),
  norm_topk_prob: z.boolean().nullish(),
  scoring_func: z.string().nullish(),
  topk_method: z.string().nullish(),
  n_group: whole.nullish(),
  topk_group: whole.nullish(),
  routed_scaling_factor: z.number().positive().nullish(),
} as const;
const schema = z.object(expertKeys);
type Keys = z.infer<typeof schema>;
type Needed = 'n_routed_experts' | 'num_experts' | 'num_local_experts' | 'num_experts_per_tok' | 'moe_intermediate_size';

const COUNTS: Partial<Record<LlamaKind, Needed>> = {
  deepseek: 'n_routed_experts',
  deepseek_v2: 'n_routed_experts',
  deepseek_v3: 'n_routed_experts',
  qwen3_moe: 'num_experts',
  mixtral: 'num_local_experts',
};

/** Whose share of a single chosen expert is made 1, too. */
const ALONE: ReadonlySet<LlamaKind> = new Set(['qwen3_moe', 'deepseek_v3']);

/** Undefined for a model without experts. `need` gives a key's number, or throws that it is missing. */
export function expertsOf(kind: LlamaKind, keys: Keys, feedForward: number, need: (key: Needed) => number, asked: Asked): ExpertsConfig | undefined {
  // transformers 5 writes the name that it has for all families.
  const counted = kind === 'qwen3_moe' && typeof keys.num_experts !== 'number' ? 'num_local_experts' : COUNTS[kind];
  const isDeepSeek = counted === 'n_routed_experts';
  if (counted === undefined || (isDeepSeek && typeof keys.n_routed_experts !== 'number')) return undefined;
  const count = need(counted);
  const [perToken, size] = [need('num_experts_per_tok'), kind === 'mixtral' ? feedForward : need('moe_intermediate_size')];
  if (perToken > count) refuse(asked, 'num_experts_per_tok', perToken, `there are ${count} experts`);
  for (const key of ['moe_layer_freq', 'decoder_sparse_step'] as const)
    if ((keys[key] ?? 1) !== 1) refuse(asked, key, keys[key], 'every layer from the first with experts on must have them');
  if ((keys.mlp_only_layers ?? []).length > 0) refuse(asked, 'mlp_only_layers', keys.mlp_only_layers, 'every layer must have experts');
  const gate = kind === 'deepseek_v3' ? 'sigmoid' : 'softmax';
  if ((keys.scoring_func ?? gate) !== gate) refuse(asked, 'scoring_func', keys.scoring_func, `of a model of type ${kind}, ${gate} is computed here`);
  // Mixtral takes the softmax over the chosen ones alone, which comes to the same as making their shares sum to 1.
  const normalised = kind === 'mixtral' || ((perToken > 1 || ALONE.has(kind)) && (keys.norm_topk_prob ?? false));
  const usual = {
    count,
    perToken,
    size,
    shared: isDeepSeek ? (keys.n_shared_experts ?? 0) * size : 0,
    firstLayer: isDeepSeek ? (keys.first_k_dense_replace ?? 0) : 0,
    normalised,
    scale: 1,
  };
  if (kind !== 'deepseek_v2' && kind !== 'deepseek_v3') return usual;
  const isThird = kind === 'deepseek_v3';
  const method = keys.topk_method ?? (isThird ? 'noaux_tc' : 'greedy');
  const methods = isThird ? ['noaux_tc'] : ['greedy', 'group_limited_greedy'];
  if (!methods.includes(method)) refuse(asked, 'topk_method', method, `of a model of type ${kind}, ${methods.join(' and ')} are computed here`);
  const groups = method === 'greedy' ? undefined : groupsOf(keys, count, perToken, isThird, asked);
  // As published with DeepSeek-V2, shares that are made to sum to 1 are not scaled; those of V3 are.
  const scale = !isThird && normalised ? 1 : (keys.routed_scaling_factor ?? 1);
  return { ...usual, scale, gate, balanced: isThird, groups };
}

function groupsOf(
  { n_group: count = 1, topk_group: kept = 1 }: Keys,
  experts: number,
  perToken: number,
  isThird: boolean,
  asked: Asked,
): ExpertsConfig['groups'] {
  if (count === null || kept === null || count === 1 || count === kept) return undefined;
  const size = experts / count;
  if (!Number.isInteger(size) || (isThird && size < 2))
    refuse(asked, 'n_group', count, `it must divide the ${experts} experts into groups${isThird ? ' of 2 and more' : ''}`);
  if (kept > count || kept * size < perToken)
    refuse(asked, 'topk_group', kept, `it must be at most ${count}, and leave the ${perToken} experts of a token to choose from`);
  return { count, kept, by: isThird ? 'two' : 'one' };
}
