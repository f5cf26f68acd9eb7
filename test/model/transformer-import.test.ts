// Owns that checkpoints of encoder-decoders (BART, mBART, Marian) become two graphs that say what the equations say.
// Refuses to know the graphs' operators.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Storage } from '../../src/model/decoder-parts.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import { describePlan, parameterCount } from '../../src/model/import/plan.ts';
import { openSource } from '../../src/model/import/source.ts';
import type { TransformerConfig } from '../../src/model/transformer.ts';
import { writeFolder } from './checkpoints.ts';
import type { Tensor } from './checkpoints.ts';
import { decoderOf, encode } from './encoder-decoder.ts';
import { feedInPieces } from './graph.ts';
import { relativeError } from './reference.ts';
import { randomTransformer, transformer } from './transformer-reference.ts';

const VOCABULARY = 300;
const [ENCODER, DECODER] = [
  { layers: 2, heads: 4, feedForward: 48 },
  { layers: 3, heads: 2, feedForward: 40 },
];
const KEYS = {
  vocab_size: VOCABULARY,
  d_model: 32,
  encoder_layers: 2,
  encoder_attention_heads: 4,
  encoder_ffn_dim: 48,
  decoder_layers: 3,
  decoder_attention_heads: 2,
  decoder_ffn_dim: 40,
  max_position_embeddings: 40,
  dropout: 0.1,
  attention_dropout: 0,
  activation_dropout: 0,
  is_encoder_decoder: true,
  decoder_start_token_id: 2,
  forced_eos_token_id: 2,
  num_hidden_layers: 2,
  init_std: 0.02,
  encoder_layerdrop: 0,
};
const BASE = {
  vocabularySize: VOCABULARY,
  width: 32,
  contextLength: 40,
  encoder: ENCODER,
  decoder: DECODER,
  normEpsilon: 1e-5,
  tied: true,
  logitBias: true,
} as const;
const SOURCES = [
  [3, 41, 9, 280, 27, 60, 1],
  [8, 15],
];
const TEXTS = [
  [2, 41, 9, 9, 27, 60],
  [2, 15, 16, 299, 1],
];
const PIECES = [
  [0, 4, 1, 1],
  [0, 3, 1, 1],
];
const FAMILIES: readonly (readonly [string, Readonly<Record<string, unknown>>, TransformerConfig])[] = [
  [
    'bart',
    {
      activation_function: 'gelu',
      scale_embedding: false,
      normalize_before: false,
      normalize_embedding: true,
      add_final_layer_norm: false,
      add_bias_logits: false,
    },
    { ...BASE, positions: { kind: 'learned' }, norm: 'post', activation: 'gelu', embeddingNorm: true },
  ],
  [
    'mbart',
    { activation_function: 'relu', scale_embedding: true, normalize_before: true, add_final_layer_norm: true },
    { ...BASE, positions: { kind: 'learned' }, norm: 'pre', activation: 'relu', embeddingNorm: true, embeddingScale: Math.sqrt(32) },
  ],
  [
    'marian',
    { activation_function: 'swish', scale_embedding: true, static_position_embeddings: true, decoder_vocab_size: VOCABULARY },
    { ...BASE, positions: { kind: 'sinusoidal', layout: 'halves' }, norm: 'post', activation: 'silu', embeddingScale: Math.sqrt(32) },
  ],
];
/** As published: learned positions have two rows in front that no token has, the bias is a row. */
function publishedOf(weights: ReadonlyMap<string, Float32Array>): Map<string, Tensor> {
  const shapeOf = (name: string, size: number): number[] =>
    name === 'final_logits_bias'
      ? [1, size]
      : /(norm|layernorm_embedding)\.weight$|bias$/.test(name)
        ? [size]
        : name.endsWith('fc2.weight')
          ? [32, size / 32]
          : [size / 32, 32];
  return new Map(
    [...weights].map(([name, values]) => {
      const all = name.endsWith('embed_positions.weight') ? Float32Array.of(...Array.from({ length: 64 }, () => 9), ...values) : values;
      return [name, { shape: shapeOf(name, all.length), values: all }];
    }),
  );
}

