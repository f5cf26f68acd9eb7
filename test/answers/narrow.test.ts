// Owns the behaviour of questions that say more than a name and a relation: what they add is read or the question is refused, never left out.
// Refuses to know how the answer is worded.

import t from 'tap';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName, termText } from '../../graph/terms.ts';
import { pathText } from '../../src/answers/retrieve.ts';
import { understand } from '../../src/answers/understand/understand.ts';
import { openExample, openWorld } from '../helpers/answer-world.ts';
import type { AnswerWorld } from '../helpers/answer-world.ts';

/** What a question comes to: `start | path`, `subject | relation | object` of a yes/no question, or `unknown`. */
async function meaning({ graph }: AnswerWorld, question: string): Promise<string> {
  const { confident, candidates } = await understand(graph, question, { base: DEFAULT_BASE, hops: 2 });
  const [best] = candidates;
  if (!confident || !best) return 'unknown';
  if (best.targets) return best.targets.map(({ subject, relation, object }) => [subject, relation, termText(object)].join(' | ')).join(' & ');
  return `${termText(best.start)} | ${pathText(best.path)}`;
}
type Rows = readonly (readonly [question: string, meaning: string])[];
const none = (...questions: string[]): Rows => questions.map((question) => [question, 'unknown']);

const GROUPS: Readonly<Record<string, Rows>> = {
  'a word right beside a name makes it another one, a title does not': [
    ...none('Where was Elsa Einstein born?', 'Where was Hans Albert Einstein born?', 'Where was Einstein Junior born?', 'Where was Elsa-Einstein born?', 'Where was Elsa F. Einstein born?', 'where was elsa einstein born?', 'Elsa Einstein was born where?'),
    ...none('Is Berlin the capital of West Germany?', 'What is the capital of New Poland?', 'Who won the Ig Nobel Prize in Physics?', '艾尔莎·爱因斯坦出生在哪里？', '小爱因斯坦出生在哪里？', '西德国的首都是哪里？'),
    ['Where was Professor Einstein born?', 'Albert Einstein | born in'],
    ['Where was Mr. Einstein born?', 'Albert Einstein | born in'],
    ['Prof. Dr. Albert Einstein was born where?', 'Albert Einstein | born in'],
    ['Where was Herr Einstein born?', 'Albert Einstein | born in'],
    ['Where was the physicist Einstein born?', 'Albert Einstein | born in'],
    ['Where was Saint Socrates born?', 'Socrates | born in'],
    ['Tell me: Einstein was born where?', 'Albert Einstein | born in'],
    ['Which City Was Einstein Born In?', 'Albert Einstein | born in'],
    ['WHERE WAS EINSTEIN BORN', 'Albert Einstein | born in'],
    ['where was einstein born plz', 'Albert Einstein | born in'],
    ['Is Berlin The Capital Of Germany?', 'Germany | capital | Berlin'],
    ['请问爱因斯坦出生在哪里？', 'Albert Einstein | born in'],
  ],
  'a Chinese verb of one character is not left out': [
    ...none('爱因斯坦死于哪里？', '爱因斯坦爱谁？', '苏格拉底吃什么？', '爱因斯坦住哪里？', '爱因斯坦多高？', '居里夫人姓什么？', '爱因斯坦活了多久？', '爱因斯坦的妻子死于哪里？'),
    ['哪些人是凡人？', 'mortal | ^is a'],
    ['苏格拉底是谁？', 'Socrates | is a'],
    ['爱因斯坦是什么？', 'Albert Einstein | is a'],
    ['爱因斯坦是什么人？', 'Albert Einstein | is a'],
    ['苏格拉底会死吗', 'Socrates | is a | mortal'],
    ['天鹅有哪些？', 'swan | ^is a'],
    ['爱因斯坦的妻子叫什么？', 'Albert Einstein | spouse'],
    ['爱因斯坦哪年出生？', 'Albert Einstein | birth year'],
  ],
  'a yes/no question is decided as a whole or not at all': [
    ...none('Was Einstein born in Ulm in 1880?', 'Was Einstein born in Ulm and Warsaw?', 'Was Einstein born in Ulm, Poland?', 'Was Einstein born in Paris and Ulm?', 'Was Einstein born in 1879 in 1880?', 'Was Einstein born in 1879 in Paris?', '爱因斯坦1880年出生在乌尔姆吗？', '爱因斯坦出生在乌尔姆和华沙吗？'),
    ...none('Did Marie Curie win two Nobel prizes?', 'Did Einstein win the Nobel Prize in Physics twice?', 'Did Einstein win the Nobel Prize in Physics for relativity?', 'Is Plato a student of Socrates and Aristotle?', 'Is Odette a white human?'),
    ['Was Einstein born in Ulm, Germany?', 'Albert Einstein | born in | Ulm'],
    ['Is Odette a white swan?', 'Odette | has color | white & Odette | is a | swan'],
    ['Odette是白色的天鹅吗？', 'Odette | has color | white & Odette | is a | swan'],
    ['Odette是白色天鹅吗？', 'Odette | has color | white & Odette | is a | swan'],
    ['Did Einstein really win the Nobel Prize in Physics?', 'Albert Einstein | won | Nobel Prize in Physics'],
    ['Was Plato taught by Socrates himself?', 'Socrates | teacher of | Plato'],
    ['Did Einstein ever win the Nobel Prize in Physics?', 'Albert Einstein | won | Nobel Prize in Physics'],
  ],
  'which ones, which of several, how often': [
    ...none('Which women won the Nobel Prize in Physics?', 'How many women won the Nobel Prize in Physics?', '哪些女性获得了诺贝尔物理学奖？'),
    ...none('Who was the former wife of Einstein?', 'Who is the second wife of Einstein?', 'What is the third capital of Germany?', 'Who won the Nobel Prize in Physics twice?', 'What will be the capital of Germany?', 'Who will win the Nobel Prize in Physics?'),
    ['Which physicists won the Nobel Prize in Physics?', 'Nobel Prize in Physics | ^won'],
    ['Which people won the Nobel Prize in Physics?', 'Nobel Prize in Physics | ^won'],
    ['Which humans were born in Athens?', 'Athens | ^born in'],
    ['Which country was Albert Einstein born in?', 'Albert Einstein | born in'],
    ...none('How many chemists won the Nobel Prize in Chemistry?', 'Who is Europe?', '谁是欧洲？', '欧洲是谁？', 'What is a physicist?'),
    ['Who is a physicist?', 'physicist | ^occupation'],
    ['谁是物理学家？', 'physicist | ^occupation'],
    ['有哪些物理学家？', 'physicist | ^occupation'],
    ['物理学家有哪些？', 'physicist | ^occupation'],
    ['哪些人是物理学家？', 'physicist | ^occupation'],
  ],
  'a name of nothing that is known, and a place, time or company beside what was read': [
    ...none('Is Zeus mortal?', 'Where was Hans born and where did Marie Curie die?', 'Who won the Nobel Prize in Physics with Becquerel?', 'Which German physicists won the Nobel Prize in Physics?', 'Where was Einstein born in March?', 'Which prizes did Marie Curie win alone?', '居里夫人独自获得了哪些奖？'),
    ...none('Where in Germany was she born?', '她在德国的哪里出生？', "Was Einstein born in Germany's capital?", 'Was Einstein born in the capital of Germany?'),
    ['Hi Pharos, where was Plato born?', 'Plato | born in'],
    ['What is the Capital of Germany?', 'Germany | capital'],
    ['Great. Where was Plato born?', 'Plato | born in'],
    ['Thanks, she was great! Where was Plato born?', 'Plato | born in'],
    ['谢谢，她很伟大。柏拉图出生在哪里？', 'Plato | born in'],
  ],
  'a Chinese name that goes on behind a known one is another name': [
    ...none('柏林墙的首都是哪里？', '柏林墙在哪里？', '柏林墙位于哪里？', '柏林墙位于德国吗？', '柏林墙是德国的首都吗？', '柏林大学位于哪里？', '雅典娜的学生是谁？', '谁出生在雅典娜？', '柏拉图斯的老师是谁？', '希腊人的首都是哪里？', '柏林墙多高？'),
    ['柏林市是德国的首都吗？', 'Germany | capital | Berlin'],
    ['爱因斯坦博士曾经获得过哪些奖？', 'Albert Einstein | won'],
    ['爱因斯坦究竟出生在哪里？', 'Albert Einstein | born in'],
    ['居里夫人丈夫是谁？', 'Marie Curie | spouse'],
    ['德国首都是哪里？', 'Germany | capital'],
    ['雅典这座城市位于哪里？', 'Athens | located in'],
    ['会死的人有哪些？', 'mortal | ^is a'],
  ],
  'a class of one Chinese character, and the one whose it is': [
    ['苏格拉底是人吗？', 'Socrates | is a | human'],
    ['柏拉图是人吗', 'Plato | is a | human'],
    ['谁是人？', 'human | ^is a'],
    ['柏林是哪个国家的首都？', 'Berlin | ^capital'],
    ['亚里士多德是谁的学生？', 'Aristotle | ^teacher of'],
    ['苏格拉底的学生是谁？', 'Socrates | teacher of'],
    ['柏拉图是苏格拉底的学生吗？', 'Socrates | teacher of | Plato'],
  ],
};

