// Owns that models of the hub come into the cache whole, where other tools find them, and only what is needed of them: against a server that speaks the hub's API.
// Refuses to reach the real hub.

import { lstat, readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { placeModels } from '../../src/engine/hub/places.ts';
import { hubSettings, parseHubModel } from '../../src/engine/hub/settings.ts';
import { call, startApp } from '../helpers/http-app.ts';
import { repositoryOf } from '../helpers/hub-server.ts';
import { commitOf, startHubWorld } from '../helpers/hub-world.ts';
import { writeExport } from './encoder-decoder-folders.ts';
import { writeForeign } from './foreign.ts';
import { ask, collect, failure, startEngine } from './world.ts';

t.test('what is needed, and nothing else, comes into the layout that all tools share', async (t) => {
  const world = await startHubWorld(t);
  const folder = await world.fetch('owner/small');
  t.equal(folder, join(world.storage, 'snapshots', commitOf(world)));
  t.equal(await readFile(join(world.storage, 'refs/main'), 'utf8'), commitOf(world));
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  t.same(files.toSorted(), ['config.json', 'config.json', 'model.onnx', 'modules.json', 'tokenizer.json', 'tokenizer_config.json']);
  t.ok((await lstat(join(folder, 'onnx/model.onnx'))).isSymbolicLink());
  t.match(await readlink(join(folder, 'onnx/model.onnx')), /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
  t.match(await readlink(join(folder, 'config.json')), /^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
  t.same(await readFile(join(folder, 'onnx/model.onnx')), await readFile(join(world.local, 'onnx/model.onnx')));
  t.match(world.log.at(-1), /owner\/small: onnx\/model.onnx: .* KiB, complete/, 'the largest last');

  const before = world.hub.served.length;
  t.equal(await world.fetch('owner/small@v1'), folder, 'the same commit by another name');
  t.equal(await world.fetch(`owner/small@${commitOf(world)}`), folder);
  t.equal(world.hub.served.length, before, 'nothing is fetched twice');
  await rm(join(folder, 'config.json'));
  await world.fetch('owner/small');
  t.equal(world.hub.served.length, before, 'what is among the blobs is linked');
});

t.test('a service starts from names on the hub and serves what the folder would', async (t) => {
  const { hub, settings, local } = await startHubWorld(t);
  const app = await startApp(t, { PHAROS_MODELS: 'owner/small, owner/none', HF_ENDPOINT: `${hub.url}/`, HF_HUB_CACHE: settings.cache });
  t.match((await call(app, 'GET', '/v1/models')).json.data, [{ id: 'owner/small', tasks: ['embed', 'score'] }]);
  for (const path of ['/v1/models/owner%2Fsmall', '/v1/models/owner/small', '/models/owner/small']) t.match(await call(app, 'GET', path), { status: 200, json: { id: 'owner/small' } });
  t.match(await call(app, 'GET', '/v1/models/owner/none'), { status: 404, json: { error: { code: 'model_not_found' } } });
  const [there, here] = [await call(app, 'POST', '/v1/embeddings', { model: 'owner/small', input: 'the cat' }), (await (await startEngine(t, { models: [local] })).embed({ model: 'local', inputs: ['the cat'] })).vectors[0]];
  t.same((there.json.data[0].embedding as unknown as number[]).map(Math.fround), [...here]);
  await failure(startApp(t, { PHAROS_MODELS: 'owner/none', HF_ENDPOINT: hub.url, HF_HUB_CACHE: settings.cache })).then((error) => t.match(error, { message: /there is no folder owner\/none here, and it is no model of the hub: .*does not give owner\/none \(401\)/ }));
});

t.test('a decoder with its weights beside the graph runs from the cache', async (t) => {
  const world = await startHubWorld(t);
  const folder = join(t.testdirName, 'decoder');
  await writeForeign(folder, { cache: 'concat', beside: true });
  world.hub.repositories.set('owner/decoder', await repositoryOf(folder));
  const engine = await startEngine(t, { models: [folder, await world.fetch('owner/decoder')] });
  t.same(engine.models().map(({ id }) => id), ['decoder', 'owner/decoder']);
  const [here, there] = await Promise.all(['decoder', 'owner/decoder'].map((model) => collect(engine.generate(ask('he and of', { model, maxTokens: 12 })))));
  t.equal(there.text, here.text);
});

t.test('of an encoder-decoder both graphs are fetched, and all of a decoder in two files', async (t) => {
  const world = await startHubWorld(t);
  for (const layout of ['merged', 'split'] as const) {
    const folder = join(t.testdirName, layout);
    writeExport(folder, { layout });
    world.hub.repositories.set(`owner/${layout}`, await repositoryOf(folder));
    const fetched = await world.fetch(`owner/${layout}`);
    t.same((await readdir(join(fetched, 'onnx'))).toSorted(), (await readdir(join(folder, 'onnx'))).toSorted(), layout);
    const engine = await startEngine(t, { models: [folder, fetched] });
    const [here, there] = await Promise.all([layout, `owner/${layout}`].map((model) => collect(engine.generate(ask('he and of', { model, maxTokens: 8 })))));
    t.equal(there.text, here.text);
  }
});

t.test('a variant is fetched alone, and one that is not there is told with what is', async (t) => {
  const world = await startHubWorld(t);
  const repository = world.hub.repositories.get('owner/small');
  repository?.files.set('onnx/model_q4.onnx', await readFile(join(world.local, 'onnx/model.onnx')));
  repository?.files.set('onnx/model_q4.onnx_data', Buffer.alloc(10));
  const folder = await world.fetch('owner/small#q4');
  t.match(folder, /#q4$/);
  t.same((await readdir(join(folder.slice(0, -3), 'onnx'))).toSorted(), ['model_q4.onnx', 'model_q4.onnx_data']);
  t.match((await startEngine(t, { models: [folder] })).models(), [{ id: 'owner/small#q4' }]);
  t.match(await failure(world.fetch('owner/small#int8')), { code: 'model_invalid', message: /no weights of the variant int8; .*it has: onnx\/model.onnx, onnx\/model_q4.onnx/ });
});

t.test('what breaks off goes on where it stopped', async (t) => {
  const world = await startHubWorld(t);
  let breaks = 2;
  world.hub.fault = (path, bytes) => (path === 'onnx/model.onnx' && breaks-- > 0 ? { bytes: bytes.subarray(0, Math.floor(bytes.length / 2)), breaks: true } : undefined);
  const folder = await world.fetch('owner/small');
  t.same(await readFile(join(folder, 'onnx/model.onnx')), await readFile(join(world.local, 'onnx/model.onnx')));
  const parts = world.hub.served.filter(({ path }) => path === 'onnx/model.onnx').map(({ from }) => from);
  t.equal(parts.length, 3);
  t.ok(parts[0] === 0 && parts[1] > 0 && parts[2] > parts[1], parts.join(', '));
  t.match(world.log.join('\n'), /trying again \(1 of 5\)[^]*going on at/);
});

t.test('what was begun in another run goes on, too', async (t) => {
  const world = await startHubWorld(t);
  const [onnx, first] = [await readFile(join(world.local, 'onnx/model.onnx')), await world.fetch('owner/small')];
  const blob = await realpath(join(first, 'onnx/model.onnx'));
  await rm(blob);
  await writeFile(`${blob}.incomplete`, onnx.subarray(0, 700));
  world.hub.served.splice(0);
  await world.fetch('owner/small');
  t.same(world.hub.served, [{ path: 'onnx/model.onnx', from: 700 }]);
  t.same(await readFile(blob), onnx);
});

t.test('a file of another checksum is thrown away, and never used', async (t) => {
  const world = await startHubWorld(t);
  let spoils = 1;
  world.hub.fault = (path, bytes) => (path === 'onnx/model.onnx' && spoils-- > 0 ? { bytes: Buffer.from(bytes.map((byte, i) => (i === 50 ? byte ^ 1 : byte))), breaks: false } : undefined);
  const folder = await world.fetch('owner/small');
  t.match(world.log.join('\n'), /its checksum is [0-9a-f]{64}, and the hub states [0-9a-f]{64}; trying again/);
  t.same(await readFile(join(folder, 'onnx/model.onnx')), await readFile(join(world.local, 'onnx/model.onnx')));

  const other = await startHubWorld(t);
  other.hub.fault = (path, bytes) => (path === 'tokenizer.json' ? { bytes: Buffer.from(bytes.map((byte) => byte ^ 1)), breaks: false } : undefined);
  t.match(await failure(other.fetch('owner/small')), { code: 'model_invalid', message: /tokenizer.json cannot be fetched from .*checksum/ });
  t.notOk((await readdir(other.storage)).includes('refs'), 'and the name stands for nothing');
});

t.test('without the hub, what is in the cache is used', async (t) => {
  const world = await startHubWorld(t);
  t.match(await failure(world.fetch('owner/small', { offline: true })), { code: 'model_invalid', message: /owner\/small at main is not in .*HF_HUB_OFFLINE forbids/ });
  const folder = await world.fetch('owner/small');
  world.hub.close();
  t.equal(await world.fetch('owner/small', { offline: true }), folder);
  t.equal(await world.fetch('owner/small'), folder);
  t.match(world.log.at(-1), /^warning: .*cannot be asked for owner\/small: ECONNREFUSED; commit [0-9a-f]{40} of the cache is used/);
  t.match(await failure(world.fetch('owner/other')), { message: /cannot be asked for owner\/other: ECONNREFUSED; and it is not in/ });
});

t.test('what the hub refuses or lists wrongly is told', async (t) => {
  const world = await startHubWorld(t);
  const { hub, fetch } = world;
  t.match(await failure(fetch('owner/none')), { code: 'model_invalid', message: /does not give owner\/none \(401\): there is no such model, or it is private .* HF_TOKEN must hold a key/ });
  t.match(await failure(fetch('owner/small@v9')), { code: 'model_invalid', message: /has no owner\/small at v9/ });
  hub.repositories.set('owner/gated', await repositoryOf(world.local, { gated: true }));
  t.match(await failure(fetch('owner/gated')), { message: /\(403\)/ });
  t.match(await fetch('owner/gated', { token: 'hf_good' }), /gated/);
  hub.repositories.set('owner/torch', { commit: 'a'.repeat(40), files: new Map([['config.json', Buffer.from('{}')], ['model.safetensors', Buffer.alloc(9)]]) });
  t.match(await failure(fetch('owner/torch')), { message: /holds no ONNX graph/ });
  hub.repositories.set('owner/evil', { commit: 'b'.repeat(40), files: new Map([['onnx/../../../evil.json', Buffer.from('{}')]]) });
  t.match(await failure(fetch('owner/evil')), { message: /the hub lists "onnx\/..\/..\/..\/evil.json" .* which cannot be/ });
  t.match(await failure(fetch('owner/small', {}, 1000)), { message: /bytes to fetch, and PHAROS_DOWNLOAD_BYTES allows 1000/ });
});

t.test('a folder that is there comes before a name on the hub', async (t) => {
  const { hub, settings, local } = await startHubWorld(t);
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  t.same(await placeModels([{ given: 'owner/small', path: local }], settings, logger, 1e9), [local]);
  t.same(hub.served, []);
  t.match(await placeModels([{ given: 'owner/small', path: join(local, 'nowhere') }], settings, logger, 1e9), [/models--owner--small/]);
});

t.test('names and settings are read as the tools of the hub read them', (t) => {
  t.same(parseHubModel('onnx-community/Qwen2.5-0.5B-Instruct'), { repository: 'onnx-community/Qwen2.5-0.5B-Instruct', revision: 'main', variant: undefined });
  t.same(parseHubModel('hf:a/b@refs/pr/3#q4f16'), { repository: 'a/b', revision: 'refs/pr/3', variant: 'q4f16' });
  for (const wrong of ['models', './a/b', '/a/b', 'a/b/c', 'a/b@../x', '../a', 'a/b@', 'a/b#', 'a/..', 'a b/c']) t.equal(parseHubModel(wrong), undefined, wrong);
  t.same(hubSettings({ HF_HOME: '/x', HF_HUB_DOWNLOAD_TIMEOUT: '2.5' }).stallMs, 2500);
  for (const wrong of ['', '0', 'x', '-1', '1e9']) t.equal(hubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: wrong }).stallMs, undefined);
  t.match(hubSettings({ HF_HOME: '/x' }), { endpoint: 'https://huggingface.co', cache: '/x/hub', offline: false, token: undefined });
  t.match(hubSettings({ HF_HOME: '/x', HF_HUB_CACHE: '/y', HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://h:1/', HF_TOKEN: 'hf_t' }), { endpoint: 'http://h:1', cache: '/y', offline: true, token: 'hf_t' });
  t.match(hubSettings({ XDG_CACHE_HOME: '/c', HF_HUB_OFFLINE: '', HF_TOKEN: '' }), { cache: '/c/huggingface/hub', offline: false, token: undefined });
  t.end();
});
