// Owns what is particular to the Neo4j store: its address, its errors, several writers, what a graph tool sees; and the contract, on a real server.
// Without PHAROS_TEST_NEO4J only what needs no server is tested.

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Connection, CONNECTION_LIMITS } from '../../graph/neo4j/connection.ts';
import * as cypher from '../../graph/neo4j/cypher.ts';
import { FactIds, Neo4jStore } from '../../graph/neo4j/store.ts';
import { plan } from '../../graph/neo4j/plan.ts';
import { termKey } from '../../graph/neo4j/records.ts';
import { Transaction } from '../../graph/neo4j/transaction.ts';
import { parseNeo4jUrl } from '../../graph/neo4j/url.ts';
import { StoreError } from '../../graph/store.ts';
import type { Change } from '../../graph/store.ts';
import type { FactId } from '../../graph/terms.ts';
import { storeContract } from './store-contract.ts';
import { createOnServer, openStore, ownBase, query, relay, removeBases, serverUrl } from '../helpers/store-neo4j.ts';
import { assert, base, describe, forgetsOldRules, id, matchAll, node, number, objects, path, relation, text, withdraw } from '../helpers/store-world.ts';

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const quick = { connectMs: 1000, retryMs: 500 };

await t.test('an address is split into server, credentials and database', async (t) => {
  t.same(parseNeo4jUrl('neo4j://neo4j:secret@graph.example:7999/facts'), {
    url: 'neo4j://graph.example:7999',
    user: 'neo4j',
    password: 'secret',
    database: 'facts',
  });
  t.same(parseNeo4jUrl('bolt://127.0.0.1'), { url: 'bolt://127.0.0.1:7687', user: '', password: '', database: 'neo4j' });
  t.match(parseNeo4jUrl('neo4j+s://a%40b:p%2Fw%3A%25@host/'), { url: 'neo4j+s://host:7687', user: 'a@b', password: 'p/w:%', database: 'neo4j' });
  t.match(parseNeo4jUrl('bolt+ssc://u:p@[::1]:1234'), { url: 'bolt+ssc://[::1]:1234' });
});

await t.test('a wrong address is refused with what would be right, and without the password', async (t) => {
  for (const [wrong, says] of [
    ['graph.example:7687', 'begins with "graph.example:"'],
    ['not a url', 'no URL'],
    ['http://u:hunter2@host', 'begins with "http:"'],
    ['neo4j://u:hunter2@', 'no'],
    ['neo4j://u:hunter2@host/a', 'database "a"'],
    ['neo4j://u:hunter2@host/two/parts', 'database "two/parts"'],
    ['neo4j://u:hunter2@host?encrypted=true', 'query'],
    ['neo4j://:hunter2@host', 'no user'],
    ['neo4j://u:hunter2%@host', '%25'],
    ['neo4j://u:hunter2@host:99999', 'no URL'],
  ]) {
    let error: unknown;
    try {
      error = new Neo4jStore({ url: wrong });
    } catch (caught) {
      error = caught;
    }
    t.ok(error instanceof StoreError && error.code === 'unavailable', wrong);
    t.match((error as Error).message, says);
    t.notMatch((error as Error).message, 'hunter2');
  }
});

await t.test('a store says what it is, and refuses every call before it is opened', async (t) => {
  const store = new Neo4jStore({ url: 'bolt://127.0.0.1:1' });
  t.equal(store.kind, 'neo4j');
  t.same(store.capabilities, { inProcess: false, asOf: true });
  for (const call of [
    () => store.match(base, {}),
    () => store.transact(base, []),
    () => store.facts(base, []),
    () => store.named(base, ['a']),
    () => store.bases(),
  ])
    t.match(await failure(call()), { code: 'closed' });
  await store.close();
});

