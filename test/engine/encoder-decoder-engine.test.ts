// Owns the test of what a request gets from an encoder and a decoder: text of a source, choices, forms, limits, languages, and what its folder forbids.
// Refuses to know graphs.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { EngineOptions } from '../../src/engine/engine.ts';
import { Bans } from '../../src/engine/encoder-decoder/bans.ts';
import type { BanRules } from '../../src/engine/encoder-decoder/bans.ts';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import type { Engine, GenerateRequest } from '../../src/engine/port.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { importRandom, reference, START, writeExport } from './encoder-decoder-folders.ts';
import type { ExportOptions, Said } from './encoder-decoder-folders.ts';
import { ask, collect, startEngine, until } from './world.ts';
import type { Whole } from './world.ts';

const TEXT = 'The river was born in a city and wrote a blue stone.';
const OTHER = 'who is who';

interface World {
  readonly engine: Engine;
  readonly folder: string;
  readonly tokenizer: ModelTokenizer;
  readonly say: (text: string, more?: Partial<GenerateRequest>) => Promise<Whole>;
  readonly write: (ids: readonly number[]) => string;
  /** What the graphs give by themselves, as text. */
  readonly expected: (text: string, count: number, begins?: readonly number[]) => Promise<string>;
}
async function start(
  t: Test,
  { said = {}, limits, ...options }: Partial<ExportOptions> & Pick<EngineOptions, 'limits'> & { readonly said?: Said } = {},
): Promise<World> {
  const folder = join(t.testdir(), 'model');
  writeExport(folder, { layout: 'merged', said, ...options });
  return running(t, folder, { limits });
}
async function running(t: Test, folder: string, options: EngineOptions): Promise<World> {
  const engine = await startEngine(t, { models: [folder], ...options });
  const files = await readModelFiles(folder);
  const tokenizer = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
  const write = (ids: readonly number[]): string => {
    const detokenizer = tokenizer.detokenizer();
    return ids.map((id) => detokenizer.push(id)).join('');
  };
  return {
    engine,
    folder,
    tokenizer,
    write,
    say: async (text, more = {}) => collect(engine.generate(ask(text, { model: 'model', maxTokens: 12, ...more }))),
    expected: async (text, count, begins = [START]) => write(await reference(folder, tokenizer.encodeTrusted(text), count, begins)),
  };
}

t.test('a text is read whole and another one written of it', async (t) => {
  const { engine, say, expected } = await start(t);
  t.match(engine.models(), [{ id: 'model', tasks: ['generate'], contextLength: 64, vocabularySize: 4096, loaded: true }]);
  const { text, reason, usage, deltas } = await say(TEXT);
  t.equal(text, await expected(TEXT, 12));
  t.ok(deltas.length > 3, 'streamed');
  t.equal(reason, 'length');
  t.equal(usage?.completionTokens, 12);
  t.equal(usage?.promptTokens, await engine.countTokens('model', TEXT));
  t.equal(usage?.cachedTokens, undefined);
  t.equal((await say(TEXT)).usage?.cachedTokens, usage?.promptTokens, 'the same source is known the second time');
  const ids = await say('', { prompt: { kind: 'tokens', ids: [300, 17, 2048] } });
  t.equal(ids.usage?.promptTokens, 3);
});

t.test('of a chat the last message of a user is read; an assistant may be gone on with', async (t) => {
  const { engine, say, tokenizer, folder, write } = await start(t);
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: OTHER },
    { role: 'assistant', content: 'he' },
    { role: 'user', content: TEXT },
  ] as const;
  const plain = await say(TEXT);
  const { text, usage } = await say('', { prompt: { kind: 'chat', messages } });
  t.equal(text, plain.text);
  t.equal(usage?.promptTokens, await engine.countTokens('model', { kind: 'chat', messages }));
  const behind = await say('', { prompt: { kind: 'chat', messages: [...messages, { role: 'assistant', content: 'he and' }], continues: true } });
  const begins = [START, ...tokenizer.encodePlain('he and')];
  t.equal(behind.text, write(await reference(folder, tokenizer.encodeTrusted(TEXT), 12, begins)));
  // What looks like a special token is text.
  const special = await say('', { prompt: { kind: 'chat', messages: [{ role: 'user', content: '<|n|>' }] } });
  t.ok((special.usage?.promptTokens ?? 0) > 1);

  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ ...(JSON.parse(readFileSync(config, 'utf8')) as object), model_type: 't5' }));
  const told = await running(t, folder, {});
  t.equal(
    (await told.say('', { prompt: { kind: 'chat', messages } })).text,
    (await told.say(`Be brief.\n\n${TEXT}`)).text,
    'where the task is told in words, the system says it',
  );
});

