// Owns what follows each time a clause is met: the row that it derives, its stamp and its confidence; and when a row that is not certain is taken into its table.
// Refuses to know how clauses are met, and in which order.
//
// A derived row gets the greatest product of premises and rule over all its proofs, as numbers of 64 bits multiply: in whatever order rows are taken, and met again when they got surer,
// they come to the same confidences, bit by bit. So deriving anew, upkeep and the naive reading agree exactly. What the order decides is the work: products of the same factors differ by rounding
// with the order of multiplication, and where rows have many proofs, taking them as they come lets most get surer again and again, with all that hangs on them.
// So rows are taken as they are derived until some had to be met again; from then on the surest are taken first (Knuth, IPL 1977). What a row leads to is no surer than the row,
// so one that is taken when no surer one waits is as sure as it gets, and is met once. A batch is taken at once, to spare rounds, and what follows from it that is no less sure; magic rows,
// which have no confidence, come at any time: what is found to be surer after all is met again.

import { Candidates } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import type { Slot } from '../tables/database.ts';
import type { Deltas } from './deltas.ts';
import type { Loop } from './loop.ts';
import type { Clause } from './plan.ts';
import type { Program } from './program.ts';
import { pauses, Tripped } from './run.ts';
import { FALLEN } from '../tables/table.ts';
import type { Budget } from '../types.ts';

