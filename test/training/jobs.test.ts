// Owns the queue of fine-tuning jobs with real runs of the model that ships: order, pause, cancel, what a failed run leaves.
// Refuses to know HTTP, and what survives a restart.

import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { importModel } from '../../src/model/import/import-model.ts';
import { jobSettings } from '../../src/training/jobs/job.ts';
import { JobQueue } from '../../src/training/jobs/queue.ts';
import type { QueueOptions } from '../../src/training/jobs/queue.ts';
import { FileStore } from '../../src/workspace/files/file-store.ts';
import { eventually } from '../helpers/http-server.ts';
import { asked, ends, examples, reaches, shelf, told, tuningWorld } from '../helpers/tuning-world.ts';
import { writeFamily } from './folders/families.ts';

t.test('a job runs, tells in order what it does, and leaves a model and its figures', async (t) => {
  const { open, folder, library } = await tuningWorld(t);
  const queue = await open();
  const { id, status } = await queue.create(asked({ checkpoint_every: 2 }));
  t.equal(status, 'validating_files');
  const job = await ends(queue, id);
  const name = `ft:pharos-mini:test:${id.slice(6, 14)}`;
  t.match(job, { status: 'succeeded', step: 3, steps: 3, fineTunedModel: name, trainedTokens: Number, finished: Number });
  t.equal(job.error, undefined);
  t.same(
    job.checkpoints.map(({ step }) => step),
    [2, 3],
  );
  const share = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
  t.ok(job.checkpoints.every(({ trainLoss, trainAccuracy }) => trainLoss !== undefined && share(trainAccuracy)));
  const figures = (await queue.events(id)).filter(({ type }) => type === 'metrics');
  t.equal(figures.length, 3);
  t.ok(figures.every(({ data }) => share(data?.['train_mean_token_accuracy'])));
  t.same(queue.statistics(), {
    jobs: { validating_files: 0, queued: 0, running: 0, paused: 0 },
    ended: { succeeded: 1, failed: 0, cancelled: 0 },
    trainedTokens: job.trainedTokens,
  });
  t.equal(library.folderOf(name), join(folder, 'models', encodeURIComponent(name)));
  t.same((await readdir(join(folder, 'models', encodeURIComponent(name)))).includes('training'), false, 'the model alone');
  t.match(
    (await told(queue, id)).join('\n'),
    /^Job created[^]*being made ready\nready\nThe job waits for its turn\nThe job runs\nTraining began: 20 examples, 3 steps, \d+ of \d+[^]*\nStep 1\/3: training loss=[^]*Step 2\/3[^]*Checkpoint of step 2 kept\nStep 3\/3[^]*New fine-tuned model: ft:[^]*The job has completed$/,
  );
  t.equal(job.resultFiles.length, 3);
  t.match(await readFile(join(folder, 'files', job.resultFiles[0]), 'utf8'), /^step,train_loss[^\n]*\n1,\d/);
  const left = async (): Promise<string[]> => (await readdir(join(folder, 'jobs', id))).filter((each) => each !== 'run.lock').toSorted();
  t.same(await eventually(left, ({ length }) => length === 2), ['events.ndjson', 'job.json'], 'what only the run needed is gone');
  t.equal(await queue.deleteModel(name), true);
  t.same(await readdir(join(folder, 'models')), []);
  t.equal(library.folderOf(name), undefined);
  t.equal(await queue.deleteModel('pharos-mini'), false);
  t.equal(await queue.deleteModel('ft:../../x'), false);
});

