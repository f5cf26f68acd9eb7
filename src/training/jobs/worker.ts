// Owns the process of one training run: it holds the run's folder against others, trains, and tells how it goes.
// Refuses to know jobs. Usage (by run-process.ts): fork(worker.ts, [spec.json])

import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { runTraining } from '../run/run-training.ts';
import { trainingSpec } from '../spec.ts';
import type { FromRun, ToRun } from './protocol.ts';

/** Whoever asks the service for something goes first. */
const NICE = 10;
/** For a run before it whose service ended: it needs one step to notice. */
const LOCK_MS = 120_000;

/** Of the message that was sent last; they go in their order. */
let sent: Promise<void> = Promise.resolve();
function send(message: FromRun): void {
  if (!process.connected) return;
  sent = new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'run_failed');

const [, , file] = process.argv;
const stop = new AbortController();
process.on('message', (message: ToRun) => {
  if (message.kind === 'stop') stop.abort();
});
// The service is gone, and another may be waiting for the folder.
process.on('disconnect', () => stop.abort());

try {
  try {
    setPriority(NICE);
  } catch {
    // Some systems do not let a process lower itself; it runs all the same.
  }
  // The lock is the system's: it ends with this process, however that ends.
  const lock = new DatabaseSync(join(dirname(file), 'run.lock'), { timeout: LOCK_MS });
  lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  const spec = trainingSpec.parse(JSON.parse(readFileSync(file, 'utf8')));
  await runTraining(spec, { emit: (event) => send({ kind: 'event', event }), signal: stop.signal, resume: true });
} catch (error) {
  send({ kind: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
await sent;
// Threads of a library may be left.
process.exit();
