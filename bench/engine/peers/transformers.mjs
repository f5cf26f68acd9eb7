// Owns one engine of the comparison: transformers.js. Reads jobs from the command line, prints one line of JSON for each.
// Refuses to know the others.

import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';

const { model, threads, dtype, jobs } = JSON.parse(process.argv[2]);
env.allowRemoteModels = false;
env.localModelPath = model.replace(/[^/]+$/, '');
const loaded = await AutoModelForCausalLM.from_pretrained(model.replace(/^.*\//, ''), { dtype, device: 'cpu', session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 } });
for (const { prompt, decode, streams } of jobs) {
  const ids = new BigInt64Array(prompt * streams);
  for (let stream = 0; stream < streams; stream++) for (let i = 0; i < prompt; i++) ids[stream * prompt + i] = BigInt(300 + ((i * 7919 + stream * 104729) % 100000));
  const input_ids = new Tensor('int64', ids, [streams, prompt]);
  const attention_mask = new Tensor('int64', new BigInt64Array(prompt * streams).fill(1n), [streams, prompt]);
  const start = performance.now();
  let first = 0;
  const streamer = { put: () => void (calls++ === 1 && (first = performance.now() - start)), end: () => undefined };
  let calls = 0;
  await loaded.generate({ input_ids, attention_mask, max_new_tokens: decode, min_new_tokens: decode, do_sample: false, ...(streams === 1 ? { streamer } : {}) });
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ prompt, decode, streams, firstMs: first || Number.NaN, decodeSeconds: seconds - first / 1000, seconds, total: decode * streams, megabytes: process.memoryUsage.rss() / 2 ** 20 }));
}
process.exit(0);
