// Owns trying a live server against its own openapi.yaml with schemathesis: requests made from the schema, good ones and bad ones; no answer of 500, and none that the schema does not allow.
// Refuses to know what the operations do.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { options, printTable } from '../common/machine.ts';
import { startPharos } from '../common/server.ts';

const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance';
const { schemathesis, seconds, examples, seed, checks, only } = options({ schemathesis: 'schemathesis', seconds: 240, examples: 40, seed: 1, checks: CHECKS, only: '' });

const SCHEMA = fileURLToPath(new URL('../../openapi.yaml', import.meta.url));
// Generations and reasoning are short here: the answers' form is tried, not what they say.
const SHORT = {
  PHAROS_NEW_TOKENS: '16',
  PHAROS_DEFAULT_TOKENS: '4',
  PHAROS_REQUEST_SECONDS: '20',
  PHAROS_DEDUCE_MS: '1000',
  PHAROS_INDUCE_MS: '1000',
  PHAROS_INDUCE_DEFAULT_MS: '300',
  PHAROS_RANK_MS: '300',
  PHAROS_ABDUCE_MS: '1000',
  PHAROS_RULES_MS: '2000',
};
/** Answers of 503 and 504 are said to be possible: no room, no time. */
const SETTINGS = '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "503", "504"]\n';

/**
 * OpenAPI 3.1 has no word for what a stream of events consists of: openapi.yaml gives, as OpenAI's does, the JSON in the data of each.
 * Schemathesis knows the word of OpenAPI 3.2, `itemSchema`, for an event with its fields.
 */
function withEvents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withEvents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      if (key !== 'text/event-stream' || typeof item !== 'object' || item === null || !('schema' in item)) return [key, withEvents(item)];
      const data = { anyOf: [{ const: '[DONE]' }, { type: 'string', contentMediaType: 'application/json', contentSchema: item.schema }] };
      return [key, { itemSchema: { type: 'object', properties: { data } } }];
    }),
  );
}
const reportSchema = z.object({
  schemathesis_version: z.string(),
  stop_reason: z.string(),
  /** None when the schema itself could not be read. */
  operations: z.object({ total: z.int(), tested: z.int(), errored: z.int() }).nullable().transform((given) => given ?? { total: 0, tested: 0, errored: 0 }),
  test_cases: z.object({ generated: z.int(), with_failures: z.int(), unique_failures: z.int(), errored: z.int() }),
  failures: z.array(z.object({ title: z.string(), count: z.int(), operations: z.array(z.string()).catch([]) })),
  errors: z.array(z.object({ title: z.string(), count: z.int() })),
});

const folder = await mkdtemp(join(tmpdir(), 'pharos-schema-'));
try {
  await using pharos = await startPharos(SHORT);
  const report = join(folder, 'report.json');
  const [schema, settings] = [join(folder, 'openapi.json'), join(folder, 'schemathesis.toml')];
  await writeFile(schema, JSON.stringify(withEvents(parse(await readFile(SCHEMA, 'utf8'), { version: '1.1' }))));
  await writeFile(settings, SETTINGS);
  const args = ['--config-file', settings, 'run', schema, '--url', pharos.url, '--checks', checks, '--phases', 'examples,coverage,fuzzing', '--max-examples', String(examples), '--seed', String(seed), '--max-time', String(seconds)];
  args.push('--workers', '2', '--request-timeout', '30', '--continue-on-failure', '--generation-database', 'none', '--no-color', '--warnings', 'off', '--report', 'json', '--report-json-path', report);
  if (only !== '') args.push('--include-path-regex', only);
  const child = spawn(schemathesis, args, { stdio: 'inherit', cwd: folder });
  const ended = await Promise.race([once(child, 'exit'), once(child, 'error').then(([error]) => Promise.reject(new Error(`${schemathesis} cannot run (${String(error)}); install it with: python3 -m venv DIR && DIR/bin/pip install schemathesis, and give --schemathesis DIR/bin/schemathesis`)))]);
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`schemathesis ended with code ${String(ended[0])} and no report`);
  const { schemathesis_version: version, operations, test_cases: tried, failures, errors, stop_reason: reason } = reportSchema.parse(JSON.parse(text));
  const alive = await fetch(`${pharos.url}/readyz`).then(
    (answer) => answer.status === 200,
    () => false,
  );
  // RFC 10008 has servers refuse a QUERY without a media type before they look for what it asks.
  const queries = failures.filter(({ title, operations: where }) => /undeclared method/.test(title) && where.length > 0 && where.every((operation) => operation.startsWith('QUERY ')));
  const skipped = queries.reduce((sum, { count }) => sum + count, 0);
  const failed = Math.max(0, tried.with_failures - skipped);
  console.log(`\nopenapi.yaml, against schemathesis ${version}, seed ${seed} (ended: ${reason})\n`);
  printTable(['suite', 'passed', 'failed', 'not applicable'], [
    ['requests', tried.generated - tried.with_failures, failed, tried.errored + skipped],
    ['operations tried', operations.tested, 0, operations.total - operations.tested],
  ]);
  for (const { title, count } of queries) console.log(`not applicable, ${count}: ${title}: QUERY without a media type, which is answered with 400`);
  for (const { title, count, operations: where } of failures.filter((each) => !queries.includes(each))) console.log(`failed, ${count}: ${title}: ${JSON.stringify(where)}`);
  for (const { title, count } of errors) console.log(`not applicable, ${count}: schemathesis itself failed: ${title}`);
  if (!alive) console.log('failed: the server is not ready any more');
  process.exitCode = alive && tried.generated > 0 && failed === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
