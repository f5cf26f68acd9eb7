// Owns the tables of one derivation: told facts in, rows by signed relation, terms by number.
// Refuses to know rules and stores.

import type { RelationName, Term, Triple } from '../../terms.ts';
import { Interner } from './interner.ts';
import { GIVEN, STORED, Table } from './table.ts';
import type { Atom, RuleTerm } from '../types.ts';

/** `+name` for what is true, `-name` for what is known to be false. */
export type SignedRelation = `${'+' | '-'}${string}`;
export const signed = (relation: string, negated: boolean | undefined): SignedRelation => `${negated ? '-' : '+'}${relation}`;
export const unsigned = (key: SignedRelation): { relation: RelationName; negated: boolean } => ({
  relation: key.slice(1) as RelationName,
  negated: key.startsWith('-'),
});

/** Where the table of one signed relation lives; plans refer to slots, so that a table can be replaced under them. */
export class Slot {
  readonly key: SignedRelation;
  table: Table;
  /** Rows of the round before begin here: [low, high) is the delta of a round, [0, low) is older. */
  low = 0;
  /** Rows from here on were added in this round. */
  high = 0;
  /** Rows to be met again: their confidence rose, or they had fallen and follow again. */
  raised: number[] = [];
  constructor(key: SignedRelation, table: Table) {
    this.key = key;
    this.table = table;
  }
}

/** A row of a slot's table. */
export interface Row {
  readonly slot: Slot;
  readonly row: number;
}

export class Database {
  readonly terms = new Interner();
  readonly #slots = new Map<SignedRelation, Slot>();
  readonly #positive = new Map<RelationName, Slot>();
  readonly #negative = new Map<RelationName, Slot>();
  #weighted: boolean;

  /** `weighted`: some confidence is below 1. Without it no confidences are kept. */
  constructor(weighted = false) {
    this.#weighted = weighted;
  }
  get weighted(): boolean {
    return this.#weighted;
  }
  /** From now on confidences are kept. */
  weigh(): void {
    if (this.#weighted) return;
    this.#weighted = true;
    for (const { table } of this.#slots.values()) table.weigh();
  }

  slots(): IterableIterator<Slot> {
    return this.#slots.values();
  }
  get(key: SignedRelation): Slot | undefined {
    return this.#slots.get(key);
  }
  slot(key: SignedRelation): Slot {
    let slot = this.#slots.get(key);
    if (!slot) this.#slots.set(key, (slot = new Slot(key, new Table(this.#weighted))));
    return slot;
  }
  /** The slot of a relation, or of what is known to be false of it. */
  slotOf(relation: RelationName, negated: boolean | undefined): Slot {
    const slots = negated ? this.#negative : this.#positive;
    let slot = slots.get(relation);
    if (!slot) slots.set(relation, (slot = this.slot(signed(relation, negated))));
    return slot;
  }

  /** A told fact. Told twice, it keeps the greater confidence; a row that was derived becomes a told one, with the confidence told. Returns what changed. */
  tell(triple: Triple, confidence: number, given = false): 'added' | 'changed' | 'known' {
    if (confidence < 1) this.weigh();
    const { table } = this.slotOf(triple.relation, triple.negated);
    const subject = this.terms.internEntity(triple.subject);
    const object = this.terms.intern(triple.object);
    const source = given ? GIVEN : STORED;
    const row = table.insert(subject, object, source, 0, confidence);
    if (row >= 0) return 'added';
    const known = ~row;
    if (table.rules[known] < 0 && table.confidence(known) >= confidence) return 'known';
    table.restate(known, source, 0, confidence);
    return 'changed';
  }

  find(triple: Triple): Row | undefined {
    const slot = this.#slots.get(signed(triple.relation, triple.negated));
    if (!slot) return undefined;
    const subject = this.terms.find({ kind: 'entity', id: triple.subject });
    const object = this.terms.find(triple.object);
    const row = subject < 0 || object < 0 ? -1 : slot.table.find(subject, object);
    return row < 0 ? undefined : { slot, row };
  }

  /** Rows of one relation that match, in ascending order. Absent positions match anything; `same` wants subject = object. */
  rows(key: SignedRelation, subject: Term | undefined, object: Term | undefined, same = false): Iterable<number> {
    const table = this.#slots.get(key)?.table;
    if (!table) return [];
    const s = subject === undefined ? undefined : this.terms.find(subject);
    const o = object === undefined ? undefined : this.terms.find(object);
    if (s === -1 || o === -1) return [];
    if (s !== undefined && o !== undefined) {
      const row = table.find(s, o);
      return row < 0 ? [] : [row];
    }
    if (s === undefined && o === undefined) return allRows(table, same);
    const chain = s !== undefined ? table.bySubject(this.terms.size) : table.byObject(this.terms.size);
    const found: number[] = [];
    for (let row = chain.first((s ?? o) as number); row >= 0; row = chain.after(row)) found.push(row);
    return found.toSorted((a, b) => a - b);
  }

  triple(slot: Slot, row: number): Triple {
    const subject = this.terms.term(slot.table.subjects[row]);
    if (subject.kind !== 'entity') throw new TypeError('a literal stands as subject of a row');
    const { relation, negated } = unsigned(slot.key);
    return { subject: subject.id, relation, object: this.terms.term(slot.table.objects[row]), ...(negated ? { negated } : {}) };
  }

  /** Triples that match an atom, where variables match anything. */
  *matching({ relation, subject, object, negated }: Atom): Generator<Triple> {
    const key = signed(relation, negated);
    const slot = this.#slots.get(key);
    if (!slot) return;
    const known = (term: RuleTerm): Term | undefined => (term.kind === 'variable' ? undefined : term);
    const same = subject.kind === 'variable' && object.kind === 'variable' && subject.name === object.name;
    for (const row of this.rows(key, known(subject), known(object), same)) yield this.triple(slot, row);
  }

  /** Rows that rules derived, over all tables. */
  get derived(): number {
    let count = 0;
    for (const { table } of this.#slots.values()) count += table.derived;
    return count;
  }
}

function* allRows(table: Table, same: boolean): Generator<number> {
  for (let row = 0; row < table.count; row++) if (!same || table.subjects[row] === table.objects[row]) yield row;
}
