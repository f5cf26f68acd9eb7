// Owns how the rows of a step are dealt to workers, so that each has as many tokens.
// Refuses to know threads, gradients and where batches come from.

import type { Batch } from '../batch.ts';

/** A row of a batch: its tokens without padding, and the learned ones of them as indices into the batch's `rows`. */
interface Row {
  readonly batch: Batch;
  readonly column: number;
  readonly tokens: number;
  readonly learned: readonly number[];
}

function rowsOf(batch: Batch): Row[] {
  const { steps, rowsCount, segments } = batch;
  const learned: number[][] = Array.from({ length: rowsCount }, () => []);
  for (const [i, at] of batch.rows.entries()) learned[Number(at) % rowsCount].push(i);
  return learned.flatMap((own, column) => {
    // Nothing of it would reach the loss.
    if (own.length === 0) return [];
    let tokens = steps;
    while (tokens > 1 && segments[(tokens - 1) * rowsCount + column] === 0n) tokens--;
    return [{ batch, column, tokens, learned: own }];
  });
}

/** A batch of these rows, as long as the longest of them. Weights sum to 1 where those of the batches that the rows come from did, and keep their relation to each other. */
function gathered(rows: readonly Row[]): Batch {
  const count = rows.length;
  const steps = Math.max(...rows.map(({ tokens }) => tokens));
  const total = rows.reduce((sum, { learned }) => sum + learned.length, 0);
  const take = (values: (batch: Batch) => BigInt64Array): BigInt64Array => {
    const taken = new BigInt64Array(steps * count);
    for (const [to, { batch, column, tokens }] of rows.entries()) {
      const from = values(batch);
      for (let t = 0; t < tokens; t++) taken[t * count + to] = from[t * batch.rowsCount + column];
    }
    return taken;
  };
  const [at, targets, weights] = [new BigInt64Array(total), new BigInt64Array(total), new Float32Array(total)];
  let next = 0;
  for (const [to, { batch, learned }] of rows.entries()) {
    for (const i of learned) {
      at[next] = BigInt(Math.floor(Number(batch.rows[i]) / batch.rowsCount) * count + to);
      targets[next] = batch.targets[i];
      weights[next++] = (batch.weights[i] * batch.rows.length) / total;
    }
  }
  return {
    steps,
    rowsCount: count,
    inputIds: take(({ inputIds }) => inputIds),
    positions: take(({ positions }) => positions),
    segments: take(({ segments }) => segments),
    rows: at,
    targets,
    weights,
  };
}

/**
 * Deals the rows of all batches: the longest first, each to the worker with the fewest tokens so far (longest processing time first, Graham 1969). What a worker gets comes in batches of no more rows than
 * the largest one given, rows of like length together, without padding that none of them needs. Workers for whom no row is left get none. The same batches are always dealt alike.
 */
export function dealRows(batches: readonly Batch[], workers: number): Batch[][] {
  const most = Math.max(...batches.map(({ rowsCount }) => rowsCount));
  const hands = Array.from({ length: workers }, () => ({ tokens: 0, rows: [] as Row[] }));
  for (const row of batches.flatMap(rowsOf).toSorted((a, b) => b.tokens - a.tokens)) {
    const least = hands.reduce((a, b) => (b.tokens < a.tokens ? b : a));
    least.tokens += row.tokens;
    least.rows.push(row);
  }
  return hands.map(({ rows }) => {
    const pieces = Math.ceil(rows.length / most);
    const size = Math.ceil(rows.length / Math.max(1, pieces));
    return Array.from({ length: pieces }, (_, i) => gathered(rows.slice(i * size, (i + 1) * size)));
  });
}
