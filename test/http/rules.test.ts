// Owns the language's functions, aggregates, imports and rule sets over HTTP: stored, derived, proved, listed, refused.
// Refuses to know how anything is derived.

import t from 'tap';
import { descending, pageOf } from '../../src/http/paging.ts';
import { call, list, startApp, str } from '../helpers/http-app.ts';

const app = await startApp(t);
const post = (url: string, body?: unknown) => call(app, 'POST', url, body);
const get = (url: string) => call(app, 'GET', url);

t.test('a rule that counts derives numbers whose proof lists what was counted and is verified', async (t) => {
  const knowledge_base = 'films';
  await post('/v1/triples', {
    knowledge_base,
    triples: [
      { subject: 'nolan', relation: 'is a', object: 'director' },
      { subject: 'nolan', relation: 'directed', object: 'tenet' },
      { subject: 'nolan', relation: 'directed', object: 'inception' },
      { subject: 'tenet', relation: 'year', object: { value: 2020, type: 'number' } },
      { subject: 'inception', relation: 'year', object: { value: 2010, type: 'number' } },
    ],
  });
  const added = await post('/v1/rules', {
    knowledge_base,
    rules:
      '"number of films"(?d, ?n) :- director(?d), ?n = count { ?f : directed(?d, ?f) }.\nspan(?d, ?s) :- director(?d), ?a = min { ?y : directed(?d, ?f), year(?f, ?y) }, ?b = max { ?y : directed(?d, ?f), year(?f, ?y) }, ?s = ?b - ?a.',
  });
  t.match(added, {
    status: 200,
    json: {
      derived: 2,
      rules: [
        { body: [{}, { aggregate: 'count', result: '?n', of: ['?f'], body: [{ relation: 'directed' }] }] },
        { body: [{}, {}, {}, { compare: '=', right: { call: '-' } }] },
      ],
    },
  });
  const { json } = await post('/v1/reason/deduce', { goal: 'span(nolan, ?s)', knowledge_base });
  t.match(json, { outcome: 'entailed', answers: [{ bindings: { s: { value: 10, type: 'number' } } }] });
  const id = str(list(json.answers)[0]['proof_id']);
  const proof = await get(`/v1/proofs/${id}?knowledge_base=${knowledge_base}`);
  t.match(proof.json, {
    kind: 'rule',
    premises: [
      { kind: 'fact' },
      { kind: 'aggregate', conclusion: { aggregate: 'min', result: { value: 2010 }, members: 2 }, premises: [{ kind: 'fact' }, {}, {}, {}] },
      { kind: 'aggregate' },
      { kind: 'compare', conclusion: { left: { value: 10 }, right: { expression: '2020 - 2010', value: { value: 10 } } } },
    ],
  });
  t.match(await post(`/v1/proofs/${id}/check?knowledge_base=${knowledge_base}`, {}), { status: 200, json: { valid: true } });
  await post('/v1/triples', { knowledge_base, triples: [{ subject: 'nolan', relation: 'directed', object: 'oppenheimer' }] });
  t.match((await post('/v1/reason/deduce', { goal: '"number of films"(nolan, ?n)', knowledge_base })).json, { answers: [{ bindings: { n: { value: 3 } } }] });
  t.match((await post(`/v1/proofs/${id}/check?knowledge_base=${knowledge_base}`, {})).json, { valid: true }, 'the film without a year changes no span');
  await post('/v1/triples', { knowledge_base, triples: [{ subject: 'oppenheimer', relation: 'year', object: { value: 2023, type: 'number' } }] });
  t.match((await post(`/v1/proofs/${id}/check?knowledge_base=${knowledge_base}`, {})).json, { valid: false, path: [1], reason: /2 members|has 3 members/ });
});

t.test('a hypothetical rule may count, and its proof is verified with it', async (t) => {
  const body = {
    goal: 'big(?x)',
    rules: 'big(?x) :- exists has(?x, _), count { ?y : has(?x, ?y) } >= 2, not has(?x, gold).',
    facts: [
      { subject: 'ann', relation: 'has', object: 'tea' },
      { subject: 'ann', relation: 'has', object: 'milk' },
      { subject: 'bob', relation: 'has', object: 'tea' },
    ],
  };
  const { json } = await post('/v1/reason/deduce', body);
  t.match(json, { answers: [{ bindings: { x: 'ann' } }] });
  t.equal(list(json.answers).length, 1);
  const id = str(list(json.answers)[0]['proof_id']);
  t.match((await post(`/v1/proofs/${id}/check`, { rules: body.rules, facts: body.facts })).json, { valid: true });
  t.match((await post(`/v1/proofs/${id}/check`, { rules: body.rules, facts: body.facts.slice(1) })).json, { valid: false });
});

