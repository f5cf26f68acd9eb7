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
import { KnowledgeError } from '../knowledge/types.ts';
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
  /** All that open places may take. Absent: what relations hold, and what is named. */
  readonly values: readonly Term[] | undefined;
  /** Facts that are not assumed. */
  readonly never: readonly Pattern[];
}

/** Patterns over the numbers of one database. */
export class Assumables {
  readonly #database: Database;
  readonly #patterns: ReadonlyMap<Slot, SlotPattern[]>;
  readonly #values: readonly number[] | undefined;
  readonly #named: readonly number[];
  readonly #classes: readonly number[];
  readonly #opened = new Map<Slot, Map<string, Set<number>>>();
  readonly #never: ReadonlyMap<Slot, readonly SlotPattern[]>;

  constructor(database: Database, { patterns, named, values, never }: AssumablesInput) {
    this.#database = database;
    this.#patterns = this.#bySlot(patterns);
    this.#never = this.#bySlot(never);
    const { terms } = database;
    const exact = ({ subject, object, same }: SlotPattern): number => Number(subject >= 0) + Number(object >= 0) + Number(same);
    for (const list of this.#patterns.values()) list.sort((a, b) => exact(b) - exact(a) || a.cost - b.cost);
    const ids = (items: readonly Term[]): number[] => [...new Map(items.map((term) => [termKey(term), term])).values()].map((term) => terms.intern(term));
    this.#named = ids(named.values);
    this.#classes = ids(named.classes);
    this.#values = values && ids(values);
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
  open(slot: Slot, place: 'subject' | 'object', other: number): ReadonlySet<number> {
    const sides = (pattern: SlotPattern): readonly [number, number] =>
      place === 'subject' ? [pattern.subject, pattern.object] : [pattern.object, pattern.subject];
    const patterns = (this.#patterns.get(slot) ?? []).filter((pattern) => other < 0 || sides(pattern)[1] < 0 || sides(pattern)[1] === other);
    // Where no pattern looks at the other place, what stands there does not matter.
    const key = `${place} ${patterns.some((pattern) => pattern.same || sides(pattern)[1] >= 0) ? other : ''}`;
    let known = this.#opened.get(slot);
    if (!known) this.#opened.set(slot, (known = new Map()));
    let found = known.get(key);
    if (found) return found;
    const { terms } = this.#database;
    const named = place === 'object' && unsigned(slot.key).relation === IS_A ? this.#classes : this.#named;
    found = new Set();
    for (const pattern of patterns) {
      const [own, across] = sides(pattern);
      const values = own >= 0 ? [own] : pattern.same && other >= 0 ? [other] : (this.#values ?? [...this.#holding(slot, place, across), ...named]);
      for (const value of values) if (place === 'object' || terms.isEntity(value)) found.add(value);
    }
    known.set(key, found);
    return found;
  }
  /** What stands in this place of the relation before anything is assumed. */
  #holding(slot: Slot, place: 'subject' | 'object', across: number): Set<number> {
    const { subjects, objects, count } = slot.table;
    const [own, other] = place === 'subject' ? [subjects, objects] : [objects, subjects];
    const found = new Set<number>();
    for (let row = 0; row < count; row++) if (across < 0 || other[row] === across) found.add(own[row]);
    return found;
  }
}
