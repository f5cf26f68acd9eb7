// Owns names, relations, rules, deductions, proofs and knowledge bases over HTTP.
// Refuses to know how anything is derived.

import t from 'tap';
import { call, list, startApp, str } from '../helpers/http-app.ts';

const app = await startApp(t);
const post = (url: string, body?: unknown) => call(app, 'POST', url, body);
const get = (url: string) => call(app, 'GET', url);
const FAMILY = [
  { subject: 'alice', relation: 'parent', object: 'bob' },
  { subject: 'bob', relation: 'parent', object: 'carol' },
];
const ANCESTORS =
  '@name("parents") ancestor(?x, ?y) :- parent(?x, ?y).\n@say("{x} is an ancestor of {z}") ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).';

t.test('entities are described and found by any of their names', async (t) => {
  await post('/v1/triples', { triples: [{ subject: 'Albert Einstein', relation: 'born in', object: 'Ulm' }] });
  const put = await call(app, 'PUT', '/v1/entities/Albert%20Einstein', { aliases: ['Einstein', { text: '爱因斯坦', language: 'zh' }], types: ['person'] });
  t.match(put, {
    status: 200,
    json: { name: 'Albert Einstein', label: 'Albert Einstein', aliases: [{ text: 'Einstein' }, { text: '爱因斯坦', language: 'zh' }], types: ['person'] },
  });
  t.match((await get('/v1/entities/Albert%20Einstein')).json, put.json);
  for (const q of ['albert einstein', 'Einstein', '爱因斯坦', 'Albert Einst', 'Albert Einstien'])
    t.match((await get(`/v1/entities?q=${encodeURIComponent(q)}&limit=3`)).json, { object: 'list', data: [{ name: 'Albert Einstein' }] }, q);
  t.match(await get('/v1/entities/Nobody'), { status: 404, json: { error: { code: 'entity_not_found', message: /"Nobody"/ } } });
  t.match(await get('/v1/entities'), { status: 400, json: { error: { code: 'missing_required_parameter', param: 'q' } } });
  const odd = 'AC/DC 100% ?#&';
  t.match(await call(app, 'PUT', `/v1/entities/${encodeURIComponent(odd)}`, { label: 'AC/DC' }), { status: 200, json: { name: odd, label: 'AC/DC' } });
  t.match((await get(`/v1/entities/${encodeURIComponent('名'.repeat(1000))}`)).status, 404, 'a long name reaches the route');
});

t.test('relations are declared, and what is declared takes effect', async (t) => {
  await post('/v1/triples', { triples: [{ subject: 'a', relation: 'next to', object: 'b' }], knowledge_base: 'places' });
  const put = await call(app, 'PUT', '/v1/relations/next%20to?knowledge_base=places', { symmetric: true, aliases: ['beside'] });
  t.match(put, { status: 200, json: { name: 'next to', aliases: [{ text: 'beside' }], symmetric: true, facts: 2 } });
  t.match((await get('/v1/triples?knowledge_base=places&subject=b')).json.data, [{ object: 'a', derived: true }]);
  await call(app, 'PUT', '/v1/relations/above', { inverse_of: 'below', knowledge_base: 'places' });
  const { json } = await get('/v1/relations?knowledge_base=places&limit=1');
  t.match(json, { data: [{ name: 'above', inverse_of: 'below' }], has_more: true });
  t.match((await get(`/v1/relations?knowledge_base=places&cursor=${str(json.cursor)}`)).json.data[0], { name: 'next to' });
  const lists = { domain: ['place'], range: ['place', 'thing'], sub_property_of: ['near'], equivalent_to: ['adjoins'] };
  t.match(await call(app, 'PUT', '/v1/relations/next%20to?knowledge_base=places', lists), { status: 200, json: { ...lists, symmetric: undefined } });
  t.same(
    list((await get('/v1/triples?knowledge_base=places&derived=only')).json.data).map((fact) => `${str(fact['subject'])} ${str(fact['relation'])} ${str(fact['object'])}`).toSorted(),
    ['a adjoins b', 'a is a place', 'a near b', 'b is a place', 'b is a thing'],
  );
  t.match(await call(app, 'PUT', '/v1/relations/next%20to', { domain: [' '] }), { status: 400 });
  for (const address of ['/v1/relations/next%20to', '/v1/entities/a']) {
    const both = (base: string) => call(app, 'PUT', `${address}?knowledge_base=places`, { aliases: ['named twice'], knowledge_base: base });
    t.match(await both('other'), { status: 400, json: { error: { code: 'invalid_value', param: 'knowledge_base', message: /the address says knowledge base "places" and the body "other"; name one/ } } }, address);
    t.match(await get(`${address}?knowledge_base=other`), { status: 404 }, 'nothing was written');
    t.match(await both('places'), { status: 200, json: { aliases: [{ text: 'named twice' }] } });
  }
  t.match(await post('/v1/rules?knowledge_base=places', { rules: ANCESTORS, knowledge_base: 'other' }), { status: 400, json: { error: { param: 'knowledge_base' } } });
  t.match(await get('/v1/relations?cursor=???'), { status: 400, json: { error: { param: 'cursor' } } });
  t.match(await get('/v1/relations/none'), { status: 404, json: { error: { code: 'relation_not_found' } } });
  t.match((await get('/v1/relations/next%20to?knowledge_base=places')).json, { name: 'next to' });
});

