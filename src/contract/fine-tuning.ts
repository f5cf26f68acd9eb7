// Owns the wire form of fine-tuning jobs, their events and checkpoints, as OpenAI's API has them, with what Pharos adds.
// Refuses to know how a job is run.

import { z } from 'zod';
import { baseName, baseOf, queryFlag } from './common.ts';
import { afterListOf, afterPage } from '../http/after.ts';
import type { ModelInfo } from '../engine/port.ts';
import { JOB_STATUSES, jobSettings } from '../training/jobs/job.ts';
import type { Job, JobCheckpoint, JobEvent } from '../training/jobs/job.ts';
import type { NewJob } from '../training/jobs/queue.ts';
import { fineTunedName } from '../training/jobs/tuned-models.ts';
import { requireSchedule } from '../training/optimizers/schedules.ts';
import { methodSpec, optimizerSpec, scheduleSpec, trainingSpec } from '../training/spec.ts';

export const [JOBS_PAGE, EVENTS_PAGE, CHECKPOINTS_PAGE] = [20, 20, 10];
/** Examples out of a knowledge base when the request names no number. */
const EXAMPLES = 1_000;
const CONTEXT = 512;
/** Models below it are small: they take larger steps of more rows. */
const SMALL = 20e6;

const auto = <T extends z.ZodType>(value: T) => z.union([z.literal('auto'), value]).optional();
const hyperparameters = z.strictObject({
  n_epochs: auto(z.int().min(1).max(1000)).describe('Times that each example is seen (default 3).'),
  batch_size: auto(z.int().min(1).max(4096)).describe('Rows of `context` tokens a step.'),
  learning_rate_multiplier: auto(z.number().min(1e-6).max(1000)).describe('Times the peak of the learning rate.'),
});
const method = z.strictObject({
  type: z.literal('supervised', { error: 'only supervised is supported' }),
  supervised: z.strictObject({ hyperparameters: hyperparameters.optional() }).optional(),
});
const lora = z
  .strictObject({
    rank: z.int().min(1).max(1024).optional(),
    alpha: z.number().positive().optional().describe('The product of both matrices is multiplied by alpha / rank.'),
    targets: z
      .array(z.string().min(1))
      .min(1)
      .max(32)
      .optional()
      .describe('Which matrices of the layers get adapters, by the last part of their name (default all).'),
  })
  .describe('Train adapters of low rank instead of all parameters; they are merged into the result.');
const knowledge = z
  .strictObject({
    base: baseName.optional().describe('Name of the knowledge base; `default` when absent.'),
    examples: z.int().min(1).optional().describe(`Examples wanted (default ${EXAMPLES}); a small base has fewer questions.`),
    languages: z
      .array(z.enum(['en', 'zh']))
      .min(1)
      .max(2)
      .optional()
      .describe('Of the questions (default both).'),
    evidence: z
      .boolean()
      .optional()
      .describe('true (default): each example holds what the graph found, and the model learns to word it. false: questions alone, and the model learns the answers by heart; it then says them without the graph, and nothing proves them.'),
  })
  .describe('Instead of training_file: questions over its own relations and paths. Those about some of its things are kept for validation; with `evidence: false`, some of the questions.');
const { shape } = trainingSpec;
const settings = {
  schedule: scheduleSpec.optional().describe('Learning rate by step; `peak` is multiplied by learning_rate_multiplier.'),
  optimizer: optimizerSpec.optional(),
  context: z.int().min(8).max(131_072).optional().describe(`Tokens of one row (default ${CONTEXT}, or the model's longest text).`),
  steps: shape.steps.describe('Updates in all, instead of n_epochs.'),
  dropout: shape.dropout.unwrap().optional(),
  patience: shape.patience.unwrap().optional().describe('Evaluations without a better loss before the run ends; 0: it does not.'),
  evaluate_every: shape.evaluate_every.unwrap().optional().describe('Steps between evaluations.'),
  checkpoint_every: shape.checkpoint_every.unwrap().optional().describe('Steps between checkpoints.'),
};
const fileId = z.string().min(1).max(128);

