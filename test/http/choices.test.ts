// Owns several choices, likelihoods, echoes and the sampler's settings over HTTP.
// Refuses to know how tokens are chosen: test/engine/sampling does.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { sideBySide } from '../../src/http/choices.ts';
import { call, events, startApp } from '../helpers/http-app.ts';

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });
const complete = (rest: object) => call(app, 'POST', '/v1/completions', { model: 'pharos-mini', prompt: 'Albert Einstein was born', max_tokens: 12, ...rest });
const chat = (rest: object) => call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], ...rest });
interface Choice {
  readonly index: number;
  readonly text: string;
  readonly finish_reason: string;
  readonly logprobs: { readonly tokens: string[]; readonly token_logprobs: (number | null)[]; readonly top_logprobs: (Record<string, number> | null)[]; readonly text_offset: number[] } | null;
}
const choicesOf = (json: unknown): Choice[] => (json as { choices: Choice[] }).choices;
const WILD = { temperature: 2, seed: 5 };

t.test('n choices, each with a seed of its own, are what they are alone', async (t) => {
  const { status, json } = await complete({ ...WILD, n: 3 });
  t.equal(status, 200);
  const choices = choicesOf(json);
  t.same(choices.map(({ index }) => index), [0, 1, 2]);
  t.equal(new Set(choices.map(({ text }) => text)).size, 3);
  for (const [i, { text }] of choices.entries()) t.equal(choicesOf((await complete({ ...WILD, seed: 5 + i })).json)[0].text, text);
  const { usage } = json as unknown as { usage: { prompt_tokens: number; completion_tokens: number } };
  const alone = (await complete(WILD)).json as unknown as { usage: typeof usage };
  t.equal(usage.prompt_tokens, alone.usage.prompt_tokens, 'the prompt is counted once');
});

t.test('several prompts, as texts and as token ids', async (t) => {
  const two = choicesOf((await complete({ prompt: ['Albert', 'Marie Curie was'] })).json);
  t.equal(two[0].text, choicesOf((await complete({ prompt: 'Albert' })).json)[0].text);
  t.equal(two[1].text, choicesOf((await complete({ prompt: 'Marie Curie was' })).json)[0].text);
  const { status, json } = await complete({ prompt: [[100, 200, 300], [400]], echo: true, max_tokens: 1 });
  t.equal(status, 200);
  t.equal(choicesOf(json).length, 2);
  const counts = async (prompt: unknown, more: object = {}): Promise<{ prompt_tokens: number; completion_tokens: number; prompt_tokens_details: { cached_tokens: number } }> => ((await complete({ prompt, max_tokens: 2, ...more })).json as unknown as { usage: never }).usage;
  const [one, other, both] = [await counts('Albert'), await counts('Marie Curie was'), await counts(['Albert', 'Marie Curie was'], { n: 2 })];
  t.equal(both.prompt_tokens, one.prompt_tokens + other.prompt_tokens, 'each prompt is counted once');
  t.equal(both.completion_tokens, 2 * (one.completion_tokens + other.completion_tokens));
  const streamed = events((await complete({ prompt: ['Albert', 'Marie Curie was'], max_tokens: 2, n: 2, stream: true, stream_options: { include_usage: true } })).text) as unknown as { usage: typeof both }[];
  t.same(streamed.at(-1)?.usage, both);
  const text = 'Plato was born in Athens and Aristotle was born in Stagira and both are';
  await complete({ prompt: text, max_tokens: 1 });
  const whole = `${text}${choicesOf((await complete({ prompt: text, max_tokens: 1 })).json)[0].text} more`;
  t.ok((await counts([whole, whole])).prompt_tokens_details.cached_tokens >= 16, 'beginnings that are remembered are told');
  t.match(await complete({ prompt: [5000] }), { status: 400, json: { error: { message: /vocabulary of 4109/ } } });
});

t.test('choices that wait cost nothing while others write', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  let begin = (): void => undefined;
  const turn = new Promise<void>((resolve) => (begin = resolve));
  async function* writes(): AsyncGenerator<string> {
    for (let i = 0; i < 10_000; i++) yield 'x';
  }
  async function* waits(): AsyncGenerator<string> {
    await turn;
    yield 'y';
  }
  const before = held();
  let [seen, grown] = [0, 0];
  for await (const _ of sideBySide([writes(), ...Array.from({ length: 60 }, waits)])) {
    if (++seen !== 10_000) continue;
    grown = held() - before;
    begin();
  }
  t.equal(seen, 10_060);
  t.ok(grown < 10 * 2 ** 20, `${(grown / 2 ** 20).toFixed(1)} MiB`);
});

