// Owns the behaviour of questions that have a word of a relation's name and ask for something else: the other side of one thing, another doer or place, another modifier; and of those that ask for just that in other words.
// Refuses to know how the answer is worded.

import t from 'tap';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName, termText } from '../../graph/terms.ts';
import type { Term } from '../../graph/terms.ts';
import { DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import { read } from '../../src/answers/reading.ts';
import { openWorld } from '../helpers/answer-world.ts';

type Row = readonly [subject: string, relation: string, object: string | number | Term];
async function all(rows: readonly Row[], questions: Readonly<Record<string, string>>): Promise<void> {
  const world = await openWorld();
  const term = (object: string | number | Term): Term => (typeof object === 'string' ? entity(parseEntityId(object)) : typeof object === 'number' ? literal(object) : object);
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: term(object) })));
  for (const [question, expected] of Object.entries(questions)) {
    const { outcome, answers } = await read(world.graph, question, { base: DEFAULT_BASE, mode: 'grounded', hops: 2 }, { answers: 10, claims: 10, compose: DEFAULT_COMPOSE }, new AbortController().signal);
    t.equal(outcome === 'not_entailed' ? 'unknown' : answers.map(termText).toSorted().join(', '), expected, question);
  }
  await world.close();
}
const date = (value: string): Term => literal(value, 'date');

t.test('the other side of one thing is another thing', () =>
  all(
    [
      ['Green Park', 'ticketPrice', 14],
      ['Green Park', 'childTicketPrice', 7],
      ['Blue Park', 'ticketPrice', 11],
      ['Blue Park', 'annual_visitors', 30000],
      ['Blue Park', 'home_team', 'Lions FC'],
      ['Rex', 'dailyFoodKg', 6],
      ['Rex', 'weight_kg', 190],
      ['Savanna House', 'temperature_max', 38],
      ['Savanna House', 'temperature_min', 18],
      ['Ice Hall', 'max_memory_mb', 512],
      ['Tess Holt', 'contract_until', date('2026-05-31')],
      ['Tess Holt', 'rent', 900],
      ['Ben Ames', 'contract_since', date('2019-01-07')],
      ['Ben Ames', 'birth_date', date('1986-02-11')],
      ['Ben Ames', 'last_name', 'Ames'],
      ['Ben Ames', 'years_of_experience', 14],
      ['Ben Ames', 'home_office_days', 3],
      ['Hill School', 'headTeacher', 'Maria Lopez'],
      ['Hill School', 'former_head_teacher', 'Alan Pike'],
      ['Hill School', 'firstReleasedOn', date('2019-06-03')],
      ['Hill School', 'previousVersion', '4.1'],
    ],
    {
      'What is the child ticket price of Green Park?': '7',
      'What is the ticket price for children at Green Park?': '7',
      'What is the adult ticket price of Green Park?': '14',
      'What is the senior ticket price of Green Park?': 'unknown',
      'What is the child ticket price of Blue Park?': 'unknown',
      'What is the annual number of visitors of Blue Park?': '30000',
      'How many visitors does Blue Park have per year?': '30000',
      'What is the monthly number of visitors of Blue Park?': 'unknown',
      'How many visitors does Blue Park have per month?': 'unknown',
      'How much food does Rex eat per day?': '6',
      'How much food does Rex eat per week?': 'unknown',
      'What is the home team of Blue Park?': 'Lions FC',
      'What is the away team of Blue Park?': 'unknown',
      // Names of relations shorten words, and say units.
      'What is the maximum temperature of Savanna House?': '38',
      'What is the minimum temperature of Savanna House?': '18',
      'What is the minimum memory of Ice Hall?': 'unknown',
      'What is the weight of Rex in kg?': '190',
      'How much does Rex weigh?': '190',
      'When does the contract of Tess Holt end?': '2026-05-31',
      'When did the contract of Tess Holt begin?': 'unknown',
      'Until when does Tess Holt have a contract?': '2026-05-31',
      'When did the contract of Ben Ames start?': '2019-01-07',
      'When does the contract of Ben Ames end?': 'unknown',
      'What is the birthday of Ben Ames?': '1986-02-11',
      'What is the death date of Ben Ames?': 'unknown',
      'How many years of experience does Ben Ames have?': '14',
      'How many sick days does Ben Ames have?': 'unknown',
      'Who is the head teacher of Hill School?': 'Maria Lopez',
      'Who is the deputy head teacher of Hill School?': 'unknown',
      'Who is the former head teacher of Hill School?': 'Alan Pike',
      'When was Hill School first released?': '2019-06-03',
      'When was Hill School last released?': 'unknown',
      'What is the previous version of Hill School?': '4.1',
    },
  ));

