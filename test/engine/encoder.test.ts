// Owns that encoders give what their folders say: pooling, length, prompts, cutting, pairs, against a plain computation in double precision.
// Refuses to know HTTP.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { DEFAULT_LIMITS } from '../../src/engine/engine.ts';
import { planBatches } from '../../src/engine/encoder/batch.ts';
import { normalised, pool, POOLINGS } from '../../src/engine/encoder/pooling.ts';
import { describeModel } from '../../src/engine/models/described-model.ts';
import type { EmbedRequest, Engine } from '../../src/engine/port.ts';
import { seeded } from '../helpers/store-world.ts';
import { denseWeights, reference, referenceLogit, WORDS, writeEncoder } from './encoders.ts';
import type { FolderOptions } from './encoders.ts';
import { failure, startEngine, until } from './world.ts';

const TEXTS = ['the cat sat', 'dog', 'the dogs ran running the cat sat a b c', 'cats sat'];
const IDS = [[4, 5, 7], [6], [4, 6, 9, 8, 1, 4, 5, 7, 17, 18, 19], [5, 9, 7]].map((ids) => [2, ...ids, 3]);
const mean = (rows: readonly (readonly number[])[]): number[] => rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
const unit = (vector: readonly number[]): number[] => vector.map((value) => value / Math.hypot(...vector));
const near = (t: Test, given: Iterable<number>, expected: readonly number[], what: string, most = 2e-6): void => {
  const numbers = [...given];
  t.equal(numbers.length, expected.length, `${what}: length`);
  t.ok(numbers.every((value, i) => Math.abs(value - expected[i]) <= most), `${what}: ${Math.max(...numbers.map((value, i) => Math.abs(value - expected[i])))} apart`);
};
async function start(t: Test, options: FolderOptions = {}, limits = {}, notes: string[] = []): Promise<{ readonly engine: Engine; readonly embed: (inputs: EmbedRequest['inputs'], more?: Partial<EmbedRequest>) => Promise<readonly Float32Array[]> }> {
  const folder = await writeEncoder(join(t.testdir(), 'small'), options);
  const logger = { info: () => undefined, warn: (message: string) => void notes.push(message), error: () => undefined };
  const engine = await startEngine(t, { models: [folder], limits, logger });
  return { engine, embed: async (inputs, more = {}) => (await engine.embed({ model: 'small', inputs, ...more })).vectors };
}

/** Several folders in one engine. */
async function startAll(t: Test, options: readonly FolderOptions[]): Promise<{ readonly engine: Engine; readonly embed: (place: number, inputs: EmbedRequest['inputs']) => Promise<readonly Float32Array[]> }> {
  const models = await Promise.all(options.map((each, i) => writeEncoder(join(t.testdirName, `m${i}`), each)));
  const engine = await startEngine(t, { models });
  return { engine, embed: async (place, inputs) => (await engine.embed({ model: `m${place}`, inputs })).vectors };
}

t.test('a batch of texts of several lengths is what each is alone, pooled by the mean and brought to length 1', async (t) => {
  const notes: string[] = [];
  const { engine, embed } = await start(t, {}, {}, notes);
  t.same(notes, [], 'they go through the model together');
  t.match(engine.models(), [{ id: 'small', tasks: ['embed', 'score'], dimensions: 16, contextLength: 32, vocabularySize: 40, device: 'cpu', loaded: true }]);
  const vectors = await embed(TEXTS);
  for (const [i, ids] of IDS.entries()) near(t, vectors[i], unit(mean(reference({}, ids))), TEXTS[i]);
  for (const [i, text] of TEXTS.entries()) near(t, (await embed([text]))[0], [...vectors[i]], `${text}, alone`);
  near(t, (await embed([IDS[0]]))[0], [...vectors[0]], 'the same as ids');
  t.equal((await engine.embed({ model: 'small', inputs: TEXTS })).promptTokens, IDS.flat().length);
  t.equal(await engine.countTokens('small', TEXTS[0]), 5);
});

t.test('a limit of tokens a pass changes nothing about the vectors', async (t) => {
  const [wide, narrow] = [await start(t), await start(t, {}, { passTokens: 12 })];
  const texts = Array.from({ length: 40 }, (_, i) => Array.from({ length: 1 + (i % 9) }, (__, j) => WORDS[4 + ((i * 7 + j * 3) % 5)]).join(' '));
  const [all, few] = [await wide.embed(texts), await narrow.embed(texts)];
  for (const [i, vector] of all.entries()) near(t, few[i], [...vector], texts[i]);
});

