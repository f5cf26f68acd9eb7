// Owns what operators and tools read: health, readiness, metrics, documentation, the OpenAPI document as committed, the configuration.
// Refuses to know answers.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { buildContract } from '../../src/app.ts';
import { ConfigError, describeConfig, parseConfig } from '../../src/config.ts';
import { openApiYaml } from '../../src/plugins/docs.ts';
import { call, startApp } from '../helpers/http-app.ts';

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });
const get = (url: string) => call(app, 'GET', url);

t.test('health and readiness say with what the service runs', async (t) => {
  for (const address of ['/healthz', '/health'])
    t.match(await get(address), {
      status: 200,
      json: { status: 'ok', version: /^\d+\.\d+\.\d+/, store: 'embedded', models: [{ id: 'pharos-mini', device: 'cpu' }] },
    });
  t.match(await get('/readyz'), { status: 200, json: { status: 'ready' } });
});

t.test('metrics count requests, generations, the cache and facts', async (t) => {
  const ask = { messages: [{ role: 'user', content: 'Where was Plato born?' }] };
  await call(app, 'POST', '/v1/chat/completions', ask);
  await call(app, 'POST', '/v1/chat/completions', ask);
  const { text, headers } = await get('/metrics');
  t.match(headers, { 'content-type': /^text\/plain; version=0\.0\.4/ });
  const value = (name: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')
        .at(-1),
    );
  t.equal(value('pharos_http_requests_total{method="POST",route="/v1/chat/completions",status="200"}'), 2);
  t.equal(value('pharos_http_request_duration_seconds_count{method="POST",route="/v1/chat/completions"}'), 2);
  t.equal(value('pharos_cache_hits_total'), 1);
  t.equal(value('pharos_cache_misses_total'), 1);
  t.ok(value('pharos_cache_bytes') > 0);
  t.equal(value('pharos_engine_running') + value('pharos_engine_waiting') + value('pharos_engine_slots_used') + value('pharos_generations'), 0);
  t.equal(value('pharos_engine_slots'), 8);
  t.ok(value('pharos_engine_generated_tokens_total') > 0);
  t.ok(value('pharos_facts{knowledge_base="default",kind="stored"}') >= 40);
  t.ok(value('pharos_facts{knowledge_base="default",kind="derived"}') > 0);
  t.equal(value('pharos_store_up'), 1);
  t.ok(value('process_resident_memory_bytes') > 0);
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
  t.match(text, /pharos_model_info\{model="pharos-mini",device="cpu"\} 1/);
});

t.test('openapi.yaml is committed as the routes give it, and every operation says what it does, takes and answers', async (t) => {
  const contract = await buildContract();
  t.teardown(() => contract.close());
  const made = openApiYaml(contract);
  const committed = await readFile(new URL('../../openapi.yaml', import.meta.url), 'utf8');
  t.ok(made === committed, 'run `npm run openapi` and commit openapi.yaml');
  t.equal((await get('/openapi.yaml')).text, committed, 'it is what the service serves');
  interface Operation {
    readonly summary?: string;
    readonly operationId?: string;
    readonly tags?: readonly string[];
    readonly requestBody?: unknown;
    readonly responses: Readonly<Record<string, { readonly content?: object; readonly description: string }>>;
  }
  const document = parse(committed) as {
    readonly paths: Record<string, Record<string, Operation>>;
    readonly components: { readonly schemas: Record<string, unknown> };
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, method, operation })),
  );
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length, 'each operation has an id of its own');
  for (const { name, method, operation } of operations) {
    t.ok(operation.summary && operation.tags?.length === 1, name);
    t.ok(operation.responses['200']?.content, `${name} has an answer`);
    t.ok(
      ['400', '401', '500'].every((status) => operation.responses[status]),
      `${name} has errors`,
    );
    if (method === 'put' || method === 'post') t.ok(operation.requestBody, `${name} has a body`);
  }
  const names = operations.map(({ name }) => name);
  for (const path of [
    'POST /v1/chat/completions',
    'POST /v1/completions',
    'GET /v1/models',
    'POST /v1/triples',
    'GET /v1/triples',
    'DELETE /v1/triples',
    'POST /v1/rules',
    'POST /v1/reason/deduce',
    'GET /v1/proofs/{id}',
    'GET /healthz',
  ])
    t.ok(names.includes(path), path);
  const references = [...committed.matchAll(/\$ref: "?#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
  t.same(
    [...new Set(references)].filter((name) => !Object.hasOwn(document.components.schemas, name)),
    [],
    'every reference leads somewhere',
  );
});

t.test('the documentation comes from this server alone', async (t) => {
  const page = await get('/docs/');
  t.match(page, { status: 200, headers: { 'content-type': /^text\/html/ } });
  t.notMatch(page.text, /https?:\/\//);
  t.match(page.text, /"url": "\/openapi\.yaml"/);
  const script = /<script src="([^"]+)"/.exec(page.text)?.[1] ?? '';
  t.ok((await get(`/docs/${script}`)).text.length > 100_000);
  t.equal((await get('/docs')).status, 301);
});

