// Owns /v1/files over HTTP: OpenAI's shape, what is refused and where, what survives a restart.
// Refuses to know what files are trained for.

import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { FastifyInstance } from 'fastify';
import { call, list, startApp, str } from '../helpers/http-app.ts';
import type { Reply } from '../helpers/http-app.ts';
import { upload } from '../helpers/upload.ts';

const GOOD = '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}\n';
const app = await startApp(t, { PHAROS_FILE_BYTES: '4KiB', PHAROS_FILES_BYTES: '16KiB', PHAROS_FILES: '6' });
const refused = (t: Test, reply: Reply, status: number, code: string, message: RegExp, param: string | null = null): void =>
  void t.match(reply, { status, json: { error: { code, param, message, type: 'invalid_request_error' } } });

t.test('a file is uploaded, listed, read and deleted', async (t) => {
  const reply = await upload(app, { content: GOOD, filename: 'talk.jsonl', purpose: 'fine-tune' });
  t.match(reply, {
    status: 200,
    json: {
      object: 'file',
      bytes: GOOD.length,
      filename: 'talk.jsonl',
      purpose: 'fine-tune',
      status: 'processed',
      id: /^file-[A-Za-z0-9]{24}$/,
      created_at: Number,
    },
  });
  const id = str(reply.json.id);
  t.same((await call(app, 'GET', `/v1/files/${id}`)).json, reply.json);
  const content = await call(app, 'GET', `/v1/files/${id}/content`);
  t.equal(content.text, GOOD);
  t.match(content.headers, { 'content-disposition': "attachment; filename*=UTF-8''talk.jsonl", 'content-type': /octet-stream/ });
  t.same((await call(app, 'GET', '/v1/files')).json.data, [reply.json]);
  t.match(await call(app, 'DELETE', `/v1/files/${id}`), { status: 200, json: { id, object: 'file', deleted: true } });
  refused(t, await call(app, 'GET', `/v1/files/${id}`), 404, 'file_not_found', /there is no file/);
  refused(t, await call(app, 'GET', `/v1/files/${id}/content`), 404, 'file_not_found', /there is no file/);
  t.same((await call(app, 'GET', '/v1/files')).json, { object: 'list', data: [], has_more: false, first_id: null, last_id: null });
  t.same(await readdir(join(app.config.data, 'files')), [], 'nothing is left of it');
});

t.test('the list is paged by after, newest first, and by purpose', async (t) => {
  const ids: string[] = [];
  for (const purpose of ['fine-tune', 'user_data', 'batch'])
    ids.unshift(str((await upload(app, { content: GOOD, filename: `${purpose}.jsonl`, purpose })).json.id));
  const page = async (query: string): Promise<string[]> => list((await call(app, 'GET', `/v1/files?${query}`)).json.data).map(({ id }) => str(id));
  t.same(await page(''), ids);
  t.same(await page('order=asc'), ids.toReversed());
  t.same(await page('limit=2'), ids.slice(0, 2));
  t.match((await call(app, 'GET', '/v1/files?limit=2')).json, { has_more: true, first_id: ids[0], last_id: ids[1], cursor: ids[1] });
  t.same(await page(`limit=2&after=${ids[1]}`), ids.slice(2));
  t.same(await page(`cursor=${ids[0]}`), ids.slice(1));
  t.same(await page('purpose=batch'), [ids[0]]);
  refused(t, await call(app, 'GET', '/v1/files?after=file-none'), 400, 'invalid_value', /begin again/, 'after');
  refused(t, await call(app, 'GET', '/v1/files?purpose=vision'), 400, 'invalid_value', /./, 'purpose');
  for (const id of ids) await call(app, 'DELETE', `/v1/files/${id}`);
});

