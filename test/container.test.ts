// Owns the container's files: they cannot be built here, so what they name is checked to exist, and what they promise to be said.
// Refuses to know Docker: the files are read as text and YAML.

import { access, readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../src/config.ts';
import { call, startApp } from './helpers/http-app.ts';

const root = new URL('../', import.meta.url);
const read = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8');
const exists = async (path: string): Promise<boolean> =>
  access(new URL(path, root)).then(
    () => true,
    () => false,
  );
/** Instructions with their continued lines joined, comments left out. */
const instructions = (await read('Dockerfile'))
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const of = (name: string): string[] => instructions.filter((each) => each.name === name).map(({ rest }) => rest);
const list = (text: string): string[] => z.array(z.string()).parse(JSON.parse(text));

t.test('every path and script that the Dockerfile names exists, and reaches the build', async (t) => {
  const ignored = (await read('.dockerignore')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.equal(ignored[0], '*', 'only what is listed reaches the build');
  const sources = of('COPY').flatMap((rest) => (rest.startsWith('--from=') ? [] : rest.split(/\s+/).slice(0, -1)));
  t.ok(sources.length >= 8);
  for (const source of sources) {
    t.ok(await exists(source), `${source} exists`);
    t.ok(ignored.includes(`!${source}`), `${source} is not kept from the build`);
  }
  t.same(
    ignored
      .slice(1)
      .map((line) => line.slice(1))
      .toSorted(),
    [...new Set(sources)].toSorted(),
    'and nothing else reaches it',
  );
  for (const path of [
    ...of('RUN')
      .join(' ')
      .matchAll(/node_modules\/\S+/g),
  ].map(([path]) => path))
    t.ok(await exists(path), `${path} exists`);
  const [command, script] = list(of('CMD').at(-1) ?? '[]');
  t.equal(command, 'node');
  t.ok(await exists(script), `${script} exists`);
});

t.test('it has stages, runs as nobody in particular, and has one volume', async (t) => {
  const stages = of('FROM');
  t.equal(stages.length, 2);
  for (const stage of stages) t.match(stage, /^node:24-slim( AS \w+)?$/);
  t.same(of('USER'), ['node']);
  t.ok(instructions.findIndex(({ name }) => name === 'USER') < instructions.findLastIndex(({ name }) => name === 'CMD'));
  t.same(of('VOLUME'), ['/data']);
  const { engines } = z.object({ engines: z.object({ node: z.string() }) }).parse(JSON.parse(await read('package.json')));
  t.equal(engines.node, '>=20', 'the image has its own Node; no devDependency brings it');
});

t.test('its settings are settings, and it does not start without a key', async (t) => {
  const settings = Object.fromEntries(
    of('ENV')
      .flatMap((rest) => rest.trim().split(/\s+/))
      .map((pair) => pair.split('=') as [string, string]),
  );
  t.match(parseConfig({ ...settings, PHAROS_API_KEYS: 'some-key-of-mine' }), { host: '0.0.0.0', port: 8080, data: of('VOLUME')[0] });
  t.throws(() => parseConfig(settings), /PHAROS_API_KEYS must name at least one key/);
  t.same(of('EXPOSE'), [settings['PHAROS_PORT']]);
});

t.test('the health check asks a route that exists and needs no key', async (t) => {
  const check = of('HEALTHCHECK')[0];
  const path = /\$\{process\.env\.PHAROS_PORT\}(\/\w+)`/.exec(check)?.[1] ?? '';
  const app = await startApp(t, { PHAROS_API_KEYS: 'some-key-of-mine' });
  t.equal((await call(app, 'GET', path)).status, 200, path);
  t.equal(list(/CMD (\[.*\])$/.exec(check)?.[1] ?? '[]')[0], 'node');
});

t.test('compose starts Pharos with Neo4j, read-only and with settings that exist', async (t) => {
  const service = z.looseObject({ environment: z.record(z.string(), z.string()), volumes: z.array(z.string()), build: z.string().optional() });
  const compose = z.object({
    services: z.object({
      pharos: service.extend({ read_only: z.literal(true), depends_on: z.object({ neo4j: z.object({ condition: z.string() }) }) }),
      neo4j: service,
    }),
    volumes: z.record(z.string(), z.unknown()),
  });
  const { services, volumes } = compose.parse(parse(await read('compose.yaml')));
  t.ok(await exists(services.pharos.build ?? 'nowhere'));
  t.match(services.neo4j, { healthcheck: { test: ['CMD-SHELL', /cypher-shell/] } });
  t.match(services.pharos.depends_on.neo4j.condition, 'service_healthy');
  const filled = Object.fromEntries(
    Object.entries(services.pharos.environment).map(([name, value]) => [name, value.replace(/\$\{\w+:\?[^}]*\}/g, 'letters1')]),
  );
  t.match(parseConfig(filled), { graph: { kind: 'neo4j', url: 'neo4j://neo4j:letters1@neo4j:7687' }, apiKeys: ['letters1'] });
  for (const each of [services.pharos, services.neo4j]) for (const volume of each.volumes) t.ok(Object.hasOwn(volumes, volume.split(':')[0]), volume);
  t.ok(services.pharos.volumes.some((volume) => volume.endsWith(`:${of('VOLUME')[0]}`)));
});
