// Owns how a suite's results are told: passed, failed and not applicable, with what failed and why the rest does not apply.
// Refuses to know what was tried.

import { printTable } from '../common/machine.ts';

interface Failure {
  readonly name: string;
  readonly detail: string;
}
const SHOWN = 40;
const LONGEST = 600;

/** The results of one group of a suite. */
export class Outcomes {
  passed = 0;
  readonly failures: Failure[] = [];
  readonly #reasons = new Map<string, string[]>();

  /** Equal values pass; `what` names what is compared in a failure. */
  same(name: string, given: unknown, expected: unknown): void {
    const [a, b] = [JSON.stringify(given), JSON.stringify(expected)];
    if (a === b) this.passed++;
    else this.fail(name, `got      ${a}\n      expected ${b}`);
  }
  pass(): void {
    this.passed++;
  }
  fail(name: string, detail: string): void {
    this.failures.push({ name, detail });
  }
  skip(name: string, reason: string): void {
    const names = this.#reasons.get(reason) ?? [];
    names.push(name);
    this.#reasons.set(reason, names);
  }
  get skipped(): number {
    return [...this.#reasons.values()].reduce((sum, names) => sum + names.length, 0);
  }
  get reasons(): ReadonlyMap<string, readonly string[]> {
    return this.#reasons;
  }
}

/** Groups of a suite, each made at its name. */
export function outcomeGroups(): { readonly groups: ReadonlyMap<string, Outcomes>; readonly group: (name: string) => Outcomes } {
  const groups = new Map<string, Outcomes>();
  const group = (name: string): Outcomes => {
    const outcomes = new Outcomes();
    groups.set(name, outcomes);
    return outcomes;
  };
  return { groups, group };
}

/** Prints each group's counts, then failures, then reasons. Whether nothing failed, and something passed. */
export function told(title: string, groups: ReadonlyMap<string, Outcomes>): boolean {
  console.log(`${title}\n`);
  const all = [...groups.values()];
  const sum = (of: (one: Outcomes) => number): number => all.reduce((total, one) => total + of(one), 0);
  const row = (name: string, passed: number, failed: number, skipped: number): (string | number)[] => [name, passed, failed, skipped];
  printTable(
    ['suite', 'passed', 'failed', 'not applicable'],
    [...[...groups].map(([name, one]) => row(name, one.passed, one.failures.length, one.skipped)), row('all', sum((one) => one.passed), sum((one) => one.failures.length), sum((one) => one.skipped))],
  );
  for (const [group, { failures }] of groups) {
    for (const { name, detail } of failures.slice(0, SHOWN)) console.log(`failed: ${group}: ${name}\n      ${detail.split('\n').map((line) => (line.length > LONGEST ? `${line.slice(0, LONGEST)}... (${line.length} characters)` : line)).join('\n')}\n`);
    if (failures.length > SHOWN) console.log(`failed: ${group}: ${failures.length - SHOWN} more\n`);
  }
  const reasons = new Map<string, number>();
  for (const { reasons: each } of all) for (const [reason, names] of each) reasons.set(reason, (reasons.get(reason) ?? 0) + names.length);
  for (const [reason, count] of [...reasons].toSorted(([, a], [, b]) => b - a)) console.log(`not applicable, ${count}: ${reason}`);
  if (reasons.size > 0) console.log();
  return sum((one) => one.failures.length) === 0 && sum((one) => one.passed) > 0;
}
