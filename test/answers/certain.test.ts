// Owns the behaviour of questions whose plain reading would be a certain answer to something else: what undoes a statement, opposites, stored numbers and years, classes that are asked for, beginnings of several names.
// Refuses to know how the answer is worded.

import t from 'tap';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName, termText } from '../../graph/terms.ts';
import type { Term } from '../../graph/terms.ts';
import { DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import { read } from '../../src/answers/reading.ts';
import { openExample, openWorld } from '../helpers/answer-world.ts';
import type { AnswerWorld } from '../helpers/answer-world.ts';

/** The outcome and the answers. */
async function said({ graph }: AnswerWorld, question: string): Promise<string> {
  const { outcome, answers, evidence } = await read(graph, question, { base: DEFAULT_BASE, mode: 'grounded', hops: 2 }, { answers: 10, claims: 10, compose: DEFAULT_COMPOSE }, new AbortController().signal);
  if (outcome === 'not_entailed') return 'unknown';
  return evidence.verdict === 'yes' || evidence.verdict === 'no' ? evidence.verdict : answers.map(termText).toSorted().join(', ');
}
async function all(world: AnswerWorld, rows: Readonly<Record<string, string>>): Promise<void> {
  for (const [question, expected] of Object.entries(rows)) t.equal(await said(world, question), expected, question);
}

t.test('in the example graph', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  await all(world, {
    // What undoes a statement.
    'Did Plato teach Aristotle?': 'yes',
    'Is it false that Plato taught Aristotle?': 'unknown',
    'Is it a lie that Plato taught Aristotle?': 'unknown',
    'Did Plato refuse to teach Aristotle?': 'unknown',
    'Is Plato no student of Socrates?': 'unknown',
    'Who failed to win the Nobel Prize in Physics?': 'unknown',
    'Who nearly won the Nobel Prize in Physics?': 'unknown',
    // Parts that no fact says.
    'Was Aristotle a student of Plato?': 'yes',
    'Was Aristotle a fake student of Plato?': 'unknown',
    'Was Aristotle the only student of Plato?': 'unknown',
    "Was Aristotle a student of Plato's student?": 'unknown',
    // Whose.
    'Whose teacher is Plato?': 'Aristotle',
    'Who did Aristotle have as a teacher?': 'Plato',
    // Words that are near to a relation, and do not say it.
    'Does Germany contain Ulm?': 'unknown',
    'What does Germany contain?': 'unknown',
    'Who did Plato learn from?': 'unknown',
    'Did Plato learn from Socrates?': 'unknown',
    'Did Plato instruct Aristotle?': 'yes',
    'Did Einstein receive the Nobel Prize in Physics?': 'yes',
    'What type of animal is Odette?': 'swan',
    'What kind of bird is Odette?': 'swan',
    // How long is no year.
    'How many years did Einstein live?': 'unknown',
    'How old is Einstein?': 'unknown',
    // What the answers surely are not.
    'Which mountain was Einstein born in?': 'unknown',
    'Which village was Einstein born in?': 'unknown',
    'Which city was Einstein born in?': 'Ulm',
    // What only asks whether the rest is so.
    'Is it true that Socrates is mortal?': 'yes',
    'Is it true that Odette is a white swan?': 'yes',
    'Is it correct that Plato taught Aristotle?': 'yes',
    'Is it true that Socrates is not mortal?': 'unknown',
    // The beginning of several names.
    'Who won a Nobel Prize?': 'unknown',
    'How many descendants does Marie Curie have?': 'unknown',
  });
});

t.test('in a graph of numbers, dates, classes and opposites', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const rows: readonly (readonly [string, string, string | Term])[] = [
    ['Royal Infirmary', 'number of beds', literal(900)],
    ['Royal Infirmary', 'is a', 'Hospital'],
    ['Anna Keller', 'is a', 'doctor'],
    ['Anna Keller', 'works at', 'Royal Infirmary'],
    ['Anna Keller', 'specialises in', 'cardiology'],
    ['Anna Keller', 'born in', 'Zurich'],
    ['Anna Keller', 'date of birth', literal('1971-03-02', 'date')],
    ['Anna Keller', 'last name', literal('Keller')],
    ['Norway', 'exports', 'fish'],
    ['Box', 'length', literal(7)],
    ['Anna Keller', 'loves', 'Boris'],
    ['Felix Braun', 'works in', 'Radiology'],
  ];
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: typeof object === 'string' ? entity(parseEntityId(object)) : object })));
  await all(world, {
    'How many beds does the Royal Infirmary have?': '900',
    'What does Norway export?': 'fish',
    'What does Norway import?': 'unknown',
    'Does Anna Keller love Boris?': 'yes',
    'Does Anna Keller hate Boris?': 'unknown',
    'How wide is Box?': 'unknown',
    'Was Anna Keller born in 1971?': 'yes',
    'Was Anna Keller born in Zurich?': 'yes',
    'Which doctors work at the Royal Infirmary?': 'Anna Keller',
    'How many doctors work at the Royal Infirmary?': '1',
    'Who works in Radiology?': 'Felix Braun',
    // Nobody says what he is.
    'Which doctors work in Radiology?': 'unknown',
    'Is the Royal Infirmary a hospital?': 'yes',
    'Where is the Royal Infirmary?': 'unknown',
    'What is the last name of Anna Keller?': 'Keller',
  });
});

