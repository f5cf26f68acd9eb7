// Owns deductions with hypotheses, several proofs and other semantics, what-if, why-not over HTTP.
// Refuses to know how anything is derived.

import t from 'tap';
import { call, list, startApp, str } from '../helpers/http-app.ts';

const app = await startApp(t);
const post = (url: string, body?: unknown) => call(app, 'POST', url, body);
const get = (url: string) => call(app, 'GET', url);
const PARENTS = [
  { subject: 'alice', relation: 'parent', object: 'bob' },
  { subject: 'bob', relation: 'parent', object: 'carol' },
  { subject: 'alice', relation: 'parent', object: 'ben', confidence: 0.5 },
  { subject: 'ben', relation: 'parent', object: 'carol', confidence: 0.5 },
];
t.before(async () => {
  await post('/v1/triples', { triples: PARENTS });
  await post('/v1/rules', { rules: '@name("parents") ancestor(?x, ?y) :- parent(?x, ?y). @name("steps") ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).' });
});

t.test('an answer has as many proofs as asked for, and the confidence of the semantics asked for', async (t) => {
  const { json } = await post('/v1/reason/deduce', { goal: 'ancestor(alice, carol)', proofs: 9 });
  t.match(json, { outcome: 'entailed', answers: [{ confidence: 1, proof_ids: [/^p_/, /^p_/] }], statistics: { goal_directed: true } });
  for (const id of list(json.answers[0].proof_ids)) t.match((await post(`/v1/proofs/${str(id)}/check`)).json, { valid: true });
  const supposed = [{ subject: 'coin', relation: 'side', object: 'heads', confidence: 0.5 }];
  const rules = 'wins(coin, prize) :- side(coin, heads). wins(coin, prize) :- lucky(coin, day). -rain(day, here) :- side(coin, tails).';
  const facts = [...supposed, { subject: 'coin', relation: 'lucky', object: 'day', confidence: 0.5 }];
  for (const [semantics, confidence] of [
    ['best', 0.5],
    ['possibility', 0.5],
    ['noisy_or', 0.75],
    ['exact', 0.75],
  ] as const)
    t.match((await post('/v1/reason/deduce', { goal: 'wins(coin, ?what)', rules, facts, semantics })).json, { answers: [{ confidence, triple: { object: 'prize' } }] }, semantics);
  t.match(await post('/v1/reason/deduce', { rules, facts, semantics: 'exact' }), { status: 400, json: { error: { code: 'invalid_value', message: /needs a goal/ } } });
  const dense = Array.from({ length: 400 }, (_, i) => ({ subject: `n${i % 20}`, relation: 'e', object: `n${Math.floor(i / 20)}`, confidence: 0.5 }));
  t.match(
    await post('/v1/reason/deduce', { goal: 'path(n1, n2)', rules: 'path(?x, ?y) :- e(?x, ?y). path(?x, ?z) :- e(?x, ?y), path(?y, ?z).', facts: dense, semantics: 'exact' }),
    { status: 413, json: { error: { code: 'too_large', message: /semantics "best"/ } } },
  );
});

t.test('what if: the consequences of facts that come and go, page by page, with proofs', async (t) => {
  const remove = [{ subject: 'bob', relation: 'parent', object: 'carol' }];
  const { json } = await post('/v1/reason/what-if', { remove, add: [{ subject: 'carol', relation: 'parent', object: 'dan' }], limits: { answers: 3 } });
  t.match(json, { counts: { gained: 3, lost: 1, altered: 1 }, has_more: true, complete: true });
  const rest = await post('/v1/reason/what-if', { remove, add: [{ subject: 'carol', relation: 'parent', object: 'dan' }], limits: { answers: 3 }, cursor: str(json.cursor) });
  t.match(rest.json, { has_more: false });
  const all = [...list(json.consequences), ...list(rest.json.consequences)];
  t.equal(all.length, 5);
  t.match(all.find(({ change }) => str(change) === 'altered'), { triple: { subject: 'alice', object: 'carol' }, before: 1, confidence: 0.25 });
  t.match(all.find(({ change }) => str(change) === 'lost'), { triple: { subject: 'bob', relation: 'ancestor', object: 'carol' }, proof_id: /^p_/ });
  t.match(await post('/v1/reason/what-if', { remove, goal: 'ancestor(bob, carol)' }), { json: { outcome: { before: 'entailed', after: 'not_entailed' }, consequences: [{ change: 'lost' }] } });
  t.equal(list((await get('/v1/triples?relation=ancestor')).json.data).length, 5, 'nothing was written');
  t.match(await post('/v1/reason/what-if', { remove: [{}] }), { status: 400, json: { error: { param: /^remove/ } } });
  t.match(await post('/v1/reason/what-if', { remove, cursor: 'x' }), { status: 400, json: { error: { code: 'invalid_value' } } });
});

