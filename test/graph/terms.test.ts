// Owns the behaviour of names, literals and times as a triple takes them.
// Refuses to know storage.

import t from 'tap';
import { isCalendar, literal, parseBaseName, parseEntityId, parseNumber, parseRelationName, termKey } from '../../graph/terms.ts';

t.test('dates and times are those of the calendar', async (t) => {
  for (const text of ['1879', '1879-03', '1879-03-14', '2024-02-29', '2000-02-29', '-0044-03-15', '2024-03-01T12:00Z', '2024-03-01T23:59:59.999+08:00']) t.equal(isCalendar(text), true, text);
  for (const text of ['', '79', '2021-02-31', '2023-02-29', '1900-02-29', '2021-13-01', '2021-00-01', '2021-01-00', '2021-01-01T25:00', '2021-01-01T12:61', '2021-01-01T12:00:61Z', 'soon', '2021-01-01 12:00'])
    t.equal(isCalendar(text), false, text);
  t.throws(() => literal('2021-02-31', 'date'), { code: 'invalid_literal', message: /calendar/ });
});

t.test('names are trimmed, normalised and bounded, and errors say what would be right', async (t) => {
  t.equal(parseEntityId('  Ulm '), 'Ulm');
  t.equal(parseEntityId('Rene\u0301'), 'Ren\u00e9');
  for (const [parse, text, message] of [
    [parseEntityId, ' ', /empty/],
    [parseEntityId, 'a\u0000b', /control character/],
    [parseEntityId, '\ud800', /surrogate/],
    [parseRelationName, 'r'.repeat(257), /at most 256/],
    [parseBaseName, 'No Spaces', /a-z 0-9/],
  ] as const)
    t.throws(() => parse(text), { name: 'TermError', message }, JSON.stringify(text.slice(0, 10)));
});

t.test('literals of different types are different terms', async (t) => {
  const keys = [literal('1'), literal(1), literal('1879', 'date'), literal('1879'), literal(true), literal('true')].map(termKey);
  t.equal(new Set(keys).size, keys.length);
  t.equal(termKey(literal(-0)), termKey(literal(0)));
  for (const [value, type] of [[Number.NaN, 'number'], ['x', 'number'], [1, 'boolean'], [1, 'string']] as const) t.throws(() => literal(value, type), { code: 'invalid_literal' });
});

t.test('a whole number that would be another one is no number', async (t) => {
  for (const [text, number] of [['9007199254740992', 2 ** 53], ['+9007199254740994', 2 ** 53 + 2], ['123456789012345680000', 123456789012345680000], ['9007199254740993.5', 9007199254740994], ['1e300', 1e300], ['0xff', 255]] as const) {
    t.equal(parseNumber(text), number, text);
    t.equal(parseNumber(String(number)), number, 'and is read as it is written');
  }
  for (const text of ['9007199254740993', '-9007199254740993', '+123456789012345680001', '0xffffffffffffffff']) t.throws(() => parseNumber(text), { code: 'invalid_literal', message: `the number is ${text}, and whole numbers beyond 2^53 cannot all be told apart here; give it as a string` }, text);
});
