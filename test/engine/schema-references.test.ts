// Owns that references lead where ids and anchors of a schema's parts say, and that what is not clear is refused.
// Refuses to know what is valid there.

import t from 'tap';
import type { Test } from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { accepts, vocabulary } from './schema-texts.ts';

const string = { type: 'string' };
const integer = { type: 'integer' };
/** Of one property, whether it is a text. */
function leadsToText(t: Test, value: object, $defs: object, more: object = {}): void {
  const schema = { type: 'object', properties: { p: value }, required: ['p'], $defs, ...more };
  t.ok(accepts(schema, { p: 'a' }), JSON.stringify(schema));
  t.notOk(accepts(schema, { p: 1 }), JSON.stringify(schema));
}

t.test('ids and anchors', (t) => {
  // Taken from the root, they would lead to a number.
  leadsToText(t, { $id: 'http://other.test/x', allOf: [{ $ref: '#/$defs/y' }], $defs: { y: string } }, { y: integer });
  leadsToText(t, { $ref: '#text' }, { y: { $anchor: 'text', ...string } });
  leadsToText(t, { $ref: 'text' }, { y: { $id: 'text', ...string } });
  leadsToText(t, { $ref: 'http://other.test/a/text#/$defs/z' }, { y: { $id: 'text', $defs: { z: string } } }, { $id: 'http://other.test/a/b' });
  leadsToText(t, { $ref: 'x#here' }, { y: { $id: 'x', $defs: { z: { $anchor: 'here', ...string } } }, z: { $anchor: 'here', ...integer } });
  leadsToText(t, { $ref: '#/$defs/a~1b' }, { 'a/b': string, z: { $id: 'z', ...integer } });
  // What others call id is none; nor are those in values.
  leadsToText(t, { $ref: '#/$defs/User' }, { User: { id: 'User', allOf: [{ $ref: '#/$defs/Name' }] }, Name: string });
  leadsToText(t, { $ref: '#/$defs/y' }, { y: string, z: { const: { $id: 'x', $ref: '#/$defs/y' } } });
  // The same part, written out in several places.
  leadsToText(t, { $ref: 'text' }, { a: { $id: 'text', ...string }, b: { $id: 'text', ...string } });
  t.end();
});

t.test('what is not clear, or not there', (t) => {
  for (const [schema, message] of [
    [{ $ref: 'text', $defs: { a: { $id: 'text', ...string }, b: { $id: 'text', ...integer } } }, /\$ref at # must point into the schema itself \(#\/...\), is "text"/],
    [{ $ref: '#none' }, /must point into the schema itself \(#\/...\), is "#none"/],
    [{ $ref: 'http://other.test/x', $defs: { a: { $id: 'http://other.test/y' } } }, /must point into the schema itself/],
    [{ type: 'object', properties: { p: { $id: 'x', $ref: '#/$defs/y', $defs: { y: string } } } }, /\$id at #\/properties\/p beside \$ref is not supported/],
    [{ $ref: 'http://[', $defs: { a: { $id: 'http://[' } } }, /must point into the schema itself/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.end();
});
