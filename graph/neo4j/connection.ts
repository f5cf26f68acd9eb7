// Owns the driver: opening, transactions, giving up, and what an error of the server means for a caller.
// Refuses to know facts.

import neo4j from 'neo4j-driver';
import type { Driver, ManagedTransaction, Record as Row, Session } from 'neo4j-driver';
import { StoreError } from '../store.ts';
import * as cypher from './cypher.ts';
import type { Neo4jAddress } from './url.ts';

/** Runs one query inside a transaction. */
export type Run = (query: string, parameters: Readonly<Record<string, unknown>>) => Promise<readonly Row[]>;

export interface ConnectionLimits {
  /** A connection attempt is given up after this long. */
  readonly connectMs: number;
  /** What fails for reasons that pass (a change of leader, a deadlock) is tried again for this long. */
  readonly retryMs: number;
  /** The server ends a read after this long. */
  readonly readMs: number;
  readonly connections: number;
}
export const CONNECTION_LIMITS: ConnectionLimits = { connectMs: 5000, retryMs: 8000, readMs: 60_000, connections: 50 };

/** A whole number for the server: a plain JavaScript number travels as a float. */
export const whole = (value: number): unknown => neo4j.int(value);

const UNREACHABLE = new Set(['ServiceUnavailable', 'SessionExpired', 'N/A']);
const runner =
  (transaction: ManagedTransaction): Run =>
  async (query, parameters) =>
    (await transaction.run(query, parameters)).records;

const isTooLarge = (error: unknown): boolean => error instanceof neo4j.Neo4jError && /(MemoryPool|Transaction)OutOfMemory/.test(error.code);

