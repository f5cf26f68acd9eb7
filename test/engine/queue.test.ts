// Owns the promises of the queue: even shares between clients that wait, urgency in order, nobody for ever, and room for those who ask for little.
// Refuses to know engines: what is taken here is work by numbers.

import t from 'tap';
import { Outflow } from '../../src/engine/outflow.ts';
import { FairQueue, PASSED_OVER } from '../../src/engine/queue.ts';
import type { Account } from '../../src/engine/queue.ts';
import { seeded } from '../helpers/store-world.ts';

interface Job {
  readonly client: string;
  readonly prompt: number;
  readonly written: number;
}
interface Running {
  readonly job: Job;
  readonly account: Account;
  left: number;
}
const WRITTEN = 2;

/** An engine by numbers: a prompt counts when its turn comes, each token when it is written. `work`: by client so far. */
class Simulation {
  readonly queue = new FairQueue<Job>();
  readonly work = new Map<string, number>();
  readonly #slots: number;
  #running: Running[] = [];
  constructor(slots: number) {
    this.#slots = slots;
  }
  put(job: Job, priority = 0): void {
    this.queue.put(job, { client: job.client, priority });
  }
  /** Fills the slots and writes a token in each. */
  step(taken: (job: Job) => void = () => undefined): void {
    while (this.#running.length < this.#slots) {
      const next = this.queue.take();
      if (!next) break;
      taken(next.item);
      this.#charge(next.item.client, next.account, next.item.prompt);
      this.#running.push({ job: next.item, account: next.account, left: next.item.written });
    }
    for (const running of this.#running) {
      running.left--;
      this.#charge(running.job.client, running.account, WRITTEN);
      if (running.left === 0) running.account.end();
    }
    this.#running = this.#running.filter(({ left }) => left > 0);
  }
  #charge(client: string, account: Account, work: number): void {
    account.charge(work);
    this.work.set(client, (this.work.get(client) ?? 0) + work);
  }
}

t.test('while two clients wait, what they are given differs by no more than twice what may be under way, whatever comes when', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const below = (n: number): number => Math.floor(random.next() * n);
    const [slots, clients, most] = [1 + below(8), 2 + below(5), { prompt: 1 + below(400), written: 1 + below(60) }];
    const names = Array.from({ length: clients }, (_, i) => `client ${i}`);
    // Each is of another size: many small ones, few large ones.
    const sizes = names.map(() => random.next());
    const simulation = new Simulation(slots);
    const waiting = new Map(names.map((name) => [name, 0]));
    const bound = 2 * Math.max(most.prompt, WRITTEN * slots * most.written);
    /** Least and greatest difference of a pair since both wait. */
    const windows = new Map<string, { least: number; greatest: number }>();
    let worst = 0;
    for (let step = 0; step < 3000; step++) {
      for (const [i, client] of names.entries()) {
        // They come in bursts, with times of nothing.
        if ((step >> 6) % (i + 2) === 0 || random.next() > 0.3) continue;
        for (let count = 1 + below(3); count > 0; count--) {
          simulation.put({ client, prompt: Math.max(1, Math.round(most.prompt * sizes[i] * random.next())), written: Math.max(1, Math.round(most.written * sizes[i] * random.next())) });
          waiting.set(client, (waiting.get(client) ?? 0) + 1);
        }
      }
      simulation.step(({ client }) => waiting.set(client, (waiting.get(client) ?? 0) - 1));
      for (const a of names)
        for (const b of names) {
          if (a >= b) continue;
          const pair = `${a} ${b}`;
          if (!waiting.get(a) || !waiting.get(b)) {
            windows.delete(pair);
            continue;
          }
          const apart = (simulation.work.get(a) ?? 0) - (simulation.work.get(b) ?? 0);
          const window = windows.get(pair) ?? { least: apart, greatest: apart };
          windows.set(pair, { least: Math.min(window.least, apart), greatest: Math.max(window.greatest, apart) });
          worst = Math.max(worst, Math.max(window.greatest, apart) - Math.min(window.least, apart));
        }
    }
    t.ok(worst <= bound, `seed ${seed}: ${worst} apart, ${bound} allowed, ${slots} slots, ${clients} clients`);
  }
});

t.test('a client with a thousand requests does not hold up the one of another', async (t) => {
  const simulation = new Simulation(1);
  for (let i = 0; i < 1000; i++) simulation.put({ client: 'many', prompt: 5, written: 5 });
  for (let i = 0; i < 60; i++) simulation.step();
  const order: string[] = [];
  simulation.put({ client: 'one', prompt: 500, written: 500 });
  for (let i = 0; i < 20; i++) simulation.step(({ client }) => void order.push(client));
  t.ok(order.slice(0, 2).includes('one'), order.join(' '));
});

