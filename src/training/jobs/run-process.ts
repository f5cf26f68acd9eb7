// Owns the process of one training run as the service sees it: started, told to stop, ended. What breaks in it does not break the service.
// Refuses to know jobs and what the events mean.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrainingEvent } from '../spec.ts';
import type { FromRun, ToRun } from './protocol.ts';

const SCRIPT = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** Characters kept of what it printed last. */
const TAIL = 2_000;

export type RunOutcome =
  | { readonly kind: 'ended'; readonly reason: Extract<TrainingEvent, { kind: 'end' }>['reason'] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export class RunProcess {
  readonly #child: ChildProcess;
  /** When its process is gone. Never rejects. */
  readonly outcome: Promise<RunOutcome>;

  /** `spec`: file of the specification. It goes on from the run's checkpoint, if there is one. */
  constructor(spec: string, emit: (event: TrainingEvent) => void) {
    const child = fork(SCRIPT, [spec], { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    let told: RunOutcome | undefined;
    let printed = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-TAIL)));
    child.on('message', (message: FromRun) => {
      if (message.kind === 'failed') told = message;
      else {
        if (message.event.kind === 'end') told = { kind: 'ended', reason: message.event.reason };
        emit(message.event);
      }
    });
    this.outcome = new Promise((resolve) => {
      child.on('error', (error) => resolve({ kind: 'failed', code: 'run_broke', message: `the training process cannot be started: ${error.message}` }));
      child.once('close', (code, signal) =>
        resolve(
          told ?? {
            kind: 'failed',
            code: 'run_broke',
            message: `the training process ended with ${signal === null ? `code ${code}` : `signal ${signal}`}${signal === 'SIGKILL' ? ', as systems do that run out of memory; try fewer rows a step, a shorter context, or lora' : ''}${printed.trim() === '' ? '' : `: ${printed.trim()}`}`,
          },
        ),
      );
    });
  }
  /** It keeps where it is and ends within one step. */
  stop(): void {
    if (this.#child.connected) this.#child.send({ kind: 'stop' } satisfies ToRun, () => undefined);
  }
  /** It ends at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
