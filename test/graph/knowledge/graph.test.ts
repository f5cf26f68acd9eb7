// Owns the behaviour of the knowledge graph as a whole: telling, asking, rules, pages, names, walks, life and isolation.
// Refuses to know any real store; random writes are in upkeep.test.ts, outcomes in ground.test.ts.

import t from 'tap';
import { KnowledgeError, KnowledgeGraph } from '../../../graph/knowledge.ts';
import { literal, parseBaseName, parseEntityId } from '../../../graph/terms.ts';
import type { Change } from '../../../graph/store.ts';
import type { Proof } from '../../../graph/reason/types.ts';
import type { TriplePattern } from '../../../graph/terms.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { all, BASE, declare, node, named, open, say, texts, triple, unsay } from '../../helpers/knowledge-world.ts';

const FAMILY = 'ancestor(?x, ?y) :- parent(?x, ?y). ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).';

t.test('what is told and what follows from it is there at once, and goes with its reasons', async (t) => {
  const { graph } = await open(t);
  t.match(await graph.addRules(BASE, FAMILY), { rules: [{ heads: [{ relation: 'ancestor' }] }, {}], derived: 0, version: 1 });
  const told = await graph.tell(BASE, [say('ann', 'parent', 'bob'), say('bob', 'parent', 'cid')]);
  t.match({ ...told, added: told.added.length }, { added: 2, known: 0, derived: 3, noLongerDerived: 0, version: 2 });
  t.same(texts(await all(graph, {}, { derived: 'only' })), ['ancestor(ann, bob)', 'ancestor(ann, cid)', 'ancestor(bob, cid)']);
  t.match(await graph.tell(BASE, [say('ann', 'parent', 'bob')]), { added: [], known: 1, derived: 0, version: 2 });
  const gone = await graph.tell(BASE, [unsay('bob', 'parent', 'cid')]);
  t.match({ ...gone, withdrawn: gone.withdrawn.length }, { withdrawn: 1, derived: 0, noLongerDerived: 2, version: 3 });
  t.same(texts(await all(graph)), ['ancestor(ann, bob)', 'parent(ann, bob)']);
});

t.test('rules are stored all or none, read again from the store, and removed by id', async (t) => {
  const { graph, store } = await open(t);
  await graph.tell(BASE, [say('ann', 'parent', 'bob')]);
  await t.rejects(graph.addRules(BASE, `${FAMILY}\nbad(?x) :- p(?y, ?y).`), { name: 'RuleError', code: 'unsafe', line: 2, column: 5 });
  t.same(await graph.rules(BASE), []);
  const { rules } = await graph.addRules(BASE, FAMILY);
  await t.rejects(graph.addRules(BASE, '\nparent(?x, ?y) :- known(?x, ?y), not ancestor(?x, ?y).'), {
    code: 'unstratifiable',
    message: /line 2, column 1: negation runs in a circle: .*ancestor/,
  });
  const reopened = new KnowledgeGraph({ store: store.view() });
  await reopened.open();
  t.strictSame(await reopened.rules(BASE), rules);
  t.same(texts(await all(reopened, { relation: named('ancestor') })), ['ancestor(ann, bob)']);
  await reopened.close();
  await t.rejects(graph.removeRule(BASE, 'r_none'), { code: 'unknown_rule', message: /no rule "r_none"/ });
  const [base] = rules;
  t.match(await graph.removeRule(BASE, base.id), { rule: { id: base.id }, noLongerDerived: 1, version: 3 });
  t.same(await graph.rules(BASE), [rules[1]]);
  t.same(await all(graph, {}, { derived: 'only' }), []);
});

t.test('rules come as text, as JSON text or as JSON, and mean the same', async (t) => {
  const { graph } = await open(t);
  const json = { heads: [{ relation: 'knows', subject: '?y', object: '?x' }], body: [{ relation: 'knows', subject: '?x', object: '?y' }] };
  const ids = [];
  for (const input of ['knows(?y, ?x) :- knows(?x, ?y).', JSON.stringify([json]), json, { rules: [json] }])
    ids.push((await graph.addRules(BASE, input)).rules[0].id);
  t.equal(new Set(ids).size, 1);
  t.equal((await graph.rules(BASE)).length, 1);
  await t.rejects(graph.addRules(BASE, '[{"heads": ]'), { name: 'RuleError', code: 'syntax', message: /begins like JSON and is not/ });
  await t.rejects(graph.addRules(BASE, 42), { name: 'RuleError', code: 'syntax' });
});

