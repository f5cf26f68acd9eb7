// Owns which texts go through the model together.
// Refuses to know what the texts are and what is made of them.

/** Texts of one pass at most: more make no pass faster. */
const MOST_ROWS = 64;

/**
 * Batches of places in `lengths`, the longest texts first, so that a pass that is too large for the memory fails at once. Texts of like length go together, because each is padded to the longest of its batch;
 * a batch has at most `limit` tokens with its padding, or one text. `alone`: the model takes one at a time.
 */
export function planBatches(lengths: readonly number[], limit: number, alone = false): number[][] {
  const order = lengths.map((_, i) => i).toSorted((a, b) => lengths[b] - lengths[a]);
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const place of order) {
    const longest = batch.length === 0 ? lengths[place] : lengths[batch[0]];
    if (batch.length > 0 && (alone || batch.length >= MOST_ROWS || (batch.length + 1) * longest > limit)) {
      batches.push(batch);
      batch = [];
    }
    batch.push(place);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
