// Owns the figures under vLLM's names: they count what vLLM counts, and nothing that did not happen.
// Refuses to know Pharos's own figures: test/http/operation.test.ts does.

import t from 'tap';
import { EngineError } from '../../src/engine/port.ts';
import type { GenerateEvent, ModelInfo } from '../../src/engine/port.ts';
import { call, startApp } from '../helpers/http-app.ts';
import { SCRIPTED, scriptedEngine } from '../helpers/scripted-engine.ts';

const usage = { promptTokens: 30, completionTokens: 5, cachedTokens: 10 };
const words: GenerateEvent[] = ['one', ' two', ' three'].map((text) => ({ kind: 'delta', text }));

t.test('generations are counted by how they ended, with their tokens and times', async (t) => {
  let script: readonly GenerateEvent[] = [];
  const scripted = scriptedEngine(() => script);
  const engine = { ...scripted, statistics: () => ({ running: 2, waiting: 3, promptTokens: 70, generatedTokens: 11, slots: { used: 1, total: 4 } }) };
  const app = await startApp(t, {}, { engine });
  const ask = (path = '/v1/chat/completions') =>
    call(app, 'POST', path, { model: 'scripted', max_tokens: 9, ...(path.endsWith('chat/completions') ? { messages: [{ role: 'user', content: 'x' }], knowledge: { mode: 'off' } } : { prompt: 'x' }) });
  const read = async (): Promise<(name: string, labels?: string) => number> => {
    const { text } = await call(app, 'GET', '/metrics');
    return (name, labels = '') => {
      const start = `${name}{model_name="scripted",engine="0"${labels}} `;
      return Number(text.split('\n').find((line) => line.startsWith(start))?.slice(start.length));
    };
  };
  const before = await read();
  t.equal(before('vllm:num_requests_running'), 2);
  t.equal(before('vllm:num_requests_waiting'), 3);
  t.equal(before('vllm:kv_cache_usage_perc'), 0.25);
  t.equal(before('vllm:prompt_tokens_total'), 70);
  t.equal(before('vllm:generation_tokens_total'), 11);

  script = [...words, { kind: 'finish', reason: 'stop', usage }];
  t.equal((await ask()).status, 200);
  script = [...words, { kind: 'finish', reason: 'length', usage }];
  t.equal((await ask('/v1/completions')).status, 200);
  script = [{ kind: 'tool_call', index: 0, id: 'c', name: 'f', arguments: '{}' }, { kind: 'finish', reason: 'tool_calls', usage }];
  await ask();
  script = [{ kind: 'delta', text: 'one' }, { kind: 'error', error: new EngineError('failed', 'broke') }];
  t.equal((await ask()).status, 500);
  script = [{ kind: 'error', error: new EngineError('queue_full', 'full') }];
  t.equal((await ask()).status, 429);

  const after = await read();
  t.equal(after('vllm:request_success_total', ',finished_reason="stop"'), 2);
  t.equal(after('vllm:request_success_total', ',finished_reason="length"'), 1);
  t.equal(after('vllm:request_success_total', ',finished_reason="error"'), 1, 'what was refused never began');
  t.equal(after('vllm:prefix_cache_queries_total'), 90);
  t.equal(after('vllm:prefix_cache_hits_total'), 30);
  t.equal(after('vllm:time_to_first_token_seconds_count'), 4);
  t.equal(after('vllm:inter_token_latency_seconds_count'), 4, 'between three pieces are two times');
  t.equal(after('vllm:time_per_output_token_seconds_count'), 4);
  t.equal(after('vllm:request_time_per_output_token_seconds_count'), 3);
  t.equal(after('vllm:e2e_request_latency_seconds_count'), 3);
  t.equal(after('vllm:request_prompt_tokens_sum'), 90);
  t.equal(after('vllm:request_generation_tokens_sum'), 15);
});

t.test('a generation that its client leaves is an abort, and no time of an end', async (t) => {
  const engine = scriptedEngine(() => [...Array.from({ length: 200_000 }, (): GenerateEvent => ({ kind: 'delta', text: 'on and on ' })), { kind: 'finish', reason: 'stop', usage }]);
  const app = await startApp(t, {}, { engine });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const controller = new AbortController();
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }], stream: true, knowledge: { mode: 'off' } }),
    signal: controller.signal,
  });
  await reply.body?.getReader().read();
  controller.abort();
  const aborted = async (): Promise<boolean> => (await call(app, 'GET', '/metrics')).text.includes('vllm:request_success_total{model_name="scripted",engine="0",finished_reason="abort"} 1');
  for (const deadline = Date.now() + 5_000; !(await aborted()) && Date.now() < deadline;) await new Promise((resolve) => setTimeout(resolve, 20));
  t.ok(await aborted());
  t.notMatch((await call(app, 'GET', '/metrics')).text, /vllm:e2e_request_latency_seconds_count\{/);
});

t.test('the shipped model fills them, too', async (t) => {
  const app = await startApp(t);
  await call(app, 'POST', '/v1/completions', { prompt: 'Plato was', max_tokens: 4 });
  const { text } = await call(app, 'GET', '/metrics');
  t.match(text, /^vllm:time_to_first_token_seconds_count\{model_name="pharos-mini",engine="0"\} 1$/m);
  t.match(text, /^vllm:num_requests_running\{model_name="pharos-mini",engine="0"\} 0$/m);
  t.match(text, /^vllm:generation_tokens_total\{model_name="pharos-mini",engine="0"\} [1-4]$/m);
});

t.test('models are told of while they are loaded', async (t) => {
  const models: ModelInfo[] = [{ ...SCRIPTED, loaded: true }, { ...SCRIPTED, id: 'other', loaded: false }];
  const app = await startApp(t, {}, { engine: scriptedEngine(() => [], models) });
  const told = async (): Promise<string[]> => (await call(app, 'GET', '/metrics')).text.split('\n').filter((line) => line.startsWith('pharos_model_info{'));
  t.same(await told(), ['pharos_model_info{model="scripted",device="cpu"} 1']);
  // What `auto` came to is known when it is loaded.
  models.splice(0, 2, { ...SCRIPTED, loaded: false }, { ...SCRIPTED, id: 'other', device: 'cuda', loaded: true });
  t.same(await told(), ['pharos_model_info{model="other",device="cuda"} 1']);
});