t.test('rules are stored, derive, are listed, and go with what only they derived', async (t) => {
  await post('/v1/triples', { triples: FAMILY });
  t.match(await post('/v1/rules/validate', { rules: ANCESTORS }), { status: 200, json: { valid: true, rules: [{ name: 'parents' }, {}], errors: [] } });
  t.same((await get('/v1/rules')).json.data, [], 'validating stores nothing');
  const added = await post('/v1/rules', { rules: ANCESTORS });
  t.match(added, {
    status: 200,
    json: {
      derived: 3,
      rules: [
        { id: /^r_/, name: 'parents', heads: [{ relation: 'ancestor', subject: '?x', object: '?y' }], body: [{ relation: 'parent' }] },
        { say: '{x} is an ancestor of {z}' },
      ],
    },
  });
  t.equal(list((await get('/v1/rules')).json.data).length, 2);
  t.match(
    (await post('/v1/rules', { rules: [{ heads: added.json.rules[0].heads, body: added.json.rules[0].body, name: 'parents' }] })).json,
    { derived: 0, rules: [{ id: str(added.json.rules[0].id) }] },
    'the JSON form of a rule is the same rule',
  );
  t.match(await call(app, 'DELETE', `/v1/rules/${str(added.json.rules[1].id)}`), { status: 200, json: { removed: { say: /ancestor/ }, no_longer_derived: 1 } });
  t.equal(list((await get('/v1/triples?relation=ancestor')).json.data).length, 2);
  await post('/v1/rules', { rules: ANCESTORS });
});

