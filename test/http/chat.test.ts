// Owns answers over HTTP with the shipped model and the example graph: whole and streamed, grounded, cached, proved.
// Refuses to know sockets: test/live does.

import t from 'tap';
import { call, events, startApp, str } from '../helpers/http-app.ts';

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });
const ask = (content: string, rest: object = {}) =>
  call(app, 'POST', '/v1/chat/completions', { model: 'pharos-mini', messages: [{ role: 'user', content }], ...rest });

t.test('a question about a stored triple is answered with claims, facts, sources and a proof that the checker accepts', async (t) => {
  const { status, json } = await ask('Where was Albert Einstein born?');
  t.equal(status, 200);
  t.match(json, {
    id: /^chatcmpl-/,
    object: 'chat.completion',
    model: 'pharos-mini',
    choices: [{ index: 0, message: { role: 'assistant', content: /Ulm/ }, finish_reason: 'stop' }],
    grounding: { outcome: 'entailed', confidence: 1, cached: false, interpretation: { entities: ['Albert Einstein'], path: 'born in' } },
  });
  t.same(json.grounding.answers, ['Ulm', 'Germany'], 'the stored place, and the one that the chain rule gives');
  t.equal(Number(json.usage.total_tokens), Number(json.usage.prompt_tokens) + Number(json.usage.completion_tokens));
  const claims = json.grounding.claims as unknown as { text: string; proof_id: string; facts: string[]; sources: unknown[] }[];
  t.equal(claims.length, 2);
  for (const claim of claims) {
    t.ok(claim.facts.length > 0 && claim.sources.length > 0, claim.text);
    t.match(await call(app, 'POST', `/v1/proofs/${claim.proof_id}/check`), { status: 200, json: { valid: true } });
  }
  const chain = claims.find(({ text }) => text.includes('Germany'));
  const proof = await call(app, 'GET', `/v1/proofs/${chain?.proof_id}`);
  t.match(proof.json, {
    kind: 'rule',
    conclusion: { subject: 'Albert Einstein', relation: 'born in', object: 'Germany' },
    rule: { name: 'born in a place, born in what it lies in' },
    bindings: { x: 'Albert Einstein', y: 'Ulm', z: 'Germany' },
    premises: [{ kind: 'fact', fact: { source: { document: 'Albert Einstein, a short life', page: 1 } } }, { kind: 'fact' }],
  });
  t.match(await call(app, 'GET', `/v1/proofs/${chain?.proof_id}?format=markdown&language=zh`), {
    status: 200,
    text: /规则：/,
    headers: { 'content-type': /^text\/markdown/ },
  });
  t.match(await call(app, 'GET', `/v1/proofs/${chain?.proof_id}?format=mermaid`), {
    status: 200,
    text: /^flowchart BT\n/,
    headers: { 'content-type': /mermaid/ },
  });
  t.match(await call(app, 'GET', '/v1/proofs/p_none'), { status: 404, json: { error: { code: 'proof_not_found' } } });
});

t.test('the second time the answer comes from the cache, until a fact under it changes', async (t) => {
  const question = 'Where was Marie Curie born?';
  const first = await ask(question);
  t.match(first.json, { grounding: { cached: false, outcome: 'entailed' } });
  const second = await ask(question);
  t.match(second.json, { grounding: { cached: true }, choices: [{ message: { content: str(first.json.choices[0].message.content) } }] });
  await call(app, 'POST', '/v1/triples', { triples: [{ subject: 'Plato', relation: 'occupation', object: 'chemist' }] });
  t.match((await ask(question)).json, { grounding: { cached: true } }, 'what has nothing to do with it leaves it');
  await call(app, 'DELETE', '/v1/triples?subject=Marie%20Curie&relation=born%20in&object=Warsaw');
  const third = await ask(question);
  t.match(third.json, { grounding: { cached: false } });
  t.notMatch(JSON.stringify(third.json.grounding.answers), /Warsaw|Poland/);
  t.notMatch(third.json.choices[0].message.content, /Warsaw|Poland/);
});

