// Owns how the engine starts or says why it cannot: model folders, devices, threads.
// Refuses to know generation beyond a first sentence.

import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createEngine } from '../../src/engine/engine.ts';
import type { EngineLogger, EngineOptions } from '../../src/engine/engine.ts';
import { chat, collect, FACT, failure, FOLDER, startEngine } from './world.ts';

/** Starts and, if that works, ends again. */
const refusal = async (options: EngineOptions): Promise<unknown> => failure(createEngine({ device: 'cpu', threads: 1, ...options }).then(async (engine) => engine.close(0)));

t.test('a folder of models is searched, and one that is no model is named', async (t) => {
  const engine = await startEngine(t, { models: [], folders: [join(FOLDER, '..')] });
  t.same(engine.models().map(({ id, tasks }) => [id, tasks]), [['pharos-mini', ['generate']], ['pharos-embed', ['embed', 'score']]], 'one that writes text comes first');
  const empty = t.testdir({ readme: 'no model here' });
  t.match(await refusal({ folders: [empty] }), { code: 'model_invalid', message: /holds no model; a model is a folder with config.json/ });
  t.match(await refusal({ folders: [join(empty, 'nothing')] }), { code: 'model_invalid', message: /nothing cannot be read/ });
  t.match(await refusal({ models: [join(empty, 'nothing')] }), { code: 'model_invalid', message: /config.json is missing; a model folder needs/ });
});

t.test('a broken model folder is refused with the file and what is wrong in it', async (t) => {
  const broken = async (spoil: (folder: string) => Promise<void>): Promise<unknown> => {
    const folder = join(t.testdir(), 'spoilt');
    await cp(FOLDER, folder, { recursive: true });
    await spoil(folder);
    return refusal({ models: [folder] });
  };
  t.match(await broken(async (folder) => rm(join(folder, 'tokenizer.json'))), { code: 'model_invalid', message: /tokenizer.json is missing/ });
  t.match(await broken(async (folder) => rm(join(folder, 'onnx'), { recursive: true })), { code: 'model_invalid', message: /has no weights; Pharos looks for onnx\/model.onnx/ });
  t.match(await broken(async (folder) => writeFile(join(folder, 'config.json'), '{"vocab_size": ')), { code: 'model_invalid', message: /config.json is not JSON/ });
  t.match(await broken(async (folder) => writeFile(join(folder, 'config.json'), '{"vocab_size": -4}')), { code: 'model_invalid', message: /config.json: vocab_size/ });
  t.match(await broken(async (folder) => writeFile(join(folder, 'onnx/model.onnx'), 'not a graph')), { code: 'model_invalid', message: /model.onnx cannot be read/ });
  t.match(await broken(async (folder) => writeFile(join(folder, 'config.json'), JSON.stringify({ vocab_size: 9999, max_position_embeddings: 1024 }))), { code: 'model_invalid', message: /a vocabulary of 9999, the logits have 4109/ });
  t.match(await broken(async (folder) => writeFile(join(folder, 'config.json'), JSON.stringify({ vocab_size: 4109 }))), { code: 'model_invalid', message: /max_position_embeddings is missing/ });
  t.match(
    await broken(async (folder) => writeFile(join(folder, 'pharos.json'), JSON.stringify({ format: 'evidence-2', nameOpen: '<|x|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } }))),
    { code: 'model_invalid', message: /names the mark <\|x\|>/ },
  );
});

t.test('a folder that cannot be loaded is left out, and the others serve', async (t) => {
  const folder = join(t.testdir(), 'spoilt');
  await cp(FOLDER, folder, { recursive: true });
  await writeFile(join(folder, 'onnx/model.onnx'), 'no graph');
  const errors: string[] = [];
  const engine = await startEngine(t, { models: [folder, FOLDER], logger: { info: () => undefined, warn: () => undefined, error: (message) => void errors.push(message) } });
  t.same(engine.models().map(({ id }) => id), ['pharos-mini']);
  t.match(errors, [/a model is left out: .*spoilt.onnx.model.onnx cannot be read/]);
  t.match(await failure(collect(engine.generate(chat(FACT, { model: 'spoilt' })))), { code: 'unknown_model' });
});

t.test('two folders of one name are refused', async (t) => {
  const copy = join(t.testdir(), 'pharos-mini');
  await cp(FOLDER, copy, { recursive: true });
  t.match(await refusal({ models: [FOLDER, copy] }), { code: 'model_invalid', message: /two model folders are called pharos-mini/ });
});

t.test('auto falls back to the CPU with a word in the log where there is no accelerator', async (t) => {
  const notes: string[] = [];
  const logger: EngineLogger = { info: (message) => notes.push(`info ${message}`), warn: (message) => notes.push(`warn ${message}`), error: (message) => notes.push(`error ${message}`) };
  const engine = await startEngine(t, { device: 'auto', logger });
  const [{ device }] = engine.models();
  if (device === 'cpu') {
    t.equal(notes.length, 1);
    t.match(notes[0], /^warn model pharos-mini: running on cpu: ./);
  } else t.comment(`this machine has an accelerator: ${device}`);
  t.equal((await collect(engine.generate(chat(FACT)))).text, 'Albert Einstein was born in Ulm.');
});

t.test('a device asked for by name is used or refused, never replaced in silence', async (t) => {
  const expected = await startEngine(t).then(async (engine) => collect(engine.generate(chat(FACT))));
  for (const device of ['cuda', 'webgpu', 'dml', 'coreml']) {
    const started = await createEngine({ models: [FOLDER], device, threads: 1 }).catch((error: unknown) => error);
    if (started instanceof Error) {
      t.match(started, { code: 'device_unavailable', message: new RegExp(`device ${device} `) });
      t.comment(started.message.slice(0, 200));
      continue;
    }
    const engine = started as Awaited<ReturnType<typeof createEngine>>;
    t.equal(engine.models()[0].device, device);
    t.equal((await collect(engine.generate(chat(FACT)))).text, expected.text);
    await engine.close(0);
  }
  t.match(await refusal({ models: [FOLDER], device: 'abacus' }), { code: 'device_unavailable', message: /no device "abacus"; use one of auto, cpu, cuda/ });
});

t.test('limits that make no sense are refused', async (t) => {
  t.match(await refusal({ models: [FOLDER], limits: { slots: 0 } }), { message: /limits.slots must be a whole number of at least 1, got 0/ });
  t.match(await refusal({ models: [FOLDER], limits: { queue: -1 } }), { message: /limits.queue/ });
});
