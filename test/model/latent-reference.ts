// Owns an independent float64 form of multi-head latent attention and of the routers of DeepSeek-V2 and V3, as their papers state them: keys and values of every head are made in full.
// Refuses to know ONNX, the cache and the absorbed form.

import type { ExpertsConfig } from '../../src/model/experts.ts';
import type { LatentConfig } from '../../src/model/latent-attention.ts';

type Rows = readonly Float64Array[];
export interface LatentPieces {
  readonly heads: number;
  readonly config: LatentConfig;
  /** What scores are multiplied by. */
  readonly scale: number;
  /** Of rows [n, inner] the product with a matrix by its name in the layer. */
  readonly times: (x: Rows, name: string) => Float64Array[];
  readonly gain: (name: string) => Float32Array;
  /** Turns a vector of turnedSize by its place. */
  readonly turn: (vector: Float64Array, position: number) => Float64Array;
}

const rms = (row: Float64Array, gain: Float32Array): Float64Array => {
  const root = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + 1e-6);
  return row.map((value, i) => (value / root) * gain[i]);
};
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** DeepSeek-V2, eq. 9 to 12 and 14 to 19, without the product behind attention. Rows [n, heads * valueSize]. */
export function latentAttended(h: Rows, { heads, config, scale, times, gain, turn }: LatentPieces): Float64Array[] {
  const { queryRank, rank, plainSize, turnedSize, valueSize } = config;
  const query =
    queryRank === undefined
      ? times(h, 'self_attn.q_proj')
      : times(
          times(h, 'self_attn.q_a_proj').map((row) => rms(row, gain('self_attn.q_a_layernorm.weight'))),
          'self_attn.q_b_proj',
        );
  const down = times(h, 'self_attn.kv_a_proj_with_mqa');
  const latent = down.map((row) => rms(row.slice(0, rank), gain('self_attn.kv_a_layernorm.weight')));
  const places = down.map((row, position) => turn(row.slice(rank), position));
  const up = times(latent, 'self_attn.kv_b_proj');
  return h.map((_, t) => {
    const out = new Float64Array(heads * valueSize);
    for (let head = 0; head < heads; head++) {
      const own = query[t].slice(head * (plainSize + turnedSize), (head + 1) * (plainSize + turnedSize));
      const [plain, turned] = [own.slice(0, plainSize), turn(own.slice(plainSize), t)];
      const from = head * (plainSize + valueSize);
      const scores = Array.from({ length: t + 1 }, (_, s) => scale * (dot(plain, up[s].slice(from, from + plainSize)) + dot(turned, places[s])));
      const highest = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
      scores.forEach((score, s) => {
        for (let i = 0; i < valueSize; i++) out[head * valueSize + i] += (Math.exp(score - highest) / total) * up[s][from + plainSize + i];
      });
    }
    return out;
  });
}

/** The experts of a token and their shares, from the router's products (DeepSeekMoE, eq. 3 to 5; DeepSeek-V2, section 2.2.2; DeepSeek-V3, eq. 13 to 16). */
export function expertShares(
  products: Float64Array,
  config: ExpertsConfig,
  bias: Float32Array | undefined,
): readonly { readonly expert: number; readonly share: number }[] {
  const { count, perToken, normalised, scale, gate = 'softmax', groups } = config;
  const total = products.reduce((sum, value) => sum + Math.exp(value), 0);
  const experts = Array.from(products, (value, expert) => {
    const share = gate === 'sigmoid' ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / total;
    return { expert, share, by: share + (bias?.[expert] ?? 0), group: groups ? Math.floor(expert / (count / groups.count)) : 0 };
  });
  const scoreOf = (group: number): number => {
    const best = experts
      .filter((each) => each.group === group)
      .map(({ by }) => by)
      .toSorted((a, b) => b - a);
    return groups?.by === 'two' ? best[0] + best[1] : best[0];
  };
  const open = groups
    ? Array.from({ length: groups.count }, (_, group) => group)
        .toSorted((a, b) => scoreOf(b) - scoreOf(a))
        .slice(0, groups.kept)
    : [0];
  const chosen = experts
    .filter(({ group }) => open.includes(group))
    .toSorted((a, b) => b.by - a.by)
    .slice(0, perToken);
  const sum = normalised ? chosen.reduce((all, { share }) => all + share, 0) : 1;
  return chosen.map(({ expert, share }) => ({ expert, share: (share / sum) * scale }));
}
