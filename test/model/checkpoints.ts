// Owns making checkpoints for tests: safetensors of any element type, in one file or in several, and folders of Hugging Face around them.
// Refuses to know how they are read.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toFloat16 } from '../../src/model/onnx.ts';

export type ElementType = 'F32' | 'F16' | 'BF16' | 'F8_E4M3';
export interface Tensor {
  /** Default: that of the file. */
  readonly type?: ElementType;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Every number of E4M3 from 0 on, by its bits: exponents of 0 are the smallest numbers, and 448 is the greatest (Micikevicius et al. 2022, table 1). */
const E4M3 = Array.from({ length: 127 }, (_, bits) => (bits < 8 ? bits / 512 : (1 + (bits % 8) / 8) * 2 ** (Math.floor(bits / 8) - 7)));
const nearestE4M3 = (value: number): number => {
  let best = 0;
  for (let bits = 1; bits < E4M3.length; bits++) if (Math.abs(E4M3[bits] - Math.abs(value)) < Math.abs(E4M3[best] - Math.abs(value))) best = bits;
  return best | (value < 0 ? 0x80 : 0);
};

/** Values as the element type holds them: of bfloat16 and E4M3, rounded to nearest. */
export function rounded(values: Float32Array, type: ElementType): { readonly bytes: Uint8Array; readonly values: Float32Array } {
  if (type === 'F32') return { bytes: new Uint8Array(values.slice().buffer), values };
  if (type === 'F16') {
    const halves = toFloat16(values);
    return { bytes: new Uint8Array(halves.buffer), values: Float32Array.from(new Float16Array(halves.buffer)) };
  }
  if (type === 'F8_E4M3') {
    const bytes = Uint8Array.from(values, nearestE4M3);
    return { bytes, values: Float32Array.from(bytes, (bits) => (bits & 0x80 ? -1 : 1) * E4M3[bits & 0x7f]) };
  }
  const patterns = new Uint32Array(values.slice().buffer);
  const upper = Uint16Array.from(patterns, (bits) => (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  return { bytes: new Uint8Array(upper.buffer), values: new Float32Array(Uint32Array.from(upper, (bits) => bits << 16).buffer) };
}

export function safetensors(tensors: ReadonlyMap<string, Tensor>, type: ElementType): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, { shape, values, type: own = type }] of tensors) {
    const { bytes } = rounded(values, own);
    header[name] = { dtype: own, shape, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

/** One token for each byte, then numbered ones; the last is the end. */
export function byteTokenizer(vocabularySize: number): object {
  let next = 256;
  const character = (byte: number): string => String.fromCodePoint((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : next++);
  const bytes = Array.from({ length: 256 }, (_, byte) => character(byte));
  const end = vocabularySize - 1;
  const vocab = Object.fromEntries(Array.from({ length: vocabularySize }, (_, id) => [id === end ? '<|end|>' : (bytes[id] ?? `t${id}`), id]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    normalizer: null,
    post_processor: null,
    added_tokens: [{ id: end, content: '<|end|>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', dropout: null, unk_token: null, vocab, merges: [] },
  };
}

export interface FolderOptions {
  readonly type?: ElementType;
  /** Files that the tensors are spread over. Default: one, without an index. */
  readonly shards?: number;
}
/** A folder as published. Returns the values that its element type holds. */
export function writeFolder(
  folder: string,
  config: Readonly<Record<string, unknown>> & { readonly vocab_size: number },
  tensors: ReadonlyMap<string, Tensor>,
  { type = 'F32', shards = 1 }: FolderOptions = {},
): Map<string, Float32Array> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(byteTokenizer(config.vocab_size)));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|end|>' }));
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: config.vocab_size - 1 }));
  writeFileSync(join(folder, 'chat_template.jinja'), '{% for message in messages %}{{ message.content }}{% endfor %}');
  if (shards === 1) writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors, type));
  else {
    const map: Record<string, string> = {};
    for (let shard = 0; shard < shards; shard++) {
      const name = `model-0000${shard + 1}-of-0000${shards}.safetensors`;
      const own = new Map([...tensors].filter((_, i) => i % shards === shard));
      for (const tensor of own.keys()) map[tensor] = name;
      writeFileSync(join(folder, name), safetensors(own, type));
    }
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
  }
  return new Map([...tensors].map(([name, { values, type: own = type }]) => [name, rounded(values, own).values]));
}
