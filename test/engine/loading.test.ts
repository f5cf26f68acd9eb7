// Owns models that cannot be loaded: each is said by its file and with what to do, and the others serve all the same.
// Refuses to know models that can.

import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { placeless } from '../../src/engine/models/diagnosis.ts';
import { freeBytes } from '../../src/engine/models/memory.ts';
import type { DescribedModel, OpenModel } from '../../src/engine/models/described-model.ts';
import { ModelPool } from '../../src/engine/models/model-pool.ts';
import type { ModelInfo } from '../../src/engine/port.ts';
import { ProtoWriter, readFields } from '../../src/model/protobuf.ts';
import { writeEncoder } from './encoders.ts';
import { writeForeign } from './foreign.ts';
import type { ForeignOptions } from './foreign.ts';
import { ask, chat, collect, FACT, failure, FOLDER, startEngine, until } from './world.ts';

const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 5334770\n';

/** Copies the fields of a model or graph, some of them as `change` writes them; undefined: as it is. */
function edited(bytes: Uint8Array, change: (field: number, value: Uint8Array) => Uint8Array | undefined): Uint8Array {
  const out = new ProtoWriter();
  readFields(bytes, (field, value, whole) => {
    const changed = typeof value === 'number' ? undefined : change(field, value);
    if (changed) out.bytes(field, changed);
    else out.raw(whole);
  });
  return out.finish();
}
/** The standard operators in another version. */
const withOpset = (model: Uint8Array, version: number): Uint8Array => {
  let done = false;
  return edited(model, (field, value) => {
    if (field !== 8) return undefined;
    let domain = '';
    readFields(value, (part, given) => void (part === 1 && typeof given !== 'number' && (domain = Buffer.from(given).toString())));
    if (domain !== '' || done) return undefined;
    done = true;
    return new ProtoWriter().text(1, '').int(2, version).finish();
  });
};
/** One operator by another name. */
const withOperator = (model: Uint8Array, from: string, to: string): Uint8Array =>
  edited(model, (field, graph) =>
    field !== 7 ? undefined : edited(graph, (part, node) => (part !== 1 ? undefined : edited(node, (each, name) => (each === 4 && Buffer.from(name).toString() === from ? Buffer.from(to) : undefined)))),
  );

/**
 * A decoder that is spoilt by `spoil`, beside the shipped model: as the second it is left out at start, or its request is refused; as the first it is the default, and left out. Each time the
 * message is like `said`, and the shipped model serves. Where the folder lies is for the log alone.
 */
async function spoilt(t: Test, name: string, said: RegExp, options: ForeignOptions, spoil: (file: string, folder: string) => Promise<unknown>): Promise<void> {
  const folder = join(t.testdir(), 'spoilt');
  await spoil(await writeForeign(folder, options), folder);
  for (const models of [[FOLDER, folder], [folder, FOLDER]]) {
    const errors: string[] = [];
    const engine = await startEngine(t, { models, logger: { info: () => undefined, warn: () => undefined, error: (message) => void errors.push(message) } });
    const error = await failure(collect(engine.generate(ask('x', { model: 'spoilt', maxTokens: 2 }))));
    t.equal((await collect(engine.generate(chat(FACT)))).text, 'Albert Einstein was born in Ulm.', 'the other serves');
    await engine.close(0);
    t.equal(errors.length, 1, name);
    const asked = errors[0].startsWith('model spoilt cannot be loaded: ');
    t.ok(!asked || models[0] === FOLDER, name);
    t.match(error, asked ? { code: 'model_unavailable', message: said } : { code: 'unknown_model' }, name);
    t.notOk(String(error).includes(t.testdirName), `${name}: who asks does not hear where it lies`);
    t.match(errors[0], said, name);
    t.ok(errors[0].includes(folder), `${name}: the log says where it lies`);
  }
}
const edit = (change: (model: Uint8Array) => Uint8Array) => async (file: string) => writeFile(file, change(await readFile(file)));

