// Owns batches of a contrastive loss: pairs as tokens, packed side by side into rows, with the text that each token is of.
// Refuses to know where the pairs come from.

import type { Batch } from '../batch.ts';
import { layRows, planRows } from '../data/packing.ts';
import type { Pair } from './pairs.ts';

/** Draws that a batch may take for each pair of it, before the source counts as out of texts. */
const MOST_DRAWS = 50;

/**
 * So many pairs with their negatives, whose texts all differ: what is one pair's document must not stand against another's. A text has at most `steps` tokens and is cut behind them. Numbers of texts as
 * src/training/graphs/encoder-loss.ts has them. Throws RangeError when the source has not so many texts that differ.
 */
export function contrastBatch(next: () => Pair, encode: (text: string) => readonly number[], pairs: number, steps: number): Batch {
  const taken: Pair[] = [];
  const seen = new Set<string>();
  for (let draws = 0; taken.length < pairs; draws++) {
    if (draws === MOST_DRAWS * pairs) throw new RangeError(`the source gave ${taken.length} pairs of different texts in ${draws}; ${pairs} are needed`);
    const pair = next();
    const texts = [pair.query, pair.document, pair.negative].map((text) => text.toLowerCase());
    if (texts.some((text) => seen.has(text))) continue;
    for (const text of texts) seen.add(text);
    taken.push(pair);
  }
  const texts = (['query', 'document', 'negative'] as const).flatMap((part) => taken.map((pair) => encode(pair[part]).slice(0, steps)));
  return packTexts(texts, steps);
}

/** Texts of at least one and at most `steps` tokens, side by side in rows. */
export function packTexts(texts: readonly (readonly number[])[], steps: number): Batch {
  const lengths = Uint32Array.from(texts, ({ length }) => length);
  for (const [i, length] of lengths.entries())
    if (length === 0 || length > steps) throw new RangeError(`text ${i} has ${length} tokens; from 1 to ${steps} fit`);
  const plan = planRows(Uint32Array.from(texts.keys()), lengths, steps);
  const owners = Array.from({ length: plan.rows }, (_, row) => plan.examples.subarray(plan.starts[row], plan.starts[row + 1]));
  const batch = layRows(
    owners.map((row) => Array.from(row, (owner) => Uint32Array.from(texts[owner]))),
    steps,
  );
  const [rows, targets, weights]: [bigint[], bigint[], number[]] = [[], [], []];
  for (const [b, row] of owners.entries()) {
    let t = 0;
    for (const owner of row)
      for (let i = 0; i < lengths[owner]; i++) {
        rows.push(BigInt(t++ * owners.length + b));
        targets.push(BigInt(owner));
        weights.push(1 / lengths[owner]);
      }
  }
  return { ...batch, rows: BigInt64Array.from(rows), targets: BigInt64Array.from(targets), weights: Float32Array.from(weights) };
}
