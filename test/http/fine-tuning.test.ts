// Owns /v1/fine_tuning/jobs over HTTP: OpenAI's shape, what is refused, events as pages and as a stream, and the model that comes out.
// Refuses to know how a job is run: test/training/jobs does.

import t from 'tap';
import { call, events, list, startApp, str } from '../helpers/http-app.ts';
import type { Json, Reply } from '../helpers/http-app.ts';
import { eventually } from '../helpers/http-server.ts';
import { says, scriptedEngine, SCRIPTED } from '../helpers/scripted-engine.ts';
import { examples } from '../helpers/tuning-world.ts';
import { upload } from '../helpers/upload.ts';

const app = await startApp(t, {
  PHAROS_EXAMPLE: 'on',
  PHAROS_TUNE_THREADS: '1',
  PHAROS_TUNE_QUEUE: '2',
  PHAROS_TUNE_STEPS: '1000',
  PHAROS_TUNE_EXAMPLES: '500',
});
const JOBS = '/v1/fine_tuning/jobs';
const file = str((await upload(app, { content: examples(30), filename: 'items.jsonl', purpose: 'fine-tune' })).json.id);
const other = str((await upload(app, { content: 'x', filename: 'notes', purpose: 'user_data' })).json.id);
const create = (body: object): Promise<Reply> => call(app, 'POST', JOBS, { model: 'pharos-mini', ...body });
/** A short run. */
const SHORT = { context: 64, steps: 3, hyperparameters: { batch_size: 1 } };
const ends = (id: string): Promise<Json> =>
  eventually(
    async () => (await call(app, 'GET', `${JOBS}/${id}`)).json,
    ({ status }) => /succeeded|failed|cancelled/.test(str(status)),
    60,
  );
const ids = (reply: Reply): string[] => list(reply.json.data).map(({ id }) => str(id));

t.test('what is no job is refused with the field that is wrong', async (t) => {
  const refused = async (body: object, param: string | null, message: RegExp, status = 400): Promise<void> =>
    void t.match(await create(body), { status, json: { error: { param, message } } }, JSON.stringify(body));
  await refused({}, 'training_file', /required; or give knowledge/);
  await refused({ training_file: file, knowledge: {} }, 'knowledge', /one of them/);
  await refused({ training_file: 'file-none' }, 'training_file', /no file "file-none"; upload it/);
  await refused({ training_file: other }, 'training_file', /is for user_data/);
  await refused({ training_file: file, validation_file: other }, 'validation_file', /is for user_data/);
  await refused({ training_file: file, model: 'none' }, 'model', /there are: pharos-mini/, 404);
  await refused({ training_file: file, hyperparameters: { n_epochs: 0 } }, 'hyperparameters.n_epochs', />=1/);
  await refused({ training_file: file, hyperparameters: { batch_size: 'many' } }, 'hyperparameters.batch_size', /./);
  await refused({ training_file: file, method: { type: 'dpo' } }, 'method.type', /only supervised/);
  await refused(
    { training_file: file, hyperparameters: {}, method: { type: 'supervised', supervised: { hyperparameters: {} } } },
    'hyperparameters',
    /give them once/,
  );
  await refused({ training_file: file, suffix: 'a:b' }, 'suffix', /letters, digits/);
  await refused({ training_file: file, seed: -1 }, 'seed', /./);
  await refused({ training_file: file, lora: { rank: 0 } }, 'lora.rank', /./);
  await refused({ training_file: file, schedule: { kind: 'cosine' } }, 'schedule.peak', /required/);
  await refused({ training_file: file, steps: 5000 }, 'steps', /allows 1000 at most/);
  await refused({ training_file: file, steps: 20_000_000 }, 'steps', /<=10000000/);
  await refused({ training_file: file, schedule: { kind: 'constant', peak: 1e30 }, hyperparameters: { learning_rate_multiplier: 1000 } }, 'schedule.peak', /no learning rate/);
  await refused({ training_file: file, schedule: { kind: 'multi_step', peak: 0.001, milestones: [0.9, 0.8], gamma: 0.5 } }, 'schedule', /milestone 0.8 does not come after 0.9/);
  await refused({ training_file: file, patience: 2 }, 'patience', /give validation_file, or knowledge/);
  await refused({ training_file: file, integrations: [{ type: 'wandb' }] }, 'integrations', /not supported/);
  await refused({ training_file: file, epochs: 3 }, 'epochs', /not a field/);
  await refused({ knowledge: { base: 'nowhere' } }, 'knowledge.base', /"nowhere" holds no facts; there are: default/);
  await refused({ knowledge: { examples: 501 } }, 'knowledge.examples', /allows 500 at most/);
  await refused({ knowledge: { languages: ['fr'] } }, 'knowledge.languages[0]', /./);
  t.same((await call(app, 'GET', JOBS)).json.data, []);
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/cancel'],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['GET', '/events'],
    ['GET', '/checkpoints'],
  ] as const)
    t.match(
      await call(app, method, `${JOBS}/ftjob-none${path}`),
      { status: 404, json: { error: { code: 'fine_tuning_job_not_found', message: /GET \/v1\/fine_tuning\/jobs/ } } },
      path,
    );
});

