// Owns that the characters of a property are those that the runtime finds one by one, in all planes.
// Refuses to know patterns.

import t from 'tap';
import { charactersOf } from '../../src/engine/constraints/patterns/unicode-properties.ts';

t.test('the characters of a property, as they are found one by one', (t) => {
  const names = [
    'L',
    'Cn',
    'Co',
    'Cs',
    'Any',
    'ASCII',
    'Emoji',
    'Noncharacter_Code_Point',
    'Default_Ignorable_Code_Point',
    'Script=Han',
    'scx=Zzzz',
    'Assigned',
  ];
  const tests = names.map((name) => new RegExp(`^\\p{${name}}$`, 'u'));
  const found = names.map((): [number, number][] => []);
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const character = String.fromCodePoint(point);
    for (const [i, test] of tests.entries()) {
      if (!test.test(character)) continue;
      const last = found[i].at(-1);
      if (last?.[1] === point - 1) last[1] = point;
      else found[i].push([point, point]);
    }
  }
  for (const [i, name] of names.entries()) t.same(charactersOf(name), found[i], name);
  for (const name of ['', 'Nonsense', 'Script=']) t.equal(charactersOf(name), undefined);
  t.end();
});
