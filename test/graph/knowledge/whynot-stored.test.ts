// Owns that the reasons why something does not follow tell of what is stored in vain, and of what goes round in a circle last.
// Refuses to know any real store.

import t from 'tap';
import { whyNotJson, whyNotMarkdown } from '../../../graph/knowledge/questions/render-whynot.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { BASE, declare, open, say, triple } from '../../helpers/knowledge-world.ts';

const ask = { budget: AMPLE };

t.test('a fact whose time is over is said to be stored and not in force', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [say('a', 'p', 'b', { validTo: '2020' })]);
  await graph.addRules(BASE, 'q(?x) :- p(?x, b).');
  const direct = await graph.whyNot(BASE, { goal: 'p(a, b)', ...ask });
  t.equal(direct.reasons?.stored, 'not_in_force');
  t.equal(whyNotMarkdown(direct), '**`p(a, b)` does not follow**, stored, but not in force\n\nNo rule concludes it.\n');
  const behind = await graph.whyNot(BASE, { goal: 'q(a)', ...ask });
  t.match(whyNotJson(behind).reasons?.attempts[0].conditions, [{ kind: 'missing', condition: 'p(a, b)', stored: 'not_in_force' }]);
  t.match(whyNotMarkdown(behind), /missing: `p\(a, b\)`, stored, but not in force/u);
  t.match(whyNotMarkdown(behind, 'zh'), /已存储，但不在有效期内/u);
  const neither = await graph.whyNot(BASE, { goal: 'p(a, c)', ...ask });
  t.equal(neither.reasons?.stored, undefined);
  t.match(whyNotMarkdown(neither), /It is not stored, and no rule concludes it/u);
});

t.test('a fact that a conflict policy overrules is said to be', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('born', { functional: true }), say('e', 'born', 'ulm', { confidence: 0.9 }), say('e', 'born', 'rome', { confidence: 0.5 })]);
  await graph.setConflictPolicies(BASE, { default: { policy: 'confident' } });
  const { outcome, reasons } = await graph.whyNot(BASE, { goal: 'born(e, rome)', ...ask });
  t.equal(outcome, 'refuted');
  t.equal(reasons?.stored, 'overruled');
  const without = await graph.whyNot(BASE, { goal: 'born(e, ulm)', removed: [triple('e', 'born', 'ulm')], ...ask });
  t.equal(without.reasons?.stored, undefined);
});

t.test('an attempt that lacks the goal itself comes last', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('anc', { transitive: true }), say('a', 'anc', 'a'), say('a', 'anc', 'b')]);
  const { reasons } = await graph.whyNot(BASE, { goal: 'anc(a, d)', depth: 1, ...ask });
  const missing = reasons?.attempts.map(({ conditions }) => conditions.flatMap(({ kind, item }) => (kind === 'missing' && 'subject' in item && item.subject.kind === 'entity' ? [item.subject.id] : [])));
  t.same(missing, [['b'], ['a']]);
});
