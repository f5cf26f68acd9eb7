// Owns the embedded store: the GraphStore port over one SQLite file and its image in memory.
// Refuses to answer reads of live facts from the file: it is read once, and then only for what was withdrawn.

import { foldName } from '../names.ts';
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
import { instant, timeOf } from '../reason/tables/interner.ts';
import { Base, factNumber, rowOf, timeText } from './base.ts';
import type { FactRow } from './facts.ts';
import { StoreFile } from './file.ts';
import { load } from './load.ts';
import { Transaction } from './transaction.ts';
import type { Step } from './walk.ts';

/** Of the rule history, RULE_HISTORY is the default. */
export interface EmbeddedLimits extends RuleHistoryLimits {
  /** Changes of one transaction (default 1,000,000). */
  readonly changes: number;
}
export interface EmbeddedOptions {
  /** Path of the file, made with its folder when it is not there; `:memory:` for a store that ends with the process. */
  readonly file: string;
  /** The clock of transaction times. */
  readonly now?: () => Date;
  readonly limits?: Partial<EmbeddedLimits>;
}

const MATCH_LIMIT = 100;
const SEARCH_LIMIT = 10;
const WALK_LIMIT = 1_000;
const CURSOR = /^[1-9]\d{0,14}$/;

export class EmbeddedStore implements GraphStore {
  readonly kind = 'embedded';
  readonly capabilities = { inProcess: true, asOf: true } as const;
  readonly limits: EmbeddedLimits;
  readonly #file: StoreFile;
  readonly #now: () => Date;
  #state: 'new' | 'open' | 'closed' = 'new';
  #bases = new Map<BaseName, Base>();
  #nextNumber = 1;
  #nextBase = 1;
  /** Settled when no transaction is at work or waits. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor({ file, now = () => new Date(), limits = {} }: EmbeddedOptions) {
    this.#file = new StoreFile(file);
    this.#now = now;
    this.limits = { ...RULE_HISTORY, changes: 1_000_000, ...limits };
  }

  /** StoreError `locked` when the file has another owner, `corrupt` when it is damaged or not a store, `unavailable` when it cannot be reached. */
  async open(): Promise<void> {
    if (this.#state !== 'new') throw new StoreError('closed', `the store ${this.#file.path} was opened before; a store is opened once`);
    this.#state = 'closed';
    this.#file.open();
    try {
      const { bases, lastNumber } = this.#file.guard('read', () => load(this.#file));
      this.#bases = bases;
      this.#nextNumber = lastNumber + 1;
      this.#nextBase = Math.max(0, ...[...bases.values()].map(({ id }) => id)) + 1;
    } catch (error) {
      this.#file.close();
      throw error;
    }
    this.#state = 'open';
  }
  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    await this.#writing;
    this.#bases = new Map();
    this.#file.close();
  }
  #base(name: BaseName, signal?: AbortSignal): Base | undefined {
    if (this.#state !== 'open') throw new StoreError('closed', `the store ${this.#file.path} is not open`);
    signal?.throwIfAborted();
    return this.#bases.get(name);
  }

