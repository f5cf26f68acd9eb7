// Owns listing which derived facts came, went and changed: after upkeep, and after deriving anew.
// Refuses to know how either is done, and who reads the list.

import type { Triple } from '../../terms.ts';
import { unsigned } from '../../reason/tables/database.ts';
import type { Database, Slot } from '../../reason/tables/database.ts';
import type { Evaluator } from '../../reason/evaluate/evaluate.ts';
import type { Table } from '../../reason/tables/table.ts';
import type { Upkeep } from '../../reason/upkeep/upkeep.ts';
import type { Changes } from './changes.ts';

/** Lists what came and went in upkeep. */
export function listUpkeep(database: Database, { touched, raised }: Evaluator, { gone, shaken }: Upkeep, changes: Changes): void {
  for (const [slot, before] of [...gone, ...shaken]) {
    const { table } = slot;
    const list = lister(database, slot, before, changes);
    for (let row = 0; row < before.count; row++) {
      // What was shaken and went after all stands in both.
      if (before.rules[row] < 0 || (before !== gone.get(slot) && gone.get(slot)?.has(before.subjects[row], before.objects[row]))) continue;
      const now = table.find(before.subjects[row], before.objects[row]);
      if (now < 0) list.vanished(row);
      else if (table.rules[now] >= 0 && table.confidence(now) !== before.confidence(row)) list.altered(now);
    }
  }
  for (const [slot, count] of touched) {
    const { table } = slot;
    const before = gone.get(slot);
    const list = lister(database, slot, table, changes);
    for (let row = count; row < table.count; row++) {
      if (table.rules[row] < 0) continue;
      const then = before ? before.find(table.subjects[row], table.objects[row]) : -1;
      if (then < 0 || (before as Table).rules[then] < 0) list.appeared(row);
    }
    for (const [row, confidence] of raised.get(slot) ?? [])
      if (row < count && table.rules[row] >= 0 && table.confidence(row) !== confidence && !shaken.get(slot)?.has(table.subjects[row], table.objects[row]))
        list.altered(row);
  }
}
/** Lists the difference to the tables before some relations were derived anew. `grown`: slots that were not, and got rows, with their count before. */
export function listAnew(
  database: Database,
  old: ReadonlyMap<Slot, Table>,
  grown: ReadonlyMap<Slot, number>,
  raised: Evaluator['raised'],
  changes: Changes,
): void {
  for (const [slot, before] of old) {
    const after = slot.table;
    const list = lister(database, slot, before, changes);
    // What is told now and was not has been listed already: see #edits.
    const alike = before.confidences === undefined && after.confidences === undefined;
    for (let row = 0; row < before.count; row++) {
      if (before.rules[row] < 0 || (alike && after.has(before.subjects[row], before.objects[row]))) continue;
      const now = after.find(before.subjects[row], before.objects[row]);
      if (now < 0) list.vanished(row);
      else if (after.confidence(now) !== before.confidence(row)) list.altered(now);
    }
    const told = before.count > before.derived;
    for (let row = 0; row < after.count; row++) {
      if (after.rules[row] < 0 || (!told && before.has(after.subjects[row], after.objects[row]))) continue;
      const then = before.find(after.subjects[row], after.objects[row]);
      if (then < 0 || before.rules[then] < 0) list.appeared(row);
    }
  }
  for (const [slot, count] of grown) {
    if (old.has(slot)) continue;
    const list = lister(database, slot, slot.table, changes);
    for (let row = count; row < slot.table.count; row++) if (slot.table.rules[row] >= 0) list.appeared(row);
  }
  for (const [slot, rows] of raised) {
    if (old.has(slot)) continue;
    const count = grown.get(slot) ?? slot.table.count;
    for (const row of rows.keys()) if (row < count) changes.altered(database.triple(slot, row));
  }
}
/** Lists rows: those that vanished by their number in `before`, others by their number now. Triples that nobody will read are not made. */
function lister(
  database: Database,
  slot: Slot,
  before: Table,
  changes: Changes,
): { vanished(row: number): void; appeared(row: number): void; altered(row: number): void } {
  const { relation } = unsigned(slot.key);
  return {
    vanished(row) {
      if (changes.unlisted(relation)) changes.noLongerDerived++;
      else changes.vanished(tripleAt(database, slot, before, row));
    },
    appeared(row) {
      if (changes.unlisted(relation)) changes.derived++;
      else changes.appeared(database.triple(slot, row));
    },
    altered(row) {
      if (!changes.unlisted(relation)) changes.altered(database.triple(slot, row));
    },
  };
}

const tripleAt = (database: Database, slot: Slot, table: Table, row: number): Triple => {
  const { relation, negated } = unsigned(slot.key);
  const subject = database.terms.term(table.subjects[row]);
  if (subject.kind !== 'entity') throw new TypeError('a literal stands as subject of a row');
  return { subject: subject.id, relation, object: database.terms.term(table.objects[row]), ...(negated ? { negated } : {}) };
};
