// Owns the part of the store contract that is about entities and finding them by name.
// Refuses to know how an adapter searches: only what is found, in which order, with which score.

import { assert, base, describe, id, number, otherBase, text, withdraw } from './store-world.ts';
import type { Part } from './store-facts.ts';
import type { EntityHit, GraphStore } from '../../graph/store.ts';
import type { BaseName } from '../../graph/terms.ts';

const people = [
  describe('Albert Einstein', { aliases: [{ text: '爱因斯坦', language: 'zh' }, { text: '阿尔伯特·爱因斯坦', language: 'zh' }, { text: 'A. Einstein', language: 'en' }], types: ['person', 'physicist'] }),
  describe('Albert Brooks', { aliases: [{ text: 'Albert Lawrence Einstein' }] }),
  describe('Marie Curie', { aliases: [{ text: '居里夫人', language: 'zh' }, { text: 'Maria Skłodowska' }] }),
  describe('René Descartes', {}),
  describe('Q956', { label: 'Beijing', aliases: [{ text: '北京', language: 'zh' }, { text: 'Peking' }], types: ['city'] }),
  describe('Q13', { label: '上海', aliases: [{ text: 'Shanghai' }] }),
  describe('Up', {}),
  describe('Up in the Air', {}),
  describe('Upstream Color', {}),
  describe('M', {}),
  describe('The Matrix', {}),
  describe('The Matrix Reloaded', {}),
  describe('Straße der Freiheit', {}),
  describe('ＡＢＣ Records', {}),
];

