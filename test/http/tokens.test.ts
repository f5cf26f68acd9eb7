// Owns over HTTP what requests say of single tokens, as vLLM's and llama.cpp's users say it: ends, stops, ids, the part of the prompt that is read.
// Refuses to know how tokens are chosen.

import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Test } from 'tap';
import { call, events, startApp } from '../helpers/http-app.ts';

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });
interface Choice {
  readonly text: string;
  readonly finish_reason: string;
  readonly prompt_token_ids?: number[];
  readonly token_ids?: number[];
  readonly logprobs: { readonly tokens: string[]; readonly token_logprobs: number[]; readonly top_logprobs: (Record<string, number> | null)[] } | null;
}
const complete = (rest: object) => call(app, 'POST', '/v1/completions', { prompt: 'Albert Einstein was born', max_tokens: 12, ...rest });
async function one(rest: object): Promise<Choice & { readonly tokens: number; readonly prompt: number }> {
  const { status, json, text } = await complete(rest);
  if (status !== 200) throw new Error(text);
  const { choices, usage } = json as unknown as { choices: Choice[]; usage: { completion_tokens: number; prompt_tokens: number } };
  return { ...choices[0], tokens: usage.completion_tokens, prompt: usage.prompt_tokens };
}
const chat = (rest: object) => call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], max_tokens: 12, ...rest });
const refused = async (t: Test, ask: typeof complete, rest: object, error: object): Promise<void> => void t.match(await ask(rest), { status: 400, json: { error: { type: 'invalid_request_error', ...error } } }, JSON.stringify(rest));

/** The model's end. */
const END = (JSON.parse(readFileSync(new URL('../../models/pharos-mini/generation_config.json', import.meta.url), 'utf8')) as { eos_token_id: number[] }).eos_token_id[0];
const WILD = { temperature: 2, seed: 5 };
const TOKEN = 300;

t.test('ends come no sooner than they may, or not at all', async (t) => {
  t.same((await one({ return_token_ids: true, logit_bias: { [TOKEN]: 100 }, max_tokens: 3 })).token_ids, [TOKEN, TOKEN, TOKEN]);
  t.match(await one({ logit_bias: { [TOKEN]: 100 }, stop_token_ids: [TOKEN] }), { text: '', tokens: 1, finish_reason: 'stop' });
  const shown = await one({ logit_bias: { [TOKEN]: 100 }, stop_token_ids: [TOKEN], include_stop_str_in_output: true });
  t.match(shown, { tokens: 1, finish_reason: 'stop' });
  t.not(shown.text, '');
  t.match(await one({ guided_choice: [shown.text.repeat(2)], stop_token_ids: [TOKEN], include_stop_str_in_output: true }), { text: shown.text, tokens: 1 }, 'a token that a form forces ends it as well');
  const least = await one({ logit_bias: { [TOKEN]: 100 }, stop_token_ids: [TOKEN], min_tokens: 4, return_token_ids: true, logprobs: 0 });
  t.match(least, { tokens: 5, finish_reason: 'stop' });
  t.equal(least.token_ids?.indexOf(TOKEN), 4);
  t.ok(least.logprobs?.token_logprobs.every((value) => value <= 1e-6 && value > -9999), 'what is barred is as likely as before');
});

t.test('a stop string ends the text behind the least tokens, and may stay in it', async (t) => {
  const { text, token_ids: ids = [] } = await one({ ...WILD, return_token_ids: true, ignore_eos: true });
  const stop = Array.from(text.trim())[2] ?? '';
  const before = text.slice(0, text.indexOf(stop));
  t.match(await one({ ...WILD, stop }), { text: before, finish_reason: 'stop' });
  t.match(await one({ ...WILD, stop, include_stop_str_in_output: true }), { text: before + stop, finish_reason: 'stop' });
  const later = await one({ ...WILD, stop, min_tokens: ids.length, ignore_eos: true });
  t.match(later, { text, tokens: ids.length, finish_reason: 'length' });
  const streamed = (events((await complete({ ...WILD, stop, include_stop_str_in_output: true, stream: true })).text) as unknown as { choices: Choice[] }[]).flatMap(({ choices }) => choices.map((choice) => choice.text)).join('');
  t.equal(streamed, before + stop);
});

t.test('ends are ignored, and special tokens written out', async (t) => {
  const bias = { logit_bias: { [END]: 100 }, max_tokens: 4 };
  t.match(await one({ ...bias, return_token_ids: true }), { text: '', tokens: 1, finish_reason: 'stop', token_ids: [END] });
  t.match(await one({ ...bias, ignore_eos: true, return_token_ids: true }), { text: '', tokens: 4, finish_reason: 'length', token_ids: [END, END, END, END] });
  t.match(await one({ ...bias, ignore_eos: true, skip_special_tokens: false }), { text: /^(<\|[^|]+\|>)\1{3}$/, tokens: 4 });
  t.match(await one({ ...bias, skip_special_tokens: false }), { text: '', tokens: 1 });
  t.match(await one({ ...bias, skip_special_tokens: false, include_stop_str_in_output: true }), { text: /^<\|[^|]+\|>$/, tokens: 1 });
  t.equal((await one({ ...bias, min_tokens: 3 })).tokens, 4);
});

