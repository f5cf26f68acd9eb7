// Owns the decoder of the Llama family (Llama, Mistral, Qwen 2 and 3, Phi-3, Gemma 1 to 3, Mixtral, DeepSeek LLM, MoE, V2 and V3) as an inference graph in the engine's form.
// Refuses to know where weights come from and how the graph is run.

import { Attention } from './attention.ts';
import { MS, WeightedGraph } from './decoder-parts.ts';
import type { BuildOptions, Parameter, Storage } from './decoder-parts.ts';
import { routed, routerParameters } from './experts.ts';
import type { ExpertsConfig } from './experts.ts';
import { latentAttention, latentParameters, latentSize } from './latent-attention.ts';
import type { LatentConfig } from './latent-attention.ts';
import { activated, rmsNorm } from './layers.ts';
import { rotaryAngles, rotatedSize } from './rotary.ts';
import type { RotaryConfig } from './rotary.ts';

export type { Storage } from './decoder-parts.ts';
export interface LlamaConfig {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; each serves heads / keyValueHeads of the queries. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly feedForward: number;
  readonly contextLength: number;
  readonly rotary: RotaryConfig;
  readonly normEpsilon: number;
  /** Queries, keys and values have biases (Qwen 2). */
  readonly attentionBias: boolean;
  /** Queries and keys are normed head by head (Qwen 3). */
  readonly headNorm: boolean;
  /** The head is the embedding. */
  readonly tied: boolean;
  /** The product behind attention has a bias (Llama's `attention_bias`). Default: no. */
  readonly outputBias?: boolean;
  /** The products of the feed-forward part have biases. Default: no. */
  readonly feedForwardBias?: boolean;
  /** Queries, keys and values are one parameter, gate and up another (Phi-3). Default: no. */
  readonly fused?: boolean;
  /** Default: `silu`. `gelu`: by its approximation with tanh (Gemma). */
  readonly activation?: 'silu' | 'gelu';
  /** What rows of the embedding are multiplied by where a text begins (Gemma). Default: 1. */
  readonly embeddingScale?: number;
  /** Products of queries and keys are multiplied by it. Default: 1 / sqrt(headSize). */
  readonly scoreScale?: number;
  /** Scores and logits are capped by tanh (Gemma 2). Default: they are not. */
  readonly scoreCap?: number;
  readonly logitCap?: number;
  /** What attention and the feed-forward part give is normed before it is added (Gemma 2). Default: no. */
  readonly postNorms?: boolean;
  /** By layer, how far back a token sees, itself included; undefined: all the way. */
  readonly windows?: readonly (number | undefined)[];
  /** Layers with experts in the place of one feed-forward part (DeepSeekMoE). Default: none. */
  readonly experts?: ExpertsConfig;
  /** Keys and values of all heads are made of one narrow vector (DeepSeek-V2); `keyValueHeads` then says nothing, and `headSize` is that of a query. Default: no. */
  readonly latent?: LatentConfig;
  /** What is turned together by rotary positions: numbers half of a head apart, or neighbours. Default: halves. */
  readonly pairs?: 'halves' | 'neighbours';
  /** Rotary positions of some layers, where these have others than the rest (Gemma 3). Default: none. */
  readonly local?: { readonly rotary: RotaryConfig; readonly layers: readonly boolean[] };
}
/** Tables of angles by their names in the graph, and which of them a layer's positions come from. */
export const rotaryTables = ({ rotary, local }: LlamaConfig): readonly (readonly [name: string, rotary: RotaryConfig])[] => [['rotary', rotary], ...(local ? [['rotary.local', local.rotary] as const] : [])];
export const rotaryTable = ({ local }: LlamaConfig, layer: number): string => (local?.layers[layer] ? 'rotary.local' : 'rotary');

/** Names of a layer's norms. With norms on both sides, `post_attention_layernorm` is the one behind attention. */
export const normsOf = ({ postNorms }: LlamaConfig): { readonly between: string; readonly behind: readonly string[] } =>
  postNorms
    ? { between: 'pre_feedforward_layernorm', behind: ['post_attention_layernorm', 'post_feedforward_layernorm'] }
    : { between: 'post_attention_layernorm', behind: [] };
export const hasExperts = ({ experts }: LlamaConfig, layer: number): boolean => experts !== undefined && layer >= experts.firstLayer;