t.test('a line that is no example is refused with its number, and nothing is kept', async (t) => {
  const refusedLine = async (content: string | Buffer, line: number, message: RegExp, code = 'invalid_line'): Promise<void> => {
    const reply = await upload(app, { content, filename: 'x.jsonl', purpose: 'fine-tune' });
    refused(t, reply, 400, code, message, code === 'invalid_line' && /holds no/.test(message.source) ? 'file' : null);
    t.equal(Number(reply.json.error.line), line);
  };
  await refusedLine(`${GOOD}${GOOD}{"messages": [\n`, 3, /^line 3: not JSON/);
  await refusedLine(`${GOOD}\n{"messages": [{"role": "user", "content": "only asked"}]}\n`, 3, /^line 3: messages.*role assistant/);
  await refusedLine(`${GOOD}{"text": "x"}`, 2, /^line 2: the line has neither messages nor prompt/);
  await refusedLine('{"messages": [{"role": "king", "content": "x"}]}', 1, /^line 1: messages\.0\.role/);
  await refusedLine(Buffer.concat([Buffer.from(GOOD), Buffer.from([0xff, 0xfe, 0x0a])]), 2, /UTF-8/, 'invalid_encoding');
  await refusedLine('\n\n', 1, /holds no example/);
  t.same((await call(app, 'GET', '/v1/files')).json.data, []);
  t.same(await readdir(join(app.config.data, 'files')), []);
  t.match(await upload(app, { content: '{"prompt": "a", "completion": "b"}', filename: 'x', purpose: 'fine-tune' }), { status: 200 });
  for (const { id } of list((await call(app, 'GET', '/v1/files')).json.data)) await call(app, 'DELETE', `/v1/files/${str(id)}`);
});

t.test('what is no upload is told so', async (t) => {
  refused(t, await call(app, 'POST', '/v1/files', { purpose: 'batch' }), 415, 'unsupported_media_type', /multipart\/form-data/);
  refused(t, await upload(app, { content: 'x', filename: 'x' }), 400, 'missing_required_parameter', /fine-tune, batch, user_data/, 'purpose');
  refused(t, await upload(app, { content: 'x', filename: 'x', purpose: 'vision' }), 400, 'invalid_value', /fine-tune, batch, user_data/, 'purpose');
  refused(t, await upload(app, { content: 'x', filename: 'x', purpose: 'fine-tune-results' }), 400, 'invalid_value', /./, 'purpose');
  refused(t, await upload(app, { purpose: 'batch' }), 400, 'missing_required_parameter', /file: is required/, 'file');
  refused(t, await upload(app, { content: 'x', filename: 'x', purpose: 'batch', fields: { more: '1' } }), 400, 'unknown_parameter', /more/, 'more');
  refused(
    t,
    await upload(app, { content: 'x', filename: 'x', purpose: 'batch', fields: { 'expires_after[anchor]': 'created_at' } }),
    400,
    'invalid_value',
    /expires_after\[seconds\]: is required where an anchor is given/,
    'expires_after[seconds]',
  );
  refused(
    t,
    await upload(app, { content: 'x', filename: 'x', purpose: 'batch', fields: { 'expires_after[seconds]': '5' } }),
    400,
    'invalid_value',
    /3600/,
    'expires_after[seconds]',
  );
  refused(t, await upload(app, { content: 'x'.repeat(5000), filename: 'x', purpose: 'batch' }), 413, 'file_too_large', /4096 bytes/, 'file');
  t.same(await readdir(join(app.config.data, 'files')), [], 'nothing is left of any');
});