t.test('validation says everything that is wrong, stores nothing and never throws', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, FAMILY);
  const wrong = await graph.validateRules(BASE, 'p(?x).\nq(?x, ?y) :- r(?x, ?y).\nr(?x :- .');
  t.match(
    { valid: wrong.valid, rules: wrong.rules.length, at: wrong.errors.map(({ line, column }) => [line, column]) },
    {
      valid: false,
      rules: 1,
      at: [
        [1, 3],
        [3, 6],
      ],
    },
  );
  const circular = await graph.validateRules(BASE, 'a(?x) :- b(?x).\nparent(?x, ?y) :- b(?x), c(?y), not ancestor(?x, ?y).');
  t.match(circular, { valid: false, errors: [{ code: 'unstratifiable', line: 2, column: 1 }] });
  t.match(await graph.validateRules(BASE, undefined), { valid: false, errors: [{ code: 'syntax' }] });
  t.match(await graph.validateRules(BASE, 'p(?x) :- q(?x).'), { valid: true, errors: [] });
  t.equal((await graph.rules(BASE)).length, 2);
});

t.test('pages go through stored facts and then derived ones, each once', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'knows(?y, ?x) :- knows(?x, ?y). met(?x, ?y) :- knows(?x, ?y).');
  await graph.tell(
    BASE,
    Array.from({ length: 23 }, (_, i) => say('hub', 'knows', `n${i}`, { confidence: i % 2 === 0 ? 1 : 0.5 })),
  );
  const whole = texts(await all(graph));
  t.equal(whole.length, 23 + 23 + 46);
  for (const limit of [1, 2, 5, 23, 46, 91, 92, 93]) {
    const facts = await all(graph, {}, { limit });
    t.same(texts(facts), whole, `pages of ${limit}`);
    t.same(
      facts.map(({ derived }) => derived),
      [...Array.from({ length: 23 }, () => false), ...Array.from({ length: 69 }, () => true)],
    );
  }
  t.equal((await all(graph, {}, { derived: 'exclude', limit: 7 })).length, 23);
  t.equal((await all(graph, { subject: parseEntityId('n3') }, { derived: 'only', limit: 1 })).length, 2);
  t.equal((await graph.match(BASE, {}, { minConfidence: 0.6, limit: 1000 })).items.length, 12 * 4);
  t.equal((await graph.match(BASE, {}, { validAt: '2024-01-01', limit: 1000, derived: 'only' })).items.length, 69, 'what has no validity holds at any time');
  t.same((await graph.match(BASE, {}, { asOf: '2024-01-01', limit: 1000, derived: 'only' })).items, []);

  const first = await graph.match(BASE, {}, { limit: 30 });
  await graph.tell(BASE, [say('hub', 'likes', 'n1')]);
  t.equal(
    (await graph.match(BASE, {}, { limit: 1000, cursor: first.cursor })).items.length,
    92 - 30,
    'what has nothing to do with the rules disturbs no cursor',
  );
  await graph.tell(BASE, [unsay('hub', 'knows', 'n1')]);
  await t.rejects(graph.match(BASE, {}, { cursor: first.cursor }), { name: 'StoreError', code: 'invalid_cursor', message: /begin again/ });
  for (const cursor of ['', 'x', 'bm9uZQ', Buffer.from('["d","other",1,"+knows",3]').toString('base64url'), Buffer.from('["d",1]').toString('base64url')])
    await t.rejects(graph.match(BASE, {}, { cursor }), { name: 'StoreError', code: 'invalid_cursor' });
});

