// Owns bad requests: each is a clear 4xx in OpenAI's form that names what was wrong, and nothing is lost by it.
// Refuses to know good requests.

import t from 'tap';
import { call, startApp } from '../helpers/http-app.ts';

const app = await startApp(t);
const CHAT = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Hello.' }];

t.test('what is wrong is named, in the form that OpenAI clients read', async (t) => {
  const cases: readonly (readonly [string, unknown, number, { code: string; param?: string | null; message?: RegExp }])[] = [
    ['no messages', {}, 400, { code: 'missing_required_parameter', param: 'messages', message: /messages: is required/ }],
    ['a field that is missing by another name', { message: [] }, 400, { code: 'missing_required_parameter', param: 'messages', message: /^messages: is required; message: is not a field that is known here$/ }],
    ['empty messages', { messages: [] }, 400, { code: 'invalid_value', param: 'messages' }],
    ['a role that does not exist', { messages: [{ role: 'robot', content: 'x' }] }, 400, { code: 'invalid_value', param: 'messages[0].role' }],
    ['no content', { messages: [{ role: 'user' }] }, 400, { code: 'missing_required_parameter', param: 'messages[0].content' }],
    ['content of a wrong type', { messages: [{ role: 'user', content: 7 }] }, 400, { code: 'invalid_value', param: 'messages[0].content' }],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      400,
      { code: 'invalid_value', param: 'messages[0].content[0].type', message: /only parts of type "text"/ },
    ],
    ['NUL in a text', { messages: [{ role: 'user', content: 'a\u0000b' }] }, 400, { code: 'invalid_value', param: 'messages[0].content', message: /NUL/ }],
    ['half of a surrogate pair', { messages: [{ role: 'user', content: 'a\ud800b' }] }, 400, { code: 'invalid_value', message: /surrogate/ }],
    ['a bias of a word', { messages, logit_bias: { yes: 1 } }, 400, { code: 'invalid_value', param: 'logit_bias.yes', message: /must be a token id/ }],
    ['negative max_tokens', { messages, max_tokens: -1 }, 400, { code: 'invalid_value', param: 'max_tokens' }],
    ['fractional max_tokens', { messages, max_tokens: 1.5 }, 400, { code: 'invalid_value', param: 'max_tokens' }],
    ['temperature too high', { messages, temperature: 9 }, 400, { code: 'invalid_value', param: 'temperature' }],
    ['an unknown field', { messages, temprature: 1 }, 400, { code: 'unknown_parameter', param: 'temprature' }],
    ['an unknown field inside knowledge', { messages, knowledge: { bas: 'x' } }, 400, { code: 'unknown_parameter', param: 'knowledge.bas' }],
    ['too many choices', { messages, n: 200 }, 400, { code: 'invalid_value', param: 'n' }],
    ['tools', { messages, tools: [{ type: 'web_search' }] }, 400, { code: 'invalid_value', param: 'tools[0].type' }],
    ['a response format', { messages, response_format: { type: 'xml' } }, 400, { code: 'invalid_value', param: 'response_format.type' }],
    ['an unknown model', { messages, model: 'gpt-9' }, 404, { code: 'model_not_found', param: 'model', message: /"gpt-9".*pharos-mini/ }],
    [
      'a prompt that is too long',
      { messages: [{ role: 'user', content: 'word '.repeat(5000) }], knowledge: { mode: 'off' } },
      400,
      { code: 'context_length_exceeded', param: 'messages' },
    ],
  ];
  for (const [name, body, status, error] of cases) {
    const reply = await call(app, 'POST', CHAT, body);
    t.equal(reply.status, status, `${name}: ${reply.text.slice(0, 200)}`);
    t.match(reply.json, { error: { ...error, type: 'invalid_request_error' } }, name);
    t.match(reply.headers, { 'content-type': /^application\/json/ });
  }
});

t.test('what is wrong with a plain prompt is told by the name that the field has there', async (t) => {
  for (const path of ['/v1/completions', '/completions', '/beta/completions']) {
    t.match((await call(app, 'POST', path, { prompt: 'word '.repeat(5000) })).json, { error: { code: 'context_length_exceeded', param: 'prompt' } }, path);
    t.match((await call(app, 'POST', path, { prompt: [999_999] })).json, { error: { code: 'invalid_prompt', param: 'prompt' } }, path);
    t.match((await call(app, 'POST', path, { prompt: 'x', messages })).json, { error: { code: 'unknown_parameter', param: 'messages' } }, path);
  }
});

t.test('fields that OpenAI clients send and that change nothing are accepted', async (t) => {
  const reply = await call(app, 'POST', CHAT, {
    messages,
    max_tokens: 1,
    n: 1,
    user: 'someone',
    metadata: { a: 'b' },
    store: false,
    presence_penalty: 0,
    frequency_penalty: null,
    logit_bias: {},
    tools: [],
    tool_choice: 'auto',
    response_format: { type: 'text' },
    stream_options: null,
    knowledge: { mode: 'off' },
  });
  t.equal(reply.status, 200, reply.text);
});