t.test('deductions from what is stored and from what is supposed, each with a proof that is checked', async (t) => {
  const stored = await post('/v1/reason/deduce', { goal: 'ancestor(alice, ?x)' });
  t.match(stored, { status: 200, json: { outcome: 'entailed', complete: true, statistics: { derived: 0 } } });
  t.same((stored.json.answers as unknown as { bindings: { x: string } }[]).map(({ bindings }) => bindings.x).toSorted(), ['bob', 'carol']);
  const carol = (stored.json.answers as unknown as { bindings: { x: string }; proof_id: string }[]).find(({ bindings }) => bindings.x === 'carol');
  t.match((await get(`/v1/proofs/${carol?.proof_id}`)).json, {
    kind: 'rule',
    explanation: 'alice is an ancestor of carol',
    premises: [{ kind: 'fact', fact: { id: /^f_/ } }, { kind: 'rule' }],
  });
  t.match((await post(`/v1/proofs/${carol?.proof_id}/check`)).json, { valid: true, nodes: 4 });

  const hypothesis = { rules: 'mortal(?x) :- man(?x).', facts: [{ subject: 'Socrates', relation: 'is a', object: 'man' }] };
  const supposed = await post('/v1/reason/deduce', { goal: 'mortal(?who)', ...hypothesis, limits: { answers: 5, ms: 1000 } });
  t.match(supposed.json, {
    outcome: 'entailed',
    answers: [{ bindings: { who: 'Socrates' }, triple: { subject: 'Socrates', relation: 'is a', object: 'mortal' } }],
  });
  const { proof_id } = supposed.json.answers[0];
  t.match((await post(`/v1/proofs/${str(proof_id)}/check`, hypothesis)).json, { valid: true });
  t.match((await post(`/v1/proofs/${str(proof_id)}/check`)).json, { valid: false, reason: /./ }, 'without the hypothesis it proves nothing');
  t.same((await get('/v1/triples?subject=Socrates')).json.data, [], 'what was supposed is not stored');
  t.match((await post('/v1/reason/deduce', { rules: hypothesis.rules, facts: hypothesis.facts })).json, {
    outcome: 'entailed',
    answers: [{ triple: { subject: 'Socrates' } }],
  });
  t.match((await post('/v1/reason/deduce', { goal: 'ancestor(carol, alice)' })).json, { outcome: 'not_entailed', answers: [] });
  t.match(await post('/v1/reason/deduce', { goal: 'ancestor(' }), { status: 400, json: { error: { code: 'rule_syntax', param: 'goal', line: 1 } } });
  t.match(await post('/v1/reason/deduce', { goal: 'p(?x)', rules: 'p(' }), { status: 400, json: { error: { code: 'rule_syntax', param: 'rules' } } });
  t.match(await post('/v1/reason/deduce', { goal: 'p(?x)', limits: { ms: -1 } }), { status: 400, json: { error: { param: 'limits.ms' } } });
  const many = await post('/v1/reason/deduce', {
    goal: 'n(?x, ?y)',
    facts: Array.from({ length: 20 }, (_, i) => ({ subject: `a${i}`, relation: 'n', object: 'b' })),
    limits: { answers: 3 },
  });
  t.match(many.json, { complete: false, limit: 'answers' });
  t.equal(list(many.json.answers).length, 3);
});

t.test('a proof falls when a fact under it is withdrawn', async (t) => {
  const { json } = await post('/v1/reason/deduce', { goal: 'ancestor(bob, carol)' });
  const id = str(json.answers[0].proof_id);
  t.match((await post(`/v1/proofs/${id}/check`)).json, { valid: true });
  await call(app, 'DELETE', '/v1/triples?subject=bob&relation=parent&object=carol');
  t.match((await post(`/v1/proofs/${id}/check`)).json, { valid: false, path: [0], reason: /not stored, not in force/ });
});

t.test('knowledge bases are apart, and a proof is found without naming its base', async (t) => {
  await post('/v1/triples', { triples: [{ subject: 'x', relation: 'r', object: 'y' }], knowledge_base: 'other' });
  t.same((await get('/v1/triples?subject=x')).json.data, []);
  const { json } = await post('/v1/reason/deduce', { goal: 'r(x, ?o)', knowledge_base: 'other' });
  const id = str(json.answers[0].proof_id);
  t.match((await get(`/v1/proofs/${id}`)).json, { conclusion: { subject: 'x', relation: 'r', object: 'y' } });
  t.match(await get(`/v1/proofs/${id}?knowledge_base=default`), { status: 404 });
  t.match((await post(`/v1/proofs/${id}/check`)).json, { valid: true });
  const bases = await get('/v1/knowledge-bases');
  t.same(
    (bases.json.data as unknown as { name: string }[]).map(({ name }) => name),
    ['default', 'other', 'places'],
  );
  t.match((bases.json.data as unknown as object[])[1], { name: 'other', facts: 1, version: 1, derived: 0, rules: 0 });
});