t.test('a rule answers yes, with its reason; what the graph does not say is refused', async (t) => {
  t.match((await ask('Is Socrates mortal?')).json, { grounding: { outcome: 'entailed', answers: [true] }, choices: [{ message: { content: /^Yes/ } }] });
  const unknown = await ask('Who is the spouse of Aristotle?', { knowledge: {} });
  t.match(unknown.json, { grounding: { outcome: 'not_entailed', answers: [], claims: [], confidence: 0 } });
});

t.test('rules given with a question hold for it alone: names, paths and verdicts follow from them, and proofs name them', async (t) => {
  const rules = '@name("teachers of teachers") "academic grandfather"(?x, ?z) :- "student of"(?x, ?y), "student of"(?y, ?z).\nwise(?x) :- human(?x), "student of"(?y, ?x).';
  const question = 'Who is the academic grandfather of Alexander the Great?';
  const { status, json } = await ask(question, { knowledge: { rules } });
  t.equal(status, 200, JSON.stringify(json));
  t.match(json, { grounding: { outcome: 'entailed', answers: ['Plato'], cached: false, interpretation: { path: 'academic grandfather' } }, choices: [{ message: { content: /Plato/ } }] });
  const [claim] = json.grounding.claims as unknown as { proof_id: string; facts: string[] }[];
  t.equal(claim.facts.length, 2, 'the stored facts that it rests on');
  t.match((await call(app, 'GET', `/v1/proofs/${claim.proof_id}`)).json, { kind: 'rule', rule: { name: 'teachers of teachers' }, premises: [{ kind: 'fact' }, { kind: 'fact' }] });
  t.match(await call(app, 'POST', `/v1/proofs/${claim.proof_id}/check`, { rules }), { status: 200, json: { valid: true } });
  t.match(await call(app, 'POST', `/v1/proofs/${claim.proof_id}/check`), { json: { valid: false } }, 'the base alone does not say so');

  t.match((await ask('Is Plato wise?', { knowledge: { rules } })).json, { grounding: { outcome: 'entailed', answers: [true] }, choices: [{ message: { content: /^Yes/ } }] });
  t.match((await ask('Is Plato wise?', { knowledge: { rules: '-wise(?x) :- human(?x).' } })).json, { grounding: { outcome: 'refuted', answers: [false] } });
  const path = await ask('Where was the academic grandfather of Alexander the Great born?', { knowledge: { rules } });
  t.match(path.json.grounding, { answers: ['Athens', 'Greece'], interpretation: { path: 'academic grandfather/born in' } });
  for (const { proof_id } of path.json.grounding.claims as unknown as { proof_id: string }[])
    t.match(await call(app, 'POST', `/v1/proofs/${proof_id}/check`, { rules }), { json: { valid: true } });

  t.match((await ask(question, { knowledge: {} })).json, { grounding: { outcome: 'not_entailed' } }, 'nothing stays');
  t.match((await ask(question, { knowledge: { rules } })).json, { grounding: { cached: true, answers: ['Plato'] } });
  await call(app, 'POST', '/v1/triples', { triples: [{ subject: 'Hume', relation: 'occupation', object: 'historian' }] });
  t.match((await ask(question, { knowledge: { rules } })).json, { grounding: { cached: true } }, 'what does not change the answer leaves it');
  await call(app, 'DELETE', '/v1/triples?subject=Aristotle&relation=student%20of&object=Plato');
  t.match((await ask(question, { knowledge: { rules } })).json, { grounding: { cached: false, answers: [], outcome: 'not_entailed' } });
  await call(app, 'POST', '/v1/triples', { triples: [{ subject: 'Aristotle', relation: 'student of', object: 'Plato' }] });
  const json_form = [{ heads: [{ relation: 'academic grandfather', subject: '?x', object: '?z' }], body: [{ relation: 'student of', subject: '?x', object: '?y' }, { relation: 'student of', subject: '?y', object: '?z' }] }];
  t.match((await ask(question, { knowledge: { rules: json_form } })).json, { grounding: { answers: ['Plato'] } });
});

