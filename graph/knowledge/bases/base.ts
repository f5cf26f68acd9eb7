// Owns the state of one knowledge base: its rules, declarations and closure, and what a write does to them.
// Refuses to know who asks and who listens.

import { tripleKey } from '../../terms.ts';
import type { BaseName, EntityId, Relation, RelationName, Triple } from '../../terms.ts';
import type { Change, Commit, GraphStore } from '../../store.ts';
import { relationsIn, withSubs } from '../../reason/rulesets/properties.ts';
import { isSchema } from '../../reason/rulesets/rulesets.ts';
import type { RuleSetName } from '../../reason/rulesets/rulesets.ts';
import { refutingConstraints } from '../../reason/rulesets/refutation.ts';
import type { Declared } from '../../reason/rulesets/refutation.ts';
import { pauses, runSliced } from '../../reason/evaluate/run.ts';
import type { Rule } from '../../reason/types.ts';
import { Changes } from './changes.ts';
import { Closure } from './closure.ts';
import type { ToldState } from './closure.ts';
import { emptyRelations, unknownEntities } from '../facts/existence.ts';
import { FactReader } from '../facts/facts.ts';
import { planning, setUse, statedRules, withImplied } from './plan.ts';
import type { Ruled } from './plan.ts';
import { POLICIES, readPolicies } from './policies.ts';
import type { ConflictPolicies } from './policies.ts';
import { Readings } from './readings.ts';
import { isOwnRule, readRule, ruleEntities, ruleSetId, setOf } from './rule-documents.ts';
import { closeOver, together } from './schema.ts';
import { Turns } from '../common/turns.ts';
import type { ChangeEvent, KnowledgeLimits, TellResult } from '../common/types.ts';
import { inForce, ValidityWatch } from '../facts/validity.ts';

/** Facts of a write between two looks at the clock. */
const FACTS = 64;

export interface BaseContext {
  readonly store: GraphStore;
  readonly limits: KnowledgeLimits;
  readonly now: () => number;
  readonly emit: (event: ChangeEvent) => void;
}

/** What an event tells besides triples. */
interface Changed {
  readonly relationsChanged: Set<RelationName>;
  readonly rulesChanged: Set<string>;
  readonly entitiesChanged: Set<EntityId>;
}