  /** One after the other, as the file has one transaction at a time; others have their turn during a long one. */
  async transact(name: BaseName, changes: readonly Change[]): Promise<Commit> {
    this.#base(name);
    if (changes.length > this.limits.changes)
      throw new StoreError('too_large', `a transaction of ${changes.length} changes is over the limit of ${this.limits.changes}; send them in several`);
    const commit = this.#writing.then(() => this.#file.guardSliced('written', this.#transacting(name, changes)));
    this.#writing = commit.catch(() => undefined);
    return commit;
  }
  *#transacting(name: BaseName, changes: readonly Change[]): Generator<void, Commit> {
    const known = this.#bases.get(name);
    const base = known ?? new Base(this.#nextBase, name, 0, 0);
    const transaction = new Transaction(base, this.#file, this.#nextNumber, Math.max(this.#now().getTime(), base.written));
    this.#file.run('begin');
    try {
      if (!known) this.#file.run('addBase', base.id, name);
      for (const change of changes) yield* transaction.apply(change);
      if (transaction.changed) {
        yield* transaction.keepRules(base.version + 1, this.limits);
        this.#file.run('setBase', base.version + 1, transaction.time, base.id);
      }
      this.#file.run(transaction.changed ? 'commit' : 'rollback');
    } catch (error) {
      try {
        transaction.rollback();
      } finally {
        // A transaction that stays open would refuse every later one.
        this.#file.abandon();
      }
      throw error;
    }
    if (transaction.changed) {
      base.version++;
      base.written = transaction.time;
      this.#nextNumber = transaction.nextNumber;
      this.#bases.set(name, base);
      if (!known) this.#nextBase++;
      yield* transaction.finish();
    }
    const { added, known: repeated, withdrawn } = transaction;
    return { version: base.version, added, known: repeated, withdrawn };
  }

  /** Facts in the order in which they were recorded. */
  async match(name: BaseName, pattern: TriplePattern, options: MatchOptions = {}): Promise<Page<Fact>> {
    const { limit = MATCH_LIMIT, cursor, minConfidence = 0, signal } = options;
    const base = this.#base(name, signal);
    if (cursor !== undefined && !CURSOR.test(cursor))
      throw new StoreError('invalid_cursor', `the cursor ${JSON.stringify(cursor.slice(0, 80))} is not one that was given out; begin again without a cursor`);
    const after = cursor === undefined ? -1 : Number(cursor);
    const at = options.validAt === undefined ? undefined : timeOf(options.validAt, 'validAt');
    const asOf = options.asOf === undefined ? undefined : timeOf(options.asOf, 'asOf');
    const shape = base?.shape(pattern);
    if (!base || !shape || !(limit > 0)) return { items: [] };
    const { facts } = base;
    const valid = ({ from, to }: Pick<FactRow, 'from' | 'to'>): boolean =>
      at === undefined || ((from === 0 || instant(base.texts.get(from - 1)) <= at) && (to === 0 || at < instant(base.texts.get(to - 1))));
    const rows: number[] = [];
    facts.scan(shape, after, (row) => {
      if (facts.confidence(row) < minConfidence || (asOf !== undefined && facts.recorded(row) > asOf)) return true;
      if (at !== undefined && !valid({ from: facts.from(row), to: facts.to(row) })) return true;
      return rows.push(row) <= limit;
    });
    if (asOf === undefined) {
      const items = (rows.length > limit ? rows.slice(0, limit) : rows).map((row) => base.factAt(row));
      return rows.length > limit ? { items, cursor: String(facts.number(rows[limit - 1])) } : { items };
    }
    const found = rows.map((row) => ({ number: facts.number(row), fact: () => base.factAt(row) }));
    const position = (value: number): number | undefined => (value < 0 ? undefined : value);
    const query = {
      base: base.id,
      after,
      at: asOf,
      negated: shape.negated,
      subject: position(shape.subject),
      relation: position(shape.relation),
      object: position(shape.object),
    };
    this.#file.guard('read', () => {
      let past = 0;
      for (const line of this.#file.past(query)) {
        const row = rowOf(line);
        if (row.confidence < minConfidence || !valid(row)) continue;
        found.push({ number: row.number, fact: () => base.pastFact(row, line[14] as number) });
        if (++past > limit) break;
      }
    });
    found.sort((a, b) => a.number - b.number);
    const items = found.slice(0, limit);
    return { items: items.map(({ fact }) => fact()), ...(found.length > limit ? { cursor: String(items[limit - 1].number) } : {}) };
  }

  async facts(name: BaseName, ids: readonly FactId[]): Promise<readonly Fact[]> {
    const base = this.#base(name);
    if (!base) return [];
    return ids.flatMap((id) => {
      const number = factNumber(id);
      if (number === undefined) return [];
      const row = base.facts.find(number);
      if (row >= 0) return [base.factAt(row)];
      return this.#file.guard('read', () => [...this.#file.rows('past', base.id, number)].map((line) => base.pastFact(rowOf(line), line[14] as number)));
    });
  }

  async search(
    name: BaseName,
    text: string,
    { limit = SEARCH_LIMIT, signal }: { readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly EntityHit[]> {
    return this.#base(name, signal)?.search(text, limit) ?? [];
  }
  async named(
    name: BaseName,
    names: readonly string[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    const base = this.#base(name, signal);
    const found = new Map<string, readonly EntityHit[]>();
    if (base)
      for (const folded of new Set(names.map(foldName))) {
        const hits = base.named(folded);
        if (hits.length > 0) found.set(folded, hits);
      }
    return found;
  }
  async entities(name: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    const base = this.#base(name);
    if (!base) return [];
    return [...new Set(ids)].flatMap((id) => base.entity(base.terms.findEntity(id)) ?? []);
  }
  async relations(name: BaseName): Promise<readonly RelationSummary[]> {
    return this.#base(name)?.relationSummaries() ?? [];
  }

  async paths(
    name: BaseName,
    start: Term,
    { hops, limit = WALK_LIMIT, signal }: { readonly hops: number; readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<readonly StoredPathSummary[]> {
    const base = this.#base(name, signal);
    const from = base?.terms.find(start) ?? -1;
    if (!base || from < 0) return [];
    return base.walker.paths(from, hops, base.terms.count, limit).map(({ steps, ends, sample, timed }) => ({
      path: steps.map(({ relation, inverse }) => ({ relation: base.relations.get(relation), inverse })),
      ends,
      sample: sample.map((end) => base.terms.get(end)),
      timed,
    }));
  }
  /** Ends in the order in which the walk meets them: that of the facts' recording. */
  async follow(
    name: BaseName,
    start: Term,
    path: Path,
    { limit = WALK_LIMIT, signal }: { readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly PathResult[]> {
    const base = this.#base(name, signal);
    const from = base?.terms.find(start) ?? -1;
    if (!base || from < 0) return [];
    const steps: Step[] = path.map(({ relation, inverse }) => ({ relation: base.relations.find(relation), inverse }));
    if (steps.some(({ relation }) => relation < 0)) return [];
    return base.walker
      .follow(from, steps, base.terms.count, limit)
      .map(({ end, rows }) => ({ end: base.terms.get(end), facts: rows.map((row) => base.factAt(row)) }));
  }

  async rules(name: BaseName): Promise<readonly RuleDocument[]> {
    return [...(this.#base(name)?.rules ?? [])].map(([id, document]) => ({ id, document }));
  }
  async ruleHistory(name: BaseName, { documents = true }: { readonly documents?: boolean } = {}): Promise<RuleHistory> {
    const base = this.#base(name);
    if (!base) return { version: 0, from: 0, rules: [], changes: [] };
    return this.#file.guard('read', () => {
      const [[from]] = this.#file.rows('rulesFrom', base.id);
      const changes = Array.from(this.#file.rows(documents ? 'rulesPast' : 'rulesPastIds', base.id), ([version, at, id, document]) => ({
        version: version as number,
        at: timeText(at as number),
        id: id as string,
        ...(document === null ? {} : { before: document as string }),
      }));
      return { version: base.version, from: from as number, rules: Array.from(base.rules, ([id, document]) => ({ id, document: documents ? document : '' })), changes };
    });
  }
  async bases(): Promise<readonly BaseStatistics[]> {
    if (this.#state !== 'open') throw new StoreError('closed', `the store ${this.#file.path} is not open`);
    return [...this.#bases.values()].map((base) => base.statistics());
  }
}