t.test('N3 and Jena rules are stored by their format, with their mistakes by line and column', async (t) => {
  const n3 = '@prefix : <http://example.org/> .\n{ ?x :parent ?y . ?y :parent ?z } => { ?x :grandparent ?z } .';
  t.match(await post('/v1/rules', { rules: n3, format: 'n3', knowledge_base: 'n3' }), {
    status: 200,
    json: { rules: [{ text: 'grandparent(?x, ?z) :- parent(?x, ?y), parent(?y, ?z).' }] },
  });
  t.match(await post('/v1/rules', { rules: '[(?x <a#p> ?y) notEqual(?x, ?y) -> (?y <a#q> ?x)]', format: 'jena', names: 'iri', knowledge_base: 'n3' }), {
    json: { rules: [{ text: '"a#q"(?y, ?x) :- "a#p"(?x, ?y), ?x != ?y.' }] },
  });
  t.match(await post('/v1/rules/validate', { rules: '{ ?x ?p ?y } => { ?y ?p ?x } .', format: 'n3' }), {
    status: 200,
    json: { valid: false, errors: [{ code: 'rule_invalid_term', line: 1, column: 6 }] },
  });
  t.match(await post('/v1/rules', { rules: 'p(?x, ?z) :- q(?x, ?y), ?z = conct(?y, "a").' }), {
    status: 400,
    json: { error: { code: 'rule_unknown_builtin', line: 1, column: 30, expected: ['concat'] } },
  });
  t.match(await post('/v1/rules', { rules: 'p(a, b).', format: 'turtle' }), { status: 400, json: { error: { param: 'format' } } });
  t.match(await post('/v1/rules', {}), { status: 400, json: { error: { param: 'rules' } } });
});

t.test('RDFox and Soufflé rules are stored by their format, and derive', async (t) => {
  const knowledge_base = 'datalogs';
  const rdfox = 'PREFIX : <http://example.org/>\n[:ann, :parent, :bob] . [:bob, :parent, :cid] .\n[?X, gp, ?Z] :- [?X, :parent, ?Y], [?Y, :parent, ?Z], NOT [?X, a, :Ghost], FILTER(?X != ?Z) .';
  t.match(await post('/v1/rules', { rules: rdfox, format: 'rdfox', knowledge_base }), {
    status: 200,
    json: { derived: 3, rules: [{}, {}, { text: 'gp(?X, ?Z) :- parent(?X, ?Y), parent(?Y, ?Z), not Ghost(?X), ?X != ?Z.' }] },
  });
  const souffle = '.decl line(x: symbol, y: symbol)\n.output line\nline(x, y) :- parent(x, y); parent(x, z), line(z, y). // both';
  t.match(await post('/v1/rules', { rules: souffle, format: 'souffle', knowledge_base }), { status: 200, json: { derived: 3 } });
  t.match((await get(`/v1/triples?knowledge_base=${knowledge_base}&relation=line&subject=ann`)).json, { data: [{ object: 'bob' }, { object: 'cid' }] });
  t.match(await post('/v1/rules/validate', { rules: 'p(x, y) :- q(x, y)\nr(x) :- p(x, _).', format: 'souffle' }), {
    status: 200,
    json: { valid: false, errors: [{ code: 'rule_syntax', line: 2, column: 1, expected: ['"."', '","', '";"'] }] },
  });
  t.match(await post('/v1/rules', { rules: '[?x, :p, ?y] :- [?x, :q, ?y], SKOLEM("a", ?y) .', format: 'rdfox' }), {
    status: 400,
    json: { error: { code: 'rule_syntax', line: 1, column: 31, message: /SKOLEM has no counterpart here/ } },
  });
  t.match(await post('/v1/rules', { rules: 'p(X,Y) :- q(X,Y).' }), { status: 400, json: { error: { code: 'rule_syntax', message: /did you mean \?X\?/, expected: ['?X', '"X"'] } } });
});