for (const [name, rows] of Object.entries(GROUPS))
  t.test(name, async (t) => {
    const world = await openExample();
    t.teardown(() => world.close());
    for (const [question, expected] of rows) t.equal(await meaning(world, question), expected, question);
  });

t.test('what is only described is not said to be its description: the capital is a city, and not the city', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  await world.tell(['Berlin', 'Warsaw'].map((city) => ({ subject: parseEntityId(city), relation: parseRelationName('is a'), object: entity(parseEntityId('city')) })));
  await world.name(parseEntityId('city'), ['城市']);
  for (const question of ['Is the capital of Germany a city?', '德国的首都是城市吗？', 'Is the spouse of Marie Curie a physicist?']) t.equal(await meaning(world, question), 'unknown', question);
  for (const question of ['Is the capital of Germany Warsaw?', '德国的首都是华沙吗？']) t.equal(await meaning(world, question), 'Germany | capital | Warsaw', question);
});

t.test('where the graph has a relation or a class of that name, nothing is narrowed', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const tell = (subject: string, relation: string, object: string): Promise<void> => world.tell([{ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) }]);
  await tell('Pilot', 'next episode', 'Second Hour');
  await tell('Ada', 'former employer', 'Acme');
  await tell('Ada', 'works for', 'Zenith');
  await tell('Ada', 'is a', 'woman');
  await tell('Bob', 'works for', 'Yonder');
  t.equal(await meaning(world, 'What is the next episode of Pilot?'), 'Pilot | next episode');
  t.equal(await meaning(world, 'Who is the former employer of Ada?'), 'Ada | former employer');
  t.equal(await meaning(world, 'Which women work for Zenith?'), 'Zenith | ^works for');
  t.equal(await meaning(world, 'Which women work for Yonder?'), 'unknown');
  await world.tell([{ subject: parseEntityId('Dune'), relation: parseRelationName('published by'), object: literal('Chilton Books') }]);
  t.equal(await meaning(world, 'Was Dune published by Chilton Books?'), 'Dune | published by | Chilton Books');
  t.equal(await meaning(world, 'Was Dune published by Chilton Books in Philadelphia?'), 'unknown');
  // Tags of some things tell nothing of the others.
  await tell('Solaris', 'directed by', 'Tarkovsky');
  await tell('Mirror', 'directed by', 'Tarkovsky');
  await tell('Solaris', 'has tags', 'film');
  await tell('Mirror', 'has tags', 'poetry');
  t.equal(await meaning(world, 'Which films were directed by Tarkovsky?'), 'Tarkovsky | ^directed by');
});