t.test('every pooling, by the folder', async (t) => {
  const rows = reference({}, IDS[2]);
  const kinds: readonly [Record<string, unknown>, readonly number[]][] = [
    [{ pooling_mode_cls_token: true }, rows[0]],
    [{ pooling_mode_max_tokens: true }, rows[0].map((_, i) => Math.max(...rows.map((row) => row[i])))],
    [{ pooling_mode_mean_sqrt_len_tokens: true }, mean(rows).map((value) => value * Math.sqrt(rows.length))],
    [{ pooling_mode_weightedmean_tokens: true }, rows[0].map((_, i) => rows.reduce((sum, row, n) => sum + (n + 1) * row[i], 0) / ((rows.length * (rows.length + 1)) / 2))],
    [{ pooling_mode_lasttoken: true }, rows[rows.length - 1]],
    [{ pooling_mode: 'cls' }, rows[0]],
    [{ pooling_mode_mean_tokens: true, pooling_mode_cls_token: true }, [...rows[0], ...mean(rows)]],
  ];
  const { embed, engine } = await startAll(t, kinds.map(([pooling]) => ({ pooling, modules: ['Transformer', 'Pooling'] })));
  for (const [i, [pooling, expected]] of kinds.entries()) {
    t.equal(engine.models()[i].dimensions, expected.length, 'known before it is loaded');
    near(t, (await embed(i, [TEXTS[1], TEXTS[2]]))[1], expected, JSON.stringify(pooling), 1e-5);
    t.equal(engine.models()[i].dimensions, expected.length);
  }
});

t.test('outputs are found by name, in whole and half precision, and a graph that pools is taken at its word', async (t) => {
  const { embed } = await startAll(t, [
    { output: 'token_embeddings', ids: 'int32' },
    { output: 'sentence_embedding' },
    { half: true },
    { output: 'sentence_embedding', modules: ['Transformer', 'Pooling', 'Dense'] },
    { modules: false },
  ]);
  near(t, (await embed(0, TEXTS))[2], unit(mean(reference({}, IDS[2]))), 'token_embeddings');
  near(t, (await embed(1, TEXTS))[2], unit(reference({}, IDS[2])[0]), 'sentence_embedding');
  near(t, (await embed(2, TEXTS))[2], unit(mean(reference({}, IDS[2]))), 'half precision', 2e-3);
  near(t, (await embed(3, TEXTS))[2], reference({}, IDS[2])[0], 'a graph that has the dense layer, too', 1e-5);
  near(t, (await embed(4, TEXTS))[2], unit(mean(reference({}, IDS[2]))), 'a folder that says nothing: the mean, of length 1');
});

t.test('dense layers behind pooling, in every precision that their files come in', async (t) => {
  const pooled = mean(reference({}, IDS[0]));
  const kinds = [['F32', 2e-6], ['F16', 2e-3], ['BF16', 2e-2]] as const;
  const layersOf = (type: 'F32' | 'F16' | 'BF16') => [{ to: 6, from: 16, activation: 'Tanh', type }, { to: 9, from: 6, activation: 'Identity', type }];
  const { embed, engine } = await startAll(t, kinds.map(([type]) => ({ modules: ['Transformer', 'Pooling', 'Dense', 'Dense', 'Normalize'], dense: layersOf(type) })));
  for (const [n, [type, most]] of kinds.entries()) {
    const layers = layersOf(type);
    const expected = layers.reduce<readonly number[]>((x, layer, n) => {
      const { weights, bias } = denseWeights(layer, n);
      return bias.map((b, row) => weights.slice(row * layer.from, (row + 1) * layer.from).reduce((sum, value, i) => sum + value * x[i], b)).map((value) => (layer.activation === 'Tanh' ? Math.tanh(value) : value));
    }, pooled);
    near(t, (await embed(n, [TEXTS[0]]))[0], unit(expected), type, most);
    t.equal(engine.models()[n].dimensions, 9);
  }
});

t.test('a decoder that embeds: its last token, empty caches, in whole and half precision', async (t) => {
  for (const half of [false, true]) {
    const options = { causal: true, half, pooling: { pooling_mode_lasttoken: true } };
    const { embed } = await start(t, options);
    const vectors = await embed(TEXTS);
    for (const [i, ids] of IDS.entries()) near(t, vectors[i], unit(reference(options, ids.slice(1)).at(-1) ?? []), TEXTS[i], half ? 3e-3 : 2e-6);
  }
});