t.test('a file becomes a model that serves at once, and the job tells all of it', async (t) => {
  const asked = {
    training_file: file,
    validation_file: file,
    suffix: 'items',
    seed: 7,
    metadata: { for: 'test' },
    ...SHORT,
    checkpoint_every: 2,
    evaluate_every: 2,
    hyperparameters: { batch_size: 1, learning_rate_multiplier: 2 },
  };
  const reply = await create(asked);
  t.match(reply, {
    status: 200,
    json: {
      object: 'fine_tuning.job',
      id: /^ftjob-/,
      model: 'pharos-mini',
      status: 'validating_files',
      training_file: file,
      validation_file: file,
      suffix: 'items',
      seed: 7,
      metadata: { for: 'test' },
      fine_tuned_model: null,
      finished_at: null,
      trained_tokens: null,
      error: null,
      hyperparameters: { n_epochs: 3, batch_size: 1, learning_rate_multiplier: 2 },
      method: { type: 'supervised', supervised: { hyperparameters: { batch_size: 1 } } },
      result_files: [],
      schedule: { kind: 'cosine', peak: 0.0003 },
      optimizer: { kind: 'adamw' },
      context: 64,
      lora: null,
      knowledge: null,
      progress: { step: 0, steps: 3 },
    },
  });
  const id = str(reply.json.id);
  // The file may go: the job has its own.
  t.match(await call(app, 'DELETE', `/v1/files/${file}`), { status: 200 });
  const streamed = await call(app, 'GET', `${JOBS}/${id}/events`, undefined, { accept: 'text/event-stream' });
  t.match(streamed.headers, { 'content-type': /text\/event-stream/ });
  t.match(streamed.text, /\n\ndata: \[DONE\]\n\n$/);
  const seen = events(streamed.text);
  t.match(
    seen.map(({ message }) => str(message)).join('\n'),
    /^Job created[^]*Step 1\/3: training loss=[^]*Step 2: validation loss=[^]*Checkpoint of step 2[^]*Step 3\/3[^]*New fine-tuned model: [^]*The job has completed$/,
  );
  const metrics = seen.filter(({ type }) => str(type) === 'metrics');
  t.match(metrics[0], {
    object: 'fine_tuning.job.event',
    level: 'info',
    data: { step: 1, total_steps: 3, train_loss: Number, train_mean_token_accuracy: Number, learning_rate: Number, trained_tokens: Number },
  });

  t.match(
    metrics.find(({ message }) => /validation/.test(str(message))),
    {
      data: { valid_loss: Number, valid_mean_token_accuracy: Number, full_valid_loss: Number, full_valid_mean_token_accuracy: Number },
    },
  );

  const job = await ends(id);
  const name = str(job.fine_tuned_model);
  const counted = (await call(app, 'GET', '/metrics')).text;
  for (const line of [
    'pharos_tuning_jobs{status="running"} 0',
    'pharos_tuning_jobs{status="queued"} 0',
    'pharos_tuning_jobs_ended_total{status="succeeded"} 1',
    'pharos_tuning_jobs_ended_total{status="failed"} 0',
    'pharos_tuning_jobs_ended_total{status="cancelled"} 0',
    `pharos_tuning_trained_tokens_total ${JSON.stringify(job.trained_tokens)}`,
  ])
    t.ok(counted.split('\n').includes(line), line);
  t.match(job, {
    status: 'succeeded',
    fine_tuned_model: `ft:pharos-mini:items:${id.slice(6, 14)}`,
    trained_tokens: Number,
    finished_at: Number,
    progress: { step: 3, steps: 3 },
  });
  const paged = await call(app, 'GET', `${JOBS}/${id}/events?limit=2`);
  t.same(list(paged.json.data), seen.slice(-2).toReversed());
  t.match(paged.json, { has_more: true });
  t.same(
    ids(await call(app, 'GET', `${JOBS}/${id}/events?limit=1000&after=${str(paged.json.last_id)}`)),
    seen
      .slice(0, -2)
      .toReversed()
      .map((event) => event.id),
  );
  t.same(
    events((await call(app, 'GET', `${JOBS}/${id}/events?stream=true&after=${str(seen.at(-3)?.id as Json)}`)).text),
    seen.slice(-2),
    'a stream goes on where another broke off',
  );
  t.match((await call(app, 'GET', `${JOBS}/${id}/checkpoints`)).json.data, [
    {
      object: 'fine_tuning.job.checkpoint',
      step_number: 3,
      fine_tuning_job_id: id,
      fine_tuned_model_checkpoint: `${name}:ckpt-step-3`,
      metrics: {
        step: 3,
        train_loss: Number,
        train_mean_token_accuracy: Number,
        valid_loss: Number,
        valid_mean_token_accuracy: Number,
        full_valid_loss: Number,
        full_valid_mean_token_accuracy: Number,
      },
    },
    { step_number: 2 },
  ]);

  t.match((await call(app, 'GET', '/v1/models')).json.data, [
    { id: 'pharos-mini' },
    { id: 'pharos-embed' },
    { id: name, tasks: ['generate'], grounded: true, loaded: false },
  ]);
  t.match(await call(app, 'POST', '/v1/chat/completions', { model: name, messages: [{ role: 'user', content: 'Where was Plato born?' }] }), {
    status: 200,
    json: { model: name, choices: [{ message: { content: /Athens/ } }] },
  });
  const [figures, loss] = await Promise.all(list(job.result_files).map((each) => call(app, 'GET', `/v1/files/${str(each)}/content`)));
  t.match(figures.text, /^step,train_loss,learning_rate[^\n]*\n1,[\d.]+,[^]*\n3,/);
  t.match(loss.text, /^<svg /);
  t.match(await call(app, 'GET', `/v1/files/${str(job.result_files[0])}`), { json: { purpose: 'fine-tune-results', filename: `${id}-metrics.csv` } });
  t.same(ids(await call(app, 'GET', `${JOBS}?metadata[for]=test`)), [id]);
  t.same(ids(await call(app, 'GET', `${JOBS}?metadata[for]=other`)), []);
  t.same(ids(await call(app, 'GET', `${JOBS}?metadata=null`)), []);
  t.match(await call(app, 'GET', `${JOBS}?colour=red`), { status: 400, json: { error: { code: 'unknown_parameter', param: 'colour' } } });

  t.match(await call(app, 'DELETE', '/v1/models/pharos-mini'), { status: 400, json: { error: { message: /only models whose names begin with ft:/ } } });
  t.match(await call(app, 'DELETE', `/v1/models/${encodeURIComponent(name)}`), { status: 200, json: { id: name, object: 'model', deleted: true } });
  t.match((await call(app, 'GET', '/v1/models')).json.data, { length: 2 });
  t.match(await call(app, 'POST', '/v1/chat/completions', { model: name, messages: [{ role: 'user', content: 'x' }] }), { status: 404 });
  t.match(await call(app, 'DELETE', `/v1/models/${encodeURIComponent(name)}`), { status: 404 });
});