t.test('a derived fact is found by its id for as long as it holds', async (t) => {
  const { graph } = await open(t);
  const other = parseBaseName('other');
  await graph.addRules(BASE, FAMILY);
  await graph.tell(BASE, [say('ann', 'parent', 'bob', { confidence: 0.5 })]);
  const facts = await all(graph);
  const ids = facts.map(({ id }) => id);
  t.match(ids[1], /^d_[0-9a-f]{24}$/);
  t.strictSame(await graph.facts(BASE, [...ids, ids[1]]), facts);
  t.same(await graph.facts(other, ids), []);
  await graph.tell(BASE, [say('x', 'parent', 'y')]);
  t.strictSame(await graph.facts(BASE, [ids[1]]), [facts[1]], 'other writes change nothing about it');
  await graph.tell(BASE, [unsay('ann', 'parent', 'bob')]);
  t.same(await graph.facts(BASE, [ids[1]]), []);
});

t.test('paths lead over derived facts as over stored ones', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, FAMILY);
  await graph.tell(BASE, [say('ann', 'parent', 'bob'), say('bob', 'parent', 'cid'), say('cid', 'born in', 'Ulm')]);
  const walk = async (start: string, ...steps: string[]): Promise<string[]> =>
    (
      await graph.follow(
        BASE,
        node(start),
        steps.map((step) => ({ relation: named(step.replace('~', '')), inverse: step.startsWith('~') })),
      )
    ).map(({ end, facts }) => `${end.kind === 'entity' ? end.id : ''} by ${texts(facts).join(' ')}`);
  t.same(await walk('ann', 'ancestor', 'born in'), ['Ulm by ancestor(ann, cid) born in(cid, Ulm)']);
  t.same(await walk('Ulm', '~born in', '~ancestor'), ['ann by ancestor(ann, cid) born in(cid, Ulm)', 'bob by ancestor(bob, cid) born in(cid, Ulm)']);
  t.same(await walk('ann', 'parent'), ['bob by parent(ann, bob)']);
  t.same(await walk('ann', 'ancestor', '~ancestor'), ['bob by ancestor(ann, cid) ancestor(bob, cid)'], 'never the start itself');
  const paths = (await graph.paths(BASE, node('ann'), { hops: 2 })).map(
    ({ path, ends }) => `${path.map(({ relation, inverse }) => (inverse ? '~' : '') + relation).join('/')} ${ends}`,
  );
  for (const path of ['ancestor 2', 'parent 1', 'ancestor/born in 1', 'parent/ancestor 1', 'ancestor/parent 1', 'ancestor/~parent 1'])
    t.ok(paths.includes(path), path);
  t.equal(new Set(paths).size, paths.length);
  t.same((await graph.paths(BASE, node('ann'), { hops: 2, limit: 3 })).length, 3);
});

t.test('paths lie over facts that are true now, and come and go with them', async (t) => {
  let now = Date.parse('2024-06-01');
  const { graph } = await open(t, { now: () => now });
  await graph.tell(BASE, [say('ann', 'works at', 'lab', { validTo: '2025' }), say('lab', 'in', 'Ulm'), say('ann', 'works at', 'firm', { validFrom: '2025' }), say('firm', 'led by', 'bob')]);
  const listed = async (): Promise<string[]> => (await graph.paths(BASE, node('ann'), { hops: 2 })).map(({ path, ends, sample }) => `${path.map(({ relation, inverse }) => (inverse ? '~' : '') + relation).join('/')} ${ends} ${sample.map((end) => (end.kind === 'entity' ? end.id : '')).join()}`);
  t.same(await listed(), ['works at 1 lab', 'works at/in 1 Ulm']);
  now = Date.parse('2025-06-01');
  t.same(await listed(), ['works at 1 firm', 'works at/led by 1 bob']);
});