t.test('one that fails ends the others, and so does a reader who leaves', async (t) => {
  const ended: string[] = [];
  async function* endless(name: string): AsyncGenerator<string> {
    try {
      for (;;) yield await new Promise<string>((resolve) => setImmediate(() => resolve(name)));
    } finally {
      ended.push(name);
    }
  }
  async function* fails(): AsyncGenerator<string> {
    yield 'f';
    throw new Error('no more');
  }
  const read = async (all: AsyncIterable<string>[], most: number): Promise<void> => {
    for await (const _ of sideBySide(all)) if (--most === 0) return;
  };
  await t.rejects(read([endless('a'), fails(), endless('b')], 1000), { message: 'no more' });
  t.same(ended.toSorted(), ['a', 'b']);
  await read([endless('c'), endless('d')], 3);
  t.same(ended.toSorted(), ['a', 'b', 'c', 'd']);
});

t.test('likelihoods of what was written, and with echo of the prompt', async (t) => {
  // Said once, so that what is written goes on in whole characters.
  const prompt = 'Albert Einstein was born in Ulm and Albert Einstein was born';
  const [choice] = choicesOf((await complete({ prompt, logprobs: 3, echo: true, max_tokens: 2 })).json);
  t.ok(choice.text.startsWith('Albert Einstein was born'));
  const { tokens, token_logprobs: logprobs, top_logprobs: top, text_offset: offsets } = choice.logprobs ?? { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  t.equal(tokens.join(''), choice.text);
  t.equal(logprobs[0], null, 'nothing stands before the first');
  t.ok(logprobs.slice(1).every((value) => typeof value === 'number' && value <= 1e-6));
  t.equal(offsets[1], tokens[0].length);
  for (const [i, each] of top.entries()) if (i > 0) t.ok(each && Object.hasOwn(each, tokens[i]) && [3, 4].includes(Object.keys(each).length), `the likeliest, and ${JSON.stringify(tokens[i])} itself`);
  // Scoring the whole text gives what writing it gave.
  const [scored] = choicesOf((await complete({ prompt: choice.text, logprobs: 0, echo: true, max_tokens: 0 })).json);
  t.equal(scored.text, choice.text);
  t.equal(scored.finish_reason, 'length');
  if (scored.logprobs?.tokens.length === tokens.length) for (const [i, value] of logprobs.entries()) t.ok(Math.abs((value ?? 0) - (scored.logprobs?.token_logprobs[i] ?? 0)) < 1e-3, `token ${i}`);
  t.match(await complete({ max_tokens: 0 }), { status: 400, json: { error: { param: 'max_tokens' } } });
});

t.test('where tokens begin is told alike whole and streamed, though text that may begin a stop sequence comes later', async (t) => {
  const asked = { ...WILD, logprobs: 0, n: 2, stop: Array.from('abcdefghijklm', (letter) => `${letter}§`) };
  const whole = choicesOf((await complete(asked)).json);
  const streamed = (events((await complete({ ...asked, stream: true })).text) as unknown as { choices: Choice[] }[]).flatMap(({ choices }) => choices);
  for (const { index, logprobs } of whole) t.same(streamed.filter((each) => each.index === index).flatMap((each) => each.logprobs?.text_offset ?? []), logprobs?.text_offset);
});

t.test('best_of gives the likeliest', async (t) => {
  const all = choicesOf((await complete({ ...WILD, n: 4, logprobs: 0 })).json);
  const mean = ({ logprobs }: Choice): number => (logprobs?.token_logprobs ?? []).reduce((sum: number, value) => sum + (value ?? 0), 0) / Math.max(1, logprobs?.tokens.length ?? 0);
  const best = all.toSorted((a, b) => mean(b) - mean(a))[0];
  t.equal(choicesOf((await complete({ ...WILD, best_of: 4 })).json)[0].text, best.text);
  t.match(await complete({ best_of: 4, stream: true }), { status: 400, json: { error: { param: 'best_of' } } });
  t.match(await complete({ best_of: 2, n: 3 }), { status: 400, json: { error: { param: 'best_of' } } });
});

t.test('streamed choices carry their numbers, and the count of tokens comes last', async (t) => {
  const whole = choicesOf((await complete({ ...WILD, n: 2 })).json);
  const { text } = await complete({ ...WILD, n: 2, stream: true, stream_options: { include_usage: true } });
  const texts = ['', ''];
  const chunks = events(text) as unknown as { choices: { index: number; text: string }[]; usage: { completion_tokens: number } | null }[];
  for (const chunk of chunks) for (const { index, text: piece } of chunk.choices) texts[index] += piece;
  t.same(texts, whole.map((choice) => choice.text));
  t.ok((chunks.at(-1)?.usage?.completion_tokens ?? 0) > 0);
  t.equal(chunks.filter(({ usage }) => usage).length, 1);
});

t.test('chunks tell the tokens of their choice so far, where that is asked for', async (t) => {
  type Counted = { choices: { index: number }[]; usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null };
  const asked = { stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } };
  const off = { messages: [{ role: 'user', content: 'Tell me more.' }], knowledge: { mode: 'off' }, temperature: 2, seed: 5, max_tokens: 12, n: 2 };
  for (const [what, { text }] of [['text', await complete({ ...WILD, n: 2, ...asked })], ['chat', await chat({ ...off, ...asked })]] as const) {
    const chunks = events(text) as unknown as Counted[];
    const whole = chunks.at(-1)?.usage;
    let completion = 0;
    for (const index of [0, 1]) {
      const counts = chunks.filter(({ choices }) => choices[0]?.index === index).map(({ usage }) => usage);
      t.ok(counts.length > 2 && counts.every((usage, i) => usage && usage.prompt_tokens === whole?.prompt_tokens && usage.total_tokens === usage.prompt_tokens + usage.completion_tokens && usage.completion_tokens >= (counts[i - 1]?.completion_tokens ?? 1)), what);
      completion += counts.at(-1)?.completion_tokens ?? 0;
    }
    t.equal(completion, whole?.completion_tokens, `${what}: the last of each choice make the whole`);
  }
  const grounded = events((await chat(asked)).text) as unknown as Counted[];
  t.same(grounded.slice(0, -2).filter(({ usage }) => usage !== null), [], 'how many tokens the words of an answer from the graph took is known at its end');
  t.same(grounded.at(-2)?.usage, grounded.at(-1)?.usage);
  const alone = events((await complete({ ...WILD, stream: true, stream_options: { continuous_usage_stats: true } })).text) as unknown as Counted[];
  t.ok(alone.every((chunk) => !('usage' in chunk)));
});

