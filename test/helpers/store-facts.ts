// Owns the part of the store contract that is about facts: identity, withdrawal, time, confidence, literals, pages, isolation, atomicity.
// Refuses to know any adapter; search is in store-search.ts, walks in store-walks.ts, random operations in store-random.ts.

import type { Test } from 'tap';
import type { Fact, Literal, TriplePattern } from '../../graph/terms.ts';
import { StoreError } from '../../graph/store.ts';
import type { Change, GraphStore } from '../../graph/store.ts';
import { assert, base, date, id, matchAll, node, number, objects, otherBase, relation, say, sorted, text, tick, truth, withdraw } from './store-world.ts';
import type { StoreUnderTest } from './store-world.ts';

export type Part = (name: string, body: (t: Test, world: StoreUnderTest) => Promise<void>) => Promise<void>;

/** `time` such that the state at `time` is the state after `commit` and before whatever comes after the next `tick`. */
async function now(): Promise<string> {
  await tick();
  const time = new Date().toISOString();
  await tick();
  return time;
}

export async function factsContract(part: Part): Promise<void> {
  await part('a statement told twice is stored once and counted as known', async (t, { store }) => {
    const einstein = assert('Albert Einstein', 'born in', 'Ulm', { source: 'hand' });
    const first = await store.transact(base, [einstein, einstein]);
    t.equal(first.added.length, 1);
    t.equal(first.known, 1, 'the second of one transaction is known already');
    t.equal(first.version, 1);
    const [fact] = first.added;
    t.match(fact, { subject: 'Albert Einstein', relation: 'born in', object: node('Ulm'), confidence: 1, source: 'hand' });
    t.equal(new Date(fact.recordedAt).toISOString(), fact.recordedAt, 'the transaction time is ISO 8601 in UTC');
    t.equal(fact.retractedAt, undefined);
    t.equal(fact.validFrom, undefined);

    const second = await store.transact(base, [einstein]);
    t.same({ added: second.added, known: second.known, withdrawn: second.withdrawn, version: second.version }, { added: [], known: 1, withdrawn: [], version: 1 });
    t.same(await matchAll(t, store, base), [fact]);
  });

  await part('source, validity and negation are part of what a fact is', async (t, { store }) => {
    const variants = [
      say('Ada', 'lives in', 'London'),
      say('Ada', 'lives in', 'London', { source: 'letters' }),
      say('Ada', 'lives in', 'London', { source: { document: 'letters' } }),
      say('Ada', 'lives in', 'London', { source: { document: 'letters', page: 2 } }),
      say('Ada', 'lives in', 'London', { source: { document: 'letters', page: 2, start: 10, end: 20 } }),
      say('Ada', 'lives in', 'London', { validFrom: '1815-12-10T00:00:00.000Z' }),
      say('Ada', 'lives in', 'London', { validTo: '1815-12-10T00:00:00.000Z' }),
      say('Ada', 'lives in', 'London', { validFrom: '1815-12-10T00:00:00.000Z', validTo: '1852-11-27T00:00:00.000Z' }),
    ];
    const negated = say('Ada', 'lives in', 'London', { negated: true });
    const commit = await store.transact(base, [...variants, negated].map((statement): Change => ({ kind: 'assert', statement })));
    t.equal(commit.added.length, 9);
    t.equal(new Set(commit.added.map((fact) => fact.id)).size, 9);
    t.same(sorted(await matchAll(t, store, base)), sorted(variants), 'a pattern that does not speak of negation means positive triples');
    t.same(sorted(await matchAll(t, store, base, { negated: false })), sorted(variants));
    const negatives = await matchAll(t, store, base, { subject: id('Ada'), negated: true });
    t.same(sorted(negatives), sorted([negated]));
    t.equal(negatives[0].negated, true);
    t.equal((await store.transact(base, [...variants, negated].map((statement): Change => ({ kind: 'assert', statement })))).known, 9);
  });

  await part('another confidence retracts the old fact and records a new one', async (t, { store }) => {
    const [old] = (await store.transact(base, [assert('a', 'r', 'b', { confidence: 0.4, source: 's' })])).added;
    t.equal(old.confidence, 0.4);
    const commit = await store.transact(base, [assert('a', 'r', 'b', { confidence: 0.9, source: 's' })]);
    t.equal(commit.known, 0);
    t.equal(commit.version, 2);
    t.same(commit.withdrawn.map((fact) => [fact.id, fact.confidence]), [[old.id, 0.4]]);
    t.ok(commit.withdrawn[0].retractedAt, 'a withdrawn fact says when');
    t.same(commit.added.map((fact) => [fact.id === old.id, fact.confidence]), [[false, 0.9]]);
    t.same(await matchAll(t, store, base), commit.added);
    const both = await store.facts(base, [old.id, commit.added[0].id]);
    t.same(both.map((fact) => [fact.confidence, fact.retractedAt !== undefined]).sort(), [[0.4, true], [0.9, false]]);
  });

  await part('a withdrawal takes what its pattern and source name, and nothing else', async (t, { store }) => {
    const told = [
      assert('a', 'r', 'b', { source: 'hand' }),
      assert('a', 'r', 'c', { source: { document: 'one.pdf', page: 1 } }),
      assert('a', 'q', 'c', { source: { document: 'one.pdf', page: 2, start: 0, end: 4 } }),
      assert('d', 'r', 'c', { source: { document: 'two.pdf' } }),
      assert('d', 'r', text('one.pdf')),
      assert('d', 'r', 'e', { negated: true, source: { document: 'one.pdf', page: 3 } }),
    ];
    await store.transact(base, told);
    const byPattern = await store.transact(base, [withdraw({ subject: id('a'), relation: relation('r'), object: node('b') })]);
    t.same(objects(byPattern.withdrawn), ['b']);
    t.equal(byPattern.version, 2);
    t.equal((await matchAll(t, store, base)).length, 4);

    const byDocument = await store.transact(base, [withdraw({}, 'one.pdf')]);
    t.same(byDocument.withdrawn.map((fact) => fact.relation).sort(), ['q', 'r'], 'a source names the whole document, whatever the page');
    t.same(sorted(await matchAll(t, store, base)), sorted([say('d', 'r', 'c', { source: { document: 'two.pdf' } }), say('d', 'r', text('one.pdf'))]));
    t.equal((await matchAll(t, store, base, { negated: true })).length, 1, 'a positive pattern leaves what is known to be false');
    const negatives = await store.transact(base, [withdraw({ negated: true }, 'one.pdf')]);
    t.equal(negatives.withdrawn.length, 1);

    const nothing = await store.transact(base, [withdraw({ subject: id('nobody') }), withdraw({}, 'three.pdf')]);
    t.same([nothing.withdrawn, nothing.version], [[], 4], 'a transaction that changes nothing leaves the version');
    const again = await store.transact(base, [told[0]]);
    t.equal(again.added.length, 1, 'what was withdrawn can be told again');
    t.not(again.added[0].id, byPattern.withdrawn[0].id, 'under a new id');
    t.equal(again.version, 5);
  });

  await part('changes of one transaction are applied in order', async (t, { store }) => {
    await store.transact(base, [assert('a', 'r', 'b')]);
    await store.transact(base, [withdraw({ subject: id('a') }), assert('a', 'r', 'c'), assert('a', 'r', 'b')]);
    t.same(objects(await matchAll(t, store, base)), ['b', 'c']);
    await store.transact(base, [assert('a', 'r', 'd'), withdraw({ subject: id('a') }), assert('a', 'r', 'e')]);
    t.same(objects(await matchAll(t, store, base)), ['e']);
    t.same(objects(await matchAll(t, store, base, { object: node('d') })), []);
  });

  await part('as-of shows the facts as they were recorded at an instant', async (t, { store }) => {
    if (!store.capabilities.asOf) {
      await t.rejects(store.match(base, {}, { asOf: await now() }), 'a store that cannot says so');
      return;
    }
    const times: string[] = [await now()];
    const steps: Change[][] = [
      [assert('a', 'r', 'b'), assert('a', 'r', 'c')],
      [assert('a', 'r', 'b', { confidence: 0.5 })],
      [withdraw({ object: node('c') }), assert('a', 'r', 'd', { negated: true })],
      [withdraw({}), withdraw({ negated: true })],
      [assert('a', 'r', 'c')],
    ];
    for (const step of steps) {
      await store.transact(base, step);
      times.push(await now());
    }
    const at = async (asOf: string, pattern: TriplePattern = {}): Promise<string[]> =>
      (await matchAll(t, store, base, pattern, { asOf, limit: 1 })).map((fact) => `${(fact.object as { id: string }).id} ${fact.confidence}`).sort();
    t.same(await Promise.all(times.map((time) => at(time))), [[], ['b 1', 'c 1'], ['b 0.5', 'c 1'], ['b 0.5'], [], ['c 1']]);
    t.same(await Promise.all(times.map((time) => at(time, { negated: true }))), [[], [], [], ['d 1'], [], []]);
    t.same(await at(times[2], { object: node('b') }), ['b 0.5']);
    t.same(await at(times[2], { relation: relation('never told') }), []);
    t.same((await matchAll(t, store, base, {}, { asOf: times[2], minConfidence: 0.8 })).map((fact) => fact.confidence), [1]);
    const [live] = await matchAll(t, store, base);
    t.same((await matchAll(t, store, base, {}, { asOf: live.recordedAt })).map((fact) => fact.id), [live.id], 'a fact is there from the instant at which it was recorded');
    await tick();
    const [gone] = (await store.transact(base, [withdraw({})])).withdrawn;
    t.same(await at(gone.retractedAt ?? ''), [], 'and no longer at the instant at which it was withdrawn');
  });

  await part('a fact is valid from its start, inclusive, to its end, exclusive', async (t, { store }) => {
    await store.transact(base, [
      assert('Ada', 'lives in', 'Bern', { validFrom: '1902-01-01T00:00:00.000Z', validTo: '1909-10-15T00:00:00.000Z' }),
      assert('Ada', 'lives in', 'Prague', { validFrom: '1911-04-01' }),
      assert('Ada', 'lives in', 'Ulm', { validTo: '1880-06-01T00:00:00.000Z' }),
      assert('Ada', 'has name', text('Ada')),
    ]);
    const at = async (validAt: string): Promise<string[]> => objects(await matchAll(t, store, base, { subject: id('Ada') }, { validAt, limit: 2 }));
    t.same(await at('1879-01-01T00:00:00.000Z'), ['Ada', 'Ulm']);
    t.same(await at('1880-06-01T00:00:00.000Z'), ['Ada']);
    t.same(await at('1901-12-31T23:59:59.999Z'), ['Ada']);
    t.same(await at('1902-01-01T00:00:00.000Z'), ['Ada', 'Bern']);
    t.same(await at('1902-01-01'), ['Ada', 'Bern'], 'a bare date is its first instant');
    t.same(await at('1909-10-14T23:59:59.999Z'), ['Ada', 'Bern']);
    t.same(await at('1909-10-15'), ['Ada']);
    t.same(await at('1911-04-01T00:00:00Z'), ['Ada', 'Prague']);
    t.equal((await matchAll(t, store, base)).length, 4, 'without an instant, nothing is left out');
  });

  await part('minimal confidence is inclusive and works with every pattern', async (t, { store }) => {
    await store.transact(base, [0.1, 0.25, 0.5, 0.75, 1].map((confidence) => assert('a', 'r', `c${confidence}`, { confidence })));
    for (const pattern of [{}, { subject: id('a') }, { relation: relation('r') }, { subject: id('a'), relation: relation('r') }])
      t.same(objects(await matchAll(t, store, base, pattern, { minConfidence: 0.5, limit: 1 })), ['c0.5', 'c0.75', 'c1']);
    t.same(await matchAll(t, store, base, { object: node('c0.25') }, { minConfidence: 0.26 }), []);
  });

  await part('literals of each type are kept apart from one another and from entities', async (t, { store }) => {
    const values: (string | Literal)[] = ['1', text('1'), number(1), truth(true), text('true'), 'true', date('1879'), text('1879'), number(1879), '1879', text(''), text(' 1'), number(0.1), number(1e21), number(-5), truth(false)];
    const commit = await store.transact(base, values.map((value) => assert('x', 'is', value)));
    t.equal(commit.added.length, values.length);
    const stored = await matchAll(t, store, base, { subject: id('x') });
    t.same(new Set(stored.map((fact) => JSON.stringify(fact.object))).size, values.length);
    for (const value of values) {
      const object = typeof value === 'string' ? node(value) : value;
      for (const pattern of [{ object }, { subject: id('x'), object }, { relation: relation('is'), object }, { subject: id('x'), relation: relation('is'), object }])
        t.strictSame((await matchAll(t, store, base, pattern)).map((fact) => fact.object), [object]);
    }
    t.equal((await store.transact(base, [assert('x', 'is', number(1))])).known, 1);
    t.same((await store.entities(base, [id('1'), id('x'), id('0.1')])).map((one) => one.id).sort(), ['1', 'x'], 'a literal is no entity');
  });

  await part('every pattern shape is read page by page without loss or repetition', async (t, { store }) => {
    const changes: Change[] = [];
    for (let s = 0; s < 5; s++) for (let r = 0; r < 3; r++) for (let o = 0; o < 4; o++) if ((s + r + o) % 5 !== 0) changes.push(assert(`s${s}`, `r${r}`, o === 3 ? number(s) : `o${o}`));
    for (let source = 0; source < 7; source++) changes.push(assert('s1', 'r1', 'o1', { source: `source ${source}` }));
    for (let n = 0; n < 6; n++) changes.push(assert('s1', `r${n % 3}`, `n${n}`, { negated: true }));
    const told = changes.flatMap((change) => (change.kind === 'assert' ? [change.statement] : []));
    await store.transact(base, changes);
    const s = { subject: id('s1') };
    const r = { relation: relation('r1') };
    for (const object of [node('o1'), number(1)])
      for (const pattern of [{}, s, r, { object }, { ...s, ...r }, { ...s, object }, { ...r, object }, { ...s, ...r, object }] satisfies TriplePattern[])
        for (const negated of [undefined, true]) {
          const shape: TriplePattern = negated === undefined ? pattern : { ...pattern, negated };
          const wanted = sorted(
            told.filter(
              (one) =>
                (shape.subject ?? one.subject) === one.subject &&
                (shape.relation ?? one.relation) === one.relation &&
                (shape.object === undefined || JSON.stringify(shape.object) === JSON.stringify(one.object)) &&
                (one.negated ?? false) === (negated ?? false),
            ),
          );
          for (const limit of [1, 3, 7, Math.max(1, wanted.length), 1000]) {
            const found = await matchAll(t, store, base, shape, { limit });
            t.same(sorted(found), wanted, `${JSON.stringify(shape)} by ${limit}`);
          }
        }
    t.equal((await store.match(base, {}, { limit: 5 })).items.length, 5);
    t.equal((await store.match(base, {})).cursor, undefined, 'no cursor where all fits the default page of 100');
  });

  await part('a page holds 100 facts unless told otherwise', async (t, { store }) => {
    await store.transact(base, Array.from({ length: 101 }, (_, n) => assert(`s${n}`, 'r', 'o')));
    const first = await store.match(base, {});
    t.equal(first.items.length, 100);
    const rest = await store.match(base, {}, { cursor: first.cursor });
    t.equal(rest.items.length, 1);
    t.equal(rest.cursor, undefined);
  });

  await part('a page is not disturbed by what is written and withdrawn between pages', async (t, { store }) => {
    await store.transact(base, Array.from({ length: 20 }, (_, n) => assert('hub', 'r', `o${n}`)));
    const first = await store.match(base, { subject: id('hub') }, { limit: 8 });
    const [gone] = first.items;
    await store.transact(base, [withdraw({ object: gone.object }), assert('elsewhere', 'r', 'o1'), assert('hub', 'r', 'late')]);
    const seen: Fact[] = [...first.items];
    for (let cursor = first.cursor; cursor !== undefined; ) {
      const page = await store.match(base, { subject: id('hub') }, { limit: 8, cursor });
      seen.push(...page.items);
      cursor = page.cursor;
    }
    const found = objects(seen).filter((name) => name !== 'late');
    t.same(found, Array.from({ length: 20 }, (_, n) => `o${n}`).sort(), 'each fact that was there throughout is seen once');
  });

  await part('a cursor that the store did not give is refused', async (t, { store }) => {
    await store.transact(base, [assert('a', 'r', 'b')]);
    for (const cursor of ['nonsense', '', '-1', '1.5', '9'.repeat(40), "' OR 1=1 --"])
      await t.rejects(store.match(base, {}, { cursor }), { code: 'invalid_cursor' }, JSON.stringify(cursor));
  });

  await part('names with quotes, backticks, SQL and Cypher in them are only names', async (t, { store }) => {
    const hostile = [`'; DROP TABLE facts; --`, `"quoted"`, '`backtick`', `}) DETACH DELETE n //`, `\\`, `%`, `_`, `*`, `a\tb\nc`, `$name`, `{x}`, `x\u2028y`, `👩‍🚀 ☃`, `NULL`, `__proto__`, `constructor`, `MATCH (n) RETURN n`, `a AND b OR "c`, `NEAR(a b)`, `null\\u0000`];
    const told = hostile.flatMap((name) => [assert(name, `r ${name}`, name), assert(name, 'is', text(name), { source: name })]);
    await store.transact(base, told);
    for (const name of hostile) {
      t.equal((await matchAll(t, store, base, { subject: id(name) })).length, 2, encodeURI(name));
      t.equal((await matchAll(t, store, base, { relation: relation(`r ${name}`), object: node(name) })).length, 1, encodeURI(name));
      t.same((await matchAll(t, store, base, { object: text(name) })).map((fact) => [fact.subject, fact.source]), [[id(name), name]]);
      const hits = await store.search(base, name);
      t.ok(hits.every((hit) => hit.score > 0 && hit.score <= 1));
    }
    await store.transact(base, [withdraw({}, `'; DROP TABLE facts; --`), { kind: 'rule', id: `r'"`, document: `{"a": "'; --"}` }]);
    t.equal((await matchAll(t, store, base)).length, told.length - 1);
    t.same(await store.rules(base), [{ id: `r'"`, document: `{"a": "'; --"}` }]);
  });

  await part('knowledge bases do not see one another', async (t, { store }) => {
    const here = await store.transact(base, [assert('a', 'r', 'b'), { kind: 'rule', id: 'r1', document: '1' }, { kind: 'relation', relation: { name: relation('r'), aliases: [{ text: 'here' }] } }]);
    t.same(await matchAll(t, store, otherBase), [], 'a base that was never written to is empty');
    t.same(await store.rules(otherBase), []);
    const there = await store.transact(otherBase, [assert('a', 'r', 'c'), assert('a', 'r', 'b', { confidence: 0.5 })]);
    t.same([here.version, there.version], [1, 1]);
    t.same(await store.facts(otherBase, [here.added[0].id]), []);
    t.same(await store.facts(base, [...there.added.map((fact) => fact.id), here.added[0].id]), here.added);
    await store.transact(otherBase, [withdraw({}), { kind: 'rule', id: 'r1' }]);
    t.same(objects(await matchAll(t, store, base)), ['b']);
    t.same((await store.relations(base)).map((one) => [one.name, one.facts, one.aliases]), [['r', 1, [{ text: 'here' }]]]);
    t.same((await store.relations(otherBase)).filter((one) => one.facts > 0), []);
    t.equal((await store.rules(base)).length, 1);
    t.match(
      (await store.bases()).filter((one) => one.base === base),
      [{ base, version: 1, facts: 1, entities: 2, relations: 1 }],
    );
  });

  await part('the summary of relations counts facts and literals and keeps what was declared', async (t, { store }) => {
    await store.transact(base, [
      assert('a', 'age', number(7)),
      assert('b', 'age', 'unknown'),
      assert('c', 'age', number(9)),
      assert('d', 'age', number(9)),
      assert('a', 'knows', 'b'),
      assert('a', 'knows', 'c', { negated: true }),
    ]);
    const declared = { name: relation('child of'), aliases: [{ text: 'parent', language: 'en' }, { text: '父母', language: 'zh' }], functional: true, symmetric: false, transitive: true, inverseOf: relation('parent of'), disjointWith: [relation('knows')], domain: [id('person'), id('人')], range: [id('person')], subPropertyOf: [relation('relative of')], equivalentTo: [relation('offspring of')], closed: true };
    await store.transact(base, [{ kind: 'relation', relation: declared }]);
    const found = new Map((await store.relations(base)).map((one) => [one.name as string, one]));
    t.match(found.get('age'), { facts: 4, literals: 0.75, aliases: [] });
    t.match(found.get('knows'), { facts: 1, literals: 0 });
    t.match(found.get('child of'), { ...declared, facts: 0, literals: 0 });
    await store.transact(base, [withdraw({ subject: id('b') }), { kind: 'relation', relation: { name: relation('child of'), aliases: [] } }]);
    const later = new Map((await store.relations(base)).map((one) => [one.name as string, one]));
    t.match(later.get('age'), { facts: 3, literals: 1 });
    t.match(later.get('child of'), { aliases: [], facts: 0 });
    t.notOk(later.get('child of')?.functional, 'a relation is declared as a whole');
    for (const list of ['disjointWith', 'domain', 'range', 'subPropertyOf', 'equivalentTo'] as const) t.notOk(later.get('child of')?.[list], `${list} is gone`);
  });

  await part('rules are kept as told, replaced and deleted', async (t, { store }) => {
    const first = await store.transact(base, [{ kind: 'rule', id: 'r_1', document: '{"text":"a(?x) :- b(?x)."}' }, { kind: 'rule', id: 'r_2', document: '中文' }]);
    t.equal(first.version, 1);
    t.same((await store.rules(base)).map((rule) => [rule.id, rule.document]).sort(), [['r_1', '{"text":"a(?x) :- b(?x)."}'], ['r_2', '中文']]);
    const second = await store.transact(base, [{ kind: 'rule', id: 'r_1' }, { kind: 'rule', id: 'r_2', document: 'new' }]);
    t.equal(second.version, 2);
    t.same(await store.rules(base), [{ id: 'r_2', document: 'new' }]);
    t.equal((await store.transact(base, [{ kind: 'rule', id: 'r_1' }])).version, 2, 'deleting what is not there changes nothing');
  });

  await part('what rules were in earlier versions is kept, by version and latest first, and outlives the store', async (t, { store, reopen }) => {
    t.same(await store.ruleHistory(base), { version: 0, from: 0, rules: [], changes: [] });
    const rule = (name: string, document?: string): Change => ({ kind: 'rule', id: name, ...(document === undefined ? {} : { document }) });
    await store.transact(base, [rule('r_1', 'one'), rule('r_2', 'two'), rule('r_3', 'gone at once'), rule('r_3')]);
    await store.transact(base, [assert('a', 'r', 'b')]);
    await store.transact(base, [rule('r_1', 'one'), rule('r_2', 'new'), rule('中', '中文 "\'')]);
    await store.transact(base, [rule('r_1'), rule('r_2', 'other'), rule('r_2', 'new')]);
    await store.transact(otherBase, [rule('r_9', 'nine')]);
    const check = async (one: GraphStore): Promise<void> => {
      const { version, from, rules, changes } = await one.ruleHistory(base);
      t.same([version, from], [4, 0]);
      t.same(rules, await one.rules(base));
      t.same(
        changes.map((change) => [change.version, change.id, change.before]),
        [[4, 'r_1', 'one'], [3, 'r_2', 'two'], [3, '中', undefined], [1, 'r_1', undefined], [1, 'r_2', undefined]],
      );
      t.same(
        await one.ruleHistory(base, { documents: false }),
        { version, from, rules: rules.map(({ id }) => ({ id, document: '' })), changes: changes.map(({ before, ...change }) => ({ ...change, ...(before === undefined ? {} : { before: '' }) })) },
        'without the documents',
      );
      t.ok(changes.every(({ at }) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at)));
      t.same((await one.ruleHistory(otherBase)).changes.map(({ id: name }) => name), ['r_9']);
    };
    await check(store);
    if (reopen) await check(await reopen());
  });

  await part('a transaction that fails half-way writes nothing', async (t, { store, reopen }) => {
    await store.transact(base, [assert('a', 'r', 'b')]);
    const broken = (): Change => ({
      kind: 'assert',
      get statement(): never {
        throw new Error('the fault of this test');
      },
    });
    const doomed: Change[] = [assert('new', 'new relation', number(5)), withdraw({ subject: id('a') }), { kind: 'rule', id: 'r', document: 'd' }, { kind: 'entity', entity: { id: id('a'), label: 'Changed' } }];
    const check = async (one: GraphStore): Promise<void> => {
      t.same(sorted(await matchAll(t, one, base)), sorted([say('a', 'r', 'b')]));
      t.same(await matchAll(t, one, base, { subject: id('new') }), []);
      t.same(await one.rules(base), []);
      t.same((await one.entities(base, [id('a'), id('new')])).map((found) => [found.id, found.label]), [['a', 'a']]);
      t.same(await one.search(base, 'new'), []);
      t.same((await one.relations(base)).map((found) => [found.name, found.facts]), [['r', 1]]);
      t.match((await one.bases()).find((found) => found.base === base), { version: 1, facts: 1, entities: 2, relations: 1 });
      t.notOk((await one.bases()).some((found) => found.base === otherBase && found.facts > 0));
    };
    await t.rejects(store.transact(base, [...doomed, broken()]));
    await t.rejects(store.transact(otherBase, [...doomed, broken()]));
    await check(store);
    const next = await store.transact(base, [assert('new', 'new relation', number(5))]);
    t.same([next.added.length, next.version], [1, 2], 'the same names can be told afterwards');
    await store.transact(base, [withdraw({ subject: id('new') })]);
    if (reopen) {
      const again = await reopen();
      t.same(sorted(await matchAll(t, again, base)), sorted([say('a', 'r', 'b')]));
      t.same(await again.rules(base), []);
    }
  });

  await part('a transaction over the limit is refused before anything is written', async (t, { store }) => {
    const change = assert('a', 'r', 'b');
    await t.rejects(store.transact(base, Array.from({ length: 1_000_001 }, () => change)), { code: 'too_large' });
    t.same(await matchAll(t, store, base), []);
    t.equal((await store.transact(base, [])).version, 0, 'nothing to do is no change');
  });

  await part('a call that was given up is refused', async (t, { store }) => {
    await store.transact(base, [assert('a', 'r', 'b')]);
    const signal = AbortSignal.abort(new Error('left'));
    await t.rejects(store.match(base, {}, { signal }));
    await t.rejects(store.search(base, 'a', { signal }));
    await t.rejects(store.paths(base, node('a'), { hops: 2, signal }));
    await t.rejects(store.follow(base, node('a'), [{ relation: relation('r'), inverse: false }], { signal }));
  });

  await part('everything that was told is there after closing and opening again', async (t, { store, reopen }) => {
    await store.transact(base, [
      assert('a', 'r', 'b', { confidence: 0.5, source: { document: 'd.pdf', page: 3, start: 1, end: 9 }, validFrom: '2001-05-06T00:00:00.000Z' }),
      assert('a', 'r', text('b'), { source: 'hand' }),
      assert('a', 'r', 'gone'),
      assert('a', 'r', 'never', { negated: true }),
      { kind: 'rule', id: 'x', document: 'y' },
      { kind: 'relation', relation: { name: relation('r'), aliases: [{ text: 'rel', language: 'en' }], transitive: true } },
      { kind: 'entity', entity: { id: id('a'), label: 'Label', aliases: [{ text: '别名', language: 'zh' }], types: ['thing'] } },
    ]);
    const withdrawn = (await store.transact(base, [withdraw({ object: node('gone') })])).withdrawn;
    await store.transact(otherBase, [assert('x', 'y', 'z')]);
    const read = async (one: GraphStore): Promise<unknown> => [
      await matchAll(t, one, base),
      await matchAll(t, one, base, { negated: true }),
      await matchAll(t, one, otherBase),
      await one.facts(base, withdrawn.map((fact) => fact.id)),
      await one.rules(base),
      await one.relations(base),
      await one.entities(base, [id('a'), id('b'), id('never')]),
      (await one.search(base, '别名')).map((hit) => [hit.entity.id, hit.matched, hit.score]),
      (await one.bases()).filter((found) => found.base === base || found.base === otherBase),
    ];
    const before = await read(store);
    const again = reopen ? await reopen() : store;
    t.same(await read(again), before);
    const old = new Set((await matchAll(t, again, base)).map((fact) => fact.id));
    const next = await again.transact(base, [assert('a', 'r', 'gone'), assert('a', 'r', 'b', { confidence: 0.5, source: { document: 'd.pdf', page: 3, start: 1, end: 9 }, validFrom: '2001-05-06T00:00:00.000Z' })]);
    t.same([next.added.length, next.known, next.version], [1, 1, 3]);
    t.notOk(old.has(next.added[0].id) || next.added[0].id === withdrawn[0].id, 'an id is never used again');
  });

  await part('a closed store refuses every call', async (t, { store }) => {
    await store.transact(base, [assert('a', 'r', 'b')]);
    await store.close();
    const calls: [string, () => Promise<unknown>][] = [
      ['transact', () => store.transact(base, [assert('a', 'r', 'c')])],
      ['match', () => store.match(base, {})],
      ['facts', () => store.facts(base, [])],
      ['search', () => store.search(base, 'a')],
      ['entities', () => store.entities(base, [id('a')])],
      ['relations', () => store.relations(base)],
      ['paths', () => store.paths(base, node('a'), { hops: 1 })],
      ['follow', () => store.follow(base, node('a'), [{ relation: relation('r'), inverse: false }])],
      ['rules', () => store.rules(base)],
      ['ruleHistory', () => store.ruleHistory(base)],
      ['bases', () => store.bases()],
    ];
    for (const [name, call] of calls) {
      const error: unknown = await call().then(
        () => undefined,
        (cause: unknown) => cause,
      );
      t.ok(error instanceof StoreError && error.code === 'closed', `${name} rejects with StoreError closed`);
    }
  });
}
