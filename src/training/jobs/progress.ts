// Owns how a run's events change the record of its job, and what is told of them.
// Refuses to know processes and files.

import type { TrainingEvent } from '../spec.ts';
import type { Job, JobCheckpoint, NewJobEvent } from './job.ts';

/** Steps whose figures are told, of the steps of one run. */
const TOLD = 1_000;
/** Checkpoints that a record lists. */
const LISTED = 1_000;
/** Weight of the newest step in the mean time of a step. */
const RECENT = 0.1;
const digits = (value: number): number => Number(value.toPrecision(6));

interface Said {
  readonly loss: number;
  readonly accuracy?: number;
}
/** OpenAI's names. A run evaluates on all of its validation data: what is said of it is said of the whole. */
function figures(kinds: readonly string[], { loss, accuracy }: Said): Readonly<Record<string, number>> {
  return Object.fromEntries(
    kinds.flatMap((kind) => [[`${kind}_loss`, digits(loss)], ...(accuracy === undefined ? [] : [[`${kind}_mean_token_accuracy`, digits(accuracy)]])]),
  );
}
/** Of its figures in a record, those that are there. */
const kept = (loss: string, accuracy: string, said: Said | undefined): Partial<JobCheckpoint> =>
  said === undefined ? {} : { [loss]: said.loss, ...(said.accuracy === undefined ? {} : { [accuracy]: said.accuracy }) };
/** Follows one run. */
export class Progress {
  #stepMs: number | undefined;
  #since: number;
  #trained: Said | undefined;
  #evaluated: (Said & { readonly step: number }) | undefined;
  readonly #now: () => number;
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** What the record becomes, and what is told. */
  take(job: Job, event: TrainingEvent): { readonly job: Job; readonly told: readonly NewJobEvent[] } {
    switch (event.kind) {
      case 'start': {
        this.#since = this.#now();
        const { steps, examples, parameters, trained, resumedAt, note } = event;
        const message =
          resumedAt > 0
            ? `Training goes on from the checkpoint of step ${resumedAt} of ${steps}`
            : `Training began: ${examples} examples, ${steps} steps, ${trained} of ${parameters} parameters are trained`;
        return {
          job: { ...job, steps, step: resumedAt },
          told: [
            info(message, { steps, examples, parameters, trained_parameters: trained, resumed_at: resumedAt }),
            ...(note === undefined ? [] : [{ level: 'warn' as const, type: 'message' as const, message: note }]),
          ],
        };
      }
      case 'step': {
        const now = this.#now();
        const ms = now - this.#since;
        this.#since = now;
        this.#stepMs = this.#stepMs === undefined ? ms : this.#stepMs + RECENT * (ms - this.#stepMs);
        const { step, loss, rate, gradientNorm, tokens, tokensPerSecond } = event;
        this.#trained = event;
        const steps = job.steps ?? step;
        const told = step % Math.ceil(steps / TOLD) === 0 || step === steps;
        const data = {
          step,
          total_steps: steps,
          ...figures(['train'], event),
          learning_rate: digits(rate),
          gradient_norm: digits(gradientNorm),
          trained_tokens: tokens,
          tokens_per_second: Math.round(tokensPerSecond),
        };
        return {
          job: { ...job, step, trainedTokens: tokens, estimatedFinish: Math.round(now + this.#stepMs * (steps - step)) },
          told: told ? [{ level: 'info', type: 'metrics', message: `Step ${step}/${steps}: training loss=${loss.toFixed(4)}`, data }] : [],
        };
      }
      case 'evaluation': {
        const { step, loss, best } = event;
        this.#evaluated = event;
        const data = { step, ...figures(['valid', 'full_valid'], event), best };
        return {
          job,
          told: [{ level: 'info', type: 'metrics', message: `Step ${step}: validation loss=${loss.toFixed(4)}${best ? ', the best so far' : ''}`, data }],
        };
      }
      case 'checkpoint': {
        const { step } = event;
        const made: JobCheckpoint = {
          created: this.#now(),
          step,
          ...kept('trainLoss', 'trainAccuracy', this.#trained),
          ...kept('validLoss', 'validAccuracy', this.#evaluated?.step === step ? this.#evaluated : undefined),
        };
        const before = job.checkpoints.filter((each) => each.step !== step);
        return { job: { ...job, attempts: 0, checkpoints: [...before, made].slice(-LISTED) }, told: [info(`Checkpoint of step ${step} kept`, { step })] };
      }
      case 'end':
        return { job, told: [] };
      default:
        return event satisfies never;
    }
  }
}

export const info = (message: string, data?: Readonly<Record<string, unknown>>): NewJobEvent => ({
  level: 'info',
  type: 'message',
  message,
  ...(data ? { data } : {}),
});