t.test('many at once, each as alone; the source of choices is read once', async (t) => {
  const { engine, say, expected } = await start(t, { layout: 'split', limits: { slots: 4 } });
  const texts = [TEXT, OTHER, 'x', 'on is at, be or not to be', 'blue stone', TEXT];
  const alone = await Promise.all(texts.map((text) => expected(text, 12)));
  const together = await Promise.all(texts.map((text) => say(text)));
  t.same(
    together.map(({ text }) => text),
    alone,
  );
  const drawn = (seed: number): Promise<Whole> => say('the old city', { sampling: { temperature: 2, topP: 0.9, seed, logprobs: 2 } });
  const choices = await Promise.all([drawn(1), drawn(2), drawn(1)]);
  t.equal(choices[0].text, choices[2].text);
  t.not(choices[0].text, choices[1].text);
  t.same(
    choices.map(({ usage }) => usage?.cachedTokens !== undefined),
    [false, true, true],
  );
  t.match(engine.statistics(), { running: 0, waiting: 0, slots: { used: 0 } });
});

t.test('guesses change nothing but the number of passes', async (t) => {
  const bias = Object.fromEntries([300, 301, 302].map((id) => [id, 100]));
  const texts: string[] = [];
  for (const guesses of [0, 8]) {
    const { engine, say } = await start(t, { limits: { guesses } });
    texts.push((await say('he and he and he and', { sampling: { temperature: 0, topP: 1, logitBias: bias }, maxTokens: 40 })).text);
    const { guessedTokens, acceptedTokens } = engine.statistics().passes ?? {};
    t.comment(`${acceptedTokens} of ${guessedTokens} guesses taken`);
  }
  t.equal(texts[0], texts[1]);
});

t.test('what the folder says of beginnings and ends', async (t) => {
  const first = await start(t, { said: { forced_bos_token_id: 500 } });
  t.equal((await first.say(TEXT)).text, await first.expected(TEXT, 12, [START, 500]), 'a first token that is always the same is not written');
  const [, two] = await reference(first.folder, first.tokenizer.encodeTrusted(TEXT), 3);
  const ended = await start(t, { said: { forced_eos_token_id: two } });
  t.match(await ended.say(TEXT), { reason: 'stop', usage: { completionTokens: 2 } });
  t.match(await ended.say(TEXT, { sampling: { temperature: 0, topP: 1, minTokens: 4 } }), { usage: { completionTokens: 12 } }, 'an end that may not come yet');
  t.match(await ended.say(TEXT, { sampling: { temperature: 0, topP: 1, ignoreEos: true } }), { reason: 'length', usage: { completionTokens: 12 } });
});

t.test('what the folder forbids does not come', async (t) => {
  // A few tokens to choose from would repeat themselves.
  const few = [300, 301, 302, 303];
  const { engine } = await start(t, { said: { no_repeat_ngram_size: 2, suppress_tokens: [302, -1], bad_words_ids: [[303]] } });
  const written: string[] = [];
  const request = ask(TEXT, {
    model: 'model',
    maxTokens: 4,
    sampling: { temperature: 0, topP: 1, logprobs: 0, logitBias: Object.fromEntries(few.map((id) => [id, 100])) },
  });
  for await (const event of engine.generate(request)) if (event.kind === 'delta') written.push(...(event.tokens ?? []).map(({ text }) => text));
  t.equal(new Set(written).size, 2);
  t.equal(new Set(written.slice(1).map((text, i) => `${written[i]} ${text}`)).size, 3, 'no pair comes twice');
});

