// Owns POST /v1/reason/abduce as a client sees it: shapes, proofs that are checked with the assumptions, limits, mistakes.
// Refuses to know how explanations are found. Every reply is held against the contract.

import t from 'tap';
import { call, list, listen, startApp, str } from '../helpers/http-app.ts';
import type { Reply } from '../helpers/http-app.ts';

const app = await startApp(t, { PHAROS_ABDUCE_MS: '5000', PHAROS_ABDUCE_SIZE: '5' });
const post = (url: string, body: unknown): Promise<Reply> => call(app, 'POST', url, body);
const abduce = (body: object): Promise<Reply> => post('/v1/reason/abduce', body);
const RULES = '@say("{x} is wet because it rained") wet(?x) :- rained(?x). @confidence(0.9) wet(?x) :- waters(?device, ?x), sprinkler(?device).';

t.test('rival explanations, cheapest first, each with a proof that holds with what it assumes', async (t) => {
  await post('/v1/triples', { triples: [{ subject: 'jet', relation: 'waters', object: 'lawn' }] });
  const reply = await abduce({ observation: 'wet(lawn)', assumable: ['rained', { relation: 'sprinkler', cost: 2 }], rules: RULES });
  t.match(reply, {
    status: 200,
    json: {
      explanations: [
        { assume: [{ subject: 'lawn', relation: 'is a', object: 'rained' }], cost: 1, confidence: 1, bindings: {}, proof_id: /^p_/ },
        { assume: [{ subject: 'jet', relation: 'is a', object: 'sprinkler' }], cost: 2, confidence: 0.9, proof_id: /^p_/ },
      ],
      complete: true,
      exhausted: true,
      statistics: { tried: 3, inconsistent: 0 },
    },
  });
  const [rain, device] = list(reply.json.explanations);
  t.match(rain.proofs, [{ triple: { subject: 'lawn', relation: 'is a', object: 'wet' }, proof_id: str(rain.proof_id) }]);
  t.match((await call(app, 'GET', `/v1/proofs/${str(rain.proof_id)}?format=markdown`)).text, /lawn is wet because it rained/);
  t.match((await post(`/v1/proofs/${str(device.proof_id)}/check`, { rules: RULES, facts: device.assume })).json, { valid: true, nodes: 3 });
  t.match((await post(`/v1/proofs/${str(device.proof_id)}/check`, { rules: RULES })).json, { valid: false, reason: /hypothesis was not made/ });
  t.same((await call(app, 'GET', '/v1/triples?subject=lawn')).json.data, [], 'nothing was stored');
});

t.test('probabilities, several observations, triples with literals, values, the cheapest alone', async (t) => {
  const probable = await abduce({
    observation: { subject: 'lawn', relation: 'is a', object: 'wet' },
    assumable: [
      { relation: 'rained', probability: 0.2 },
      { atom: 'sprinkler(jet)', probability: 0.5 },
    ],
    rules: RULES,
  });
  t.match(probable.json.explanations, [
    { assume: [{ subject: 'jet' }], probability: 0.45 },
    { assume: [{ subject: 'lawn' }], probability: 0.2 },
  ]);
  const several = await abduce({
    observation: ['elder(?who)', { subject: 'bob', relation: 'is a', object: 'wet' }],
    assumable: ['age', 'rained'],
    values: ['ann', { value: 70, type: 'number' }],
    rules: `${RULES} elder(?x) :- age(?x, ?n), ?n > 65.`,
    minimal: 'cost',
  });
  t.match(several.json.explanations, [
    {
      assume: [
        { subject: 'ann', relation: 'age', object: { value: 70, type: 'number' } },
        { subject: 'bob', relation: 'is a', object: 'rained' },
      ],
      cost: 2,
      bindings: { who: 'ann' },
      proofs: [{ triple: { subject: 'ann' } }, { triple: { subject: 'bob' } }],
    },
  ]);
});

t.test('without anything assumable it says which single fact is missing', async (t) => {
  const facts = ['quiet', 'smart'].map((object) => ({ subject: 'rabbit', relation: 'is a', object }));
  const reply = await abduce({ observation: 'kind(rabbit)', rules: 'kind(?x) :- quiet(?x), nice(?x), smart(?x).', facts });
  t.match(reply.json, { explanations: [{ assume: [{ subject: 'rabbit', relation: 'is a', object: 'nice' }] }], complete: true, exhausted: true });
});

