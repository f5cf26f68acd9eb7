// Owns what operators are told of jobs: how many are at what, how many ended how, tokens trained.
// Refuses to know what jobs do and where they are kept.

import type { EndedStatus, Job, OpenStatus } from './job.ts';

export interface TuningStatistics {
  /** Jobs that have not ended, by what they do. */
  readonly jobs: Readonly<Record<OpenStatus, number>>;
  /** Since the service began, here and below. */
  readonly ended: Readonly<Record<EndedStatus, number>>;
  /** Of the steps that were made; those that a restart makes again count once. */
  readonly trainedTokens: number;
}

export class Tally {
  readonly #ended: Record<EndedStatus, number> = { succeeded: 0, failed: 0, cancelled: 0 };
  #trainedTokens = 0;

  end(status: EndedStatus): void {
    this.#ended[status]++;
  }
  /** A job before and after an event of its run. */
  train(before: Job, after: Job): void {
    this.#trainedTokens += Math.max(0, after.trainedTokens - before.trainedTokens);
  }
  of(jobs: readonly Job[]): TuningStatistics {
    const count = (wanted: OpenStatus): number => jobs.filter(({ status }) => status === wanted).length;
    return {
      jobs: { validating_files: count('validating_files'), queued: count('queued'), running: count('running'), paused: count('paused') },
      ended: { ...this.#ended },
      trainedTokens: this.#trainedTokens,
    };
  }
}
