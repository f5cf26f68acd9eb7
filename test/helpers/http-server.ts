// Owns real server processes for tests: started as a user starts them, on a free port, with data in a folder of their own.
// Refuses to know what is asked of them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

export interface Server {
  readonly url: string;
  /** What it printed before it was ready. */
  readonly banner: string;
  /** Sends the signal; resolves to code and signal with which it ended. */
  stop(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Lines of its log so far. */
  log(): string;
}

/** Resolves when it listens; rejects with what it said when it does not. */
export async function startServer(t: Pick<Test, 'teardown'>, settings: Readonly<Record<string, string>>): Promise<Server> {
  const script = fileURLToPath(new URL('../../src/server.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { env: { PHAROS_PORT: '0', PHAROS_DEVICE: 'cpu', ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  t.teardown(async () => {
    if (running()) child.kill('SIGKILL');
    await ended;
  });
  let [banner, log] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stdout.setEncoding('utf8');
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: string) => {
      banner += text;
      // The request to paste is the last thing it prints.
      const address = /listens on (\S+)/.exec(banner)?.[1];
      if (address !== undefined && banner.includes("-d '")) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}: ${log}`)));
  });
  return {
    url,
    banner,
    log: () => log,
    stop: async (signal) => {
      if (running()) child.kill(signal);
      const [code, by] = await ended;
      return { code, signal: by };
    },
  };
}

/** One number out of /metrics. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(line.slice(name.length));
}
/** Waits until `read` gives what is wanted; resolves to what it gave last. */
export async function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean, seconds = 10): Promise<T> {
  let value = await read();
  for (const deadline = Date.now() + seconds * 1000; !wanted(value) && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    value = await read();
  }
  return value;
}
