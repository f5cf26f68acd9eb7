// Owns triples over HTTP: told, matched, withdrawn, imported line by line, exported.
// Refuses to know sockets: a broken import on a real one is in test/live.

import t from 'tap';
import { call, lines, list, startApp, str } from '../helpers/http-app.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const app = await startApp(t, { PHAROS_BATCH_TRIPLES: '10', PHAROS_LINE_BYTES: '4096' });
const post = (triples: readonly object[], base = 'default') => call(app, 'POST', '/v1/triples', { triples, knowledge_base: base });
const get = async (query: string) => call(app, 'GET', `/v1/triples?${query}`);
const line = (i: number): string => JSON.stringify({ subject: `s${i}`, relation: 'r', object: `o${i}` });
const body = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `${line(from + i)}\n`).join('');

t.test('triples are told once, keep what came with them, and are matched by any part', async (t) => {
  const einstein = {
    subject: 'Albert Einstein',
    relation: 'birth year',
    object: { value: 1879, type: 'number' },
    confidence: 0.9,
    source: { document: 'life.pdf', page: 2, start: 10, end: 40 },
    valid_from: '1879-03-14',
  };
  t.match(await post([einstein, { subject: 'Ulm', relation: 'located in', object: 'Germany', source: 'by hand' }]), {
    status: 200,
    json: { added: 2, known: 0, derived: 0, version: 1 },
  });
  t.match((await post([einstein])).json, { added: 0, known: 1, version: 1 }, 'telling twice is no error');
  const { json } = await get('subject=Albert+Einstein');
  t.match(json, { object: 'list', has_more: false, data: [{ ...einstein, id: /^f_/, recorded_at: /Z$/, derived: false }] });
  t.match((await get('object_value=1879&object_type=number')).json.data, [{ subject: 'Albert Einstein' }]);
  t.same((await get('object_value=1879')).json.data, [], 'the text 1879 is not the number');
  t.match((await get('object=Germany&relation=located+in')).json.data, [{ subject: 'Ulm' }]);
  t.same((await get('min_confidence=0.95&subject=Albert+Einstein')).json.data, []);
  t.same((await get('valid_at=1800-01-01&subject=Albert+Einstein')).json.data, []);
  t.match(await get('object=Ulm&object_value=Ulm'), { status: 400, json: { error: { param: 'object_value' } } });
});

t.test('what is wrong with one triple is said with its place, and what would be right', async (t) => {
  const good = { subject: 'a', relation: 'r', object: 'b' };
  const error = (param: string, message: RegExp): object => ({ status: 400, json: { error: { type: 'invalid_request_error', param, message } } });
  t.match(await post([good, { ...good, object: 5 }], 'wrong'), error('triples[1].object', /expected the name of an entity, or a literal such as \{"value": 5, "type": "number"\}/));
  t.match(await post([good, { ...good, source: 5 }], 'wrong'), error('triples[1].source', /expected string or object, received number/));
  t.match(await post([good, { ...good, valid_from: '2020-01-01', valid_to: '2019-01-01' }], 'wrong'), error('triples[1]', /^triples\[1\]: a fact cannot be true from 2020-01-01 until 2019-01-01/));
  t.match(await post([{ ...good, object: { value: 'soon', type: 'date' } }], 'wrong'), error('triples[0]', /^triples\[0\]: /));
  t.same((await get('knowledge_base=wrong')).json.data, [], 'nothing of them is told');
});

