// Owns one transaction: applies changes to the base in memory and to the file side by side, in slices, and takes them back from both when one fails.
// Refuses to know who reads meanwhile: a reading that a transaction cut in two is made again by whoever reads.

import type { Alias, Entity, Fact, Relation, RelationName, Statement, Term } from '../terms.ts';
import type { Change, RuleHistoryLimits } from '../store.ts';
import { pauses } from '../reason/evaluate/run.ts';
import { placesOf } from './base.ts';
import type { Base } from './base.ts';
import type { FactRow } from './facts.ts';
import type { StoreFile } from './file.ts';

/** Changes between two pauses. */
const CHANGES = 64;
const orNull = (place: number): number | null => (Number.isNaN(place) ? null : place);
const cleanAlias = ({ text, language }: Alias): Alias => (language === undefined ? { text } : { text, language });

export class Transaction {
  readonly added: Fact[] = [];
  readonly withdrawn: Fact[] = [];
  known = 0;
  /** Something besides facts changed. */
  #touched = false;
  readonly #base: Base;
  readonly #file: StoreFile;
  /** Transaction time, in milliseconds since 1970 UTC. */
  readonly time: number;
  #nextNumber: number;
  // What there was before.
  readonly #before: { readonly terms: number; readonly texts: number; readonly relations: number; readonly rows: number };
  readonly #removedRows: number[] = [];
  readonly #oldDescriptions = new Map<number, Entity | undefined>();
  readonly #oldDeclarations = new Map<number, Relation | undefined>();
  #oldRules: ReadonlyMap<string, string> | undefined;
  readonly #ruled = new Set<string>();
  /** Terms whose names may have to be told to the index. */
  readonly #named = new Set<number>();
  readonly #pause = pauses(CHANGES);

  /** `nextNumber`: what the next fact is numbered. `time`: the transaction time in milliseconds. */
  constructor(base: Base, file: StoreFile, nextNumber: number, time: number) {
    this.#base = base;
    this.#file = file;
    this.#nextNumber = nextNumber;
    this.time = time;
    this.#before = { terms: base.terms.count, texts: base.texts.count, relations: base.relations.count, rows: base.facts.count };
  }
  get nextNumber(): number {
    return this.#nextNumber;
  }
  get changed(): boolean {
    return this.#touched || this.added.length + this.withdrawn.length > 0;
  }

  *apply(change: Change): Generator<void, void> {
    if (this.#pause()) yield;
    switch (change.kind) {
      case 'assert':
        this.#assert(change.statement);
        break;
      case 'withdraw': {
        const shape = this.#base.shape(change.pattern);
        const from = change.source === undefined ? -1 : this.#base.texts.find(change.source);
        if (!shape || (change.source !== undefined && from < 0)) break;
        const { facts } = this.#base;
        const rows: number[] = [];
        facts.scan(shape, -1, (row) => {
          if (from < 0 || (facts.source(row) > 0 && (facts.source(row) - 1) >> 1 === from)) rows.push(row);
          return true;
        });
        for (const row of rows) {
          if (this.#pause()) yield;
          this.#retract(row);
        }
        break;
      }
      case 'entity':
        this.#describe(change.entity);
        break;
      case 'relation':
        this.#declare(change.relation);
        break;
      case 'rule':
        this.#rule(change.id, change.document);
        break;
      default:
        change satisfies never;
    }
  }
  #assert(statement: Statement): void {
    const { facts } = this.#base;
    const { source, validFrom, validTo, confidence = 1 } = statement;
    const subject = this.#term({ kind: 'entity', id: statement.subject });
    const object = this.#term(statement.object);
    const row: FactRow = {
      number: this.#nextNumber,
      subject,
      key: this.#relation(statement.relation) * 2 + (statement.negated ? 1 : 0),
      object,
      confidence,
      source: source === undefined ? 0 : typeof source === 'string' ? this.#text(source) * 2 + 1 : this.#text(source.document) * 2 + 2,
      ...placesOf(statement),
      from: validFrom === undefined ? 0 : this.#text(validFrom) + 1,
      to: validTo === undefined ? 0 : this.#text(validTo) + 1,
      recorded: this.time,
    };
    const same = facts.findSame(row);
    if (same >= 0) {
      if (facts.confidence(same) === confidence) {
        this.known++;
        return;
      }
      this.#retract(same);
    }
    this.#nextNumber++;
    this.added.push(this.#base.factAt(facts.add(row)));
    this.#file.run(
      'addFact',
      this.#base.id,
      row.number,
      row.subject,
      row.key >> 1,
      row.key & 1,
      row.object,
      row.confidence,
      row.source,
      orNull(row.page),
      orNull(row.start),
      orNull(row.end),
      row.from,
      row.to,
      row.recorded,
    );
    this.#named.add(subject);
    if (statement.object.kind === 'entity') this.#named.add(object);
  }
  #retract(row: number): void {
    const { facts } = this.#base;
    const fact = facts.get(row);
    facts.remove(row);
    this.#removedRows.push(row);
    this.#file.run('retract', this.time, this.#base.id, fact.number);
    this.#file.run('dropFact', this.#base.id, fact.number);
    this.withdrawn.push(this.#base.pastFact(fact, this.time));
  }
  #describe({ id, label, aliases, types }: Extract<Change, { kind: 'entity' }>['entity']): void {
    const { described, facts } = this.#base;
    const term = this.#term({ kind: 'entity', id });
    const old = described.get(term);
    const entity: Entity = {
      id: this.#base.terms.entityId(term),
      label: label ?? old?.label ?? id,
      aliases: aliases?.map(cleanAlias) ?? old?.aliases ?? [],
      types: types ? [...types] : (old?.types ?? []),
    };
    const document = JSON.stringify(entity);
    if (old && JSON.stringify(old) === document) return;
    if (!this.#oldDescriptions.has(term)) this.#oldDescriptions.set(term, old);
    described.set(term, entity);
    if (!old) facts.describe(term);
    this.#file.run('describe', this.#base.id, term, document);
    this.#named.add(term);
    this.#touched = true;
  }
  #declare(relation: Relation): void {
    const { declared } = this.#base;
    const number = this.#relation(relation.name);
    const old = declared.get(number);
    const document = JSON.stringify(relation);
    if (old && JSON.stringify(old) === document) return;
    if (!this.#oldDeclarations.has(number)) this.#oldDeclarations.set(number, old);
    declared.set(number, JSON.parse(document) as Relation);
    this.#file.run('declare', document, this.#base.id, number);
    this.#touched = true;
  }
  #rule(id: string, document: string | undefined): void {
    const { rules } = this.#base;
    if (rules.get(id) === document) return;
    this.#oldRules ??= new Map(rules);
    this.#ruled.add(id);
    if (document === undefined) {
      rules.delete(id);
      this.#file.run('dropRule', this.#base.id, id);
    } else {
      rules.set(id, document);
      this.#file.run('setRule', this.#base.id, id, document);
    }
    this.#touched = true;
  }

