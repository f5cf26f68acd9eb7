// Owns norms, activations, positions and embeddings, each alone in a graph, against independent float64 implementations; how far apart they are is said.
// Refuses to know whole models and families.

import t from 'tap';
import type { Storage } from '../../src/model/decoder-parts.ts';
import { activated, layerNorm, rmsNorm } from '../../src/model/layers.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { placed, positionParameters } from '../../src/model/positions.ts';
import type { Positions } from '../../src/model/positions.ts';
import { rotaryAngles, stretchedBase } from '../../src/model/rotary.ts';
import type { RotaryConfig } from '../../src/model/rotary.ts';
import { activate, layerNormed } from './transformer-reference.ts';

import { flat, float, graphOf, near, normals, rowsOf, run, weighted, whole } from './block.ts';

t.test('norms and activations', async (t) => {
  const width = 40;
  const x = normals(6 * width, 3);
  const [gain, bias] = [normals(width), normals(width)];
  const rows = rowsOf(x, width);
  const alone = async (label: string, body: (g: GraphBuilder, x: string) => string, right: (row: Float64Array) => Float64Array): Promise<void> => {
    const g = new GraphBuilder();
    near(
      t,
      label,
      await run(
        t,
        graphOf(g, width, (value) => body(g, value)),
        { x: float(x, 6, width) },
      ),
      flat(rows.map(right)),
    );
  };
  await alone(
    'RMSNorm',
    (g, value) => rmsNorm(g, value, g.weight('gain', gain, [width]), 1e-5),
    (row) => {
      const root = Math.sqrt(row.reduce((sum, each) => sum + each ** 2, 0) / width + 1e-5);
      return row.map((each, i) => (each / root) * gain[i]);
    },
  );
  await alone(
    'LayerNorm',
    (g, value) => layerNorm(g, value, g.weight('gain', gain, [width]), g.weight('bias', bias, [width]), 1e-5),
    (row) => layerNormed(row, gain, bias, 1e-5),
  );
  for (const [label, kind] of [
    ['ReLU', 'relu'],
    ['GELU, exact', 'gelu'],
    ['GELU by tanh', 'gelu-tanh'],
    ['SiLU', 'silu'],
  ] as const)
    await alone(
      label,
      (g, value) => activated(g, kind, value),
      (row) => row.map((each) => activate(kind, each)),
    );
  // Shazeer 2020, eq. 6, of the two halves of each row.
  const half = width / 2;
  const g = new GraphBuilder();
  const file = graphOf(
    g,
    width,
    (value) => {
      const [gate, up] = ['gate', 'up'].map((name) => g.fresh(name));
      g.op('Split', [value, g.ints([half, half])], { axis: { int: -1 } }, { outputs: [gate, up] });
      return g.op('Mul', [activated(g, 'silu', gate), up]);
    },
    half,
  );
  near(
    t,
    'SwiGLU',
    await run(t, file, { x: float(x, 6, width) }),
    flat(rows.map((row) => row.slice(0, half).map((each, i) => activate('silu', each) * row[half + i]))),
  );
});

t.test('places: sinusoids, learned vectors and turned pairs', async (t) => {
  const [width, contextLength, heads] = [24, 40, 3];
  const headSize = width / heads;
  const at = [0, 1, 2, 39, 17, 5, 5];
  const x = normals(at.length * width);
  const rows = rowsOf(x, width);
  const sinusoid = (position: number, i: number): number =>
    i % 2 === 0 ? Math.sin(position / 10_000 ** (i / width)) : Math.cos(position / 10_000 ** ((i - 1) / width));
  const kinds: readonly (readonly [string, Positions, (row: Float64Array, position: number, learned: Float32Array) => Float64Array])[] = [
    ['sinusoidal positions', { kind: 'sinusoidal', layout: 'alternating' }, (row, position) => row.map((value, i) => value + sinusoid(position, i))],
    [
      'sinusoidal positions in halves',
      { kind: 'sinusoidal', layout: 'halves' },
      (row, position) => row.map((value, i) => value + sinusoid(position, i < width / 2 ? 2 * i : 2 * (i - width / 2) + 1)),
    ],
    ['learned positions', { kind: 'learned' }, (row, position, learned) => row.map((value, i) => value + learned[position * width + i])],
    ['rotary positions', { kind: 'rotary', rotary: { base: 10_000 } }, (row, position) => turned(row, position, headSize, headSize)],
    [
      'rotary positions of a part of each head',
      { kind: 'rotary', rotary: { base: 10_000, dimensions: 4 } },
      (row, position) => turned(row, position, headSize, 4),
    ],
  ];
  /** Pairs are complex numbers, and turning is a product with e^(i position / base^(2k / size)). */
  function turned(row: Float64Array, position: number, size: number, dimensions: number): Float64Array {
    const out = row.slice();
    for (let from = 0; from < row.length; from += size)
      for (let k = 0; k < dimensions / 2; k++) {
        const [angle, one, other] = [position * Math.exp((-2 * k * Math.log(10_000)) / dimensions), from + k, from + k + dimensions / 2];
        [out[one], out[other]] = [row[one] * Math.cos(angle) - row[other] * Math.sin(angle), row[one] * Math.sin(angle) + row[other] * Math.cos(angle)];
      }
    return out;
  }
  for (const [label, positions, right] of kinds) {
    const { w, values } = weighted(positionParameters('model', positions, contextLength, width));
    const places = placed(w, 'model', positions, w.g.input('at', 'int64', ['rows', 1]), { contextLength, width, headSize });
    const file = graphOf(w.g, width, (value) => w.g.op('Reshape', [places.turn(places.add(value), heads), w.g.ints([-1, width])]));
    const learned = values.get('model.embed_positions.weight') ?? new Float32Array(0);
    near(t, label, await run(t, file, { x: float(x, at.length, width), at: whole(at, at.length, 1) }), flat(rows.map((row, i) => right(row, at[i], learned))));
  }
});