t.test('whole numbers that would be others here are refused, wherever a triple, term or rule holds one', async (t) => {
  const [long, near] = ['9007199254740993', '9007199254740992'];
  const send = (method: 'POST', path: string, text: string, headers = {}) => call(app, method, path, text.replaceAll('LONG', long), headers);
  const refused = (param: string | null): object => ({ status: 400, json: { error: { param, message: /is 9007199254740993, and whole numbers beyond 2\^53 cannot all be told apart here; give it as a string/ } } });
  const number = '{"value": LONG}';
  const one = `{"subject": "a", "relation": "id", "object": ${number}}`;
  t.match(await send('POST', '/v1/triples', `{"triples": [${one}], "knowledge_base": "long"}`), refused('triples[0].object.value'));
  t.match(await send('POST', '/v1/triples?knowledge_base=long', one, NDJSON), { ...refused(null), json: { error: { code: 'invalid_line', line: 1, message: /^line 1: object\.value: is 9007199254740993/ } } });
  t.same((await get('knowledge_base=long')).json.data, []);
  for (const [path, text, param] of [
    ['deduce', `{"goal": "id(?x, ?y)", "facts": [${one}]}`, 'facts[0].object.value'],
    ['deduce', `{"goal": "id(?x, ?y)", "remove": [{"object": ${number}}]}`, 'remove[0].object.value'],
    ['what-if', `{"add": [${one}]}`, 'add[0].object.value'],
    ['rank', `{"relation": "id", "object": ${number}}`, 'object.value'],
    ['abduce', `{"observation": ${one}}`, 'observation.object.value'],
    ['abduce', `{"observation": "p(a, b)", "values": [${number}]}`, 'values[0].value'],
  ])
    t.match(await send('POST', `/v1/reason/${path}`, text), refused(param), `${path} ${param}`);
  t.match(await send('POST', '/v1/rules', `{"rules": [{"heads": [{"relation": "p", "subject": "?x", "object": ${number}}], "body": [{"relation": "r", "subject": "?x", "object": "?y"}]}]}`), refused('rules[0].heads[0].object.value'));
  t.match(await get(`knowledge_base=long&object_value=${long}&object_type=number`), { status: 400, json: { error: { param: 'object_value', message: /is 9007199254740993/ } } });
  const exact = await send('POST', '/v1/triples?knowledge_base=long', `{"subject": "a", "relation": "id", "object": {"value": ${near}}}\n{"subject": "b", "relation": "id", "object": {"value": "LONG"}}\n{"subject": "c", "relation": "size", "object": {"value": 0.1234567890123456789}}`, NDJSON);
  t.match(lines(exact.text).at(-1), { object: 'triples.result', added: 3 });
  t.match((await get(`knowledge_base=long&object_value=${near}&object_type=number`)).json.data, [{ subject: 'a' }]);
  t.match((await get(`knowledge_base=long&object_value=${long}`)).json.data, [{ subject: 'b' }]);
});

t.test('what is known to be false is kept apart', async (t) => {
  await post([{ subject: 'earth', relation: 'is a', object: 'disc', negated: true }]);
  t.same((await get('subject=earth')).json.data, []);
  t.match((await get('subject=earth&negated=true')).json.data, [{ object: 'disc', negated: true }]);
});

t.test('lists come in pages', async (t) => {
  await post(Array.from({ length: 25 }, (_, i) => ({ subject: 'hub', relation: 'has', object: `part ${i}` })));
  const seen: unknown[] = [];
  let cursor = '';
  do {
    const { json } = await get(`subject=hub&limit=10${cursor}`);
    seen.push(...(json.data as unknown as { object: unknown }[]).map(({ object }) => object));
    cursor = json.has_more ? `&cursor=${str(json.cursor)}` : '';
  } while (cursor !== '');
  t.equal(new Set(seen).size, 25);
  t.equal(seen.length, 25);
});

t.test('withdrawing takes what followed with it, and history keeps both', async (t) => {
  await call(app, 'POST', '/v1/rules', { rules: 'grandparent(?x, ?z) :- parent(?x, ?y), parent(?y, ?z).', knowledge_base: 'family' });
  t.match(
    (
      await post(
        [
          { subject: 'ann', relation: 'parent', object: 'bob' },
          { subject: 'bob', relation: 'parent', object: 'cid' },
        ],
        'family',
      )
    ).json,
    { added: 2, derived: 1 },
  );
  t.match((await get('knowledge_base=family&relation=grandparent')).json.data, [{ subject: 'ann', object: 'cid', derived: true }]);
  const before = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(await call(app, 'DELETE', '/v1/triples?knowledge_base=family'), { status: 400, json: { error: { message: /all=true/ } } });
  t.match((await call(app, 'DELETE', '/v1/triples?knowledge_base=family&subject=bob')).json, { withdrawn: 1, no_longer_derived: 1 });
  t.same((await get('knowledge_base=family&relation=grandparent')).json.data, []);
  t.match((await get(`knowledge_base=family&subject=bob&as_of=${before}`)).json.data, [{ object: 'cid', retracted_at: /Z$/ }]);
  await post(
    [
      { subject: 'x', relation: 'y', object: 'z', source: 'paper' },
      { subject: 'x', relation: 'y', object: 'w', source: 'other' },
    ],
    'family',
  );
  t.match((await call(app, 'DELETE', '/v1/triples?knowledge_base=family&source=paper')).json, { withdrawn: 1 });
  t.match((await call(app, 'DELETE', '/v1/triples?knowledge_base=family&all=true')).json, { withdrawn: 2 });
});

t.test('an import answers a line after each batch, and the totals last', async (t) => {
  const reply = await call(app, 'POST', '/v1/triples?knowledge_base=bulk', `${body(0, 25)}\n\n${line(3)}`, NDJSON);
  t.match(reply, { status: 200, headers: { 'content-type': /^application\/x-ndjson/ } });
  t.same(lines(reply.text), [
    { object: 'triples.progress', lines: 10, added: 10, known: 0, derived: 0, version: 1 },
    { object: 'triples.progress', lines: 20, added: 20, known: 0, derived: 0, version: 2 },
    { object: 'triples.progress', lines: 28, added: 25, known: 1, derived: 0, version: 3 },
    { object: 'triples.result', lines: 28, added: 25, known: 1, derived: 0, version: 3 },
  ]);
  const whole = await call(app, 'POST', '/v1/triples?knowledge_base=bulk', body(0, 25), { ...NDJSON, accept: 'application/json' });
  t.same(whole.json, { object: 'triples.result', lines: 25, added: 0, known: 25, derived: 0, version: 3 });
  t.match((await call(app, 'POST', '/v1/triples?knowledge_base=empty', '', NDJSON)).text, /"lines":0,"added":0/);
});

