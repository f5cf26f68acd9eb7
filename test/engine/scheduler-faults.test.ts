// Owns that a fault between passes, such as memory that is not to be had, ends the generations that it hits and no others.
// Refuses to know what passes compute.

import t from 'tap';
import { DEFAULT_LIMITS } from '../../src/engine/engine.ts';
import { LoadedModel } from '../../src/engine/decoder/loaded-model.ts';
import type { WireEvent } from '../../src/engine/protocol.ts';
import type { Sequence } from '../../src/engine/decoder/sequence.ts';
import { Scheduler } from '../../src/engine/scheduler.ts';
import { ask, FOLDER, until, wild } from './world.ts';

const turn = { client: '', priority: 0, since: 0 };

t.test('texts that cannot be put side by side for want of memory end with an error, and the engine goes on', async (t) => {
  const model = await LoadedModel.load(FOLDER, { device: 'cpu', threads: 1, prefixBytes: 1_000_000 });
  t.teardown(() => model.close());
  const { runner } = model;
  const batch = runner.batch.bind(runner);
  let full = true;
  Object.assign(runner, {
    batch: (columns: number) => {
      if (full && columns > 1) throw new RangeError('Array buffer allocation failed');
      return batch(columns);
    },
  });
  const events: WireEvent[] = [];
  const scheduler = new Scheduler(DEFAULT_LIMITS, (given) => void events.push(...given));
  const submit = (id: number): void => scheduler.submit(id, () => model.prepare(ask('A colour:', wild(id, 12))), turn);
  const ends = (): string[] => events.flatMap((event) => (event.kind === 'error' ? [`${event.id} ${event.message}`] : event.kind === 'finish' ? [`${event.id} ${event.reason}`] : [])).toSorted();
  submit(1);
  submit(2);
  await until(() => ends().length === 2);
  t.same(ends(), ['1 Array buffer allocation failed', '2 Array buffer allocation failed']);
  t.match(scheduler.statistics(), { running: 0, waiting: 0, slots: { used: 0 } });
  t.equal(scheduler.bytesOf(runner), 0, 'and nothing is held');

  full = false;
  for (const id of [3, 4, 5]) submit(id);
  await until(() => ends().length === 5);
  t.same(ends().slice(2).map((end) => end.replace(/stop|length/, 'well')), ['3 well', '4 well', '5 well']);
  t.equal(scheduler.bytesOf(runner), 0);
  await scheduler.close(0);
});

t.test('a text that cannot begin, or whose next pass cannot be planned, ends with an error, and those beside it go on', async (t) => {
  const model = await LoadedModel.load(FOLDER, { device: 'cpu', threads: 1, prefixBytes: 1_000_000 });
  t.teardown(() => model.close());
  const ends = new Map<number, string>();
  const scheduler = new Scheduler(DEFAULT_LIMITS, (events) => {
    for (const event of events) if (event.kind === 'error') ends.set(event.id, event.message);
      else if (event.kind === 'finish') ends.set(event.id, 'well');
  });
  const broken = (): Sequence => {
    const sequence = model.prepare(ask('A colour:', wild(2, 12)));
    const plan = sequence.plan.bind(sequence);
    return Object.assign(sequence, {
      plan: (chunk: number, guesses: number) => {
        if (!sequence.reads) throw new RangeError('Array buffer allocation failed');
        return plan(chunk, guesses);
      },
    });
  };
  scheduler.submit(1, () => model.prepare(ask('A colour:', wild(1, 12))), turn);
  scheduler.submit(2, broken, turn);
  scheduler.submit(3, () => model.prepare(ask('A city:', wild(3, 12))), turn);
  await until(() => ends.size === 3);
  t.same([...ends].toSorted(), [[1, 'well'], [2, 'Array buffer allocation failed'], [3, 'well']]);
  for (const id of [4, 5]) scheduler.submit(id, broken, turn);
  await until(() => ends.size === 5);
  t.equal(ends.get(5), 'Array buffer allocation failed');

  const { runner } = model;
  const start = runner.start.bind(runner);
  let started = 0;
  Object.assign(runner, {
    start: () => {
      if (++started === 2) throw new RangeError('no room to begin');
      return start();
    },
  });
  for (const id of [6, 7, 8]) scheduler.submit(id, () => model.prepare(ask(`${id} colours:`, wild(id, 12))), turn);
  await until(() => ends.size === 8);
  t.same([6, 7, 8].map((id) => ends.get(id)), ['well', 'no room to begin', 'well']);
  t.match(scheduler.statistics(), { running: 0, waiting: 0 });
  t.equal(scheduler.bytesOf(model.runner), 0);
  await scheduler.close(0);
});
