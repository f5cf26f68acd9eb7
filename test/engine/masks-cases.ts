// Owns the constraints that masks are tried with: schemas at random out of the keywords that are supported, patterns, grammars, calls, limits, names; and a vocabulary to write them in.
// Refuses to know what is tried.

import { callGrammar } from '../../src/engine/constraints/calls.ts';
import { compileConstraint, constraintOf } from '../../src/engine/constraints/constraint.ts';
import type { Constraint, ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import type { TokenSet } from '../../src/engine/constraints/tokens/token-set.ts';
import type { ConstraintSpec, TextLimits } from '../../src/engine/port.ts';
import { seeded } from '../helpers/store-world.ts';

export type Random = ReturnType<typeof seeded>;

/** A schema out of the keywords that are supported, some of them in combinations that are refused. */
export function randomSchema(random: Random, depth: number): object {
  const roll = random.below(depth > 3 ? 7 : 12);
  const length = (): object => (random.next() < 0.5 ? { minLength: random.below(4), maxLength: 4 + random.below(12) } : {});
  switch (roll) {
    case 0:
      return { type: 'string', ...length() };
    case 1: {
      const low = random.below(2000) - 1000;
      const high = low + random.below(500);
      return {
        type: 'integer',
        ...(random.next() < 0.3 ? { exclusiveMinimum: low - 1 } : { minimum: low }),
        ...(random.next() < 0.3 ? {} : { maximum: high }),
      };
    }
    case 2: {
      const low = (random.next() - 0.5) * 10 ** random.below(4);
      return random.next() < 0.3
        ? { type: 'number' }
        : {
            type: 'number',
            [random.next() < 0.5 ? 'minimum' : 'exclusiveMinimum']: low,
            [random.next() < 0.5 ? 'maximum' : 'exclusiveMaximum']: low + random.next() * 10 ** (random.below(5) - 1),
          };
    }
    case 3:
      return random.pick([{ type: 'boolean' }, { type: 'null' }, { const: random.pick([1, 'a "quoted" text\n', null, [1, { a: 2 }]]) }]);
    case 4:
      return { enum: ['red', 'grün', 3, null, { k: [] }].filter(() => random.next() < 0.7).concat('x') };
    case 5:
      return { type: 'string', pattern: random.pick(['^[A-Z]{2}[0-9]+$', '"', '^a.c', 'x$', '^\\S+ \\S+$', '[äöü]', '^$|^\\d\\d$']) };
    case 6:
      return { type: 'string', format: random.pick(['date', 'time', 'date-time', 'uuid', 'ipv4', 'ipv6', 'email', 'hostname', 'uri', 'duration']) };
    case 7:
      return {
        type: 'array',
        items: randomSchema(random, depth + 1),
        ...(random.next() < 0.6 ? { minItems: random.below(3), maxItems: 2 + random.below(4) } : {}),
      };
    case 8:
      return {
        type: 'array',
        prefixItems: [randomSchema(random, depth + 1), randomSchema(random, depth + 1)],
        items: random.pick([false, true, { type: 'integer' }]),
        minItems: random.below(3),
      };
    case 9:
      return { anyOf: [randomSchema(random, depth + 1), randomSchema(random, depth + 1)] };
    case 10:
      return {
        type: random.pick(['object', ['object', 'null']]),
        additionalProperties: random.pick([true, { type: 'integer' }]),
        properties: { 'a b': randomSchema(random, depth + 1), a: { type: 'string' } },
        required: random.pick([[], ['a']]),
      };
    default: {
      const names = ['name', 'age', 'tags', 'ö', 'x"y'].filter(() => random.next() < 0.6);
      return {
        type: 'object',
        properties: Object.fromEntries(names.map((name) => [name, randomSchema(random, depth + 1)])),
        required: names.filter(() => random.next() < 0.6),
        ...(random.next() < 0.5 ? { additionalProperties: false } : {}),
      };
    }
  }
}

export const PATTERNS = [
  '(yes|no), [A-Z][a-z]+\\.',
  '\\d{3}-\\d{2,4}',
  '[^aeiou\\s]{2,6}',
  'a*b+c?',
  '(?:ab|cd){5,9}x',
  '.{0,30}!',
  '\\p{Lu}\\p{Ll}*( \\p{Lu}\\p{Ll}*){0,2}',
  '[一-龥]{2,4}',
  '\\u{1F600}|\\x41',
  '(a|b)*abb',
  'x{10,200}',
  '(?:[a-z]{2,4} ){0,5}x',
  '(?:a|ab){0,9}b',
  '(?:a*,){2,4}',
  '[^\\n]*\\n',
  '.*a.*',
  '(?:é|e){5}z',
  '\\d{1,15}(?:\\.\\d{1,15})?',
] as const;
export const GRAMMARS = [
  String.raw`
    # sums and products
    root  ::= (expr "=" ws term "\n"){1,3}
    expr  ::= term ([-+*/] term)*
    term  ::= ident | num | "(" ws expr ")" ws
    ident ::= [a-z] [a-z0-9_]* ws
    num   ::= [0-9]+ ws
    ws    ::= [ \t]{0,2}`,
  'root ::= item+\nitem ::= "- " [^\\r\\n]+ "\\n"',
  'root ::= (c | "\\\\" .){2,9} "!"\nc ::= [^\\\\!]',
  'root ::= "a" root "b" | "ab"',
] as const;
export const PERSON = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 30 },
    age: { type: 'integer', minimum: 0, maximum: 120 },
    email: { type: 'string', format: 'email' },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 5 },
    address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } }, required: ['street', 'city'] },
  },
  required: ['name', 'age', 'email', 'tags', 'address'],
  additionalProperties: false,
} as const;
const NAMES = ['Albert Einstein', 'Ulm', "O'Brien & Söhne (1879)", '阿尔伯特·爱因斯坦', 'Ulm an der Donau'];
const WORDS = ['was', 'born', 'in', 'and', 'is', 'the', 'of', ',', '.', 'theory', 'therefore', 'an'];

