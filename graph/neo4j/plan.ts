// Owns what the changes of one transaction come to: applied in order to what was read from the store, they give what to write.
// Refuses to read and to write: reads come in as `Before`, writes go out as `Plan`. The same input gives the same plan, so a transaction may be run again.

import { sameTerm } from '../terms.ts';
import type { BaseName, Entity, EntityId, Fact, FactId, Relation, Statement, TriplePattern } from '../terms.ts';
import type { Change } from '../store.ts';
import { bareEntity, factKey } from './records.ts';
import type { StoredFact } from './records.ts';

/** What there was before the transaction, as far as its changes ask for it. */
export interface Before {
  /** Live facts by key. */
  readonly facts: ReadonlyMap<string, Fact>;
  /** Live facts that fit the pattern of a withdrawal, by its place among the changes. */
  readonly withdrawals: ReadonlyMap<number, readonly StoredFact[]>;
  /** Entities that were described. */
  readonly described: ReadonlyMap<EntityId, Entity>;
  readonly declared: ReadonlyMap<string, Relation>;
  readonly rules: ReadonlyMap<string, string>;
}
export interface Plan {
  readonly added: readonly StoredFact[];
  readonly withdrawn: readonly Fact[];
  readonly known: number;
  readonly described: readonly Entity[];
  readonly declared: readonly Relation[];
  /** An absent document deletes. */
  readonly rules: ReadonlyMap<string, string | undefined>;
}

/** The keys of all that is asserted, by place among the changes. */
export function assertedKeys(base: BaseName, changes: readonly Change[]): Map<number, string> {
  const keys = new Map<number, string>();
  for (const [place, change] of changes.entries()) if (change.kind === 'assert') keys.set(place, factKey(base, change.statement));
  return keys;
}

/** `ids`: a new fact id for each change. `time`: the transaction time, ISO 8601. */
export function plan(changes: readonly Change[], keys: ReadonlyMap<number, string>, ids: readonly FactId[], time: string, before: Before): Plan {
  const fresh = new Map<string, Fact>();
  const withdrawn = new Map<FactId, Fact>();
  const described = new Map<EntityId, Entity>();
  const declared = new Map<string, Relation>();
  const rules = new Map<string, string | undefined>();
  let known = 0;
  const retract = (fact: Fact): void => {
    if (!withdrawn.has(fact.id)) withdrawn.set(fact.id, { ...fact, retractedAt: time });
  };
  for (const [place, change] of changes.entries())
    switch (change.kind) {
      case 'assert': {
        const key = keys.get(place)!;
        const stored = before.facts.get(key);
        const old = fresh.get(key) ?? (stored && !withdrawn.has(stored.id) ? stored : undefined);
        const fact = freshFact(change.statement, ids[place], time);
        if (old?.confidence === fact.confidence) {
          known++;
          break;
        }
        // What was told and taken back by one transaction was never there.
        if (!fresh.delete(key) && old) retract(old);
        fresh.set(key, fact);
        break;
      }
      case 'withdraw':
        for (const { fact } of before.withdrawals.get(place) ?? []) retract(fact);
        for (const [key, fact] of fresh) if (fits(fact, change.pattern) && (change.source === undefined || cameFrom(fact, change.source))) fresh.delete(key);
        break;
      case 'entity': {
        const { id, label, aliases, types } = change.entity;
        const old = described.get(id) ?? before.described.get(id) ?? bareEntity(id);
        described.set(id, { id, label: label ?? old.label, aliases: aliases ?? old.aliases, types: types ?? old.types });
        break;
      }
      case 'relation':
        declared.set(change.relation.name, change.relation);
        break;
      case 'rule':
        rules.set(change.id, change.document);
        break;
      default:
        change satisfies never;
    }
  return {
    added: [...fresh].map(([key, fact]) => ({ key, fact })),
    withdrawn: [...withdrawn.values()],
    known,
    described: [...described.values()].filter((entity) => text(entity) !== text(before.described.get(entity.id))),
    declared: [...declared.values()].filter((relation) => text(relation) !== text(before.declared.get(relation.name))),
    rules: new Map([...rules].filter(([id, document]) => before.rules.get(id) !== document)),
  };
}
function freshFact(statement: Statement, id: FactId, time: string): Fact {
  const { subject, relation, object, negated, confidence = 1, source, validFrom, validTo } = statement;
  return {
    id,
    subject,
    relation,
    object,
    ...(negated ? { negated } : {}),
    confidence,
    ...(source === undefined ? {} : { source }),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validTo === undefined ? {} : { validTo }),
    recordedAt: time,
  };
}
const fits = (fact: Fact, { subject, relation, object, negated = false }: TriplePattern): boolean =>
  (subject === undefined || subject === fact.subject) &&
  (relation === undefined || relation === fact.relation) &&
  (object === undefined || sameTerm(object, fact.object)) &&
  negated === (fact.negated ?? false);
const cameFrom = ({ source }: Fact, name: string): boolean => (typeof source === 'object' ? source.document : source) === name;
/** Equal for equal values, whatever the order of their properties. */
const text = (value: Entity | Relation | undefined): string =>
  value === undefined
    ? ''
    : JSON.stringify(
        Object.entries(value)
          .filter(([, part]) => part !== undefined)
          .map(([name, part]) => [name, name === 'aliases' ? aliasTexts(part as Entity['aliases']) : part])
          .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
      );
const aliasTexts = (aliases: Entity['aliases']): unknown => aliases.map((alias) => [alias.text, alias.language ?? '']);