t.test('why not: the nearest rule, as JSON and as Markdown in two languages', async (t) => {
  const { json } = await post('/v1/reason/why-not', { goal: 'ancestor(carol, dan)' });
  t.match(json, {
    outcome: 'not_entailed',
    reasons: { goal: 'ancestor(carol, dan)', attempts: [{ rule: { name: 'parents' }, lacking: 1, conditions: [{ kind: 'missing', condition: 'parent(carol, dan)' }] }, {}] },
  });
  t.match(await post('/v1/reason/why-not', { goal: 'ancestor(alice, bob)' }), { json: { outcome: 'entailed', proof_id: /^p_/ } });
  const english = await post('/v1/reason/why-not?format=markdown', { goal: 'ancestor(carol, dan)' });
  t.match([english.headers['content-type'], english.text], [/text\/markdown/, /does not follow/]);
  t.match((await post('/v1/reason/why-not?format=markdown&language=zh', { goal: 'ancestor(carol, dan)' })).text, /无法推出/);
  t.match(await post('/v1/reason/why-not', {}), { status: 400, json: { error: { param: 'goal' } } });
  t.match(await post('/v1/reason/why-not', { goal: 'ancestor(alice, ' }), { status: 400, json: { error: { code: 'rule_syntax', param: 'goal' } } });
  t.match(await post('/v1/reason/what-if', { goal: 'ancestor(alice, ' }), { status: 400, json: { error: { code: 'rule_syntax', param: 'goal' } } });
});

t.test('a deduction at another time names the time of its facts, and its proof is checked at that time', async (t) => {
  await post('/v1/triples', {
    triples: [{ subject: 'a', relation: 'parent', object: 'b', valid_from: '1990', valid_to: '2000' }],
    knowledge_base: 'past',
  });
  t.match((await post('/v1/reason/deduce', { goal: 'parent(a, ?x)', knowledge_base: 'past' })).json, { outcome: 'not_entailed' });
  const { json } = await post('/v1/reason/deduce', { goal: 'parent(a, ?x)', valid_at: '1995-05', knowledge_base: 'past' });
  t.match(json, { answers: [{ valid_from: '1990', valid_to: '2000' }] });
  const id = str(json.answers[0].proof_id);
  t.match((await post(`/v1/proofs/${id}/check`, { valid_at: '1995' })).json, { valid: true });
  t.match((await post(`/v1/proofs/${id}/check`)).json, { valid: false });
});

