// Owns POST /v1/extract: what is found, what is left out, what is stored, and what is refused.
// Refuses to know how well any model reads.

import t from 'tap';
import { EngineError } from '../../src/engine/port.ts';
import type { GenerateRequest } from '../../src/engine/port.ts';
import { call, list, startApp, str } from '../helpers/http-app.ts';
import { says, SCRIPTED, scriptedEngine } from '../helpers/scripted-engine.ts';

const asked: GenerateRequest[] = [];
/** Reads "A was born in B." and makes one fact up. */
const engine = scriptedEngine((request) => {
  asked.push(request);
  const passage = request.prompt.kind === 'chat' ? request.prompt.messages[1].content : '';
  const facts = [...passage.matchAll(/([A-Z]\w+) was born in ([A-Z]\w+)\./g)].map(([, subject, object]) => ({ subject, relation: 'born in', object }));
  return says(JSON.stringify([...facts, { subject: 'Nobody', relation: 'born in', object: 'Ulm' }]));
});
const app = await startApp(t, { PHAROS_EXTRACT_PASSAGES: '3' }, { engine });
const extract = (body: object) => call(app, 'POST', '/v1/extract', body);

t.test('triples come as they can be told, names that do not stand in the text are left out, and nothing is stored unasked', async (t) => {
  asked.length = 0;
  const { status, json } = await extract({ text: 'Albert was born in Ulm. Marie was born in Warsaw. It rained. Albert was born in Ulm.', relations: ['born in', 'located in'] });
  t.equal(status, 200);
  t.match(json, { object: 'extraction', left_out: 2, denied: 0, cut: 0 });
  t.same(
    list(json.triples).map(({ subject, relation, object }) => [subject, relation, object]),
    [
      ['Albert', 'born in', 'Ulm'],
      ['Marie', 'born in', 'Warsaw'],
    ],
    'each once',
  );
  t.match(str(json.triples[0].source), /^Albert was born in Ulm\./, 'the passage is the source');
  t.equal(asked.length, 2, 'a passage at a time');
  t.match(asked[0], { constraint: { kind: 'schema', schema: { items: { properties: { relation: { enum: ['born in'] } } } } } }, 'only relations that the passage has a word of');
  t.same((await call(app, 'GET', '/v1/triples')).json.data, []);
});

t.test('with store they are in the knowledge base, with their source, and its relations are looked for from then on', async (t) => {
  const { json } = await extract({ text: 'Albert was born in Ulm.', relations: ['born in'], store: true, source: { document: 'life.txt', page: 2 } });
  t.match(json, { stored: { added: 1, known: 0 }, triples: [{ source: { document: 'life.txt', page: 2 } }] });
  t.match((await call(app, 'GET', '/v1/triples?subject=Albert')).json.data, [{ relation: 'born in', object: 'Ulm', source: { document: 'life.txt', page: 2 } }]);
  t.match((await extract({ text: 'Marie was born in Warsaw.' })).json.triples, [{ subject: 'Marie', object: 'Warsaw' }]);
  asked.length = 0;
  t.same((await extract({ text: 'It rained.' })).json.triples, []);
  t.equal(asked.length, 0, 'no model is asked about a passage without a word of any relation');
});

t.test('what cannot be read is refused, and says why', async (t) => {
  const refused = async (body: object, param: string, message: RegExp, status = 400): Promise<unknown> => t.match(await extract(body), { status, json: { error: { param, message } } }, JSON.stringify(body).slice(0, 80));
  await refused({}, 'text', /required/);
  await refused({ text: '' }, 'text', /./);
  await refused({ text: 'a', relations: [] }, 'relations', /./);
  await refused({ text: 'Albert was born in Ulm.', knowledge_base: 'empty' }, 'relations', /has none; name what to look for/);
  await refused({ text: 'He was born in Ulm. '.repeat(10), relations: ['born in'] }, 'text', /has more than 3 passages of up to three sentences/);
  await refused({ text: 'a', model: 'nothing' }, 'model', /is not there/, 404);
});

t.test('what no store could hold is left out, and the source is cut between characters', async (t) => {
  const long = `N${'a'.repeat(1100)}`;
  const { status, json } = await extract({ text: `${long} was born in Ulm. Albert was born in Ulm.`, relations: ['born in'], store: true, knowledge_base: 'long' });
  t.equal(status, 200);
  t.match(json, { left_out: 3, stored: { added: 1 }, triples: [{ subject: 'Albert' }] }, 'made up in both passages, and too long in one');
  const spread = await extract({ text: `${'x'.repeat(4095)}😀 Albert was born in Ulm.`, relations: ['born in'], store: true, knowledge_base: 'long' });
  t.match(spread, { status: 200, json: { triples: [{ source: /^x{4095}$/ }], stored: { added: 1 } } });
});

