// Owns attention in each form and experts, each alone in a graph, against independent float64 implementations; how far apart they are is said.
// Refuses to know whole models and families.

import t from 'tap';
import { Attention } from '../../src/model/attention.ts';
import type { AttentionShape } from '../../src/model/attention.ts';
import { routed, routerParameters } from '../../src/model/experts.ts';
import type { ExpertsConfig } from '../../src/model/experts.ts';
import { FullAttention } from '../../src/model/full-attention.ts';
import { latentAttention, latentParameters, latentSize } from '../../src/model/latent-attention.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { expertShares, latentAttended } from './latent-reference.ts';
import { headsAttend } from './transformer-reference.ts';

import { flat, float, graphOf, near, normals, rowsOf, run, weighted, whole } from './block.ts';

/** Two texts side by side, of which 5 and 2 tokens are remembered, and 4 more each. */
const [PASTS, NEW, B] = [[5, 2], 4, 2] as const;
t.test('scaled dot-product attention with what is remembered: one head, many, grouped, one of keys, with windows, with capped scores', async (t) => {
  for (const [label, more] of [
    ['scaled dot-product attention, causal', { heads: 1, keyValueHeads: 1 }],
    ['multi-head attention', { heads: 4, keyValueHeads: 4 }],
    ['grouped-query attention', { heads: 6, keyValueHeads: 2 }],
    ['multi-query attention', { heads: 4, keyValueHeads: 1 }],
    ['a window of 3 tokens', { heads: 2, keyValueHeads: 2, windows: [3] }],
    ['scores capped at 2, another scale', { heads: 2, keyValueHeads: 1, cap: 2, scale: 0.7 }],
  ] as const satisfies readonly (readonly [string, Partial<AttentionShape>])[]) {
    const shape: AttentionShape = { layers: 1, headSize: 8, ...more };
    const { heads, keyValueHeads, headSize } = shape;
    const g = new GraphBuilder();
    const attention = new Attention(g, shape);
    const [query, key, value] = [
      g.input('q', 'float', ['rows', heads * headSize]),
      ...['k', 'v'].map((name) => g.input(name, 'float', ['rows', keyValueHeads * headSize])),
    ];
    attention.logits(attention.last(attention.attend(0, query, key, value)), heads * headSize);
    const P = Math.max(...PASTS);
    const [q, k, v] = [heads, keyValueHeads, keyValueHeads].map((count) => normals(NEW * B * count * headSize, 2));
    const [pastK, pastV] = [normals(P * B * keyValueHeads * headSize, 2), normals(P * B * keyValueHeads * headSize, 2)];
    const given = await run(
      t,
      g.finish('attention'),
      {
        q: float(q, NEW * B, heads * headSize),
        k: float(k, NEW * B, keyValueHeads * headSize),
        v: float(v, NEW * B, keyValueHeads * headSize),
        'past_key.0': float(pastK, P, B, keyValueHeads, headSize),
        'past_value.0': float(pastV, P, B, keyValueHeads, headSize),
        input_ids: whole(
          Array.from({ length: B * NEW }, () => 0),
          B,
          NEW,
        ),
        position_ids: whole(
          Array.from({ length: B * NEW }, () => 0),
          B,
          NEW,
        ),
        past_lengths: whole(PASTS, B),
        wanted: whole(
          Array.from({ length: B * NEW }, (_, i) => (i % NEW) * B + Math.floor(i / NEW)),
          B,
          NEW,
        ),
      },
      'logits',
    );
    const right = PASTS.flatMap((past, b) => {
      const of = (values: Float32Array, width: number, count: number): Float64Array[] =>
        rowsOf(values, width)
          .filter((_, i) => i % B === b)
          .slice(0, count);
      const repeated = (rows: readonly Float64Array[]): Float64Array[] =>
        rows.map((row) =>
          Float64Array.from(
            { length: heads * headSize },
            (_, i) => row[Math.floor(Math.floor(i / headSize) / (heads / keyValueHeads)) * headSize + (i % headSize)],
          ),
        );
      const all = (before: Float32Array, after: Float32Array): Float64Array[] =>
        repeated([...of(before, keyValueHeads * headSize, past), ...of(after, keyValueHeads * headSize, NEW)]);
      const window = 'windows' in more ? more.windows[0] : Infinity;
      return flat(
        headsAttend(of(q, heads * headSize, NEW), all(pastK, k), all(pastV, v), heads, (i, s) => s <= past + i && s > past + i - window, {
          scale: shape.scale,
          cap: shape.cap,
        }),
      );
    });
    near(t, label, given, right);
  }
});

t.test('cross-attention sees all tokens of the other text and none of what fills places', async (t) => {
  const [heads, size, S, n] = [3, 8, 7, 5];
  const width = heads * size;
  const g = new GraphBuilder();
  const batch = g.ints([B]);
  const attention = new FullAttention(g, heads, size, batch, g.input('mask', 'int64', ['B', 'S']));
  const [keys, values] = ['k', 'v'].map((name) => attention.heads(g.input(name, 'float', ['others', width])));
  const file = graphOf(g, width, (x) => attention.attend(x, keys, values));
  const [x, k, v] = [n, S, S].map((count) => normals(count * B * width, 2));
  const lengths = [7, 4];
  const given = await run(t, file, {
    x: float(x, n * B, width),
    k: float(k, S * B, width),
    v: float(v, S * B, width),
    mask: whole(
      lengths.flatMap((length) => Array.from({ length: S }, (_, s) => Number(s < length))),
      B,
      S,
    ),
  });
  const of = (rows: Float32Array, b: number): Float64Array[] => rowsOf(rows, width).filter((_, i) => i % B === b);
  const right = lengths.map((length, b) => headsAttend(of(x, b), of(k, b), of(v, b), heads, (_, s) => s < length));
  near(t, 'cross-attention', given, Array.from({ length: n * B }, (_, i) => [...right[i % B][Math.floor(i / B)]]).flat());
});

