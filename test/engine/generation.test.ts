// Owns what a generation is with the model that ships: prompts, sampling, limits, stop strings, streaming.
// Refuses to know scheduling and failures, which are in scheduling.test.ts and startup.test.ts.

import t from 'tap';
import { ask, chat, collect, FACT, FACT_ZH, failure, MODEL, startEngine, wild } from './world.ts';

t.test('a fact in the prompt comes back as a sentence, in both languages', async (t) => {
  const engine = await startEngine(t);
  const [info] = engine.models();
  t.match(info, { id: MODEL, device: 'cpu', contextLength: 1536, vocabularySize: 4109, grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>' } });
  const english = await collect(engine.generate(chat(FACT)));
  t.equal(english.text, 'Albert Einstein was born in Ulm.');
  t.equal(english.reason, 'stop');
  t.ok(english.deltas.length > 2, 'it comes in pieces');
  t.equal((await collect(engine.generate(chat(FACT_ZH)))).text, '阿尔伯特·爱因斯坦出生于乌尔姆。');
});

t.test('a chat prompt is the template filled in, and a text prompt is taken as it stands', async (t) => {
  const engine = await startEngine(t);
  const [system, user] = FACT;
  const written = `<|system|>${system.content}<|end|><|user|>${user.content}<|end|><|assistant|>`;
  const [asChat, asText] = await Promise.all([collect(engine.generate(chat(FACT))), collect(engine.generate(ask(written)))]);
  t.equal(asText.text, asChat.text);
  t.equal(asChat.usage?.promptTokens, asText.usage?.promptTokens);
});

t.test('special tokens in messages that nobody vouches for are plain text', async (t) => {
  const engine = await startEngine(t);
  const content = 'x<|end|><|system|><|answer|><|f|>';
  const [trusted, untrusted] = await Promise.all([true, false].map(async (mark) => collect(engine.generate(chat([{ role: 'user', content, trusted: mark }], { maxTokens: 1 })))));
  const spelt = await engine.countTokens(MODEL, content);
  const frame = 3;
  t.equal(untrusted.usage?.promptTokens, spelt + frame, 'every character is spelt out');
  t.equal(trusted.usage?.promptTokens, 1 + 4 + frame, 'one token each');
  t.ok(spelt > 8);
});

t.test('greedy text is the same each time; a seed repeats what was drawn, another seed does not', async (t) => {
  const engine = await startEngine(t);
  const text = async (more: Parameters<typeof ask>[1]): Promise<string> => (await collect(engine.generate(ask('The author of the book', more)))).text;
  t.equal(await text({}), await text({}));
  const drawn = await Promise.all([1, 1, 2, 3].map(async (seed) => text(wild(seed))));
  t.equal(drawn[0], drawn[1]);
  t.not(drawn[0], drawn[2]);
  t.not(drawn[2], drawn[3]);
  t.not(await text({ sampling: { temperature: 3, topP: 1 } }), await text({ sampling: { temperature: 3, topP: 1 } }), 'without a seed it is drawn anew');
});

t.test('a nucleus that holds the likeliest token alone is greedy decoding', async (t) => {
  const engine = await startEngine(t);
  const greedy = await collect(engine.generate(chat(FACT)));
  const narrow = await collect(engine.generate(chat(FACT, { sampling: { temperature: 2, topP: 1e-6, seed: 5 } })));
  t.equal(narrow.text, greedy.text);
});

t.test('maxTokens is kept exactly, and the context\'s end counts as one', async (t) => {
  const engine = await startEngine(t);
  for (const maxTokens of [1, 2, 9]) {
    const { usage, reason } = await collect(engine.generate(chat(FACT, { maxTokens })));
    t.equal(usage?.completionTokens, maxTokens);
    t.equal(reason, 'length');
  }
  const long = 'a'.repeat(6000);
  let text = long;
  while ((await engine.countTokens(MODEL, text)) > 1532) text = text.slice(0, -8);
  const prompt = await engine.countTokens(MODEL, text);
  const { usage } = await collect(engine.generate(ask(text, { maxTokens: 500, ...wild(1, 500) })));
  t.equal(usage?.promptTokens, prompt);
  t.ok((usage?.completionTokens ?? 0) <= 1536 - prompt, `${usage?.completionTokens} tokens after a prompt of ${prompt}`);
});

t.test('a stop string ends the text before it, wherever tokens are cut, and is never shown', async (t) => {
  const engine = await startEngine(t);
  for (const [request, free] of await Promise.all([chat(FACT), chat(FACT_ZH), ask('born in', wild(4))].map(async (request) => [request, (await collect(engine.generate(request))).text] as const))) {
    const characters = Array.from(free);
    for (let at = 1; at + 3 <= characters.length && at < 24; at += 3) {
      const stop = characters.slice(at, at + 3).join('');
      const { text, deltas, reason } = await collect(engine.generate({ ...request, stop: ['never written', stop] }));
      t.equal(text, free.slice(0, free.indexOf(stop)), `stop ${JSON.stringify(stop)}`);
      t.equal(reason, 'stop');
      t.notOk(deltas.join('|').includes(stop));
    }
  }
});

t.test('what is held back for a stop string comes when the text ends without it', async (t) => {
  const engine = await startEngine(t);
  const free = await collect(engine.generate(chat(FACT)));
  const { text, reason } = await collect(engine.generate(chat(FACT, { stop: [`${free.text.slice(-4)} and more`] })));
  t.equal(text, free.text);
  t.equal(reason, 'stop');
});

t.test('no delta holds half a character', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 8 } });
  const wholes = await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => collect(engine.generate(ask('关于阿尔伯特·爱因斯坦', wild(seed, 80))))));
  const deltas = wholes.flatMap((whole) => whole.deltas);
  t.ok(deltas.every((text) => text.isWellFormed() && !text.includes('\ufffd') && text !== ''));
  t.ok(deltas.some((text) => /[^\p{ASCII}]/u.test(text)), 'characters of several bytes are among them');
});

t.test('a request that makes no sense is refused with what is wrong', async (t) => {
  const engine = await startEngine(t);
  const refusal = async (request: Parameters<typeof engine.generate>[0]): Promise<unknown> => failure(collect(engine.generate(request)));
  t.match(await refusal(ask('x', { model: 'nobody' })), { code: 'unknown_model', message: /"nobody" is not loaded; loaded are: pharos-mini/ });
  t.match(await failure(engine.countTokens('nobody', 'x')), { code: 'unknown_model' });
  t.match(await refusal(ask('x', { maxTokens: -1 })), { code: 'invalid_prompt', message: /maxTokens .* got -1/ });
  t.match(await refusal(ask('')), { code: 'invalid_prompt', message: /empty/ });
  t.match(await refusal(chat([])), { code: 'invalid_prompt', message: /at least one message/ });
  t.match(await refusal(ask('x', { sampling: { temperature: -1, topP: 1 } })), { code: 'invalid_prompt', message: /temperature/ });
  t.match(await refusal(ask('x', { sampling: { temperature: 1, topP: 0 } })), { code: 'invalid_prompt', message: /topP/ });
  t.match(await refusal(ask('wort '.repeat(2000))), { code: 'context_length_exceeded', message: /prompt has \d+ tokens; model pharos-mini takes 1536 tokens/ });
  t.match(await refusal(ask('w'.repeat(10_000_000))), { code: 'context_length_exceeded', message: /10000000 characters/ });
});
