// Owns the behaviour of the answer cache by itself: what is kept, what falls, what is refused.
// Refuses to know the graph; cached against recomputed answers over a real graph are in cache-exactness.test.ts.

import t from 'tap';
import { AnswerCache } from '../../src/answers/cache/cache.ts';
import { DependencyIndex, touches } from '../../src/answers/cache/reverse-index.ts';
import type { ChangeEvent, Dependencies, Doubt } from '../../src/answers/cache/dependencies.ts';
import { DEFAULT_BASE, entity, literal, parseBaseName, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Term, Triple, TriplePattern } from '../../graph/terms.ts';

const id = parseEntityId;
const relation = parseRelationName;
const triple = (subject: string, name: string, object: string | number, negated = false): Triple => ({
  subject: id(subject),
  relation: relation(name),
  object: typeof object === 'number' ? literal(object) : entity(id(object)),
  ...(negated ? { negated } : {}),
});
const nothing: ChangeEvent = { base: DEFAULT_BASE, version: 1, added: [], removed: [], rulesChanged: [], entitiesChanged: [], relationsChanged: [] };
const event = (change: Partial<ChangeEvent>): ChangeEvent => ({ ...nothing, ...change });
const on = (dependencies: Partial<Dependencies>): Dependencies => ({ base: DEFAULT_BASE, patterns: [], rules: [], entities: [], doubts: [], ...dependencies });

/** mulberry32: the same numbers in [0, 1) for the same seed. */
const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
};

interface Answer {
  readonly text: string;
}
const keep = (cache: AnswerCache<Answer>, key: string, dependencies: Partial<Dependencies> = {}, text = key): boolean => {
  const computation = cache.begin(dependencies.base ?? DEFAULT_BASE);
  const kept = cache.put(computation, key, { text }, on(dependencies));
  cache.end(computation);
  return kept;
};
const has = (cache: AnswerCache<Answer>, ...keys: string[]): boolean[] => keys.map((key) => cache.get(key) !== undefined);

t.test('an answer is given again until it is dropped, and both are counted', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
  t.equal(cache.get('q'), undefined);
  t.equal(keep(cache, 'q', { patterns: [triple('a', 'r', 'b')] }, 'b'), true);
  t.same(cache.get('q'), { text: 'b' });
  t.equal(cache.invalidate(event({ removed: [triple('a', 'r', 'b')] })), 1);
  t.equal(cache.get('q'), undefined);
  t.same(cache.statistics(), { hits: 1, misses: 2, invalidated: 1, entries: 0, bytes: 0 });
});

t.test('a write drops the answers whose patterns it falls into, and no others', async (t) => {
  const patterns: Record<string, TriplePattern> = {
    fact: triple('einstein', 'born in', 'ulm'),
    listed: { subject: id('einstein'), relation: relation('born in') },
    inverse: { relation: relation('born in'), object: entity(id('ulm')) },
    subject: { subject: id('einstein') },
    object: { object: entity(id('ulm')) },
    relation: { relation: relation('born in') },
    both: { subject: id('einstein'), object: entity(id('ulm')) },
    all: {},
    denied: { ...triple('einstein', 'born in', 'ulm'), negated: true },
    deniedAll: { negated: true },
    'literal of the same text': { object: literal('ulm') },
    elsewhere: { subject: id('curie'), relation: relation('born in') },
  };
  const cases: [Triple, string[]][] = [
    [triple('einstein', 'born in', 'ulm'), ['fact', 'listed', 'inverse', 'subject', 'object', 'relation', 'both', 'all']],
    [triple('einstein', 'born in', 'ulm', true), ['denied', 'deniedAll']],
    [triple('einstein', 'died in', 'princeton'), ['subject', 'all']],
    [triple('curie', 'born in', 'warsaw'), ['relation', 'all', 'elsewhere']],
    [triple('einstein', 'born in', 1879), ['listed', 'subject', 'relation', 'all']],
    [triple('bohr', 'studied in', 'copenhagen'), ['all']],
  ];
  for (const kind of ['added', 'removed'] as const)
    for (const [changed, fallen] of cases) {
      const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
      for (const [key, pattern] of Object.entries(patterns)) keep(cache, key, { patterns: [pattern] });
      t.equal(cache.invalidate(event({ [kind]: [changed] })), fallen.length);
      t.same(Object.keys(patterns).filter((key) => cache.get(key) === undefined), Object.keys(patterns).filter((key) => fallen.includes(key)));
    }
});

t.test('a changed rule and a changed entity drop what was made from them', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
  keep(cache, 'by r1', { rules: ['r1', 'r2'] });
  keep(cache, 'by r3', { rules: ['r3'] });
  keep(cache, 'named', { entities: [id('ulm')] });
  t.equal(cache.invalidate(event({ rulesChanged: ['r2'] })), 1);
  t.same(has(cache, 'by r1', 'by r3', 'named'), [false, true, true]);
  t.equal(cache.invalidate(event({ entitiesChanged: [id('ulm'), id('bern')] })), 1);
  t.same(has(cache, 'by r3', 'named'), [true, false]);
});