t.test('time without requests is not saved up, and use of an idle engine is not held against anybody', async (t) => {
  const simulation = new Simulation(1);
  const one = (client: string): Job => ({ client, prompt: 1, written: 1 });
  // a has the engine to itself; b was there at the beginning, and comes back.
  simulation.put(one('b'));
  for (let i = 0; i < 1000; i++) {
    simulation.put(one('a'));
    simulation.step();
  }
  for (let i = 0; i < 100; i++) for (const client of ['a', 'b', 'c']) simulation.put(one(client));
  const order: string[] = [];
  for (let i = 0; i < 30; i++) simulation.step(({ client }) => void order.push(client));
  for (const client of ['a', 'b', 'c']) t.ok(Math.abs(order.filter((each) => each === client).length - 10) <= 1, order.join(' '));
});

t.test('who asks for one after the other is not given more than those who ask for many at once', async (t) => {
  const simulation = new Simulation(2);
  for (let i = 0; i < 5000; i++) simulation.put({ client: 'many', prompt: 10, written: 5 });
  simulation.put({ client: 'few', prompt: 200, written: 20 });
  for (let i = 0; i < 4000; i++) {
    let taken = false;
    simulation.step(({ client }) => void (taken ||= client === 'few'));
    // The next comes when the one before has begun: there is always one.
    if (taken) simulation.put({ client: 'few', prompt: 200, written: 20 });
  }
  const [many = 0, few = 0] = [simulation.work.get('many'), simulation.work.get('few')];
  t.ok(Math.abs(many - few) <= 1000, `${many} and ${few}`);
});

t.test('the more urgent comes first, and of one client and one urgency the one that came first', async (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const queue = new FairQueue<{ readonly priority: number; readonly number: number }>();
    const items = Array.from({ length: PASSED_OVER }, (_, number) => ({ priority: Math.floor(random.next() * 201) - 100, number }));
    for (const item of items) queue.put(item, { client: 'a', priority: item.priority });
    t.same(Array.from({ length: items.length }, () => queue.take()?.item), items.toSorted((a, b) => a.priority - b.priority || a.number - b.number), `seed ${seed}`);
    t.equal(queue.take(), undefined);
  }
});

t.test('what is urgent does not keep the rest out for ever: each priority has its turn in time', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const priorities = [...new Set(Array.from({ length: 2 + Math.floor(random.next() * 5) }, () => Math.floor(random.next() * 30) - 15))];
    const least = Math.min(...priorities);
    const queue = new FairQueue<{ readonly priority: number; readonly client: string; since: number }>();
    const clients = ['a', 'b', 'c'];
    /** Since which turn each waits. */
    const waits = new Map<string, { readonly priority: number; readonly since: number }>();
    const put = (priority: number, client: string, since: number): void => {
      queue.put({ priority, client, since }, { client, priority });
      waits.set(`${priority} ${client}`, { priority, since });
    };
    // All of all wait all the time.
    for (const priority of priorities) for (const client of clients) put(priority, client, 0);
    for (let turn = 0; turn < 5000; turn++) {
      const taken = queue.take();
      if (!taken) break;
      const { priority, client } = taken.item;
      taken.account.charge(1 + Math.floor(random.next() * 3));
      taken.account.end();
      put(priority, client, turn);
      for (const [name, one] of waits) {
        // A client may wait for the others of its priority, three times over because they differ in size.
        const allowed = 3 * clients.length * (PASSED_OVER * (one.priority - least) + priorities.length * 2 + 1);
        if (turn - one.since <= allowed) continue;
        t.fail(`seed ${seed}: ${name} of ${priorities.join()} has waited for ${turn - one.since} turns, ${allowed} allowed`);
        return;
      }
    }
    t.equal(queue.size, priorities.length * clients.length);
  }
});

t.test('a number less urgent gets a turn for each so many of the more urgent, as is said', async (t) => {
  const queue = new FairQueue<number>();
  let next = 0;
  for (let i = 0; i < 2000; i++) queue.put(next++, { client: 'a', priority: 0 });
  const low = new Set<number>();
  for (let i = 0; i < 10; i++) {
    low.add(next);
    queue.put(next++, { client: 'b', priority: 2 });
  }
  const turns: number[] = [];
  for (let turn = 1; turn <= 10 * (2 * PASSED_OVER + 1); turn++) if (low.has(queue.take()?.item ?? -1)) turns.push(turn);
  t.same(turns, Array.from({ length: 10 }, (_, i) => (i + 1) * (2 * PASSED_OVER + 1)));
});

