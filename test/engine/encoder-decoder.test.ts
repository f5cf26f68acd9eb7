// Owns the test that encoders and decoders of others and of the import run unchanged: each gives the tokens that its graphs give without any cache.
// Refuses to know text and sampling.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Runner } from '../../src/engine/decoder/runner.ts';
import { sourceOf } from '../../src/engine/encoder-decoder/source.ts';
import type { Source } from '../../src/engine/encoder-decoder/source.ts';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { END, importRandom, reference, START, writeExport } from './encoder-decoder-folders.ts';
import type { ExportOptions } from './encoder-decoder-folders.ts';
import { failure } from './world.ts';

const SOURCES = [[300, 17, 2048, 99, 1200, 5, 700], [77, 9], Array.from({ length: 40 }, (_, i) => 20 + 91 * i)];
const COUNT = 20;

async function open(t: Test, folder: string): Promise<Runner> {
  const { onnx, source, contextLength, vocabularySize } = await readModelFiles(folder);
  const runner = await Runner.open({ file: onnx, source, device: 'cpu', threads: 1, contextLength, vocabularySize });
  t.teardown(() => runner.close());
  return runner;
}
/** Greedy tokens with the caches, behind `begins` in pieces of `chunk`. */
async function write(runner: Runner, source: Source, begins: readonly number[] = [START], chunk = begins.length): Promise<number[]> {
  const state = runner.start(source);
  let logits: Float32Array | undefined;
  for (let i = 0; i < begins.length; i += chunk) [logits] = await runner.forward(state, begins.slice(i, i + chunk), 1);
  const ids: number[] = [];
  while (logits && ids.length < COUNT) {
    ids.push(logits.indexOf(Math.max(...logits)));
    if (ids.at(-1) === END) break;
    [logits] = await runner.forward(state, ids.slice(-1), 1);
  }
  return ids;
}

const MADE: readonly (readonly [name: string, make: (folder: string) => void])[] = [
  ...(
    [
      ['a decoder in one file', { layout: 'merged' }],
      ['a decoder in two files', { layout: 'split' }],
      ['one that takes a token at a time behind others', { layout: 'merged', single: true }],
    ] as const satisfies readonly (readonly [string, ExportOptions])[]
  ).map(([name, options]) => [name, (folder: string) => writeExport(folder, options)] as const),
  ['an imported BART', (folder) => importRandom(folder, 'bart', 'float')],
  ['an imported Marian', (folder) => importRandom(folder, 'marian', 'float')],
  ['an imported Marian in blocks of eight bits', (folder) => importRandom(folder, 'marian', { bits: 8, block: 16 })],
];
for (const [name, make] of MADE)
  t.test(name, async (t) => {
    const folder = join(t.testdir(), 'model');
    make(folder);
    const runner = await open(t, folder);
    const said = new Set<number>();
    for (const source of SOURCES) {
      const expected = await reference(folder, source, COUNT);
      for (const id of expected) said.add(id);
      const text = sourceOf(source);
      t.same(await write(runner, text), expected, `a source of ${source.length}`);
      const { given, crossed } = text;
      t.same(await write(runner, text), expected, 'once more from what is known of the source');
      t.ok(given && text.given === given && text.crossed === crossed, 'which was neither read nor compared with anew');
      const begins = [START, 500, 12, 1700];
      const behind = await reference(folder, source, COUNT, begins);
      for (const chunk of [1, 3, 4]) t.same(await write(runner, sourceOf(source), begins, chunk), behind, `behind four tokens, in pieces of ${chunk}`);
    }
    t.ok(said.size > 5, 'the model says several things');
    t.ok(runner.canRewind, 'what a decoder guessed can be taken back');
  });

t.test('what the import makes goes through one pass for several texts, whose sources have any length', async (t) => {
  for (const kind of ['bart', 'marian'] as const) {
    const folder = join(t.testdir(), kind);
    importRandom(folder, kind, 'float');
    const runner = await open(t, folder);
    t.equal(runner.together, Number.POSITIVE_INFINITY);
    const states = SOURCES.map((source) => runner.start(sourceOf(source)));
    for (const [i, state] of states.entries()) await runner.forward(state, [START, 500, 12].slice(0, 1 + i), 0);
    const batch = runner.batch(4);
    const columns = [2, 0, 3];
    states.forEach(({ cache }, i) => batch.put(cache, columns[i]));
    const joint = runner.join([states[1].source, undefined, states[0].source, states[2].source]);
    let apart = 0;
    for (const round of [1, 2, 3]) {
      const fed = states.map((_, i) => ({ tokens: Array.from({ length: 1 + ((i + round) % 3) }, (__, k) => 40 + 97 * i + 31 * round + k), wanted: 1 }));
      const rows = await runner.forwardAll(batch, [fed[1], undefined, fed[0], fed[2]], joint);
      for (const [i, state] of states.entries()) {
        const [alone] = await runner.forward(state, fed[i].tokens, 1);
        alone.forEach((value, v) => void (apart = Math.max(apart, Math.abs(value - rows[columns[i]][0][v]))));
      }
    }
    t.comment(`${kind}: logits at most ${apart.toExponential(1)} apart`);
    t.ok(apart < 1e-4);
  }
  const folder = join(t.testdir(), 'export');
  writeExport(folder, { layout: 'merged' });
  t.equal((await open(t, folder)).together, 0, 'graphs that cannot tell where each text ends take one at a time');
});

