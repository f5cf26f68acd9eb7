// Owns the measurement of answering over MetaQA through the service: right answers, refusals, proofs that check, speed cold and cached, loading, memory.
// Refuses to know how questions are understood: it speaks HTTP only, and gives aliases the way a user does.

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { startPharos } from '../common/server.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { data, hops, questions, connections, aliases, checks } = options({ data: process.env.PHAROS_OUTSIDE ? join(process.env.PHAROS_OUTSIDE, 'data/metaqa') : '', hops: '1,2', questions: 0, connections: 4, aliases: 'both', checks: 20 });
if (data === '') {
  console.error('give the folder with kb.txt and dev-N-hop.txt: --data FOLDER, or PHAROS_OUTSIDE');
  process.exit(2);
}
await printMachine(['fastify', 'onnxruntime-node']);

interface Question {
  readonly text: string;
  readonly answers: ReadonlySet<string>;
}
async function read(hop: string): Promise<Question[]> {
  const lines = (await readFile(join(data, `dev-${hop}-hop.txt`), 'utf8')).split('\n').filter((line) => line.includes('\t'));
  const all = lines.map((line) => {
    const [text, answers] = line.split('\t');
    return { text: text.replace(/[[\]]/g, ''), answers: new Set(answers.split('|')) };
  });
  return questions > 0 ? all.slice(0, questions) : all;
}

interface Grounding {
  readonly outcome: string;
  readonly answers: readonly (string | number | boolean)[];
  readonly claims: readonly { readonly proof_id: string }[];
  readonly cached: boolean;
  readonly wording?: string;
}
const json = { 'content-type': 'application/json' };
async function post<T>(url: string, body: unknown, method = 'POST'): Promise<T> {
  const response = await fetch(url, { method, headers: json, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
async function ask(url: string, model: string, hop: string, text: string): Promise<Grounding> {
  const reply = await post<{ grounding: Grounding }>(`${url}/v1/chat/completions`, { model, messages: [{ role: 'user', content: text }], knowledge: { hops: Math.max(2, Number(hop)) } });
  return reply.grounding;
}
/** `work` for each item, a few at a time; milliseconds of each. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<{ readonly results: R[]; readonly times: Float64Array; readonly seconds: number }> {
  const results: R[] = [];
  const times = new Float64Array(items.length);
  const start = performance.now();
  let next = 0;
  const run = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) {
      const at = performance.now();
      results[i] = await work(items[i]);
      times[i] = performance.now() - at;
    }
  };
  await Promise.all(Array.from({ length: connections }, run));
  return { results, times, seconds: (performance.now() - start) / 1000 };
}

/** The graph as the import takes it. */
async function* triples(): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(join(data, 'kb.txt')) })) {
    const [subject, relation, object] = line.split('|');
    if (object !== undefined) yield `${JSON.stringify({ subject, relation, object })}\n`;
  }
}

async function measure(withAliases: boolean): Promise<(string | number)[][]> {
  await using pharos = await startPharos({ PHAROS_EXAMPLE: 'off', PHAROS_REQUEST_SECONDS: '600' });
  const { url } = pharos;
  const model = ((await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] }).data[0].id;
  const before = (await pharos.metric('process_resident_memory_bytes')) ?? Number.NaN;
  const start = performance.now();
  const load = await fetch(`${url}/v1/triples`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: Readable.toWeb(Readable.from(triples())) as ReadableStream, duplex: 'half' });
  const last = JSON.parse((await load.text()).trim().split('\n').at(-1) ?? '{}') as { object?: string; added?: number };
  if (last.object !== 'triples.result') throw new Error(`the import failed: ${JSON.stringify(last)}`);
  const seconds = (performance.now() - start) / 1000;
  const memory = (await pharos.metric('process_resident_memory_bytes')) ?? Number.NaN;
  console.log(`${withAliases ? 'with aliases' : 'bare names'}: ${last.added} triples in ${seconds.toFixed(2)} s (${Math.round((last.added ?? 0) / seconds)} a second); memory ${Math.round(before / 2 ** 20)} MiB before, ${Math.round(memory / 2 ** 20)} MiB after`);
  if (withAliases)
    for (const [relation, texts] of Object.entries(JSON.parse(await readFile(new URL('aliases.json', import.meta.url), 'utf8')) as Record<string, string[]>)) await post(`${url}/v1/relations/${encodeURIComponent(relation)}`, { aliases: texts }, 'PUT');

  const rows: (string | number)[][] = [];
  for (const hop of hops.split(',')) {
    const asked = await read(hop);
    const tally = { first: 0, exact: 0, refused: 0, answered: 0, proven: 0, proofs: 0, valid: 0, model: 0 };
    const check = async ({ claims }: Grounding): Promise<boolean> => {
      let all = claims.length > 0;
      for (const { proof_id } of claims.slice(0, checks)) {
        const { valid } = await post<{ valid: boolean }>(`${url}/v1/proofs/${proof_id}/check`, {});
        tally.proofs++;
        tally.valid += Number(valid);
        all &&= valid;
      }
      return all;
    };
    const cold = await each(asked, ({ text }) => ask(url, model, hop, text));
    const cached = await each(asked, ({ text }) => ask(url, model, hop, text));
    const same = cached.results.filter((grounding, i) => grounding.cached && JSON.stringify(grounding.answers) === JSON.stringify(cold.results[i].answers)).length;
    for (const [i, grounding] of cached.results.entries()) {
      const given = grounding.answers.map(String);
      const { answers } = asked[i];
      if (grounding.outcome !== 'entailed') tally.refused++;
      else {
        tally.answered++;
        tally.proven += Number(await check(grounding));
        tally.model += Number(grounding.wording === 'model');
      }
      tally.first += Number(given.length > 0 && answers.has(given[0]));
      tally.exact += Number(given.length === answers.size && given.every((answer) => answers.has(answer)));
    }
    const share = (count: number, of = asked.length): string => `${((100 * count) / of).toFixed(1)}%`;
    rows.push([
      `${hop}-hop, ${withAliases ? 'aliases' : 'bare'}`, asked.length, share(tally.first), share(tally.exact), share(tally.refused), share(tally.proven, tally.answered), `${tally.valid}/${tally.proofs}`, share(tally.model, tally.answered), share(same),
      asked.length / cold.seconds, asked.length / cached.seconds, quantile(cold.times, 0.5), quantile(cold.times, 0.99),
    ]);
  }
  console.log(`memory after all questions ${Math.round(((await pharos.metric('process_resident_memory_bytes')) ?? Number.NaN) / 2 ** 20)} MiB\n`);
  return rows;
}

const rows: (string | number)[][] = [];
for (const withAliases of aliases === 'both' ? [false, true] : [aliases === 'on']) rows.push(...(await measure(withAliases)));
printTable(
  ['questions', 'asked', 'Hits@1', 'exact set', 'refused', 'answers whose every checked proof holds', 'proofs', "model's words", 'cached and same', 'cold a second', 'cached a second', 'cold p50 ms', 'cold p99 ms'],
  rows,
);
console.log(`${connections} connections; up to ${checks} proofs checked of each answer; aliases of bench/metaqa/aliases.json through PUT /v1/relations/{name}`);