t.test('what somebody only felt, left off or could not do is not answered by what is', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const tell = (subject: string, relation: string, object: string): Promise<void> => world.tell([{ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) }]);
  await tell('Ada', 'works in', 'Cardiology');
  await tell('Ada', 'is a', 'doctor');
  await tell('Bob', 'works in', 'Radiology');
  for (const question of ['Who stopped working in Cardiology?', 'Who no longer works in Cardiology?', 'Who used to work in Cardiology?', 'Who planned to work in Cardiology?', 'Who regretted working in Cardiology?', 'Who dislikes working in Cardiology?', 'Who should work in Cardiology?', 'Who might work in Cardiology?', 'Who could have worked in Cardiology?', 'Who is unable to work in Cardiology?', 'Who is banned from working in Cardiology?', 'Has Ada stopped working in Cardiology?', 'Was Ada prevented from working in Cardiology?', 'Does Ada no longer work in Cardiology?'])
    t.equal(await meaning(world, question), 'unknown', question);
  for (const question of ['Who works in Cardiology?', 'Who is working in Cardiology?', 'Who started working in Cardiology?', 'I would like to know who works in Cardiology.', 'Which doctors work in Cardiology?', 'List the doctors working in Cardiology.'])
    t.equal(await meaning(world, question), 'Cardiology | ^works in', question);
  await tell('Aspirin', 'treats', 'angina');
  for (const question of ['Which drug is used to treat angina?', 'What is known to treat angina?']) t.equal(await meaning(world, question), 'angina | ^treats', question);
  t.equal(await meaning(world, 'How many doctors work in Cardiology?'), 'Cardiology | ^works in');
  t.equal(await meaning(world, 'How many doctors work in Radiology?'), 'unknown', 'of Bob it is not told');
});