t.test('a knowledge base becomes examples; jobs wait, pause, resume and are cancelled, and too many are refused', async (t) => {
  const knowledge = { knowledge: { examples: 60, languages: ['en'] }, steps: 1000, context: 256, hyperparameters: { batch_size: 1 }, lora: { rank: 2 } };
  const first = await create(knowledge);
  t.match(first.json, { knowledge: { base: 'default', examples: 60, languages: ['en'], evidence: true }, training_file: null, lora: { rank: 2, alpha: 16 } });
  const id = str(first.json.id);
  await eventually(
    async () => (await call(app, 'GET', `${JOBS}/${id}`)).json,
    ({ progress }) => Number(progress.step) >= 1,
    60,
  );
  const told = list((await call(app, 'GET', `${JOBS}/${id}/events?limit=100`)).json.data)
    .map(({ message }) => str(message))
    .join('\n');
  t.match(told, /Knowledge base default gave \d+ examples for training and \d+ others for validation/);
  t.match(await call(app, 'GET', `${JOBS}/${id}`), { json: { status: 'running', estimated_finish: Number } });
  const waiting = [await create(knowledge), await create(knowledge)].map(({ json }) => str(json.id));
  const refused = await create(knowledge);
  t.match(refused, { status: 429, json: { error: { code: 'job_queue_full', type: 'rate_limit_error', message: /2 fine-tuning jobs wait/ } } });
  t.ok(refused.headers['retry-after']);
  t.same(ids(await call(app, 'GET', `${JOBS}?limit=2`)), waiting.toReversed());
  t.match(await call(app, 'POST', `${JOBS}/${waiting[0]}/pause`), { status: 200, json: { status: 'paused' } });
  t.match(await call(app, 'POST', `${JOBS}/${waiting[0]}/resume`), { status: 200, json: { status: /queued|validating_files/ } });
  t.match(await call(app, 'POST', `${JOBS}/${waiting[0]}/resume`), {
    status: 400,
    json: { error: { code: 'job_not_paused', message: /only paused jobs can be resumed/ } },
  });
  for (const each of [...waiting, id])
    t.match(await call(app, 'POST', `${JOBS}/${each}/cancel`), { status: 200, json: { status: 'cancelled', fine_tuned_model: null, finished_at: Number } });
  t.match(await call(app, 'POST', `${JOBS}/${id}/cancel`), {
    status: 400,
    json: { error: { code: 'job_ended', message: /has been cancelled and cannot be cancelled/ } },
  });
  t.equal((await call(app, 'GET', '/readyz')).status, 200);
});

t.test('where the models run elsewhere, or nothing may be trained, jobs are refused and files are kept all the same', async (t) => {
  const far = await startApp(t, {}, { engine: scriptedEngine(() => says('x')) });
  const id = str((await upload(far, { content: examples(3), filename: 'x', purpose: 'fine-tune' })).json.id);
  t.match(await call(far, 'POST', JOBS, { model: SCRIPTED.id, training_file: id }), {
    status: 400,
    json: { error: { code: 'tuning_unsupported', param: 'model', message: /engine is embedded/ } },
  });
  t.same((await call(far, 'GET', JOBS)).json.data, []);
});