t.test('ids are told whole and streamed, and the end of a prompt is read alone', async (t) => {
  const whole = await one({ ...WILD, return_token_ids: true });
  t.equal(whole.prompt_token_ids?.length, whole.prompt);
  t.equal(whole.token_ids?.length, whole.tokens);
  const chunks = (events((await complete({ ...WILD, return_token_ids: true, stream: true })).text) as unknown as { choices: Choice[] }[]).flatMap(({ choices }) => choices);
  t.same(chunks.flatMap(({ token_ids: ids }) => ids ?? []), whole.token_ids);
  t.same(chunks.flatMap(({ prompt_token_ids: ids }) => ids ?? []), whole.prompt_token_ids);
  t.equal((await one({})).token_ids, undefined);
  const cut = await one({ ...WILD, truncate_prompt_tokens: 3, return_token_ids: true });
  t.same(cut.prompt_token_ids, whole.prompt_token_ids?.slice(-3));
  t.equal(cut.text, (await one({ ...WILD, prompt: cut.prompt_token_ids })).text);
  t.equal((await one({ ...WILD, truncate_prompt_tokens: 1000 })).text, whole.text);
  const long = 'Einstein was here. '.repeat(1000);
  t.equal((await one({ prompt: long, truncate_prompt_tokens: -1, max_tokens: 4 })).prompt, 1532);
  await refused(t, complete, { prompt: long }, { code: 'context_length_exceeded' });
  await refused(t, complete, { truncate_prompt_tokens: 0 }, { param: 'truncate_prompt_tokens' });
  await refused(t, complete, { truncate_prompt_tokens: 3, suffix: 'x' }, { param: 'truncate_prompt_tokens' });
});

interface ChatChoice {
  readonly token_ids?: number[];
  readonly delta: { readonly content?: string };
}
t.test('ids of a chat are told whole and streamed, once for all choices', async (t) => {
  const asked = { ...WILD, return_token_ids: true, n: 2 };
  const whole = (await chat(asked)).json as unknown as { choices: ChatChoice[]; prompt_token_ids: number[]; usage: { prompt_tokens: number; completion_tokens: number }; grounding: { outcome: string } };
  t.equal(whole.grounding.outcome, 'ungrounded');
  t.equal(whole.prompt_token_ids.length, whole.usage.prompt_tokens);
  t.equal(whole.choices.flatMap(({ token_ids: ids }) => ids ?? []).length, whole.usage.completion_tokens);
  const streamed = events((await chat({ ...asked, stream: true })).text) as unknown as { choices: (ChatChoice & { index: number })[]; prompt_token_ids?: number[] }[];
  t.same(streamed.flatMap(({ prompt_token_ids: ids }) => ids ?? []), whole.prompt_token_ids);
  t.ok(streamed[0].prompt_token_ids, 'in the first chunk');
  for (const i of [0, 1]) t.same(streamed.flatMap(({ choices }) => choices.flatMap((choice) => (choice.index === i ? (choice.token_ids ?? []) : []))), whole.choices[i].token_ids);
  t.equal((await one({ ...WILD, prompt: whole.prompt_token_ids, return_token_ids: true })).token_ids?.join(), whole.choices[0].token_ids?.join(), 'they are what the model read');
  const called = (await chat({ return_token_ids: true, tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'required', max_tokens: 60 })).json as unknown as typeof whole & { choices: { message: { tool_calls: object[] } }[] };
  t.equal(called.choices[0].token_ids?.length, called.usage.completion_tokens, 'those of calls as well');
  t.ok(called.choices[0].message.tool_calls.length > 0);
  t.equal('token_ids' in ((await chat(WILD)).json.choices[0] as object), false);
});

