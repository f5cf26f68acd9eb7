// Owns the process of one training run: it holds the run's folder against others, trains, and tells how it goes.
// Refuses to know jobs. Usage (by run-process.ts): fork(worker.ts, [spec.json])

import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { runTraining } from '../run/run-training.ts';
import { trainingSpec } from '../spec.ts';
import type { TrainingEvent } from '../spec.ts';
import type { FromRun, ToRun } from './protocol.ts';

/** Whoever asks the service for something goes first. */
const NICE = 10;
/** Between two looks whether the folder is free: a run before it whose service ended needs a step to notice, which may take minutes. */
const LOOK_MS = 500;
/** Result code of SQLite (sqlite.org/rescode.html). */
const BUSY = 5;

/** Of the message that was sent last; they go in their order. */
let sent: Promise<void> = Promise.resolve();
function send(message: FromRun): void {
  if (!process.connected) return;
  sent = new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'run_failed');
/** Holds a folder against others; the lock is the system's, and ends with this process, however that ends. Undefined when the signal came before the folder was free. */
async function hold(folder: string, signal: AbortSignal): Promise<DatabaseSync | undefined> {
  const lock = new DatabaseSync(join(folder, 'run.lock'));
  while (!signal.aborted) {
    try {
      lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return lock;
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error && error.errcode === BUSY)) throw error;
    }
    await setTimeout(LOOK_MS);
  }
  return undefined;
}

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
  const spec = trainingSpec.parse(JSON.parse(readFileSync(file, 'utf8')));
  const emit = (event: TrainingEvent): void => send({ kind: 'event', event });
  const lock = await hold(dirname(file), stop.signal);
  if (lock) await runTraining(spec, { emit, signal: stop.signal, resume: true });
  else emit({ kind: 'end', step: 0, reason: 'stopped', model: spec.output });
  lock?.close();
} catch (error) {
  send({ kind: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
await sent;
// Threads of a library may be left.
process.exit();