t.test('the model\'s words of a grounded answer come with their likelihoods', async (t) => {
  const { status, json } = await chat({ logprobs: true, top_logprobs: 2 });
  t.equal(status, 200);
  const [{ logprobs }] = (json as unknown as { choices: { logprobs: { content: { token: string; logprob: number; bytes: number[]; top_logprobs: unknown[] }[] } }[] }).choices;
  t.match((json as unknown as { grounding: object }).grounding, { wording: 'model' });
  t.match(logprobs.content.map(({ token }) => token).join(''), /Albert Einstein was born in Ulm/);
  t.ok(logprobs.content.every(({ logprob, top_logprobs: top }) => logprob <= 1e-6 && top.length === 2));
  t.match(await chat({ top_logprobs: 2 }), { status: 400, json: { error: { param: 'top_logprobs' } } });
});

t.test('settings of the sampler reach it', async (t) => {
  const greedy = choicesOf((await complete({})).json)[0].text;
  t.equal(choicesOf((await complete({ ...WILD, top_k: 1 })).json)[0].text, greedy);
  t.equal(choicesOf((await complete({ ...WILD, min_p: 1 })).json)[0].text, greedy);
  const forced = choicesOf((await complete({ logit_bias: { 300: 100 }, max_tokens: 3, logprobs: 0 })).json)[0];
  t.equal(new Set(forced.logprobs?.tokens).size, 1, 'a great bias leaves one token');
  const varied = choicesOf((await complete({ logit_bias: { 300: 100, 301: 100 }, frequency_penalty: 2, max_tokens: 24, logprobs: 0 })).json)[0];
  t.equal(new Set(varied.logprobs?.tokens).size, 2, 'a penalty wears it out, and the other follows');
  for (const [field, value] of [['n', 0], ['n', 99], ['min_p', 2], ['presence_penalty', 3], ['logit_bias', { x: 1 }], ['typical_p', 0], ['repetition_penalty', 0]] as const)
    t.match(await complete({ [field]: value }), { status: 400, json: { error: { param: new RegExp(`^${field}`) } } }, `${field}: ${JSON.stringify(value)}`);
});
