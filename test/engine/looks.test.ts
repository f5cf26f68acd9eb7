// Owns patterns that look ahead and behind: they take exactly the texts that JavaScript's regular expressions match, and what is written by them matches.
// Refuses to know the rest of schemas and grammars.

import t from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { characters } from '../../src/engine/constraints/grammar/expression.ts';
import { stringCharacter } from '../../src/engine/constraints/json/texts/json-text.ts';
import { Machine } from '../../src/engine/constraints/grammar/machine.ts';
import { Network } from '../../src/engine/constraints/grammar/network.ts';
import { patternMatcher } from '../../src/engine/constraints/patterns/pattern-automaton.ts';
import { parsePattern } from '../../src/engine/constraints/patterns/pattern.ts';
import { parseRegex } from '../../src/engine/constraints/patterns/regex.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { seeded } from '../helpers/store-world.ts';
import { drawn } from './masks-cases.ts';
import type { Random } from './masks-cases.ts';

const LETTERS = ['a', 'b', '_', 'é', '-', '\n', '"'];
const SIGNS = ['a', 'b', '_', 'é', '.', '-', '"', '[ab]', '[^a]', '[^]', '\\w', '\\W', '\\s', '\\p{L}'];

/** `within`: something that is looked for behind. */
function randomPattern(random: Random, depth: number, within: boolean): string {
  const body = (behind: boolean): string => randomPattern(random, depth + 1, behind);
  const item = (): string => {
    const kind = depth > 2 ? 1 : random.next();
    if (kind < 0.12) return `(?:${body(within)})${random.pick(['', '*', '+', '?', '{2}', '{1,2}', '{0,}'])}`;
    if (kind < 0.22 && !within) return `(?${random.pick(['=', '!'])}${body(false)})`;
    if (kind < 0.3) return `(?<${random.pick(['=', '!'])}${body(true)})`;
    if (kind < 0.4) return random.pick(within ? ['^'] : ['^', '$', '\\b', '\\B']);
    return random.pick(SIGNS) + random.pick(['', '', '', '*', '+', '?', '{1,2}', '{2,}']);
  };
  const part = (): string => Array.from({ length: random.below(4) }, item).join('');
  return Array.from({ length: 1 + random.below(2) }, part).join('|');
}
/** Undefined where no text matches. */
function machineOf(pattern: string, write: typeof characters, search: boolean): Machine | undefined {
  try {
    return new Machine(new Network({ root: parseRegex(pattern, { write, search }), rules: new Map() }));
  } catch (error) {
    if (!/no text/.test(String(error))) throw error;
    return undefined;
  }
}
function takes(machine: Machine | undefined, bytes: Uint8Array): boolean {
  let state = machine?.start ?? -1;
  for (const byte of bytes) if (machine && state >= 0) state = machine.step(state, byte);
  return machine !== undefined && state >= 0 && machine.ends(state);
}

