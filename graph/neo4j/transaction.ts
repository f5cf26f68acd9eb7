// Owns one write transaction: the base's lock, what has to be read first, and the writes of the plan, in batches.
// Refuses to decide what a change means (plan.ts), and to know how queries reach the server.

import type { BaseName, Entity, EntityId, Fact, FactId, Relation, RelationName, Term } from '../terms.ts';
import { RULE_HISTORY } from '../store.ts';
import type { Change, Commit, RuleHistoryLimits } from '../store.ts';
import * as cypher from './cypher.ts';
import { whole } from './connection.ts';
import type { Run } from './connection.ts';
import { assertedKeys, plan } from './plan.ts';
import type { Before, Plan } from './plan.ts';
import {
  bareEntity,
  declarationOf,
  entityKey,
  entityOf,
  entityProperties,
  factProperties,
  nameRows,
  relationProperties,
  storedFact,
  termKey,
} from './records.ts';
import type { EntityProperties, StoredFact } from './records.ts';

/** Rows of one UNWIND. */
const BATCH = 5000;
function* batches<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}

type Each = (query: string, rows: readonly unknown[], name?: 'rows' | 'keys' | 'ids', more?: Readonly<Record<string, unknown>>) => Promise<void>;

/** The changes of one call, with all that has to stay the same when they are tried again. */
export class Transaction {
  readonly #base: BaseName;
  readonly #id: string;
  readonly #changes: readonly Change[];
  readonly #keys: ReadonlyMap<number, string>;
  readonly #ids: readonly FactId[];
  readonly #now: () => number;
  readonly #limits: RuleHistoryLimits;
  /** What the last attempt would have given: the server may have committed it although the news was lost. */
  #last: Commit | undefined;

  /** `id` is this transaction's own; `ids`: a new fact id for each change. */
  constructor(base: BaseName, id: string, changes: readonly Change[], ids: readonly FactId[], now: () => number, limits: RuleHistoryLimits = RULE_HISTORY) {
    this.#base = base;
    this.#id = id;
    this.#changes = changes;
    this.#keys = assertedKeys(base, changes);
    this.#ids = ids;
    this.#now = now;
    this.#limits = limits;
  }

