// Owns the life of the server process: how it starts, and how it ends in good order.
// Refuses to know the inside.

import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { events, lines } from '../helpers/http-app.ts';
import { startServer } from '../helpers/http-server.ts';

const chat = (url: string, body: object): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const chatter = (seed: number, tokens: number): object => ({
  messages: [{ role: 'user', content: 'Say something.' }],
  temperature: 2,
  seed,
  max_tokens: tokens,
  stream: true,
  knowledge: { mode: 'off' },
});

t.test('it starts with the example graph, says where and with what, and the printed request works as it stands', async (t) => {
  const data = join(t.testdir(), 'data');
  const server = await startServer(t, { PHAROS_DATA: data });
  t.match(server.banner, /^Pharos listens on http:\/\/127\.0\.0\.1:\d+ /);
  t.match(server.banner, /model {2}pharos-mini on cpu/);
  t.match(server.banner, /graph {2}\d+ facts, \d+ derived by \d+ rules/);
  const printed = /-d '(.*)'/.exec(server.banner)?.[1] ?? '';
  t.match(await (await chat(server.url, JSON.parse(printed) as object)).json(), { grounding: { outcome: 'entailed' } });
  await fetch(`${server.url}/v1/triples?all=true`, { method: 'DELETE' });
  t.same(await server.stop('SIGTERM'), { code: 0, signal: null });
  const again = await startServer(t, { PHAROS_DATA: data });
  t.match(again.banner, /graph {2}0 facts/, 'what was withdrawn does not come back');
  t.same(await again.stop('SIGINT'), { code: 0, signal: null });
});

t.test('the log holds no bodies and no keys', async (t) => {
  const server = await startServer(t, {
    PHAROS_DATA: join(t.testdir(), 'data'),
    PHAROS_API_KEYS: 'very-secret-key',
    PHAROS_LOG_LEVEL: 'trace',
    PHAROS_EXAMPLE: 'off',
  });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer very-secret-key' };
  t.equal(
    (await fetch(`${server.url}/v1/triples`, { method: 'POST', headers, body: '{"triples": [{"subject": "private person", "relation": "r", "object": "o"}]}' }))
      .status,
    200,
  );
  t.equal((await fetch(`${server.url}/v1/triples`, { method: 'POST', headers, body: '{"triples": [{"subject": "private person", "x": 1}]}' })).status, 400);
  await server.stop('SIGTERM');
  t.match(server.log(), /"url":"\/v1\/triples","status":200/);
  t.notMatch(server.log(), /very-secret-key|private person/);
});

t.test('at SIGTERM newcomers are refused, live streams finish, and the process ends', async (t) => {
  const server = await startServer(t, { PHAROS_DATA: join(t.testdir(), 'data'), PHAROS_EXAMPLE: 'off', PHAROS_SHUTDOWN_SECONDS: '20' });
  const streams = await Promise.all([1, 2, 3, 4].map((seed) => chat(server.url, chatter(seed, 200))));
  const ended = server.stop('SIGTERM');
  const texts = await Promise.all(streams.map((stream) => stream.text()));
  for (const text of texts) t.match(events(text).at(-1), { choices: [{ finish_reason: /stop|length/ }] }, 'it was let finish');
  t.same(await ended, { code: 0, signal: null });
  await t.rejects(fetch(server.url));
});

t.test('after the grace time live streams end with a final event', async (t) => {
  const server = await startServer(t, { PHAROS_DATA: join(t.testdir(), 'data'), PHAROS_EXAMPLE: 'off', PHAROS_SHUTDOWN_SECONDS: '1', PHAROS_SLOTS: '1' });
  // One slot, many streams: the last of them cannot be done within a second.
  const streams = Array.from({ length: 48 }, (_, seed) => chat(server.url, chatter(seed, 900)));
  await (await streams[0]).body?.getReader().read();
  const ready = await fetch(`${server.url}/readyz`);
  t.equal(ready.status, 200);
  const ended = server.stop('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 150));
  const [unready, refused] = await Promise.all([fetch(`${server.url}/readyz`), chat(server.url, chatter(9, 10))]);
  t.equal(unready.status, 503);
  t.equal(refused.status, 503);
  t.match(await refused.json(), { error: { code: 'shutting_down', type: 'server_error' } });
  const last = await Promise.all(streams.slice(1).map(async (stream) => (await stream).text()));
  t.ok(
    last.some((text) => text.includes('"code":"shutting_down"')),
    'those that could not finish say so',
  );
  t.same(await ended, { code: 0, signal: null });
});

t.test('an import that the end cuts short is told how far it got', async (t) => {
  const data = join(t.testdir(), 'data');
  const server = await startServer(t, { PHAROS_DATA: data, PHAROS_EXAMPLE: 'off', PHAROS_SHUTDOWN_SECONDS: '0', PHAROS_BATCH_TRIPLES: '2' });
  const call = request(`${server.url}/v1/triples`, { method: 'POST', agent: false, headers: { 'content-type': 'application/x-ndjson' } });
  call.on('error', () => undefined);
  // Three lines, and no end of the body.
  call.write([1, 2, 3].map((i) => `{"subject": "a", "relation": "r", "object": "o${i}"}\n`).join(''));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  const ended = server.stop('SIGTERM');
  let text = '';
  answer.on('error', () => undefined).on('data', (piece: Buffer) => (text += piece.toString()));
  t.same(await ended, { code: 0, signal: null });
  t.match(lines(text), [{ object: 'triples.progress', lines: 2 }, { error: { code: 'shutting_down', acknowledged_lines: 2 } }]);
});