t.test('one path is followed over more edges than a search for paths looks at, with the stored facts of each way', async (t) => {
  const { graph } = await open(t, { limits: { expansion: 10, followed: 200 } });
  await graph.addRules(BASE, 'part(?x, ?y) :- piece(?x, ?y).');
  const path = ['box', 'part'].map((relation) => ({ relation: named(relation), inverse: false }));
  const pack = (boxes: number): Change[] =>
    Array.from({ length: boxes }, (_, i) => [
      say('store', 'box', `box ${i}`),
      say(`box ${i}`, 'part', `own ${i}`),
      ...Array.from({ length: 5 }, (_each, j) => say(`box ${i}`, 'piece', j === 0 ? `own ${i}` : `thing ${j}`)),
    ]).flat();
  await graph.tell(BASE, pack(20));
  const found = await graph.follow(BASE, node('store'), path);
  t.equal(found.length, 24);
  const factsOf = (name: string) => found.find(({ end }) => end.kind === 'entity' && end.id === name)?.facts;
  t.match(factsOf('own 19'), [{ subject: 'store', relation: 'box', derived: false }, { subject: 'box 19', relation: 'part', derived: false }]);
  t.match(factsOf('thing 3'), [{ subject: 'store', derived: false }, { subject: 'box 0', relation: 'part', derived: true }]);
  t.equal((await graph.follow(BASE, node('store'), path, { limit: 3 })).length, 3);
  await graph.tell(BASE, pack(80));
  t.ok((await graph.follow(BASE, node('store'), path)).length < 84, 'beyond its own limit, not all is found');
});

t.test('names that only rules know are found, and relations that are only derived are listed', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'mortal(?x) :- human(?x). age(?x, 7) :- mortal(?x).');
  await graph.tell(BASE, [say('Socrates', 'is a', 'human')]);
  t.match(await graph.search(BASE, 'Mortal'), [{ entity: { id: 'mortal', label: 'mortal', aliases: [], types: [] }, matched: 'mortal', score: 1 }]);
  t.match(
    (await graph.search(BASE, 'mor')).map(({ entity, score }) => [entity.id, score < 1]),
    [['mortal', true]],
  );
  t.match(
    (await graph.search(BASE, 'socrates')).map(({ entity }) => entity.id),
    ['Socrates'],
  );
  t.same(
    (await graph.entities(BASE, ['mortal', 'nobody', 'Socrates'].map(parseEntityId))).map(({ id }) => id),
    ['mortal', 'Socrates'],
  );
  t.same(
    (await graph.relations(BASE)).map(({ name, facts, literals }) => [name, facts, literals]),
    [
      ['is a', 2, 0],
      ['age', 1, 1],
    ],
  );
  t.match(await graph.bases(), [{ base: BASE, facts: 1, derived: 2, rules: 2, version: 2 }]);
});

t.test('a base that was never written is empty, and bases know nothing of each other', async (t) => {
  const { graph, events } = await open(t);
  const [here, there] = [parseBaseName('here'), parseBaseName('there')];
  await graph.addRules(here, FAMILY);
  await graph.tell(here, [say('ann', 'parent', 'bob')]);
  t.same(await graph.match(there, {}), { items: [] });
  t.same(
    [
      await graph.rules(there),
      await graph.relations(there),
      await graph.search(there, 'ann'),
      await graph.entities(there, [parseEntityId('ann')]),
      await graph.facts(
        there,
        (await all(graph, {}, { base: here })).map(({ id }) => id),
      ),
    ],
    [[], [], [], [], []],
  );
  t.same(
    [await graph.paths(there, node('ann'), { hops: 2 }), await graph.follow(there, node('ann'), [{ relation: named('parent'), inverse: false }])],
    [[], []],
  );
  t.match(await graph.ground(there, triple('ann', 'ancestor', 'bob')), { outcome: 'not_entailed' });
  t.match((await graph.ground(here, triple('ann', 'ancestor', 'bob'))).outcome, 'entailed');
  await graph.tell(there, [say('ann', 'parent', 'eve')]);
  t.same(texts(await all(graph, {}, { base: there })), ['parent(ann, eve)']);
  t.same([...new Set(events.map(({ base }) => base))], [here, there]);
  for (let i = 0; i < 600; i++) await graph.match(parseBaseName(`empty-${i}`), {});
  t.same(
    (await graph.bases()).map(({ base }) => base),
    [here, there],
  );
});

