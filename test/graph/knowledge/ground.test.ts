// Owns the three outcomes, what decides them, and their proofs: strong negation, functional, disjoint and closed relations, validity.
// Refuses to know any real store.

import t from 'tap';
import { literal } from '../../../graph/terms.ts';
import type { RelationName, Term, Triple } from '../../../graph/terms.ts';
import type { Proof, Rule } from '../../../graph/reason/types.ts';
import type { KnowledgeGraph } from '../../../graph/knowledge.ts';
import { pathRule, provePath } from '../../../src/answers/retrieve.ts';
import { mutations } from '../../helpers/proofs.ts';
import { seeded } from '../../helpers/random-programs.ts';
import { all, BASE, declare, named, node, open, say, triple, unsay } from '../../helpers/knowledge-world.ts';

/** Outcome, and whether the checker accepts the proof that comes with it. */
async function asked(graph: KnowledgeGraph, what: Triple): Promise<string> {
  const { outcome, proof, proofId } = await graph.ground(BASE, what);
  if (!proof || proofId === undefined) return outcome;
  const checked = await graph.checkProof(BASE, proof);
  return `${outcome}, ${checked.valid ? 'proved' : `WRONG: ${checked.reason}`}${JSON.stringify(graph.proof(BASE, proofId)) === JSON.stringify(proof) ? '' : ', NOT KEPT'}`;
}

t.test('a triple is entailed, refuted by what is known to be false, or neither; and so is its negation', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'mortal(?x) :- human(?x). -immortal(?x) :- mortal(?x).');
  await graph.tell(BASE, [say('Socrates', 'is a', 'human'), say('Zeus', 'is a', 'human', { negated: true }), say('Plato', 'knows', 'Socrates')]);
  const outcomes: Record<string, string> = {};
  for (const [subject, kind] of [
    ['Socrates', 'human'],
    ['Socrates', 'mortal'],
    ['Socrates', 'immortal'],
    ['Zeus', 'human'],
    ['Zeus', 'mortal'],
    ['nobody', 'mortal'],
  ])
    for (const negated of [false, true]) outcomes[`${negated ? '-' : ''}${subject} ${kind}`] = await asked(graph, triple(subject, 'is a', kind, negated));
  t.same(outcomes, {
    'Socrates human': 'entailed, proved',
    '-Socrates human': 'refuted, proved',
    'Socrates mortal': 'entailed, proved',
    '-Socrates mortal': 'refuted, proved',
    'Socrates immortal': 'refuted, proved',
    '-Socrates immortal': 'entailed, proved',
    'Zeus human': 'refuted, proved',
    '-Zeus human': 'entailed, proved',
    'Zeus mortal': 'not_entailed',
    '-Zeus mortal': 'not_entailed',
    'nobody mortal': 'not_entailed',
    '-nobody mortal': 'not_entailed',
  });
  t.equal(await asked(graph, triple('Plato', 'knows', 'Socrates')), 'entailed, proved', 'a fact that no rule is about');
  await graph.tell(BASE, [unsay('Socrates', 'is a', 'human')]);
  t.equal(await asked(graph, triple('Socrates', 'is a', 'mortal')), 'not_entailed');
});

