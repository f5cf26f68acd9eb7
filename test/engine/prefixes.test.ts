// Owns the test that a text which begins like an earlier one is not read again, and comes out the same.
// Refuses to know how long reading takes.

import { join } from 'node:path';
import t from 'tap';
import { KvCache } from '../../src/engine/decoder/kv-cache.ts';
import { PrefixCache } from '../../src/engine/decoder/prefix-cache.ts';
import { writeForeign } from './foreign.ts';
import { ask, collect, startEngine } from './world.ts';

const SYSTEM = 'The Lagoon of Plato, and the teacher of Aristotle, was born in Athens and died in Athens. ';

t.test('a model of others remembers beginnings, wherever the texts part', async (t) => {
  const folder = join(t.testdir(), 'foreign');
  await writeForeign(folder, { cache: 'grouped' });
  const [engine, forgetful] = [await startEngine(t, { models: [folder] }), await startEngine(t, { models: [folder], limits: { prefixBytes: 0 } })];
  const question = (text: string): ReturnType<typeof ask> => ask(SYSTEM + text, { model: 'foreign', maxTokens: 12 });
  for (const [i, text] of ['Who was it?', 'Who was she?', 'Who was it?', 'Where?'].entries()) {
    const [given, expected] = [await collect(engine.generate(question(text))), await collect(forgetful.generate(question(text)))];
    t.equal(given.text, expected.text, text);
    t.equal(expected.usage?.cachedTokens, undefined);
    const { promptTokens = 0, cachedTokens = 0 } = given.usage ?? {};
    t.equal(cachedTokens > 16 && cachedTokens < promptTokens, i > 0, `${cachedTokens} of ${promptTokens}`);
  }
});

t.test('the model that ships, which replaces a part of what it remembers, goes on from whole texts alone', async (t) => {
  const engine = await startEngine(t);
  const forgetful = await startEngine(t, { limits: { prefixBytes: 0 } });
  const first = await collect(engine.generate(ask(SYSTEM, { maxTokens: 5 })));
  const next = ask(`${SYSTEM}${first.text} and then`, { maxTokens: 8 });
  const other = ask(`${SYSTEM}Where?`, { maxTokens: 8 });
  for (const request of [next, other]) t.equal((await collect(engine.generate(request))).text, (await collect(forgetful.generate(request))).text);
});

t.test('bytes are bounded, and a text makes those that it begins with needless', async (t) => {
  const text = (tokens: number[]): { cache: KvCache; replaced: [] } => {
    const cache = new KvCache([4], 1000);
    cache.feed(tokens);
    cache.append([tokens.length], [new Float32Array(4 * tokens.length).fill(tokens.length)]);
    return { cache, replaced: [] };
  };
  const tokens = Array.from({ length: 100 }, (_, i) => i);
  const one = new PrefixCache(10_000);
  one.keep(text(tokens.slice(0, 40)));
  const { bytes } = one;
  t.ok(bytes > 0 && bytes < 2000, `${bytes} bytes of 40 tokens`);
  one.keep(text(tokens));
  t.ok(one.bytes < 3 * bytes, 'the shorter one is gone');
  t.equal(one.take(tokens)?.length, 99, 'never the last one');
  t.equal(one.take([...tokens.slice(0, 50), 7])?.length, 50);
  t.equal(one.take([1, 2, 3]), undefined);
  for (let i = 0; i < 50; i++) one.keep(text(tokens.map((token) => token + i)));
  t.ok(one.bytes <= 10_000, `${one.bytes} bytes`);
  const none = new PrefixCache(0);
  none.keep(text(tokens));
  t.equal(none.take(tokens), undefined);
});
