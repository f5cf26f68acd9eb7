// Owns the test that guessing from the text, and running beside others, change nothing but the number of passes.
// Refuses to know how fast they are.

import t from 'tap';
import { Drafts } from '../../src/engine/decoder/drafts.ts';
import { Runner } from '../../src/engine/decoder/runner.ts';
import type { GenerateRequest } from '../../src/engine/port.ts';
import { seeded } from '../helpers/store-world.ts';
import { ask, chat, collect, FACT, FOLDER, MODEL, startEngine, until } from './world.ts';

t.test('a guess is what followed the last tokens before, and is no longer than it may be', (t) => {
  const random = seeded(3);
  let guessed = 0;
  for (let round = 0; round < 300; round++) {
    const prompt = Array.from({ length: random.below(40) }, () => random.below(5));
    const drafts = new Drafts(prompt);
    const text = [...prompt];
    for (let i = 0; i < 30; i++) {
      const most = random.below(7);
      const guess = drafts.guess(most, round % 9);
      if (guess.length > most) t.fail(`${guess.length} tokens where ${most} may be`);
      if (guess.length > 0) {
        guessed++;
        const [a, b] = text.slice(-2);
        const found = text.some((_, at) => at + 2 < text.length && text[at] === a && text[at + 1] === b && guess.every((token, k) => text[at + 2 + k] === token));
        if (!found) t.fail(`${guess.join()} never followed ${a}, ${b} in ${text.join()}`);
      }
      drafts.judge(guess.length, random.below(guess.length + 1), round % 9);
      const token = random.below(5);
      text.push(token);
      drafts.push(token);
    }
  }
  t.ok(guessed > 2000, `${guessed} guesses`);
  t.end();
});

t.test('guesses are as long as is worth it: longer where passes are dear and guesses right, and they rest when they are wrong', (t) => {
  const cycle = (i: number): number => i % 50;
  const lengths = (overhead: number, right: (guessed: number) => number, rounds: number): number[] => {
    const drafts = new Drafts(Array.from({ length: 120 }, (_, i) => cycle(i)));
    let at = 120;
    return Array.from({ length: rounds }, () => {
      const guess = drafts.guess(16, overhead);
      t.same(guess, guess.map((_, k) => cycle(at + k)));
      drafts.judge(guess.length, right(guess.length), overhead);
      // The text goes on as it began, whatever was said of the guess.
      const written = Math.max(1, guess.length);
      for (let i = 0; i < written; i++) drafts.push(cycle(at++));
      return guess.length;
    });
  };
  const all = (guessed: number): number => guessed;
  const none = (): number => 0;
  const [cheap, dear] = [lengths(0.5, all, 12), lengths(10, all, 12)];
  t.ok(dear[0] > cheap[0], `${dear[0]} and ${cheap[0]} to begin with`);
  t.equal(cheap.at(-1), 16, 'all that may be, once all were right');
  t.equal(dear.at(-1), 16);
  const wrong = lengths(0.5, none, 60);
  t.ok(wrong.filter((length) => length > 0).length < 15, `${wrong.filter((length) => length > 0).length} of 60 times where nothing was right`);
  t.ok(wrong.slice(20).every((length) => length <= 1) && wrong.slice(20).includes(1), 'now and then one token is tried');
  t.end();
});

const QUOTE = 'The Lagoon of Plato was born in Athens and the Lagoon of Plato died in Athens. The Lagoon of Plato was born in';
const REQUESTS: readonly (readonly [name: string, request: GenerateRequest])[] = [
  ['greedy', ask(QUOTE, { maxTokens: 60 })],
  ['drawn with a seed', ask(QUOTE, { maxTokens: 60, sampling: { temperature: 0.7, topP: 0.95, seed: 11 } })],
  ['drawn wildly', ask(QUOTE, { maxTokens: 40, sampling: { temperature: 2.5, topP: 1, seed: 12 } })],
  ['penalties and a bias', ask(QUOTE, { maxTokens: 60, sampling: { temperature: 0.4, topP: 1, seed: 13, repetitionPenalty: 1.05, presencePenalty: 0.2, logitBias: { 300: 2 } } })],
  ['a stop string', ask(QUOTE, { maxTokens: 60, stop: ['died in', 'zz'] })],
  ['one token', ask(QUOTE, { maxTokens: 1 })],
  ['seven tokens', ask(QUOTE, { maxTokens: 7 })],
  ['a pattern', ask(QUOTE, { maxTokens: 60, constraint: { kind: 'regex', pattern: '( Athens| the Lagoon of Plato| was born in)+\\.' } })],
  ['names of a fact', chat(FACT, { constraint: { kind: 'names', names: ['Albert Einstein', 'Ulm'], words: ['was', 'born', 'in', '.'], order: ['Albert Einstein', 'Ulm'] } })],
  ['likelihoods', ask(QUOTE, { maxTokens: 12, sampling: { temperature: 0, topP: 1, logprobs: 2 } })],
];

