// Owns small decoders as other exporters write them, with random weights: caches concatenated or kept by GroupQueryAttention, whole or half precision, weights inside or beside the graph.
// Refuses to know how the engine runs them. What they compute is the same but for rounding, and `reference` computes it without any cache.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { GraphBuilder } from '../../src/model/onnx.ts';
import type { Dimension, ElementType } from '../../src/model/onnx.ts';
import { ProtoWriter, readFields } from '../../src/model/protobuf.ts';
import { seeded } from '../helpers/store-world.ts';
import { FOLDER } from './world.ts';

export interface ForeignOptions {
  readonly cache: 'concat' | 'grouped';
  /** Caches and logits in half precision. */
  readonly half?: boolean;
  /** One tensor a layer for keys and values, [2, batch, heads, tokens, size]. */
  readonly joined?: boolean;
  readonly ids?: 'int64' | 'int32';
  /** Weights in a file of their own. */
  readonly beside?: boolean;
  /** Logits go through a cap, as Gemma's do. */
  readonly capped?: boolean;
  /** Tokens back that a layer sees; with concatenated caches counted over their places. */
  readonly window?: number;
  /** GroupQueryAttention's window is marked as the size of its caches. */
  readonly marked?: boolean;
  /** Does config.json state it, as it should? Default true. */
  readonly windowSaid?: boolean;
  /** Logits of the last token alone. */
  readonly pruned?: boolean;
  /** Of several tokens behind others each sees all: only one at a time comes out right there. */
  readonly single?: boolean;
  /** The head's product is of whole numbers, rounded on a scale of the whole pass. */
  readonly rounded?: boolean;
  /** Names in the manner of ONNX Runtime GenAI, and the size of a head, stated in genai_config.json. */
  readonly genai?: boolean;
}
const [VOCABULARY, WIDTH, HEADS, KV, SIZE, LAYERS, CONTEXT] = [4096, 48, 4, 2, 16, 2, 256];
const INT32 = { int: 6 };
const FLOAT = { int: 1 };
const HALF = { int: 10 };