t.test('another doer, place or person is another thing', () =>
  all(
    [
      ['Bug 103', 'assigned_to', 'Priya Nair'],
      ['Bug 102', 'blocks', 'Bug 103'],
      ['Bug 102', 'is a', 'bug'],
      ['Bug 102', 'reported_by', 'Jonas Weber'],
      ['Jonas Weber', 'reportsTo', 'Priya Nair'],
      ['Jonas Weber', 'knows', 'Rust'],
      ['Priya Nair', 'mentors', 'Jonas Weber'],
      ['Kestrel', 'port', 8443],
      ['Kestrel', 'role', 'gateway'],
      ['Rory Flynn', 'operated_on_by', 'Dr Ryan'],
      ['Rory Flynn', 'diagnosed_with', 'angina'],
      ['Rory Flynn', 'patient_of', 'Dr Ryan'],
      ['Rory Flynn', 'is_a', 'patient'],
      ['Chess Club', 'meets_in', 'Room 12'],
      ['Exam 4', 'set_by', 'Maria Lopez'],
      ['Exam 4', 'is an', 'exam'],
      ['Exam 5', 'is an', 'exam'],
      ['Exam 4', 'duration_min', 90],
      ['Leo Grant', 'in_class', '7B'],
      ['Leo Grant', 'graduatedFrom', 'Hill School'],
      ['Leo Grant', 'works_in', 'Ward 3'],
      ['Green Park', 'openedIn', 1924],
      ['Green Park', 'opening_time', '9:00'],
      ['Blue Park', 'openedIn', 1980],
      ['Rex', 'is a', 'lion'],
      ['Pipit', 'common_name', 'titlark'],
    ],
    {
      'Who is Bug 103 assigned to?': 'Priya Nair',
      'Who assigned Bug 103?': 'unknown',
      'What blocks Bug 103?': 'Bug 102',
      'What does Bug 103 block?': 'unknown',
      'Which bugs did Jonas Weber report?': 'Bug 102',
      'Who does Jonas Weber report to?': 'Priya Nair',
      "Who are Jonas Weber's reports?": 'unknown',
      'What does Jonas Weber know?': 'Rust',
      'Do you know what Jonas Weber knows?': 'Rust',
      'Who does Priya Nair mentor?': 'Jonas Weber',
      'Who is the mentor of Jonas Weber?': 'Priya Nair',
      'Which port does Kestrel use?': '8443',
      'Who operated on Rory Flynn?': 'Dr Ryan',
      'Where was Rory Flynn operated on?': 'unknown',
      'Does Rory Flynn have angina?': 'true',
      'Whose patient is Rory Flynn?': 'Dr Ryan',
      'Where does Chess Club meet?': 'Room 12',
      'Who does Chess Club meet?': 'unknown',
      'Who set Exam 4?': 'Maria Lopez',
      'Who set Exam 5?': 'unknown',
      'How long does Exam 4 last?': '90',
      'Which class is Leo Grant in?': '7B',
      'Where did Leo Grant graduate from?': 'Hill School',
      'What did Leo Grant graduate in?': 'unknown',
      'What are the working hours of Leo Grant?': 'unknown',
      'When does Green Park open?': '9:00',
      'When did Green Park open?': '1924',
      'When does Blue Park open?': 'unknown',
      'What animal is Rex?': 'lion',
      'What colour is Rex?': 'unknown',
      'What is the common name of Pipit?': 'titlark',
    },
  ));

t.test('in Chinese', () =>
  all(
    [
      ['团团', '是', '大熊猫'],
      ['团团', '体重', 105],
      ['山居图', '创作年份', 1684],
      ['山居图', '是', '绘画'],
      ['山居图', '捐赠者', '李世昌'],
      ['青铜鼎', '所属朝代', '商朝'],
      ['青铜鼎', '藏于', '海云博物馆'],
      ['海云博物馆', '年游客量', 420000],
      ['海云博物馆', '日均客流', 1150],
      ['海云博物馆', '最高日客流', 9000],
      ['海云博物馆', '电话', literal('0571-8888')],
      ['海云博物馆', '合作医院', '同济医院'],
      ['海云博物馆', '馆长', '方雨晴'],
      ['仁爱医院', '是', '医院'],
      ['医院', '是', '机构'],
      ['一号厅', '面积', 600],
      ['林小梅', '负责', '一号厅'],
      ['孙丽', '合同截止', date('2027-02-28')],
      ['马涛', '合同起始', date('2015-06-01')],
      ['王小明', '诊断', '肺炎'],
      ['阿莫西林', '价格', 18],
      ['青铜展', '开始日期', date('2024-05-01')],
    ],
    {
      '团团是什么动物？': '大熊猫',
      '团团是什么颜色？': 'unknown',
      '团团有多重？': '105',
      '团团重多少？': '105',
      '青铜展从什么时候开始？': '2024-05-01',
      '青铜展什么时候结束？': 'unknown',
      '山居图的创作年份是哪一年？': '1684',
      '山居图的捐赠年份是哪一年？': 'unknown',
      '哪幅画创作于1684年？': '山居图',
      '青铜鼎属于哪个朝代？': '商朝',
      '青铜鼎藏在哪里？': '海云博物馆',
      '海云博物馆的年游客量是多少？': '420000',
      '海云博物馆每年有多少游客？': '420000',
      '海云博物馆的月游客量是多少？': 'unknown',
      '海云博物馆每月有多少游客？': 'unknown',
      '海云博物馆的日均客流是多少？': '1150',
      '海云博物馆的月均客流是多少？': 'unknown',
      '海云博物馆的最高日客流是多少？': '9000',
      '海云博物馆的最低日客流是多少？': 'unknown',
      // A value, and not how many there are.
      '海云博物馆的电话是多少？': '0571-8888',
      '海云博物馆的合作医院是哪家？': '同济医院',
      '海云博物馆的馆长是谁？': '方雨晴',
      '海云博物馆的副馆长是谁？': 'unknown',
      '一号厅有多大？': '600',
      '一号厅由谁负责？': '林小梅',
      '孙丽的合同什么时候截止？': '2027-02-28',
      '孙丽的合同什么时候开始？': 'unknown',
      '马涛的合同什么时候到期？': 'unknown',
      '王小明有肺炎吗？': 'true',
      '阿莫西林多少钱？': '18',
    },
  ));
