// Owns the behaviour of answering as a whole: real graph, real model, real cache; outcomes, proofs, and that a cached answer equals a new one after any write.
// Refuses to know HTTP.

import t from 'tap';
import type { Test } from 'tap';
import { DEFAULT_BASE, entity, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Statement } from '../../graph/terms.ts';
import { createAnswerer, DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import type { GroundedAnswerer } from '../../src/answers/answerer.ts';
import type { AnswerEvent, AnswerRequest, Grounding, KnowledgeOptions } from '../../src/answers/port.ts';
import { read } from '../../src/answers/reading.ts';
import { reply } from '../../src/answers/words/wording.ts';
import type { KnowledgeGraph } from '../../graph/knowledge.ts';
import type { Engine, GenerateEvent, GenerateRequest } from '../../src/engine/port.ts';
import { MODEL, startEngine } from '../engine/world.ts';
import { openExample } from '../helpers/answer-world.ts';
import type { AnswerWorld } from '../helpers/answer-world.ts';
import { seeded } from '../helpers/store-world.ts';

const request = (question: string, knowledge: Partial<KnowledgeOptions> = {}, more: Partial<AnswerRequest> = {}): AnswerRequest => ({
  model: MODEL,
  messages: [{ role: 'user', content: question }],
  sampling: { temperature: 0, topP: 1 },
  maxTokens: 256,
  stop: [],
  knowledge: { base: DEFAULT_BASE, mode: 'auto', hops: 2, ...knowledge },
  ...more,
});
interface Answer {
  readonly text: string;
  readonly grounding: Grounding;
  readonly events: readonly AnswerEvent[];
}
async function ask(answerer: GroundedAnswerer, asked: AnswerRequest, signal?: AbortSignal): Promise<Answer> {
  const events = await Array.fromAsync(answerer.answer(asked, signal));
  const last = events.at(-1);
  if (last?.kind !== 'finish' || !last.grounding) throw new Error(`an answer ends with ${JSON.stringify(last)}`);
  return { text: events.map((event) => (event.kind === 'delta' ? event.text : '')).join(''), grounding: last.grounding, events };
}
async function open(t: Test, now?: () => number): Promise<{ world: AnswerWorld; engine: Engine; answerer: GroundedAnswerer }> {
  const [world, engine] = await Promise.all([openExample(now), startEngine(t)]);
  const answerer = createAnswerer({ knowledge: world.graph, engine });
  t.teardown(async () => {
    answerer.close();
    await world.close();
  });
  return { world, engine, answerer };
}
const name = parseEntityId;
const relation = parseRelationName;

t.test('the three outcomes, in two languages, each claim with a proof that the checker accepts', async (t) => {
  const { world, answerer } = await open(t);
  for (const [question, outcome, answers, says] of [
    ['Is Socrates mortal?', 'entailed', [true], /^Yes.*Socrates.*mortal.*human/],
    ['Where was Albert Einstein born?', 'entailed', ['Germany', 'Ulm'], /Albert Einstein.*(Ulm|Germany)/],
    ['Where was the spouse of Pierre Curie born?', 'entailed', ['Poland', 'Warsaw'], /Pierre Curie.*Warsaw/],
    ['How many prizes did Marie Curie win?', 'entailed', [2], /2/],
    ['Is Warsaw the capital of Germany?', 'refuted', [false], /^No/],
    ['Was Albert Einstein born in Poland?', 'not_entailed', [], /not known/],
    ['What is the favourite colour of Albert Einstein?', 'not_entailed', [], /Albert Einstein|know/],
    ['阿尔伯特·爱因斯坦出生在哪里？', 'entailed', ['Germany', 'Ulm'], /阿尔伯特·爱因斯坦.*(德国|乌尔姆)/],
    ['苏格拉底是凡人吗？', 'entailed', [true], /^是.*苏格拉底/],
    ['爱因斯坦最喜欢的颜色是什么？', 'not_entailed', [], /爱因斯坦|不知道/],
  ] as const) {
    const { text, grounding } = await ask(answerer, request(question));
    t.match({ text, outcome: grounding.outcome, cached: grounding.cached }, { text: says, outcome, cached: false }, question);
    t.same([...grounding.answers].sort(), [...answers].sort(), question);
    t.equal(grounding.claims.length > 0, outcome !== 'not_entailed', question);
    for (const { proofId, facts } of grounding.claims) {
      const proof = world.graph.proof(DEFAULT_BASE, proofId);
      t.ok(proof, question);
      if (proof) t.match(await world.graph.checkProof(DEFAULT_BASE, proof), { valid: true }, question);
      t.ok(facts.length > 0, question);
    }
  }
});

t.test('the second time comes from the cache; a write to what it was made from drops it, another does not', async (t) => {
  const { world, answerer } = await open(t);
  const question = request('Where was Plato born?');
  const first = await ask(answerer, question);
  const again = await ask(answerer, question);
  t.equal(again.grounding.cached, true);
  t.same({ ...again.grounding, cached: false }, first.grounding);
  t.equal(again.text, first.text);
  await world.tell([{ subject: name('Marie Curie'), relation: relation('won'), object: entity(name('Davy Medal')) }]);
  t.equal((await ask(answerer, question)).grounding.cached, true, 'a fact about somebody else');
  await world.withdraw({ subject: name('Athens'), relation: relation('located in') });
  const after = await ask(answerer, question);
  t.equal(after.grounding.cached, false, 'a premise of a deduction fell');
  t.same(after.grounding.answers, ['Athens']);
  t.match(answerer.statistics(), { hits: 2, invalidated: 1 });
});

t.test('a new relation, a new word for one and a new rule drop only the answers that come out otherwise', async (t) => {
  const { world, answerer, engine } = await open(t);
  const fresh = createAnswerer({ knowledge: world.graph, engine, cacheBytes: 0 });
  t.teardown(() => fresh.close());
  const refused = 'What is the favourite colour of Albert Einstein?';
  const questions = ['Where was Plato born?', 'Is Socrates mortal?', 'Who was born in Greece?', '德国的首都是哪里？', 'Was Albert Einstein born in Poland?', refused];
  const asked = async (): Promise<readonly (readonly [string, Answer])[]> => Promise.all(questions.map(async (question) => [question, await ask(answerer, request(question))] as const));
  const made = async (): Promise<string[]> => (await asked()).filter(([, { grounding }]) => !grounding.cached).map(([question]) => question);
  t.same(await made(), questions);
  await world.tell([{ subject: name('Zed'), relation: relation('hums to'), object: entity(name('Wyn')) }]);
  t.same(await made(), [], 'a relation that no question speaks of');
  await world.relate(relation('hums to'), ['sings for']);
  t.same(await made(), [], 'another word for it');
  await world.rule('"heard by"(?y, ?x) :- "hums to"(?x, ?y).');
  t.same(await made(), [], 'a rule about it');
  const { invalidated } = answerer.statistics();
  t.equal(invalidated, 0, 'nothing fell so far');
  await world.tell([{ subject: name('Albert Einstein'), relation: relation('favourite colour'), object: entity(name('Blue')) }]);
  t.same(await made(), [refused], 'a relation that one question waited for');
  t.same((await ask(answerer, request(refused))).grounding.answers, ['Blue']);
  await world.relate(relation('located in'), ['birthplace']);
  for (const [question, { text, grounding }] of await asked()) {
    const anew = await ask(fresh, request(question));
    t.same([text, grounding.outcome, grounding.answers], [anew.text, anew.grounding.outcome, anew.grounding.answers], question);
  }
});

t.test('a question that is asked by many at once is answered once', async (t) => {
  const { engine, world } = await open(t);
  let generations = 0;
  const counting = Object.create(engine) as Engine;
  counting.models = () => engine.models();
  counting.countTokens = (model: string, text: string) => engine.countTokens(model, text);
  counting.generate = (asked: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent> => {
    generations++;
    return engine.generate(asked, signal);
  };
  const answerer = createAnswerer({ knowledge: world.graph, engine: counting });
  t.teardown(() => answerer.close());
  const texts = await Promise.all(Array.from({ length: 12 }, async () => (await ask(answerer, request('Who taught Plato?'))).text));
  t.equal(new Set(texts).size, 1);
  t.equal(generations, 1);
});

t.test('knowledge of another time and of less confidence is left out', async (t) => {
  const { world, answerer } = await open(t);
  const before = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await world.tell([{ subject: name('Germany'), relation: relation('located in'), object: entity(name('European Union')), confidence: 0.4 } as never]);
  const now = await ask(answerer, request('Where is Germany located?'));
  t.ok(now.grounding.answers.includes('European Union'));
  t.equal(now.grounding.confidence, 0.4);
  t.notOk((await ask(answerer, request('Where is Germany located?', { minConfidence: 0.5 }))).grounding.answers.includes('European Union'));
  t.notOk((await ask(answerer, request('Where is Germany located?', { asOf: before }))).grounding.answers.includes('European Union'));
});

t.test('what is not true now is no answer, and no answer outlives its facts', async (t) => {
  const { world, answerer } = await open(t);
  const soon = Date.now() + 1500;
  const later = new Date(soon).toISOString();
  const lives = (who: string, validity: Partial<Statement>): Promise<void> =>
    world.tell([{ subject: name(who), relation: relation('lives in'), object: entity(name('Quendor')), ...validity }]);
  await lives('Vex', { validTo: later });
  await lives('Pip', { validFrom: later });
  await lives('Old', { validTo: '1999-01-01' });
  const questions = ['Who lives in Quendor?', 'Does Vex live in Quendor?', 'Does Pip live in Quendor?'];
  const all = async (): Promise<unknown[]> => Promise.all(questions.map(async (question) => (await ask(answerer, request(question))).grounding.answers));
  t.same(await all(), [['Vex'], [true], []]);
  t.ok(Date.now() < soon, 'that was in time');
  await new Promise((resolve) => setTimeout(resolve, soon - Date.now() + 50));
  t.same(await all(), [['Pip'], [], [true]]);
});

t.test('with a least confidence, a verdict is the graph\'s own, by its clock: refuted stays refuted, and what rules derive has a proof that the checker accepts', async (t) => {
  const { world, answerer } = await open(t, () => Date.parse('2001-06-01'));
  const lives = { relation: relation('lives in'), object: entity(name('Quendor')) };
  await world.tell([
    ...Array.from({ length: 150 }, (_, i) => ({ subject: name('Vex'), ...lives, source: `s${i}`, confidence: 0.9, validTo: `1999-01-01T00:00:00.${String(i).padStart(3, '0')}Z` })),
    { subject: name('Vex'), ...lives, source: 'register', confidence: 0.6, validTo: '2002-01-01' },
  ] as Statement[]);
  const verdict = async (question: string, knowledge: Partial<KnowledgeOptions>): Promise<readonly unknown[]> => {
    const { outcome, confidence, claims } = (await ask(answerer, request(question, knowledge))).grounding;
    for (const { proofId } of claims) {
      const proof = world.graph.proof(DEFAULT_BASE, proofId);
      if (knowledge.asOf === undefined) t.match(proof && (await world.graph.checkProof(DEFAULT_BASE, proof)), { valid: true }, question);
    }
    return [outcome, confidence];
  };
  t.same(await verdict('Does Vex live in Quendor?', { minConfidence: 0.5 }), ['entailed', 0.6]);
  t.same(await verdict('Does Vex live in Quendor?', { minConfidence: 0.7 }), ['not_entailed', 0]);
  t.same(await verdict('Who lives in Quendor?', { minConfidence: 0.5 }), ['entailed', 0.6], 'not by the clock on the wall');
  t.same(await verdict('Does Vex live in Quendor?', { asOf: new Date(Date.now() + 1000).toISOString() }), ['entailed', 0.9], 'the surest that was recorded');
  t.same(await verdict('Is Socrates mortal?', { minConfidence: 0.5 }), ['entailed', 1]);
  t.same(await verdict('Is Warsaw the capital of Germany?', { minConfidence: 0.5 }), ['refuted', 1]);
});

/** A graph of which one method does not answer while it is told so. */
function stalling(graph: KnowledgeGraph, method: 'relations' | 'ground'): { readonly graph: KnowledgeGraph; stalls: number } {
  const faulty = {
    stalls: 0,
    graph: new Proxy(graph, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return key === method && faulty.stalls > 0 && faulty.stalls-- > 0 ? () => Promise.withResolvers<never>().promise : value.bind(target);
      },
    }),
  };
  return faulty;
}
t.test('an answer in doubt that cannot be looked up again in time is made anew, and whoever leaves meanwhile is not held', async (t) => {
  const { world, engine } = await open(t);
  const faulty = stalling(world.graph, 'relations');
  const answerer = createAnswerer({ knowledge: faulty.graph, engine, settleMs: 50 });
  const patient = createAnswerer({ knowledge: faulty.graph, engine, settleMs: 60_000 });
  t.teardown(() => [answerer, patient].forEach((each) => each.close()));
  const question = request('Where was Plato born?');
  const first = await ask(answerer, question);
  await ask(patient, question);
  await world.tell([{ subject: name('Zed'), relation: relation('hums to'), object: entity(name('Wyn')) }]);
  faulty.stalls = 1;
  const anew = await ask(answerer, question);
  t.equal(faulty.stalls, 0, 'it was tried');
  t.same([anew.text, anew.grounding.cached, anew.grounding.answers], [first.text, false, first.grounding.answers]);
  t.equal((await ask(answerer, question)).grounding.cached, true);

  faulty.stalls = 1;
  const leaving = new AbortController();
  const asked = ask(patient, question, leaving.signal);
  while (faulty.stalls > 0) await new Promise((resolve) => setImmediate(resolve));
  leaving.abort(new Error('the client left'));
  await t.rejects(asked, { message: 'the client left' });
  t.equal((await ask(patient, question)).grounding.cached, true, 'the answer is kept for others');
});