function build(options: ForeignOptions): Uint8Array {
  const { cache, half = false, joined = false, ids = 'int64', capped = false, genai = false, window, rounded = false, marked = false, single = false, pruned = false } = options;
  const g = new GraphBuilder();
  const random = seeded(5);
  const weight = (name: string, shape: readonly number[], scale: number): string =>
    g.weight(name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.next() * 2 - 1) * scale), shape);
  const real: ElementType = half ? 'float16' : 'float';
  const toReal = (value: string): string => (half ? g.op('Cast', [value], { to: HALF }) : value);
  const toFloat = (value: string): string => (half ? g.op('Cast', [value], { to: FLOAT }) : value);
  const pastName = (kind: 'key' | 'value', i: number): string => (genai ? `past_${kind}_${i}` : `past_key_values.${i}.${kind}`);
  const presentName = (kind: 'key' | 'value', i: number): string => (genai ? `present_${kind}_${i}` : `present.${i}.${kind}`);

  const inputIds = g.input('input_ids', ids, ['batch_size', 'sequence_length']);
  const mask = g.input('attention_mask', ids, ['batch_size', 'total_sequence_length']);
  const positions = cache === 'concat' ? g.op('Cast', [g.input('position_ids', ids, ['batch_size', 'sequence_length'])], { to: { int: 7 } }) : '';
  const cos = g.weight('cos', Float32Array.from({ length: (CONTEXT * SIZE) / 2 }, (_, i) => Math.cos(Math.floor(i / (SIZE / 2)) / 10000 ** ((2 * (i % (SIZE / 2))) / SIZE))), [CONTEXT, SIZE / 2]);
  const sin = g.weight('sin', Float32Array.from({ length: (CONTEXT * SIZE) / 2 }, (_, i) => Math.sin(Math.floor(i / (SIZE / 2)) / 10000 ** ((2 * (i % (SIZE / 2))) / SIZE))), [CONTEXT, SIZE / 2]);
  let x = g.op('Gather', [weight('embed', [VOCABULARY, WIDTH], 1), inputIds]);
  for (let i = 0; i < LAYERS; i++) {
    const gain = g.weight(`gain.${i}`, new Float32Array(WIDTH).fill(1), [WIDTH]);
    const h = g.op('SimplifiedLayerNormalization', [x, gain], { axis: { int: -1 }, epsilon: 1e-6 });
    const q = g.op('MatMul', [h, weight(`q.${i}`, [WIDTH, HEADS * SIZE], 0.4)]);
    const k = g.op('MatMul', [h, weight(`k.${i}`, [WIDTH, KV * SIZE], 0.4)]);
    const v = g.op('MatMul', [h, weight(`v.${i}`, [WIDTH, KV * SIZE], 0.4)]);
    const size: Dimension = genai ? 'kv_cache_dim' : SIZE;
    const shape: Dimension[] = ['batch_size', KV, 'past_sequence_length', size];
    const whole: Dimension[] = ['batch_size', KV, 'total_sequence_length', size];
    let pasts: string[];
    if (joined) {
      const both = g.input(`past_${i}`, real, [2, ...shape]);
      pasts = [0, 1].map((side) => g.op('Gather', [both, g.ints(side)], { axis: { int: 0 } }));
    } else pasts = (['key', 'value'] as const).map((kind) => g.input(pastName(kind, i), real, shape));
    let [presentKey, presentValue, attended] = ['', '', ''];
    if (cache === 'grouped') {
      const ones = g.op('ReduceSum', [g.op('Cast', [mask], { to: { int: 7 } }), g.ints([1])], { keepdims: { int: 0 } });
      const seen = g.op('Cast', [g.op('Sub', [ones, g.ints(1)])], { to: INT32 });
      const total = g.op('Cast', [g.op('Gather', [g.op('Shape', [mask]), g.ints(1)])], { to: INT32 });
      const names = joined ? [g.fresh('pk'), g.fresh('pv')] : [presentName('key', i), presentName('value', i)];
      attended = g.fresh('attended');
      g.op(
        'GroupQueryAttention',
        [toReal(q), toReal(k), toReal(v), ...pasts, seen, total, ...[cos, sin].map(toReal)],
        { num_heads: { int: HEADS }, kv_num_heads: { int: KV }, do_rotary: { int: 1 }, ...(window === undefined ? {} : { local_window_size: { int: window } }), ...(marked ? { sliding_window_cache: { int: 1 } } : {}) },
        { domain: 'com.microsoft', outputs: [attended, ...names] },
      );
      [presentKey, presentValue] = names;
      attended = toFloat(attended);
    } else {
      const headed = (value: string, heads: number): string => g.op('Transpose', [g.op('Reshape', [value, g.ints([0, 0, heads, SIZE])])], { perm: [0, 2, 1, 3] });
      const turned = (value: string, heads: number): string => g.op('RotaryEmbedding', [headed(value, heads), positions, cos, sin], {}, { domain: 'com.microsoft' });
      presentKey = g.op('Concat', [pasts[0], toReal(turned(k, KV))], { axis: { int: 2 } }, joined ? {} : { outputs: [presentName('key', i)] });
      presentValue = g.op('Concat', [pasts[1], toReal(headed(v, KV))], { axis: { int: 2 } }, joined ? {} : { outputs: [presentName('value', i)] });
      // Each head of keys and values serves HEADS / KV heads of queries.
      const spread = (value: string): string => {
        const five = g.op('Unsqueeze', [toFloat(value), g.ints([2])]);
        const shaped = g.op('Expand', [five, g.ints([1, 1, HEADS / KV, 1, 1])]);
        return g.op('Reshape', [shaped, g.ints([0, HEADS, -1, SIZE])]);
      };
      const scores = g.op('Mul', [g.op('MatMul', [turned(q, HEADS), g.op('Transpose', [spread(presentKey)], { perm: [0, 1, 3, 2] })]), g.scalar(1 / Math.sqrt(SIZE))]);
      const total = g.op('Gather', [g.op('Shape', [mask]), g.ints(1)]);
      const keys = g.op('Range', [g.ints(0), total, g.ints(1)]);
      // A query sees the keys up to its own place in the cache, of those that the mask shows.
      const count = g.op('Gather', [g.op('Shape', [inputIds]), g.ints(1)]);
      const queries = g.op('Range', [g.op('Sub', [total, count]), total, g.ints(1)]);
      const [keyRow, queryColumn] = [g.op('Unsqueeze', [keys, g.ints([0])]), g.op('Unsqueeze', [queries, g.ints([1])])];
      let later = g.op('Greater', [keyRow, queryColumn]);
      if (window !== undefined) later = g.op('Or', [later, g.op('Greater', [g.op('Sub', [queryColumn, keyRow]), g.ints(window - 1)])]);
      if (single) later = g.op('And', [later, g.op('Equal', [total, count])]);
      const masked = g.op('Equal', [g.op('Unsqueeze', [g.op('Cast', [mask], { to: { int: 7 } }), g.ints([1])]), g.ints(0)]);
      const hidden = g.op('Where', [g.op('Unsqueeze', [g.op('Or', [g.op('Unsqueeze', [later, g.ints([0])]), masked]), g.ints([1])]), g.scalar(-1e9), g.scalar(0)]);
      const weights = g.op('Softmax', [g.op('Add', [scores, hidden])], { axis: { int: -1 } });
      attended = g.op('Reshape', [g.op('Transpose', [g.op('MatMul', [weights, spread(presentValue)])], { perm: [0, 2, 1, 3] }), g.ints([0, 0, HEADS * SIZE])]);
    }
    if (joined) {
      const both = g.op('Concat', [presentKey, presentValue].map((value) => g.op('Unsqueeze', [value, g.ints([0])])), { axis: { int: 0 } }, { outputs: [`present_${i}`] });
      g.output(both, real, [2, ...whole]);
    } else {
      g.output(presentKey, real, whole);
      g.output(presentValue, real, whole);
    }
    x = g.op('Add', [x, g.op('MatMul', [attended, weight(`o.${i}`, [HEADS * SIZE, WIDTH], 0.4)])]);
  }
  if (pruned) x = g.op('Unsqueeze', [g.op('Gather', [x, g.ints(-1)], { axis: { int: 1 } }), g.ints([1])]);
  const normed = g.op('SimplifiedLayerNormalization', [x, g.weight('last', new Float32Array(WIDTH).fill(1), [WIDTH])], { axis: { int: -1 }, epsilon: 1e-6 });
  const head = weight('head', [WIDTH, VOCABULARY], 0.5);
  let logits: string;
  if (rounded) {
    const [[q, qScale, qZero], [w, wScale, wZero]] = [normed, head].map((value) => {
      const outputs = ['bytes', 'scale', 'zero'].map((name) => g.fresh(name));
      g.op('DynamicQuantizeLinear', [value], {}, { outputs });
      return outputs;
    });
    logits = g.op('Mul', [g.op('Cast', [g.op('MatMulInteger', [q, w, qZero, wZero])], { to: FLOAT }), g.op('Mul', [qScale, wScale])]);
  } else logits = g.op('MatMul', [normed, head]);
  if (capped) logits = g.op('Mul', [g.op('Tanh', [g.op('Div', [logits, g.scalar(8)])]), g.scalar(8)]);
  logits = half ? g.op('Cast', [logits], { to: HALF }, { outputs: ['logits'] }) : g.op('Identity', [logits], {}, { outputs: ['logits'] });
  g.output(logits, real, ['batch_size', pruned ? 1 : 'sequence_length', VOCABULARY]);
  return g.finish('foreign');
}

