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
  if (best.target) return [best.target.subject, best.target.relation, termText(best.target.object)].join(' | ');
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
    ['Is Odette a white swan?', 'Odette | has color | white'],
    ['Did Einstein really win the Nobel Prize in Physics?', 'Albert Einstein | won | Nobel Prize in Physics'],
    ['Was Plato taught by Socrates himself?', 'Socrates | teacher of | Plato'],
    ['Did Einstein ever win the Nobel Prize in Physics?', 'Albert Einstein | won | Nobel Prize in Physics'],
  ],
  'which ones, which of several, how often': [
    ...none('Which chemists won the Nobel Prize in Physics?', 'Which chemist won the Nobel Prize in Chemistry?', 'Which women won the Nobel Prize in Physics?', 'How many women won the Nobel Prize in Physics?', 'Which swans were born in Athens?', '哪些女性获得了诺贝尔物理学奖？'),
    ...none('Who was the former wife of Einstein?', 'Who is the second wife of Einstein?', 'What is the third capital of Germany?', 'Who won the Nobel Prize in Physics twice?', 'What will be the capital of Germany?', 'Who will win the Nobel Prize in Physics?'),
    ['Which physicists won the Nobel Prize in Physics?', 'Nobel Prize in Physics | ^won'],
    ['Which people won the Nobel Prize in Physics?', 'Nobel Prize in Physics | ^won'],
    ['Which humans were born in Athens?', 'Athens | ^born in'],
    ['Which country was Albert Einstein born in?', 'Albert Einstein | born in'],
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