t.test('bytes that are not what they say are refused', async (t) => {
  const cases: readonly (readonly [string, string | Buffer, Readonly<Record<string, string>>, number, string])[] = [
    ['no JSON', '{"messages": [', {}, 400, 'invalid_json'],
    ['nothing', '', {}, 400, 'missing_required_parameter'],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"messages": [{"role": "user", "content": "'), Buffer.from([0xc3, 0x28]), Buffer.from('"}]}')]),
      {},
      400,
      'invalid_encoding',
    ],
    ['a raw NUL byte', '{"messages": "\u0000"}', {}, 400, 'invalid_json'],
    ['brackets without end', `{"metadata": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, {}, 400, 'invalid_json'],
    ['an array', '[]', {}, 400, 'invalid_value'],
    ['XML', '<a/>', { 'content-type': 'application/xml' }, 415, 'unsupported_media_type'],
    ['plain text', 'hello', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['packed bytes', 'hello', { 'content-encoding': 'gzip' }, 415, 'unsupported_media_type'],
  ];
  for (const [name, body, headers, status, code] of cases) {
    const reply = await call(app, 'POST', CHAT, body, headers);
    t.equal(reply.status, status, `${name}: ${reply.text}`);
    t.match(reply.json, { error: { code, message: /.{10}/ } }, name);
  }
  const small = await startApp(t, { PHAROS_BODY_BYTES: '2KiB' });
  t.match(await call(small, 'POST', CHAT, { messages: [{ role: 'user', content: 'x'.repeat(3000) }] }), {
    status: 413,
    json: { error: { code: 'body_too_large', message: /more than 2048 bytes/ } },
  });
});

t.test('a body of a media type that a route does not read is refused with those that it reads', async (t) => {
  const lines = { 'content-type': 'application/x-ndjson' };
  const csv = { 'content-type': 'text/csv' };
  const refused = (message: string): object => ({ status: 415, json: { error: { code: 'unsupported_media_type', message } } });
  t.match(await call(app, 'POST', CHAT, '<a/>', { 'content-type': 'application/xml' }), refused('content-type "application/xml" is not supported; send application/json'));
  for (const path of [CHAT, '/v1/rules', '/v1/reason/deduce', '/v1/extract']) t.match(await call(app, 'POST', path, '{}', lines), refused('content-type "application/x-ndjson" is not supported; send application/json'), path);
  t.match(await call(app, 'POST', '/v1/triples', 'a,b,c', csv), refused('content-type "text/csv" is not supported; send application/json or application/x-ndjson'));
  t.match(await call(app, 'POST', '/v1/files', 'a,b,c', csv), refused('content-type "text/csv" is not supported; send multipart/form-data'));
});

t.test('a request that needs no body may announce JSON and send none, as clients of OpenAI in Python do', async (t) => {
  const announced = { 'content-type': 'application/json' };
  const found = (code: string): object => ({ status: 404, json: { error: { code } } });
  t.match(await call(app, 'DELETE', '/v1/files/file-1', '', announced), found('file_not_found'));
  t.match(await call(app, 'DELETE', '/v1/models/gpt-9', '', announced), found('model_not_found'));
  for (const what of ['cancel', 'pause', 'resume']) t.match(await call(app, 'POST', `/v1/fine_tuning/jobs/ftjob-1/${what}`, '', announced), found('fine_tuning_job_not_found'), what);
  t.match(await call(app, 'DELETE', '/v1/triples?knowledge_base=none&all=true', '', announced), { status: 200, json: { withdrawn: 0 } });
  for (const path of [CHAT, '/v1/triples', '/v1/rules'])
    t.match(await call(app, 'POST', path, '', announced), { status: 400, json: { error: { code: 'missing_required_parameter', message: /^the body is missing; send / } } }, path);
});

t.test('wrong addresses and wrong methods are told apart', async (t) => {
  t.match(await call(app, 'GET', '/v1/nothing'), { status: 404, json: { error: { code: 'not_found' } } });
  const reply = await call(app, 'PATCH', '/v1/triples', {});
  t.match(reply, {
    status: 405,
    json: { error: { code: 'method_not_allowed', message: /DELETE, GET, HEAD, POST/ } },
    headers: { allow: 'DELETE, GET, HEAD, POST' },
  });
  t.match(await call(app, 'GET', CHAT), { status: 405 });
  t.match(await call(app, 'DELETE', '/v1/entities/Ada'), { status: 405 });
  t.match(await call(app, 'GET', '/v1/entities/%ff'), { status: 400, json: { error: { code: 'invalid_url' } } });
  t.match(await call(app, 'GET', '/v1/triples?nonsense=1'), { status: 400, json: { error: { code: 'unknown_parameter', param: 'nonsense' } } });
  t.match(await call(app, 'GET', '/v1/triples?limit=0'), { status: 400, json: { error: { param: 'limit' } } });
  t.match(await call(app, 'GET', '/v1/triples?limit=1&limit=2'), { status: 400, json: { error: { param: 'limit' } } });
  t.match(await call(app, 'GET', '/v1/triples?cursor=xyz'), { status: 400, json: { error: { code: 'invalid_cursor', param: 'cursor' } } });
  t.match(await call(app, 'GET', '/v1/triples?as_of=yesterday'), { status: 400, json: { error: { param: 'as_of', message: /ISO 8601/ } } });
  t.match(await call(app, 'GET', '/v1/triples?knowledge_base=A+B'), { status: 400, json: { error: { param: 'knowledge_base' } } });
});

t.test('names and values that no triple may carry are refused, and none of the triples beside them is stored', async (t) => {
  const good = { subject: 'a', relation: 'r', object: 'b' };
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{ ...good, subject: '   ' }, /empty/],
    [{ ...good, subject: 'a\u0001' }, /control character/],
    [{ ...good, subject: 'a\u0000' }, /NUL/],
    [{ ...good, relation: 'r'.repeat(300) }, /at most 256/],
    [{ ...good, object: { value: 'x', type: 'number' } }, /finite number/],
    [{ ...good, object: { value: '1st of May', type: 'date' } }, /ISO 8601/],
    [{ ...good, confidence: 2 }, /confidence/],
    [{ ...good, valid_from: '2020-01-01', valid_to: '2019-01-01' }, /end must be later/],
    [{ ...good, object: undefined }, /triples\[1\]\.object: is required/],
  ];
  for (const [triple, message] of bad)
    t.match(await call(app, 'POST', '/v1/triples', { triples: [good, triple] }), { status: 400, json: { error: { message } } }, JSON.stringify(triple));
  t.same((await call(app, 'GET', '/v1/triples')).json.data, []);
  const nasty = `O'Brien "} DETACH DELETE n //\`; DROP TABLE facts; --`;
  t.match(await call(app, 'POST', '/v1/triples', { triples: [{ subject: nasty, relation: nasty, object: nasty }] }), { status: 200, json: { added: 1 } });
  t.match((await call(app, 'GET', `/v1/triples?subject=${encodeURIComponent(nasty)}`)).json.data, [{ subject: nasty, relation: nasty, object: nasty }]);
  t.match((await call(app, 'GET', `/v1/entities/${encodeURIComponent(nasty)}`)).json, { name: nasty });
  await call(app, 'DELETE', '/v1/triples?all=true');
});

