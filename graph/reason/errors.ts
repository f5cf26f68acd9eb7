// Owns the one error of the rule language: what was wrong, where it stands, and what would be right.
// Refuses to know HTTP and who wrote the rule.

export type RuleErrorCode =
  /** The text or JSON is not of the language. */
  | 'syntax'
  /** A variable has no value where one is needed. */
  | 'unsafe'
  /** Negation or aggregation runs in a circle: a relation would hold because it does not hold. */
  | 'unstratifiable'
  /** A name or literal that no triple may carry. */
  | 'invalid_term'
  /** An annotation that does not exist, stands twice or holds a wrong value. */
  | 'invalid_annotation'
  /** A comparison of things that have no order, or a function of a value that it does not take. */
  | 'type'
  /** A function that does not exist. */
  | 'unknown_builtin'
  /** Too few or too many arguments. */
  | 'arity'
  /** More text, rules, heads or body items than allowed. */
  | 'too_large';

export interface RuleErrorDetails {
  /** From 1. 0 when the rule came as JSON. */
  readonly line?: number;
  /** From 1, in characters (code points). 0 when the rule came as JSON. */
  readonly column?: number;
  /** What would have been right at this place, as short phrases. */
  readonly expected?: readonly string[];
  /** Name or text of the rule, as far as it is known. */
  readonly rule?: string;
  /** Place in the JSON form, such as `rules[2].body[0].subject`. */
  readonly path?: string;
  /** Field of a request that holds the text, when it is not the rules. */
  readonly field?: string;
}

/** `message` is complete in itself: it begins with the place and ends with what would be right. */
export class RuleError extends Error {
  readonly code: RuleErrorCode;
  readonly line: number;
  readonly column: number;
  readonly expected: readonly string[];
  readonly rule: string | undefined;
  readonly path: string | undefined;
  readonly field: string | undefined;
  /** The bare reason, without the place. */
  readonly reason: string;
  constructor(code: RuleErrorCode, reason: string, details: RuleErrorDetails = {}) {
    const { line = 0, column = 0, path } = details;
    const place = path !== undefined ? `${path}: ` : line > 0 ? `line ${line}, column ${column}: ` : '';
    super(place + reason);
    this.name = 'RuleError';
    this.code = code;
    this.reason = reason;
    this.line = line;
    this.column = column;
    this.expected = details.expected ?? [];
    this.rule = details.rule;
    this.path = path;
    this.field = details.field;
  }
}

/** Where something stands: line and column from 1, or a path in the JSON form. */
export interface Place {
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}
/** `"a", "b" or "c"`. */
export const anyOf = (items: readonly string[]): string =>
  items.length <= 1 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} or ${items[items.length - 1]}`;

/** Reads a text that stands in a field of a request: a RuleError names the field. */
export function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RuleError) || error.field !== undefined) throw error;
    const { code, reason, line, column, expected, rule, path } = error;
    throw new RuleError(code, reason, { line, column, expected, field, ...(rule === undefined ? {} : { rule }), ...(path === undefined ? {} : { path }) });
  }
}
