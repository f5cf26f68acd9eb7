// Owns what survives an end of the service or of a run: jobs go on where they were.
// Refuses to know how a job runs.

import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { RunProcess } from '../../src/training/jobs/run-process.ts';
import type { TrainingEvent, TrainingSpecInput } from '../../src/training/spec.ts';
import { FOLDER } from '../engine/world.ts';
import { eventually, startServer } from '../helpers/http-server.ts';
import { asked, ends, examples, reaches, told, tuningWorld } from '../helpers/tuning-world.ts';

t.test('a queue that was closed goes on where it was: what ran from its checkpoint, what waited after it', async (t) => {
  const { open } = await tuningWorld(t);
  const first = await open();
  const [running, waiting, paused] = [
    await first.create(asked({ steps: 12 })),
    await first.create(asked({ steps: 1 })),
    await first.create(asked({ steps: 1 })),
  ];
  await first.pause(paused.id);
  await reaches(first, running.id, ({ step }) => step >= 3);
  await first.close(20_000);
  await t.rejects(first.create(asked()), { code: 'jobs_closed' });
  const second = await open();
  t.match(await ends(second, running.id), { status: 'succeeded', step: 12 });
  t.match((await told(second, running.id)).join('\n'), /The service was started again[^]*goes on from the checkpoint of step [1-9]\d* of 12/);
  t.match(await ends(second, waiting.id), { status: 'succeeded' });
  t.equal(second.get(paused.id).status, 'paused');
});

t.test('of jobs that ended only so many are remembered, and a record that cannot be read harms no other', async (t) => {
  const { open, folder } = await tuningWorld(t);
  const queue = await open({ kept: 2 });
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await queue.create(asked());
    ids.push(id);
    await queue.cancel(id);
  }
  t.same(
    queue.list().map(({ id }) => id),
    [ids[2], ids[1]],
  );
  await queue.close(1000);
  t.same((await readdir(join(folder, 'jobs'))).toSorted(), [ids[1], ids[2]].toSorted());
  await writeFile(join(folder, 'jobs', ids[1], 'job.json'), '{"id": "x"');
  const mistakes: string[] = [];
  const again = await open({}, '', (reason) => void mistakes.push(reason));
  t.same(
    again.list().map(({ id }) => id),
    [ids[2]],
  );
  t.match(mistakes, [/cannot be read and is left out/]);
  await again.close(0);
});

t.test('a job whose record cannot be read just now is not deleted; what a job that ended left is', async (t) => {
  const { open, folder } = await tuningWorld(t);
  const queue = await open();
  const { id } = await queue.create(asked());
  await queue.cancel(id);
  await queue.close(1000);
  const at = (...names: string[]): string => join(folder, 'jobs', ...names);
  // As after an end of the service between the record's last state and the removal of the run's files.
  await mkdir(at(id, 'model', 'training'), { recursive: true });
  await writeFile(at(id, 'model', 'training', 'state.bin'), 'large');
  await writeFile(at(id, 'spec.json'), '{}');
  // Read errors that are not "no such file": here, a record that is a folder.
  const [unread, stray, copied] = [`ftjob-${'a'.repeat(24)}`, `ftjob-${'b'.repeat(24)}`, `ftjob-${'c'.repeat(24)}`];
  await mkdir(at(unread, 'job.json'), { recursive: true });
  await writeFile(at(unread, 'events.ndjson'), '');
  await mkdir(at(stray));
  await cp(at(id), at(copied), { recursive: true });
  const mistakes: string[] = [];
  const again = await open({}, '', (reason) => void mistakes.push(reason));
  t.match(mistakes.toSorted(), [/aaaa cannot be read and is left out: EISDIR/, /cccc cannot be read and is left out: its record is that of ftjob/]);
  t.same((await readdir(at(id))).filter((name) => name !== 'run.lock').toSorted(), ['events.ndjson', 'job.json']);
  t.same((await readdir(at(unread))).toSorted(), ['events.ndjson', 'job.json'], 'nothing of it is touched');
  t.same((await readdir(at())).toSorted(), [id, unread, copied].toSorted(), 'a job without record never was');
  t.same(
    again.list().map((job) => job.id),
    [id],
    'a copy of a job under another name is not that job',
  );
});

