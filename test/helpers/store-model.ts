// Owns the naive model of a store: one list of statements in memory, every question answered by looking at all of them.
// Refuses speed, durability and search; it is what the real stores are compared with.

import { sameTerm, termKey, tripleKey } from '../../graph/terms.ts';
import type { Path, Source, Statement, Term, TriplePattern } from '../../graph/terms.ts';
import type { Change, MatchOptions } from '../../graph/store.ts';

interface Row {
  readonly statement: Statement & { readonly confidence: number };
  readonly key: string;
  live: boolean;
}
const sourceKey = (source: Source | undefined): string =>
  source === undefined ? '' : typeof source === 'string' ? `t${source}` : `d${JSON.stringify([source.document, source.page ?? null, source.start ?? null, source.end ?? null])}`;
const identity = (statement: Statement): string =>
  JSON.stringify([tripleKey(statement), statement.validFrom ?? null, statement.validTo ?? null, sourceKey(statement.source)]);
/** A withdrawal by source names a free text or a whole document. */
const cameFrom = (statement: Statement, source: string): boolean =>
  typeof statement.source === 'string' ? statement.source === source : statement.source?.document === source;
export const fits = (statement: Statement, pattern: TriplePattern): boolean =>
  (pattern.subject === undefined || pattern.subject === statement.subject) &&
  (pattern.relation === undefined || pattern.relation === statement.relation) &&
  (pattern.object === undefined || sameTerm(pattern.object, statement.object)) &&
  (pattern.negated ?? false) === (statement.negated ?? false);

export class StoreModel {
  #rows: Row[] = [];
  readonly rules = new Map<string, string>();
  version = 0;

  /** Counts as the port counts them. */
  transact(changes: readonly Change[]): { readonly added: Statement[]; readonly known: number; readonly withdrawn: Statement[] } {
    const added: Statement[] = [];
    const withdrawn: Statement[] = [];
    let known = 0;
    let touched = false;
    const retract = (row: Row): void => {
      row.live = false;
      withdrawn.push(row.statement);
    };
    for (const change of changes) {
      if (change.kind === 'assert') {
        const statement = { ...change.statement, confidence: change.statement.confidence ?? 1 };
        const key = identity(statement);
        const old = this.#rows.find((row) => row.live && row.key === key);
        if (old?.statement.confidence === statement.confidence) {
          known++;
          continue;
        }
        if (old) retract(old);
        this.#rows.push({ statement, key, live: true });
        added.push(statement);
      } else if (change.kind === 'withdraw') {
        for (const row of this.#rows)
          if (row.live && fits(row.statement, change.pattern) && (change.source === undefined || cameFrom(row.statement, change.source))) retract(row);
      } else if (change.kind === 'rule') {
        if (change.document === undefined) touched = this.rules.delete(change.id) || touched;
        else if (this.rules.get(change.id) !== change.document) touched = this.rules.set(change.id, change.document) !== undefined;
      }
    }
    this.#rows = this.#rows.filter((row) => row.live);
    if (touched || added.length > 0 || withdrawn.length > 0) this.version++;
    return { added, known, withdrawn };
  }

  match(pattern: TriplePattern, options: Pick<MatchOptions, 'validAt' | 'minConfidence'> = {}): Statement[] {
    const at = options.validAt === undefined ? undefined : Date.parse(options.validAt);
    return this.#rows
      .map((row) => row.statement)
      .filter(
        (one) =>
          fits(one, pattern) &&
          one.confidence >= (options.minConfidence ?? 0) &&
          (at === undefined || ((one.validFrom === undefined || Date.parse(one.validFrom) <= at) && (one.validTo === undefined || at < Date.parse(one.validTo)))),
      );
  }

  /** Keys of the distinct ends of `path`, without `start`. */
  ends(start: Term, path: Path): Set<string> {
    let here = new Map<string, Term>([[termKey(start), start]]);
    for (const step of path) {
      const next = new Map<string, Term>();
      for (const { subject, relation, object, negated } of this.match({})) {
        if (relation !== step.relation || negated) continue;
        const from: Term = step.inverse ? object : { kind: 'entity', id: subject };
        const to: Term = step.inverse ? { kind: 'entity', id: subject } : object;
        if (here.has(termKey(from))) next.set(termKey(to), to);
      }
      here = next;
    }
    return new Set([...here.keys()].filter((key) => key !== termKey(start)));
  }

  /** Every path of one to `hops` steps that reaches something other than `start`. */
  paths(start: Term, hops: number): Path[] {
    const relations = [...new Set(this.match({}).map((one) => one.relation))];
    const steps = relations.flatMap((relation) => [
      { relation, inverse: false },
      { relation, inverse: true },
    ]);
    let layer: Path[] = [[]];
    const all: Path[] = [];
    for (let hop = 0; hop < hops; hop++) {
      layer = layer.flatMap((path) => steps.map((step) => [...path, step]));
      all.push(...layer.filter((path) => this.ends(start, path).size > 0));
    }
    return all;
  }
}