t.test('with guesses and without, alone and side by side, each request writes the same', async (t) => {
  const plain = await startEngine(t, { limits: { guesses: 0, prefixBytes: 0, slots: 1 } });
  const expected: Awaited<ReturnType<typeof collect>>[] = [];
  for (const [, request] of REQUESTS) expected.push(await collect(plain.generate(request)));
  t.equal(plain.statistics().passes?.guessedTokens, 0);
  t.ok((expected[0].text.match(/Plato|Athens/g) ?? []).length > 1, `the model quotes: ${expected[0].text}`);

  const guessing = await startEngine(t, { limits: { guesses: 8, prefixBytes: 0, slots: 1 } });
  for (const [i, [name, request]] of REQUESTS.entries()) {
    const { text, usage, reason, error } = await collect(guessing.generate(request));
    t.same({ text, usage, reason, error }, { text: expected[i].text, usage: expected[i].usage, reason: expected[i].reason, error: expected[i].error }, name);
  }
  const [alone, guessed] = [plain.statistics().passes, guessing.statistics().passes];
  t.ok(guessed && alone && guessed.total < alone.total, `${alone?.total} passes without guesses, ${guessed?.total} with them`);
  t.ok(guessed && guessed.acceptedTokens > 20 && guessed.acceptedTokens <= guessed.guessedTokens, `${guessed?.acceptedTokens} of ${guessed?.guessedTokens} guessed tokens are taken`);

  // All at once, twice over, joining and leaving as slots come free; then others leave in the middle.
  for (const guesses of [0, 8]) {
    const together = await startEngine(t, { limits: { guesses, prefixBytes: 0, slots: 6 } });
    const leaving = Array.from({ length: 6 }, async (_, i) => {
      for await (const event of together.generate(ask(QUOTE, { maxTokens: 200, sampling: { temperature: 2, topP: 1, seed: i } }))) if (event.kind === 'delta' && i % 2 === 0) break;
    });
    const all = await Promise.all([...REQUESTS, ...REQUESTS].map(async ([, request]) => collect(together.generate(request))));
    await Promise.all(leaving);
    all.forEach(({ text, reason, usage }, i) => {
      const right = expected[i % REQUESTS.length];
      t.same({ text, reason, tokens: usage?.completionTokens }, { text: right.text, reason: right.reason, tokens: right.usage?.completionTokens }, `${REQUESTS[i % REQUESTS.length][0]}, beside others, ${guesses} guesses`);
    });
    const passes = together.statistics().passes;
    t.ok(passes && passes.sequences > passes.total * 1.5, `${passes?.sequences} steps in ${passes?.total} passes`);
    t.equal(together.statistics().slots.used, 0);
  }
});

t.test('texts that begin alike at the same time are read once, and come out as they would alone', async (t) => {
  const text = 'The Lagoon of Plato, and the teacher of Aristotle, was born in Athens and died in Athens. '.repeat(3);
  const requests = [
    ...Array.from({ length: 5 }, (_, seed) => ask(`${text}Who`, { maxTokens: 12, sampling: { temperature: 1, topP: 1, seed } })),
    ask(`${text}Where was it?`, { maxTokens: 12 }),
    ask(text.slice(0, 100), { maxTokens: 12 }),
    ask('Who?', { maxTokens: 12 }),
    ask(`${text}Who`, { maxTokens: 12, echo: true, sampling: { temperature: 0, topP: 1, logprobs: 1 } }),
  ];
  const alone = await startEngine(t, { limits: { prefixBytes: 0, slots: 1 } });
  const expected: Awaited<ReturnType<typeof collect>>[] = [];
  for (const request of requests) expected.push(await collect(alone.generate(request)));
  for (const prefillChunk of [16, 128]) {
    const engine = await startEngine(t, { limits: { prefixBytes: 0, slots: 16, prefillChunk } });
    const all = await Promise.all(requests.map(async (request) => collect(engine.generate(request))));
    t.same(all.map(({ text: written }) => written), expected.map(({ text: written }) => written));
    const shared = all.map(({ usage }) => usage?.cachedTokens ?? 0);
    const prompt = all[0].usage?.promptTokens ?? 0;
    t.equal(shared[0], 0);
    t.same(shared.slice(1, 5), [1, 2, 3, 4].map(() => prompt - 1), `of ${prompt} tokens`);
    t.ok(shared[5] > prompt - 10 && shared[7] === 0 && shared[8] === 0, shared.join());
  }
});

t.test('a long prompt is read in chunks between the steps of those that write', async (t) => {
  const engine = await startEngine(t, { limits: { prefillChunk: 16, prefixBytes: 0 } });
  const order: string[] = [];
  const writer = (async () => {
    for await (const event of engine.generate(ask('Who', { maxTokens: 150, sampling: { temperature: 3, topP: 1, seed: 4 } }))) if (event.kind === 'delta') order.push('w');
  })();
  await until(() => order.length > 2);
  const before = order.length;
  for await (const event of engine.generate(ask('the river and the stone '.repeat(60), { maxTokens: 1 }))) if (event.kind === 'finish') order.push(`${event.usage.promptTokens}`);
  const between = order.length - before - 1;
  const prompt = Number(order.find((each) => each !== 'w'));
  await writer;
  t.ok(between >= Math.floor(prompt / 16) - 2, `${between} deltas while ${prompt} tokens were read`);
  t.equal(engine.models()[0].id, MODEL);
});

t.test('one pass may hold more tokens of all texts together than the context of one', async (t) => {
  const runner = await Runner.open({ file: `${FOLDER}/onnx/model.onnx`, device: 'cpu', threads: 1, contextLength: 1024, vocabularySize: 4096 });
  t.teardown(() => runner.close());
  const texts = Array.from({ length: 20 }, (_, text) => Array.from({ length: 64 }, (_, i) => 20 + ((text * 31 + i * 7) % 4000)));
  const together = await runner.forwardAll(runner.batch(texts.length), texts.map((tokens) => ({ tokens, wanted: 1 })));
  for (const text of [0, 7, 19]) {
    const [alone] = await runner.forward(runner.start(), texts[text], 1);
    t.ok(together[text][0].every((logit, i) => Math.abs(logit - alone[i]) < 1e-3), `text ${text}`);
  }
});
