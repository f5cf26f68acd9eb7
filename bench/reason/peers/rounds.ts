// Owns repeating a run in one process, as a service that is already running would do it.
// Refuses to know what is run. Prints what the first round gave, and, where there are more, the least seconds of the later ones on a line of its own.

export function measureRounds(rounds: number, round: () => number): void {
  console.log(round());
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < rounds; i++) {
    const start = performance.now();
    round();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  if (rounds > 1) console.log(`again ${least.toFixed(4)}`);
}
