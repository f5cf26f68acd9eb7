// Owns the part of the store contract that is about walking: paths and follow.
// Refuses to know any adapter; what should be reached is computed by the naive model.

import type { Test } from 'tap';
import { sameTerm, termKey } from '../../graph/terms.ts';
import type { Fact, Path, Term } from '../../graph/terms.ts';
import type { Change, GraphStore, PathResult } from '../../graph/store.ts';
import { StoreModel } from './store-model.ts';
import { assert, base, date, id, node, number, otherBase, path, pathName, text, withdraw } from './store-world.ts';
import type { Part } from './store-facts.ts';

const films: readonly Change[] = [
  assert('Alien', 'directed by', 'Scott'),
  assert('Alien', 'starred in', 'Weaver', { source: 'one' }),
  assert('Alien', 'starred in', 'Weaver', { source: 'two' }),
  assert('Alien', 'starred in', 'Hurt'),
  assert('Alien', 'year', number(1979)),
  assert('Alien', 'sequel', 'Aliens'),
  assert('Aliens', 'directed by', 'Cameron'),
  assert('Aliens', 'starred in', 'Weaver'),
  assert('Aliens', 'year', number(1986)),
  assert('Mad Max', 'year', number(1979)),
  assert('Mad Max', 'title', text('1979')),
  assert('Gladiator', 'directed by', 'Scott'),
  assert('Gladiator', 'released', date('2000-05-01')),
  assert('Gladiator', 'starred in', 'Weaver', { negated: true }),
  assert('Scott', 'admires', 'Scott'),
  assert('Scott', 'admires', 'Cameron'),
  assert('Cameron', 'admires', 'Scott'),
];

/** The facts of a result are a walk from `start` to its end along `steps`. */
export function walks(start: Term, steps: Path, result: PathResult): boolean {
  let here = start;
  if (result.facts.length !== steps.length) return false;
  for (const [index, step] of steps.entries()) {
    const fact: Fact = result.facts[index];
    const subject: Term = { kind: 'entity', id: fact.subject };
    const [from, to]: [Term, Term] = step.inverse ? [fact.object, subject] : [subject, fact.object];
    if (fact.relation !== step.relation || fact.negated || fact.retractedAt !== undefined || !sameTerm(from, here)) return false;
    here = to;
  }
  return sameTerm(here, result.end);
}

/** Compares `paths` and `follow` from `start` with the model. */
export async function checkWalks(t: Test, store: GraphStore, model: StoreModel, start: Term, hops: number): Promise<void> {
  const found = await store.paths(base, start, { hops, limit: 10_000 });
  const reaching = found.filter((one) => one.ends > 0);
  const wanted = model.paths(start, hops);
  t.same(reaching.map((one) => pathName(one.path)).sort(), wanted.map(pathName).sort(), `paths of ${hops} steps from ${termKey(start)}`);
  for (const summary of reaching) {
    const ends = model.ends(start, summary.path);
    const label = `${termKey(start)} ${pathName(summary.path)}`;
    t.equal(summary.ends, ends.size, `${label}: number of ends`);
    t.ok(summary.sample.length > 0 && summary.sample.every((term) => ends.has(termKey(term))), `${label}: the sample is among the ends`);
    const results = await store.follow(base, start, summary.path);
    t.same(results.map((one) => termKey(one.end)).sort(), [...ends].sort(), `${label}: follow reaches each end once`);
    t.ok(results.every((one) => walks(start, summary.path, one)), `${label}: the facts lead from the start to the end`);
  }
}

