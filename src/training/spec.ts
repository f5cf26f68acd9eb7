// Owns the specification of a training run: one JSON document that the command, the fine-tuning jobs and the launchers of other clusters take alike.
// Refuses to know how a run is carried out.

import { z } from 'zod';

const whole = (least: number, most: number) => z.int().min(least).max(most);
const MOST_STEPS = 10_000_000;

/** Learning rates of any run. */
const peak = z.number().min(1e-12).max(1e30);
/** Learning rate by step, counted from 0. Every kind begins with `warmup` steps of a straight line up to `peak`. */
export const scheduleSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), peak, warmup: whole(0, MOST_STEPS).default(0) }),
  z.strictObject({ kind: z.literal('linear'), peak, warmup: whole(0, MOST_STEPS).default(0), floor: z.number().min(0).max(1).default(0) }),
  z.strictObject({ kind: z.literal('cosine'), peak, warmup: whole(0, MOST_STEPS).default(0), floor: z.number().min(0).max(1).default(0) }),
  z.strictObject({
    /** rate = peak * gamma ^ (milestones reached). */
    kind: z.literal('multi_step'),
    peak,
    warmup: whole(0, MOST_STEPS).default(0),
    /** Steps, or, below 1, shares of all steps. Rising. */
    milestones: z.array(z.number().positive()).max(1000),
    gamma: z.union([z.number().positive(), z.array(z.number().positive()).max(1000)]),
  }),
]);
export const optimizerSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('adamw'),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.95),
    epsilon: z.number().positive().default(1e-8),
    weight_decay: z.number().min(0).default(0.1),
  }),
  z.strictObject({
    /** Matrices of the layers by Muon, all else by AdamW at `adam_rate` times the rate. */
    kind: z.literal('muon'),
    momentum: z.number().min(0).lt(1).default(0.95),
    weight_decay: z.number().min(0).default(0.1),
    adam_rate: z.number().positive().default(0.3),
  }),
]);
export const methodSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('full') }),
  z.strictObject({
    kind: z.literal('lora'),
    rank: whole(1, 1024).default(8),
    /** The product of both matrices is multiplied by alpha / rank. */
    alpha: z.number().positive().default(16),
    /** Which products get adapters, by the last part of their name. Default: all of the layers. */
    targets: z.array(z.string().min(1)).max(32).optional(),
  }),
]);

export const trainingSpec = z.strictObject({
  /** Folder of the model to start from: a model that ships with Pharos, config.json and *.safetensors, or what was brought in with --storage float or float16. */
  model: z.string().min(1),
  /** Folder that gets the result, in the layout that is served. */
  output: z.string().min(1),
  method: methodSpec.default({ kind: 'full' }),
  /** Chat JSONL: `{"messages": [...]}` a line. */
  training_files: z.array(z.string().min(1)).min(1).max(1000),
  validation_files: z.array(z.string().min(1)).max(1000).default([]),
  /** Tokens a row, rows a step and worker, steps whose gradients are added before an update. */
  context: whole(8, 131_072).default(512),
  rows: whole(1, 4096).default(8),
  accumulation: whole(1, 4096).default(1),
  /** Updates in all; without it, as many as `epochs` take. */
  steps: whole(1, MOST_STEPS).optional(),
  epochs: whole(1, 1000).default(3),
  optimizer: optimizerSpec.prefault({ kind: 'adamw' }),
  schedule: scheduleSpec.prefault({ kind: 'cosine', peak: 1e-3, warmup: 10, floor: 0.1 }),
  /** Gradients are scaled down to this Euclidean norm. */
  clip: z.number().positive().default(1),
  dropout: z.number().min(0).lt(1).default(0),
  /** `mixed`: products in half precision with loss scaling, where the provider has it. */
  precision: z.enum(['float32', 'mixed']).default('float32'),
  seed: whole(0, 2 ** 32 - 1).default(1),
  /** Workers that share a step's rows, and threads of each. */
  workers: whole(1, 256).default(1),
  threads: whole(1, 256).default(2),
  /** Steps between evaluations and between checkpoints; evaluations without a better loss before the run ends (0: it does not). */
  evaluate_every: whole(1, MOST_STEPS).default(50),
  checkpoint_every: whole(1, MOST_STEPS).default(50),
  patience: whole(0, 1000).default(0),
});
export type TrainingSpec = z.infer<typeof trainingSpec>;
export type TrainingSpecInput = z.input<typeof trainingSpec>;
export type ScheduleSpec = z.infer<typeof scheduleSpec>;
export type OptimizerSpec = z.infer<typeof optimizerSpec>;
export type MethodSpec = z.infer<typeof methodSpec>;

/** What a run tells while it goes on. Losses are mean cross-entropies of the learned tokens, in nats; accuracies the share of them that the model held for the most probable, where it says so. */
export type TrainingEvent =
  | { readonly kind: 'start'; readonly steps: number; readonly parameters: number; readonly trained: number; readonly examples: number; readonly resumedAt: number; /** What is left out of the data. */ readonly note?: string }
  | { readonly kind: 'step'; readonly step: number; readonly loss: number; readonly accuracy?: number; readonly rate: number; readonly gradientNorm: number; readonly tokens: number; readonly tokensPerSecond: number }
  | { readonly kind: 'evaluation'; readonly step: number; readonly loss: number; readonly accuracy?: number; readonly best: boolean }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly file: string }
  | { readonly kind: 'end'; readonly step: number; readonly reason: 'done' | 'early' | 'stopped'; readonly model: string };