t.test('one at a time, in order; who is cancelled while waiting never runs; a cancelled run ends at once and leaves nothing', async (t) => {
  const { open, folder } = await tuningWorld(t);
  const queue = await open({ queue: 2 });
  const first = await queue.create(asked({ steps: 90_000 }));
  await reaches(queue, first.id, ({ step }) => step >= 2);
  const [second, third] = [await queue.create(asked({ steps: 1 })), await queue.create(asked({ steps: 1 }))];
  await t.rejects(queue.create(asked()), { code: 'job_queue_full', message: /2 fine-tuning jobs wait, which is the limit/ });
  await reaches(queue, third.id, ({ status }) => status === 'queued');
  t.equal(queue.get(second.id).status, 'queued');
  t.match(queue.statistics(), { jobs: { queued: 2, running: 1 }, ended: { succeeded: 0, cancelled: 0 } });
  t.match(await queue.cancel(second.id), { status: 'cancelled' });
  t.match(await queue.cancel(first.id), { status: 'cancelled', finished: Number });
  const { step } = queue.get(first.id);
  t.match(await ends(queue, third.id), { status: 'succeeded' });
  t.equal(queue.get(first.id).step, step, 'no step was made after it');
  t.same(queue.get(second.id).step, 0);
  t.notMatch((await told(queue, second.id)).join(), /runs/);
  t.notOk(await stat(join(folder, 'jobs', first.id, 'model')).catch(() => undefined));
  await t.rejects(queue.cancel(first.id), { code: 'job_ended', message: /has been cancelled and cannot be cancelled/ });
  await t.rejects(queue.pause(third.id), { code: 'job_ended', message: /succeeded and cannot be paused/ });
  t.throws(() => queue.get('ftjob-none'), { code: 'unknown_job' });
  t.same(
    queue.list().map(({ id }) => id),
    [third.id, second.id, first.id],
  );
});

t.test('a job that is cancelled while its result is put in place stays cancelled, and nothing of it serves', async (t) => {
  const { open, folder, library } = await tuningWorld(t);
  const queue = await open();
  const { add } = library;
  let cancelled = '';
  library.add = async (at) => {
    const [{ id }] = queue.list();
    cancelled = (await queue.cancel(id)).status;
    return add(at);
  };
  const { id } = await queue.create(asked({ steps: 1 }));
  t.match(await ends(queue, id), { status: 'cancelled' });
  await queue.close(20_000);
  t.equal(cancelled, 'cancelled');
  t.match(queue.get(id), { status: 'cancelled', fineTunedModel: undefined, resultFiles: [] });
  t.same(await readdir(join(folder, 'models')), []);
  t.same([...library.folders.keys()], ['pharos-mini']);
  t.same(await readdir(join(folder, 'files')), [], 'figures and plots are gone, too');
  t.equal((await told(queue, id)).at(-1), 'The job was cancelled');
});

t.test('a model that was brought in without safetensors is trained from its graph; one that is rounded to few bits says what would be right', async (t) => {
  const { open, library, folder } = await tuningWorld(t);
  writeFamily(join(folder, 'published'), { label: 'Llama', keys: { model_type: 'llama' }, config: {} });
  for (const [name, storage] of [
    ['whole', 'float16'],
    ['rounded', { bits: 8, block: 16 }],
  ] as const) {
    importModel({ from: join(folder, 'published'), out: join(folder, name), storage });
    library.folders.set(name, join(folder, name));
  }
  const queue = await open();
  const [whole, rounded] = [
    await queue.create({ ...asked({ method: { kind: 'lora' } }), model: 'whole' }),
    await queue.create({ ...asked(), model: 'rounded' }),
  ];
  const job = await ends(queue, whole.id);
  t.match(job, { status: 'succeeded', step: 3 });
  t.ok((await readdir(join(folder, 'models', encodeURIComponent(job.fineTunedModel ?? '')))).includes('model.safetensors'));
  t.match(await ends(queue, rounded.id), {
    status: 'failed',
    error: { code: 'checkpoint_unsupported', message: /bring the model in again with --storage float or float16/ },
  });
});

t.test('a tuned model that is deleted while a job trains it further is no loss to the job', async (t) => {
  const { open, library, folder } = await tuningWorld(t);
  writeFamily(join(folder, 'published'), { label: 'Llama', keys: { model_type: 'llama' }, config: {} });
  library.folders.set('published', join(folder, 'published'));
  const queue = await open();
  const { fineTunedModel: tuned = '' } = await ends(queue, (await queue.create({ ...asked({ steps: 1 }), model: 'published' })).id);
  const { id } = await queue.create({ ...asked({ steps: 300, checkpoint_every: 100 }), model: tuned });
  await reaches(queue, id, ({ step }) => step >= 2);
  t.ok(await queue.deleteModel(tuned));
  t.same(await readdir(join(folder, 'models')), []);
  t.match(await ends(queue, id), { status: 'succeeded', step: 300, error: undefined });
  t.notOk((await eventually(() => readdir(join(folder, 'jobs', id)), (names) => !names.includes('base'))).includes('base'));
  await queue.close(1000);
});