/** `open` once, `close` once; outside that span every call rejects with StoreError `closed`. */
export class Connection {
  readonly #address: Neo4jAddress;
  readonly #limits: ConnectionLimits;
  #driver: Driver | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(address: Neo4jAddress, limits: ConnectionLimits) {
    this.#address = address;
    this.#limits = limits;
  }

  /** Connects, and creates what is missing of constraints and indexes. */
  async open(): Promise<void> {
    if (this.#state !== 'new') throw new StoreError('closed', 'the store was opened before; make a new one');
    this.#state = 'open';
    const { url, user, password, database } = this.#address;
    const driver = neo4j.driver(url, user === '' ? undefined : neo4j.auth.basic(user, password), {
      connectionTimeout: this.#limits.connectMs,
      connectionAcquisitionTimeout: this.#limits.connectMs + this.#limits.retryMs,
      maxTransactionRetryTime: this.#limits.retryMs,
      maxConnectionPoolSize: this.#limits.connections,
      disableLosslessIntegers: true,
      telemetryDisabled: true,
      userAgent: 'pharos',
    });
    this.#driver = driver;
    try {
      const { agent = '' } = await driver.getServerInfo({ database });
      const [, major, minor] = /^Neo4j\/(\d+)\.(\d+)/.exec(agent) ?? [];
      if (Number(major) < 5 || (Number(major) === 5 && Number(minor) < 23))
        throw new StoreError('unavailable', `Neo4j at ${url} is version ${major}.${minor}; 5.26 or later is needed`);
      await this.#prepare(driver);
    } catch (error) {
      await this.close();
      throw this.#explain(error);
    }
  }
  async #prepare(driver: Driver): Promise<void> {
    const execute = (statement: string): Promise<readonly Row[]> =>
      this.#with(driver, (session) => session.executeWrite((transaction) => runner(transaction)(statement, {})));
    const [row] = await execute(cypher.READY_SCHEMA);
    const missing = cypher.missingSchema(row.get('names') as string[]);
    // Another process that opens at the same moment may make the same index first; then there is nothing left to do the second time.
    for (const statement of missing)
      await execute(statement).catch((error: unknown) =>
        error instanceof neo4j.Neo4jError && error.code.startsWith('Neo.ClientError.Schema.') ? execute(statement) : Promise.reject(error),
      );
    if (missing.length > 0) await execute(cypher.AWAIT_SCHEMA);
  }
  async close(): Promise<void> {
    this.#state = 'closed';
    const driver = this.#driver;
    this.#driver = undefined;
    await driver?.close();
  }

  /** A read transaction; `work` may run more than once. When `signal` fires, the server gives up too, and the signal's reason is thrown. */
  async read<T>(work: (run: Run) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const driver = this.opened();
    signal?.throwIfAborted();
    try {
      return await this.#with(driver, async (session) => {
        const give = (): void => void session.close().catch(() => undefined);
        signal?.addEventListener('abort', give, { once: true });
        try {
          return await session.executeRead((transaction) => work(runner(transaction)), { timeout: this.#limits.readMs });
        } finally {
          signal?.removeEventListener('abort', give);
        }
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#explain(error);
    }
  }
  /** A write transaction; `work` may run more than once, and even after an earlier run was committed, when the news of it was lost. */
  async write<T>(work: (run: Run) => Promise<T>): Promise<T> {
    const driver = this.opened();
    try {
      return await this.#with(driver, (session) =>
        session.executeWrite((transaction) => {
          const run = runner(transaction);
          // The server calls it transient, but what had no room once has none the second time.
          return work((query, parameters) =>
            run(query, parameters).catch((error: unknown) => Promise.reject(isTooLarge(error) ? this.#explain(error) : error)),
          );
        }),
      );
    } catch (error) {
      throw this.#explain(error);
    }
  }
  opened(): Driver {
    if (this.#state !== 'open' || !this.#driver)
      throw new StoreError(
        'closed',
        this.#state === 'new' ? 'the store is not open yet; call open() first' : 'the store is closed; make a new one and open it',
      );
    return this.#driver;
  }
  async #with<T>(driver: Driver, work: (session: Session) => Promise<T>): Promise<T> {
    // One bookmark manager for all sessions: what was written is seen by the next read, on any member of a cluster.
    const session = driver.session({ database: this.#address.database, bookmarkManager: driver.executeQueryBookmarkManager });
    try {
      return await work(session);
    } finally {
      await session.close().catch(() => undefined);
    }
  }

  #explain(error: unknown): unknown {
    if (error instanceof StoreError) return error;
    if (this.#state === 'closed' && this.#driver === undefined && error instanceof Error && /closed/i.test(error.message))
      return new StoreError('closed', 'the store was closed while it was at work', { cause: error });
    if (!(error instanceof neo4j.Neo4jError)) return error;
    const { url, user, database } = this.#address;
    const at = `Neo4j at ${url}`;
    const code = error.code ?? '';
    const say = (message: string): StoreError => new StoreError('unavailable', message, { cause: error });
    if (code.startsWith('Neo.ClientError.Security.'))
      return say(
        `${at} refuses the user ${JSON.stringify(user)}: ${error.message.slice(0, 200)}; give its user and password in the address, neo4j://user:password@host`,
      );
    if (code === 'Neo.ClientError.Database.DatabaseNotFound')
      return say(`${at} has no database ${JSON.stringify(database)}; create it, or name another behind the host: neo4j://host/database`);
    if (isTooLarge(error))
      return new StoreError(
        'too_large',
        `${at} has too little memory for a transaction of this size; send fewer changes at once, or raise dbms.memory.transaction.total.max`,
        { cause: error },
      );
    if (code.includes('TransactionTimedOut')) return say(`${at} did not finish a read in ${this.#limits.readMs} ms; ask for less at once`);
    if (
      UNREACHABLE.has(code) ||
      code.startsWith('Neo.TransientError.') ||
      code === 'Neo.ClientError.General.DatabaseUnavailable' ||
      code.startsWith('Neo.ClientError.Cluster.')
    )
      return say(
        `${at} cannot be reached or cannot answer now (${error.message.split('\n')[0].slice(0, 200)}); see that it runs and listens there, and that the address is right`,
      );
    return error;
  }
}