export const createJob = z
  .strictObject({
    model: z.string().min(1).max(256).describe('Name of a model that serves here, whose weights can be trained.'),
    training_file: fileId.nullish().describe('Id of an uploaded file of the purpose fine-tune.'),
    validation_file: fileId.nullish(),
    hyperparameters: hyperparameters.optional().describe('As `method.supervised.hyperparameters`.'),
    method: method.optional(),
    suffix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits and . _ - and start with a letter or digit')
      .nullish()
      .describe("Part of the new model's name."),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .nullish(),
    metadata: z
      .record(z.string().max(64), z.string().max(512))
      .refine((given) => Object.keys(given).length <= 16, { error: 'has more than 16 entries, which is the limit' })
      .nullish(),
    integrations: z.array(z.unknown()).max(0, 'are not supported; leave them out').nullish(),
    knowledge: knowledge.optional(),
    lora: lora.optional(),
    ...settings,
  })
  .superRefine(({ training_file: file, validation_file: held, knowledge: base, hyperparameters: own, method: way, schedule, steps, patience }, context) => {
    const multiplier = number((way?.supervised?.hyperparameters ?? own)?.learning_rate_multiplier, 1);
    const rate = schedule && scheduleSpec.safeParse({ ...schedule, peak: schedule.peak * multiplier });
    if (rate?.success === false) context.addIssue({ code: 'custom', path: ['schedule', 'peak'], message: `times learning_rate_multiplier is ${schedule?.peak ?? 0} times ${multiplier}, which is no learning rate` });
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (!file && !base) wrong('training_file', 'is required; or give knowledge, for examples out of a knowledge base');
    if (file && base) wrong('knowledge', 'cannot be combined with training_file; give one of them');
    if (patience && !held && !base) wrong('patience', 'needs losses to watch: give validation_file, or knowledge, or leave patience out');
    if (schedule)
      try {
        requireSchedule(schedule, steps);
      } catch (error) {
        wrong('schedule', error instanceof Error ? error.message.replace(/^schedule: /, '') : String(error));
      }
    if (own && way?.supervised?.hyperparameters) wrong('hyperparameters', 'are in method, too; give them once');
  })
  .meta({ id: 'CreateFineTuningJob', example: { model: 'pharos-mini', knowledge: { base: 'default', examples: 500 }, suffix: 'my-graph' } });

const asked = z.number();
export const job = z
  .strictObject({
    id: z.string(),
    object: z.literal('fine_tuning.job'),
    model: z.string(),
    created_at: z.int(),
    finished_at: z.int().nullable(),
    estimated_finish: z.int().nullable(),
    fine_tuned_model: z.string().nullable().describe('Name under which the result serves.'),
    organization_id: z.string(),
    status: z.enum(JOB_STATUSES),
    error: z.strictObject({ code: z.string(), message: z.string(), param: z.string().nullable() }).nullable(),
    training_file: z.string().nullable(),
    validation_file: z.string().nullable(),
    result_files: z.array(z.string()).describe('Figures of each step (CSV), and plots of loss and learning rate (SVG).'),
    trained_tokens: z.int().nullable(),
    hyperparameters: z.strictObject({ n_epochs: asked, batch_size: asked, learning_rate_multiplier: asked }),
    method: z.strictObject({
      type: z.literal('supervised'),
      supervised: z.strictObject({ hyperparameters: z.strictObject({ n_epochs: asked, batch_size: asked, learning_rate_multiplier: asked }) }),
    }),
    suffix: z.string().nullable(),
    seed: z.int(),
    metadata: z.record(z.string(), z.string()).nullable(),
    integrations: z.array(z.never()),
    knowledge: z.strictObject({ base: z.string(), examples: z.int(), languages: z.array(z.enum(['en', 'zh'])), evidence: z.boolean() }).nullable(),
    lora: z.strictObject({ rank: z.int(), alpha: z.number(), targets: z.array(z.string()).optional() }).nullable(),
    schedule: scheduleSpec,
    optimizer: optimizerSpec,
    context: z.int(),
    progress: z.strictObject({ step: z.int(), steps: z.int().nullable() }),
  })
  .meta({ id: 'FineTuningJob' });
