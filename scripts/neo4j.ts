// Starts a real Neo4j Community server on loopback for tests and trials: fetched by Maven, kept under .neo4j/, ended with this process.
// Usage: npm run neo4j -- [--port 7687] [--keep] | --stop     User neo4j, password pharos-dev. Needs Java 17 or newer and Maven.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import neo4j from 'neo4j-driver';

const USAGE = 'usage: npm run neo4j -- [--port N] [--keep], or npm run neo4j -- --stop';
const USER = 'neo4j';
const PASSWORD = 'pharos-dev';
/** From starting the server to its first answer; from asking it to end to ending it by force. */
const START_MS = 180_000;
const STOP_MS = 30_000;

const pom = fileURLToPath(new URL('neo4j/pom.xml', import.meta.url));
const root = fileURLToPath(new URL('../.neo4j/', import.meta.url));
const home = join(root, 'home');
const stateFile = join(root, 'running.json');

interface Running {
  /** The process of this script, and the server's own. */
  readonly script: number;
  readonly server: number;
  readonly port: number;
}

class Failure extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

function options(): { readonly port: number; readonly keep: boolean; readonly stop: boolean } {
  let values: { port?: string; keep?: boolean; stop?: boolean };
  try {
    ({ values } = parseArgs({ options: { port: { type: 'string' }, keep: { type: 'boolean' }, stop: { type: 'boolean' } } }));
  } catch (error) {
    throw new Failure(`${(error as Error).message.split('\n')[0]}\n${USAGE}`, 2);
  }
  const port = Number(values.port ?? '7687');
  if (!/^\d+$/.test(values.port ?? '7687') || port < 1 || port > 65_535)
    throw new Failure(`--port is ${JSON.stringify(values.port)}; give a number from 1 to 65535\n${USAGE}`, 2);
  if (values.stop && (values.port !== undefined || values.keep)) throw new Failure(`--stop takes no other option\n${USAGE}`, 2);
  return { port, keep: values.keep ?? false, stop: values.stop ?? false };
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
/** A number of a process may belong to another one by now: the server is known by the folder on its command line. */
const isServer = (pid: number): boolean =>
  alive(pid) && spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.includes(home);
function running(): Running | undefined {
  if (!existsSync(stateFile)) return undefined;
  const state = JSON.parse(readFileSync(stateFile, 'utf8')) as Running;
  if (isServer(state.server)) return state;
  rmSync(stateFile, { force: true });
  return undefined;
}
async function ended(pid: number, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) if (!alive(pid)) return true;
  return false;
}
async function stop(): Promise<void> {
  const state = running();
  if (!state) return console.log('neo4j is not running from this folder');
  process.kill(state.server, 'SIGTERM');
  if (!(await ended(state.server, STOP_MS))) process.kill(state.server, 'SIGKILL');
  // The script sees its server end, cleans up and ends too.
  await ended(state.script, 5000);
  rmSync(stateFile, { force: true });
  console.log(`neo4j stopped (port ${state.port})`);
}

function checkJava(): void {
  const { error, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (error) throw new Failure('java was not found; install Java 17 or 21 (for example the package openjdk-17-jre-headless) and put it on the PATH');
  const version = /version "(\d+)/.exec(stderr)?.[1];
  if (version !== undefined && Number(version) < 17) throw new Failure(`java is version ${version}; Neo4j needs 17 or 21`);
}
/** The server's class path, fetched when it is not here yet. The folder's name holds a hash of the pom: another version is another folder. */
async function libraries(): Promise<string> {
  const folder = join(root, `lib-${createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  if (spawnSync('mvn', ['--version'], { encoding: 'utf8' }).error)
    throw new Failure('mvn was not found; install Maven 3.8 or newer (for example the package maven) and put it on the PATH');
  console.log('neo4j is being fetched by Maven (about 120 MB, once)');
  const partial = `${folder}.${process.pid}`;
  for (let attempt = 1; ; attempt++) {
    const child = spawn('mvn', ['-B', '-ntp', '-q', '-f', pom, '-Dmaven.artifact.threads=16', `-DoutputDirectory=${partial}`, 'dependency:copy-dependencies'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    server = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (stopping) throw new Failure('stopped');
    if (code === 0) break;
    rmSync(partial, { recursive: true, force: true });
    if (attempt === 2) throw new Failure(`mvn could not fetch Neo4j (exit ${code}):\n${output.trim().split('\n').slice(-15).join('\n')}`);
  }
  renameSync(partial, folder);
  for (const name of readdirSync(root)) if (name.startsWith('lib-') && join(root, name) !== folder) rmSync(join(root, name), { recursive: true, force: true });
  return folder;
}

const settings = (port: number): string => `server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:${port}
server.bolt.advertised_address=127.0.0.1:${port}
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
client.allow_telemetry=false
server.memory.heap.initial_size=512m
server.memory.heap.max_size=512m
server.memory.pagecache.size=128m
db.tx_log.preallocate=false
db.tx_log.rotation.size=32m
db.tx_log.rotation.retention_policy=1 files
`;
const OPENED = ['java.base/java.nio', 'java.base/java.io', 'java.base/sun.nio.ch'].map((part) => `--add-opens=${part}=ALL-UNNAMED`);

async function answers(port: number): Promise<boolean> {
  const driver = neo4j.driver(`bolt://127.0.0.1:${port}`, neo4j.auth.basic(USER, PASSWORD), {
    connectionTimeout: 2000,
    maxTransactionRetryTime: 0,
    telemetryDisabled: true,
  });
  try {
    await driver.executeQuery('RETURN 1', {}, { database: 'neo4j' });
    return true;
  } catch {
    return false;
  } finally {
    await driver.close();
  }
}
const occupied = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** The child at work: Maven, then the server. */
let server: ChildProcess | undefined;
let stopping = false;