t.test('a service that ended between serving a model and writing its job down finds the model and trains no second time', async (t) => {
  const { open, folder, library } = await tuningWorld(t);
  const at = (...names: string[]): string => join(folder, ...names);
  const queue = await open();
  const { add } = library;
  library.add = async (target) => {
    const [{ id }] = queue.list();
    await cp(at('jobs', id), at('as it was'), { recursive: true });
    return add(target);
  };
  const { id } = await queue.create(asked());
  const done = await ends(queue, id);
  await queue.close(1000);
  library.add = add;
  const files = (await readdir(at('files'))).toSorted();
  const name = done.fineTunedModel ?? '';
  const place = at('models', encodeURIComponent(name));
  for (const [label, prepare] of [
    ['the engine lists it', async () => undefined],
    ['the engine does not list it, and what only the run needed lies in it', async () => {
      library.folders.delete(name);
      await mkdir(join(place, 'training'));
    }],
  ] as const) {
    await rm(at('jobs', id), { recursive: true });
    await cp(at('as it was'), at('jobs', id), { recursive: true });
    t.match(JSON.parse(await readFile(at('jobs', id, 'job.json'), 'utf8')), { status: 'running' });
    await prepare();
    const again = await open();
    t.match(again.get(id), { status: 'succeeded', step: 3, fineTunedModel: name, resultFiles: done.resultFiles, finished: Number }, label);
    await again.close(1000);
    const events = await told(again, id);
    t.equal(events.filter((message) => message.startsWith('Training')).length, 1, label);
    t.match(events.join('\n'), /The service was started again[^]*New fine-tuned model: ft:[^]*The job has completed$/);
    t.same((await readdir(at('files'))).toSorted(), files, 'each figure once');
    t.same((await readdir(at('jobs', id))).filter((each) => each !== 'run.lock').toSorted(), ['events.ndjson', 'job.json']);
    t.equal(library.folderOf(name), place);
    t.notOk((await readdir(place)).includes('training'));
  }
  // A model that does not load is no result.
  await rm(at('jobs', id), { recursive: true });
  await cp(at('as it was'), at('jobs', id), { recursive: true });
  library.folders.delete(name);
  library.add = async () => {
    throw new Error('it is not whole');
  };
  const last = await open();
  t.match(last.get(id), { status: 'failed', error: { message: 'it is not whole' }, resultFiles: [] });
  t.same([await readdir(at('models')), await readdir(at('files'))], [[], []]);
});

t.test('a model of a job that was cancelled is not there after an end of the service before it was taken away', async (t) => {
  const { open, folder, library } = await tuningWorld(t);
  const queue = await open();
  const { id } = await queue.create(asked());
  await queue.cancel(id);
  await queue.close(1000);
  const name = `ft:pharos-mini:test:${id.slice(6, 14)}`;
  const place = join(folder, 'models', encodeURIComponent(name));
  await mkdir(place, { recursive: true });
  library.folders.set(name, place);
  t.match((await open()).get(id), { status: 'cancelled' });
  t.same(await readdir(join(folder, 'models')), []);
  t.equal(library.folderOf(name), undefined);
});

t.test('a folder of jobs that cannot be read does not pass for an empty one', async (t) => {
  const { open, folder } = await tuningWorld(t);
  await writeFile(join(folder, 'jobs'), '');
  await t.rejects(open(), { code: 'ENOTDIR' });
  await rm(join(folder, 'jobs'));
  t.same((await open()).list(), []);
});

t.test('a run that breaks says how, and one that follows it waits for the folder and goes on from its checkpoint', async (t) => {
  const folder = t.testdir({ 'training.jsonl': examples(20) });
  const spec: TrainingSpecInput = {
    model: FOLDER,
    output: join(folder, 'model'),
    training_files: [join(folder, 'training.jsonl')],
    context: 64,
    rows: 1,
    steps: 8,
    threads: 1,
    checkpoint_every: 2,
  };
  await writeFile(join(folder, 'spec.json'), JSON.stringify(spec));
  const events: TrainingEvent[] = [];
  const first = new RunProcess(join(folder, 'spec.json'), (event) => {
    events.push(event);
    if (event.kind === 'checkpoint') first.kill();
  });
  t.match(await first.outcome, { kind: 'failed', code: 'run_broke', message: /ended with signal SIGKILL/ });
  events.length = 0;
  const second = new RunProcess(join(folder, 'spec.json'), (event) => void events.push(event));
  t.same(await second.outcome, { kind: 'ended', reason: 'done' });
  t.match(events[0], { kind: 'start', steps: 8, resumedAt: 2 });
  t.same(
    events.filter(({ kind }) => kind === 'step').map((event) => 'step' in event && event.step),
    [3, 4, 5, 6, 7, 8],
  );
});

