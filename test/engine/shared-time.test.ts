// Owns how models share the thread that computes: prompts of one are read in shorter chunks while another has work.
// Refuses to know what is read.

import t from 'tap';
import type { Test } from 'tap';
import { DEFAULT_LIMITS } from '../../src/engine/engine.ts';
import { LoadedModel } from '../../src/engine/decoder/loaded-model.ts';
import type { Sequence } from '../../src/engine/decoder/sequence.ts';
import { Scheduler } from '../../src/engine/scheduler.ts';
import { ask, FOLDER, until } from './world.ts';

const turn = { client: '', priority: 0, since: 0 };
const LONG = ask('the river and the stone '.repeat(100), { maxTokens: 1 });

/** A model whose clock says that each token takes so many milliseconds, and a text of it that notes how many tokens each of its passes reads. */
async function slowModel(t: Test, ms: number): Promise<{ readonly read: (chunks: number[]) => Sequence }> {
  const model = await LoadedModel.load(FOLDER, { device: 'cpu', threads: 1, prefixBytes: 0 });
  t.teardown(() => model.close());
  let clock = 0;
  Object.defineProperty(model.runner, 'computedMs', { get: () => clock });
  const read = (chunks: number[]): Sequence => {
    const sequence = model.prepare(LONG);
    const plan = sequence.plan.bind(sequence);
    return Object.assign(sequence, {
      plan: (chunk: number, guesses: number) => {
        const planned = plan(chunk, guesses);
        if (sequence.reads) chunks.push(planned.tokens.length);
        clock += ms * planned.tokens.length;
        return planned;
      },
    });
  };
  return { read };
}

t.test('a prompt is read in chunks of a tenth of a second while another model writes, or encoders have work, and in whole ones before and after', async (t) => {
  const { read } = await slowModel(t, 2);
  const other = await LoadedModel.load(FOLDER, { device: 'cpu', threads: 1, prefixBytes: 0 });
  t.teardown(() => other.close());
  const ended = new Set<number>();
  let encoding = false;
  const scheduler = new Scheduler(DEFAULT_LIMITS, (events) => events.forEach(({ id, kind }) => void (kind === 'finish' && ended.add(id))), () => encoding);
  const whole = async (id: number, chunks: number[]): Promise<readonly number[]> => {
    scheduler.submit(id, () => read(chunks), turn);
    await until(() => ended.has(id));
    return chunks.slice(0, -1);
  };

  const first: number[] = [];
  scheduler.submit(1, () => other.prepare(ask('The', { maxTokens: 1000, sampling: { temperature: 3, topP: 1, seed: 1, ignoreEos: true } })), turn);
  await until(() => scheduler.statistics().generatedTokens > 2);
  const [least, ...rest] = await whole(2, first);
  t.equal(least, 16, 'a model whose pace is not known yet begins with few');
  t.equal(ended.has(1), false);
  t.ok(rest.length > 2 && rest.every((tokens) => tokens === 50), first.join(' '));
  scheduler.cancel(1);
  const alone = await whole(3, []);
  t.ok(alone.length > 1 && alone.every((tokens) => tokens === 128), alone.join(' '));
  encoding = true;
  const pressed = await whole(4, []);
  t.ok(pressed.length > 2 && pressed.every((tokens) => tokens === 50), pressed.join(' '));
  await scheduler.close(0);
});

t.test('however slow a model is, a few tokens of its prompt are read in each round', async (t) => {
  const { read } = await slowModel(t, 500);
  const ended = new Set<number>();
  const scheduler = new Scheduler({ ...DEFAULT_LIMITS, prefillChunk: 40 }, (events) => events.forEach(({ id, kind }) => void (kind === 'finish' && ended.add(id))), () => true);
  const chunks: number[] = [];
  scheduler.submit(1, () => read(chunks), turn);
  await until(() => ended.has(1));
  t.ok(chunks.slice(0, -1).every((tokens) => tokens === 16), chunks.join(' '));
  await scheduler.close(0);
});