export async function searchContract(part: Part): Promise<void> {
  const best = async (store: GraphStore, query: string, kb: BaseName = base): Promise<EntityHit | undefined> => (await store.search(kb, query))[0];

  await part('an entity keeps the fields that a later change does not name', async (t, { store }) => {
    await store.transact(base, [assert('Ulm', 'in', 'Germany')]);
    t.same(await store.entities(base, [id('Ulm')]), [{ id: 'Ulm', label: 'Ulm', aliases: [], types: [] }], 'an id that occurs in a fact is an entity labelled by its id');
    const change = await store.transact(base, [describe('Ulm', { label: 'Ulm on the Danube', aliases: [{ text: '乌尔姆', language: 'zh' }, 'Ulma'], types: ['city'] })]);
    t.equal(change.version, 2);
    await store.transact(base, [describe('Ulm', { types: ['city', 'place'] })]);
    t.same(await store.entities(base, [id('Ulm')]), [
      { id: 'Ulm', label: 'Ulm on the Danube', aliases: [{ text: '乌尔姆', language: 'zh' }, { text: 'Ulma' }], types: ['city', 'place'] },
    ]);
    await store.transact(base, [describe('Ulm', { aliases: [] })]);
    t.same((await store.entities(base, [id('Ulm')]))[0].aliases, [], 'a field that is named is replaced');
    t.same(await store.search(base, '乌尔姆'), [], 'and is no longer found');
    t.equal((await best(store, 'ulm on the danube'))?.score, 1);
  });

  await part('entities are given for known ids only', async (t, { store }) => {
    await store.transact(base, [assert('a', 'r', text('b')), describe('declared only', {})]);
    t.same((await store.entities(base, [id('declared only'), id('b'), id('missing'), id('a')])).map((one) => one.id).sort(), ['a', 'declared only']);
    t.same(await store.entities(base, []), []);
    t.same(await store.entities(otherBase, [id('a')]), []);
  });

  await part('a name is found exactly, whatever its case, accents and width', async (t, { store }) => {
    await store.transact(base, people);
    const exact: [query: string, entity: string, matched: string][] = [
      ['Albert Einstein', 'Albert Einstein', 'Albert Einstein'],
      ['albert einstein', 'Albert Einstein', 'Albert Einstein'],
      ['  ALBERT   EINSTEIN ', 'Albert Einstein', 'Albert Einstein'],
      ['rene descartes', 'René Descartes', 'René Descartes'],
      ['Rene\u0301 Descartes', 'René Descartes', 'René Descartes'],
      ['abc records', 'ＡＢＣ Records', 'ＡＢＣ Records'],
      ['peking', 'Q956', 'Peking'],
      ['Beijing', 'Q956', 'Beijing'],
      ['shanghai', 'Q13', 'Shanghai'],
    ];
    for (const [query, entity, matched] of exact) {
      const hit = await best(store, query);
      t.match(hit, { entity: { id: entity }, matched, score: 1 }, query);
    }
    t.same((await best(store, 'Albert Einstein'))?.entity, {
      id: 'Albert Einstein',
      label: 'Albert Einstein',
      aliases: [{ text: '爱因斯坦', language: 'zh' }, { text: '阿尔伯特·爱因斯坦', language: 'zh' }, { text: 'A. Einstein', language: 'en' }],
      types: ['person', 'physicist'],
    });
  });

  await part('a Chinese name is found by its alias, also when it has two characters', async (t, { store }) => {
    await store.transact(base, people);
    t.match(await best(store, '爱因斯坦'), { entity: { id: 'Albert Einstein' }, matched: '爱因斯坦', score: 1 });
    t.match(await best(store, '北京'), { entity: { id: 'Q956' }, matched: '北京', score: 1 });
    t.match(await best(store, '上海'), { entity: { id: 'Q13', label: '上海' }, matched: '上海', score: 1 });
    const prefix = await best(store, '爱因');
    t.match(prefix, { entity: { id: 'Albert Einstein' }, matched: '爱因斯坦' }, 'by its beginning');
    t.ok(prefix !== undefined && prefix.score < 1);
    t.equal((await best(store, '居里夫夫'))?.entity.id, 'Marie Curie', 'with one wrong character');
  });

  await part('a short name is found, and before longer ones that begin with it', async (t, { store }) => {
    await store.transact(base, people);
    const up = await store.search(base, 'up');
    t.match(up[0], { entity: { id: 'Up' }, score: 1 });
    t.same(up.map((hit) => hit.entity.id).filter((name) => name.startsWith('Up')).sort(), ['Up', 'Up in the Air', 'Upstream Color']);
    t.match(await best(store, 'M'), { entity: { id: 'M' }, score: 1 });
    t.match(await best(store, 'the matrix'), { entity: { id: 'The Matrix' }, score: 1 });
  });

  await part('a name is found by its beginning, below an exact match', async (t, { store }) => {
    await store.transact(base, people);
    for (const [query, wanted] of [['Albert Ein', 'Albert Einstein'], ['Upst', 'Upstream Color'], ['The Matrix Rel', 'The Matrix Reloaded'], ['be', 'Q956']]) {
      const hit = await best(store, query);
      t.equal(hit?.entity.id, wanted, query);
      t.ok(hit !== undefined && hit.score > 0 && hit.score < 1, `${query} scores below 1`);
    }
  });

  await part('a misspelt name is found, below an exact match', async (t, { store }) => {
    await store.transact(base, people);
    for (const [query, wanted] of [['Albert Einstien', 'Albert Einstein'], ['Albret Einstein', 'Albert Einstein'], ['Marie Cuire', 'Marie Curie'], ['Rene Decartes', 'René Descartes'], ['The Matirx', 'The Matrix'], ['Bejing', 'Q956'], ['Upstream Colour', 'Upstream Color']]) {
      const hit = await best(store, query);
      t.equal(hit?.entity.id, wanted, query);
      t.ok(hit !== undefined && hit.score > 0 && hit.score < 1, `${query} scores below 1`);
    }
    const misspelt = (await best(store, 'Albert Einstien'))?.score ?? 0;
    t.ok(misspelt > ((await best(store, 'Albert Xinstxien'))?.score ?? 0), 'more mistakes score less');
  });

  await part('hits come best first, each entity once, at most as many as asked for', async (t, { store }) => {
    await store.transact(base, [
      ...Array.from({ length: 60 }, (_, n) => describe(`Albert ${n}`, { aliases: [`Albert Einst ${n}`] })),
      ...people,
      ...Array.from({ length: 60 }, (_, n) => assert(`Alberta ${n}`, 'near', `Einsteinium ${n}`)),
    ]);
    for (const query of ['Albert Einstein', 'Albert Einstien', 'Albert', 'einst']) {
      const hits = await store.search(base, query, { limit: 50 });
      t.ok(hits.length > 0 && hits.length <= 50, query);
      t.equal(new Set(hits.map((hit) => hit.entity.id)).size, hits.length, 'each entity once');
      t.same(hits.map((hit) => hit.score), hits.map((hit) => hit.score).sort((a, b) => b - a), 'best first');
      t.ok(hits.every((hit) => hit.score > 0 && hit.score <= 1));
      t.ok(hits.every((hit) => hit.matched === hit.entity.label || hit.entity.aliases.some((alias) => alias.text === hit.matched)), 'what matched is a name of the entity');
      t.same((await store.search(base, query, { limit: 1 })).map((hit) => hit.entity.id), [hits[0].entity.id]);
    }
    t.match(await best(store, 'Albert Einstien'), { entity: { id: 'Albert Einstein' } }, 'among many that look like it');
    t.match(await best(store, 'albert 17'), { entity: { id: 'Albert 17' }, score: 1 });
    t.match(await best(store, 'einsteinium 59'), { entity: { id: 'Einsteinium 59' }, score: 1 }, 'the object of a fact is an entity too');
  });

  await part('nothing is found for what is no name, and wildcards are plain characters', async (t, { store }) => {
    await store.transact(base, [...people, assert('Ulm', 'population', number(126_000)), assert('Ulm', 'motto', text('In Ulm'))]);
    for (const query of ['', '   ', '%', '_', '*', '"', '%%%', 'zzqqxxjj', '\u0000', '()', ':', '^', '126000', 'In Ulm, um Ulm und um Ulm herum'.repeat(200)]) {
      const hits = await store.search(base, query);
      t.notOk(hits.some((hit) => hit.score === 1), JSON.stringify(query.slice(0, 20)));
    }
    for (const query of ['', '%', '_', '*', '"', '%%%', 'zzqqxxjj']) t.same(await store.search(base, query), [], JSON.stringify(query));
    for (const query of ['Albert" OR "1', 'NOT', 'AND', 'NEAR(Albert Einstein)', 'name:Albert', 'Albert*', "O'Hara", 'a AND (b', 'Albert \\ Einstein', '~0.8', 'Albert^2'])
      t.ok(Array.isArray(await store.search(base, query)), `${query} is a name, not a query`);
  });

  await part('search sees one knowledge base, and what was told last', async (t, { store }) => {
    await store.transact(base, people);
    await store.transact(otherBase, [describe('Q9', { label: 'Albert Einstein Hospital', aliases: ['爱因斯坦医院'] })]);
    t.same((await store.search(otherBase, 'Albert Einstein')).map((hit) => hit.entity.id), ['Q9']);
    t.equal((await best(store, '爱因斯坦医院', otherBase))?.entity.id, 'Q9');
    t.notOk((await store.search(base, 'Albert Einstein Hospital')).some((hit) => hit.entity.id === 'Q9'));
    await store.transact(otherBase, [describe('Q9', { label: 'Clinic', aliases: [] })]);
    t.same((await store.search(otherBase, 'Albert Einstein Hospital')).filter((hit) => hit.score === 1), []);
    t.match(await best(store, 'clinic', otherBase), { entity: { id: 'Q9', label: 'Clinic' }, matched: 'Clinic', score: 1 });
    await store.transact(otherBase, [withdraw({})]);
    t.equal((await best(store, 'clinic', otherBase))?.entity.id, 'Q9', 'an entity that was described stays without facts');
  });

  await part('many names are looked up at once, by label, alias and id, after folding', async (t, { store }) => {
    await store.transact(base, [...people, describe('peking', {}), assert('Ulm', 'motto', text('In Ulm')), assert('Lost', 'in', 'Nowhere')]);
    await store.transact(otherBase, [describe('up', {})]);
    await store.transact(base, [withdraw({ subject: id('Lost') })]);
    const found = await store.named(base, ['UP', 'up', ' René  DESCARTES', 'Peking', '北京', 'q13', 'Albert', 'In Ulm', 'ulm', 'nobody', '', '%', 'Lost']);
    t.same(
      [...found].map(([name, hits]) => [name, hits.map((hit) => [hit.entity.id, hit.matched, hit.score])]).sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['peking', [['Q956', 'Peking', 1], ['peking', 'peking', 1]]],
        ['q13', [['Q13', 'Q13', 1]]],
        ['rene descartes', [['René Descartes', 'René Descartes', 1]]],
        ['ulm', [['Ulm', 'Ulm', 1]]],
        ['up', [['Up', 'Up', 1]]],
        ['北京', [['Q956', '北京', 1]]],
      ],
      'by folded name, in order of id',
    );
    t.same(found.get('up')?.[0].entity, { id: 'Up', label: 'Up', aliases: [], types: [] });
    await store.transact(base, [describe('Q956', { aliases: [] })]);
    t.same([...(await store.named(base, ['北京', 'beijing', 'Q956'])).keys()].sort(), ['beijing', 'q956'], 'a name that was taken away is found no more');
    await t.rejects(store.named(base, ['up'], { signal: AbortSignal.abort(new Error('left')) }));
  });
}
