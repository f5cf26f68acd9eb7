// Owns the small vocabulary in which the store tests are written: statements, changes, pages read to the end, a seeded random.
// Refuses to know any adapter.

import type { Test } from 'tap';
import { entity, literal, parseBaseName, parseEntityId, parseRelationName, tripleKey } from '../../graph/terms.ts';
import type { Alias, BaseName, Entity, EntityId, Fact, Literal, Path, RelationName, Statement, Term, TriplePattern } from '../../graph/terms.ts';
import type { Change, GraphStore, MatchOptions, RuleHistoryLimits } from '../../graph/store.ts';

/** A store under test, already open. */
export interface StoreUnderTest {
  readonly store: GraphStore;
  /** Closes the store and opens another one over the same data; absent where nothing outlives the store. */
  readonly reopen?: () => Promise<GraphStore>;
  /** Closes what is open and removes the data. */
  destroy(): Promise<void>;
}
export type CreateStore = () => Promise<StoreUnderTest>;
/** A store whose data outlive it. `open` opens one over them, `remove` takes them away. */
export async function reopenable(open: () => Promise<GraphStore>, remove: () => Promise<unknown>): Promise<StoreUnderTest> {
  let current = await open();
  return {
    store: current,
    reopen: async () => {
      await current.close();
      current = await open();
      return current;
    },
    destroy: async () => {
      await current.close();
      await remove();
    },
  };
}

export const base: BaseName = parseBaseName('films');
export const otherBase: BaseName = parseBaseName('films.other-1');
export const id: (name: string) => EntityId = parseEntityId;
export const relation: (name: string) => RelationName = parseRelationName;
export const node = (name: string): Term => entity(id(name));

type Extra = Omit<Partial<Statement>, 'subject' | 'relation' | 'object'>;
/** A text object is an entity; give a `Literal` for anything else. */
export const say = (subject: string, name: string, object: string | Literal, extra: Extra = {}): Statement => ({
  subject: id(subject),
  relation: relation(name),
  object: typeof object === 'string' ? node(object) : object,
  ...extra,
});
export const assert = (subject: string, name: string, object: string | Literal, extra: Extra = {}): Change => ({ kind: 'assert', statement: say(subject, name, object, extra) });
export const withdraw = (pattern: TriplePattern, source?: string): Change => (source === undefined ? { kind: 'withdraw', pattern } : { kind: 'withdraw', pattern, source });
export const describe = (name: string, entityFields: { label?: string; aliases?: readonly (string | Alias)[]; types?: readonly string[] }): Change => ({
  kind: 'entity',
  entity: {
    id: id(name),
    ...(entityFields.label === undefined ? {} : { label: entityFields.label }),
    ...(entityFields.aliases === undefined ? {} : { aliases: entityFields.aliases.map((alias) => (typeof alias === 'string' ? { text: alias } : alias)) }),
    ...(entityFields.types === undefined ? {} : { types: entityFields.types }),
  },
});
/** Writes rules with small limits of their history, and checks what is still known. */
export async function forgetsOldRules(t: Test, open: (limits: Partial<RuleHistoryLimits>) => Promise<GraphStore>, kb: BaseName): Promise<void> {
  const known = async (store: GraphStore): Promise<unknown> => {
    const { version, from, changes } = await store.ruleHistory(kb);
    return [version, from, changes.map((change) => `${change.version} ${change.id}`)];
  };
  const few = await open({ ruleVersions: 2 });
  for (const document of ['1', '2', '3', '4']) await few.transact(kb, [{ kind: 'rule', id: 'r', document }]);
  t.same(await known(few), [4, 2, ['4 r', '3 r']], 'two versions can be taken back');
  await few.close();
  const small = await open({ ruleChanges: 3 });
  await small.transact(kb, ['a', 'b', 'c'].map((name): Change => ({ kind: 'rule', id: name, document: name })));
  t.same(await known(small), [5, 4, ['5 a', '5 b', '5 c']], 'three changes are');
  await small.transact(kb, ['a', 'b', 'c', 'd'].map((name): Change => ({ kind: 'rule', id: name, document: 'new' })));
  t.same(await known(small), [6, 6, []], 'more at once than are kept');
  await small.close();
}
/** `['directed by', '~starred in']`: a tilde walks from object to subject. */
export const path = (...steps: readonly string[]): Path =>
  steps.map((step) => (step.startsWith('~') ? { relation: relation(step.slice(1)), inverse: true } : { relation: relation(step), inverse: false }));
export const pathName = (steps: Path): string => steps.map((step) => (step.inverse ? '~' : '') + step.relation).join(' / ');

/** Every page of a match, in order; fails if a page is over its limit, empty in the middle, or the paging does not end. */
export async function matchAll(t: Test, store: GraphStore, kb: BaseName, pattern: TriplePattern = {}, options: Omit<MatchOptions, 'cursor'> = {}): Promise<Fact[]> {
  const limit = options.limit ?? 1000;
  const all: Fact[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 10_000; pages++) {
    const page = await store.match(kb, pattern, { ...options, limit, ...(cursor === undefined ? {} : { cursor }) });
    if (page.items.length > limit) t.fail(`a page of ${page.items.length} facts where at most ${limit} were asked for`);
    if (page.items.length === 0 && (cursor !== undefined || page.cursor !== undefined)) t.fail('a cursor promised more, and the page is empty');
    all.push(...page.items);
    cursor = page.cursor;
    if (cursor === undefined) return all;
  }
  t.fail('paging does not come to an end');
  return all;
}

/** Readable, injective, independent of ids and transaction time. */
export const factText = (fact: Statement): string =>
  JSON.stringify([tripleKey(fact), fact.confidence ?? 1, sourceText(fact.source), fact.validFrom ?? null, fact.validTo ?? null]);
const sourceText = (source: Statement['source']): unknown =>
  source === undefined ? null : typeof source === 'string' ? source : [source.document, source.page ?? null, source.start ?? null, source.end ?? null];
export const sorted = (facts: readonly Statement[]): string[] => facts.map(factText).sort();
export const objects = (facts: readonly Statement[]): string[] => facts.map((fact) => (fact.object.kind === 'entity' ? fact.object.id : String(fact.object.value))).sort();
export const names = (entities: readonly Entity[]): string[] => entities.map((one) => one.id).sort();

/** Waits until the wall clock shows a later millisecond, so that two transactions have different times. */
export async function tick(): Promise<void> {
  const start = Date.now();
  while (Date.now() <= start + 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): { next(): number; below(count: number): number; pick<T>(items: readonly T[]): T } {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return { next, below, pick: (items) => items[below(items.length)] };
}

export const text = (value: string): Literal => literal(value, 'string');
export const number = (value: number): Literal => literal(value, 'number');
export const date = (value: string): Literal => literal(value, 'date');
export const truth = (value: boolean): Literal => literal(value, 'boolean');