t.test('both layouts say the same, also in half precision', async (t) => {
  const place = t.testdir();
  const folders = (['merged', 'split'] as const).flatMap((layout) => [false, true].map((half) => ({ layout, half, folder: join(place, `${layout}-${half}`) })));
  for (const { folder, ...options } of folders) writeExport(folder, options);
  const [whole, half, ...others] = await Promise.all(folders.map(async ({ folder }) => write(await open(t, folder), sourceOf(SOURCES[0]))));
  t.same(others, [whole, half]);
  t.equal(half[0], whole[0]);
});

t.test('what is missing, or of another model, is said by the name of its file', async (t) => {
  const made = (options: ExportOptions = { layout: 'split' }): { readonly folder: string; readonly without: (...names: string[]) => Promise<unknown> } => {
    const folder = join(t.testdir(), 'model');
    writeExport(folder, options);
    return {
      folder,
      without: async (...names) => {
        for (const name of names) rmSync(join(folder, name));
        return failure(open(t, folder));
      },
    };
  };
  t.match(await made().without('onnx/encoder_model.onnx'), {
    code: 'model_invalid',
    message: /has no encoder; a model of type bart is an encoder and a decoder, and Pharos looks for onnx\/encoder_model.onnx/,
  });
  t.match(await made().without('onnx/decoder_model.onnx', 'onnx/decoder_with_past_model.onnx'), {
    code: 'model_invalid',
    message: /has no decoder; .*onnx\/decoder_model_merged.onnx/,
  });
  t.match(await made().without('onnx/decoder_with_past_model.onnx'), {
    code: 'model_invalid',
    message: /decoder_model.onnx: .*remembers nothing.*; put decoder_with_past_model.onnx beside it/,
  });
  const { folder } = made();
  t.match(await failure(readModelFiles(`${folder}#q4`)), { message: /has no encoder of the variant q4/ });
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: END }));
  t.match(await failure(readModelFiles(folder)), {
    code: 'model_invalid',
    message: /does not say with which token the decoder starts; put decoder_start_token_id into generation_config.json/,
  });

  const odd = (input: string, output: string): Uint8Array => {
    const g = new GraphBuilder();
    g.op('Cast', [g.input(input, 'int64', ['b', 'n'])], { to: { int: 1 } }, { outputs: [output] });
    g.output(output, 'float', ['b', 'n']);
    return g.finish('odd');
  };
  for (const [graph, message] of [
    [odd('input_features', 'last_hidden_state'), /encoder_model.onnx: the input input_features is not known here. Pharos runs encoders of text/],
    [odd('input_ids', 'states'), /encoder_model.onnx: the encoder gives states, and its decoder takes last_hidden_state; both must be of one export/],
  ] as const) {
    const { folder } = made({ layout: 'merged' });
    writeFileSync(join(folder, 'onnx/encoder_model.onnx'), graph);
    t.match(await failure(open(t, folder)), { code: 'model_invalid', message });
  }
});

t.test('a variant is one of both sides', async (t) => {
  const folder = join(t.testdir(), 'model');
  writeExport(folder, { layout: 'split' });
  writeExport(folder, { layout: 'merged', suffix: '_q4' });
  const plain = await readModelFiles(`${folder}#fp32`);
  t.match([plain.onnx, plain.source?.encoder, plain.source?.opening], [/decoder_with_past_model.onnx$/, /encoder_model.onnx$/, /decoder_model.onnx$/]);
  const small = await readModelFiles(`${folder}#q4`);
  t.match([small.onnx, small.source?.encoder], [/decoder_model_merged_q4.onnx$/, /encoder_model_q4.onnx$/]);
  t.equal(small.source?.opening, undefined);
  t.match((await readModelFiles(folder)).onnx, /decoder_model_merged_q4.onnx$/, 'one decoder in one file is preferred');
});