t.test('another object of a functional relation refutes, whether it is stored or derived', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('born in', { functional: true }),
    say('Einstein', 'born in', 'Ulm', { confidence: 0.8 }),
    say('Einstein', 'lived in', 'Bern'),
  ]);
  t.equal(await asked(graph, triple('Einstein', 'born in', 'Ulm')), 'entailed, proved');
  t.equal(await asked(graph, triple('Einstein', 'born in', 'Bern')), 'refuted, proved');
  t.equal(await asked(graph, triple('Einstein', 'born in', 'Bern', true)), 'entailed, proved');
  t.equal(await asked(graph, triple('Einstein', 'lived in', 'Ulm')), 'not_entailed');
  t.equal((await graph.ground(BASE, triple('Einstein', 'born in', 'Bern'))).proof?.confidence, 0.8);
  await graph.addRules(BASE, '"born in"(?x, ?y) :- native(?x, ?y).');
  await graph.tell(BASE, [say('Curie', 'native', 'Warsaw')]);
  t.equal(await asked(graph, triple('Curie', 'born in', 'Paris')), 'refuted, proved');
  const { proof } = await graph.ground(BASE, triple('Curie', 'born in', 'Paris'));
  await graph.tell(BASE, [declare('born in', {})]);
  t.equal(await asked(graph, triple('Curie', 'born in', 'Paris')), 'not_entailed');
  t.match(await graph.checkProof(BASE, proof as Proof), { valid: false });
});

t.test('disjoint relations refute each other, in whichever direction they are declared', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('parent of', { disjointWith: ['child of'] }), say('a', 'parent of', 'b'), say('c', 'child of', 'd')]);
  t.equal(await asked(graph, triple('a', 'child of', 'b')), 'refuted, proved');
  t.equal(await asked(graph, triple('c', 'parent of', 'd')), 'refuted, proved');
  t.equal(await asked(graph, triple('b', 'child of', 'a')), 'not_entailed');
  t.equal(await asked(graph, triple('c', 'parent of', 'd', true)), 'entailed, proved');
  await graph.tell(BASE, [say('a', 'child of', 'b')]);
  for (const negated of [false, true]) t.equal(await asked(graph, triple('a', 'parent of', 'b', negated)), 'entailed, proved', 'of a contradiction both sides');
});

t.test('what is not known of a closed relation is false, and its absence is the proof', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, '"flies to"(?x, ?z) :- "flies to"(?x, ?y), "flies to"(?y, ?z).');
  await graph.tell(BASE, [
    declare('flies to', { closed: true }),
    declare('age', { closed: true }),
    say('Ulm', 'flies to', 'Bern'),
    say('Bern', 'flies to', 'Rome'),
    say('Ann', 'age', literal(3)),
  ]);
  t.equal(await asked(graph, triple('Ulm', 'flies to', 'Rome')), 'entailed, proved');
  t.equal(await asked(graph, triple('Rome', 'flies to', 'Ulm')), 'refuted, proved');
  t.equal(await asked(graph, triple('Ann', 'age', literal(4))), 'refuted, proved');
  t.equal(await asked(graph, triple('Ann', 'age', literal('3'))), 'refuted, proved', 'the text 3 is not the number');
  const { proof } = await graph.ground(BASE, triple('Rome', 'flies to', 'Ulm'));
  await graph.tell(BASE, [say('Rome', 'flies to', 'Ulm')]);
  t.match(await graph.checkProof(BASE, proof as Proof), { valid: false, reason: /is not absent/ });
});

t.test('of a closed relation nothing is concluded when the rules reached a limit', async (t) => {
  const { graph } = await open(t, { limits: { standing: { answers: 10, facts: 5, ms: 10_000, depth: 100 } } });
  await graph.addRules(BASE, 'near(?x, ?z) :- near(?x, ?y), near(?y, ?z).');
  const { partial } = await graph.tell(BASE, [declare('near', { closed: true }), ...Array.from({ length: 9 }, (_, i) => say(`n${i}`, 'near', `n${i + 1}`))]);
  t.equal(partial, 'facts');
  t.strictSame(await graph.ground(BASE, triple('n9', 'near', 'n0')), { outcome: 'not_entailed', partial: 'facts' });
  t.match(await graph.bases(), [{ derived: 5, partial: 'facts' }]);
  t.equal(
    (await graph.tell(BASE, [unsay('n4', 'near', 'n5'), unsay('n2', 'near', 'n3'), unsay('n7', 'near', 'n8')])).partial,
    undefined,
    'what fits again is complete again',
  );
  t.match(await graph.ground(BASE, triple('n9', 'near', 'n0')), { outcome: 'refuted' });
});

