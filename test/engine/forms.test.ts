// Owns the test that graphs which others exported run unchanged: each gives the tokens that it gives without any cache.
// Refuses to know text and sampling.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { graphForm } from '../../src/engine/graph-form.ts';
import { readModelFiles } from '../../src/engine/model-files.ts';
import { Runner } from '../../src/engine/runner.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { reference, writeForeign } from './foreign.ts';
import type { ForeignOptions } from './foreign.ts';
import { failure } from './world.ts';

const PROMPT = [300, 17, 2048, 99, 1200, 5, 700];
const COUNT = 24;

/** Greedy tokens with the cache, the prompt in pieces of `chunk`. */
async function generate(folder: string, chunk: number): Promise<number[]> {
  const { onnx, names, contextLength, vocabularySize } = await readModelFiles(folder);
  const runner = await Runner.open({ file: onnx, names, device: 'cpu', threads: 1, contextLength, vocabularySize });
  const state = runner.start();
  let logits: Float32Array | undefined;
  for (let i = 0; i < PROMPT.length; i += chunk) logits = await runner.forward(state, PROMPT.slice(i, i + chunk), true);
  const ids: number[] = [];
  while (logits && ids.length < COUNT) {
    const next = logits.indexOf(Math.max(...logits));
    ids.push(next);
    if (next === 1) break;
    logits = await runner.forward(state, [next], true);
  }
  await runner.close();
  return ids;
}

const FORMS: readonly (readonly [name: string, options: ForeignOptions])[] = [
  ['caches that are concatenated', { cache: 'concat' }],
  ['keys and values in one tensor, 32-bit ids', { cache: 'concat', joined: true, ids: 'int32' }],
  ['GroupQueryAttention', { cache: 'grouped' }],
  ['half-precision caches and logits', { cache: 'grouped', half: true }],
  ['weights in a file beside the graph', { cache: 'grouped', beside: true }],
  ['capped logits', { cache: 'concat', capped: true }],
  ['a folder of ONNX Runtime GenAI', { cache: 'grouped', genai: true, ids: 'int32' }],
];
for (const [name, options] of FORMS)
  t.test(name, async (t) => {
    const folder = t.testdir();
    const file = await writeForeign(folder, options);
    const expected = await reference(file, PROMPT, COUNT);
    t.ok(new Set(expected).size > 3, 'the model says several things');
    for (const chunk of [1, 3, PROMPT.length]) t.same(await generate(folder, chunk), expected, `the prompt in pieces of ${chunk}`);
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
