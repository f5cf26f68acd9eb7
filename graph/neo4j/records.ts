// Owns the two forms of one thing: facts, terms, entities and relations as the port has them, and as properties in Neo4j.
// Refuses to run queries.

import { createHash } from 'node:crypto';
import type { Record as Row } from 'neo4j-driver';
import { foldName, nameGrams } from '../names.ts';
import { instant } from '../reason/tables/interner.ts';
import { termKey as plainKey, tripleKey } from '../terms.ts';
import type { Alias, BaseName, Entity, EntityId, Fact, FactId, Literal, Relation, RelationName, Source, Statement, Term } from '../terms.ts';
import type { RelationSummary } from '../store.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
/** An index entry may have about 8,000 bytes, which is less than a long literal has. */
const INDEXED = 1100;
/** Injective text of a term, short enough for an index. */
export function termKey(term: Term): string {
  const key = plainKey(term);
  return key.length <= INDEXED ? key : `${key[0]}\u0002${digest(key)}`;
}
export const entityKey = (id: EntityId): string => termKey({ kind: 'entity', id });

/** What two statements have in common when one is told for the other: all but the confidence. */
export const factKey = (base: BaseName, statement: Statement): string =>
  digest(JSON.stringify([base, tripleKey(statement), statement.validFrom ?? null, statement.validTo ?? null, sourceParts(statement.source)]));
const sourceParts = (source: Source | undefined): unknown =>
  source === undefined || typeof source === 'string' ? (source ?? null) : [source.document, source.page ?? null, source.start ?? null, source.end ?? null];

/** Properties of a fact; `source` is the text or the document's name, `document` says which. */
export interface FactProperties {
  readonly fid: string;
  readonly key: string;
  readonly name: string;
  readonly negated: boolean;
  readonly confidence: number;
  readonly source?: string | null;
  readonly document?: boolean | null;
  readonly page?: number | null;
  readonly start?: number | null;
  readonly end?: number | null;
  readonly validFrom?: string | null;
  readonly validTo?: string | null;
  readonly recordedAt: string;
  readonly retractedAt?: string | null;
}
export interface StoredFact {
  readonly key: string;
  readonly fact: Fact;
}

export function factProperties(
  base: BaseName,
  key: string,
  fact: Fact,
): FactProperties & { readonly kb: string; readonly fromMs: number | null; readonly toMs: number | null } {
  const { source } = fact;
  const place = typeof source === 'object' ? source : undefined;
  return {
    kb: base,
    fid: fact.id,
    key,
    name: fact.relation,
    negated: fact.negated ?? false,
    confidence: fact.confidence,
    source: typeof source === 'object' ? source.document : (source ?? null),
    document: source === undefined ? null : place !== undefined,
    page: place?.page ?? null,
    start: place?.start ?? null,
    end: place?.end ?? null,
    validFrom: fact.validFrom ?? null,
    validTo: fact.validTo ?? null,
    fromMs: fact.validFrom === undefined ? null : instant(fact.validFrom),
    toMs: fact.validTo === undefined ? null : instant(fact.validTo),
    recordedAt: fact.recordedAt,
  };
}
/** Of a row with `fact`, `subject` and `object`. */
export function storedFact(row: Row): StoredFact {
  const p = row.get('fact') as FactProperties;
  const { source, page, start, end } = p;
  const place = { ...(page == null ? {} : { page }), ...(start == null ? {} : { start }), ...(end == null ? {} : { end }) };
  const fact: Fact = {
    id: p.fid as FactId,
    subject: row.get('subject') as EntityId,
    relation: p.name as RelationName,
    object: term(row.get('object') as TermProperties),
    ...(p.negated ? { negated: true } : {}),
    confidence: p.confidence,
    ...(source == null ? {} : { source: p.document === true ? { document: source, ...place } : source }),
    ...(p.validFrom == null ? {} : { validFrom: p.validFrom }),
    ...(p.validTo == null ? {} : { validTo: p.validTo }),
    recordedAt: p.recordedAt,
    ...(p.retractedAt == null ? {} : { retractedAt: p.retractedAt }),
  };
  return { key: p.key, fact };
}