t.test('confidence is the greatest product over all proofs, and the proof shown has it', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, '@confidence(0.5) likes(?x, ?y) :- follows(?x, ?y). likes(?x, ?z) :- likes(?x, ?y), likes(?y, ?z).');
  await graph.tell(BASE, [say('a', 'follows', 'c'), say('a', 'likes', 'b', { confidence: 0.9 }), say('b', 'likes', 'c', { confidence: 0.8 })]);
  const { proof } = await graph.ground(BASE, triple('a', 'likes', 'c'));
  t.equal(proof?.confidence, 0.9 * 0.8);
  t.match(await graph.checkProof(BASE, proof as Proof), { valid: true, nodes: 3 });
  await graph.tell(BASE, [unsay('b', 'likes', 'c')]);
  t.equal((await graph.ground(BASE, triple('a', 'likes', 'c'))).proof?.confidence, 0.5);
});

t.test('a fact holds from the beginning of its validity to its end, and whoever listens is told', async (t) => {
  let now = Date.parse('2024-01-01T00:00:00Z');
  const { graph, events } = await open(t, { now: () => now });
  await graph.addRules(BASE, 'leads(?x, ?y) :- "head of"(?x, ?y).');
  await graph.tell(BASE, [
    say('Ann', 'head of', 'Lab', { validFrom: '2024-02-01', validTo: '2024-03-01' }),
    say('Bob', 'guest of', 'Lab', { validTo: '2024-02-15' }),
  ]);
  const state = async (): Promise<string[]> => [await asked(graph, triple('Ann', 'leads', 'Lab')), await asked(graph, triple('Bob', 'guest of', 'Lab'))];
  t.same(await state(), ['not_entailed', 'entailed, proved']);
  const told = (): string[] =>
    events.splice(0).flatMap(({ added, removed }) => [...added.map(({ relation }) => `+${relation}`), ...removed.map(({ relation }) => `-${relation}`)]);
  told();
  now = Date.parse('2024-02-01T00:00:00Z');
  t.same(await state(), ['entailed, proved', 'entailed, proved']);
  t.same(told(), ['+head of', '+leads']);
  const { proof } = await graph.ground(BASE, triple('Ann', 'leads', 'Lab'));
  now = Date.parse('2024-03-01T00:00:00Z');
  t.match(await graph.checkProof(BASE, proof as Proof), { valid: false, reason: /not in force/ });
  t.same(await state(), ['not_entailed', 'not_entailed']);
  t.same(told().toSorted(), ['-guest of', '-head of', '-leads']);
});

t.test('a proof larger than the limits is not given out, and the outcome stands', async (t) => {
  const { graph } = await open(t, { limits: { proofNodes: 20 } });
  await graph.addRules(BASE, 'reach(?x, ?y) :- next(?x, ?y). reach(?x, ?z) :- next(?x, ?y), reach(?y, ?z).');
  await graph.tell(
    BASE,
    Array.from({ length: 30 }, (_, i) => say(`n${i}`, 'next', `n${i + 1}`)),
  );
  t.strictSame(await graph.ground(BASE, triple('n0', 'reach', 'n30')), { outcome: 'entailed' });
  t.equal(await graph.prove(BASE, triple('n0', 'reach', 'n30')), undefined);
  t.equal(await asked(graph, triple('n0', 'reach', 'n5')), 'entailed, proved');
});