await t.test('where nothing listens, the store is unavailable and says what to do', async (t) => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  for (const scheme of ['bolt', 'neo4j']) {
    const store = new Neo4jStore({ url: `${scheme}://neo4j:hunter2@127.0.0.1:${port}`, limits: quick });
    const error = await failure(store.open());
    t.ok(error instanceof StoreError && error.code === 'unavailable', scheme);
    t.match((error as Error).message, `127.0.0.1:${port}`);
    t.match((error as Error).message, 'see that it runs');
    t.notMatch((error as Error).message, 'hunter2');
    t.match(await failure(store.match(base, {})), { code: 'closed' });
    t.match(await failure(store.open()), { code: 'closed' }, 'a store is opened once');
  }
});

await t.test('ids of facts grow and are never given twice, also when the clock is set back', async (t) => {
  const ids = new FactIds();
  const given = [5, 5, 6, 2, 6, 7_000_000_000_000].map((now) => ids.next(now));
  t.same([...given].sort(), given);
  t.equal(new Set([...given, new FactIds().next(5)]).size, given.length + 1);
});

await t.test('a query text depends on the shape of a pattern only', async (t) => {
  const shapes = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({ subject: (bits & 1) > 0, relation: (bits & 2) > 0, object: (bits & 4) > 0 }));
  t.equal(
    new Set(shapes.flatMap((shape) => [cypher.match(shape, false), cypher.match(shape, true), cypher.withdrawn(shape, false), cypher.withdrawn(shape, true)]))
      .size,
    32,
  );
  t.not(termKey(text('x'.repeat(60_000))), termKey(text(`${'x'.repeat(59_999)}y`)), 'long literals have short keys of their own');
  t.ok(termKey(text('界'.repeat(60_000))).length < 100);
});

await t.test('a plan is the same each time it is made', async (t) => {
  const changes: Change[] = [
    assert('a', 'r', 'b'),
    assert('a', 'r', 'b', { confidence: 0.5 }),
    withdraw({ subject: id('a') }),
    assert('a', 'r', 'c'),
    describe('a', { label: 'A' }),
    describe('a', { types: ['t'] }),
  ];
  const keys = new Map([
    [0, 'ab'],
    [1, 'ab'],
    [3, 'ac'],
  ]);
  const ids = changes.map((_, n) => `f${n}` as FactId);
  const nothing = { facts: new Map(), withdrawals: new Map(), described: new Map(), declared: new Map(), rules: new Map() };
  const make = () => plan(changes, keys, ids, '2030-01-01T00:00:00.000Z', nothing);
  t.same(make(), make());
  t.match(make(), {
    added: [{ key: 'ac', fact: { id: 'f3', object: node('c') } }],
    withdrawn: [],
    known: 0,
    described: [{ id: 'a', label: 'A', types: ['t'] }],
  });
});

