// Owns the behaviour of questions that name a time: what happened in a year, month or on a day that stored dates lie in, and what such a question must not be answered by.
// Refuses to know how the answer is worded.

import t from 'tap';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName, termText } from '../../graph/terms.ts';
import type { Term } from '../../graph/terms.ts';
import { DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import { read } from '../../src/answers/reading.ts';
import type { Reading } from '../../src/answers/reading.ts';
import type { Turn } from '../../src/answers/understand/follow-up.ts';
import { timeIn } from '../../src/answers/understand/times.ts';
import { reply } from '../../src/answers/words/wording.ts';
import { openWorld } from '../helpers/answer-world.ts';
import type { AnswerWorld } from '../helpers/answer-world.ts';

const ask = ({ graph }: AnswerWorld, question: string, earlier: readonly Turn[] = []): Promise<Reading> => read(graph, question, { base: DEFAULT_BASE, mode: 'grounded', hops: 2 }, { answers: 10, claims: 10, compose: DEFAULT_COMPOSE }, new AbortController().signal, earlier);
async function said(world: AnswerWorld, question: string, earlier: readonly Turn[] = []): Promise<string> {
  const { outcome, answers } = await ask(world, question, earlier);
  return outcome === 'not_entailed' ? 'unknown' : answers.map(termText).toSorted().join(', ');
}
const date = (value: string): Term => literal(value, 'date');
async function told(rows: readonly (readonly [string, string, string | Term])[]): Promise<AnswerWorld> {
  const world = await openWorld();
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: typeof object === 'string' ? entity(parseEntityId(object)) : object })));
  return world;
}

t.test('stations, cases and people', async (t) => {
  const world = await told([
    ['Marsden', 'is a', 'station'],
    ['Marsden', 'opened on', date('1849-08-01')],
    ['Velbury', 'is a', 'station'],
    ['Velbury', 'opened on', date('1902-03-15')],
    ['Norwood', 'is a', 'station'],
    ['Norwood', 'opened on', date('1902')],
    ['Lerwin Gallery', 'opened on', date('1849-05-20')],
    ['Case 91', 'is a', 'case'],
    ['Case 91', 'filed_on', date('2024-01-08')],
    ['Nadia Coyle', 'admitted_to_bar', date('2004-10-11')],
    ['Nadia Coyle', 'birthDate', date('1979-05-22')],
    ['Nadia Coyle', 'bornIn', 'Selby'],
    ['Paul Reyes', 'resigned_on', date('2019-01-31')],
    ['Corran Dam', 'is a', 'hydro plant'],
    ['Corran Dam', 'commissioned_on', date('1962-04-18')],
    ['Corran Dam', 'capacity', literal(1849)],
  ]);
  t.teardown(() => world.close());
  const rows: Readonly<Record<string, string>> = {
    'Which station opened in 1849?': 'Marsden',
    'Which gallery opened in 1849?': 'Lerwin Gallery',
    'Which museum opened in 1849?': 'unknown',
    'Which hospital opened in 1849?': 'unknown',
    'What opened in 1849?': 'Lerwin Gallery, Marsden',
    'Who opened in 1849?': 'unknown',
    'Which station closed in 1849?': 'unknown',
    'Which station opened in 1850?': 'unknown',
    'Which stations opened in 1902?': 'Norwood, Velbury',
    'How many stations opened in 1902?': '2',
    // A year alone is in no month.
    'Which stations opened in March 1902?': 'Velbury',
    'Which stations opened in the 1900s?': 'Norwood, Velbury',
    'Which stations opened before 1902?': 'unknown',
    'Which stations opened by 1902?': 'unknown',
    'Which stations opened around 1902?': 'unknown',
    'Which stations opened in 1849 or 1902?': 'unknown',
    'Which stations opened in 1849 and 1902?': 'unknown',
    'Which station did not open in 1849?': 'unknown',
    'Which case was filed on 8 January 2024?': 'Case 91',
    'Which case was filed on January 8, 2024?': 'Case 91',
    'Which case was filed on 2024-01-08?': 'Case 91',
    'Which case was filed on 9 January 2024?': 'unknown',
    'Which station was filed in 2024?': 'unknown',
    'Who was admitted to the bar in October 2004?': 'Nadia Coyle',
    'Who was born in 1979?': 'Nadia Coyle',
    'Who died in 1979?': 'unknown',
    'Who resigned in 2019?': 'Paul Reyes',
    'Which plant was commissioned in 1962?': 'Corran Dam',
    'Was Case 91 filed in January 2024?': 'true',
    'Was Case 91 filed in February 2024?': 'unknown',
    'Was Case 91 filed on 8 January 2024?': 'true',
    'Was Case 91 filed before 2025?': 'unknown',
  };
  for (const [question, expected] of Object.entries(rows)) t.equal(await said(world, question), expected, question);
  const { evidence, claims } = await ask(world, 'Which stations opened in 1902?');
  t.equal(reply(evidence, 'en'), 'Norwood and Velbury were opened on 1902 and 1902-03-15.');
  t.same(claims.map(({ text }) => text), ['Norwood was opened on 1902', 'Norwood is a station', 'Velbury was opened on 1902-03-15', 'Velbury is a station'], 'each with its proofs');
  t.equal(reply((await ask(world, 'Which stations opened in 1902? Answer as a table.')).evidence, 'en'), 'Those opened on 1902 and 1902-03-15:\n\n- Norwood\n- Velbury', 'no table of each with each');
  t.equal(await said(world, 'And in 1849?', [{ asked: 'Which stations opened in 1902?', said: 'Norwood and Velbury.' }]), 'Marsden', 'another time in the place of the one before');
  t.equal(await said(world, 'And in 1849?', [{ asked: 'Who was admitted to the bar?', said: 'I do not know.' }]), 'unknown');
});

t.test('in Chinese', async (t) => {
  const world = await told([
    ['熊猫馆', '开放日期', date('2008-10-01')],
    ['虎山', '开放日期', date('1999-05-01')],
    ['圆圆', '出生日期', date('2019-07-15')],
    ['圆圆', '是', '大熊猫'],
  ]);
  t.teardown(() => world.close());
  const rows: Readonly<Record<string, string>> = { '哪个馆是2008年开放的？': '熊猫馆', '哪个馆是2007年开放的？': 'unknown', '谁是2019年出生的？': '圆圆', '谁出生于2019年7月？': '圆圆', '谁出生于2019年8月？': 'unknown', '谁是2019年以前出生的？': 'unknown', '哪个馆从2008年开放？': 'unknown' };
  for (const [question, expected] of Object.entries(rows)) t.equal(await said(world, question), expected, question);
});

t.test('times as they are written', (t) => {
  const heard = (text: string): string | undefined => timeIn({ text, language: /\p{Script=Han}/u.test(text) ? 'zh' : 'en' })?.prefix;
  for (const [text, prefix] of [['in 1849', '1849'], ['in the year 1849?', '1849'], ['on the 9th of March 2024', '2024-03-09'], ['in Sept. 2024', '2024-09'], ['in the 1890s', '189'], ['1999年5月3日', '1999-05-03'], ['在1999年开放', '1999']] as const) t.equal(heard(text), prefix, text);
  for (const text of ['by 1849', 'since 1849', 'in 1849-50', 'in 44 BC', 'in 1849 BC', 'from 1849 to 1850', 'in 18490', '1999年以前', '1999年代', '自1999年', 'in early 1849']) t.equal(heard(text), undefined, text);
  t.end();
});
