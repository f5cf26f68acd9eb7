// Owns the soak: clients that ask a mixture of everything for some minutes, a line of JSON a minute, and the verdict at the end: answers, slots, memory, complaints.
// Refuses to know what is asked and how the server keeps its promises.

import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';
import { Random } from '../../src/training/random.ts';
import { SoakedServer } from './pharos.ts';
import { KINDS } from './traffic.ts';
import type { World } from './traffic.ts';

const DATA = fileURLToPath(new URL('../data', import.meta.url));
const given = options({ minutes: 60, clients: 12, seed: 1, settle: 30, growth: 8, pause: 20, log: `${DATA}/soak.log`, models: fileURLToPath(new URL('../../models', import.meta.url)) });
/** Share of the time after which memory is looked at: caches fill before. */
const WARM = 0.25;
const SAMPLE_MS = 5_000;
const MIB = 2 ** 20;

await printMachine(['fastify', 'onnxruntime-node']);
const log = resolve(given.log);
await mkdir(dirname(log), { recursive: true });
await writeFile(log, '');
// Small caches are full soon, so that what grows later is no cache.
await using pharos = await SoakedServer.start({ PHAROS_MODELS: given.models, PHAROS_CACHE: '4MiB', PHAROS_PREFIX_CACHE: '16MiB', PHAROS_PROOF_BYTES: '4MiB', PHAROS_SLOTS: '4' });

const listed = z.object({ data: z.array(z.object({ id: z.string() })).min(1) }).parse(await (await fetch(`${pharos.url}/v1/models`)).json());
const model = listed.data[0].id;
const configuration = await readFile(`${given.models}/${model}/config.json`, 'utf8').catch(() => '{}');
const { max_position_embeddings: context } = z.looseObject({ max_position_embeddings: z.int().default(4096) }).parse(JSON.parse(configuration));

interface Tally {
  asked: number;
  wrong: number;
  readonly milliseconds: number[];
}
const tallies = new Map<string, Tally>(KINDS.map(([name]) => [name, { asked: 0, wrong: 0, milliseconds: [] }]));
const problems: string[] = [];
const total = (of: (tally: Tally) => number): number => [...tallies.values()].reduce((sum, tally) => sum + of(tally), 0);

const start = Date.now();
const end = start + given.minutes * 60_000;
const over = (): boolean => Date.now() >= end || pharos.ended;
let numbers = 0;
const weights = KINDS.reduce((sum, [, weight]) => sum + weight, 0);

async function client(number: number): Promise<void> {
  const random = new Random(given.seed * 1000 + number);
  const world: World = { url: pharos.url, model, context, random, next: () => ++numbers };
  while (!over()) {
    let at = random.next() * weights;
    const [name, , kind] = KINDS.find(([, weight]) => (at -= weight) < 0) ?? KINDS[0];
    const tally = tallies.get(name) ?? { asked: 0, wrong: 0, milliseconds: [] };
    const began = performance.now();
    const verdict = await kind(world).catch((error: unknown) => `the request broke: ${error instanceof Error ? error.message : String(error)}`);
    tally.asked++;
    tally.milliseconds.push(performance.now() - began);
    if (verdict !== undefined) {
      tally.wrong++;
      if (problems.length < 100) problems.push(`${name}: ${verdict}`);
    }
    await wait(random.next() * 2 * given.pause);
  }
}

const samples: { readonly at: number; readonly resident: number; readonly heap: number }[] = [];
const stopped = new AbortController();
async function sampler(): Promise<void> {
  while (!stopped.signal.aborted) {
    const gauges = await pharos.gauges().catch(() => undefined);
    if (gauges) samples.push({ at: Date.now() - start, resident: gauges.residentBytes, heap: gauges.heapBytes });
    await wait(SAMPLE_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
  }
}
const told = async (line: object): Promise<void> => {
  const text = JSON.stringify(line);
  console.log(text);
  await appendFile(log, `${text}\n`);
};
async function minutely(): Promise<void> {
  let before = { asked: 0, wrong: 0 };
  for (let minute = 1; !stopped.signal.aborted; minute++) {
    await wait(60_000, undefined, { signal: stopped.signal }).catch(() => undefined);
    if (stopped.signal.aborted) return;
    const last = samples.at(-1);
    const now = { asked: total((tally) => tally.asked), wrong: total((tally) => tally.wrong) };
    const gauges = await pharos.gauges().catch(() => undefined);
    await told({
      minute,
      requests: now.asked - before.asked,
      wrong: now.wrong - before.wrong,
      resident_mib: Math.round((last?.resident ?? 0) / MIB),
      heap_mib: Math.round((last?.heap ?? 0) / MIB),
      busy: gauges?.busy ?? null,
      facts: gauges?.facts ?? null,
      complaints: pharos.complaints.length,
    });
    before = now;
  }
}

const watching = Promise.all([sampler(), minutely()]);
await Promise.all(Array.from({ length: given.clients }, async (_, i) => client(i + 1)));
let busy = (await pharos.gauges().catch(() => undefined))?.busy ?? Number.NaN;
for (const deadline = Date.now() + given.settle * 1000; busy > 0 && Date.now() < deadline; ) {
  await wait(200);
  busy = (await pharos.gauges().catch(() => undefined))?.busy ?? Number.NaN;
}
stopped.abort();
await watching;
await pharos.stop();

/** The least memory of each stretch: what remains after collections. */
const warm = samples.filter(({ at }) => at >= WARM * given.minutes * 60_000);
const half = (from: number, to: number, of: (sample: (typeof samples)[number]) => number): number => quantile(warm.slice(Math.floor(warm.length * from), Math.ceil(warm.length * to)).map(of), 0.5) / MIB;
const memory = ([['resident', (sample) => sample.resident], ['heap', (sample) => sample.heap]] as [string, (sample: (typeof samples)[number]) => number][]).map(([name, of]) => ({ name, first: half(0, 0.5, of), second: half(0.5, 1, of) }));

printTable(
  ['kind', 'asked', 'wrong', 'p50 ms', 'p99 ms'],
  [...tallies].map(([name, { asked, wrong, milliseconds }]) => [name, asked, wrong, quantile(milliseconds, 0.5), quantile(milliseconds, 0.99)]),
);
printTable(['memory MiB, median', 'first half', 'second half', 'growth %'], memory.map(({ name, first, second }) => [name, first, second, (second / first - 1) * 100]));

const faults: string[] = [];
const wrong = total((tally) => tally.wrong);
if (wrong > 0) faults.push(`${wrong} answers were wrong; the first:\n  ${problems.slice(0, 20).join('\n  ')}`);
for (const [name, { asked }] of tallies) if (asked === 0) faults.push(`nothing was asked of the kind "${name}"; give more minutes`);
if (busy !== 0) faults.push(`${busy} generations or slots are still busy ${given.settle} s after the last request`);
const [resident] = memory;
if (!(resident.second <= resident.first * (1 + given.growth / 100))) faults.push(`resident memory grew from ${resident.first.toFixed(0)} to ${resident.second.toFixed(0)} MiB, more than ${given.growth}%`);
if (pharos.complaints.length > 0) faults.push(`the server complained:\n  ${pharos.complaints.slice(0, 20).join('\n  ')}`);
await told({ minutes: given.minutes, requests: total((tally) => tally.asked), wrong, busy, memory: memory.map(({ name, first, second }) => ({ name, first_mib: Math.round(first), second_mib: Math.round(second) })), complaints: pharos.complaints.length, passed: faults.length === 0 });
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exitCode = 1;
}
