// Owns the measurement of the embedded store: triples a second written durably, lookups a second and their tail, by call and over HTTP.
// Refuses to know how the store works; it uses the port and the service's own endpoints.

import { mkdtemp, rm, stat, readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import autocannon from 'autocannon';
import { startPharos } from '../common/server.ts';
import { generate, randomFrom, readTriples } from '../common/triples.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';
import { EmbeddedStore } from '../../graph/embedded/store.ts';
import { parseBaseName } from '../../graph/terms.ts';
import type { Statement, TriplePattern } from '../../graph/terms.ts';

const { file, triples, batch, lookups, seconds, connections, http } = options({ file: '', triples: 133_582, batch: 10_000, lookups: 100_000, seconds: 5, connections: 16, http: 1 });
await printMachine(['fastify', 'autocannon']);
const statements = file === '' ? generate(triples) : await readTriples(file);
const base = parseBaseName('bench');
const random = randomFrom(7);
const any = (): Statement => statements[Math.floor(random() * statements.length)];

const loads: (string | number)[][] = [];
const reads: (string | number)[][] = [];
const since = (start: number): number => (performance.now() - start) / 1000;
async function bytesOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function byCall(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-bench-'));
  const before = process.memoryUsage().rss;
  const store = new EmbeddedStore({ file: join(folder, 'graph.db') });
  await store.open();
  try {
    let added = 0;
    const start = performance.now();
    for (let i = 0; i < statements.length; i += batch)
      added += (await store.transact(base, statements.slice(i, i + batch).map((statement) => ({ kind: 'assert', statement })))).added.length;
    const took = since(start);
    loads.push(['transact', added, added / took, took, (process.memoryUsage().rss - before) / 2 ** 20, (await bytesOf(folder)) / 2 ** 20]);

    const kinds: [string, (statement: Statement) => TriplePattern][] = [
      ['match subject + relation', ({ subject, relation }) => ({ subject, relation })],
      ['match relation + object', ({ relation, object }) => ({ relation, object })],
      ['match whole triple', ({ subject, relation, object }) => ({ subject, relation, object })],
    ];
    for (const [name, of] of kinds) {
      const patterns = Array.from({ length: lookups }, () => of(any()));
      const times = new Float64Array(lookups);
      let found = 0;
      for (const pattern of patterns.slice(0, 1000)) await store.match(base, pattern);
      const begun = performance.now();
      for (let i = 0; i < lookups; i++) {
        const at = performance.now();
        found += (await store.match(base, patterns[i])).items.length;
        times[i] = performance.now() - at;
      }
      reads.push([name, lookups / since(begun), quantile(times, 0.5) * 1000, quantile(times, 0.99) * 1000, found / lookups]);
    }
    const words = Array.from({ length: 2000 }, () => any().subject);
    const times = new Float64Array(words.length);
    let found = 0;
    const begun = performance.now();
    for (let i = 0; i < words.length; i++) {
      const at = performance.now();
      found += (await store.search(base, words[i], { limit: 5 })).length;
      times[i] = performance.now() - at;
    }
    reads.push(['search by name', words.length / since(begun), quantile(times, 0.5) * 1000, quantile(times, 0.99) * 1000, found / words.length]);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const line = ({ subject, relation, object }: Statement): string =>
  `${JSON.stringify({ subject, relation, object: object.kind === 'entity' ? object.id : { value: object.value, type: object.type } })}\n`;

async function overHttp(): Promise<void> {
  await using pharos = await startPharos();
  const before = (await pharos.metric('process_resident_memory_bytes')) ?? Number.NaN;
  const start = performance.now();
  const answer = await new Promise<string>((resolve, reject) => {
    const call = request(`${pharos.url}/v1/triples?knowledge_base=${base}`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text = (text + piece).slice(-4000)));
      response.once('error', reject).once('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`POST /v1/triples answered ${response.statusCode}: ${text}`))));
    });
    void pipeline(Readable.from(chunks()), call).catch(reject);
  });
  const took = since(start);
  const totals = JSON.parse(answer.trim().split('\n').at(-1) ?? '{}') as { added?: number };
  if (totals.added !== new Set(statements.map(line)).size) throw new Error(`${new Set(statements.map(line)).size} different triples were sent, but the last line says ${answer.trim().split('\n').at(-1)}`);
  loads.push(['POST /v1/triples', totals.added, totals.added / took, took, ((await pharos.metric('process_resident_memory_bytes')) ?? Number.NaN) / 2 ** 20 - before / 2 ** 20, Number.NaN]);

  const requests = Array.from({ length: 5000 }, () => {
    const { subject, relation } = any();
    return { method: 'GET' as const, path: `/v1/triples?${new URLSearchParams({ knowledge_base: base, subject, relation }).toString()}` };
  });
  const result = await autocannon({ url: pharos.url, requests, connections, duration: seconds });
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} lookups were not answered with 2xx, ${result.errors} failed`);
  reads.push([`GET /v1/triples, ${connections} connections`, result.requests.average, result.latency.p50 * 1000, result.latency.p99 * 1000, Number.NaN]);

  const times = new Float64Array(2000);
  const sample = await fetch(pharos.url + requests[0].path);
  if (((await sample.json()) as { data: unknown[] }).data.length === 0) throw new Error(`GET ${requests[0].path} found nothing that was loaded`);
  const begun = performance.now();
  for (let i = 0; i < times.length; i++) {
    const at = performance.now();
    await (await fetch(pharos.url + requests[i].path)).arrayBuffer();
    times[i] = performance.now() - at;
  }
  reads.push(['GET /v1/triples, one caller', times.length / since(begun), quantile(times, 0.5) * 1000, quantile(times, 0.99) * 1000, Number.NaN]);
}
function* chunks(): Iterable<string> {
  for (let i = 0; i < statements.length; i += 500) yield statements.slice(i, i + 500).map(line).join('');
}

await byCall();
if (http !== 0) await overHttp();
console.log(`${statements.length.toLocaleString('en')} triples${file === '' ? ', generated' : ''}, batches of ${batch.toLocaleString('en')}\n`);
printTable(['load', 'added', 'triples/s', 'seconds', 'memory MiB', 'disk MiB'], loads);
printTable(['lookup', 'a second', 'p50 µs', 'p99 µs', 'facts found'], reads);
