// Owns the decoder of the Llama family (Llama, Mistral, Qwen 2 and 3, DeepSeek LLM) as an inference graph with the KV cache as an input only, weights whole, half or quantised.
// Refuses to know where weights come from and how the graph is run.

import { GraphBuilder } from './onnx.ts';
import { quantise } from './quantise.ts';
import type { Quantisation } from './quantise.ts';
import { rotaryAngles } from './rotary.ts';
import type { RotaryConfig } from './rotary.ts';

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
}
/** `products`: of activations rounded to 8 bits (the default; faster), or as they are. */
export type Storage = 'float' | 'float16' | (Quantisation & { readonly products?: 'int8' | 'float' });

/** Names and shapes of the parameters, as Hugging Face stores them: matrices are [out, in]. */
export function llamaParameters(config: LlamaConfig): readonly { readonly name: string; readonly shape: readonly number[] }[] {
  const { width, heads, keyValueHeads, headSize, feedForward, vocabularySize } = config;
  const inLayer = (i: number): { name: string; shape: readonly number[] }[] => {
    const of = (name: string, ...shape: number[]): { name: string; shape: readonly number[] } => ({ name: `model.layers.${i}.${name}`, shape });
    const projections: [string, number][] = [['q', heads * headSize], ['k', keyValueHeads * headSize], ['v', keyValueHeads * headSize]];
    return [
      of('input_layernorm.weight', width),
      ...projections.flatMap(([name, size]) => [of(`self_attn.${name}_proj.weight`, size, width), ...(config.attentionBias ? [of(`self_attn.${name}_proj.bias`, size)] : [])]),
      ...(config.headNorm ? [of('self_attn.q_norm.weight', headSize), of('self_attn.k_norm.weight', headSize)] : []),
      of('self_attn.o_proj.weight', width, heads * headSize),
      of('post_attention_layernorm.weight', width),
      of('mlp.gate_proj.weight', feedForward, width),
      of('mlp.up_proj.weight', feedForward, width),
      of('mlp.down_proj.weight', width, feedForward),
    ];
  };
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabularySize, width] },
    ...Array.from({ length: config.layers }, (_, i) => inLayer(i)).flat(),
    { name: 'model.norm.weight', shape: [width] },
    ...(config.tied ? [] : [{ name: 'lm_head.weight', shape: [vocabularySize, width] }]),
  ];
}

const MS = { domain: 'com.microsoft' } as const;
/** `accuracy_level` of MatMulNBits. */
const INT8_PRODUCTS = 4;

/**
 * Inference graph for B sequences side by side. Rows are time-major: P is the longest past, and sequence b has `past_lengths[b]` rows of it. Inputs: `input_ids`, `position_ids` int64 [B, n]; per
 * layer `past_key.i`, `past_value.i` float [P, B, keyValueHeads, headSize]; `past_lengths` int64 [B]; `wanted` int64 [B, m], the new tokens after which logits are wanted, counted over all as
 * t * B + b. Outputs: `logits` float [B, m, vocabulary] and only the new rows, `new_key.i`, `new_value.i` [n, B, keyValueHeads, headSize].
 *
 * Pre-norm blocks with RMSNorm (Zhang and Sennrich 2019), rotary positions (Su et al. 2021), grouped-query attention (Ainslie et al. 2023) and SwiGLU (Shazeer 2020). Queries, keys and values
 * are one product, gate and up another. `weights` gives a parameter by name, when it is needed; `lost` is told what quantisation takes of it (the root mean square of the error over that of the
 * weights).
 */