t.test('outside its life every call fails with closed', async (t) => {
  const graph = new KnowledgeGraph({ store: new MemoryStore() });
  const calls: (() => unknown)[] = [
    () => graph.tell(BASE, []),
    () => graph.match(BASE, {}),
    () => graph.facts(BASE, []),
    () => graph.addRules(BASE, ''),
    () => graph.validateRules(BASE, ''),
    () => graph.removeRule(BASE, 'r'),
    () => graph.rules(BASE),
    () => graph.contradictions(BASE),
    () => graph.deduce(BASE, { goal: 'p(a, b)', budget: { answers: 1, facts: 1, ms: 1, depth: 1 } }),
    () => graph.ground(BASE, triple('a', 'p', 'b')),
    () => graph.prove(BASE, triple('a', 'p', 'b')),
    () => graph.keepProof(BASE, { kind: 'given', conclusion: triple('a', 'p', 'b'), confidence: 1 }),
    () => graph.proof(BASE, 'p_1'),
    () => graph.checkProof(BASE, { kind: 'given', conclusion: triple('a', 'p', 'b'), confidence: 1 }),
    () => graph.paths(BASE, node('a'), { hops: 1 }),
    () => graph.follow(BASE, node('a'), []),
    () => graph.search(BASE, 'a'),
    () => graph.entities(BASE, []),
    () => graph.relations(BASE),
    () => graph.bases(),
    () => graph.subscribe(() => undefined),
  ];
  const refused = async (): Promise<boolean[]> =>
    Promise.all(
      calls.map(async (call) => {
        try {
          await call();
          return false;
        } catch (error) {
          return error instanceof KnowledgeError && error.code === 'closed';
        }
      }),
    );
  t.same(
    await refused(),
    calls.map(() => true),
    'before it is opened',
  );
  await graph.open();
  await graph.tell(BASE, [say('a', 'p', 'b')]);
  await graph.close();
  t.same(
    await refused(),
    calls.map(() => true),
    'after it is closed',
  );
});

t.test('closing waits for writes at work, and refuses what comes after', async (t) => {
  const store = new MemoryStore();
  const graph = new KnowledgeGraph({ store });
  await graph.open();
  const gate = Promise.withResolvers<void>();
  store.beforeWrite = () => gate.promise;
  const write = graph.tell(BASE, [say('a', 'p', 'b')]);
  await new Promise(setImmediate);
  const closing = graph.close();
  await t.rejects(graph.tell(BASE, [say('a', 'p', 'c')]), { code: 'closed' });
  gate.resolve();
  t.equal((await write).added.length, 1);
  await closing;
});

t.test('writes wait their turn, and too many are refused as busy', async (t) => {
  const { graph, store } = await open(t, { limits: { pendingWrites: 5 } });
  const gate = Promise.withResolvers<void>();
  await graph.tell(BASE, []);
  store.beforeWrite = () => gate.promise;
  const writes = Array.from({ length: 8 }, (_, i) => graph.tell(BASE, [say('a', 'p', `o${i}`)]));
  const settled = Promise.allSettled(writes);
  await new Promise(setImmediate);
  gate.resolve();
  t.same(
    (await settled).map((each) => (each.status === 'fulfilled' ? 'written' : (each.reason as KnowledgeError).code)),
    ['written', 'written', 'written', 'written', 'written', 'busy', 'busy', 'busy'],
  );
  t.equal((await all(graph)).length, 5);
});

t.test('a write that cannot be stored changes nothing and is told to nobody', async (t) => {
  const { graph, store, events } = await open(t);
  await graph.addRules(BASE, FAMILY);
  await graph.tell(BASE, [say('ann', 'parent', 'bob')]);
  const before = [texts(await all(graph)), events.length];
  store.beforeWrite = () => {
    throw new Error('disk full');
  };
  await t.rejects(graph.tell(BASE, [say('bob', 'parent', 'cid')]), { message: 'disk full' });
  store.beforeWrite = () => undefined;
  t.same([texts(await all(graph)), events.length], before);
  t.equal((await graph.tell(BASE, [say('bob', 'parent', 'cid')])).derived, 2);
});