/** Names and shapes of the parameters, as Hugging Face stores them: matrices are [out, in]. */
export function llamaParameters(config: LlamaConfig): readonly Parameter[] {
  const { width, heads, keyValueHeads, headSize, feedForward, vocabularySize, experts, latent } = config;
  const inLayer = (i: number): Parameter[] => {
    const of = (name: string, ...shape: number[]): Parameter => ({ name: `model.layers.${i}.${name}`, shape });
    const linear = (name: string, out: number, inner: number, bias = false): Parameter[] => [
      of(`${name}.weight`, out, inner),
      ...(bias ? [of(`${name}.bias`, out)] : []),
    ];
    const gated = (name: string, size: number, bias?: boolean): Parameter[] => [
      ...(config.fused
        ? linear(`${name}.gate_up_proj`, 2 * size, width, bias)
        : ['gate', 'up'].flatMap((part) => linear(`${name}.${part}_proj`, size, width, bias))),
      ...linear(`${name}.down_proj`, width, size, bias),
    ];
    const projections: [string, number][] = config.fused
      ? [['qkv', (heads + 2 * keyValueHeads) * headSize]]
      : [
          ['q', heads * headSize],
          ['k', keyValueHeads * headSize],
          ['v', keyValueHeads * headSize],
        ];
    const { between, behind } = normsOf(config);
    return [
      of('input_layernorm.weight', width),
      ...(latent
        ? latentParameters(latent, width, heads).map(({ name, shape }) => of(name, ...shape))
        : projections.flatMap(([name, size]) => linear(`self_attn.${name}_proj`, size, width, config.attentionBias))),
      ...(config.headNorm ? [of('self_attn.q_norm.weight', headSize), of('self_attn.k_norm.weight', headSize)] : []),
      ...linear('self_attn.o_proj', width, heads * (latent?.valueSize ?? headSize), config.outputBias),
      ...[between, ...behind].map((name) => of(`${name}.weight`, width)),
      ...(experts && hasExperts(config, i)
        ? [
            ...routerParameters(experts, width).map(({ name, shape }) => of(`mlp.${name}`, ...shape)),
            ...Array.from({ length: experts.count }, (_, e) => gated(`mlp.experts.${e}`, experts.size)).flat(),
            ...(experts.shared > 0 ? gated('mlp.shared_experts', experts.shared) : []),
          ]
        : gated('mlp', feedForward, config.feedForwardBias)),
    ];
  };
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabularySize, width] },
    ...Array.from({ length: config.layers }, (_, i) => inLayer(i)).flat(),
    { name: 'model.norm.weight', shape: [width] },
    ...(config.tied ? [] : [{ name: 'lm_head.weight', shape: [vocabularySize, width] }]),
  ];
}

/**
 * Inference graph in the form that src/model/attention.ts states: pre-norm blocks with RMSNorm (Zhang and Sennrich 2019), rotary positions (Su et al. 2021), grouped-query attention (Ainslie et al.
 * 2023) and gated feed-forward parts (Shazeer 2020). Queries, keys and values are one product, gate and up another. `weights` gives a parameter by name, when it is needed; `lost` is told what
 * quantisation takes of it (the root mean square of the error over that of the weights).
 */
