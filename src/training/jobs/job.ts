// Owns what a fine-tuning job is: its record on the disk, its states, its events, and what can go wrong with it.
// Refuses to know HTTP, and how a job is run.

import { z } from 'zod';
import { trainingSpec } from '../spec.ts';

/** `validating_files`: its examples are being made ready. A job that ended stays as it is. */
export const JOB_STATUSES = ['validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];
export type EndedStatus = 'succeeded' | 'failed' | 'cancelled';
export type OpenStatus = Exclude<JobStatus, EndedStatus>;
const ENDED: ReadonlySet<JobStatus> = new Set<EndedStatus>(['succeeded', 'failed', 'cancelled']);
export const hasEnded = ({ status }: { readonly status: JobStatus }): boolean => ENDED.has(status);

export const knowledgeSource = z.strictObject({ base: z.string(), examples: z.int().min(1), languages: z.array(z.enum(['en', 'zh'])).min(1), evidence: z.boolean().default(true) });
export type KnowledgeSource = Readonly<z.infer<typeof knowledgeSource>>;
/** What of a specification a client chooses; the rest are folders and files. */
export const jobSettings = trainingSpec.omit({ model: true, output: true, training_files: true, validation_files: true });

const checkpoint = z.strictObject({
  created: z.number(),
  step: z.int(),
  trainLoss: z.number().optional(),
  trainAccuracy: z.number().optional(),
  validLoss: z.number().optional(),
  validAccuracy: z.number().optional(),
});
export type JobCheckpoint = Readonly<z.infer<typeof checkpoint>>;
export const jobRecord = z.strictObject({
  id: z.string().regex(/^ftjob-[A-Za-z0-9]{24}$/),
  /** Milliseconds since 1970 UTC, here and below. */
  created: z.number(),
  finished: z.number().optional(),
  status: z.enum(JOB_STATUSES),
  /** Name of the model that it starts from. */
  model: z.string(),
  suffix: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  /** Ids of files; without a training file the examples come from `knowledge`. */
  trainingFile: z.string().optional(),
  validationFile: z.string().optional(),
  knowledge: knowledgeSource.optional(),
  settings: jobSettings,
  learningRateMultiplier: z.number(),
  error: z.strictObject({ code: z.string(), message: z.string(), param: z.string().nullable() }).optional(),
  fineTunedModel: z.string().optional(),
  resultFiles: z.array(z.string()),
  step: z.int(),
  steps: z.int().optional(),
  trainedTokens: z.int(),
  estimatedFinish: z.number().optional(),
  checkpoints: z.array(checkpoint),
  /** Events that could not be written before it ended. */
  eventsLost: z.int().optional(),
  /** Starts since the last checkpoint. */
  attempts: z.int(),
});
export type Job = Readonly<z.infer<typeof jobRecord>>;

export interface JobEvent {
  readonly id: string;
  /** Milliseconds since 1970 UTC. */
  readonly created: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly type: 'message' | 'metrics';
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
export type NewJobEvent = Omit<JobEvent, 'id' | 'created'>;

export type JobErrorCode = 'unknown_job' | 'job_queue_full' | 'job_ended' | 'job_not_paused' | 'job_paused' | 'tuning_unsupported' | 'jobs_closed';
/** What cannot be done with a job, or with jobs at all. */
export class JobError extends Error {
  readonly code: JobErrorCode;
  constructor(code: JobErrorCode, message: string) {
    super(message);
    this.name = 'JobError';
    this.code = code;
  }
}
