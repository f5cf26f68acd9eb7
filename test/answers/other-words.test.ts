// Owns the behaviour of questions that say only a part of what a relation is called, and something else in the place of the rest, or ask for something that the relation does not give.
// Refuses to know how the answer is worded.

import t from 'tap';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName, termText } from '../../graph/terms.ts';
import type { Term } from '../../graph/terms.ts';
import { DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import { read } from '../../src/answers/reading.ts';
import { openWorld } from '../helpers/answer-world.ts';

type Row = readonly [subject: string, relation: string, object: string | Term];
async function all(rows: readonly Row[], questions: Readonly<Record<string, string>>): Promise<void> {
  const world = await openWorld();
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: typeof object === 'string' ? entity(parseEntityId(object)) : object })));
  for (const [question, expected] of Object.entries(questions)) {
    const { outcome, answers } = await read(world.graph, question, { base: DEFAULT_BASE, mode: 'grounded', hops: 2 }, { answers: 10, claims: 10, compose: DEFAULT_COMPOSE }, new AbortController().signal);
    t.equal(outcome === 'not_entailed' ? 'unknown' : answers.map(termText).toSorted().join(', '), expected, question);
  }
  await world.close();
}
const date = (value: string): Term => literal(value, 'date');

t.test('in a football league', () =>
  all(
    [
      ['Redvale United', 'is a', 'club'],
      ['Ashport City', 'is a', 'club'],
      ['Northgate Rovers', 'is a', 'club'],
      ['Redvale United', 'homeGround', 'Mill Lane'],
      ['Redvale United', 'founded_on', date('1893-09-04')],
      ['Redvale United', 'based in', 'Redvale'],
      ['Ashport City', 'based in', 'Ashport'],
      ['Redvale', 'located in', 'Westshire'],
      ['Ashport', 'located in', 'Westshire'],
      ['Redvale United', 'based in', 'Westshire'],
      ['Northgate Rovers', 'coached by', 'Joe Pratt'],
      ['Ashport City', 'coached by', 'Deniz Aydin'],
      ['Deniz Aydin', 'formerly_coached', 'Northgate Rovers'],
      ['Ben Carver', 'plays_for', 'Ashport City'],
      ['Sam Oduya', 'plays_for', 'Redvale United'],
      ['Ben Carver', 'position', 'striker'],
      ['Ben Carver', 'goals_scored', literal(22)],
      ['Ben Carver', 'date_of_birth', date('1995-07-30')],
      ['Ben Carver', 'nationality', 'English'],
      ['Sam Oduya', 'nationality', 'Nigerian'],
      ['Sam Oduya', 'shirtNumber', literal(9)],
      ['Sam Oduya', 'contract_until', date('2027-06-30')],
      ['Sam Oduya', 'captain of', 'Redvale United'],
      ['Match 12', 'home_team', 'Redvale United'],
      ['Match 12', 'away_team', 'Ashport City'],
      ['Match 12', 'winner', 'Redvale United'],
      ['Match 12', 'played_on', date('2024-03-09')],
    ],
    {
      'What is the home ground of Redvale United?': 'Mill Lane',
      'What is the training ground of Redvale United?': 'unknown',
      'Who founded Redvale United?': 'unknown',
      'When was Redvale United founded?': '1893-09-04',
      'What is the birth date of Ben Carver?': '1995-07-30',
      'What is the wedding date of Ben Carver?': 'unknown',
      'What is the death date of Ben Carver?': 'unknown',
      'How many goals did Ben Carver score?': '22',
      'How many goals did Ben Carver concede?': 'unknown',
      'How many goals does Ben Carver have?': '22',
      'What number does Sam Oduya wear?': '9',
      "When does Sam Oduya's contract end?": '2027-06-30',
      "When does Sam Oduya's contract start?": 'unknown',
      'When did Sam Oduya sign his contract?': 'unknown',
      // "Formerly coached" is one relation, and not "coached" besides.
      'Who formerly coached Northgate Rovers?': 'Deniz Aydin',
      'Who did Deniz Aydin formerly coach?': 'Northgate Rovers',
      'Who coached Northgate Rovers?': 'Joe Pratt',
      // What is asked for.
      'Which team does Ben Carver play for?': 'Ashport City',
      'Which stadium does Ben Carver play in?': 'unknown',
      'Which team won Match 12?': 'Redvale United',
      'Which teams played in Match 12?': 'unknown',
      'Which players are strikers?': 'Ben Carver',
      'Which clubs are in Westshire?': 'Redvale United',
      'Which hotels are in Westshire?': 'unknown',
      // Said of the name itself, or of whom it only describes.
      'Is Ben Carver Nigerian?': 'unknown',
      'Is the captain of Redvale United Nigerian?': 'unknown',
      'Is the captain of Redvale United Sam Oduya?': 'true',
      'Does the captain of Redvale United hate Sam Oduya?': 'unknown',
      'Who does the captain of Redvale United hate?': 'unknown',
      'Who is the captain of Redvale United?': 'Sam Oduya',
    },
  ));