export function buildLlama(config: LlamaConfig, weights: (name: string) => Float32Array, storage: Storage, lost?: (name: string, error: number) => void): Uint8Array {
  const { width, heads, keyValueHeads, headSize, layers, feedForward, vocabularySize } = config;
  if (heads % keyValueHeads !== 0) throw new RangeError(`heads (${heads}) must be a multiple of keyValueHeads (${keyValueHeads})`);
  const g = new GraphBuilder();
  const shapes = new Map(llamaParameters(config).map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  const weight = (name: string): Float32Array => {
    const values = weights(name);
    if (values.length !== shapes.get(name)) throw new RangeError(`parameter ${name} needs ${shapes.get(name)} values, got ${values.length}`);
    return values;
  };
  const vector = (name: string): string => g.weight(name, weight(name), [weight(name).length]);
  /** x [.., columns] times the transpose of [rows, columns], of which `parts` are stacked. */
  const product = (x: string, name: string, parts: readonly string[], rows: number, columns: number): string => g.op(...multiplied(g, x, name, stacked(parts.map(weight)), rows, columns, storage, lost), MS);
  const angles = rotaryAngles(config.rotary, headSize, config.contextLength);
  g.weight('rotary.cos', angles.cos, [config.contextLength, headSize / 2]);
  g.weight('rotary.sin', angles.sin, [config.contextLength, headSize / 2]);

  const ids = g.input('input_ids', 'int64', ['B', 'n']);
  const positions = g.input('position_ids', 'int64', ['B', 'n']);
  const pasts = (kind: string): string[] => Array.from({ length: layers }, (_, i) => g.input(`past_${kind}.${i}`, 'float', ['P', 'B', keyValueHeads, headSize]));
  const [pastKeys, pastValues] = [pasts('key'), pasts('value')];
  const lengths = g.input('past_lengths', 'int64', ['B']);
  const wanted = g.input('wanted', 'int64', ['B', 'm']);

  const list = (...parts: string[]): string => g.op('Concat', parts, { axis: { int: 0 } });
  const size = (x: string, axis: number): string => g.op('Gather', [g.op('Shape', [x]), g.ints([axis])], { axis: { int: 0 } });
  const unsqueeze = (x: string, ...axes: number[]): string => g.op('Unsqueeze', [x, g.ints(axes)]);
  const reshape = (x: string, shape: string, output?: string): string => g.op('Reshape', [x, shape], {}, output === undefined ? {} : { outputs: [output] });
  const range = (to: string): string => g.op('Range', [g.ints(0), g.op('Squeeze', [to]), g.ints(1)]);
  const normed = (x: string, gain: string): string => g.op('SimplifiedLayerNormalization', [x, gain], { axis: { int: -1 }, epsilon: config.normEpsilon });

  const group = heads / keyValueHeads;
  const [batch, n, past] = [size(ids, 0), size(ids, 1), size(pastKeys[0], 0)];
  const hasPast = g.op('Greater', [g.op('Squeeze', [past]), g.ints(0)]);
  const positionRow = reshape(g.op('Transpose', [positions], { perm: [1, 0] }), g.ints([1, -1]));
  // Rows of queries are (token, head of the group): [n * group, n], 0 where the key is not later, a large negative number elsewhere.
  const queryStep = g.op('Div', [range(g.op('Mul', [n, g.ints([group])])), g.ints(group)]);
  const later = g.op('Greater', [unsqueeze(range(n), 0), unsqueeze(queryStep, 1)]);
  const mask = g.op('Where', [later, g.scalar(-1e9), g.scalar(0)]);
  const held = g.op('Less', [unsqueeze(range(past), 0), unsqueeze(lengths, 1)]);
  const pastMask = unsqueeze(g.op('Where', [held, g.scalar(0), g.scalar(-1e9)]), 1, 2);
  const split = list(past, n);
  const keyShape = list(g.ints([-1]), batch, g.ints([keyValueHeads, headSize]));
  const queryShape = list(g.ints([-1]), batch, g.ints([keyValueHeads, group, headSize]));
  const groupedShape = list(batch, g.ints([keyValueHeads, -1, headSize]));
  const ungroupedShape = list(batch, g.ints([keyValueHeads, -1, group, headSize]));
  const rotate = (x: string, count: number): string => g.op('RotaryEmbedding', [unsqueeze(x, 0), positionRow, 'rotary.cos', 'rotary.sin'], { interleaved: { int: 0 }, num_heads: { int: count } }, MS);
  const headNormed = (x: string, gain: string, count: number): string => (config.headNorm ? reshape(normed(reshape(x, g.ints([-1, count, headSize])), vector(gain)), g.ints([-1, count * headSize])) : x);

  const { rows: spelt, head } = embedding(g, reshape(g.op('Transpose', [ids], { perm: [1, 0] }), g.ints([-1])), config, weight, storage, lost);
  // Everything but attention is done on rows [n * B, width]; `x` and what is still to be added to it.
  let [x, added]: [string, string | undefined] = [spelt, undefined];
  const addNormed = (gain: string): string => {
    if (added === undefined) return normed(x, vector(gain));
    const [y, sum] = [g.fresh('normed'), g.fresh('sum')];
    g.op('SkipSimplifiedLayerNormalization', [x, added, vector(gain)], { epsilon: config.normEpsilon }, { ...MS, outputs: [y, '', '', sum] });
    x = sum;
    return y;
  };
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `model.layers.${i}.${name}`;
    const h = addNormed(of('input_layernorm.weight'));
    const three = ['q', 'k', 'v'].map((name) => of(`self_attn.${name}_proj`));
    const sizes = [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize);
    let all = product(h, of('self_attn.qkv'), three.map((name) => `${name}.weight`), sizes.reduce((a, b) => a + b), width);
    if (config.attentionBias) {
      const bias = stacked(three.map((name) => weight(`${name}.bias`)));
      all = g.op('Add', [all, g.weight(of('self_attn.qkv.bias'), bias, [bias.length])]);
    }
    const outputs = ['q', 'k', 'v'].map((name) => g.fresh(name));
    g.op('Split', [all, g.ints(sizes)], { axis: { int: -1 } }, { outputs });
    const key = reshape(rotate(headNormed(outputs[1], of('self_attn.k_norm.weight'), keyValueHeads), keyValueHeads), keyShape, `new_key.${i}`);
    const value = reshape(outputs[2], keyShape, `new_value.${i}`);
    const turned = reshape(rotate(headNormed(outputs[0], of('self_attn.q_norm.weight'), heads), heads), queryShape);
    // [B, keyValueHeads, n * group, headSize]
    const query = reshape(g.op('Transpose', [turned], { perm: [1, 2, 0, 3, 4] }), groupedShape);

    const scoreAttributes = { alpha: 1 / Math.sqrt(headSize), transBatchB: { int: 1 }, transB: { int: 1 } };
    const newScores = g.op('Add', [g.op('FusedMatMul', [query, key], scoreAttributes, MS), mask]);
    const shape = ['B', keyValueHeads, 'queries', headSize] as const;
    const withPast = g.branch('float', shape, () => {
      const pastScores = g.op('Add', [g.op('FusedMatMul', [query, pastKeys[i]], scoreAttributes, MS), pastMask]);
      const probabilities = g.op('Softmax', [g.op('Concat', [pastScores, newScores], { axis: { int: -1 } })], { axis: { int: -1 } });
      const [onPast, onNew] = [g.fresh('on_past'), g.fresh('on_new')];
      g.op('Split', [probabilities, split], { axis: { int: -1 } }, { outputs: [onPast, onNew] });
      return g.op('Add', [
        g.op('FusedMatMul', [onPast, pastValues[i]], { transBatchB: { int: 1 } }, MS),
        g.op('FusedMatMul', [onNew, value], { transBatchB: { int: 1 } }, MS),
      ]);
    });
    // A product over zero past rows crashes ONNX Runtime 1.30 (division by zero), so the first call takes its own branch.
    const withoutPast = g.branch('float', shape, () => g.op('FusedMatMul', [g.op('Softmax', [newScores], { axis: { int: -1 } }), value], { transBatchB: { int: 1 } }, MS));
    const attended = g.op('If', [hasPast], { then_branch: withPast, else_branch: withoutPast });
    const joined = reshape(g.op('Transpose', [reshape(attended, ungroupedShape)], { perm: [2, 0, 1, 3, 4] }), g.ints([-1, heads * headSize]));
    added = product(joined, of('self_attn.o_proj'), [of('self_attn.o_proj.weight')], width, heads * headSize);
    const gated = product(addNormed(of('post_attention_layernorm.weight')), of('mlp.gate_up'), [of('mlp.gate_proj.weight'), of('mlp.up_proj.weight')], 2 * feedForward, width);
    const [gate, up] = [g.fresh('gate'), g.fresh('up')];
    g.op('Split', [gated, g.ints([feedForward, feedForward])], { axis: { int: -1 } }, { outputs: [gate, up] });
    added = product(g.op('Mul', [g.op('QuickGelu', [gate], { alpha: 1 }, MS), up]), of('mlp.down_proj'), [of('mlp.down_proj.weight')], width, feedForward);
    g.output(`new_key.${i}`, 'float', ['n', 'B', keyValueHeads, headSize]);
    g.output(`new_value.${i}`, 'float', ['n', 'B', keyValueHeads, headSize]);
  }
  // Only what is wanted is normed and compared with the vocabulary: [B, m, width].
  const last = g.op('Gather', [g.op('Add', [x, added ?? x]), wanted], { axis: { int: 0 } });
  const states = normed(last, vector('model.norm.weight'));
  g.op('Identity', [head(states)], {}, { outputs: ['logits'] });
  g.output('logits', 'float', ['B', 'm', vocabularySize]);
  return g.finish('llama');
}