export const jobEvent = z
  .strictObject({
    id: z.string(),
    object: z.literal('fine_tuning.job.event'),
    created_at: z.int(),
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
    type: z.enum(['message', 'metrics']),
    data: z.record(z.string(), z.unknown()).describe('Figures: step, total_steps, train_loss, valid_loss, learning_rate, tokens_per_second and the like.'),
  })
  .meta({ id: 'FineTuningJobEvent' });
export const jobCheckpoint = z
  .strictObject({
    id: z.string(),
    object: z.literal('fine_tuning.job.checkpoint'),
    created_at: z.int(),
    fine_tuning_job_id: z.string(),
    fine_tuned_model_checkpoint: z.string().describe('Name of the state; the run goes on from it after a pause or a restart. Only the result of a job serves.'),
    step_number: z.int(),
    metrics: z.strictObject({
      step: z.int(),
      train_loss: z.number().optional(),
      train_mean_token_accuracy: z.number().optional().describe('Share of the learned tokens that the model held for the most probable.'),
      valid_loss: z.number().optional().describe('Of all validation data, as full_valid_loss.'),
      valid_mean_token_accuracy: z.number().optional(),
      full_valid_loss: z.number().optional(),
      full_valid_mean_token_accuracy: z.number().optional(),
    }),
  })
  .meta({ id: 'FineTuningCheckpoint' });
export const jobList = afterListOf(job);
export const eventList = afterListOf(jobEvent);
export const checkpointList = afterListOf(jobCheckpoint);
export const jobParams = z.strictObject({ id: z.string().min(1).max(128) });
/** Of requests whose address says all. */
export const noBody = z.strictObject({}).nullish().describe('Nothing is needed here.');
const METADATA = /^metadata\[(.{1,64})\]$/s;
export const jobQuery = z
  .object({ ...afterPage(1000, JOBS_PAGE), metadata: z.literal('null').optional().describe('Only jobs without metadata.') })
  .catchall(z.string())
  .superRefine((given, context) => {
    for (const key of Object.keys(given))
      if (!METADATA.test(key) && !['limit', 'after', 'cursor', 'metadata'].includes(key))
        context.addIssue({ code: 'unrecognized_keys', keys: [key], path: [] });
  })
  .describe('`metadata[KEY]=VALUE` gives only jobs with that.');
export const eventQuery = z.strictObject({
  ...afterPage(1000, EVENTS_PAGE),
  stream: queryFlag.optional().describe('As server-sent events, oldest first, until the job ends.'),
});
export const checkpointQuery = z.strictObject(afterPage(1000, CHECKPOINTS_PAGE));

/** Whether a job has the metadata that a query asks for. */
export const hasMetadata = (query: Readonly<Record<string, unknown>>, { metadata }: Job): boolean =>
  (query['metadata'] !== 'null' || metadata === undefined) &&
  Object.entries(query).every(([key, value]) => metadata?.[METADATA.exec(key)?.[1] ?? ''] === value || !METADATA.test(key));

const number = (given: number | 'auto' | undefined, usual: number): number => (given === undefined || given === 'auto' ? usual : given);
/** A job as it is asked for. What is not said is chosen by the size of the model. */
export function jobOf(
  body: z.infer<typeof createJob>,
  { id, parameters = 0, contextLength = CONTEXT }: ModelInfo,
  most: { readonly examples: number },
): NewJob {
  const { n_epochs: epochs, batch_size: rows, learning_rate_multiplier: multiplier } = body.method?.supervised?.hyperparameters ?? body.hyperparameters ?? {};
  const small = parameters < SMALL;
  const learningRateMultiplier = number(multiplier, 1);
  const { schedule, optimizer, steps, dropout, patience, evaluate_every: evaluateEvery, checkpoint_every: checkpointEvery } = body;
  const chosen = schedule ?? { kind: 'cosine' as const, peak: small ? 3e-4 : body.lora ? 2e-4 : 5e-5, warmup: 10, floor: 0.1 };
  return {
    model: id,
    ...(body.suffix ? { suffix: body.suffix } : {}),
    ...(body.metadata ? { metadata: body.metadata } : {}),
    ...(body.training_file ? { trainingFile: body.training_file } : {}),
    ...(body.validation_file ? { validationFile: body.validation_file } : {}),
    ...(body.knowledge
      ? {
          knowledge: {
            base: baseOf(body.knowledge.base),
            examples: body.knowledge.examples ?? Math.min(EXAMPLES, most.examples),
            languages: body.knowledge.languages ?? ['en', 'zh'],
            evidence: body.knowledge.evidence ?? true,
          },
        }
      : {}),
    learningRateMultiplier,
    settings: jobSettings.parse({
      method: methodSpec.parse(body.lora ? { kind: 'lora', ...body.lora } : { kind: 'full' }),
      schedule: { ...chosen, peak: chosen.peak * learningRateMultiplier },
      epochs: number(epochs, 3),
      rows: number(rows, small ? 8 : 2),
      context: Math.min(body.context ?? CONTEXT, contextLength),
      seed: body.seed ?? 1,
      ...(optimizer === undefined ? {} : { optimizer }),
      ...(steps === undefined ? {} : { steps }),
      ...(dropout === undefined ? {} : { dropout }),
      ...(patience === undefined ? {} : { patience }),
      ...(evaluateEvery === undefined ? {} : { evaluate_every: evaluateEvery }),
      ...(checkpointEvery === undefined ? {} : { checkpoint_every: checkpointEvery }),
    }),
  };
}

