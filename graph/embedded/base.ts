// Owns one knowledge base in memory: what stands behind its numbers, how facts turn into numbers and back, its names, declarations and rules.
// Refuses to write: transaction.ts changes it, file.ts keeps it.

import type { Entity, Fact, FactId, Relation, RelationName, Source, Statement, BaseName, TriplePattern } from '../terms.ts';
import { StoreError } from '../store.ts';
import type { BaseStatistics, EntityHit, RelationSummary } from '../store.ts';
import { TermTable, TextTable } from './dictionary.ts';
import { FactTable } from './facts.ts';
import type { FactRow, Shape } from './facts.ts';
import type { SqlRow } from './file.ts';
import { NameIndex } from './search.ts';
import type { NameHit } from './search.ts';
import { Walker } from './walk.ts';

const ID = /^f_([1-9]\d{0,14})$/;
export const factId = (number: number): FactId => `f_${number}` as FactId;
/** The number in a fact's id; undefined for what is no id of this store. */
export const factNumber = (id: string): number | undefined => {
  const match = ID.exec(id);
  return match ? Number(match[1]) : undefined;
};
const place = (value: number | undefined): number => value ?? Number.NaN;
/** Facts of one transaction were recorded at one instant: few texts serve many facts. */
const timeTexts = new Map<number, string>();
export function timeText(time: number): string {
  let text = timeTexts.get(time);
  if (text === undefined) {
    if (timeTexts.size >= 1024) timeTexts.clear();
    timeTexts.set(time, (text = new Date(time).toISOString()));
  }
  return text;
}

export class Base {
  readonly id: number;
  readonly name: BaseName;
  version: number;
  /** When the last transaction was, in milliseconds since 1970 UTC. Time never runs backwards inside a base. */
  written: number;
  readonly terms = new TermTable();
  readonly texts = new TextTable();
  readonly relations = new TextTable<RelationName>();
  readonly declared = new Map<number, Relation>();
  readonly described = new Map<number, Entity>();
  readonly rules = new Map<string, string>();
  readonly facts = new FactTable((term) => this.terms.isEntity(term), this.described);
  readonly names = new NameIndex();
  readonly walker = new Walker(this.facts);

  constructor(id: number, name: BaseName, version: number, written: number) {
    this.id = id;
    this.name = name;
    this.version = version;
    this.written = written;
  }