t.test('in a graph of loans, removals, patients, films and founders', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const rows: readonly (readonly [string, string, string | Term])[] = [
    ['Paul', 'lent money to', 'Quentin'],
    ['Sam', 'speaks', 'French'],
    ['Rosa Blum', 'moved to', 'Bonn'],
    ['The Matrix', 'produced by', 'Joel Silver'],
    ['The Matrix', 'starred actors', 'Keanu Reeves'],
    ['The Matrix', 'starred actors', 'Carrie-Anne Moss'],
    ['Point Break', 'cast', 'Patrick Swayze'],
    ['LNER', 'parent company', 'DfT Operator'],
    ['LNER', 'founder', 'Ann Bell'],
    ['LNER', 'founded in', literal(2018)],
    ['王伟', '妻子', '张敏'],
    ['Rosa Blum', 'has diagnosis', 'lymphoma'],
    ['lymphoma', 'is a', 'disease'],
    ['Rosa Blum', 'treated at', 'Charite'],
    ['Otto Lang', 'treated at', 'Charite'],
    ['Eva Roth', 'treated at', 'Charite'],
    ['Otto Lang', 'is a', 'patient'],
    ['Anna Keller', 'is a', 'doctor'],
    ['Anna Keller', 'works at', 'Charite'],
    ['Karl', 'birth year', literal(1950)],
    ['Lisa', 'age', literal(33)],
    ['Zoe', 'father', 'Carl'],
    ['Bonn', 'located in', 'Germany'],
  ];
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: typeof object === 'string' ? entity(parseEntityId(object)) : object })));
  await world.graph.tell(DEFAULT_BASE, [{ kind: 'entity', entity: { id: parseEntityId('Rosa Blum'), types: ['patient'] } }]);
  await all(world, {
    'Did Paul lend money to Quentin?': 'yes',
    'Did Paul borrow money from Quentin?': 'unknown',
    'Did Paul borrow money to Quentin?': 'unknown',
    'Where did Rosa Blum move to?': 'Bonn',
    'Where did Rosa Blum move from?': 'unknown',
    'Did Rosa Blum move from Bonn?': 'unknown',
    'What does Sam speak?': 'French',
    'What does Sam read?': 'unknown',
    'Does Sam read French?': 'unknown',
    'Who produced The Matrix?': 'Joel Silver',
    'Who left The Matrix?': 'unknown',
    'What is the parent company of LNER?': 'DfT Operator',
    'What is the subsidiary of LNER?': 'unknown',
    'Who starred with Keanu Reeves?': 'Carrie-Anne Moss',
    'Who founded LNER?': 'Ann Bell',
    'When was LNER founded?': '2018',
    'Was LNER founded by Ann Bell?': 'yes',
    'Who is the father of Zoe?': 'Carl',
    "Who are Zoe's parents?": 'unknown',
    'Is Carl a parent of Zoe?': 'unknown',
    'Is it true that Bonn is in Germany?': 'yes',
    '王伟的妻子是谁？': '张敏',
    '王伟的妻子做什么工作？': 'unknown',
    'Does Rosa Blum have lymphoma?': 'yes',
    'Does Otto Lang have lymphoma?': 'unknown',
    'Who has lymphoma?': 'Rosa Blum',
    'What does Rosa Blum have?': 'lymphoma',
    'Is there a doctor at Charite?': 'unknown',
    'Does Anna Keller work at Charite?': 'yes',
    // One is told by a type and one by a fact; of the third nothing is told.
    'Which patients were treated at Charite?': 'Otto Lang, Rosa Blum',
    'How many patients were treated at Charite?': 'unknown',
    'How many years did Karl live?': 'unknown',
    'How old is Karl?': 'unknown',
    'How old is Lisa?': '33',
  });
});