t.test('in a museum', () =>
  all(
    [
      ['Running Hare', 'is_a', 'sculpture'],
      ['The Weaver', 'is_a', 'painting'],
      ['Running Hare', 'created_by', 'Tomas Brandt'],
      ['Bronze Bull', 'created_by', 'Tomas Brandt'],
      ['The Weaver', 'created_by', 'Pieter Holm'],
      ['Running Hare', 'creationYear', literal(1921)],
      ['Running Hare', 'medium', 'bronze'],
      ['The Weaver', 'acquired_on', date('1921-03-02')],
      ['The Weaver', 'donated by', 'Lady Ashgrove'],
      ['Pieter Holm', 'is_a', 'painter'],
      ['Tomas Brandt', 'is_a', 'sculptor'],
      ['Pieter Holm', 'nationality', 'Dutch'],
      ['Pieter Holm', 'birthDate', date('1610-02-17')],
      ['Noor Haddad', 'works for', 'Marlow Museum'],
      ['Marlow Museum', 'located in', 'Kent'],
      ['Bexford', 'located in', 'Kent'],
      ['Marlow Museum', 'closed on', 'Monday'],
      ['Sofia Okafor', 'email', 'sofia@marlow.example'],
    ],
    {
      'Who made Running Hare?': 'Tomas Brandt',
      'What is Running Hare made of?': 'unknown',
      'Where was Running Hare created?': 'unknown',
      'When was Running Hare created?': '1921',
      'Where was The Weaver donated?': 'unknown',
      'When was The Weaver stolen?': 'unknown',
      'What was the creation date of The Weaver?': 'unknown',
      'What was the creation place of Running Hare?': 'unknown',
      'How many works did Tomas Brandt create?': '2',
      'Which painter is Dutch?': 'Pieter Holm',
      'Which sculptor is Dutch?': 'unknown',
      'Which sculptures are bronze?': 'Running Hare',
      'Which paintings are bronze?': 'unknown',
      'What is in Kent?': 'Bexford, Marlow Museum',
      'Which museums are in Kent?': 'Marlow Museum',
      'How many museums are in Kent?': 'unknown',
      'Who is in Kent?': 'unknown',
      'What is in Marlow Museum?': 'unknown',
      'When is Marlow Museum closed?': 'Monday',
      "What is Sofia Okafor's email address?": 'sofia@marlow.example',
    },
  ));