t.test('a parent is of either sex, and a film may be called Her', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const tell = (subject: string, relation: string, object: string): Promise<void> => world.tell([{ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) }]);
  await tell('Ann', 'parent of', 'Ben');
  for (const question of ['Who is the father of Ben?', 'Is Ann the father of Ben?', 'Is Ann Ben’s mother?']) t.equal(await meaning(world, question), 'unknown', question);
  t.equal(await meaning(world, 'Who is the parent of Ben?'), 'Ben | ^parent of');
  await tell('Ann', 'mother of', 'Ben');
  t.equal(await meaning(world, 'Is Ann the mother of Ben?'), 'Ann | mother of | Ben');
  await tell('Spike Jonze', 'directed', 'Her');
  t.equal(await meaning(world, 'Who directed Her?'), 'Her | ^directed');
});

t.test('a year beside a class, what somebody has, and a relation called "is"', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const tell = (subject: string, relation: string, object: string): Promise<void> => world.tell([{ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) }]);
  const value = (subject: string, relation: string, year: number): Promise<void> => world.tell([{ subject: parseEntityId(subject), relation: parseRelationName(relation), object: literal(year) }]);
  await tell('Speed', 'is a', 'movie');
  await value('Speed', 'released', 1994);
  await tell('Ann', 'born in', 'Rome');
  await value('Ann', 'birth year', 1994);
  await tell('Mia', 'has diagnosis', 'fracture');
  await tell('Mia', 'is a', 'patient');
  await tell('Odette', 'is', 'white');
  t.equal(await meaning(world, 'Which movies were released in 1994?'), '1994 | ^released');
  t.equal(await meaning(world, 'Who was born in 1994?'), '1994 | ^birth year');
  t.equal(await meaning(world, 'Who was educated in 1994?'), 'unknown');
  t.equal(await meaning(world, 'Does Mia have a fracture?'), 'Mia | has diagnosis | fracture');
  t.equal(await meaning(world, 'Does Mia have a patient?'), 'unknown');
  t.equal(await meaning(world, 'Is Odette white?'), 'Odette | is | white');
});