t.test('experts: the chosen ones and their shares, in every variant of the router', async (t) => {
  const width = 16;
  const base = { count: 8, perToken: 3, size: 1, shared: 0, firstLayer: 0, normalised: false, scale: 1 };
  for (const [label, more] of [
    ['experts by softmax (DeepSeekMoE)', {}],
    ['experts whose shares sum to 1 (Mixtral, Qwen 3)', { normalised: true }],
    ['shared experts beside', { shared: 2 }],
    ['experts of the groups with the greatest one (DeepSeek-V2)', { scale: 16, groups: { count: 4, kept: 2, by: 'one' } }],
    [
      'experts by sigmoid, balanced, of the groups with the two greatest (DeepSeek-V3)',
      { gate: 'sigmoid', balanced: true, normalised: true, scale: 2.5, groups: { count: 4, kept: 2, by: 'two' } },
    ],
  ] as const satisfies readonly (readonly [string, Partial<ExpertsConfig>])[]) {
    const config: ExpertsConfig = { ...base, ...more };
    const names = [...Array.from({ length: config.count }, (_, e) => `mlp.experts.${e}`), ...(config.shared > 0 ? ['mlp.shared_experts'] : [])];
    const { w, values } = weighted([
      ...routerParameters(config, width).map(({ name, shape }) => ({ name: `mlp.${name}`, shape })),
      ...names.map((name) => ({ name: `${name}.weight`, shape: [width, width] })),
    ]);
    const file = graphOf(w.g, width, (x) => routed(w, x, 'mlp', width, config, (h, name) => w.product(h, name, [`${name}.weight`], width, width)));
    const x = normals(30 * width, 2);
    const times = (row: Float64Array, name: string): Float64Array =>
      Float64Array.from({ length: (values.get(name)?.length ?? 0) / width }, (_, o) =>
        row.reduce((sum, value, i) => sum + value * (values.get(name)?.[o * width + i] ?? 0), 0),
      );
    const right = rowsOf(x, width).map((row) => {
      const out = config.shared > 0 ? times(row, 'mlp.shared_experts.weight') : new Float64Array(width);
      for (const { expert, share } of expertShares(times(row, 'mlp.gate.weight'), config, values.get('mlp.gate.e_score_correction_bias')))
        times(row, `mlp.experts.${expert}.weight`).forEach((value, i) => void (out[i] += share * value));
      return out;
    });
    near(t, label, await run(t, file, { x: float(x, 30, width) }), flat(right));
  }
});

t.test('multi-head latent attention in its absorbed form is what it is with all keys and values made', async (t) => {
  const [width, heads, n] = [20, 4, 9];
  const latent = { rank: 10, plainSize: 12, turnedSize: 6, valueSize: 7 };
  for (const config of [latent, { ...latent, queryRank: 14 }]) {
    const { w, values } = weighted(latentParameters(config, width, heads));
    const { g } = w;
    const scale = 0.21;
    const attention = new Attention(g, { layers: 1, heads, keyValueHeads: 1, headSize: latentSize(config), shared: true, scale });
    const h = g.input('h', 'float', ['rows', width]);
    // Not turned: places are another block's.
    attention.logits(
      attention.last(latentAttention(w, attention, h, { layer: 0, prefix: '', width, heads, config, rotate: (rows) => rows })),
      heads * config.valueSize,
    );
    const x = normals(n * width);
    const given = await run(
      t,
      g.finish('latent'),
      {
        h: float(x, n, width),
        'past_key.0': float(new Float32Array(0), 0, 1, 1, latentSize(config)),
        input_ids: whole(
          Array.from({ length: n }, () => 0),
          1,
          n,
        ),
        position_ids: whole(
          Array.from({ length: n }, () => 0),
          1,
          n,
        ),
        past_lengths: whole([0], 1),
        wanted: whole(
          Array.from({ length: n }, (_, i) => i),
          1,
          n,
        ),
      },
      'logits',
    );
    const gain = (name: string): Float32Array => values.get(name) ?? new Float32Array(0);
    const times = (rows: readonly Float64Array[], name: string): Float64Array[] =>
      rows.map((row) =>
        Float64Array.from({ length: gain(`${name}.weight`).length / row.length }, (_, o) =>
          row.reduce((sum, value, i) => sum + value * gain(`${name}.weight`)[o * row.length + i], 0),
        ),
      );
    near(
      t,
      `latent attention${'queryRank' in config ? ' with queries of a rank' : ''}`,
      given,
      flat(latentAttended(rowsOf(x, width), { heads, config, scale, times, gain, turn: (vector) => vector })),
      5e-6,
    );
  }
});