const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.floor(ms / 1000));
export function jobWire(given: Job): z.infer<typeof job> {
  const { settings: of } = given;
  const chosen = { n_epochs: of.epochs, batch_size: of.rows, learning_rate_multiplier: given.learningRateMultiplier };
  return {
    id: given.id,
    object: 'fine_tuning.job',
    model: given.model,
    created_at: Math.floor(given.created / 1000),
    finished_at: seconds(given.finished),
    estimated_finish: seconds(given.estimatedFinish),
    fine_tuned_model: given.fineTunedModel ?? null,
    organization_id: 'pharos',
    status: given.status,
    error: given.error ?? null,
    training_file: given.trainingFile ?? null,
    validation_file: given.validationFile ?? null,
    result_files: [...given.resultFiles],
    trained_tokens: given.trainedTokens === 0 ? null : given.trainedTokens,
    hyperparameters: chosen,
    method: { type: 'supervised', supervised: { hyperparameters: chosen } },
    suffix: given.suffix ?? null,
    seed: of.seed,
    metadata: given.metadata ?? null,
    integrations: [],
    knowledge: given.knowledge ? { ...given.knowledge, languages: [...given.knowledge.languages] } : null,
    lora:
      of.method.kind === 'lora' ? { rank: of.method.rank, alpha: of.method.alpha, ...(of.method.targets ? { targets: [...of.method.targets] } : {}) } : null,
    schedule: { ...of.schedule, peak: of.schedule.peak / given.learningRateMultiplier },
    optimizer: of.optimizer,
    context: of.context,
    progress: { step: given.step, steps: given.steps ?? of.steps ?? null },
  };
}
export const eventWire = ({ id, created, level, type, message, data }: JobEvent): z.infer<typeof jobEvent> => ({
  id,
  object: 'fine_tuning.job.event',
  created_at: Math.floor(created / 1000),
  level,
  message,
  type,
  data: data ?? {},
});
export const checkpointWire = (of: Job, { created, step, trainLoss, trainAccuracy, validLoss, validAccuracy }: JobCheckpoint): z.infer<typeof jobCheckpoint> => ({
  id: `ftckpt-${of.id.replace(/^ftjob-/, '')}-${step}`,
  object: 'fine_tuning.job.checkpoint',
  created_at: Math.floor(created / 1000),
  fine_tuning_job_id: of.id,
  fine_tuned_model_checkpoint: `${fineTunedName(of)}:ckpt-step-${step}`,
  step_number: step,
  metrics: {
    step,
    ...(trainLoss === undefined ? {} : { train_loss: trainLoss }),
    ...(trainAccuracy === undefined ? {} : { train_mean_token_accuracy: trainAccuracy }),
    ...(validLoss === undefined ? {} : { valid_loss: validLoss, full_valid_loss: validLoss }),
    ...(validAccuracy === undefined ? {} : { valid_mean_token_accuracy: validAccuracy, full_valid_mean_token_accuracy: validAccuracy }),
  },
});
