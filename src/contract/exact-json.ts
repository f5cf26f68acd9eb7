// Owns JSON whose whole numbers stay as they were written where JavaScript would round them, such as long ids.
// Refuses to know where such numbers stand and what they mean.

/** As ECMAScript has it; TypeScript does not know it yet. */
const { rawJSON, isRawJSON, parse } = JSON as unknown as { readonly rawJSON: (text: string) => unknown; readonly isRawJSON: (value: unknown) => value is { readonly rawJSON: string }; readonly parse: (text: string, revive: (name: string, value: unknown, context: { readonly source?: string }) => unknown) => unknown };
const exact = (_: string, value: unknown, { source = '' }: { readonly source?: string }): unknown => (Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? rawJSON(source) : value);

/** Might a text hold such a number? */
export const mayRound = (text: string): boolean => /\d{16}/.test(text);
/** As JSON.parse, with something in the place of such numbers that JSON.stringify writes as they were. */
export const parseExactly = (text: string): unknown => parse(text, exact);

/** A number that has no double of its own. */
export interface Rounded {
  readonly path: readonly (string | number)[];
  readonly digits: string;
}
/** Whole numbers that JavaScript writes as they stand are its own way of writing theirs. */
const isRounded = (digits: string): boolean => String(Number(digits)) !== digits && BigInt(digits) !== BigInt(Number(digits));
/** Keywords in which names stand that are no keywords, each with a schema. */
const NAMED: readonly string[] = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'];
/** Keywords of values that a text may have, and need not. */
const NOTED: readonly string[] = ['default', 'example', 'examples'];
/** In the JSON Schemas within a value that `parseExactly` gave: the first number that the text would have to be, by `const` or `enum`, and that would be rounded. Bounds may be. */
export function roundedIn(value: unknown, path: readonly (string | number)[] = [], within: 'schema' | 'names' | 'listed' = 'schema'): Rounded | undefined {
  if (isRawJSON(value)) return within === 'listed' && isRounded(value.rawJSON) ? { path, digits: value.rawJSON } : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const isList = Array.isArray(value);
  for (const [name, each] of isList ? value.entries() : Object.entries(value)) {
    if (within === 'schema' && NOTED.includes(String(name))) continue;
    const inside = within === 'schema' && !isList ? (name === 'const' || name === 'enum' ? 'listed' : NAMED.includes(String(name)) ? 'names' : 'schema') : within === 'names' ? 'schema' : within;
    const found = roundedIn(each, [...path, name], inside);
    if (found) return found;
  }
  return undefined;
}
export const roundedReason = ({ digits }: Rounded): string => `is ${digits}, and whole numbers beyond 2^53 cannot all be told apart here; give it as a string, or say it in a description`;