t.test('a mark of byte order before any line is no part of it, as in files that were put together', async (t) => {
  const marked = (from: number, to: number): string => `\ufeff${body(from, to).replaceAll('\n', '\r\n')}`;
  const reply = await call(app, 'POST', '/v1/triples?knowledge_base=marked', `${marked(0, 3)}${marked(3, 6)}\ufeff`, NDJSON);
  t.match(lines(reply.text).at(-1), { object: 'triples.result', lines: 7, added: 6 });
});

t.test('a malformed line is told by its number; the batches before it stay, and the import goes on from there', async (t) => {
  const base = '/v1/triples?knowledge_base=broken';
  const mistakes: readonly (readonly [string | Buffer, RegExp, string])[] = [
    ['{"subject": "a"', /line 24: not JSON/, 'invalid_line'],
    ['{"subject": "a", "relation": "r"}', /line 24: object: is required/, 'invalid_line'],
    ['{"subject": "a", "relation": "r", "object": "b", "colour": 1}', /line 24: colour: is not a field/, 'invalid_line'],
    ['{"subject": " ", "relation": "r", "object": "b"}', /line 24: entity name is empty/, 'invalid_line'],
    [Buffer.from([0x22, 0xff, 0x22]), /line 24: it is not valid UTF-8/, 'invalid_encoding'],
    [`{"subject": "${'x'.repeat(5000)}"}`, /line 24: longer than 4096 bytes/, 'invalid_line'],
  ];
  for (const [mistake, message, code] of mistakes) {
    const sent = Buffer.concat([Buffer.from(body(0, 23)), Buffer.from(mistake), Buffer.from(`\n${body(24, 40)}`)]);
    const reply = await call(app, 'POST', base, sent, NDJSON);
    t.equal(reply.status, 200, 'batches were acknowledged before the mistake was read');
    t.match(lines(reply.text).at(-1), { error: { type: 'invalid_request_error', code, message, line: 24, acknowledged_lines: 20 } });
    t.match(
      await call(app, 'POST', base, sent, { ...NDJSON, accept: 'application/json' }),
      { status: 400, json: { error: { code, line: 24, acknowledged_lines: 20 } } },
      'asked for one status, it is the right one',
    );
    t.equal(list((await call(app, 'GET', `${base}&limit=1000`)).json.data).length, 20);
  }
  t.match(
    await call(app, 'POST', base, `nonsense\n${body(0, 30)}`, NDJSON),
    { status: 400, json: { error: { line: 1, acknowledged_lines: 0 } } },
    'before anything is stored the status says it',
  );
  t.match(lines((await call(app, 'POST', base, body(20, 40), NDJSON)).text).at(-1), { object: 'triples.result', added: 20, known: 0 });
});

t.test('an export is an import', async (t) => {
  const told = [
    { subject: 'a', relation: 'r', object: 'b', confidence: 0.5, source: 'here', valid_from: '2020-01-01' },
    { subject: 'a', relation: 'r', object: { value: '2020-01-01', type: 'date' }, source: { document: 'd', page: 1 } },
    { subject: 'a', relation: 'r', object: 'c', negated: true },
  ];
  await post(told, 'from');
  const { text, headers } = await call(app, 'GET', '/v1/triples/export?knowledge_base=from');
  t.match(headers, { 'content-type': /^application\/x-ndjson/ });
  t.same(lines(text), told);
  await call(app, 'POST', '/v1/triples?knowledge_base=to', text, NDJSON);
  t.equal((await call(app, 'GET', '/v1/triples/export?knowledge_base=to')).text, text);
  t.equal(lines((await call(app, 'GET', '/v1/triples/export?knowledge_base=bulk')).text).length, 25);
});

t.test('who asks for the head of an export alone does not have it read', async (t) => {
  await call(app, 'POST', '/v1/triples?knowledge_base=long-list', body(0, 5000), NDJSON);
  const { knowledge } = app;
  const pages = t.capture(knowledge, 'match', knowledge.match.bind(knowledge));
  const reply = await call(app, 'HEAD', '/v1/triples/export?knowledge_base=long-list');
  t.match(reply, { status: 200, text: '', headers: { 'content-type': /^application\/x-ndjson/ } });
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(pages().length, 1, 'the page that says whether it can be read at all');
});
