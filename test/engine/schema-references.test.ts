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

t.test('an id beside a reference counts where the draft says so', (t) => {
  const beside = { $id: 'other', $ref: '#/$defs/y', $defs: { y: string } };
  leadsToText(t, beside, { y: integer }, { $schema: 'https://json-schema.org/draft/2020-12/schema' });
  leadsToText(t, { ...beside, $defs: { y: integer } }, { y: string }, { $schema: 'http://json-schema.org/draft-07/schema#' });
  t.end();
});

t.test('references that lead to the first part with a name that was come through', (t) => {
  const list = { $id: 'list', type: 'array', items: { $dynamicRef: '#item' }, $defs: { item: { $dynamicAnchor: 'item' } } };
  const of = (name: string, item: object): object => ({ $id: name, $ref: 'list', $defs: { item: { $dynamicAnchor: 'item', ...item } } });
  const both = { type: 'object', properties: { texts: { $ref: 'texts' }, numbers: { $ref: 'numbers' }, any: { $ref: 'list' } }, $defs: { list, texts: of('texts', string), numbers: of('numbers', integer) }, $schema: 'https://json-schema.org/draft/2020-12/schema' };
  for (const [value, isValid] of [
    [{ texts: ['a'], numbers: [1], any: [1, 'a'] }, true],
    [{ texts: [1] }, false],
    [{ numbers: ['a'] }, false],
  ] as const)
    t.equal(accepts(both, value), isValid, JSON.stringify(value));
  // In one part alone it is as any other reference.
  leadsToText(t, { $dynamicRef: '#text' }, { y: { $dynamicAnchor: 'text', ...string } });
  leadsToText(t, { $dynamicRef: '#/$defs/y' }, { y: string });
  leadsToText(t, { $ref: '#text', $dynamicRef: '#some' }, { y: { $anchor: 'text', ...string }, z: { $dynamicAnchor: 'some', type: ['string', 'integer'] } });
  const tree = { $id: 'http://other.test/tree', $dynamicAnchor: 'node', type: 'object', properties: { v: {}, down: { type: 'array', items: { $dynamicRef: '#node' } } } };
  const strict = { $id: 'http://other.test/strict', $dynamicAnchor: 'node', $ref: 'tree', unevaluatedProperties: false, $defs: { tree }, $schema: both.$schema };
  t.ok(accepts(strict, { v: 1, down: [{ v: 2, down: [] }] }));
  t.notOk(accepts(strict, { down: [{ w: 2 }] }));
  // The draft of 2019 has one name for all.
  const older = { $schema: 'https://json-schema.org/draft/2019-09/schema', $id: 'http://other.test/strict', $recursiveAnchor: true, $ref: 'tree', unevaluatedProperties: false, $defs: { tree: { $id: 'tree', $recursiveAnchor: true, type: 'object', properties: { v: {}, down: { items: { $recursiveRef: '#' } } } } } };
  t.ok(accepts(older, { v: 1, down: [{ v: 2, down: [] }] }));
  t.notOk(accepts(older, { down: [{ w: 2 }] }));
  t.notOk(accepts({ properties: { v: integer, down: { $recursiveRef: '#' } }, type: 'object' }, { down: { v: 'a' } }));
  t.end();
});

t.test('what is not clear, or not there', (t) => {
  for (const [schema, message] of [
    [{ $ref: 'text', $defs: { a: { $id: 'text', ...string }, b: { $id: 'text', ...integer } } }, /\$ref at # must point into the schema itself \(#\/...\), is "text"/],
    [{ $dynamicRef: '#none' }, /\$dynamicRef at # is not supported where it leads to no place in the schema/],
    [{ $ref: '#none' }, /must point into the schema itself \(#\/...\), is "#none"/],
    [{ $ref: 'http://other.test/x', $defs: { a: { $id: 'http://other.test/y' } } }, /must point into the schema itself/],
    [{ type: 'object', properties: { p: { $id: 'x', $ref: '#/$defs/y', $defs: { y: string } } } }, /\$id at #\/properties\/p beside \$ref is not supported/],
    [{ $ref: 'http://[', $defs: { a: { $id: 'http://[' } } }, /must point into the schema itself/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(schema));
  t.end();
});