t.test('what is wrong with the rules of a question is said with its place', async (t) => {
  const refused = async (rules: unknown, more: object = {}) => (await ask('Is Plato wise?', { knowledge: { rules, ...more } })).json.error as unknown as Record<string, unknown>;
  t.match(await refused('wise(?x) :- human(?x).\nwise(?x) :- human(?y).'), { code: 'rule_unsafe', param: 'knowledge.rules', line: 2 });
  t.match(await refused('wise(?x) :- human(?x'), { code: 'rule_syntax', param: 'knowledge.rules', line: 1, column: 21 });
  t.match(await refused('wise(?x) :- human(?x), not foolish(?x).\nfoolish(?x) :- wise(?x).'), { code: 'rule_unstratifiable', param: 'knowledge.rules', line: Number });
  t.match(await refused(7), { code: 'invalid_value', param: 'knowledge.rules' });
  t.match(await refused('wise(?x) :- human(?x).', { as_of: '2020-01-01' }), { code: 'invalid_value', param: 'knowledge.rules', message: /as_of/ });
  const small = await startApp(t, { PHAROS_EXAMPLE: 'on', PHAROS_DEDUCE_FACTS: '20' });
  const large = await call(small, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Is Plato wise?' }], knowledge: { rules: 'near(?x, ?y) :- human(?x), human(?y).' } });
  t.match(large, { status: 413, json: { error: { code: 'too_large', param: 'knowledge.rules' } } });
});

t.test('valid_at answers as of that time in the world, with what followed then', async (t) => {
  const knowledge_base = 'times';
  const between = (object: string, valid_from: string, valid_to: string): object => ({ subject: 'Albert Einstein', relation: 'spouse', object, valid_from, valid_to });
  const told = await call(app, 'POST', '/v1/triples', { knowledge_base, triples: [between('Mileva Maric', '1903-01-06', '1919-02-14'), between('Elsa Einstein', '1919-06-02', '1936-12-20'), { subject: 'Mileva Maric', relation: 'born in', object: 'Titel' }] });
  t.equal(told.status, 200);
  await call(app, 'POST', '/v1/rules', { knowledge_base, rules: '"family name"(?x, Einstein) :- spouse("Albert Einstein", ?x).' });
  const at = async (question: string, more: object = {}) => (await ask(question, { knowledge: { base: knowledge_base, ...more } })).json;
  const who = 'Who was the spouse of Albert Einstein?';
  t.match(await at(who), { grounding: { outcome: 'not_entailed' } });
  t.match(await at(who, { valid_at: '1910-01-01' }), { grounding: { outcome: 'entailed', answers: ['Mileva Maric'], cached: false } });
  t.match(await at(who, { valid_at: '1910-01-01' }), { grounding: { answers: ['Mileva Maric'], cached: true } });
  const later = await at(who, { valid_at: '1930-01-01' });
  t.match(later, { grounding: { answers: ['Elsa Einstein'], claims: [{ proof_id: /^p_/ }] } });
  t.match(await at('Where was the spouse of Albert Einstein born?', { valid_at: '1910-01-01' }), { grounding: { answers: ['Titel'] } });
  t.match(await at('Is the family name of Mileva Maric Einstein?', { valid_at: '1910-01-01' }), { grounding: { outcome: 'entailed' } });
  t.match(await at('Is the family name of Mileva Maric Einstein?', { valid_at: '1930-01-01' }), { grounding: { outcome: 'not_entailed' } });
  t.match(await at('Is the relation in law of Mileva Maric Einstein?', { valid_at: '1910-01-01', rules: '"relation in law"(?x, ?y) :- "family name"(?x, ?y).' }), { grounding: { outcome: 'entailed' } });
  t.match(await at(who, { valid_at: null, as_of: null, min_confidence: null, hops: null, mode: null, rules: null }), { grounding: { outcome: 'not_entailed' } }, 'null is as good as nothing');
  t.match(await ask(who, { knowledge: { base: knowledge_base, valid_at: 'then' } }), { status: 400, json: { error: { param: 'knowledge.valid_at' } } });
  t.match(await ask(who, { knowledge: { base: knowledge_base, valid_at: '1910-01-01', as_of: '2020-01-01' } }), { status: 400, json: { error: { param: 'knowledge.valid_at', message: /as_of/ } } });
});

t.test('Chinese questions are answered in Chinese', async (t) => {
  const { json } = await ask('爱因斯坦出生于哪里？');
  t.match(json, { grounding: { outcome: 'entailed' }, choices: [{ message: { content: /乌尔姆/ } }] });
  t.match((await ask('苏格拉底会死吗？', { knowledge: {} })).json, { choices: [{ message: { content: /\p{Script=Han}/u } }] });
});

t.test('a stream says the same, with the grounding in its last chunk', async (t) => {
  const question = 'Who was a student of Plato?';
  const whole = await ask(question);
  const reply = await ask(question, { stream: true, stream_options: { include_usage: true } });
  t.match(reply.headers, { 'content-type': /^text\/event-stream/ });
  t.ok(reply.text.endsWith('data: [DONE]\n\n'));
  const chunks = events(reply.text);
  t.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  t.match(chunks[0], { object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant' }, finish_reason: null }], usage: null });
  t.equal(
    chunks.map((chunk) => (chunk.choices[0]?.delta.content === undefined ? '' : str(chunk.choices[0].delta.content))).join(''),
    str(whole.json.choices[0].message.content),
  );
  t.match(chunks.at(-2), { choices: [{ finish_reason: 'stop' }], grounding: { outcome: 'entailed' } });
  t.match(chunks.at(-1), { choices: [], usage: { total_tokens: Number(whole.json.usage.total_tokens) }, grounding: { outcome: 'entailed', cached: true } });
  const plain = events((await ask(question, { stream: true })).text);
  t.match(plain.at(-1), { choices: [{ finish_reason: 'stop' }], grounding: { outcome: 'entailed' } });
  t.ok(plain.every((chunk) => chunk.usage === undefined));
});

t.test('the model alone: seeded text is repeatable, a limit ends it, the graph is not asked', async (t) => {
  const off = { knowledge: { mode: 'off' }, temperature: 2, max_tokens: 12 };
  const said = async (seed: number): Promise<string> => str((await ask('Tell me more.', { ...off, seed })).json.choices[0].message.content);
  const [first, ...others] = [await said(1), await said(2), await said(3), await said(4)];
  t.equal(await said(1), first);
  t.ok(
    others.some((text) => text !== first),
    'another seed, another text',
  );
  const short = await ask('Tell me more.', { ...off, seed: 1, max_tokens: 1 });
  t.match(short.json, { grounding: { outcome: 'ungrounded', answers: [], claims: [], cached: false }, usage: { completion_tokens: 1 } });
});

t.test('a refusal of an earlier turn is read as what was said, in each of its forms', async (t) => {
  const turns = (said: object) => call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello.' }, { role: 'assistant', ...said }, { role: 'user', content: 'And now?' }], max_tokens: 1, knowledge: { mode: 'off' }, return_token_ids: true });
  const plain = await turns({ content: 'No, I will not.' });
  t.equal(plain.status, 200);
  for (const said of [{ refusal: 'No, I will not.' }, { content: null, refusal: 'No, I will not.' }, { content: [{ type: 'refusal', refusal: 'No, I will not.' }] }, { content: [{ type: 'text', text: 'No, ', prompt_cache_breakpoint: { mode: 'explicit' } }, { type: 'refusal', refusal: 'I will not.' }] }])
    t.same((await turns(said)).json.prompt_token_ids, plain.json.prompt_token_ids, JSON.stringify(said));
  const of = (role: string) => call(app, 'POST', '/v1/chat/completions', { messages: [{ role, content: [{ type: 'refusal', refusal: 'x' }] }] });
  t.match(await of('user'), { status: 400, json: { error: { param: 'messages[0].content', message: /of the role assistant/ } } });
  t.match(await ask('x', { moderation: {} }), { status: 400, json: { error: { param: 'moderation', code: 'unsupported_parameter' } } });
  t.equal((await ask('Is Socrates mortal?', { prompt_cache_options: { mode: 'implicit' }, moderation: null })).status, 200);
});

t.test('plain completions, whole and streamed, and addresses without /v1', async (t) => {
  const body = { model: 'pharos-mini', prompt: 'Albert Einstein was', max_tokens: 6 };
  const whole = await call(app, 'POST', '/v1/completions', body);
  t.match(whole, { status: 200, json: { id: /^cmpl-/, object: 'text_completion', choices: [{ index: 0, finish_reason: /stop|length/ }] } });
  t.ok(Number(whole.json.usage.completion_tokens) <= 6);
  const streamed = events((await call(app, 'POST', '/completions', { ...body, stream: true })).text);
  t.equal(streamed.map((chunk) => str(chunk.choices[0].text)).join(''), str(whole.json.choices[0].text));
  t.match(await call(app, 'POST', '/v1/completions', { ...body, suffix: 'x' }), {
    status: 400,
    json: { error: { code: 'unsupported_parameter', param: 'suffix' } },
  });
  t.match(await call(app, 'GET', '/models'), {
    status: 200,
    json: { object: 'list', data: [{ id: 'pharos-mini', object: 'model', device: 'cpu', grounded: true }] },
  });
  t.match(await call(app, 'GET', '/v1/models/pharos-mini'), { status: 200, json: { id: 'pharos-mini', context_length: 1536 } });
  t.match(await call(app, 'GET', '/v1/models/none'), { status: 404, json: { error: { code: 'model_not_found' } } });
  t.equal((await call(app, 'POST', '/chat/completions', { messages: [{ role: 'user', content: 'Is Plato mortal?' }] })).status, 200);
});

t.test('too many generations are refused while the others go on', async (t) => {
  const narrow = await startApp(t, { PHAROS_STREAMS: '1', PHAROS_SLOTS: '1', PHAROS_QUEUE_REQUESTS: '0' });
  const one = (seed: number) =>
    call(narrow, 'POST', '/v1/chat/completions', {
      messages: [{ role: 'user', content: 'Say something.' }],
      knowledge: { mode: 'off' },
      temperature: 1,
      seed,
      max_tokens: 64,
    });
  const replies = await Promise.all([one(1), one(2), one(3)]);
  t.equal(replies.filter(({ status }) => status === 200).length, 1);
  for (const reply of replies.filter(({ status }) => status !== 200))
    t.match(reply, { status: 429, json: { error: { type: 'rate_limit_error' } }, headers: { 'retry-after': '1' } });
  t.equal((await one(4)).status, 200, 'what was refused holds nothing');
});

t.test('a knowledge base that was never written is refused by name, and so is a message without content', async (t) => {
  const asked = (base: string, more: object = {}) => ask('Is Socrates mortal?', { knowledge: { base }, ...more });
  for (const more of [{}, { stream: true }, { knowledge: { base: 'nowhere', mode: 'off' }, response_format: { type: 'relation_path', start: ['Socrates'] } }])
    t.match(await asked('nowhere', more), { status: 400, json: { error: { code: 'invalid_value', param: 'knowledge.base', message: /no knowledge base "nowhere"/ } } });
  t.match(await asked('default'), { status: 200, json: { grounding: { outcome: 'entailed' } } });
  await call(app, 'POST', '/v1/triples', { knowledge_base: 'emptied', triples: [{ subject: 'a', relation: 'b', object: 'c' }] });
  await call(app, 'DELETE', '/v1/triples?knowledge_base=emptied&subject=a');
  t.match(await asked('emptied'), { status: 200, json: { grounding: { outcome: 'not_entailed' } } }, 'what was written and is empty now is there');
  for (const role of ['user', 'system', 'developer'])
    t.match(await call(app, 'POST', '/v1/chat/completions', { messages: [{ role, content: null }] }), { status: 400, json: { error: { param: 'messages[0].content', message: /received null/ } } });
});
