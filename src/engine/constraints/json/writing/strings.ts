// Owns the strings of a JSON Schema: lengths, patterns and formats, and what they come to together.
// Refuses to know the other types.

import { MOST_COMMON } from '../../grammar/common-texts.ts';
import type { CommonTexts } from '../../grammar/common-texts.ts';
import { repeat, rule } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { ANY_CHARACTER, quoted, string, stringCharacter } from '../texts/json-text.ts';
import { patternOfAll } from '../../patterns/pattern.ts';
import { PatternWork } from '../../patterns/pattern-automaton.ts';
import { looksAround, parseRegex } from '../../patterns/regex.ts';
import { FORMATS, SHORT_FORMATS } from '../texts/formats.ts';
import { countOf, nothing, wrong } from '../reading/source.ts';
import type { ObjectSchema } from '../reading/source.ts';

export class SchemaStrings {
  readonly #rules: Map<string, Expression>;
  readonly #common: CommonTexts;
  readonly #work = new PatternWork();

  /** `rules`: where those of strings are put; their names begin with `string `, and say all of what they are. */
  constructor(rules: Map<string, Expression>, common: CommonTexts) {
    this.#rules = rules;
    this.#common = common;
  }
  /** Throws EngineError `constraint_invalid`. */
  write(schema: ObjectSchema, at: string): Expression {
    const { pattern, format } = schema;
    const least = countOf(schema, at, 'minLength', 0);
    const most = countOf(schema, at, 'maxLength', Infinity);
    if (most < least) throw nothing(at, 'minLength', 'is greater than maxLength');
    if (pattern === undefined && format === undefined)
      return this.#alike(most === Infinity && least === 0 ? 'json-string' : `string ${least}-${most}`, () => string(least, most));
    if (pattern !== undefined && typeof pattern !== 'string') throw wrong(at, 'pattern', 'must be a text');
    const named = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? format : undefined;
    // A format that is not known is a note where a pattern says what it asks for.
    if (format !== undefined && named === undefined && (pattern === undefined || typeof format !== 'string'))
      throw wrong(at, 'format', `must be one of ${Object.keys(FORMATS).join(', ')}`);
    const counts = least > 0 || most < Infinity;
    const short = counts && named !== undefined ? SHORT_FORMATS.map((forms) => forms[named]).find((form) => within(form, least, most)) : undefined;
    const isWithin = short !== undefined;
    const known = short ?? (named && FORMATS[named]);
    const beside = [...(known === undefined ? [] : [`^(?:${known})$`]), ...(counts && !isWithin ? [`^[^]{${least},${most === Infinity ? '' : most}}$`] : [])];
    const parts =
      pattern !== undefined && looksAround(pattern)
        ? [
            () =>
              parseRegex(beside.length === 0 ? pattern : patternOfAll([pattern, ...beside]), {
                write: stringCharacter,
                search: true,
                work: this.#work,
                told: `the pattern ${JSON.stringify(pattern.slice(0, 100))}${beside.length === 0 ? '' : ' and the format or length beside it'}`,
              }),
          ]
        : [
            ...(pattern === undefined ? [] : [() => parseRegex(pattern, { write: stringCharacter, search: true })]),
            ...(known === undefined ? [] : [() => parseRegex(known, { write: stringCharacter, search: false })]),
            ...(counts && !isWithin ? [() => repeat(stringCharacter(ANY_CHARACTER), least, most)] : []),
          ];
    const name = `string ${JSON.stringify([pattern, known, least, most])}`;
    return this.#alike(name, () =>
      quoted(
        parts.length === 1
          ? parts[0]()
          : this.#inAll(
              parts.map((part) => part()),
              `${name} in all`,
              at,
            ),
      ),
    );
  }
  /** One rule for all strings alike: what may come inside them is found once. */
  #alike(name: string, write: () => Expression): Expression {
    if (!this.#rules.has(name)) this.#rules.set(name, write());
    return rule(name);
  }
  #inAll(parts: readonly Expression[], name: string, at: string): Expression {
    return this.#common.of(
      parts.map((root) => ({ root, rules: new Map() })),
      name,
      {
        none: () => nothing(at, 'pattern', 'matches no text of the format and the length that stand beside it'),
        tooMany: () =>
          wrong(
            at,
            'pattern',
            `and what stands beside it (format, minLength, maxLength) come to more than ${MOST_COMMON} places together with others like it; say all of it in the pattern, or ask for less`,
          ),
      },
    );
  }
}

/** Has every text of a pattern so many characters, all of which are one byte each? */
function within(pattern: string, least: number, most: number): boolean {
  const lengths = lengthsOf(parseRegex(pattern, { write: stringCharacter, search: false }));
  return least <= lengths.least && lengths.most <= most;
}
/** Bytes of the shortest text of an expression that names no rules, and of the longest one. */
function lengthsOf(expression: Expression): { readonly least: number; readonly most: number } {
  switch (expression.kind) {
    case 'byte':
      return { least: 1, most: 1 };
    case 'sequence': {
      const items = expression.items.map(lengthsOf);
      return { least: items.reduce((sum, { least }) => sum + least, 0), most: items.reduce((sum, { most }) => sum + most, 0) };
    }
    case 'choice': {
      const items = expression.items.map(lengthsOf);
      return { least: Math.min(...items.map(({ least }) => least)), most: Math.max(...items.map(({ most }) => most)) };
    }
    case 'repeat': {
      const { least, most } = lengthsOf(expression.item);
      return { least: least * expression.least, most: most * expression.most };
    }
    default:
      return { least: 0, most: Infinity };
  }
}
