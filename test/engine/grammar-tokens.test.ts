// Owns that grammars name tokens as llama.cpp's do: special ones by id or by their text, others as what they write, and any but one.
// Refuses to know models: every byte is a token, and two more are special.

import t from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { vocabulary } from './schema-texts.ts';

const [OPEN, CLOSE] = [290, 291];
const END = vocabulary().ends[0];
const words = { ...vocabulary(), size: 300, special: (text: string) => new Map([['<think>', OPEN], ['</think>', CLOSE]]).get(text) };
type Piece = string | number;
/** Whether a text may be written, special tokens by their ids. */
function takes(grammar: string, ...pieces: readonly Piece[]): boolean {
  const constraint = compileConstraint({ kind: 'grammar', grammar }, words);
  for (const token of pieces.flatMap((piece) => (typeof piece === 'number' ? [piece] : [...Buffer.from(piece)]))) {
    if (!constraint.allowed().has(token)) return false;
    constraint.accept(token);
  }
  return constraint.complete();
}

t.test('special tokens by text and by id, and any text up to one', (t) => {
  for (const grammar of ['root ::= <think> thinking </think> .*\nthinking ::= !</think>*', `root ::= <[${OPEN}]> thinking <[${CLOSE}]> .*\nthinking ::= !<[${CLOSE}]> *`]) {
    t.ok(takes(grammar, OPEN, 'hm </think', CLOSE, 'yes'));
    t.ok(takes(grammar, OPEN, CLOSE));
    t.notOk(takes(grammar, 'hm', CLOSE));
    t.notOk(takes(grammar, OPEN, 'hm'), 'it is not closed');
    t.notOk(takes(grammar, OPEN, CLOSE, CLOSE));
    t.notOk(takes(grammar, OPEN, 'a', OPEN, CLOSE), 'other special tokens are not written');
  }
  t.notOk(takes('root ::= <think> !</think>+ </think>', OPEN, CLOSE), 'something must stand there');
  t.ok(takes('root ::= (<think> "a" | "b") </think>?', 'b', CLOSE));
  t.end();
});

t.test('other tokens are what they write', (t) => {
  t.ok(takes('root ::= <[65]> "b"', 'Ab'));
  t.notOk(takes('root ::= <[65]> "b"', 'ab'));
  t.ok(takes('root ::= !<[65]>* "A"', 'b, cA'));
  t.notOk(takes('root ::= !<[65]>* "A"', 'bAcA'));
  t.end();
});

t.test('what is no token is an error that says so', (t) => {
  for (const [grammar, message] of [
    ['root ::= <nothing>', /line 1, column 10 of the grammar: expected one token of the model between < and >, and <nothing> is none/],
    ['root ::= <[300]>', /the grammar names token 300; the model has 300/],
    [`root ::= <[${END}]>`, /which ends a text/],
    ['root ::= !<think>', /expected \* or \+ behind a token with !/],
    ['root ::= !<think>{2,4}', /expected \* or \+ behind a token with !/],
    ['root ::= !<[195]>*', /that writes whole characters/],
    ['root ::= !"a"', /expected a token such as <think> or <\[1000\]>/],
    ['root ::= <>', /expected a token such as <think> or <\[1000\]>/],
    ['root ::= <[12>', /expected a token such as/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'grammar', grammar }, words), { code: 'constraint_invalid', message }, grammar);
  t.throws(() => compileConstraint({ kind: 'grammar', grammar: 'root ::= <think>' }, vocabulary()), { code: 'constraint_invalid' }, 'of a vocabulary that names none');
  t.end();
});
