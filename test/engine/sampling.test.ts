// Owns the test of the sampler against a plain one that sorts everything: which tokens may come, and how often.
// Refuses to know models.

import t from 'tap';
import { TokenSet } from '../../src/engine/constraints/tokens/token-set.ts';
import { checkSampling } from '../../src/engine/sampling/check.ts';
import { Sampler, SamplerScratch } from '../../src/engine/sampling/sampler.ts';
import type { Sampling } from '../../src/engine/port.ts';
import { seeded } from '../helpers/store-world.ts';

/** Probabilities by token, in the plainest way: sort, cut, divide. */
function plain(logits: readonly number[], s: Sampling, prompt: readonly number[], written: readonly number[], allowed: readonly number[]): Map<number, number> {
  const adjusted = logits.map((logit, id) => {
    const count = written.filter((token) => token === id).length;
    const r = s.repetitionPenalty ?? 1;
    let value = logit;
    if (count > 0 || prompt.includes(id)) value = value > 0 ? value / r : value * r;
    if (count > 0) value -= (s.presencePenalty ?? 0) + (s.frequencyPenalty ?? 0) * count;
    return Math.fround(value) + (s.logitBias?.[id] ?? 0);
  });
  const normal = (items: { id: number; p: number }[]): { id: number; p: number }[] => {
    const sum = items.reduce((all, { p }) => all + p, 0);
    return items.map(({ id, p }) => ({ id, p: p / sum }));
  };
  const highest = Math.max(...allowed.map((id) => adjusted[id]));
  let items = normal(allowed.map((id) => ({ id, p: Math.exp((adjusted[id] - highest) / s.temperature) })));
  const likeliest = Math.max(...items.map(({ p }) => p));
  items = normal(items.filter(({ p }) => p >= (s.minP ?? 0) * likeliest * (1 - 1e-9)));
  const until = (sorted: { id: number; p: number }[], share: number): { id: number; p: number }[] => {
    let mass = 0;
    return sorted.filter(({ p }) => (mass >= share - 1e-9 ? false : ((mass += p), true)));
  };
  if ((s.typicalP ?? 1) < 1) {
    const entropy = items.reduce((sum, { p }) => sum - p * Math.log(p), 0);
    items = normal(until(items.toSorted((a, b) => Math.abs(-Math.log(a.p) - entropy) - Math.abs(-Math.log(b.p) - entropy)), s.typicalP ?? 1));
  }
  items = items.toSorted((a, b) => b.p - a.p);
  if (s.topK) items = normal(items.slice(0, s.topK));
  if (s.topP < 1) items = normal(until(items, s.topP));
  return new Map(items.map(({ id, p }) => [id, p]));
}