t.test('a write in one knowledge base leaves the answers of another', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
  const other = parseBaseName('other');
  keep(cache, 'here', { patterns: [{}] });
  keep(cache, 'there', { base: other, patterns: [{}] });
  t.equal(cache.invalidate(event({ base: other, added: [triple('a', 'r', 'b')] })), 1);
  t.same(has(cache, 'here', 'there'), [true, false]);
  const computation = cache.begin(other);
  t.equal(cache.put(computation, 'mixed', { text: '' }, on({ base: DEFAULT_BASE })), false, 'dependencies of another base than the computation');
  cache.end(computation);
});

t.test('the bound in bytes holds, the least recently used answers go, and their index rows with them', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 20_000 });
  for (let i = 0; i < 200; i++) {
    keep(cache, `q${i}`, { patterns: [triple(`s${i}`, 'r', 'o'), { subject: id(`s${i}`) }] });
    cache.get('q0');
    t.ok(cache.statistics().bytes <= 20_000);
  }
  const { entries, bytes } = cache.statistics();
  t.ok(entries > 5 && entries < 40, `${entries} answers of about 1 kB fit`);
  t.ok(bytes > 15_000);
  t.same(has(cache, 'q0', 'q1', 'q199'), [true, false, true]);
  t.equal(cache.invalidate(event({ added: [triple('s1', 'r', 'x')] })), 0, 'an evicted answer has no rows left to be found by');
  t.equal(cache.invalidate(event({ added: Array.from({ length: 200 }, (_, i) => triple(`s${i}`, 'r', 'x')) })), entries);
  t.same({ entries: cache.statistics().entries, bytes: cache.statistics().bytes }, { entries: 0, bytes: 0 });
});

t.test('an answer larger than the bound is not kept, nor anything by a cache of no bytes', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 5000 });
  keep(cache, 'small');
  t.equal(keep(cache, 'large', {}, 'x'.repeat(5000)), false);
  t.equal(keep(cache, 'wide', { patterns: Array.from({ length: 100 }, (_, i) => ({ subject: id(`s${i}`) })) }), false, 'dependencies count too');
  t.same(has(cache, 'small', 'large', 'wide'), [true, false, false]);
  t.equal(cache.invalidate(event({ added: [triple('s1', 'r', 'b')] })), 0, 'what was not kept is not indexed');
  t.equal(keep(new AnswerCache<Answer>({ maxBytes: 0 }), 'q'), false);
  t.throws(() => new AnswerCache<Answer>({ maxBytes: -1 }), /maxBytes is -1; give a whole number/);
});

t.test('a newer answer under the same key replaces the older one and its dependencies', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
  keep(cache, 'q', { patterns: [{ subject: id('old') }] }, 'first');
  keep(cache, 'q', { patterns: [{ subject: id('new') }] }, 'second');
  t.equal(cache.invalidate(event({ added: [triple('old', 'r', 'b')] })), 0);
  t.same(cache.get('q'), { text: 'second' });
  t.equal(cache.invalidate(event({ added: [triple('new', 'r', 'b')] })), 1);
});

t.test('an answer computed while a write touched what it read is not kept', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 1_000_000 });
  const dependencies = on({ patterns: [{ subject: id('a') }], rules: ['r1'] });
  const during = (...events: Partial<ChangeEvent>[]): boolean => {
    const computation = cache.begin(DEFAULT_BASE);
    for (const change of events) cache.invalidate(event(change));
    const kept = cache.put(computation, 'q', { text: 'q' }, dependencies);
    cache.end(computation);
    return kept;
  };
  t.equal(during({ added: [triple('a', 'r', 'b')] }), false);
  t.equal(during({ added: [triple('b', 'r', 'a')] }, { rulesChanged: ['r1'] }), false);
  t.equal(cache.get('q'), undefined);
  t.equal(during({ added: [triple('b', 'r', 'a')] }, { rulesChanged: ['r2'] }), true);
  t.equal(during({ added: Array.from({ length: 70_000 }, () => triple('b', 'r', 'a')) }), false, 'more writes than are remembered');
  const ended = cache.begin(DEFAULT_BASE);
  cache.end(ended);
  cache.invalidate(event({ added: [triple('a', 'r', 'b')] }));
  t.equal(cache.put(ended, 'late', { text: '' }, dependencies), false, 'after the end nobody remembers the writes');
});