t.test('texts are taken exactly when they match, whole or anywhere in them, as they stand or in JSON', (t) => {
  const random = seeded(41);
  const texts = [''];
  for (let at = 0; at < texts.length; at++) if (Array.from(texts[at]).length < 2) texts.push(...LETTERS.map((letter) => texts[at] + letter));
  for (let i = 0; i < 100; i++) texts.push(Array.from({ length: 3 + random.below(6) }, () => random.pick(LETTERS)).join(''));
  let looking = 0;
  for (let round = 0; round < 400; round++) {
    const pattern = randomPattern(random, 0, false);
    if (/\(\?<?[=!]|\\b|\\B/.test(pattern)) looking++;
    for (const search of [true, false]) {
      const expected = new RegExp(search ? pattern : `^(?:${pattern})$`, 'u');
      const [plain, json] = [machineOf(pattern, characters, search), machineOf(pattern, stringCharacter, search)];
      for (const text of texts) {
        const is = expected.test(text);
        if (takes(plain, Buffer.from(text)) !== is || takes(json, Buffer.from(JSON.stringify(text).slice(1, -1))) !== is) t.fail(`${JSON.stringify(pattern)} ${JSON.stringify(text)}: ${is}`);
      }
    }
  }
  t.ok(looking > 150, `${looking} patterns look ahead or behind`);
  t.end();
});

const TOKENS = [...Array.from({ length: 256 }, (_, byte) => Buffer.of(byte)), ...['ab', 'foo', 'Foo', ' b', '12', 'é', 'W1', 'fo', 'oo', '日本'].map((text) => Buffer.from(text))];
const END = TOKENS.length;
const bytesOf = (id: number): Uint8Array | undefined => TOKENS[id];
const trie = new TokenTrie(TOKENS.keys(), bytesOf);
const vocabulary: ConstraintVocabulary = { trie: () => trie, size: END + 1, ends: [END], encode: (text) => [...Buffer.from(text)], bytesOf, compiled: new Map() };

t.test('what is written token by token matches', (t) => {
  const random = seeded(42);
  for (const pattern of ['(?!.*foo)[a-z ]{3,12}', '(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{4,9}', '(?:(?!ab)[a-c])+', '\\b[a-f]+\\b(?: \\b[a-f]+\\b)*', '[a-z-]{1,8}(?<!-)', '(?:(?<=a)b|(?<!a)[ac])+', '.*(?<=日)本(?!日).{0,3}', '^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?)?)$']) {
    const whole = new RegExp(`^(?:${pattern})$`, 'u');
    let ended = 0;
    for (let text = 0; text < 20; text++) {
      const constraint = compileConstraint({ kind: 'regex', pattern }, vocabulary);
      const written: Uint8Array[] = [];
      for (let i = 0; i < 200; i++) {
        if (constraint.complete() && random.next() < 0.2) break;
        const token = drawn(constraint.allowed(), random);
        if (token === undefined || token === END) break;
        written.push(TOKENS[token]);
        constraint.accept(token);
      }
      if (!constraint.complete()) continue;
      ended++;
      t.match(Buffer.concat(written).toString('utf8'), whole, pattern);
    }
    t.ok(ended >= 5, `${ended} texts of ${pattern}`);
  }
  t.end();
});

t.test('what cannot be followed is said, and soon', (t) => {
  const began = performance.now();
  for (const [pattern, message] of [
    ['(?=a)*b', /character 6 of the pattern.*a repetition of what reads nothing/],
    ['(a)\\1', /character 4 of the pattern.*a match cannot be referred to/],
    ['ba{2,1}', /character 3 of the pattern.*a repetition from 2 to 1/],
    ['a(?>b)', /character 2 of the pattern.*\(\?> is not supported/],
    ['x[^\\s\\S]', /character 2 of the pattern.*a class without characters/],
    ['\\b+', /a repetition of what reads nothing/],
    ['(?=a', /a group that nothing closes/],
    ['(?<=a(?=b))c', /looks ahead .* within what it looks for behind/],
    ['(?<=\\bb)c', /within what it looks for behind/],
    ['(?=.{0,12000}a).{0,12000}', /more than 20000 places; repeat less/],
    ['(?=(a|b)*a(a|b){40})(a|b)*', /comes to more than 5000 places, or costs too much/],
    ['(?=.{0,3000}$)(?=(?:ab|ba){0,200}).*x', /comes to more than 5000 places, or costs too much/],
    ['(?=a)b', /no text matches the pattern "\(\?=a\)b"/],
  ] as const)
    t.throws(() => compileConstraint({ kind: 'regex', pattern }, vocabulary), { code: 'constraint_invalid', message }, pattern);
  t.ok(performance.now() - began < 30_000);
  t.end();
});

t.test('a text is told to match as JavaScript tells it', (t) => {
  const random = seeded(35);
  const letters = ['a', 'b', 'c', 'x', '-', 'é', '😀', '1', ' '];
  for (const pattern of ['^a', 'b$', '^(a|b)+$', '', '\\ba', 'a\\B', '^(?!ab)', 'a(?=b)', '(?<=a)b', '(?<!a)b$', '^.$', '\\d+$', '^(?:a|ab)(?:c|bcx)$']) {
    const matches = patternMatcher(parsePattern(pattern), true);
    const wrong = Array.from({ length: 500 }, () => Array.from({ length: random.below(6) }, () => letters[random.below(letters.length)]).join('')).filter((text) => matches(text) !== new RegExp(pattern, 'u').test(text));
    t.same(wrong, [], pattern);
  }
  t.end();
});
