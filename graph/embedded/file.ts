// Owns the SQLite file: who may have it, its schema, every SQL string, and what its errors mean.
// Refuses to know what is kept in memory. One owner at a time; what is committed is on the disk (WAL, synchronous = FULL).

import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { runSliced } from '../reason/evaluate/run.ts';
import { StoreError } from '../store.ts';

/** 'Phrs': marks the file as ours. */
const APPLICATION = 0x50687273;
const SCHEMA_VERSION = 2;
const FACT_COLUMNS = 'base, number, subject, relation, negated, object, confidence, source, page, start, "end", valid_from, valid_to, recorded';
const FACT = `base INTEGER NOT NULL, number INTEGER NOT NULL, subject INTEGER NOT NULL, relation INTEGER NOT NULL, negated INTEGER NOT NULL,
  object INTEGER NOT NULL, confidence REAL NOT NULL, source INTEGER NOT NULL, page REAL, start REAL, "end" REAL, valid_from INTEGER NOT NULL,
  valid_to INTEGER NOT NULL, recorded INTEGER NOT NULL`;
/** Rule documents before a version changed them: NULL where there was none. */
const RULE_PAST = `CREATE TABLE rule_past (base INTEGER NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL, document TEXT, at INTEGER NOT NULL,
  PRIMARY KEY (base, version, id)) STRICT, WITHOUT ROWID;`;
