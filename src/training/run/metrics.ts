// Owns the record of a run: one line of figures a step in a CSV file, and the plots of it.
// Refuses to know how the figures come about.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import { linePlot } from '../plots/line-plot.ts';
import type { Schedule } from '../optimizers/schedules.ts';
import { replaceFile } from '../trainer.ts';
import type { Predicted } from './gradients.ts';

/** Figures of one step. Losses in nats; accuracies are shares of the learned tokens; `tokens` of the run so far. They say nothing of time: a run that was interrupted leaves the same file. */
export interface StepFigures {
  readonly step: number;
  readonly loss: number;
  readonly accuracy?: number;
  readonly rate: number;
  readonly gradientNorm: number;
  readonly tokens: number;
}
const HEADER = 'step,train_loss,learning_rate,gradient_norm,tokens,valid_loss,train_mean_token_accuracy,valid_mean_token_accuracy';
/** The training loss of many steps is drawn beside its moving average, which reaches over this share of them in both directions. */
const SMOOTHING = 0.01;
const SCHEDULE_POINTS = 4000;

export class Metrics {
  readonly #file: string;
  #rows: string[] = [];

  /** Goes on behind the row of step `step`; what was written after it is of steps that will be made again. At step 0 it begins anew. */
  constructor(file: string, step: number) {
    this.#file = file;
    // A row that was cut off within its first number has no comma.
    const before = (row: string): boolean => /^\d+,/u.test(row) && Number.parseInt(row, 10) <= step;
    const kept = step > 0 && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(before) : [];
    replaceFile(file, [HEADER, ...kept, ''].join('\n'));
  }
  add(figures: StepFigures, validation?: Predicted): void {
    const { step, loss, rate, gradientNorm, tokens, accuracy } = figures;
    this.#rows.push(`${[step, loss, rate, gradientNorm, tokens, validation?.loss, accuracy, validation?.accuracy].map((value) => value ?? '').join(',')}\n`);
  }
  /** Appends what was added since. */
  flush(): void {
    if (this.#rows.length > 0) appendFileSync(this.#file, this.#rows.join(''));
    this.#rows = [];
  }
}

/** The loss over the steps, as an SVG document, out of a CSV file of figures. */
export function lossPlot(csv: string): string {
  const rows = csv
    .split('\n')
    .slice(1)
    .filter((row) => row !== '')
    .map((row) => row.split(',').map((cell) => (cell === '' ? Number.NaN : Number(cell))));
  const column = (index: number): [number, number][] =>
    rows.map((row) => [row[0], row[index]] as [number, number]).filter(([, value]) => Number.isFinite(value));
  const training = column(1);
  const validation = column(5);
  const reach = Math.round(training.length * SMOOTHING);
  const curves =
    reach < 1
      ? [{ name: 'training', points: training }]
      : [
          { name: 'training', points: training, faint: true },
          { name: 'training, moving average', points: movingAverage(training, reach) },
        ];
  return linePlot({
    title: 'Loss',
    xLabel: 'step',
    yLabel: 'mean cross-entropy of learned tokens, nats',
    series: [...curves, ...(validation.length > 0 ? [{ name: 'validation', points: validation, dots: true }] : [])],
  });
}

/** The learning rate over all steps that the run is to have. */
export function schedulePlot(schedule: Schedule, total: number): string {
  const count = Math.min(total, SCHEDULE_POINTS);
  const points = Array.from({ length: count }, (_, i) => Math.round((i * (total - 1)) / Math.max(1, count - 1))).map(
    (step) => [step + 1, schedule(step)] as const,
  );
  return linePlot({ title: 'Learning rate', xLabel: 'step', yLabel: 'learning rate', series: [{ name: 'learning rate', points }] });
}

/** Each point with as many before as behind it, fewer near the ends. */
function movingAverage(points: readonly (readonly [number, number])[], reach: number): [number, number][] {
  const sums = [0];
  for (const [, y] of points) sums.push(sums[sums.length - 1] + y);
  return points.map(([x], i) => {
    const half = Math.min(reach, i, points.length - 1 - i);
    return [x, (sums[i + half + 1] - sums[i - half]) / (2 * half + 1)];
  });
}
