// Owns what may be assumed, what it costs, and which values an open place may take.
// Refuses to know rules and how explanations are searched.

import type { Term, Triple } from '../terms.ts';
import { entity, parseEntityId, parseRelationName, termKey } from '../terms.ts';
import type { Database, SignedRelation, Slot } from '../reason/tables/database.ts';
import { signed, unsigned } from '../reason/tables/database.ts';
import { inField } from '../reason/errors.ts';
import { parseGoal } from '../reason/language/parse.ts';
import { IS_A } from '../reason/language/print.ts';
import type { Atom } from '../reason/types.ts';
import { KnowledgeError } from '../knowledge/common/types.ts';
import type { Joined, Places, Side } from './places.ts';
import type { Assumable } from './types.ts';

export interface Price {
  readonly cost: number;
  readonly probability?: number;
}
/** Facts of one signed relation, with values that must be met. */
export interface Pattern extends Price {
  readonly key: SignedRelation;
  readonly subject?: Term;
  readonly object?: Term;
  /** Subject and object are one. */
  readonly same: boolean;
}

/** The facts that an atom speaks of. */
export function patternOf({ relation, subject, object, negated }: Atom, price: Price): Pattern {
  const [s, o] = [subject, object].map((term) => (term.kind === 'variable' ? undefined : term));
  const same = subject.kind === 'variable' && object.kind === 'variable' && subject.name === object.name;
  return { key: signed(relation, negated), ...(s ? { subject: s } : {}), ...(o ? { object: o } : {}), same, ...price };
}
/** Patterns of what a request names. A name may be that of a relation and of a class; it stands for both. Throws KnowledgeError `invalid_request`, RuleError or TermError. */
export function readAssumables(list: readonly (string | Assumable)[]): Pattern[] {
  return list.flatMap((item, i): Pattern[] => {
    const field = `assumable[${i}]`;
    const wrong = (message: string): KnowledgeError => new KnowledgeError('invalid_request', message, { field });
    const { relation, atom: text, cost, probability }: Assumable = typeof item === 'string' ? (item.includes('(') ? { atom: item } : { relation: item }) : item;
    if ((relation === undefined) === (text === undefined)) throw wrong('what may be assumed has either a relation or an atom; give one of them');
    const shown = JSON.stringify((relation ?? text ?? '').slice(0, 80));
    if (cost !== undefined && !(cost >= 0 && Number.isFinite(cost))) throw wrong(`the cost of ${shown} is ${cost}; give 0 or more`);
    if (probability !== undefined && !(probability > 0 && probability <= 1))
      throw wrong(`the probability of ${shown} is ${probability}; give a number above 0 and at most 1`);
    // -0 is no cost.
    const price: Price = { cost: cost ?? (probability === undefined ? 1 : 0 - Math.log(probability)), ...(probability === undefined ? {} : { probability }) };
    if (relation !== undefined) {
      const name = parseRelationName(relation);
      return [
        { key: signed(name, false), same: false, ...price },
        { key: signed(IS_A, false), object: entity(parseEntityId(relation)), same: false, ...price },
      ];
    }
    const atom = inField(field, () => parseGoal(text ?? ''));
    if (atom.absent) throw wrong(`${shown} cannot be assumed; write -p(..) for what is assumed to be false`);
    return [patternOf(atom, price)];
  });
}

interface SlotPattern extends Price {
  readonly subject: number;
  readonly object: number;
  readonly same: boolean;
}
const OPEN = -1;

/** Values that a request names; classes are the objects of "is a". */
export interface Named {
  readonly values: readonly Term[];
  readonly classes: readonly Term[];
}
export interface AssumablesInput {
  readonly patterns: readonly Pattern[];
  readonly named: Named;
  /** All that open places may take. Absent: what known facts and rules have there or in places joined with it, and what is named. */
  readonly values: readonly Term[] | undefined;
  readonly places: Places;
  /** Facts that are not assumed. */
  readonly never: readonly Pattern[];
}

/** Patterns over the numbers of one database. */
export class Assumables {
  readonly #database: Database;
  readonly #patterns: ReadonlyMap<Slot, SlotPattern[]>;
  readonly #values: Readonly<Record<Side, ReadonlySet<number>>> | undefined;
  readonly #named: readonly number[];
  readonly #classes: readonly number[];
  readonly #places: Places;
  readonly #standing = { subject: new Map<Joined, ReadonlySet<number>>(), object: new Map<Joined, ReadonlySet<number>>() };
  readonly #opened = new Map<Slot, Map<string, ReadonlySet<number>>>();
  readonly #never: ReadonlyMap<Slot, readonly SlotPattern[]>;