/** Moves the raw data of large initializers into a file of their own (onnx.proto: data_location EXTERNAL, external_data). */
function moveWeights(model: Uint8Array, name: string): { readonly model: Uint8Array; readonly data: Uint8Array } {
  const data = new ProtoWriter();
  let offset = 0;
  const out = new ProtoWriter();
  readFields(model, (field, value, whole) => {
    if (field !== 7 || typeof value === 'number') {
      out.raw(whole);
      return;
    }
    const graph = new ProtoWriter();
    readFields(value, (part, tensor, all) => {
      if (part !== 5 || typeof tensor === 'number' || tensor.length < 1024) {
        graph.raw(all);
        return;
      }
      const moved = new ProtoWriter();
      readFields(tensor, (each, raw, bytes) => {
        if (each !== 9 || typeof raw === 'number') {
          moved.raw(bytes);
          return;
        }
        for (const [key, text] of [['location', name], ['offset', String(offset)], ['length', String(raw.length)]] as const) moved.message(13, new ProtoWriter().text(1, key).text(2, text));
        moved.int(14, 1);
        data.raw(raw);
        offset += raw.length;
      });
      graph.message(5, moved);
    });
    out.message(7, graph);
  });
  return { model: out.finish(), data: data.finish() };
}

/** Writes a model folder and returns the path of its graph. */
export async function writeForeign(folder: string, options: ForeignOptions): Promise<string> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) await cp(join(FOLDER, file), join(folder, file));
  let file = join(folder, 'onnx/model.onnx');
  if (options.genai) {
    file = join(folder, 'decoder.onnx');
    const named = (stem: string): Record<string, string> => ({ [`${stem}_key_names`]: `${stem}_key_%d`, [`${stem}_value_names`]: `${stem}_value_%d` });
    const decoder = { filename: 'decoder.onnx', head_size: SIZE, inputs: { input_ids: 'input_ids', ...named('past') }, outputs: { logits: 'logits', ...named('present') } };
    await writeFile(join(folder, 'genai_config.json'), JSON.stringify({ model: { type: 'llama', vocab_size: VOCABULARY, context_length: CONTEXT, eos_token_id: [1], decoder } }));
  } else await writeFile(join(folder, 'config.json'), JSON.stringify({ architectures: ['LlamaForCausalLM'], vocab_size: VOCABULARY, max_position_embeddings: CONTEXT, num_hidden_layers: LAYERS, eos_token_id: 1, ...(options.windowSaid === false ? {} : { sliding_window: options.window ?? null }) }));
  const model = build(options);
  if (options.beside) {
    const moved = moveWeights(model, 'model.onnx_data');
    await writeFile(file, moved.model);
    await writeFile(join(folder, 'onnx/model.onnx_data'), moved.data);
  } else await writeFile(file, model);
  return file;
}

