// Owns small encoders in the layout of Hugging Face and sentence-transformers, with random weights: BERT's graph, the same with a causal mask and empty caches, pooled or not, with a head for ranking.
// Refuses to know how the engine runs them; `reference` computes the same in double precision, one text at a time.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataType, GraphBuilder, toFloat16 } from '../../src/model/onnx.ts';
import type { ElementType } from '../../src/model/onnx.ts';
import { seeded } from '../helpers/store-world.ts';

export interface EncoderShape {
  readonly vocabulary: number;
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
  readonly layers: number;
  readonly positions: number;
}
export const SMALL: EncoderShape = { vocabulary: 40, width: 16, heads: 2, inner: 24, layers: 2, positions: 32 };
export interface EncoderOptions {
  readonly shape?: EncoderShape;
  readonly seed?: number;
  /** Each token sees those before it only, and the graph takes caches, which stay empty. */
  readonly causal?: boolean;
  readonly ids?: 'int64' | 'int32';
  /** Outputs in half precision. */
  readonly half?: boolean;
  /** What the graph gives: a vector for each token, one for the text, or a number for it. */
  readonly output?: 'last_hidden_state' | 'token_embeddings' | 'sentence_embedding' | 'logits';
  /** Labels of `logits`. */
  readonly labels?: number;
  /** The mask is not taken: padding would be read as text. */
  readonly maskless?: boolean;
  /** Weights from elsewhere, by their names in BERT's checkpoints. */
  readonly weights?: (name: string, shape: readonly number[]) => Float32Array;
}

/** Weights as BERT's checkpoints call them; products are [in, out]. */
export function weightsOf({ shape = SMALL, seed = 3 }: EncoderOptions): (name: string, size: readonly number[]) => Float32Array {
  const made = new Map<string, Float32Array>();
  return (name, size) => {
    let values = made.get(name);
    if (!values) {
      const random = seeded([...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, seed + shape.width));
      const gain = name.endsWith('LayerNorm.weight');
      values = Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => (gain ? 1 : 0) + (random.next() * 2 - 1) * (gain ? 0.1 : 0.4));
      made.set(name, values);
    }
    return values;
  };
}
const EPSILON = 1e-12;
const layerOf = (i: number): string => `encoder.layer.${i}.`;

