// Owns the original transformer (Vaswani et al. 2017) as inference graphs: an encoder, a decoder in the engine's form, or both, of which the decoder looks at what the encoder says.
// Refuses to know where weights come from and how graphs are run.
//
// What cross-attention compares with, keys and values of the encoder's states, is the same at every step: the encoder's graph gives it, layer by layer, and the decoder's graph takes it.

import { Attention } from './attention.ts';
import { WeightedGraph } from './decoder-parts.ts';
import type { BuildOptions, Parameter } from './decoder-parts.ts';
import { FullAttention } from './full-attention.ts';
import { activated, layerNorm } from './layers.ts';
import type { Activation } from './layers.ts';
import { placed, positionParameters } from './positions.ts';
import type { PlacedGraph, Positions } from './positions.ts';

export interface StackConfig {
  readonly layers: number;
  readonly heads: number;
  readonly feedForward: number;
}
export interface TransformerConfig {
  readonly vocabularySize: number;
  readonly width: number;
  /** Tokens of the longest text, on either side. */
  readonly contextLength: number;
  /** One of them may be absent; of both, the decoder has cross-attention. */
  readonly encoder?: StackConfig;
  readonly decoder?: StackConfig;
  readonly positions: Positions;
  /** Norms behind what is added to (as first published), or in front of what adds, with one more behind the last layer (Xiong et al. 2020). */
  readonly norm: 'post' | 'pre';
  readonly activation: Activation;
  readonly normEpsilon: number;
  /** What rows of the embedding are multiplied by. Default: 1. */
  readonly embeddingScale?: number;
  /** The sum of embedding and place is normed (BART). Default: no. */
  readonly embeddingNorm?: boolean;
  /** The head is the embedding. */
  readonly tied: boolean;
  /** Logits have a bias. Default: no. */
  readonly logitBias?: boolean;
}
type Side = 'encoder' | 'decoder';
const CROSS = ['k_proj', 'v_proj'] as const;
const EMBEDDING = 'model.shared.weight';

/** Names and shapes of the parameters, as Hugging Face stores them for BART and Marian: matrices are [out, in]. */
export function transformerParameters(config: TransformerConfig): readonly Parameter[] {
  const { vocabularySize, width, contextLength, positions, tied } = config;
  const linear = (name: string, out: number, inner: number): Parameter[] => [
    { name: `${name}.weight`, shape: [out, inner] },
    { name: `${name}.bias`, shape: [out] },
  ];
  const norm = (name: string): Parameter[] => [
    { name: `${name}.weight`, shape: [width] },
    { name: `${name}.bias`, shape: [width] },
  ];
  const attention = (name: string): Parameter[] => ['k_proj', 'v_proj', 'q_proj', 'out_proj'].flatMap((part) => linear(`${name}.${part}`, width, width));
  const stack = (side: Side): Parameter[] => {
    const own = config[side];
    if (!own) return [];
    const layer = (i: number): Parameter[] => {
      const of = (name: string): string => `model.${side}.layers.${i}.${name}`;
      const cross = hasCross(config, side) ? [...attention(of('encoder_attn')), ...norm(of('encoder_attn_layer_norm'))] : [];
      return [
        ...attention(of('self_attn')),
        ...norm(of('self_attn_layer_norm')),
        ...cross,
        ...linear(of('fc1'), own.feedForward, width),
        ...linear(of('fc2'), width, own.feedForward),
        ...norm(of('final_layer_norm')),
      ];
    };
    return [
      ...positionParameters(`model.${side}`, positions, contextLength, width),
      ...(config.embeddingNorm ? norm(`model.${side}.layernorm_embedding`) : []),
      ...Array.from({ length: own.layers }, (_, i) => layer(i)).flat(),
      ...(config.norm === 'pre' ? norm(`model.${side}.layer_norm`) : []),
    ];
  };
  return [
    { name: EMBEDDING, shape: [vocabularySize, width] },
    ...stack('encoder'),
    ...stack('decoder'),
    ...(tied || !config.decoder ? [] : [{ name: 'lm_head.weight', shape: [vocabularySize, width] }]),
    ...(config.logitBias ? [{ name: 'final_logits_bias', shape: [vocabularySize] }] : []),
  ];
}
const hasCross = ({ encoder }: TransformerConfig, side: Side): boolean => side === 'decoder' && encoder !== undefined;

/** What both stacks do with rows. */
class Stack {
  readonly w: WeightedGraph;
  readonly places: PlacedGraph;
  readonly headSize: number;
  readonly #config: TransformerConfig;
  readonly #side: Side;
  readonly #own: StackConfig;

