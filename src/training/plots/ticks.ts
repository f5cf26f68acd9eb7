// Owns where the ticks of an axis stand and what is written at them.
// Refuses to know how they are drawn.

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly label: (value: number) => string;
}

/** Rounds up to 1, 2, 5 or 10 times a power of ten (Heckbert 1990, "Nice numbers for graph labels"). */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].find((factor) => rough <= factor * power * (1 + 1e-9)) ?? 10;
  return nice * power;
}

/** An axis from the least to the greatest value, widened to whole ticks, of which there are about `wanted`. */
export function axisOf(least: number, greatest: number, wanted: number): Axis {
  const spread = greatest > least ? greatest - least : (Math.abs(greatest) || 1) * 0.1;
  const step = niceStep(spread / Math.max(1, wanted));
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(greatest / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: first * step, high: last * step, ticks, label: (value) => written(value, step, Math.max(Math.abs(first), Math.abs(last)) * step) };
}

/** Very small and very large numbers by powers of ten, others with the digits that the step needs. */
function written(value: number, step: number, most: number): string {
  if (value === 0) return '0';
  if (most < 1e-3 || most >= 1e7) return value.toExponential(Math.max(0, Math.floor(Math.log10(Math.abs(value)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9)));
  return value.toLocaleString('en', { minimumFractionDigits: decimals(step), maximumFractionDigits: decimals(step) });
}
const decimals = (step: number): number => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
