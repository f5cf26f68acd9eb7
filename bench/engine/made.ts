// Owns made models for the comparison of engines: the same random weights in blocks of four or eight bits as a folder for Pharos, as GGUF for llama.cpp and as an export for transformers.js.
// Refuses to know how fast anything is. The weights mean nothing; their shapes and their bits do.

import { mkdir, open, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLlama, llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { GraphBuilder, toFloat16 } from '../../src/model/onnx.ts';
import { quantise } from '../../src/model/quantise.ts';
import { rotaryAngles } from '../../src/model/rotary.ts';

/** Qwen2.5-0.5B's shape. */
export const HALF_BILLION: LlamaConfig = {
  vocabularySize: 151_936, width: 896, layers: 24, heads: 14, keyValueHeads: 2, headSize: 64, feedForward: 4864, contextLength: 8192, rotary: { base: 1_000_000 }, normEpsilon: 1e-6, attentionBias: true, headNorm: false, tied: true,
};
export const BLOCK = 32;
export const END = 151_643;

/** Weights of a parameter: each block of 32 has one at the lowest level, so that rounding finds the very levels that they were made of. */
function weightsOf(name: string, shape: readonly number[], bits: 4 | 8): Float32Array {
  const length = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 1) return new Float32Array(length).fill(name.endsWith('bias') ? 0.01 : 1);
  let state = 0x9e3779b9;
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) | 1;
  const values = new Float32Array(length);
  const zero = 1 << (bits - 1);
  const spread = 1 / Math.sqrt(shape[1]);
  for (let block = 0; block < length; block += BLOCK) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    // A scale that half precision holds.
    const scale = Math.fround((Math.round(spread * 4096) / 4096 / zero) * (state & 1 ? 2 : -2));
    for (let i = 0; i < BLOCK; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[block + i] = i === 0 ? -zero * scale : scale * (((state >>> 8) & (2 * zero - 1)) - zero);
    }
  }
  return values;
}
const shapesOf = (config: LlamaConfig): Map<string, readonly number[]> => new Map(llamaParameters(config).map(({ name, shape }) => [name, shape]));

async function writeTokenizer(folder: string, config: LlamaConfig): Promise<void> {
  const bytes = byteCharacters();
  const vocab = Object.fromEntries(Array.from({ length: config.vocabularySize }, (_, id) => [id < 256 ? bytes[id] : id === END ? '<|end|>' : `t${id}`, id]));
  const added = [{ id: END, content: '<|end|>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }];
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ version: '1.0', truncation: null, padding: null, added_tokens: added, normalizer: null, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }, post_processor: null, decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }, model: { type: 'BPE', dropout: null, unk_token: null, vocab, merges: [] } }));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|end|>', tokenizer_class: 'GPT2Tokenizer' }));
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({
      architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', vocab_size: config.vocabularySize, hidden_size: config.width, num_hidden_layers: config.layers, num_attention_heads: config.heads, num_key_value_heads: config.keyValueHeads, intermediate_size: config.feedForward,
      max_position_embeddings: config.contextLength, rope_theta: config.rotary.base, rms_norm_eps: config.normEpsilon, tie_word_embeddings: true, eos_token_id: END, bos_token_id: END, hidden_act: 'silu', use_cache: true,
    }),
  );
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: END }));
}
/** GPT-2's printable characters for bytes. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : next++));
}

/** A folder that Pharos loads. */
export async function writePharos(folder: string, config: LlamaConfig, bits: 4 | 8): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeTokenizer(folder, config);
  const shapes = shapesOf(config);
  await writeFile(join(folder, 'onnx/model.onnx'), buildLlama(config, (name) => weightsOf(name, shapes.get(name) ?? [], bits), { bits, block: BLOCK }));
}