t.test('where there is no room the client with most gives way, and nobody with less than an even share is ever refused', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const room = 4 + Math.floor(random.next() * 40);
    const names = Array.from({ length: 2 + Math.floor(random.next() * 6) }, (_, i) => `c${i}`);
    const queue = new FairQueue<{ readonly client: string; readonly priority: number }>();
    const counts = new Map(names.map((name) => [name, 0]));
    const count = (name: string, by: number): void => void counts.set(name, (counts.get(name) ?? 0) + by);
    for (let i = 0; i < 2000; i++) {
      // The first asks far more often than the last.
      const client = names[Math.floor(random.next() ** 3 * names.length)];
      const job = { client, priority: Math.floor(random.next() * 3) };
      const own = counts.get(client) ?? 0;
      if (queue.size < room) {
        queue.put(job, job);
        count(client, 1);
      } else {
        const victim = queue.displaced(job);
        if (victim) {
          const has = counts.get(victim.client) ?? 0;
          const right = victim.client === client ? victim.priority > job.priority : has > own + 1 && has === Math.max(...counts.values());
          if (!right || !queue.delete(victim)) t.fail(`seed ${seed}: ${victim.client} with ${has} gave way to ${client} with ${own}`);
          count(victim.client, -1);
          queue.put(job, job);
          count(client, 1);
        } else if (own + 1 < room / names.length) t.fail(`seed ${seed}: ${client} was refused with ${own} of ${room} places, ${names.length} clients`);
      }
      if (random.next() < 0.3) {
        const taken = queue.take();
        taken?.account.charge(1);
        taken?.account.end();
        if (taken) count(taken.item.client, -1);
      }
      if (queue.size > room) t.fail('more than there is room for');
    }
  }
  const queue = new FairQueue<string>();
  for (const name of ['old', 'new']) queue.put(name, { client: 'a', priority: 0 });
  queue.put('urgent', { client: 'a', priority: -1 });
  t.equal(queue.displaced({ client: 'b', priority: 0 }), 'new');
  t.equal(queue.displaced({ client: 'a', priority: 0 }), undefined);
  t.equal(queue.displaced({ client: 'a', priority: -1 }), 'new');
});

t.test('who leaves is gone, in whatever order', async (t) => {
  const random = seeded(7);
  const queue = new FairQueue<number>();
  const left = new Set<number>();
  for (let i = 0; i < 3000; i++) {
    const dice = random.next();
    if (dice < 0.5) {
      queue.put(i, { client: `c${Math.floor(random.next() * 2000)}`, priority: Math.floor(random.next() * 5) });
      left.add(i);
    } else if (dice < 0.75) {
      const item = Math.floor(random.next() * i);
      if (queue.delete(item) !== left.delete(item)) t.fail(`${item}`);
    } else {
      const taken = queue.take();
      if ((taken !== undefined) !== left.size > 0 || (taken && !left.delete(taken.item))) t.fail('taken is one that waits');
      taken?.account.end();
    }
    if (queue.size !== left.size) t.fail(`${queue.size} are not ${left.size}`);
  }
  queue.clear();
  t.equal(queue.size, 0);
  t.equal(queue.take(), undefined);
});

t.test('however many clients come and go, one that has used much is remembered', async (t) => {
  const queue = new FairQueue<string>();
  const use = (client: string, work: number): void => {
    queue.put(client, { client, priority: 0 });
    const taken = queue.take();
    taken?.account.charge(work);
    taken?.account.end();
  };
  // It waits all the time, and keeps the counters of those who come from being lifted.
  for (const name of ['anchor', 'anchor 2']) queue.put(name, { client: 'anchor', priority: 0 });
  queue.take();
  use('heavy', 1_000_000);
  for (let i = 0; i < 10_000; i++) use(`guest ${i}`, 3);
  queue.put('heavy', { client: 'heavy', priority: 0 });
  queue.put('newcomer', { client: 'newcomer', priority: 0 });
  t.same(Array.from({ length: 3 }, () => queue.take()?.item).at(-1), 'heavy');
});

t.test('those who are refused are told times at which places come free, one after the other', async (t) => {
  const outflow = new Outflow();
  t.same([outflow.retryAfter(0), outflow.retryAfter(0), outflow.retryAfter(0)], [1, 1, 1], 'nothing is known');
  const fresh = new Outflow();
  for (let i = 0; i <= 10; i++) fresh.ended(i * 2000);
  t.same(Array.from({ length: 4 }, () => fresh.retryAfter(20_000)), [2, 4, 6, 8]);
  t.equal(fresh.retryAfter(30_000), 3, 'a slower rate: nothing has ended for a while, and all that was promised is past');
  const fast = new Outflow();
  for (let i = 0; i <= 100; i++) fast.ended(i * 10);
  const told = Array.from({ length: 250 }, () => fast.retryAfter(1000));
  t.same([told[0], told[99], told[149], told[249]], [1, 1, 2, 3]);
  t.ok(Array.from({ length: 100_000 }, () => fast.retryAfter(1000)).every((seconds) => seconds >= 1 && seconds <= 60));
  t.equal(fast.interval(200_000), undefined, 'what is long ago says nothing');
});
