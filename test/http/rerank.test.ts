// Owns POST /v1/rerank over HTTP: Cohere's shape as Jina and vLLM have it, the choice of the model, what is refused.
// Refuses to know how texts are compared: test/engine/encoder does.

import { join } from 'node:path';
import t from 'tap';
import { FOLDER } from '../engine/world.ts';
import { writeEncoder } from '../engine/encoders.ts';
import { call, list, startApp } from '../helpers/http-app.ts';

const folder = t.testdir();
const [vectors, cross] = [await writeEncoder(join(folder, 'a-vectors')), await writeEncoder(join(folder, 'b-cross'), { output: 'logits', sentence: { max_seq_length: 12 } })];
const app = await startApp(t, { PHAROS_MODELS: `${FOLDER},${vectors},${cross}`, PHAROS_RERANK_DOCUMENTS: '5' });
const rank = (body: object, url = '/v1/rerank') => call(app, 'POST', url, body);
const documents = ['dog', 'the cat sat', 'the cat', 'cats ran'];

t.test('results come in the order of their scores, with their places, and documents where they are asked for', async (t) => {
  const { status, json } = await rank({ query: 'the cat', documents });
  t.equal(status, 200);
  t.match(json, { id: /^rerank-/, model: 'b-cross', usage: { prompt_tokens: Number, total_tokens: Number } }, 'a cross-encoder comes first');
  const results = json.results as unknown as { index: number; relevance_score: number; document?: unknown }[];
  t.same(results.map(({ index }) => index).toSorted(), [0, 1, 2, 3]);
  for (let i = 0; i < results.length; i++) {
    const { relevance_score: score } = results[i];
    t.ok(score > 0 && score < 1 && (i === 0 || results[i - 1].relevance_score >= score));
    t.notOk('document' in results[i]);
  }
  const two = await rank({ query: 'the cat', documents: [documents[0], { text: documents[1] }, ...documents.slice(2)], top_n: 2, return_documents: true });
  t.match(two.json.results, results.slice(0, 2).map((result) => ({ ...result, document: { text: documents[result.index] } })));
  t.equal(list(two.json.results).length, 2);
  t.equal(list((await rank({ query: 'the cat', documents, top_n: 50 })).json.results).length, 4);
  t.same((await rank({ query: 'the cat', documents }, '/rerank')).json.results, json.results);
});

t.test('an embedding model ranks by the cosine', async (t) => {
  const { json } = await rank({ model: 'a-vectors', query: 'the cat', documents });
  const [first] = json.results as unknown as { index: number; relevance_score: number }[];
  t.equal(first.index, 2, 'the same text');
  t.ok(Math.abs(first.relevance_score - 1) < 1e-6);
});

t.test('what is no request for ranking is told so', async (t) => {
  const refused = async (body: object, param: string | null, message: RegExp, status = 400): Promise<unknown> => t.match(await rank(body), { status, json: { error: { param, message } } }, JSON.stringify(body).slice(0, 80));
  await refused({ documents }, 'query', /required/);
  await refused({ query: 'a' }, 'documents', /required/);
  await refused({ query: '', documents }, 'query', /./);
  await refused({ query: 'a', documents: [] }, 'documents', /./);
  await refused({ query: 'a', documents: ['a', { title: 'b' }] }, 'documents[1].text', /required/);
  await refused({ query: 'a', documents, top_n: 0 }, 'top_n', /./);
  await refused({ query: 'a', documents: Array.from({ length: 6 }, () => 'a') }, 'documents', /has 6 texts; one request takes 5/);
  await refused({ query: 'a', documents, model: 'pharos-mini' }, 'model', /cannot rank texts; models that can: a-vectors, b-cross/, 404);
  await refused({ query: 'a', documents: ['a', 'the cat sat the cat sat the cat sat a'] }, 'documents', /documents\[1\] has 14 tokens together with the query; the model takes 12/);
  await refused({ query: 'the cat sat '.repeat(5), documents }, 'query', /the query has 15 tokens/);
  t.match(await rank({ query: 'a', documents: ['the cat sat the cat sat the cat sat a'], truncate: true }), { status: 200, json: { usage: { prompt_tokens: 12 } } });
});