  /** Keeps the documents that rules had before this version, and forgets those of versions too long ago. */
  *keepRules(version: number, { ruleVersions, ruleChanges }: RuleHistoryLimits): Generator<void, void> {
    const { id: base, rules } = this.#base;
    const old = this.#oldRules;
    const changed = [...this.#ruled].filter((id) => old?.get(id) !== rules.get(id));
    if (!old || changed.length === 0) return;
    const kept = changed.length <= ruleChanges;
    for (const id of kept ? changed : []) {
      if (this.#pause()) yield;
      this.#file.run('keepRule', base, version, id, old.get(id) ?? null, this.time);
    }
    const beyond = [...this.#file.rows('nthVersion', base, ruleVersions), ...this.#file.rows('nthChange', base, ruleChanges)];
    const cut = kept ? Math.max(0, ...beyond.map(([before]) => before as number)) : version;
    if (cut === 0) return;
    this.#file.run('forgetRules', base, cut);
    this.#file.run('setRulesFrom', cut, base);
  }
  #term(term: Term): number {
    const { terms } = this.#base;
    const known = terms.find(term);
    if (known >= 0) return known;
    const number = terms.add(term.kind === 'entity' ? { kind: 'entity', id: term.id } : term);
    const value = term.kind === 'entity' ? term.id : typeof term.value === 'boolean' ? Number(term.value) : term.value;
    this.#file.run('addTerm', this.#base.id, number, term.kind === 'entity' ? 'entity' : term.type, value);
    return number;
  }
  #text(text: string): number {
    const { texts } = this.#base;
    const known = texts.find(text);
    if (known >= 0) return known;
    const number = texts.add(text);
    this.#file.run('addText', this.#base.id, number, text);
    return number;
  }
  #relation(name: RelationName): number {
    const { relations } = this.#base;
    const known = relations.find(name);
    if (known >= 0) return known;
    const number = relations.add(name);
    this.#file.run('addRelation', this.#base.id, number, name);
    return number;
  }

  /** The file has it all: what only memory holds follows. */
  *finish(): Generator<void, void> {
    for (const term of this.#named) {
      if (this.#pause()) yield;
      if (this.#base.facts.isKnown(term)) this.#base.nameEntity(term);
    }
    this.#base.facts.compact();
  }
  /** The file has nothing of it: neither has memory. */
  rollback(): void {
    const { described, declared, rules, facts, terms, texts, relations } = this.#base;
    const restore = <T>(map: Map<number, T>, old: ReadonlyMap<number, T | undefined>): void => {
      for (const [key, value] of old)
        if (value === undefined) map.delete(key);
        else map.set(key, value);
    };
    restore(described, this.#oldDescriptions);
    restore(declared, this.#oldDeclarations);
    if (this.#oldRules) {
      rules.clear();
      for (const [id, document] of this.#oldRules) rules.set(id, document);
    }
    if (facts.count > this.#before.rows || this.#removedRows.length + this.#oldDescriptions.size > 0) facts.rollback(this.#before.rows, this.#removedRows);
    terms.truncate(this.#before.terms);
    texts.truncate(this.#before.texts);
    relations.truncate(this.#before.relations);
  }
}