export function buildEncoder(options: EncoderOptions): Uint8Array {
  const { shape = SMALL, causal = false, ids: type = 'int64', half = false, output = 'last_hidden_state', labels = 1, maskless = false, weights = weightsOf(options) } = options;
  const { vocabulary, width, heads, inner, layers, positions } = shape;
  const size = width / heads;
  const g = new GraphBuilder();
  const weight = (name: string, dims: readonly number[]): string => g.weight(name, weights(name, dims), dims);
  const linear = (x: string, name: string, from: number, to: number): string => g.op('Add', [g.op('MatMul', [x, weight(`${name}.weight`, [from, to])]), weight(`${name}.bias`, [to])]);
  const norm = (x: string, name: string): string => g.op('LayerNormalization', [x, weight(`${name}.weight`, [width]), weight(`${name}.bias`, [width])], { axis: { int: -1 }, epsilon: EPSILON });
  const long = (value: string): string => (type === 'int64' ? value : g.op('Cast', [value], { to: { int: DataType.int64 } }));
  const ids = long(g.input('input_ids', type, ['batch_size', 'sequence_length']));
  const mask = maskless ? undefined : long(g.input('attention_mask', type, ['batch_size', 'sequence_length']));
  const segments = causal ? undefined : long(g.input('token_type_ids', type, ['batch_size', 'sequence_length']));
  const length = g.op('Slice', [g.op('Shape', [ids]), g.ints([1]), g.ints([2]), g.ints([0])]);
  const scalar = g.op('Squeeze', [length, g.ints([0])]);
  const places = g.op('Range', [g.ints(0), scalar, g.ints(1)]);

  let x = g.op('Add', [g.op('Gather', [weight('embeddings.word_embeddings.weight', [vocabulary, width]), ids]), g.op('Gather', [weight('embeddings.position_embeddings.weight', [positions, width]), places])]);
  if (segments !== undefined) x = g.op('Add', [x, g.op('Gather', [weight('embeddings.token_type_embeddings.weight', [2, width]), segments])]);
  x = norm(x, 'embeddings.LayerNorm');
  const unseen: string[] = [];
  if (mask !== undefined) {
    const hidden = g.op('Sub', [g.scalar(1), g.op('Cast', [mask], { to: { int: DataType.float } })]);
    unseen.push(g.op('Unsqueeze', [g.op('Mul', [hidden, g.scalar(-1e9)]), g.ints([1, 2])]));
  }
  if (causal) {
    const later = g.op('Greater', [g.op('Unsqueeze', [places, g.ints([0])]), g.op('Unsqueeze', [places, g.ints([1])])]);
    unseen.push(g.op('Where', [later, g.scalar(-1e9), g.scalar(0)]));
  }
  for (let i = 0; i < layers; i++) {
    const at = layerOf(i);
    const headed = (name: string): string => g.op('Transpose', [g.op('Reshape', [linear(x, `${at}attention.self.${name}`, width, width), g.ints([0, 0, heads, size])])], { perm: [0, 2, 1, 3] });
    let [key, value] = [headed('key'), headed('value')];
    if (causal) {
      const past = (kind: string): string => g.input(`past_key_values.${i}.${kind}`, half ? 'float16' : 'float', ['batch_size', heads, 'past_sequence_length', size]);
      const whole = (given: string): string => (half ? g.op('Cast', [given], { to: { int: DataType.float } }) : given);
      key = g.op('Concat', [whole(past('key')), key], { axis: { int: 2 } });
      value = g.op('Concat', [whole(past('value')), value], { axis: { int: 2 } });
    }
    let scores = g.op('Mul', [g.op('MatMul', [headed('query'), g.op('Transpose', [key], { perm: [0, 1, 3, 2] })]), g.scalar(1 / Math.sqrt(size))]);
    for (const each of unseen) scores = g.op('Add', [scores, each]);
    const attended = g.op('Reshape', [g.op('Transpose', [g.op('MatMul', [g.op('Softmax', [scores], { axis: { int: -1 } }), value])], { perm: [0, 2, 1, 3] }), g.ints([0, 0, width])]);
    x = norm(g.op('Add', [linear(attended, `${at}attention.output.dense`, width, width), x]), `${at}attention.output.LayerNorm`);
    const wide = g.op('Gelu', [linear(x, `${at}intermediate.dense`, width, inner)]);
    x = norm(g.op('Add', [linear(wide, `${at}output.dense`, inner, width), x]), `${at}output.LayerNorm`);
  }
  const give = (name: string, value: string, dims: readonly (number | string)[]): Uint8Array => {
    const real: ElementType = half ? 'float16' : 'float';
    g.output(half ? g.op('Cast', [value], { to: { int: DataType.float16 } }, { outputs: [name] }) : g.op('Identity', [value], {}, { outputs: [name] }), real, dims);
    return g.finish('encoder');
  };
  const first = (): string => g.op('Squeeze', [g.op('Slice', [x, g.ints([0]), g.ints([1]), g.ints([1])]), g.ints([1])]);
  if (output === 'logits') return give(output, linear(first(), 'classifier', width, labels), ['batch_size', labels]);
  if (output === 'sentence_embedding') return give(output, first(), ['batch_size', width]);
  return give(output, x, ['batch_size', 'sequence_length', width]);
}

