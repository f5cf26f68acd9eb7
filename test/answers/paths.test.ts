// Owns that whatever tokens chance chooses, a relation path that is written exists in the store; and that all that exist can be written.
// Refuses to know HTTP. The automaton is walked with the shipped model's vocabulary; whether a path exists is asked of the store, step by step.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Triple } from '../../graph/terms.ts';
import { createAnswerer } from '../../src/answers/answerer.ts';
import type { AnswerEvent, AnswerRequest, PathsAsked } from '../../src/answers/port.ts';
import { offerPaths } from '../../src/answers/relation-paths/offer.ts';
import { follow, pathGrammar } from '../../src/answers/relation-paths/path-automaton.ts';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { tellPath } from '../../src/answers/relation-paths/told.ts';
import { openExample, openWorld } from '../helpers/answer-world.ts';
import type { AnswerWorld } from '../helpers/answer-world.ts';
import { seeded } from '../helpers/store-world.ts';
import { failure, FOLDER, MODEL, startEngine } from '../engine/world.ts';

const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8'))));
const END = 1;
const trie = new TokenTrie(
  Array.from({ length: tokenizer.size }, (_, id) => id),
  (id) => tokenizer.bytesOf(id),
);
const vocabulary: ConstraintVocabulary = {
  trie: () => trie,
  size: tokenizer.size,
  ends: [END],
  encode: (text) => tokenizer.encodePlain(text),
  bytesOf: (id) => tokenizer.bytesOf(id),
  compiled: new Map(),
};
const CHARACTERS = 100_000;

function draw(grammar: string, random: ReturnType<typeof seeded>): string {
  const constraint = compileConstraint({ kind: 'grammar', grammar }, vocabulary);
  const written: Uint8Array[] = [];
  for (let i = 0; i < 500; i++) {
    const { bits } = constraint.allowed();
    const ids: number[] = [];
    for (let word = 0; word < (bits?.length ?? 0); word++)
      for (let rest = bits?.[word] ?? 0; rest !== 0; rest &= rest - 1) ids.push(word * 32 + 31 - Math.clz32(rest & -rest));
    const token = random.pick(ids);
    if (token === END) break;
    written.push(tokenizer.bytesOf(token) ?? new Uint8Array());
    constraint.accept(token);
  }
  return Buffer.concat(written).toString();
}
/** Names stand between arrows; neither holds one. */
async function exists(world: AnswerWorld, text: string, inverse: boolean): Promise<boolean> {
  const parts = text.split(/ (-\[.*?\]->|<-\[.*?\]-) /);
  for (let i = 0; i + 2 < parts.length; i += 2) {
    const [from, arrow, to] = parts.slice(i, i + 3);
    const backwards = arrow.startsWith('<');
    if (backwards && !inverse) return false;
    const relation = parseRelationName(arrow.replace(/^<?-\[|\]->?$/g, ''));
    const [subject, object] = backwards ? [to, from] : [from, to];
    const { items } = await world.graph.match(DEFAULT_BASE, { subject: parseEntityId(subject), relation }, { limit: 10_000 });
    if (!items.some((fact) => (fact.object.kind === 'entity' ? fact.object.id : String(fact.object.value)) === object)) return false;
  }
  return parts.length > 1;
}
const asked = (start: readonly string[], more: Partial<PathsAsked> = {}): PathsAsked => ({
  base: DEFAULT_BASE,
  start,
  hops: 2,
  inverse: false,
  form: 'names',
  ...more,
});
const NAMES = ['Ulm', 'Ulm an der Donau', 'O\'Brien "& Söhne" \\ (1879)', '北京', '北京市', 'a', 'ab', 'ab c', 'Zoë | x', 'é'];
const RELATIONS = ['born in', 'born', '出生于', 'in/of', 'says "so"'];

t.test('with random logits every written path exists in a random store, forwards and, where asked, backwards', async (t) => {
  const random = seeded(51);
  for (let round = 0; round < 8; round++) {
    const world = await openWorld();
    const triples: Triple[] = Array.from({ length: 5 + random.below(25) }, () => ({
      subject: parseEntityId(random.pick(NAMES)),
      relation: parseRelationName(random.pick(RELATIONS)),
      object: random.next() < 0.15 ? literal(random.pick([1879, 3.5, 12])) : entity(parseEntityId(random.pick(NAMES))),
    }));
    await world.tell(triples);
    if (round % 2 === 0) await world.rule('"follows"(?x, ?z) :- "born in"(?x, ?y), "born"(?y, ?z).');
    for (const inverse of [false, true]) {
      const start = [triples[0].subject, ...(round % 3 === 0 ? [triples[1].subject] : [])];
      const offer = await offerPaths(world.graph, asked(start, { hops: 1 + random.below(3), inverse }), CHARACTERS).catch(
        (error: unknown) => error as { code: string },
      );
      if ('code' in offer) {
        t.equal(offer.code, 'constraint_unsatisfiable');
        continue;
      }
      const grammar = pathGrammar(offer.automaton);
      const found = new Set<string>();
      for (let i = 0; i < 25; i++) {
        const text = draw(grammar, random);
        found.add(text);
        if (!(await exists(world, text, inverse))) t.fail(`${text} is not there`);
        if (!follow(offer.automaton, text)) t.fail(`${text} is not followed`);
      }
      t.ok(found.size > 0 && offer.complete, `${found.size} paths`);
    }
    await world.close();
  }
});

