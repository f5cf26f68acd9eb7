// Owns the measurement of many streaming clients on real sockets, half of which leave in the middle: slots, memory, completeness.
// Refuses to know how the service keeps its promises: it looks from outside, through /metrics.

import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { startPharos } from '../common/server.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { clients, rounds, tokens, settle } = options({ clients: 200, rounds: 8, tokens: 48, settle: 30 });
await printMachine(['fastify', 'onnxruntime-node']);

interface Stream {
  readonly left: boolean;
  readonly status: number;
  readonly frames: number;
  readonly finish: string | undefined;
  readonly done: boolean;
  /** Milliseconds to the first frame and to the end. */
  readonly first: number;
  readonly total: number;
}
/** One streaming completion; `leaveAfter` frames its socket is destroyed. */
function stream(url: string, model: string, number: number, leaveAfter: number): Promise<Stream> {
  const body = JSON.stringify({ model, stream: true, max_tokens: tokens, temperature: 1, seed: number, knowledge: { mode: 'off' }, messages: [{ role: 'user', content: `Say something, ${number}.` }] });
  const start = performance.now();
  return new Promise((resolve, reject) => {
    let [frames, first, text, left] = [0, Number.NaN, '', false];
    const call = request(`${url}/v1/chat/completions`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
      const end = (): void =>
        resolve({ left, status: response.statusCode ?? 0, frames, first, total: performance.now() - start, finish: /"finish_reason":"(\w+)"/.exec(text)?.[1], done: text.includes('data: [DONE]') });
      response.setEncoding('utf8').on('data', (piece: string) => {
        if (frames === 0) first = performance.now() - start;
        text += piece;
        frames = text.split('\n\n').length - 1;
        if (frames < leaveAfter) return;
        left = true;
        response.destroy();
      });
      response.once('close', end).on('error', () => undefined);
    });
    call.once('error', (error) => (left ? undefined : reject(error)));
    call.end(body);
  });
}

await using pharos = await startPharos();
const listed = (await (await fetch(`${pharos.url}/v1/models`)).json()) as { data: { id: string }[] };
const model = listed.data[0]?.id;
if (model === undefined) throw new Error('the server has no model; put one into models/');
const gauge = async (name: string): Promise<number> => {
  const value = await pharos.metric(name);
  if (value === undefined) throw new Error(`/metrics has no ${name}`);
  return value;
};
const busy = async (): Promise<number> => (await gauge('pharos_engine_slots_used')) + (await gauge('pharos_engine_running')) + (await gauge('pharos_engine_waiting'));

const rows: (string | number)[][] = [];
let wrong = 0;
for (let round = 1; round <= rounds; round++) {
  const results = await Promise.all(Array.from({ length: clients }, (_, i) => stream(pharos.url, model, round * clients + i, i % 2 === 0 ? 2 + (i % 7) : Infinity)));
  const stayed = results.filter(({ left }) => !left);
  const whole = stayed.filter(({ status, finish, done }) => status === 200 && finish !== undefined && done);
  let leaked = await busy();
  for (const deadline = Date.now() + settle * 1000; leaked > 0 && Date.now() < deadline; leaked = await busy()) await wait(100);
  const memory = await gauge('process_resident_memory_bytes');
  wrong += leaked + stayed.length - whole.length;
  rows.push([round, results.length - stayed.length, stayed.length, whole.length, leaked, memory / 2 ** 20, quantile(stayed.map(({ first }) => first), 0.5), quantile(stayed.map(({ total }) => total), 0.99)]);
}
console.log(`${clients} clients a round, ${tokens} new tokens at most, model ${model}\n`);
printTable(['round', 'left', 'stayed', 'complete', 'slots leaked', 'memory MiB', 'first frame p50 ms', 'end p99 ms'], rows);
const half = rows.slice(Math.floor(rows.length / 2)).map((row) => row[5] as number);
console.log(`delay of the event loop that serves them, p99 since the start: ${(1000 * (await gauge('nodejs_eventloop_lag_p99_seconds'))).toFixed(1)} ms`);
console.log(`memory over the second half of the rounds: ${Math.min(...half).toFixed(0)} to ${Math.max(...half).toFixed(0)} MiB`);
if (wrong > 0) {
  console.error(`${wrong} streams were cut short or slots leaked`);
  process.exitCode = 1;
}