t.test('a rule that cannot be is refused with line, column and what was expected', async (t) => {
  const unbound = await call(app, 'POST', '/v1/rules', { rules: 'fine(?x) :- p(?x, ?y).\nbad(?z) :- p(?x, ?y).' });
  t.match(unbound, { status: 400, json: { error: { code: 'rule_unsafe', param: 'rules', line: 2, column: 5, expected: [] } } });
  const syntax = await call(app, 'POST', '/v1/rules', { rules: 'p(?x, ?y) :- q(?x ?y).' });
  t.match(syntax, { status: 400, json: { error: { code: 'rule_syntax', line: 1, column: 19 } } });
  t.ok(syntax.text.includes('expected'));
  t.match(await call(app, 'POST', '/v1/rules', { rules: [{ heads: [{ relation: 'p', subject: 7, object: '?x' }], body: [] }] }), {
    status: 400,
    json: { error: { code: 'rule_syntax', path: 'rules[0].heads[0].subject' } },
  });
  t.match(await call(app, 'POST', '/v1/rules', { rules: '['.repeat(50_000) + ']'.repeat(50_000) }), { status: 400, json: { error: { code: 'rule_syntax' } } });
  t.same((await call(app, 'GET', '/v1/rules')).json.data, []);
  t.match(await call(app, 'POST', '/v1/rules/validate', { rules: 'p(?x) :- q(?x, ?y).\nbad(?z) :- p(?x, ?y).' }), {
    status: 200,
    json: { valid: false, errors: [{ code: 'rule_unsafe', line: 2 }] },
  });
  t.match(await call(app, 'DELETE', '/v1/rules/r_none'), { status: 404, json: { error: { code: 'rule_not_found' } } });
});

t.test('keys: without one nothing is told, with one everything is; what is open stays open', async (t) => {
  const locked = await startApp(t, { PHAROS_API_KEYS: 'first-key-1, second-key-2' });
  const wrong: readonly Record<string, string>[] = [
    {},
    { authorization: 'Bearer wrong-key' },
    { authorization: 'Basic first-key-1' },
    { authorization: 'Bearer first-key-1x' },
  ];
  for (const headers of wrong)
    for (const path of ['/v1/models', '/v1/triples', '/metrics', '/nowhere'])
      t.match(
        await call(locked, 'GET', path, undefined, headers),
        { status: 401, json: { error: { type: 'authentication_error', code: 'invalid_api_key' } }, headers: { 'www-authenticate': 'Bearer' } },
        path,
      );
  for (const key of ['first-key-1', 'second-key-2'])
    t.equal((await call(locked, 'GET', '/v1/models', undefined, { authorization: `Bearer ${key}` })).status, 200);
  for (const path of ['/healthz', '/readyz', '/openapi.yaml', '/docs/']) t.equal((await call(locked, 'GET', path)).status, 200, path);
});