t.test('a doubt is settled by reading again: the same result keeps the answer, another drops it', async (t) => {
  let now: readonly Doubt[] | undefined;
  const asked: number[] = [];
  const cache = new AnswerCache<Answer>({
    maxBytes: 100_000,
    settle: async ({ dependencies }) => {
      asked.push(dependencies.doubts.length);
      return now && { ...dependencies, doubts: now };
    },
  });
  const start: Term = entity(id('a'));
  const doubt: Doubt = { read: { kind: 'paths', start, hops: 2, ends: false }, digest: 'd', near: new Set(['ea', 'eb']) };
  now = [{ ...doubt, near: new Set(['ea', 'ec']) }];
  keep(cache, 'q', { doubts: [doubt] });
  t.equal(cache.invalidate(event({ added: [triple('x', 'r', 'y')] })), 0);
  t.same(await cache.find('q'), { text: 'q' });
  t.same(asked, [], 'a write elsewhere raises no doubt');
  cache.invalidate(event({ added: [triple('x', 'r', 'b')] }));
  t.equal(cache.get('q'), undefined, 'without reading again an answer in doubt is not given');
  t.same(await cache.find('q'), { text: 'q' });
  t.same(await cache.find('q'), { text: 'q' });
  t.same(asked, [1], 'settled once for one write');
  cache.invalidate(event({ added: [triple('x', 'r', 'b')] }));
  t.same(await cache.find('q'), { text: 'q' });
  t.same(asked, [1], 'the surroundings are those of the latest reading');
  now = undefined;
  cache.invalidate(event({ removed: [triple('c', 'r', 'x')] }));
  t.equal(await cache.find('q'), undefined);
  t.match(cache.statistics(), { entries: 0, bytes: 0, invalidated: 1, hits: 4, misses: 2 });
});

t.test('an answer is not given when a write drops it while it is being settled', async (t) => {
  const doubt: Doubt = { read: { kind: 'relations', counts: false }, digest: 'd' };
  const cache: AnswerCache<Answer> = new AnswerCache<Answer>({
    maxBytes: 100_000,
    settle: async ({ dependencies }) => {
      cache.invalidate(event({ removed: [triple('a', 'r', 'b')] }));
      return dependencies;
    },
  });
  keep(cache, 'q', { doubts: [doubt], patterns: [triple('a', 'r', 'b')] });
  cache.invalidate(event({ added: [triple('x', 'r', 'y')] }));
  t.equal(await cache.find('q'), undefined);
});

t.test('of equal questions asked at once one is computed and the others wait for it', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
  let computed = 0;
  const ask = async (fail = false): Promise<string> => {
    const entrance = await cache.enter(DEFAULT_BASE, 'q');
    if (entrance.kind === 'hit') return entrance.value.text;
    try {
      const text = `answer ${++computed}`;
      await new Promise(setImmediate);
      if (fail) throw new Error('the model broke');
      cache.put(entrance.computation, 'q', { text }, on({}));
      return text;
    } finally {
      cache.end(entrance.computation);
    }
  };
  t.same(await Promise.all(Array.from({ length: 20 }, () => ask())), Array.from({ length: 20 }, () => 'answer 1'));
  t.match(cache.statistics(), { hits: 19, misses: 1 });

  cache.clear();
  const [first, second] = await Promise.allSettled([ask(true), ask()]);
  t.equal(first.status, 'rejected');
  t.same(second, { status: 'fulfilled', value: 'answer 3' }, 'a failure is nobody else’s');
});

t.test('whoever leaves while waiting for an equal question waits no longer', async (t) => {
  const cache = new AnswerCache<Answer>({ maxBytes: 100_000 });
  const first = await cache.enter(DEFAULT_BASE, 'q');
  const leaving = new AbortController();
  const second = cache.enter(DEFAULT_BASE, 'q', leaving.signal);
  leaving.abort(new Error('the client left'));
  await t.rejects(second, { message: 'the client left' });
  if (first.kind === 'miss') cache.end(first.computation);
  t.equal((await cache.enter(DEFAULT_BASE, 'q')).kind, 'miss');
});

t.test('the index finds exactly what comparing every dependency with every change finds', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed);
    const pick = <T>(...items: T[]): T => items[Math.floor(random() * items.length)];
    const index = new DependencyIndex<Dependencies>();
    const held: Dependencies[] = [];
    const subject = (): string => pick('a', 'b', 'c');
    const object = (): string | number => pick<string | number>('a', 'b', 'c', 1);
    for (let i = 0; i < 60; i++) {
      const patterns = Array.from({ length: 3 }, (): TriplePattern => {
        const whole = triple(subject(), pick('r', 's'), object());
        return { ...(random() < 0.7 && { subject: whole.subject }), ...(random() < 0.6 && { relation: whole.relation }), ...(random() < 0.6 && { object: whole.object }), ...(random() < 0.2 && { negated: true }) };
      });
      const dependencies = on({ patterns, rules: [pick('r1', 'r2', 'r3')], entities: [id(subject())] });
      held.push(dependencies);
      index.add(dependencies, dependencies);
      if (random() < 0.3) {
        const [gone] = held.splice(Math.floor(random() * held.length), 1);
        index.remove(gone, gone);
      }
      const change = event({
        [pick('added', 'removed')]: [triple(subject(), pick('r', 's'), object(), random() < 0.2)],
        ...(random() < 0.2 && { rulesChanged: [pick('r1', 'r9')] }),
        ...(random() < 0.2 && { entitiesChanged: [id(subject())] }),
      });
      t.same([...index.touched(change)].map((item) => held.indexOf(item)).toSorted((a, b) => a - b), held.flatMap((item, at) => (touches(item, change) ? [at] : [])));
    }
    for (const item of held) index.remove(item, item);
    t.equal(index.rows, 0);
  }
});