t.test('in a law firm and a hospital', () =>
  all(
    [
      ['Nadia Coyle', 'partner_at', 'Coyle LLP'],
      ['Hugo Brandt', 'partner_at', 'Coyle LLP'],
      ['Eli Stone', 'associate_at', 'Coyle LLP'],
      ['Nadia Coyle', 'admitted_to_bar', date('2004-10-11')],
      ['Eli Stone', 'hourly_rate', literal(220)],
      ['Case 88', 'damages_claimed', literal(4500000)],
      ['Case 88', 'heard by', 'Judge Amari'],
      ['Judge Amari', 'appointed_by', 'Queen Anna'],
      ['Mara Klein', 'diagnosis', 'pneumonia'],
      ['Mara Klein', 'allergic to', 'penicillin'],
      ['Tom Reed', 'phobia', 'spiders'],
      ['Tom Reed', 'deficiency', 'iron'],
      ['Tom Reed', 'cause of death', 'asthma'],
      ['amoxicillin', 'treats', 'pneumonia'],
    ],
    {
      'Is Nadia Coyle a partner at Coyle LLP?': 'true',
      'Is Eli Stone a partner at Coyle LLP?': 'unknown',
      'How many partners does Coyle LLP have?': '2',
      'Where is Eli Stone an associate?': 'Coyle LLP',
      'When was Nadia Coyle admitted to the bar?': '2004-10-11',
      'When did Nadia Coyle leave the bar?': 'unknown',
      'When was Nadia Coyle expelled from the bar?': 'unknown',
      'What is the hourly rate of Eli Stone?': '220',
      'What is the daily rate of Eli Stone?': 'unknown',
      'How much damages were claimed in Case 88?': '4500000',
      'How much damages were awarded in Case 88?': 'unknown',
      'Which judge was appointed by Queen Anna?': 'Judge Amari',
      'Who has pneumonia?': 'Mara Klein',
      'Does Mara Klein have pneumonia?': 'true',
      'Does Tom Reed have pneumonia?': 'unknown',
      'Who has penicillin?': 'unknown',
      'Who has spiders?': 'unknown',
      'Who has iron?': 'unknown',
      'Who has asthma?': 'unknown',
    },
  ));

t.test('in a power grid', () =>
  all(
    [
      ['Ashby Works', 'is a', 'coal plant'],
      ['Ashby Works', 'operatedBy', 'Helion Power'],
      ['Elise Fabre', 'works_as', 'oenologist'],
      ['Brenford', 'mayor', 'Irene Doyle'],
      ['Lirac Rouge', 'pairs_with', 'lamb'],
      ['Lirac Rouge', 'vintage', literal(2018)],
      ['Lemon Tart', 'is a', 'dessert'],
      ['Chateau Lirac', 'owned_by', 'Marc Fabre'],
    ],
    {
      'Which plants does Helion Power operate?': 'Ashby Works',
      'Which party does the mayor of Brenford belong to?': 'unknown',
      'What does the owner of Chateau Lirac drive?': 'unknown',
      'Who is the owner of Chateau Lirac?': 'Marc Fabre',
      'Which wine pairs with lamb?': 'Lirac Rouge',
      'What is in Lemon Tart?': 'unknown',
    },
  ));

t.test('in a zoo, in Chinese', () =>
  all(
    [
      ['团团', '是', '大熊猫'],
      ['圆圆', '是', '大熊猫'],
      ['团团', '饲养员', '李建国'],
      ['圆圆', '饲养员', '李建国'],
      ['长耳', '过敏', '青霉素'],
      ['雷霆', '患有', '关节炎'],
      ['虎山', '负责人', '赵强'],
      ['虎山', '位于', '南区'],
      ['虎山', '面积', literal(1800)],
      ['熊猫馆', '位于', '北区'],
      ['熊猫馆', '位于', '星光动物园'],
      ['星光动物园', '位于', '海州市'],
      ['李建国', '年龄', literal(45)],
    ],
    {
      '有几只大熊猫？': '2',
      '有多少头大熊猫？': '2',
      '哪些动物是大熊猫？': '团团, 圆圆',
      '雷霆是大熊猫吗？': 'unknown',
      '谁对青霉素过敏？': '长耳',
      '长耳对什么过敏？': '青霉素',
      '青霉素对谁过敏？': 'unknown',
      '雷霆有关节炎吗？': 'true',
      '长耳有关节炎吗？': 'unknown',
      '谁有关节炎？': '雷霆',
      '谁负责虎山？': '赵强',
      '赵强负责什么？': '虎山',
      '虎山由谁负责？': '赵强',
      '虎山负责什么？': 'unknown',
      '李建国饲养几只动物？': '2',
      '团团饲养什么？': 'unknown',
      '南区有什么？': '虎山',
      '熊猫馆在哪个区？': '北区',
      '星光动物园在哪个城市？': '海州市',
      '熊猫馆在哪个城市？': 'unknown',
      '李建国今年几岁？': '45',
      '李建国多大了？': '45',
      '虎山的面积有多大？': '1800',
    },
  ));
