// Owns what becomes of a job's events that cannot be written: the job goes on, whoever reads it is told, and they are written when that works again.
// Refuses to know runs.

import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EventLog } from '../../src/training/jobs/event-log.ts';
import { JobBook } from '../../src/training/jobs/job-book.ts';
import { jobSettings } from '../../src/training/jobs/job.ts';
import type { Job } from '../../src/training/jobs/job.ts';
import { info } from '../../src/training/jobs/progress.ts';

const ID = 'ftjob-aaaaaaaaaaaaaaaaaaaaaaaa';
const JOB: Job = {
  id: ID,
  created: 1,
  status: 'running',
  model: 'pharos-mini',
  settings: jobSettings.parse({}),
  learningRateMultiplier: 1,
  resultFiles: [],
  step: 0,
  trainedTokens: 0,
  checkpoints: [],
  attempts: 0,
};
const messages = (log: EventLog): string[] => log.all().map(({ message }) => message);

t.test('events that cannot be written are told once, kept, and written with the next one that can be', async (t) => {
  const file = join(t.testdir(), 'later', 'events.ndjson');
  const errors: string[] = [];
  const options = { job: ID, file, now: () => 7, closed: false, logger: { error: (message: string) => void errors.push(message) } };
  const log = await EventLog.open(options);
  log.add(info('one'));
  t.equal(await log.settled(), 2, 'the event, and the one that says so');
  log.add(info('two'));
  t.equal(await log.settled(), 3);
  t.same(errors, [`events of fine-tuning job ${ID} cannot be written: ENOENT`], 'in the log of the service, once');
  t.match(messages(log), ['one', /^Events cannot be written \(ENOENT\); they are tried again with each that follows/, 'two']);
  t.equal(log.all()[1].level, 'warn');
  mkdirSync(join(t.testdirName, 'later'));
  log.add(info('three'));
  t.equal(await log.settled(), 0);
  t.same((await EventLog.open(options)).all(), log.all(), 'nothing is missing after a restart');
});

t.test('a line that was cut off takes no other with it, and what was written twice is there once', async (t) => {
  const file = join(t.testdir(), 'events.ndjson');
  const options = { job: ID, file, now: () => 7, closed: false, logger: { error: (message: string) => t.fail(message) } };
  const log = await EventLog.open(options);
  log.add(info('one'));
  log.add(info('two'));
  await log.settled();
  const second = readFileSync(file, 'utf8').split('\n')[1];
  appendFileSync(file, `${second}\n${second.slice(0, 20)}`);
  const again = await EventLog.open(options);
  t.same(messages(again), ['one', 'two']);
  again.add(info('three'));
  await again.settled();
  const last = await EventLog.open(options);
  t.same(messages(last), ['one', 'two', 'three']);
  t.equal(new Set(last.all().map(({ id }) => id)).size, 3);
});

t.test('a job that ended without its last events says how many are missing, also after a restart', async (t) => {
  const folder = t.testdir();
  const errors: string[] = [];
  const book = new JobBook(folder, () => 7, { error: (message) => void errors.push(message) });
  await book.add(JOB, info('begun'));
  await book.settled();
  const { events } = book.files(ID);
  renameSync(events, `${events}.kept`);
  mkdirSync(events);
  await book.tell(ID, info('lost'));
  t.match(await book.change(ID, { status: 'succeeded' }, info('done')), { status: 'succeeded' }, 'the job goes on to its end');
  t.equal(book.get(ID).eventsLost, 3);
  t.match(errors[0], /cannot be written: EISDIR/);
  rmSync(events, { recursive: true });
  renameSync(`${events}.kept`, events);
  for (const each of [book, new JobBook(folder, () => 7, { error: (message) => t.fail(message) })]) {
    await each.load();
    t.same(
      (await each.events(ID)).map(({ message }) => message),
      ['begun', '3 events of this job could not be written and are missing here'],
    );
  }
});