t.test('how likely the tokens of a prompt are', async (t) => {
  const asked = { return_token_ids: true, prompt_logprobs: 2, max_tokens: 3 };
  const { json } = await complete({ ...asked, prompt: ['Albert Einstein was born', 'Plato'], n: 2 });
  type Ranked = Record<string, { logprob: number; rank: number; decoded_token: string }> | null;
  const { choices } = json as unknown as { choices: (Choice & { prompt_logprobs: Ranked[] })[] };
  t.equal(choices.length, 4);
  t.same(choices[1].prompt_logprobs, choices[0].prompt_logprobs, 'each choice has those of its prompt');
  t.same(choices[3].prompt_logprobs, choices[2].prompt_logprobs);
  const [{ prompt_logprobs: told, prompt_token_ids: ids = [] }] = choices;
  t.equal(told.length, ids.length);
  t.equal(told[0], null);
  const echoed = await one({ echo: true, logprobs: 2, max_tokens: 0 });
  for (const [i, ranked] of told.entries()) {
    if (!ranked) continue;
    t.equal(ranked[ids[i]].logprob, echoed.logprobs?.token_logprobs[i]);
    t.equal(ranked[ids[i]].decoded_token, echoed.logprobs?.tokens[i]);
    const ranks = Object.values(ranked).map(({ rank }) => rank).toSorted((a, b) => a - b);
    t.same(ranks.slice(0, 2), [1, 2]);
    t.ok(ranks.length === 2 || ranks[2] > 2);
  }
  const bare = (await complete({ prompt_logprobs: 0, echo: true, logprobs: 3, max_tokens: 0 })).json as unknown as typeof json & { choices: (Choice & { prompt_logprobs: Ranked[] })[] };
  t.same(bare.choices[0].prompt_logprobs.map((ranked) => ranked && Object.keys(ranked).length), told.map((ranked) => ranked && 1));
  t.equal(Object.keys(bare.choices[0].logprobs?.top_logprobs[1] ?? {}).length >= 3, true, 'an echo tells its own');
  const chatted = (await chat({ ...asked, n: 2 })).json as unknown as { prompt_logprobs: Ranked[]; prompt_token_ids: number[]; usage: { prompt_tokens: number }; choices: { message: { content: string } }[] };
  t.equal(chatted.prompt_logprobs.length, chatted.usage.prompt_tokens);
  t.ok(chatted.prompt_token_ids.every((id, i) => i === 0 || chatted.prompt_logprobs[i]?.[id]));
  t.equal(chatted.choices[0].message.content, chatted.choices[1].message.content, 'the text is the same with and without');
  for (const ask of [complete, chat]) {
    await refused(t, ask, { prompt_logprobs: 1, stream: true }, { param: 'prompt_logprobs', message: /stream/ });
    await refused(t, ask, { prompt_logprobs: 21 }, { param: 'prompt_logprobs' });
    await refused(t, ask, { prompt_logprobs: -1 }, { param: 'prompt_logprobs' });
  }
  await refused(t, chat, { prompt_logprobs: 1, knowledge: {} }, { param: 'prompt_logprobs', message: /knowledge.mode "off"/ });
});

t.test("likelihoods: llama.cpp's name, and the written token alone", async (t) => {
  const none = await one({ logprobs: 0, max_tokens: 3 });
  t.same(none.logprobs?.top_logprobs, none.logprobs?.tokens.map((token, i) => ({ [token]: none.logprobs?.token_logprobs[i] })));
  t.same((await one({ n_probs: 2, max_tokens: 3 })).logprobs, (await one({ logprobs: 2, max_tokens: 3 })).logprobs);
  t.equal((await one({ n_probs: 0 })).logprobs, null);
  t.equal((await one({ max_tokens: undefined, n_predict: 3 })).tokens, 3);
  t.equal((await one({ ...WILD, repeat_penalty: 1.5, cache_prompt: true })).text, (await one({ ...WILD, repetition_penalty: 1.5 })).text);
  t.match((await chat({ n_probs: 1, knowledge: { mode: 'off' } })).json, { choices: [{ logprobs: { content: [{ top_logprobs: [{}] }] } }] });
});

t.test('who asks twice asks for the same', async (t) => {
  await refused(t, complete, { n_predict: 3 }, { param: 'n_predict', message: /means the same as max_tokens/ });
  await refused(t, complete, { repeat_penalty: 1.5, repetition_penalty: 1.4 }, { param: 'repeat_penalty' });
  await refused(t, complete, { n_probs: 2, logprobs: 1 }, { param: 'n_probs' });
  await refused(t, chat, { max_completion_tokens: 13 }, { param: 'max_tokens', message: /max_completion_tokens/ });
  await refused(t, chat, { n_probs: 2, logprobs: false }, { param: 'n_probs' });
  await refused(t, chat, { stream_options: { include_usage: true } }, { param: 'stream_options', message: /stream: true/ });
  await one({ n_predict: 12, n_probs: 1, logprobs: 1 });
});

