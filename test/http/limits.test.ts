// Owns limits of words and characters, and relation paths, over HTTP.
// Refuses to know how they are kept: test/engine/limits and test/answers/paths do.

import t from 'tap';
import { countCharacters, countWords } from '../../src/engine/constraints/lengths/text-length.ts';
import { call, events, startApp, str } from '../helpers/http-app.ts';

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });
const chat = (content: string, rest: object = {}) => call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content }], ...rest });
/** Its own end is next to impossible, so that the limit ends the text. */
const off = { knowledge: { mode: 'off' }, temperature: 1.5, seed: 4, max_tokens: 100, logit_bias: { 1: -100 } };

t.test('a text is as long as it may be at most, whole and streamed, and says so', async (t) => {
  const { json } = await chat('Say something.', { ...off, max_words: 5 });
  const content = str(json.choices[0].message.content);
  t.ok(countWords(content) <= 5, content);
  t.match(json, { choices: [{ finish_reason: 'length' }] });
  const streamed = events((await chat('Say something.', { ...off, max_words: 5, stream: true })).text) as unknown as {
    choices: { delta: { content?: string }; finish_reason: string | null }[];
  }[];
  t.equal(streamed.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join(''), content);
  t.equal(streamed.at(-1)?.choices[0].finish_reason, 'length');
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  const beside = await chat('Say something.', { ...off, tools, max_words: 3 });
  t.ok(countWords(str(beside.json.choices[0].message.content)) <= 3, 'beside tools, too');
  const completed = await call(app, 'POST', '/v1/completions', {
    prompt: 'Albert Einstein was',
    temperature: 1.5,
    seed: 4,
    max_tokens: 100,
    max_characters: 25,
  });
  t.ok(countCharacters(str(completed.json.choices[0].text)) <= 25);
});

t.test('a form is completed within the limit, or refused', async (t) => {
  const response_format = {
    type: 'json_schema',
    json_schema: { name: 'x', schema: { type: 'object', properties: { said: { type: 'string' } }, required: ['said'], additionalProperties: false } },
  };
  const { json } = await chat('Say something.', { ...off, response_format, max_characters: 30 });
  const content = str(json.choices[0].message.content);
  t.type(JSON.parse(content), 'object');
  t.ok(countCharacters(content) <= 30, content);
  t.match(await chat('Say something.', { ...off, response_format, max_characters: 5 }), {
    status: 400,
    json: { error: { param: 'response_format', message: /at least 11 characters, and it may have 5/ } },
  });
  t.match(await chat('x', { max_words: 0 }), { status: 400, json: { error: { param: 'max_words' } } });
});

t.test('an answer from the graph tells what fits, and says what is left out', async (t) => {
  const question = 'Where was Albert Einstein born?';
  const whole = await chat(question, { knowledge: {} });
  t.notOk(whole.json.grounding.shortened);
  const all = str(whole.json.choices[0].message.content);
  const same = await chat(question, { knowledge: {}, max_characters: countCharacters(all) });
  t.match(same.json, { choices: [{ message: { content: all }, finish_reason: 'stop' }] });
  const short = await chat(question, { knowledge: {}, max_characters: countCharacters(all) - 1 });
  const content = str(short.json.choices[0].message.content);
  t.ok(countCharacters(content) < countCharacters(all), content);
  t.match(content, /Ulm.*1 more/);
  t.match(short.json, {
    choices: [{ finish_reason: 'length' }],
    grounding: { outcome: 'entailed', answers: ['Ulm', 'Germany'], shortened: true, cached: false },
  });
  t.equal((short.json.grounding.claims as unknown as unknown[]).length, 2, 'claims are all there');
  t.match((await chat(question, { knowledge: {}, max_characters: countCharacters(all) - 1 })).json, {
    choices: [{ message: { content } }],
    grounding: { cached: true, shortened: true },
  });
  t.match((await chat(question, { knowledge: {}, max_words: 1 })).json, {
    choices: [{ message: { content: '' }, finish_reason: 'length' }],
    grounding: { answers: ['Ulm', 'Germany'] },
  });
  t.match((await chat('Is Socrates mortal?', { knowledge: {}, max_words: 6 })).json, {
    choices: [{ message: { content: /^Yes, Socrates is .*mortal\.$/ }, finish_reason: 'length' }],
    grounding: { shortened: true },
  });
  t.match((await chat('Is Socrates mortal?', { knowledge: {}, max_words: 1 })).json, { choices: [{ message: { content: 'Yes.' } }] });
  t.match((await chat('苏格拉底是凡人吗？', { knowledge: {}, max_characters: 3 })).json, { choices: [{ message: { content: '是的。' } }] });
});

t.test('a relation path is one of the graph, and has its proof', async (t) => {
  const { status, json } = await chat('How is Ulm connected?', {
    response_format: { type: 'relation_path', start: ['Albert Einstein'], hops: 2, inverse: true },
    temperature: 2,
    seed: 5,
  });
  t.equal(status, 200, JSON.stringify(json));
  t.match(json, {
    choices: [{ message: { content: /^Albert Einstein (-\[|<-\[)/ }, finish_reason: 'stop' }],
    grounding: { outcome: 'entailed', confidence: Number, paths_complete: true },
  });
  const claims = json.grounding.claims as unknown as { proof_id: string }[];
  t.ok(claims.length >= 1);
  for (const { proof_id } of claims) t.match(await call(app, 'POST', `/v1/proofs/${proof_id}/check`), { json: { valid: true } });
  const relations = await chat('Which?', { response_format: { type: 'relation_path', start: ['Marie Curie'], form: 'relations', hops: 1 } });
  t.equal(str(relations.json.choices[0].message.content), str(relations.json.grounding.interpretation.path));
  t.match(relations.json.grounding, { outcome: 'entailed', interpretation: { entities: ['Marie Curie'] } });
  t.match(await chat('x', { response_format: { type: 'relation_path', start: ['Nobody At All'] } }), {
    status: 400,
    json: { error: { param: 'response_format', message: /no entity of that name/ } },
  });
  t.match(await call(app, 'POST', '/v1/completions', { prompt: 'x', response_format: { type: 'relation_path', start: ['Ulm'] } }), {
    status: 400,
    json: { error: { param: 'response_format.type', message: /for chats/ } },
  });
  t.match(await chat('x', { response_format: { type: 'relation_path', start: ['Ulm'] }, knowledge: {} }), { status: 400 });
});