t.test('what would be, is lacked or is compared is no fact; stored numbers, places and ages are asked for without their names', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const rows: readonly (readonly [string, string, string | number])[] = [
    ['Marsden', 'is a', 'station'], ['Norwood', 'is a', 'station'], ['Marsden', 'platforms', 6], ['Norwood', 'platforms', 2], ['Marsden', 'located in', 'Yorkshire'], ['Marsden', 'on line', 'Pennine Line'],
    ['Pennine Line', 'operated by', 'TransNorth'], ['Pennine Line', 'length', 84], ['Paul Moor', 'lives in', 'Leeds'], ['Paul Moor', 'age', 61], ['Dora Finch', 'age', 44],
    ['Dr Chen', 'works in', 'Ward A'], ['Dr Silva', 'works in', 'Ward A'], ['Dr Silva', 'lost', 'a bet'], ['Dr Chen', 'supervises', 'Dr Silva'], ['methotrexate', 'treats', 'leukaemia'], ['amoxicillin', 'contains', 'penicillin'],
    ['青山站', '属于', '一号线'], ['青山站', '是', '车站'], ['一号线', '是', '线路'], ['一号线', '长度', 32], ['赵明', '年龄', 52], ['仁和医院', '位于', '武汉'], ['李医生', '任职于', '仁和医院'],
  ];
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: typeof object === 'string' ? entity(parseEntityId(object)) : literal(object) })));
  await all(world, {
    'Does Dr Chen work in Ward A?': 'yes',
    'Would Dr Chen work in Ward A?': 'unknown',
    'Could Dr Chen work in Ward A?': 'unknown',
    'Will Dr Chen work in Ward A?': 'unknown',
    'Who could work in Ward A?': 'unknown',
    'Where would Paul Moor live?': 'unknown',
    'Can methotrexate treat leukaemia?': 'yes',
    'Could you tell me who operates the Pennine Line?': 'TransNorth',
    'May I ask who operates the Pennine Line?': 'TransNorth',
    'Who works in Ward A?': 'Dr Chen, Dr Silva',
    'Who lost work in Ward A?': 'unknown',
    'Who lacks work in Ward A?': 'unknown',
    'Who has no work in Ward A?': 'unknown',
    'Which doctors need work in Ward A?': 'unknown',
    'Who left work in Ward A?': 'unknown',
    'Who applied for work in Ward A?': 'unknown',
    'Did Dr Chen stop work in Ward A?': 'unknown',
    'Who is about to work in Ward A?': 'unknown',
    'Who is to work in Ward A?': 'unknown',
    'Who is planning on working in Ward A?': 'unknown',
    'Who lost a bet?': 'Dr Silva',
    'Who supervises Dr Silva?': 'Dr Chen',
    'Who supervised Dr Silva?': 'Dr Chen',
    'Who supervised Dr Chen?': 'unknown',
    'Whom does Dr Chen supervise?': 'Dr Silva',
    'Was Dr Silva supervised by Dr Chen?': 'yes',
    'How many platforms does Marsden lack?': 'unknown',
    'What treats leukaemia?': 'methotrexate',
    'What contains penicillin?': 'amoxicillin',
    'What contains no penicillin?': 'unknown',
    'Which stations have 6 platforms?': 'Marsden',
    'Which station has 2 platforms?': 'Norwood',
    'How many stations have 6 platforms?': '1',
    'Which line has a length of 84?': 'Pennine Line',
    'Which line has a length over 84?': 'unknown',
    'Is Paul Moor 61?': 'yes',
    'Is Paul Moor 60?': 'unknown',
    'Is Paul Moor over 61?': 'unknown',
    'Was Paul Moor 61?': 'unknown',
    'Where is Marsden?': 'Yorkshire',
    'Where is Leeds?': 'unknown',
    'Is Marsden on the Pennine Line?': 'yes',
    'Is Norwood on the Pennine Line?': 'unknown',
    '青山站属于一号线吗？': 'yes',
    '青山站可能属于一号线吗？': 'unknown',
    '青山站属于哪条线路？': '一号线',
    '谁任职于仁和医院？': '李医生',
    '我想知道谁任职于仁和医院？': '李医生',
    '谁想任职于仁和医院？': 'unknown',
    '谁应该任职于仁和医院？': 'unknown',
    '赵明多少岁？': '52',
    '赵明52岁吗？': 'yes',
    '谁52岁？': '赵明',
    '一号线有多长？': '32',
    '哪条线路的长度超过32？': 'unknown',
    '仁和医院在哪里？': '武汉',
    '仁和医院在武汉吗？': 'yes',
  });
});
