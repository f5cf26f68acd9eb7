// Owns a small GraphStore in memory, for tests of what stands on the port: every question is answered by looking at all facts.
// Refuses speed, durability and search beyond names that begin alike.

import { foldName } from '../../graph/names.ts';
import { entity, sameTerm, termKey, termText, tripleKey } from '../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Fact, FactId, Path, Relation, RelationName, Statement, Term, TriplePattern } from '../../graph/terms.ts';
import { StoreError } from '../../graph/store.ts';
import type { BaseStatistics, Change, Commit, EntityHit, GraphStore, MatchOptions, Page, PathResult, StoredPathSummary, RelationSummary, RuleChange, RuleHistory } from '../../graph/store.ts';

interface Base {
  version: number;
  facts: Fact[];
  readonly entities: Map<EntityId, Entity>;
  readonly relations: Map<RelationName, Relation>;
  readonly rules: Map<string, string>;
  ruleChanges: RuleChange[];
}
const fits = (fact: Fact, { subject, relation, object, negated = false }: TriplePattern): boolean =>
  (subject === undefined || fact.subject === subject) &&
  (relation === undefined || fact.relation === relation) &&
  (object === undefined || sameTerm(fact.object, object)) &&
  (fact.negated ?? false) === negated;
const identity = ({ source, validFrom, validTo, ...triple }: Statement): string => JSON.stringify([tripleKey(triple), source, validFrom, validTo]);
const from = (fact: Fact, source: string): boolean => (typeof fact.source === 'object' ? fact.source.document : fact.source) === source;

