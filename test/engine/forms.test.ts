// Owns the test that graphs which others exported run unchanged: each gives the tokens that it gives without any cache.
// Refuses to know text and sampling.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { graphForm } from '../../src/engine/decoder/graph-form.ts';
import { EngineError } from '../../src/engine/port.ts';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import { Runner } from '../../src/engine/decoder/runner.ts';
import type { RunnerOptions } from '../../src/engine/decoder/runner.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { reference, writeForeign } from './foreign.ts';
import type { ForeignOptions } from './foreign.ts';
import { failure, FOLDER } from './world.ts';

const PROMPT = [300, 17, 2048, 99, 1200, 5, 700];
const COUNT = 24;

/** Greedy tokens with the cache, the prompt in pieces of `chunk`. */
async function generate(folder: string, chunk: number, options: Partial<RunnerOptions> = {}, count = COUNT): Promise<number[]> {
  const { onnx, names, contextLength, vocabularySize } = await readModelFiles(folder);
  const runner = await Runner.open({ file: onnx, names, device: 'cpu', threads: 1, contextLength, vocabularySize, ...options });
  const state = runner.start();
  let logits: Float32Array | undefined;
  for (let i = 0; i < PROMPT.length; i += chunk) [logits] = await runner.forward(state, PROMPT.slice(i, i + chunk), 1);
  const ids: number[] = [];
  while (logits && ids.length < count) {
    const next = logits.indexOf(Math.max(...logits));
    ids.push(next);
    if (next === 1) break;
    [logits] = await runner.forward(state, [next], 1);
  }
  await runner.close();
  return ids;
}

const FORMS: readonly (readonly [name: string, options: ForeignOptions & { readonly onDevice?: boolean }])[] = [
  ['caches that are concatenated', { cache: 'concat', onDevice: true }],
  ['keys and values in one tensor, 32-bit ids', { cache: 'concat', joined: true, ids: 'int32' }],
  ['GroupQueryAttention', { cache: 'grouped', onDevice: true }],
  ['half-precision caches and logits', { cache: 'grouped', half: true }],
  ['weights in a file beside the graph', { cache: 'grouped', beside: true }],
  ['capped logits', { cache: 'concat', capped: true }],
  ['a graph that counts on one token behind others', { cache: 'concat', single: true }],
  ['a folder of ONNX Runtime GenAI', { cache: 'grouped', genai: true, ids: 'int32' }],
];
for (const [name, options] of FORMS)
  t.test(name, async (t) => {
    const folder = t.testdir();
    const file = await writeForeign(folder, options);
    const expected = await reference(file, PROMPT, COUNT);
    t.ok(new Set(expected).size > 3, 'the model says several things');
    for (const chunk of [1, 3, PROMPT.length]) t.same(await generate(folder, chunk), expected, `the prompt in pieces of ${chunk}`);
    t.same(await generate(folder, 3, { resident: true }), expected, 'what is remembered comes out whole and goes in again as it is');
    if (!options.onDevice) return;
    // A machine without an adapter has nothing to try.
    const given = await generate(folder, 3, { device: 'webgpu' }, 6).catch((error: unknown) => (error instanceof EngineError && error.code === 'device_unavailable' ? error.message : Promise.reject(error as Error)));
    if (typeof given === 'string') t.comment(`not tried on WebGPU: ${given}`);
    else t.same(given, expected.slice(0, 6), 'on WebGPU, where it stays on the device');
  });

