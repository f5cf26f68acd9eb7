// Owns stop strings in a text that comes in pieces: found wherever it is cut, kept or left out, and passed over at first.
// Refuses to know tokens.

import t from 'tap';
import { StopMatcher } from '../../src/engine/decoder/stopping.ts';

/** The whole text, its first `passed` pieces passed. */
function textOf(matcher: StopMatcher, pieces: readonly string[], passed = 0): string {
  const text = pieces.map((piece, i) => (i < passed ? matcher.pass(piece) : matcher.push(piece))).join('');
  return matcher.stopped ? text : text + matcher.end();
}

t.test('the first stop string ends the text, and stays in it where it is included', async (t) => {
  for (const pieces of [['one two three'], ['one t', 'wo three'], Array.from('one two three')]) {
    t.equal(textOf(new StopMatcher(['two', 'three']), pieces), 'one ');
    t.equal(textOf(new StopMatcher(['two', 'three'], true), pieces), 'one two');
  }
  t.equal(textOf(new StopMatcher(['four'], true), ['one two thr', 'ee fo']), 'one two three fo');
});

t.test('one that ends in what is passed ends nothing, and one that only begins there does', async (t) => {
  const matcher = new StopMatcher(['\n\n', 'a\n\nb']);
  t.equal(textOf(matcher, ['a\n\n', 'c\n', '\nd'], 1), 'a\n\nc');
  t.equal(matcher.matched, '\n\n');
  t.equal(textOf(new StopMatcher(['\n\n']), ['a\n', '\nb'], 1), 'a');
  t.equal(textOf(new StopMatcher(['\n\n', 'a\n\nb']), ['a\n\n', 'bc'], 1), '');
  t.equal(textOf(new StopMatcher(['\n\n', 'a\n\nb']), ['a\n\n', 'cc'], 1), 'a\n\ncc', 'what is held back for another was passed all the same');
});