t.test('a graph that is damaged, cut short or none', async (t) => {
  const cases: readonly (readonly [string, RegExp, (file: string) => Promise<unknown>])[] = [
    ['cut short', /It has 100000 bytes, and is damaged, cut short or no ONNX file; fetch it again$/, async (file) => truncate(file, 100_000)],
    ['empty', /It is damaged, cut short or no ONNX file; fetch it again$/, async (file) => writeFile(file, '')],
    ['something else', /It has 1320 bytes, and is damaged, cut short or no ONNX file; fetch it again$/, async (file) => writeFile(file, '<!doctype html><title>404</title>'.repeat(40))],
    ['damaged', /fetch it again$/, edit((model) => model.map((byte, i) => (i > 200 && i % 977 === 0 ? byte ^ 0x5a : byte)))],
  ];
  for (const [name, said, spoil] of cases) await spoilt(t, name, new RegExp(`onnx.model\\.onnx.*${said.source}`), { cache: 'concat' }, spoil);
});

t.test('weights in a file of their own that is missing, cut short, or not fetched', async (t) => {
  const data = (folder: string): string => join(folder, 'onnx/model.onnx_data');
  await spoilt(t, 'missing', /Model\.onnx keeps its weights in (.*spoilt.)?onnx.model\.onnx_data, which is not there; put that file beside it$/, { cache: 'concat', beside: true }, async (_, folder) => rm(data(folder)));
  await spoilt(t, 'cut short', /model\.onnx_data has 5000 bytes, and model\.onnx reads \d+ of it: it is cut short; fetch it again$/, { cache: 'grouped', beside: true }, async (_, folder) => truncate(data(folder), 5000));
  const pointer = /is what Git LFS leaves in the place of a file that it did not fetch; run `git lfs pull` in its folder$/;
  await spoilt(t, 'a pointer', new RegExp(`model\\.onnx_data ${pointer.source}`), { cache: 'concat', beside: true }, async (_, folder) => writeFile(data(folder), POINTER));
  await spoilt(t, 'a pointer in place of the graph', new RegExp(`model\\.onnx ${pointer.source}`), { cache: 'concat' }, async (file) => writeFile(file, POINTER));
});

t.test('an operator set and an operator that this runtime does not have', async (t) => {
  await spoilt(t, 'operator set', /model\.onnx.*Opset 99.*It was exported for a newer ONNX Runtime than this one; export it with an older opset, or update Pharos$/, { cache: 'concat' }, edit((model) => withOpset(model, 99)));
  await spoilt(t, 'operator', /model\.onnx.*Hardestmax.*It uses an operator that this ONNX Runtime does not have on this device; take another export/, { cache: 'concat' }, edit((model) => withOperator(model, 'Softmax', 'Hardestmax')));
});

t.test('a vocabulary that is not that of the weights', async (t) => {
  const config = JSON.stringify({ architectures: ['LlamaForCausalLM'], vocab_size: 5000, max_position_embeddings: 256, eos_token_id: 1 });
  await spoilt(t, 'larger', /model\.onnx: config\.json says a vocabulary of 5000, the logits have 4096\. Config\.json and the weights are of two models; fetch both from one place, or correct vocab_size$/, { cache: 'concat' }, async (_, folder) => writeFile(join(folder, 'config.json'), config));
});

t.test('a tokenizer that cannot be read', async (t) => {
  const tokenizer = (change: (file: Record<string, Record<string, unknown>>) => unknown) => async (_: string, folder: string) => {
    const path = join(folder, 'tokenizer.json');
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as Record<string, Record<string, unknown>>)));
  };
  const unread = /tokenizer\.json.*It cannot be read here; fetch it again, or take the one that `save_pretrained` of a fast tokenizer writes$/;
  const cases: readonly (readonly [string, (file: string, folder: string) => Promise<unknown>, RegExp])[] = [
    ['a pointer', async (_, folder) => writeFile(join(folder, 'tokenizer.json'), POINTER), /tokenizer\.json is what Git LFS leaves .* run `git lfs pull` in its folder$/],
    ['cut short', async (_, folder) => truncate(join(folder, 'tokenizer.json'), 1000), /tokenizer\.json is not JSON.*It is damaged or cut short; fetch it again$/],
    ['another file', tokenizer(() => ({ model_max_length: 5 })), unread],
    ['a step that is not known', tokenizer((file) => ({ ...file, pre_tokenizer: { type: 'Astrology' } })), unread],
    ['a decoder that is not known', tokenizer((file) => ({ ...file, decoder: { type: 'Astrology' } })), unread],
  ];
  for (const [name, spoil, said] of cases) await spoilt(t, name, said, { cache: 'concat' }, spoil);
});

