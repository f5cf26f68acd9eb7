// Owns that schemas in the words of OpenAPI 3.0, draft 4 and clients' libraries mean what these say.
// Refuses to know how references lead, and formats of their own.

import t from 'tap';
import { z } from 'zod';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { accepts, vocabulary } from './schema-texts.ts';

t.test('nullable, and bounds that are left out by a word of their own', (t) => {
  const schema = z.toJSONSchema(z.object({ a: z.number().positive().nullable(), b: z.array(z.string().nullable()), nullable: z.boolean().optional() }), { target: 'openapi-3.0' });
  for (const [value, isValid] of [
    [{ a: 0.5, b: ['x', null] }, true],
    [{ a: null, b: [], nullable: true }, true],
    [{ a: 0, b: [] }, false],
    [{ a: 1, b: null }, false],
    [{ a: 1, b: [], nullable: null }, false],
  ] as const)
    t.equal(accepts(schema, value), isValid, JSON.stringify(value));
  const bounds = { type: 'integer', minimum: 1, exclusiveMinimum: false, maximum: 3, exclusiveMaximum: true };
  for (const [value, isValid] of [[0, false], [1, true], [2, true], [3, false]] as const) t.equal(accepts(bounds, value), isValid, String(value));
  t.ok(accepts({ type: 'string', enum: ['x', null], nullable: true }, null));
  t.notOk(accepts({ type: 'string', enum: ['x'], nullable: true }, null), 'a list of values holds null itself');
  t.notOk(accepts({ nullable: true, anyOf: [{ type: 'string' }] }, null), 'it speaks of the type beside it');
  t.notOk(accepts({ const: { nullable: true, type: 'string' } }, { nullable: true, type: ['string', 'null'] }), 'values are no schemas');
  for (const [wrong, message] of [
    [{ type: 'number', exclusiveMinimum: true }, /exclusiveMinimum at # must be a number/],
    [{ type: 'string', nullable: 'yes' }, /nullable at # is not supported/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'schema', schema: wrong }, vocabulary()), { code: 'constraint_invalid', message }, JSON.stringify(wrong));
  t.end();
});

t.test('what editors are told is a note', (t) => {
  t.ok(accepts({ type: 'string', enum: ['a', 'b'], enumDescriptions: ['first', 'second'], markdownDescription: '*one*', errorMessage: 'no' }, 'b'));
  t.throws(() => compileConstraint({ kind: 'schema', schema: { type: 'string', minlength: 2 } }, vocabulary()), { code: 'constraint_invalid', message: /minlength at # is not supported/ });
  t.end();
});

t.test('formats that ask nothing of a text are notes', (t) => {
  for (const format of ['password', 'binary', 'path', 'file-path', 'directory-path', 'markdown']) t.ok(accepts({ type: 'object', properties: { p: { type: 'string', format, maxLength: 20_000 } } }, { p: '/srv/ä "b"' }), format);
  t.end();
});
