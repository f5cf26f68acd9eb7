// Owns answers as lists and tables: when a question asks for one, how it is written, and that it says what the sentence says.
// Refuses to know HTTP.

import t from 'tap';
import { DEFAULT_BASE } from '../../graph/terms.ts';
import { createAnswerer } from '../../src/answers/answerer.ts';
import type { AnswerEvent } from '../../src/answers/port.ts';
import { wantedForm } from '../../src/answers/understand/form.ts';
import type { Evidence } from '../../src/answers/words/evidence.ts';
import { reply } from '../../src/answers/words/wording.ts';
import { MODEL, startEngine } from '../engine/world.ts';
import { openExample } from '../helpers/answer-world.ts';

t.test('a form is heard where one is asked for, and the rest of the question stays where it stood', (t) => {
  for (const [question, form, rest] of [
    ['Who directed Psycho? As a table.', 'table', 'Who directed Psycho?'],
    ['Who directed Psycho, in a Markdown table please?', 'table', 'Who directed Psycho'],
    ['Show the films of Hitchcock in tabular form', 'table', 'Show the films of Hitchcock'],
    ['List the films of Hitchcock as a bulleted list', 'list', 'List the films of Hitchcock'],
    ['Which films did he direct? Answer in bullet points.', 'list', 'Which films did he direct?'],
    ['谁是柏拉图的老师？用表格列出', 'table', '谁是柏拉图的老师？'],
    ['请用列表的形式回答柏拉图的学生有哪些', 'list', '柏拉图的学生有哪些'],
  ] as const) {
    const heard = wantedForm(question);
    t.equal(heard.form, form, question);
    t.equal(heard.text.length, question.length, question);
    t.match(heard.text.trim(), rest, question);
  }
  for (const question of ['List the films of Hitchcock', 'Who made the table?', 'What is in the periodic table?', 'Which list contains Psycho?', '这张表格是谁做的？', 'as a table'])
    t.same(wantedForm(question), { text: question }, question);
  t.end();
});

const answer = (more: Partial<Evidence>): Evidence => ({ verdict: 'answer', conclusion: { subjects: ['Psycho'], relations: ['starred_actors'], objects: ['Perkins', 'Leigh'] }, lines: [], ...more });
t.test('a list has one answer a line below what they answer, a table a row for each', (t) => {
  t.equal(reply(answer({ form: 'list' }), 'en'), 'The starred actors of Psycho are:\n\n- Perkins\n- Leigh');
  t.equal(reply(answer({ form: 'table' }), 'en'), '| subject | relation | object |\n| --- | --- | --- |\n| Psycho | starred actors | Perkins |\n| Psycho | starred actors | Leigh |');
  const films = { subjects: ['Psycho', 'Rope'], relations: ['directed by'], objects: ['Hitchcock'] };
  t.equal(reply(answer({ conclusion: films, form: 'list', sought: 'subjects' }), 'en'), 'Those directed by Hitchcock:\n\n- Psycho\n- Rope');
  t.equal(reply(answer({ conclusion: { ...films, subjects: ['Psycho'] }, form: 'list', sought: 'subjects' }), 'en'), 'Those directed by Hitchcock:\n\n- Psycho');
  t.equal(reply(answer({ conclusion: { subjects: ['Psycho'], relations: ['directed by', 'directed by'], inverse: [false, true], objects: ['Rope'] }, form: 'table' }), 'en').split('\n')[2], '| Psycho | directed by / ^directed by | Rope |');
  t.equal(reply({ ...answer({ form: 'list' }), verdict: 'count', count: 2 }, 'en'), 'There are 2:\n\nThe starred actors of Psycho are:\n\n- Perkins\n- Leigh');
  t.equal(reply(answer({ conclusion: { subjects: ['惊魂记'], relations: ['导演'], objects: ['希区柯克'] }, form: 'table' }), 'zh'), '| 主体 | 关系 | 客体 |\n| --- | --- | --- |\n| 惊魂记 | 导演 | 希区柯克 |');
  t.equal(reply(answer({ conclusion: { subjects: ['惊魂记'], relations: ['导演'], objects: ['希区柯克'] }, form: 'list' }), 'zh'), '惊魂记的导演是：\n\n- 希区柯克');
  t.equal(reply(answer({ conclusion: { subjects: ['Berlin'], relations: ['capital of'], objects: ['Germany'] }, form: 'list' }), 'en'), 'Berlin is the capital of:\n\n- Germany');
  t.match(reply(answer({ conclusion: { subjects: ['a|b'], relations: ['part of'], objects: ['c'] }, form: 'table' }), 'en'), '| a\\|b | part of | c |', 'a bar in a name is no border of a cell');
  t.end();
});

t.test('a question that asks for a table gets one, with the same answers and proofs as the sentence', async (t) => {
  const [world, engine] = await Promise.all([openExample(), startEngine(t)]);
  const answerer = createAnswerer({ knowledge: world.graph, engine });
  t.teardown(async () => {
    answerer.close();
    await world.close();
  });
  const ask = async (question: string, maxTokens = 256): Promise<{ readonly text: string; readonly finish: Extract<AnswerEvent, { kind: 'finish' }> }> => {
    const events = await Array.fromAsync(answerer.answer({ model: MODEL, messages: [{ role: 'user', content: question }], sampling: { temperature: 0, topP: 1 }, maxTokens, stop: [], knowledge: { base: DEFAULT_BASE, mode: 'grounded', hops: 2 } }));
    return { text: events.map((event) => (event.kind === 'delta' ? event.text : '')).join(''), finish: events.at(-1) as Extract<AnswerEvent, { kind: 'finish' }> };
  };
  const sentence = await ask('Where was Albert Einstein born?');
  const table = await ask('Where was Albert Einstein born? Answer as a table.');
  t.equal(table.text, '| subject | relation | object |\n| --- | --- | --- |\n| Albert Einstein | born in | Ulm |\n| Albert Einstein | born in | Germany |');
  t.same(table.finish.grounding?.answers, sentence.finish.grounding?.answers);
  t.same(table.finish.grounding?.claims.map(({ text }) => text), sentence.finish.grounding?.claims.map(({ text }) => text));
  t.equal((await ask('阿尔伯特·爱因斯坦出生在哪里？请用列表回答')).text, '阿尔伯特·爱因斯坦出生于：\n\n- 乌尔姆\n- 德国');
  t.match((await ask('Is Socrates mortal? As a list.')).text, /^Yes, /, 'what is no list of answers stays a sentence');
  t.match((await ask('Where was Albert Einstein born? Answer as a table.', 12)).text, /^(?!\|)/, 'a request without room for the table gets the sentence, as far as it goes');
});
