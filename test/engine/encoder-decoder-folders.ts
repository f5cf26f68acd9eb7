// Owns small encoder-decoders with random weights, as Optimum exports them (the decoder in one file or in two) and as the import makes them, and what their graphs give in a plain loop without any cache.
// Refuses to know how the engine runs them.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import type { Storage } from '../../src/model/decoder-parts.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import type { Dimension } from '../../src/model/onnx.ts';
import { transformerParameters } from '../../src/model/transformer.ts';
import type { TransformerConfig } from '../../src/model/transformer.ts';
import { seeded } from '../helpers/store-world.ts';
import { writeFolder } from '../model/checkpoints.ts';
import { randomTransformer } from '../model/transformer-reference.ts';
import { FOLDER } from './world.ts';

export const [VOCABULARY, CONTEXT, START, PAD, END] = [4096, 64, 3, 2, 1];
const [WIDTH, HEADS, SIZE, LAYERS] = [32, 2, 16, 2];
/** Of generation_config.json; `model_type` goes into config.json. */
export interface Said {
  readonly [key: string]: unknown;
}
export interface ExportOptions {
  /** `merged`: one decoder with a flag; `split`: one for the first pass of a text and one for the others. */
  readonly layout: 'merged' | 'split';
  /** The encoder's states, caches and logits in half precision. */
  readonly half?: boolean;
  /** Takes one token behind others at a time only, as exporters that trace such a pass make it. */
  readonly single?: boolean;
  readonly said?: Said;
  /** Behind the names of the graphs, such as `_q4`. */
  readonly suffix?: string;
}
type Pass = 'first' | 'later' | 'either';

function writeTexts(folder: string, config: object, said: Said): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(FOLDER, file), join(folder, file));
  const tokens = { decoder_start_token_id: START, eos_token_id: END, pad_token_id: PAD };
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ model_type: 'bart', is_encoder_decoder: true, vocab_size: VOCABULARY, max_position_embeddings: CONTEXT, ...config }),
  );
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ ...tokens, ...said }));
}

/** What both graphs are made of. The same names give the same weights. */
class Parts {
  readonly g = new GraphBuilder();
  readonly #half: boolean;
  constructor(half: boolean) {
    this.#half = half;
  }
  weight(name: string, shape: readonly number[], scale: number): string {
    const random = seeded(1 + Array.from(name).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7));
    return this.g.weight(
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.next() * 2 - 1) * scale),
      shape,
    );
  }
  product(x: string, name: string, [rows, columns]: readonly [number, number]): string {
    return this.g.op('MatMul', [x, this.weight(name, [rows, columns], 1.7 / Math.sqrt(rows))]);
  }
  toReal(value: string, output?: string): string {
    return this.g.op(this.#half ? 'Cast' : 'Identity', [value], this.#half ? { to: { int: 10 } } : {}, output === undefined ? {} : { outputs: [output] });
  }
  toFloat(value: string): string {
    return this.#half ? this.g.op('Cast', [value], { to: { int: 1 } }) : value;
  }
  get real(): 'float' | 'float16' {
    return this.#half ? 'float16' : 'float';
  }
  norm(x: string, name: string): string {
    return this.g.op('SimplifiedLayerNormalization', [x, this.weight(name, [WIDTH], 1)], { axis: { int: -1 }, epsilon: 1e-6 });
  }
  heads(x: string): string {
    return this.g.op('Transpose', [this.g.op('Reshape', [x, this.g.ints([0, 0, HEADS, SIZE])])], { perm: [0, 2, 1, 3] });
  }
  attend(query: string, key: string, value: string, hidden: string): string {
    const { g } = this;
    const scores = g.op('Add', [
      g.op('Mul', [g.op('MatMul', [query, g.op('Transpose', [key], { perm: [0, 1, 3, 2] })]), g.scalar(1 / Math.sqrt(SIZE))]),
      hidden,
    ]);
    const mixed = g.op('MatMul', [g.op('Softmax', [scores], { axis: { int: -1 } }), value]);
    return g.op('Reshape', [g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), g.ints([0, 0, HEADS * SIZE])]);
  }
  /** A large negative number where a mask [B, S] has no one: [B, 1, 1, S]. */
  hidden(mask: string): string {
    const { g } = this;
    return g.op('Unsqueeze', [g.op('Where', [g.op('Equal', [mask, g.ints(0)]), g.scalar(-1e9), g.scalar(0)]), g.ints([1, 2])]);
  }
  embedded(ids: string, past: string): string {
    const { g } = this;
    const count = g.op('Gather', [g.op('Shape', [ids]), g.ints(1)]);
    const places = g.op('Range', [past, g.op('Add', [past, count]), g.ints(1)]);
    return g.op('Add', [
      g.op('Gather', [this.weight('embed', [VOCABULARY, WIDTH], 1), ids]),
      g.op('Gather', [this.weight('places', [CONTEXT, WIDTH], 0.7), places]),
    ]);
  }
  fed(x: string, name: string): string {
    return this.g.op('Add', [
      x,
      this.product(this.g.op('Relu', [this.product(this.norm(x, `${name}.norm`), `${name}.1`, [WIDTH, 2 * WIDTH])]), `${name}.2`, [2 * WIDTH, WIDTH]),
    ]);
  }
}