t.test('limits and mistakes', async (t) => {
  const rules = 'p(a) :- q(?x), r(?x).';
  const values = Array.from({ length: 50 }, (_, i) => `v${i}`);
  t.match((await abduce({ observation: 'p(a)', rules, assumable: ['q', 'r'], values, limits: { explanations: 3 } })).json, {
    explanations: { length: 3 },
    complete: false,
    limit: 'explanations',
  });
  t.match((await abduce({ observation: 'p(a)', rules, assumable: ['q', 'r'], values, limits: { nodes: 5 } })).json, { complete: false, limit: 'nodes' });
  // Of each limit the lower counts, and the reply tells.
  const most = await startApp(t, { PHAROS_ABDUCE_EXPLANATIONS: '2' });
  const above = { observation: 'p(a)', rules, assumable: ['q', 'r'], values, limits: { explanations: 100, ms: 1e9, facts: 1e9, depth: 1e9 } };
  t.match((await call(most, 'POST', '/v1/reason/abduce', above)).json, { explanations: { length: 2 }, limit: 'explanations', complete: false });
  const wrong: [object, object][] = [
    [{}, { param: 'observation' }],
    [{ observation: [] }, { param: 'observation' }],
    [{ observation: 'p(' }, { code: 'rule_syntax', param: 'observation', line: 1, column: 3 }],
    [{ observation: ['p(a)', 'p('] }, { code: 'rule_syntax', param: 'observation[1]' }],
    [
      { observation: 'p(a)', assumable: ['q', 'r('] },
      { code: 'rule_syntax', param: 'assumable[1]' },
    ],
    [{ observation: 'p(a)', limits: { size: 0 } }, { param: 'limits.size' }],
    [
      { observation: 'p(a)', limits: { size: 6 } },
      { param: 'limits.size', message: /allows 5 at most/ },
    ],
    [{ observation: 'p(a)', assumable: [{ relation: 'q', atom: 'q(a)' }] }, { param: /assumable/ }],
    [{ observation: 'p(a)', assumable: [{ relation: 'q', probability: 0 }] }, { param: /assumable/ }],
    [
      { observation: 'p(a)', rules: 'p(?x) :- q(?y).' },
      { code: 'rule_unsafe', param: 'rules' },
    ],
    [{ observation: 'p(a)', nothing: 1 }, { code: 'unknown_parameter' }],
  ];
  for (const [body, error] of wrong) t.match(await abduce(body), { status: 400, json: { error } }, JSON.stringify(body));
});

t.test('as many abductions as are configured are at work at the same time', async (t) => {
  const { app: narrow, url } = await listen(t, {
    PHAROS_ABDUCE_JOBS: '1',
    PHAROS_ABDUCE_MS: '600000',
    PHAROS_ABDUCE_NODES: '1000000000',
    PHAROS_REQUEST_SECONDS: '600',
  });
  const client = new AbortController();
  // Paths over three hundred places that may be joined in any way: more than are searched before the client leaves.
  const endless = {
    observation: 'path(v0, v1)',
    rules: 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- edge(?x, ?y), path(?y, ?z).',
    assumable: ['edge'],
    values: Array.from({ length: 300 }, (_, i) => `v${i}`),
    limits: { nodes: 1_000_000_000 },
  };
  const first = fetch(`${url}/v1/reason/abduce`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(endless),
    signal: client.signal,
  }).then(
    ({ status }) => `answered with ${status}`,
    () => 'left',
  );
  const until = async (wanted: number): Promise<Reply> => {
    for (;;) {
      const reply = await call(narrow, 'POST', '/v1/reason/abduce', { observation: 'wet(lawn)', assumable: ['rained'], rules: RULES });
      if (reply.status === wanted) return reply;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  t.match(await until(429), { json: { error: { code: 'too_many_abductions', type: 'rate_limit_error' } } });
  client.abort();
  t.equal(await first, 'left');
  t.match(await until(200), { json: { explanations: [{ assume: [{ object: 'rained' }] }] } }, 'its place is free again');
});