const MS = { domain: 'com.microsoft' } as const;
/** As ONNX Runtime's model builder exports Qwen 2, int4 or int8: GroupQueryAttention, caches [batch, heads, tokens, size]. */
export async function writeExport(folder: string, config: LlamaConfig, bits: 4 | 8): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeTokenizer(folder, config);
  const { width, heads, keyValueHeads, headSize, layers, feedForward, vocabularySize } = config;
  const shapes = shapesOf(config);
  const g = new GraphBuilder();
  const weights = (name: string): Float32Array => weightsOf(name, shapes.get(name) ?? [], bits);
  const packed = (name: string, values: Float32Array, rows: number, columns: number): [string, string] => {
    const { values: bytes, scales, blocks } = quantise(values, rows, columns, { bits, block: BLOCK });
    return [g.packed(`${name}.q`, bytes, [rows, blocks, (BLOCK * bits) >> 3]), g.weight(`${name}.scales`, scales, [rows * blocks])];
  };
  const multiply = (x: string, [q, scales]: [string, string], rows: number, columns: number): string =>
    g.op('MatMulNBits', [x, q, scales], { K: { int: columns }, N: { int: rows }, bits: { int: bits }, block_size: { int: BLOCK }, accuracy_level: { int: 4 } }, MS);
  const ids = g.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  const mask = g.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
  g.input('position_ids', 'int64', ['batch_size', 'sequence_length']);
  const ones = g.op('ReduceSum', [mask, g.ints([1])], { keepdims: { int: 0 } });
  const seen = g.op('Cast', [g.op('Sub', [ones, g.ints(1)])], { to: { int: 6 } });
  const total = g.op('Cast', [g.op('Gather', [g.op('Shape', [mask]), g.ints(1)])], { to: { int: 6 } });
  const angles = rotaryAngles(config.rotary, headSize, config.contextLength);
  const rotary = [g.weight('cos', angles.cos, [config.contextLength, headSize / 2]), g.weight('sin', angles.sin, [config.contextLength, headSize / 2])];
  const table = packed('embedding', weights('model.embed_tokens.weight'), vocabularySize, width);
  // Rows are unpacked where they are read, as GatherBlockQuantized does.
  const blocks = width / BLOCK;
  let read = g.op('Cast', [g.op('Gather', [table[0], ids])], { to: { int: 1 } });
  if (bits === 4) {
    const high = g.op('Floor', [g.op('Div', [read, g.scalar(16)])]);
    const low = g.op('Sub', [read, g.op('Mul', [high, g.scalar(16)])]);
    read = g.op('Concat', [low, high].map((half) => g.op('Unsqueeze', [half, g.ints([-1])])), { axis: { int: -1 } });
  }
  const centred = g.op('Sub', [g.op('Reshape', [read, g.ints([-1, blocks, BLOCK])]), g.scalar(1 << (bits - 1))]);
  const scale = g.op('Reshape', [g.op('Gather', [g.op('Reshape', [table[1], g.ints([vocabularySize, blocks])]), ids]), g.ints([-1, blocks, 1])]);
  const shape = g.op('Concat', [g.op('Shape', [ids]), g.ints([width])], { axis: { int: 0 } });
  let x = g.op('Reshape', [g.op('Mul', [centred, scale]), shape]);
  const normed = (value: string, name: string): string => g.op('SimplifiedLayerNormalization', [value, g.weight(name, weights(name), [width])], { axis: { int: -1 }, epsilon: config.normEpsilon });
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `model.layers.${i}.${name}`;
    const h = normed(x, of('input_layernorm.weight'));
    const parts = (['q', 'k', 'v'] as const).map((name) => {
      const rows = (name === 'q' ? heads : keyValueHeads) * headSize;
      const product = multiply(h, packed(of(name), weights(of(`self_attn.${name}_proj.weight`)), rows, width), rows, width);
      return g.op('Add', [product, g.weight(of(`${name}.bias`), weights(of(`self_attn.${name}_proj.bias`)), [rows])]);
    });
    const pasts = (['key', 'value'] as const).map((kind) => g.input(`past_key_values.${i}.${kind}`, 'float', ['batch_size', keyValueHeads, 'past_sequence_length', headSize]));
    const outputs = [g.fresh('attended'), `present.${i}.key`, `present.${i}.value`];
    g.op('GroupQueryAttention', [...parts, ...pasts, seen, total, ...rotary], { num_heads: { int: heads }, kv_num_heads: { int: keyValueHeads }, do_rotary: { int: 1 } }, { ...MS, outputs });
    for (const output of outputs.slice(1)) g.output(output, 'float', ['batch_size', keyValueHeads, 'total_sequence_length', headSize]);
    x = g.op('Add', [x, multiply(outputs[0], packed(of('o'), weights(of('self_attn.o_proj.weight')), width, heads * headSize), width, heads * headSize)]);
    const m = normed(x, of('post_attention_layernorm.weight'));
    const gate = multiply(m, packed(of('gate'), weights(of('mlp.gate_proj.weight')), feedForward, width), feedForward, width);
    const up = multiply(m, packed(of('up'), weights(of('mlp.up_proj.weight')), feedForward, width), feedForward, width);
    x = g.op('Add', [x, multiply(g.op('Mul', [g.op('QuickGelu', [gate], { alpha: 1 }, MS), up]), packed(of('down'), weights(of('mlp.down_proj.weight')), width, feedForward), width, feedForward)]);
  }
  g.op('Identity', [multiply(normed(x, 'model.norm.weight'), table, vocabularySize, width)], {}, { outputs: ['logits'] });
  g.output('logits', 'float', ['batch_size', 'sequence_length', vocabularySize]);
  await writeFile(join(folder, `onnx/model_${bits === 4 ? 'q4' : 'quantized'}.onnx`), g.finish('export'));
}

