// Owns one engine of the comparison: llama.cpp through node-llama-cpp. Reads jobs from the command line, prints one line of JSON for each.
// Refuses to know the others.

import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

const { model: modelPath, threads, context, jobs } = JSON.parse(process.argv[2]);
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, progressLogs: false, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
for (const { prompt, decode, streams } of jobs) {
  const made = await model.createContext({ contextSize: Math.min(context, prompt + decode + 64), sequences: streams, threads: { ideal: threads, min: threads }, batchSize: 512 });
  const sequences = Array.from({ length: streams }, () => made.getSequence());
  const tokens = (stream) => Array.from({ length: prompt }, (_, i) => 300 + ((i * 7919 + stream * 104729) % 100000));
  const start = performance.now();
  const firsts = [];
  let total = 0;
  await Promise.all(
    sequences.map(async (sequence, stream) => {
      let count = 0;
      for await (const _ of sequence.evaluate(tokens(stream), { temperature: 0, yieldEogToken: true })) {
        if (count++ === 0) firsts.push(performance.now() - start);
        if (count >= decode) break;
      }
      total += count;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ prompt, decode, streams, firstMs: Math.max(...firsts), decodeSeconds: seconds - Math.max(...firsts) / 1000, seconds, total, megabytes: process.memoryUsage.rss() / 2 ** 20 }));
  await made.dispose();
}
await model.dispose();
process.exit(0);