t.test('a paused job keeps where it is and goes on from there', async (t) => {
  const { open } = await tuningWorld(t);
  const queue = await open();
  const { id } = await queue.create(asked({ steps: 12 }));
  await reaches(queue, id, ({ step }) => step >= 2);
  t.match(await queue.pause(id), { status: 'paused' });
  await t.rejects(queue.pause(id), { code: 'job_paused' });
  const other = await queue.create(asked({ steps: 1 }));
  t.match(await ends(queue, other.id), { status: 'succeeded' }, 'others take its place');
  const { checkpoints, status } = queue.get(id);
  t.equal(status, 'paused');
  const kept = checkpoints.at(-1)?.step ?? 0;
  t.ok(kept >= 2 && kept < 12);
  await queue.resume(id);
  await t.rejects(queue.resume(id), { code: 'job_not_paused' });
  t.match(await ends(queue, id), { status: 'succeeded', step: 12 });
  t.match(
    (await told(queue, id)).join('\n'),
    new RegExp(`The job was paused[^]*The job was resumed[^]*goes on from the checkpoint of step ${kept} of 12\\n[^]*Step ${kept + 1}/12`),
  );
});

t.test('a paused job that is resumed and cancelled at the same time stays cancelled; one that is resumed twice at the same time is resumed once', async (t) => {
  const { open } = await tuningWorld(t);
  const queue = await open();
  const { id } = await queue.create(asked({ steps: 90_000 }));
  await reaches(queue, id, ({ status }) => status === 'running');
  await queue.pause(id);
  const twice = await Promise.allSettled([queue.resume(id), queue.resume(id)]);
  t.same(twice.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  await queue.pause(id);
  const resumed = queue.resume(id);
  const cancelled = queue.cancel(id);
  await t.rejects(resumed, { code: 'job_ended' });
  t.match(await cancelled, { status: 'cancelled' });
  t.match(queue.get(id), { status: 'cancelled' });
});

t.test('of a job that is cancelled while its files are made its own, nothing of them is left', async (t) => {
  const { folder } = await tuningWorld(t);
  const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const claim: QueueOptions['claim'] = async (_, at) => {
    begun.resolve();
    await goOn.promise;
    await writeFile(at.training, 'large');
  };
  const prepare = async (): Promise<never> => Promise.reject(new Error('it was cancelled'));
  const files = await FileStore.open(join(folder, 'files'), { fileBytes: 1, allBytes: 1, files: 1 });
  const silent = { warn: () => undefined, error: () => undefined };
  const limits = { jobs: 1, queue: 9, kept: 9, threads: 1, steps: 5 };
  const queue = await JobQueue.open({ folder: join(folder, 'jobs'), models: join(folder, 'models'), limits, claim, prepare, library: shelf(), files, logger: silent });
  const created = queue.create(asked());
  await begun.promise;
  const [{ id }] = queue.list();
  await queue.cancel(id);
  goOn.resolve();
  t.match(await created, { id });
  await queue.close(0);
  t.same((await readdir(join(folder, 'jobs', id))).toSorted(), ['events.ndjson', 'job.json']);
});

t.test('a run that cannot be is a failed job that says why', async (t) => {
  const { open, library, folder } = await tuningWorld(t);
  const queue = await open({ steps: 50 }, 'no json\n');
  const bad = await ends(queue, (await queue.create(asked())).id);
  t.match(bad, { status: 'failed', error: { code: 'invalid_line', message: /line 1/, param: null } });
  const wide = await ends(queue, (await queue.create(asked({ context: 5000 }))).id);
  t.match(wide, { status: 'failed', error: { code: 'invalid_spec', message: /at most 1536/ } });
  library.folders.set('pharos-mini', join(folder, 'empty'));
  await mkdir(join(folder, 'empty'));
  t.match(await ends(queue, (await queue.create(asked())).id), { status: 'failed', error: { code: String, message: /empty/ } });
  library.folders.delete('pharos-mini');
  t.match(await ends(queue, (await queue.create(asked())).id), { status: 'failed', error: { message: /no longer there/ } });
  t.equal((await queue.events(bad.id)).at(-1)?.level, 'error');
});

t.test('what a job tells of its examples and of its model names no folder of the service', async (t) => {
  const { open, library, folder } = await tuningWorld(t);
  const long = { messages: [{ role: 'user', content: 'long '.repeat(200) }, { role: 'assistant', content: 'no' }] };
  const queue = await open({}, `${examples(3)}${JSON.stringify(long)}\n`);
  const { id } = await queue.create(asked({ steps: 1 }));
  await ends(queue, id);
  const [left] = (await told(queue, id)).filter((message) => message.includes('are left out'));
  t.match(left, /^1 of 4 sequences are longer than the context of 64 tokens and are left out: training\.jsonl line 4 \(\d+\)$/);
  await mkdir(join(folder, 'empty'));
  library.folders.set('pharos-mini', join(folder, 'empty'));
  const failed = await ends(queue, (await queue.create(asked())).id);
  t.match(failed.error?.message, /empty/);
  t.notOk(failed.error?.message.includes(folder));
});

t.test('more steps than are allowed end a job before its first', async (t) => {
  const { open } = await tuningWorld(t);
  const queue = await open({ steps: 5 });
  const job = await ends(queue, (await queue.create({ ...asked(), settings: jobSettings.parse({ context: 64, rows: 1, epochs: 900 }) })).id);
  t.match(job, { status: 'failed', step: 0, error: { code: 'too_many_steps', message: /allows 5 at most/ } });
});

t.test('where models cannot be added or nothing may train, jobs are refused', async (t) => {
  const { open } = await tuningWorld(t);
  await t.rejects((await open({ jobs: 0 })).create(asked()), { code: 'tuning_unsupported', message: /PHAROS_TUNE_JOBS is 0/ });
});

t.test('a job whose files cannot be removed, as its folder is none any more, is told of and holds up nobody', async (t) => {
  const folder = t.testdir();
  const goOn = Promise.withResolvers<void>();
  const prepare: QueueOptions['prepare'] = async (_, at) => {
    await goOn.promise;
    await rm(at.folder, { recursive: true });
    await writeFile(at.folder, '');
    throw new Error('there are no examples');
  };
  const limits = { jobs: 1, queue: 9, kept: 9, threads: 1, steps: 5 };
  const files = await FileStore.open(folder, { fileBytes: 1, allBytes: 1, files: 1 });
  const mistakes: string[] = [];
  const logger = { warn: () => undefined, error: (mistake: string) => void mistakes.push(mistake) };
  const queue = await JobQueue.open({ folder: join(folder, 'jobs'), models: join(folder, 'models'), limits, claim: async () => undefined, prepare, library: shelf(), files, logger });
  const [first, second] = [await queue.create(asked()), await queue.create(asked())];
  goOn.resolve();
  for (const { id } of [first, second]) {
    t.match(await ends(queue, id), { status: 'failed', error: { message: 'there are no examples' } });
    await eventually(
      async () => mistakes.join(),
      (said) => said.includes(`files of fine-tuning job ${id} cannot be removed: ENOTDIR`),
    );
  }
  await queue.close(0);
});

t.test('jobs that are cancelled and forgotten while another one is made ready hold up nobody', async (t) => {
  const folder = t.testdir();
  const ready = Promise.withResolvers<void>();
  const prepare = async (): Promise<never> => {
    await ready.promise;
    throw new Error('there are no examples');
  };
  const limits = { jobs: 1, queue: 9, kept: 1, threads: 1, steps: 5 };
  const files = await FileStore.open(folder, { fileBytes: 1, allBytes: 1, files: 1 });
  const silent = { warn: () => undefined, error: () => undefined };
  const queue = await JobQueue.open({ folder: join(folder, 'jobs'), models: join(folder, 'models'), limits, claim: async () => undefined, prepare, library: shelf(), files, logger: silent });
  await queue.create(asked());
  for (let i = 0; i < 3; i++) await queue.cancel((await queue.create(asked())).id);
  const last = await queue.create(asked());
  ready.resolve();
  t.match(await ends(queue, last.id), { status: 'failed' });
  await queue.close(0);
});
