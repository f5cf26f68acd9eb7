// Owns the way from files to packed batches: lines, order, packing, the place a checkpoint keeps, limits and errors.
// Refuses to know how examples are written, gradients and runs.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import type { Batch } from '../../src/training/batch.ts';
import { exampleOf } from '../../src/training/data/example.ts';
import { checkExamples, linesOf, readPieces } from '../../src/training/data/lines.ts';
import { readModelText } from '../../src/training/data/model-text.ts';
import { packedBatches } from '../../src/training/data/packed-batches.ts';
import { epochOrder, layRows, planRows } from '../../src/training/data/packing.ts';
import { Renderer } from '../../src/training/data/renderer.ts';
import { leftOut, tokenise } from '../../src/training/data/tokenised-data.ts';
import type { TokenisedData } from '../../src/training/data/tokenised-data.ts';

const MODEL = fileURLToPath(new URL('../../models/pharos-mini', import.meta.url));
const TEXT = await readModelText(MODEL);
const TOKENIZER = new ModelTokenizer(TEXT.tokenizer, TEXT.tokenizerConfig);
/** The text of an example's only sequence. */
const textOf = (line: object): string => TOKENIZER.textOfAll(new Renderer(TEXT).sequences(exampleOf(line))[0].tokens);

function jsonl(t: Test, lines: readonly (object | string)[], name = 'train.jsonl'): string {
  const path = join(t.testdir(), name);
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return path;
}
const turn = (user: string, assistant: string): object => ({
  messages: [
    { role: 'user', content: user },
    { role: 'assistant', content: assistant },
  ],
});
async function opened(t: Test, files: readonly string[], more: { readonly context?: number; readonly threads?: number } = {}): Promise<TokenisedData> {
  const data = await tokenise({ model: MODEL, files, context: 64, folder: join(t.testdirName, 'tokens'), threads: 1, ...more });
  t.teardown(() => data.close());
  return data;
}
/** The texts of a batch's rows, in order. */
const documents = (batch: Batch): string[] => {
  const texts: string[] = [];
  for (let b = 0; b < batch.rowsCount; b++) {
    const places = Array.from({ length: batch.steps }, (_, step) => step * batch.rowsCount + b);
    const last = Number(places.reduce((most, at) => (batch.segments[at] > most ? batch.segments[at] : most), 0n));
    for (let segment = 1; segment <= last; segment++)
      texts.push(TOKENIZER.textOfAll(places.filter((at) => Number(batch.segments[at]) === segment).map((at) => Number(batch.inputIds[at]))));
  }
  return texts;
};

t.test('files are read in pieces that end with lines, whatever the piece and the line ends; a bad line is told with its file and number', async (t) => {
  const lines = Array.from({ length: 50 }, (_, i) => turn(`question ${i} 阿尔伯特`, `answer ${i}`));
  const file = jsonl(t, ['\ufeff' + JSON.stringify(lines[0]), '', ...lines.slice(1, 20), '  \r', ...lines.slice(20)]);
  for (const pieceBytes of [7, 100, 1000, 1 << 20]) {
    const read: [number, string][] = [];
    for await (const piece of readPieces([file, file], { pieceBytes, lineBytes: 1000 }))
      for (const { number, text } of linesOf(piece)) read.push([number, text]);
    t.equal(read.length, 100);
    t.same([read[0][0], read[1][0], read[20][0], read[50][0]], [1, 3, 23, 1]);
    t.same(JSON.parse(read[20][1]), lines[20]);
  }
  t.equal(await checkExamples(file), 50);
  const broken = (line: string | Buffer): string => {
    const path = join(t.testdirName, 'broken.jsonl');
    writeFileSync(path, Buffer.concat([Buffer.from(`${JSON.stringify(lines[0])}\n\n`), Buffer.from(line)]));
    return path;
  };
  await t.rejects(checkExamples(broken('{"messages": [')), { code: 'invalid_line', line: 3, message: /broken\.jsonl line 3: is not JSON: / });
  await t.rejects(checkExamples(broken(Buffer.from([0x22, 0xff, 0x22]))), { code: 'invalid_line', line: 3, message: /line 3: is not valid UTF-8/ });
  await t.rejects(Array.fromAsync(readPieces([broken('x'.repeat(200))], { pieceBytes: 50, lineBytes: 100 })), {
    code: 'invalid_line',
    line: 3,
    message: /line 3: is longer than 100 bytes/,
  });
  await t.rejects(tokenise({ model: MODEL, files: [file, broken('{"messages": 1}')], context: 64, folder: t.testdirName, threads: 1 }), {
    code: 'invalid_line',
    line: 3,
    message: /broken\.jsonl line 3: messages: /,
  });
  await t.rejects(checkExamples(join(t.testdirName, 'none.jsonl')), { code: 'unreadable', message: /none\.jsonl cannot be read: ENOENT/ });
  writeFileSync(join(t.testdirName, 'empty.jsonl'), '\n');
  await t.rejects(checkExamples(join(t.testdirName, 'empty.jsonl')), { code: 'nothing_to_learn' });
});

