// Owns what files of clients cost and keep when the disk or a caller fails in the middle: nothing is left, nothing is lost, room comes back.
// Refuses to know HTTP: test/http/files.test.ts has that.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from '../../src/workspace/files/durable.ts';
import { FileStore } from '../../src/workspace/files/file-store.ts';
import type { StoredFile } from '../../src/workspace/files/file-store.ts';

async function* bytes(count: number): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(count, 'x');
}
const ABOUT = { filename: 'x', purpose: 'batch' } as const;
const LIMITS = { fileBytes: 100, allBytes: 100, files: 2 };
const put = async (store: FileStore, count: number): Promise<StoredFile> => (await store.receive(bytes(count))).keep(ABOUT);

t.test('a file whose record cannot be written leaves nothing, and its room is free again', async (t) => {
  const folder = join(t.testdir(), 'files');
  const store = await FileStore.open(folder, LIMITS);
  const arrived = await store.receive(bytes(90));
  const record = arrived.path.replace('.part', '.json');
  await mkdir(record);
  await t.rejects(arrived.keep(ABOUT), { code: 'EISDIR' });
  await arrived.drop();
  t.same(store.list(), []);
  await rm(record, { recursive: true });
  t.same(await readdir(folder), []);
  const { id } = await put(store, 100);
  t.same((await readdir(folder)).toSorted(), [id, `${id}.json`]);
});

t.test('files that are arriving count among those that may be kept', async (t) => {
  const store = await FileStore.open(join(t.testdir(), 'files'), LIMITS);
  const arrived = [await store.receive(bytes(1)), await store.receive(bytes(1))];
  await t.rejects(store.receive(bytes(1)), { code: 'files_full', message: /2 files are kept/ });
  await arrived[0].drop();
  await arrived[0].drop();
  await arrived[1].keep(ABOUT);
  await put(store, 1);
  await t.rejects(store.receive(bytes(1)), { code: 'files_full' });
  await store.delete(store.list()[0].id);
  await put(store, 1);
});

t.test('a file that cannot be deleted is still there', async (t) => {
  const folder = join(t.testdir(), 'files');
  const store = await FileStore.open(folder, LIMITS);
  const file = await put(store, 60);
  const record = join(folder, `${file.id}.json`);
  await rm(record);
  await mkdir(record);
  await t.rejects(store.delete(file.id));
  t.same(store.list(), [file]);
  await t.rejects(store.receive(bytes(60)), { code: 'files_full', message: /100 bytes in all/ });
  await rm(record, { recursive: true });
  await Promise.all([store.delete(file.id), store.delete(file.id)]);
  t.same(store.list(), []);
  await put(store, 100);
});

t.test('a full disk is told as such, and what had arrived is gone', async (t) => {
  const folder = join(t.testdir(), 'files');
  const store = await FileStore.open(folder, LIMITS);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield* bytes(50);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  }
  await t.rejects(store.receive(failing()), { code: 'disk_full', message: /the disk has no room/ });
  t.same(await readdir(folder), []);
  await put(store, 100);
});

t.test('a folder that cannot be read does not pass for an empty one', async (t) => {
  const folder = t.testdir({ files: 'no folder' });
  await t.rejects(FileStore.open(join(folder, 'files'), LIMITS), { code: 'ENOTDIR' });
  t.same((await FileStore.open(join(folder, 'none'), LIMITS)).list(), []);
});

t.test('folders are made with all above them, and may be there already', async (t) => {
  const folder = join(t.testdir(), 'a', 'b', 'c');
  await makeFolder(folder);
  await makeFolder(folder);
  await writeFile(join(folder, 'x'), 'x');
  t.same(await readdir(folder), ['x']);
});
