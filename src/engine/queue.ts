// Owns who of those that wait is next: the most urgent priority, and in it the client that has used least; and who gives way where there is no room.
// Refuses to know requests, models and clocks.
//
// Between clients: the Virtual Token Counter (Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024, section 4), which is start-time fair queueing for work whose size is not
// known before it is done. A counter for each client counts what it was given; the least counter is next. Who had nothing waiting and comes back is lifted to the least counter of those that
// wait (of the client served last, where nobody waits): time in which somebody asked for nothing is not saved up, and use of an engine that was idle is not held against anybody. While two
// clients both wait, what they are given differs by a constant: twice the work of what may be under way at a time (the same section). Nothing is left idle for it.
//
// Between priorities: strictly the lowest number, but a priority that was passed over comes one number nearer after each PASSED_OVER turns of others, so that none waits for ever: against a
// steady stream that is d numbers more urgent it still has one turn of d * PASSED_OVER + 1. Counters are kept by priority.
//
// Where there is no room: the longest queue gives way (McKenney, "Stochastic Fairness Queueing", INFOCOM 1990), so that a client with a thousand requests cannot keep others out.

/** Turns of others after which a priority counts as one number more urgent. */
export const PASSED_OVER = 16;
/** Clients with nothing waiting or under way that are remembered, by priority. */
const MOST_IDLE = 1000;

export interface Turn {
  readonly client: string;
  /** Lower is sooner. */
  readonly priority: number;
}
/** What a client was given at one priority, and what it waits for there. */
export interface Account {
  /** Counts work that was done for it. Less than nothing takes back. */
  charge(work: number): void;
  /** What was taken is over. Once for each turn. */
  end(): void;
}
export interface Taken<T> {
  readonly item: T;
  readonly account: Account;
}

class Client<T> implements Account {
  readonly name: string;
  /** In the order in which they came, each with its number in the queue. */
  readonly waiting = new Map<T, number>();
  used = 0;
  underWay = 0;
  constructor(name: string) {
    this.name = name;
  }
  charge(work: number): void {
    this.used += work;
  }
  end(): void {
    this.underWay--;
  }
  get first(): { readonly item: T; readonly number: number } | undefined {
    for (const [item, number] of this.waiting) return { item, number };
    return undefined;
  }
}

/** Those of one priority. */
class Level<T> {
  readonly #clients = new Map<string, Client<T>>();
  readonly #backlogged = new Set<Client<T>>();
  #last: Client<T> | undefined;
  /** Turns of others since it had one. */
  passed = 0;

