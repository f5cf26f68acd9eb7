// Owns which models are in memory when: opened when they are asked for, closed for others or for idleness, never while they are in use.
// Refuses to know what they compute.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { EngineLogger } from '../../src/engine/engine.ts';
import type { Engine, EngineLimits } from '../../src/engine/port.ts';
import { seeded } from '../helpers/store-world.ts';
import { writeEncoder } from './encoders.ts';
import { ask, collect, failure, FOLDER, MODEL, startEngine, until } from './world.ts';

const folders = async (t: Test, ...names: readonly string[]): Promise<string[]> => {
  const root = t.testdir();
  return Promise.all(names.map((name, i) => writeEncoder(join(root, name), { seed: i })));
};
const loaded = (engine: Engine): string[] => engine.models().flatMap(({ id, loaded: is }) => (is === true ? [id] : []));
const embed = (engine: Engine, model: string, texts = 1, signal?: AbortSignal) => engine.embed({ model, inputs: Array.from({ length: texts }, (_, i) => `the cat sat ${'dog '.repeat(i % 5)}`) }, signal);
/** Bytes of one of the small models. */
async function sizeOf(t: Test, folder: string): Promise<number> {
  const [{ bytes = 0 }] = (await startEngine(t, { models: [folder] })).models();
  return bytes;
}
const quiet: EngineLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

t.test('the default model is loaded at start, the others when they are asked for, and the one used longest ago gives way', async (t) => {
  const [a, b, c] = await folders(t, 'a', 'b', 'c');
  const room = 2 * (await sizeOf(t, a)) + 100;
  const notes: string[] = [];
  const engine = await startEngine(t, { models: [a, b, c], limits: { modelBytes: room }, logger: { ...quiet, info: (message) => void notes.push(message) } });
  t.same(loaded(engine), ['a']);
  const first = (await embed(engine, 'b')).vectors[0];
  t.same(loaded(engine), ['a', 'b']);
  await embed(engine, 'a');
  await embed(engine, 'c');
  await until(() => loaded(engine).includes('c'));
  t.same(loaded(engine), ['a', 'c'], 'b was used longest ago');
  t.same((await embed(engine, 'b')).vectors[0], first, 'and comes back as it was');
  t.match(notes.join('\n'), /model b is closed: model c needs its memory\nmodel c is loaded on cpu\nmodel a is closed: model b needs its memory/);
  t.equal(await engine.countTokens('a', 'the cat'), 4, 'counting opens nothing');
  t.same(loaded(engine), ['b', 'c']);
});

t.test('a decoder gives way and comes back, too', async (t) => {
  const [a] = await folders(t, 'a');
  const whole = (await startEngine(t, {})).models()[0].bytes ?? 0;
  const engine = await startEngine(t, { models: [a, FOLDER], limits: { modelBytes: whole + 10 } });
  t.same(loaded(engine), [MODEL], 'the first that generates is the default');
  const request = ask('Albert Einstein was', { maxTokens: 8 });
  const { text } = await collect(engine.generate(request));
  await embed(engine, 'a');
  t.same(loaded(engine), ['a']);
  t.equal((await collect(engine.generate(request))).text, text);
  t.same(loaded(engine), [MODEL]);
});

t.test('what is in use is not closed: others wait, and those who leave are not waited for', async (t) => {
  const [a, b, c] = await folders(t, 'a', 'b', 'c');
  const engine = await startEngine(t, { models: [a, b, c], limits: { modelBytes: (await sizeOf(t, a)) + 100, passTokens: 32 } });
  const order: string[] = [];
  const long = embed(engine, 'a', 300).then(() => order.push('a'));
  const controller = new AbortController();
  const left = failure(embed(engine, 'b', 1, controller.signal));
  const next = embed(engine, 'c').then(() => order.push('c'));
  await until(() => engine.statistics().running > 0);
  controller.abort();
  t.match(await left, { code: 'aborted' });
  await Promise.all([long, next]);
  t.same(order, ['a', 'c']);
  t.same(loaded(engine), ['c'], 'nobody opened b');
});

t.test('a model that is always in use does not keep the others out', async (t) => {
  const [a, b] = await folders(t, 'a', 'b');
  const engine = await startEngine(t, { models: [a, b], limits: { modelBytes: (await sizeOf(t, a)) + 100, passTokens: 32 } });
  const answered = new AbortController();
  // One of them is always under way.
  const streams = [15, 25, 40, 60].map(async (texts) => {
    let rounds = 0;
    for (; !answered.signal.aborted && rounds < 1000; rounds++) await embed(engine, 'a', texts);
    return rounds;
  });
  await until(() => engine.statistics().running > 0);
  await embed(engine, 'b');
  answered.abort();
  t.ok(Math.max(...(await Promise.all(streams))) <= 10, 'b had its turn soon');
  t.equal((await embed(engine, 'a')).vectors.length, 1);
});

t.test('a model that leaves in the middle of a request gives its place back', async (t) => {
  const [a, b] = await folders(t, 'a', 'b');
  const engine = await startEngine(t, { models: [a, b], limits: { modelBytes: (await sizeOf(t, a)) + 100, passTokens: 32 } });
  const controller = new AbortController();
  const long = failure(embed(engine, 'a', 2000, controller.signal));
  const next = embed(engine, 'b');
  await until(() => engine.statistics().running > 0);
  controller.abort();
  t.match(await long, { code: 'aborted' });
  t.equal((await next).vectors.length, 1);
});