t.test('tokens are banned by what stands in front of them', (t) => {
  const none: BanRules = { ngram: 0, always: [], first: [], words: [], least: 0 };
  const banned = (rules: Partial<BanRules>, written: readonly number[]): number[] => {
    const bans = Bans.of({ ...none, ...rules }, [START], [1]);
    for (const token of written) bans?.accept(token);
    const logits = new Float32Array(10);
    bans?.apply(logits);
    return [...logits.keys()].filter((token) => logits[token] === -Infinity);
  };
  t.equal(Bans.of(none, [START], [1]), undefined);
  t.same(banned({ always: [4, 99] }, [5]), [4]);
  t.same([banned({ first: [4] }, []), banned({ first: [4] }, [5])], [[4], []]);
  t.same([banned({ least: 2 }, [5]), banned({ least: 2 }, [5, 6])], [[1], []]);
  t.same([banned({ words: [[7], [5, 6, 8]] }, [5, 6]), banned({ words: [[5, 6, 8]] }, [6, 5])], [[7, 8], []]);
  t.same(banned({ ngram: 1 }, [5, 6]), [START, 5, 6]);
  t.same(banned({ ngram: 2 }, [5, 6, 7, 5, 8, 5]), [6, 8]);
  t.same(banned({ ngram: 3 }, [5, 6, 7, 5, 6]), [7]);
  t.same(banned({ ngram: 3 }, []), []);
  t.same(banned({ ngram: 2 }, [5, START]), [5], 'where the decoder starts counts');
  t.end();
});

t.test('forms, stops and limits hold; a form decides alone what may come', async (t) => {
  const { say } = await start(t, { said: { no_repeat_ngram_size: 1 } });
  t.match(await say(TEXT, { constraint: { kind: 'choice', choices: ['aaa', 'bbb'] } }), { text: /^(aaa|bbb)$/, reason: 'stop' });
  const { text } = await say(TEXT, {
    constraint: { kind: 'schema', schema: { type: 'array', items: { enum: [1, 2] }, minItems: 3, maxItems: 3 } },
    maxTokens: 40,
  });
  t.match(JSON.parse(text), [Number, Number, Number]);
  const whole = (await say(TEXT)).text;
  const stop = whole.slice(4, 8);
  t.match(await say(TEXT, { stop: [stop] }), { text: whole.slice(0, whole.indexOf(stop)), reason: 'stop' });
  t.ok((await say(TEXT, { limits: { characters: 7 } })).text.length <= 7);
  t.match(await say(TEXT, { echo: true, maxTokens: 0 }), { text: TEXT, reason: 'length' });
});

t.test('what cannot be is said before it begins', async (t) => {
  const { say, engine } = await start(t);
  const refused = async (text: string, more: Partial<GenerateRequest>): Promise<unknown> =>
    say(text, more).then(
      ({ error }) => error,
      (error: unknown) => error,
    );
  t.match(await refused('', { prompt: { kind: 'chat', messages: [{ role: 'system', content: 'x' }] } }), {
    code: 'invalid_prompt',
    message: /answer the last message of a user, and there is none/,
  });
  t.match(await refused('', {}), { code: 'invalid_prompt', message: /empty/ });
  t.match(await refused('', { prompt: { kind: 'chat', messages: [{ role: 'user', content: '' }] } }), { code: 'invalid_prompt', message: /empty/ });
  t.match(await refused('', { prompt: { kind: 'tokens', ids: [5000] } }), { code: 'invalid_prompt', message: /vocabulary of 4096/ });
  t.match(await refused('', { prompt: { kind: 'tokens', ids: Array.from({ length: 65 }, () => 300) } }), {
    code: 'context_length_exceeded',
    message: /has 65 tokens; model model reads texts of 64 tokens at most, and writes as many/,
  });
  t.match(await refused('x'.repeat(1e6), {}), { code: 'context_length_exceeded' });
  t.match(await refused('', { prompt: { kind: 'chat', messages: [{ role: 'user', content: 'x' }], tools: [{ name: 'f' }] } }), {
    code: 'tools_invalid',
    message: /leave them out/,
  });
  t.match(await refused(TEXT, { echo: true, sampling: { temperature: 0, topP: 1, logprobs: 0 } }), { code: 'invalid_prompt', message: /no likelihood/ });
  t.match(await refused(TEXT, { sampling: { temperature: 0, topP: 1, promptLogprobs: 0 } }), { code: 'invalid_prompt', message: /leave prompt_logprobs out/ });
  t.match(await refused('', { prompt: { kind: 'text', text: 'a', suffix: 'b' } }), { code: 'filling_unsupported' });
  t.match(await refused(TEXT, { sampling: { temperature: 0, topP: 1, truncatePrompt: 3 } }), { code: 'invalid_prompt', message: /whole; leave truncate_prompt_tokens out/ });
  t.match(await refused('', { prompt: { kind: 'text', text: TEXT, languages: { target: 'fr' } } }), {
    code: 'invalid_prompt',
    message: /no marks for languages/,
  });
  t.equal((await say(TEXT, { maxTokens: 500 })).usage?.completionTokens, 63, 'the longest text is written, less where it starts');
  t.match(engine.statistics(), { running: 0, waiting: 0 });
});

