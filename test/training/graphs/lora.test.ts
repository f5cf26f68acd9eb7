// Owns low-rank adapters in loss graphs: they begin as the model is, their gradients follow from those of the matrices, and merged they are the same model.
// Refuses to know files.

import t from 'tap';
import type { Test } from 'tap';
import type { Parameter } from '../../../src/model/decoder-parts.ts';
import { decoderParameters } from '../../../src/model/decoder.ts';
import type { DecoderConfig } from '../../../src/model/decoder.ts';
import { gpt2Parameters } from '../../../src/model/gpt2.ts';
import { llamaParameters } from '../../../src/model/llama.ts';
import { adaptersOf, initialAdapters, withAdapters } from '../../../src/training/graphs/adapters.ts';
import type { LoraSpec, MatrixLayout } from '../../../src/training/graphs/adapters.ts';
import { decoderLoss } from '../../../src/training/graphs/decoder-loss.ts';
import { gpt2Loss } from '../../../src/training/graphs/gpt2-loss.ts';
import { llamaLoss } from '../../../src/training/graphs/llama-loss.ts';
import type { LossOptions } from '../../../src/training/graphs/loss-builder.ts';
import type { LossGraph } from '../../../src/training/loss-graph.ts';
import { Random } from '../../../src/training/random.ts';
import { SMALL } from '../../model/llama-reference.ts';
import { openLoss, packed } from './losses.ts';

const LORA: LoraSpec = { kind: 'lora', rank: 3, alpha: 6 };
const DECODER: DecoderConfig = {
  vocabularySize: 23,
  width: 16,
  layers: 2,
  heads: 2,
  headSize: 8,
  feedForward: 24,
  contextLength: 32,
  rotaryBase: 10_000,
  rotaryDimensions: 4,
  normEpsilon: 1e-5,
  pointerWidth: 6,
  pointerTokenWidth: 5,
};
const GPT2 = { vocabularySize: 31, width: 24, layers: 2, heads: 3, feedForward: 40, contextLength: 16, normEpsilon: 1e-5, tied: true };
const EXPERTS = { ...SMALL, experts: { count: 12, perToken: 1, size: 12, shared: 8, firstLayer: 1, normalised: false, scale: 1 } };
const FUSED = { ...SMALL, fused: true, tied: true };
interface Kind {
  readonly label: string;
  readonly parameters: readonly Parameter[];
  readonly layout: MatrixLayout;
  readonly vocabularySize: number;
  readonly loss: (options: LossOptions) => LossGraph;
}
const KINDS: readonly Kind[] = [
  { label: 'Llama', parameters: llamaParameters(SMALL), layout: 'out-in', vocabularySize: 67, loss: (options) => llamaLoss(SMALL, options) },
  { label: 'fused and tied', parameters: llamaParameters(FUSED), layout: 'out-in', vocabularySize: 67, loss: (options) => llamaLoss(FUSED, options) },
  {
    label: 'experts, of which some are idle',
    parameters: llamaParameters(EXPERTS),
    layout: 'out-in',
    vocabularySize: 67,
    loss: (options) => llamaLoss(EXPERTS, options),
  },
  { label: 'GPT-2', parameters: gpt2Parameters(GPT2), layout: 'out-in', vocabularySize: 31, loss: (options) => gpt2Loss(GPT2, options) },
  {
    label: 'the decoder that ships',
    parameters: decoderParameters(DECODER),
    layout: 'in-out',
    vocabularySize: 23,
    loss: (options) => decoderLoss(DECODER, options),
  },
];
function random(shapes: readonly Parameter[], seed: number, size = 1.5): Map<string, Float32Array> {
  const draw = new Random(seed);
  return new Map(
    shapes.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
        /norm|ln_\w+\.weight/.test(name) ? 1 + 0.3 * draw.normal() : (draw.normal() * size) / Math.sqrt(shape.at(-1) ?? 1),
      ),
    ]),
  );
}
/** Matrix product of a [n, inner] and b [inner, m] as functions of row and column. */
const product = (n: number, m: number, inner: number, a: (i: number, k: number) => number, b: (k: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * m }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a(Math.floor(at / m), k) * b(k, at % m);
    return sum;
  });
const near = (t: Test, given: Float32Array | undefined, right: Float64Array, label: string): void => {
  const size = Math.hypot(...right);
  const off = Math.hypot(...right.map((value, i) => value - (given?.[i] ?? Number.NaN)));
  t.ok(off <= 1e-5 * size + 1e-9, `${label}: ${off.toExponential(1)} of ${size.toExponential(1)}`);
};