t.test('rows are filled with whole texts, each once, and hardly any place is left empty', (t) => {
  const lengths = epochOrder(3000, 9, 0).map((value) => 3 + (value % 120));
  const order = epochOrder(lengths.length, 4, 2);
  const { examples, starts, rows } = planRows(order, lengths, 256);
  t.same(
    [...examples].toSorted((a, b) => a - b),
    [...lengths.keys()],
    'each text stands in one row',
  );
  const used = Array.from({ length: rows }, (_, row) => examples.subarray(starts[row], starts[row + 1]).reduce((sum, example) => sum + lengths[example], 0));
  t.ok(used.every((tokens) => tokens > 0 && tokens <= 256));
  const share = lengths.reduce((sum, length) => sum + length, 0) / (rows * 256);
  t.ok(share > 0.97, `${(share * 100).toFixed(1)}% of the places are filled`);
  const places = new Uint32Array(lengths.length);
  examples.forEach((example, at) => (places[example] = at));
  t.ok(
    order.every((example, at) => at < 2500 || places[example] > 1500),
    'texts stand near the place that the order gives them',
  );
  t.not([...epochOrder(50, 4, 2)].join(), [...epochOrder(50, 4, 3)].join(), 'each epoch has its own order');
  t.not([...epochOrder(50, 4, 2)].join(), [...epochOrder(50, 5, 2)].join(), 'and each seed');
  t.throws(() => layRows([[new Uint32Array(40)]], 32), /a row has 40 tokens; it takes 32/);
  t.end();
});