t.test('when following up a stored write fails, everything is doubted and read anew', async (t) => {
  const { graph, store, events } = await open(t);
  await graph.addRules(BASE, FAMILY);
  await graph.tell(BASE, [say('ann', 'parent', 'bob'), say('x', 'other', 'y')]);
  events.length = 0;
  store.beforeMatch = () => {
    throw new Error('connection lost');
  };
  await t.rejects(graph.tell(BASE, [unsay('ann', 'parent', 'bob'), say('ann', 'parent', 'cid')]), { message: 'connection lost' });
  t.same(events.length, 1);
  t.same([...events[0].relationsChanged].toSorted(), ['ancestor', 'other', 'parent']);
  store.beforeMatch = () => undefined;
  t.same(texts(await all(graph)), ['ancestor(ann, cid)', 'other(x, y)', 'parent(ann, cid)']);
});

t.test('statements that cannot be are refused before anything is written', async (t) => {
  const { graph } = await open(t);
  for (const [extra, code] of [
    [{ confidence: 0 }, 'invalid_confidence'],
    [{ confidence: 1.1 }, 'invalid_confidence'],
    [{ confidence: Number.NaN }, 'invalid_confidence'],
    [{ validFrom: 'yesterday' }, 'invalid_time'],
    [{ validFrom: '2024-01-02', validTo: '2024-01-01' }, 'invalid_time'],
  ] as const)
    await t.rejects(graph.tell(BASE, [say('a', 'p', 'b'), say('a', 'p', 'c', extra)]), { name: 'TermError', code });
  t.same(await all(graph), []);
});

t.test('constraints that are broken are shown with what breaks them', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, `${FAMILY} :- ancestor(?x, ?x). :- age(?x, ?n), ?n < 0.`);
  await graph.tell(BASE, [say('ann', 'parent', 'bob'), say('ann', 'age', literal(3))]);
  t.match(await graph.contradictions(BASE), { contradictions: [], complete: true, more: false });
  await graph.tell(BASE, [say('bob', 'parent', 'ann'), say('bob', 'age', literal(-3))]);
  const { contradictions } = await graph.contradictions(BASE);
  t.same(contradictions.map(({ sides }) => sides.map(({ triple: { subject } }) => subject)).toSorted(), [['ann'], ['bob'], ['bob']]);
  for (const { sides } of contradictions)
    for (const { proofId } of sides) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId ?? '') as Proof), { valid: true });
  t.match(await graph.contradictions(BASE, { limit: 2 }), { contradictions: { length: 2 }, more: true });
});

t.test('reads beside writes see one version of the base', async (t) => {
  const { graph, store } = await open(t);
  await graph.addRules(BASE, 'both(?x, ?y) :- left(?x, ?y), right(?x, ?y).');
  store.beforeMatch = () => new Promise(setImmediate);
  const reading = new AbortController();
  let [reads, proved] = [0, 0];
  const reader = async (): Promise<void> => {
    while (!reading.signal.aborted) {
      const { items } = await graph.match(BASE, { subject: parseEntityId('s') }, { limit: 100 });
      const sides = new Set(items.map(({ relation }) => String(relation)));
      if (![0, 3].includes(sides.size)) t.fail(`saw ${[...sides].join(', ')}`);
      const { outcome, proof } = await graph.ground(BASE, triple('s', 'both', 'o'));
      if (outcome === 'entailed') {
        proved++;
        if (!proof) t.fail('entailed without a proof');
      }
      reads++;
    }
  };
  const readers = [reader(), reader(), reader()];
  for (let i = 0; i < 60; i++) {
    await graph.tell(BASE, [say('s', 'left', 'o'), say('s', 'right', 'o')]);
    if (i % 3 === 0) await new Promise(setImmediate);
    await graph.tell(BASE, [unsay('s', 'left', 'o'), unsay('s', 'right', 'o')]);
  }
  await graph.tell(BASE, [say('s', 'left', 'o'), say('s', 'right', 'o')]);
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  reading.abort();
  await Promise.all(readers);
  t.ok(reads > 0 && proved > 0, `${reads} readings, ${proved} proofs`);
});