for (const { label, parameters, layout, vocabularySize, loss } of KINDS)
  t.test(`${label}: adapters begin as the model is, learn by the gradients of its matrices, and merge into it`, async (t) => {
    const base = random(parameters, 3);
    const read = (name: string): Float32Array => base.get(name) ?? new Float32Array(0);
    const { batch } = packed(5, vocabularySize);
    const full = await openLoss(t, loss({ method: { kind: 'full' }, dropout: 0 }));
    const graph = loss({ method: LORA, dropout: 0, weights: read });
    const adapted = await openLoss(t, graph);
    const adapters = adaptersOf(parameters, LORA, layout);
    t.same(
      graph.parameters,
      [...adapters.values()].flatMap(({ down, up }) => [down, up]),
      'nothing else is trained',
    );
    t.equal(graph.embedding, undefined);

    const start = initialAdapters(adapters, 9);
    t.same(initialAdapters(adapters, 9), start);
    for (const { down, up } of adapters.values()) {
      t.ok(start.get(up.name)?.every((value) => value === 0));
      const values = start.get(down.name) ?? new Float32Array(0);
      const bound = 1 / Math.sqrt(down.shape[1]);
      t.ok(values.every((value) => Math.abs(value) <= bound) && Math.max(...values) > bound / 2);
    }
    const [begun, plain] = [await adapted.evaluate(start, batch), await full.evaluate(base, batch)];
    t.ok(Math.abs(begun / plain - 1) < 1e-6, `${begun} for ${plain}`);

    const moved = random(graph.parameters, 4, 0.7);
    const result = withAdapters(read, moved, adapters, layout);
    const whole = new Map(parameters.map(({ name }) => [name, result(name)]));
    const [by, right] = [await adapted.compute(moved, batch), await full.compute(whole, batch)];
    t.ok(Math.abs(by.loss / right.loss - 1) < 1e-5, `merged: ${by.loss} for ${right.loss}`);
    t.ok(Math.abs(by.loss - begun) > 1e-3, 'and another than at the start');
    for (const [name, { down, up, scale }] of adapters) {
      const [matrix, a, b] = [right.gradients.get(name), moved.get(down.name), moved.get(up.name)].map((values) => values ?? new Float32Array(0));
      const [[rank, inner], [out]] = [down.shape, up.shape];
      const slope = (o: number, i: number): number => scale * (layout === 'out-in' ? matrix[o * inner + i] : matrix[i * out + o]);
      near(
        t,
        by.gradients.get(down.name),
        product(rank, inner, out, (r, o) => b[o * rank + r], slope),
        down.name,
      );
      near(
        t,
        by.gradients.get(up.name),
        product(out, rank, inner, slope, (i, r) => a[r * inner + i]),
        up.name,
      );
    }
  });

t.test('only the matrices that are named get adapters, and one that is not there is answered with those that are', (t) => {
  const parameters = llamaParameters(SMALL);
  const chosen = adaptersOf(parameters, { ...LORA, targets: ['q_proj', 'v_proj'] }, 'out-in');
  t.same(
    [...chosen.keys()],
    [0, 1].flatMap((i) => ['q', 'v'].map((name) => `model.layers.${i}.self_attn.${name}_proj.weight`)),
  );
  t.match(chosen.get('model.layers.1.self_attn.v_proj.weight'), {
    down: { name: 'model.layers.1.self_attn.v_proj.lora_A.weight', shape: [3, 32] },
    up: { name: 'model.layers.1.self_attn.v_proj.lora_B.weight', shape: [16, 3] },
    scale: 2,
  });
  t.throws(
    () => adaptersOf(parameters, { ...LORA, targets: ['q_proj', 'query'] }, 'out-in'),
    /no matrix query in this model's layers; targets of adapters are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj/,
  );
  t.same(
    [...new Set([...adaptersOf(decoderParameters(DECODER), LORA, 'in-out').keys()].map((name) => name.split('.').at(-1)))],
    ['query', 'key', 'value', 'out', 'up', 'down'],
    'the pointer is outside of the layers',
  );
  t.end();
});

t.test('frozen weights lie beside the graph, in memory that all sessions share, so that a graph stays small whatever the model', (t) => {
  const graphOf = (vocabularySize: number): LossGraph => {
    const config = { ...SMALL, vocabularySize };
    const base = random(llamaParameters(config), 3);
    const graph = llamaLoss(config, { method: LORA, dropout: 0, weights: (name) => base.get(name) ?? new Float32Array(0) });
    t.same(new Map(graph.frozen?.map(({ name, values }) => [name, values])), base);
    return graph;
  };
  const [small, large] = [graphOf(67), graphOf(6700)];
  t.ok(large.frozen?.every(({ values }) => values.buffer instanceof SharedArrayBuffer));
  t.ok(Math.abs(large.model.length - small.model.length) < 100, `${small.model.length} and ${large.model.length} bytes`);
  t.equal(llamaLoss(SMALL, { method: { kind: 'full' }, dropout: 0 }).frozen, undefined, 'nothing is frozen where all is trained');
  t.end();
});

t.test('frozen weights must be there, and adapters too when they are merged', (t) => {
  t.throws(() => llamaLoss(SMALL, { method: LORA, dropout: 0 }), /frozen parameter model\.embed_tokens\.weight needs 2144 values, got none/);
  const adapters = adaptersOf(llamaParameters(SMALL), LORA, 'out-in');
  t.throws(
    () => withAdapters(() => new Float32Array(1536), new Map(), adapters, 'out-in')('model.layers.0.self_attn.q_proj.weight'),
    /adapter model\.layers\.0\.self_attn\.q_proj\.lora_A\.weight needs 96 values, got none/,
  );
  t.end();
});