t.test('an encoder that is spoilt is said in the same way', async (t) => {
  const folder = await writeEncoder(join(t.testdir(), 'encoder'), {});
  await truncate(join(folder, 'onnx/model.onnx'), 3000);
  const engine = await startEngine(t, { models: [FOLDER, folder] });
  t.match(await failure(engine.embed({ model: 'encoder', inputs: ['cat'] })), { code: 'model_unavailable', message: /model encoder cannot be loaded: onnx.model\.onnx.*cut short or no ONNX file; fetch it again$/ });
  t.equal((await collect(engine.generate(chat(FACT)))).text, 'Albert Einstein was born in Ulm.');
});

t.test('where files of the cache of the hub lie is not said either', async (t) => {
  const root = t.testdir({ blobs: { 0: 'no graph' }, snapshot: { onnx: { 'model.onnx': t.fixture('symlink', '../../blobs/0') } }, model: t.fixture('symlink', 'snapshot') });
  const places = { folder: join(root, 'model'), onnx: join(root, 'model/onnx/model.onnx') };
  const message = `${places.onnx}: ${join(root, 'snapshot/onnx/model.onnx')} and ${join(root, 'blobs/0')}; ${places.folder} has no weights`;
  t.equal(await placeless(message, places), 'onnx/model.onnx: onnx/model.onnx and 0; its folder has no weights');
});

/** Models that are nothing but their size. */
function world(free: () => number, sizes: Readonly<Record<string, number>>): { readonly pool: ModelPool; readonly closed: string[] } {
  const closed: string[] = [];
  const pool = new ModelPool({ modelBytes: 0, modelIdleMs: 0 }, { changed: ({ id, loaded }) => void (loaded === true || closed.push(id)), free });
  for (const [id, bytes] of Object.entries(sizes)) {
    const info: DescribedModel['info'] = { id, tasks: ['embed'], bytes, device: 'cpu', created: 0, loaded: false };
    const model = { info: info as ModelInfo, close: async () => undefined } as unknown as Extract<OpenModel, { kind: 'encoder' }>['model'];
    pool.add({ info, places: { folder: id }, open: async () => ({ kind: 'encoder', model }), count: async () => 0, encode: async () => ({ ids: [], spelt: [] }), decode: async () => '' });
  }
  return { pool, closed };
}
t.test('a model that does not fit into memory is refused before it is tried, and idle ones give way to one that would', async (t) => {
  const MiB = 2 ** 20;
  const sizes = { a: 300 * MiB, b: 400 * MiB, c: 2000 * MiB };
  let held = 0;
  const { pool, closed } = world(() => 1000 * MiB - held, sizes);
  (await pool.use('a', 'embed')).release();
  held = sizes.a;
  t.match(await failure(pool.use('c', 'embed')), {
    code: 'model_unavailable',
    message: /model c cannot be loaded: it has 2000 MiB of weights, and 700 MiB of memory are free here, 300 MiB more without the models that are loaded; end other programs, name smaller weights in PHAROS_MODELS \(such as c#q4\), or set PHAROS_MODEL_MEMORY/,
  });
  t.same(closed, [], 'nothing is closed in vain');
  let rest = 500 * MiB;
  // The system has not yet got back what was closed.
  const tight = world(() => rest, sizes);
  const lease = await tight.pool.use('a', 'embed');
  rest -= sizes.a;
  const waits = tight.pool.use('b', 'embed');
  await until(() => true);
  t.same(tight.closed, [], 'what is in use is waited for');
  lease.release();
  (await waits).release();
  t.same(tight.closed, ['a']);
  await Promise.all([pool.close(), tight.pool.close()]);
});

t.test('the memory that can be had is a sensible number', async (t) => {
  const free = freeBytes();
  t.ok(Number.isFinite(free) && free > 16 * 2 ** 20 && free < 2 ** 50, `${free}`);
});
