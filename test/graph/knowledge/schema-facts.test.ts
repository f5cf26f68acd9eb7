// Owns that what rule sets conclude from a schema is as sure as its facts and holds when they do, now, later and at other times, with proofs that name them.
// Refuses to know how the rules are written out.

import t from 'tap';
import { RULE_SETS } from '../../../graph/knowledge.ts';
import type { DeduceRequest, DeduceResult } from '../../../graph/knowledge.ts';
import { proofMarkdown } from '../../../graph/reason/proofs/render.ts';
import { all, BASE, open, say, texts, triple, unsay } from '../../helpers/knowledge-world.ts';
import type { World } from '../../helpers/knowledge-world.ts';

const budget = { answers: 1000, facts: 100_000, ms: 20_000, depth: 100 };
const ask = ({ graph }: Pick<World, 'graph'>, goal: string, more: Partial<DeduceRequest> = {}): Promise<DeduceResult> => graph.deduce(BASE, { goal, budget, ...more });
const rounded = (confidence: number | undefined): number | undefined => confidence && Math.round(confidence * 1e9) / 1e9;
const surely = async (world: World, goal: string, more: Partial<DeduceRequest> = {}): Promise<number | undefined> => rounded((await ask(world, goal, more)).answers[0]?.confidence);

for (const set of RULE_SETS) {
  t.test(`${set}: what follows from a schema is as sure as the schema, by every semantics, and its proof names who said so`, async (t) => {
    const world = await open(t);
    const { graph } = world;
    await graph.useRuleSet(BASE, set);
    await graph.tell(BASE, [
      say('A', 'subclass of', 'B', { confidence: 0.5, source: 'wiki' }),
      say('B', 'subclass of', 'C'),
      say('x', 'is a', 'A'),
      say('p', 'domain', 'D', { confidence: 0.4 }),
      say('p', 'range', 'E', { confidence: 0.3 }),
      say('p', 'subproperty of', 'q', { confidence: 0.2 }),
      say('x', 'p', 'y'),
    ]);
    for (const semantics of ['best', 'noisy_or', 'possibility', 'exact'] as const)
      t.same(
        await Promise.all(['B(x)', 'C(x)', 'D(x)', 'E(y)', 'q(x, y)'].map((goal) => surely(world, goal, { semantics }))),
        [0.5, 0.5, 0.4, 0.3, 0.2],
        semantics,
      );
    const { answers } = await ask(world, 'B(x)');
    const proof = graph.proof(BASE, answers[0].proofId ?? '');
    t.match(proof && proofMarkdown(proof, 'en'), /A — subclass of → B \(stored fact `[^`]+`, source: wiki, confidence 0\.5\)/u);
    t.match(proof && (await graph.checkProof(BASE, proof)), { valid: true });
    const { setRules } = await graph.ruleBook(BASE);
    t.match(
      setRules.filter(({ name }) => name?.startsWith('rdfs9')).map(({ text }) => text),
      [/:- A\(\?x\), "subclass of"\(A, B\)\.$/u, /C\(\?x\) :- B\(\?x\)\.$/u],
      'what is certain is said by the rule alone',
    );
    await graph.tell(BASE, [say('A', 'subclass of', 'B', { source: 'book' })]);
    t.equal(await surely(world, 'C(x)'), 1, 'somebody says it for certain');
    await graph.tell(BASE, [unsay('A', 'subclass of', 'B', { source: 'book' })]);
    t.equal(await surely(world, 'C(x)'), 0.5, 'and no longer');
  });

  t.test(`${set}: what follows from a schema holds when the schema does, now, later and at other times`, async (t) => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const world = await open(t, { now: () => now });
    const { graph, events } = world;
    await graph.useRuleSet(BASE, set);
    await graph.tell(BASE, [
      say('A', 'subclass of', 'B', { validFrom: '2015' }),
      say('x', 'is a', 'A', { validFrom: '2000' }),
      say('B', 'subclass of', 'C', { validTo: '2020' }),
      say('A', 'subclass of', 'D', { validFrom: '2030' }),
      say('z', 'is a', 'B'),
    ]);
    const { answers } = await ask(world, 'B(x)');
    t.match(answers, [{ validFrom: '2015' }]);
    t.equal((await ask(world, 'B(x)', { validAt: '2010-01-01T00:00:00Z' })).outcome, 'not_entailed');
    t.equal((await ask(world, 'C(x)')).outcome, 'not_entailed');
    t.equal((await ask(world, 'C(x)', { validAt: '2010-01-01T00:00:00Z' })).outcome, 'not_entailed');
    const then = await ask(world, 'C(z)', { validAt: '2010-01-01T00:00:00Z' });
    t.match(then, { outcome: 'entailed', answers: [{ validTo: '2020' }] });
    const proof = graph.proof(BASE, then.answers[0].proofId ?? '');
    t.match(proof && (await graph.checkProof(BASE, proof, { validAt: '2010-01-01T00:00:00Z' })), { valid: true });
    t.match(proof && (await graph.checkProof(BASE, proof)), { valid: false });
    t.match(await ask(world, 'C(x)', { validAt: '2016-01-01T00:00:00Z' }), { outcome: 'entailed', answers: [{ validFrom: '2015', validTo: '2020' }] });
    t.match(await ask(world, 'D(?x)', { validAt: '2031-01-01T00:00:00Z' }), { outcome: 'entailed', answers: [{ validFrom: '2030' }] });
    const everything = await graph.deduce(BASE, { validAt: '2016-01-01T00:00:00Z', budget });
    t.same(texts(everything.answers.map((answer) => answer.triple)), ['is a(x, B)', 'is a(x, C)', 'is a(z, C)', 'subclass of(A, C)']);
    events.length = 0;
    now = Date.parse('2031-01-01T00:00:00Z');
    await graph.current(BASE);
    t.match(await all(graph, triple('x', 'is a', 'D')), [{ derived: true }], 'what begins is followed');
    t.ok(events.some(({ added }) => texts(added).includes('is a(x, D)')));
  });
}

t.test('OWL 2 RL: what comes by properties, restrictions and lists is as sure as all that says so', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.useRuleSet(BASE, 'owl2-rl');
  await graph.tell(BASE, [
    say('f', 'is a', 'functional property', { confidence: 0.5 }),
    say('a', 'f', 'b'),
    say('a', 'f', 'c'),
    say('R', 'on property', 'p', { confidence: 0.5 }),
    say('R', 'some values from', 'thing', { confidence: 0.8 }),
    say('m', 'p', 'n'),
    say('U', 'union of', 'V', { confidence: 0.6 }),
    say('U', 'union of', 'W'),
    say('v', 'is a', 'V'),
    say('w', 'is a', 'W'),
    say('L', 'union of', 'l0'),
    say('l0', 'first of list', 'M'),
    say('l0', 'rest of list', 'l1', { confidence: 0.9 }),
    say('l1', 'first of list', 'N', { confidence: 0.5 }),
    say('l1', 'rest of list', 'empty list'),
    say('o', 'is a', 'M'),
    say('u', 'is a', 'N'),
    say('dog', 'disjoint with', 'cat', { confidence: 0.7, source: 'zoo' }),
    say('tom', 'is a', 'cat'),
  ]);
  t.same(
    await Promise.all(['"same as"(b, c)', 'R(m)', 'U(v)', 'U(w)', 'L(o)', 'L(u)'].map((goal) => surely(world, goal))),
    [0.5, 0.4, 0.6, 1, 1, 0.45],
  );
  const refuted = await ask(world, 'dog(tom)');
  t.match(refuted, { outcome: 'refuted', refutation: { confidence: 0.7 } });
  const proof = graph.proof(BASE, refuted.refutation?.proofId ?? '');
  t.match(proof && proofMarkdown(proof, 'en'), /source: zoo/u);
  await graph.tell(BASE, [say('tom', 'is a', 'dog')]);
  t.match(await graph.contradictions(BASE), { contradictions: [{ rule: { name: 'cax-dw: "dog" and "cat" are disjoint' } }] });
});

t.test('schema that rules derive is among what follows from it rests on', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.useRuleSet(BASE, 'rdfs');
  await graph.addRules(BASE, '"subclass of"(?a, ?b) :- "kind of"(?a, ?b).');
  await graph.tell(BASE, [say('A', 'kind of', 'B', { confidence: 0.5, validFrom: '2015', source: 'wiki' }), say('x', 'is a', 'A')]);
  const { answers } = await ask(world, 'B(x)');
  t.match(answers, [{ confidence: 0.5, validFrom: '2015' }]);
  const proof = graph.proof(BASE, answers[0].proofId ?? '');
  t.match(proof && proofMarkdown(proof, 'en'), /source: wiki/u);
  t.equal((await ask(world, 'B(x)', { validAt: '2010-01-01T00:00:00Z' })).outcome, 'not_entailed');
  await graph.tell(BASE, [say('A', 'kind of', 'C', { validTo: '2012' })]);
  t.equal((await ask(world, 'C(x)', { validAt: '2010-01-01T00:00:00Z' })).outcome, 'entailed');
  t.equal((await ask(world, 'C(x)')).outcome, 'not_entailed');
});

t.test('where asking for uncertain schema would make negation run in a circle, the rules stand without it', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.useRuleSet(BASE, 'rdfs');
  await graph.addRules(BASE, '"subclass of"(?a, ?b) :- "kind of"(?a, ?b), not hidden(?a).');
  await graph.tell(BASE, [say('A', 'subclass of', 'hidden', { confidence: 0.5 }), say('x', 'is a', 'A'), say('A', 'kind of', 'B')]);
  t.equal((await ask(world, 'hidden(x)')).outcome, 'entailed');
  t.equal((await ask(world, 'B(x)')).outcome, 'entailed');
});