/** From version 1, which did not keep them: what was before the version that is there now is not known. */
const FROM_1 = `${RULE_PAST} ALTER TABLE base ADD COLUMN rules_from INTEGER NOT NULL DEFAULT 0; UPDATE base SET rules_from = version; PRAGMA user_version = 2;`;
/** Numbers of terms, texts and relations count from 0 in each base. `fact` holds what is live, `past` what was withdrawn. */
const SCHEMA = `
CREATE TABLE base (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, written INTEGER NOT NULL, rules_from INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE term (base INTEGER NOT NULL, id INTEGER NOT NULL, type TEXT NOT NULL, value ANY NOT NULL, PRIMARY KEY (base, id)) STRICT, WITHOUT ROWID;
CREATE TABLE text (base INTEGER NOT NULL, id INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (base, id)) STRICT, WITHOUT ROWID;
CREATE TABLE relation (base INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, declaration TEXT, PRIMARY KEY (base, id)) STRICT, WITHOUT ROWID;
CREATE TABLE entity (base INTEGER NOT NULL, term INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (base, term)) STRICT, WITHOUT ROWID;
CREATE TABLE rule (number INTEGER PRIMARY KEY, base INTEGER NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, UNIQUE (base, id)) STRICT;
${RULE_PAST}
CREATE TABLE fact (${FACT}, PRIMARY KEY (base, number)) STRICT, WITHOUT ROWID;
CREATE TABLE past (${FACT}, retracted INTEGER NOT NULL, PRIMARY KEY (base, number)) STRICT, WITHOUT ROWID;
CREATE INDEX past_subject ON past (base, subject, number);
CREATE INDEX past_object ON past (base, object, number);
PRAGMA application_id = ${APPLICATION};
PRAGMA user_version = ${SCHEMA_VERSION};`;

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  bases: 'SELECT id, name, version, written FROM base ORDER BY id',
  terms: 'SELECT base, id, type, value FROM term ORDER BY base, id',
  texts: 'SELECT base, id, value FROM text ORDER BY base, id',
  relations: 'SELECT base, id, name, declaration FROM relation ORDER BY base, id',
  entities: 'SELECT base, term, document FROM entity ORDER BY base, term',
  rules: 'SELECT base, id, document FROM rule ORDER BY number',
  facts: `SELECT ${FACT_COLUMNS} FROM fact ORDER BY base, number`,
  lastPast: 'SELECT max(number) FROM past WHERE base = ?',
  addBase: 'INSERT INTO base (id, name, version, written) VALUES (?, ?, 0, 0)',
  setBase: 'UPDATE base SET version = ?, written = ? WHERE id = ?',
  addTerm: 'INSERT INTO term (base, id, type, value) VALUES (?, ?, ?, ?)',
  addText: 'INSERT INTO text (base, id, value) VALUES (?, ?, ?)',
  addRelation: 'INSERT INTO relation (base, id, name) VALUES (?, ?, ?)',
  declare: 'UPDATE relation SET declaration = ? WHERE base = ? AND id = ?',
  describe: 'INSERT INTO entity (base, term, document) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document',
  setRule: 'INSERT INTO rule (base, id, document) VALUES (?, ?, ?) ON CONFLICT (base, id) DO UPDATE SET document = excluded.document',
  dropRule: 'DELETE FROM rule WHERE base = ? AND id = ?',
  keepRule: 'INSERT INTO rule_past (base, version, id, document, at) VALUES (?, ?, ?, ?, ?)',
  rulesPast: 'SELECT version, at, id, document FROM rule_past WHERE base = ? ORDER BY version DESC, id',
  rulesPastIds: 'SELECT version, at, id, substr(document, 1, 0) FROM rule_past WHERE base = ? ORDER BY version DESC, id',
  rulesFrom: 'SELECT rules_from FROM base WHERE id = ?',
  nthVersion: 'SELECT DISTINCT version FROM rule_past WHERE base = ? ORDER BY version DESC LIMIT 1 OFFSET ?',
  nthChange: 'SELECT version FROM rule_past WHERE base = ? ORDER BY version DESC LIMIT 1 OFFSET ?',
  forgetRules: 'DELETE FROM rule_past WHERE base = ? AND version <= ?',
  setRulesFrom: 'UPDATE base SET rules_from = ? WHERE id = ?',
  addFact: `INSERT INTO fact (${FACT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  retract: `INSERT INTO past (${FACT_COLUMNS}, retracted) SELECT ${FACT_COLUMNS}, ? FROM fact WHERE base = ? AND number = ?`,
  dropFact: 'DELETE FROM fact WHERE base = ? AND number = ?',
  past: `SELECT ${FACT_COLUMNS}, retracted FROM past WHERE base = ? AND number = ?`,
} as const;
export type StatementName = keyof typeof SQL;
export type SqlRow = readonly SQLOutputValue[];

/** Which withdrawn facts to read: those live at `at`, in order of their numbers, from behind `after`. Undefined positions match anything. */
export interface PastQuery {
  readonly base: number;
  readonly after: number;
  readonly at: number;
  readonly negated: 0 | 1;
  readonly subject?: number;
  readonly relation?: number;
  readonly object?: number;
}

export class StoreFile {
  readonly path: string;
  #database: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.path = path;
  }
  /** Takes the file, and makes it if it is not there. StoreError `locked`, `corrupt` or `unavailable`; a file that is not ours is left as it is. */
  open(): void {
    try {
      this.guard('opened', () => {
        if (this.path !== ':memory:') {
          mkdirSync(dirname(this.path), { recursive: true });
          this.#mayWrite();
        }
        const database = (this.#database = new DatabaseSync(this.path, { timeout: 0 }));
        // Held from the first read until closing; the WAL index is then kept in this process's memory, and no other process can look in.
        database.exec('PRAGMA locking_mode = EXCLUSIVE');
        if (!this.#isOurs(database)) database.exec(`BEGIN EXCLUSIVE; ${SCHEMA} COMMIT`);
        database.exec(
          'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY',
        );
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }
  /** SQLite calls it an I/O error where it may not write. */
  #mayWrite(): void {
    for (const place of [dirname(this.path), this.path])
      try {
        accessSync(place, constants.R_OK | constants.W_OK);
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (place === this.path && code === 'ENOENT') continue;
        throw new StoreError(
          'unavailable',
          `the store ${this.path} could not be opened: ${place} may not be read and written (${code}); give the user that Pharos runs as the right to, or name another folder`,
          { cause },
        );
      }
  }
  /** False for an empty file. */
  #isOurs(database: DatabaseSync): boolean {
    const number = (pragma: string): number => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']);
    const [application, version] = [number('application_id'), number('user_version')];
    if (application === 0 && tables === 0) return false;
    if (application !== APPLICATION)
      throw new StoreError('corrupt', `${this.path} is a database of another program; give the path of a Pharos store, or of a file that does not exist yet`);
    if (version === 1) database.exec(`BEGIN EXCLUSIVE; ${FROM_1} COMMIT`);
    else if (version !== SCHEMA_VERSION)
      throw new StoreError(
        'corrupt',
        `${this.path} has schema version ${version}, and this Pharos reads version ${SCHEMA_VERSION}; open it with the version that wrote it`,
      );
    return true;
  }
  close(): void {
    this.#statements.clear();
    const database = this.#database;
    this.#database = undefined;
    if (database?.isOpen) this.guard('closed', () => database.close());
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      if (!this.#database) throw new StoreError('closed', `${this.path} is not open`);
      statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
  run(name: StatementName, ...values: SQLInputValue[]): void {
    this.#prepare(SQL[name]).run(...values);
  }
  /** Rows as arrays of the columns named in the statement. */
  rows(name: StatementName, ...values: SQLInputValue[]): IterableIterator<SqlRow> {
    return this.#prepare(SQL[name]).iterate(...values) as unknown as IterableIterator<SqlRow>;
  }
  /** Withdrawn facts, as `rows` of the columns of a fact and the time of withdrawal. */
  past({ base, after, at, negated, subject, relation, object }: PastQuery): IterableIterator<SqlRow> {
    let sql = `SELECT ${FACT_COLUMNS}, retracted FROM past WHERE base = ? AND number > ? AND recorded <= ? AND retracted > ? AND negated = ?`;
    const values = [base, after, at, at, negated];
    for (const [column, value] of [
      ['subject', subject],
      ['relation', relation],
      ['object', object],
    ] as const)
      if (value !== undefined) {
        sql += ` AND ${column} = ?`;
        values.push(value);
      }
    return this.#prepare(`${sql} ORDER BY number`).iterate(...values) as unknown as IterableIterator<SqlRow>;
  }

  /** Ends a transaction that failed, without hiding why it did. */
  abandon(): void {
    // SQLite has already rolled back what failed for want of space or memory.
    if (this.#database?.isTransaction) this.#database.exec(SQL.rollback);
  }
  /** Does something with the file; SQLite's errors become StoreError. `done` completes "the store could not be ...". */
  guard<T>(done: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#explained(error, done);
    }
  }
  /** The same of work in slices. */
  async guardSliced<T>(done: string, work: Generator<void, T>): Promise<T> {
    try {
      return await runSliced(work);
    } catch (error) {
      throw this.#explained(error, done);
    }
  }
  #explained(cause: unknown, done: string): unknown {
    if (cause instanceof StoreError || !(cause instanceof Error)) return cause;
    const { code, errcode } = cause as NodeJS.ErrnoException & { readonly errcode?: number };
    const fail = (kind: 'locked' | 'corrupt' | 'unavailable', why: string): StoreError =>
      new StoreError(kind, `the store ${this.path} could not be ${done}: ${why}`, { cause });
    if (code !== 'ERR_SQLITE_ERROR') return cause instanceof Error && 'syscall' in cause ? fail('unavailable', cause.message) : cause;
    switch ((errcode ?? 0) & 0xff) {
      case 5: // SQLITE_BUSY
      case 6: // SQLITE_LOCKED
        return fail('locked', 'it is locked by another process or another store of this one; a store has one owner at a time');
      case 11: // SQLITE_CORRUPT
      case 26: // SQLITE_NOTADB
        return fail('corrupt', `${cause.message}; restore it from a copy`);
      default:
        return fail('unavailable', cause.message);
    }
  }
}
