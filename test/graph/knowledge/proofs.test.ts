// Owns the behaviour of the store of proofs: ids by content, parts kept once, bytes that come back, and all proofs of a long reply at hand.
// Refuses to know any real store.

import t from 'tap';
import { ProofStore } from '../../../graph/knowledge/worlds/proofs.ts';
import { makeRule } from '../../../graph/reason/language/print.ts';
import type { Proof, Rule } from '../../../graph/reason/types.ts';
import { BASE, named, node, open, say, triple } from '../../helpers/knowledge-world.ts';

const given = (i: number): Proof => ({ kind: 'given', conclusion: triple(`n${i}`, 'next', `n${i + 1}`), confidence: 1 });
const variable = (name: string): { kind: 'variable'; name: string } => ({ kind: 'variable', name });
const made = (): Rule => makeRule({ heads: [{ relation: named('reach'), subject: variable('x'), object: variable('y') }], body: [{ relation: named('next'), subject: variable('x'), object: variable('y') }] });
/** A chain in which each proof rests on the one before. */
function chain(length: number): Proof[] {
  const rule = made();
  const proofs: Proof[] = [given(0)];
  for (let i = 1; i < length; i++)
    proofs.push({ kind: 'rule', conclusion: triple('n0', 'reach', `n${i + 1}`), confidence: 1, rule, bindings: { x: node('n0'), y: node(`n${i + 1}`) }, premises: [proofs[i - 1], given(i)] });
  return proofs;
}

t.test('parts that proofs share are kept once, and their bytes come back when the last proof falls', (t) => {
  const store = new ProofStore(100_000_000);
  const proofs = chain(200);
  store.keep(BASE, proofs[199]);
  const one = store.bytes;
  const ids = proofs.map((proof) => store.keep(BASE, proof));
  t.ok(store.bytes - one < 199 * 129, `${store.bytes - one} bytes for 199 more proofs, all of them parts of the first`);
  t.equal(new Set(ids).size, 200);
  t.strictSame(ids.map((id) => store.get(id)?.proof), proofs);
  t.same(chain(200).map((proof) => store.keep(BASE, proof)), ids, 'the same content has the same id');
  t.not(store.keep('other' as typeof BASE, proofs[5]), ids[5]);
  store.clear();
  t.equal(store.bytes, 0);
  t.end();
});

t.test('the bound holds whatever is shared, and a proof that falls takes nothing from those that stay', (t) => {
  const store = new ProofStore(30_000);
  const proofs = chain(60);
  const ids = proofs.map((proof) => store.keep(BASE, proof));
  const left = ids.map((id, i) => [i, store.get(id)] as const).filter(([, kept]) => kept);
  t.ok(store.bytes <= 30_000 && store.bytes > 10_000, `${store.bytes} bytes`);
  t.ok(left.length > 0 && left.length < 60, `${left.length} of 60`);
  for (const [i, kept] of left) t.strictSame(kept?.proof, proofs[i]);
  const small = new ProofStore(3000);
  small.keep(BASE, proofs[59]);
  t.equal(small.bytes, 0, 'larger than the bound: not kept');
  t.match(new ProofStore(0).keep(BASE, proofs[3]), /^p_/);
  t.end();
});

t.test('groups of an aggregate that differ only in whose premises are whose have other ids', (t) => {
  const store = new ProofStore(1_000_000);
  const aggregate = (members: readonly (readonly Proof[])[]): Proof => ({
    kind: 'aggregate', conclusion: { kind: 'aggregate' } as never, confidence: 1, members: members.map((premises) => ({ bindings: {}, premises })), total: members.length,
  });
  const [a, b, c] = [given(1), given(2), given(3)];
  const ids = [[[a, b], [c]], [[a], [b, c]], [[a, b, c]], [[a], [b], [c]]].map((members) => store.keep(BASE, aggregate(members)));
  t.equal(new Set(ids).size, 4);
  t.strictSame(store.get(ids[1])?.proof, aggregate([[a], [b, c]]));
  t.end();
});

t.test('every proof of a long reply can be fetched afterwards', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'reach(?x, ?y) :- next(?x, ?y). reach(?x, ?z) :- next(?x, ?y), reach(?y, ?z).');
  await graph.tell(BASE, Array.from({ length: 120 }, (_, i) => say(`n${i}`, 'next', `n${i + 1}`)));
  const { answers, complete } = await graph.deduce(BASE, { goal: 'reach(n0, ?x)', budget: { answers: 1000, facts: 1_000_000, ms: 60_000, depth: 10_000 } });
  t.equal(complete, true);
  t.equal(answers.length, 120);
  const fetched = answers.map(({ proofId }) => proofId !== undefined && graph.proof(BASE, proofId) !== undefined);
  t.equal(fetched.filter(Boolean).length, 120);
});