/** Vectors of the tokens of one text, in double precision. */
export function reference(options: EncoderOptions, ids: readonly number[], segments: readonly number[] = ids.map(() => 0)): number[][] {
  const { shape = SMALL, causal = false, weights = weightsOf(options) } = options;
  const { vocabulary, width, heads, inner, layers, positions } = shape;
  const size = width / heads;
  const linear = (x: number[][], name: string, from: number, to: number): number[][] => {
    const [w, b] = [weights(`${name}.weight`, [from, to]), weights(`${name}.bias`, [to])];
    return x.map((row) => Array.from({ length: to }, (_, j) => row.reduce((sum, value, i) => sum + value * w[i * to + j], b[j])));
  };
  const norm = (x: number[][], name: string): number[][] => {
    const [gain, bias] = [weights(`${name}.weight`, [width]), weights(`${name}.bias`, [width])];
    return x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / width;
      const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / width + EPSILON);
      return row.map((value, i) => ((value - mean) / deviation) * gain[i] + bias[i]);
    });
  };
  const add = (a: number[][], b: number[][]): number[][] => a.map((row, i) => row.map((value, j) => value + b[i][j]));
  const table = (name: string, rows: number, row: number): number[] => Array.from(weights(name, [rows, width]).subarray(row * width, (row + 1) * width));
  let x = ids.map((id, i) => {
    const [word, place] = [table('embeddings.word_embeddings.weight', vocabulary, id), table('embeddings.position_embeddings.weight', positions, i)];
    const segment = causal ? undefined : table('embeddings.token_type_embeddings.weight', 2, segments[i]);
    return word.map((value, j) => value + place[j] + (segment?.[j] ?? 0));
  });
  x = norm(x, 'embeddings.LayerNorm');
  for (let l = 0; l < layers; l++) {
    const at = layerOf(l);
    const [q, k, v] = ['query', 'key', 'value'].map((name) => linear(x, `${at}attention.self.${name}`, width, width));
    const attended = x.map(() => Array.from({ length: width }, () => 0));
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < x.length; i++) {
        const seen = x.flatMap((_, j) => (causal && j > i ? [] : [j]));
        const scores = seen.map((j) => Array.from({ length: size }, (_, d) => q[i][h * size + d] * k[j][h * size + d]).reduce((a, b) => a + b, 0) / Math.sqrt(size));
        const greatest = Math.max(...scores);
        const weightsOfSeen = scores.map((score) => Math.exp(score - greatest));
        const total = weightsOfSeen.reduce((a, b) => a + b, 0);
        for (const [n, j] of seen.entries()) for (let d = 0; d < size; d++) attended[i][h * size + d] += (weightsOfSeen[n] / total) * v[j][h * size + d];
      }
    }
    x = norm(add(linear(attended, `${at}attention.output.dense`, width, width), x), `${at}attention.output.LayerNorm`);
    const wide = linear(x, `${at}intermediate.dense`, width, inner).map((row) => row.map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2))));
    x = norm(add(linear(wide, `${at}output.dense`, inner, width), x), `${at}output.LayerNorm`);
  }
  return x;
}
/** By its series; |x| is small here. */
function erf(x: number): number {
  let [sum, term] = [0, x];
  for (let n = 0; n < 200 && Math.abs(term) > 1e-18; n++) {
    sum += term / (2 * n + 1);
    term *= -(x * x) / (n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
/** The logit of a classifier over the first token. */
export function referenceLogit(options: EncoderOptions, ids: readonly number[], segments: readonly number[]): number {
  const { shape = SMALL, weights = weightsOf(options) } = options;
  const [first] = reference(options, ids, segments);
  const w = weights('classifier.weight', [shape.width, 1]);
  return first.reduce((sum, value, i) => sum + value * w[i], weights('classifier.bias', [1])[0]);
}

export const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'the', 'cat', 'dog', 'sat', 'ran', '##s', '##ning', 'query', 'passage', ':', '[', ']', 'sep', 'a', 'b', 'c'];
const special = (id: number, content: string): object => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
/** BERT's: word pieces in lower case, [CLS] and [SEP] around. `causal`: nothing in front, [SEP] behind. */
const tokenizer = (causal: boolean): object => {
  const [cls, sep] = ['[CLS]', '[SEP]'].map((id) => (segment: number) => ({ SpecialToken: { id, type_id: segment } }));
  const text = (id: 'A' | 'B', segment: number): object => ({ Sequence: { id, type_id: segment } });
  const tokens = { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } };
  return {
    version: '1.0',
    truncation: { max_length: 8, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
    padding: null,
    added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map((content, id) => special(id, content)),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: causal ? [text('A', 0), sep(0)] : [cls(0), text('A', 0), sep(0)],
      pair: [cls(0), text('A', 0), sep(0), text('B', 1), sep(1)],
      special_tokens: tokens,
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])) },
  };
};

