// Owns what is answered when the disk is full: a status and words that say so, without where the disk is, and nothing half written.
// Refuses to know what is written.

import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { StoreError } from '../../graph/store.ts';
import { answerTo } from '../../src/http/problems.ts';
import { call, startApp, str } from '../helpers/http-app.ts';
import { examples } from '../helpers/tuning-world.ts';
import { upload } from '../helpers/upload.ts';

const app = await startApp(t);
const { data } = app.config;
const file = str((await upload(app, { content: examples(30), filename: 'items.jsonl', purpose: 'fine-tune' })).json.id);

/** From now on files in the data folder can be made, and nothing be written into them. */
function fill(code: 'ENOSPC' | 'EDQUOT'): () => void {
  const { open } = fs;
  const filled = async (...given: Parameters<typeof open>): Promise<FileHandle> => {
    const handle = await open(...given);
    if (String(given[0]).startsWith(data)) handle.writeFile = async () => Promise.reject(Object.assign(new Error(`${code}: no space left on device, write`), { code }));
    return handle;
  };
  const put = (by: typeof open): void => {
    fs.open = by;
    syncBuiltinESMExports();
  };
  put(filled);
  return () => put(open);
}

t.test('files and fine-tuning jobs', async (t) => {
  const asked = { model: 'pharos-mini', training_file: file, context: 64, steps: 1, hyperparameters: { batch_size: 1 } };
  const names = (folder: string): Promise<string[]> => fs.readdir(join(data, folder)).catch(() => []);
  for (const code of ['ENOSPC', 'EDQUOT'] as const) {
    const before = await names('files');
    const empty = fill(code);
    const refused = [await upload(app, { content: 'x', filename: 'x', purpose: 'batch' }), await call(app, 'POST', '/v1/fine_tuning/jobs', asked)];
    empty();
    for (const { status, json, text } of refused) {
      t.match({ status, json }, { status: 507, json: { error: { type: 'server_error', code: 'disk_full', message: /^the disk / } } });
      t.notOk(text.includes(data));
    }
    t.same(await names('files'), before);
    t.same(await names('fine-tuning'), []);
    t.same((await call(app, 'GET', '/v1/fine_tuning/jobs')).json.data, []);
  }
  t.match(await upload(app, { content: 'x', filename: 'x', purpose: 'batch' }), { status: 200 });
  t.match(await call(app, 'POST', '/v1/fine_tuning/jobs', asked), { status: 200 });
});

t.test('the store of the facts', (t) => {
  const place = `the store ${join(data, 'graph.db')} could not be written: database or disk is full`;
  const full = answerTo(new StoreError('unavailable', place, { cause: Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 }) }));
  t.match(full, { status: 507, hidden: true, body: { error: { code: 'disk_full', message: /^the disk on which/ } } });
  for (const code of ['unavailable', 'locked', 'closed'] as const) {
    const { status, hidden, body } = answerTo(new StoreError(code, place));
    t.same([status, hidden], [503, true], code);
    t.match(body.error.message, /^the store of the facts /, 'the log holds where it is');
  }
  t.end();
});
