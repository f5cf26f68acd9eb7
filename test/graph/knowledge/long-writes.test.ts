// Owns the promise that a long write lets others have their turn, and that who reads its base meanwhile sees all of it or nothing.
// Refuses to know in which pieces it is done.

import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { Test } from 'tap';
import { EmbeddedStore } from '../../../graph/embedded/store.ts';
import { KnowledgeGraph } from '../../../graph/knowledge.ts';
import { parseBaseName, parseRelationName } from '../../../graph/terms.ts';
import { BASE, say } from '../../helpers/knowledge-world.ts';

async function open(t: Pick<Test, 'teardown'>): Promise<KnowledgeGraph> {
  const graph = new KnowledgeGraph({ store: new EmbeddedStore({ file: ':memory:' }) });
  await graph.open();
  t.teardown(() => graph.close());
  return graph;
}

/** What `task` gives, and how often others had their turn meanwhile. */
async function beside<T>(task: Promise<T>, turn: () => Promise<unknown> = () => Promise.resolve()): Promise<readonly [T, number]> {
  const others = { turns: 0, over: false };
  const waiting = (async () => {
    for (; !others.over; others.turns++) {
      await turn();
      await setImmediate();
    }
  })();
  const result = await task.finally(() => void (others.over = true));
  await waiting;
  return [result, others.turns];
}

t.test('a whole relation is withdrawn in pieces, and nobody reads a part of it', async (t) => {
  const graph = await open(t);
  const other = parseBaseName('other');
  await graph.addRules(BASE, 'linked(?y, ?x) :- p(?x, ?y). number(all, ?n) :- ?n = count { ?x, ?y : p(?x, ?y) }.');
  const count = 20_000;
  await graph.tell(BASE, Array.from({ length: count }, (_, i) => say(`s${i % 500}`, 'p', `o${i}`)));
  await graph.tell(other, [say('a', 'p', 'b')]);
  const seen = new Set<unknown>();
  const budget = { answers: 1, facts: 10, ms: 10_000, depth: 10 };
  const read = (async () => {
    for (let i = 0; i < 3; i++) {
      const { answers } = await graph.deduce(BASE, { goal: 'number(all, ?n)', budget });
      for (const { bindings } of answers) seen.add(bindings['n'].kind === 'literal' ? bindings['n'].value : undefined);
      seen.add((await graph.relations(BASE)).find(({ name }) => name === 'p')?.facts ?? 0);
    }
  })();
  const [{ withdrawn, noLongerDerived }, turns] = await beside(graph.tell(BASE, [{ kind: 'withdraw', pattern: { relation: parseRelationName('p') } }]), () => graph.match(other, {}));
  await read;
  t.equal(withdrawn.length, count);
  t.equal(noLongerDerived, count + 1);
  t.ok(turns > 5, `${turns} readings of another base`);
  t.same([...seen.difference(new Set([0, count]))], [], 'all or nothing');
});

t.test('thousands of rules are stored in pieces, and so are changes beside them', async (t) => {
  const graph = await open(t);
  const count = 4_000;
  const text = Array.from({ length: count }, (_, i) => `p${i % 300}(?x, c${i}) :- q${i % 500}(?x, ?y), r(?y, ?z), not s(?z, _).`).join('\n');
  const [{ rules }, turns] = await beside(graph.addRules(BASE, text));
  t.equal(rules.length, count);
  t.ok(turns > 5, `${turns} turns`);
  const [checked, meanwhile] = await beside(graph.validateRules(BASE, text));
  t.ok(checked.valid && meanwhile > 2, `${meanwhile} turns`);
  const [, apart] = await beside(graph.removeRule(BASE, rules[7].id));
  t.ok(apart > 2, `${apart} turns`);
  t.equal((await graph.rules(BASE)).length, count - 1);
});