/** A constraint by its name; `make` throws EngineError where its schema is one that is refused. */
export interface MaskCase {
  readonly name: string;
  readonly make: (vocabulary: ConstraintVocabulary) => Constraint;
}
const spec = (name: string, given: ConstraintSpec, limits?: TextLimits): MaskCase => ({
  name,
  make: (vocabulary) => compileConstraint(given, vocabulary, limits),
});
/** One of each kind, and `schemas` schemas at random. */
export function maskCases(random: Random, schemas: number): readonly MaskCase[] {
  const asked = {
    format: { calls: 'hermes' },
    tools: [
      { name: 'find', parameters: PERSON, strict: true },
      { name: 'stop', strict: true },
    ],
    choice: 'auto',
    parallel: true,
    thought: 'none',
  } as const;
  return [
    spec('any JSON object', { kind: 'json' }),
    spec('JSON Schema, a person', { kind: 'schema', schema: PERSON }),
    spec('JSON Schema, a list of persons', { kind: 'schema', schema: { type: 'array', items: PERSON } }),
    spec('JSON Schema, a text of up to 500 characters', { kind: 'schema', schema: { type: 'string', minLength: 20, maxLength: 500 } }),
    ...Array.from({ length: schemas }, () => spec('JSON Schema at random', { kind: 'schema', schema: randomSchema(random, 0) })),
    ...PATTERNS.map((pattern) => spec('patterns', { kind: 'regex', pattern })),
    ...GRAMMARS.map((grammar) => spec('grammars', { kind: 'grammar', grammar })),
    { name: 'calls of tools', make: (vocabulary) => constraintOf(JSON.stringify(['calls', asked]), () => callGrammar(asked, () => undefined), vocabulary) },
    spec('choices', { kind: 'choice', choices: ['yes', 'yesterday', 'no', '不知道', 'ümlaut 🙂'] }),
    spec('names and words', { kind: 'names', names: NAMES, words: WORDS }),
    spec('a person, at most 400 characters', { kind: 'schema', schema: PERSON }, { characters: 400 }),
    spec('a person, at most 60 words', { kind: 'schema', schema: PERSON }, { words: 60 }),
    spec('a line, at most 80 characters and 12 words', { kind: 'regex', pattern: '[^\\n]{20,}!' }, { characters: 80, words: 12 }),
  ];
}

export function countOf({ ids, bits }: Pick<TokenSet, 'ids' | 'bits'>): number {
  let count = ids?.length ?? 0;
  for (const word of bits ?? []) for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
/** One of the tokens; undefined where there is none. */
export function drawn({ ids, bits }: TokenSet, random: Random): number | undefined {
  if (ids) return ids.length === 0 ? undefined : random.pick([...ids]);
  let left = random.below(countOf({ ids, bits }));
  for (let word = 0; word < (bits?.length ?? 0); word++)
    for (let rest = bits?.[word] ?? 0; rest !== 0; rest &= rest - 1) if (left-- === 0) return word * 32 + 31 - Math.clz32(rest & -rest);
  return undefined;
}