t.test('a graph that reads padding as text gets one text at a time', async (t) => {
  const notes: string[] = [];
  const { embed } = await start(t, { maskless: true }, {}, notes);
  t.match(notes, [/model small: texts go through the model one at a time, because its graph gives other numbers for padded ones/]);
  const vectors = await embed(TEXTS);
  for (const [i, ids] of IDS.entries()) near(t, vectors[i], unit(mean(reference({}, ids))), TEXTS[i]);
});

t.test('fewer dimensions are cut and brought to length 1 again; more are refused', async (t) => {
  const { embed } = await start(t);
  near(t, (await embed([TEXTS[0]], { dimensions: 5 }))[0], unit(mean(reference({}, IDS[0])).slice(0, 5)), 'five');
  t.match(await failure(embed(['cat'], { dimensions: 17 })), { code: 'dimensions_invalid', message: /vectors of 16 numbers; dimensions must be a whole number from 1 to 16, got 17/ });
});

t.test('prompts are put in front by name, by kind of text, and by default, and may be left out of the mean', async (t) => {
  const prompts = { prompts: { query: 'query: ', passage: 'passage: ' }, default_prompt_name: null };
  const { embed } = await start(t, { prompts });
  const [query, passage] = [[2, 11, 13, 5, 3], [2, 12, 13, 5, 3]].map((ids) => unit(mean(reference({}, ids))));
  near(t, (await embed(['cat'], { inputType: 'query' }))[0], query, 'query');
  near(t, (await embed(['cat'], { inputType: 'document' }))[0], passage, 'document, which this model calls passage');
  near(t, (await embed(['cat'], { prompt: 'passage' }))[0], passage, 'by name');
  near(t, (await embed(['cat']))[0], unit(mean(reference({}, [2, 5, 3]))), 'none');
  t.match(await failure(embed(['cat'], { prompt: 'title' })), { code: 'unknown_prompt', message: /has no prompt "title"; it has: query, passage/ });
  const other = await start(t, { prompts: { prompts: { query: 'query: ' }, default_prompt_name: 'query' } });
  near(t, (await other.embed(['cat']))[0], query, 'the default');
  const without = await start(t, { prompts, pooling: { pooling_mode_mean_tokens: true, include_prompt: false } });
  near(t, (await without.embed(['cat'], { inputType: 'query' }))[0], unit(mean(reference({}, [2, 11, 13, 5, 3]).slice(3))), 'not counted');
});

t.test('what is too long is an error that says how long it is, or is cut where that is asked for', async (t) => {
  const { embed, engine } = await start(t, { sentence: { max_seq_length: 8, do_lower_case: false } });
  t.equal(engine.models()[0].contextLength, 8);
  const long = 'the cat sat the dog ran a b c';
  t.match(await failure(embed(['cat', long])), { code: 'context_length_exceeded', message: /^input\[1\] has 11 tokens; the model takes 8/ });
  t.match(await failure(embed([long])), { message: /^the input has 11 tokens/ });
  near(t, (await embed([long], { truncate: true }))[0], unit(mean(reference({}, [2, 4, 5, 7, 4, 6, 8, 3]))), 'cut');
  t.match(await failure(embed(['cat '.repeat(100_000)])), { code: 'context_length_exceeded', message: /400000 characters/ });
  t.equal((await embed(['cat '.repeat(100_000)], { truncate: true })).length, 1);
  t.match(await failure(embed([[4, 5, 6, 7, 8, 4, 4, 4, 4]])), { code: 'context_length_exceeded', message: /9 tokens/ });
  t.match(await failure(embed([[4, 40]])), { code: 'invalid_prompt', message: /token 40, and model small has a vocabulary of 40/ });
});

t.test('special tokens written in a text are plain text', async (t) => {
  const { embed } = await start(t);
  near(t, (await embed(['cat [SEP] dog']))[0], unit(mean(reference({}, [2, 5, 14, 16, 15, 6, 3]))), '[SEP] by hand');
});