for (const [name, options] of FORMS)
  t.test(`${name}, several texts side by side`, async (t) => {
    const folder = t.testdir();
    await writeForeign(folder, options);
    const { onnx, names, contextLength, vocabularySize } = await readModelFiles(folder);
    const runner = await Runner.open({ file: onnx, names, device: 'cpu', threads: 1, contextLength, vocabularySize });
    t.teardown(() => runner.close());
    t.equal(runner.together, options.cache === 'concat' && !options.single ? Number.POSITIVE_INFINITY : 1, 'new tokens of each in one pass');
    t.ok(runner.canRewind);
    const texts = [PROMPT, PROMPT.slice(0, 2), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 11], [77]];
    const states = await Promise.all(texts.map(async (text) => {
      const state = runner.start();
      await runner.forward(state, text, 0);
      return state;
    }));
    // Rows of the longest text are in the way of the others, and a column stays empty.
    const batch = runner.batch(5);
    states.forEach(({ cache }, i) => batch.put(cache, i === 3 ? 4 : i));
    const columns = [0, 1, 2, 4];
    let apart = 0;
    for (const round of [1, 2, 3, 4]) {
      // The second text leaves for a round, the first takes a step back, and where it can be each has another number of new tokens.
      const fed = texts.map((_, i) => ({ tokens: Array.from({ length: runner.together === 1 ? 1 : 1 + ((i + round) % 3) }, (__, k) => (97 * i + 31 * round + k) % 4096), wanted: 1 + ((i + round) % 2) }));
      const places = Array.from({ length: 5 }, (_, column) => (round === 3 && column === 1 ? undefined : fed[columns.indexOf(column)]));
      if (round === 3) batch.truncate(0, 1);
      if (round === 4) batch.put(states[1].cache, 1);
      const rows = await runner.forwardAll(batch, places);
      for (const [i, column] of columns.entries()) {
        if (!places[column]) continue;
        const alone = await runner.forward(states[i], fed[i].tokens, fed[i].wanted);
        t.equal(rows[column].length, alone.length);
        alone.forEach((row, k) => row.forEach((value, v) => void (apart = Math.max(apart, Math.abs(value - rows[column][k][v])))));
      }
      states[0].cache.truncate(states[0].cache.length() - 1);
      batch.truncate(batch.length(0) - 1, 0);
    }
    t.comment(`logits at most ${apart.toExponential(1)} apart`);
    t.ok(apart < (options.half ? 0.05 : 1e-4));
  });

t.test('a layer that counts back over the places of a cache sees no gap: texts go one by one', async (t) => {
  const opened = async (t: Test, options: ForeignOptions): Promise<{ readonly runner: Runner; readonly file: string; readonly folder: string }> => {
    const folder = t.testdir();
    const file = await writeForeign(folder, options);
    const { onnx, names, window, contextLength, vocabularySize } = await readModelFiles(folder);
    const runner = await Runner.open({ file: onnx, names, window, device: 'cpu', threads: 1, contextLength, vocabularySize });
    t.teardown(() => runner.close());
    return { runner, file, folder };
  };
  for (const [name, options, together] of [
    ['a window that config.json states, longer than any trial', { window: 128 }, 0],
    ['a short one that it does not state', { window: 16, windowSaid: false }, 0],
    ['one as long as the longest text', { window: 256 }, Number.POSITIVE_INFINITY],
    ['activations rounded on a scale of the whole pass', { rounded: true }, 0],
  ] as const)
    await t.test(name, async (t) => {
      const { runner, file, folder } = await opened(t, { cache: 'concat', ...options });
      t.equal(runner.together, together);
      if (!('rounded' in options)) t.same(await generate(folder, 3), await reference(file, PROMPT, COUNT));
    });
  await t.test('GroupQueryAttention counts the tokens of each text alone', async (t) => {
    const { runner, folder } = await opened(t, { cache: 'grouped', window: 16, marked: true });
    t.equal(runner.together, 1);
    const unmarked = await writeForeign(join(folder, 'unmarked'), { cache: 'grouped', window: 16 });
    const expected = await reference(unmarked, PROMPT, COUNT);
    t.same(await generate(folder, 3), expected, 'though the mark asks for caches of the size of the window');
  });
});

t.test('logits of the last token alone', async (t) => {
  for (const half of [false, true]) {
    const folder = t.testdir();
    const file = await writeForeign(folder, { cache: 'grouped', pruned: true, half });
    const expected = await reference(file, PROMPT, COUNT);
    for (const chunk of [1, 3, PROMPT.length]) t.same(await generate(folder, chunk), expected, `the prompt in pieces of ${chunk}`);
  }
});

