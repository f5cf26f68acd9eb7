// Owns what arrays and objects ask of the writer of the schema that they are in.
// Refuses to know how it is answered.

import type { Expression } from '../../grammar/expression.ts';
import type { SchemaCases } from '../cases/cases.ts';
import type { SchemaParts } from '../cases/parts.ts';
import type { Schema } from '../reading/source.ts';
import type { Bracket } from './distinct.ts';
import type { SchemaStrings } from './strings.ts';

export interface Inner {
  /** Where references lead. */
  readonly whole: unknown;
  readonly parts: SchemaParts;
  readonly cases: SchemaCases;
  readonly strings: SchemaStrings;
  /** Throws NoText where nothing is valid. */
  write(schema: Schema, at: string): Expression;
  /** Undefined where nothing is valid. */
  possible(schema: Schema, at: string): Expression | undefined;
  /** An item of an array of which no two are equal, and of which there are so many at least. Throws EngineError `constraint_invalid`. */
  distinct(item: Schema, least: number, at: string): Expression;
  /** Notes an object of which no two names are equal: none of its kind, nor a list of that kind, may stand within another. */
  distinctNames(expression: Expression, at: string): Expression;
  /** Named in several places, or one of very many inside each other. */
  shared(expression: Expression, at: string): Expression;
  /** Notes how an object or an array is written. */
  bracketed(expression: Expression, bracket: Bracket): Expression;
}
