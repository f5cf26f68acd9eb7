// Owns that rows which wait are taken once, the surest first, and that however many wait, no step in between takes long: there is no pause in it.
// Refuses to know how rows are derived.

import t from 'tap';
import { Candidates } from '../../../graph/reason/evaluate/candidates.ts';
import { Slot } from '../../../graph/reason/tables/database.ts';
import { Table } from '../../../graph/reason/tables/table.ts';
import { seeded } from '../../helpers/random-programs.ts';

const PAIRS = 200_000;
/** Numbers of the longest list that is made at once. */
const LONG = 2 ** 18;

t.test('very many pairs wait in lists that are never made anew as a whole, and are taken once with their surest derivation', async (t) => {
  const random = seeded(7);
  const slot = new Slot('+p', new Table(true));
  const candidates = new Candidates();
  let longest = 0;
  const { Int32Array: plain } = globalThis;
  t.teardown(() => void (globalThis.Int32Array = plain));
  globalThis.Int32Array = new Proxy(plain, {
    construct(target, [length, ...others]: [unknown, ...unknown[]]) {
      if (typeof length === 'number') longest = Math.max(longest, length);
      return Reflect.construct(target, [length, ...others]) as Int32Array;
    },
  });
  /** By pair: its greatest confidence, and the rule that gave it. */
  const model = new Map<number, readonly [confidence: number, rule: number]>();
  for (let i = 0; i < PAIRS * 1.2; i++) {
    const pair = i < PAIRS ? i : random.below(PAIRS);
    const [subject, object] = [pair % 700, Math.floor(pair / 700)];
    const confidence = random.below(1_000) / 1_000;
    if (candidates.find(slot, subject, object) >= confidence) continue;
    candidates.add({ slot, subject, object, rule: i, stamp: 1, confidence }, true);
    model.set(pair, [confidence, i]);
  }
  t.ok(longest <= LONG, `the longest list has ${longest} numbers`);
  t.equal(candidates.fresh, PAIRS);
  let [before, wrong] = [1, 0];
  for (let taken = candidates.take(); taken; taken = candidates.take()) {
    const pair = taken.object * 700 + taken.subject;
    const [confidence, rule] = model.get(pair) ?? [-1, -1];
    if (taken.confidence !== confidence || taken.rule !== rule || taken.confidence > before) wrong++;
    model.delete(pair);
    before = taken.confidence;
  }
  t.same([wrong, model.size], [0, 0]);
});