export class BaseState {
  readonly base: BaseName;
  readonly reader: FactReader;
  readonly watch = new ValidityWatch();
  readonly #context: BaseContext;
  readonly #readings: Readings;
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
    this.#readings = new Readings(context.limits.pendingWrites, {
      isOutdated: () => this.#broken || context.now() >= this.watch.next,
      mend: () => (this.#broken ? this.#read() : Promise.resolve()),
      expire: () => this.expire(),
      readAnew: () => this.#readAnew(),
    });
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

  /** What another process wrote is found: everything may differ. */
  async #readAnew(): Promise<void> {
    const before = this.#names();
    this.#broken = true;
    await this.#read();
    this.#emit(new Changes(0), new Set(), new Set(), before.union(this.#names()));
  }

  /** Nobody is at work here, and nothing would be lost with this state. */
  get idle(): boolean {
    return this.users === 0 && this.#readings.free && this.empty;
  }
  /** Resolves when all writes given so far are done. */
  settled(): Promise<void> {
    return this.#readings.settled();
  }
  /** Runs a change of this state after all given before. Rejects with KnowledgeError `busy` when too many wait. */
  change<T>(task: () => Promise<T>): Promise<T> {
    return this.#readings.change(task);
  }
  /** Reads one version of the base from beginning to end. */
  steady<T>(read: () => Promise<T>): Promise<T> {
    return this.#readings.steady(read);
  }
  /** The same as long as nothing here changes: what was derived from this state may be used again. */
  get era(): number {
    return this.#readings.era;
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
  /** The rules of the base, of its rule sets, and those that its declarations stand for; with further rules, as all of them would stand together. */
  standing(more: readonly Rule[] = []): readonly Rule[] {
    const stated = statedRules(this.rules, this.declarations, this.#setRules);
    return withImplied(more.length === 0 ? stated : together(stated, more), this.declared);
  }
  /** Derives what follows, with the rules of the rule sets as the schema asks for them. */
  async #close(): Promise<void> {
    const { schema, rules, closure } = await closeOver(setUse(this.#ruled()), this.reader, this.#context.limits.standing);
    [this.#schema, this.#setRules, this.closure] = [schema, rules, closure];
  }
  #ruled(): Ruled {
    const { rules, ruleSets: sets, declarations, relationNames: relations } = this;
    return { rules, sets, declarations, relations };
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
    const planned = await runSliced(planning(this.#ruled(), { schema: this.#schema, rules: this.#setRules }, changes));
    const mentioned = changes.flatMap((change) => (change.kind === 'assert' ? [change.statement] : []));
    const entitiesChanged = new Set<EntityId>(changes.flatMap((change) => (change.kind === 'entity' ? [change.entity.id] : [])));
    for (const id of await unknownEntities(store, this.base, mentioned)) entitiesChanged.add(id);
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
    if (!due) return this.#readAnew();
    if (due.length === 0) return;
    const list = new Changes(this.#context.limits.eventTriples);
    const changed = { relationsChanged: new Set<RelationName>(), rulesChanged: new Set<string>(), entitiesChanged: new Set<EntityId>() };
    try {
      await this.#expired(due, list, changed);
    } catch (error) {
      // What was due is watched no longer, and what follows from it is not known here.
      this.#broken = true;
      this.#emit(list, changed.rulesChanged, changed.entitiesChanged, changed.relationsChanged.union(this.#names()));
      throw error;
    }
    this.#emit(list, changed.rulesChanged, changed.entitiesChanged, changed.relationsChanged.union(new Set(list.relations)));
  }
  /** Brings the closure up to date with triples whose validity changed. */
  async #expired(due: readonly Triple[], list: Changes, changed: Changed): Promise<void> {
    const states: ToldState[] = [];
    for (const triple of new Map(due.map((each) => [tripleKey(each), each])).values()) {
      const fact = await this.reader.of(triple);
      list.stored(fact ? 'added' : 'removed', triple);
      if (this.closure.needs(triple)) states.push({ triple, confidence: fact?.confidence });
    }
    const anew = (): Promise<void> => this.#adopt({ rules: this.rules, sets: this.ruleSets }, [], list, changed);
    if (this.ruleSets.size > 0 && due.some(isSchema)) return anew();
    await this.closure.apply(states, list);
    if (this.#schemaFollowed(list)) await anew();
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

  /** Did rules derive, or no longer derive, what rule sets read? */
  #schemaFollowed(list: Changes): boolean {
    return list.schema && this.ruleSets.size > 0;
  }
  /** Takes over new rules, rule sets and declarations after they were written. */
  async #adopt({ rules, sets }: Pick<Ruled, 'rules' | 'sets'>, changes: readonly Change[], list: Changes, changed: Changed): Promise<void> {
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
    const turns = new Turns();
    note(oldRules.values(), rules.values());
    await turns.give();
    for (const set of sets.symmetricDifference(this.ruleSets)) changed.rulesChanged.add(ruleSetId(set));
    this.rules = rules;
    this.ruleSets = sets;
    await this.#readDeclarations();
    await turns.give();
    await this.#close();
    await turns.give();
    note(oldSetRules, this.#setRules);
    await turns.give();
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
    const turns = new Turns();
    const pause = pauses(FACTS);
    for (const fact of commit.added) {
      if (pause()) await turns.give();
      this.watch.see(fact, now());
      if (!this.closure.needs(fact) || !inForce(fact, now())) continue;
      const key = tripleKey(fact);
      const at = this.closure.database.find(fact);
      const known = states.get(key)?.confidence ?? (at && at.slot.table.rules[at.row] < 0 ? at.slot.table.confidence(at.row) : 0);
      states.set(key, { triple: fact, confidence: Math.max(known, fact.confidence) });
    }
    // Of several facts with one triple, another may still stand.
    for (const fact of commit.withdrawn) {
      if (pause()) await turns.give();
      if (this.closure.needs(fact)) states.set(tripleKey(fact), { triple: fact, confidence: (await this.reader.of(fact))?.confidence });
    }
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
    const { store } = this.#context;
    for (const id of await unknownEntities(store, this.base, commit.withdrawn)) entities.add(id);
    for (const relation of await emptyRelations(store, this.base, commit.withdrawn)) {
      relations.add(relation);
      this.relationNames.delete(relation);
    }
  }
}