if (serverUrl !== undefined) {
  const url = serverUrl;
  await storeContract(t, 'the Neo4j store keeps the contract', createOnServer(url));

  await t.test('another user or database is refused by name', async (t) => {
    const at = new URL(url);
    at.password = 'hunter2';
    const stranger = await failure(openStore(at.href, { limits: quick }));
    t.match(stranger, { code: 'unavailable' });
    t.match((stranger as Error).message, `refuses the user "${at.username}"`);
    t.notMatch((stranger as Error).message, 'hunter2');
    const missing = await failure(openStore(new URL('/nowhere', url).href, { limits: quick }));
    t.match(missing, { code: 'unavailable' });
    t.match((missing as Error).message, 'no database "nowhere"');
  });

  await t.test('a server that is gone makes every call unavailable, and nothing half written stays', async (t) => {
    const kb = ownBase();
    const between = await relay(url);
    const store = await openStore(between.url, { limits: quick });
    t.teardown(async () => {
      await store.close();
      await removeBases(url, kb);
    });
    await store.transact(kb, [assert('a', 'r', 'b')]);
    const large = store.transact(
      kb,
      Array.from({ length: 10_000 }, (_, n): Change => assert(`s${n}`, 'r', `o${n}`)),
    );
    const [outcome] = await Promise.all([failure(large), new Promise((resolve) => setTimeout(resolve, 150)).then(() => between.cut())]);
    t.match(outcome, { code: 'unavailable' }, 'a write that was cut off');
    for (const call of [
      () => store.match(kb, {}),
      () => store.transact(kb, [assert('a', 'r', 'c')]),
      () => store.search(kb, 'a'),
      () => store.follow(kb, node('a'), path('r')),
      () => store.bases(),
    ]) {
      const error = await failure(call());
      t.ok(error instanceof StoreError && error.code === 'unavailable', String(error));
    }
    const again = await openStore(url);
    t.teardown(() => again.close());
    t.same(objects(await matchAll(t, again, kb)), ['b']);
    t.match(
      (await again.bases()).find((one) => one.base === kb),
      { version: 1, facts: 1, entities: 2, relations: 1 },
    );
  });

  await t.test('writers in several processes take turns: no version is given twice and no fact is stored twice', async (t) => {
    const kb = ownBase();
    const stores = await Promise.all([openStore(url), openStore(url), openStore(url)]);
    t.teardown(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await removeBases(url, kb);
    });
    const commits = await Promise.all(
      Array.from({ length: 24 }, (_, n) => stores[n % stores.length].transact(kb, [assert('shared', 'r', `o${n % 8}`), assert(`own ${n}`, 'r', number(n))])),
    );
    t.same(
      commits.map((commit) => commit.version).sort((a, b) => a - b),
      Array.from({ length: 24 }, (_, n) => n + 1),
    );
    t.equal(
      commits.reduce((sum, commit) => sum + commit.known, 0),
      16,
    );
    t.equal((await matchAll(t, stores[0], kb, { subject: id('shared') })).length, 8);
    t.match((await stores[1].relations(kb))[0], { facts: 32, literals: 0.75 });
  });

  await t.test('a transaction that was committed although the news of it was lost is not applied again', async (t) => {
    const kb = ownBase();
    const store = await openStore(url);
    const connection = new Connection(parseNeo4jUrl(url), CONNECTION_LIMITS);
    await connection.open();
    t.teardown(async () => {
      await Promise.all([store.close(), connection.close()]);
      await removeBases(url, kb);
    });
    await store.transact(kb, [assert('a', 'r', 'old')]);
    const changes = [withdraw({ subject: id('a') }), assert('a', 'r', 'new')];
    const ids = new FactIds();
    const transaction = new Transaction(
      kb,
      'the one',
      changes,
      changes.map(() => ids.next(1)),
      Date.now,
    );
    const first = await connection.write((run) => transaction.run(run));
    await store.transact(kb, [assert('a', 'r', 'told in between')]);
    t.same(await connection.write((run) => transaction.run(run)), first, 'the answer is that of the commit');
    t.same(objects(await matchAll(t, store, kb)), ['new', 'told in between']);
    t.equal((await store.transact(kb, [])).version, 3);
  });

  await t.test('rules of versions too long ago are forgotten, and those of a base from before there was a history are not known', async (t) => {
    const kb = ownBase();
    t.teardown(() => removeBases(url, kb));
    await forgetsOldRules(t, (limits) => openStore(url, { limits }), kb);
    await query(url, 'MATCH (b:KnowledgeBase {kb: $kb}) REMOVE b.rulesFrom', { kb });
    const store = await openStore(url);
    t.match(await store.ruleHistory(kb), { version: 6, from: 6, changes: [] });
    await store.transact(kb, [{ kind: 'rule', id: 'r' }]);
    t.match(await store.ruleHistory(kb), { version: 7, from: 6, changes: [{ version: 7, id: 'r', before: '4' }] });
    await store.close();
  });

  await t.test('what is stored is what a graph tool shows, and a name never becomes a query', async (t) => {
    const kb = ownBase();
    const store = await openStore(url);
    t.teardown(async () => {
      await store.close();
      await removeBases(url, kb);
    });
    const hostile = `'}) DETACH DELETE n // \` " \\ $kb`;
    await store.transact(kb, [
      assert(hostile, hostile, hostile, { source: hostile }),
      assert(hostile, 'gone', text(hostile)),
      describe(hostile, { aliases: [{ text: '别名', language: 'zh' }] }),
    ]);
    await store.transact(kb, [withdraw({ relation: relation('gone') })]);
    t.same(
      await query(
        url,
        'MATCH (s:Entity {kb: $kb})-[r:REL]->(o:Entity) RETURN s.id AS s, s.name AS name, s.aliases AS aliases, r.name AS r, r.source AS source, o.id AS o',
        { kb },
      ),
      [{ s: hostile, name: hostile, aliases: ['别名'], r: hostile, source: hostile, o: hostile }],
    );
    t.same(await query(url, 'MATCH (:Entity {kb: $kb})-[r:RETRACTED]->(o:Literal) RETURN r.name AS r, o.type AS type, o.value AS value', { kb }), [
      { r: 'gone', type: 'string', value: hostile },
    ]);
    t.same((await store.named(kb, [hostile, '别名', 'nobody'])).size, 2);
    t.same((await store.follow(kb, node(hostile), path(hostile))).length, 0, 'it only leads to itself');
  });

  await t.test('long names and long literals are stored, found and told apart', async (t) => {
    const kb = ownBase();
    const store = await openStore(url);
    t.teardown(async () => {
      await store.close();
      await removeBases(url, kb);
    });
    const [one, two] = [`${'界'.repeat(1023)}一`, `${'界'.repeat(1023)}二`];
    const [long, longer] = ['語'.repeat(65_000), `${'語'.repeat(65_000)}x`];
    await store.transact(kb, [assert(one, 'r', text(long)), assert(two, 'r', text(longer))]);
    t.same(
      (await matchAll(t, store, kb, { object: text(long) })).map((fact) => fact.subject),
      [one],
    );
    t.same((await store.search(kb, one)).map((hit) => [hit.entity.id === one, hit.score])[0], [true, 1]);
    t.same(
      [...(await store.named(kb, [two])).values()].flat().map((hit) => hit.entity.id),
      [two],
    );
    t.same(
      (await store.follow(kb, text(longer), path('~r'))).map((result) => result.end),
      [node(two)],
    );
  });

  await t.test('names are found exactly, many in one call', async (t) => {
    const kb = ownBase();
    const store = await openStore(url);
    t.teardown(async () => {
      await store.close();
      await removeBases(url, kb);
    });
    await store.transact(kb, [
      describe('Q1', { label: 'Alien', aliases: ['异形'] }),
      describe('Q2', { label: 'ALIEN' }),
      assert('Aliens', 'sequel of', 'Q1'),
      assert('gone', 'r', 'x'),
    ]);
    await store.transact(kb, [withdraw({ subject: id('gone') })]);
    const found = await store.named(kb, ['Álien', 'alien', '异形', 'q2', 'Alie', 'gone', '', '!']);
    t.same(
      [...found].map(([name, hits]) => [name, hits.map((hit) => [hit.entity.id, hit.matched, hit.score])]).sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        [
          'alien',
          [
            ['Q1', 'Alien', 1],
            ['Q2', 'ALIEN', 1],
          ],
        ],
        ['q2', [['Q2', 'Q2', 1]]],
        ['异形', [['Q1', '异形', 1]]],
      ],
    );
    t.same((await store.named(ownBase(), ['alien'])).size, 0);
    t.same(await store.entities(kb, [id('gone'), id('x')]), [], 'what only a withdrawn fact names is not known');
  });

  await t.test('a call that is given up while it is at work ends with the reason', async (t) => {
    const kb = ownBase();
    const store = await openStore(url);
    t.teardown(async () => {
      await store.close();
      await removeBases(url, kb);
    });
    for (let start = 0; start < 2000; start += 1000)
      await store.transact(
        kb,
        Array.from({ length: 1000 }, (_, n): Change => assert('hub', 'r', `o${start + n}`)),
      );
    const leaving = new AbortController();
    const work = failure(store.follow(kb, node('o1'), path('~r', 'r', '~r', 'r', '~r', 'r'), { signal: leaving.signal }));
    setTimeout(() => leaving.abort(new Error('the client left')), 5);
    t.match(await work, { message: 'the client left' });
    t.equal((await store.match(kb, {}, { limit: 3 })).items.length, 3, 'the store goes on');
  });
}
