// Owns taking over what a base has derived already into the world of a question: relations in which the same is told and ruled there.
// Refuses to know what is asked, and deriving.

import { atomsOf } from '../../reason/language/body.ts';
import { signed } from '../../reason/tables/database.ts';
import type { Database, SignedRelation, Slot } from '../../reason/tables/database.ts';
import type { Program } from '../../reason/evaluate/program.ts';
import { STORED, Table } from '../../reason/tables/table.ts';
import type { Budget, Rule } from '../../reason/types.ts';
import { revised } from './revised.ts';
import type { ToldOtherwise } from './revised.ts';
import { Turns } from '../common/turns.ts';

/** All that follows from a base's rules, and the relations that are in it. */
export interface Known {
  readonly program: Program;
  readonly needed: ReadonlySet<SignedRelation>;
}
/** Pairs told otherwise up to which, and rows from which on, what is known is revised and not derived anew. */
const FEW = 100;
const WORTH = 10_000;
/** Rules that ask for a relation from which on a goal takes all of it, or nearly. */
const MANY = 256;
/** Rows between two looks at the clock. */
const LOOK = 0xfff;

const headsOf = ({ heads }: Rule): SignedRelation[] => heads.map(({ relation, negated }) => signed(relation, negated));
const bodyOf = ({ body }: Rule): SignedRelation[] => Array.from(atomsOf(body), ({ atom }) => signed(atom.relation, atom.negated));