function stacked(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
/** [rows, columns] the other way round. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column];
  return turned;
}
type Product = [operator: string, inputs: string[], attributes: Record<string, number | { int: number }>];
function multiplied(g: GraphBuilder, x: string, name: string, values: Float32Array, rows: number, columns: number, storage: Storage, lost?: (name: string, error: number) => void): Product {
  if (typeof storage === 'string') return ['FusedMatMul', [x, g.weight(name, transposed(values, rows, columns), [columns, rows], storage)], {}];
  const { bits, block } = storage;
  const { values: packed, scales, blocks, error } = quantise(values, rows, columns, storage);
  lost?.(name, error);
  const inputs = [x, g.packed(`${name}.q`, packed, [rows, blocks, (block * bits) >> 3]), g.weight(`${name}.scales`, scales, [rows * blocks])];
  return ['MatMulNBits', inputs, { K: { int: columns }, N: { int: rows }, bits: { int: bits }, block_size: { int: block }, accuracy_level: { int: storage.products === 'float' ? 0 : INT8_PRODUCTS } }];
}

/** Rows of the embedding for ids [..], and the product with the vocabulary: of a tied model, both from the same weights. */
function embedding(g: GraphBuilder, ids: string, config: LlamaConfig, weight: (name: string) => Float32Array, storage: Storage, lost?: (name: string, error: number) => void): { readonly rows: string; readonly head: (states: string) => string } {
  const { vocabularySize, width, tied } = config;
  const name = 'model.embed_tokens.weight';
  const gather = (table: string): string => g.op('Gather', [table, ids], { axis: { int: 0 } });
  if (!tied) {
    const head = (states: string): string => g.op(...multiplied(g, states, 'lm_head', weight('lm_head.weight'), vocabularySize, width, storage, lost), MS);
    if (typeof storage === 'string') return { rows: gather(g.weight(name, weight(name), [vocabularySize, width], storage)), head };
    return { rows: packedRows(g, ids, name, weight(name), config, storage, lost).rows, head };
  }
  if (typeof storage === 'string') {
    const table = g.weight(name, weight(name), [vocabularySize, width], storage);
    return { rows: gather(table), head: (states) => g.op('FusedMatMul', [states, table], { transB: { int: 1 } }, MS) };
  }
  const { rows, head } = packedRows(g, ids, name, weight(name), config, storage, lost);
  return { rows, head };
}
/** Rows are unpacked where they are read: nothing is kept twice. */
function packedRows(g: GraphBuilder, ids: string, name: string, values: Float32Array, { vocabularySize, width }: LlamaConfig, storage: Exclude<Storage, string>, lost?: (name: string, error: number) => void): { readonly rows: string; readonly head: (states: string) => string } {
  const { bits, block } = storage;
  const [, [, packed, scales], attributes] = multiplied(g, '', name, values, vocabularySize, width, storage, lost);
  const blocks = Math.ceil(width / block);
  const gather = (table: string): string => g.op('Gather', [table, ids], { axis: { int: 0 } });
  const float = (x: string): string => g.op('Cast', [x], { to: { int: 1 } });
  const read = gather(packed);
  let whole = float(read);
  if (bits === 4) {
    const sixteen = g.scalar(16);
    const high = g.op('Floor', [g.op('Div', [whole, sixteen])]);
    const low = g.op('Sub', [whole, g.op('Mul', [high, sixteen])]);
    whole = g.op('Concat', [low, high].map((half) => g.op('Unsqueeze', [half, g.ints([-1])])), { axis: { int: -1 } });
  }
  const centred = g.op('Sub', [g.op('Reshape', [whole, g.ints([-1, blocks, block])]), g.scalar(1 << (bits - 1))]);
  const scale = g.op('Unsqueeze', [gather(g.op('Reshape', [scales, g.ints([vocabularySize, blocks])])), g.ints([-1])]);
  const full = g.op('Reshape', [g.op('Mul', [centred, scale]), g.ints([-1, blocks * block])]);
  const rows = blocks * block === width ? full : g.op('Slice', [full, g.ints([0]), g.ints([width]), g.ints([1])]);
  return { rows, head: (states) => g.op('MatMulNBits', [states, packed, scales], attributes, MS) };
}