t.test('tokens come as often as a sampler says that sorts everything', async (t) => {
  const random = seeded(3);
  const size = 40;
  const DRAWS = 3000;
  let worst = 0;
  for (let round = 0; round < 60; round++) {
    const logits = Array.from({ length: size }, () => Math.fround((random.next() * 2 - 1) * 4));
    const some = <T>(value: T): T | undefined => (random.next() < 0.5 ? value : undefined);
    const sampling: Sampling = {
      temperature: 0.3 + random.next() * 1.5,
      topP: random.next() < 0.5 ? 1 : 0.2 + random.next() * 0.79,
      seed: round,
      topK: some(1 + random.below(12)),
      minP: some(random.next() * 0.3),
      typicalP: some(0.2 + random.next() * 0.7),
      repetitionPenalty: some(0.7 + random.next()),
      presencePenalty: some(random.next() * 2),
      frequencyPenalty: some(random.next()),
      logitBias: some({ 3: 2, 7: -100 }),
    };
    const prompt = [1, 2, 3];
    const written = [3, 4, 4, 9];
    const allowed = random.next() < 0.5 ? Array.from({ length: size }, (_, id) => id) : Array.from({ length: size }, (_, id) => id).filter(() => random.next() < 0.5);
    if (allowed.length === 0) continue;
    const expected = plain(logits, sampling, prompt, written, allowed);
    const sampler = new Sampler(sampling, new SamplerScratch(size), prompt);
    for (const token of written) sampler.accept(token);
    const counts = new Map<number, number>();
    const bits = new Uint32Array(2);
    for (const id of allowed) bits[id >>> 5] |= 1 << (id & 31);
    // The same tokens as a list and as bits.
    const sets = allowed.length === size ? [undefined] : [TokenSet.ofIds(allowed), TokenSet.ofBits(bits)];
    for (let i = 0; i < DRAWS; i++) {
      const token = sampler.choose(Float32Array.from(logits), sets[i % sets.length]);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    for (const [token, count] of counts) if (!expected.has(token)) t.fail(`round ${round}: token ${token} came ${count} times and may not come: ${JSON.stringify(sampling)}`);
    for (const [token, p] of expected) worst = Math.max(worst, Math.abs((counts.get(token) ?? 0) / DRAWS - p) / Math.sqrt((p * (1 - p)) / DRAWS + 1e-6));
  }
  // Of about a thousand shares, the farthest from its expectation is about 3.5 standard deviations away.
  t.ok(worst < 5.5, `the farthest share is ${worst.toFixed(1)} standard deviations from its expectation`);
});

t.test('likelihoods are those of the model, whatever is done to the logits after', async (t) => {
  const logits = Float32Array.from([1, 3, 2, -1]);
  const sum = [1, 3, 2, -1].reduce((all, value) => all + Math.exp(value), 0);
  const sampler = new Sampler({ temperature: 0, topP: 1, logprobs: 2, logitBias: { 3: 50 } }, new SamplerScratch(4));
  t.equal(sampler.choose(logits), 3);
  const { logprob, top } = sampler.likelihood ?? { logprob: 0, top: [] };
  t.ok(Math.abs(logprob - Math.log(Math.exp(-1) / sum)) < 1e-6);
  t.same(top.map(([token]) => token), [1, 2]);
  t.ok(Math.abs(top[0][1] - Math.log(Math.exp(3) / sum)) < 1e-6);
});

t.test('a token that may not come yet comes where nothing else may', async (t) => {
  const sampler = new Sampler({ temperature: 0, topP: 1 }, new SamplerScratch(4));
  const logits = (): Float32Array => Float32Array.from([1, 3, 2, -1]);
  t.equal(sampler.choose(logits(), TokenSet.ofIds([1, 3]), new Set([1])), 3);
  t.equal(sampler.choose(logits(), TokenSet.ofIds([1]), new Set([1])), 1);
  t.equal(sampler.choose(logits(), undefined, new Set([1])), 2);
});

t.test('a seed draws the same whatever else is drawn between', async (t) => {
  const scratch = new SamplerScratch(64);
  const logits = (): Float32Array => Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const draw = (sampler: Sampler): number => sampler.choose(logits());
  const make = (seed: number): Sampler => new Sampler({ temperature: 1, topP: 0.9, topK: 30, seed }, scratch);
  const alone = make(5);
  const expected = Array.from({ length: 20 }, () => draw(alone));
  const [again, other] = [make(5), make(6)];
  t.same(Array.from({ length: 20 }, () => (draw(other), draw(again))), expected);
});

t.test('settings out of range are named', async (t) => {
  for (const [more, message] of [
    [{ topK: -1 }, /topK must be a whole number of at least 0, got -1/],
    [{ minP: 2 }, /minP must be from 0 to 1/],
    [{ typicalP: 0 }, /typicalP/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty must be a number above 0/],
    [{ logitBias: { x: 1 } as never }, /logitBias must give numbers by token id/],
  ] as const)
    t.throws(() => checkSampling({ temperature: 1, topP: 1, ...more }), { code: 'invalid_prompt', message });
  t.doesNotThrow(() => checkSampling({ temperature: 0, topP: 1, topK: 0, minP: 0, typicalP: 1, repetitionPenalty: 1.1, logprobs: 5 }));
});