t.test('a form that is none, is cut off or has too much in it is told so, and nothing is left', async (t) => {
  const boundary = 'b';
  const part = (head: string, body: string): string => `--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
  const send = (body: string, type = `multipart/form-data; boundary=${boundary}`): Promise<Reply> =>
    call(app, 'POST', '/v1/files', body, { 'content-type': type });
  const [given, purpose, end] = [part('name="file"; filename="x"', 'x'), part('name="purpose"', 'batch'), `--${boundary}--\r\n`];
  t.match(await send(given + purpose + end), { status: 200 });
  refused(t, await send(`${given.slice(0, -2)}yyy`), 400, 'invalid_value', /form cannot be read to its end \(/);
  refused(t, await send(given + purpose + end, 'multipart/form-data'), 400, 'invalid_value', /oundary/);
  refused(t, await send(given + given + purpose + end), 400, 'invalid_value', /file: is there more than once/);
  refused(t, await send(given + part('name="more"', '1').repeat(30) + purpose + end), 400, 'invalid_value', /more than 1[67]/);
  refused(t, await send(part('name="file"', 'x') + purpose + end), 400, 'invalid_value', /came as text without a name/, 'file');
  refused(t, await send(given + part('name="__proto__"', 'x') + purpose + end), 400, 'invalid_value', /field name/);
  const [{ id }] = list((await call(app, 'GET', '/v1/files')).json.data);
  t.same((await readdir(join(app.config.data, 'files'))).toSorted(), [str(id), `${str(id)}.json`]);
  await call(app, 'DELETE', `/v1/files/${str(id)}`);
});

/** What this process holds open in a folder, deleted or not, where the system tells. */
async function heldOpen(folder: string): Promise<string[]> {
  const open = await readdir('/proc/self/fd').catch(() => []);
  const names = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return names.filter((name) => name.startsWith(folder));
}
t.test('a file that is refused for a line far from its end is not held open, so that its room on the disk is free', async (t) => {
  const large = await startApp(t, { PHAROS_FILE_BYTES: '4MiB', PHAROS_FILES_BYTES: '8MiB' });
  const content = `no json\n${GOOD.repeat(20_000)}`;
  refused(t, await upload(large, { content, filename: 'x.jsonl', purpose: 'fine-tune' }), 400, 'invalid_line', /^line 1/);
  t.same(await heldOpen(join(large.config.data, 'files')), []);
});

t.test('names of clients are shown and never used as paths; files may end', async (t) => {
  const reply = await upload(app, {
    content: 'x',
    filename: '../../../etc/passwd',
    purpose: 'user_data',
    fields: { 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' },
  });
  t.match(reply.json, { filename: 'passwd' });
  t.equal(Number(reply.json.expires_at) - Number(reply.json.created_at), 3600);
  for (const id of ['..%2f..%2fetc%2fpasswd', '%2e%2e', `${str(reply.json.id)}.json`, '__proto__'])
    t.match(await call(app, 'GET', `/v1/files/${id}/content`), { status: 404 }, id);
  await call(app, 'DELETE', `/v1/files/${str(reply.json.id)}`);
});

t.test('there is room for so many files and bytes', async (t) => {
  for (let i = 0; i < 4; i++) t.match(await upload(app, { content: 'x'.repeat(4000), filename: 'x', purpose: 'batch' }), { status: 200 });
  refused(t, await upload(app, { content: 'x'.repeat(4000), filename: 'x', purpose: 'batch' }), 413, 'files_full', /16384 bytes in all/, 'file');
  for (let i = 0; i < 2; i++) t.match(await upload(app, { content: 'x', filename: 'x', purpose: 'batch' }), { status: 200 });
  refused(t, await upload(app, { content: 'x', filename: 'x', purpose: 'batch' }), 413, 'files_full', /6 files are kept/, 'file');
});

t.test('files are there after a restart; what was cut off in the middle is not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-files-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const start = (): Promise<FastifyInstance> => startApp(t, { PHAROS_DATA: folder });
  const first = await start();
  const { json } = await upload(first, { content: GOOD, filename: '对话.jsonl', purpose: 'fine-tune' });
  await first.close();
  const [half, lone] = [`file-${'a'.repeat(24)}`, `file-${'b'.repeat(24)}`];
  await writeFile(join(folder, 'files', `${half}.part`), 'half');
  await writeFile(join(folder, 'files', lone), 'no record');
  for (const name of ['.json', '']) await writeFile(join(folder, 'files', `file-${'c'.repeat(24)}${name}`), '{"id": 1}');
  const second = await start();
  t.same((await call(second, 'GET', '/v1/files')).json.data, [json]);
  t.equal((await call(second, 'GET', `/v1/files/${str(json.id)}/content`)).text, GOOD);
  t.equal((await readdir(join(folder, 'files'))).length, 4, 'a record that cannot be read is left as it is');
});