t.test('who leaves while others wait frees the slot, and what is known of the source is given up', async (t) => {
  const { engine, say, expected } = await start(t, { limits: { slots: 1, prefixBytes: 0 } });
  const controller = new AbortController();
  const long = collect(engine.generate(ask(TEXT, { model: 'model', maxTokens: 60 }), controller.signal)).catch((error: unknown) => error);
  const waiting = new AbortController();
  const other = collect(engine.generate(ask(OTHER, { model: 'model' }), waiting.signal)).catch((error: unknown) => error);
  await until(() => engine.statistics().waiting === 1);
  waiting.abort();
  controller.abort();
  await Promise.all([long, other]);
  t.equal((await say(OTHER)).text, await expected(OTHER, 12));
  t.equal((await say(OTHER)).usage?.cachedTokens, undefined, 'without room nothing is kept');
});

t.test('out of and into languages whose marks the vocabulary has', async (t) => {
  const folder = join(t.testdir(), 'model');
  writeExport(folder, { layout: 'merged' });
  const path = join(folder, 'tokenizer.json');
  interface File {
    added_tokens: { id: number; content: string; special: boolean }[];
    model: { vocab: Record<string, number> };
    post_processor?: unknown;
  }
  const file = JSON.parse(readFileSync(path, 'utf8')) as File;
  const [english, french] = [4094, 4095];
  const old = Object.entries(file.model.vocab).filter(([, id]) => id >= english);
  for (const [token] of old) delete file.model.vocab[token];
  file.added_tokens = [
    ...file.added_tokens.filter(({ id }) => id < english),
    ...[
      ['eng_Latn', english],
      ['__fr__', french],
    ].map(([content, id]) => ({ ...file.added_tokens[0], id: Number(id), content: String(content), special: true })),
  ];
  file.post_processor = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: 'eng_Latn', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { eng_Latn: { id: 'eng_Latn', ids: [english], tokens: ['eng_Latn'] } },
  };
  writeFileSync(path, JSON.stringify(file));
  const { say, tokenizer, write } = await running(t, folder, {});
  const plain = tokenizer.encodePlain(TEXT);
  t.same(tokenizer.encodeTrusted(TEXT), [english, ...plain]);
  const right = async (source: readonly number[], begins: readonly number[]): Promise<string> => write(await reference(folder, source, 12, begins));
  const chat = { kind: 'chat', messages: [{ role: 'user', content: TEXT }] } as const;
  t.equal((await say('', { prompt: chat })).text, await right([english, ...plain], [START]), 'the frame is around what a chat says');
  t.equal((await say('', { prompt: { kind: 'text', text: TEXT, languages: { target: 'fr' } } })).text, await right([english, ...plain], [START, french]));
  t.equal(
    (await say('', { prompt: { ...chat, languages: { source: '__fr__', target: 'eng_Latn' } } })).text,
    await right([french, ...plain], [START, english]),
  );
  t.match(await say('', { prompt: { ...chat, languages: { target: 'de' } } }).catch((error: unknown) => error), {
    message: /no language "de"; it has: eng_Latn, __fr__/,
  });
});

t.test('an imported model is served as it comes out', async (t) => {
  const folder = join(t.testdir(), 'model');
  importRandom(folder, 'marian', { bits: 8, block: 16 }, { bad_words_ids: [[2]], forced_eos_token_id: 0 });
  const { engine, say, expected } = await running(t, folder, {});
  const texts = [TEXT, OTHER, 'x', TEXT];
  const together = await Promise.all(texts.map((text) => say(text)));
  for (const [i, { text }] of together.entries()) t.equal(text, await expected(texts[i], 12));
  const { total = 0, sequences = 0 } = engine.statistics().passes ?? {};
  t.ok(sequences > total, 'in passes over several');
});
