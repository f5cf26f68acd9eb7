// Owns what a constraint holds the shipped model to, however it is sampled.
// Refuses to know where names and words come from.

import t from 'tap';
import { chat, collect, FACT, FACT_ZH, failure, startEngine, wild, ask } from './world.ts';

const WORDS = ['was', 'born', 'in', 'and', 'is', 'the', 'of', ',', '.'];

t.test('whatever is drawn, a names constraint lets only its names and words through', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 8 } });
  const names = ['Albert Einstein', 'Ulm', "O'Brien & Söhne (1879)", '阿尔伯特·爱因斯坦'];
  const constraint = { kind: 'names', names, words: WORDS } as const;
  const texts = await Promise.all(Array.from({ length: 12 }, async (_, seed) => (await collect(engine.generate(chat(FACT, { ...wild(seed, 60), constraint })))).text));
  const pattern = new RegExp(`^(${[...names, ...WORDS].toSorted((a, b) => b.length - a.length).map((text) => RegExp.escape(text)).join('|')}| )*`, 'u');
  for (const text of texts) {
    const rest = text.replace(pattern, '');
    // A text that the token limit cuts may end within a name or word.
    t.ok(rest === '' || [...names, ...WORDS].some((item) => item.startsWith(rest)), JSON.stringify(text));
  }
  t.ok(texts.some((text) => names.some((name) => text.includes(name))));
  t.ok(new Set(texts).size > 3, 'they differ');
});

t.test('names in a given order come in that order, each as often as it stands there, and nothing ends before the last', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 8 } });
  const order = ['Ulm', 'Albert Einstein', 'Ulm', "O'Brien & Söhne (1879)"];
  const constraint = { kind: 'names', names: [...new Set(order)], words: WORDS, order } as const;
  const all = await Promise.all(Array.from({ length: 8 }, async (_, seed) => collect(engine.generate(chat(FACT, { ...wild(seed, 400), constraint })))));
  let ended = 0;
  for (const { text, reason } of all) {
    const found = [...text.matchAll(/Ulm|Albert Einstein|O'Brien & Söhne \(1879\)/g)].map(([name]) => name);
    t.same(found, order.slice(0, found.length), JSON.stringify(text));
    if (reason === 'stop') ended += Number(found.length === order.length);
    t.ok(reason === 'length' || found.length === order.length, JSON.stringify(text));
  }
  t.ok(ended > 0, `${ended} ended by themselves`);
});

t.test('no more words stand around names than there is room for, and none is cut: a text cannot go round', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 8 } });
  const order = ['Ulm', 'Albert Einstein', 'Ulm'];
  const stretches = [4, 30, 6, 12];
  const constraint = { kind: 'names', names: order, words: WORDS, order, stretches } as const;
  const all = await Promise.all(Array.from({ length: 16 }, async (_, seed) => collect(engine.generate(chat(FACT, { ...wild(seed, 120), constraint })))));
  for (const { text, reason } of all) {
    t.equal(reason, 'stop', JSON.stringify(text));
    const between = text.split(/Ulm|Albert Einstein/);
    t.equal(between.length, stretches.length, text);
    // The last word may have been begun within the room.
    for (const [i, part] of between.entries()) t.ok(Buffer.byteLength(part) <= stretches[i] + ' born and '.length, JSON.stringify({ part, i }));
    for (const word of between.join(' ').match(/[a-z]+|[^a-z ]/g) ?? []) t.ok(WORDS.includes(word), word);
  }
  const free = await Promise.all(Array.from({ length: 8 }, async (_, seed) => collect(engine.generate(chat(FACT, { ...wild(seed, 200), constraint: { kind: 'names', names: order, words: WORDS, stretches: [10] } })))));
  for (const { text } of free) for (const part of text.split(/Ulm|Albert Einstein/)) t.ok(Buffer.byteLength(part) <= 20, JSON.stringify(part));
});

t.test('under the constraint the sentence is still the model\'s', async (t) => {
  const engine = await startEngine(t);
  const names = ['Albert Einstein', 'Ulm'];
  t.equal((await collect(engine.generate(chat(FACT, { constraint: { kind: 'names', names, words: WORDS } })))).text, 'Albert Einstein was born in Ulm.');
  const zh = { kind: 'names', names: ['阿尔伯特·爱因斯坦', '乌尔姆'], words: ['出生于', '。', '的', '是'] } as const;
  t.equal((await collect(engine.generate(chat(FACT_ZH, { constraint: zh })))).text, '阿尔伯特·爱因斯坦出生于乌尔姆。');
});

t.test('a name that the evidence does not hold cannot be written, even where the prompt asks for it', async (t) => {
  const engine = await startEngine(t);
  const constraint = { kind: 'names', names: ['Ada Lovelace', 'London'], words: WORDS } as const;
  const { text } = await collect(engine.generate(chat(FACT, { constraint, maxTokens: 30 })));
  t.notMatch(text, /Albert|Einstein|Ulm/);
});

t.test('a choice is one of the choices, whole', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 8 } });
  const choices = ['yes', 'yesterday', 'no', '不知道', 'ümlaut 🙂'];
  const written = await Promise.all(Array.from({ length: 16 }, async (_, seed) => collect(engine.generate(ask('Is it true?', { ...wild(seed), constraint: { kind: 'choice', choices } })))));
  for (const { text, reason } of written) {
    t.ok(choices.includes(text), text);
    t.equal(reason, 'stop');
  }
  t.ok(new Set(written.map(({ text }) => text)).size > 1);
});

t.test('a constraint that nothing meets is refused before anything is written', async (t) => {
  const engine = await startEngine(t);
  t.match(await failure(collect(engine.generate(ask('x', { constraint: { kind: 'choice', choices: [] } })))), { code: 'constraint_unsatisfiable' });
  t.match(await failure(collect(engine.generate(ask('x', { constraint: { kind: 'names', names: [], words: [] } })))), { code: 'constraint_unsatisfiable' });
});

t.test('a text of a form that is over ends, however many tokens it should have at least', async (t) => {
  const engine = await startEngine(t);
  const [stop] = (await engine.tokens?.encode('pharos-mini', { kind: 'text', text: 'yes', framed: false }))?.ids ?? [];
  for (const [constraint, text] of [
    [{ kind: 'regex', pattern: '()' }, ''],
    [{ kind: 'choice', choices: ['yes'] }, ''],
  ] as const)
    t.match(await collect(engine.generate(ask('Say yes:', { constraint, sampling: { temperature: 0, topP: 1, minTokens: 5, stopTokens: [stop] } }))), { text, reason: 'stop', error: undefined });
});
