// Owns examples made out of a knowledge base: they ask what it holds, in the prompt that the service would write, and keep some things for validation.
// Refuses to know jobs and training.

import t from 'tap';
import { DEFAULT_BASE, entity, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import { createAnswerer } from '../../src/answers/answerer.ts';
import type { GroundedFormat } from '../../src/engine/port.ts';
import { exampleOf } from '../../src/training/data/example.ts';
import { knowledgeExamples } from '../../src/training/knowledge-data/examples.ts';
import type { KnowledgeDataOptions, KnowledgeExample } from '../../src/training/knowledge-data/examples.ts';
import { isHeldOut, readPool } from '../../src/training/knowledge-data/pool.ts';
import { openExample, openWorld } from '../helpers/answer-world.ts';
import type { AnswerWorld } from '../helpers/answer-world.ts';
import { lastChat, says, scriptedEngine, SCRIPTED } from '../helpers/scripted-engine.ts';

const FORMAT: GroundedFormat = { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } };
async function made({ graph }: AnswerWorld, options: Partial<KnowledgeDataOptions> = {}): Promise<KnowledgeExample[]> {
  const all: KnowledgeExample[] = [];
  for await (const example of knowledgeExamples(graph, {
    base: DEFAULT_BASE,
    examples: 120,
    languages: ['en', 'zh'],
    seed: 5,
    evidence: true,
    format: FORMAT,
    signal: new AbortController().signal,
    ...options,
  }))
    all.push(example);
  return all;
}

t.test('every kind of question, in both languages, each a line that training reads', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const all = await made(world);
  t.equal(all.length, 120);
  t.equal(new Set(all.map(({ question }) => question)).size, 120, 'each question once');
  const of = (kind: KnowledgeExample['kind'], language?: string): number =>
    all.filter((each) => each.kind === kind && (language === undefined || each.language === language)).length;
  for (const language of ['en', 'zh']) for (const kind of ['answer', 'yes', 'unknown'] as const) t.ok(of(kind, language) > 0, `${kind} in ${language}`);
  t.ok(of('count') > 0 && of('no') > 0);
  t.ok(
    all.some(({ messages }) => /<\|r\|><\|\w+\|>[^<]*<\|r\|>/.test(messages[0].content)),
    'a path of two steps',
  );
  const [tables, lists] = [all.filter(({ question }) => /as a table|用表格/.test(question)), all.filter(({ question }) => /as a list|用列表/.test(question))];
  t.ok(tables.length > 0 && lists.length > 0);
  for (const [form, asked] of [
    [/^\| .+\n\| --- /u, tables],
    [/\n- |^[^|]+$/u, lists],
  ] as const)
    for (const { messages } of asked) if (!/^(?:I do not know|不知道)/.test(messages[2].content)) t.match(messages[2].content, form);
  for (const example of all) {
    const read = exampleOf(example);
    t.match(read, {
      kind: 'chat',
      messages: [
        { role: 'system', trusted: true, learned: false },
        { role: 'user', learned: false },
        { role: 'assistant', trusted: true, learned: true },
      ],
    });
  }
});

t.test('the prompt is what the service asks the model for the same question', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  for (const [format, models] of [
    [FORMAT, [{ ...SCRIPTED, grounded: FORMAT }]],
    [undefined, [SCRIPTED]],
  ] as const) {
    const engine = scriptedEngine(() => says('x'), models);
    const answerer = createAnswerer({ knowledge: world.graph, engine, cacheBytes: 0 });
    t.teardown(() => answerer.close());
    for (const { messages, question: content } of await made(world, { examples: 25, format })) {
      const question = {
        model: SCRIPTED.id,
        messages: [{ role: 'user' as const, content }],
        sampling: { temperature: 0, topP: 1 },
        maxTokens: 100,
        stop: [],
        knowledge: { base: DEFAULT_BASE, mode: 'grounded' as const, hops: 2 },
      };
      for await (const _ of answerer.answer(question)) continue;
      t.same(lastChat(engine).messages, messages.slice(0, -1), content);
    }
  }
});

t.test('what validation asks about, training does not', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const all = await made(world, { examples: 200, languages: ['en'] });
  t.ok(all.some((each) => each.held_out) && all.some((each) => !each.held_out));
  const pool = await readPool(world.graph, DEFAULT_BASE, new AbortController().signal);
  const names = new Map(
    pool.relations
      .flatMap(({ facts }) => facts.flatMap(({ subject, object }) => [entity(subject), object]))
      .flatMap((term) => (term.kind === 'entity' ? [[term.id, isHeldOut(term, 5, 0.15)] as const] : [])),
  );
  t.ok([...names.values()].includes(true) && [...names.values()].includes(false));
  for (const { held_out: is, messages } of all) {
    const asked = [...messages[1].content.matchAll(/<\|n\|>(.*?)<\|\/n\|>/g)].flatMap(([, name]) => names.get(parseEntityId(name)) ?? []);
    if (!is) t.notOk(asked.includes(true), messages[1].content);
  }
});

t.test('without evidence, the question stands alone, and some questions are kept for validation', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const all = await made(world, { languages: ['en'], evidence: false });
  t.equal(all.length, 120);
  for (const { messages, question } of all) {
    t.match(messages, [
      { role: 'user', content: question, trusted: undefined },
      { role: 'assistant', trusted: undefined },
    ]);
    t.notMatch(messages[1].content, /^I do not know|<\|/u);
  }
  const held = all.filter((each) => each.held_out).length;
  t.ok(held > 0 && held < 60, `${held} for validation`);
});

t.test('the seed decides, and nothing else', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const [first, again, other] = [await made(world, { examples: 30 }), await made(world, { examples: 30 }), await made(world, { examples: 30, seed: 6 })];
  t.same(again, first);
  t.notSame(other, first);
});

t.test('a small base has few questions, an empty one none, and it ends', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  t.same(await made(world), []);
  await world.tell([{ subject: parseEntityId('Mara'), relation: parseRelationName('lives on'), object: entity(parseEntityId('Skerry')) }]);
  const few = await made(world, { examples: 1000, languages: ['en'] });
  t.ok(few.length > 3 && few.length < 1000, `${few.length} questions about one fact`);
  t.same(await made(world, { languages: ['zh'] }), [], 'the relation has no name in Chinese');
});

t.test('whoever stops waiting stops the work', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const controller = new AbortController();
  const examples = knowledgeExamples(world.graph, {
    base: DEFAULT_BASE,
    examples: 1000,
    languages: ['en'],
    evidence: true,
    seed: 1,
    format: FORMAT,
    signal: controller.signal,
  });
  await examples.next();
  controller.abort(new Error('enough'));
  await t.rejects(examples.next(), { message: 'enough' });
});
