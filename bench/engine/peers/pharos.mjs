// Owns one engine of the comparison: Pharos's own, by its port. Reads jobs from the command line, prints one line of JSON for each.
// Refuses to know the others.

import { createEngine } from '../../../src/engine/engine.ts';

const { model, threads, jobs, guesses = 0 } = JSON.parse(process.argv[2]);
const engine = await createEngine({ models: [model], device: 'cpu', threads, limits: { slots: 64, prefixBytes: 0, prefillChunk: 512, guesses } });
const [{ id }] = engine.models();
for (const { prompt, decode, streams } of jobs) {
  const tokens = (stream) => Array.from({ length: prompt }, (_, i) => 300 + ((i * 7919 + stream * 104729) % 100000));
  const start = performance.now();
  const firsts = [];
  let total = 0;
  const before = engine.statistics().passes;
  await Promise.all(
    Array.from({ length: streams }, async (_, stream) => {
      let begun = false;
      for await (const event of engine.generate({ model: id, prompt: { kind: 'tokens', ids: tokens(stream) }, sampling: { temperature: 0, topP: 1 }, maxTokens: decode, stop: [] })) {
        if (event.kind === 'error') throw event.error;
        if (!begun) firsts.push(performance.now() - start);
        begun = true;
        if (event.kind === 'finish') total += event.usage.completionTokens;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const passes = engine.statistics().passes;
  const taken = passes && before ? { passes: passes.total - before.total, guessed: passes.guessedTokens - before.guessedTokens, accepted: passes.acceptedTokens - before.acceptedTokens } : {};
  console.log(JSON.stringify({ prompt, decode, streams, firstMs: Math.max(...firsts), decodeSeconds: seconds - Math.max(...firsts) / 1000, seconds, total, megabytes: process.memoryUsage.rss() / 2 ** 20, ...taken }));
}
await engine.close();
process.exit(0);