t.test('a cross-encoder reads query and document together and gives the logistic of its logit', async (t) => {
  const { engine, embed } = await start(t, { output: 'logits', sentence: { max_seq_length: 12 } });
  t.match(engine.models(), [{ id: 'small', tasks: ['score'] }]);
  const { scores, promptTokens } = await engine.score({ model: 'small', query: 'the cat', documents: TEXTS.slice(0, 2) });
  for (const [i, ids] of IDS.slice(0, 2).entries()) {
    const pair = [2, 4, 5, 3, ...ids.slice(1)];
    near(t, [scores[i]], [1 / (1 + Math.exp(-referenceLogit({}, pair, pair.map((_, n) => (n < 4 ? 0 : 1)))))], TEXTS[i]);
  }
  t.equal(promptTokens, 8 + 6);
  t.match(await failure(engine.score({ model: 'small', query: 'the cat', documents: TEXTS })), { code: 'context_length_exceeded', message: /documents\[2\] has 16 tokens together with the query/ });
  const cut = await engine.score({ model: 'small', query: 'the cat', documents: [TEXTS[2]], truncate: true });
  const pair = [2, 4, 5, 3, ...IDS[2].slice(1, 8), 3];
  near(t, cut.scores, [1 / (1 + Math.exp(-referenceLogit({}, pair, pair.map((_, n) => (n < 4 ? 0 : 1)))))], 'cut');
  t.match(await failure(embed(['cat'])), { code: 'unknown_model', message: /"small" can rank texts, and cannot make embeddings; no model here can/ });
});

t.test('a text that the tokenizer can write and the model cannot read is named, alone and in a pair', async (t) => {
  for (const output of ['last_hidden_state', 'logits'] as const) {
    const folder = await writeEncoder(join(t.testdirName, output), { output });
    const file = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')) as { readonly added_tokens: object[] };
    file.added_tokens.push({ id: 41, content: 'zebra', special: false, single_word: false, lstrip: false, rstrip: false, normalized: false });
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(file));
    const engine = await startEngine(t, { models: [folder] });
    const said = (name: string): object => ({ code: 'invalid_prompt', message: new RegExp(`^${name} has token 41, and model ${output} has a vocabulary of 40`) });
    t.match(await failure(engine.score({ model: output, query: 'cat', documents: ['cat', 'zebra'] })), said('documents\\[1\\]'));
    t.match(await failure(engine.score({ model: output, query: 'zebra', documents: ['cat'] })), said('the query'));
    t.equal((await engine.score({ model: output, query: 'cat', documents: ['cat', '\u0000', '👩\u200d🚀 e\u0301 \ud83d'] })).scores.length, 3, 'whatever else is written');
  }
});

t.test('an embedding model ranks by the cosine, with its prompts', async (t) => {
  const { engine } = await start(t, { prompts: { prompts: { query: 'query: ', document: 'passage: ' } } });
  const { scores } = await engine.score({ model: 'small', query: 'cat', documents: ['dog', 'the cat'] });
  const query = unit(mean(reference({}, [2, 11, 13, 5, 3])));
  const documents = [[2, 12, 13, 6, 3], [2, 12, 13, 4, 5, 3]].map((ids) => unit(mean(reference({}, ids))));
  near(t, scores, documents.map((vector) => vector.reduce((sum, value, i) => sum + value * query[i], 0)), 'cosines');
});

t.test('folders that cannot be run say what is wrong in them', async (t) => {
  const refusal = async (options: FolderOptions, spoil?: string): Promise<unknown> => {
    const folder = await writeEncoder(join(t.testdir(), 'small'), options);
    if (spoil !== undefined) await rm(join(folder, spoil));
    const described = describeModel(folder, { device: 'cpu', threads: 1, limits: DEFAULT_LIMITS, note: () => undefined });
    return failure(described.then((model) => model.open()));
  };
  t.match(await refusal({ pooling: { pooling_mode: 'middle' } }), { code: 'model_invalid', message: /1_Pooling.config.json: pooling_mode middle is not known/ });
  t.match(await refusal({ pooling: {} }), { code: 'model_invalid', message: /chooses no pooling/ });
  t.match(await refusal({ modules: ['Transformer', 'Pooling', 'LSTM'] }), { code: 'model_invalid', message: /one of the outputs sentence_embedding/ });
  t.match(await refusal({ modules: ['Transformer', 'Pooling', 'Dense'] }), { code: 'model_invalid', message: /2_Dense.config.json is missing/ });
  t.match(await refusal({ modules: ['Transformer', 'Pooling', 'Dense'], dense: [{ to: 5, from: 7, activation: 'Tanh' }] }), { code: 'model_invalid', message: /takes 7 numbers, and what comes before it gives 16/ });
  t.match(await refusal({ output: 'logits', labels: 3 }), { code: 'model_invalid', message: /3 labels/ });
  t.match(await refusal({ config: { architectures: ['BertForQuestionAnswering'] }, modules: false }), { code: 'model_invalid', message: /BertForQuestionAnswering is no model that Pharos runs/ });
  t.match(await refusal({}, 'tokenizer.json'), { code: 'model_invalid', message: /tokenizer.json is missing/ });
  t.match(await refusal({}, 'onnx/model.onnx'), { code: 'model_invalid', message: /has no weights/ });
  t.match(await refusal({ prompts: { prompts: {}, default_prompt_name: 'query' } }), { code: 'model_invalid', message: /default_prompt_name is query/ });
  t.match(await refusal({ config: { hidden_size: 16, max_position_embeddings: null } }), { code: 'model_invalid', message: /does not say how long a text may be/ });
});

