// Owns constrained texts over HTTP: response formats, patterns, grammars, choices.
// Refuses to know how they are kept: test/engine/grammars does.

import t from 'tap';
import { call, events, startApp, str } from '../helpers/http-app.ts';

const app = await startApp(t);
const chat = (rest: object) => call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Give me a colour.' }], temperature: 1.5, seed: 3, max_tokens: 200, ...rest });
const complete = (rest: object) => call(app, 'POST', '/v1/completions', { prompt: 'A colour:', temperature: 1.5, seed: 3, max_tokens: 200, ...rest });
const schema = { type: 'object', properties: { colour: { enum: ['red', 'green'] }, shade: { type: 'integer', minimum: 1, maximum: 5 } }, required: ['colour', 'shade'], additionalProperties: false };

t.test('a JSON Schema is kept, whole and streamed', async (t) => {
  const format = { response_format: { type: 'json_schema', json_schema: { name: 'colour', schema, strict: true } } };
  const { status, json } = await chat(format);
  t.equal(status, 200, JSON.stringify(json));
  const content = str(json.choices[0].message.content);
  t.match(JSON.parse(content), { colour: /^(red|green)$/, shade: Number });
  t.match(json, { choices: [{ finish_reason: 'stop' }], grounding: { outcome: 'ungrounded' } });
  const streamed = events((await chat({ ...format, stream: true })).text) as unknown as { choices: { delta: { content?: string } }[] }[];
  t.equal(streamed.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join(''), content);
});