t.test('a relation that can be none is named, and so is the passage that the model cannot read', async (t) => {
  for (const wrong of ['  ', 'x'.repeat(300)]) t.match(await extract({ text: 'a', relations: ['born in', wrong] }), { status: 400, json: { error: { param: 'relations[1]', code: 'invalid_relation' } } });
  const other = await startApp(t, {}, { engine: scriptedEngine(() => [{ kind: 'error', error: new EngineError('context_length_exceeded', 'the prompt has 5000 tokens') }]) });
  t.match(await call(other, 'POST', '/v1/extract', { text: 'Albert was born in Ulm.', relations: ['born in'] }), { status: 400, json: { error: { param: 'text', message: /^the passage that begins "Albert was born in Ulm\." is too long.*5000 tokens/ } } });
});

t.test('where one passage fails, the request fails, and no other is begun', async (t) => {
  let begun = 0;
  const broken = scriptedEngine(() => {
    begun++;
    return [{ kind: 'error', error: new EngineError('failed', 'the engine broke') }];
  });
  const other = await startApp(t, {}, { engine: broken });
  const text = Array.from({ length: 40 }, (_, i) => `Person${i} was born in Ulm.`).join(' ');
  t.match(await call(other, 'POST', '/v1/extract', { text, relations: ['born in'] }), { status: 500 });
  t.ok(begun <= 4, `${begun} of 14 passages`);
});

t.test('a model that was trained for it reads a sentence at a time; what it says of a name as the one that another has is turned, and pronouns and parts of words are left out', async (t) => {
  const taught = { ...SCRIPTED, grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } } } as const;
  const rows: Readonly<Record<string, string>> = {
    ' Berlin is the capital of Germany.': '| Berlin | capital | Germany |\n| Ber | capital | Germany |',
    ' She lives in Ulm.': '| She | lives in | Ulm |\n| Ulm | lives in | Ulm |',
  };
  const requests: GenerateRequest[] = [];
  const reading = scriptedEngine((request) => {
    requests.push(request);
    const said = request.prompt.kind === 'chat' ? request.prompt.messages[1].content : '';
    return says(rows[Object.keys(rows).find((text) => said.startsWith(text)) ?? ''] ?? '');
  }, [taught]);
  const other = await startApp(t, {}, { engine: reading });
  const { json } = await call(other, 'POST', '/v1/extract', { text: 'Berlin is the capital of Germany. She lives in Ulm.', relations: ['capital', 'lives in'] });
  t.match(json, { left_out: 3, cut: 0 });
  t.match(json.triples, [{ subject: 'Germany', relation: 'capital', object: 'Berlin', source: 'Berlin is the capital of Germany.' }]);
  t.equal(list(json.triples).length, 1);
  t.equal(requests.length, 2);
  for (const { constraint } of requests) t.match(constraint, { kind: 'grammar', grammar: /^root ::= [^]*name ::= n0 \| n1 / });
});

t.test('a model that was trained for it is asked of each clause that states something, and the reply says how many did not', async (t) => {
  const taught = { ...SCRIPTED, grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } } } as const;
  const rows: Readonly<Record<string, string>> = {
    ' Anna was born in Berlin.': '| Anna | born in | Berlin |',
    ' Ben was born in Paris.': '| Ben | born in | Paris |',
    ' The University of Oslo lies in Norway.': '| Oslo | lies in | Norway |',
    ' A whale is a mammal.': '| A whale | is a | mammal |',
    ' Mary directed a film.': '| Mary | directed | a film |',
    ' 不丹位于亚洲。': '|不丹位于|位于|亚洲|',
  };
  const passages: string[] = [];
  const reading = scriptedEngine((request) => {
    const said = request.prompt.kind === 'chat' ? request.prompt.messages[1].content : '';
    const text = Object.keys(rows).find((each) => said.startsWith(each) || said.startsWith(each.trim()));
    passages.push(text ?? said);
    return says(rows[text ?? ''] ?? '');
  }, [taught]);
  const other = await startApp(t, {}, { engine: reading });
  const text = 'Anna was born in Berlin and Ben was born in Paris. Tom was not born in Rome. Was Eve born in Oslo? The University of Oslo lies in Norway. A whale is a mammal. Mary directed a film. 不丹位于亚洲。';
  const { json } = await call(other, 'POST', '/v1/extract', { text, relations: ['born in', 'lies in', 'is a', 'directed', '位于'] });
  t.match(json, { left_out: 1, denied: 2, cut: 0 });
  t.same(
    list(json.triples).map(({ subject, relation, object, source }) => [subject, relation, object, source]),
    [
      ['Anna', 'born in', 'Berlin', 'Anna was born in Berlin and Ben was born in Paris.'],
      ['Ben', 'born in', 'Paris', 'Anna was born in Berlin and Ben was born in Paris.'],
      ['University of Oslo', 'lies in', 'Norway', 'The University of Oslo lies in Norway.'],
      ['whale', 'is a', 'mammal', 'A whale is a mammal.'],
      ['不丹', '位于', '亚洲', '不丹位于亚洲。'],
    ],
    'the source is the whole sentence',
  );
  t.equal(passages.length, 6);
});