t.test('which country, which city: what the graph says to be one', async (t) => {
  const { answerer } = await open(t);
  t.same((await ask(answerer, request('Which country was Albert Einstein born in?'))).grounding.answers, ['Germany']);
  t.same((await ask(answerer, request('Which city was Albert Einstein born in?'))).grounding.answers, ['Ulm']);
  t.same((await ask(answerer, request('Where was Albert Einstein born?'))).grounding.answers, ['Ulm', 'Germany'], 'what is stored comes first');
});

t.test('a question of any length is refused or answered', async (t) => {
  const { answerer } = await open(t);
  for (const text of ['爱因斯坦出生在哪里？'.repeat(50_000), 'blah '.repeat(100_000)]) await t.rejects(ask(answerer, request(text)), { code: 'context_length_exceeded' });
  for (const text of ['爱因斯坦出生在哪里？'.repeat(199), 'Where was Albert Einstein born '.repeat(60), 'a'.repeat(2000)]) await ask(answerer, request(text)).catch((error: unknown) => t.match(error, { code: 'context_length_exceeded' }));
});

t.test('a reply cut by the client is not kept; an unseeded random one neither', async (t) => {
  const { answerer } = await open(t);
  const short = request('Where was Plato born?', {}, { maxTokens: 3 });
  t.match((await ask(answerer, short)).events.at(-1), { kind: 'finish', reason: 'length', usage: { completionTokens: 3 } });
  t.equal((await ask(answerer, short)).grounding.cached, false);
  const random = request('Where was Plato born?', {}, { sampling: { temperature: 0.5, topP: 1 } });
  await ask(answerer, random);
  t.equal((await ask(answerer, random)).grounding.cached, false);
  const sown = request('Where was Plato born?', {}, { sampling: { temperature: 0.5, topP: 1, seed: 4 } });
  const { text } = await ask(answerer, sown);
  const again = await ask(answerer, sown);
  t.equal(again.grounding.cached, true);
  t.equal(again.text, text);
});

