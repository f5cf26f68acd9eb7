// Owns reading factored answers, and for each the rows by which the given rules derive it, made when they are asked for.
// Refuses to know why the answers were factored and what they are for.

import { entity } from '../../terms.ts';
import type { Triple } from '../../terms.ts';
import type { Row, Slot } from '../tables/database.ts';
import { signed } from '../tables/database.ts';
import { bindHead } from './explain.ts';
import { search } from '../evaluate/join.ts';
import type { Tick } from '../evaluate/join.ts';
import type { Factored } from '../evaluate/magic.ts';
import { orderBody } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';
import type { Atom } from '../types.ts';

export interface Answer {
  readonly triple: Triple;
  /** Writes the rows that lead from what was asked to the answer, and returns the last of them. Yields where `tick` says so. */
  readonly writing: (tick: Tick) => Generator<void, Row>;
}
/** Answers to one goal, each once, in the order in which they were found. `running` is the program of rewritten rules that ran; `rules` in the rows count the given rules. */
export class FactoredAnswers implements Iterable<Answer> {
  readonly #running: Program;
  readonly #factored: Factored;
  readonly #goal: Atom;
  readonly #slot: Slot;
  readonly #reached: Slot;
  /** Above every stamp of the run. */
  readonly #later: number;

  constructor(running: Program, factored: Factored, goal: Atom) {
    this.#running = running;
    this.#factored = factored;
    this.#goal = goal;
    const { database } = running;
    this.#slot = database.slot(signed(goal.relation, goal.negated));
    this.#reached = database.slot(factored.reached);
    let later = 0;
    for (const { table } of database.slots()) for (let row = 0; row < table.count; row++) later = Math.max(later, table.stamps[row]);
    this.#later = later + 1;
  }

  *[Symbol.iterator](): Generator<Answer> {
    const { terms } = this.#running.database;
    const { table } = this.#answers;
    const { relation, negated, subject, object } = this.#goal;
    for (let row = 0; row < table.count; row++) {
      const value = terms.term(table.objects[row]);
      const [found, told] = this.#factored.side === 'subject' ? [subject, value] : [value, object];
      // A literal is never a subject.
      if (found.kind !== 'entity' || told.kind === 'variable') continue;
      yield { triple: { subject: found.id, relation, object: told, ...(negated ? { negated } : {}) }, writing: (tick) => this.#writing(row, tick) };
    }
  }
  /** Is the triple, which matches the goal, an answer? */
  has({ subject, object }: Triple): boolean {
    const { table } = this.#answers;
    const value = this.#running.database.terms.find(this.#factored.side === 'subject' ? object : entity(subject));
    return value >= 0 && table.count > 0 && table.find(table.subjects[0], value) >= 0;
  }
  get #answers(): Slot {
    return this.#running.database.slot(this.#factored.answers);
  }

  *#writing(answer: number, tick: Tick): Generator<void, Row> {
    const answers = this.#answers;
    const value = answers.table.objects[answer];
    const { via, side } = this.#factored;
    const exit = answers.table.rules[answer];
    let reached = this.#step(answers, answer);
    let rule = via.get(exit);
    let stamp = this.#later;
    for (;;) {
      if (tick(true)) yield;
      const bound = side === 'subject' ? this.#reached.table.subjects[reached] : this.#reached.table.objects[reached];
      const [subject, object] = side === 'subject' ? [bound, value] : [value, bound];
      // Without a rule the fact is told, and there.
      const row = rule === undefined ? this.#slot.table.find(subject, object) : this.#slot.table.insert(subject, object, rule, stamp, 1);
      const at = row < 0 ? ~row : row;
      stamp = Math.max(stamp, this.#slot.table.stamps[at]) + 1;
      if (this.#reached.table.rules[reached] < 0) return { slot: this.#slot, row: at };
      rule = via.get(this.#reached.table.rules[reached]);
      reached = this.#step(this.#reached, reached);
    }
  }
  /** The row of the magic relation, older than this row, from which the rule that is named there gives it. */
  #step(slot: Slot, row: number): number {
    const { database, derived } = this.#running;
    const { table } = slot;
    const stamp = table.stamps[row];
    for (const clause of this.#running.clausesOf(table.rules[row])) {
      const registers = new Int32Array(clause.variables.length).fill(-1);
      if (!bindHead(clause, registers, table.subjects[row], table.objects[row])) continue;
      const given = [...registers.keys()].filter((register) => registers[register] >= 0);
      let from = -1;
      search(
        database,
        orderBody(clause, -1, given, derived),
        registers,
        (premise, i) => premise !== this.#reached || premise.table.stamps[i] < stamp,
        (rows) => {
          // The magic atom stands first in each rewritten rule.
          from = rows[0];
          return true;
        },
        clause.body.length,
      );
      if (from >= 0) return from;
    }
    throw new TypeError('a magic row names a rule that does not derive it');
  }
}
