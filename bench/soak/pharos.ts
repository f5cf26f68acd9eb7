// Owns the server under load: its own process with small caches and a new folder, everything that it complains of, and its gauges.
// Refuses to know what is asked of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../common/server.ts';

/** Level of pino from which a line is a complaint: error. */
const ERROR = 50;
const KEPT = 50;

export interface Gauges {
  /** Generations that compute, wait, hold a slot or whose answer is not over. */
  readonly busy: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly facts: number;
}

export class SoakedServer implements AsyncDisposable {
  readonly url: string;
  /** Lines on stderr that a server without faults does not write: errors, warnings of Node, unhandled rejections. */
  readonly complaints: string[] = [];
  readonly #folder: string;
  readonly #child: ReturnType<typeof spawn>;
  readonly #ended: Promise<unknown>;
  #stopping = false;

  private constructor(url: string, folder: string, environment: Readonly<Record<string, string>>) {
    this.url = url;
    this.#folder = folder;
    this.#child = spawn(process.execPath, ['--trace-warnings', fileURLToPath(new URL('../../src/server.ts', import.meta.url))], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    let rest = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#read(line);
    });
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      if (!this.#stopping) this.#complain(`the server ended by itself: code ${code}, signal ${signal}`);
      if (rest !== '') this.#read(rest);
      return undefined;
    });
  }
  #complain(line: string): void {
    if (this.complaints.length < KEPT) this.complaints.push(line);
  }
  #read(line: string): void {
    if (line.trim() === '') return;
    try {
      const { level = ERROR } = JSON.parse(line) as { level?: number };
      if (level >= ERROR) this.#complain(line);
    } catch {
      this.#complain(line);
    }
  }
  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  static async start(settings: Readonly<Record<string, string>>): Promise<SoakedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'pharos-soak-'));
    const port = await freePort();
    const server = new SoakedServer(`http://127.0.0.1:${port}`, folder, { PHAROS_HOST: '127.0.0.1', PHAROS_PORT: String(port), PHAROS_DATA: folder, PHAROS_LOG_LEVEL: 'warn', ...settings });
    for (const deadline = Date.now() + 60_000; Date.now() < deadline && !server.ended; await wait(100)) {
      const answer = await fetch(`${server.url}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return server;
    }
    await server[Symbol.asyncDispose]();
    throw new Error(`the server did not get ready:\n${server.complaints.join('\n')}`);
  }

  async gauges(): Promise<Gauges> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const sum = (name: string): number =>
      text
        .split('\n')
        .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
    const busy = ['pharos_engine_running', 'pharos_engine_waiting', 'pharos_engine_slots_used', 'pharos_generations'].map(sum).reduce((a, b) => a + b, 0);
    return { busy, residentBytes: sum('process_resident_memory_bytes'), heapBytes: sum('nodejs_heap_size_used_bytes'), facts: sum('pharos_facts') };
  }
  /** Ends it as an operator does; a server that does not end by itself is a complaint. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.ended) return;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => {
      this.#complain('the server did not end within 40 s of SIGTERM');
      this.#child.kill('SIGKILL');
    }, 40_000);
    await this.#ended;
    clearTimeout(late);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