  constructor(w: WeightedGraph, config: TransformerConfig, side: Side, own: StackConfig, at: string) {
    this.w = w;
    this.#config = config;
    this.#side = side;
    this.#own = own;
    this.headSize = headSizeOf(config, own);
    this.places = placed(w, `model.${side}`, config.positions, at, { contextLength: config.contextLength, width: config.width, headSize: this.headSize });
  }
  of(layer: number, name: string): string {
    return `model.${this.#side}.layers.${layer}.${name}`;
  }
  norm(x: string, name: string): string {
    return layerNorm(this.w.g, x, this.w.vector(`${name}.weight`), this.w.vector(`${name}.bias`), this.#config.normEpsilon);
  }
  linear(x: string, name: string, parts: readonly string[], out: number, inner: number): string {
    return this.w.biased(
      this.w.product(
        x,
        name,
        parts.map((part) => `${part}.weight`),
        out,
        inner,
      ),
      `${name}.bias`,
      parts.map((part) => `${part}.bias`),
    );
  }
  /** A part of a layer between its sum and its norm. */
  around(x: string, norm: string, part: (x: string) => string): string {
    const { g } = this.w;
    return this.#config.norm === 'pre' ? g.op('Add', [x, part(this.norm(x, norm))]) : this.norm(g.op('Add', [x, part(x)]), norm);
  }
  start(rows: string): string {
    const { embeddingScale, embeddingNorm } = this.#config;
    const { g } = this.w;
    const x = this.places.add(embeddingScale === undefined ? rows : g.op('Mul', [rows, g.scalar(embeddingScale)]));
    return embeddingNorm ? this.norm(x, `model.${this.#side}.layernorm_embedding`) : x;
  }
  /** Queries, turned by their place where places are angles, keys likewise, and values, of the same rows. */
  projected(x: string, layer: number): readonly [query: string, key: string, value: string] {
    const { width } = this.#config;
    const { g } = this.w;
    const parts = ['q', 'k', 'v'].map((part) => g.fresh(part));
    g.op(
      'Split',
      [
        this.linear(
          x,
          this.of(layer, 'self_attn.qkv'),
          ['q', 'k', 'v'].map((part) => this.of(layer, `self_attn.${part}_proj`)),
          3 * width,
          width,
        ),
        g.ints([width, width, width]),
      ],
      { axis: { int: -1 } },
      { outputs: parts },
    );
    return [this.places.turn(parts[0], this.#own.heads), this.places.turn(parts[1], this.#own.heads), parts[2]];
  }
  square(x: string, name: string): string {
    return this.linear(x, name, [name], this.#config.width, this.#config.width);
  }
  fed(x: string, layer: number): string {
    const [fc1, fc2] = [this.of(layer, 'fc1'), this.of(layer, 'fc2')];
    const { width, activation } = this.#config;
    return this.linear(activated(this.w.g, activation, this.linear(x, fc1, [fc1], this.#own.feedForward, width)), fc2, [fc2], width, this.#own.feedForward);
  }
  end(x: string): string {
    return this.#config.norm === 'pre' ? this.norm(x, `model.${this.#side}.layer_norm`) : x;
  }
}
function headSizeOf({ width, positions }: TransformerConfig, { heads }: StackConfig): number {
  const size = width / heads;
  if (!Number.isInteger(size) || (positions.kind === 'rotary' && size % 2 !== 0))
    throw new RangeError(`width (${width}) must be a multiple of heads (${heads})${positions.kind === 'rotary' ? ', by an even number' : ''}`);
  return size;
}

/**
 * Inputs `input_ids`, `attention_mask` int64 [B, S]; output `last_hidden_state` float [B, S, width]. Where there is a decoder, also what its layer i compares with: `cross_key.i`, `cross_value.i`
 * float [S, B, heads, width / heads]. Throws RangeError for a configuration without an encoder.
 */
export function buildEncoder(config: TransformerConfig, options: BuildOptions): Uint8Array {
  const { encoder, decoder, vocabularySize, width } = config;
  if (!encoder) throw new RangeError('the configuration has no encoder');
  const w = new WeightedGraph(transformerParameters(config), options);
  const { g } = w;
  const [ids, mask] = ['input_ids', 'attention_mask'].map((name) => g.input(name, 'int64', ['B', 'S']));
  const size = (axis: number): string => g.op('Gather', [g.op('Shape', [ids]), g.ints([axis])], { axis: { int: 0 } });
  const [batch, length] = [size(0), size(1)];
  // Rows are time-major.
  const rows = g.op('Range', [g.ints(0), g.op('Squeeze', [g.op('Mul', [batch, length])]), g.ints(1)]);
  const stack = new Stack(w, config, 'encoder', encoder, g.op('Unsqueeze', [g.op('Div', [rows, batch]), g.ints([1])]));
  const attention = new FullAttention(g, encoder.heads, stack.headSize, batch, mask);
  const flat = g.op('Reshape', [g.op('Transpose', [ids], { perm: [1, 0] }), g.ints([-1])]);
  let x = stack.start(w.embedding(flat, EMBEDDING, undefined, vocabularySize, width).rows);
  for (let i = 0; i < encoder.layers; i++) {
    x = stack.around(x, stack.of(i, 'self_attn_layer_norm'), (h) => {
      const [query, key, value] = stack.projected(h, i);
      return stack.square(attention.attend(query, attention.heads(key), attention.heads(value)), stack.of(i, 'self_attn.out_proj'));
    });
    x = stack.around(x, stack.of(i, 'final_layer_norm'), (h) => stack.fed(h, i));
  }
  const states = stack.end(x);
  const byTime = g.op('Reshape', [states, g.op('Concat', [length, batch, g.ints([width])], { axis: { int: 0 } })]);
  g.op('Transpose', [byTime], { perm: [1, 0, 2] }, { outputs: ['last_hidden_state'] });
  g.output('last_hidden_state', 'float', ['B', 'S', width]);
  if (decoder) {
    const headSize = headSizeOf(config, decoder);
    const cross = new FullAttention(g, decoder.heads, headSize, batch, mask);
    for (let i = 0; i < decoder.layers; i++)
      for (const [part, name] of [
        [CROSS[0], `cross_key.${i}`],
        [CROSS[1], `cross_value.${i}`],
      ]) {
        cross.heads(stack.square(states, `model.decoder.layers.${i}.encoder_attn.${part}`), name);
        g.output(name, 'float', ['S', 'B', decoder.heads, headSize]);
      }
  }
  return g.finish('encoder');
}

/**
 * The form that src/model/attention.ts states. Where there is an encoder, also inputs `encoder_attention_mask` int64 [B, S] and, of each layer, `cross_key.i`, `cross_value.i` as the encoder's graph
 * gives them. Throws RangeError for a configuration without a decoder.
 */
export function buildDecoder(config: TransformerConfig, options: BuildOptions): Uint8Array {
  const { encoder, decoder, vocabularySize, width, tied, logitBias } = config;
  if (!decoder) throw new RangeError('the configuration has no decoder');
  const { layers, heads } = decoder;
  const w = new WeightedGraph(transformerParameters(config), options);
  const { g } = w;
  const headSize = headSizeOf(config, decoder);
  const attention = new Attention(g, { layers, heads, keyValueHeads: heads, headSize });
  const stack = new Stack(w, config, 'decoder', decoder, attention.positions);
  const mask = encoder ? g.input('encoder_attention_mask', 'int64', ['B', 'S']) : '';
  const batch = g.op('Gather', [g.op('Shape', ['input_ids']), g.ints([0])], { axis: { int: 0 } });
  const cross = encoder ? new FullAttention(g, heads, headSize, batch, mask) : undefined;
  const { rows, head } = w.embedding(attention.ids, EMBEDDING, tied ? undefined : 'lm_head.weight', vocabularySize, width);
  let x = stack.start(rows);
  for (let i = 0; i < layers; i++) {
    x = stack.around(x, stack.of(i, 'self_attn_layer_norm'), (h) =>
      stack.square(attention.attend(i, ...stack.projected(h, i)), stack.of(i, 'self_attn.out_proj')),
    );
    if (cross) {
      const [key, value] = ['key', 'value'].map((kind) => g.input(`cross_${kind}.${i}`, 'float', ['S', 'B', heads, headSize]));
      x = stack.around(x, stack.of(i, 'encoder_attn_layer_norm'), (h) =>
        stack.square(cross.attend(stack.square(h, stack.of(i, 'encoder_attn.q_proj')), key, value), stack.of(i, 'encoder_attn.out_proj')),
      );
    }
    x = stack.around(x, stack.of(i, 'final_layer_norm'), (h) => stack.fed(h, i));
  }
  const logits = head(stack.end(attention.last(x)));
  attention.logits(logitBias ? g.op('Add', [logits, w.vector('final_logits_bias')]) : logits, vocabularySize);
  return g.finish('decoder');
}
