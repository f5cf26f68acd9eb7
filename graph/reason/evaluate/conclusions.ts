// Owns what follows each time a clause is met: the row that it derives, its stamp and its confidence.
// Refuses to know how clauses are met, and in which order.

import type { Slot } from '../tables/database.ts';
import type { Deltas } from './deltas.ts';
import type { Loop } from './loop.ts';
import type { Clause } from './plan.ts';
import type { Program } from './program.ts';
import { Tripped } from './run.ts';
import { FALLEN } from '../tables/table.ts';
import type { Budget } from '../types.ts';

/** New rows of a stratum in one run up to which lower derivations are looked for of rows that are there: that keeps stamps low, and takes time. */
const MANY = 50_000;

export class Conclusions {
  readonly #program: Program;
  readonly #facts: number;
  readonly #depth: number;
  readonly #deltas: Deltas;
  readonly #loop: Loop;
  /** Stamp of the current round when deriving anew; no row has a greater one. */
  clock = 0;
  /** Stamps follow the premises', not the rounds. */
  ranked = false;
  /** The row that leads is one whose confidence rose. */
  rising = false;
  #weighted = false;
  #derived = 0;
  /** Rows that were derived when the stratum began. */
  #before = 0;
  // Of the clause that is met next: read once, not for each way to meet it.
  #slot: Slot | undefined;
  #subject = 0;
  #object = 0;
  #rule = 0;
  #checkSubject = false;

  constructor(program: Program, budget: Budget, deltas: Deltas, loop: Loop) {
    this.#program = program;
    this.#facts = budget.facts;
    this.#depth = budget.depth;
    this.#deltas = deltas;
    this.#loop = loop;
  }
  /** A run begins, or a stratum of one that somebody leads. `fallen`: rows that count no more unless they follow again. */
  begin(fallen = 0): void {
    this.rising = false;
    this.#weighted = this.#program.database.weighted;
    this.#derived = this.#before = this.#program.database.derived - fallen;
  }

  /** This clause is met next. */
  prepare({ head, rule, checkSubject }: Clause): void {
    this.#slot = head.slot;
    this.#subject = head.subject;
    this.#object = head.object;
    this.#rule = rule;
    this.#checkSubject = checkSubject;
  }
  /** The loop's clause is met by what is in its registers and rows. Throws Tripped. */
  draw(): void {
    const { registers } = this.#loop;
    const slot = this.#slot as Slot;
    const subject = this.#subject < 0 ? ~this.#subject : registers[this.#subject];
    const object = this.#object < 0 ? ~this.#object : registers[this.#object];
    if (this.#checkSubject && !this.#program.database.terms.isEntity(subject)) return;
    const { table } = slot;
    const confidence = this.#weighted ? this.#product() : 1;
    const stamp = this.ranked ? this.#rank() : this.clock;
    if (this.#derived >= this.#facts || stamp > this.#depth) {
      const row = table.find(subject, object);
      if (row < 0 || table.stamps[row] === FALLEN) throw new Tripped(stamp > this.#depth ? 'depth' : 'facts');
      this.#again(slot, row, stamp, confidence);
      return;
    }
    if (table.add(subject, object, this.#rule, stamp, confidence) < 0) {
      if (this.#weighted || (this.ranked && (this.#loop.careful || this.#derived - this.#before < MANY)))
        this.#again(slot, table.find(subject, object), stamp, confidence);
      return;
    }
    this.#derived++;
    this.#deltas.dirty.add(slot);
  }
  #product(): number {
    const { body } = this.#loop.clause;
    let { confidence } = this.#loop.clause;
    for (let i = 0; i < body.length; i++) {
      const item = body[i];
      if (item.kind === 'atom' && !item.absent) confidence *= item.slot.table.confidence(this.#loop.rows[i]);
    }
    return confidence;
  }
  /** One more than the greatest stamp of the premises. */
  #rank(): number {
    const { body } = this.#loop.clause;
    let most = 0;
    for (let i = 0; i < body.length; i++) {
      const item = body[i];
      if (item.kind === 'atom' && !item.absent) most = Math.max(most, item.slot.table.stamps[this.#loop.rows[i]]);
    }
    if (most >= this.clock) this.clock = most + 1;
    return most + 1;
  }

  /** Another derivation of a row that is there. */
  #again(slot: Slot, row: number, stamp: number, confidence: number): void {
    const { table } = slot;
    const rule = this.#rule;
    if (table.rules[row] < 0) return;
    const known = table.confidence(row);
    if (table.stamps[row] === FALLEN) {
      table.restate(row, rule, stamp, confidence);
      this.#deltas.back(slot, row);
      this.#derived++;
    } else if (known < confidence) {
      if (stamp > this.#depth) throw new Tripped('depth');
      if (row >= slot.high) table.restate(row, rule, stamp, confidence);
      else this.#deltas.rise({ slot, row, rule, stamp, confidence });
    } else if (known === confidence) {
      if (stamp < table.stamps[row]) {
        if (this.ranked) table.restate(row, rule, stamp, confidence);
      } else if (this.rising && table.rules[row] === rule) this.#deltas.tie({ slot, row, rule, stamp, confidence });
    }
  }
}