function encoderGraph(half: boolean): Uint8Array {
  const parts = new Parts(half);
  const { g } = parts;
  const [ids, mask] = ['input_ids', 'attention_mask'].map((name) => g.input(name, 'int64', ['batch_size', 'encoder_sequence_length']));
  let x = parts.embedded(ids, g.ints(0));
  const hidden = parts.hidden(mask);
  for (let i = 0; i < LAYERS; i++) {
    const h = parts.norm(x, `e${i}.norm`);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => parts.heads(parts.product(h, `e${i}.${name}`, [WIDTH, WIDTH])));
    x = parts.fed(g.op('Add', [x, parts.product(parts.attend(q, k, v, hidden), `e${i}.o`, [WIDTH, WIDTH])]), `e${i}.fed`);
  }
  parts.toReal(x, 'last_hidden_state');
  g.output('last_hidden_state', parts.real, ['batch_size', 'encoder_sequence_length', WIDTH]);
  return g.finish('encoder');
}

function decoderGraph(pass: Pass, half: boolean, single: boolean): Uint8Array {
  const parts = new Parts(half);
  const { g } = parts;
  const mask = g.input('encoder_attention_mask', 'int64', ['batch_size', 'encoder_sequence_length']);
  const ids = g.input('input_ids', 'int64', ['batch_size', 'decoder_sequence_length']);
  const states = pass === 'later' ? '' : parts.toFloat(g.input('encoder_hidden_states', parts.real, ['batch_size', 'encoder_sequence_length', WIDTH]));
  const past = (name: string, tokens: string): string => (pass === 'first' ? '' : g.input(name, parts.real, ['batch_size', HEADS, tokens, SIZE]));
  const pasts = Array.from({ length: LAYERS }, (_, i) =>
    (['decoder', 'encoder'] as const).flatMap((side) =>
      (['key', 'value'] as const).map((kind) =>
        past(`past_key_values.${i}.${side}.${kind}`, side === 'decoder' ? 'past_decoder_sequence_length' : 'encoder_sequence_length_out'),
      ),
    ),
  );
  const flag = pass === 'either' ? g.op('Squeeze', [g.input('use_cache_branch', 'bool', [1])]) : '';
  const size = (value: string, axis: number): string => g.op('Gather', [g.op('Shape', [value]), g.ints(axis)]);
  const seen = pass === 'first' ? g.ints(0) : size(pasts[0][0], 2);
  const count = size(ids, 1);
  const total = g.op('Add', [seen, count]);
  const queries = g.op('Unsqueeze', [g.op('Range', [seen, total, g.ints(1)]), g.ints([1])]);
  let later = g.op('Greater', [g.op('Unsqueeze', [g.op('Range', [g.ints(0), total, g.ints(1)]), g.ints([0])]), queries]);
  if (single) later = g.op('And', [later, g.op('Equal', [seen, g.ints(0)])]);
  const hidden = g.op('Where', [later, g.scalar(-1e9), g.scalar(0)]);
  const crossHidden = parts.hidden(mask);
  let x = parts.embedded(ids, seen);
  const outputs: (readonly [string, readonly Dimension[]])[] = [];
  for (let i = 0; i < LAYERS; i++) {
    const h = parts.norm(x, `d${i}.norm`);
    const query = parts.heads(parts.product(h, `d${i}.q`, [WIDTH, WIDTH]));
    const [key, value] = (['key', 'value'] as const).map((kind, at) => {
      const fresh = parts.toReal(parts.heads(parts.product(h, `d${i}.${kind}`, [WIDTH, WIDTH])));
      const name = `present.${i}.decoder.${kind}`;
      if (pass === 'first') g.op('Identity', [fresh], {}, { outputs: [name] });
      else g.op('Concat', [pasts[i][at], fresh], { axis: { int: 2 } }, { outputs: [name] });
      outputs.push([name, ['batch_size', HEADS, 'past_decoder_sequence_length + decoder_sequence_length', SIZE]]);
      return parts.toFloat(name);
    });
    x = g.op('Add', [x, parts.product(parts.attend(query, key, value, hidden), `d${i}.o`, [WIDTH, WIDTH])]);
    const [crossKey, crossValue] = (['key', 'value'] as const).map((kind, at) => {
      const given = pasts[i][2 + at];
      if (pass === 'later') return parts.toFloat(given);
      const shape = ['batch_size', HEADS, 'encoder_sequence_length', SIZE] as const;
      const made = (): string => parts.toReal(parts.heads(parts.product(states, `c${i}.${kind}`, [WIDTH, WIDTH])));
      const name = `present.${i}.encoder.${kind}`;
      outputs.push([name, shape]);
      if (pass === 'first') return parts.toFloat(g.op('Identity', [made()], {}, { outputs: [name] }));
      // What comes out where caches are used is of no use, as in the files that Optimum merges.
      const [then, empty] = [
        g.branch(parts.real, shape, () => given),
        g.branch(parts.real, shape, () => g.op('Slice', [given, g.ints([0]), g.ints([0]), g.ints([0])])),
      ];
      g.op('If', [flag], { then_branch: empty, else_branch: g.branch(parts.real, shape, made) }, { outputs: [name] });
      return parts.toFloat(g.op('If', [flag], { then_branch: then, else_branch: g.branch(parts.real, shape, () => name) }));
    });
    const crossQuery = parts.heads(parts.product(parts.norm(x, `c${i}.norm`), `c${i}.q`, [WIDTH, WIDTH]));
    x = parts.fed(g.op('Add', [x, parts.product(parts.attend(crossQuery, crossKey, crossValue, crossHidden), `c${i}.o`, [WIDTH, WIDTH])]), `d${i}.fed`);
  }
  parts.toReal(parts.product(parts.norm(x, 'last'), 'head', [WIDTH, VOCABULARY]), 'logits');
  g.output('logits', parts.real, ['batch_size', 'decoder_sequence_length', VOCABULARY]);
  for (const [name, shape] of outputs) g.output(name, parts.real, shape);
  return g.finish('decoder');
}

