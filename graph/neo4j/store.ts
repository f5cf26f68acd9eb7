// Owns the Neo4j store: the GraphStore port over one database of a Neo4j 5.26 (or later) server or cluster.
// Refuses to hold anything in memory: the server has it all, and several processes may use it at once.

import { randomBytes, randomUUID } from 'node:crypto';
import type { BaseName, Entity, EntityId, Fact, FactId, Path, Term, TriplePattern } from '../terms.ts';
import { RULE_HISTORY, StoreError } from '../store.ts';
import type {
  BaseStatistics,
  Change,
  Commit,
  EntityHit,
  GraphStore,
  MatchOptions,
  Page,
  PathResult,
  StoredPathSummary,
  RelationSummary,
  RuleDocument,
  RuleHistory,
  RuleHistoryLimits,
} from '../store.ts';
import { timeOf } from '../reason/tables/interner.ts';
import { Connection, CONNECTION_LIMITS, whole } from './connection.ts';
import type { ConnectionLimits } from './connection.ts';
import * as cypher from './cypher.ts';
import { entityKey, entityOf, relationOf, storedFact, termKey } from './records.ts';
import type { EntityProperties } from './records.ts';
import { findNamed, searchNames } from './search.ts';
import { Transaction } from './transaction.ts';
import { parseNeo4jUrl } from './url.ts';
import { walkPath, walkPaths } from './walk.ts';

export interface Neo4jLimits extends ConnectionLimits, RuleHistoryLimits {
  /** Changes of one transaction (default 10,000): until they are committed the server holds them in its memory, about 9 KB for a fact with two new entities. */
  readonly changes: number;
}
export interface Neo4jOptions {
  /** neo4j://user:password@host:7687/database; see parseNeo4jUrl. */
  readonly url: string;
  /** The clock of transaction times. */
  readonly now?: () => Date;
  /** Defaults: CONNECTION_LIMITS, RULE_HISTORY, and 10,000 changes. */
  readonly limits?: Partial<Neo4jLimits>;
}
interface Signalled {
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

const MATCH_LIMIT = 100;
const SEARCH_LIMIT = 10;
const WALK_LIMIT = 1000;
const ID = /^f_[0-9a-z]{9}[0-9a-f]{24}$/;

/** Ids that grow with time, in this process strictly, and that no two processes give alike. */
export class FactIds {
  #time = 0;
  #count = 0;
  next(now: number): FactId {
    if (now > this.#time) [this.#time, this.#count] = [now, 0];
    return `f_${this.#time.toString(36).padStart(9, '0')}${(this.#count++).toString(16).padStart(8, '0')}${randomBytes(8).toString('hex')}` as FactId;
  }
}

export class Neo4jStore implements GraphStore {
  readonly kind = 'neo4j';
  readonly capabilities = { inProcess: false, asOf: true } as const;
  readonly limits: Neo4jLimits;
  readonly #connection: Connection;
  readonly #now: () => Date;
  readonly #ids = new FactIds();

  /** StoreError `unavailable` for an address that cannot be one. */
  constructor({ url, now = () => new Date(), limits = {} }: Neo4jOptions) {
    this.limits = { ...CONNECTION_LIMITS, ...RULE_HISTORY, changes: 10_000, ...limits };
    this.#connection = new Connection(parseNeo4jUrl(url), this.limits);
    this.#now = now;
  }

  /** Connects and sees to constraints and indexes. StoreError `unavailable` when the server cannot be reached, refuses the user, or has no such database. */
  open(): Promise<void> {
    return this.#connection.open();
  }
  close(): Promise<void> {
    return this.#connection.close();
  }