for (const [kind, keys, config] of FAMILIES)
  t.test(`${kind}: encoder and decoder say what the equations say, from whole weights and from rounded ones`, async (t) => {
    const folder = join(t.testdir(), kind);
    const tensors = publishedOf(randomTransformer(config, 41));
    const places: Tensor = { shape: [40, 32], values: new Float32Array(1280) };
    // Some checkpoints have what the others leave out.
    if (kind === 'marian') for (const name of ['model.encoder.embed_positions.weight', 'model.decoder.embed_positions.weight']) tensors.set(name, places);
    const table = tensors.get('model.shared.weight');
    if (kind === 'bart' && table) for (const name of ['model.encoder.embed_tokens.weight', 'lm_head.weight']) tensors.set(name, table);
    writeFolder(folder, { model_type: kind, ...KEYS, ...keys }, tensors, { shards: 2 });
    for (const [storage, bound] of [
      ['float', 1e-5],
      [{ bits: 8, block: 16 }, 0.08],
    ] as const satisfies readonly (readonly [Storage, number])[]) {
      const out = join(folder, `../${typeof storage === 'string' ? storage : 'int8'}`);
      const seen: number[] = [];
      const report = importModel({ from: folder, out, storage, onLayer: ({ layer }) => seen.push(layer) });
      t.same(seen, [0, 1, 2, 3, 4], 'each layer is told of once, also those of which parts are in both graphs');
      t.same(report.graphs, ['onnx/encoder_model.onnx', 'onnx/decoder_model.onnx']);
      t.equal(
        report.parameters,
        [...randomTransformer(config, 41).values()].reduce((sum, { length }) => sum + length, 0),
      );
      t.equal(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).decoder_start_token_id, 2);
      if (typeof storage !== 'string') t.ok(report.layers.every(({ lost }) => lost && lost.all > 0.001 && lost.all < 0.01) && report.outside.length === 1);
      const weights = randomTransformer(config, 41);
      const right = transformer(config, weights);
      const { given } = await encode(t, join(out, report.graphs[0]), SOURCES, 32);
      const logits = TEXTS.map((tokens, b) => right.logits(tokens, SOURCES[b]));
      let worst = 0;
      await feedInPieces(
        await decoderOf(t, join(out, report.graphs[1]), config, given),
        TEXTS,
        PIECES,
        (text, place, row) => void (worst = Math.max(worst, relativeError(row, logits[text][place]))),
      );
      t.comment(`${kind}, ${JSON.stringify(storage)}: largest error ${worst.toExponential(1)}`);
      t.ok(worst < bound && worst > 0, String(worst));
    }
  });

t.test('sides that have embeddings of their own are refused, and one that is a copy is not', (t) => {
  const folder = join(t.testdir(), 'bart');
  const [, keys, config] = FAMILIES[0];
  const tensors = publishedOf(randomTransformer(config, 41));
  const table = tensors.get('model.shared.weight') ?? { shape: [], values: new Float32Array() };
  const run = (more: readonly string[] = []): void => {
    writeFolder(folder, { model_type: 'bart', ...KEYS, ...keys }, tensors);
    importModel({ from: folder, out: join(folder, `../out-${more.length}`), storage: 'float', ignore: more });
  };
  tensors.set('model.decoder.embed_tokens.weight', { ...table, values: table.values.map((value, i) => (i === 5 ? value + 1 : value)) });
  t.throws(run, { code: 'checkpoint_unsupported', message: /model\.decoder\.embed_tokens\.weight differs from model\.shared\.weight/ });
  run(['model.decoder.embed_tokens.weight']);
  tensors.set('model.decoder.embed_tokens.weight', table);
  run();
  t.end();
});

t.test('what such a model cannot be is refused; a plan counts both sides', (t) => {
  const folder = join(t.testdir(), 'marian');
  const [, , config] = FAMILIES[1];
  const refused = (keys: object, message: RegExp, code = 'checkpoint_unsupported'): void => {
    writeFolder(folder, { model_type: 'mbart', ...KEYS, ...FAMILIES[1][1], ...keys }, publishedOf(randomTransformer(config, 1)));
    t.throws(() => importModel({ from: folder, out: join(folder, '../out'), storage: 'float' }), { name: 'CheckpointError', code, message });
    t.notOk(existsSync(join(folder, '../out')));
  };
  refused({ normalize_before: false }, /normalize_before is false; of a model of type mbart, true is computed here/);
  refused({ activation_function: 'tanh' }, /activation_function is "tanh"; relu, gelu/);
  refused({ decoder_vocab_size: 7 }, /decoder_vocab_size is 7; both sides must have the vocabulary of 300/);
  refused({ encoder_attention_heads: 5 }, /encoder_attention_heads is 5; it must divide d_model, 32/);
  refused({ decoder_layers: 1e9 }, /decoder_layers: 1000000000 is more than 1024 layers/, 'checkpoint_invalid');
  refused({ decoder_layers: 4 }, /has no tensor model\.decoder\.layers\.3/, 'checkpoint_invalid');
  const { architecture } = openSource(folder, { planned: true });
  t.equal(
    parameterCount(architecture) - 300,
    [...randomTransformer({ ...config, decoder: { ...DECODER, layers: 4 }, logitBias: false }, 1).values()].reduce((sum, { length }) => sum + length, 0) - 300,
  );
  t.match(describePlan(architecture, 32).join('\n'), /^mbart: [\d,]+ parameters, 6 layers/);
  t.end();
});