/** Writes a model folder in Optimum's layout. */
export function writeExport(folder: string, { layout, half = false, single = false, said = {}, suffix = '' }: ExportOptions): void {
  writeTexts(folder, { architectures: ['BartForConditionalGeneration'] }, said);
  const write = (name: string, graph: Uint8Array): void => writeFileSync(join(folder, `onnx/${name}${suffix}.onnx`), graph);
  write('encoder_model', encoderGraph(half));
  if (layout === 'merged') write('decoder_model_merged', decoderGraph('either', half, single));
  else {
    write('decoder_model', decoderGraph('first', half, single));
    write('decoder_with_past_model', decoderGraph('later', half, single));
  }
}

const KEYS = {
  vocab_size: VOCABULARY,
  d_model: 32,
  encoder_layers: 2,
  encoder_attention_heads: 4,
  encoder_ffn_dim: 48,
  decoder_layers: 2,
  decoder_attention_heads: 2,
  decoder_ffn_dim: 40,
  max_position_embeddings: CONTEXT,
  is_encoder_decoder: true,
  tie_word_embeddings: false,
};
const SHARED = {
  vocabularySize: VOCABULARY,
  width: 32,
  contextLength: CONTEXT,
  encoder: { layers: 2, heads: 4, feedForward: 48 },
  decoder: { layers: 2, heads: 2, feedForward: 40 },
  normEpsilon: 1e-5,
  tied: false,
} as const;
const KINDS: Readonly<Record<'bart' | 'marian', { readonly config: TransformerConfig; readonly keys: object }>> = {
  bart: {
    config: { ...SHARED, positions: { kind: 'learned' }, norm: 'post', activation: 'gelu', embeddingNorm: true },
    keys: { activation_function: 'gelu', architectures: ['BartForConditionalGeneration'] },
  },
  marian: {
    config: { ...SHARED, positions: { kind: 'sinusoidal', layout: 'halves' }, norm: 'post', activation: 'silu', embeddingScale: Math.sqrt(32) },
    keys: { activation_function: 'swish', scale_embedding: true, architectures: ['MarianMTModel'] },
  },
};
/** Imports a checkpoint with random weights into a folder that is not there yet. */
export function importRandom(folder: string, kind: 'bart' | 'marian', storage: Storage, said: Said = {}): void {
  const { config, keys } = KINDS[kind];
  const weights = randomTransformer(config, 11);
  const tensors = new Map(
    transformerParameters(config).map(({ name, shape }) => {
      // Learned places have two rows in front that no token has.
      const skipped = name.endsWith('embed_positions.weight') ? 2 : 0;
      // The last token must count beside the source, or one token is repeated.
      const gain = name === 'model.shared.weight' ? 4 : /encoder_attn\.out_proj|\.bias$/.test(name) ? 0.3 : 1;
      const values = (weights.get(name) ?? new Float32Array()).map((value) => value * gain);
      return [
        name,
        {
          shape: [shape[0] + skipped, ...shape.slice(1)],
          values: Float32Array.from({ length: values.length + skipped * 32 }, (_, i) => values[i - skipped * 32] ?? 9),
        },
      ];
    }),
  );
  const from = `${folder}.checkpoint`;
  writeFolder(from, { ...KEYS, ...keys, model_type: kind }, tensors);
  writeTexts(from, { ...KEYS, ...keys, model_type: kind }, said);
  importModel({ from, out: folder, storage });
}

