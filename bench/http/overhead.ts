// Owns the measurement of what a Pharos route costs over a bare Fastify route that sends the same bytes, in one run on one machine.
// Refuses to know what the routes mean. Each server is its own process; rounds alternate, so that both see the machine's moods.

import autocannon from 'autocannon';
import { freePort, startPharos, startProcess } from '../common/server.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { seconds, connections, rounds } = options({ seconds: 5, connections: 16, rounds: 3 });
await printMachine(['fastify', 'autocannon', 'zod', 'fastify-type-provider-zod']);

interface Case {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}
const cases: readonly Case[] = [
  { name: 'health', method: 'GET', path: '/healthz' },
  { name: 'models', method: 'GET', path: '/v1/models' },
  { name: 'match one triple', method: 'GET', path: '/v1/triples?subject=ada&limit=1' },
  { name: 'add a known triple', method: 'POST', path: '/v1/triples', body: JSON.stringify({ triples: [{ subject: 'ada', relation: 'knows', object: 'bob' }] }) },
];

interface Load {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}
async function load(url: string, { method, body }: Case): Promise<Load> {
  const result = await autocannon({ url, method, body, headers: body === undefined ? {} : { 'content-type': 'application/json' }, connections, duration: seconds });
  if (result.non2xx + result.errors + result.timeouts > 0) throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors, ${result.timeouts} timeouts`);
  return { rate: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}
/** Seconds of one request after another on one connection: the latency that a single caller sees. */
async function alone(url: string, { method, body }: Case, count = 2000): Promise<number> {
  const times = new Float64Array(count);
  for (let i = -200; i < count; i++) {
    const start = performance.now();
    const answer = await fetch(url, { method, body, headers: body === undefined ? {} : { 'content-type': 'application/json' } });
    await answer.arrayBuffer();
    if (i >= 0) times[i] = performance.now() - start;
  }
  return quantile(times, 0.5);
}

await using pharos = await startPharos();
const rows: (string | number)[][] = [];
for (const item of cases.toReversed()) {
  const target = pharos.url + item.path;
  const sample = await fetch(target, { method: item.method, body: item.body, headers: item.body === undefined ? {} : { 'content-type': 'application/json' } });
  const bytes = await sample.text();
  if (!sample.ok) throw new Error(`${item.method} ${item.path} answered ${sample.status}: ${bytes.slice(0, 300)}`);
  const port = await freePort();
  const bare = await startProcess('bench/http/bare.ts', '/bare', { PORT: String(port), BODY: bytes });
  try {
    const loads: { pharos: Load; bare: Load }[] = [];
    for (let round = 0; round < rounds; round++) loads.push({ bare: await load(`http://127.0.0.1:${port}/bare`, item), pharos: await load(target, item) });
    const middle = (of: (pair: (typeof loads)[number]) => number): number => quantile(loads.map(of), 0.5);
    const single = { bare: await alone(`http://127.0.0.1:${port}/bare`, item), pharos: await alone(target, item) };
    rows.unshift([
      item.name, bytes.length, middle((pair) => pair.bare.rate), middle((pair) => pair.pharos.rate), 1e6 / middle((pair) => pair.pharos.rate) - 1e6 / middle((pair) => pair.bare.rate),
      middle((pair) => pair.bare.p99), middle((pair) => pair.pharos.p99), single.bare * 1000, single.pharos * 1000,
    ]);
  } finally {
    await bare.stop();
  }
}
console.log(`${connections} connections, ${rounds} alternating rounds of ${seconds} s, medians. "Cost" is processor time a request more than the bare route (1/rate - 1/rate).\n`);
printTable(['route', 'bytes', 'bare req/s', 'Pharos req/s', 'cost µs', 'bare p99 ms', 'Pharos p99 ms', 'bare alone µs', 'Pharos alone µs'], rows);