t.test('the configuration is strict, and all mistakes are told at once', async (t) => {
  const config = parseConfig({ PATH: '/bin', PHAROS_PORT: '0', PHAROS_CACHE: '2MiB', PHAROS_API_KEYS: '', PHAROS_OUTSIDE: '../shared' });
  t.match(config, { host: '127.0.0.1', port: 0, cacheBytes: 2 * 2 ** 20, apiKeys: [], graph: { kind: 'embedded' }, limits: { slots: 8 } });
  t.match(parseConfig({ PHAROS_INDUCE_MS: '5000', PHAROS_INDUCE_HEAP: '1GiB', PHAROS_ABDUCE_SIZE: '3', PHAROS_ABDUCE_JOBS: '2' }).limits, {
    induce: { ms: 5_000, defaultMs: 5_000, facts: 1_000_000 },
    rankMs: 5_000,
    inductions: { heapBytes: 2 ** 30, jobs: 2 },
    abduce: { size: 3, explanations: 1_000 },
    abductions: { jobs: 2 },
  });
  t.ok(Object.isFrozen(config));
  t.match(parseConfig({ PHAROS_GRAPH: 'neo4j://user:pass@host:7687' }).graph, { kind: 'neo4j', url: 'neo4j://user:pass@host:7687' });
  t.match(parseConfig({ PHAROS_HOST: '0.0.0.0', PHAROS_API_KEYS: 'a-key-of-mine, other-key' }).apiKeys, ['a-key-of-mine', 'other-key']);
  const problems = (settings: Record<string, string>): readonly string[] => {
    try {
      parseConfig(settings);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems;
    }
  };
  t.match(problems({ PHAROS_PROT: '1', PHAROS_PORT: 'x', PHAROS_DEVICE: 'gpu', PHAROS_CACHE: '-1', PHAROS_GRAPH: 'mysql://x' }), [
    /PHAROS_PORT=x: give a whole number/,
    /PHAROS_GRAPH/,
    /PHAROS_DEVICE=gpu: give one of auto, cpu/,
    /PHAROS_CACHE=-1/,
    /PHAROS_PROT: there is no such setting/,
  ]);
  t.match(problems({ PHAROS_HOST: '0.0.0.0' }), [/others can reach this address, so PHAROS_API_KEYS must name at least one key/]);
  t.match(problems({ PHAROS_HOST: '0.0.0.0', PHAROS_PORT: 'x' }), [/^PHAROS_PORT=x/, /^PHAROS_HOST=0\.0\.0\.0: others can reach/]);
  t.notMatch(problems({ PHAROS_API_KEYS: 'secret with spaces', PHAROS_ENGINE_KEY: 'secret\nline', PHAROS_ENGINE: 'http://me:secret@host/v1' }).join(), /secret/, 'keys are not repeated');
  t.same(parseConfig({ PHAROS_MODELS: ' /a, ,/b ,' }).models, [{ given: '/a', path: '/a' }, { given: '/b', path: '/b' }], 'a comma too many names no folder');
  t.match(problems({ PHAROS_MODELS: ' , ' }), [/PHAROS_MODELS= , : name at least one/]);
  for (const address of ['host:8000', 'Embedded', 'ftp://host/v1', 'http://me:key@host:8000/v1', 'http://host/v1?key=1', 'http://host/v1#x', 'http://host/v1?'])
    t.match(problems({ PHAROS_ENGINE: address }), [/PHAROS_ENGINE: give embedded, or an address such as http:\/\/host:8000\/v1, .*PHAROS_ENGINE_KEY/], address);
  for (const address of ['http://host', 'https://host:8000/v1/', 'http://[::1]:8000/v1']) t.equal(parseConfig({ PHAROS_ENGINE: address }).engine, address);
  for (const key of ['two words', 'line\nline', '密钥']) t.match(problems({ PHAROS_ENGINE_KEY: key }), [/PHAROS_ENGINE_KEY: a key has/], key);
  t.match(problems({ PHAROS_CACHE: '9999999999999999GiB' }), [/PHAROS_CACHE=9999999999999999GiB: give 8388607GiB or less/]);
  for (const row of describeConfig().split('\n').slice(2)) t.match(row, /^\| PHAROS_[A-Z_]+ \| .* \| .{10,} \|$/);
});

t.test('the server says how it is used, and refuses to start with a bad environment', async (t) => {
  const run = (args: readonly string[], env: Record<string, string>) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('../../src/server.ts', import.meta.url)), ...args], { env, encoding: 'utf8' });
  const help = run(['--help'], {});
  t.equal(help.status, 0);
  t.match(help.stdout, /\| PHAROS_PORT \| `8080` \|/);
  const refused = run([], { PHAROS_HOST: '0.0.0.0', PHAROS_NONSENSE: '1' });
  t.equal(refused.status, 2);
  t.match(refused.stderr, /PHAROS_NONSENSE/);
  t.equal(refused.stdout, '');
  const model = run([], { PHAROS_MODELS: '/nowhere', PHAROS_PORT: '0', PHAROS_DATA: `${t.testdir()}/data` });
  t.equal(model.status, 1);
  t.match(model.stderr, /Pharos cannot start: .*\/nowhere/);
  // What the system refuses, whatever is logged: a file in the place of a folder, an address that is not this machine's.
  const embedder = fileURLToPath(new URL('../../models/pharos-embed', import.meta.url));
  const some = { PHAROS_MODELS: embedder, PHAROS_DEVICE: 'cpu', PHAROS_PORT: '0', PHAROS_LOG_LEVEL: 'silent' };
  const file = run([], { ...some, PHAROS_DATA: fileURLToPath(import.meta.url) });
  t.match(file, { status: 1, stderr: /^Pharos cannot start: the store .*operation\.test\.ts\/graph\.db could not be opened: .*\n$/ });
  const address = run([], { ...some, PHAROS_DATA: `${t.testdir()}/data`, PHAROS_HOST: '203.0.113.9', PHAROS_API_KEYS: 'a-key-of-mine' });
  t.match(address, { status: 1, stderr: /^Pharos cannot start: listen .*203\.0\.113\.9.*\n$/ });
});