async function start(port: number, keep: boolean): Promise<void> {
  const other = running();
  if (other) throw new Failure(`neo4j runs already, on port ${other.port}; stop it with: npm run neo4j -- --stop`);
  checkJava();
  if (await occupied(port)) throw new Failure(`port ${port} is taken by another program; choose another one with --port`);
  mkdirSync(root, { recursive: true });
  const lib = await libraries();

  if (!keep) rmSync(home, { recursive: true, force: true });
  for (const name of ['conf', 'data', 'logs', 'plugins', 'import', 'run', 'licenses']) mkdirSync(join(home, name), { recursive: true });
  writeFileSync(join(home, 'conf', 'neo4j.conf'), settings(port));
  const environment = { ...process.env, NEO4J_HOME: home, NEO4J_CONF: join(home, 'conf') };
  const classes = ['-cp', [join(home, 'conf'), join(lib, '*')].join(delimiter)];
  if (!existsSync(join(home, 'data', 'dbms', 'auth.ini')) && !existsSync(join(home, 'data', 'databases'))) {
    const { status, stdout, stderr } = spawnSync('java', [...classes, 'org.neo4j.cli.AdminTool', 'dbms', 'set-initial-password', PASSWORD], {
      encoding: 'utf8',
      env: environment,
    });
    if (status !== 0) throw new Failure(`the password could not be set (exit ${status}):\n${stdout}${stderr}`);
  }
  if (stopping) return;

  const log = join(home, 'logs', 'console.log');
  const output = openSync(log, 'w');
  const child = spawn(
    'java',
    [
      '-Xms512m',
      '-Xmx512m',
      // A server that lives for minutes is better off without the slow compiler.
      '-XX:TieredStopAtLevel=1',
      '-XX:+ExitOnOutOfMemoryError',
      '-Djava.awt.headless=true',
      '-Dfile.encoding=UTF-8',
      '-Dio.netty.tryReflectionSetAccessible=true',
      ...OPENED,
      ...classes,
      'org.neo4j.server.CommunityEntryPoint',
      `--home-dir=${home}`,
      `--config-dir=${join(home, 'conf')}`,
    ],
    { stdio: ['ignore', output, output], env: environment },
  );
  server = child;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let code: number | null | undefined;
  void exit.then((value) => (code = value));
  writeFileSync(stateFile, JSON.stringify({ script: process.pid, server: child.pid, port } satisfies Record<keyof Running, number | undefined>));
  const tail = (): string =>
    [log, join(home, 'logs', 'neo4j.log')]
      .map((file) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n') : ''))
      .join('\n');
  for (const end = Date.now() + START_MS; !(await answers(port)); await sleep(250)) {
    if (code !== undefined && stopping) break;
    if (code !== undefined) throw new Failure(`the server ended while it started (exit ${code}):\n${tail()}`);
    if (Date.now() > end) {
      child.kill('SIGKILL');
      throw new Failure(`the server did not answer within ${START_MS / 1000} s:\n${tail()}`);
    }
  }
  if (!stopping) console.log(`neo4j ready bolt://127.0.0.1:${port} (user ${USER}, password ${PASSWORD}; stop it with Ctrl-C or npm run neo4j -- --stop)`);
  await exit;
  rmSync(stateFile, { force: true });
  // 143: ended by SIGTERM, as asked.
  if (!stopping && code !== 0 && code !== 143) throw new Failure(`the server ended (exit ${code}):\n${tail()}`);
}

function end(): void {
  if (stopping) return;
  stopping = true;
  server?.kill('SIGTERM');
  setTimeout(() => server?.kill('SIGKILL'), STOP_MS).unref();
}
process.on('SIGTERM', end).on('SIGINT', end);
// npm ends its shell and not what the shell runs.
const parent = process.ppid;
if (process.env['npm_lifecycle_event'] === 'neo4j') setInterval(() => process.ppid !== parent && end(), 500).unref();

try {
  const { port, keep, stop: ending } = options();
  await (ending ? stop() : start(port, keep));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  if (!stopping) console.error(error.message);
  process.exitCode = error.exitCode;
}
