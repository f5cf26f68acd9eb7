// Owns how many rows a value of a table's column leads to, counted when somebody plans and again when the table has grown.
// Refuses to know plans.

import type { Table } from './table.ts';

/** Different values of a column up to which the rows of each are remembered. */
const REMEMBERED = 4_096;

/** Rows up to which values are counted in a map: in an array, ids as large as there are terms take long to count for each of very many small tables. */
const FEW = 4_096;

/** Rows by value of one column. */
export interface Spread {
  /** Rows of a value that occurs, on average; 0 for an empty table. */
  readonly average: number;
  /** Rows of this value. */
  of(value: number): number;
}
interface Known {
  readonly count: number;
  readonly subjects: Spread;
  readonly objects: Spread;
}
const KNOWN = new WeakMap<Table, Known>();

/** Rows by subject and by object of a table; exact when it was counted, which is when it had at least half as many rows as now. */
export function spreads(table: Table): Omit<Known, 'count'> {
  const { count } = table;
  const known = KNOWN.get(table);
  if (known && count <= known.count * 2 && count * 2 >= known.count) return known;
  const fresh = { count, subjects: spreadOf(table.subjects, count), objects: spreadOf(table.objects, count) };
  KNOWN.set(table, fresh);
  return fresh;
}

function spreadOf(column: Int32Array, count: number): Spread {
  const byValue = count <= FEW ? counted(column, count) : countedInPlace(column, count);
  const different = typeof byValue === 'number' ? byValue : byValue.size;
  const average = different === 0 ? 0 : count / different;
  return { average, of: typeof byValue === 'number' ? () => average : (value) => byValue.get(value) ?? 0 };
}
/** Rows by value, for few rows: values may be large numbers. */
function counted(column: Int32Array, count: number): Map<number, number> {
  const byValue = new Map<number, number>();
  for (let row = 0; row < count; row++) byValue.set(column[row], (byValue.get(column[row]) ?? 0) + 1);
  return byValue;
}
/** Rows by value, or the number of different values where they are many. */
function countedInPlace(column: Int32Array, count: number): Map<number, number> | number {
  let most = -1;
  for (let row = 0; row < count; row++) if (column[row] > most) most = column[row];
  const rows = new Int32Array(most + 1);
  let different = 0;
  for (let row = 0; row < count; row++) if (rows[column[row]]++ === 0) different++;
  if (different > REMEMBERED) return different;
  const byValue = new Map<number, number>();
  for (let row = 0; row < count && byValue.size < different; row++) if (!byValue.has(column[row])) byValue.set(column[row], rows[column[row]]);
  return byValue;
}