  async transact(base: BaseName, changes: readonly Change[]): Promise<Commit> {
    this.#connection.opened();
    if (changes.length > this.limits.changes)
      throw new StoreError('too_large', `a transaction of ${changes.length} changes is over the limit of ${this.limits.changes}; send them in several`);
    if (changes.length === 0) return { version: await this.#version(base), added: [], known: 0, withdrawn: [] };
    const now = (): number => this.#now().getTime();
    const begun = now();
    const transaction = new Transaction(
      base,
      randomUUID(),
      changes,
      changes.map(() => this.#ids.next(begun)),
      now,
      this.limits,
    );
    return this.#connection.write((run) => transaction.run(run));
  }
  async #version(kb: BaseName): Promise<number> {
    const [row] = await this.#connection.read((run) => run(cypher.VERSION, { kb }));
    return row ? (row.get('version') as number) : 0;
  }

  /** Facts in order of their ids, which is that of their recording where one process writes. */
  async match(kb: BaseName, pattern: TriplePattern, options: MatchOptions = {}): Promise<Page<Fact>> {
    const { limit = MATCH_LIMIT, cursor, asOf, validAt, minConfidence = 0, signal } = options;
    this.#connection.opened();
    if (cursor !== undefined && !ID.test(cursor))
      throw new StoreError('invalid_cursor', `the cursor ${JSON.stringify(cursor.slice(0, 80))} is not one that was given out; begin again without a cursor`);
    const { subject, relation, object, negated = false } = pattern;
    const query = cypher.match({ subject: subject !== undefined, relation: relation !== undefined, object: object !== undefined }, asOf !== undefined);
    const parameters = {
      kb,
      negated,
      after: cursor ?? '',
      minConfidence,
      validAt: validAt === undefined ? null : timeOf(validAt, 'validAt'),
      ...(asOf === undefined ? {} : { asOf: new Date(timeOf(asOf, 'asOf')).toISOString() }),
      ...(subject === undefined ? {} : { subject: entityKey(subject) }),
      ...(relation === undefined ? {} : { relation }),
      ...(object === undefined ? {} : { object: termKey(object) }),
    };
    if (!(limit > 0)) return { items: [] };
    const rows = await this.#connection.read((run) => run(query, { ...parameters, limit: whole(limit + 1) }), signal);
    const items = rows.slice(0, limit).map((row) => storedFact(row).fact);
    return { items, ...(rows.length > limit ? { cursor: items[items.length - 1].id } : {}) };
  }
  async facts(kb: BaseName, ids: readonly FactId[]): Promise<readonly Fact[]> {
    this.#connection.opened();
    const wanted = [...new Set(ids)].filter((id) => ID.test(id));
    if (wanted.length === 0) return [];
    const rows = await this.#connection.read((run) => run(cypher.FACTS_BY_ID, { kb, ids: wanted }));
    const found = new Map(rows.map((row) => storedFact(row).fact).map((fact) => [fact.id, fact]));
    return wanted.flatMap((id) => found.get(id) ?? []);
  }

  async search(kb: BaseName, text: string, { limit = SEARCH_LIMIT, signal }: Signalled = {}): Promise<readonly EntityHit[]> {
    return this.#connection.read((run) => searchNames(run, kb, text, limit), signal);
  }
  async named(kb: BaseName, names: readonly string[], { signal }: Signalled = {}): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    return this.#connection.read((run) => findNamed(run, kb, names), signal);
  }
  async entities(kb: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    this.#connection.opened();
    if (ids.length === 0) return [];
    const rows = await this.#connection.read((run) => run(cypher.ENTITIES, { kb, keys: [...new Set(ids.map(entityKey))] }));
    const found = new Map(rows.map((row) => entityOf(row.get('entity') as EntityProperties)).map((entity) => [entity.id, entity]));
    return [...new Set(ids)].flatMap((id) => found.get(id) ?? []);
  }
  async relations(kb: BaseName): Promise<readonly RelationSummary[]> {
    const rows = await this.#connection.read((run) => run(cypher.RELATIONS, { kb }));
    return rows.map((row) => relationOf(row.get('relation') as Readonly<Record<string, unknown>>));
  }

  async paths(kb: BaseName, start: Term, { hops, limit = WALK_LIMIT, signal }: Signalled & { readonly hops: number }): Promise<readonly StoredPathSummary[]> {
    return this.#connection.read((run) => walkPaths(run, kb, start, hops, limit), signal);
  }
  async follow(kb: BaseName, start: Term, path: Path, { limit = WALK_LIMIT, signal }: Signalled = {}): Promise<readonly PathResult[]> {
    return this.#connection.read((run) => (limit > 0 ? walkPath(run, kb, start, path, limit) : Promise.resolve([])), signal);
  }

  async ruleHistory(kb: BaseName, { documents = true }: { readonly documents?: boolean } = {}): Promise<RuleHistory> {
    const [row] = await this.#connection.read((run) => run(cypher.ruleHistory(documents), { kb }));
    if (!row) return { version: 0, from: 0, rules: [], changes: [] };
    const changes = row.get('changes') as readonly { readonly version: number; readonly at: string; readonly id: string; readonly document: string | null }[];
    return {
      version: row.get('version') as number,
      from: row.get('from') as number,
      rules: row.get('rules') as readonly RuleDocument[],
      changes: changes.map(({ version, at, id, document }) => ({ version, at, id, ...(document == null ? {} : { before: document }) })),
    };
  }
  async rules(kb: BaseName): Promise<readonly RuleDocument[]> {
    const rows = await this.#connection.read((run) => run(cypher.RULES, { kb }));
    return rows.map((row) => ({ id: row.get('id') as string, document: row.get('document') as string }));
  }
  async bases(): Promise<readonly BaseStatistics[]> {
    const rows = await this.#connection.read((run) => run(cypher.BASES, {}));
    return rows.map((row) => {
      const counts = row.get('relations') as number[];
      return {
        base: row.get('base') as BaseName,
        version: row.get('version') as number,
        facts: counts.reduce((sum, count) => sum + count, 0),
        entities: row.get('entities') as number,
        relations: counts.length,
      };
    });
  }
}