t.test('a run waits for a folder that another run holds, and stops meanwhile when it is told to', async (t) => {
  const folder = t.testdir({ 'training.jsonl': examples(20) });
  const spec: TrainingSpecInput = { model: FOLDER, output: join(folder, 'model'), training_files: [join(folder, 'training.jsonl')], context: 64, rows: 1, steps: 1, threads: 1 };
  await writeFile(join(folder, 'spec.json'), JSON.stringify(spec));
  const lock = new DatabaseSync(join(folder, 'run.lock'));
  lock.exec('BEGIN EXCLUSIVE');
  t.teardown(() => lock.isOpen && lock.close());
  const events: TrainingEvent[] = [];
  const [told, waiting] = [1, 2].map(() => new RunProcess(join(folder, 'spec.json'), (event) => void events.push(event)));
  t.teardown(() => [told, waiting].map((run) => run.kill()));
  await setTimeout(2000);
  told.stop();
  t.same(await Promise.race([told.outcome, setTimeout(10_000)]), { kind: 'ended', reason: 'stopped' });
  t.same(
    events.map(({ kind }) => kind),
    ['end'],
  );
  lock.close();
  t.same(await waiting.outcome, { kind: 'ended', reason: 'done' });
});

t.test('a service that is killed goes on with its job when it is started again', async (t) => {
  const data = join(t.testdir(), 'data');
  const start = () => startServer(t, { PHAROS_DATA: data, PHAROS_TUNE_THREADS: '1' });
  const first = await start();
  const post = async (url: string, body: object): Promise<{ id: string }> =>
    (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json() as Promise<{ id: string }>;
  const { id } = await post(`${first.url}/v1/fine_tuning/jobs`, {
    model: 'pharos-mini',
    knowledge: { examples: 20 },
    steps: 14,
    context: 320,
    checkpoint_every: 2,
    hyperparameters: { batch_size: 1 },
  });
  interface Shown {
    readonly status: string;
    readonly progress: { readonly step: number };
    readonly fine_tuned_model: string | null;
  }
  const show = (url: string) => async (): Promise<Shown> => (await fetch(`${url}/v1/fine_tuning/jobs/${id}`)).json() as Promise<Shown>;
  t.match(await eventually(show(first.url), ({ progress }) => progress.step >= 3, 120), { status: 'running' });
  await first.stop('SIGKILL');
  const second = await start();
  const done = await eventually(show(second.url), ({ status }) => status === 'succeeded' || status === 'failed', 120);
  t.match(done, { status: 'succeeded', progress: { step: 14 } });
  const { data: events } = (await (await fetch(`${second.url}/v1/fine_tuning/jobs/${id}/events?limit=1000`)).json()) as { data: { message: string }[] };
  t.match(
    events
      .map(({ message }) => message)
      .toReversed()
      .join('\n'),
    /The service was started again[^]*goes on from the checkpoint of step [1-9]/,
  );
  const { data: models } = (await (await fetch(`${second.url}/v1/models`)).json()) as { data: { id: string }[] };
  t.same(
    models.map((model) => model.id),
    ['pharos-mini', 'pharos-embed', done.fine_tuned_model],
  );
});

t.test('a job that finds the disk full is paused with the reason; resumed, it goes on from its last checkpoint', { skip: !existsSync('/dev/full') }, async (t) => {
  const { open, folder } = await tuningWorld(t);
  const queue = await open();
  const { id } = await queue.create(asked({ steps: 8, checkpoint_every: 2 }));
  await reaches(queue, id, ({ checkpoints }) => checkpoints.length > 0);
  // Whatever is written to this device finds no room.
  await symlink('/dev/full', join(folder, 'jobs', id, 'model', 'training', 'checkpoint.bin.part'));
  const { error, checkpoints } = await reaches(queue, id, ({ status }) => status === 'paused');
  t.match(error, { code: 'disk_full', message: /no room left on the disk for what the run writes to model \(ENOSPC/ });
  t.match((await told(queue, id)).at(-1), /^The job was paused: there is no room left on the disk.*\/resume lets it go on$/);
  await queue.close(1000);
  const again = await open();
  t.match(again.get(id), { status: 'paused', error: { code: 'disk_full' } });
  t.match(await again.resume(id), { error: undefined });
  t.match(await ends(again, id), { status: 'succeeded', step: 8, error: undefined });
  t.match((await told(again, id)).join('\n'), new RegExp(`goes on from the checkpoint of step ${checkpoints.at(-1)?.step} of 8`));
});

t.test('a job that finds the disk full before its first checkpoint has nothing to lose, and fails', { skip: !existsSync('/dev/full') }, async (t) => {
  const { open, folder } = await tuningWorld(t);
  const queue = await open();
  const { id } = await queue.create(asked({ steps: 4, checkpoint_every: 2 }));
  await eventually(async () => existsSync(join(folder, 'jobs', id, 'model', 'training')), Boolean);
  await symlink('/dev/full', join(folder, 'jobs', id, 'model', 'training', 'checkpoint.bin.part'));
  t.match(await ends(queue, id), { status: 'failed', error: { code: 'disk_full', message: /ENOSPC/ } });
});