  get waits(): boolean {
    return this.#backlogged.size > 0;
  }
  of(name: string): Client<T> | undefined {
    return this.#clients.get(name);
  }
  put(item: T, name: string, number: number): void {
    let client = this.#clients.get(name);
    if (!client) {
      this.#forget();
      this.#clients.set(name, (client = new Client(name)));
    }
    if (client.waiting.size === 0) client.used = Math.max(client.used, this.#floor());
    client.waiting.set(item, number);
    this.#backlogged.add(client);
  }
  take(): Taken<T> | undefined {
    let next: { readonly client: Client<T>; readonly item: T; readonly number: number } | undefined;
    for (const client of this.#backlogged) {
      const { first } = client;
      if (first && (!next || client.used < next.client.used || (client.used === next.client.used && first.number < next.number))) next = { client, ...first };
    }
    if (!next) return undefined;
    this.delete(next.item, next.client);
    this.#last = next.client;
    next.client.underWay++;
    this.passed = 0;
    return { item: next.item, account: next.client };
  }
  delete(item: T, client: Client<T>): void {
    client.waiting.delete(item);
    if (client.waiting.size === 0) this.#backlogged.delete(client);
    if (this.#backlogged.size === 0) this.passed = 0;
  }
  #floor(): number {
    let least: number | undefined;
    for (const { used } of this.#backlogged) least = Math.min(least ?? used, used);
    return least ?? this.#last?.used ?? 0;
  }
  /** Who is idle and not above the floor would be lifted to it: nothing is lost with it. Of the others, those above it least go first. */
  #forget(): void {
    if (this.#clients.size - this.#backlogged.size < 2 * MOST_IDLE) return;
    const floor = this.#floor();
    const idle = [...this.#clients.values()].filter((client) => client.waiting.size === 0 && client.underWay === 0 && client !== this.#last).toSorted((a, b) => b.used - a.used);
    for (const [i, { name, used }] of idle.entries()) if (i >= MOST_IDLE || used <= floor) this.#clients.delete(name);
  }
}

/** Items are told apart by identity, as keys of a Map are. */
export class FairQueue<T> {
  readonly #levels = new Map<number, Level<T>>();
  readonly #places = new Map<T, { readonly level: Level<T>; readonly client: Client<T> }>();
  /** Items that each client has waiting, of all priorities. */
  readonly #counts = new Map<string, number>();
  #next = 0;

  get size(): number {
    return this.#places.size;
  }
  put(item: T, { client: name, priority }: Turn): void {
    let level = this.#levels.get(priority);
    if (!level) this.#levels.set(priority, (level = new Level()));
    level.put(item, name, this.#next++);
    const client = level.of(name);
    if (client) this.#places.set(item, { level, client });
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
  /** Takes the next one out. What is done for it is charged to its account. */
  take(): Taken<T> | undefined {
    let next: { readonly level: Level<T>; readonly rank: number; readonly priority: number } | undefined;
    for (const [priority, level] of this.#levels) {
      if (!level.waits) continue;
      const rank = priority - Math.floor(level.passed / PASSED_OVER);
      // Of two that rank the same, the one that was passed over has its turn.
      if (!next || rank < next.rank || (rank === next.rank && priority > next.priority)) next = { level, rank, priority };
    }
    if (!next) return undefined;
    for (const level of this.#levels.values()) if (level.waits) level.passed++;
    const taken = next.level.take();
    if (taken) this.#left(taken.item);
    return taken;
  }
  /** Takes the next one of a client out, without a turn: the most urgent, and of those the one that came first. */
  takeOf(client: string): T | undefined {
    const waiting = [...this.#levels].filter(([, level]) => level.of(client)?.first).toSorted(([a], [b]) => a - b);
    const next = waiting[0]?.[1].of(client)?.first;
    if (!next) return undefined;
    this.delete(next.item);
    return next.item;
  }
  /** Lets one go that waits. */
  delete(item: T): boolean {
    const place = this.#places.get(item);
    if (!place) return false;
    place.level.delete(item, place.client);
    this.#left(item);
    return true;
  }
  clear(): void {
    for (const item of this.#places.keys()) this.delete(item);
  }

  /** Who would have to give way to a newcomer where there is no room: the newest of the least urgent that the client with most waiting has, if that is more than the newcomer would have; else one of the newcomer's own that is less urgent. Undefined: the newcomer. */
  displaced({ client, priority }: Turn): T | undefined {
    const own = this.#counts.get(client) ?? 0;
    let most: string | undefined;
    for (const [name, count] of this.#counts) if (count > (most === undefined ? own + 1 : (this.#counts.get(most) ?? 0))) most = name;
    return this.#leastUrgent(most ?? client, most === undefined ? priority : Number.NEGATIVE_INFINITY);
  }
  #leastUrgent(name: string, above: number): T | undefined {
    const found = [...this.#levels].filter(([priority, level]) => priority > above && (level.of(name)?.waiting.size ?? 0) > 0).toSorted(([a], [b]) => b - a)[0];
    return found && [...(found[1].of(name)?.waiting.keys() ?? [])].at(-1);
  }
  #left(item: T): void {
    const name = this.#places.get(item)?.client.name ?? '';
    this.#places.delete(item);
    const count = (this.#counts.get(name) ?? 0) - 1;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}
