// Owns how benchmarks present themselves: machine, versions, tables, quantiles, arguments.
// Refuses to know what is measured.

import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, platform, arch, totalmem } from 'node:os';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

/** Version of an installed package, seen from the project's root; `absent` when it is not installed. */
async function versionOf(name: string): Promise<string> {
  for (const root of [new URL('../../package.json', import.meta.url), new URL('../package.json', import.meta.url)]) {
    const places = createRequire(root).resolve.paths(name) ?? [];
    for (const place of places) {
      const text = await readFile(`${place}/${name}/package.json`, 'utf8').catch(() => undefined);
      if (text !== undefined) return (JSON.parse(text) as { version: string }).version;
    }
  }
  return 'absent';
}

/** One line for the machine and one for the software, to be read above any figure. */
export async function printMachine(packages: readonly string[]): Promise<void> {
  console.log(`${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}`);
  const versions = await Promise.all(packages.map(async (name) => `${name} ${await versionOf(name)}`));
  console.log([`Node ${process.versions.node}`, ...versions].join(', '), '\n');
}

/** Prints rows as a Markdown table, numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? format(cell) : cell)));
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)));
  const right = head.map((_, i) => rows.every((row) => typeof row[i] === 'number'));
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  console.log(line(head));
  console.log(`|${widths.map((width, i) => (right[i] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`);
  for (const row of cells) console.log(line(row));
  console.log();
}
const format = (value: number): string => {
  if (!Number.isFinite(value)) return 'none';
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 1 ? 2 : 4;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
};

/** The value below which the share `q` (0..1) of the sample lies; nearest rank. NaN for an empty sample. */
export function quantile(sample: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(sample).toSorted();
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
}

/** Numbers and texts given as `--name value`, over the defaults. Exits with the list of options when one is unknown or not a number. */
export function options<T extends Record<string, number | string>>(defaults: T): T {
  const usage = (problem: string): never => {
    console.error(`${problem}\noptions: ${Object.entries(defaults).map(([name, value]) => `--${name} ${JSON.stringify(value)}`).join('  ')}`);
    process.exit(2);
  };
  try {
    const { values } = parseArgs({ options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }])) });
    const given = Object.entries(values).map(([name, text]) => {
      const value = typeof defaults[name] === 'number' ? Number(text) : String(text);
      if (Number.isNaN(value)) usage(`--${name} needs a number, not ${JSON.stringify(text)}`);
      return [name, value];
    });
    return { ...defaults, ...(Object.fromEntries(given) as Partial<T>) };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}
