// Owns learning rules and ranking missing links over HTTP.
// Refuses to know how rules are found.

import t from 'tap';
import { call, list, startApp, str } from '../helpers/http-app.ts';
import type { Json } from '../helpers/http-app.ts';

const app = await startApp(t);
const post = (url: string, body?: unknown) => call(app, 'POST', url, body);
const get = (url: string) => call(app, 'GET', url);
const swans = Array.from({ length: 9 }, (_, i) => [
  { subject: `swan ${i}`, relation: 'is a', object: 'swan' },
  { subject: `swan ${i}`, relation: 'has color', object: 'white' },
]).flat();
await post('/v1/triples', { triples: [...swans, { subject: 'odette', relation: 'is a', object: 'swan' }] });
const events = (text: string): Json[] =>
  text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice(6)) as Json);
const textOf = (rule: Json): string => str(rule.text);
const WHITE = '@confidence(0.9) "has color"(?x, white) :- swan(?x).';

t.test('rules are learned with measures and examples, read again by id and page, and adopted', async (t) => {
  const { status, json } = await post('/v1/reason/induce', { relations: ['has color'], min_confidence: 0.5 });
  t.match(
    { status, json },
    { status: 200, json: { object: 'induction', status: 'completed', complete: true, facts: 19, knowledge_base: 'default', has_more: false } },
  );
  const rule = list(json.rules).find((each) => textOf(each) === WHITE) as Json;
  t.match(rule, {
    rule: { confidence: 0.9, heads: [{ relation: 'has color', subject: '?x', object: 'white' }] },
    measures: { support: 9, predictions: 10, head_coverage: 1, confidence: 0.9, pca_confidence: 1, exact: true },
    counter_examples: [{ subject: 'odette', relation: 'has color', object: 'white' }],
  });
  const id = str(json.id);
  t.same((await get(`/v1/reason/induce/${id}`)).json, json);
  await post('/v1/triples', { triples: swans.slice(0, 4).map((each) => ({ ...each, relation: `${each.relation} too` })) });
  const many = (await post('/v1/reason/induce', { min_confidence: 0, min_head_coverage: 0 })).json;
  const first = (await get(`/v1/reason/induce/${str(many.id)}?limit=1`)).json;
  t.match(first, { has_more: true, cursor: '1', rules: [{ id: many.rules[0].id }] });
  t.match((await get(`/v1/reason/induce/${str(many.id)}?limit=1&cursor=1`)).json.rules[0].id, many.rules[1].id);

  const adopted = await post(`/v1/reason/induce/${id}/adopt`, { rules: [rule.id] });
  t.match(adopted, { status: 200, json: { derived: 1, rules: [{ id: rule.id, text: WHITE }] } });
  t.match((await get('/v1/triples?subject=odette&relation=has%20color')).json.data, [{ object: 'white', derived: true, confidence: 0.9 }]);
  t.match((await post('/v1/reason/deduce', { goal: '"has color"(odette, white)' })).json, { outcome: 'entailed', answers: [{ confidence: 0.9 }] });
});

t.test('with stream, rules and progress come as events, the whole result last', async (t) => {
  const { headers, text } = await post('/v1/reason/induce', { relations: ['has color'], stream: true });
  t.match(headers['content-type'], /text\/event-stream/);
  const frames = events(text);
  t.ok(text.endsWith('data: [DONE]\n\n'));
  t.match(frames[0], { object: 'induction.progress', status: 'running' });
  t.match(frames.at(-1), { object: 'induction', status: 'completed' });
  t.ok(frames.some(({ object, rule }) => str(object) === 'induction.rule' && textOf(rule) === WHITE));
});

t.test('in the background it goes on by itself and can be ended', async (t) => {
  const begun = (await post('/v1/reason/induce', { background: true })).json;
  t.match(begun, { object: 'induction', status: 'running' });
  let now = begun;
  for (const until = Date.now() + 20_000; str(now.status) === 'running' && Date.now() < until;) {
    // Threads are heard between two turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    now = (await get(`/v1/reason/induce/${str(begun.id)}`)).json;
  }
  t.match(now.status, 'completed');
  const other = (await post('/v1/reason/induce', { background: true, limits: { ms: 60_000 } })).json;
  t.match((await call(app, 'DELETE', `/v1/reason/induce/${str(other.id)}`)).json, { id: other.id, status: /cancelled|completed/ });
});

t.test('the missing end of a fact is ranked', async (t) => {
  await post('/v1/triples', { triples: [...swans, { subject: 'odile', relation: 'is a', object: 'swan' }], knowledge_base: 'lake' });
  const body = { subject: 'odile', relation: 'has color', knowledge_base: 'lake' };
  const found = await post('/v1/reason/rank', body);
  t.match(found, { status: 200, json: { partial: false, predicted: 1, candidates: [{ triple: { subject: 'odile', object: 'white' }, rules: [{}] }] } });
  t.equal(Number(found.json.candidates[0].score).toFixed(3), '0.600', '9 of 10, and five counter-examples charged in advance');
  t.match((await post('/v1/reason/rank', { ...body, induction: found.json.induction, aggregation: 'noisy_or' })).json.candidates[0].triple.object, 'white');
  t.match(
    (await post('/v1/reason/rank', { object: 'white', relation: 'has color', knowledge_base: 'lake', limit: 1 })).json.candidates[0].triple.subject,
    'odile',
  );
});

