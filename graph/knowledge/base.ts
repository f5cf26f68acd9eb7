// Owns the state of one knowledge base: its rules, declarations and closure, what a write does to them, and readings that no write cuts in two.
// Refuses to know who asks and who listens.

import { tripleKey } from '../terms.ts';
import type { BaseName, EntityId, Fact, Relation, RelationName, Triple } from '../terms.ts';
import type { Change, Commit, GraphStore } from '../store.ts';
import { rulesFromJson, ruleToJson } from '../reason/language/json.ts';
import { atomsOf } from '../reason/language/body.ts';
import { impliedRules } from '../reason/rulesets/known-false.ts';
import { propertyRules, relationsIn, withSubs } from '../reason/rulesets/properties.ts';
import { isEquality, isReplacement, isRuleSet, isSchema, RULE_SETS, touchesSchema } from '../reason/rulesets/rulesets.ts';
import type { RuleSetName } from '../reason/rulesets/rulesets.ts';
import { refutingConstraints } from '../reason/rulesets/refutation.ts';
import type { Declared } from '../reason/rulesets/refutation.ts';
import { stratify } from '../reason/evaluate/strata.ts';
import type { Rule } from '../reason/types.ts';
import { Changes } from './changes.ts';
import { Closure } from './closure.ts';
import type { ToldState } from './closure.ts';
import { FactReader } from './facts.ts';
import { POLICIES, readPolicies } from './policies.ts';
import type { ConflictPolicies } from './policies.ts';
import { WriteQueue } from './queue.ts';
import { allRules, closeOver, together, writtenOut } from './schema.ts';
import type { SetUse } from './schema.ts';
import { KnowledgeError } from './types.ts';
import type { ChangeEvent, KnowledgeLimits, TellResult } from './types.ts';
import { inForce, ValidityWatch } from './validity.ts';
import { Raced } from './world.ts';

export interface BaseContext {
  readonly store: GraphStore;
  readonly limits: KnowledgeLimits;
  readonly now: () => number;
  readonly emit: (event: ChangeEvent) => void;
}