t.test('every scaling of rotary positions turns every pair by its published formula', (t) => {
  const [base, size, trained] = [10_000, 64, 2048];
  const plain = (i: number): number => base ** ((-2 * i) / size);
  const factors = Array.from({ length: 32 }, (_, i) => 1 + i / 4);
  // Peng et al. 2023, section 3.2, as transformers computes it: a ramp from the pair that turns 32 times over the trained length to the one that turns once.
  const turnsAt = (turns: number): number => (size * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [low, high] = [Math.max(Math.floor(turnsAt(32)), 0), Math.min(Math.ceil(turnsAt(1)), size - 1)];
  const yarn = (i: number): number => {
    const kept = 1 - Math.min(1, Math.max(0, (i - low) / (high - low)));
    return (plain(i) / 4) * (1 - kept) + plain(i) * kept;
  };
  const llama3 = (i: number): number => {
    const wavelength = (2 * Math.PI) / plain(i);
    if (wavelength < trained / 4) return plain(i);
    if (wavelength > trained / 1) return plain(i) / 8;
    const smooth = (trained / wavelength - 1) / 3;
    return ((1 - smooth) * plain(i)) / 8 + smooth * plain(i);
  };
  const stretched = base * (2 * 4 - 1) ** (size / (size - 2));
  const cases: readonly (readonly [string, RotaryConfig, (i: number) => number, number])[] = [
    ['none', { base }, plain, 1],
    ['linear', { base, scaling: { kind: 'linear', factor: 4 } }, (i) => plain(i) / 4, 1],
    ['NTK, for twice the factor of its length', { base: stretchedBase(base, size, 2, trained, 4 * trained) }, (i) => stretched ** ((-2 * i) / size), 1],
    ['YaRN', { base, scaling: { kind: 'yarn', factor: 4, trainedLength: trained, fast: 32, slow: 1 } }, yarn, 0.1 * Math.log(4) + 1],
    ['Llama 3', { base, scaling: { kind: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, trainedLength: trained } }, llama3, 1],
    ['LongRoPE', { base, scaling: { kind: 'longrope', factors, attention: 1.19 } }, (i) => plain(i) / factors[i], 1.19],
  ];
  const count = 300;
  for (const [label, config, frequency, attention] of cases) {
    const { cos, sin } = rotaryAngles(config, size, count);
    const each = (f: (angle: number) => number): number[] =>
      Array.from({ length: count * 32 }, (_, at) => attention * f(Math.floor(at / 32) * frequency(at % 32)));
    near(t, `rotary angles, ${label}`, [...cos, ...sin], [...each(Math.cos), ...each(Math.sin)], 1e-7);
  }
  t.ok(high > low && Math.abs(stretchedBase(base, size, 4, trained, trained) - base) < 1e-9, 'no stretching up to the trained length');
  t.end();
});

t.test('a tied embedding gives rows and logits from the same weights, in every way of storing', async (t) => {
  const [vocabulary, width] = [37, 48];
  const ids = [0, 36, 5, 5];
  for (const [label, storage, bound] of [
    ['float', 'float', 1e-6],
    ['float16', 'float16', 2e-3],
    ['int8', { bits: 8, block: 16, products: 'float' }, 2e-2],
    ['int4', { bits: 4, block: 16, products: 'float' }, 0.3],
  ] as const satisfies readonly (readonly [string, Storage, number])[]) {
    const { w, values } = weighted([{ name: 'table', shape: [vocabulary, width] }], storage);
    const { rows, head } = w.embedding(w.g.input('ids', 'int64', ['rows']), 'table', undefined, vocabulary, width);
    const file = graphOf(w.g, width, (x) => w.g.op('Concat', [head(x), rows], { axis: { int: -1 } }), vocabulary + width);
    const x = normals(ids.length * width);
    const table = rowsOf(values.get('table') ?? [], width);
    const given = await run(t, file, { x: float(x, ids.length, width), ids: whole(ids, ids.length) });
    near(
      t,
      `tied embedding, ${label}`,
      given,
      flat(
        rowsOf(x, width).map((row, i) =>
          Float64Array.from([...table.map((other) => other.reduce((sum, value, k) => sum + value * row[k], 0)), ...table[ids[i]]]),
        ),
      ),
      bound,
    );
  }
});
