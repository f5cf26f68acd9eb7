// Owns that many answers are weighed though together they rest on more uncertain facts than one function of them can have.
// Refuses to know any real store.

import t from 'tap';
import { AMPLE } from '../../helpers/proofs.ts';
import { BASE, open, triple } from '../../helpers/knowledge-world.ts';

const facts = Array.from({ length: 300 }, (_, i) => ({ ...triple(`x${i}`, 'e', `y${i}`), confidence: 0.5 }));
const rules = 't(?x, ?y) :- e(?x, ?y).';

for (const semantics of ['best', 'possibility', 'noisy_or', 'exact'] as const)
  t.test(`300 answers, each from one uncertain fact, by ${semantics}`, async (t) => {
    const { graph } = await open(t);
    const { answers } = await graph.deduce(BASE, { goal: 't(?x, ?y)', rules, facts, semantics, budget: AMPLE });
    t.equal(answers.length, 300);
    t.ok(answers.every(({ confidence }) => confidence === 0.5));
  });

const one = facts.map(({ relation, object }) => ({ ...triple('x', relation, object), confidence: 0.5 }));
t.test('one answer that rests on 300 uncertain facts has a possibility, and no exact probability', async (t) => {
  const { graph } = await open(t);
  const request = { goal: 'some(?x)', rules: 'some(?x) :- e(?x, ?y).', facts: one, budget: AMPLE };
  const { answers } = await graph.deduce(BASE, { ...request, semantics: 'possibility' });
  t.same(
    answers.map(({ confidence }) => confidence),
    [0.5],
  );
  for (const semantics of ['noisy_or', 'exact'] as const)
    await t.rejects(graph.deduce(BASE, { ...request, semantics }), { code: 'too_large', message: /more than 256 uncertain facts/u });
});