t.test("fields of vLLM's that change nothing, and those that would", async (t) => {
  const neutral = { guided_decoding_backend: 'xgrammar', request_id: 'r-1', length_penalty: 1.2, spaces_between_special_tokens: false, use_beam_search: false, bad_words: [], vllm_xargs: {}, allowed_token_ids: null };
  t.equal((await one({ ...neutral, add_special_tokens: true })).text, (await one({})).text);
  t.match((await chat({ ...neutral, add_special_tokens: false, echo: false, include_reasoning: true, documents: [] })).json, { grounding: { outcome: 'entailed' } });
  for (const ask of [complete, chat]) for (const [field, value] of Object.entries({ use_beam_search: true, bad_words: ['x'], allowed_token_ids: [5], guided_whitespace_pattern: ' ?' })) await refused(t, ask, { [field]: value }, { param: field, code: 'unsupported_parameter', message: /is not supported/ });
  await refused(t, chat, { chat_template: '{{ messages }}' }, { param: 'chat_template', code: 'unsupported_parameter' });
});

t.test('what the vocabulary and the limits do not hold', async (t) => {
  for (const ask of [complete, chat]) {
    await refused(t, ask, { logit_bias: { 9999: 1 } }, { param: 'logit_bias', message: /vocabulary of 4109/ });
    await refused(t, ask, { stop_token_ids: [4109] }, { param: 'stop_token_ids' });
    await refused(t, ask, { min_tokens: 13 }, { param: 'min_tokens', message: /12 tokens at most/ });
    await refused(t, ask, { min_tokens: 3, guided_choice: ['a', 'b'] }, { param: 'min_tokens', message: /guided_choice/ });
  }
});

t.test('the model alone answers where single tokens are spoken of', async (t) => {
  t.match((await chat({})).json, { grounding: { outcome: 'entailed' } });
  const { json } = await chat({ min_tokens: 12, ignore_eos: true, stop: ['e'] });
  t.match(json, { grounding: { outcome: 'ungrounded' }, usage: { completion_tokens: 12 } });
  t.match((await chat({ min_tokens: 0, ignore_eos: false, stop_token_ids: [], skip_special_tokens: true, truncate_prompt_tokens: null })).json, { grounding: { outcome: 'entailed' } }, 'what asks for nothing changes nothing');
  for (const [field, value] of [['min_tokens', 2], ['ignore_eos', true], ['stop_token_ids', [1]], ['include_stop_str_in_output', true], ['skip_special_tokens', false], ['truncate_prompt_tokens', 5]] as const)
    await refused(t, chat, { [field]: value, knowledge: {} }, { param: field, message: /knowledge.mode "off"/ });
  await refused(t, chat, { ignore_eos: true, tools: [{ type: 'function', function: { name: 'f' } }] }, { param: 'ignore_eos', message: /tools/ });
  t.match((await chat({ truncate_prompt_tokens: 4 })).json, { usage: { prompt_tokens: 4 } });
});

t.test("Responses take what vLLM's take", async (t) => {
  const respond = (rest: object) => call(app, 'POST', '/v1/responses', { input: 'Where was Albert Einstein born?', max_output_tokens: 12, ...rest });
  const said = async (rest: object): Promise<unknown> => ((await respond(rest)).json as unknown as { output: { content: { text: string }[] }[] }).output[0].content[0].text;
  t.equal(await said({ structured_outputs: { choice: ['dark green'] } }), 'dark green');
  t.equal(await said({ structured_outputs: { regex: '[a-z]{9}' }, ...WILD, repetition_penalty: 1.2, top_k: 5 }), ((await chat({ guided_regex: '[a-z]{9}', ...WILD, repeat_penalty: 1.2, top_k: 5 })).json as unknown as { choices: { message: { content: string } }[] }).choices[0].message.content);
  t.match((await respond({ ignore_eos: true, logit_bias: { [END]: 100 }, skip_special_tokens: false })).json, { output: [{ content: [{ text: /^(<\|[^|]+\|>)\1{11}$/ }] }], usage: { output_tokens: 12 }, grounding: { outcome: 'ungrounded' } });
  t.match(await said({ stop: ' in' }), /^Albert Einstein was born$/);
  await refused(t, respond, { ignore_eos: true, knowledge: {} }, { param: 'ignore_eos' });
  await refused(t, respond, { logit_bias: { 9999: 1 } }, { param: 'logit_bias' });
  await refused(t, respond, { structured_outputs: { regex: '(' } }, { param: 'structured_outputs', code: 'constraint_invalid' });
  await refused(t, respond, { structured_outputs: { regex: 'a' }, text: { format: { type: 'json_object' } } }, { param: 'structured_outputs', message: /text.format/ });
});

t.test('one fingerprint for one model', async (t) => {
  const prints = [(await complete({})).json, (await chat({})).json, ...events((await chat({ stream: true })).text), ...events((await complete({ stream: true })).text)].map((json) => (json as unknown as { system_fingerprint: string }).system_fingerprint);
  t.match(prints[0], /^fp_[0-9a-f]{10}$/);
  t.equal(new Set(prints).size, 1);
});