t.test('every epoch gives each example once, in an order of its own, with the learned tokens of each and none across texts', async (t) => {
  const lines = Array.from({ length: 40 }, (_, i) => turn(`Where is ${i}?`, `It is in ${'the '.repeat(i % 5)}box ${i}.`));
  const file = jsonl(t, lines);
  const data = await opened(t, [file]);
  t.match(data.report, { examples: 40, sequences: 40, tooLong: 0 });
  t.same(readdirSync(join(t.testdirName, 'tokens')), [], 'the tokens have no name that could be left behind');
  const source = packedBatches(data, { rows: 3, epochs: 2, seed: 7 });
  const batches: Batch[] = [];
  for (let batch = await source.next(); batch; batch = await source.next()) batches.push(batch);
  t.equal(batches.length, source.batches);
  t.equal(source.examples, 40);
  t.ok(batches.every(({ steps, rowsCount }) => steps <= 64 && rowsCount <= 3));
  const texts = batches.flatMap(documents);
  const expected = lines.map(textOf).toSorted();
  t.same([texts.slice(0, 40).toSorted(), texts.slice(40).toSorted()], [expected, expected]);
  t.not(texts.slice(0, 40).join(), texts.slice(40).join());
  t.equal(
    batches.reduce((sum, { rows }) => sum + rows.length, 0),
    2 * data.report.learnedTokens,
  );
  for (const batch of batches) {
    for (const [i, at] of batch.rows.entries()) {
      const next = Number(at) + batch.rowsCount;
      if (batch.inputIds[next] !== batch.targets[i] || batch.segments[next] !== batch.segments[Number(at)])
        t.fail(`target ${i} is not the next token of its text`);
    }
    t.ok(Math.abs(batch.weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-5);
  }
  const plain = packedBatches(data, { rows: 40, epochs: 1 });
  t.same(documents((await plain.next()) as Batch).toSorted(), expected, 'without a seed all the same');
  t.equal(await plain.next(), undefined);
});

t.test('a source opened at a kept place goes on with the very batch that would have come; a place of other data is refused', async (t) => {
  const file = jsonl(
    t,
    Array.from({ length: 30 }, (_, i) => turn(`q ${i}`, `a ${i} `.repeat(1 + (i % 7)))),
  );
  const data = await opened(t, [file]);
  const settings = { rows: 2, epochs: 3, seed: 11 };
  const straight = packedBatches(data, settings);
  const all: { readonly position: object; readonly batch: Batch }[] = [];
  for (;;) {
    const position = JSON.parse(JSON.stringify(straight.position)) as object;
    const batch = await straight.next();
    if (!batch) break;
    all.push({ position, batch });
  }
  for (const i of [0, 1, 5, all.length - 1]) {
    const source = packedBatches(data, { ...settings, position: all[i].position });
    t.equal(source.batches, all.length);
    for (const { batch } of all.slice(i)) t.same(await source.next(), batch);
    t.equal(await source.next(), undefined);
    await source.close();
  }
  t.throws(() => packedBatches(data, { ...settings, seed: 12, position: all[3].position }), { code: 'other_data' });
  t.throws(() => packedBatches({ ...data, digest: 'another' }, { ...settings, position: all[3].position }), {
    code: 'other_data',
    message: /other training files/,
  });
  const forever = packedBatches(data, { ...settings, epochs: Number.POSITIVE_INFINITY });
  t.equal(forever.batches, Number.POSITIVE_INFINITY);
  for (let i = 0; i < all.length + 3; i++) t.ok((await forever.next())?.rows.length);
});

t.test('what is too long is counted and named; nothing left is an error; threads give the same tokens in the same order', async (t) => {
  const lines = Array.from({ length: 20 }, (_, i) => turn(`q ${i}`, i % 4 === 3 ? 'long '.repeat(100) : `a ${i}`));
  const file = jsonl(t, lines);
  const files = Array.from({ length: 6 }, (_, i) => {
    const path = join(t.testdirName, `part-${i}.jsonl`);
    writeFileSync(path, readFileSync(file));
    return path;
  });
  const [one, three] = [await opened(t, files, { context: 32, threads: 1 }), await opened(t, files, { context: 32, threads: 3 })];
  t.match(one.report, { examples: 120, sequences: 90, tooLong: 30 });
  t.same(
    one.report.firstTooLong.map(({ line }) => line),
    [4, 8, 12, 16, 20],
  );
  t.match(
    leftOut(one.report, 32),
    /^30 of 120 sequences are longer than the context of 32 tokens and are left out: .*part-0\.jsonl line 4 \(\d+\), .*, \.\.\.$/,
  );
  t.equal(three.digest, one.digest);
  t.same(three.report, one.report);
  t.same([...three.lengths], [...one.lengths]);
  t.same(three.read(70), one.read(70));
  const more = { model: MODEL, folder: join(t.testdirName, 'tokens'), threads: 1 };
  await t.rejects(tokenise({ ...more, files: [file], context: 4 }), {
    code: 'nothing_to_learn',
    message: /no example to learn; 20 of 20 sequences are longer than the context of 4/,
  });
  const stop = new AbortController();
  const stopped = tokenise({ ...more, files, context: 64, signal: stop.signal });
  setImmediate(() => stop.abort(new Error('stopped')));
  await t.rejects(stopped, /stopped/);
  t.same(readdirSync(more.folder), []);
});
