// Owns a Pharos server for a benchmark: started as its own process on a free loopback port, with its data in a new folder, and always ended.
// Refuses to know what is asked of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly pid: number;
  /** Sum of a metric's samples whose line begins with `name` and holds every one of `labels`; undefined when there is none. */
  metric(name: string, ...labels: string[]): Promise<number | undefined>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts `script` (relative to the project's root) and waits until `path` answers 200, at most `seconds`. */
export async function startProcess(script: string, path: string, environment: Readonly<Record<string, string>>, seconds = 60): Promise<{ pid: number; stop: () => Promise<void> }> {
  const url = `http://127.0.0.1:${environment.PHAROS_PORT ?? environment.PORT}`;
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../${script}`, import.meta.url))], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = new AbortController();
    await Promise.race([ended, wait(20_000, undefined, { signal: late.signal }).then(() => child.kill('SIGKILL'), () => undefined)]);
    late.abort();
  };
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await wait(50)) {
    if (child.exitCode !== null) throw new Error(`${script} ended with code ${child.exitCode} before it answered:\n${complaint}`);
    const answer = await fetch(url + path).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200 && child.pid !== undefined) return { pid: child.pid, stop };
  }
  await stop();
  throw new Error(`${script} did not answer ${path} within ${seconds} s:\n${complaint}`);
}

/** A Pharos server with an empty store of its own (and whatever its first start puts there). */
export async function startPharos(environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { pid, stop } = await startProcess('src/server.ts', '/readyz', { PHAROS_HOST: '127.0.0.1', PHAROS_PORT: String(port), PHAROS_DATA: folder, PHAROS_LOG_LEVEL: 'error', ...environment }).catch(
    async (error: unknown) => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    },
  );
  return {
    url,
    pid,
    async metric(name, ...labels) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const found = text.split('\n').filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && labels.every((label) => line.includes(label)));
      return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
