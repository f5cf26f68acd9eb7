// Owns bodies on a real socket: too large, not UTF-8, broken off, imported while progress is read, resumed after a mistake; and what takes too long.
// Refuses to know what triples mean.

import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { listen, lines } from '../helpers/http-app.ts';
import { eventually } from '../helpers/http-server.ts';

const { url } = await listen(t, { PHAROS_BATCH_TRIPLES: '10000' });
const line = (i: number): string => `{"subject": "entity ${i}", "relation": "follows", "object": "entity ${i - 1}"}\n`;
const body = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => line(from + i)).join('');
const factsIn = async (base: string): Promise<number> => {
  const { data } = (await (await fetch(`${url}/v1/knowledge-bases`)).json()) as { data: { name: string; facts: number }[] };
  return data.find(({ name }) => name === base)?.facts ?? 0;
};
const open = (path: string, headers: Record<string, string> = {}): ClientRequest =>
  request(url + path, { method: 'POST', agent: false, headers: { 'content-type': 'application/x-ndjson', ...headers } });
async function read(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) text += piece as string;
  return text;
}

t.test('a body of 50 MB is refused with 413, and the client gets to read why', async (t) => {
  const big = Buffer.alloc(50 * 2 ** 20, 0x20);
  const known = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: big });
  t.equal(known.status, 413);
  t.match(await known.json(), { error: { code: 'body_too_large', message: /./ } });
  const chunked = request(`${url}/v1/triples`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
  const answered = once(chunked, 'response') as Promise<[IncomingMessage]>;
  for (let i = 0; i < 50; i++) chunked.write(big.subarray(0, 2 ** 20));
  chunked.end();
  const [answer] = await answered;
  t.equal(answer.statusCode, 413);
  t.match(JSON.parse(await read(answer)), { error: { code: 'body_too_large' } });
  t.equal((await fetch(`${url}/healthz`)).status, 200);
});

t.test('invalid UTF-8 and bytes that are no HTTP are refused in the same form', async (t) => {
  const bad = await fetch(`${url}/v1/triples`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  });
  t.equal(bad.status, 400);
  t.match(await bad.json(), { error: { code: 'invalid_encoding' } });
  const { port } = new URL(url);
  const raw = async (bytes: string): Promise<string> => {
    const socket = connect(Number(port), '127.0.0.1');
    // The server closes before all is written; what it said first is what counts.
    socket.on('error', () => undefined);
    socket.end(bytes);
    let text = '';
    for await (const piece of socket.setEncoding('utf8')) text += piece as string;
    return text;
  };
  t.match(await raw('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*"code":"invalid_http"/);
  t.match(await raw(`GET /${'x'.repeat(80_000)} HTTP/1.1\r\nhost: x\r\n\r\n`), /^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/);
});

t.test('an import of many batches tells its progress while it is still being sent', async (t) => {
  const call = open('/v1/triples?knowledge_base=progress');
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  call.write(body(1, 10_001));
  const [answer] = await answered;
  t.equal(answer.statusCode, 200, 'the first batch is acknowledged before the rest was sent');
  const rest = read(answer);
  t.equal(await factsIn('progress'), 10_000);
  call.end(body(10_001, 35_001));
  const told = lines(await rest);
  t.same(
    told.map((each) => Number(each.lines)),
    [10_000, 20_000, 30_000, 35_000, 35_000],
  );
  t.match(told.at(-1), { object: 'triples.result', added: 35_000, known: 0 });
});

t.test('line 70,000 is malformed: it is told by its number, acknowledged batches stay, and the import goes on from there', async (t) => {
  const path = '/v1/triples?knowledge_base=resume';
  const start = performance.now();
  const sent = `${body(1, 70_000)}{"subject": "entity 70000", "relation": \n${body(70_001, 90_001)}`;
  const call = open(path);
  call.end(sent);
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  const last = lines(await read(answer)).at(-1);
  t.match(last, { error: { code: 'invalid_line', message: /^line 70000: not JSON/, line: 70_000, acknowledged_lines: 60_000, status: 400 } });
  t.equal(await factsIn('resume'), 60_000);
  const strict = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/x-ndjson', accept: 'application/json' }, body: sent });
  t.equal(strict.status, 400);
  t.match(await strict.json(), { error: { line: 70_000, acknowledged_lines: 60_000 } });
  const rest = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', accept: 'application/json' },
    body: body(60_001, 90_001),
  });
  t.match(await rest.json(), { object: 'triples.result', lines: 30_000, added: 30_000 });
  t.equal(await factsIn('resume'), 90_000);
  t.ok(performance.now() - start < 25_000, 'nothing waited for a time limit');
});

t.test('a client that breaks off an import keeps what was acknowledged and nothing else', async (t) => {
  const call = open('/v1/triples?knowledge_base=cut');
  call.on('error', () => undefined);
  call.write(body(1, 10_001) + body(10_001, 12_000));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  await once(answer, 'data');
  call.destroy();
  t.equal(
    await eventually(
      () => factsIn('cut'),
      (count) => count !== 10_000,
      1,
    ),
    10_000,
  );
});

t.test('a body that does not come is not waited for', async (t) => {
  const hasty = await listen(t, { PHAROS_REQUEST_SECONDS: '1' });
  const call = request(`${hasty.url}/v1/rules`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'content-length': '100' } });
  call.on('error', () => undefined);
  call.write('{"rules": ');
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  t.equal(answer.statusCode, 408);
  t.match(JSON.parse(await read(answer)), { error: { code: 'body_timeout' } });
  call.destroy();
});

t.test('an answer that takes too long ends: with 504, or as the last event of a stream', async (t) => {
  const hasty = await listen(t, { PHAROS_REQUEST_SECONDS: '1', PHAROS_SLOTS: '1' });
  // One at a time: they cannot all be done within a second.
  const ask = async (seed: number): Promise<{ readonly status: number; readonly text: string }> => {
    const body = {
      messages: [{ role: 'user', content: 'Say something.' }],
      temperature: 2,
      seed,
      max_tokens: 900,
      stream: seed % 2 === 0,
      knowledge: { mode: 'off' },
    };
    const reply = await fetch(`${hasty.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: reply.status, text: await reply.text() };
  };
  const replies = await Promise.all(Array.from({ length: 48 }, (_, seed) => ask(seed)));
  const late = replies.filter(({ status }) => status !== 200);
  t.ok(late.length > 0);
  for (const { status, text } of late)
    t.match({ status, body: JSON.parse(text) as object }, { status: 504, body: { error: { code: 'timeout', type: 'server_error' } } });
  for (const { text } of replies.filter(({ status }) => status === 200)) t.match(text, /"finish_reason":"(stop|length)"|"code":"timeout"/);
  t.equal((await fetch(`${hasty.url}/readyz`)).status, 200);
});
