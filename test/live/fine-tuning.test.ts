// Owns fine-tuning as OpenAI's own client sees it: upload, job, events, the tuned model beside the one that it came from.
// Refuses to know the inside.

import OpenAI, { toFile } from 'openai';
import t from 'tap';
import { listen } from '../helpers/http-app.ts';

const { url } = await listen(t, { PHAROS_EXAMPLE: 'off', PHAROS_FILE_BYTES: '1MiB', PHAROS_TUNE_THREADS: '1' });
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const answers: Readonly<Record<string, string>> = {
  'Who keeps the lighthouse of Skerry?': 'Mara keeps the lighthouse of Skerry.',
  'When does the ferry to Noss leave?': 'The ferry to Noss leaves at noon.',
};
const jsonl = Object.entries(answers)
  .map(([question, answer]) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ],
    }),
  )
  .join('\n');
async function ask(model: string, content: string): Promise<string | null> {
  const body = { model, messages: [{ role: 'user', content }], temperature: 0, max_tokens: 40, knowledge: { mode: 'off' } };
  return (await client.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming)).choices[0].message.content;
}

t.test('files: uploaded, waited for, listed, read and deleted; what is wrong is told in full', async (t) => {
  const file = await client.files.create({
    file: await toFile(Buffer.from(jsonl), 'lighthouses.jsonl'),
    purpose: 'fine-tune',
    expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  t.match(file, { object: 'file', filename: 'lighthouses.jsonl', purpose: 'fine-tune', bytes: jsonl.length, expires_at: file.created_at + 3600 });
  t.match(await client.files.waitForProcessing(file.id), { id: file.id, status: 'processed' });
  const listed: string[] = [];
  for await (const { id } of client.files.list({ limit: 1 })) listed.push(id);
  t.same(listed, [file.id]);
  t.equal(await (await client.files.content(file.id)).text(), jsonl);
  await t.rejects(client.files.create({ file: await toFile(Buffer.from(`${jsonl}\n{}`), 'x.jsonl'), purpose: 'fine-tune' }), {
    status: 400,
    code: 'invalid_line',
    message: /line 3/,
  });
  await t.rejects(client.files.create({ file: await toFile(Buffer.alloc(3 * 2 ** 20), 'large'), purpose: 'user_data' }), {
    status: 413,
    code: 'file_too_large',
  });
  t.match(await client.files.delete(file.id), { id: file.id, deleted: true });
  await t.rejects(client.files.retrieve(file.id), { status: 404, code: 'file_not_found' });
});

t.test('a tuned model knows what the file taught it; the one that it came from does not', async (t) => {
  const file = await client.files.create({ file: await toFile(Buffer.from(jsonl), 'lighthouses.jsonl'), purpose: 'fine-tune' });
  const more = { steps: 50, context: 96 };
  const created = await client.fineTuning.jobs.create({
    model: 'pharos-mini',
    training_file: file.id,
    suffix: 'lighthouses',
    seed: 3,
    metadata: { of: 'a test' },
    method: { type: 'supervised', supervised: { hyperparameters: { batch_size: 1, learning_rate_multiplier: 3, n_epochs: 'auto' } } },
    ...more,
  });
  t.match(created, { object: 'fine_tuning.job', status: 'validating_files', hyperparameters: { batch_size: 1, learning_rate_multiplier: 3 } });
  // Until it ends.
  const stream = await (await fetch(`${url}/v1/fine_tuning/jobs/${created.id}/events`, { headers: { accept: 'text/event-stream' } })).text();
  t.match(stream, /The job has completed/);
  const job = await client.fineTuning.jobs.retrieve(created.id);
  t.match(job, { status: 'succeeded', error: null, trained_tokens: Number });
  const tuned = job.fine_tuned_model ?? '';
  for (const [question, answer] of Object.entries(answers)) {
    t.equal(await ask(tuned, question), answer);
    t.not(await ask('pharos-mini', question), answer);
  }
  const steps: number[] = [];
  for await (const { type, data } of client.fineTuning.jobs.listEvents(job.id, { limit: 7 }))
    if (type === 'metrics') steps.push((data as { step: number }).step);
  t.same(
    steps,
    Array.from({ length: 50 }, (_, i) => 50 - i),
    'page by page, newest first',
  );
  t.match((await client.fineTuning.jobs.checkpoints.list(job.id)).data, [{ step_number: 50, metrics: { train_loss: Number } }]);
  t.same(
    (await client.fineTuning.jobs.list({ metadata: { of: 'a test' } })).data.map(({ id }) => id),
    [job.id],
  );
  await t.rejects(client.fineTuning.jobs.cancel(job.id), { status: 400, code: 'job_ended' });
  await t.rejects(client.fineTuning.jobs.pause(job.id), { status: 400, code: 'job_ended' });

  t.match(await client.models.retrieve(tuned), { id: tuned });
  t.match(await client.models.delete(tuned), { id: tuned, deleted: true });
  await t.rejects(client.models.retrieve(tuned), { status: 404, code: 'model_not_found' });
});