t.test('requests that have left take no places from those that wait for a model', async (t) => {
  const [a, b] = await folders(t, 'a', 'b');
  const engine = await startEngine(t, { models: [a, b], limits: { modelBytes: (await sizeOf(t, a)) + 100, passTokens: 32, queue: 2 } });
  const long = embed(engine, 'a', 300);
  await until(() => engine.statistics().running > 0);
  const next = embed(engine, 'b');
  for (let i = 0; i < 6; i++) {
    const controller = new AbortController();
    const left = failure(embed(engine, 'b', 1, controller.signal));
    await engine.countTokens('b', 'so that it waits by now');
    controller.abort();
    t.match(await left, { code: 'aborted' });
  }
  t.equal((await embed(engine, 'b')).vectors.length, 1);
  await Promise.all([long, next]);
});

t.test('a model that is removed while a request waits for its turn is not opened again for it', async (t) => {
  const [a, b] = await folders(t, 'a', 'b');
  const engine = await startEngine(t, { models: [a, b], limits: { modelBytes: (await sizeOf(t, a)) + 100, passTokens: 32 } });
  const long = embed(engine, 'a', 300);
  await until(() => engine.statistics().running > 0);
  const next = embed(engine, 'b');
  await engine.countTokens('b', 'so that b waits for room by now');
  const late = failure(embed(engine, 'a'));
  await engine.library?.remove('a');
  await Promise.all([long, next]);
  t.match(await late, { code: 'unknown_model', message: /"a" is not loaded; there are: b/ });
  t.same(loaded(engine), ['b']);
});

t.test('a model that nobody asks for is closed', async (t) => {
  const [a] = await folders(t, 'a');
  const engine = await startEngine(t, { models: [a], limits: { modelIdleMs: 60 } });
  t.same(loaded(engine), ['a']);
  await until(() => loaded(engine).length === 0);
  t.equal((await embed(engine, 'a')).vectors.length, 1);
  t.same(loaded(engine), ['a']);
  await until(() => loaded(engine).length === 0);
});

t.test('a model that cannot be loaded is an error when it is asked for, and the others go on', async (t) => {
  const [a, b] = await folders(t, 'a', 'b');
  await writeFile(join(b, 'onnx/model.onnx'), 'no graph');
  const engine = await startEngine(t, { models: [a, b] });
  t.same(engine.models().map(({ id }) => id), ['a', 'b']);
  for (let i = 0; i < 2; i++) t.match(await failure(embed(engine, 'b')), { code: 'model_unavailable', message: /model b cannot be loaded: .*model.onnx cannot be read/ });
  t.equal((await embed(engine, 'a')).vectors.length, 1);
});

t.test('a model that is larger than all the room is left out with a word', async (t) => {
  const [a] = await folders(t, 'a');
  const errors: string[] = [];
  const logger = { ...quiet, error: (message: string) => void errors.push(message) };
  const engine = await startEngine(t, { models: [a, FOLDER], limits: { modelBytes: (await sizeOf(t, a)) + 100 }, logger });
  t.same(engine.models().map(({ id }) => id), ['a']);
  t.match(errors, [/model pharos-mini has \d+ bytes of weights, and models may have \d+ in memory/]);
});

t.test('closing while a model is waited for ends the wait', async (t) => {
  const [a, b] = await folders(t, 'a', 'b');
  const engine = await startEngine(t, { models: [a, b], limits: { modelBytes: (await sizeOf(t, a)) + 100, passTokens: 32 } });
  const [long, waits] = [failure(embed(engine, 'a', 2000)), failure(embed(engine, 'b'))];
  await until(() => engine.statistics().running > 0);
  await engine.close(0);
  for (const each of [await long, await waits]) t.match(each, { code: 'closed' });
});

t.test('whatever is asked in whatever order, the room is never passed and every request is answered', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const models = await folders(t, ...names);
  const size = await sizeOf(t, models[0]);
  for (let seed = 1; seed <= 4; seed++) {
    const random = seeded(seed);
    const places = 1 + Math.floor(random.next() * 3);
    const limits: Partial<EngineLimits> = { modelBytes: places * size + 100, modelIdleMs: seed % 2 === 0 ? 30 : 0, passTokens: 64 };
    let most = 0;
    const logger = { ...quiet, info: () => void (most = Math.max(most, loaded(engine).length)) };
    const engine = await startEngine(t, { models, limits, logger });
    const expected = new Map<string, Float32Array>();
    for (const name of names) expected.set(name, (await embed(engine, name)).vectors[0]);
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const name = names[Math.floor(random.next() * names.length)];
        if (random.next() < 0.2) {
          const controller = new AbortController();
          setTimeout(() => controller.abort(), random.next() * 20);
          const outcome = await failure(embed(engine, name, 30, controller.signal));
          t.ok(outcome === undefined || (outcome as { code: string }).code === 'aborted');
        } else t.same((await embed(engine, name, 1 + Math.floor(random.next() * 9))).vectors[0], expected.get(name), name);
      }),
    );
    t.ok(most <= places, `${most} of ${places}`);
    await engine.close(0);
  }
});
