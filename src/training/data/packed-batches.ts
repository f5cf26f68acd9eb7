// Owns the order in which tokenised examples come to a run: epochs, packed rows, batches, and the place that a checkpoint keeps.
// Refuses to know how examples became tokens and what is done with batches.

import { z } from 'zod';
import type { TrainingData } from '../batch.ts';
import { DataError } from './errors.ts';
import { epochOrder, layRows, planRows } from './packing.ts';
import type { RowPlan } from './packing.ts';
import type { TokenisedData } from './tokenised-data.ts';

export interface BatchOptions {
  /** Rows a batch; the last one of an epoch may have fewer. */
  readonly rows: number;
  /** Infinity: it goes on for ever. */
  readonly epochs: number;
  /** Draws the order of each epoch; absent: as the files have it, every time. */
  readonly seed?: number;
  /** Where an earlier source of the same data and settings stood. */
  readonly position?: object;
}
const positionSchema = z.strictObject({ epoch: z.int().nonnegative(), batch: z.int().nonnegative(), data: z.string() });

/**
 * The batches of these tokens. Closing it leaves the tokens open: several may draw from the same. Throws DataError `other_data` for a position that was kept for other data or settings.
 */
export function packedBatches(data: TokenisedData, { rows, epochs, seed, position }: BatchOptions): TrainingData {
  const { lengths, context, report } = data;
  const settings = `${data.digest}-${context}-${rows}-${seed ?? 'as it stands'}`;
  const planOf = (epoch: number): RowPlan =>
    planRows(seed === undefined ? Uint32Array.from(lengths.keys()) : epochOrder(lengths.length, seed, epoch), lengths, context);
  const batchesOf = (plan: RowPlan): number => Math.ceil(plan.rows / rows);

  const start = position === undefined ? { epoch: 0, batch: 0 } : positionOf(position, settings);
  let plan = { epoch: start.epoch, of: planOf(start.epoch) };
  let place = { epoch: start.epoch, batch: start.batch };
  /** Of all epochs: each is packed anew, and may come to another number of batches. */
  const countAll = (): number => {
    if (!Number.isFinite(epochs)) return Number.POSITIVE_INFINITY;
    if (seed === undefined) return epochs * batchesOf(plan.of);
    let batches = 0;
    for (let epoch = 0; epoch < epochs; epoch++) batches += batchesOf(epoch === plan.epoch ? plan.of : planOf(epoch));
    return batches;
  };
  const batches = countAll();

  return {
    examples: report.examples,
    batches,
    get position() {
      return { ...place, data: settings };
    },
    next: async () => {
      const { epoch, batch } = place;
      if (epoch >= epochs) return undefined;
      if (plan.epoch !== epoch) plan = { epoch, of: planOf(epoch) };
      const { examples, starts, rows: all } = plan.of;
      const chosen = Array.from({ length: Math.min(rows, all - batch * rows) }, (_, i) => batch * rows + i);
      const documents = chosen.map((row) => Array.from(examples.subarray(starts[row], starts[row + 1]), (example) => data.read(example)));
      place = batch + 1 < batchesOf(plan.of) ? { epoch, batch: batch + 1 } : { epoch: epoch + 1, batch: 0 };
      return layRows(documents, context);
    },
    close: async () => {},
  };
}

function positionOf(position: object, settings: string): { readonly epoch: number; readonly batch: number } {
  const read = positionSchema.safeParse(position);
  if (!read.success || read.data.data !== settings)
    throw new DataError(
      'other_data',
      'the checkpoint was made with other training files, another tokenizer, or another context, number of rows or seed; give the same, or begin anew',
    );
  return read.data;
}
