// Owns reading factored answers: for each, the rows by which the given rules derive it, made when it is read.
// Refuses to know why the answers were factored and what they are for.

import type { Row, Slot } from '../tables/database.ts';
import { signed } from '../tables/database.ts';
import { bindHead } from './explain.ts';
import { search } from '../evaluate/join.ts';
import type { Factored } from '../evaluate/magic.ts';
import { orderBody } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';
import type { Atom } from '../types.ts';

/** Rows of one goal, one answer after the other. `running` is the program of rewritten rules that ran; `rules` in the rows count the given rules. */
export class FactoredAnswers {
  readonly #running: Program;
  readonly #factored: Factored;
  readonly #slot: Slot;
  readonly #reached: Slot;
  /** Above every stamp of the run. */
  readonly #later: number;

  constructor(running: Program, factored: Factored, goal: Atom) {
    this.#running = running;
    this.#factored = factored;
    const { database } = running;
    this.#slot = database.slot(signed(goal.relation, goal.negated));
    this.#reached = database.slot(factored.reached);
    let later = 0;
    for (const { table } of database.slots()) for (let row = 0; row < table.count; row++) later = Math.max(later, table.stamps[row]);
    this.#later = later + 1;
  }

  /** A row for each answer, each once, in the order in which they were found. */
  *rows(): Generator<Row> {
    const { terms } = this.#running.database;
    const { table } = this.#running.database.slot(this.#factored.answers);
    // A literal is never a subject.
    for (let row = 0; row < table.count; row++)
      if (this.#factored.side === 'subject' || terms.isEntity(table.objects[row])) yield { slot: this.#slot, row: this.#build(row) };
  }

  /** Writes the rows that lead from what was asked to an answer, and returns the last of them. */
  #build(answer: number): number {
    const { database } = this.#running;
    const answers = database.slot(this.#factored.answers);
    const value = answers.table.objects[answer];
    const { via, side } = this.#factored;
    const exit = answers.table.rules[answer];
    let reached = this.#step(answers, answer);
    let rule = via.get(exit);
    let stamp = this.#later;
    for (;;) {
      const bound = side === 'subject' ? this.#reached.table.subjects[reached] : this.#reached.table.objects[reached];
      const [subject, object] = side === 'subject' ? [bound, value] : [value, bound];
      // Without a rule the fact is told, and there.
      const row = rule === undefined ? this.#slot.table.find(subject, object) : this.#slot.table.insert(subject, object, rule, stamp, 1);
      const at = row < 0 ? ~row : row;
      stamp = Math.max(stamp, this.#slot.table.stamps[at]) + 1;
      if (this.#reached.table.rules[reached] < 0) return at;
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