// GGUF (github.com/ggml-org/ggml, docs/gguf.md).

const TYPES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const F32 = 0;
const TENSOR_TYPE = { 4: 2, 8: 8 } as const;
const ALIGNMENT = 32;
class Bytes {
  readonly parts: Buffer[] = [];
  u32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.parts.push(bytes);
    return this;
  }
  u64(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.parts.push(bytes);
    return this;
  }
  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    this.u64(bytes.length).parts.push(bytes);
    return this;
  }
  f32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.parts.push(bytes);
    return this;
  }
  get all(): Buffer {
    return Buffer.concat(this.parts);
  }
}
/** Q4_0: half-precision scale, then byte i holds weights i and i + 16. Q8_0: scale, then 32 signed bytes. */
function ggmlBlocks(values: Float32Array, shape: readonly number[], bits: 4 | 8): Buffer {
  const { values: packed, scales } = quantise(values, shape[0], shape[1], { bits, block: BLOCK });
  const halves = toFloat16(scales);
  const per = (BLOCK * bits) >> 3;
  const out = Buffer.alloc(scales.length * (2 + per));
  for (let block = 0; block < scales.length; block++) {
    const [from, to] = [block * per, block * (2 + per)];
    out.writeUInt16LE(halves[block], to);
    const at = (i: number): number => (bits === 8 ? packed[from + i] : (i & 1) === 0 ? packed[from + (i >> 1)] & 15 : packed[from + (i >> 1)] >> 4);
    if (bits === 8) for (let i = 0; i < BLOCK; i++) out.writeInt8(at(i) - 128, to + 2 + i);
    else for (let i = 0; i < 16; i++) out[to + 2 + i] = at(i) | (at(i + 16) << 4);
  }
  return out;
}
const GGUF_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^model\.embed_tokens/, 'token_embd'], [/^model\.norm/, 'output_norm'], [/^model\.layers\.(\d+)\.input_layernorm/, 'blk.$1.attn_norm'], [/^model\.layers\.(\d+)\.post_attention_layernorm/, 'blk.$1.ffn_norm'],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj/, 'blk.$1.attn_output'], [/^model\.layers\.(\d+)\.self_attn\.([qkv])_proj/, 'blk.$1.attn_$2'], [/^model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj/, 'blk.$1.ffn_$2'],
];
export async function writeGguf(file: string, config: LlamaConfig, bits: 4 | 8): Promise<void> {
  const head = new Bytes();
  const bytes = byteCharacters();
  const keys: [string, (out: Bytes) => void][] = [];
  const key = (name: string, type: keyof typeof TYPES, value: (out: Bytes) => void): void => void keys.push([name, (out) => value(out.text(name).u32(TYPES[type]))]);
  const whole = (name: string, value: number): void => key(name, 'uint32', (out) => out.u32(value));
  key('general.architecture', 'string', (out) => out.text('qwen2'));
  key('general.name', 'string', (out) => out.text('made'));
  whole('qwen2.block_count', config.layers);
  whole('qwen2.context_length', config.contextLength);
  whole('qwen2.embedding_length', config.width);
  whole('qwen2.feed_forward_length', config.feedForward);
  whole('qwen2.attention.head_count', config.heads);
  whole('qwen2.attention.head_count_kv', config.keyValueHeads);
  key('qwen2.attention.layer_norm_rms_epsilon', 'float32', (out) => out.f32(config.normEpsilon));
  key('qwen2.rope.freq_base', 'float32', (out) => out.f32(config.rotary.base));
  key('tokenizer.ggml.model', 'string', (out) => out.text('gpt2'));
  key('tokenizer.ggml.pre', 'string', (out) => out.text('qwen2'));
  key('tokenizer.ggml.tokens', 'array', (out) => {
    out.u32(TYPES.string).u64(config.vocabularySize);
    for (let id = 0; id < config.vocabularySize; id++) out.text(id < 256 ? bytes[id] : id === END ? '<|end|>' : `t${id}`);
  });
  key('tokenizer.ggml.token_type', 'array', (out) => {
    out.u32(TYPES.int32).u64(config.vocabularySize);
    for (let id = 0; id < config.vocabularySize; id++) out.u32(id === END ? 3 : 1);
  });
  key('tokenizer.ggml.merges', 'array', (out) => out.u32(TYPES.string).u64(1).text(`${bytes[97]} ${bytes[98]}`));
  whole('tokenizer.ggml.eos_token_id', END);
  key('tokenizer.ggml.add_bos_token', 'bool', (out) => void out.parts.push(Buffer.of(0)));
  const tensors = llamaParameters(config).map(({ name, shape }) => {
    const suffix = name.endsWith('.bias') ? 'bias' : 'weight';
    const found = GGUF_NAMES.find(([pattern]) => pattern.test(name));
    if (!found) throw new Error(`no GGUF name for ${name}`);
    const match = found[0].exec(name);
    const length = shape.reduce((a, b) => a * b, 1);
    return { source: name, name: `${found[1].replace('$1', match?.[1] ?? '').replace('$2', match?.[2] ?? '')}.${suffix}`, shape, size: shape.length === 1 ? length * 4 : (length / BLOCK) * (2 + ((BLOCK * bits) >> 3)) };
  });
  head.parts.push(Buffer.from('GGUF'));
  head.u32(3).u64(tensors.length).u64(keys.length);
  for (const [, write] of keys) write(head);
  let offset = 0;
  for (const { name, shape, size } of tensors) {
    head.text(name).u32(shape.length);
    for (const length of shape.toReversed()) head.u64(length);
    head.u32(shape.length === 1 ? F32 : TENSOR_TYPE[bits]).u64(offset);
    offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  }
  const handle: FileHandle = await open(file, 'w');
  try {
    const start = head.all;
    await handle.write(start);
    await handle.write(Buffer.alloc((ALIGNMENT - (start.length % ALIGNMENT)) % ALIGNMENT));
    for (const { source, shape, size } of tensors) {
      const values = weightsOf(source, shape, bits);
      const data = shape.length === 1 ? Buffer.from(values.buffer) : ggmlBlocks(values, shape, bits);
      if (data.length !== size) throw new Error(`${source} has ${data.length} bytes, expected ${size}`);
      await handle.write(data);
      await handle.write(Buffer.alloc((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT));
    }
  } finally {
    await handle.close();
  }
}