/** New rows of a stratum in one run up to which lower derivations are looked for of rows that are there: that keeps stamps low, and takes time. */
const MANY = 50_000;
/** Rows met again after which the surest are taken first, and the part of all new rows that they are. */
const SOME = 100;
const PART = 1 / 64;
/** Rows that are taken at once: enough to be worth a round. */
const BATCH = 64;

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
  /** Rows that are derived with confidences from `floor` to `top` are taken at once, others wait. */
  #floor = 0;
  #top = 1;
  /** Rows that were met and got surer since the stratum began. */
  #rises = 0;
  readonly #candidates = new Candidates();
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
  /** A stratum begins. `fallen`: rows that count no more unless they follow again. */
  begin(fallen = 0): void {
    this.rising = false;
    this.#weighted = this.#program.database.weighted;
    this.#derived = this.#before = this.#program.database.derived - fallen;
    this.#floor = this.#rises = 0;
    this.#top = 1;
    this.#candidates.clear();
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
    if (this.#weighted) {
      this.#weigh(slot, subject, object);
      return;
    }
    const { table } = slot;
    const stamp = this.ranked ? this.#rank() : this.clock;
    if (this.#derived >= this.#facts || stamp > this.#depth) {
      const row = table.find(subject, object);
      if (row < 0 || table.stamps[row] === FALLEN) throw new Tripped(stamp > this.#depth ? 'depth' : 'facts');
      this.#again(slot, row, stamp);
      return;
    }
    if (table.add(subject, object, this.#rule, stamp, 1) < 0) {
      if (this.ranked && (this.#loop.careful || this.#derived - this.#before < MANY)) this.#again(slot, table.find(subject, object), stamp);
      return;
    }
    this.#derived++;
    this.#deltas.dirty.add(slot);
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
  #again(slot: Slot, row: number, stamp: number): void {
    const { table } = slot;
    if (table.rules[row] < 0) return;
    if (table.stamps[row] === FALLEN) {
      table.restate(row, this.#rule, stamp, 1);
      this.#deltas.back(slot, row);
      this.#derived++;
    } else if (this.ranked && stamp < table.stamps[row]) table.restate(row, this.#rule, stamp, 1);
  }

  // What is not certain.

  #product(): number {
    const { body } = this.#loop.clause;
    let { confidence } = this.#loop.clause;
    for (let i = 0; i < body.length; i++) {
      const item = body[i];
      if (item.kind === 'atom' && !item.absent) confidence *= item.slot.table.confidence(this.#loop.rows[i]);
    }
    return confidence;
  }
  #weigh(slot: Slot, subject: number, object: number): void {
    const { table } = slot;
    const confidence = this.#product();
    const candidates = this.#candidates;
    const waiting = this.#floor > 0 ? candidates.find(slot, subject, object) : -1;
    // The row, if it was taken, has at least the confidence with which it waited.
    if (waiting > confidence) return;
    if (waiting === confidence && candidates.waits) {
      if (this.rising) candidates.tie(this.#rule, this.#rank());
      return;
    }
    const row = table.find(subject, object);
    const stands = row >= 0 && table.stamps[row] !== FALLEN;
    if (stands) {
      const known = table.confidence(row);
      if (known > confidence || table.rules[row] < 0) return;
      if (known === confidence) {
        this.#tie(slot, row, confidence);
        return;
      }
    }
    const stamp = this.#rank();
    if (stamp > this.#depth) throw new Tripped('depth');
    if (!stands && this.#derived + candidates.fresh >= this.#facts && (waiting < 0 || !candidates.waits)) throw new Tripped('facts');
    // Rows of a table without confidences, such as magic ones, say what is asked for.
    if ((confidence < this.#floor || confidence > this.#top) && table.confidences !== undefined) candidates.add({ slot, subject, object, rule: this.#rule, stamp, confidence }, !stands);
    else {
      if (!stands && candidates.fresh > 0) candidates.drop(slot, subject, object);
      this.#take({ slot, subject, object, rule: this.#rule, stamp, confidence }, row);
    }
  }
  /** Another derivation, as sure, of a row that is there. */
  #tie(slot: Slot, row: number, confidence: number): void {
    const { table } = slot;
    const low = this.#loop.careful || this.#derived - this.#before < MANY;
    if (!low && !this.rising) return;
    const stamp = this.#rank();
    if (stamp < table.stamps[row]) {
      if (low) table.restate(row, this.#rule, stamp, confidence);
    } else if (this.rising && table.rules[row] === this.#rule) this.#deltas.tie({ slot, row, rule: this.#rule, stamp, confidence });
  }
  /** Into its table, where it has this row, or none (-1). */
  #take({ slot, subject, object, rule, stamp, confidence }: Candidate, row: number): void {
    const { table } = slot;
    if (row < 0) {
      table.add(subject, object, rule, stamp, confidence);
      this.#deltas.dirty.add(slot);
      this.#derived++;
    } else if (table.stamps[row] === FALLEN) {
      table.restate(row, rule, stamp, confidence);
      this.#deltas.back(slot, row);
      this.#derived++;
    } else if (row >= slot.high) table.restate(row, rule, stamp, confidence);
    else {
      this.#deltas.rise({ slot, row, rule, stamp, confidence });
      if (++this.#rises > SOME && this.#floor === 0 && this.#rises > (this.#derived - this.#before) * PART) this.#floor = 1;
    }
  }
  /** Between rounds: takes a batch of the rows that wait, the surest first. False: none waits. */
  admit(): boolean {
    let taken = 0;
    while (taken < BATCH) {
      const candidate = this.#candidates.take();
      if (!candidate) break;
      const { table } = candidate.slot;
      const row = table.find(candidate.subject, candidate.object);
      if (row < 0 || table.stamps[row] === FALLEN) this.#candidates.fresh--;
      else if (table.confidence(row) >= candidate.confidence) continue;
      this.#take(candidate, row);
      if (taken++ === 0) this.#top = candidate.confidence;
      this.#floor = Math.min(candidate.confidence, this.#top);
    }
    return taken > 0;
  }
  /** The run ends. */
  end(): void {
    this.#candidates.clear();
  }
  /** A limit was reached: takes all that wait and are in no table yet, for they follow. */
  *halt(): Generator<void, void> {
    const pause = pauses();
    for (let candidate = this.#candidates.take(); candidate; candidate = this.#candidates.take()) {
      if (pause()) yield;
      const row = candidate.slot.table.find(candidate.subject, candidate.object);
      if (row < 0 || candidate.slot.table.stamps[row] === FALLEN) this.#take(candidate, row);
    }
  }
}
