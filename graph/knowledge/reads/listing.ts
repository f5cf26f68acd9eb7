// Owns what rules add to the lists of names: entities that only rules mention, relations that only rules derive.
// Refuses to know how the store finds names.

import { foldName } from '../../names.ts';
import type { Entity, EntityId, RelationName } from '../../terms.ts';
import type { EntityHit, RelationSummary } from '../../store.ts';
import { unsigned } from '../../reason/tables/database.ts';
import type { Interner } from '../../reason/tables/interner.ts';
import type { Table } from '../../reason/tables/table.ts';
import { ruleEntities } from '../bases/rule-documents.ts';
import type { BaseView } from '../worlds/view.ts';

const SEARCH_LIMIT = 10;
const bare = (id: EntityId): Entity => ({ id, label: id, aliases: [], types: [] });
const mentions = new WeakMap<object, ReadonlyMap<EntityId, string>>();
/** Entities that rules name, with their folded names. Found once for each set of rules. */
function mentioned({ rules }: BaseView): ReadonlyMap<EntityId, string> {
  let names = mentions.get(rules);
  if (!names) {
    const found = new Map<EntityId, string>();
    for (const rule of rules.values()) for (const id of ruleEntities(rule)) if (!found.has(id)) found.set(id, foldName(id));
    mentions.set(rules, (names = found));
  }
  return names;
}

interface Count {
  /** Rows in all, and derived ones, when the literals were counted. Told rows do not become derived in one table, so that equal numbers mean equal rows. */
  readonly rows: number;
  readonly derived: number;
  readonly literals: number;
}
const counted = new WeakMap<Table, Count>();
/** Derived rows of a table whose object is a literal. Counted anew only when the table changed. */
function derivedLiterals(table: Table, terms: Interner): number {
  const known = counted.get(table);
  if (known && known.rows === table.count && known.derived === table.derived) return known.literals;
  let literals = 0;
  for (let row = 0; row < table.count; row++) if (table.rules[row] >= 0 && !terms.isEntity(table.objects[row])) literals++;
  counted.set(table, { rows: table.count, derived: table.derived, literals });
  return literals;
}

/** The store's entities and, of the rest, those that rules name; in the order asked. */
export function withMentioned(state: BaseView, ids: readonly EntityId[], stored: readonly Entity[]): readonly Entity[] {
  if (state.rules.size === 0 || stored.length === ids.length) return stored;
  const known = new Map(stored.map((entity) => [entity.id, entity]));
  const names = mentioned(state);
  return [...new Set(ids)].flatMap((id) => known.get(id) ?? (names.has(id) ? bare(id) : []));
}

/** The store's hits and names that only rules mention, exact and by prefix, best first. */
export function withMentionedHits(state: BaseView, text: string, hits: readonly EntityHit[], limit = SEARCH_LIMIT): readonly EntityHit[] {
  const wanted = foldName(text);
  if (state.rules.size === 0 || wanted === '') return hits;
  const known = new Set(hits.map(({ entity }) => entity.id));
  const more: EntityHit[] = [];
  for (const [id, name] of mentioned(state)) {
    if (known.has(id)) continue;
    if (name === wanted) more.push({ entity: bare(id), matched: id, score: 1 });
    else if (wanted.length >= 2 && name.startsWith(wanted)) more.push({ entity: bare(id), matched: id, score: 0.7 + (0.29 * wanted.length) / name.length });
  }
  return more.length === 0 ? hits : [...hits, ...more].toSorted((a, b) => b.score - a.score).slice(0, limit);
}

/** The store's hits by exact name, and names that only rules mention. */
export function withMentionedNames(state: BaseView, names: readonly string[], stored: ReadonlyMap<string, readonly EntityHit[]>): ReadonlyMap<string, readonly EntityHit[]> {
  if (state.rules.size === 0) return stored;
  const wanted = new Set(names.map(foldName));
  const all = new Map(stored);
  for (const [id, name] of mentioned(state)) {
    const hits = all.get(name) ?? [];
    if (wanted.has(name) && hits.every(({ entity }) => entity.id !== id)) all.set(name, [...hits, { entity: bare(id), matched: id, score: 1 }]);
  }
  return all;
}

/** The store's relations with the facts that are derived of them counted in, and relations that are only derived. */
export function withDerived(state: BaseView, stored: readonly RelationSummary[]): readonly RelationSummary[] {
  const { database } = state.closure;
  const counts = new Map<RelationName, { facts: number; literals: number }>();
  for (const { key, table } of database.slots()) {
    if (key.startsWith('-') || table.derived === 0) continue;
    counts.set(unsigned(key).relation, { facts: table.derived, literals: derivedLiterals(table, database.terms) });
  }
  const known = stored.map((summary): RelationSummary => {
    const more = counts.get(summary.name);
    if (!more) return summary;
    counts.delete(summary.name);
    const facts = summary.facts + more.facts;
    return { ...summary, facts, literals: (summary.facts * summary.literals + more.literals) / facts };
  });
  const derivedOnly = [...counts].map(([name, { facts, literals }]): RelationSummary => ({ name, aliases: [], facts, literals: literals / facts }));
  return [...known, ...derivedOnly.toSorted((a, b) => (a.name < b.name ? -1 : 1))];
}