  /** The pattern in numbers; undefined when it names what was never told. */
  shape({ subject, relation, object, negated }: TriplePattern): Shape | undefined {
    const shape: Shape = {
      subject: subject === undefined ? -1 : this.terms.findEntity(subject),
      relation: relation === undefined ? -1 : this.relations.find(relation),
      object: object === undefined ? -1 : this.terms.find(object),
      negated: negated ? 1 : 0,
    };
    const unknown =
      (subject !== undefined && shape.subject < 0) || (relation !== undefined && shape.relation < 0) || (object !== undefined && shape.object < 0);
    return unknown ? undefined : shape;
  }
  /** The source's number in a row; -1 when one of its texts has none. */
  sourceNumber(source: Source | undefined): number {
    if (source === undefined) return 0;
    const text = this.texts.find(typeof source === 'string' ? source : source.document);
    return text < 0 ? -1 : text * 2 + (typeof source === 'string' ? 1 : 2);
  }
  /** The live fact of a row. */
  factAt(row: number): Fact {
    const { facts, terms } = this;
    const key = facts.key(row);
    const [source, from, to] = [facts.source(row), facts.from(row), facts.to(row)];
    const fact: { -readonly [K in keyof Fact]: Fact[K] } = {
      id: factId(facts.number(row)),
      subject: terms.entityId(facts.subject(row)),
      relation: this.relations.get(key >> 1),
      object: terms.get(facts.object(row)),
      confidence: facts.confidence(row),
      recordedAt: timeText(facts.recorded(row)),
    };
    if (key & 1) fact.negated = true;
    if (source > 0) fact.source = this.#source(facts.get(row));
    if (from > 0) fact.validFrom = this.texts.get(from - 1);
    if (to > 0) fact.validTo = this.texts.get(to - 1);
    return fact;
  }
  /** A fact that was withdrawn. */
  pastFact(row: FactRow, retracted: number): Fact {
    const source = this.#source(row);
    return {
      id: factId(row.number),
      subject: this.terms.entityId(row.subject),
      relation: this.relations.get(row.key >> 1),
      object: this.terms.get(row.object),
      confidence: row.confidence,
      recordedAt: timeText(row.recorded),
      ...(row.key & 1 ? { negated: true } : {}),
      ...(source === undefined ? {} : { source }),
      ...(row.from > 0 ? { validFrom: this.texts.get(row.from - 1) } : {}),
      ...(row.to > 0 ? { validTo: this.texts.get(row.to - 1) } : {}),
      retractedAt: timeText(retracted),
    };
  }
  #source({ source, page, start, end }: FactRow): Source | undefined {
    if (source === 0) return undefined;
    const text = this.texts.get((source - 1) >> 1);
    if (source % 2 === 1) return text;
    return {
      document: text,
      ...(Number.isNaN(page) ? {} : { page }),
      ...(Number.isNaN(start) ? {} : { start }),
      ...(Number.isNaN(end) ? {} : { end }),
    };
  }

  /** What is known of an entity; undefined for a literal and for what no live fact and no description names. */
  entity(term: number): Entity | undefined {
    if (!this.facts.isKnown(term) || !this.terms.isEntity(term)) return undefined;
    const described = this.described.get(term);
    if (described) return described;
    const id = this.terms.entityId(term);
    return { id, label: id, aliases: [], types: [] };
  }
  /** Brings the index of names up to date with what is known of an entity. */
  nameEntity(term: number): void {
    const described = this.described.get(term);
    if (described) this.names.set(term, described.id, [described.label, ...described.aliases.map(({ text }) => text)]);
    else if (!this.names.has(term)) this.names.set(term, this.terms.entityId(term));
  }
  search(text: string, limit: number): EntityHit[] {
    return this.#hits(this.names.search(text, limit, (term) => this.facts.isKnown(term)));
  }
  /** Entities that have this folded name, or whose id folds to it, in order of id. */
  named(folded: string): EntityHit[] {
    return this.#hits(this.names.named(folded)).sort((a, b) => (a.entity.id < b.entity.id ? -1 : 1));
  }
  #hits(found: readonly NameHit[]): EntityHit[] {
    return found.flatMap(({ entity: term, matched, score }) => {
      const entity = this.entity(term);
      return entity ? [{ entity, matched, score }] : [];
    });
  }

  #isListed(relation: number): boolean {
    return this.declared.has(relation) || this.facts.countOf(relation * 2) > 0 || this.facts.countOf(relation * 2 + 1) > 0;
  }
  relationSummaries(): RelationSummary[] {
    const summaries: RelationSummary[] = [];
    for (let relation = 0; relation < this.relations.count; relation++) {
      if (!this.#isListed(relation)) continue;
      const facts = this.facts.countOf(relation * 2);
      const declared = this.declared.get(relation) ?? { name: this.relations.get(relation), aliases: [] };
      summaries.push({ ...declared, facts, literals: facts === 0 ? 0 : this.facts.literalsOf(relation * 2) / facts });
    }
    return summaries;
  }
  statistics(): BaseStatistics {
    let relations = 0;
    for (let relation = 0; relation < this.relations.count; relation++) if (this.#isListed(relation)) relations++;
    return { base: this.name, version: this.version, facts: this.facts.live, entities: this.facts.entities, relations };
  }
}

/** A row of the tables `fact` and `past` as a fact in numbers. */
export const rowOf = (row: SqlRow): FactRow => ({
  number: row[1] as number,
  subject: row[2] as number,
  key: (row[3] as number) * 2 + (row[4] as number),
  object: row[5] as number,
  confidence: row[6] as number,
  source: row[7] as number,
  page: (row[8] ?? Number.NaN) as number,
  start: (row[9] ?? Number.NaN) as number,
  end: (row[10] ?? Number.NaN) as number,
  from: row[11] as number,
  to: row[12] as number,
  recorded: row[13] as number,
});
/** The parts of a statement that are kept as they are, beside its numbers. */
export const placesOf = ({ source }: Statement): { readonly page: number; readonly start: number; readonly end: number } =>
  typeof source === 'object'
    ? { page: place(source.page), start: place(source.start), end: place(source.end) }
    : { page: Number.NaN, start: Number.NaN, end: Number.NaN };

/** A row of the file names what the file does not hold. */
export const inconsistent = (what: string): StoreError => new StoreError('corrupt', `the store is inconsistent: ${what}; restore it from a copy`);