t.test('declared properties of relations act as rules, and end with the declaration', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('married to', { symmetric: true }),
    declare('part of', { transitive: true }),
    declare('child of', { inverseOf: 'parent of' }),
  ]);
  await graph.tell(BASE, [
    say('a', 'married to', 'b'),
    say('x', 'part of', 'y'),
    say('y', 'part of', 'z'),
    say('c', 'child of', 'p'),
    say('q', 'parent of', 'd'),
    say('e', 'child of', 'f', { negated: true }),
  ]);
  t.same(texts([...(await all(graph, {}, { derived: 'only' })), ...(await all(graph, { negated: true }, { derived: 'only' }))]), [
    '-parent of(f, e)',
    'child of(d, q)',
    'married to(b, a)',
    'parent of(p, c)',
    'part of(x, z)',
  ]);
  t.same(await graph.rules(BASE), [], 'they are not the user’s rules');
  const { proof } = await graph.ground(BASE, triple('x', 'part of', 'z'));
  t.match(proof, { kind: 'rule', rule: { name: '"part of" is transitive' } });
  t.match(proof && (await graph.checkProof(BASE, proof)), { valid: true, nodes: 3 });
  await graph.tell(BASE, [declare('part of', {})]);
  t.same(texts(await all(graph, { relation: named('part of') }, { derived: 'only' })), []);
  t.match(proof && (await graph.checkProof(BASE, proof)), { valid: false, reason: /not among the rules allowed/ });
});

t.test('derived facts have the time of their proof, were recorded with the last of its facts, and are there at other times, page by page', async (t) => {
  let now = Date.parse('2024-01-01');
  const { graph } = await open(t, { now: () => now });
  await graph.addRules(BASE, 'boss(?x, ?y) :- "head of"(?x, ?d), in(?y, ?d), not retired(?x, _).');
  await graph.tell(BASE, [say('ann', 'head of', 'lab', { validFrom: '2020', validTo: '2030' }), say('old', 'head of', 'lab', { validTo: '2020' })]);
  now += 86_400_000;
  await graph.tell(BASE, [say('bob', 'in', 'lab', { validFrom: '2022' }), say('cid', 'in', 'lab', { validTo: '2023' }), say('dan', 'in', 'lab', { validTo: '2019' })]);
  const read = async (options: object): Promise<unknown[]> => {
    const found: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await graph.match(BASE, triplePattern, { limit: 1, derived: 'only', ...options, cursor });
      for (const { subject, object, validFrom, validTo, recordedAt } of page.items) found.push([subject, object.kind === 'entity' && object.id, validFrom, validTo, recordedAt.slice(0, 10)]);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return found.toSorted();
  };
  let triplePattern: TriplePattern = { relation: named('boss') };
  const bob = ['ann', 'bob', '2022', '2030', '2024-01-02'];
  t.same(await read({}), [bob]);
  for (const pattern of [{ relation: named('boss') }, {}] as TriplePattern[]) {
    triplePattern = pattern;
    t.same(await read({ validAt: '2022-06-01' }), [bob, ['ann', 'cid', '2020', '2023', '2024-01-02']]);
    t.same(await read({ validAt: '2018' }), [
      ['old', 'cid', undefined, '2020', '2024-01-02'],
      ['old', 'dan', undefined, '2019', '2024-01-02'],
    ]);
    t.same(await read({ validAt: '2018', minConfidence: 2 }), []);
  }
  triplePattern = triple('old', 'boss', 'dan');
  t.equal((await read({ validAt: '2018' })).length, 1);
  const page = await graph.match(BASE, { relation: named('boss') }, { validAt: '2018', limit: 1 });
  t.match(page.items, [{ derived: true }], 'they come where stored ones end');
  t.same((await graph.match(BASE, { relation: named('boss') }, { validAt: '2018', derived: 'exclude' })).items, []);
  const [fact] = (await graph.match(BASE, { relation: named('boss') })).items;
  t.same(await graph.facts(BASE, [fact.id]), [fact]);
  await graph.tell(BASE, [say('x', 'y', 'z')]);
  await t.rejects(graph.match(BASE, { relation: named('boss') }, { validAt: '2018', limit: 1, cursor: page.cursor }), { code: 'invalid_cursor' });
});
