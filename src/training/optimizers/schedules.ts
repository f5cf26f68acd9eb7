// Owns learning-rate schedules: from their specification to a rate for each step.
// Refuses to know optimizers and what is trained.

import type { ScheduleSpec } from '../spec.ts';

/** The learning rate of a step; steps count from 0. */
export type Schedule = (step: number) => number;

/** The schedule of DeepSeek LLM (DeepSeek-AI 2024, section 2.3): 2,000 steps of warm-up, 31.6% of the peak after 80% of all steps, 10% after 90%. */
export const deepSeekSchedule = (peak: number): ScheduleSpec => ({ kind: 'multi_step', peak, warmup: 2000, milestones: [0.8, 0.9], gamma: Math.sqrt(0.1) });

/**
 * The schedule of a run of `total` steps. Warm-up is a straight line that reaches the peak in its last step; what follows depends on the kind:
 * `linear` and `cosine` (half a period; Loshchilov and Hutter 2017, eq. 5) fall to peak * floor at `total` and stay there; `multi_step` multiplies by gamma from each milestone on, with a list of
 * gammas by the one of that milestone. A run shorter than its warm-up ends below the peak. Throws what requireSchedule throws.
 */
export function scheduleOf(spec: ScheduleSpec, total: number): Schedule {
  requireSchedule(spec, total);
  const { peak, warmup } = spec;
  const shape = shapeOf(spec, total);
  return (step) => peak * Math.min(1, (step + 1) / Math.max(1, warmup)) * shape(step);
}

/** What the peak is multiplied by, beside the warm-up. */
function shapeOf(spec: ScheduleSpec, total: number): Schedule {
  /** Share of the way from the warm-up's end to the end of all. */
  const progress = (step: number): number => Math.min(1, Math.max(0, (step - spec.warmup) / Math.max(1, total - spec.warmup)));
  switch (spec.kind) {
    case 'constant':
      return () => 1;
    case 'linear':
      return (step) => 1 - (1 - spec.floor) * progress(step);
    case 'cosine':
      return (step) => spec.floor + (1 - spec.floor) * 0.5 * (1 + Math.cos(Math.PI * progress(step)));
    case 'multi_step': {
      const { milestones, gamma } = spec;
      const starts = milestones.map((milestone) => stepOf(milestone, total));
      const gammas = typeof gamma === 'number' ? starts.map(() => gamma) : gamma;
      return (step) => starts.reduce((factor, start, i) => (step >= start ? factor * gammas[i] : factor), 1);
    }
    default:
      return spec satisfies never;
  }
}

/** A milestone as a step: one below 1 is a share of all steps, of which a short run may reach several in one step. */
const stepOf = (milestone: number, total: number): number => (milestone < 1 ? Math.round(milestone * total) : milestone);

/** Throws RangeError when milestones do not rise, or when gammas are neither one nor one for each of them. Before `total` is known, a share and a step that follow each other are taken to rise. */
export function requireSchedule(spec: ScheduleSpec, total?: number): void {
  if (spec.kind !== 'multi_step') return;
  const { milestones, gamma } = spec;
  if (typeof gamma !== 'number' && gamma.length !== milestones.length)
    throw new RangeError(`schedule: ${gamma.length} gammas for ${milestones.length} milestones; give one number, or one for each milestone`);
  const rises = (before: number, own: number): boolean =>
    before < 1 === own < 1 ? own > before : total === undefined || stepOf(own, total) > stepOf(before, total);
  const wrong = milestones.findIndex((own, i) => i > 0 && !rises(milestones[i - 1], own));
  if (wrong < 0) return;
  const said = (milestone: number): string => (total === undefined ? String(milestone) : `${milestone} (step ${stepOf(milestone, total)})`);
  throw new RangeError(`schedule: milestone ${said(milestones[wrong])} does not come after ${said(milestones[wrong - 1])}; milestones must rise`);
}
