// Owns what survives when the server process is killed in the middle of an import.
// Refuses to know the store.

import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { lines } from '../helpers/http-app.ts';
import { startServer } from '../helpers/http-server.ts';

t.test('killed in the middle of an import, over and over: every acknowledged batch is there afterwards', async (t) => {
  const data = join(t.testdir(), 'data');
  const batch = 500;
  const line = (i: number): string => `{"subject": "entity ${i}", "relation": "follows", "object": "entity ${i - 1}"}\n`;
  let [from, rounds] = [1, 0];
  for (; rounds < 5; rounds++) {
    const server = await startServer(t, { PHAROS_DATA: data, PHAROS_EXAMPLE: 'off', PHAROS_BATCH_TRIPLES: String(batch) });
    if (from > 1) {
      const { data: bases } = (await (await fetch(`${server.url}/v1/knowledge-bases`)).json()) as { data: { facts: number }[] };
      t.ok(bases[0].facts >= from - 1, `round ${rounds}: ${bases[0].facts} facts, ${from - 1} were acknowledged`);
      t.equal((bases[0].facts - (from - 1)) % batch, 0, 'a batch is there whole or not at all');
      const sample = (await (await fetch(`${server.url}/v1/triples?subject=entity+${from - 1}`)).json()) as { data: unknown[] };
      t.equal(sample.data.length, 1, 'the last acknowledged triple is there');
    }
    const call = request(`${server.url}/v1/triples`, { method: 'POST', agent: false, headers: { 'content-type': 'application/x-ndjson' } });
    call.on('error', () => undefined);
    let text = '';
    const gone = new Promise<void>((resolve) => {
      call.once('response', (answer: IncomingMessage) => {
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
          // The kill comes at another moment of the work each round.
          if (lines(text).length === 3 + rounds) setTimeout(() => void server.stop('SIGKILL'), rounds * 3);
        });
        answer.once('error', () => undefined).once('close', resolve);
      });
    });
    // More than it can store before it is killed; sent as fast as it is taken.
    for (let i = from; i < from + 400_000 && !call.destroyed; i += 1000) {
      const more = call.write(Array.from({ length: 1000 }, (_, j) => line(i + j)).join(''));
      if (!more) await Promise.race([once(call, 'drain').catch(() => undefined), gone]);
    }
    await gone;
    t.match(await server.stop('SIGKILL'), { signal: 'SIGKILL' });
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    from += Number(lines(whole).at(-1)?.lines ?? 0);
  }
  t.ok(from > rounds * batch, `${from - 1} triples were acknowledged in ${rounds} rounds`);
});