t.test('rules as they were in earlier versions are listed, read and restored', async (t) => {
  const knowledge_base = 'versions';
  const path = `knowledge_base=${knowledge_base}`;
  const first = await post('/v1/rules', { rules: 'p(?x, ?y) :- q(?x, ?y).', knowledge_base });
  await post('/v1/triples', { triples: [{ subject: 'a', relation: 'q', object: 'b' }], knowledge_base });
  await post('/v1/rules', { rule_set: 'rdfs', knowledge_base });
  await post('/v1/rules', { rules: 'p(?y, ?x) :- q(?x, ?y). p(?x, ?x) :- q(?x, ?y).', knowledge_base });
  await call(app, 'DELETE', `/v1/rules/${str(list(first.json.rules)[0].id)}?${path}`);
  t.match((await get(`/v1/rules/versions?${path}`)).json, {
    object: 'list',
    data: [
      { version: 5, added: 0, removed: 1, rules: 2, rule_sets: ['rdfs'] },
      { version: 4, added: 2, removed: 0, rules: 3, rule_sets: ['rdfs'] },
      { version: 3, added: 0, removed: 0, rules: 1, rule_sets: ['rdfs'] },
      { version: 1, added: 1, removed: 0, rules: 1, rule_sets: [] },
    ],
    has_more: false,
  });
  const { json } = await get(`/v1/rules/versions?${path}&limit=3`);
  t.match((await get(`/v1/rules/versions?${path}&cursor=${str(json.cursor)}`)).json, { data: [{ version: 1 }], has_more: false });
  t.match((await get(`/v1/rules?${path}&version=2`)).json, { data: [{ text: 'p(?x, ?y) :- q(?x, ?y).' }], version: 2, rule_sets: [] });
  t.strictSame((await get(`/v1/rules?${path}&version=4`)).json.rule_sets, [{ name: 'rdfs' }]);
  t.match((await get(`/v1/rules?${path}&version=0`)).json, { data: [] });
  t.match(await get(`/v1/rules?${path}&version=12345678901`), { status: 404, json: { error: { code: 'version_not_found' } } });
  t.match(await get(`/v1/rules?${path}&version=6`), { status: 404, json: { error: { code: 'version_not_found', message: /versions 0 to 5 are/ } } });

  t.match(await post('/v1/rules/restore', { version: 1, knowledge_base }), {
    status: 200,
    json: { restored: 1, version: 6, derived: 1, no_longer_derived: 2, added: [{ text: 'p(?x, ?y) :- q(?x, ?y).' }], removed: [{}, {}], rule_sets: [] },
  });
  t.match((await get(`/v1/triples?${path}&relation=p`)).json.data, [{ subject: 'a', object: 'b', derived: true }]);
  t.match((await get(`/v1/rules?${path}`)).json, { data: [{}], version: 6, rule_sets: [] });
  t.match(await post('/v1/rules/restore', { version: 5, knowledge_base }), { status: 200, json: { version: 7, added: [{}, {}], removed: [{}], rule_sets: ['rdfs'] } });
  t.match(await post('/v1/rules/restore', { version: 5, knowledge_base }), { status: 200, json: { version: 7, added: [], removed: [] } }, 'nothing to do');
  t.match(await post('/v1/rules/restore', { version: 99, knowledge_base }), { status: 404, json: { error: { code: 'version_not_found', param: 'version' } } });
  t.match(await post('/v1/rules/restore', { version: -1, knowledge_base }), { status: 400, json: { error: { param: 'version' } } });
});

t.test('a page of numbers has the greatest first, however many digits they have', (t) => {
  const items = [3, 999_999_999, 5_000_000_000, 1_000_000_000, Number.MAX_SAFE_INTEGER, 0];
  const first = pageOf(items, descending, { limit: 3 });
  t.same(first.data, [Number.MAX_SAFE_INTEGER, 5_000_000_000, 1_000_000_000]);
  t.same(pageOf(items, descending, { cursor: first.cursor }).data, [999_999_999, 3, 0]);
  t.end();
});

t.test('a built-in rule set is taken into use by name, listed with the version, and taken out again', async (t) => {
  const knowledge_base = 'zoo';
  const path = `?knowledge_base=${knowledge_base}`;
  await post('/v1/triples', {
    knowledge_base,
    triples: [
      { subject: 'dog', relation: 'subclass of', object: 'animal' },
      { subject: 'rex', relation: 'is a', object: 'dog' },
    ],
  });
  t.match(await post('/v1/rules', { rule_set: 'rdfs', knowledge_base }), { status: 200, json: { derived: 1, version: 2 } });
  t.match((await get(`/v1/triples${path}&subject=rex`)).json, { data: [{ object: 'dog' }, { object: 'animal', derived: true }] });
  t.match((await get(`/v1/rules${path}`)).json, { data: [], version: 2, rule_sets: [{ name: 'rdfs', rules: 3 }] });
  t.match(await call(app, 'DELETE', `/v1/rules${path}&rule_set=rdfs`), { status: 200, json: { removed: 'rdfs', no_longer_derived: 1 } });
  t.match((await get(`/v1/rules${path}`)).json, { version: 3, rule_sets: [] });
  t.match(await post('/v1/rules', { rule_set: 'owl-full', knowledge_base }), { status: 400, json: { error: { param: 'rule_set' } } });
});