t.test('to a model that was trained for it a pronoun is told as the name that it means; what somebody only says, and what denies or asks anything at all, is counted', async (t) => {
  const taught = { ...SCRIPTED, grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } } } as const;
  const rows: Readonly<Record<string, string>> = {
    ' Marie Curie was born in Warsaw.': '| Marie Curie | born in | Warsaw |',
    ' Marie Curie died in Passy.': '| Marie Curie | died in | Passy |',
    ' Anna Berg was born in Oslo.': '| Anna Berg | born in | Oslo |',
    ' Anna Berg died in Rome.': '| Anna Berg | died in | Rome |',
    ' Livy said that Remus was born in Rome.': '| Remus | born in | Rome |',
    '鲁迅出生于绍兴。': '|鲁迅|出生于|绍兴|',
    '鲁迅去世于上海。': '|鲁迅|去世于|上海|',
  };
  const reading = scriptedEngine((request) => {
    const said = request.prompt.kind === 'chat' ? request.prompt.messages[1].content : '';
    return says(rows[Object.keys(rows).find((each) => said.startsWith(each)) ?? ''] ?? '');
  }, [taught]);
  const other = await startApp(t, {}, { engine: reading });
  const text = 'Marie Curie was born in Warsaw. Warsaw lies in Poland. She died in Passy. Although Anna Berg was born in Oslo, she died in Rome. Livy said that Remus was born in Rome. Nobody smiled. Did it rain? 鲁迅出生于绍兴。他去世于上海。';
  const { json } = await call(other, 'POST', '/v1/extract', { text, relations: ['born in', 'died in', '出生于', '去世于'] });
  t.match(json, { left_out: 0, denied: 3 });
  t.same(
    list(json.triples).map(({ subject, relation, object, source }) => [subject, relation, object, source]),
    [
      ['Marie Curie', 'born in', 'Warsaw', 'Marie Curie was born in Warsaw.'],
      ['Marie Curie', 'died in', 'Passy', 'She died in Passy.'],
      ['Anna Berg', 'born in', 'Oslo', 'Although Anna Berg was born in Oslo, she died in Rome.'],
      ['Anna Berg', 'died in', 'Rome', 'Although Anna Berg was born in Oslo, she died in Rome.'],
      ['鲁迅', '出生于', '绍兴', '鲁迅出生于绍兴。'],
      ['鲁迅', '去世于', '上海', '他去世于上海。'],
    ],
    'the source is as it stands in the text',
  );
});

t.test('items of lists are told without their marks, names with their titles and initials and without what leads to them, and pieces of clauses are left out', async (t) => {
  const taught = { ...SCRIPTED, grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } } } as const;
  const rows: Readonly<Record<string, string>> = {
    ' Alice works at Acme': '| Alice | works at | Acme |',
    ' Dr. Anna Berg works at St. Gallen.': '| Dr. Anna Berg | works at | St. Gallen |',
    ' Raised in Ulm, Marie Curie': '| Raised in Ulm, Marie Curie (1867–1934) | works at | Radium |',
    ' Frank used': '| Frank used | works at | work at Initech |',
  };
  const reading = scriptedEngine((request) => {
    const said = request.prompt.kind === 'chat' ? request.prompt.messages[1].content : '';
    return says(rows[Object.keys(rows).find((text) => said.startsWith(text)) ?? ''] ?? '');
  }, [taught]);
  const other = await startApp(t, {}, { engine: reading });
  const text = '- Alice works at Acme\r\n- Dr. Anna Berg works at St. Gallen.\r\n\r\nRaised in Ulm, Marie Curie (1867–1934) works at Radium. Frank used to work at Initech.';
  const { json } = await call(other, 'POST', '/v1/extract', { text, relations: ['works at'] });
  t.match(json, { left_out: 1 });
  t.same(
    list(json.triples).map(({ subject, object, source }) => [subject, object, source]),
    [
      ['Alice', 'Acme', 'Alice works at Acme'],
      ['Dr. Anna Berg', 'St. Gallen', 'Dr. Anna Berg works at St. Gallen.'],
      ['Marie Curie', 'Radium', 'Raised in Ulm, Marie Curie (1867–1934) works at Radium.'],
    ],
  );
});
