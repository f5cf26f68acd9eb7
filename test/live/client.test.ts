// Owns what OpenAI's own client sees of a running service, and what a client that leaves leaves behind: nothing.
// Refuses to know the inside: it looks at replies and at /metrics.

import { request } from 'node:http';
import OpenAI from 'openai';
import t from 'tap';
import { listen } from '../helpers/http-app.ts';
import { eventually, metric } from '../helpers/http-server.ts';

const { url } = await listen(t, { PHAROS_EXAMPLE: 'on', PHAROS_SLOTS: '4' });
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
/** What Pharos adds to a reply. */
interface Grounded {
  readonly grounding?: {
    readonly outcome: string;
    readonly answers: readonly unknown[];
    readonly cached: boolean;
    readonly claims: readonly { readonly proof_id: string }[];
  };
}
const question = (content: string): OpenAI.ChatCompletionMessageParam[] => [{ role: 'user', content }];
const busy = async (): Promise<number> =>
  (await metric(url, 'pharos_engine_slots_used')) +
  (await metric(url, 'pharos_engine_running')) +
  (await metric(url, 'pharos_engine_waiting')) +
  (await metric(url, 'pharos_generations'));
/** Long generations of the model alone. */
const chatter = (seed: number): object => ({
  model: 'pharos-mini',
  messages: question('Say something.'),
  temperature: 2,
  seed,
  max_tokens: 400,
  stream: true,
  knowledge: { mode: 'off' },
});

t.test('the official client asks, gets a normal reply with grounding beside it, and the second time from the cache', async (t) => {
  const models = await client.models.list();
  t.equal(models.data[0].id, 'pharos-mini');
  const ask = async () =>
    (await client.chat.completions.create({ model: 'pharos-mini', messages: question('Where was Albert Einstein born?') })) as OpenAI.ChatCompletion & Grounded;
  const first = await ask();
  t.match(first.choices[0], { finish_reason: 'stop', message: { role: 'assistant', content: /Ulm/ } });
  t.match(first.grounding, { outcome: 'entailed', answers: ['Ulm', 'Germany'], cached: false });
  const proof = (await (await fetch(`${url}/v1/proofs/${first.grounding?.claims[0].proof_id}`)).json()) as object;
  t.match(proof, { conclusion: { subject: 'Albert Einstein' } });
  const second = await ask();
  t.equal(second.grounding?.cached, true);
  t.equal(second.choices[0].message.content, first.choices[0].message.content);
  await t.rejects(client.chat.completions.create({ model: 'gpt-9', messages: question('x') }), { status: 404, code: 'model_not_found', param: 'model' });
  await t.rejects(client.chat.completions.create({ model: 'pharos-mini', messages: question('x'), max_tokens: -1 }), {
    status: 400,
    code: 'invalid_value',
    param: 'max_tokens',
  });
});

t.test('the official client streams; the last chunk carries the grounding', async (t) => {
  const stream = await client.chat.completions.create({
    model: 'pharos-mini',
    messages: question('Is Socrates mortal?'),
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let last: (OpenAI.ChatCompletionChunk & Grounded) | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    last = chunk;
  }
  t.match(text, /^Yes.*Socrates/);
  t.match(last, { choices: [], usage: { completion_tokens: Number }, grounding: { outcome: 'entailed', answers: [true] } });
  const completion = await client.completions.create({ model: 'pharos-mini', prompt: 'Plato was', max_tokens: 4 });
  t.ok((completion.usage?.completion_tokens ?? Infinity) <= 4);
});

t.test('a client that leaves in the middle frees its slot', async (t) => {
  const stream = await client.chat.completions.create(chatter(1) as OpenAI.ChatCompletionCreateParamsStreaming);
  let seen = 0;
  for await (const _ of stream) if (++seen === 3) break;
  t.equal(seen, 3);
  t.equal(await eventually(busy, (count) => count === 0), 0);
});

t.test('clients that never read the answer they asked for are no leak, either', async (t) => {
  const calls = Array.from({ length: 16 }, (_, i) => {
    const call = request(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, agent: false });
    call.on('error', () => undefined);
    call.end(JSON.stringify({ ...chatter(100 + i), stream: i % 2 === 0 }));
    return call;
  });
  t.ok((await eventually(busy, (count) => count > 0)) > 0, 'they are at work');
  for (const call of calls) call.destroy();
  t.equal(await eventually(busy, (count) => count === 0), 0);
});

t.test('forty streams at once, half of which leave: the rest are complete, no slot is lost', async (t) => {
  const run = async (i: number): Promise<'left' | 'whole' | 'broken'> => {
    const leaves = i % 2 === 0;
    const stream = await client.chat.completions.create({ ...chatter(i), max_tokens: 40 } as OpenAI.ChatCompletionCreateParamsStreaming);
    let seen = 0;
    let finish: string | null | undefined;
    for await (const chunk of stream) {
      finish = chunk.choices[0]?.finish_reason;
      if (leaves && ++seen === 2 + (i % 5)) return 'left';
    }
    return finish === 'length' || finish === 'stop' ? 'whole' : 'broken';
  };
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => run(i)));
  t.equal(results.filter((result) => result === 'broken').length, 0);
  t.ok(results.filter((result) => result === 'whole').length >= 20);
  t.equal(await eventually(busy, (count) => count === 0), 0);
});
