// Owns what would follow in some relations of a base if a few of their facts were told otherwise: their rows as they are known, copied and kept up to date.
// Refuses to know which relations these are and who asks.

import { atomsOf } from '../../reason/language/body.ts';
import { Database, signed } from '../../reason/tables/database.ts';
import type { SignedRelation } from '../../reason/tables/database.ts';
import { Evaluator, runSliced } from '../../reason/evaluate/evaluate.ts';
import { Program } from '../../reason/evaluate/program.ts';
import { Upkeep } from '../../reason/upkeep/upkeep.ts';
import type { Term } from '../../terms.ts';
import type { Budget } from '../../reason/types.ts';
import { Turns } from '../common/turns.ts';

/** A pair that is told otherwise: how sure it is; undefined where it is told no longer. */
export interface ToldOtherwise {
  readonly key: SignedRelation;
  readonly subject: Term;
  readonly object: Term;
  readonly confidence: number | undefined;
}

/** Rows looked at, for each row that is copied, after which deriving anew is the better way. */
const WORK = 50;
/** Rows between two looks at the clock. */
const LOOK = 0xfff;

/** The rules of a program about these relations, which rest on none but each other, with all that follows by them. Undefined where that would take too long. */
export async function revised(known: Program, cone: ReadonlySet<SignedRelation>, told: readonly ToldOtherwise[], budget: Budget, signal?: AbortSignal): Promise<Program | undefined> {
  const numbers = [...known.rules.keys()].filter((number) => known.rules[number].heads.some(({ relation, negated }) => cone.has(signed(relation, negated))));
  const rules = numbers.map((number) => known.rules[number]);
  const within = ({ relation, negated }: { readonly relation: string; readonly negated?: boolean }): boolean => cone.has(signed(relation, negated));
  if (!rules.every(({ heads, body }) => heads.every(within) && Array.from(atomsOf(body)).every(({ atom }) => within(atom)))) return undefined;
  const turns = new Turns();
  const database = new Database(known.database.weighted);
  const { terms } = known.database;
  // The same terms have the same numbers.
  for (let id = 0; id < terms.size; id++) database.terms.intern(terms.term(id));
  const placed = new Map(numbers.map((number, i) => [number, i]));
  let rows = 0;
  for (const key of cone) {
    const { table } = database.slot(key);
    const from = known.database.get(key)?.table;
    if (!from) continue;
    for (let row = 0; row < from.count; row++) {
      if ((row & LOOK) === LOOK) {
        await turns.give();
        signal?.throwIfAborted();
      }
      table.insert(from.subjects[row], from.objects[row], placed.get(from.rules[row]) ?? from.rules[row], from.stamps[row], from.confidence(row));
    }
    rows += table.count;
  }
  if (told.some(({ confidence = 1 }) => confidence < 1)) database.weigh();
  const program = new Program(rules, database);
  const edits = told.map(({ key, subject, object, confidence }) => ({ slot: database.slot(key), subject: database.terms.intern(subject), object: database.terms.intern(object), confidence }));
  const upkeep = new Upkeep(program, new Evaluator(program, budget));
  const result = await runSliced(upkeep.run(edits, rows * WORK, rows * WORK), signal);
  return result?.complete ? program : undefined;
}