t.test('a client that leaves frees what its answer held', async (t) => {
  const { engine, answerer } = await open(t);
  const leaving = new AbortController();
  const asked = ask(answerer, request('Which prizes did Marie Curie win?'), leaving.signal);
  setTimeout(() => leaving.abort(), 30);
  await asked.catch(() => undefined);
  for (let i = 0; i < 200 && engine.statistics().slots.used > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(engine.statistics().slots.used, 0);
  t.equal((await ask(answerer, request('Which prizes did Marie Curie win?'))).grounding.outcome, 'entailed', 'others are not kept waiting');
});

t.test('cached answers equal new ones after random writes and withdrawals', async (t) => {
  const { world, engine, answerer } = await open(t);
  const fresh = createAnswerer({ knowledge: world.graph, engine, cacheBytes: 0 });
  t.teardown(() => fresh.close());
  const random = seeded(2024);
  const people = ['Socrates', 'Plato', 'Aristotle', 'Albert Einstein', 'Marie Curie', 'Pierre Curie'].map(name);
  const places = ['Athens', 'Ulm', 'Warsaw', 'Greece', 'Germany', 'Poland', 'Berlin'].map(name);
  const relations = ['born in', 'located in', 'capital', 'spouse', 'teacher of', 'is a'].map(relation);
  const rules = ['"spouse"(?y, ?x) :- "spouse"(?x, ?y).', 'mortal(?x) :- human(?x).', '"located in"(?x, ?y) :- "capital"(?y, ?x).'];
  const questions = [
    'Is Socrates mortal?', 'Where was Albert Einstein born?', 'Who was born in Greece?', 'What is the capital of Germany?', 'Who taught Plato?', 'Is Berlin the capital of Germany?',
    'Where was the spouse of Pierre Curie born?', 'Who is the wife of Pierre Curie?', 'How many prizes did Marie Curie win?', '爱因斯坦出生在哪里？', '德国的首都是哪里？', 'Is Marie Curie married to Pierre Curie?',
  ];
  const write = async (): Promise<void> => {
    const triple = { subject: random.pick([...people, ...places]), relation: random.pick(relations), object: entity(random.pick([...people, ...places])) };
    const kind = random.below(10);
    if (kind < 4) await world.tell([triple]);
    else if (kind < 6) await world.withdraw({ subject: triple.subject, relation: triple.relation });
    else if (kind < 7) await world.name(triple.subject, [`${random.pick(people)} the ${random.pick(['Elder', 'Younger'])}`]);
    else if (kind < 8) await world.relate(triple.relation, [random.pick(['taught', 'birthplace', '首都', 'wife'])]);
    else if (kind < 9) await world.rule(random.pick(rules));
    else await world.unrule(random.pick(rules));
  };
  // Rules of single questions, of which some hang on standing ones and some on what is not there.
  const supposed = ['capital(?x, ?y) :- "located in"(?y, ?x).', '"born in"(?x, Athens) :- mortal(?x).', '"teacher of"(?x, Plato) :- human(?x), not "born in"(?x, Ulm).'];
  let [hitsSupposed, changedSupposed] = [0, 0];
  for (let step = 0; step < 40; step++) {
    await write();
    for (let i = 0; i < 4; i++) {
      const rules = random.below(2) === 0 ? random.pick(supposed) : undefined;
      const question = request(random.pick(questions.slice(0, rules === undefined ? undefined : 6)), rules === undefined ? {} : { rules });
      const kept = await ask(answerer, question);
      const made = await ask(fresh, question);
      const view = ({ text, grounding }: Answer): unknown => ({ text, ...grounding, cached: false, claims: grounding.claims.map((claim) => [claim.text, claim.facts, claim.sources]) });
      t.same(view(kept), view(made), `step ${step}: ${question.messages[0].content}`);
      t.equal(made.grounding.cached, false);
      if (rules === undefined) continue;
      if (kept.grounding.cached) hitsSupposed++;
      if (JSON.stringify(view(made)) !== JSON.stringify(view(await ask(fresh, { ...question, knowledge: { ...question.knowledge, rules: undefined } })))) changedSupposed++;
    }
  }
  const { hits, invalidated } = answerer.statistics();
  t.ok(hits > 20, `${hits} of 160 came from the cache`);
  t.ok(hitsSupposed > 10, `${hitsSupposed} of them with rules of the question`);
  t.ok(changedSupposed > 10, `${changedSupposed} came out otherwise by such rules`);
  t.ok(invalidated > 5, `${invalidated} fell`);
});

t.test('of very many answers the number that is told is right, or none is told', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const limits = { answers: 1_000, claims: 5, compose: DEFAULT_COMPOSE };
  const knowledge: KnowledgeOptions = { base: DEFAULT_BASE, mode: 'auto', hops: 1 };
  const wrote = (from: number, to: number): Promise<void> =>
    world.tell(Array.from({ length: to - from }, (_, i) => ({ subject: name('Zed Prolific'), relation: relation('wrote'), object: entity(name(`Opus ${from + i}`)) })));
  const [many, all] = ['How many books did Zed Prolific write?', 'What did Zed Prolific write?'];
  await wrote(0, 1_500);
  t.match(await read(world.graph, many, knowledge, limits), { outcome: 'entailed', answers: [{ value: 1_500 }], evidence: { verdict: 'count', count: 1_500 } });
  const listed = await read(world.graph, all, knowledge, limits);
  t.equal(listed.answers.length, 1_000, 'so many are given out');
  t.match(reply(listed.evidence, 'en'), /Opus 11 and 1488 more/);
  await wrote(1_500, 10_000);
  t.match(await read(world.graph, many, knowledge, limits), { outcome: 'not_entailed', answers: [], evidence: { verdict: 'unknown' } });
  const some = await read(world.graph, all, knowledge, limits);
  t.equal(some.outcome, 'entailed');
  t.match(reply(some.evidence, 'en'), /Opus 11\W*$/, 'and not how many more');
});

t.test('who waits for the same answer does not wait for the first client to read it', async (t) => {
  const { answerer } = await open(t);
  const question = request('Where was Albert Einstein born?');
  const first = answerer.answer(question)[Symbol.asyncIterator]();
  t.match(await first.next(), { done: false });
  const second = await ask(answerer, question);
  t.equal(second.grounding.cached, true);
  t.same([...second.grounding.answers].toSorted(), ['Germany', 'Ulm']);
  await first.return?.();
});