t.test('what is wrong is said', async (t) => {
  for (const [url, body, status, code] of [
    ['/v1/reason/induce', { length: 7 }, 400, 'invalid_value'],
    ['/v1/reason/induce', { min_confidence: 2 }, 400, 'invalid_value'],
    ['/v1/reason/induce', { depth: 2 }, 400, 'unknown_parameter'],
    ['/v1/reason/induce', { relations: ['nothing'] }, 404, 'no_facts'],
    ['/v1/reason/induce/none/adopt', { rules: ['r_1'] }, 404, 'induction_not_found'],
    ['/v1/reason/rank', { relation: 'has color' }, 400, 'invalid_value'],
    ['/v1/reason/rank', { relation: 'has color', subject: 'nobody' }, 404, 'no_facts'],
    ['/v1/reason/rank', { relation: 'has color', subject: 'odette', induction: 'none' }, 404, 'induction_not_found'],
  ] as const)
    t.match(await post(url, body), { status, json: { error: { code } } }, `${url} ${JSON.stringify(body)}`);
  t.match(await get('/v1/reason/induce/none'), { status: 404, json: { error: { code: 'induction_not_found', message: /"none"/ } } });
  t.match(await get('/v1/reason/induce/none?cursor=x'), { status: 404 });
});

t.test('bounds of numbers and exceptions are learned when they are asked for', async (t) => {
  const knowledge_base = 'people';
  const triples = Array.from({ length: 20 }, (_, i) => [
    { subject: `p${i}`, relation: 'age', object: { value: i * 3, type: 'number' } },
    { subject: `p${i}`, relation: 'is a', object: 'person' },
    ...(i >= 6 ? [{ subject: `p${i}`, relation: 'is a', object: 'adult' }] : []),
    i % 4 === 0 ? { subject: `p${i}`, relation: 'is a', object: 'pilot' } : { subject: `p${i}`, relation: 'gets', object: 'lost' },
  ]).flat();
  await post('/v1/triples', { triples, knowledge_base });
  const texts = async (more: object): Promise<string[]> =>
    list((await post('/v1/reason/induce', { knowledge_base, min_confidence: 0.95, ...more })).json.rules).map(textOf);
  const [adult, lost] = ['adult(?x) :- age(?x, ?y), ?y >= 18.', 'gets(?x, lost) :- person(?x), not pilot(?x).'];
  t.notOk((await texts({})).some((text) => [adult, lost].includes(text)));
  const found = await texts({ ranges: true, exceptions: true });
  t.ok(found.includes(adult) && found.includes(lost), found.join('\n'));
});

t.test('limits are configured: of each the lower of the request and the service counts, and the reply tells', async (t) => {
  const narrow = await startApp(t, { PHAROS_INDUCE_MS: '20000', PHAROS_INDUCE_FACTS: '8', PHAROS_INDUCE_RULES: '1', PHAROS_INDUCE_HEAP: '64MiB' });
  await call(narrow, 'POST', '/v1/triples', { triples: swans });
  const cut = { status: 200, json: { facts: 8, limit: 'facts', complete: false, rules: { length: 1 } } };
  for (const limits of [undefined, { facts: 9, rules: 2, ms: 20_001 }]) t.match(await call(narrow, 'POST', '/v1/reason/induce', { limits }), cut);
  t.match((await call(narrow, 'POST', '/v1/reason/induce', { limits: { facts: 7 } })).json, { facts: 7, limit: 'facts' });
  const ranked = await call(narrow, 'POST', '/v1/reason/rank', { relation: 'has color', subject: 'swan 1', limits: { facts: 9 } });
  t.match(ranked, { status: 200, json: { partial: true } });
});

t.test('as many inductions as are configured are at work at the same time, and as many are kept', async (t) => {
  const narrow = await startApp(t, { PHAROS_INDUCE_JOBS: '1', PHAROS_INDUCE_KEPT: '1' });
  const people = 50;
  const triples = Array.from({ length: people * 6 }, (_, i) =>
    Array.from({ length: 4 }, (_unused, k) => ({
      subject: `p${i % people}`,
      relation: `r${Math.floor(i / people)}`,
      object: `p${(i * (Math.floor(i / people) + 3) + k * k * 7) % people}`,
    })),
  ).flat();
  await call(narrow, 'POST', '/v1/triples', { triples });
  // Paths of five steps in a dense graph: far more than are counted before it is ended.
  const endless = { background: true, length: 5, min_support: 1, min_confidence: 0, min_head_coverage: 0, limits: { ms: 600_000 } };
  const first = await call(narrow, 'POST', '/v1/reason/induce', endless);
  t.match(first, { status: 200, json: { status: 'running' } });
  const quick = { relations: ['r1'], length: 1 };
  t.match(await call(narrow, 'POST', '/v1/reason/induce', quick), { status: 429, json: { error: { code: 'too_many_inductions' } } });
  const url = `/v1/reason/induce/${str(first.json.id)}`;
  t.match(await call(narrow, 'GET', url), { status: 200, json: { status: 'running' } }, 'it is at work still');
  t.match(await call(narrow, 'DELETE', url), { status: 200, json: { status: 'cancelled' } });
  t.match(await call(narrow, 'POST', '/v1/reason/induce', quick), { status: 200, json: { status: 'completed' } });
  t.match(await call(narrow, 'GET', url), { status: 404, json: { error: { message: /the last 1 are kept/ } } });
});