t.test('patterns, grammars and choices, for chats and plain texts', async (t) => {
  t.match((await complete({ response_format: { type: 'regex', pattern: '#[0-9a-f]{6}' } })).json, { choices: [{ text: /^#[0-9a-f]{6}$/, finish_reason: 'stop' }] });
  t.match((await complete({ structured_outputs: { regex: '#[0-9a-f]{6}' } })).json, { choices: [{ text: /^#[0-9a-f]{6}$/ }] });
  t.match((await chat({ response_format: { type: 'grammar', grammar: 'root ::= ("red" | "green") "!"{1,3}' } })).json, { choices: [{ message: { content: /^(red|green)!{1,3}$/ } }] });
  t.match((await chat({ structured_outputs: { choice: ['red', 'dark green'] } })).json, { choices: [{ message: { content: /^(red|dark green)$/ } }] });
  t.match((await complete({ response_format: { type: 'regex', pattern: '(?!.*00)#(?=.*[a-f])[0-9a-f]{6}' } })).json, { choices: [{ text: /^(?!.*00)#(?=.*[a-f])[0-9a-f]{6}$/ }] });
  t.match(JSON.parse(str((await chat({ response_format: { type: 'json_object', schema } })).json.choices[0].message.content)), { colour: /^(red|green)$/ });
  t.type(JSON.parse(str((await chat({ structured_outputs: { json: schema } })).json.choices[0].message.content)), 'object');
});

t.test('a schema that asks for a number which would be rounded is refused by its place, and rounded bounds are not', async (t) => {
  const post = (path: string, fields: string) => call(app, 'POST', path, `{${fields}, "knowledge": {"mode": "off"}}`);
  const chatted = '"messages": [{"role": "user", "content": "12345678901234567890?"}], "max_tokens": 60';
  const refused = async (path: string, fields: string, param: string): Promise<void> => {
    const { status, json, text } = await post(path, fields);
    t.equal(status, 400, text);
    const error = json.error as unknown as { param?: string; details?: { param: string }; message: string };
    t.equal(error.param ?? error.details?.param, param);
    t.match(error.message, /is 9007199254740993, and whole numbers beyond 2\^53 cannot all be told apart here; give it as a string/);
  };
  const [odd, even] = ['{"enum": [1, 9007199254740993]}', '{"enum": [9007199254740992, 10000000000000000000]}'];
  await refused('/v1/chat/completions', `${chatted}, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": ${odd}}}`, 'response_format.json_schema.schema.enum[1]');
  await refused('/v1/chat/completions', `${chatted}, "guided_json": ${JSON.stringify(odd)}`, 'guided_json.enum[1]');
  await refused('/v1/chat/completions', `${chatted}, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"id": {"const": 9007199254740993}}}}}]`, 'tools[0].function.parameters.properties.id.const');
  await refused('/v1/responses', `"input": "Hi", "text": {"format": {"type": "json_schema", "name": "x", "schema": ${odd}}}`, 'text.format.schema.enum[1]');
  await refused('/v1/messages', `"model": "pharos-mini", ${chatted}, "output_config": {"format": {"type": "json_schema", "schema": ${odd}}}`, 'output_config.format.schema.enum[1]');
  const given = await post('/v1/chat/completions', `${chatted}, "json_schema": ${even}`);
  t.match(given.json, { choices: [{ message: { content: /^(9007199254740992|10000000000000000000)$/ } }] }, given.text);
  const bounded = await post('/v1/chat/completions', `${chatted}, "json_schema": {"type": "integer", "minimum": 1, "maximum": 18446744073709551615}`);
  t.equal(bounded.status, 200, bounded.text);
});

t.test('by the names of earlier versions of vLLM and of llama.cpp', async (t) => {
  t.match((await complete({ guided_regex: '#[0-9a-f]{6}' })).json, { choices: [{ text: /^#[0-9a-f]{6}$/ }] });
  t.match((await complete({ guided_choice: ['red', 'dark green'] })).json, { choices: [{ text: /^(red|dark green)$/ }] });
  t.match((await chat({ guided_grammar: 'root ::= "x"{3}' })).json, { choices: [{ message: { content: 'xxx' } }] });
  t.match((await chat({ grammar: 'root ::= "x"{3}', response_format: { type: 'text' } })).json, { choices: [{ message: { content: 'xxx' } }] });
  const format = { response_format: { type: 'json_schema', json_schema: { name: 'colour', schema } } };
  const content = str((await chat(format)).json.choices[0].message.content);
  for (const same of [{ json_schema: schema }, { guided_json: schema }, { guided_json: JSON.stringify(schema) }, { structured_outputs: { json: JSON.stringify(schema) } }, { ...format, json_schema: schema }])
    t.equal(str((await chat(same)).json.choices[0].message.content), content, JSON.stringify(same));
});

t.test('what cannot be kept is refused with the keyword', async (t) => {
  const refused = async (rest: object, error: object): Promise<void> => void t.match(await chat(rest), { status: 400, json: { error: { type: 'invalid_request_error', ...error } } }, JSON.stringify(rest));
  const format = (given: object): object => ({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: given } } });
  await refused(format({ $dynamicRef: '#node' }), { param: 'response_format', message: /\$dynamicRef at # is not supported/ });
  await refused(format({ type: 'integer', minimum: 3, maximum: 1 }), { message: /leaves no integer/ });
  await refused({ response_format: { type: 'grammar', grammar: 'root ::= (' } }, { message: /line 1, column/ });
  await refused({ response_format: { type: 'regex', pattern: 'a(?=b)' } }, { param: 'response_format', message: /no text matches/ });
  await refused({ response_format: { type: 'yaml' } }, { param: 'response_format.type' });
  await refused({ response_format: { type: 'json_object' }, knowledge: {} }, { param: 'response_format', message: /knowledge.mode "off"/ });
  await refused({ structured_outputs: { regex: 'a', choice: ['b'] } }, { param: 'structured_outputs' });
  await refused({ structured_outputs: { regex: '(' } }, { param: 'structured_outputs', code: 'constraint_invalid' });
  t.match(await complete({ structured_outputs: { grammar: 'root ::= (' } }), { status: 400, json: { error: { param: 'structured_outputs' } } });
  t.match(await complete({ response_format: { type: 'grammar', grammar: 'root ::= (' } }), { status: 400, json: { error: { param: 'response_format' } } });
  await refused({ structured_outputs: { regex: 'a' }, response_format: { type: 'json_object' } }, { param: 'structured_outputs', message: /response_format/ });
  await refused({ guided_regex: 'a', grammar: 'root ::= "b"' }, { param: 'grammar', message: /guided_regex/ });
  await refused({ guided_grammar: 'root ::= (' }, { param: 'guided_grammar', code: 'constraint_invalid' });
  await refused({ guided_json: '{"type":' }, { param: 'guided_json', message: /text of one/ });
  await refused({ grammar: 'root ::= "b"', knowledge: {} }, { param: 'grammar', message: /knowledge.mode "off"/ });
});