export interface DenseOptions {
  readonly from: number;
  readonly to: number;
  readonly activation: string;
  readonly type?: 'F32' | 'F16' | 'BF16';
}
/** Row by row. `place`: which of several layers. */
export function denseWeights({ from, to }: DenseOptions, place: number): { readonly weights: number[]; readonly bias: number[] } {
  const random = seeded(90 + place);
  const numbers = (length: number): number[] => Array.from({ length }, () => random.next() * 2 - 1);
  return { weights: numbers(from * to), bias: numbers(to) };
}
/** A safetensors file: length of the header, header, numbers. */
function safetensors(options: DenseOptions, place: number): Uint8Array {
  const { from, to, type = 'F32' } = options;
  const { weights, bias } = denseWeights(options, place);
  const encode = (values: readonly number[]): Uint8Array => {
    const floats = Float32Array.from(values);
    if (type === 'F32') return new Uint8Array(floats.buffer);
    if (type === 'F16') return new Uint8Array(toFloat16(floats).buffer);
    return new Uint8Array(Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16).buffer);
  };
  const [w, b] = [encode(weights), encode(bias)];
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, 'linear.bias': { dtype: type, shape: [to], data_offsets: [0, b.length] }, 'linear.weight': { dtype: type, shape: [to, from], data_offsets: [b.length, b.length + w.length] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, b, w]);
}

export interface FolderOptions extends EncoderOptions {
  /** Layers of the modules called Dense, in their order. */
  readonly dense?: readonly DenseOptions[];
  readonly pooling?: Readonly<Record<string, unknown>>;
  /** False: no modules.json. Default: pooling and length 1. */
  readonly modules?: readonly string[] | false;
  readonly prompts?: Readonly<Record<string, unknown>>;
  readonly sentence?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
}
/** Writes a model folder. */
export async function writeEncoder(folder: string, options: FolderOptions = {}): Promise<string> {
  const { shape = SMALL, causal = false, output, labels = 1, pooling = { pooling_mode_mean_tokens: true }, modules = ['Transformer', 'Pooling', 'Normalize'], prompts, sentence, config, dense = [] } = options;
  const put = async (name: string, content: unknown): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  };
  const ranks = output === 'logits';
  const architecture = ranks ? 'BertForSequenceClassification' : causal ? 'Qwen3ForCausalLM' : 'BertModel';
  await put('config.json', {
    architectures: [architecture],
    model_type: causal ? 'qwen3' : 'bert',
    vocab_size: shape.vocabulary,
    hidden_size: shape.width,
    max_position_embeddings: shape.positions,
    pad_token_id: 0,
    ...(ranks ? { id2label: Object.fromEntries(Array.from({ length: labels }, (_, i) => [String(i), `LABEL_${i}`])) } : {}),
    ...config,
  });
  await put('tokenizer.json', tokenizer(causal));
  await put('tokenizer_config.json', { model_max_length: 1e30, tokenizer_class: 'BertTokenizer', do_lower_case: true });
  if (!ranks && modules !== false) {
    await put('modules.json', modules.map((kind, idx) => ({ idx, name: String(idx), path: idx === 0 ? '' : `${idx}_${kind}`, type: `sentence_transformers.models.${kind}` })));
    const places = modules.flatMap((kind, idx) => (kind === 'Dense' ? [`${idx}_Dense`] : []));
    for (const [n, layer] of dense.entries()) {
      await put(`${places[n]}/config.json`, { in_features: layer.from, out_features: layer.to, bias: true, activation_function: `torch.nn.modules.activation.${layer.activation}` });
      await put(`${places[n]}/model.safetensors`, safetensors(layer, n));
    }
    if (modules.includes('Pooling')) await put('1_Pooling/config.json', { word_embedding_dimension: shape.width, ...pooling });
  }
  if (prompts) await put('config_sentence_transformers.json', prompts);
  if (sentence) await put('sentence_bert_config.json', sentence);
  await put('onnx/model.onnx', buildEncoder(options));
  return folder;
}
