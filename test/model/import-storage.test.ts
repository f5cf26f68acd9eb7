// Owns how weights are stored when a checkpoint is brought in: whole, half or in few bits, what that takes of each layer, and where they lie.
// Refuses to know what the graph computes, and what is refused before a weight is read.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { importModel } from '../../src/model/import/import-model.ts';
import type { ImportReport } from '../../src/model/import/import-model.ts';
import type { Storage } from '../../src/model/llama.ts';
import { readFields } from '../../src/model/protobuf.ts';
import { ask, collect, startEngine } from '../engine/world.ts';
import { BASE, HF, made, madeIn, tensorsOf } from './imported.ts';

t.test('each way of storing makes a model that loads; what it takes is told layer by layer', async (t) => {
  const config = { ...BASE, tied: true, experts: { count: 3, perToken: 1, size: 40, shared: 0, firstLayer: 1, normalised: false, scale: 1 } };
  const keys = {
    ...HF,
    model_type: 'deepseek',
    tie_word_embeddings: true,
    n_routed_experts: 3,
    num_experts_per_tok: 1,
    moe_intermediate_size: 40,
    first_k_dense_replace: 1,
  };
  const reports = new Map<Storage, ImportReport>();
  const parent = t.testdir();
  const outs: string[] = [];
  for (const [name, storage] of [
    ['float', 'float'],
    ['float16', 'float16'],
    ['int8', { bits: 8, block: 32 }],
    ['int4', { bits: 4, block: 16 }],
  ] as const) {
    const { folder, out } = madeIn(parent, name, keys, tensorsOf(config, 31));
    const seen: number[] = [];
    const report = importModel({ from: folder, out, storage, onLayer: ({ layer }, layers) => seen.push(layer, layers) });
    t.same(seen, [0, 2, 1, 2], name);
    reports.set(storage, report);
    outs.push(out);
    t.equal(report.written, statSync(join(out, 'onnx/model.onnx')).size + statSync(join(out, 'onnx/model.onnx_data')).size);
    for (const file of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja'])
      t.ok(readFileSync(join(out, file)).equals(readFileSync(join(folder, file))), file);
    t.match(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')), {
      model_type: 'deepseek',
      max_position_embeddings: 64,
      num_parameters: report.parameters,
    });
  }
  const engine = await startEngine(t, { models: outs });
  for (const { id: model } of engine.models()) {
    const given = await collect(engine.generate(ask('Hello', { model, maxTokens: 8 })));
    t.equal(given.error, undefined, model);
    t.ok((given.usage?.completionTokens ?? 0) > 0);
  }
  const [whole, half, eight, four] = [...reports.values()];
  // Matrices of the first layer: rows of 32 fill one block of 32 and two of 16, rows of 48 two and three. Its two norms stay whole.
  const [short, long] = [48 + 16 + 16 + 48 + 48, 32 + 32];
  const values = 32 * short + 48 * long;
  t.same(
    [whole, half, eight, four].map(({ layers }) => layers[0].bytes),
    [4 * values, 2 * values, (short + 2 * long) * 36, (2 * short + 3 * long) * 12].map((bytes) => bytes + 2 * 32 * 4),
  );
  t.ok(whole.written > half.written && half.written > eight.written && eight.written > four.written, 'each is smaller than the one before');
  t.same(
    [...whole.layers.map(({ lost }) => lost), whole.outside.length],
    [undefined, undefined, 0],
  );
  // Halves have 11 significant bits: what is rounded off is spread evenly over a unit of the last one.
  for (const [report, least, most] of [
    [half, 0.0001, 0.0003],
    [eight, 0.001, 0.01],
    [four, 0.03, 0.12],
  ] as const) {
    for (const { lost, layer } of report.layers)
      t.ok(lost && lost.all > least && lost.all <= lost.worst && lost.worst < most && lost.name.startsWith(`model.layers.${layer}.`), JSON.stringify(lost));
    t.match(report.outside, [{ name: 'model.embed_tokens.weight' }]);
  }
  t.ok(whole.peak > 2 ** 24 && whole.read > 0 && whole.seconds > 0);
});

