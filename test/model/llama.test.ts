// Owns the decoder of the Llama family against an independent float64 implementation, in each of its variants.
// Refuses to know text and files.

import t from 'tap';
import { buildLlama, llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { quantise } from '../../src/model/quantise.ts';
import { Random } from '../../src/training/random.ts';
import { feedInPieces, openGraph } from './graph.ts';
import { llamaLogits, randomWeights, SMALL } from './llama-reference.ts';
import { relativeError } from './reference.ts';
import type { Weights } from './reference.ts';

const TEXTS = [
  [3, 41, 9, 9, 27, 60, 1, 3, 41, 9, 9, 28, 5, 66, 0, 12, 33],
  [8, 15, 16, 5],
  [41, 9, 9, 27, 3, 3, 3, 50, 2],
  [7, 1, 7, 2],
];
const PIECES = [
  [9, 1, 4, 3],
  [1, 1, 1, 1],
  [5, 2, 1, 1],
  [0, 2, 1, 1],
];

const LATENT = { rank: 10, plainSize: 12, turnedSize: 6, valueSize: 7 } as const;
const HEAD = { headSize: 18, pairs: 'neighbours' } as const;

async function compare(
  t: Parameters<typeof openGraph>[0],
  config: LlamaConfig,
  weights: Weights,
  file: Uint8Array,
  bound: number,
  label: string,
): Promise<void> {
  const { latent, keyValueHeads, headSize } = config;
  const graph = await openGraph(t, file, {
    growing: Object.fromEntries(
      Array.from({ length: config.layers }, (_, i) =>
        latent ? [[`key.${i}`, [1, latent.rank + latent.turnedSize]]] : ['key', 'value'].map((kind) => [`${kind}.${i}`, [keyValueHeads, headSize]]),
      ).flat(),
    ),
  });
  const right = TEXTS.map((tokens) => llamaLogits(config, weights, tokens));
  let worst = 0;
  await feedInPieces(graph, TEXTS, PIECES, (text, place, logits) => void (worst = Math.max(worst, relativeError(logits, right[text][place]))));
  t.comment(`${label}: largest error over largest logit ${worst.toExponential(1)}`);
  t.ok(worst < bound, label);
}

for (const [label, more] of [
  ['Llama', {}],
  ['Qwen 2: biases, tied', { attentionBias: true, tied: true }],
  ['Qwen 3: heads are normed', { headNorm: true, tied: true }],
  ['every head with keys of its own', { keyValueHeads: 6 }],
  ['one head of keys', { keyValueHeads: 1 }],
  ['Llama with biases everywhere', { attentionBias: true, outputBias: true, feedForwardBias: true }],
  ['Phi-3: fused parameters, a part of each head turned', { fused: true, rotary: { base: 10_000, dimensions: 6 } }],
  ['Mistral: a window', { windows: [5, 5] }],
  ['Gemma 1', { activation: 'gelu', embeddingScale: Math.sqrt(32), tied: true }],
  [
    'Gemma 2',
    {
      activation: 'gelu',
      embeddingScale: Math.sqrt(32),
      tied: true,
      postNorms: true,
      scoreScale: 1 / Math.sqrt(12),
      scoreCap: 1.5,
      logitCap: 3,
      windows: [4, undefined],
    },
  ],
  ['DeepSeekMoE: the first layer without experts', { experts: { count: 5, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 } }],
  [
    'DeepSeek-V2 Lite: one latent head',
    { latent: LATENT, ...HEAD, scoreScale: 0.2, experts: { count: 5, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 } },
  ],
  [
    'DeepSeek-V2: queries of a rank, experts by groups',
    {
      latent: { ...LATENT, queryRank: 20 },
      ...HEAD,
      experts: { count: 8, perToken: 3, size: 12, shared: 12, firstLayer: 1, normalised: false, scale: 4, groups: { count: 4, kept: 2, by: 'one' } },
    },
  ],
  [
    'DeepSeek-V3: sigmoid gates, a bias that balances, groups by their two greatest',
    {
      latent: { ...LATENT, queryRank: 20 },
      ...HEAD,
      experts: {
        count: 8,
        perToken: 3,
        size: 12,
        shared: 12,
        firstLayer: 1,
        normalised: true,
        scale: 2.5,
        gate: 'sigmoid',
        balanced: true,
        groups: { count: 4, kept: 2, by: 'two' },
      },
    },
  ],
  ['one latent head that is turned by halves', { latent: { ...LATENT, turnedSize: 8 }, headSize: 20 }],
  ['experts whose shares sum to one, none shared', { experts: { count: 3, perToken: 2, size: 12, shared: 0, firstLayer: 0, normalised: true, scale: 1.5 } }],
] as const satisfies readonly (readonly [string, Partial<LlamaConfig>])[])
  t.test(`${label}: logits are right after every token, alone and side by side`, async (t) => {
    const config = { ...SMALL, ...more };
    const weights = randomWeights(config, 21);
    await compare(
      t,
      config,
      weights,
      buildLlama(config, (name) => weights.get(name) ?? new Float32Array(0), 'float'),
      2e-5,
      label,
    );
  });

t.test('as many texts as one likes stand side by side, however short the context', async (t) => {
  const config = { ...SMALL, contextLength: 6 };
  const weights = randomWeights(config, 8);
  const heads = [config.keyValueHeads, config.headSize];
  const graph = await openGraph(
    t,
    buildLlama(config, (name) => weights.get(name) ?? new Float32Array(0), 'float'),
    {
      growing: Object.fromEntries(
        Array.from({ length: config.layers }, (_, i) => [
          [`key.${i}`, heads],
          [`value.${i}`, heads],
        ]).flat(),
      ),
    },
  );
  const texts = Array.from({ length: 5 }, (_, b) => [3 + b, 41, 9, 9 + b, 27, 60]);
  const [right] = texts.map((tokens) => llamaLogits(config, weights, tokens));
  const fed = await graph.feedAll(
    texts.map(() => graph.start),
    texts,
  );
  t.ok(relativeError(fed[0].logits[5], right[5]) < 1e-5);
});

t.test('quantised weights give what the rounded ones give, and the loss is told', async (t) => {
  const experts = { count: 3, perToken: 2, size: 12, shared: 0, firstLayer: 1, normalised: false, scale: 1 };
  for (const [tied, more] of [
    [true, {}],
    [false, {}],
    [true, { experts }],
  ] as const)
    for (const storage of [
      { bits: 8, block: 16 },
      { bits: 4, block: 16 },
      { bits: 4, block: 32 },
      { bits: 4, block: 32, products: 'int8' },
    ] as const) {
      const config = { ...SMALL, tied, ...more };
      const weights = randomWeights(config, 22);
      const rounded = new Map(weights);
      for (const { name, shape } of llamaParameters(config)) {
        if (shape.length !== 2 || name.endsWith('mlp.gate.weight')) continue;
        const { values, scales, blocks } = quantise(weights.get(name) ?? new Float32Array(0), shape[0], shape[1], storage);
        const per = storage.block;
        rounded.set(
          name,
          Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => {
            const [row, column] = [Math.floor(i / shape[1]), i % shape[1]];
            const at = (row * blocks + Math.floor(column / per)) * per + (column % per);
            const q = storage.bits === 8 ? values[at] - 128 : ((at & 1) === 0 ? values[at >> 1] & 15 : values[at >> 1] >> 4) - 8;
            return q * scales[row * blocks + Math.floor(column / per)];
          }),
        );
      }
      const lost = new Map<string, number>();
      const file = buildLlama(
        config,
        (name) => weights.get(name) ?? new Float32Array(0),
        { products: 'float', ...storage },
        (name, error) => lost.set(name, error),
      );
      // Activations rounded to eight bits are far off in so narrow a model.
      await compare(
        t,
        config,
        rounded,
        file,
        'products' in storage ? 0.15 : 2e-5,
        `${storage.bits} bits, blocks of ${storage.block}, ${tied ? 'tied' : 'untied'}${'experts' in more ? ', experts' : ''}`,
      );
      t.equal(lost.size, 'experts' in more ? 13 : tied ? 9 : 10);
      for (const [name, error] of lost) t.ok(storage.bits === 8 ? error > 0.0005 && error < 0.01 : error > 0.02 && error < 0.12, `${name} ${error}`);
    }
});