/** What the graph itself gives when the whole text goes through it at each token: ids, greedily, until token 1 or `count`. */
export async function reference(file: string, prompt: readonly number[], count: number): Promise<number[]> {
  const session = await ort.InferenceSession.create(file, { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 });
  const ids = [...prompt];
  while (ids.length < prompt.length + count) {
    const feeds: Record<string, ort.Tensor> = {};
    for (const meta of session.inputMetadata) {
      if (!meta.isTensor) continue;
      const shape = meta.shape.map((size, i) => (typeof size === 'number' ? size : i === (meta.shape.length === 5 ? 1 : 0) ? 1 : size === 'kv_cache_dim' ? SIZE : meta.name.startsWith('past') ? 0 : ids.length));
      const whole = (values: readonly number[]): ort.Tensor => (meta.type === 'int64' ? new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape) : new ort.Tensor('int32', Int32Array.from(values), shape));
      if (meta.name === 'input_ids') feeds[meta.name] = whole(ids);
      else if (meta.name === 'attention_mask') feeds[meta.name] = whole(ids.map(() => 1));
      else if (meta.name === 'position_ids') feeds[meta.name] = whole(ids.map((_, i) => i));
      else feeds[meta.name] = meta.type === 'float16' ? new ort.Tensor('float16', new Uint16Array(0), shape) : new ort.Tensor('float32', new Float32Array(0), shape);
    }
    const { logits } = await session.run(feeds, ['logits']);
    const size = logits.dims[2];
    const last = Array.from((logits.data as Float32Array).subarray(-size));
    const next = last.indexOf(Math.max(...last));
    ids.push(next);
    if (next === 1) break;
  }
  await session.release();
  return ids.slice(prompt.length);
}
