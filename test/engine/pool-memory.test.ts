// Owns that the memory of models is counted with what they remember of texts, and who gives way for it.
// Refuses to know which models are opened when: that is pool.test.ts.

import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { EngineOptions } from '../../src/engine/engine.ts';
import type { Embeddings, Engine } from '../../src/engine/port.ts';
import { writeEncoder } from './encoders.ts';
import { ask, collect, FOLDER, MODEL, startEngine, until } from './world.ts';

const loaded = (engine: Engine): string[] => engine.models().flatMap(({ id, loaded: is }) => (is === true ? [id] : []));
const embed = async (engine: Engine, model: string): Promise<Embeddings> => engine.embed({ model, inputs: ['the cat sat'] });
const sizeOf = async (t: Test, options: Partial<EngineOptions>): Promise<number> => (await startEngine(t, options)).models()[0].bytes ?? 0;

t.test('keys and values of texts count: what ended is forgotten first, then a model that nobody uses is closed', async (t) => {
  const a = await writeEncoder(join(t.testdir(), 'a'));
  const weights = (await sizeOf(t, {})) + (await sizeOf(t, { models: [a] }));
  const request = ask('Albert Einstein was born in Ulm, and Marie Curie was born in Warsaw, and Niels Bohr was', { maxTokens: 30, sampling: { temperature: 2, topP: 1, seed: 3 } });
  const outcome = async (modelBytes: number): Promise<{ readonly during: string[]; readonly cached: readonly (number | undefined)[]; readonly text: string }> => {
    const engine = await startEngine(t, { models: [FOLDER, a], limits: { modelBytes } });
    await embed(engine, 'a');
    t.same(loaded(engine), [MODEL, 'a'], 'there is room for the weights of both');
    const first = await collect(engine.generate(request));
    const during = loaded(engine);
    const again = await collect(engine.generate(request));
    // Its weights take the place of what is remembered, and not of the model.
    await embed(engine, 'a');
    t.same(loaded(engine), [MODEL, 'a']);
    const last = await collect(engine.generate({ ...request, maxTokens: 1 }));
    return { during, cached: [again.usage?.cachedTokens, last.usage?.cachedTokens], text: first.text };
  };
  const [tight, wide] = [await outcome(weights + 1000), await outcome(weights + 50_000_000)];
  t.same(tight.during, [MODEL]);
  t.same(tight.cached, [undefined, undefined]);
  t.same(wide.during, [MODEL, 'a']);
  t.ok(wide.cached.every((count) => (count ?? 0) > 16));
  t.equal(tight.text, wide.text, 'what is written is the same');
});

t.test('a model that texts have filled is given up for another one when they have ended, and none waits for ever', async (t) => {
  const a = await writeEncoder(join(t.testdir(), 'a'));
  const whole = await sizeOf(t, {});
  const engine = await startEngine(t, { models: [FOLDER, a], limits: { modelBytes: whole + (await sizeOf(t, { models: [a] })) + 1000, slots: 4 } });
  const write = (seed: number) => collect(engine.generate(ask('A colour:', { maxTokens: 20, sampling: { temperature: 2, topP: 1, seed } })));
  const texts = Array.from({ length: 12 }, (_, seed) => write(seed));
  await until(() => engine.statistics().running > 1);
  const vectors = await Promise.all([embed(engine, 'a'), embed(engine, 'a')]);
  t.equal(vectors.length, 2);
  for (const { error } of await Promise.all(texts)) t.equal(error, undefined);
  await embed(engine, 'a');
  t.same(loaded(engine), [MODEL, 'a'], 'what texts side by side took is free again');
});