/** What a folder's graphs give when the whole text goes through them at each token: ids behind `begins`, greedily, until `end` or `count`. */
export async function reference(folder: string, source: readonly number[], count: number, begins: readonly number[] = [START], suffix = ''): Promise<number[]> {
  const open = async (name: string): Promise<ort.InferenceSession> =>
    ort.InferenceSession.create(join(folder, `onnx/${name}${suffix}.onnx`), { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 });
  const encoder = await open('encoder_model');
  const decoder = await open('decoder_model_merged').catch(() => open('decoder_model'));
  const row = (ids: readonly number[]): ort.Tensor => new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const ones = row(source.map(() => 1));
  const read = await encoder.run({ input_ids: row(source), attention_mask: ones });
  const ids = [...begins];
  while (ids.length < begins.length + count) {
    const feeds: Record<string, ort.Tensor> = {};
    for (const meta of decoder.inputMetadata) {
      if (!meta.isTensor) continue;
      const { name, shape, type } = meta;
      if (name === 'input_ids') feeds[name] = row(ids);
      else if (name === 'position_ids') feeds[name] = row(ids.map((_, i) => i));
      else if (name === 'encoder_attention_mask') feeds[name] = ones;
      else if (name === 'wanted') feeds[name] = row([ids.length - 1]);
      else if (name === 'past_lengths') feeds[name] = new ort.Tensor('int64', BigInt64Array.of(0n), [1]);
      else if (name === 'use_cache_branch') feeds[name] = new ort.Tensor('bool', [false], [1]);
      else if (name === 'encoder_hidden_states') feeds[name] = read['last_hidden_state'];
      else if (read[name]) feeds[name] = read[name];
      else {
        const sizes = shape.map((size) => (typeof size === 'number' ? size : /batch|^B$/.test(size) ? 1 : 0));
        feeds[name] = type === 'float16' ? new ort.Tensor('float16', new Uint16Array(0), sizes) : new ort.Tensor('float32', new Float32Array(0), sizes);
      }
    }
    const { logits } = await decoder.run(feeds, ['logits']);
    const all = logits.data as Float32Array;
    const last = all.subarray(all.length - VOCABULARY);
    const next = last.indexOf(Math.max(...last));
    ids.push(next);
    if (next === END) break;
  }
  await Promise.all([encoder.release(), decoder.release()]);
  return ids.slice(begins.length);
}