t.test('contradictions are listed with both proofs, and a policy decides what is answered', async (t) => {
  await call(app, 'PUT', '/v1/relations/born?knowledge_base=years', { functional: true });
  for (const [year, source] of [
    [1879, 'register'],
    [1978, 'web.html'],
  ] as const)
    await post('/v1/triples', { triples: [{ subject: 'ann', relation: 'born', object: { value: year }, source }], knowledge_base: 'years' });
  await post('/v1/rules', { rules: '@name("no years before 1900") :- born(?x, ?y), ?y < 1900.', knowledge_base: 'years' });
  const first = await get('/v1/conflicts?knowledge_base=years&limit=1');
  t.match(first, {
    status: 200,
    json: { has_more: true, complete: true, data: [{ kind: 'functional', policy: 'keep', sides: [{ triple: { object: { value: 1879 } }, stands: true }, { stands: true }] }] },
  });
  t.match((await get(`/v1/conflicts?knowledge_base=years&limit=1&cursor=${str(first.json.cursor)}`)).json, {
    has_more: false,
    data: [{ kind: 'constraint', rule: { name: 'no years before 1900' }, sides: [{}] }],
  });
  for (const { proof_id } of first.json.data[0].sides as unknown as { proof_id: string }[]) t.match((await post(`/v1/proofs/${proof_id}/check`)).json, { valid: true });
  const policies = { default: { policy: 'keep' }, relations: { born: { policy: 'trusted', sources: ['register', 'web.html'] } } };
  t.match(await call(app, 'PUT', '/v1/conflicts/policies', { ...policies, knowledge_base: 'years' }), { status: 200, json: policies });
  t.same((await get('/v1/conflicts/policies?knowledge_base=years')).json, policies);
  t.match((await post('/v1/reason/deduce', { goal: 'born(ann, ?y)', knowledge_base: 'years' })).json.answers, [{ bindings: { y: { value: 1879 } } }]);
  t.match((await post('/v1/reason/deduce', { goal: 'born(ann, 1978)', knowledge_base: 'years' })).json, { outcome: 'refuted' });
  t.equal(list((await get('/v1/triples?knowledge_base=years')).json.data).length, 2);
  t.match(await call(app, 'PUT', '/v1/conflicts/policies', { default: { policy: 'trusted' } }), { status: 400, json: { error: { code: 'invalid_value', message: /sources/ } } });
  t.match(await get('/v1/conflicts?cursor=zzz'), { status: 400, json: { error: { param: 'cursor' } } });
  t.same((await get('/v1/conflicts')).json.data, []);
});

t.test('at another time there are other facts that follow and other contradictions; proofs say when, in Chinese with the aliases of relations', async (t) => {
  const base = '?knowledge_base=times';
  await call(app, 'PUT', `/v1/relations/${encodeURIComponent('head of')}${base}`, { aliases: [{ text: '领导', language: 'zh' }], inverse_of: 'headed by', functional: true });
  await post('/v1/triples', {
    triples: [
      { subject: 'ann', relation: 'head of', object: 'lab', valid_from: '2010', valid_to: '2015' },
      { subject: 'ann', relation: 'head of', object: 'hall', valid_from: '2014' },
    ],
    knowledge_base: 'times',
  });
  t.match((await get(`/v1/triples${base}&relation=headed%20by&valid_at=2012`)).json.data, [{ subject: 'lab', derived: true, valid_from: '2010', valid_to: '2015' }]);
  t.match((await get(`/v1/triples${base}&relation=headed%20by`)).json.data, [{ subject: 'hall', derived: true, valid_from: '2014' }]);
  t.same((await get(`/v1/conflicts${base}`)).json.data, []);
  t.match((await get(`/v1/conflicts${base}&valid_at=2014-06`)).json.data, [{ kind: 'functional', sides: [{}, {}] }]);
  t.match(await get(`/v1/conflicts${base}&valid_at=then`), { status: 400 });
  const { json } = await post('/v1/reason/deduce', {
    goal: '"headed by"(?x, ann)',
    facts: [{ subject: 'ann', relation: 'head of', object: 'den', valid_from: '2020', valid_to: '2999' }],
    knowledge_base: 'times',
  });
  const [den] = (json.answers as unknown as { triple: { subject: string }; proof_id: string; valid_to?: string }[]).filter(({ triple }) => triple.subject === 'den');
  t.equal(den.valid_to, '2999');
  t.match((await get(`/v1/proofs/${den.proof_id}${base}`)).json, { premises: [{ kind: 'given', valid_from: '2020', valid_to: '2999' }] });
  t.match((await get(`/v1/proofs/${den.proof_id}${base}&format=markdown&language=zh`)).text, /“headed by”是“领导”的逆关系.*\n.*ann — 领导 → den（假设，有效期自 2020 起至 2999 止）/);
});
