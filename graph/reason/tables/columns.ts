// Owns how columns of integers grow.
// Refuses to know what stands in them.

/** The column with another length: what does not fit is left out. */
export function grown(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const next = new Int32Array(length);
  next.set(length < column.length ? column.subarray(0, length) : column);
  return next;
}