t.test('config.json says how far back a layer sees', async (t) => {
  for (const [stated, window] of [
    [{ sliding_window: 2047 }, 2047],
    [{ sliding_window: null }, undefined],
    [{ sliding_window: 4096, use_sliding_window: false }, undefined],
    [{ sliding_window: 512, layer_types: ['sliding_attention', 'full_attention'] }, 512],
    [{ sliding_window: 512, layer_types: ['full_attention'] }, undefined],
    [{ text_config: { sliding_window: 1024 } }, 1024],
    [{ attention_chunk_size: 8192 }, 8192],
    [{ attention_layers: ['global', 'local'], window_size: 256 }, 256],
  ] as const) {
    const folder = t.testdir();
    await writeForeign(folder, { cache: 'concat' });
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), ...stated }));
    t.equal((await readModelFiles(folder)).window, window, JSON.stringify(stated));
  }
});

t.test('the model that ships writes the same where all that it remembers is kept in the graph', async (t) => {
  const prompt = [300, 17, 2048, 99, 1200, 5, 700, 300, 17];
  const write = async (options: Partial<RunnerOptions>): Promise<number[]> => {
    const { onnx, contextLength, vocabularySize } = await readModelFiles(FOLDER);
    const runner = await Runner.open({ file: onnx, device: 'cpu', threads: 1, contextLength, vocabularySize, ...options });
    t.equal(runner.canRewind, options.resident !== true);
    const state = runner.start();
    let [logits] = await runner.forward(state, prompt, 1);
    const ids: number[] = [];
    while (ids.length < 20) {
      ids.push(logits.indexOf(Math.max(...logits)));
      [logits] = await runner.forward(state, ids.slice(-1), 1);
    }
    await runner.close();
    return ids;
  };
  t.same(await write({ resident: true }), await write({}));
});

t.test('a graph that cannot be run says which input or output is in the way', async (t) => {
  const refused = (make: (g: GraphBuilder) => void): Promise<unknown> =>
    failure(
      (async () => {
        const g = new GraphBuilder();
        make(g);
        graphForm(g.finish('odd'), 'odd.onnx');
      })(),
    );
  const logits = (g: GraphBuilder): void => g.output(g.op('Identity', [g.input('input_ids', 'int64', ['b', 'n'])], {}, { outputs: ['logits'] }), 'float', ['b', 'n', 9]);
  t.match(await refused(logits), { code: 'model_invalid', message: /odd.onnx: the graph remembers nothing/ });
  t.match(await refused((g) => void g.op('Identity', [g.input('tokens', 'int64', ['b', 'n'])])), { message: /the graph has no input input_ids/ });
  t.match(await refused((g) => (logits(g), void g.input('pixel_values', 'float', ['b', 3, 224, 224]))), { message: /the input pixel_values is not known here/ });
  t.match(await refused((g) => (logits(g), void g.input('past_key_values.0.key', 'float', ['b', 2, 'p', 4]))), { message: /past_key_values.0.key is not known here/ });
  t.match(
    await refused((g) => {
      logits(g);
      g.output(g.op('Identity', [g.input('past_key_values.0.key', 'float', ['b', 'h', 'p', 4])], {}, { outputs: ['present.0.key'] }), 'float', ['b', 'h', 't', 4]);
    }),
    { message: /more than two axes without a size/ },
  );
  const folder = t.testdir();
  await writeForeign(folder, { cache: 'concat' });
  await writeFile(join(folder, 'onnx/model.onnx'), 'no graph');
  t.match(await failure(generate(folder, 1)), { code: 'model_invalid', message: /model.onnx cannot be read/ });
});

t.test('weights that lie beside the graph and are not there', async (t) => {
  const folder = t.testdir();
  await writeForeign(folder, { cache: 'concat', beside: true });
  const { rm } = await import('node:fs/promises');
  await rm(join(folder, 'onnx/model.onnx_data'));
  t.match(await failure(generate(folder, 1)), { code: 'model_invalid', message: /model.onnx cannot be run.*model.onnx_data/s });
});