  constructor(database: Database, { patterns, named, values, places, never }: AssumablesInput) {
    [this.#database, this.#places] = [database, places];
    this.#patterns = this.#bySlot(patterns);
    this.#never = this.#bySlot(never);
    const { terms } = database;
    const exact = ({ subject, object, same }: SlotPattern): number => Number(subject >= 0) + Number(object >= 0) + Number(same);
    for (const list of this.#patterns.values()) list.sort((a, b) => exact(b) - exact(a) || a.cost - b.cost);
    const ids = (items: readonly Term[]): number[] => [...new Map(items.map((term) => [termKey(term), term])).values()].map((term) => terms.intern(term));
    this.#named = ids(named.values);
    this.#classes = ids(named.classes);
    const all = values && new Set(ids(values));
    this.#values = all && { subject: new Set([...all].filter((value) => terms.isEntity(value))), object: all };
  }
  #bySlot(patterns: readonly Pattern[]): Map<Slot, SlotPattern[]> {
    const { terms } = this.#database;
    const lists = new Map<Slot, SlotPattern[]>();
    for (const { key, subject, object, ...rest } of patterns) {
      const slot = this.#database.slot(key);
      const pattern: SlotPattern = { ...rest, subject: subject ? terms.intern(subject) : OPEN, object: object ? terms.intern(object) : OPEN };
      const list = lists.get(slot);
      if (list) list.push(pattern);
      else lists.set(slot, [pattern]);
    }
    return lists;
  }
  slots(): Iterable<Slot> {
    return this.#patterns.keys();
  }
  has(slot: Slot): boolean {
    return this.#patterns.has(slot);
  }
  /** What assuming this fact costs; undefined when it may not be assumed. */
  price(slot: Slot, subject: number, object: number): Price | undefined {
    const meets = (p: SlotPattern): boolean =>
      (p.subject < 0 || p.subject === subject) && (p.object < 0 || p.object === object) && (!p.same || subject === object);
    return this.#never.get(slot)?.some(meets) ? undefined : this.#patterns.get(slot)?.find(meets);
  }
  /** The fact. Its subject is an entity. */
  triple(slot: Slot, subject: number, object: number): Triple {
    const { relation, negated } = unsigned(slot.key);
    const { terms } = this.#database;
    const term = terms.term(subject);
    if (term.kind !== 'entity') throw new TypeError('a literal cannot be a subject');
    return { subject: term.id, relation, object: terms.term(object), ...(negated ? { negated } : {}) };
  }
  /** Values for an open place of an atom that is to be assumed; `other`: what stands in its other place, or -1. Subjects are entities. */
  open(slot: Slot, side: Side, other: number): ReadonlySet<number> {
    const sides = (pattern: SlotPattern): readonly [number, number] =>
      side === 'subject' ? [pattern.subject, pattern.object] : [pattern.object, pattern.subject];
    const patterns = (this.#patterns.get(slot) ?? []).filter((pattern) => other < 0 || sides(pattern)[1] < 0 || sides(pattern)[1] === other);
    // Where neither a pattern nor the place looks at the other side, what stands there does not matter.
    const looks = (side === 'subject' && isClass(slot)) || patterns.some((pattern) => pattern.same || sides(pattern)[1] >= 0);
    const key = `${side} ${looks ? other : ''}`;
    let known = this.#opened.get(slot);
    if (!known) this.#opened.set(slot, (known = new Map()));
    let found = known.get(key);
    if (found) return found;
    const { terms } = this.#database;
    const anything = this.#values?.[side] ?? this.#standingIn(this.#places.joined(slot.key, side, other), side);
    found = new Set();
    for (const pattern of patterns) {
      const [own] = sides(pattern);
      if (own < 0 && !(pattern.same && other >= 0)) found = found.size === 0 ? anything : found.union(anything);
      else if (side === 'object' || terms.isEntity(own < 0 ? other : own)) found = found.union(new Set([own < 0 ? other : own]));
    }
    known.set(key, found);
    return found;
  }
  /** Are both values among those for open places? */
  tries(slot: Slot, subject: number, object: number): boolean {
    return this.open(slot, 'subject', object).has(subject) && this.open(slot, 'object', subject).has(object);
  }
  /** What known facts and rules have in any of these places, and what is named. */
  #standingIn(joined: Joined, side: Side): ReadonlySet<number> {
    const known = this.#standing[side].get(joined);
    if (known) return known;
    const { terms } = this.#database;
    const found = new Set<number>();
    const add = (value: number): void => {
      if (side === 'object' || terms.isEntity(value)) found.add(value);
    };
    joined.constants.forEach(add);
    for (const place of joined.places) {
      const slot = this.#database.slot(place.key);
      (place.side === 'object' && isClass(slot) ? this.#classes : this.#named).forEach(add);
      const { subjects, objects, count } = slot.table;
      // Where members of any class may be assumed, those of any stand there.
      const across = this.#patterns.get(slot)?.some(({ object }) => object < 0) ? -1 : place.across;
      for (let row = 0; row < count; row++) if (across < 0 || objects[row] === across) add(place.side === 'subject' ? subjects[row] : objects[row]);
    }
    this.#standing[side].set(joined, found);
    return found;
  }
}
const isClass = ({ key }: Slot): boolean => unsigned(key).relation === IS_A;