t.test('a request that leaves frees its work, and those that do not fit are refused', async (t) => {
  const { engine, embed } = await start(t, {}, { slots: 1, queue: 1, passTokens: 16 });
  const many = Array.from({ length: 4000 }, (_, i) => `the cat sat ${'dog '.repeat(i % 8)}`);
  const controller = new AbortController();
  const first = failure(engine.embed({ model: 'small', inputs: many }, controller.signal));
  const second = embed(['cat']);
  t.match(await failure(embed(['dog'])), { code: 'queue_full' });
  controller.abort();
  t.match(await first, { code: 'aborted' });
  t.equal((await second).length, 1, 'the next has its turn');
  await until(() => engine.statistics().running === 0);
  t.match(await failure(engine.embed({ model: 'small', inputs: ['cat'] }, AbortSignal.abort())), { code: 'aborted' });
  const last = failure(embed(many));
  await engine.close(0);
  t.match(await last, { code: 'closed' });
  t.match(await failure(embed(['cat'])), { code: 'closed' });
});

t.test('generations and passes take turns in one engine', async (t) => {
  const folder = await writeEncoder(join(t.testdir(), 'small'));
  const { FOLDER, ask, collect, wild } = await import('./world.ts');
  const engine = await startEngine(t, { models: [FOLDER, folder], limits: { passTokens: 64 } });
  t.match(engine.models(), [{ id: 'pharos-mini', tasks: ['generate'], loaded: true }, { id: 'small', tasks: ['embed', 'score'], loaded: false }]);
  const order: string[] = [];
  const many = Array.from({ length: 600 }, () => 'the cat sat');
  const embedding = engine.embed({ model: 'small', inputs: many }).then(({ vectors }) => order.push(`embedded ${vectors.length}`));
  const writing = collect(engine.generate(ask('Albert', wild(3, 24)))).then(({ text }) => order.push(`wrote ${text.length > 0}`));
  await Promise.all([embedding, writing]);
  t.same(order.toSorted(), ['embedded 600', 'wrote true']);
  t.equal(engine.models()[1].loaded, true);
  t.match(await failure(collect(engine.generate(ask('x', { model: 'small' })))), { code: 'unknown_model', message: /"small" can make embeddings and rank texts, and cannot write text; models that can: pharos-mini/ });
  t.match(await failure(engine.embed({ model: 'pharos-mini', inputs: ['x'] })), { code: 'unknown_model', message: /can write text, and cannot make embeddings; models that can: small/ });
});

t.test('batches hold every text once, within the limit, the longest first', (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    const lengths = Array.from({ length: 1 + Math.floor(random.next() * 150) }, () => 1 + Math.floor(random.next() * 60));
    const limit = 1 + Math.floor(random.next() * 300);
    const batches = planBatches(lengths, limit);
    t.same(batches.flat().toSorted((a, b) => a - b), lengths.map((_, i) => i));
    for (const batch of batches) if (batch.length > 1) t.ok(batch.length * Math.max(...batch.map((i) => lengths[i])) <= limit);
    t.same(batches.flat().map((i) => lengths[i]), lengths.toSorted((a, b) => b - a));
    t.ok(planBatches(lengths, limit, true).every(({ length }) => length === 1));
  }
  t.end();
});

t.test('padding has no part in any pooling', (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const [length, width] = [1 + Math.floor(random.next() * 6), 3];
    const data = Float32Array.from({ length: length * width }, () => random.next() * 2 - 1);
    const padded = new Float32Array(2 * 8 * width).fill(99);
    padded.set(data, 8 * width);
    for (const pooling of POOLINGS) t.same(pool({ data: padded, longest: 8, width }, 1, length, [pooling]), pool({ data, longest: length, width }, 0, length, [pooling]), `${pooling} of ${length}`);
  }
  t.same([...normalised(new Float32Array(3))], [0, 0, 0], 'no direction, no length');
  t.end();
});
