// Owns the rules of earlier versions: they outlive the process, come back as a new version, and only where they can stand.
// Refuses HTTP.

import t from 'tap';
import { KnowledgeGraph } from '../../../graph/knowledge.ts';
import { EmbeddedStore } from '../../../graph/embedded/store.ts';
import { ruleVersions } from '../../../graph/knowledge/bases/rule-history.ts';
import { all, BASE, declare, open, say } from '../../helpers/knowledge-world.ts';
import { seeded } from '../../helpers/random-programs.ts';
import { freshFile } from '../../helpers/store-embedded.ts';

t.test('what was ruled in an earlier version is known after the process ended, and is restored with what follows', async (t) => {
  const file = await freshFile(t);
  const start = async (): Promise<KnowledgeGraph> => {
    const graph = new KnowledgeGraph({ store: new EmbeddedStore({ file }) });
    await graph.open();
    return graph;
  };
  let graph = await start();
  const { rules: [rule] } = await graph.addRules(BASE, '@name("first") @say("{x} is first") p(?x, ?y) :- q(?x, ?y).');
  await graph.setConflictPolicies(BASE, { default: { policy: 'newest' } });
  await graph.tell(BASE, [say('a', 'q', 'b')]);
  await graph.removeRule(BASE, rule.id);
  await graph.addRules(BASE, 'r(?x, ?y) :- q(?x, ?y).');
  await graph.close();

  graph = await start();
  t.teardown(() => graph.close());
  t.same((await graph.ruleVersions(BASE)).map(({ version, added, removed, rules }) => [version, added, removed, rules]), [
    [5, 1, 0, 1],
    [4, 0, 1, 0],
    [1, 1, 0, 1],
  ]);
  t.same((await graph.ruleBook(BASE, 3)).rules, [rule], 'with its name and sentence');
  const events: string[][] = [];
  graph.subscribe(({ added, removed }) => void events.push([...added.map(({ relation }) => `+${relation}`), ...removed.map(({ relation }) => `-${relation}`)]));
  t.match(await graph.restoreRules(BASE, 1), { added: [rule], removed: [{ text: 'r(?x, ?y) :- q(?x, ?y).' }], derived: 1, noLongerDerived: 1, version: 6 });
  t.same(events, [['+p', '-r']], 'listeners hear of what came and went');
  t.same((await all(graph, {}, { derived: 'only' })).map(({ relation }) => relation), ['p']);
  t.match(await graph.conflictPolicies(BASE), { default: { policy: 'newest' } }, 'policies are no rules');
  await graph.restoreRules(BASE, 0);
  t.same(await graph.rules(BASE), []);
  await t.rejects(graph.restoreRules(BASE, 8), { code: 'unknown_version', field: 'version' });
  await t.rejects(graph.ruleBook(BASE, 99), { code: 'unknown_version' });
  t.same(await graph.ruleVersions('never' as typeof BASE), []);
});

t.test('rules that cannot stand beside what is declared now are not restored, and nothing is written', async (t) => {
  const { graph } = await open(t);
  const { rules: [rule] } = await graph.addRules(BASE, 'p(?x, ?y) :- q(?x, ?y), not r(?x, ?y).');
  await graph.removeRule(BASE, rule.id);
  const { version } = await graph.tell(BASE, [declare('p', { subPropertyOf: ['r'] })]);
  await t.rejects(graph.restoreRules(BASE, 1), { code: 'unstratifiable' });
  t.same(await graph.rules(BASE), []);
  t.equal((await graph.ruleBook(BASE)).version, version);
  await graph.tell(BASE, [declare('p')]);
  t.same((await graph.restoreRules(BASE, 1)).added, [rule]);
});

t.test('the listing of versions agrees with what was ruled in each, and takes no longer where there are many rules', async (t) => {
  const { graph, store } = await open(t);
  const random = seeded(5);
  const text = (i: number): string => `p${i}(?x, ?y) :- q(?x, ?y).`;
  for (let step = 0; step < 60; step++) {
    const roll = random.next();
    if (roll < 0.5) await graph.addRules(BASE, Array.from({ length: 1 + random.below(3) }, () => text(random.below(12))).join(' '));
    else if (roll < 0.7) {
      const rules = await graph.rules(BASE);
      if (rules.length > 0) await graph.removeRule(BASE, random.pick(rules).id);
    } else if (roll < 0.85) await graph.useRuleSet(BASE, 'rdfs', random.next() < 0.5);
    else if (roll < 0.95) await graph.restoreRules(BASE, random.below((await graph.ruleBook(BASE)).version + 1));
    else await graph.setConflictPolicies(BASE, { default: { policy: random.pick(['newest', 'keep']) } });
    if (step % 10 !== 9) continue;
    const listed = await graph.ruleVersions(BASE);
    let older: ReadonlySet<string> = new Set();
    for (const { version, rules, ruleSets, added, removed } of listed.toReversed()) {
      const then = await graph.ruleBook(BASE, version);
      const ids = new Set(then.rules.map(({ id }) => id));
      t.same([rules, ruleSets, added, removed], [ids.size, then.ruleSets, ids.difference(older).size, older.difference(ids).size], `version ${version}`);
      older = ids;
    }
    t.equal(await graph.ruleVersions(BASE), listed, 'nothing changed since');
  }
  t.ok((await graph.ruleVersions(BASE)).length > 25);
  t.same(ruleVersions(await store.ruleHistory(BASE)), await graph.ruleVersions(BASE), 'the documents say no more');

  const many = Array.from({ length: 200_000 }, (_, i) => ({ id: `r_${i}`, document: '' }));
  const changes = Array.from({ length: 1_000 }, (_, i) => ({ version: 1_000 - i, at: '2025-01-01', id: `r_${i}` }));
  // A copy of all rules for each version would not end before the test's time is over.
  const [latest, ...others] = ruleVersions({ version: 1_000, from: 0, rules: many, changes });
  t.match([latest, others.at(-1)], [{ rules: 200_000, added: 1 }, { rules: 199_001 }]);
});
