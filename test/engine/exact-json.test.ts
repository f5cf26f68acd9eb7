// Owns that whole numbers which JavaScript would round are seen where a text would have to be one of them, and nowhere else.
// Refuses to know which fields of a request hold schemas.

import t from 'tap';
import { parseExactly, roundedIn } from '../../src/contract/exact-json.ts';

const LONG = '12345678901234567891';
t.test('numbers that a text must be', (t) => {
  for (const [text, path] of [
    [`{"const": ${LONG}}`, ['const']],
    [`{"properties": {"a": {"enum": ["x", {"properties": [${LONG}]}]}}}`, ['properties', 'a', 'enum', 1, 'properties', 0]],
    [`{"properties": {"const": {"const": ${LONG}}}}`, ['properties', 'const', 'const']],
    [`{"anyOf": [{"items": {"enum": [${LONG}]}}]}`, ['anyOf', 0, 'items', 'enum', 0]],
  ] as const)
    t.same(roundedIn(parseExactly(text))?.path, path, text);
  // Bounds, names of properties and notes.
  for (const text of [`{"maximum": ${LONG}}`, `{"properties": {"const": {"maximum": ${LONG}}, "enum": {"minimum": -${LONG}}}}`, `{"$defs": {"enum": {"maximum": ${LONG}}}}`, `{"default": {"const": ${LONG}}, "examples": [{"enum": [${LONG}]}]}`, '{"const": 100000000000000000000}', `{"const": ${String(1.2345678901234568e20)}}`])
    t.equal(roundedIn(parseExactly(text)), undefined, text);
  t.end();
});
