// Owns the behaviour of reading an answer off the graph: who of those reached is what was asked for, what of a yes is proven, and about whom a refusal speaks.
// Refuses to know the model and the cache.

import t from 'tap';
import type { Test } from 'tap';
import { DEFAULT_BASE, termText } from '../../graph/terms.ts';
import { DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import { read } from '../../src/answers/reading.ts';
import type { Reading } from '../../src/answers/reading.ts';
import { reply } from '../../src/answers/words/wording.ts';
import { openExample } from '../helpers/answer-world.ts';

async function open(t: Test) {
  const world = await openExample();
  t.teardown(() => world.close());
  const ask = (question: string): Promise<Reading> => read(world.graph, question, { base: DEFAULT_BASE, mode: 'auto', hops: 2 }, { answers: 100, claims: 100, compose: DEFAULT_COMPOSE });
  const checked = async ({ claims }: Reading): Promise<readonly string[]> => {
    for (const { text, proof } of claims) t.match(await world.graph.checkProof(DEFAULT_BASE, proof), { valid: true }, text);
    return claims.map(({ text }) => text);
  };
  return { world, ask, checked, said: (reading: Reading): string => reply(reading.evidence, reading.language) };
}

t.test('which chemists: those of the answers that the graph says to be some, and that they are is proven, too', async (t) => {
  const { ask, checked, said } = await open(t);
  for (const [question, ...answers] of [
    ['Which chemists won the Nobel Prize in Chemistry?', 'Marie Curie'],
    ['Which chemist won the Nobel Prize in Chemistry?', 'Marie Curie'],
    ['Which chemists won the Nobel Prize in Physics?', 'Marie Curie'],
    ['Which physicists won the Nobel Prize in Physics?', 'Albert Einstein', 'Marie Curie'],
    ['How many chemists won the Nobel Prize in Physics?', '1'],
    ['Which swans were born in Athens?'],
    ['How many chemists won the Nobel Prize in Chemistry?'],
    ['哪些化学家获得了诺贝尔化学奖？', 'Marie Curie'],
    ['哪位物理学家获得了诺贝尔化学奖？', 'Marie Curie'],
    ['谁是物理学家？', 'Albert Einstein', 'Marie Curie'],
    ['Which country was Albert Einstein born in?', 'Germany'],
    ['爱因斯坦出生在哪个国家？', 'Germany'],
    ['爱因斯坦出生在哪座城市？', 'Ulm'],
    ['爱因斯坦出生在哪里？', 'Ulm', 'Germany'],
  ] as const)
    t.same((await ask(question)).answers.map(termText), answers, question);
  const reading = await ask('Which chemists won the Nobel Prize in Chemistry?');
  t.equal(said(reading), 'Marie Curie won Nobel Prize in Chemistry.');
  t.same(await checked(reading), ['Marie Curie won Nobel Prize in Chemistry', 'the occupation of Marie Curie is chemist']);
});

t.test('a yes to several qualities proves each of them', async (t) => {
  const { world, ask, checked, said } = await open(t);
  for (const [question, answer, ...claims] of [
    ['Is Odette a white swan?', 'Yes, Odette is a white swan.', 'the color of Odette is white', 'Odette is a swan'],
    ['Is Siegfried a white swan?', 'Yes, Siegfried is a white swan.', 'the color of Siegfried is white', 'Siegfried is a swan'],
    ['Odette是白色的天鹅吗？', '是的，Odette是白色的天鹅。', 'Odette的颜色是白色', 'Odette是天鹅'],
  ] as const) {
    const reading = await ask(question);
    t.equal(reading.outcome, 'entailed');
    t.equal(said(reading), answer);
    t.same(await checked(reading), claims);
  }
  await world.withdraw({ subject: 'Odette' as never, relation: 'is a' as never });
  t.equal((await ask('Is Odette a white swan?')).outcome, 'not_entailed', 'what is not known leaves it open');
});

t.test('a refusal speaks of the name that was asked about', async (t) => {
  const { ask, said } = await open(t);
  for (const [question, name] of [
    ['Where was Elsa Einstein born?', 'Elsa Einstein'],
    ['where was elsa einstein born?', 'elsa einstein'],
    ['Where was Elsa-Einstein born?', 'Elsa-Einstein'],
    ['Is Berlin the capital of West Germany?', 'West Germany'],
    ['Who won the Ig Nobel Prize in Physics?', 'Ig Nobel Prize in Physics'],
    ['Is Zeus mortal?', 'Zeus'],
    ['Is Zorblax a physicist?', 'Zorblax'],
    ['Is Zeus the teacher of Plato?', 'Zeus'],
    ['Who did Zeus teach in Athens?', 'Zeus'],
    ['Which German city was Einstein born in?', 'Albert Einstein'],
    ['What is the favourite colour of Albert Einstein?', 'Albert Einstein'],
    ['宙斯会死吗？', '宙斯'],
    ['艾尔莎·爱因斯坦出生在哪里？', '艾尔莎·爱因斯坦'],
    ['小爱因斯坦出生在哪里？', '小爱因斯坦'],
    ['柏林墙位于哪里？', '柏林墙'],
    ['柏林墙是德国的首都吗？', '柏林墙'],
    ['爱因斯坦死于哪里？', '阿尔伯特·爱因斯坦'],
    ['爱因斯坦毕业于哪里？', '阿尔伯特·爱因斯坦'],
  ] as const) {
    const reading = await ask(question);
    t.equal(said(reading), reading.language === 'zh' ? `不知道，关于${name}，图谱没有给出答案。` : `I do not know: the graph has no answer to that about ${name}.`, question);
    t.ok(reading.spans.some((span) => span.name === name), `${question}: where it stands`);
  }
  for (const question of ['柏林墙在哪里？', 'Where in Germany was she born?']) t.equal((await ask(question)).evidence.conclusion, undefined, `${question}: about whom cannot be told`);
});

t.test('Chinese verbs without a sign of one are verbs', async (t) => {
  const { ask, said } = await open(t);
  t.equal(said(await ask('谁获得了诺贝尔物理学奖？')), '阿尔伯特·爱因斯坦和玛丽·居里获得诺贝尔物理学奖。');
  t.equal(said(await ask('柏拉图师从苏格拉底吗？')), '是的，柏拉图师从苏格拉底。');
  t.equal(said(await ask('爱因斯坦的职业是什么？')), '阿尔伯特·爱因斯坦的职业是物理学家。');
});