  async run(run: Run): Promise<Commit> {
    const kb = this.#base;
    const [lock] = await run(cypher.LOCK_BASE, { kb, transaction: this.#id });
    if (this.#last && (lock.get('recent') as string[]).includes(this.#id)) return this.#last;
    const version = lock.get('version') as number;
    // A clock that was set back retracts no fact before it was recorded.
    const time = Math.max(this.#now(), lock.get('time') as number);
    const before = await this.#read(run);
    const at = new Date(time).toISOString();
    const made = plan(this.#changes, this.#keys, this.#ids, at, before);
    const { known, withdrawn } = made;
    const added = made.added.map(({ fact }) => fact);
    const changed = added.length + withdrawn.length + made.described.length + made.declared.length + made.rules.size > 0;
    if (!changed) return { version, added, known, withdrawn };
    await this.#write(run, made, before, version, at);
    const [moved] = await run(cypher.MOVE_BASE, { kb, transaction: this.#id, time });
    this.#last = { version: moved.get('version') as number, added, known, withdrawn };
    return this.#last;
  }

  async #read(run: Run): Promise<Before> {
    const kb = this.#base;
    const facts = new Map<string, Fact>();
    for (const keys of batches([...new Set(this.#keys.values())]))
      for (const { key, fact } of (await run(cypher.LIVE_BY_KEY, { keys })).map(storedFact)) facts.set(key, fact);
    const described = new Map<EntityId, Entity>();
    const keys = new Set(this.#changes.flatMap((change) => (change.kind === 'entity' ? [entityKey(change.entity.id)] : [])));
    for (const some of batches([...keys]))
      for (const row of await run(cypher.DESCRIBED, { kb, keys: some })) {
        const entity = row.get('entity') as EntityProperties;
        if (entity.described) described.set(entity.id as EntityId, entityOf(entity));
      }
    const declared = new Map<string, Relation>();
    const names = new Set(this.#changes.flatMap((change) => (change.kind === 'relation' ? [change.relation.name] : [])));
    for (const some of batches([...names]))
      for (const row of await run(cypher.DECLARED, { kb, names: some })) {
        const properties = row.get('relation') as Readonly<Record<string, unknown>>;
        if (properties['declared'] === true) declared.set(properties['name'] as string, declarationOf(properties));
      }
    const rules = new Map<string, string>();
    const ids = new Set(this.#changes.flatMap((change) => (change.kind === 'rule' ? [change.id] : [])));
    for (const some of batches([...ids]))
      for (const row of await run(cypher.RULES_BY_ID, { kb, ids: some })) rules.set(row.get('id') as string, row.get('document') as string);
    return { facts, withdrawals: await this.#withdrawals(run), described, declared, rules };
  }
  /** What each withdrawal takes of that which was there before: one query for all of one shape. */
  async #withdrawals(run: Run): Promise<Map<number, StoredFact[]>> {
    const shapes = new Map<string, Record<string, unknown>[]>();
    for (const [index, change] of this.#changes.entries()) {
      if (change.kind !== 'withdraw') continue;
      const { subject, relation, object, negated = false } = change.pattern;
      const shape = { subject: subject !== undefined, relation: relation !== undefined, object: object !== undefined };
      const query = cypher.withdrawn(shape, change.source !== undefined);
      const rows = shapes.get(query) ?? [];
      shapes.set(query, rows);
      rows.push({
        index: whole(index),
        negated,
        ...(change.source === undefined ? {} : { source: change.source }),
        ...(subject === undefined ? {} : { subject: entityKey(subject) }),
        ...(relation === undefined ? {} : { relation }),
        ...(object === undefined ? {} : { object: termKey(object) }),
      });
    }
    const found = new Map<number, StoredFact[]>();
    for (const [query, rows] of shapes)
      for (const some of batches(rows))
        for (const row of await run(query, { kb: this.#base, rows: some })) {
          const index = row.get('index') as number;
          const facts = found.get(index);
          if (facts) facts.push(storedFact(row));
          else found.set(index, [storedFact(row)]);
        }
    return found;
  }

  /** Keeps the documents that rules had before. */
  async #keepRules(run: Run, each: Each, made: Plan, before: Before, version: number, at: string): Promise<void> {
    if (made.rules.size === 0) return;
    const rows = Array.from(made.rules.keys(), (id) => ({ id, document: before.rules.get(id) ?? null }));
    await each(cypher.KEEP_RULES, rows, 'rows', { version: whole(version + 1), at });
    const { ruleVersions, ruleChanges } = this.#limits;
    await run(cypher.FORGET_RULES, { kb: this.#base, versions: whole(ruleVersions), changes: whole(ruleChanges) });
  }
  async #write(run: Run, made: Plan, before: Before, version: number, at: string): Promise<void> {
    const kb = this.#base;
    const each: Each = async (query, rows, name = 'rows', more = {}) => {
      for (const some of batches(rows)) await run(query, { kb, [name]: some, ...more });
    };
    await each(
      cypher.RETRACT,
      made.withdrawn.map(({ id }) => id),
      'ids',
      { at: made.withdrawn[0]?.retractedAt ?? null },
    );
    await this.#writeTerms(run, each, made);
    await each(
      cypher.CREATE_FACTS,
      made.added.map(({ key, fact }) => ({ subject: entityKey(fact.subject), object: termKey(fact.object), fact: factProperties(kb, key, fact) })),
    );
    await each(cypher.COUNT_FACTS, counts(made));
    await each(cypher.DECLARE_RELATIONS, made.declared.map(relationProperties));
    await this.#keepRules(run, each, made, before, version, at);
    const rules = [...made.rules];
    await each(
      cypher.PUT_RULES,
      rules.flatMap(([id, document], place) => (document === undefined ? [] : [{ id, document, place: version * 1e6 + place }])),
    );
    await each(
      cypher.DELETE_RULES,
      rules.flatMap(([id, document]) => (document === undefined ? [id] : [])),
      'ids',
    );
  }
  /** Terms that are new, entities that were described, and their names. */
  async #writeTerms(run: Run, each: Each, made: Plan): Promise<void> {
    const terms = new Map<string, Term>();
    for (const { fact } of made.added) {
      terms.set(entityKey(fact.subject), { kind: 'entity', id: fact.subject });
      terms.set(termKey(fact.object), fact.object);
    }
    const described = new Map(made.described.map((entity) => [entityKey(entity.id), entity]));
    const old = new Set<string>();
    for (const keys of batches([...new Set([...terms.keys(), ...described.keys()])]))
      for (const row of await run(cypher.TERM_KEYS, { kb: this.#base, keys })) old.add(row.get('key') as string);
    const changed = [...described].filter(([key]) => old.has(key));
    const bare = [...terms].flatMap(([key, term]) => (term.kind === 'entity' && !old.has(key) && !described.has(key) ? [bareEntity(term.id)] : []));
    const told = [...described].flatMap(([key, entity]) => (old.has(key) ? [] : [entity]));
    await each(cypher.CREATE_ENTITIES, [...bare.map((entity) => entityProperties(entity, false)), ...told.map((entity) => entityProperties(entity, true))]);
    await each(
      cypher.CREATE_LITERALS,
      [...terms].flatMap(([key, term]) => (term.kind === 'literal' && !old.has(key) ? [{ key, type: term.type, value: term.value }] : [])),
    );
    await each(
      cypher.DESCRIBE_ENTITIES,
      changed.map(([, entity]) => entityProperties(entity, true)),
    );
    await each(
      cypher.FORGET_NAMES,
      changed.map(([key]) => key),
      'keys',
    );
    await each(cypher.NAME_ENTITIES, [...bare, ...described.values()].flatMap(nameRows));
  }
}

/** How many facts each relation gains and loses. */
function counts({ added, withdrawn }: Plan): Record<string, unknown>[] {
  const sums = new Map<RelationName, { facts: number; negatives: number; literals: number }>();
  const count = (fact: Fact, by: 1 | -1): void => {
    let sum = sums.get(fact.relation);
    if (!sum) sums.set(fact.relation, (sum = { facts: 0, negatives: 0, literals: 0 }));
    if (fact.negated) sum.negatives += by;
    else {
      sum.facts += by;
      if (fact.object.kind === 'literal') sum.literals += by;
    }
  };
  for (const { fact } of added) count(fact, 1);
  for (const fact of withdrawn) count(fact, -1);
  return [...sums].map(([name, { facts, negatives, literals }]) => ({ name, facts: whole(facts), negatives: whole(negatives), literals: whole(literals) }));
}