t.test('matrices that come in pieces make the same file as whole ones, whether the pieces are cut out here or elsewhere', (t) => {
  const config = { ...SMALL, attentionBias: true, tied: true };
  const weights = randomWeights(config, 12);
  const whole = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  for (const storage of ['float', 'float16', { bits: 8, block: 16 }, { bits: 4, block: 32 }] as const) {
    const right = buildLlama(config, whole, storage);
    for (const piece of [1, 100, 320, 1e6]) {
      t.ok(Buffer.from(buildLlama(config, whole, storage, undefined, { piece })).equals(right), `${JSON.stringify(storage)}, ${piece} numbers, cut out here`);
      t.ok(Buffer.from(buildLlama(config, (name, from, to) => whole(name).slice(from, to), storage, undefined, { piece })).equals(right), 'cut out elsewhere');
    }
  }
  t.throws(() => buildLlama(config, (name) => whole(name).subarray(1), 'float'), /parameter model\.embed_tokens\.weight needs 2144 values, got 2143/);
  t.end();
});

t.test('a block meets its greatest weight, and rows that do not fill their last block are whole', (t) => {
  const random = new Random(4);
  for (const [bits, block, columns] of [
    [4, 32, 70],
    [8, 16, 40],
    [4, 16, 16],
  ] as const) {
    const weights = Float32Array.from({ length: 3 * columns }, () => random.normal());
    const { values, scales, blocks, error } = quantise(weights, 3, columns, { bits, block });
    const zero = 1 << (bits - 1);
    let [lost, all] = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const at = (row * blocks + Math.floor(column / block)) * block + (column % block);
      const q = bits === 8 ? values[at] : at % 2 === 0 ? values[at >> 1] & 15 : values[at >> 1] >> 4;
      const scale = scales[row * blocks + Math.floor(column / block)];
      t.ok(
        Math.abs(weights[i] - scale * (q - zero)) <= Math.abs(scale) * (q === 2 * zero - 1 ? 1 : 0.5) + 1e-6,
        'no weight is further away than half a step, but at the edge',
      );
      lost += (weights[i] - scale * (q - zero)) ** 2;
      all += weights[i] ** 2;
    }
    t.ok(Math.abs(error - Math.sqrt(lost / all)) < 1e-6);
  }
  t.same(quantise(new Float32Array(32), 1, 32, { bits: 4, block: 32 }).scales, new Float32Array(1));
  t.throws(() => quantise(new Float32Array(5), 1, 6, { bits: 4, block: 32 }), /needs 6 values, got 5/);
  t.throws(() => quantise(new Float32Array(6), 1, 6, { bits: 4, block: 24 }), /power of two/);
  t.end();
});

t.test('a matrix whose packed numbers are more than 2 Gi bits is whole, as the vocabulary of a large model is', (t) => {
  const rows = 2 ** 24 + 8;
  const weights = new Float32Array(rows);
  weights[rows - 1] = 3;
  const { values, scales } = quantise(weights, rows, 1, { bits: 8, block: 16 });
  t.equal(values.length, rows * 16);
  t.equal(scales[rows - 1] * (values[(rows - 1) * 16] - 128), 3);
  t.end();
});