export function buildLlama(
  config: LlamaConfig,
  weights: BuildOptions['weights'],
  storage: Storage,
  lost?: BuildOptions['lost'],
  more: Pick<BuildOptions, 'sink' | 'piece'> = {},
): Uint8Array {
  const { width, heads, keyValueHeads, headSize, layers, feedForward, vocabularySize, experts, latent } = config;
  const w = new WeightedGraph(llamaParameters(config), { weights, storage, lost, ...more });
  const { g } = w;
  const turnedSize = latent?.turnedSize ?? headSize;
  const rotated = rotatedSize(config.rotary, turnedSize);
  for (const [table, rotary] of rotaryTables(config)) {
    const { cos, sin } = rotaryAngles(rotary, turnedSize, config.contextLength);
    g.weight(`${table}.cos`, cos, [config.contextLength, rotated / 2]);
    g.weight(`${table}.sin`, sin, [config.contextLength, rotated / 2]);
  }

  const keys = latent ? { keyValueHeads: 1, headSize: latentSize(latent), shared: true } : { keyValueHeads, headSize };
  const attention = new Attention(g, {
    layers,
    heads,
    ...keys,
    scale: config.scoreScale ?? 1 / Math.sqrt(headSize),
    cap: config.scoreCap,
    windows: config.windows,
  });
  const reshape = (x: string, shape: readonly number[]): string => g.op('Reshape', [x, g.ints(shape)]);
  const normed = (x: string, gain: string): string => rmsNorm(g, x, gain, config.normEpsilon);
  const rotate = (x: string, count: number, table = 'rotary'): string => {
    const part: Record<string, { int: number }> = rotated === turnedSize ? {} : { rotary_embedding_dim: { int: rotated } };
    return g.op(
      'RotaryEmbedding',
      [g.op('Unsqueeze', [x, g.ints([1])]), attention.positions, `${table}.cos`, `${table}.sin`],
      { interleaved: { int: config.pairs === 'neighbours' ? 1 : 0 }, num_heads: { int: count }, ...part },
      MS,
    );
  };
  const headNormed = (x: string, gain: string, count: number): string =>
    config.headNorm ? reshape(normed(reshape(x, [-1, count, headSize]), w.vector(gain)), [-1, count * headSize]) : x;
  const active = (x: string): string => activated(g, config.activation === 'gelu' ? 'gelu-tanh' : 'silu', x);
  const gated = (x: string, name: string, size: number, bias = false): string => {
    const parts = config.fused ? ['gate_up_proj'] : ['gate_proj', 'up_proj'];
    const named = (kind: string): string[] => parts.map((part) => `${name}.${part}.${kind}`);
    let both = w.product(x, `${name}.gate_up`, named('weight'), 2 * size, width);
    if (bias) both = w.biased(both, `${name}.gate_up.bias`, named('bias'));
    const [gate, up] = [g.fresh('gate'), g.fresh('up')];
    g.op('Split', [both, g.ints([size, size])], { axis: { int: -1 } }, { outputs: [gate, up] });
    const down = w.product(g.op('Mul', [active(gate), up]), `${name}.down_proj`, [`${name}.down_proj.weight`], width, size);
    return bias ? w.biased(down, `${name}.down_proj.bias`, [`${name}.down_proj.bias`]) : down;
  };

  const projections = config.fused ? ['qkv_proj'] : ['q_proj', 'k_proj', 'v_proj'];
  const sizes = [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize);
  /** Rows of all heads side by side. */
  const attended = (layer: number, h: string, of: (name: string) => string): string => {
    const named = (kind: string): string[] => projections.map((name) => of(`self_attn.${name}.${kind}`));
    let all = w.product(
      h,
      of('self_attn.qkv'),
      named('weight'),
      sizes.reduce((a, b) => a + b),
      width,
    );
    if (config.attentionBias) all = w.biased(all, of('self_attn.qkv.bias'), named('bias'));
    const [q, k, v] = ['q', 'k', 'v'].map((name) => g.fresh(name));
    g.op('Split', [all, g.ints(sizes)], { axis: { int: -1 } }, { outputs: [q, k, v] });
    const table = rotaryTable(config, layer);
    const key = rotate(headNormed(k, of('self_attn.k_norm.weight'), keyValueHeads), keyValueHeads, table);
    const query = rotate(headNormed(q, of('self_attn.q_norm.weight'), heads), heads, table);
    return attention.attend(layer, query, key, v);
  };

  const { rows: spelt, head } = w.embedding(attention.ids, 'model.embed_tokens.weight', config.tied ? undefined : 'lm_head.weight', vocabularySize, width);
  // Everything but attention is done on rows [n * B, width]; `x` and what is still to be added to it.
  let [x, added]: [string, string | undefined] = [
    config.embeddingScale === undefined ? spelt : g.op('Mul', [spelt, g.scalar(config.embeddingScale)]),
    undefined,
  ];
  const addNormed = (gain: string): string => {
    if (added === undefined) return normed(x, w.vector(gain));
    const [y, sum] = [g.fresh('normed'), g.fresh('sum')];
    g.op('SkipSimplifiedLayerNormalization', [x, added, w.vector(gain)], { epsilon: config.normEpsilon }, { ...MS, outputs: [y, '', '', sum] });
    x = sum;
    return y;
  };
  const { between, behind } = normsOf(config);
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `model.layers.${i}.${name}`;
    const closed = (value: string, which: number): string => (behind.length > 0 ? normed(value, w.vector(of(`${behind[which]}.weight`))) : value);
    const h = addNormed(of('input_layernorm.weight'));
    const joined = latent ? latentAttention(w, attention, h, { layer: i, prefix: of(''), width, heads, config: latent, rotate }) : attended(i, h, of);
    let mixed = w.product(joined, of('self_attn.o_proj'), [of('self_attn.o_proj.weight')], width, heads * (latent?.valueSize ?? headSize));
    if (config.outputBias) mixed = w.biased(mixed, of('self_attn.o_proj.bias'), [of('self_attn.o_proj.bias')]);
    added = closed(mixed, 0);
    const m = addNormed(of(`${between}.weight`));
    added = closed(
      experts && hasExperts(config, i) ? routed(w, m, of('mlp'), width, experts, gated) : gated(m, of('mlp'), feedForward, config.feedForwardBias),
      1,
    );
  }
  // Only what is wanted is normed and compared with the vocabulary: [B, m, width].
  const last = attention.last(g.op('Add', [x, added ?? x]));
  attention.logits(head(normed(last, w.vector('model.norm.weight'))), vocabularySize, config.logitCap);
  return g.finish('llama');
}
