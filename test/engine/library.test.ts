// Owns models that come and go while the engine runs.
// Refuses to know why they do.

import { cp, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fineTunedFolder, modelName } from '../../src/engine/models/model-files.ts';
import { fineTunedName } from '../../src/training/jobs/tuned-models.ts';
import { writeEncoder } from './encoders.ts';
import { ask, collect, FOLDER, MODEL, startEngine, until, wild } from './world.ts';

t.test('a model is served as soon as it was added, by the name that its folder stands for, and no more when it was removed', async (t) => {
  const engine = await startEngine(t);
  const { library } = engine;
  if (!library) throw new Error('there is no library');
  const name = 'ft:owner/mini#q4:my graph:Ab12';
  const folder = join(t.testdir(), fineTunedFolder(name));
  await cp(FOLDER, folder, { recursive: true });
  t.match(await library.add(folder), { id: name, tasks: ['generate'], loaded: false });
  t.same(
    engine.models().map(({ id }) => id),
    [MODEL, name],
  );
  t.same([library.folderOf(name), library.folderOf(MODEL), library.folderOf('none')], [folder, FOLDER, undefined]);
  const request = { maxTokens: 6 };
  const text = (await collect(engine.generate(ask('Albert Einstein was', request)))).text;
  t.equal((await collect(engine.generate(ask('Albert Einstein was', { ...request, model: name })))).text, text);
  await t.rejects(library.add(folder), { code: 'model_invalid', message: /there is a model .* already/ });
  await t.rejects(library.add(join(folder, 'onnx')), { code: 'model_invalid', message: /config\.json/ });
  await library.remove(name);
  t.same(
    engine.models().map(({ id }) => id),
    [MODEL],
  );
  t.equal(library.folderOf(name), undefined);
  await t.rejects(library.remove(name), { code: 'unknown_model' });
  await t.rejects(collect(engine.generate(ask('x', { model: name }))), { code: 'unknown_model' });
  await library.add(folder);
  t.equal((await collect(engine.generate(ask('Albert Einstein was', { ...request, model: name })))).text, text, 'it may come back');
});

t.test('what a removed model is generating ends as it would, and its memory is free afterwards', async (t) => {
  const notes: string[] = [];
  const folder = join(t.testdir(), 'other');
  await cp(FOLDER, folder, { recursive: true });
  const engine = await startEngine(t, {
    models: [FOLDER, folder],
    logger: { info: (message) => void notes.push(message), warn: () => undefined, error: (message) => t.fail(message) },
  });
  const events = engine.generate(ask('Once', { ...wild(1, 60), model: 'other' }))[Symbol.asyncIterator]();
  await events.next();
  await engine.library?.remove('other');
  await rename(folder, `${folder}-gone`);
  let last: string | undefined;
  for (let next = await events.next(); !next.done; next = await events.next()) last = next.value.kind;
  t.equal(last, 'finish');
  await until(() => notes.some((note) => /model other is closed: it was removed/.test(note)));
  t.same(
    engine.models().map(({ id }) => id),
    [MODEL],
  );
});

t.test('models that make vectors come and go as well; a folder that no name stands for keeps its own', async (t) => {
  const root = t.testdir();
  await mkdir(join(root, 'x'));
  const engine = await startEngine(t);
  const folder = await writeEncoder(join(root, 'ft%3A%FF'));
  t.match(await engine.library?.add(folder), { id: 'ft%3A%FF', tasks: ['embed', 'score'] });
  t.equal((await engine.embed({ model: 'ft%3A%FF', inputs: ['the cat'] })).vectors.length, 1);
  await engine.library?.remove('ft%3A%FF');
  await t.rejects(engine.embed({ model: 'ft%3A%FF', inputs: ['the cat'] }), { code: 'unknown_model' });
});

t.test('the folder of a fine-tuned model has a name that file systems take, however long that of its model is', (t) => {
  for (const model of ['pharos-mini', 'owner/name', 'x'.repeat(240), '模'.repeat(80), 'é😀'.repeat(60), `ft:${'模'.repeat(80)}:before:12345678`]) {
    const name = fineTunedName({ model, suffix: 'a'.repeat(64), id: 'ftjob-abcdefghijkl' });
    const folder = fineTunedFolder(name);
    t.ok(Buffer.byteLength(folder) <= 255, folder);
    t.equal(modelName(folder, undefined), name);
    t.match(name, /^ft:.+:a{64}:abcdefgh$/u);
  }
  t.equal(fineTunedName({ model: '模'.repeat(12), suffix: 'x', id: 'ftjob-abcdefghijkl' }), `ft:${'模'.repeat(12)}:x:abcdefgh`);
  t.end();
});