t.test('paths of relations are those that the store walks, and can all be written', async (t) => {
  const world = await openExample();
  t.teardown(() => world.close());
  const random = seeded(52);
  for (const inverse of [false, true]) {
    const offer = await offerPaths(world.graph, asked(['Albert Einstein', 'Marie Curie'], { form: 'relations', inverse }), CHARACTERS);
    const there = new Map<string, boolean>();
    for (const start of ['Albert Einstein', 'Marie Curie'])
      for (const { path } of await world.graph.paths(DEFAULT_BASE, entity(parseEntityId(start)), { hops: 2, limit: 10_000 }))
        if (inverse || path.every((step) => !step.inverse)) there.set(path.map((step) => `${step.inverse ? '^' : ''}${step.relation}`).join('/'), false);
    const grammar = pathGrammar(offer.automaton);
    for (let i = 0; i < 150; i++) {
      const text = draw(grammar, random);
      t.ok(there.has(text), text);
      there.set(text, true);
    }
    t.ok([...there.values()].filter(Boolean).length > there.size / 4, 'many of them come');
    for (const text of there.keys()) {
      const constraint = compileConstraint({ kind: 'grammar', grammar }, vocabulary);
      for (const token of tokenizer.encodePlain(text)) constraint.accept(token);
      t.ok(constraint.complete(), text);
    }
  }
});

t.test('where there are too many, the farthest are left out, and it is said', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  await world.tell(
    [...Array(300).keys()].map((i) => ({
      subject: parseEntityId(i < 100 ? 'hub' : `spoke ${i % 100}`),
      relation: parseRelationName('to'),
      object: entity(parseEntityId(`spoke ${i}`)),
    })),
  );
  const whole = await offerPaths(world.graph, asked(['hub']), CHARACTERS);
  t.equal(whole.complete, true);
  const part = await offerPaths(world.graph, asked(['hub']), 6_000);
  t.equal(part.complete, false);
  t.ok(part.automaton.length > 100 && part.automaton.length < whole.automaton.length);
  t.ok(follow(part.automaton, 'hub -[to]-> spoke 99'), 'what is near is there');
  t.match(await failure(offerPaths(world.graph, asked(['nobody']), CHARACTERS)), { code: 'constraint_invalid', message: /no entity of that name/ });
  t.match(await failure(offerPaths(world.graph, asked(['spoke 250']), CHARACTERS)), { code: 'constraint_unsatisfiable', message: /inverse: true/ });
  t.ok(follow((await offerPaths(world.graph, asked(['spoke 250'], { inverse: true }), CHARACTERS)).automaton, 'spoke 250 <-[to]- spoke 50 <-[to]- hub'));
});

t.test('the model chooses a path, and the answer is what it leads to, with proofs that the checker accepts', async (t) => {
  const [world, engine] = await Promise.all([openExample(), startEngine(t)]);
  const answerer = createAnswerer({ knowledge: world.graph, engine });
  t.teardown(async () => {
    answerer.close();
    await world.close();
  });
  const request = (paths: PathsAsked, seed: number): AnswerRequest => ({
    model: MODEL,
    messages: [{ role: 'user', content: 'Where?' }],
    sampling: { temperature: 3, topP: 1, seed },
    maxTokens: 256,
    stop: [],
    knowledge: { base: DEFAULT_BASE, mode: 'auto', hops: 2 },
    paths,
  });
  for (const form of ['names', 'relations'] as const)
    for (let seed = 0; seed < 6; seed++) {
      const events: AnswerEvent[] = await Array.fromAsync(answerer.answer(request(asked(['Albert Einstein'], { inverse: true, form }), seed)));
      const text = events.map((event) => (event.kind === 'delta' ? event.text : '')).join('');
      const last = events.at(-1);
      if (last?.kind !== 'finish' || !last.grounding) throw new Error('an answer ends with its grounding');
      t.match(last, { reason: 'stop', grounding: { outcome: 'entailed', pathsComplete: true } }, text);
      if (form === 'names') {
        t.ok(await exists(world, text, true), text);
        t.ok(text.endsWith(String(last.grounding.answers[0])), text);
      } else t.equal(last.grounding.interpretation?.path, text);
      t.ok(last.grounding.claims.length > 0, text);
      for (const { proofId } of last.grounding.claims) {
        const proof = world.graph.proof(DEFAULT_BASE, proofId);
        if (!proof) throw new Error('a claim has its proof');
        t.match(await world.graph.checkProof(DEFAULT_BASE, proof), { valid: true }, text);
      }
    }
});

t.test('a step to the last of very many ends, and to a value that is written like another, is proved', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.close());
  const [hub, leads] = [parseEntityId('hub'), parseRelationName('leads to')];
  const ends = [...Array.from({ length: 1_500 }, (_, i) => entity(parseEntityId(`n${i}`))), literal('7'), literal(7)];
  await world.tell(ends.map((object) => ({ subject: hub, relation: leads, object })));
  const limits = { answers: 1_000, claims: 100 };
  const step = { relation: leads, inverse: false };
  for (const end of [ends[1_499], ...ends.slice(-2)]) {
    const arcs = [
      { text: 'hub', target: 1, meaning: { term: entity(hub) } },
      { text: '', target: 2, meaning: { step, term: end } },
    ];
    const { claims, answers } = await tellPath(world.graph, DEFAULT_BASE, [entity(hub)], arcs, limits);
    t.strictSame(answers, [end]);
    t.match(claims, [{ proof: { kind: 'fact', conclusion: { subject: hub, object: end } } }]);
    t.equal(claims.length, 1);
  }
  const whole = await tellPath(world.graph, DEFAULT_BASE, [entity(hub)], [{ text: 'leads to', target: 1, meaning: { step } }], { answers: 2_000, claims: 3 });
  t.same([whole.answers.length, whole.claims.length], [ends.length, 3], 'values that are written alike are two answers');
});