t.test('the error of a layer is that of all its weights, to which a matrix of small ones adds little', (t) => {
  const tensors = tensorsOf(BASE, 3);
  // Of each 16 numbers, 15 lie half-way between two levels of four bits.
  const down = tensors.get('model.layers.0.mlp.down_proj.weight')?.values ?? new Float32Array();
  for (const i of down.keys()) down[i] = i % 16 === 0 ? 0.008 : 0.0005;
  const { folder, out } = made(t, { ...HF, model_type: 'llama' }, tensors);
  const [first, second] = importModel({ from: folder, out, storage: { bits: 4, block: 16 } }).layers;
  const worst = Math.sqrt((15 * 0.5 ** 2) / (8 ** 2 + 15 * 0.5 ** 2));
  t.equal(first.lost?.name, 'model.layers.0.mlp.down_proj');
  t.ok(Math.abs((first.lost?.worst ?? 0) - worst) < 1e-3, String(first.lost?.worst));
  t.ok(Math.abs((first.lost?.all ?? 0) - (second.lost?.all ?? 0)) < 0.01, `${first.lost?.all} of a layer as the next, ${second.lost?.all}`);
  t.end();
});

t.test('half precision is refused to weights that it cannot hold', (t) => {
  const tensors = tensorsOf(BASE, 3);
  tensors.get('model.layers.1.mlp.up_proj.weight')?.values.fill(70_000, 5, 6);
  const { folder, out } = made(t, { ...HF, model_type: 'llama' }, tensors);
  t.throws(() => importModel({ from: folder, out, storage: 'float16' }), {
    code: 'checkpoint_unsupported',
    message: /layers\.1\.mlp\.up_proj\.weight has numbers that half precision cannot hold/,
  });
  t.end();
});

/** Where tensors of a graph lie in the file beside it. */
function placesIn(model: Uint8Array): Map<string, Record<string, string>> {
  const places = new Map<string, Record<string, string>>();
  const text = (value: number | Uint8Array): string => (typeof value === 'number' ? String(value) : new TextDecoder().decode(value));
  const within = (bytes: number | Uint8Array, wanted: number, look: (value: Uint8Array) => void): void => {
    if (typeof bytes !== 'number') readFields(bytes, (field, value) => void (field === wanted && typeof value !== 'number' && look(value)));
  };
  within(model, 7, (graph) =>
    within(graph, 5, (tensor) => {
      const entries: Record<string, string> = {};
      let name = '';
      readFields(tensor, (field, value) => {
        if (field === 8) name = text(value);
        if (field === 14) entries['data_location'] = text(value);
        if (field !== 13 || typeof value === 'number') return;
        const pair: string[] = [];
        readFields(value, (_, part) => void pair.push(text(part)));
        entries[pair[0]] = pair[1];
      });
      if (Object.keys(entries).length > 0) places.set(name, entries);
    }),
  );
  return places;
}
t.test('large weights lie beside the model, on borders of pages', (t) => {
  const config = { ...BASE, feedForward: 50 };
  const tensors = tensorsOf(config, 3);
  const { folder, out } = made(t, { ...HF, intermediate_size: 50, model_type: 'llama' }, tensors);
  importModel({ from: folder, out, storage: 'float' });
  const model = readFileSync(join(out, 'onnx/model.onnx'));
  const data = readFileSync(join(out, 'onnx/model.onnx_data'));
  const places = placesIn(model);
  t.same(
    [...places.keys()].filter((name) => name.startsWith('model.layers.0.')),
    ['self_attn.qkv', 'self_attn.o_proj', 'mlp.gate_up', 'mlp.down_proj'].map((name) => `model.layers.0.${name}`),
  );
  let end = 0;
  for (const [name, { location, offset, length, data_location: kind }] of places) {
    t.same([location, kind, Number(offset) % 4096], ['model.onnx_data', '1', 0], name);
    t.ok(Number(offset) >= end && Number(length) >= 4096, 'nothing lies in another, and what is small is in the model');
    end = Number(offset) + Number(length);
  }
  t.equal(data.length, end);
  const embedding = tensors.get('model.embed_tokens.weight')?.values ?? new Float32Array();
  const { offset, length } = places.get('model.embed_tokens.weight') ?? {};
  const from = data.byteOffset + Number(offset);
  t.same(new Float32Array(data.buffer.slice(from, from + Number(length))), embedding);
  t.ok(model.length < 64 * 1024, String(model.length));
  t.end();
});