t.test('kept proofs have the id of their content, belong to their base, and the least used fall first', async (t) => {
  const { graph } = await open(t, { limits: { proofBytes: 4_000 } });
  await graph.tell(
    BASE,
    Array.from({ length: 30 }, (_, i) => say('s', 'p', `o${i}`)),
  );
  const proofs = (await all(graph, { relation: named('p') })).map((fact): Proof => ({
    kind: 'fact',
    conclusion: triple('s', 'p', fact.object),
    confidence: 1,
    fact,
  }));
  const ids = proofs.map((proof) => graph.keepProof(BASE, proof));
  t.match(ids[0], /^p_[0-9a-f]{24}$/);
  t.equal(graph.keepProof(BASE, structuredClone(proofs[0])), ids[0]);
  t.equal(new Set(ids).size, 30);
  const left = ids.filter((id) => graph.proof(BASE, id) !== undefined);
  t.ok(left.length >= 3 && left.length < 15, `${left.length} of 30 fit`);
  t.equal(left.at(-1), ids.at(-1));
  t.strictSame(graph.proof(BASE, ids[29]), proofs[29]);
  t.equal(graph.proof('other' as typeof BASE, ids[29]), undefined);
});

t.test('the definition of a path passes the checker as such, and as nothing else', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'ancestor(?x, ?y) :- parent(?x, ?y). ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).');
  await graph.tell(BASE, [
    say('ann', 'parent', 'bob'),
    say('bob', 'parent', 'cid'),
    say('bob', 'born in', 'Ulm', { confidence: 0.9 }),
    say('eve', 'born in', 'Ulm'),
    say('ann', 'age', literal(40)),
    say('eve', 'age', literal(40)),
  ]);
  const step = (name: string): { relation: RelationName; inverse: boolean } => ({ relation: named(name.replace('~', '')), inverse: name.startsWith('~') });
  const walks: readonly (readonly [start: Term, steps: readonly string[]])[] = [
    [node('ann'), ['parent', 'born in']],
    [node('ann'), ['ancestor', 'born in', '~born in']],
    [node('ann'), ['age', '~age']],
    [node('Ulm'), ['~born in', '~ancestor']],
    [literal(40), ['~age', 'parent']],
    [node('cid'), ['~parent', '~parent']],
  ];
  let [proofs, wrong] = [0, 0];
  for (const [start, steps] of walks) {
    const path = steps.map(step);
    const results = await graph.follow(BASE, start, path);
    t.ok(results.length > 0, steps.join('/'));
    for (const result of results) {
      const proof = (await provePath(graph, BASE, start, path, result)) as Proof;
      t.match(proof, { kind: 'rule', rule: { id: /^path:/ } });
      t.match(await graph.checkProof(BASE, proof), { valid: true }, steps.join('/'));
      proofs++;
      for (const changed of mutations(proof, seeded(proofs))) {
        wrong++;
        if ((await graph.checkProof(BASE, changed)).valid) t.fail(`accepted ${JSON.stringify(changed)}`);
      }
    }
  }
  t.ok(proofs >= 6 && wrong > 100, `${wrong} changed ones of ${proofs}`);

  const results = await graph.follow(BASE, node('ann'), [step('parent'), step('born in')]);
  const proof = (await provePath(graph, BASE, node('ann'), [step('parent'), step('born in')], results[0])) as Proof & { kind: 'rule' };
  const rule = pathRule([step('parent'), step('born in')]);
  const forged: Partial<Rule>[] = [
    { id: 'path:parent' },
    { name: 'a law of nature' },
    { say: '{x0} was born in {x2}' },
    { confidence: 0.9 },
    { text: 'ancestor(?x, ?y) :- parent(?x, ?y).' },
    { heads: [{ ...rule.heads[0], relation: named('born in') }] },
    { heads: [{ ...rule.heads[0], negated: true }] },
    { body: [rule.body[0], { ...rule.body[1], negated: true }] },
  ];
  for (const change of forged) t.match(await graph.checkProof(BASE, { ...proof, rule: { ...rule, ...change } }), { valid: false }, JSON.stringify(change));
  t.match(await graph.checkProof(BASE, proof), { valid: true });
  await graph.tell(BASE, [say('x', 'parent/born in', 'y')]);
  t.match(await graph.checkProof(BASE, proof), { valid: false }, 'a name that means something else defines no path');
});