/** By relation: the rules that conclude it, and the relations that these rest on. */
class Conclusions {
  readonly #rules = new Map<SignedRelation, Set<string>>();
  readonly #below = new Map<SignedRelation, Set<SignedRelation>>();
  constructor(rules: readonly Rule[]) {
    for (const rule of rules)
      for (const head of headsOf(rule)) {
        let ids = this.#rules.get(head);
        if (!ids) this.#rules.set(head, (ids = new Set()));
        ids.add(rule.id);
        let below = this.#below.get(head);
        if (!below) this.#below.set(head, (below = new Set()));
        for (const key of bodyOf(rule)) below.add(key);
      }
  }
  get keys(): Iterable<SignedRelation> {
    return this.#rules.keys();
  }
  rules(key: SignedRelation): ReadonlySet<string> {
    return this.#rules.get(key) ?? new Set();
  }
  /** The relation with all that it rests on. */
  cone(key: SignedRelation): Set<SignedRelation> {
    const cone = new Set([key]);
    for (const each of cone) for (const below of this.#below.get(each) ?? []) cone.add(below);
    return cone;
  }
}

const CONCLUSIONS = new WeakMap<Program, Conclusions>();

/** What is told of a relation in one database and otherwise in another that is known; undefined where that is much. */
async function toldOtherwise(key: SignedRelation, some: Database, others: Database, turns: Turns): Promise<ToldOtherwise[] | undefined> {
  const found: ToldOtherwise[] = [];
  const [table, other] = [some, others].map((database) => database.get(key)?.table ?? new Table(false));
  let same = 0;
  for (let row = 0; row < table.count; row++) {
    if ((row & LOOK) === LOOK) await turns.give();
    const [subject, object] = [some.terms.term(table.subjects[row]), some.terms.term(table.objects[row])];
    const [s, o] = [others.terms.find(subject), others.terms.find(object)];
    const at = s < 0 || o < 0 ? -1 : other.find(s, o);
    const confidence = table.confidence(row);
    const isTold = at >= 0 && other.rules[at] < 0;
    if (isTold) same++;
    if (isTold && other.confidence(at) === confidence) continue;
    if (found.push({ key, subject, object, confidence }) > FEW) return undefined;
  }
  // Of what is known to be told, so much is not told here.
  let missing = other.count - other.derived - same;
  for (let row = 0; missing > 0 && row < other.count; row++) {
    if ((row & LOOK) === LOOK) await turns.give();
    if (other.rules[row] >= 0) continue;
    const [subject, object] = [others.terms.term(other.subjects[row]), others.terms.term(other.objects[row])];
    const [s, o] = [some.terms.find(subject), some.terms.find(object)];
    if (s >= 0 && o >= 0 && table.find(s, o) >= 0) continue;
    missing--;
    if (found.push({ key, subject, object, confidence: undefined }) > FEW) return undefined;
  }
  return found;
}

/** Relations whose rows are taken over, and the program that has them. */
export interface Reused {
  readonly program: Program;
  readonly keys: ReadonlySet<SignedRelation>;
}
/**
 * Relations that need not be derived anew: all that they rest on is ruled as it is known, and told so, or nearly where much follows from it. `database` holds what is told in the world
 * of the question. Where only what decides `goals` is to be derived, relations of which that would be little are left out.
 */
export async function reusable(
  { program, needed }: Known,
  rules: readonly Rule[],
  database: Database,
  goals: readonly SignedRelation[] | undefined,
  budget: Budget,
  signal?: AbortSignal,
): Promise<Reused[]> {
  const found = new Set<SignedRelation>();
  /** All that relations rest on of which some is told otherwise. */
  const changed = new Set<SignedRelation>();
  const asking = new Map<SignedRelation, number>();
  if (goals) for (const rule of rules) for (const key of new Set(bodyOf(rule))) asking.set(key, (asking.get(key) ?? 0) + 1);
  const isMuch = (key: SignedRelation): boolean => !goals || (asking.get(key) ?? 0) >= MANY;
  if (goals && !asking.keys().some(isMuch)) return [];
  const turns = new Turns();
  const here = new Conclusions(rules);
  let there = CONCLUSIONS.get(program);
  if (!there) CONCLUSIONS.set(program, (there = new Conclusions(program.rules)));
  const compared = new Map<SignedRelation, readonly ToldOtherwise[] | undefined>();
  const compare = async (key: SignedRelation): Promise<readonly ToldOtherwise[] | undefined> => {
    if (!compared.has(key)) {
      const [some, others] = [here.rules(key), there.rules(key)];
      const ruled = needed.has(key) && some.size === others.size && some.isSubsetOf(others);
      compared.set(key, ruled ? await toldOtherwise(key, database, program.database, turns) : undefined);
    }
    return compared.get(key);
  };
  for (const key of here.keys) {
    if (found.has(key) || !isMuch(key)) continue;
    const cone = here.cone(key);
    if (goals?.some((goal) => cone.has(goal))) continue;
    let [told, rows]: [number | undefined, number] = [0, 0];
    for (const each of cone) {
      if (told !== undefined) {
        const few = await compare(each);
        told = few && told + few.length;
      }
      rows += program.database.get(each)?.table.derived ?? 0;
    }
    if (told === undefined || told > FEW) continue;
    if (told > 0) {
      if (rows >= WORTH) for (const each of cone) changed.add(each);
      continue;
    }
    for (const each of cone) if (here.rules(each).size > 0) found.add(each);
  }
  const reused: Reused[] = found.size > 0 ? [{ program, keys: found }] : [];
  if (changed.size === 0) return reused;
  const revision = await revised(program, changed, [...changed].flatMap((key) => compared.get(key) ?? []), budget, signal);
  return revision ? [...reused, { program: revision, keys: new Set([...changed].filter((key) => here.rules(key).size > 0 && !found.has(key))) }] : reused;
}

/**
 * Puts the known rows of these relations into the database, as if they were told. The function that comes back names the rules that derived them, by the numbers in `rules`, after
 * everything else was derived: their stamps, and those of all that they rest on, are below all others.
 */
export async function takeOver(reused: readonly Reused[], rules: readonly Rule[], database: Database, signal?: AbortSignal): Promise<() => void> {
  const turns = new Turns();
  const numbers = new Map(rules.map(({ id }, number) => [id, number]));
  const taken: { readonly slot: Slot; readonly rows: Int32Array; readonly names: Int32Array; readonly stamps: Int32Array }[] = [];
  let highest = 0;
  for (const { program, keys } of reused) if (keys.size > 0 && program.database.weighted) database.weigh();
  const tables = reused.flatMap(({ program, keys }) => {
    const { terms } = program.database;
    const ids = new Int32Array(terms.size).fill(-1);
    const termOf = (id: number): number => (ids[id] < 0 ? (ids[id] = database.terms.intern(terms.term(id))) : ids[id]);
    return Array.from(keys, (key) => ({ key, table: program.database.get(key)?.table, program, termOf }));
  });
  for (const { key, table, program, termOf } of tables) {
    if (!table) continue;
    const slot = database.slot(key);
    const [rows, names, stamps] = [new Int32Array(table.derived), new Int32Array(table.derived), new Int32Array(table.derived)];
    let count = 0;
    for (let row = 0; row < table.count; row++) {
      if ((row & LOOK) === LOOK) {
        await turns.give();
        signal?.throwIfAborted();
      }
      if (table.rules[row] < 0) continue;
      rows[count] = slot.table.insert(termOf(table.subjects[row]), termOf(table.objects[row]), STORED, 0, table.confidence(row));
      names[count] = numbers.get(program.rules[table.rules[row]].id) as number;
      stamps[count++] = table.stamps[row];
      highest = Math.max(highest, table.stamps[row]);
    }
    taken.push({ slot, rows, names, stamps });
  }
  return () => {
    const lowest = -highest - 1;
    for (const { slot, rows, names, stamps } of taken) for (let i = 0; i < rows.length; i++) slot.table.restate(rows[i], names[i], stamps[i] + lowest, slot.table.confidence(rows[i]));
    for (const slot of database.slots()) {
      const { table } = slot;
      for (let row = 0; row < table.count; row++) if (table.rules[row] < 0) table.stamps[row] = lowest;
    }
  };
}