/** The document under which a rule is stored. */
export const ruleDocument = (rule: Rule): string => JSON.stringify(ruleToJson(rule));
/** A stored rule. KnowledgeError `corrupt_rule`. */
export function readRule(id: string, document: string): Rule {
  let rules: readonly Rule[];
  try {
    rules = rulesFromJson([JSON.parse(document)]);
  } catch (error) {
    throw new KnowledgeError('corrupt_rule', `rule ${id} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (rules[0].id !== id) throw new KnowledgeError('corrupt_rule', `rule ${id} holds the rule ${rules[0].id}; an id is the hash of its rule's text`);
  return rules[0];
}

/** Ids of documents that name a built-in rule set. */
const SET = 'rule_set:';
export const ruleSetId = (name: RuleSetName): string => SET + name;
/** Is it the document of a rule, and not of a rule set or of policies? */
export const isOwnRule = (id: string): boolean => id !== POLICIES && !id.startsWith(SET);
/** The rule set that a document names, if it names one. */
export function setOf(id: string): RuleSetName | undefined {
  const name = id.startsWith(SET) ? id.slice(SET.length) : undefined;
  if (name === undefined || isRuleSet(name)) return name;
  throw new KnowledgeError('corrupt_rule', `there is no rule set ${JSON.stringify(name)}; there are ${RULE_SETS.join(' and ')}`);
}
const ENTITY_BATCH = 1_000;
/** Readings begun beside writes before one keeps the writes waiting. */
const READINGS = 3;

export class BaseState {
  readonly base: BaseName;
  readonly reader: FactReader;
  readonly watch = new ValidityWatch();
  readonly #context: BaseContext;
  readonly #queue: WriteQueue;
  /** Set while a write or refresh is at work. */
  #writing: Promise<void> | undefined;
  /** Grows when a write or refresh begins and when it ends. */
  #era = 0;
  /** A write was stored, and what follows from it is not known. */
  #broken = false;
  /** Callers at work with this state. */
  users = 0;
  rules: ReadonlyMap<string, Rule> = new Map();
  declarations: ReadonlyMap<RelationName, Relation> = new Map();
  /** Relations that the store lists. */
  relationNames = new Set<RelationName>();
  closure!: Closure;
  /** Built-in rule sets in use. */
  ruleSets: ReadonlySet<RuleSetName> = new Set();
  /** Facts that the rule sets read, and the rules they stand for with these. */
  #schema: readonly Triple[] = [];
  #setRules: readonly Rule[] = [];
  /** What is declared about contradictions. */
  policies: ConflictPolicies = {};
  version = 0;
  /** When the base was read, ISO 8601: the `recordedAt` of derived facts. It stays as it is, so that a derived fact reads the same for as long as it holds. */
  readonly readAt: string;

  private constructor(base: BaseName, context: BaseContext) {
    this.base = base;
    this.#context = context;
    this.#queue = new WriteQueue(context.limits.pendingWrites);
    this.readAt = new Date(context.now()).toISOString();
    this.reader = new FactReader(context.store, base, this.watch, context.now);
  }

  /** Reads rules and declarations, and derives what follows. */
  static async load(base: BaseName, context: BaseContext): Promise<BaseState> {
    const state = new BaseState(base, context);
    await state.#read();
    return state;
  }
  async #read(): Promise<void> {
    const { store } = this.#context;
    const documents = await store.rules(this.base);
    this.ruleSets = new Set(documents.flatMap(({ id }) => setOf(id) ?? []));
    this.rules = new Map(documents.filter(({ id }) => isOwnRule(id)).map(({ id, document }) => [id, readRule(id, document)]));
    this.policies = readPolicies(documents);
    await this.#readDeclarations();
    await this.#close();
    this.version = (await store.bases()).find(({ base }) => base === this.base)?.version ?? 0;
    this.#broken = false;
  }

  /** Nobody is at work here, and nothing would be lost with this state. */
  get idle(): boolean {
    return this.users === 0 && this.#queue.free && this.empty;
  }
  /** Resolves when all writes given so far are done. */
  settled(): Promise<void> {
    return this.#queue.idle();
  }
  /** Runs a change of this state after all given before. Rejects with KnowledgeError `busy` when too many wait. */
  change<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => this.#alone(task));
  }
  async #alone<T>(task: () => Promise<T>): Promise<T> {
    const work = Promise.withResolvers<void>();
    this.#writing = work.promise;
    this.#era++;
    try {
      if (this.#broken) await this.#read();
      return await task();
    } finally {
      this.#era++;
      this.#writing = undefined;
      work.resolve();
    }
  }
  /** Reads one version of the base from beginning to end: reads again when a write came between, and in the end keeps the writes waiting. */
  async steady<T>(read: () => Promise<T>): Promise<T> {
    for (let i = 0; i < READINGS; i++) {
      if (this.#broken || this.#context.now() >= this.watch.next) break;
      if (this.#writing) await this.#writing;
      const era = this.#era;
      if (this.#writing) continue;
      try {
        const result = await read();
        if (this.#era === era) return result;
      } catch (error) {
        if (this.#era === era && !(error instanceof Raced)) throw error;
      }
    }
    return this.#queue.run(async () => {
      if (this.#broken || this.#context.now() >= this.watch.next) await this.#alone(() => this.expire());
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof Raced)) throw error;
        // The store holds what was not written here: another process shares it.
        const before = this.#names();
        this.#broken = true;
        await this.#alone(async () => this.#emit(new Changes(0), new Set(), new Set(), before.union(this.#names())));
        return await read();
      }
    }, true);
  }
  /** Nothing is stored and nothing is ruled. */
  get empty(): boolean {
    return this.rules.size === 0 && this.ruleSets.size === 0 && this.relationNames.size === 0;
  }
  /** Rules that the base's rule sets stand for. */
  get setRules(): readonly Rule[] {
    return this.#setRules;
  }
  /** What refutes here. */
  get declared(): Declared {
    return { declarations: this.declarations, constraints: refutingConstraints(this.#setRules) };
  }
  /** The rules of the base, of its rule sets, and those that its declarations stand for. */
  standing(rules = this.rules, declarations = this.declarations, setRules = this.#setRules): readonly Rule[] {
    const all = new Map(rules);
    for (const rule of setRules) all.set(rule.id, rule);
    for (const rule of propertyRules(declarations.values())) all.set(rule.id, rule);
    const standing = [...all.values()];
    const implied = impliedRules(standing, [], { declarations, constraints: refutingConstraints(setRules) });
    return implied.length === 0 ? standing : together(standing, implied);
  }
  /** Derives what follows, with the rules of the rule sets as the schema asks for them. */
  async #close(): Promise<void> {
    const { schema, rules, closure } = await closeOver(this.#setUse(), this.reader, this.#context.limits.standing);
    [this.#schema, this.#setRules, this.closure] = [schema, rules, closure];
  }
  #setUse(rules = this.rules, declarations = this.declarations, sets = this.ruleSets, relations = this.relationNames): SetUse {
    return { sets, relations, declarations, own: this.standing(rules, declarations, []) };
  }
  async #readDeclarations(): Promise<void> {
    const relations = await this.#context.store.relations(this.base);
    this.declarations = new Map(relations.map((relation) => [relation.name, relation]));
    this.relationNames = new Set(this.declarations.keys());
  }

  /** Writes, brings the closure up to date, tells what changed. Runs in `change`. Throws before writing when the new rules cannot stand. */
  async write(changes: readonly Change[]): Promise<TellResult> {
    await this.expire();
    const { store, limits } = this.#context;
    const planned = this.#plan(changes);
    const mentioned = entitiesOf(changes.flatMap((change) => (change.kind === 'assert' ? [change.statement] : [])));
    const entitiesChanged = new Set<EntityId>(changes.flatMap((change) => (change.kind === 'entity' ? [change.entity.id] : [])));
    for (const id of await this.#unknown(mentioned)) entitiesChanged.add(id);
    const commit = await store.transact(this.base, changes);
    this.version = commit.version;

    const list = new Changes(limits.eventTriples);
    for (const fact of commit.withdrawn) list.stored('removed', fact);
    for (const fact of commit.added) list.stored('added', fact);
    const relationsChanged = new Set<RelationName>();
    const rulesChanged = new Set<string>();
    try {
      if (!planned) await this.closure.apply(await this.#toldStates(commit), list);
      await this.#existence(commit, entitiesChanged, relationsChanged);
      const adopted = planned ?? (this.#schemaFollowed(list) ? { rules: this.rules, sets: this.ruleSets } : undefined);
      if (adopted) await this.#adopt(adopted, changes, list, { relationsChanged, rulesChanged, entitiesChanged });
      for (const change of changes)
        if (change.kind === 'rule' && change.id === POLICIES) {
          this.policies = change.document === undefined ? {} : readPolicies([{ id: change.id, document: change.document }]);
          // Any answer may read otherwise now.
          for (const name of this.#names()) relationsChanged.add(name);
        }
    } catch (error) {
      // The facts are written; what follows from them is not known here. Listeners must doubt everything, and the state must be read anew.
      this.#broken = true;
      this.#emit(list, rulesChanged, entitiesChanged, relationsChanged.union(this.#names()));
      throw error;
    }
    for (const relation of list.relations) relationsChanged.add(relation);
    this.#emit(list, rulesChanged, entitiesChanged, relationsChanged);
    return {
      added: commit.added,
      known: commit.known,
      withdrawn: commit.withdrawn,
      derived: list.derived,
      noLongerDerived: list.noLongerDerived,
      version: commit.version,
      ...(this.closure.partial === undefined ? {} : { partial: this.closure.partial }),
    };
  }

  /** Brings the closure up to date with the clock. Runs in `change`. */
  async expire(): Promise<void> {
    const due = this.watch.due(this.#context.now());
    if (due.length === 0) return;
    const list = new Changes(this.#context.limits.eventTriples);
    const states: ToldState[] = [];
    for (const triple of new Map(due.map((each) => [tripleKey(each), each])).values()) {
      const fact = await this.reader.of(triple);
      list.stored(fact ? 'added' : 'removed', triple);
      if (this.closure.needs(triple)) states.push({ triple, confidence: fact?.confidence });
    }
    const changed = { relationsChanged: new Set<RelationName>(), rulesChanged: new Set<string>(), entitiesChanged: new Set<EntityId>() };
    const anew = (): Promise<void> => this.#adopt({ rules: this.rules, sets: this.ruleSets }, [], list, changed);
    if (this.ruleSets.size > 0 && due.some(isSchema)) await anew();
    else {
      await this.closure.apply(states, list);
      if (this.#schemaFollowed(list)) await anew();
    }
    this.#emit(list, changed.rulesChanged, changed.entitiesChanged, changed.relationsChanged.union(new Set(list.relations)));
  }

  #emit(list: Changes, rules: ReadonlySet<string>, entities: ReadonlySet<EntityId>, relations: ReadonlySet<RelationName>): void {
    if (list.added.length + list.removed.length + rules.size + entities.size + relations.size === 0) return;
    this.#context.emit({
      base: this.base,
      version: this.version,
      added: list.added,
      removed: list.removed,
      rulesChanged: [...rules],
      entitiesChanged: [...entities],
      relationsChanged: [...relations],
    });
  }

  /** Rules after the changes, when rules or declarations are among them, or what rule sets read. Throws RuleError when they cannot stand together. */
  #plan(changes: readonly Change[]): { readonly rules: ReadonlyMap<string, Rule>; readonly sets: ReadonlySet<RuleSetName> } | undefined {
    const ruled = changes.some((change) => (change.kind === 'rule' && change.id !== POLICIES) || change.kind === 'relation');
    if (!ruled && !this.#touchesSets(changes)) return undefined;
    const rules = new Map(this.rules);
    const sets = new Set(this.ruleSets);
    const declarations = new Map(this.declarations);
    const told: Triple[] = [];
    for (const change of changes)
      if (change.kind === 'relation') declarations.set(change.relation.name, change.relation);
      else if (change.kind === 'assert') told.push(change.statement);
      else if (change.kind === 'rule' && isOwnRule(change.id)) {
        if (change.document === undefined) rules.delete(change.id);
        else rules.set(change.id, readRule(change.id, change.document));
      } else if (change.kind === 'rule') {
        const set = setOf(change.id);
        if (set && change.document === undefined) sets.delete(set);
        else if (set) sets.add(set);
      }
    // What is withdrawn only takes rules away, and fewer rules make no new circle.
    const schema = [...this.#schema, ...told.filter(isSchema)];
    const names = new Set([...this.relationNames, ...told.map(({ relation }) => relation)]);
    const use = this.#setUse(rules, declarations, sets, names);
    stratify(allRules(use, writtenOut(use, schema)));
    return { rules, sets };
  }
  /** Did rules derive, or no longer derive, what rule sets read? */
  #schemaFollowed(list: Changes): boolean {
    return list.schema && this.ruleSets.size > 0;
  }
  /** Do the rule sets in use mean something else after these changes? */
  #touchesSets(changes: readonly Change[]): boolean {
    if (this.ruleSets.size === 0) return false;
    const replaces = this.#setRules.some(isReplacement);
    return changes.some((change) => {
      if (change.kind === 'withdraw') return touchesSchema(change.pattern);
      if (change.kind !== 'assert') return false;
      const { statement } = change;
      const fresh = !this.relationNames.has(statement.relation);
      return isSchema(statement) || (fresh && (replaces || isEquality(statement)));
    });
  }

  /** Takes over new rules, rule sets and declarations after they were written. */
  async #adopt(
    { rules, sets }: { readonly rules: ReadonlyMap<string, Rule>; readonly sets: ReadonlySet<RuleSetName> },
    changes: readonly Change[],
    list: Changes,
    changed: { relationsChanged: Set<RelationName>; rulesChanged: Set<string>; entitiesChanged: Set<EntityId> },
  ): Promise<void> {
    const [oldRules, oldSetRules, oldDeclarations, oldClosure] = [this.rules, this.#setRules, this.declarations, this.closure];
    const note = (before: Iterable<Rule>, after: Iterable<Rule>): void => {
      const [gone, come] = [new Map(Array.from(before, (rule) => [rule.id, rule])), new Map(Array.from(after, (rule) => [rule.id, rule]))];
      const different = [...gone.values(), ...come.values()].filter(({ id }) => gone.has(id) !== come.has(id));
      for (const rule of different) {
        changed.rulesChanged.add(rule.id);
        for (const id of ruleEntities(rule)) changed.entitiesChanged.add(id);
      }
      for (const name of this.#heads(different)) changed.relationsChanged.add(name);
    };
    note(oldRules.values(), rules.values());
    for (const set of sets.symmetricDifference(this.ruleSets)) changed.rulesChanged.add(ruleSetId(set));
    this.rules = rules;
    this.ruleSets = sets;
    await this.#readDeclarations();
    await this.#close();
    note(oldSetRules, this.#setRules);
    for (const change of changes)
      if (change.kind === 'relation') {
        const { name } = change.relation;
        for (const each of [...withSubs(name, oldDeclarations), ...withSubs(name, this.declarations)]) changed.relationsChanged.add(each);
        for (const declared of [oldDeclarations.get(name), this.declarations.get(name)])
          for (const other of declared ? relationsIn(declared) : []) changed.relationsChanged.add(other);
      }
    Closure.compare(oldClosure, this.closure, list);
  }
  /** Every relation of which anything is known here. */
  #names(): Set<RelationName> {
    return new Set([...this.relationNames, ...this.#heads(this.standing())]);
  }
  *#heads(rules: Iterable<Rule>): Generator<RelationName> {
    for (const rule of rules) for (const head of rule.heads) yield head.relation;
  }

  /** Told state of the touched triples that the rules need. */
  async #toldStates(commit: Commit): Promise<ToldState[]> {
    const { now } = this.#context;
    const states = new Map<string, ToldState>();
    for (const fact of commit.added) {
      this.watch.see(fact, now());
      if (!this.closure.needs(fact) || !inForce(fact, now())) continue;
      const key = tripleKey(fact);
      const at = this.closure.database.find(fact);
      const known = states.get(key)?.confidence ?? (at && at.slot.table.rules[at.row] < 0 ? at.slot.table.confidence(at.row) : 0);
      states.set(key, { triple: fact, confidence: Math.max(known, fact.confidence) });
    }
    // Of several facts with one triple, another may still stand.
    for (const fact of commit.withdrawn)
      if (this.closure.needs(fact)) states.set(tripleKey(fact), { triple: fact, confidence: (await this.reader.of(fact))?.confidence });
    return [...states.values()];
  }

  /** Entities and relations that came into or went out of existence. */
  async #existence(commit: Commit, entities: Set<EntityId>, relations: Set<RelationName>): Promise<void> {
    for (const { relation, negated } of commit.added)
      if (!negated && !this.relationNames.has(relation)) {
        this.relationNames.add(relation);
        relations.add(relation);
      }
    if (commit.withdrawn.length === 0) return;
    for (const id of await this.#unknown(entitiesOf(commit.withdrawn))) entities.add(id);
    for (const relation of new Set(commit.withdrawn.map((fact) => fact.relation))) {
      const left = await this.#context.store.match(this.base, { relation }, { limit: 1 });
      if (left.items.length > 0) continue;
      relations.add(relation);
      this.relationNames.delete(relation);
    }
  }
  async #unknown(ids: ReadonlySet<EntityId>): Promise<EntityId[]> {
    const all = [...ids];
    const unknown: EntityId[] = [];
    for (let i = 0; i < all.length; i += ENTITY_BATCH) {
      const batch = all.slice(i, i + ENTITY_BATCH);
      const known = new Set((await this.#context.store.entities(this.base, batch)).map(({ id }) => id));
      unknown.push(...batch.filter((id) => !known.has(id)));
    }
    return unknown;
  }
}

function entitiesOf(triples: readonly (Triple | Fact)[]): Set<EntityId> {
  const ids = new Set<EntityId>();
  for (const { subject, object } of triples) {
    ids.add(subject);
    if (object.kind === 'entity') ids.add(object.id);
  }
  return ids;
}
/** Entities that a rule names. */
export function ruleEntities(rule: Rule): EntityId[] {
  const ids = new Set<EntityId>();
  for (const atom of [...rule.heads, ...Array.from(atomsOf(rule.body), (placed) => placed.atom)])
    for (const term of [atom.subject, atom.object]) if (term.kind === 'entity') ids.add(term.id);
  return [...ids];
}