export async function walksContract(part: Part): Promise<void> {
  await part('paths of one and two steps in both directions are exactly those that exist', async (t, { store }) => {
    const model = new StoreModel();
    model.transact(films);
    await store.transact(base, films);
    for (const start of [node('Alien'), node('Scott'), node('Weaver'), node('Gladiator'), number(1979), date('2000-05-01'), text('1979'), node('nobody'), text('Alien')])
      for (const hops of [1, 2]) await checkWalks(t, store, model, start, hops);
    t.same(await store.paths(otherBase, node('Alien'), { hops: 2 }), [], 'another base has none');
  });

  await part('a path that only goes back and forth over one edge is not listed', async (t, { store }) => {
    await store.transact(base, [assert('lonely', 'r', 'leaf'), assert('lonely', 'age', number(3))]);
    const found = (await store.paths(base, node('lonely'), { hops: 2 })).map((one) => pathName(one.path)).sort();
    t.same(found, ['age', 'r']);
    t.same(await store.follow(base, node('lonely'), path('r', '~r')), [], 'and leads nowhere: the start is no end');
    t.same(await store.follow(base, node('leaf'), path('~r', 'age')).then((all) => all.map((one) => one.end)), [number(3)]);
  });

  await part('follow gives each end once, with the facts walked', async (t, { store }) => {
    await store.transact(base, films);
    const stars = await store.follow(base, node('Alien'), path('starred in'));
    t.same(stars.map((one) => termKey(one.end)).sort(), ['eHurt', 'eWeaver'], 'two sources of one triple are one end');
    t.ok(stars.every((one) => walks(node('Alien'), path('starred in'), one)));
    const sameYear = await store.follow(base, node('Alien'), path('year', '~year'));
    t.same(sameYear.map((one) => one.end), [node('Mad Max')]);
    t.same(sameYear[0].facts.map((fact) => fact.subject), ['Alien', 'Mad Max']);
    t.same((await store.follow(base, number(1979), path('~year', 'directed by'))).map((one) => one.end), [node('Scott')]);
    t.same(await store.follow(base, text('1979'), path('~year')), [], 'the text 1979 is not the number');
    t.same(await store.follow(base, node('Alien'), path('never told')), []);
    t.same(await store.follow(base, node('Nobody'), path('year')), []);
    t.same(await store.follow(base, node('Weaver'), path('~starred in')).then((all) => all.map((one) => termKey(one.end)).sort()), ['eAlien', 'eAliens'], 'what is known to be false is not walked');
  });

  await part('longer paths are followed step by step', async (t, { store }) => {
    await store.transact(base, Array.from({ length: 5 }, (_, n) => assert(`n${n}`, 'next', `n${n + 1}`)));
    const [forward] = await store.follow(base, node('n0'), path('next', 'next', 'next'));
    t.same([forward.end, forward.facts.map((fact) => fact.subject)], [node('n3'), ['n0', 'n1', 'n2']]);
    const [backward] = await store.follow(base, node('n4'), path('~next', '~next', '~next'));
    t.same([backward.end, backward.facts.map((fact) => fact.subject)], [node('n1'), ['n3', 'n2', 'n1']]);
    t.same(await store.follow(base, node('n4'), path('next', 'next', 'next')), []);
  });

  await part('follow is in a stable order and a limit takes its beginning', async (t, { store }) => {
    await store.transact(base, Array.from({ length: 40 }, (_, n) => assert('hub', 'r', n % 2 === 0 ? `o${n}` : number(n))));
    const all = await store.follow(base, node('hub'), path('r'));
    t.equal(all.length, 40);
    t.same(await store.follow(base, node('hub'), path('r')), all);
    t.same(await store.follow(base, node('hub'), path('r'), { limit: 7 }), all.slice(0, 7));
    const [summary] = await store.paths(base, node('hub'), { hops: 1 });
    t.equal(summary.ends, 40);
    t.ok(summary.sample.length < 40, 'a sample is a few');
  });

  await part('paths say whether a fact on them has a validity, as far as it lies', async (t, { store }) => {
    await store.transact(base, [assert('a', 'p', 'b'), assert('b', 'q', 'c', { validFrom: '2020' }), assert('c', 'r', 'd'), assert('a', 's', 'd', { validTo: '2030' }), assert('a', 's', 'd')]);
    const timed = (await store.paths(base, node('a'), { hops: 3 })).map((one): [string, boolean] => [pathName(one.path), one.timed]);
    t.match(Object.fromEntries(timed), { p: false, 'p / q': true, 'p / q / r': true, s: true, 's / ~r': true });
  });

  await part('paths are limited in number', async (t, { store }) => {
    await store.transact(base, Array.from({ length: 30 }, (_, n) => assert('hub', `r${n}`, `o${n}`)));
    t.equal((await store.paths(base, node('hub'), { hops: 1 })).length, 30);
    t.equal((await store.paths(base, node('hub'), { hops: 2, limit: 4 })).length, 4);
  });

  await part('a walk sees what is live now', async (t, { store }) => {
    await store.transact(base, films);
    await store.transact(base, [withdraw({ subject: id('Alien'), object: node('Weaver') }, 'one')]);
    t.equal((await store.follow(base, node('Weaver'), path('~starred in'))).length, 2, 'the other source still says so');
    await store.transact(base, [withdraw({ object: node('Weaver') })]);
    t.same(await store.follow(base, node('Weaver'), path('~starred in')), []);
    t.same(await store.paths(base, node('Weaver'), { hops: 2 }), []);
    await store.transact(base, [assert('Weaver', 'starred in', 'Alien')]);
    t.same((await store.follow(base, node('Weaver'), path('starred in', 'directed by'))).map((one) => one.end), [node('Scott')]);
  });
}