export interface TermProperties {
  readonly id?: string | null;
  readonly type?: Literal['type'] | null;
  readonly value?: string | number | boolean | null;
}
export const term = ({ id, type, value }: TermProperties): Term =>
  id == null ? ({ kind: 'literal', type, value } as Literal) : { kind: 'entity', id: id as EntityId };

/** `name` is the label, as graph tools show it; `languages` goes along with `aliases`, empty for any. */
export interface EntityProperties {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly languages: readonly string[];
  readonly types: readonly string[];
  readonly described: boolean;
}
const aliasList = (texts: readonly string[], languages: readonly string[]): Alias[] =>
  texts.map((text, i) => (languages[i] ? { text, language: languages[i] } : { text }));
const aliasProperties = (aliases: readonly Alias[]): { readonly aliases: readonly string[]; readonly languages: readonly string[] } => ({
  aliases: aliases.map(({ text }) => text),
  languages: aliases.map(({ language }) => language ?? ''),
});
export const entityOf = (p: EntityProperties): Entity => ({ id: p.id as EntityId, label: p.name, aliases: aliasList(p.aliases, p.languages), types: p.types });
export const entityProperties = ({ id, label, aliases, types }: Entity, described: boolean): EntityProperties & { readonly key: string } => ({
  key: entityKey(id),
  id,
  name: label,
  ...aliasProperties(aliases),
  types,
  described,
});
/** An entity that nobody has described. */
export const bareEntity = (id: EntityId): Entity => ({ id, label: id, aliases: [], types: [] });

/** What an entity is called: label, aliases, id, each once. */
export const namesOf = ({ id, label, aliases }: Entity): string[] => [...new Set([label, ...aliases.map(({ text }) => text), id])];
/** Begins as the folded name does, for this many characters at least. */
export const NAME_BEGINNING = 200;
export const nameKey = (folded: string): string => (folded.length <= 256 ? folded : `${folded.slice(0, NAME_BEGINNING)}\u0002${digest(folded)}`).toWellFormed();
export const gramText = (folded: string): string =>
  nameGrams(folded)
    .map((gram) => gram.toString(36))
    .join(' ');
/** Names over this length are found exactly or by their beginning only. */
export const FUZZY_LENGTH = 256;
/** The rows that make an entity findable, one for each of its folded names. */
export function nameRows(entity: Entity): { readonly entity: string; readonly key: string; readonly folded: string; readonly grams: string }[] {
  const owner = entityKey(entity.id);
  return [...new Set(namesOf(entity).map(foldName))]
    .filter((folded) => folded !== '')
    .map((folded) => ({ entity: owner, key: nameKey(folded), folded, grams: folded.length <= FUZZY_LENGTH ? gramText(folded) : '' }));
}

const FLAGS = ['functional', 'symmetric', 'transitive', 'closed'] as const;
const LISTS = ['disjointWith', 'domain', 'range', 'subPropertyOf', 'equivalentTo'] as const;
export function relationProperties(relation: Relation): Readonly<Record<string, unknown>> {
  return {
    name: relation.name,
    ...aliasProperties(relation.aliases),
    ...Object.fromEntries(FLAGS.map((flag) => [flag, relation[flag] ?? null])),
    inverseOf: relation.inverseOf ?? null,
    ...Object.fromEntries(LISTS.map((list) => [list, relation[list] ?? null])),
  };
}
export interface RelationCounts {
  readonly declared: boolean;
  readonly facts: number;
  readonly literals: number;
}
export function relationOf(p: Readonly<Record<string, unknown>>): RelationSummary {
  const { facts, literals } = p as unknown as RelationCounts;
  return { ...declarationOf(p), facts, literals: facts === 0 ? 0 : literals / facts };
}
export function declarationOf(p: Readonly<Record<string, unknown>>): Relation {
  const properties = [...FLAGS, ...LISTS].flatMap((property) => (p[property] == null ? [] : [[property, p[property]] as const]));
  return {
    name: p['name'] as RelationName,
    aliases: aliasList((p['aliases'] ?? []) as string[], (p['languages'] ?? []) as string[]),
    ...Object.fromEntries(properties),
    ...(p['inverseOf'] == null ? {} : { inverseOf: p['inverseOf'] as RelationName }),
  };
}
