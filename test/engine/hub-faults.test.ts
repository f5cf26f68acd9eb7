// Owns what becomes of a model that is being fetched when the hub is silent, refuses or breaks off, or another process fetches the same: what is in the cache is whole, or not there.
// Refuses to know what is fetched of a good hub: that is hub.test.ts.

import { readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { commitOf, startHubWorld } from '../helpers/hub-world.ts';
import type { HubWorld } from '../helpers/hub-world.ts';
import { failure } from './world.ts';

const ONNX = 'onnx/model.onnx';
/** The hub has another commit of the model, with another tokenizer_config.json. */
function moveOn({ hub }: HubWorld): void {
  const repository = hub.repositories.get('owner/small');
  if (!repository) return;
  repository.commit = 'c'.repeat(40);
  repository.files.set('tokenizer_config.json', Buffer.from('{"model_max_length": 32}'));
}

t.test('several processes that fetch the same model bring one that is whole', async (t) => {
  const world = await startHubWorld(t);
  // In small pieces, so that they are at it at the same time.
  world.hub.fault = (path, bytes) => (path === ONNX && bytes.length > 9000 ? { bytes: bytes.subarray(0, bytes.length - 8000), breaks: true } : undefined);
  const folders = await Promise.all([1, 2, 3, 4].map(async () => world.fetch('owner/small')));
  t.equal(new Set(folders).size, 1);
  t.same(await readFile(join(folders[0], ONNX)), await readFile(join(world.local, ONNX)));
  t.same((await readdir(join(world.storage, 'blobs'))).filter((name) => name.includes('incomplete')), []);
});

t.test('a download that breaks at any byte goes on there', async (t) => {
  const world = await startHubWorld(t);
  const onnx = await readFile(join(world.local, ONNX));
  const first = await world.fetch('owner/small');
  const blob = await realpath(join(first, ONNX));
  for (const held of [0, 1, onnx.length - 1, onnx.length]) {
    await rm(blob);
    await writeFile(`${blob}.incomplete`, onnx.subarray(0, held));
    world.hub.served.splice(0);
    await world.fetch('owner/small');
    t.same(await readFile(blob), onnx, `${held} bytes were there`);
    t.same(world.hub.served.map(({ from }) => from), held === onnx.length ? [] : [held]);
  }
  for (const [what, spoiled] of [['too long', Buffer.concat([onnx, onnx])], ['of other bytes', Buffer.alloc(700)]] as const) {
    await rm(blob);
    await writeFile(`${blob}.incomplete`, spoiled);
    await world.fetch('owner/small');
    t.same(await readFile(blob), onnx, `a beginning that is ${what} is thrown away`);
  }
});

t.test('a hub that falls silent is left and asked again', async (t) => {
  const world = await startHubWorld(t);
  let silent = 1;
  world.hub.refuse = (what, path) => (what === 'resolve' && path === ONNX && silent-- > 0 ? 'never' : undefined);
  const folder = await world.fetch('owner/small', { stallMs: 150 });
  t.same(await readFile(join(folder, ONNX)), await readFile(join(world.local, ONNX)));
  t.match(world.log.join('\n'), /nothing came for 0.15 s; trying again/);
});

t.test('a hub that is too busy is one that cannot be asked: what is in the cache serves', async (t) => {
  const world = await startHubWorld(t);
  const folder = await world.fetch('owner/small');
  for (const status of [429, 500, 503]) {
    world.hub.refuse = () => status;
    t.equal(await world.fetch('owner/small'), folder, String(status));
    t.match(world.log.at(-1), /^warning: .*commit [0-9a-f]{40} of the cache is used/);
  }
  for (const status of [401, 403, 404]) {
    world.hub.refuse = () => status;
    t.match(await failure(world.fetch('owner/small')), { code: 'model_invalid' }, String(status));
  }
});

t.test('a newer commit that cannot be brought whole leaves the one that is there', async (t) => {
  const world = await startHubWorld(t);
  const before = await world.fetch('owner/small');
  const commit = commitOf(world);
  moveOn(world);
  world.hub.fault = (path, bytes) => (path === 'tokenizer_config.json' ? { bytes: Buffer.from(bytes.map((byte) => byte ^ 1)), breaks: false } : undefined);
  t.equal(await world.fetch('owner/small'), before);
  t.match(world.log.at(-1), new RegExp(`^warning: owner/small: tokenizer_config.json cannot be fetched .*checksum.*; commit ${commit} of the cache is used`));
  t.equal(await readFile(join(world.storage, 'refs/main'), 'utf8'), commit);
  world.hub.fault = undefined;
  world.hub.refuse = (what) => (what === 'tree' ? 500 : undefined);
  t.equal(await world.fetch('owner/small'), before, 'nor one whose files are not listed');
  world.hub.refuse = undefined;
  const after = await world.fetch('owner/small');
  t.match(after, /c{40}$/);
  t.equal(await readFile(join(after, 'tokenizer_config.json'), 'utf8'), '{"model_max_length": 32}');
  t.same((await readdir(join(world.storage, 'refs'))).toSorted(), ['main']);
});

t.test('what is in the cache does not count as bytes to fetch', async (t) => {
  const world = await startHubWorld(t);
  const folder = await world.fetch('owner/small');
  t.equal(await world.fetch('owner/small', {}, 0), folder);
  moveOn(world);
  t.match(await world.fetch('owner/small', {}, 100), /c{40}$/);
});

t.test('a description that is no JSON is passed over like one that is not there', async (t) => {
  const world = await startHubWorld(t);
  world.hub.repositories.get('owner/small')?.files.set('genai_config.json', Buffer.from('{"model": '));
  t.match(await world.fetch('owner/small'), /snapshots/);
});