export class MemoryStore implements GraphStore {
  readonly kind = 'memory';
  readonly capabilities = { inProcess: true, asOf: false };
  readonly #bases = new Map<BaseName, Base>();
  readonly #now: () => number;
  #next = 1;
  #open = false;
  /** Called before each transaction; may throw, and is awaited. */
  beforeWrite: () => void | Promise<void> = () => undefined;
  /** Called before each read of facts; is awaited. */
  beforeMatch: () => void | Promise<void> = () => undefined;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }
  async open(): Promise<void> {
    this.#open = true;
  }
  async close(): Promise<void> {
    this.#open = false;
  }
  /** Another view of the same facts, whose life is its own. */
  view(): MemoryStore {
    const view = new MemoryStore(this.#now);
    for (const [name, base] of this.#bases) view.#bases.set(name, base);
    return view;
  }
  #base(name: BaseName): Base {
    if (!this.#open) throw new StoreError('closed', 'the store is not open');
    return this.#bases.get(name) ?? { version: 0, facts: [], entities: new Map(), relations: new Map(), rules: new Map(), ruleChanges: [] };
  }

  async transact(name: BaseName, changes: readonly Change[]): Promise<Commit> {
    await this.beforeWrite();
    const base = this.#base(name);
    const added: Fact[] = [];
    const withdrawn: Fact[] = [];
    let known = 0;
    let touched = false;
    const now = new Date(this.#now()).toISOString();
    const rulesBefore = new Map(base.rules);
    const retract = (fact: Fact): void => {
      withdrawn.push({ ...fact, retractedAt: now });
      base.facts = base.facts.filter(({ id }) => id !== fact.id);
    };
    const mention = (id: EntityId): Entity => {
      const entity = base.entities.get(id) ?? { id, label: id, aliases: [], types: [] };
      base.entities.set(id, entity);
      return entity;
    };
    for (const change of changes)
      switch (change.kind) {
        case 'assert': {
          const statement = { ...change.statement, confidence: change.statement.confidence ?? 1 };
          const own = identity(statement);
          const old = base.facts.find((fact) => fact.subject === statement.subject && identity(fact) === own);
          if (old?.confidence === statement.confidence) {
            known++;
            break;
          }
          if (old) retract(old);
          const fact: Fact = { ...statement, id: `f${this.#next++}` as FactId, recordedAt: now };
          base.facts.push(fact);
          added.push(fact);
          mention(fact.subject);
          if (fact.object.kind === 'entity') mention(fact.object.id);
          break;
        }
        case 'withdraw':
          for (const fact of base.facts) if (fits(fact, change.pattern) && (change.source === undefined || from(fact, change.source))) retract(fact);
          break;
        case 'entity': {
          const { id, ...described } = change.entity;
          base.entities.set(id, { ...mention(id), ...described });
          touched = true;
          break;
        }
        case 'relation':
          base.relations.set(change.relation.name, change.relation);
          touched = true;
          break;
        case 'rule':
          if (change.document === undefined) touched = base.rules.delete(change.id) || touched;
          else if (base.rules.get(change.id) !== change.document) touched = base.rules.set(change.id, change.document) !== undefined;
          break;
        default:
          change satisfies never;
      }
    if (touched || added.length + withdrawn.length > 0) {
      base.version++;
      for (const id of new Set([...rulesBefore.keys(), ...base.rules.keys()])) {
        const before = rulesBefore.get(id);
        if (before !== base.rules.get(id)) base.ruleChanges = [{ version: base.version, at: now, id, ...(before === undefined ? {} : { before }) }, ...base.ruleChanges];
      }
      this.#bases.set(name, base);
    }
    return { version: base.version, added, known, withdrawn };
  }

  async match(name: BaseName, pattern: TriplePattern, { limit = 100, cursor, validAt, minConfidence = 0, signal }: MatchOptions = {}): Promise<Page<Fact>> {
    await this.beforeMatch();
    signal?.throwIfAborted();
    const after = cursor === undefined ? 0 : Number(cursor);
    if (Number.isNaN(after)) throw new StoreError('invalid_cursor', `${cursor} is no cursor`);
    const at = validAt === undefined ? undefined : Date.parse(validAt);
    const all = this.#base(name).facts.filter(
      (fact) =>
        Number(fact.id.slice(1)) > after &&
        fits(fact, pattern) &&
        fact.confidence >= minConfidence &&
        (at === undefined ||
          ((fact.validFrom === undefined || Date.parse(fact.validFrom) <= at) && (fact.validTo === undefined || at < Date.parse(fact.validTo)))),
    );
    return all.length > limit ? { items: all.slice(0, limit), cursor: all[limit - 1].id.slice(1) } : { items: all };
  }
  async facts(name: BaseName, ids: readonly FactId[]): Promise<readonly Fact[]> {
    return this.#base(name).facts.filter(({ id }) => ids.includes(id));
  }
  async search(name: BaseName, text: string, { limit = 10 }: { readonly limit?: number } = {}): Promise<readonly EntityHit[]> {
    const wanted = text.toLowerCase();
    const hits: EntityHit[] = [];
    for (const entity of this.#base(name).entities.values()) {
      const matched = [entity.label, ...entity.aliases.map((alias) => alias.text)].find((each) => each.toLowerCase().startsWith(wanted));
      if (matched !== undefined) hits.push({ entity, matched, score: wanted.length / matched.length });
    }
    return hits.toSorted((a, b) => b.score - a.score).slice(0, limit);
  }
  async named(name: BaseName, names: readonly string[]): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    const found = new Map<string, readonly EntityHit[]>();
    for (const wanted of new Set(names.map(foldName))) {
      const hits = [...this.#base(name).entities.values()].flatMap((entity): EntityHit[] => {
        const matched = [entity.label, entity.id, ...entity.aliases.map((alias) => alias.text)].find((each) => foldName(each) === wanted);
        return matched === undefined ? [] : [{ entity, matched, score: 1 }];
      });
      if (hits.length > 0) found.set(wanted, hits.toSorted((a, b) => (a.entity.id < b.entity.id ? -1 : 1)));
    }
    return found;
  }
  async entities(name: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    return ids.flatMap((id) => this.#base(name).entities.get(id) ?? []);
  }
  async relations(name: BaseName): Promise<readonly RelationSummary[]> {
    const { facts, relations } = this.#base(name);
    const all = new Map<RelationName, Relation>(facts.map(({ relation }) => [relation, { name: relation, aliases: [] }]));
    for (const relation of relations.values()) all.set(relation.name, relation);
    return [...all.values()].map((relation) => {
      const own = facts.filter((fact) => fact.relation === relation.name && !fact.negated);
      return { ...relation, facts: own.length, literals: own.length === 0 ? 0 : own.filter(({ object }) => object.kind === 'literal').length / own.length };
    });
  }
  async paths(name: BaseName, start: Term, { hops, limit = 1000 }: { readonly hops: number; readonly limit?: number }): Promise<readonly StoredPathSummary[]> {
    const relations = [...new Set(this.#base(name).facts.flatMap(({ relation, negated }) => (negated ? [] : [relation])))];
    const steps = relations.flatMap((relation) => [false, true].map((inverse) => ({ relation, inverse })));
    let layer: Path[] = [[]];
    const found: StoredPathSummary[] = [];
    for (let hop = 0; hop < hops; hop++) {
      layer = layer.flatMap((path) => steps.map((step) => [...path, step]));
      for (const path of layer) {
        const results = await this.follow(name, start, path);
        const ends = results.map(({ end }) => end);
        const timed = this.#base(name).facts.some(({ validFrom, validTo }) => validFrom !== undefined || validTo !== undefined);
        if (ends.length > 0) found.push({ path, ends: ends.length, sample: ends.slice(0, 3), timed });
      }
    }
    return found.slice(0, limit);
  }
  async follow(name: BaseName, start: Term, path: Path, { limit = 1000 }: { readonly limit?: number } = {}): Promise<readonly PathResult[]> {
    let frontier = new Map<string, PathResult>([[termKey(start), { end: start, facts: [] }]]);
    for (const { relation, inverse } of path) {
      const next = new Map<string, PathResult>();
      for (const { end, facts } of frontier.values())
        for (const fact of this.#base(name).facts) {
          const [near, far] = inverse ? [fact.object, entity(fact.subject)] : [entity(fact.subject), fact.object];
          if (fact.relation === relation && !fact.negated && sameTerm(near, end) && !next.has(termKey(far)))
            next.set(termKey(far), { end: far, facts: [...facts, fact] });
        }
      frontier = next;
    }
    frontier.delete(termKey(start));
    return [...frontier.values()].toSorted((a, b) => (termText(a.end) < termText(b.end) ? -1 : 1)).slice(0, limit);
  }
  async ruleHistory(name: BaseName, { documents = true }: { readonly documents?: boolean } = {}): Promise<RuleHistory> {
    const { version, ruleChanges } = this.#base(name);
    const rules = await this.rules(name);
    if (documents) return { version, from: 0, rules, changes: ruleChanges };
    const changes = ruleChanges.map(({ before, ...change }) => ({ ...change, ...(before === undefined ? {} : { before: '' }) }));
    return { version, from: 0, rules: rules.map(({ id }) => ({ id, document: '' })), changes };
  }
  async rules(name: BaseName): Promise<readonly { readonly id: string; readonly document: string }[]> {
    return [...this.#base(name).rules].map(([id, document]) => ({ id, document }));
  }
  async bases(): Promise<readonly BaseStatistics[]> {
    return [...this.#bases].map(([base, { version, facts, entities }]) => ({
      base,
      version,
      facts: facts.length,
      entities: entities.size,
      relations: new Set(facts.map(({ relation }) => relation)).size,
    }));
  }
}
