// Owns proofs over HTTP: they are found by their id alone, wherever they were given out.
// Refuses to know how proofs are found and checked.

import t from 'tap';
import { call, startApp, str } from '../helpers/http-app.ts';

t.test('a proof of a knowledge base that was never written is found by its id, and in no other base', async (t) => {
  const app = await startApp(t);
  const supposed = { rules: 'mortal(?x) :- man(?x).', facts: [{ subject: 'socrates', relation: 'is a', object: 'man' }] };
  const { json } = await call(app, 'POST', '/v1/reason/deduce', { goal: 'mortal(?x)', ...supposed, knowledge_base: 'never-written' });
  const id = str(json.answers[0].proof_id);
  const found = { status: 200, json: { kind: 'rule' } };
  t.match(await call(app, 'GET', `/v1/proofs/${id}`), found);
  t.match(await call(app, 'GET', `/v1/proofs/${id}?knowledge_base=never-written`), found);
  t.match(await call(app, 'POST', `/v1/proofs/${id}/check`, supposed), { status: 200, json: { valid: true } });
  t.match(await call(app, 'POST', `/v1/proofs/${id}/check?knowledge_base=other`, { ...supposed, knowledge_base: 'default' }), { status: 400, json: { error: { param: 'knowledge_base' } } });
  t.match(await call(app, 'GET', `/v1/proofs/${id}?knowledge_base=default`), { status: 404, json: { error: { code: 'proof_not_found' } } });
  t.match(await call(app, 'GET', '/v1/proofs/p_none'), { status: 404, json: { error: { code: 'proof_not_found' } } });
});
