// Owns the behaviour of follow-up questions: whom a pronoun and a name alone mean after what was asked and said, and that nothing is taken where two could be meant.
// Refuses to know the model; the answers are those of the example graph.

import t from 'tap';
import { DEFAULT_BASE, entity, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import { createAnswerer, DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import { read } from '../../src/answers/reading.ts';
import type { Turn } from '../../src/answers/understand/follow-up.ts';
import { reply } from '../../src/answers/words/wording.ts';
import { openExample, openWorld } from '../helpers/answer-world.ts';
import { says, SCRIPTED, scriptedEngine } from '../helpers/scripted-engine.ts';

/** Each question of a talk, and how it is read in it; `-`: it is refused as it stands. */
const TALKS: readonly (readonly (readonly [asked: string, meant: string])[])[] = [
  [
    ['Where was Marie Curie born?', 'Where was Marie Curie born?'],
    ['And where did she die?', 'And where did Marie Curie die?'],
    ['When was she born?', 'When was Marie Curie born?'],
    ['Is he a chemist?', '-'],
    ['Thanks!', '-'],
  ],
  [
    ['Where was Marie Curie born?', 'Where was Marie Curie born?'],
    ['Who is her husband?', 'Who is Marie Curie’s husband?'],
    ['Did she win the Nobel Prize in Physics?', '-'],
    ['How many prizes did she win?', '-'],
  ],
  [
    ['Who taught Plato?', 'Who taught Plato?'],
    ['Where was he born?', '-'],
    ['And where was Plato born?', 'And where was Plato born?'],
    ['Is he mortal?', 'Is Plato mortal?'],
  ],
  [
    ['Where was Socrates born?', 'Where was Socrates born?'],
    ['And Plato?', 'Where was Plato born?'],
    ['What about Aristotle?', 'Where was Aristotle born?'],
  ],
  [
    ['Did Einstein win the Nobel Prize in Physics?', 'Did Einstein win the Nobel Prize in Physics?'],
    ['And Marie Curie?', 'Did Marie Curie win the Nobel Prize in Physics?'],
    ['And Germany?', '-'],
  ],
  [
    ['Is Socrates mortal?', 'Is Socrates mortal?'],
    ['Where was he born?', 'Where was Socrates born?'],
  ],
  [
    ['What is the capital of Germany?', 'What is the capital of Germany?'],
    ['And of Poland?', 'What is the capital of Poland?'],
    ['Where is it located?', '-'],
  ],
  [
    ['Where was Ada Lovelace born?', 'Where was Ada Lovelace born?'],
    ['Was she born in London?', 'Was Ada Lovelace born in London?'],
  ],
  [
    ['Who won the Nobel Prize in Physics?', 'Who won the Nobel Prize in Physics?'],
    ['Where was she born?', '-'],
    ['Where were they born?', '-'],
  ],
  [
    ['Where was Marie Curie born?', 'Where was Marie Curie born?'],
    ['Did she marry him?', '-'],
  ],
  [
    ['Where was Elsa Einstein born?', '-'],
    ['Where was she born?', '-'],
  ],
  [
    ['Where was Plato born?', 'Where was Plato born?'],
    ['Is Zeus mortal?', '-'],
    ['Where was he born?', '-'],
  ],
  [
    ['柏拉图出生在哪里？', '柏拉图出生在哪里？'],
    ['宙斯会死吗？', '-'],
    ['他出生在哪里？', '-'],
  ],
  [
    ['Where was Marie Curie born?', 'Where was Marie Curie born?'],
    ['Where was Lise Meitner born?', '-'],
    ['When was she born?', '-'],
  ],
  [
    ['Where was Plato born?', 'Where was Plato born?'],
    ['Cool, thank you very much', '-'],
    ['Who taught him?', 'Who taught Plato?'],
    ['who was isaac newton', '-'],
    ['Is he mortal?', '-'],
  ],
  [
    ['Who is Einstein’s mother?', '-'],
    ['When was she born?', '-'],
  ],
  [
    ['Who influenced Einstein?', '-'],
    ['When was he born?', '-'],
  ],
  [
    ['Did Marie Curie win the Nobel Prize in Physics?', 'Did Marie Curie win the Nobel Prize in Physics?'],
    ['And the Nobel Prize in Chemistry?', '-'],
    ['And Einstein?', '-'],
  ],
  [
    ['Where was Aristotle born?', 'Where was Aristotle born?'],
    ['Was Plato his teacher?', 'Was Plato Aristotle’s teacher?'],
    ['Who did he teach?', '-'],
  ],
  [
    ['居里夫人出生在哪里？', '居里夫人出生在哪里？'],
    ['好的，谢谢', '-'],
    ['她的职业是什么？', '居里夫人的职业是什么？'],
    ['牛顿是谁？', '-'],
    ['他的职业是什么？', '-'],
  ],
  [
    ['爱因斯坦出生在哪里？', '爱因斯坦出生在哪里？'],
    ['那他死在哪里？', '那爱因斯坦死在哪里？'],
    ['他的职业是什么？', '爱因斯坦的职业是什么？'],
    ['那居里夫人呢？', '居里夫人的职业是什么？'],
    ['柏拉图呢？', '柏拉图的职业是什么？'],
  ],
  [
    ['谁教过柏拉图？', '谁教过柏拉图？'],
    ['他出生在哪里？', '-'],
  ],
  [
    ['德国的首都是哪里？', '德国的首都是哪里？'],
    ['那波兰呢？', '波兰的首都是哪里？'],
    ['它位于哪里？', '-'],
  ],
];

t.test('a follow-up question is read in the light of those before it', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  await world.tell([{ subject: parseEntityId('Ada Lovelace'), relation: parseRelationName('born in'), object: entity(parseEntityId('London')) }]);
  for (const talk of TALKS) {
    const turns: Turn[] = [];
    for (const [asked, meant] of talk) {
      const reading = await read(world.graph, asked, { base: DEFAULT_BASE, mode: 'auto', hops: 2 }, { answers: 10, claims: 10, compose: DEFAULT_COMPOSE }, undefined, turns);
      if (meant === '-') t.equal(reading.outcome, 'not_entailed', asked);
      else t.equal(reading.question, meant);
      turns.push({ asked, said: reply(reading.evidence, reading.language) });
    }
  }
});

t.test('the answerer reads the conversation, and its cache keeps talks apart', async (t) => {
  const world = await openExample();
  const prompts: string[] = [];
  const engine = scriptedEngine((request) => {
    prompts.push(request.prompt.kind === 'chat' ? (request.prompt.messages.at(-1)?.content ?? '') : '');
    return says('');
  }, [{ ...SCRIPTED, grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } } }]);
  const answerer = createAnswerer({ knowledge: world.graph, engine });
  t.teardown(async () => {
    answerer.close();
    await world.close();
  });
  const ask = async (...talk: string[]): Promise<{ text: string; cached?: boolean }> => {
    const messages = talk.map((content, i) => ({ role: i % 2 === 0 ? ('user' as const) : ('assistant' as const), content }));
    const events = await Array.fromAsync(answerer.answer({ model: SCRIPTED.id, messages, sampling: { temperature: 0, topP: 1 }, maxTokens: 64, stop: [], knowledge: { base: DEFAULT_BASE, mode: 'auto', hops: 2 } }));
    const last = events.at(-1);
    return { text: events.map((event) => (event.kind === 'delta' ? event.text : '')).join(''), cached: last?.kind === 'finish' ? last.grounding?.cached : undefined };
  };
  const marie = ['Where was Marie Curie born?', 'Marie Curie was born in Warsaw and Poland.', 'And when was she born?'];
  t.same(await ask(...marie), { text: 'The birth year of Marie Curie is 1867.', cached: false });
  t.match(prompts.at(-1), /^And when was <\|n\|>Marie Curie<\|\/n\|> born\?/, 'the model is asked the whole question');
  t.same(await ask('Where was Einstein born?', 'Albert Einstein was born in Ulm.', 'And when was she born?'), { text: 'The birth year of Albert Einstein is 1879.', cached: false });
  t.equal((await ask(...marie)).cached, true);
  await world.tell([{ subject: parseEntityId('Marie Curie'), relation: parseRelationName('admired'), object: entity(parseEntityId('Ulm')) }]);
  t.equal((await ask(...marie)).text, 'The birth year of Marie Curie is 1867.', 'also after a write');
  await world.name(parseEntityId('Pierre Curie'), ['Warsaw']);
  t.match((await ask(...marie)).text, /I do not know/, 'what the names mean now counts');
  t.match((await ask('Where was Plato born?', 'Plato was born in Athens, and Besso in Riesbach.', 'When was he born?')).text, /I do not know/, 'another who is not in the graph may be meant');
  t.match((await ask('x'.repeat(3000), 'Marie Curie was born in Warsaw.', 'And when was she born?')).text, /I do not know/, 'what is too long to be read may have named others');
});

t.test('a class that the graph gives says whether somebody or something is meant', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const rows = [['The Weaver', 'is_a', 'painting'], ['Pieter Holm', 'is_a', 'painter'], ['The Weaver', 'created_by', 'Pieter Holm'], ['Pieter Holm', 'nationality', 'Dutch'], ['The Weaver', 'stored in', 'Depot East']] as const;
  await world.tell(rows.map(([subject, relation, object]) => ({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) })));
  const earlier = [{ asked: 'Who created The Weaver?', said: 'The Weaver was created by Pieter Holm.' }];
  const meant = async (question: string): Promise<string> => (await read(world.graph, question, { base: DEFAULT_BASE, mode: 'grounded', hops: 2 }, { answers: 10, claims: 10, compose: DEFAULT_COMPOSE }, new AbortController().signal, earlier)).question;
  t.equal(await meant('What is his nationality?'), 'What is Pieter Holm’s nationality?');
  t.equal(await meant('Where is it stored?'), 'Where is The Weaver stored?');
});
